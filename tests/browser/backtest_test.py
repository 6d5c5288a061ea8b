#!/usr/bin/env python3
"""Looks at a backtest's page as a reader would: backtest_test.py REPORT.html [--pictures DIR]

Loads the file from disk in headless Chromium, chooses members with the pointer and the keyboard, loads their trajectories
from beside the page, and changes seeds, theme and width. Prints a line per check and `N passed, M failed`; exits 0 when none
failed, 1 when some did, 77 (skipped) when there is no Chromium.
"""

import argparse
import os
import pathlib
import sys
import tempfile

import report_test
from report_test import DESKTOP, DOWN, ENTER, LEFT, PHONE, RIGHT, check, load, take_pictures
from webdriver import Browser, Missing

# Where a member of the first trace lies on the screen, as the page's data say it.
PLACE = """
    const [front, member] = arguments;
    const data = JSON.parse(document.getElementById('data').textContent);
    const picture = [...document.querySelectorAll('.fronts svg.front')].find(one => getComputedStyle(one).display !== 'none');
    const places = mpcaPage.unpacked(data.traces[0].fronts[front].places[picture.classList.contains('full') ? 0 : 1]);
    picture.scrollIntoView({block: 'center', behavior: 'instant'});
    const box = picture.getBoundingClientRect(), scale = box.width / picture.viewBox.baseVal.width;
    return [box.left + places[2 * member] * scale, box.top + places[2 * member + 1] * scale];"""
NAME = """const data = JSON.parse(document.getElementById('data').textContent);
    return data.names[data.traces[0].fronts[arguments[0]].names[arguments[1]]];"""
HULL = "return JSON.parse(document.getElementById('data').textContent).traces[0].fronts[arguments[0]].hull"
PANEL = """const panel = document.querySelector('.member');
    return {name: panel.querySelector('.member-name').textContent, kind: panel.querySelector('.readout-demand').textContent,
            cells: [...panel.querySelectorAll('td')].map(cell => cell.textContent)};"""
CHARTS = "document.querySelectorAll('.trajectory canvas').length"
STATUS = "return document.getElementById('status').textContent"


def check_loading(browser, address):
    check("the page is ready", load(browser, address, *DESKTOP))
    check("the verdict is the page's only first heading", browser.run("return document.querySelectorAll('h1').length") == 1)
    counts = browser.run("""const data = JSON.parse(document.getElementById('data').textContent);
        return [data.traces.length, document.querySelectorAll('.fronts svg.full').length, document.querySelectorAll('.member').length];""")
    check("every trace has its fronts and its panel", counts[0] >= 1 and len(set(counts)) == 1, counts)
    lines = browser.run("return [...document.querySelectorAll('.fronts svg.full')].map(svg => svg.querySelectorAll('.f-line').length)")
    check("every family with a hull has its line", min(lines) >= 1, lines)
    panel = browser.run(PANEL)
    check("a member is shown before one is chosen", panel["name"] and all(panel["cells"]), panel)


def check_pointer(browser):
    member = browser.run(HULL, 0)[-1]
    x, y = browser.run(PLACE, 0, member)
    browser.pointer(("move", x + 2, y + 2))
    panel = browser.run(PANEL)
    check("pointing at a member shows its figures", panel["name"] == browser.run(NAME, 0, member), (panel, browser.run(NAME, 0, member)))
    check("no trajectory is loaded before it is asked for", browser.run(f"return {CHARTS}") == 0)
    browser.pointer(("down",), ("up",))
    check("a click loads its trajectory from the file beside the page", browser.wait_for(f"{CHARTS} === 2"), browser.run(STATUS))
    title = browser.run("return document.querySelector('.trajectory h3').textContent")
    check("under its name", panel["name"] in title, title)
    browser.pointer(("move", 2, 2))
    check("it stays chosen when the pointer is gone", browser.run(PANEL)["kind"] == "Chosen", browser.run(PANEL))
    rows = browser.run("return [...document.querySelectorAll('.trajectory .readout tbody tr')].map(row => [...row.cells].map(cell => cell.textContent))")
    check("the values under the cursor are ready replicas and violations", len(rows) == 1 and len(rows[0]) == 3 and all(rows[0]), rows)


