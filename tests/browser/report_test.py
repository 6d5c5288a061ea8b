#!/usr/bin/env python3
"""Looks at a comparison report as a reader would: report_test.py REPORT.html [--pictures DIR]

Loads the file from disk in headless Chromium and hovers, toggles, zooms, prints, and changes theme and width. Prints a line
per check and `N passed, M failed`; exits 0 when none failed, 1 when some did, 77 (skipped) when there is no Chromium.
"""

import argparse
import os
import pathlib
import sys
import tempfile

from webdriver import Browser, Missing

DESKTOP = (1280, 900, False)
PHONE = (390, 844, True)
LEFT, RIGHT, DOWN, TAB, SPACE, ENTER, ESCAPE = "\ue012", "\ue014", "\ue015", "\ue004", "\ue00d", "\ue007", "\ue00c"

passed = failed = 0


def check(claim, is_true, found=""):
    global passed, failed
    passed, failed = passed + bool(is_true), failed + (not is_true)
    print(f"{'ok    ' if is_true else 'FAILED'} {claim}" + ("" if is_true else f"   found: {found}"), flush=True)


def load(browser, address, width, height, mobile, dark=False):
    browser.size(width, height, mobile)
    browser.dark(dark)
    browser.open(address)
    return browser.wait_for("document.documentElement.hasAttribute('data-ready')")


def chart_box(browser, chart):
    """The plotting area of a chart of the first trace, scrolled into view: left, top, width, height."""
    return browser.run("""
        const over = document.querySelectorAll('.charts-host')[0].querySelectorAll('.u-over')[arguments[0]];
        over.scrollIntoView({block: 'center', behavior: 'instant'});
        const box = over.getBoundingClientRect();
        return [box.left, box.top, box.width, box.height];""", chart)


READOUT = """
    const panel = document.querySelector('.readout');
    return {when: panel.querySelector('.readout-when').textContent,
            rows: [...panel.querySelectorAll('tbody tr')].map(row => [...row.cells].map(cell => cell.textContent))};"""

# A chart's pixels in a policy's colour: what is drawn, not what should be.
PIXELS = """
    const [chart, name] = arguments;
    const canvas = document.querySelectorAll('.charts-host')[0].querySelectorAll('canvas')[chart];
    const probe = document.createElement('canvas').getContext('2d');
    probe.fillStyle = getComputedStyle(document.documentElement).getPropertyValue(name).trim();
    probe.fillRect(0, 0, 1, 1);
    const [r, g, b] = probe.getImageData(0, 0, 1, 1).data;
    const copy = document.createElement('canvas');
    [copy.width, copy.height] = [canvas.width, canvas.height];
    const ink = copy.getContext('2d', {willReadFrequently: true});
    ink.drawImage(canvas, 0, 0);
    const pixels = ink.getImageData(0, 0, copy.width, copy.height).data;
    let count = 0;
    for (let i = 0; i < pixels.length; i += 4)
      if (Math.abs(pixels[i] - r) + Math.abs(pixels[i + 1] - g) + Math.abs(pixels[i + 2] - b) < 24 && pixels[i + 3] > 200) ++count;
    return count;"""

# Changes with what the charts of the first trace show.
LOOKS = "return [...document.querySelectorAll('.charts-host')[0].querySelectorAll('canvas')].map(canvas => canvas.toDataURL().length)"


def check_loading(browser, address):
    check("the page is ready", load(browser, address, *DESKTOP))
    policies = browser.run("return [...document.querySelectorAll('.chip span')].map(name => name.textContent)")
    check("every policy has its switch", len(policies) >= 1, policies)
    check("the verdict is the page's only first heading", browser.run("return document.querySelectorAll('h1').length") == 1)
    hosts = browser.run("return [...document.querySelectorAll('.charts-host')].map(host => host.querySelectorAll('canvas').length)")
    check("every trace has its charts", hosts and min(hosts) >= 4, hosts)
    return policies


def check_hover(browser, policies):
    before = browser.run(READOUT)
    left, top, width, height = chart_box(browser, 1)
    browser.pointer(("move", left + width * 0.25, top + height / 2))
    first = browser.run(READOUT)
    check("hovering shows the values of all policies",
          [row[0] for row in first["rows"]] == policies and all(cell for row in first["rows"] for cell in row[1:]), first)
    check("and the time under the cursor", first["when"].startswith("At ") and first["when"] != before["when"], first["when"])
    cursors = browser.run("""return [...document.querySelectorAll('.charts-host')[0].querySelectorAll('.u-cursor-x')]
                             .map(line => line.style.transform)""")
    check("one cursor stands in all charts of the trace", len(cursors) >= 4 and len(set(cursors)) == 1, cursors)
    browser.pointer(("move", left + width * 0.75, top + height / 2))
    check("moving the pointer changes the time", browser.run(READOUT)["when"] != first["when"])
    browser.pointer(("move", 2, 2))


