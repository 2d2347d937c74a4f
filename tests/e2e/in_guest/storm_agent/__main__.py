"""The storm's agent in the guest: does the events that storm.py sends, as many at the same time as each event says.

Orders come as JSON, one a line, on stdin; what came of them goes to stdout in the same form. An event has "do", which is the
name of a function below, and "with": it begins when fewer than that many are under way. Nothing here decides what is right:
see storm.py.
"""

import collections
import ctypes
import json
import os
import selectors
import signal
import struct
import subprocess
import sys
import time

import facts
from logins import log_in
from report import tell
from strikes import (BUS_NAMES, SERVICES, Environment, kill, listing, list_units, move_line, newest_helper, processes_of,
                     quietly, roster_path, scope_of)

# How long a kill waits for its moment.
MOMENT_SECONDS = 0.4
# A process is in /proc with its own name some time after its program was opened.
HELPER_SECONDS = 0.008
FIRST_STUDENT_UID = 20000

IN_CREATE, IN_OPEN, IN_MOVED_TO = 0x100, 0x20, 0x80
NET_PROGRAM = "/usr/libexec/coursenet/coursenet-net"
# At which moment a process is killed: when a record, a receipt or a namespace appears, or a unit's program is started.
MOMENTS = {"record": ("/run/coursenet/state", IN_CREATE | IN_MOVED_TO), "receipt": ("/run/coursenet/prepared", IN_CREATE | IN_MOVED_TO),
           "namespace": ("/run/netns", IN_CREATE), "helper": (NET_PROGRAM, IN_OPEN)}
# Of our own journal lines these are told: errors, and what a sanitizer or a crash writes.
OURS = ("coursenet", "netns@", "nsbr@", "netbr@", "pam_coursenet")
JOURNALS = [["--priority=err"],
            ["--grep=AddressSanitizer|LeakSanitizer|runtime error:|code=dumped|Assertion .* failed|core dumped"]]


def until_started(*services):
    """A shell command. A daemon-reexec loses calls that come just then: systemctl fails, and an administrator tries again."""
    return f"for try in 1 2 3 4 5 6 7 8 9 10; do systemctl start {' '.join(services)} && break; sleep 0.2; done"


def until_on_the_bus(name):
    """A shell command. A service that has lost the bus is active, so only a restart brings it back."""
    return (f"for try in 1 2 3 4 5 6 7 8 9 10; do busctl --quiet status {BUS_NAMES[name]} && break; "
            f"systemctl restart {SERVICES[name]}; sleep 0.2; done")


class Moments:
    """Calls a function once something happens in a folder, or a program is opened."""

    def __init__(self, agent):
        self._libc = ctypes.CDLL(None, use_errno=True)
        self._descriptor = self._libc.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC)
        self._waiting = {}
        agent.watch(self._descriptor, self._handle)

    def await_one(self, moment, function):
        path, mask = MOMENTS[moment]
        number = self._libc.inotify_add_watch(self._descriptor, path.encode(), mask)
        if number < 0:
            return False
        self._waiting.setdefault(number, []).append(function)
        return True

    def _handle(self):
        data = os.read(self._descriptor, 65536)
        functions = []
        while data:
            number, _, _, length = struct.unpack_from("iIII", data)
            data = data[16 + length:]
            functions += self._waiting.pop(number, [])
            self._libc.inotify_rm_watch(self._descriptor, number)
        for function in functions:
            function()


