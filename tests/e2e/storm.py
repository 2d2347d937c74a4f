#!/usr/bin/env python3
"""A storm: many students log in and out at random while processes are killed and units stopped under them.

    python3 tests/e2e/storm.py [--seconds N] [--seed N] [--suite SUITE]

Must run as root. Every ten seconds or so the storm holds its breath; then what the activator says, systemd's units, the
kernel's links and namespaces, the records on disk and the logins that are held must agree to the last one. The same
seed gives the same actions in the same order; how they fall together in time is never quite the same.
"""

import argparse
import collections
import json
import os
import queue
import random
import subprocess
import sys
import threading
import time

sys.dont_write_bytecode = True

# pylint: disable=wrong-import-position
from harness import isolation
from harness import tree
from harness.guest import CommandFailed, Guest
from helpers.seats import add_accounts, leftovers

PROJECT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
AGENT = "/usr/src/coursenet/tests/e2e/in_guest/storm-agent.py"
PAM_FILE = "/etc/pam.d/coursenet-storm"
# A machine that does other things beside may be slow; whether logins are quick is measured elsewhere.
PATIENCE = "timeout=60"
PAM_STACK = f"session required pam_coursenet.so {PATIENCE}\nsession required pam_permit.so\n"
SSH_PAM_FILE = "/etc/pam.d/common-session"

# A course number above 255 among them.
COURSES = {"201": 14, "202": 13, "403": 13}
FIRST_SEAT = 10

ROUND_SECONDS = 10
STORM_SECONDS = 8
MEAN_DELAY = 0.05
HELD_MAX, SSH_HELD_MAX = 40, 12
QUIET_DEADLINE = 120
AGREE_DEADLINE = 20
# How far apart two things may be and still have to do with each other.
MARGIN = 0.5
RSS_SLACK_KIB = 2048
# RuntimeMaxSec= of netbr@: as long after its start a unit may still fail because its program was killed.
HELPER_SECONDS = 20

ACTIONS = {"login": 30, "ssh": 7, "crowd": 3, "logout": 32, "kill_client": 4, "kill_opener": 4, "kill_helper": 4,
           "stop": 5, "reload": 2, "kill_activator": 1, "restart_activator": 1}
STOPPED = {"nsbr@": 4, "netns@": 3, "netbr@": 1, "coursenet-": 4}


class StormFailed(AssertionError):
    pass


Student = collections.namedtuple("Student", "user course seat")


def students():
    return [Student(f"cs{course}-storm{number:02}", course, f"{course}{FIRST_SEAT + number}")
            for course, size in COURSES.items() for number in range(size)]


# --- what is going to happen --------------------------------------------------------------------------------------

class Plan:
    """The actions, by the seed alone: nothing that happens in the guest has a say in them."""

    def __init__(self, seed, rounds):
        self._random = random.Random(seed)
        self._rounds = rounds
        self._students = students()
        self._held = []
        self._n_logins = 0

    def round(self, number):
        """Yields pairs of a delay and an order for the agent."""
        # The last activator lives long enough to show what it leaks.
        calm = 3 * number >= 2 * self._rounds
        passed = 0.0
        while passed < STORM_SECONDS:
            delay = self._random.expovariate(1 / MEAN_DELAY)
            passed += delay
            for order in self._act(calm):
                yield delay, order
                delay = 0.0

    def _act(self, calm):
        action = self._draw(ACTIONS)
        if calm and "activator" in action:
            action = "login"
        if action in ("login", "ssh", "crowd") and len(self._held) >= HELD_MAX:
            action = "logout"
        return getattr(self, f"_{action}")()

    def _draw(self, weights):
        return self._random.choices(list(weights), list(weights.values()))[0]

    def _log_in(self, kind, student):
        if kind == "ssh" and sum(login_kind == "ssh" for _, login_kind in self._held) >= SSH_HELD_MAX:
            kind = "pam"
        self._n_logins += 1
        self._held.append((self._n_logins, kind))
        return {"do": "login", "number": self._n_logins, "kind": kind, "user": student.user}

    def _login(self):
        return [self._log_in("pam", self._random.choice(self._students))]

    def _ssh(self):
        return [self._log_in("ssh", self._random.choice(self._students))]

    def _crowd(self):
        """Several at the same moment; often the same few students, so that some share a seat that is coming up."""
        few = self._random.sample(self._students, self._random.randint(1, 8))
        return [self._log_in(self._draw({"pam": 4, "ssh": 1}), self._random.choice(few))
                for _ in range(self._random.randint(3, 10))]

    def _pick(self, what, stays=lambda kind: False):
        if not self._held:
            return []
        place = self._random.randrange(len(self._held))
        number, kind = self._held[place]
        if not stays(kind):
            del self._held[place]
        return [{"do": what, "number": number}]

    def _logout(self):
        return self._pick("close")

    def _kill_client(self):
        return self._pick("kill_client")

    def _kill_opener(self):
        # A shell behind sshd outlives it, and has to log out like any other.
        return self._pick("kill_opener", lambda kind: kind == "ssh")

    def _kill_helper(self):
        return [{"do": "kill_helper", "seconds": 0.3}]

    def _stop(self):
        return [{"do": "stop", "kind": self._draw(STOPPED), "draw": self._random.randrange(1000)}]

    @staticmethod
    def _reload():
        return [{"do": "command", "command": ["systemctl", "daemon-reload"]}]

    @staticmethod
    def _kill_activator():
        return [{"do": "command", "command": ["systemctl", "kill", "--signal=KILL", "coursenet-activator.service"]}]

    @staticmethod
    def _restart_activator():
        return [{"do": "command", "command": ["systemctl", "restart", "coursenet-activator.service"]}]

    def close_all(self):
        orders = [{"do": "close", "number": number} for number, _ in self._held]
        self._held.clear()
        return orders

    def visit(self, seat):
        """A login more, after the storm, of the student of a seat."""
        [student] = [each for each in self._students if each.seat == seat]
        return self._log_in("pam", student)