def check_toggle(browser, policies):
    last = min(len(policies) - 1, 7)  # of more policies than colours, the last has its own no more
    colour = f"--p{last % 8}"
    drawn = browser.run(PIXELS, 1, colour)
    check("a policy is drawn in its colour", drawn > 20, drawn)
    browser.run("scrollTo({top: 0, behavior: 'instant'})")
    x, y = browser.run("""const box = document.querySelectorAll('.chip')[arguments[0]].getBoundingClientRect();
                          return [box.left + box.width / 2, box.top + box.height / 2];""", last)
    browser.pointer(("move", x, y), ("down",), ("up",), ("move", 2, 2))
    browser.wait_for("false", 0.15)
    off = browser.run(PIXELS, 1, colour)
    dimmed = browser.run("return document.querySelectorAll('.metrics [data-off]').length")
    check("a click on its switch takes it out of the charts", off < drawn / 4, (drawn, off))
    check("and dims it in the tables", dimmed > 0, dimmed)
    browser.run("document.querySelectorAll('.chip input')[arguments[0]].focus()", last)
    browser.keys(SPACE)
    browser.wait_for("false", 0.15)
    check("the space bar brings it back", browser.run(PIXELS, 1, colour) > drawn / 2, browser.run(PIXELS, 1, colour))
    check("nothing stays dimmed", browser.run("return document.querySelectorAll('[data-off]').length") == 0)


def check_zoom(browser):
    button = "document.querySelectorAll('.charts-host')[0].querySelectorAll('.tools button')"
    whole = browser.run(LOOKS)
    left, top, width, height = chart_box(browser, 2)

    def drag():
        browser.pointer(("move", left + width * 0.3, top + height / 2), ("down",), ("move", left + width * 0.4, top + height / 2),
                        ("move", left + width * 0.5, top + height / 2), ("up",))
        browser.wait_for("false", 0.15)

    check("nothing is zoomed at first", browser.run(f"return {button}[2].disabled"))
    drag()
    zoomed = browser.run(LOOKS)
    check("dragging zooms every chart of the trace", all(a != b for a, b in zip(whole, zoomed)), (whole, zoomed))
    check("and the button to show all wakes up", not browser.run(f"return {button}[2].disabled"))
    browser.run(f"{button}[2].click()")
    browser.wait_for("false", 0.15)
    check("it shows all again", browser.run(f"return {button}[2].disabled"))
    drag()
    browser.pointer(("move", left + width * 0.6, top + height / 2), ("down",), ("up",), ("down",), ("up",))
    check("so does a double click", browser.wait_for(f"{button}[2].disabled", 2))
    browser.pointer(("move", 2, 2))


def check_measured(browser):
    """What only reports of measured runs have."""
    if not browser.run("return document.querySelectorAll('table.phases').length"):
        return
    head = "document.querySelector('.readout thead th:nth-child(2)').textContent"
    button = "document.querySelector('[data-choice=latency_p99]')"
    check("latency is shown at p95 first", browser.run(f"return {head}") == "p95 ms", browser.run(f"return {head}"))
    before = browser.run(LOOKS)
    browser.run(f"{button}.click()")
    browser.wait_for("false", 0.15)
    after = browser.run(LOOKS)
    check("its switch changes that chart and no other", [i for i, (a, b) in enumerate(zip(before, after)) if a != b] == [1], (before, after))
    check("and the values beside it", browser.run(f"return {head}") == "p99 ms", browser.run(f"return {head}"))
    pressed = "return [...document.querySelectorAll('[data-choice]')].filter(b => b.getAttribute('aria-pressed') === 'true').map(b => b.textContent)"
    traces = browser.run("return document.querySelectorAll('.charts-host').length")
    check("in every trace", browser.run(pressed) == ["p99"] * traces, browser.run(pressed))
    browser.run("document.querySelector('[data-choice=latency_p95]').click()")
    browser.wait_for("false", 0.15)
    check("and back", browser.run(LOOKS) == before, browser.run(LOOKS))
    titles = browser.run("return [...document.querySelectorAll('.charts-host')[0].querySelectorAll('.chart-title')].map(title => title.textContent)")
    check("starting replicas are told apart from ready ones", any("shaded: starting" in title for title in titles), titles)
    if "Not to be trusted" in browser.run("return document.querySelector('h1').textContent"):
        bottom = browser.run("scrollTo({top: 0, behavior: 'instant'}); return document.querySelector('.cautions').getBoundingClientRect().bottom")
        check("cautions are seen without scrolling", 0 < bottom < DESKTOP[1], bottom)


