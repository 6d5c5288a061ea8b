// Charts over time: one uPlot chart per panel of a trace, with cursor, zoom and the shown policies of a trace's charts kept
// together, a panel of the values under the cursor, and the same as a table. Panels with a choice share one chart, whose
// switch says which of them it shows, in all traces at once.
//
// `data` is {policies, panels, measured, traces: [{name, step, time, series, askedFor}]}, as
// src/report/internal/chart_data.cpp writes it; series may be arrays, too.
//
//   slots    of each policy: the number of its colour and dashes; without, its own number
//   chips    of each policy: the number of its switch; without, its own number
//   behind   of a panel: the key of a series that is drawn as an area behind it
//   note     of a panel: more words beside its title
//   hidden   of a panel: it has no chart of its own
//
// A trace tells its `onPick(time, distances, chart)` of a click: the time, how far the line of each policy is away in pixels (of a
// chart without such lines: nothing), and the chart's element. Its `onKeyBefore(event)` gets keys first, and keeps those for which it says true.
//
// `shown` says of each policy whether its lines are drawn.
// Makes {Trace, choose}; a Trace stands in its host at once, and in mpcaPage.charts until it is destroyed.
function mpcaCharts(data, shown) {
  "use strict";

  const { root, DASHES, TIME_STEPS, element, colour, status, number, duration, tickTime, swatchOf, dim } = mpcaPage;
  const LINE = 2;
  const AXIS_WIDTH = 52;
  const DOUBLE_CLICK_MS = 250;
  const chipOf = (policy) => (data.chips ? data.chips[policy] : policy);
  const slotOf = (policy) => (data.slots ? data.slots[policy] : policy);
  const policyColour = (policy) => mpcaPage.policyColour(slotOf(policy));
  const unpacked = (series) => (typeof series === "string" ? mpcaPage.unpacked(series) : series);
  const unpackedDifferences = (series) => (typeof series === "string" ? mpcaPage.unpackedDifferences(series) : series);
  const choices = data.panels.filter((panel) => panel.choice);
  const slots = data.panels.filter((panel) => !panel.hidden && (!panel.choice || panel.chosen)).map((panel) => ({ panel }));
  const perPolicySlots = slots.filter((slot) => slot.panel.perPolicy);
  const traces = [];

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
      traces.push(this);
      mpcaPage.charts.add(this);
    }

    destroy() {
      mpcaPage.charts.delete(this);
      this.observer.disconnect();
      for (const chart of this.charts) chart.destroy();
      this.host.textContent = "";
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
          element("span", { "aria-hidden": "true" }, panel.label), element("span", { class: "unit", "aria-hidden": "true" }, panel.unit + askedFor + (panel.note || "")));
        if (panel.choice) title.append(this.choiceSwitch(panel));
        this.area.append(element("div", { class: "chart" }, title, place));
        const plot = this.chart(panel, place, slot === slots[slots.length - 1]);
        plot.slot = slot;
        this.charts.push(plot);
      }
      this.area.addEventListener("keydown", (event) => this.onKey(event));
      this.observer = new ResizeObserver(() => root.hasAttribute("data-print") || this.fit(this.area.clientWidth));
      this.observer.observe(this.area);
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
      const behind = panel.behind ? [held(this.series[panel.behind][0])] : [];
      return [this.x, ...behind, ...this.askedFor[panel.key].filter(Boolean).map(held), ...this.series[panel.key].map((values) => held(drawn(values)))];
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
      const area = { stroke: () => colour("--area-line"), fill: () => colour("--area"), width: 1, paths: stepped, points: { show: false } };
      const series = panel.behind ? [{}, area] : [{}];
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
          ? { policy, main: true, isSolid, show: shown[policy], stroke: () => policyColour(policy), width: LINE, dash: isSolid ? [] : DASHES[slotOf(policy) % DASHES.length],
              paths: stepped, points: { show: false } }
          : area);
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
          draw: [(u) => target && drawTarget(u, target, panel), (u) => this.mark != null && drawMark(u, this.mark)],
        },
      }, this.columns(panel), place);
      plot.fullHeight = plot.height;
      this.onTouch(plot);
      this.onClick(plot);
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

    // A click picks a moment: not the end of a drag, nor half of the double click that ends a zoom.
    onClick(plot) {
      let down = null, waiting = null;
      plot.over.addEventListener("pointerdown", (event) => { down = event.clientX; });
      plot.over.addEventListener("click", (event) => {
        if (!this.onPick || event.button !== 0 || Math.abs(event.clientX - down) > 5) return;
        const box = plot.over.getBoundingClientRect();
        const index = Math.min(plot.posToIdx(event.clientX - box.left), this.points - 1);
        const panel = plot.slot.panel;
        const distances = !panel.perPolicy ? [] : this.series[panel.key].map((values, policy) =>
          (shown[policy] && values[index] != null ? Math.abs(plot.valToPos(values[index], "y") - (event.clientY - box.top)) : Infinity));
        clearTimeout(waiting);
        waiting = setTimeout(() => this.onPick(this.time[index], distances, plot.root), DOUBLE_CLICK_MS);
      });
      plot.over.addEventListener("dblclick", () => clearTimeout(waiting));
    }

    // A time that all charts show with a line; null: none.
    setMark(time) {
      this.mark = time;
      this.redraw();
    }

    // The cursor at a time, and the time in view.
    pointTo(time, then) {
      const { min, max } = this.charts[0].scales.x;
      if (time < min || time >= max) this.zoomTo(time - (max - min) / 2, time + (max - min) / 2);
      // The scale settles in a microtask; the cursor needs it.
      Promise.resolve().then(() => {
        this.charts[0].setCursor({ left: this.charts[0].valToPos(time, "x"), top: 10 });
        if (then) then();
      });
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
      if (this.onKeyBefore && this.onKeyBefore(event)) return;
      const step = event.shiftKey ? 10 : 1;
      const move = (to) => {
        const index = Math.min(Math.max(to, 0), this.points - 1);
        const time = this.time[index];
        const next = index + 1 < this.x.length ? this.x[index + 1] : this.end;
        this.pointTo(time + (next - time) * 0.02, () => status(this.sentence(index)));
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
        const row = element("tr", { "data-p": chipOf(policy) }, element("th", { scope: "row" }, element("span", {}, swatchOf(chipOf(policy)), element("span", {}, name))), ...cells.map(({ cell }) => cell));
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
        this.tools = element("div", { class: "tools" }, inButton, this.outButton, this.resetButton),
        element("p", { class: "hint" }, "Drag over a chart to zoom, double-click to see everything again." + (data.hint || "")));
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
          data.policies.forEach((name, policy) => second.append(element("th", { scope: "col", "data-p": chipOf(policy) }, name)));
        }
        const body = element("tbody");
        for (let i = 0; i < this.points; i += stride) {
          const row = element("tr", {}, element("th", { scope: "row" }, duration(this.time[i])));
          for (const panel of data.panels.filter((panel) => !panel.perPolicy)) row.append(element("td", {}, number(this.series[panel.key][0][i], panel.decimals)));
          for (const panel of perPolicy) data.policies.forEach((name, policy) => row.append(element("td", { "data-p": chipOf(policy) }, number(this.series[panel.key][policy][i], panel.decimals))));
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
      series.dash = isDense || series.isSolid ? [] : DASHES[slotOf(series.policy) % DASHES.length];
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

  function drawMark(u, time) {
    const x = Math.round(u.valToPos(time, "x", true));
    const { left, top, width, height } = u.bbox;
    if (x < left || x > left + width) return;
    const ratio = uPlot.pxRatio;
    const ctx = u.ctx;
    ctx.save();
    ctx.strokeStyle = ctx.fillStyle = colour("--focus");
    ctx.lineWidth = 1.5 * ratio;
    ctx.setLineDash([]);
    ctx.beginPath();
    ctx.moveTo(x, top);
    ctx.lineTo(x, top + height);
    ctx.stroke();
    ctx.beginPath();
    ctx.moveTo(x - 5 * ratio, top);
    ctx.lineTo(x + 5 * ratio, top);
    ctx.lineTo(x, top + 6 * ratio);
    ctx.fill();
    ctx.restore();
  }

  return { Trace, traces, choose };
}
