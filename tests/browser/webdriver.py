"""A headless Chromium driven over W3C WebDriver with the standard library only.

    with Browser() as browser:
        browser.open("file:///tmp/report.html")
        browser.run("return document.title")

Raises Missing when chromium or chromedriver is not installed. Nothing outside its temporary directory is touched.
"""

import base64
import json
import shutil
import subprocess
import tempfile
import time
import urllib.error
import urllib.request

ELEMENT = "element-6066-11e4-a52e-4f735466cecf"  # the key of an element reference, W3C WebDriver section 12


class Missing(Exception):
    """The browser or its driver is not installed."""


class Browser:
    def __init__(self, width=1280, height=900, dark=False):
        self._chromium = shutil.which("chromium") or shutil.which("chromium-browser")
        driver = shutil.which("chromedriver")
        if not self._chromium or not driver:
            raise Missing("chromium and chromium-driver are not installed")
        self._directory = tempfile.TemporaryDirectory(prefix="browser-test-")
        self._base = f"http://127.0.0.1:{self._start(driver)}"
        arguments = ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
                     "--disable-background-networking", "--disable-component-update", "--disable-sync",
                     "--disable-dev-shm-usage", "--hide-scrollbars", "--force-color-profile=srgb",
                     f"--user-data-dir={self._directory.name}", f"--window-size={width},{height}"]
        if dark:
            arguments.append("--force-dark-mode")
        answer = self._call("POST", "/session", {"capabilities": {"alwaysMatch": {
            "browserName": "chrome", "goog:loggingPrefs": {"browser": "ALL", "performance": "ALL"},
            "goog:chromeOptions": {"binary": self._chromium, "args": arguments}}}})
        self._base += f"/session/{answer['sessionId']}"
        self.open("about:blank")
        self.cdp("Network.enable")
        self.log("performance")  # what the browser loaded for its own first page
        self.size(width, height)

    def _start(self, driver):
        """The port. The driver looks for a free one and takes it then; in between another may have taken it."""
        for _ in range(5):
            self._process = subprocess.Popen([driver, "--port=0"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                                             text=True)
            for line in self._process.stdout:
                if "started successfully on port" in line:
                    return int(line.rstrip(". \n").rsplit(" ", 1)[1])
            self._process.wait(timeout=20)
            self._process.stdout.close()
        raise RuntimeError("chromedriver did not start")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        try:
            self._call("DELETE", "")
        finally:
            self._process.terminate()
            self._process.wait(timeout=20)
            self._process.stdout.close()
            self._directory.cleanup()

    def _call(self, method, path, body=None):
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self._base + path, data=data, method=method,
                                         headers={"Content-Type": "application/json"})
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return json.load(answer)["value"]
        except urllib.error.HTTPError as error:
            raise RuntimeError(json.load(error)["value"]["message"].split("\n")[0]) from None

    def cdp(self, command, **parameters):
        """One command of the Chrome DevTools Protocol."""
        return self._call("POST", "/goog/cdp/execute", {"cmd": command, "params": parameters})

    def size(self, width, height, mobile=False):
        self.cdp("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=mobile)

    def dark(self, is_dark):
        self.cdp("Emulation.setEmulatedMedia", media="",
                 features=[{"name": "prefers-color-scheme", "value": "dark" if is_dark else "light"}])

    def open(self, address):
        self._call("POST", "/url", {"url": address})

    def run(self, script, *arguments):
        return self._call("POST", "/execute/sync", {"script": script, "args": list(arguments)})

    def wait_for(self, script, seconds=10):
        """Until the expression is true; whether it came true."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if self.run("return !!(" + script + ")"):
                return True
            time.sleep(0.05)
        return False

    def pointer(self, *steps):
        """Mouse steps in the viewport: ("move", x, y), ("down",), ("up",)."""
        actions = []
        for step in steps:
            if step[0] == "move":
                actions.append({"type": "pointerMove", "x": round(step[1]), "y": round(step[2]), "duration": 60})
            else:
                actions.append({"type": "pointerDown" if step[0] == "down" else "pointerUp", "button": 0})
        self._call("POST", "/actions", {"actions": [{"type": "pointer", "id": "mouse", "parameters": {"pointerType": "mouse"},
                                                     "actions": actions}]})

    def keys(self, *keys):
        actions = []
        for key in keys:
            actions += [{"type": "keyDown", "value": key}, {"type": "keyUp", "value": key}]
        self._call("POST", "/actions", {"actions": [{"type": "key", "id": "keyboard", "actions": actions}]})

    def log(self, kind):
        """The entries since the last call: kind is browser (the console) or performance (DevTools events)."""
        return self._call("POST", "/se/log", {"type": kind})

    def requests(self):
        """Addresses that were loaded since the last call, the page itself included."""
        addresses = []
        for entry in self.log("performance"):
            message = json.loads(entry["message"])["message"]
            if message["method"] == "Network.requestWillBeSent":
                addresses.append(message["params"]["request"]["url"])
        return addresses

    def picture(self, path, whole_page=True):
        answer = self.cdp("Page.captureScreenshot", format="png", captureBeyondViewport=whole_page, **(
            {"clip": dict(zip(("x", "y", "width", "height"),
                              self.run("return [0, 0, document.documentElement.clientWidth, document.documentElement.scrollHeight]")),
                          scale=1)} if whole_page else {}))
        with open(path, "wb") as file:
            file.write(base64.b64decode(answer["data"]))

    def print_to(self, path):
        answer = self._call("POST", "/print", {"page": {"width": 21.0, "height": 29.7}, "background": True})
        with open(path, "wb") as file:
            file.write(base64.b64decode(answer))
