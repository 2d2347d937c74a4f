"""The storm's agent in the guest: does what storm.py orders, at once and many things side by side.

Orders come as JSON, one a line, on stdin; what came of them goes to stdout in the same form, each line with the time it
was known at. A login of kind "pam" is a process that opens a PAM session by libpam itself; one of kind "ssh" is a real
ssh client with a shell at the other end. Nothing here decides anything: see storm.py.
"""

import ctypes
import json
import os
import selectors
import signal
import subprocess
import sys
import time

PAM_SERVICE = "coursenet-storm"
STATE_DIRECTORY = "/run/coursenet/state"
WIRING = "/run/systemd/system/nsbr@{}.service.d/50-coursenet.conf"
UNITS = ["netbr@*", "netns@*", "nsbr@*", "coursenet-*.slice"]
PR_SET_PDEATHSIG = 1

# The shell's own pid, that of the process which opened the session (sshd's privileged one), and the seat.
REPORT = "echo READY $$ $(sed -n 's/^PPid:.//p' /proc/$PPID/status) $COURSENET_SEAT\n"


def tell(**event):
    # One write a line, because forked children report too.
    os.write(1, (json.dumps({**event, "time": time.monotonic()}) + "\n").encode())


# --- a login by libpam --------------------------------------------------------------------------------------------

CONVERSE = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_int, ctypes.POINTER(ctypes.c_void_p), ctypes.c_void_p,
                            ctypes.c_void_p)
PAM_CONV_ERR = 19


class Message(ctypes.Structure):
    _fields_ = [("style", ctypes.c_int), ("text", ctypes.c_char_p)]


class Conversation(ctypes.Structure):
    _fields_ = [("converse", CONVERSE), ("data", ctypes.c_void_p)]


class PamSession:
    def __init__(self, user):
        self.said = []
        self._pam = ctypes.CDLL("libpam.so.0")
        self._pam.pam_getenv.restype = ctypes.c_char_p
        self._conversation = Conversation(CONVERSE(self._hear), None)
        self._handle = ctypes.c_void_p()
        self._pam.pam_start(PAM_SERVICE.encode(), user.encode(), ctypes.byref(self._conversation),
                            ctypes.byref(self._handle))

    def _hear(self, count, messages, _responses, _data):
        for i in range(count):
            self.said.append(ctypes.cast(messages[i], ctypes.POINTER(Message)).contents.text.decode())
        return PAM_CONV_ERR

    def open(self):
        return self._pam.pam_open_session(self._handle, 0)

    def seat(self):
        return (self._pam.pam_getenv(self._handle, b"COURSENET_SEAT") or b"").decode()

    def close(self):
        result = self._pam.pam_close_session(self._handle, 0)
        self._pam.pam_end(self._handle, result)
        return result


