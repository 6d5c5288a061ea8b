#!/usr/bin/env python3
"""Asks a comparison report why its policies decided as they did: decisions_test.py REPORT.html [--pictures DIR]

REPORT.html is of `compare`, with `predictive` and `static:6` among its policies. Loads it from disk in headless Chromium and
clicks, types and uses keys. Prints a line per check and `N passed, M failed`; exits 0 when none failed, 1 when some did, 77
(skipped) when there is no Chromium.
"""

import argparse
import os
import pathlib
import sys

import report_test
from report_test import DESKTOP, ENTER, ESCAPE, LEFT, PHONE, RIGHT, check, load
from webdriver import Browser, Missing

HOME, END = "\ue011", "\ue010"
REPLICAS = 1  # the chart of ready replicas, after that of the demand

PANEL = """
    const panel = document.querySelector('.charts-host .decision');
    const box = panel.getBoundingClientRect();
    return {shown: !panel.hidden, top: box.top, bottom: box.bottom, height: innerHeight,
            when: panel.querySelector('.decision-when').textContent, sentence: panel.querySelector('.decision-sentence').textContent,
            time: panel.querySelector('input').value, parts: [...panel.querySelectorAll('dt')].map(label => label.textContent),
            policy: [...panel.querySelectorAll('.decision-policies [aria-pressed=true]')].map(button => button.textContent).join(),
            candidates: [...panel.querySelectorAll('dl > div')].filter(part => part.firstChild.textContent === 'candidates')
              .flatMap(part => [...part.querySelectorAll('tr')].map(row => [...row.cells].map(cell => cell.textContent)))};"""


def panel(browser):
    return browser.run(PANEL)


ZOOM = """return {shown: !document.querySelector('.charts-host .decision').hidden,
    zoomed: document.querySelector('.charts').hasAttribute('data-zoomed')}"""


def place_of(browser, chart, share_x):
    """A place in a chart of the first trace, at a share of its width: x, y."""
    return browser.run("""
        const over = document.querySelectorAll('.charts-host')[0].querySelectorAll('.u-over')[arguments[0]];
        over.scrollIntoView({block: 'start', behavior: 'instant'});
        const box = over.getBoundingClientRect();
        return [box.left + box.width * arguments[1], box.top + box.height / 2];""", chart, share_x)


def settled(browser, *steps):
    """The panel after mouse steps that open it, or show another moment in it."""
    before = panel(browser)["when"]
    browser.pointer(*steps)
    browser.wait_for("false", 0.5)  # longer than until a second click would make it a double one
    for _ in range(50):
        if panel(browser)["shown"] and panel(browser)["when"] != before:
            break
        browser.wait_for("false", 0.1)
    return panel(browser)


def click_chart(browser, chart, share_x):
    x, y = place_of(browser, chart, share_x)
    return settled(browser, ("move", x, y), ("down",), ("up",), ("move", 2, 2))


def places_apart(browser, policies, name):
    """Where the line of a policy is apart from all others in the chart of replicas, from left to right: x, y. uPlot keeps a
    point on each line at the cursor, those of the policies last."""
    found = []
    for share_x in range(4, 97, 4):
        x, middle = place_of(browser, REPLICAS, share_x / 100)
        browser.pointer(("move", x, middle))
        heights = browser.run("""
            const points = document.querySelectorAll('.charts-host')[0].querySelectorAll('.u-over')[arguments[0]].querySelectorAll('.u-cursor-pt');
            return [...points].slice(-arguments[1]).map(point => point.getBoundingClientRect()).map(box => box.top + box.height / 2);""", REPLICAS, len(policies))
        own = heights.pop(policies.index(name))
        if all(abs(own - other) > 8 for other in heights):
            found.append((x, own))
    browser.pointer(("move", 2, 2))
    return found


def click_at(browser, place):
    place_of(browser, REPLICAS, 0)  # scrolls as before
    return settled(browser, ("move", *place), ("down",), ("up",), ("move", 2, 2))