def check_seeds(browser):
    seeds = "document.querySelectorAll('.trajectory .choice button')"
    if browser.run(f"return {seeds}.length") < 2:
        return
    looks = "return document.querySelector('.trajectory canvas').toDataURL().length"
    before = browser.run(looks)
    browser.run(f"{seeds}[1].click()")
    browser.wait_for("false", 0.15)
    check("another seed is another picture", browser.run(looks) != before)
    check("and its button is pressed", browser.run(f"return {seeds}[1].getAttribute('aria-pressed')") == "true")


def check_comparing(browser, families):
    browser.run("document.querySelector('.trajectory [data-act=keep]').click()")
    other = families - 1
    member = browser.run(HULL, other)[0]
    x, y = browser.run(PLACE, other, member)
    browser.pointer(("move", x, y), ("down",), ("up",), ("move", 2, 2))
    found = browser.wait_for("document.querySelectorAll('.trajectory h3 b').length === 2")
    check("a kept member is drawn beside the next", found, browser.run(STATUS))
    rows = browser.run("return document.querySelectorAll('.trajectory .readout tbody tr').length")
    check("with its values", rows == 2, rows)


def check_keyboard(browser):
    browser.run("document.querySelector('.trajectory [data-act=close]').click()")
    check("closing takes the trajectory away and gives the keys back to the fronts",
          browser.run(f"return {CHARTS} === 0 && document.activeElement.className === 'fronts'"))
    browser.keys(RIGHT)
    one = browser.run(STATUS)
    browser.keys(RIGHT)
    two = browser.run(STATUS)
    check("arrow keys go along a family and say the figures", one and two and one != two, (one, two))
    browser.keys(LEFT)
    check("and back", browser.run(STATUS) == one, browser.run(STATUS))
    browser.keys(DOWN)
    check("down goes to another family, where there is one",
          browser.run(STATUS) != one or browser.run("return document.querySelectorAll('.chip').length") == 1, browser.run(STATUS))
    browser.keys(ENTER)
    check("Enter loads the trajectory", browser.wait_for(f"{CHARTS} === 2"), browser.run(STATUS))
    nameless = browser.run("""return [...document.querySelectorAll('button, input, select, [role=img], [role=region], [role=group], aside')]
        .filter(node => !(node.getAttribute('aria-label') || node.textContent.trim() || node.closest('label'))).map(node => node.outerHTML.slice(0, 90))""")
    check("every control and picture has a name", not nameless, nameless)
    rows = browser.run("""const details = document.querySelector('.front-host details.values'); details.open = true;
        return new Promise(done => setTimeout(() => done([details.querySelectorAll('tbody tr').length,
            JSON.parse(document.getElementById('data').textContent).traces[0].fronts.reduce((sum, front) => sum + front.names.length, 0)]), 200))""")
    check("all members are there as a table, too", rows[0] == rows[1] > 0, rows)
    tables = browser.run("return [...document.querySelectorAll('table')].filter(table => !table.caption || !table.querySelector('th[scope]')).length")
    check("every table has a caption and header cells with scope", tables == 0, tables)


def check_switches(browser):
    browser.run("document.querySelectorAll('.chip input')[0].click()")
    dimmed = browser.run("return document.querySelectorAll('.fronts .family[data-off]').length")
    check("a family's switch takes it out of the pictures", dimmed > 0, dimmed)
    member = browser.run(HULL, 0)[-1]
    x, y = browser.run(PLACE, 0, member)
    browser.pointer(("move", x, y))
    kind = browser.run(PANEL)
    check("and its members out of the pointer's reach", kind["name"] != browser.run(NAME, 0, member) or kind["kind"] != "Under the cursor", kind)
    browser.pointer(("move", 2, 2))
    browser.run("document.querySelectorAll('.chip input')[0].click()")


