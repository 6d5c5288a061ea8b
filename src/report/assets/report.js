// The comparison report. Reads the JSON in #data (src/report/internal/chart_data.cpp writes it) and draws its charts.
(function () {
  "use strict";

  const data = JSON.parse(document.getElementById("data").textContent);
  const isExplained = data.traces.some((trace) => trace.decisions.some(Boolean));
  const charts = mpcaCharts({ ...data, hint: " Point at a policy above to bring it out." + (isExplained ? " Click to see why a policy decided as it did then." : "") }, mpcaPage.shown);
  const decisions = mpcaDecisions(data);

  for (const host of document.querySelectorAll(".charts-host")) {
    host.textContent = "";
    const trace = new charts.Trace(host, Number(host.dataset.trace));
    if (trace.points > 0) decisions.of(trace);
  }
  mpcaPage.onSwitches(
    (policy) => { for (const trace of charts.traces) trace.setShown(policy); },
    (policy) => { for (const trace of charts.traces) trace.emphasise(policy); });

  mpcaPage.root.setAttribute("data-ready", "");
})();
