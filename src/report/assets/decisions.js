// Why a policy decided as it did: a panel under a trace's charts for one decision at a time. A click on a chart opens it for
// the policy whose line is the nearest and the decision in force then, Enter for the place of the cursor; arrows go from
// decision to decision, a time can be typed, Escape closes it. What it says is what `mpc-autoscaler explain` says.
//
// `data` has `phrases`, and of each trace `decisions`, one per policy, as src/report/internal/decision_data.cpp writes them.
function mpcaDecisions(data) {
  "use strict";

  const { element, status, duration, swatchOf, unpackedDifferences } = mpcaPage;
  const JUMP = 10;

  // The lines of a decision with its numbers back in their places.
  function linesOf(told) {
    const numbers = told[told.length - 1].split(",");
    let next = 0;
    const filled = (text) => text.replace(/0/g, () => numbers[next++]);
    return told.slice(0, -1).map((number) => {
      const phrase = data.phrases[number];
      if (typeof phrase === "string") return filled(phrase);
      if (Array.isArray(phrase)) return phrase.map(filled);
      return { ...phrase, label: filled(phrase.label), words: filled(phrase.words), note: filled(phrase.note), rows: [] };
    });
  }
  function accountOf(told) {
    const [sentence, ...lines] = linesOf(told);
    const parts = [];
    for (const line of lines) {
      if (Array.isArray(line)) parts[parts.length - 1].rows.push(line);
      else parts.push(line);
    }
    return { sentence, parts };
  }

  // As `explain --at` takes it: 12m30s.
  function timeText(seconds) {
    const tenths = Math.round(seconds * 10);
    const [h, m, s] = [Math.floor(tenths / 36000), Math.floor((tenths % 36000) / 600), (tenths % 600) / 10];
    return (h ? h + "h" : "") + (m ? m + "m" : "") + (s || tenths < 600 ? s + "s" : "");
  }
  // Undefined when it is none.
  function timeOf(text) {
    const SECONDS = { d: 86400, h: 3600, min: 60, m: 60, s: 1, "": 1 };
    let sum = 0, rest = text.trim();
    if (rest === "") return undefined;
    while (rest !== "") {
      const found = /^(\d+(?:\.\d+)?)\s*(d|h|min|m|s|$)\s*/.exec(rest);
      if (!found) return undefined;
      sum += Number(found[1]) * SECONDS[found[2]];
      rest = rest.slice(found[0].length);
    }
    return sum;
  }
  const ordinal = (number) => number + (number % 100 > 10 && number % 100 < 14 ? "th" : ["th", "st", "nd", "rd"][number % 10] || "th");

  function tableOf(part) {
    const bar = (share) => {
      const cell = element("td", { class: "bar" }, element("i", { style: `--w:${Number(share)}` }));
      cell.setAttribute("aria-hidden", "true");
      return cell;
    };
    const table = element("table", {}, element("caption", { class: "hidden" }, part.label));
    if (part.heads.some(Boolean)) {
      const row = element("tr");
      part.heads.forEach((head, i) => {
        // A bar and the number that it shows have one heading.
        if (i > 0 && part.kinds[i - 1] === "bar" && head === "") return;
        const spans = part.kinds[i] === "bar" && part.heads[i + 1] === "" ? 2 : 1;
        row.append(element("th", { scope: "col", colspan: spans }, head || element("span", { class: "hidden" }, "name")));
      });
      table.append(element("thead", {}, row));
    }
    const body = element("tbody");
    for (const cells of part.rows)
      body.append(element("tr", {}, ...cells.map((cell, i) =>
        (part.kinds[i] === "name" ? element("th", { scope: "row" }, cell) : part.kinds[i] === "bar" ? bar(cell) : element("td", { class: part.kinds[i] }, cell)))));
    table.append(body);
    return table;
  }
  function definitionOf(part) {
    const says = element("dd");
    if (part.words) says.append(element("p", {}, part.words));
    if (part.rows.length) says.append(tableOf(part));
    if (part.note) says.append(element("p", { class: "note" }, part.note));
    return element("div", part.heads.some(Boolean) ? { class: "wide" } : {}, element("dt", {}, part.label), says);
  }

  class Panel {
    constructor(trace) {
      this.trace = trace;
      this.runs = data.traces[trace.index].decisions.map((run) => run && { ...run, time: unpackedDifferences(run.time) });
      this.policy = this.runs.findIndex(Boolean);
      if (this.policy < 0) return;
      this.build();
      trace.onPick = (time, distances, chart) => {
        this.open(time, this.nearest(distances));
        const covered = chart.getBoundingClientRect().bottom - this.box.getBoundingClientRect().top;
        if (covered > 0) scrollBy(0, covered + 8);
      };
      trace.onKeyBefore = (event) => this.onKey(event);
      const button = element("button", { type: "button" }, "Why? Show the decision");
      button.addEventListener("click", () => {
        this.open(this.timeOfCursor(), this.policy);
        this.box.focus({ preventScroll: true });
      });
      trace.tools.append(button);
      trace.area.setAttribute("aria-label", trace.area.getAttribute("aria-label") + " Enter shows why the policy decided so.");
    }

    timeOfCursor() { return this.trace.time[this.trace.at == null ? this.trace.resting : this.trace.at]; }

    // The one that is shown already, unless another line is clearly nearer.
    nearest(distances) {
      let best = this.policy;
      distances.forEach((distance, policy) => {
        if (this.runs[policy] && distance + 2 < (distances[best] ?? Infinity)) best = policy;
      });
      return best;
    }

    build() {
      const button = (words, name, act) => {
        const made = element("button", { type: "button", "aria-label": name }, words);
        made.addEventListener("click", act);
        return made;
      };
      this.switches = data.policies.map((name, policy) => {
        const made = element("button", { type: "button", "data-p": policy, "aria-pressed": "false" }, swatchOf(policy), element("span", {}, name));
        made.disabled = !this.runs[policy];
        made.addEventListener("click", () => this.open(this.shownTime(), policy));
        return made;
      });
      this.input = element("input", { type: "text", size: 9, autocomplete: "off", spellcheck: "false", "aria-label": "Time since the start, such as 12m30s" });
      this.input.addEventListener("input", () => this.input.setCustomValidity(""));
      this.input.addEventListener("change", () => this.onTyped());
      this.earlier = button("‹", "Earlier decision", () => this.go(-1));
      this.later = button("›", "Later decision", () => this.go(1));
      this.when = element("p", { class: "decision-when" });
      this.sentence = element("p", { class: "decision-sentence" });
      this.parts = element("dl", { class: "decision-parts" });
      const form = element("form", { class: "decision-time" }, element("label", {}, "At ", this.input), this.earlier, this.later, button("Close", "Close the decision", () => this.close()));
      form.addEventListener("submit", (event) => {
        event.preventDefault();
        this.onTyped();
      });
      this.box = element("section", { class: "decision", tabindex: "-1", "aria-label": `A decision on ${this.trace.name}. Left and right arrows show its neighbours, Escape closes it.`, hidden: "" },
        element("div", { class: "decision-bar" }, element("span", { class: "decision-policies", role: "group", "aria-label": "Policy" }, ...this.switches), form),
        element("div", { "aria-live": "polite", "aria-atomic": "true" }, this.when, this.sentence),
        this.parts);
      this.box.addEventListener("keydown", (event) => {
        if (event.ctrlKey || event.metaKey || event.altKey || (event.target === this.input && event.key !== "Escape")) return;
        this.onKey(event);
      });
      this.trace.readout.after(this.box);
    }

    shownTime() { return this.runs[this.policy].time[this.at]; }

    // The decision in force at a time: the last one that is kept and not later.
    open(time, policy) {
      const times = this.runs[policy].time;
      let at = 0;
      while (at + 1 < times.length && times[at + 1] <= time + 1e-6) ++at;
      this.show(policy, at);
    }

    show(policy, at) {
      const run = this.runs[policy];
      this.policy = policy;
      this.at = at;
      const account = accountOf(run.told[at]);
      const time = run.time[at];
      this.when.textContent = `${data.policies[policy]}, decision ${at * run.every} of ${run.made}, ${time === 0 ? "at the start" : duration(time) + " after the start"}`
        + (run.every > 1 ? ` · every ${ordinal(run.every)} decision is kept` : "");
      this.sentence.textContent = account.sentence.replace(/ %/g, "\u00a0%");
      this.parts.replaceChildren(...account.parts.map(definitionOf));
      this.box.style.setProperty("--c", `var(--p${policy % 8})`);
      this.input.value = timeText(time);
      this.input.setCustomValidity("");
      this.earlier.disabled = at === 0;
      this.later.disabled = at + 1 === run.told.length;
      this.switches.forEach((made, i) => made.setAttribute("aria-pressed", String(i === policy)));
      this.box.hidden = false;
      this.box.scrollTop = 0;
      const [chosen, all] = [this.switches[policy], this.switches[policy].parentNode];
      all.scrollLeft = chosen.offsetLeft - all.offsetLeft - (all.clientWidth - chosen.clientWidth) / 2;
      this.trace.host.setAttribute("data-explaining", "");
      this.trace.setMark(time);
    }

    go(step) {
      const to = Math.min(Math.max(this.at + step, 0), this.runs[this.policy].told.length - 1);
      if (to === this.at) return;
      this.show(this.policy, to);
      this.trace.pointTo(this.shownTime());
    }

    onTyped() {
      if (this.input.value === timeText(this.shownTime())) return;
      const time = timeOf(this.input.value);
      if (time === undefined) {
        this.input.setCustomValidity("A time since the start: 12m30s, 90s, 1h5m");
        this.input.reportValidity();
        return;
      }
      this.open(time, this.policy);
      this.trace.pointTo(this.shownTime());
    }

    close() {
      this.box.hidden = true;
      this.trace.host.removeAttribute("data-explaining");
      this.trace.setMark(null);
      this.trace.area.focus({ preventScroll: true });
      status("");
    }

    // Keys in the charts and in the panel; true when it was one of the panel's.
    onKey(event) {
      if (this.box.hidden) {
        if (event.key !== "Enter") return false;
        this.open(this.timeOfCursor(), this.policy);
        event.preventDefault();
        return true;
      }
      const step = event.shiftKey ? JUMP : 1;
      if (event.key === "ArrowLeft") this.go(-step);
      else if (event.key === "ArrowRight") this.go(step);
      else if (event.key === "Home") this.go(-Infinity);
      else if (event.key === "End") this.go(Infinity);
      else if (event.key === "Escape") this.close();
      else return false;
      event.preventDefault();
      return true;
    }
  }

  return { of: (trace) => new Panel(trace) };
}
