// The charts of the comparison report. Reads the JSON in #data (src/report/internal/chart_data.cpp writes it), draws one
// uPlot chart per panel and trace, and keeps cursor, zoom and the shown policies of a trace's charts together. Panels with
// a choice share one chart, whose switch says which of them it shows, in all traces at once.
(function () {
  "use strict";

  const data = JSON.parse(document.getElementById("data").textContent);
  const root = document.documentElement;
  const COLOURS = 8;
  const DASHES = [[], [8, 4], [2.5, 3], [11, 3, 2.5, 3], [5, 2.5], [11, 3, 2.5, 3, 2.5, 3]];
  const LINE = 2;
  const AXIS_WIDTH = 52;
  const PRINT_WIDTH = 700;
  const PRINT_SCALE = 0.48;  // so that the charts and figures of a trace fit one page of A4
  const shown = data.policies.map(() => true);
  const choices = data.panels.filter((panel) => panel.choice);
  const slots = data.panels.filter((panel) => !panel.choice || panel.chosen).map((panel) => ({ panel }));
  const perPolicySlots = slots.filter((slot) => slot.panel.perPolicy);
  const traces = [];

  const element = (tag, attributes, ...children) => {
    const made = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes || {})) made.setAttribute(name, value);
    made.append(...children);
    return made;
  };
  const colour = (name) => getComputedStyle(root).getPropertyValue(name).trim();
  const policyColour = (policy) => colour("--p" + (policy % COLOURS));
  const status = (text) => { document.getElementById("status").textContent = text; };

  // `2*12,4,6*3` is twelve times 2, one 4, three times 6; an empty item is a gap.
  function unpacked(text) {
    const values = [];
    if (text === "") return values;
    for (const item of text.split(",")) {
      const star = item.indexOf("*");
      const digits = star < 0 ? item : item.slice(0, star);
      const value = digits === "" ? null : Number(digits);
      for (let times = star < 0 ? 1 : Number(item.slice(star + 1)); times > 0; --times) values.push(value);
    }
    return values;
  }
  function unpackedDifferences(text) {
    let sum = 0;
    return unpacked(text).map((difference) => (sum += difference));
  }

  const number = (value, decimals) =>
    value == null ? "–" : value.toLocaleString("en-US", { maximumFractionDigits: decimals, minimumFractionDigits: Math.min(decimals, 1) });
  function duration(seconds) {
    const two = (value) => String(value).padStart(2, "0");
    const whole = Math.round(seconds);
    if (whole < 60) return (seconds % 1 ? seconds.toFixed(1) : whole) + " s";
    if (whole < 3600) return Math.floor(whole / 60) + " min" + (whole % 60 ? " " + two(whole % 60) + " s" : "");
    if (whole < 86400) return Math.floor(whole / 3600) + " h" + (whole % 3600 >= 60 ? " " + two(Math.floor((whole % 3600) / 60)) + " min" : "");
    return Math.floor(whole / 86400) + " d " + two(Math.floor((whole % 86400) / 3600)) + " h" + (whole % 3600 >= 60 ? " " + two(Math.floor((whole % 3600) / 60)) + " min" : "");
  }
  const TIME_STEPS = [0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200, 86400, 172800,
    345600, 604800, 1209600, 2592000, 7776000, 31536000];
  const tickTime = (seconds, step) => {
    if (seconds === 0) return "0";
    if (step < 60) return seconds < 60 ? +seconds.toFixed(1) + " s" : Math.floor(seconds / 60) + ":" + String(+(seconds % 60).toFixed(1)).padStart(2, "0");
    if (step < 3600) return seconds < 3600 ? seconds / 60 + " min" : Math.floor(seconds / 3600) + ":" + String((seconds % 3600) / 60).padStart(2, "0") + " h";
    return step < 86400 ? seconds / 3600 + " h" : seconds / 86400 + " d";
  };

  function swatchOf(policy) {
    return document.querySelector(`.chip input[data-policy="${policy}"]`).parentNode.querySelector(".swatch").cloneNode(true);
  }

  class Trace {
    constructor(host, index) {
      const packed = data.traces[index];
      this.index = index;
      this.name = packed.name;
      this.host = host;
      this.time = unpackedDifferences(packed.time);
      this.series = {};
      this.askedFor = {};
      for (const panel of data.panels) {
        this.series[panel.key] = packed.series[panel.key].map(unpacked);
        this.askedFor[panel.key] = (packed.askedFor[panel.key] || []).map((text) => (text == null ? null : unpacked(text)));
      }
      this.points = this.time.length;
      if (this.points === 0) {
        host.append(element("p", { class: "note" }, "Nothing was recorded."));
        return;
      }
      // A value holds until the next one, so the last one needs an end.
      const last = this.time[this.points - 1];
      this.end = last + (this.points > 1 ? last - this.time[this.points - 2] : packed.step);
      this.x = this.time.concat(this.end);
      this.charts = [];
      this.busy = false;
      const demand = data.panels.find((panel) => !panel.perPolicy);
      const first = demand ? this.series[demand.key][0] : [];
      this.resting = Math.max(0, first.indexOf(Math.max(...first)));
      this.build();
      this.show(null);
    }

    build() {
      this.area = element("div", { class: "charts", tabindex: "0", role: "group",
        "aria-label": `Charts of ${this.name}. Left and right arrows move the cursor, plus and minus zoom, Escape shows everything.` });
      this.host.append(this.area, this.readoutPanel(), this.valuesTable());
      for (const slot of slots) {
        const panel = slot.panel;
        const place = element("div", { class: "chart", role: "img", "aria-label": this.described(panel) });
        const askedFor = !this.askedFor[panel.key].some(Boolean) ? "" : data.measured ? " · dashed: asked for · shaded: starting" : " · thin line: asked for";
        const title = element("div", { class: "chart-title" },
          element("span", { "aria-hidden": "true" }, panel.label), element("span", { class: "unit", "aria-hidden": "true" }, panel.unit + askedFor));
        if (panel.choice) title.append(this.choiceSwitch(panel));
        this.area.append(element("div", { class: "chart" }, title, place));
        const plot = this.chart(panel, place, slot === slots[slots.length - 1]);
        plot.slot = slot;
        this.charts.push(plot);
      }
      this.area.addEventListener("keydown", (event) => this.onKey(event));
      new ResizeObserver(() => root.hasAttribute("data-print") || this.fit(this.area.clientWidth)).observe(this.area);
    }

    choiceSwitch(chosen) {
      const box = element("span", { class: "choice", role: "group", "aria-label": `${chosen.label} shown` });
      for (const panel of choices) {
        const button = element("button", { type: "button", "data-choice": panel.key, "aria-pressed": String(panel === chosen) }, panel.choice);
        button.addEventListener("click", () => choose(panel));
        box.append(button);
      }
      return box;
    }

    choose(slot) {
      const chart = this.charts.find((one) => one.slot === slot);
      chart.setData(this.columns(slot.panel), false);
      const { min, max } = chart.scales.x;
      chart.setScale("x", { min, max });
      chart.root.parentNode.setAttribute("aria-label", this.described(slot.panel));
      for (const button of this.area.querySelectorAll("[data-choice]")) button.setAttribute("aria-pressed", String(button.dataset.choice === slot.panel.key));
      this.heads.get(slot).textContent = slot.panel.short;
      this.show(this.at);
    }

    // What uPlot draws: time, what was asked for, the values. Zero has no place on a logarithmic axis.
    columns(panel) {
      const held = (values) => values.concat(values[values.length - 1]);
      const drawn = (values) => (panel.log ? values.map((value) => (value > 0 ? value : null)) : values);
      return [this.x, ...this.askedFor[panel.key].filter(Boolean).map(held), ...this.series[panel.key].map((values) => held(drawn(values)))];
    }

    described(panel) {
      const range = (values) => {
        const known = values.filter((value) => value != null);
        return known.length ? `from ${number(known.reduce((a, b) => Math.min(a, b)), panel.decimals)} to ${number(known.reduce((a, b) => Math.max(a, b)), panel.decimals)}` : "unknown";
      };
      const parts = this.series[panel.key].map((values, i) => (panel.perPolicy ? data.policies[i] + " " : "") + range(values));
      return `${panel.label} on ${this.name} in ${panel.unit}, over ${duration(this.end)}: ${parts.join("; ")}.`;
    }

    chart(panel, place, isLast) {
      const all = this.series[panel.key];
      const stepped = uPlot.paths.stepped({ align: 1 });
      const series = [{}];
      const bands = [];
      const askedFor = [];
      this.askedFor[panel.key].forEach((values, policy) => {
        if (values == null) return;
        askedFor[policy] = series.length;
        series.push(data.measured
          ? { policy, show: shown[policy], stroke: () => policyColour(policy), width: 1.25, alpha: 0.9, dash: [4, 3], paths: stepped, points: { show: false } }
          : { policy, show: shown[policy], stroke: () => policyColour(policy), width: 1, alpha: 0.45, paths: stepped, points: { show: false } });
      });
      all.forEach((values, policy) => {
        const isSolid = data.measured && askedFor[policy] != null;
        if (isSolid) bands.push({ series: [askedFor[policy], series.length], fill: () => policyColour(policy) + "2e" });
        series.push(panel.perPolicy
          ? { policy, main: true, isSolid, show: shown[policy], stroke: () => policyColour(policy), width: LINE, dash: isSolid ? [] : DASHES[policy % DASHES.length],
              paths: stepped, points: { show: false } }
          : { stroke: () => colour("--area-line"), fill: () => colour("--area"), width: 1, paths: stepped, points: { show: false } });
      });
      const target = panel.target;
      const axis = () => ({
        stroke: () => colour("--soft"), font: "11px system-ui, sans-serif", ticks: { show: false },
        grid: { stroke: () => colour("--grid"), width: 1 },
      });
      const plot = new uPlot({
        width: Math.max(220, this.area.clientWidth || 600),
        height: panel.height + (isLast ? 22 : 0),
        padding: [6, 20, isLast ? 0 : 4, 0],
        legend: { show: false },
        cursor: {
          y: false,
          points: { size: 7, width: 1.5, fill: (u, i) => (u.series[i].main ? policyColour(u.series[i].policy) : colour("--area-line")) },
          drag: { x: true, y: false, dist: 6, setScale: true },
        },
        focus: { alpha: 0.2 },
        scales: {
          x: { time: false, range: (u, low, high) => [low, high] },
          y: panel.log ? { distr: 3, log: 10, range: (u, low, high) => logarithmicRange(low, high) } : { range: (u, low, high) => [0, Math.max((high || 0) * 1.06, target ? target * 1.15 : 0, 1)] },
        },
        axes: [
          { ...axis(), size: isLast ? 26 : 0, space: 64, incrs: TIME_STEPS, gap: 4,
            values: isLast ? (u, splits, i, space, step) => splits.map((split) => tickTime(split, step)) : () => [] },
          { ...axis(), size: AXIS_WIDTH, space: 32, gap: 6, ...(panel.log ? { splits: (u, i, low, high) => logarithmicTicks(low, high), filter: (u, splits) => splits } : {}), incrs: panel.decimals === 0 ? [1, 2, 5, 10, 20, 25, 50, 100, 200, 250, 500, 1e3, 2e3, 2.5e3, 5e3, 1e4, 2e4, 2.5e4, 5e4, 1e5, 2e5, 5e5, 1e6, 2e6, 5e6, 1e7, 1e8, 1e9] : undefined,
            values: (u, splits) => splits.map((split) => (split >= 1e6 ? +(split / 1e6).toPrecision(4) + " M" : split >= 1e4 ? +(split / 1e3).toPrecision(4) + " k" : split.toLocaleString("en-US"))) },
        ],
        series,
        bands,
        hooks: {
          setCursor: [(u) => this.onCursor(u)],
          setScale: [(u, key) => key === "x" && this.onZoom(u)],
          drawClear: [plainWhereDense],
          draw: target ? [(u) => drawTarget(u, target, panel)] : [],
        },
      }, this.columns(panel), place);
      plot.fullHeight = plot.height;
      this.onTouch(plot);
      return plot;
    }

    // A finger on a chart moves the cursor; up and down still scrolls the page.
    onTouch(plot) {
      const move = (event) => {
        if (event.pointerType === "mouse") return;
        const box = plot.over.getBoundingClientRect();
        plot.setCursor({ left: Math.min(Math.max(event.clientX - box.left, 0), box.width - 1), top: 10 });
      };
      plot.over.addEventListener("pointerdown", move);
      plot.over.addEventListener("pointermove", move);
    }

    onCursor(from) {
      if (this.busy || this.charts.length < slots.length) return;
      this.busy = true;
      for (const chart of this.charts) if (chart !== from) chart.setCursor({ left: from.cursor.left, top: from.cursor.left < 0 ? -10 : 10 }, false);
      this.busy = false;
      this.show(from.cursor.left >= 0 ? from.cursor.idx : null);
    }

    onZoom(from) {
      const { min, max } = from.scales.x;
      if (this.busy || this.charts.length < slots.length || min == null) return;
      this.busy = true;
      for (const chart of this.charts) if (chart !== from && (chart.scales.x.min !== min || chart.scales.x.max !== max)) chart.setScale("x", { min, max });
      this.busy = false;
      const whole = min <= this.x[0] && max >= this.end;
      this.resetButton.disabled = this.outButton.disabled = whole;
      this.area.toggleAttribute("data-zoomed", !whole);
    }

    zoomTo(min, max) {
      const shortest = (this.end - this.x[0]) / this.points * Math.min(4, this.points);
      const width = Math.min(Math.max(max - min, shortest), this.end - this.x[0]);
      const start = Math.min(Math.max((min + max - width) / 2, this.x[0]), this.end - width);
      this.charts[0].setScale("x", { min: start, max: start + width });
    }
    zoomBy(factor) {
      const { min, max } = this.charts[0].scales.x;
      const at = this.at == null ? (min + max) / 2 : Math.min(Math.max(this.time[this.at], min), max);
      this.zoomTo(at - (at - min) * factor, at + (max - at) * factor);
    }
    reset() { this.zoomTo(this.x[0], this.end); }

    onKey(event) {
      if (event.ctrlKey || event.metaKey || event.altKey) return;
      const { min, max } = this.charts[0].scales.x;
      const step = event.shiftKey ? 10 : 1;
      const move = (to) => {
        const index = Math.min(Math.max(to, 0), this.points - 1);
        const time = this.time[index];
        if (time < min || time >= max) this.zoomTo(time - (max - min) / 2, time + (max - min) / 2);
        // The scale settles in a microtask; the cursor needs it.
        Promise.resolve().then(() => {
          const next = index + 1 < this.x.length ? this.x[index + 1] : this.end;
          const inside = time + (next - time) * 0.02;
          this.charts[0].setCursor({ left: this.charts[0].valToPos(inside, "x"), top: 10 });
          status(this.sentence(index));
        });
      };
      const at = this.at == null ? this.resting : this.at;
      if (event.key === "ArrowLeft") move(at - step);
      else if (event.key === "ArrowRight") move(at + step);
      else if (event.key === "Home") move(0);
      else if (event.key === "End") move(this.points - 1);
      else if (event.key === "+" || event.key === "=") this.zoomBy(0.5);
      else if (event.key === "-") this.zoomBy(2);
      else if (event.key === "Escape") this.reset();
      else return;
      event.preventDefault();
    }

    readoutPanel() {
      this.when = element("div", { class: "readout-when" });
      this.demand = element("div", { class: "readout-demand" });
      const isWide = perPolicySlots.length > 3;
      const head = element("tr", {}, element("th", { scope: "col" }, element("span", { class: "hidden" }, "Policy")));
      this.heads = new Map(perPolicySlots.map((slot) => [slot, element("th", { scope: "col" }, slot.panel.short)]));
      head.append(...this.heads.values());
      const body = element("tbody");
      this.rows = data.policies.map((name, policy) => {
        const cells = perPolicySlots.map((slot) => ({ slot, cell: element("td") }));
        const row = element("tr", { "data-p": policy }, element("th", { scope: "row" }, element("span", {}, swatchOf(policy), element("span", {}, name))), ...cells.map(({ cell }) => cell));
        body.append(row);
        return { row, cells };
      });
      const button = (label, act) => {
        const made = element("button", { type: "button" }, label);
        made.addEventListener("click", act);
        return made;
      };
      const inButton = button("Zoom in", () => this.zoomBy(0.5));
      this.outButton = button("Zoom out", () => this.zoomBy(2));
      this.resetButton = button("Show all", () => this.reset());
      this.outButton.disabled = this.resetButton.disabled = true;
      return this.readout = element("aside", { class: isWide ? "readout wide" : "readout", style: `--columns:${perPolicySlots.length}`, "aria-label": `Values on ${this.name}` },
        element("div", { class: "readout-head" }, this.when, this.demand),
        element("table", {}, element("caption", { class: "hidden" }, "Values of all policies at the cursor"), element("thead", {}, head), body),
        element("div", { class: "tools" }, inButton, this.outButton, this.resetButton),
        element("p", { class: "hint" }, "Drag over a chart to zoom, double-click to see everything again. Point at a policy above to bring it out."));
    }

    show(index) {
      this.readout.toggleAttribute("data-live", index != null);
      this.at = index == null ? null : Math.min(index, this.points - 1);
      const at = this.at == null ? this.resting : this.at;
      this.when.textContent = (this.at == null ? "At peak demand, " : "At ") + duration(this.time[at]);
      const single = data.panels.filter((panel) => !panel.perPolicy);
      this.demand.textContent = single.map((panel) => `${panel.label} ${number(this.series[panel.key][0][at], panel.decimals)} ${panel.unit}`).join(", ");
      this.rows.forEach(({ cells }, policy) => {
        for (const { slot: { panel }, cell } of cells) {
          const value = this.series[panel.key][policy][at];
          const askedFor = this.askedFor[panel.key][policy];
          cell.textContent = number(value, panel.decimals) + (askedFor && askedFor[at] !== value ? ` → ${number(askedFor[at], panel.decimals)}` : "");
          cell.title = askedFor && askedFor[at] !== value ? "ready → asked for" : "";
          cell.classList.toggle("over", panel.target != null && value > panel.target);
        }
      });
    }

    sentence(index) {
      const policies = data.policies.map((name, policy) => shown[policy] && name + ": " + perPolicySlots
        .map(({ panel }) => `${panel.label}${panel.choice ? " " + panel.choice : ""} ${number(this.series[panel.key][policy][index], panel.decimals)}${panel.unit === "%" ? "%" : ""}`).join(", "));
      return [`${duration(this.time[index])}, demand ${number(this.series[data.panels[0].key][0][index], 1)}`, ...policies.filter(Boolean)].join("; ");
    }

    // The charts as a table, made when somebody opens it.
    valuesTable() {
      const details = element("details", { class: "values" }, element("summary", {}, "The same as a table"));
      details.addEventListener("toggle", () => {
        if (!details.open || details.querySelector("table")) return;
        const stride = Math.ceil(this.points / 60);
        const perPolicy = data.panels.filter((panel) => panel.perPolicy);
        const first = element("tr", {}, element("th", { rowspan: 2, scope: "col" }, "Time"));
        const second = element("tr");
        for (const panel of data.panels) {
          if (!panel.perPolicy) { first.append(element("th", { rowspan: 2, scope: "col" }, `${panel.label}, ${panel.unit}`)); continue; }
          const label = panel.label + (panel.choice ? " " + panel.choice : "");
          first.append(element("th", { colspan: data.policies.length, scope: "colgroup" }, panel.unit === label.toLowerCase() ? label : `${label}, ${panel.unit}`));
          data.policies.forEach((name, policy) => second.append(element("th", { scope: "col", "data-p": policy }, name)));
        }
        const body = element("tbody");
        for (let i = 0; i < this.points; i += stride) {
          const row = element("tr", {}, element("th", { scope: "row" }, duration(this.time[i])));
          for (const panel of data.panels.filter((panel) => !panel.perPolicy)) row.append(element("td", {}, number(this.series[panel.key][0][i], panel.decimals)));
          for (const panel of perPolicy) data.policies.forEach((name, policy) => row.append(element("td", { "data-p": policy }, number(this.series[panel.key][policy][i], panel.decimals))));
          body.append(row);
        }
        details.append(element("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": `Values on ${this.name}` },
          element("table", {}, element("caption", { class: "hidden" }, `Values on ${this.name}` + (stride > 1 ? `, every ${stride}th point` : "")),
            element("thead", {}, first, second), body)));
        dim();
      });
      return details;
    }

    fit(width, scale = 1) {
      if (width < 10) return;
      for (const chart of this.charts) {
        const height = Math.round(chart.fullHeight * scale);
        if (chart.width !== width || chart.height !== height) chart.setSize({ width, height });
      }
    }
    setShown(policy) {
      for (const chart of this.charts) chart.series.forEach((series, i) => series.policy === policy && chart.setSeries(i, { show: shown[policy] }, false));
    }
    emphasise(policy) {
      for (const chart of this.charts) {
        const at = policy == null ? null : chart.series.findIndex((series) => series.main && series.policy === policy);
        if (at !== -1) chart.setSeries(at, { focus: true }, false);
      }
    }
    redraw() { for (const chart of this.charts) chart.redraw(false); }
  }

  function choose(panel) {
    const slot = slots.find((one) => one.panel.choice);
    slot.panel = panel;
    for (const trace of traces) trace.choose(slot);
  }

  // At least half a decade, so that noise is not drawn as if it were everything.
  function logarithmicRange(low, high) {
    if (low == null || high == null || !(low > 0)) return [1, 1000];
    const middle = Math.sqrt(low * high);
    return [Math.min(low / 1.25, middle / 2), Math.max(high * 1.25, middle * 2)];
  }
  function logarithmicTicks(low, high) {
    const ticks = (factors) => {
      const found = [];
      for (let decade = 10 ** Math.floor(Math.log10(low)); decade <= high; decade *= 10)
        for (const factor of factors) if (decade * factor >= low && decade * factor <= high) found.push(+(decade * factor).toPrecision(6));
      return found;
    };
    return [[1], [1, 3], [1, 2, 5]].map(ticks).find((found) => found.length >= 4) || ticks(high / low > 8 ? [1, 2, 5] : [1, 1.5, 2, 3, 4, 5, 6, 8]);
  }

  // Where steps are narrower than dashes, dashes are noise.
  function plainWhereDense(u) {
    const [first, last] = u.series[0].idxs || [0, 0];
    const isDense = last - first > u.width / 3;
    for (const series of u.series) {
      if (!series.main) continue;
      series.dash = isDense || series.isSolid ? [] : DASHES[series.policy % DASHES.length];
      series.width = isDense ? 1.25 : LINE;
    }
  }

  function drawTarget(u, target, panel) {
    const y = Math.round(u.valToPos(target, "y", true));
    const { left, width } = u.bbox;
    const ratio = uPlot.pxRatio;
    const ctx = u.ctx;
    ctx.save();
    ctx.strokeStyle = ctx.fillStyle = colour("--target");
    ctx.lineWidth = ratio;
    ctx.setLineDash([4 * ratio, 4 * ratio]);
    ctx.beginPath();
    ctx.moveTo(left, y);
    ctx.lineTo(left + width, y);
    ctx.stroke();
    ctx.font = `${11 * ratio}px system-ui, sans-serif`;
    ctx.textAlign = "right";
    ctx.textBaseline = "bottom";
    const text = `target ${number(target, target % 1 ? 1 : 0)} ${panel.unit}`.replace(" %", "%");
    ctx.setLineDash([]);
    ctx.lineJoin = "round";
    ctx.lineWidth = 3 * ratio;
    ctx.strokeStyle = colour("--bg");
    ctx.strokeText(text, left + width - 4 * ratio, y - 3 * ratio);
    ctx.fillText(text, left + width - 4 * ratio, y - 3 * ratio);
    ctx.restore();
  }

  function dim() {
    for (const node of document.querySelectorAll("main [data-p]")) node.toggleAttribute("data-off", !shown[Number(node.getAttribute("data-p"))]);
  }

  for (const host of document.querySelectorAll(".charts-host")) {
    host.textContent = "";
    const trace = new Trace(host, Number(host.dataset.trace));
    if (trace.charts) traces.push(trace);
  }

  for (const box of document.querySelectorAll(".chip input")) {
    const policy = Number(box.dataset.policy);
    box.checked = true;
    box.addEventListener("change", () => {
      shown[policy] = box.checked;
      for (const trace of traces) trace.setShown(policy);
      dim();
    });
    const emphasise = (to) => { for (const trace of traces) trace.emphasise(to); };
    box.parentNode.addEventListener("pointerenter", () => box.checked && emphasise(policy));
    box.parentNode.addEventListener("pointerleave", () => emphasise(null));
  }

  // Theme: what the system says, unless the reader says otherwise. Storage may be forbidden for files; then it is not kept.
  const themeButton = document.getElementById("theme");
  const themes = ["auto", "light", "dark"];
  let theme = "auto";
  try { theme = themes.includes(localStorage.getItem("mpca-theme")) ? localStorage.getItem("mpca-theme") : "auto"; } catch { /* not kept */ }
  function applyTheme() {
    if (theme === "auto") root.removeAttribute("data-theme");
    else root.setAttribute("data-theme", theme);
    themeButton.textContent = "Theme: " + theme;
    for (const trace of traces) trace.redraw();
  }
  themeButton.hidden = false;
  themeButton.addEventListener("click", () => {
    theme = themes[(themes.indexOf(theme) + 1) % themes.length];
    try { localStorage.setItem("mpca-theme", theme); } catch { /* not kept */ }
    applyTheme();
  });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", applyTheme);
  applyTheme();

  const copyButton = document.getElementById("copy");
  if (copyButton) {
    const said = (text) => { copyButton.textContent = text; status(text); setTimeout(() => { copyButton.textContent = "Copy"; }, 2000); };
    copyButton.hidden = false;
    copyButton.addEventListener("click", async () => {
      const code = document.getElementById("command");
      try {
        await navigator.clipboard.writeText(code.textContent);
        said("Copied");
      } catch {
        getSelection().selectAllChildren(code);
        said(document.execCommand("copy") ? "Copied" : "Selected");
      }
    });
  }

  // Paper is light and narrow whatever the screen is. Drawn before the pages are cut, or the cuts are wrong.
  addEventListener("beforeprint", () => {
    root.setAttribute("data-print", "");
    for (const trace of traces) {
      trace.fit(PRINT_WIDTH, PRINT_SCALE);
      trace.redraw();
    }
  });
  addEventListener("afterprint", () => {
    root.removeAttribute("data-print");
    for (const trace of traces) {
      trace.fit(trace.area.clientWidth);
      trace.redraw();
    }
  });

  root.setAttribute("data-ready", "");
})();
