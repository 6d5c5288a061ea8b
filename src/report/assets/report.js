// The comparison report. Reads the JSON in #data (src/report/internal/chart_data.cpp writes it) and draws its charts.
(function () {
  "use strict";

  const data = JSON.parse(document.getElementById("data").textContent);
  const charts = mpcaCharts({ ...data, hint: " Point at a policy above to bring it out." }, mpcaPage.shown);

  for (const host of document.querySelectorAll(".charts-host")) {
    host.textContent = "";
    new charts.Trace(host, Number(host.dataset.trace));
  }
  mpcaPage.onSwitches(
    (policy) => { for (const trace of charts.traces) trace.setShown(policy); },
    (policy) => { for (const trace of charts.traces) trace.emphasise(policy); });

  mpcaPage.root.setAttribute("data-ready", "");
})();