def check_keyboard(browser):
    browser.run("document.querySelector('.charts').focus()")
    browser.keys(RIGHT, RIGHT)
    browser.wait_for("false", 0.1)
    one = browser.run("return document.getElementById('status').textContent")
    browser.keys(LEFT)
    browser.wait_for("false", 0.1)
    two = browser.run("return document.getElementById('status').textContent")
    check("arrow keys move the cursor and say the values", one and two and one != two, (one, two))
    browser.keys("+", "+")
    browser.wait_for("false", 0.1)
    check("plus zooms in", browser.run("return document.querySelector('.charts').hasAttribute('data-zoomed')"))
    browser.keys(ESCAPE)
    check("escape shows all", browser.wait_for("!document.querySelector('.charts').hasAttribute('data-zoomed')", 2))
    nameless = browser.run("""return [...document.querySelectorAll('button, input, [role=img], [role=region], [role=group], aside')]
        .filter(node => !(node.getAttribute('aria-label') || node.textContent.trim() || node.closest('label'))).map(node => node.outerHTML.slice(0, 90))""")
    check("every control and picture has a name", not nameless, nameless)
    tables = browser.run("""return [...document.querySelectorAll('table')].filter(table => !table.caption || !table.querySelector('th[scope]')).length""")
    check("every table has a caption and header cells with scope", tables == 0, tables)
    rows = browser.run("""const details = document.querySelector('details.values'); details.open = true;
                          return new Promise(done => setTimeout(() => done(details.querySelectorAll('tbody tr').length), 200))""")
    check("the charts are there as a table, too", rows > 0, rows)


def check_themes(browser, address):
    background = "return getComputedStyle(document.body).backgroundColor.match(/[0-9.]+/g).slice(0, 3).reduce((sum, part) => sum + Number(part), 0)"
    light = browser.run(background)
    load(browser, address, *DESKTOP, dark=True)
    check("dark where the system is dark", browser.run(background) < 150 < 600 < light, (light, browser.run(background)))
    check("with the charts in the dark theme's colours", browser.run(PIXELS, 1, "--p0") > 20)
    browser.run("document.getElementById('theme').click()")
    check("the switch overrides the system", browser.run(background) > 600)
    browser.run("document.getElementById('theme').click(); document.getElementById('theme').click()")


def check_widths(browser, address):
    for name, (width, height, mobile) in {"phone": PHONE, "small tablet": (768, 1024, True), "desktop": DESKTOP}.items():
        load(browser, address, width, height, mobile)
        browser.wait_for("false", 0.2)
        wide = browser.run("return [document.documentElement.scrollWidth, document.documentElement.clientWidth]")
        check(f"nothing hangs over the edge on a {name} ({width} px)", wide[0] <= wide[1] == width, wide)
    load(browser, address, *PHONE)
    left, top, width, height = chart_box(browser, 1)
    browser.cdp("Input.dispatchTouchEvent", type="touchStart", touchPoints=[{"x": left + width * 0.4, "y": top + height / 2}])
    browser.cdp("Input.dispatchTouchEvent", type="touchMove", touchPoints=[{"x": left + width * 0.6, "y": top + height / 2}])
    browser.cdp("Input.dispatchTouchEvent", type="touchEnd", touchPoints=[])
    check("a finger moves the cursor", browser.wait_for("document.querySelector('.readout').hasAttribute('data-live')", 2))


def check_paper(browser, address, directory):
    load(browser, address, *DESKTOP, dark=True)
    path = os.path.join(directory, "report.pdf")
    browser.print_to(path)
    size = os.path.getsize(path)
    check("it prints", size > 20000, size)
    check("and is as before afterwards", browser.run("return document.querySelector('.charts canvas').clientWidth") > 300)


def take_pictures(browser, address, directory):
    os.makedirs(directory, exist_ok=True)
    for name, (width, height, mobile), dark in [("desktop-light", DESKTOP, False), ("desktop-dark", DESKTOP, True),
                                                ("phone-light", PHONE, False), ("phone-dark", PHONE, True)]:
        load(browser, address, width, height, mobile, dark)
        browser.wait_for("false", 0.2)
        browser.picture(os.path.join(directory, f"report-{name}.png"))


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("report", help="the HTML file")
    arguments.add_argument("--pictures", metavar="DIR", help="also leave screenshots there")
    options = arguments.parse_args()
    address = pathlib.Path(options.report).resolve(strict=True).as_uri()
    try:
        browser = Browser()
    except Missing as missing:
        print(f"SKIPPED: {missing}")
        return 77
    with browser, tempfile.TemporaryDirectory() as directory:
        policies = check_loading(browser, address)
        check_hover(browser, policies)
        check_toggle(browser, policies)
        check_zoom(browser)
        check_measured(browser)
        check_keyboard(browser)
        check_themes(browser, address)
        check_widths(browser, address)
        check_paper(browser, address, directory)
        if options.pictures:
            take_pictures(browser, address, options.pictures)
        foreign = browser.run("return document.querySelectorAll('main img, main iframe, main script').length")
        check("no text became an element", foreign == 0, foreign)
        requests = browser.requests()
        foreign = [request for request in requests if not request.startswith(("file:", "data:", "about:", "blob:"))]
        check("nothing was asked of a network", address in requests and not foreign, foreign)
        errors = [entry["message"] for entry in browser.log("browser") if entry["level"] in ("SEVERE", "WARNING")]
        check("the console is silent", not errors, errors)
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
