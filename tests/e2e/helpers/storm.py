"""A storm in a guest: see tests/e2e/storm.py."""

import collections
import json
import queue
import subprocess
import threading
import time

from harness.product import SOURCE
from helpers.seats import add_accounts, leftovers
from helpers.storm_compare import Comparison
from helpers.storm_history import History, explained_failures
from helpers.storm_plan import COURSES, Plan, students

AGENT = f"{SOURCE}/tests/e2e/in_guest/storm-agent.py"
PAM_FILE = "/etc/pam.d/coursenet-storm"
# A busy machine may be slow; other cases measure whether logins are quick.
PATIENCE = "timeout=60"
PAM_STACK = f"session required pam_coursenet.so {PATIENCE}\nsession required pam_permit.so\n"
SSH_PAM_FILE = "/etc/pam.d/common-session"

ROUND_SECONDS = 10
QUIET_DEADLINE = 120
AGREE_DEADLINE = 20
RSS_SLACK_KIB = 2048


class StormFailed(AssertionError):
    pass


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
        """Takes events of the agent for that long."""
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
        """The invariant. What follows the death of a process (a signal of logind, a restart of the activator) may take time."""
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
        """The next login and logout of a seat remove what a killed stop has left of it."""
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
    """Accounts, rosters, and a PAM stack with only the module; once a guest."""
    if getattr(guest, "has_storm", False):
        return
    guest.has_storm = True
    everybody = students()
    add_accounts(guest, [student.user for student in everybody])
    for course in COURSES:
        names = [student.user.split("-")[1] for student in everybody if student.course == course]
        guest.run(f"coursenetctl roster import {course} -", input="\n".join(names) + "\n")
    guest.write(PAM_FILE, PAM_STACK)
    # The activator is up, and has handled one login.
    guest.ssh(everybody[0].user, "true")
    guest.wait_until(lambda: not leftovers(guest), what="nothing of the first login is left")


def run_storm(guest, seed, seconds):
    guest.log(f"a storm of {seconds} s with seed {seed}")
    guest.run(["sed", "-i", f"s/pam_coursenet.so/& {PATIENCE}/", SSH_PAM_FILE])
    try:
        Storm(guest, seed, seconds).run()
    finally:
        guest.run(["sed", "-i", f"s/ {PATIENCE}//", SSH_PAM_FILE])