def check_click(browser):
    check("no decision is shown at first", not panel(browser)["shown"])
    policies = browser.run("return [...document.querySelectorAll('.chip span')].map(name => name.textContent)")
    places = places_apart(browser, policies, "predictive")
    check("pointing at a chart shows no decision", len(places) > 1 and not panel(browser)["shown"], places)
    first = click_at(browser, places[0])
    check("a click on a line shows a decision of its policy", first["shown"] and first["policy"] == "predictive", first)
    check("with its sentence", "replicas" in first["sentence"] and "demand" in first["sentence"], first["sentence"])
    check("with the rows that `explain` has", {"demand", "capacity", "dead time", "forecast", "candidates", "band", "guards", "replicas"} <= set(first["parts"]), first["parts"])
    heads = first["candidates"][0] if first["candidates"] else []
    check("with a table of candidates", heads[1:] == ["weight", "asks", "cost", "late", "bill"] and len(first["candidates"]) > 2, first["candidates"])
    check("and nothing left to fill in", all(cell != "undefined" for row in first["candidates"] for cell in row) and "undefined" not in first["sentence"], first)
    check("all of it in the window", 0 < first["top"] < first["bottom"] <= first["height"], first)
    second = click_at(browser, places[-1])
    check("a click elsewhere shows another one", second["sentence"] != first["sentence"] and second["when"] != first["when"], second)
    constant = browser.run("[...document.querySelectorAll('.decision-policies button')].find(button => button.textContent === 'static:6').click();" + PANEL)
    check("a constant has its sentence only", constant["sentence"] == "the rule constant asks for 6.00: stay at 6 replicas" and not constant["parts"], constant)
    check("at the same time", constant["time"] == second["time"], constant)
    again = click_chart(browser, 0, 0.45)
    check("a click on the demand keeps the policy", again["policy"] == "static:6", again["policy"])
    browser.run("[...document.querySelectorAll('.decision-policies button')].find(button => button.textContent === 'predictive').click()")
    return panel(browser)


def check_keys(browser, before):
    browser.run("document.querySelector('.charts').focus()")
    browser.keys(RIGHT)
    browser.wait_for("false", 0.1)
    after = panel(browser)
    number = lambda shown: int(shown["when"].split("decision ")[1].split(" of ")[0])
    check("arrow right shows the next decision", number(after) == number(before) + 1 and after["sentence"] != before["sentence"], (before["when"], after["when"]))
    when = browser.run("return document.querySelector('.readout-when').textContent")
    check("and takes the cursor with it", when.removeprefix("At ") == after["when"].split(", ")[2].removesuffix(" after the start"), (when, after["when"]))
    browser.keys(LEFT)
    check("arrow left the one before", panel(browser) == before, panel(browser))
    browser.keys(HOME)
    check("Home the first", number(panel(browser)) == 0 and panel(browser)["time"] == "0s", panel(browser))
    browser.keys(END)
    last = panel(browser)
    check("End the last", number(last) + 1 == int(last["when"].split(" of ")[1].split(",")[0]), last["when"])
    check("a screen reader is told", browser.run("return document.querySelector('.decision-sentence').closest('[aria-live=polite]') !== null"))
    browser.run("const input = document.querySelector('.decision input'); input.focus(); input.select()")
    browser.keys(*"2m", ENTER)
    browser.wait_for("false", 0.1)
    check("a time can be typed", panel(browser)["time"] == "2m" and number(panel(browser)) == 8, panel(browser))
    browser.run("document.querySelector('.decision input').select()")
    browser.keys(*"noon", ENTER)
    check("one that is none is refused with what is accepted", browser.run("return document.querySelector('.decision input').validationMessage").startswith("A time since the start"))
    check("and changes nothing", number(panel(browser)) == 8, panel(browser))
    browser.keys(ESCAPE)
    check("Escape closes it", not panel(browser)["shown"])
    check("and leaves the keyboard in the charts", browser.run("return document.activeElement === document.querySelector('.charts')"))
    browser.keys(ENTER)
    check("Enter opens the decision at the cursor", panel(browser)["shown"])
    browser.keys(ESCAPE)
    browser.run("[...document.querySelector('.readout .tools').children].at(-1).click()")
    check("so does the button beside the charts", panel(browser)["shown"])
    check("which takes the keyboard along", browser.run("return document.activeElement === document.querySelector('.decision')"))
    nameless = browser.run("""return [...document.querySelectorAll('.decision button, .decision input, .decision')]
        .filter(node => !(node.getAttribute('aria-label') || node.textContent.trim())).map(node => node.outerHTML.slice(0, 90))""")
    check("every control has a name", not nameless, nameless)
    tables = browser.run("return [...document.querySelectorAll('.decision table')].filter(table => !table.caption || !table.querySelector('th[scope]')).length")
    check("every table has a caption and header cells with scope", tables == 0, tables)


