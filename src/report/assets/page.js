// What every page of the program shares: small helpers, how series are packed, words for numbers and times, the switches of
// policies, the theme button, the copy button, paper. The page's own script follows.
const mpcaPage = (function () {
  "use strict";

  const root = document.documentElement;
  const PRINT_WIDTH = 700;
  const PRINT_SCALE = 0.48;  // so that the charts and figures of a trace fit one page of A4
  const charts = new Set();  // all there are now: what to draw again in another theme and on paper
  const COLOURS = 8;
  const DASHES = [[], [8, 4], [2.5, 3], [11, 3, 2.5, 3], [5, 2.5], [11, 3, 2.5, 3, 2.5, 3]];
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

  // The switches of policies (`.chip`), by their number. `swatchOf` is a copy of the picture that stands on one.
  const boxes = [...document.querySelectorAll(".chip input")];
  const shown = [];
  for (const box of boxes) shown[Number(box.dataset.policy)] = box.checked = true;
  const swatchOf = (policy) => document.querySelector(`.chip input[data-policy="${policy}"]`).parentNode.querySelector(".swatch").cloneNode(true);
  function dim() {
    for (const node of document.querySelectorAll("main [data-p]")) node.toggleAttribute("data-off", !shown[Number(node.getAttribute("data-p"))]);
  }
  function onSwitches(setShown, emphasise) {
    for (const box of boxes) {
      const policy = Number(box.dataset.policy);
      box.addEventListener("change", () => {
        shown[policy] = box.checked;
        setShown(policy);
        dim();
      });
      box.parentNode.addEventListener("pointerenter", () => box.checked && emphasise(policy));
      box.parentNode.addEventListener("pointerleave", () => emphasise(null));
    }
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
    for (const one of charts) one.redraw();
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
    for (const one of charts) {
      one.fit(PRINT_WIDTH, PRINT_SCALE);
      one.redraw();
    }
  });
  addEventListener("afterprint", () => {
    root.removeAttribute("data-print");
    for (const one of charts) {
      one.fit(one.area.clientWidth);
      one.redraw();
    }
  });

  return { root, charts, shown, DASHES, TIME_STEPS, element, colour, policyColour, status, unpacked, unpackedDifferences, number, duration, tickTime, swatchOf,
    dim, onSwitches };
})();
