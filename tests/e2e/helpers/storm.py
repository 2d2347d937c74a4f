"""A storm in a guest: see tests/e2e/storm.py."""

import collections
import contextlib
import json
import queue
import re
import subprocess
import threading
import time

from harness.product import SOURCE
from helpers.seats import add_accounts, leftovers
from helpers.storm_compare import Comparison
from helpers.storm_history import History
from helpers.storm_plan import COURSES, EVENTS_OF_A_ROUND, SHORT, WEATHERS, Plan, students

AGENT = f"{SOURCE}/tests/e2e/in_guest/storm_agent"
# A busy machine may be slow; other cases measure whether logins are quick.
PATIENCE = "timeout=60"
PAM_STACKS = {
    "coursenet-storm": f"session required pam_coursenet.so {PATIENCE}\nsession required pam_permit.so\n",
    "coursenet-storm-nowait": f"session required pam_coursenet.so {PATIENCE} join=no wait=none\nsession required pam_permit.so\n",
}
SSH_PAM_FILE = "/etc/pam.d/common-session"
ETC = "/etc/coursenet"

# What the stop of the units of seats does.
STOP_SEATS = "for seat; do for thing in seat netns; do /usr/libexec/coursenet/coursenet-net $thing stop $seat; done; done"

QUIET_DEADLINE = 180
AGREE_DEADLINE = 90
# What disagrees for longer is told.
SLOW_SECONDS = 5
PROGRESS_SECONDS = 20
# At so many quiet points a daemon has loaded its libraries and done everything once.
WARM_POINTS = 8
# How much it may grow after that, in KiB.
RSS_SLACK_KIB = 3072
# Descriptors of a daemon beyond those for leases.
FILES_SLACK = 8


class StormFailed(AssertionError):
    pass