def check_themes_and_widths(browser, address):
    background = "return getComputedStyle(document.body).backgroundColor.match(/[0-9.]+/g).slice(0, 3).reduce((sum, part) => sum + Number(part), 0)"
    light = browser.run(background)
    load(browser, address, *DESKTOP, dark=True)
    check("dark where the system is dark", browser.run(background) < 150 < 600 < light, (light, browser.run(background)))
    browser.run("document.getElementById('theme').click()")
    check("the switch overrides the system", browser.run(background) > 600)
    browser.run("document.getElementById('theme').click(); document.getElementById('theme').click()")
    for name, (width, height, mobile) in {"phone": PHONE, "small tablet": (768, 1024, True), "desktop": DESKTOP}.items():
        load(browser, address, width, height, mobile)
        browser.wait_for("false", 0.2)
        wide = browser.run("return [document.documentElement.scrollWidth, document.documentElement.clientWidth]")
        check(f"nothing hangs over the edge on a {name} ({width} px)", wide[0] <= wide[1] == width, wide)
    load(browser, address, *PHONE)
    member = browser.run(HULL, 0)[0]
    x, y = browser.run(PLACE, 0, member)
    browser.cdp("Input.dispatchTouchEvent", type="touchStart", touchPoints=[{"x": x, "y": y}])
    browser.cdp("Input.dispatchTouchEvent", type="touchEnd", touchPoints=[])
    check("a finger chooses a member", browser.wait_for(f"{CHARTS} === 2"), browser.run(STATUS))
    wide = browser.run("return [document.documentElement.scrollWidth, document.documentElement.clientWidth]")
    check("and its trajectory fits the phone", wide[0] <= wide[1], wide)


def check_missing_files(browser, report, directory):
    alone = pathlib.Path(directory, "alone.html")
    alone.write_bytes(pathlib.Path(report).read_bytes())
    load(browser, alone.as_uri(), *DESKTOP)
    browser.run("document.querySelector('.member button').click()")
    said = browser.wait_for("document.querySelector('.trajectory').textContent.includes('could not be loaded')")
    check("a trajectory that is not beside the page is said to be missing", said, browser.run(STATUS))


def take_trajectory_pictures(browser, address, directory):
    for name, (width, height, mobile), dark in [("desktop-light", DESKTOP, False), ("desktop-dark", DESKTOP, True), ("phone-light", PHONE, False)]:
        load(browser, address, width, height, mobile, dark)
        browser.run("document.querySelector('.member button').click()")
        browser.wait_for(f"{CHARTS} === 2")
        browser.wait_for("false", 0.3)
        browser.run("document.querySelector('.front-host').scrollIntoView({block: 'start', behavior: 'instant'})")
        browser.size(width, 1700, mobile)
        browser.wait_for("false", 0.3)
        browser.picture(os.path.join(directory, f"trajectory-{name}.png"), whole_page=False)


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("report", help="the HTML file, with its folder of trajectories")
    arguments.add_argument("--pictures", metavar="DIR", help="also leave screenshots there")
    options = arguments.parse_args()
    address = pathlib.Path(options.report).resolve(strict=True).as_uri()
    try:
        browser = Browser()
    except Missing as missing:
        print(f"SKIPPED: {missing}")
        return 77
    with browser, tempfile.TemporaryDirectory() as directory:
        check_loading(browser, address)
        check_pointer(browser)
        check_seeds(browser)
        check_comparing(browser, browser.run("return document.querySelectorAll('.chip').length"))
        check_keyboard(browser)
        check_switches(browser)
        check_themes_and_widths(browser, address)
        path = os.path.join(directory, "report.pdf")
        browser.print_to(path)
        check("it prints", os.path.getsize(path) > 20000, os.path.getsize(path))
        if options.pictures:
            take_pictures(browser, address, options.pictures)
            take_trajectory_pictures(browser, address, options.pictures)
        foreign = browser.run("return document.querySelectorAll('main img, main iframe, main script').length")
        check("no text became an element", foreign == 0, foreign)
        foreign = [request for request in browser.requests() if not request.startswith(("file:", "data:", "about:", "blob:"))]
        check("nothing was asked of a network", not foreign, foreign)
        errors = [entry["message"] for entry in browser.log("browser") if entry["level"] in ("SEVERE", "WARNING")]
        check("the console is silent", not errors, errors)
        check_missing_files(browser, options.report, directory)
    print(f"{report_test.passed} passed, {report_test.failed} failed")
    return 1 if report_test.failed else 0


if __name__ == "__main__":
    sys.exit(main())