# --- what has happened --------------------------------------------------------------------------------------------

class Login:
    """One login as its own process saw it. Times are the guest's, None: not yet."""

    def __init__(self, student, kind, began):
        self.student, self.kind, self.began = student, kind, began
        self.opened = self.refused = self.gone = None
        self.opener = self.inside = None
        self.text = ""

    def __str__(self):
        return f"{self.student.user} ({self.kind}, process {self.opener})"

    def is_open(self):
        return self.opened is not None and self.gone is None

    def answered(self):
        """When the opening ended, one way or the other."""
        return self.opened or self.refused or self.gone or float("inf")


Stop = collections.namedtuple("Stop", "unit opener began ended")
Kill = collections.namedtuple("Kill", "thing verb name time")

HELPER_UNITS = {"bridge": "netbr", "netns": "netns", "seat": "nsbr"}


def strikes(kill, login):
    """Whether it was the start of a unit that the login needs whose program was killed: that unit fails, even if it has counted
    as started already."""
    names = {"bridge": login.student.course, "netns": login.student.seat, "seat": login.student.seat}
    return kill.verb == "start" and kill.name == names.get(kill.thing)


def concerns(stop, login):
    """Whether the stop of a unit takes the ground from under a login, or may do so while that is opening."""
    student = login.student
    if stop.unit.startswith("coursenet-"):
        if stop.opener is None or login.opener is None:
            return stop.unit.startswith(f"coursenet-{student.seat}_")
        return stop.opener == login.opener
    return stop.unit in (f"netbr@{student.course}.service", f"netns@{student.seat}.service",
                         f"nsbr@{student.seat}.service")