class Storm:
    """Sends events to the agent in a guest, and checks at each quiet point that everybody agrees."""

    def __init__(self, guest, again="the same events"):
        self._guest = guest
        self._again = again
        self.history = History()
        self._reports = queue.Queue()
        self._agent = None
        self._daemons = {}
        self._since = None
        self._probed = 0
        self.counts = collections.Counter()
        self._seconds = collections.Counter()

    def start(self):
        self._agent = self._guest.popen(["python3", "-B", AGENT], stderr=subprocess.STDOUT)
        threading.Thread(target=self._read_agent, daemon=True).start()
        self._order("prepare")
        self._wait("the agent's start", lambda: self.history.prepared)
        self._since = self._guest.journal_position()

    def _read_agent(self):
        for line in self._agent.stdout:
            self._reports.put(line)
        self._reports.put(None)

    def _order(self, order, **arguments):
        self._agent.stdin.write(json.dumps({"order": order, **arguments}) + "\n")
        self._agent.stdin.flush()

    def _take_report(self, timeout):
        """Whether there was one."""
        try:
            line = self._reports.get(timeout=timeout)
        except queue.Empty:
            return False
        if line is None:
            raise StormFailed("\n".join(["the agent in the guest has ended", *self.history.faults]))
        if line.startswith("{"):
            self.history.take(json.loads(line))
        else:
            self.history.faults.append(line.rstrip())
        return True

    def _wait(self, what, condition):
        deadline = time.monotonic() + QUIET_DEADLINE
        while not condition():
            if time.monotonic() > deadline:
                raise self._failure([f"nothing happened for {QUIET_DEADLINE} s: {what}; {self._ask_what_is_busy()}"])
            # A busy machine takes minutes for the events of a round.
            if self._take_report(0.1):
                deadline = time.monotonic() + QUIET_DEADLINE

    def _ask_what_is_busy(self):
        self._order("busy")
        deadline = time.monotonic() + AGREE_DEADLINE
        while not self.history.busy and time.monotonic() < deadline:
            self._take_report(0.1)
        return self.history.busy or "the agent does not answer"

    # One round

    def run(self, events):
        """Does events, the last of which is "quiet", and checks the invariant."""
        with self._timed("events"):
            self._send(events)
            self._check_refusals()
        with self._timed("visits"):
            visited = self.history.scarred_seats()
            if visited:
                self._visit(visited)
        with self._timed("comparison"):
            agreed = self._agree()
            self._check_journal()
            ended = self._close_cut()
            # As a login of that kind does, such a hold ends, because nobody else can have the seat.
            for seat in agreed.misplaced_holds():
                self._guest.run(["coursenetctl", "stop", seat])
                ended = True
            # The student who has the number now is refused while the network of the former one goes down.
            if ended:
                self._agree()
        self.counts.update(event["do"] for event in events)
        self.counts["quiet point"] += 1

    @contextlib.contextmanager
    def _timed(self, part):
        began = time.monotonic()
        yield
        self._seconds[part] += round(time.monotonic() - began, 3)

    def _send(self, events):
        self.history.rested = False
        self.history.note_events(events)
        self._order("events", events=events)
        self._wait("the events", lambda: self.history.rested)

    def _check_refusals(self):
        refused = [f"{login} was refused: {login.text}" for login in self.history.unexplained_refusals()]
        if refused:
            raise self._failure(refused)

    def _visit(self, seats):
        """The next login and logout of a seat remove what a killed program has left of it."""
        users = {student.seat: student.user for student in students()}
        # The roster had these numbers only until it was repaired, so nobody can log in there. Who logged in before is still there.
        live = {login.seat for login in self.history.open_logins()}
        vacant = [seat for seat in seats if seat not in users and seat not in live]
        if vacant:
            self._guest.run(["sh", "-c", STOP_SEATS, "sh", *vacant])
        refused = self._log_in_and_out([users[seat] for seat in seats if seat in users])
        # The start of a bridge that such a login waited for may have begun, and failed, before the repair of the settings.
        if refused:
            self._log_in_and_out(refused)

    def _log_in_and_out(self, users):
        """Returns who was refused, with a cause."""
        numbers = {f"visit {self.counts['visit'] + place}": user for place, user in enumerate(users)}
        self.counts["visit"] += len(users)
        self._send([{"do": "login", "n": number, "kind": "pam", "user": user, "with": 8} for number, user in numbers.items()]
                   + [{"do": "quiet", "with": 1}])
        self._check_refusals()
        refused = [user for number, user in numbers.items() if self.history.logins[number].refused]
        self._send([{"do": "close", "n": number, "with": 8} for number in numbers] + [{"do": "quiet", "with": 1}])
        return refused

    def _agree(self):
        """What follows the death of a process (a signal of logind, a restart of the activator) may take time."""
        began, last = time.monotonic(), None
        while True:
            comparison = self._compare()
            if not comparison.differences:
                break
            last = comparison.differences
            if time.monotonic() > began + AGREE_DEADLINE:
                raise self._failure(last)
            self._take_report(0.05)
        if time.monotonic() > began + SLOW_SECONDS:
            self._guest.log(f"agreed after {time.monotonic() - began:.0f} s; before that: {'; '.join(last or ['slow facts'])}")
        for login in comparison.cut_logins():
            login.cut = True
            self.history.counts["a lease cut, with a cause"] += 1
        return comparison

    def _compare(self):
        leased = self.history.leased()
        self.history.facts = None
        self._order("facts", wired=[student.seat for student in students()], inside=[login.inside for login in leased if login.inside],
                    probe=probes({login.seat for login in leased}))
        self._wait("the facts", lambda: self.history.facts is not None)
        facts = self.history.facts
        if facts["jobs"]:
            raise self._failure([f"systemd has jobs all the time: {facts['jobs']}"])
        comparison = Comparison(self.history, facts)
        if not comparison.run():
            self._probed += len(comparison.seats)
            # A daemon that frees what it had for a moment is asked again; what it keeps is a leak.
            comparison.differences += self._compare_daemons(facts)
        return comparison

    def _compare_daemons(self, facts):
        """Each daemon against itself, when it had done everything once."""
        faults = []
        # A hold, and a lease that lingers, have no process.
        n_openers = sum(int(record.get("opener", 0)) > 0 for record in facts["records"].values())
        for name, (pid, files, memory) in facts["daemons"].items():
            files -= n_openers if name == "activator" else 0
            past, n_points, first_files, first_memory = self._daemons.get(name, (None, 0, 0, 0))
            if past != pid or n_points < WARM_POINTS:
                self._daemons[name] = (pid, 1 if past != pid else n_points + 1, files, memory)
            elif files > first_files + FILES_SLACK or memory > first_memory + RSS_SLACK_KIB:
                faults.append(f"{name} has {files} descriptors beside those of leases and {memory} KiB; "
                              f"it had {first_files} and {first_memory} KiB")
            else:
                self.history.counts[f"{name} compared with itself"] += 1
        return faults

    def _check_journal(self):
        faults = self.history.faults + self.history.unexplained_errors()
        if faults:
            raise self._failure(faults)
        self.history.end_round()

    def _close_cut(self):
        """Logins without a lease, and those in a seat that was the student's for a while, end now. Whether there were any."""
        numbers = [login.number for login in self.history.open_logins()
                   if login.kind != "hold" and (login.cut or login.seat != login.student.seat)]
        if numbers:
            self._send([{"do": "close", "n": number, "with": 8} for number in numbers] + [{"do": "quiet", "with": 1}])
        return bool(numbers)

    def _failure(self, reasons):
        strikes = "\n".join(f"  {each}" for each in self.history.last_strikes()[-40:])
        reasons = "\n".join(f"- {reason}" for reason in [*reasons, *self.history.faults])
        return StormFailed(f"{reasons}\nto run it again: {self._again}\nwhat was done to the system in the last rounds:\n{strikes}\nthe journal:\n{self._journal()}")

    def _journal(self):
        output = self._guest.run(["journalctl", "--quiet", "--no-pager", "-o", "short-monotonic", "--no-hostname", "-n", "8000"]).stdout
        parts = ("coursenet", "netns@", "nsbr@", "netbr@", "user@", "Reloading", "Reexec", "dbus")
        return "\n".join([line for line in output.splitlines() if any(part in line for part in parts)][-3000:])

    # The end

    def end(self, closing):
        """Everybody logs out; nothing is left."""
        self.run(closing)
        self._guest.run(["sh", "-c", "for course; do coursenetctl stop $course; done; true", "sh", *COURSES])
        self.history.logins.clear()
        self._agree()
        self._guest.run("systemctl reset-failed")
        deadline = time.monotonic() + AGREE_DEADLINE
        while leftovers(self._guest):
            if time.monotonic() > deadline:
                raise self._failure([f"left over at the end:\n{leftovers(self._guest)}"])
            self._take_report(0.1)

    def summary(self):
        return {"events": self.counts, "happened": self.history.counts, "seats probed": self._probed,
                "seconds": self._seconds, "seconds of strikes": self.history.seconds}


