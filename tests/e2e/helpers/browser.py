"""A headless Chromium in a guest, driven by the DevTools protocol, which it speaks over its standard streams."""

import base64
import itertools
import json
import os
import select
import time

from harness.case import expect

DEADLINE = 60
# The guest's Chromium visits the guest's own pages only, and its sandbox needs what a container may not have.
# Bookworm has no smaller one.
COMMAND = ("exec $(command -v chromium-headless-shell || echo chromium --headless=new) --remote-debugging-pipe --no-sandbox --disable-gpu --user-data-dir=/tmp/browser-$$ "
           "--window-size=1280,800 3<&0 4>&1 1>&2 0</dev/null")
KEYS = {"Enter": (13, "\r"), "Escape": (27, ""), "Tab": (9, "")}


class Browser:
    """One tab. frame: the selector of the frame in which look() and the others find things; None: the page itself."""

    def __init__(self, guest):
        self._process = guest.popen(COMMAND)
        self._numbers = itertools.count(1)
        self._received = b""
        self._session = None
        self.frame = None
        self.complaints = []
        target = self._call("Target.createTarget", url="about:blank")["targetId"]
        self._session = self._call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log"):
            self._call(f"{domain}.enable")

    def _call(self, method, **parameters):
        number = next(self._numbers)
        message = {"id": number, "method": method, "params": parameters}
        if self._session:
            message["sessionId"] = self._session
        self._process.stdin.write(json.dumps(message) + "\0")
        self._process.stdin.flush()
        while True:
            answer = self._receive()
            if answer.get("id") != number:
                self._note(answer)
            elif "error" in answer:
                raise AssertionError(f"{method}: {answer['error']}")
            else:
                return answer["result"]

    def _receive(self):
        deadline = time.monotonic() + DEADLINE
        stream = self._process.stdout.fileno()
        while b"\0" not in self._received:
            ready, _, _ = select.select([stream], [], [], deadline - time.monotonic())
            data = os.read(stream, 1 << 16) if ready else b""
            expect(data, f"the browser does not answer; it is {self._process.poll() or 'running'}")
            self._received += data
        message, self._received = self._received.split(b"\0", 1)
        return json.loads(message)

    def _note(self, event):
        """Keeps what a developer would see in the console: errors, exceptions, and what the security policy refused."""
        parameters = event.get("params", {})
        if event.get("method") == "Runtime.exceptionThrown":
            self.complaints.append(json.dumps(parameters["exceptionDetails"]))
        elif event.get("method") == "Log.entryAdded" and parameters["entry"]["level"] == "error":
            self.complaints.append(f"{parameters['entry'].get('url')}: {parameters['entry']['text']}")
        elif event.get("method") == "Runtime.consoleAPICalled" and parameters["type"] in ("error", "assert"):
            self.complaints.append(json.dumps(parameters["args"]))

    def open(self, url):
        self._call("Page.navigate", url=url)

    def set_size(self, width, height):
        self._call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)

    def prefer_dark(self, dark):
        self._call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}])

    def evaluate(self, expression):
        """The value of an expression in JavaScript, in which page is the document of the frame."""
        frame = f"document.querySelector({json.dumps(self.frame)})" if self.frame else None
        document = f"{frame}?.contentDocument" if frame else "document"
        script = f"(page => page ? ({expression}) : null)({document})"
        result = self._call("Runtime.evaluate", expression=script, returnByValue=True)
        expect("exceptionDetails" not in result, f"{expression}: {result.get('exceptionDetails')}")
        return result["result"].get("value")

    def wait(self, expression, timeout=DEADLINE):
        """Waits until an expression is true; returns its value."""
        deadline = time.monotonic() + timeout
        while True:
            value = self.evaluate(expression)
            if value:
                return value
            if time.monotonic() > deadline:
                shown = self.evaluate("page.body.innerText")
                raise AssertionError(f"still not so after {timeout} s: {expression}\nthe page shows:\n{shown}\n" + "\n".join(self.complaints))
            time.sleep(0.1)

    def text(self, selector):
        return self.evaluate(f"page.querySelector({json.dumps(selector)})?.innerText")

    def is_shown(self, selector):
        return self.evaluate(f"!!page.querySelector({json.dumps(selector)})?.offsetParent")

    def wait_text(self, selector, part, timeout=DEADLINE):
        """Waits until the first such element shows a text."""
        self.wait(f"page.querySelector({json.dumps(selector)})?.innerText.includes({json.dumps(part)})", timeout)

    def click(self, selector):
        """Presses the mouse in the middle of an element, which must be in sight, be enabled, and have nothing over it."""
        place = self.wait("""(() => {
            const found = page.querySelector(SELECTOR);
            if (!found || found.disabled) return null;
            found.scrollIntoView({block: "center"});
            const box = found.getBoundingClientRect();
            const x = box.left + box.width / 2, y = box.top + box.height / 2;
            const top = page.elementFromPoint(x, y);
            if (!top || !(found.contains(top) || top.contains(found))) return null;
            const frame = page.defaultView.frameElement?.getBoundingClientRect();
            return {x: x + (frame?.left || 0), y: y + (frame?.top || 0)};
        })()""".replace("SELECTOR", json.dumps(selector)))
        for kind in ("mousePressed", "mouseReleased"):
            self._call("Input.dispatchMouseEvent", type=kind, x=place["x"], y=place["y"], button="left", clickCount=1)

    def focus(self, selector):
        self.evaluate(f"page.querySelector({json.dumps(selector)}).focus()")

    def type(self, selector, text):
        """Types a text into a field, in which it replaces the former text."""
        self.evaluate(f"page.querySelector({json.dumps(selector)}).select()")
        self._call("Input.insertText", text=text)

    def press(self, key):
        code, text = KEYS[key]
        for kind in ("keyDown", "keyUp"):
            self._call("Input.dispatchKeyEvent", type=kind, key=key, code=key, windowsVirtualKeyCode=code,
                       **({"text": text} if kind == "keyDown" and text else {}))

    def screenshot(self):
        """What the tab shows, as a PNG."""
        return base64.b64decode(self._call("Page.captureScreenshot", format="png")["data"])