class History:
    """Takes up what the agent tells, and knows what each login must have now."""

    def __init__(self):
        self.logins = {}
        self.kills = []
        self.facts = None
        self.tasks = set()
        self.noise = []
        self._stops = {}
        self._finished_stops = []
        self._students = {student.user: student for student in students()}
        self._ordered = {}
        self._closing, self._killed = set(), set()

    def note_order(self, order):
        if order["do"] == "login":
            self._ordered[order["number"]] = order
        elif order["do"] == "close":
            self._closing.add(order["number"])
        # An ssh login does not end with sshd's privileged process: its shell goes on.
        elif order["do"] == "kill_client" or (order["do"] == "kill_opener" and self._is_pam(order["number"])):
            self._closing.add(order["number"])
            self._killed.add(order["number"])

    def _is_pam(self, number):
        return self._ordered[number]["kind"] == "pam"

    def take(self, event):
        getattr(self, "_take_" + event["event"].replace("-", "_"))(event)

    def _take_opening(self, event):
        order = self._ordered[event["login"]]
        self.logins[event["login"]] = Login(self._students[order["user"]], order["kind"], event["time"])

    def _take_opened(self, event):
        login = self.logins[event["login"]]
        login.opened, login.opener, login.inside = event["time"], event["opener"], event["inside"]
        if event["seat"] != login.student.seat:
            self.noise.append(f"{login} was told that its seat is '{event['seat']}'")

    def _take_refused(self, event):
        login = self.logins[event["login"]]
        login.refused, login.text = event["time"], event["text"]

    def _take_gone(self, event):
        self.logins[event["login"]].gone = event["time"]

    def _take_close_failed(self, event):
        self.noise.append(f"{self.logins[event['login']]} could not be closed: {event['text']}")

    def _take_helper_killed(self, event):
        self.kills.append(Kill(*event["command"], event["time"]))

    def _take_stopping(self, event):
        self._stops[event["task"]] = Stop(event["unit"], event["opener"], event["time"], float("inf"))

    def _take_stopped(self, event):
        self._finished_stops.append(self._stops.pop(event["task"])._replace(ended=event["time"]))

    def _take_done(self, event):
        self.tasks.discard(event["task"])

    def _take_facts(self, event):
        self.facts = event["facts"]

    # Questions

    def settled(self):
        """Nothing that was begun is still under way."""
        return (len(self.logins) == len(self._ordered) and not self.tasks
                and all(login.opened or login.gone for login in self.logins.values())
                and all(self.logins[number].gone for number in self._closing))

    def stops(self):
        return self._finished_stops + list(self._stops.values())

    def open_logins(self):
        return [login for login in self.logins.values() if login.is_open()]

    def explained_refusal(self, number):
        login = self.logins[number]
        if number in self._killed:
            return True
        began, ended = login.began - MARGIN, login.answered() + MARGIN
        return (any(concerns(stop, login) and stop.began <= ended and stop.ended >= began for stop in self.stops())
                or any(strikes(kill, login) and began <= kill.time <= ended for kill in self.kills))

    def unexplained_refusals(self):
        return [login for number, login in self.logins.items()
                if login.refused and not self.explained_refusal(number)]

    def may_be_cut(self, login):
        return (any(concerns(stop, login) and stop.ended >= login.began for stop in self.stops())
                or any(strikes(kill, login) and login.began - MARGIN <= kill.time <= login.answered() + HELPER_SECONDS
                       for kill in self.kills))

    def must_be_cut(self, login):
        """A stop came when it was in, and nobody's login of that seat or course came in between and won."""
        return any(concerns(stop, login) and stop.began > login.opened and stop.ended < float("inf")
                   and not self._crossed(stop, login) for stop in self.stops())

    def _crossed(self, stop, login):
        return any(other.student.course == login.student.course and other is not login
                   and other.began - MARGIN <= stop.ended and other.answered() + MARGIN >= stop.began
                   for other in self.logins.values())

    def killed_units(self):
        return {f"{HELPER_UNITS[kill.thing]}@{kill.name}.service" for kill in self.kills if kill.thing in HELPER_UNITS}

    def scars(self):
        """Names that a killed `coursenet-net … stop` may have left in the kernel, until the next start."""
        scars = set()
        for kill in self.kills:
            if kill.verb == "stop":
                scars |= {f"br-{kill.name}", f"vl-{kill.name}", f"ns{kill.name}", f"/run/netns/ns{kill.name}"}
        return scars

    def scarred_seats(self):
        """One seat for each such name, whose next login and logout has to put things right."""
        names = {kill.name for kill in self.kills if kill.verb == "stop"}
        return sorted({name if len(name) > 3 else f"{name}{FIRST_SEAT}" for name in names})


def explained_failures(history, facts):
    """Units that may be failed. A user's own manager is one: without its seat, which a quick logout or a stop has taken
    away before it is up, it must not start."""
    return history.killed_units() | {unit for unit in facts["failed"] if unit.startswith("user@")}


# --- what is true now ---------------------------------------------------------------------------------------------