def probes(seats):
    """For each seat its address, its gateway, and the address of a seat of another course, which it must not reach."""
    wanted = {}
    for seat in seats:
        stranger = next((address_of(other) for other in sorted(seats) if other[:3] != seat[:3]), None)
        wanted[seat] = (address_of(seat), address_of(f"{seat[:3]}1"), stranger)
    return wanted


def address_of(seat):
    course, number = int(seat[:3]), int(seat[3:])
    return f"10.{course // 256}.{course % 256}.{number}"


# --- a guest ----------------------------------------------------------------------------------------------------------------

def set_up_storm(guest):
    """Accounts, rosters, PAM stacks, and /etc/coursenet in a file system of its own, which can be full."""
    if not getattr(guest, "has_storm", False):
        guest.has_storm = True
        everybody = students()
        add_accounts(guest, [student.user for student in everybody])
        for course in COURSES:
            names = [student.user.split("-")[1] for student in everybody if student.course == course]
            guest.run(f"coursenetctl roster import {course} -", input="\n".join(names) + "\n")
    for name, stack in PAM_STACKS.items():
        guest.write(f"/etc/pam.d/{name}", stack)
    guest.run(["sed", "-i", f"s/pam_coursenet.so/& {PATIENCE}/", SSH_PAM_FILE])
    guest.run(f"mkdir /run/storm && cp -a {ETC} /run/storm && mount -t tmpfs -o size=1M,mode=755 storm {ETC} && "
              f"cp -a /run/storm/coursenet/. {ETC} && systemctl restart coursenet-network coursenet-activator")
    # The activator has handled one login.
    guest.ssh(students()[0].user, "true")
    guest.wait_until(lambda: not leftovers(guest), what="nothing of the first login is left")