def be_pam_login(number, user, orders):
    """In a process of its own: opens, waits for a byte, closes. The storm may kill it at any time."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    session = PamSession(user)
    result = session.open()
    if result:
        tell(event="refused", login=number, text=f"PAM error {result}: {' '.join(session.said)}")
        return
    tell(event="opened", login=number, opener=os.getpid(), inside=os.getpid(), seat=session.seat())
    os.read(orders, 1)
    result = session.close()
    if result:
        tell(event="close-failed", login=number, text=f"PAM error {result}: {' '.join(session.said)}")


class PamLogin:
    def __init__(self, agent, number, user):
        orders, self._orders = os.pipe()
        alive, alive_in_child = os.pipe()
        self.pid = self.opener = os.fork()
        if not self.pid:
            status = 1
            try:
                be_pam_login(number, user, orders)
                status = 0
            finally:
                os._exit(status)  # pylint: disable=protected-access
        os.close(orders)
        os.close(alive_in_child)
        self._alive = alive
        agent.watch(alive, self._handle_end)
        self._agent, self._number = agent, number

    def _handle_end(self):
        self._agent.forget(self._alive)
        os.waitpid(self.pid, 0)
        os.close(self._orders)
        self._agent.end_login(self._number)

    def close(self):
        os.write(self._orders, b"x")

    def kill_client(self):
        os.kill(self.pid, signal.SIGKILL)

    kill_opener = kill_client


# --- a login by ssh -----------------------------------------------------------------------------------------------

class SshLogin:
    def __init__(self, agent, number, user):
        self._agent, self._number = agent, number
        self._text = ""
        self._ready = False
        self.opener = None
        self._client = subprocess.Popen(["ssh", "-T", f"{user}@127.0.0.1"], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        self._send(REPORT)
        agent.watch(self._client.stdout.fileno(), self._handle_output)

    def _send(self, text):
        os.write(self._client.stdin.fileno(), text.encode())

    def _handle_output(self):
        data = os.read(self._client.stdout.fileno(), 65536)
        self._text += data.decode("utf-8", "replace")
        if not data:
            self._handle_end()
        elif not self._ready and "READY " in self._text and self._text.endswith("\n"):
            self._handle_ready(self._text.split("READY ")[1].split())

    def _handle_ready(self, words):
        self._ready = True
        inside, self.opener = int(words[0]), int(words[1])
        tell(event="opened", login=self._number, opener=self.opener, inside=inside, seat=(words[2:] or [""])[0])

    def _handle_end(self):
        self._agent.forget(self._client.stdout.fileno())
        self._client.stdout.close()
        self._client.stdin.close()
        status = self._client.wait()
        if not self._ready:
            tell(event="refused", login=self._number, text=f"ssh ended with {status}: {self._text.strip()}")
        self._agent.end_login(self._number)

    def close(self):
        self._send("exit\n")

    def kill_client(self):
        self._client.kill()

    def kill_opener(self):
        # Not known yet: nothing to kill.
        if self.opener:
            os.kill(self.opener, signal.SIGKILL)


# --- what happens to units and programs ---------------------------------------------------------------------------

def list_units():
    output = subprocess.run(["systemctl", "list-units", "--all", "--plain", "--no-legend", "--no-pager", *UNITS],
                            stdout=subprocess.PIPE, text=True, check=True).stdout
    return {words[0]: words[2] for words in map(str.split, output.splitlines())}


def read_record(name):
    with open(f"{STATE_DIRECTORY}/{name}", encoding="ascii") as file:
        return dict(line.rstrip("\n").split(" = ", 1) for line in file if " = " in line)


def opener_of(slice_name):
    try:
        return int(read_record(slice_name[len("coursenet-"):-len(".slice")])["opener"])
    except (FileNotFoundError, KeyError):
        return None


def stop_a_unit(number, kind, draw):
    """Stops the draw-th of the units there are; which one it hits is told before and after."""
    live = sorted(unit for unit, state in list_units().items()
                  if state in ("active", "activating") and unit.startswith(kind))
    if not live:
        return
    unit = live[draw % len(live)]
    opener = opener_of(unit) if kind == "coursenet-" else None
    tell(event="stopping", task=number, unit=unit, opener=opener)
    # A login that comes in between cancels the stop, which systemctl reports as a failure.
    subprocess.run(["systemctl", "--quiet", "stop", unit], stderr=subprocess.DEVNULL, check=False)
    tell(event="stopped", task=number, unit=unit, opener=opener)


def helper_command(pid):
    """What a unit's coursenet-net is about, as ["netns", "start", "20110"]; None if the process is another."""
    try:
        with open(f"/proc/{pid}/comm", encoding="utf-8") as file:
            if file.read() != "coursenet-net\n":
                return None
        with open(f"/proc/{pid}/cmdline", encoding="utf-8") as file:
            command = file.read().split("\0")[1:-1]
        # The watch and its jobs are of that name too.
        return command if len(command) == 3 else None
    except (FileNotFoundError, ProcessLookupError):
        return None


