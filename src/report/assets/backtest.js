// The page of a backtest. Reads the JSON in #data (src/report/backtest_html.cpp writes it): the members of each family on each
// trace, and where they lie in the pictures. Points are chosen with the pointer or the keyboard; a chosen member's trajectories
// come from its own file, a script that calls mpcaTrajectory().
(function () {
  "use strict";

  const { root, shown, element, status, unpacked, number, duration, swatchOf, policyColour, onSwitches } = mpcaPage;
  const data = JSON.parse(document.getElementById("data").textContent);
  const NEAR = 26;  // CSS pixels from the pointer to a point
  const KEPT_SLOT = 5;
  const SVG = "http://www.w3.org/2000/svg";

  const percent = (share, decimals = 1) => (share === 0 ? "0" : share < 0.00005 ? "under 0.01%" : (100 * share).toFixed(100 * share < 0.995 ? 2 : decimals) + "%");
  const milliseconds = (value) => (value == null ? "–" : value < 9.95 ? value.toFixed(1) + " ms" : value < 999.5 ? value.toFixed(0) + " ms" : (value / 1000).toFixed(2) + " s");

  // One file at a time, and each once. The page may be on a disk, where scripts can be loaded and data cannot.
  let received = null;
  let queue = Promise.resolve();
  const files = new Map();
  window.mpcaTrajectory = (what) => { received = what; };
  function load(file) {
    if (files.has(file)) return files.get(file);
    const loaded = queue.then(() => new Promise((resolve, reject) => {
      const script = element("script", { src: file.split("/").map(encodeURIComponent).join("/") });
      received = null;
      const done = (problem) => {
        script.remove();
        if (problem || !isTrajectory(received)) {
          files.delete(file);
          reject(new Error(problem || "it is not a trajectory"));
        } else {
          resolve(received);
        }
      };
      script.onload = () => done("");
      script.onerror = () => done("is the folder of this page complete?");
      document.head.append(script);
    }));
    files.set(file, loaded);
    queue = loaded.catch(() => {});
    return loaded;
  }
  const COLUMNS = ["time_s", "spec", "ready", "demand_replicas", "violation"];
  const isTrajectory = (what) => what && Array.isArray(what.runs) && what.runs.length > 0
    && what.runs.every((run) => COLUMNS.every((name) => Array.isArray(run[name]) && run[name].length === run.time_s.length));

  class Fronts {
    constructor(host) {
      const packed = data.traces[Number(host.dataset.trace)];
      this.host = host;
      this.name = packed.name;
      this.area = host.querySelector(".fronts");
      this.pictures = [...this.area.querySelectorAll("svg.front")];
      this.fronts = packed.fronts.map((front) => {
        const figures = {};
        for (const [name, text] of Object.entries(front.figures)) figures[name] = unpacked(text);
        return { family: front.family, names: front.names.map((at) => data.names[at]), files: front.files.map((file) => (file ? packed.folder + file : "")),
          figures, places: front.places.map(unpacked), hull: new Set(front.hull) };
      });
      this.rings = this.pictures.map((picture) => {
        const ring = document.createElementNS(SVG, "circle");
        ring.setAttribute("class", "f-chosen");
        ring.setAttribute("r", "10");
        ring.style.display = "none";
        picture.append(ring);
        return ring;
      });
      this.chosen = null;
      this.at = null;
      this.resting = this.leastBill();
      this.trajectory = new Trajectory(host.parentNode.querySelector(".trajectory"), this);
      host.append(this.panel());
      this.area.after(this.table());
      this.pictures.forEach((picture, which) => {
        picture.addEventListener("pointermove", (event) => event.pointerType === "mouse" && this.point(this.nearest(picture, which, event)));
        picture.addEventListener("pointerleave", () => this.point(null));
        picture.addEventListener("click", (event) => {
          const found = this.nearest(picture, which, event);
          if (found) this.choose(found);
        });
      });
      this.area.addEventListener("keydown", (event) => this.onKey(event));
      this.area.addEventListener("blur", () => this.point(null));
      this.show();
    }

    // What the panel shows at first: the least bill at a violation price of 10, of a family that is neither opponent nor floor.
    leastBill() {
      let least = null;
      const bill = ({ front, member }) => this.fronts[front].figures.cost[member] + 10 * this.fronts[front].figures.violations[member];
      const rank = ({ front }) => data.ranks[this.fronts[front].family];
      this.fronts.forEach((one, front) => one.names.forEach((_, member) => {
        const here = { front, member };
        if (!least || rank(here) < rank(least) || (rank(here) === rank(least) && bill(here) < bill(least))) least = here;
      }));
      return least;
    }

    isShown(front) { return shown[this.fronts[front].family] !== false; }

    nearest(picture, which, event) {
      const box = picture.getBoundingClientRect();
      const view = picture.viewBox.baseVal;
      const scale = box.width / view.width;
      let found = null;
      let best = NEAR * NEAR;
      this.fronts.forEach((one, front) => {
        if (!this.isShown(front)) return;
        const places = one.places[which];
        for (let member = 0; member < one.names.length; ++member) {
          const dx = box.left + places[2 * member] * scale - event.clientX;
          const dy = box.top + places[2 * member + 1] * scale - event.clientY;
          // Members of the hull are larger, and before the crowd.
          const distance = (dx * dx + dy * dy) * (one.hull.has(member) ? 0.5 : 1);
          if (distance < best) [best, found] = [distance, { front, member }];
        }
      });
      return found;
    }

    point(at) {
      if ((at && at.front) === (this.at && this.at.front) && (at && at.member) === (this.at && this.at.member)) return;
      this.at = at;
      for (const picture of this.pictures) picture.classList.toggle("near", at != null);
      this.show();
    }

    choose(at) {
      this.chosen = at;
      this.show();
      const front = this.fronts[at.front];
      if (front.files[at.member]) this.trajectory.open(front, at.member);
      else status(`${this.sentence(at)}. No trajectory was kept of it.`);
    }

    show() {
      const at = this.at || this.chosen || this.resting;
      if (!at) return;
      const { family, names, files, figures, places } = this.fronts[at.front];
      const isResting = !this.at && !this.chosen;
      this.rings.forEach((ring, which) => {
        ring.style.display = isResting ? "none" : "";
        ring.style.setProperty("--c", `var(--p${data.slots[family] % 8})`);
        ring.setAttribute("cx", places[which][2 * at.member]);
        ring.setAttribute("cy", places[which][2 * at.member + 1]);
      });
      this.title.replaceChildren(swatchOf(family), element("span", {}, names[at.member]));
      this.kind.textContent = isResting ? "Its family's least J(10) here. Choose a point for another." : at === this.chosen ? "Chosen" : "Under the cursor";
      const value = (name) => figures[name][at.member];
      const rows = [
        ["violations", percent(value("violations"))], ["cost, times the least", number(value("cost"), 3)],
        ["J(10)", number(value("cost") + 10 * value("violations"), 3)],
        ["p95", milliseconds(value("p95"))], ["p99", milliseconds(value("p99"))],
        ["replicas changed per hour", number(value("churn"), 1)], ["pods started", number(value("started"), 0)],
        ["ready capacity unused", percent(value("slack"))]];
      this.body.replaceChildren(...rows.map(([name, words]) => element("tr", {}, element("th", { scope: "row" }, name), element("td", {}, words))));
      this.button.disabled = !files[at.member];
      this.button.textContent = files[at.member] ? "Show its trajectory" : "No trajectory was kept";
    }

    sentence(at) {
      const { names, figures } = this.fronts[at.front];
      return `${names[at.member]}: ${percent(figures.violations[at.member])} violations, cost ${number(figures.cost[at.member], 2)}, p95 ${milliseconds(figures.p95[at.member])}`;
    }

    panel() {
      this.title = element("div", { class: "readout-when member-name" });
      this.kind = element("div", { class: "readout-demand" });
      this.body = element("tbody");
      this.button = element("button", { type: "button" }, "Show its trajectory");
      this.button.addEventListener("click", () => this.choose(this.at || this.chosen || this.resting));
      return element("aside", { class: "readout member", "aria-label": `A member on ${this.name}` }, this.title, this.kind,
        element("table", {}, element("caption", { class: "hidden" }, "Its figures"), this.body),
        element("div", { class: "tools" }, this.button),
        element("p", { class: "hint" }, "Click a point for its trajectory. With the keyboard: arrows left and right along a family, up and down to another, Enter to choose."));
    }

    onKey(event) {
      if (event.ctrlKey || event.metaKey || event.altKey) return;
      const at = this.at || this.chosen || this.resting;
      if (!at) return;
      const go = (to) => {
        this.point(to);
        status(this.sentence(to));
      };
      const along = (step) => {
        const last = this.fronts[at.front].names.length - 1;
        go({ front: at.front, member: Math.min(Math.max(at.member + step, 0), last) });
      };
      const across = (step) => {
        const place = this.fronts[at.front].places[0];
        for (let k = 1; k <= this.fronts.length; ++k) {
          const front = (at.front + step * k + k * this.fronts.length) % this.fronts.length;
          if (!this.isShown(front) || front === at.front || !this.fronts[front].names.length) continue;
          const places = this.fronts[front].places[0];
          const away = (member) => Math.hypot(places[2 * member] - place[2 * at.member], places[2 * member + 1] - place[2 * at.member + 1]);
          const members = this.fronts[front].names.map((_, member) => member);
          go({ front, member: members.reduce((a, b) => (away(b) < away(a) ? b : a)) });
          return;
        }
      };
      if (event.key === "ArrowRight") along(event.shiftKey ? 10 : 1);
      else if (event.key === "ArrowLeft") along(event.shiftKey ? -10 : -1);
      else if (event.key === "Home") along(-1e9);
      else if (event.key === "End") along(1e9);
      else if (event.key === "ArrowDown") across(1);
      else if (event.key === "ArrowUp") across(-1);
      else if (event.key === "Enter" || event.key === " ") this.choose(at);
      else return;
      event.preventDefault();
    }

    // All members as a table, made when somebody opens it.
    table() {
      const details = element("details", { class: "values" }, element("summary", {}, "The same as a table"));
      details.addEventListener("toggle", () => {
        if (!details.open || details.querySelector("table")) return;
        const head = element("tr", {}, ...["Member", "violations", "cost", "p95", "p99", "churn/h", "started", "unused"].map((name) => element("th", { scope: "col" }, name)));
        const body = element("tbody");
        for (const { family, names, figures, hull } of this.fronts)
          names.forEach((name, i) => body.append(element("tr", { "data-p": family }, element("th", { scope: "row" }, name + (hull.has(i) ? " •" : "")),
            ...[percent(figures.violations[i]), number(figures.cost[i], 3), milliseconds(figures.p95[i]), milliseconds(figures.p99[i]), number(figures.churn[i], 1),
              number(figures.started[i], 0), percent(figures.slack[i])].map((words) => element("td", {}, words)))));
        details.append(element("div", { class: "scroll members", tabindex: "0", role: "region", "aria-label": `Members on ${this.name}` },
          element("table", {}, element("caption", { class: "note" }, "• on its family's hull"), element("thead", {}, head), body)));
        mpcaPage.dim();
      });
      return details;
    }
  }

  // The runs of one member over time; of two, when one was kept.
  class Trajectory {
    constructor(host, fronts) {
      this.host = host;
      this.fronts = fronts;
      this.now = null;
      this.kept = null;
      this.seed = null;
      this.charts = null;
    }

    async open(front, member) {
      const file = front.files[member];
      const wanted = this.wanted = { family: front.family, name: front.names[member], file };
      if (!this.now) this.say("Loading …");
      try {
        wanted.runs = (await load(file)).runs;
      } catch (error) {
        if (this.wanted === wanted) this.say(`The trajectory ${file} could not be loaded: ${error.message}`);
        return;
      }
      if (this.wanted !== wanted) return;
      this.now = wanted;
      this.draw();
      status(`${wanted.name}: its trajectory is shown below the fronts.`);
      this.host.scrollIntoView({ block: "nearest" });
    }

    clear() {
      if (this.charts) this.charts.destroy();
      this.charts = null;
      this.host.replaceChildren();
    }

    say(words) {
      this.clear();
      this.now = null;
      this.host.append(element("p", { class: "note" }, words));
      status(words);
    }

    runOf(member) { return member.runs.find((run) => run.seed === this.seed) || member.runs[0]; }

    draw() {
      const focused = document.activeElement && this.host.contains(document.activeElement) ? document.activeElement.dataset.act : null;
      this.clear();
      const seeds = this.now.runs.map((run) => run.seed);
      if (!seeds.includes(this.seed)) this.seed = seeds[0];
      const run = this.runOf(this.now);
      const isKept = this.kept && this.kept.file !== this.now.file && this.runOf(this.kept).time_s.length === run.time_s.length;
      const members = isKept ? [this.now, this.kept] : [this.now];
      const button = (act, label, pressed, action) => {
        const made = element("button", { type: "button", "data-act": act, ...(pressed == null ? {} : { "aria-pressed": String(pressed) }) }, label);
        made.addEventListener("click", action);
        return made;
      };
      const tools = element("div", { class: "tools" });
      if (seeds.length > 8) {
        const select = element("select", { "data-act": "seed", "aria-label": "Seed" }, ...seeds.map((seed) => element("option", { value: seed }, `seed ${seed}`)));
        select.selectedIndex = seeds.indexOf(this.seed);
        select.addEventListener("change", () => { this.seed = seeds[select.selectedIndex]; this.draw(); });
        tools.append(select);
      } else if (seeds.length > 1) {
        tools.append(element("span", { class: "choice", role: "group", "aria-label": "Seed" },
          ...seeds.map((seed) => button(`seed-${seed}`, `seed ${seed}`, seed === this.seed, () => { this.seed = seed; this.draw(); }))));
      }
      const isThisKept = this.kept && this.kept.file === this.now.file;
      tools.append(button("keep", isThisKept ? "Kept: choose another beside it" : "Keep, to compare", isThisKept, () => { this.kept = isThisKept ? null : this.now; this.draw(); }));
      if (isKept) tools.append(button("drop", "Drop the kept one", null, () => { this.kept = null; this.draw(); }));
      tools.append(button("close", "Close", null, () => { this.clear(); this.now = this.wanted = null; this.fronts.area.focus({ preventScroll: true }); }));
      const seed = seeds.length === 1 ? `, seed ${this.seed}` : "";
      const host = element("div", { class: "charts-host" });
      this.host.append(
        element("h3", {}, ...members.flatMap((member, i) => [i ? " and " : "", element("b", { class: "policy", style: `--c:var(--p${(i ? KEPT_SLOT : data.slots[member.family]) % 8})` }, member.name)]),
          ` over time${seed}`), tools, host);
      const column = (name, factor = 1) => members.map((member) => this.runOf(member)[name].map((value) => (value == null ? null : factor * value)));
      const made = mpcaCharts({
        measured: true, policies: members.map((member) => member.name), chips: members.map((member) => member.family),
        slots: members.map((member, i) => (i ? KEPT_SLOT : data.slots[member.family])),
        panels: [
          { key: "demand", label: "Demand", short: "needed", unit: "replicas", decimals: 1, perPolicy: false, hidden: true },
          { key: "ready", label: "Replicas", short: "ready", unit: "ready", note: " · grey area: the least that serves the demand", decimals: 0, height: 240, perPolicy: true, behind: "demand" },
          { key: "violations", label: "Late or failed", short: "violations", unit: "% of the period's requests", decimals: 1, height: 120, perPolicy: true },
        ],
        traces: [{ name: this.fronts.name, step: 15, time: run.time_s,
          series: { demand: [run.demand_replicas], ready: column("ready"), violations: column("violation", 100) }, askedFor: { ready: column("spec") } }],
      }, members.map(() => true));
      this.charts = new made.Trace(host, 0);
      if (!this.charts.charts) this.charts = null;
      if (focused) for (const one of this.host.querySelectorAll("[data-act]")) if (one.dataset.act === focused) one.focus();
    }
  }

  const all = [...document.querySelectorAll(".front-host")].map((host) => new Fronts(host));
  onSwitches(
    () => { for (const one of all) one.show(); },
    (family) => {
      for (const group of document.querySelectorAll(".front [data-p]")) group.toggleAttribute("data-faint", family != null && Number(group.dataset.p) !== family);
    });

  root.setAttribute("data-ready", "");
})();
