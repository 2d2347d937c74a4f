"""What has happened in a storm, as the agent in the guest reported it, and what each login must have after it."""

import collections

from helpers.storm_plan import FIRST_SEAT, students

# How far apart in time two things may be and still concern each other, in seconds.
MARGIN = 0.5
# RuntimeMaxSec= of netbr@: as long after its start a unit may still fail because its program was killed.
HELPER_SECONDS = 20
# How long systemd may take to see that a program was killed, on a machine that is short of processor time.
REAP_SECONDS = 5


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
    """Whether the stop of a unit ends a login's lease, or may end it while the login is opening."""
    student = login.student
    if stop.unit.startswith("coursenet-"):
        if stop.opener is None or login.opener is None:
            return stop.unit.startswith(f"coursenet-{student.seat}_")
        return stop.opener == login.opener
    return stop.unit in (f"netbr@{student.course}.service", f"netns@{student.seat}.service",
                         f"nsbr@{student.seat}.service")


class History:
    """Takes the agent's events, and knows what each login must have now."""

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
                or any(strikes(kill, login) and login.began - REAP_SECONDS <= kill.time <= ended for kill in self.kills))

    def unexplained_refusals(self):
        return [login for number, login in self.logins.items()
                if login.refused and not self.explained_refusal(number)]

    def may_be_cut(self, login):
        return (any(concerns(stop, login) and stop.ended >= login.began for stop in self.stops())
                or any(strikes(kill, login) and login.began - MARGIN <= kill.time <= login.answered() + HELPER_SECONDS
                       for kill in self.kills))

    def must_be_cut(self, login):
        """A stop came while this login was open, and no other login of that seat or course overtook the stop."""
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