class Comparison:
    """Collects where the facts differ from each other."""

    def __init__(self, history, facts):
        self._history, self._facts = history, facts
        self.differences = []
        self.seats = {record["seat"] for record in facts["records"].values()}
        self.courses = {seat[:3] for seat in self.seats}

    def run(self):
        self._compare_leases()
        self._compare_units()
        self._compare_kernel()
        self._compare_status()
        self._compare_wiring()
        self._compare_logins()
        return self.differences

    def _same(self, what, found, wanted, tolerated=()):
        found, wanted = set(found), set(wanted)
        missing, surplus = wanted - found, found - wanted - set(tolerated)
        if missing:
            self.differences.append(f"{what}: missing {sorted(missing)}")
        if surplus:
            self.differences.append(f"{what}: too many {sorted(surplus)}")

    def _active(self, prefix):
        return {unit for unit, state in self._facts["units"].items() if unit.startswith(prefix) and state != "inactive"
                and not (state == "failed" and unit in self._history.killed_units())}

    def _compare_leases(self):
        self._same("lease slices against records", self._active("coursenet-"),
                   {f"coursenet-{name}.slice" for name in self._facts["records"]})

    def _compare_units(self):
        self._same("netns@ against leases", self._active("netns@"), {f"netns@{seat}.service" for seat in self.seats})
        self._same("nsbr@ against leases", self._active("nsbr@"), {f"nsbr@{seat}.service" for seat in self.seats})
        self._same("netbr@ against leases", self._active("netbr@"), {f"netbr@{c}.service" for c in self.courses})
        states = {state for unit, state in self._facts["units"].items()} - {"active", "inactive", "failed"}
        if states:
            self.differences.append(f"units are {sorted(states)}")
        self._same("failed units", self._facts["failed"], (), explained_failures(self._history, self._facts))

    def _compare_kernel(self):
        scars = self._history.scars()
        namespaces = {f"ns{seat}" for seat in self.seats}
        self._same("links", self._facts["links"],
                   {f"br-{c}" for c in self.courses} | {f"vl-{seat}" for seat in self.seats}, scars)
        self._same("files in /run/netns", self._facts["namespaces"], namespaces, scars)
        self._same("mounts in /run/netns", self._facts["mounts"], {f"/run/netns/{name}" for name in namespaces}, scars)
        if len(set(self._facts["mounts"])) != len(self._facts["mounts"]):
            self.differences.append(f"mounted more than once: {self._facts['mounts']}")

    def _compare_status(self):
        try:
            courses = json.loads(self._facts["status"])["courses"]
        except ValueError:
            self.differences.append(f"coursenetctl status --json says: {self._facts['status']}")
            return
        seats = [seat for course in courses for seat in course["seats"]]
        self._same("seats of status", {(seat["seat"], seat["state"]) for seat in seats},
                   {(seat, "up") for seat in self.seats},
                   {(seat["seat"], "failed") for seat in seats
                    if {f"netns@{seat['seat']}.service", f"nsbr@{seat['seat']}.service",
                        f"netbr@{seat['seat'][:3]}.service"} & self._history.killed_units()})
        self._same("leases of status against records",
                   {(lease["id"], lease["pid"]) for seat in seats for lease in seat["leases"]},
                   {(name, int(record["opener"])) for name, record in self._facts["records"].items()})

    def _compare_wiring(self):
        for student in students():
            if f"\nBindsTo=netbr@{student.course}.service\n" not in self._facts["wiring"][student.seat]:
                self.differences.append(f"the wiring of {student.seat} is {self._facts['wiring'][student.seat]!r}")

    def _compare_logins(self):
        leased = collections.Counter((int(record["opener"]), record["user"], record["seat"])
                                     for record in self._facts["records"].values())
        for login in self._history.open_logins():
            key = (login.opener, login.student.user, login.student.seat)
            if not leased[key]:
                if not self._history.may_be_cut(login):
                    self.differences.append(f"{login} has lost its lease of {login.student.seat}")
                continue
            leased[key] -= 1
            if self._history.must_be_cut(login):
                self.differences.append(f"{login} still has a lease, though its seat was stopped under it")
            if self._facts["inside"][str(login.inside)] != self._facts["namespaces"].get(f"ns{login.student.seat}"):
                self.differences.append(f"{login} has a lease, but sits in another namespace than its seat's")
        for (opener, user, seat), count in leased.items():
            if count:
                self.differences.append(f"{count} lease(s) of {seat} without a login: {user}, process {opener}")


# --- the storm ----------------------------------------------------------------------------------------------------