def clear_storm(guest):
    """Accounts and rosters stay; a PAM stack that calls the module would prevent an uninstallation."""
    guest.run(["rm", *(f"/etc/pam.d/{name}" for name in PAM_STACKS)])
    guest.run(["sed", "-i", f"s/ {PATIENCE}//", SSH_PAM_FILE])
    guest.run(f"umount --lazy {ETC} && rm -r /run/storm && systemctl restart coursenet-network coursenet-activator")


class Progress:
    def __init__(self, log):
        self._log = log
        self.began = self._said = time.monotonic()

    def say(self, storm, n_events, always=False):
        now = time.monotonic()
        if always or now - self._said > PROGRESS_SECONDS:
            self._said = now
            seconds = now - self.began
            self._log(f"{n_events} events in {seconds:.0f} s, {n_events / seconds:.1f} events/s; {storm.counts['quiet point']} quiet "
                      f"points, {len(storm.history.leased())} logins held")


def run_storm(guest, seed, n_events=None, seconds=None, short=False, at_least=0):
    """Runs that many events, or for that long and at_least so many; a failure has the rounds so far and the summary, and its
    guest is of no use any more. Returns the storm."""
    limit = f"--events {n_events}" if n_events else f"--seconds {seconds}"
    again = f"python3 -B tests/e2e/storm.py --suite {guest.suite} --seed {seed} {limit}{' --short' if short else ''}"
    guest.log(again)
    plan, rounds = Plan(seed, (n_events or 0) // EVENTS_OF_A_ROUND, SHORT if short else tuple(WEATHERS)), []
    progress = Progress(guest.log)

    def ended():
        done = sum(map(len, rounds))
        return done >= n_events if n_events else done >= at_least and time.monotonic() > progress.began + seconds
    set_up_storm(guest)
    storm = Storm(guest, again)
    try:
        storm.start()
        while not ended():
            rounds.append(plan.round())
            storm.run(rounds[-1])
            progress.say(storm, sum(map(len, rounds)))
        rounds.append(plan.close_all())
        storm.end(rounds[-1])
        progress.say(storm, sum(map(len, rounds)), always=True)
    except Exception as failure:
        failure.rounds, failure.summary = rounds, storm.summary()
        raise
    finally:
        guest.end_processes()
    clear_storm(guest)
    return storm


def replay(guest, rounds):
    """Does these rounds. Raises StormFailed as the first run did, if it fails again; the guest is of no use then."""
    set_up_storm(guest)
    try:
        storm = Storm(guest)
        storm.start()
        for events in rounds:
            storm.run(events)
        held = [event["n"] for events in rounds for event in events if event["do"] == "login"]
        storm.end([{"do": "close", "n": number, "with": 16} for number in held] + [{"do": "quiet", "with": 1}])
    finally:
        guest.end_processes()
    clear_storm(guest)


def in_rounds(events):
    """Splits a list of events at its quiet points; the last one is added if need be."""
    rounds = [[]]
    for event in events:
        rounds[-1].append(event)
        if event["do"] == "quiet":
            rounds.append([])
    if rounds[-1]:
        rounds[-1].append({"do": "quiet", "with": 1})
    return [events for events in rounds if events]


def kind_of(failure):
    """The first reason of a failure without its numbers, to tell failures apart."""
    return re.sub(r"\d+", "N", str(failure).splitlines()[0]).removeprefix("- ")