def check_drag(browser):
    browser.keys(ESCAPE)
    x, y, width = browser.run("""
        const over = document.querySelectorAll('.charts-host')[0].querySelectorAll('.u-over')[1];
        over.scrollIntoView({block: 'center', behavior: 'instant'});
        const box = over.getBoundingClientRect();
        return [box.left, box.top + box.height / 2, box.width];""")
    zoomed, reset = {}, {}
    for _ in range(3):  # a busy machine may tear the double click apart
        browser.pointer(("move", x + width * 0.3, y), ("down",), ("move", x + width * 0.4, y), ("move", x + width * 0.5, y), ("up",))
        browser.wait_for("false", 0.5)
        zoomed = browser.run(ZOOM)
        browser.pointer(("move", x + width * 0.6, y), ("down",), ("up",), ("down",), ("up",))
        browser.wait_for("false", 0.5)
        reset = browser.run(ZOOM)
        if not reset["shown"]:
            break
        browser.keys(ESCAPE)
    check("a drag zooms and shows no decision", zoomed == {"shown": False, "zoomed": True}, zoomed)
    check("nor does the double click that ends it", reset == {"shown": False, "zoomed": False}, reset)


def check_phone(browser, address, dark):
    load(browser, address, *PHONE, dark)
    browser.run("document.querySelector('.charts').focus()")
    browser.keys(ENTER)
    browser.wait_for("false", 0.2)
    wide = browser.run("return [document.documentElement.scrollWidth, document.documentElement.clientWidth]")
    check("on a phone, nothing hangs over the edge", wide[0] <= wide[1] == PHONE[0], wide)
    inside = browser.run("const panel = document.querySelector('.decision'); return [panel.scrollWidth, panel.clientWidth]")
    check("nor within the panel", inside[0] <= inside[1], inside)
    check("and the panel is in the window", panel(browser)["bottom"] <= panel(browser)["height"], panel(browser))


def take_pictures(browser, address, directory):
    os.makedirs(directory, exist_ok=True)
    for name, (width, height, mobile), dark in [("desktop-light", DESKTOP, False), ("desktop-dark", DESKTOP, True),
                                                ("phone-light", PHONE, False), ("phone-dark", PHONE, True)]:
        load(browser, address, width, height, mobile, dark)
        click_chart(browser, REPLICAS, 0.5)
        browser.run("[...document.querySelectorAll('.decision-policies button')].find(button => button.textContent === 'predictive').click()")
        browser.wait_for("false", 0.2)
        browser.picture(os.path.join(directory, f"decision-{name}.png"), False)


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
    with browser:
        check("the page is ready", load(browser, address, *DESKTOP))
        before = check_click(browser)
        check_keys(browser, before)
        check_drag(browser)
        check_phone(browser, address, False)
        if options.pictures:
            take_pictures(browser, address, options.pictures)
        requests = browser.requests()
        foreign = [request for request in requests if not request.startswith(("file:", "data:", "about:", "blob:"))]
        check("nothing was asked of a network", address in requests and not foreign, foreign)
        errors = [entry["message"] for entry in browser.log("browser") if entry["level"] in ("SEVERE", "WARNING")]
        check("the console is silent", not errors, errors)
    print(f"{report_test.passed} passed, {report_test.failed} failed")
    return 1 if report_test.failed else 0


if __name__ == "__main__":
    sys.exit(main())