def kill_a_helper(seconds):
    """Waits for a coursenet-net to come along and kills it: each lives for a few milliseconds only."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        # Numbers rise, so the newest processes are the last ones.
        for pid in sorted((int(name) for name in os.listdir("/proc") if name.isdigit()), reverse=True)[:12]:
            command = helper_command(pid)
            if not command:
                continue
            # Reported before, so that its consequences have a cause in the record.
            tell(event="helper-killed", command=command)
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
            return


# --- facts --------------------------------------------------------------------------------------------------------

def listing(directory):
    try:
        return sorted(os.listdir(directory))
    except FileNotFoundError:
        return []


def namespace_mounts():
    with open("/proc/self/mountinfo", encoding="utf-8") as file:
        return sorted(line.split()[4] for line in file if " /run/netns/" in line)


def inode(path):
    try:
        return os.stat(path).st_ino
    except (FileNotFoundError, PermissionError, ProcessLookupError):
        return None


def run_text(*command):
    return subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False).stdout


def read_records():
    records = {}
    for name in listing(STATE_DIRECTORY):
        try:
            records[name] = read_record(name)
        except FileNotFoundError:
            pass
    return records


def read_wiring(seats):
    wiring = {}
    for seat in seats:
        try:
            with open(WIRING.format(seat), encoding="utf-8") as file:
                wiring[seat] = file.read()
        except FileNotFoundError:
            wiring[seat] = ""
    return wiring


def gather_facts(order):
    namespaces = listing("/run/netns")
    return {
        "jobs": [line for line in run_text("systemctl", "list-jobs", "--no-legend", "--plain").splitlines() if line],
        "units": list_units(),
        "failed": [line.split()[0] for line in
                   run_text("systemctl", "list-units", "--failed", "--plain", "--no-legend").splitlines()],
        "status": run_text("coursenetctl", "status", "--json"),
        "links": [name for name in listing("/sys/class/net") if name[:3] in ("br-", "vl-", "vr-")],
        "namespaces": {name: inode(f"/run/netns/{name}") for name in namespaces},
        "mounts": namespace_mounts(),
        "records": read_records(),
        "wiring": read_wiring(order["seats"]),
        "inside": {str(pid): inode(f"/proc/{pid}/ns/net") for pid in order["inside"]},
    }


# --- orders -------------------------------------------------------------------------------------------------------

class Agent:
    def __init__(self):
        self._selector = selectors.DefaultSelector()
        self._logins = {}
        self._rest = b""

    def watch(self, descriptor, handler):
        self._selector.register(descriptor, selectors.EVENT_READ, handler)

    def forget(self, descriptor):
        self._selector.unregister(descriptor)

    def end_login(self, number):
        del self._logins[number]
        tell(event="gone", login=number)

    def _start_task(self, number, function, *arguments):
        """Runs a function beside all else, in a process of its own; its end is told."""
        reader, writer = os.pipe()
        pid = os.fork()
        if not pid:
            try:
                function(*arguments)
            finally:
                os._exit(0)  # pylint: disable=protected-access
        os.close(writer)
        self.watch(reader, lambda: self._end_task(number, pid, reader))

    def _end_task(self, number, pid, reader):
        self.forget(reader)
        os.close(reader)
        os.waitpid(pid, 0)
        tell(event="done", task=number)

    def _end(self, number, how):
        try:
            if number in self._logins:
                getattr(self._logins[number], how)()
        except (BrokenPipeError, ProcessLookupError):
            pass  # it has just ended by itself

    def _obey(self, order):
        what, number = order["do"], order.get("number")
        if what == "login":
            # Reported first, because the child may be faster than this process.
            tell(event="opening", login=number)
            kind = SshLogin if order["kind"] == "ssh" else PamLogin
            self._logins[number] = kind(self, number, order["user"])
        elif what in ("close", "kill_client", "kill_opener"):
            self._end(number, what)
        elif what == "command":
            self._start_task(number, lambda: subprocess.run(order["command"], stderr=subprocess.DEVNULL, check=False))
        elif what == "stop":
            self._start_task(number, stop_a_unit, number, order["kind"], order["draw"])
        elif what == "kill_helper":
            self._start_task(number, kill_a_helper, order["seconds"])
        elif what == "facts":
            tell(event="facts", facts=gather_facts(order))

    def _handle_orders(self):
        data = os.read(0, 65536)
        if not data:
            sys.exit(0)
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines:
            self._obey(json.loads(line))

    def run(self):
        self.watch(0, self._handle_orders)
        while True:
            for key, _ in self._selector.select():
                # One of the same round may have ended another.
                if key.fd in self._selector.get_map():
                    key.data()


if __name__ == "__main__":
    Agent().run()