class Storm:
    def __init__(self, guest, seed, seconds):
        self._guest, self.seed = guest, seed
        self._rounds = max(1, seconds // ROUND_SECONDS)
        self._plan = Plan(seed, self._rounds)
        self._history = History()
        self._events = queue.Queue()
        self._actions = collections.deque(maxlen=60)
        self._n_tasks = 0
        self._agent = None
        self._since = None

    def run(self):
        set_up_storm(self._guest)
        before = self._look_at_activator()
        self._start_agent()
        for number in range(self._rounds):
            self._since = self._guest.journal_position()
            for delay, order in self._plan.round(number):
                self._take_events(delay)
                self._order(order)
            self._check()
            self._say(f"round {number + 1} of {self._rounds}")
        self._since = self._guest.journal_position()
        self._end(before)

    def _start_agent(self):
        self._agent = self._guest.popen(["python3", "-B", AGENT], stderr=subprocess.STDOUT)
        threading.Thread(target=self._read_agent, daemon=True).start()

    def _read_agent(self):
        for line in self._agent.stdout:
            self._events.put(line)
        self._events.put(None)

    def _order(self, order):
        if order["do"] in ("command", "stop", "kill_helper"):
            self._n_tasks += 1
            order = {**order, "number": self._n_tasks}
            self._history.tasks.add(self._n_tasks)
        if order["do"] != "facts":
            self._actions.append((time.monotonic(), order))
        self._history.note_order(order)
        self._agent.stdin.write(json.dumps(order) + "\n")
        self._agent.stdin.flush()

    def _take_events(self, seconds):
        """Takes up what the agent tells for that long."""
        deadline = time.monotonic() + seconds
        while True:
            try:
                line = self._events.get(timeout=max(0.0, deadline - time.monotonic()))
            except queue.Empty:
                return
            if line is None:
                self._fail(["the agent in the guest has ended"])
            elif line.startswith("{"):
                self._history.take(json.loads(line))
            else:
                self._history.noise.append(line.rstrip())

    # Looking

    def _settle(self):
        deadline = time.monotonic() + QUIET_DEADLINE
        while not self._history.settled():
            if time.monotonic() > deadline:
                waiting = [str(login) for login in self._history.logins.values() if not login.answered() < float("inf")]
                self._fail([f"not at rest after {QUIET_DEADLINE} s: logins under way {waiting}, "
                            f"tasks {sorted(self._history.tasks)}"])
            self._take_events(0.02)

    def _facts(self):
        self._history.facts = None
        self._order({"do": "facts", "seats": [student.seat for student in students()],
                     "inside": [login.inside for login in self._history.open_logins()]})
        deadline = time.monotonic() + QUIET_DEADLINE
        while self._history.facts is None:
            if time.monotonic() > deadline:
                self._fail(["the agent does not answer"])
            self._take_events(0.02)
        return self._history.facts

    def _differences(self):
        facts = self._facts()
        if facts["jobs"]:
            return [f"jobs: {facts['jobs']}"]
        return Comparison(self._history, facts).run()

    def _check(self):
        """The invariant. What follows from a death (logind's word, a restart of the activator) gets its time."""
        self._settle()
        refused = [f"{login} was refused: {login.text}" for login in self._history.unexplained_refusals()]
        deadline = time.monotonic() + AGREE_DEADLINE
        differences = self._differences()
        while differences and time.monotonic() < deadline:
            self._take_events(0.1)
            differences = self._differences()
        if refused or differences or self._history.noise:
            self._fail(refused + differences)

    def _say(self, what):
        logins = self._history.logins.values()
        self._guest.log(f"{what}: {len(logins)} logins so far, {sum(login.refused is not None for login in logins)} "
                        f"refused for a reason, {len(self._history.open_logins())} held; "
                        f"{len(self._history.stops())} units stopped, {len(self._history.kills)} helpers killed")

    def _fail(self, reasons):
        actions = "\n".join(f"  {when:.3f} {json.dumps(order)}" for when, order in self._actions)
        events = "\n".join(f"  {each}" for each in (*self._history.stops()[-10:], *self._history.kills[-10:]))
        reasons = "\n".join(f"- {reason}" for reason in [*reasons, *self._history.noise])
        raise StormFailed(f"storm with seed {self.seed}:\n{reasons}"
                          + f"\nlast actions, by the monotonic clock:\n{actions}\nstops and kills:\n{events}\n"
                          + f"the journal:\n{self._journal()}")

    def _journal(self):
        output = self._guest.run(["journalctl", "--quiet", "--no-pager", "-o", "short-monotonic", "--no-hostname",
                                  *([f"--after-cursor={self._since}"] if self._since else [])]).stdout
        parts = ("coursenet", "netns@", "nsbr@", "netbr@", "user@", "Reloading")
        return "\n".join([line for line in output.splitlines() if any(part in line for part in parts)][-400:])

    # The end

    def _end(self, before):
        for order in self._plan.close_all():
            self._order(order)
        self._check()
        self._heal()
        facts = self._facts()
        unexplained = set(facts["failed"]) - explained_failures(self._history, facts)
        if unexplained:
            self._fail([f"failed without a reason: {sorted(unexplained)}"])
        self._guest.run("systemctl reset-failed")
        self._wait_gone()
        after = self._look_at_activator()
        self._compare_activators(before, after)
        self._say("the end, nothing left")

    def _heal(self):
        """What a killed stop has left, the next login and logout of that seat takes along."""
        visits = [self._plan.visit(seat) for seat in self._history.scarred_seats()]
        for order in visits:
            self._order(order)
        self._settle()
        for order in visits:
            self._order({"do": "close", "number": order["number"]})
        self._plan.close_all()
        self._check()

    def _wait_gone(self):
        deadline = time.monotonic() + AGREE_DEADLINE
        left = leftovers(self._guest)
        while left and time.monotonic() < deadline:
            self._take_events(0.1)
            left = leftovers(self._guest)
        failed = self._facts()["failed"]
        if left or failed:
            self._fail([f"left over at the end:\n{left}", f"failed: {failed}"])

    def _look_at_activator(self):
        """Open descriptors and kilobytes of memory, at rest, and how many descriptors PID 1 keeps for it."""
        script = """
            pid=$(systemctl show -P MainPID coursenet-activator.service)
            ls /proc/$pid/fd | wc -l
            sed -n 's/^VmRSS:[^0-9]*\\([0-9]*\\).*/\\1/p' /proc/$pid/status
            systemctl show -P NFileDescriptorStore coursenet-activator.service
        """
        return [int(word) for word in self._guest.run(script).stdout.split()]

    def _compare_activators(self, before, after):
        self._guest.log(f"the activator's open files, memory in KiB, stored descriptors: {before} before, {after} after")
        if after[0] != before[0] or after[2] != 0 or after[1] > before[1] + RSS_SLACK_KIB:
            self._fail([f"the activator has {after} open files, KiB and stored descriptors; it began with {before}"])


def set_up_storm(guest):
    """Accounts, rosters, and a stack with nothing but the module; once a guest."""
    if getattr(guest, "has_storm", False):
        return
    guest.has_storm = True
    everybody = students()
    add_accounts(guest, [student.user for student in everybody])
    for course in COURSES:
        names = [student.user.split("-")[1] for student in everybody if student.course == course]
        guest.run(f"coursenetctl roster import {course} -", input="\n".join(names) + "\n")
    guest.write(PAM_FILE, PAM_STACK)
    # The activator is up, and has done all of its work once.
    guest.ssh(everybody[0].user, "true")
    guest.wait_until(lambda: not leftovers(guest), what="nothing of the first login is left")


def run_storm(guest, seed, seconds):
    guest.log(f"a storm of {seconds} s with seed {seed}")
    guest.run(["sed", "-i", f"s/pam_coursenet.so/& {PATIENCE}/", SSH_PAM_FILE])
    try:
        Storm(guest, seed, seconds).run()
    finally:
        guest.run(["sed", "-i", f"s/ {PATIENCE}//", SSH_PAM_FILE])


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--seconds", type=int, default=120)
    parser.add_argument("--seed", type=int, help="one that an earlier run has printed")
    parser.add_argument("--suite", default=tree.SUITES[0], choices=tree.SUITES)
    options = parser.parse_args()
    seed = options.seed if options.seed is not None else random.SystemRandom().randrange(1000000)
    return isolation.run(lambda: storm_alone(options, seed))


def storm_alone(options, seed):
    def log(text):
        print(f"# {text}", flush=True)
    try:
        with Guest.boot(options.suite, PROJECT, "storm", log) as guest:
            run_storm(guest, seed, options.seconds)
    except (StormFailed, CommandFailed) as failure:
        print(failure, flush=True)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