class Agent:
    def __init__(self):
        self._selector = selectors.DefaultSelector()
        self._timers = []
        self._rest = b""
        self._logins = {}
        self._events = collections.deque()
        self._busy = set()
        self._n_tasks = 0
        self._quiet = False
        self._open_strikes, self._deletions = [], []
        self._roster_tasks, self._repair_waits = set(), False
        self._moments = Moments(self)
        self._prober = facts.Prober()
        self._environment = None

    # The loop

    def watch(self, descriptor, handler):
        self._selector.register(descriptor, selectors.EVENT_READ, handler)

    def forget(self, descriptor):
        self._selector.unregister(descriptor)

    def _later(self, seconds, function):
        self._timers.append((time.monotonic() + seconds, function))

    def run(self):
        self.watch(0, self._handle_orders)
        for arguments in JOURNALS:
            self._follow_journal(arguments)
        while True:
            timeout = max(0, min(self._timers)[0] - time.monotonic()) if self._timers else None
            for key, _ in self._selector.select(timeout):
                # One of the same round may have ended another.
                if key.fd in self._selector.get_map():
                    key.data()
            now = time.monotonic()
            due = [function for when, function in self._timers if when <= now]
            self._timers = [timer for timer in self._timers if timer[0] > now]
            for function in due:
                function()
            self._begin_events()

    def _handle_orders(self):
        data = os.read(0, 1 << 20)
        if not data:
            sys.exit(0)
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines:
            order = json.loads(line)
            getattr(self, f"_order_{order['order']}")(order)

    def _order_prepare(self, _order):
        self._environment = Environment()
        tell(event="prepared")

    def _order_events(self, order):
        self._events.extend(order["events"])

    def _order_facts(self, order):
        jobs = facts.wait_for_jobs()
        tell(event="facts", facts={"jobs": jobs} if jobs else {"jobs": [], **facts.gather(order, self._prober)})

    def _order_busy(self, _order):
        tell(event="busy", text=f"under way: {sorted(map(str, self._busy))}, {len(self._events)} events to come")

    def _order_check(self, _order):
        tell(event="checked", text=facts.run_text("coursenetctl", "check"))

    # Events

    def _begin_events(self):
        while self._events and len(self._busy) < self._events[0]["with"]:
            event = self._events.popleft()
            getattr(self, "_do_" + event["do"])(event)
        if self._quiet and not self._busy and not self._events:
            self._quiet = False
            self._rest_now()

    def _do_quiet(self, _event):
        self._quiet = True

    def _rest_now(self):
        self._repair()
        self._stop_without_links()
        self._kill_leftovers()
        tell(event="rested")

    def _task(self, function, *arguments):
        """Runs a function beside all else, in a process of its own."""
        self._n_tasks += 1
        task = f"task {self._n_tasks}"
        reader, writer = os.pipe()
        pid = os.fork()
        if not pid:
            try:
                function(*arguments)
            finally:
                os._exit(0)  # pylint: disable=protected-access
        os.close(writer)
        self._busy.add(task)
        self.watch(reader, lambda: self._end_task(task, pid, reader))
        return task

    def _end_task(self, task, pid, reader):
        data = os.read(reader, 4096)
        if data:
            return
        self.forget(reader)
        os.close(reader)
        os.waitpid(pid, 0)
        self._busy.discard(task)
        self._roster_tasks.discard(task)
        if self._repair_waits and not self._roster_tasks:
            self._repair()

    # Strikes

    def _strike(self, what, scope, may=(), **more):
        self._n_tasks += 1
        # Forked children report strikes too.
        number = f"{os.getpid()}-{self._n_tasks}"
        tell(event="strike", number=number, what=what, scope=scope, may=list(may), **more)
        return number

    @staticmethod
    def _struck(number, **more):
        tell(event="struck", number=number, **more)

    def _strike_by(self, what, scope, may, *command):
        """A strike that is a command."""
        number = self._strike(what, scope, may)
        self._task(lambda: self._struck(number, status=quietly(*command).returncode))

    def _strike_at_once(self, what, scope, may=()):
        self._struck(self._strike(what, scope, may))

    def _strike_until_repaired(self, what, scope, may=()):
        self._open_strikes.append(self._strike(what, scope, may))

    # Logins

    def _do_login(self, event):
        number = event["n"]
        tell(event="opening", login=number)
        self._busy.add(number)
        self._logins[number] = log_in(self, number, event["kind"], event["user"])

    def handle_answered(self, number):
        self._busy.discard(number)

    def end_login(self, number):
        del self._logins[number]
        self._busy.discard(number)
        tell(event="gone", login=number)

    def _end(self, number, how):
        login = self._logins.get(number)
        if not login:
            return
        tell(event="closing", login=number, how=how)
        try:
            getattr(login, how, login.close)()
        except (BrokenPipeError, ProcessLookupError, ValueError):
            pass  # it has just ended by itself
        # A shell behind sshd or su outlives the process that opened the session.
        if how != "kill_opener" or not hasattr(login, "leave"):
            self._busy.add(number)

    def _do_close(self, event):
        self._end(event["n"], "close")

    def _do_leave(self, event):
        self._end(event["n"], "leave")

    def _do_kill_client(self, event):
        self._end(event["n"], "kill_client")

    def _do_kill_opener(self, event):
        self._end(event["n"], "kill_opener")

    def _do_kill_opening(self, event):
        """Kills a login's process at a moment at which it may not have its answer yet."""
        self._at_moment(event["at"], lambda: self._end(event["n"], "kill_client"))

    @staticmethod
    def _kill_leftovers():
        """What students left running."""
        for name in listing("/proc"):
            if not name.isdigit():
                continue
            try:
                if os.stat(f"/proc/{name}").st_uid >= FIRST_STUDENT_UID:
                    with open(f"/proc/{name}/comm", encoding="utf-8") as file:
                        if file.read() == "sleep\n":
                            kill(int(name))
            except (FileNotFoundError, ProcessLookupError):
                pass

    # Holds

    def _do_hold(self, event):
        number = self._strike("hold", event["user"], ["hold"])

        def run():
            result = subprocess.run(["coursenetctl", "start", event["user"]], stdin=subprocess.DEVNULL, text=True,
                                    stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
            self._struck(number, status=result.returncode, text=result.stdout.strip())
        self._task(run)

    def _do_stop_leases(self, event):
        self._strike_by("coursenetctl stop", event["target"], ["refuse", "cut", "must"], "coursenetctl", "stop", event["target"])

    # Kills

    def _at_moment(self, moment, function):
        """Calls a function when something happens, or after a while if nothing does."""
        if not moment:
            function()
            return
        self._n_tasks += 1
        task = f"moment {self._n_tasks}"

        def once():
            if task in self._busy:
                self._busy.discard(task)
                function()
        self._busy.add(task)
        self._moments.await_one(moment, once)
        self._later(MOMENT_SECONDS, once)

    def _do_kill(self, event):
        self._at_moment(event["at"], lambda: self._kill_service(event["what"], event["draw"], event["signal"]))

    def _kill_service(self, what, draw, number):
        pids = processes_of(SERVICES[what])
        if pids:
            # The first is the service's own; the others are its jobs.
            victim = pids[0] if draw % 3 else pids[draw % len(pids)]
            # A job of the activator asks the user database who has called coursenet-enter.
            self._strike_at_once(f"kill {what}", "*", ["refuse"] if what == "activator" and victim != pids[0] else [])
            kill(victim, number)

    def _do_kill_helper(self, event):
        self._at_moment("helper", lambda: self._kill_helper(event["draw"] / 1000))

    def _kill_helper(self, delay):
        deadline = time.monotonic() + HELPER_SECONDS
        while time.monotonic() < deadline:
            pid, command = newest_helper()
            if pid:
                thing, verb, name = command
                may = ["refuse", "cut"] if verb == "start" else ["scar"]
                self._strike_at_once(f"kill coursenet-net {thing} {verb}", name, may + ["fail"])
                end = time.monotonic() + delay
                while time.monotonic() < end:
                    pass
                kill(pid)
                return

    # systemd

    def _do_reload(self, _event):
        self._strike_by("daemon-reload", "*", [], "systemctl", "daemon-reload")

    def _do_reexec(self, _event):
        # With /run full PID 1 could not write down its state, and would stop for good.
        if not self._environment.sizes:
            self._strike_by("daemon-reexec", "*", [], "systemctl", "daemon-reexec")

    def _do_restart(self, event):
        if event["what"] == "bus":
            # logind does not always come back to a new bus, on any server. coursenet has to wait for it.
            self._strike_by("restart bus and logind", "*", [], "sh", "-c",
                            f"systemctl restart {SERVICES['bus']}; systemctl restart {SERVICES['logind']}; "
                            + until_started(SERVICES["bus"], SERVICES["logind"]) + f"; {until_on_the_bus('logind')}")
        else:
            service = SERVICES[event["what"]]
            self._strike_by(f"restart {event['what']}", "*", [], "sh", "-c", f"systemctl restart {service}; {until_started(service)}")

    def _do_stop_and_start(self, event):
        """Unlike a restart, this empties the FD store."""
        service = SERVICES[event["what"]]
        self._strike_by(f"stop and start {event['what']}", "*", [], "sh", "-c", f"systemctl stop {service}; {until_started(service)}")

    def _do_cancel(self, _event):
        # A daemon whose restart was cancelled waits for ever, and its socket does not start it.
        daemons = " ".join(SERVICES[name] for name in ("activator", "network", "worker"))
        self._strike_by("cancel all jobs", "*", ["refuse", "cut"], "sh", "-c", f"systemctl cancel; systemctl start {daemons}")

    def _do_stop_unit(self, event):
        def run():
            live = sorted(unit for unit, state in list_units().items()
                          if state in ("active", "activating") and unit.startswith(event["kind"]))
            if not live:
                return
            unit = live[event["draw"] % len(live)]
            number = self._strike(f"stop {event['kind']}", scope_of(unit), ["refuse", "cut", "must"])
            # A login that comes in between cancels the stop, which systemctl reports as a failure.
            self._struck(number, status=quietly("systemctl", "--quiet", "stop", unit).returncode)
        self._task(run)

    # Files and limits

    def _do_settings(self, event):
        if event["variant"] == "open":
            self._environment.open_settings()
            may = ["refuse"]
        else:
            may = self._environment.edit_settings(event["variant"])
        self._strike_until_repaired(f"settings: {event['variant']}", "*", [*may, "settings"])

    def _do_roster(self, event):
        course, student = event["user"][2:].split("-")
        change = event["change"]
        environment = self._environment
        self._strike_until_repaired(f"roster: {change}", course if change in ("torn", "open", "move", "swap") else event["user"],
                                  ["refuse", "renumber"])
        if change == "remove":
            self._roster_tasks.add(self._task(environment.run_roster, course, "remove", student))
            environment.touched.add(roster_path(course))
        elif change == "add":
            self._roster_tasks.add(self._task(environment.run_roster, course, "add", f"new{event['draw']:03}"))
            environment.touched.add(roster_path(course))
        elif change == "bad-line":
            environment.edit_roster(course, lambda text: text.replace(f"{student} ", f"{student} x", 1))
        elif change == "torn":
            environment.edit_roster(course, lambda text: text[:len(text) // 2])
        elif change == "open":
            environment.touched.add(roster_path(course))
            os.chmod(roster_path(course), 0o666)
        elif change == "move":
            environment.edit_roster(course, lambda text: move_line(text, student, str(100 + event["draw"] % 100)))
        elif change == "swap":
            other = str(10 + event["draw"] % 13)
            environment.edit_roster(course, lambda text: move_line(text, student, other))

    def _do_flush(self, event):
        self._strike_by(f"nft {event['what']}", "*", [], "nft", *event["what"].split())

    def _do_link(self, event):
        live = [name for name in listing("/sys/class/net") if name.startswith(event["kind"])]
        if live:
            name = live[event["draw"] % len(live)]
            number = self._strike(f"link {event['op']} {event['kind']}", name[3:], ["refuse", "cut"])
            (self._open_strikes if event["op"] == "down" else self._deletions).append(number)
            self._environment.set_link(name, event["op"] == "down")

    def _do_fill(self, event):
        self._strike_until_repaired(f"fill {event['where']}", "*", ["refuse", "cut"] if event["where"] == "/run" else ["refuse"])
        self._environment.fill(event["where"])

    def _do_starve(self, event):
        self._strike_until_repaired(f"starve {event['what']}", "*", ["refuse"] if event["what"] == "activator" else [])
        self._environment.starve(event["what"])

    def _do_repair(self, _event):
        # A command that changes a roster would undo the repair.
        self._repair_waits = bool(self._roster_tasks)
        if not self._repair_waits:
            self._repair()

    def _repair(self):
        self._repair_waits = False
        self._environment.repair()
        for number in self._open_strikes:
            self._struck(number)
        self._open_strikes.clear()

    def _stop_without_links(self):
        """Only a new start makes a deleted link again. No login is under way that could overtake the stop."""
        for name in self._environment.take_deleted():
            number = self._strike("coursenetctl stop, for a deleted link", name[3:], ["refuse", "cut", "must"])
            self._struck(number, status=quietly("coursenetctl", "stop", name[3:]).returncode)
        for number in self._deletions:
            self._struck(number)
        self._deletions.clear()

    # The journal

    def _follow_journal(self, arguments):
        journal = subprocess.Popen(["journalctl", "--follow", "--lines=0", "--output=json", *arguments], stdout=subprocess.PIPE,
                                   stderr=subprocess.DEVNULL)
        os.set_blocking(journal.stdout.fileno(), False)
        rest = [b""]

        def handle():
            data = os.read(journal.stdout.fileno(), 1 << 16)
            if not data:
                self.forget(journal.stdout.fileno())
                return
            *lines, rest[0] = (rest[0] + data).split(b"\n")
            for line in lines:
                tell_entry(json.loads(line))
        self.watch(journal.stdout.fileno(), handle)


def tell_entry(entry):
    unit = entry.get("UNIT") or entry.get("_SYSTEMD_UNIT") or ""
    source = entry.get("SYSLOG_IDENTIFIER") or entry.get("_COMM") or ""
    text = entry.get("MESSAGE")
    text = text if isinstance(text, str) else str(text)
    if any(word in f"{unit} {source} {text}" for word in OURS):
        tell(event="journal", unit=unit, source=source, text=text, time=int(entry["__MONOTONIC_TIMESTAMP"]) / 1e6)


if __name__ == "__main__":
    signal.signal(signal.SIGPIPE, signal.SIG_IGN)
    Agent().run()
