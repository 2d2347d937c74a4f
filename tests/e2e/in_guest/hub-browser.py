#!/usr/bin/env python3
"""What a student does with a browser and a JupyterHub. It runs in the guest, and keeps its cookies from call to call.

    hub-browser.py USER login PASSWORD    status of the login
    hub-browser.py USER start             starts the server; waits until its page is there
    hub-browser.py USER open              a page of the server, which shows a file of the student's
    hub-browser.py USER run CODE          what a notebook's cell prints
    hub-browser.py USER terminal LINE     what a terminal prints until LINE has ended
    hub-browser.py USER stop              stops the server; waits until it is
    hub-browser.py USER logout
"""

import asyncio
import http.cookiejar
import json
import re
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
import uuid

HUB = "http://127.0.0.1:8000"
# In the student's home directory.
PAGE = "files/welcome.html"
DEADLINE = 60


class Browser:
    def __init__(self, user):
        self.user = user
        self.cookies = http.cookiejar.LWPCookieJar(f"/tmp/hub-browser-{user}")
        try:
            self.cookies.load(ignore_discard=True)
        except FileNotFoundError:
            pass
        self._opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(self.cookies))

    def save(self):
        self.cookies.save(ignore_discard=True)

    def request(self, path, data=None, method=None):
        """Follows redirects; returns the last answer's status, its address, and its text. Data is a form or JSON."""
        headers = {"X-XSRFToken": self.token(path)}
        if isinstance(data, dict):
            data = json.dumps(data).encode()
            headers["Content-Type"] = "application/json"
        request = urllib.request.Request(HUB + path, data, headers, method=method)
        try:
            answer = self._opener.open(request, timeout=DEADLINE)
        except urllib.error.HTTPError as error:
            answer = error
        with answer:
            return answer.status, answer.geturl(), answer.read().decode("utf-8", "replace")

    def page(self, path):
        """A page as one that was gone to."""
        return self.request(path)

    def cookies_for(self, path):
        request = urllib.request.Request(HUB + path)
        self.cookies.add_cookie_header(request)
        return request.get_header("Cookie", "")

    def token(self, path):
        # The hub and each server have one of their own; the one of the longer path comes first.
        found = re.search(r"_xsrf=([^;]*)", self.cookies_for(path))
        return found[1] if found else ""

    # The hub

    def login(self, password):
        self.page("/hub/login")
        form = {"username": self.user, "password": password, "_xsrf": self.token("/hub/login")}
        # Without `next`, the hub would start the server at once.
        status, where, _ = self.request("/hub/login?next=%2Fhub%2Fhome", urllib.parse.urlencode(form).encode())
        return status if where.endswith("/hub/home") else f"{status} {where}"

    def start(self):
        self.page("/hub/home")
        status, where, text = self.page("/hub/spawn")
        if status >= 400:
            return f"{status} {reason(text)}"
        return self.wait(self.server_or_failure, "the server starts") or where

    def server_or_failure(self):
        # A page that is its user's alone, so the server asks the hub who this is.
        status, where, _ = self.page(self.base() + PAGE)
        if status == 200 and where.startswith(HUB + self.base()):
            return "started"
        # The page that says how it went wrong, and not the one that says that there is no server yet.
        status, _, pending = self.page(f"/hub/spawn-pending/{self.user}")
        return f"{status} {reason(pending)}" if status >= 500 else None

    def stop(self):
        self.page("/hub/home")
        status, _, text = self.request(f"/hub/api/users/{self.user}/server", method="DELETE")
        if status not in (202, 204):
            return f"{status} {text}"
        return self.wait(lambda: self.model()["server"] is None and not self.model()["pending"] and "stopped",
                         "the server stops")

    def model(self):
        return json.loads(self.request(f"/hub/api/users/{self.user}")[2])

    def logout(self):
        return self.page("/hub/logout")[0]

    def wait(self, check, what):
        deadline = time.monotonic() + DEADLINE
        while time.monotonic() < deadline:
            result = check()
            if result:
                return result
            time.sleep(0.2)
        raise TimeoutError(f"not so in {DEADLINE} s: {what}")

    # The server

    def base(self):
        return f"/user/{self.user}/"

    def open(self):
        status, _, text = self.page(self.base() + PAGE)
        return f"{status} {text}"

    def run(self, code):
        status, _, text = self.request(self.base() + "api/kernels", {"name": "python3"})
        if status != 201:
            return f"{status} {text}"
        kernel = json.loads(text)["id"]
        output = asyncio.run(self.execute(kernel, code))
        self.request(self.base() + f"api/kernels/{kernel}", method="DELETE")
        return output

    async def execute(self, kernel, code):
        socket = await self.websocket(self.base() + f"api/kernels/{kernel}/channels")
        header = {"msg_id": uuid.uuid4().hex, "msg_type": "execute_request", "username": self.user,
                  "session": uuid.uuid4().hex, "version": "5.3"}
        content = {"code": code, "silent": False, "store_history": False, "user_expressions": {},
                   "allow_stdin": False, "stop_on_error": True}
        await socket.write_message(json.dumps({"header": header, "parent_header": {}, "metadata": {}, "buffers": [],
                                               "content": content, "channel": "shell"}))
        output = ""
        while True:
            message = json.loads(await asyncio.wait_for(socket.read_message(), DEADLINE))
            if message["parent_header"].get("msg_id") != header["msg_id"]:
                continue
            content = message["content"]
            output += content.get("text", "") or "\n".join(content.get("traceback", []))
            if message["msg_type"] == "status" and content["execution_state"] == "idle":
                return output

    def terminal(self, line):
        status, _, text = self.request(self.base() + "api/terminals", {})
        if status not in (200, 201):
            return f"{status} {text}"
        name = json.loads(text)["name"]
        output = asyncio.run(self.type(name, line))
        self.request(self.base() + f"api/terminals/{name}", method="DELETE")
        return output

    async def type(self, name, line):
        socket = await self.websocket(self.base() + f"terminals/websocket/{name}")
        # Its two halves, so that the terminal's echo is not taken for the end.
        await socket.write_message(json.dumps(["stdin", f"{line}; echo the'-'end\r"]))
        output = ""
        while "the-end" not in output:
            kind, *rest = json.loads(await asyncio.wait_for(socket.read_message(), DEADLINE))
            output += rest[0] if kind == "stdout" else ""
        return output

    async def websocket(self, path):
        # Only here: it takes a while to load.
        import tornado.httpclient
        import tornado.websocket
        request = tornado.httpclient.HTTPRequest(HUB.replace("http", "ws", 1) + path,
                                                 headers={"Cookie": self.cookies_for(path), "Origin": HUB})
        return await tornado.websocket.websocket_connect(request)


def reason(text):
    """What the hub's page says of an error."""
    return " ".join(re.sub(r"<script.*?</script>|<[^>]*>", " ", text, flags=re.DOTALL).split())


def main():
    user, command, *arguments = sys.argv[1:]
    browser = Browser(user)
    print(getattr(browser, command)(*arguments))
    browser.save()


if __name__ == "__main__":
    main()
