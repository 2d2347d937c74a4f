"""What a storm does: the events that a seed stands for.

An event is a dict. "do" says what, and "with" how many events may be under way when it begins. The list depends on the seed
only, and not on what happens in the guest. Any part of the list can be left out: an event that has lost its login is ignored.
"""

import collections
import itertools
import random

# A course number above 255 among them.
COURSES = {"201": 14, "202": 13, "403": 13}
FIRST_SEAT = 10

Student = collections.namedtuple("Student", "user course seat")

HELD_MAX = 45
EVENTS_OF_A_ROUND = 75
# Each costs some hundred milliseconds of processor time.
HEAVY_KINDS = ("ssh", "su")
HEAVY_HELD_MAX = 8
# As the activator allows.
ENTER_OF_A_USER_MAX = 6

LOGIN_KINDS = {"pam": 80, "nowait": 6, "enter": 7, "ssh": 1.5, "su": 2}
# How many events run side by side.
CROWDS = {1: 10, 2: 10, 4: 25, 8: 30, 16: 20, 40: 5}
MOMENTS = {None: 4, "record": 3, "receipt": 3, "namespace": 2, "helper": 2}
DAEMONS = {"activator": 5, "network": 3, "dns": 1, "worker": 5}
STOPPED = {"nsbr@": 4, "netns@": 3, "netbr@": 2, "coursenet-": 4}
SETTINGS = ("linger", "keep", "kill", "course-linger", "isolation", "no-nat", "rate", "ports", "no-dns", "no-names", "no-fence",
            "unknown", "bad-value", "torn", "open")
ROSTER_CHANGES = {"remove": 4, "add": 3, "bad-line": 3, "torn": 2, "open": 1, "move": 4, "swap": 4}
FLUSHES = {"flush ruleset": 4, "delete table netdev coursenet_0": 2, "delete table inet coursenet": 2,
           "delete table inet coursenet_fence": 1}

PEOPLE = {"login": 54, "close": 36, "leave": 2, "kill_client": 3, "kill_opener": 2, "kill_opening": 3}
# What else happens in a round, beside the people: one of these for each round, with the share of its events.
WEATHERS = {
    "calm": (20, {}),
    "kills": (18, {"kill_helper": 8, "kill": 8}),
    "units": (14, {"stop_unit": 8, "hold": 3, "stop_leases": 1, "cancel": 0.3, "reload": 1}),
    "files": (12, {"settings": 3, "roster": 6, "repair": 3, "hold": 1}),
    "network": (10, {"flush": 6, "link": 2, "kill": 2, "repair": 1}),
    "system": (10, {"reload": 3, "reexec": 2, "restart": 4, "stop_and_start": 2, "kill": 2}),
    "scarcity": (6, {"fill": 2, "starve": 3, "repair": 3}),
    "all": (10, {"kill_helper": 3, "kill": 3, "stop_unit": 3, "hold": 1, "stop_leases": 1, "cancel": 0.3, "reload": 1, "reexec": 1,
                 "restart": 1, "stop_and_start": 1, "settings": 1, "roster": 2, "flush": 1, "link": 1, "fill": 1, "starve": 1,
                 "repair": 2}),
}
# In these no daemon ends.
PEACEFUL = ("calm", "units", "files")

# What the storm among the cases has. No event of it costs a minute, as restarts of D-Bus and logind may on a busy machine.
SHORT = ("calm", "kills", "files")


def students():
    return [Student(f"cs{course}-storm{number:02}", course, f"{course}{FIRST_SEAT + number}")
            for course, size in COURSES.items() for number in range(size)]


class Plan:
    """Rounds of events without end; the last event of each is "quiet". In the last eighth of n_rounds no daemon is killed, so that
    these show what they leak."""

    def __init__(self, seed, n_rounds=0, weathers=tuple(WEATHERS)):
        self._random = random.Random(seed)
        self._n_rounds, self._n_done = n_rounds, 0
        self._weathers = weathers
        self._students = students()
        self._held = {}
        self._numbers = itertools.count(1)
        self._crowd = 1

    def round(self):
        events = []
        self._n_done += 1
        late = self._n_rounds and self._n_done > self._n_rounds * 7 // 8
        others = WEATHERS[self._draw({name: weight for name, (weight, _) in WEATHERS.items()
                                      if name in self._weathers and (not late or name in PEACEFUL)})][1]
        calm = 100 - sum(others.values())
        weights = {**{name: weight * calm / 100 for name, weight in PEOPLE.items()}, **others}
        while len(events) < EVENTS_OF_A_ROUND:
            if self._random.random() < 0.1:
                self._crowd = self._draw(CROWDS)
            events += [{**event, "with": max(self._crowd, event.get("with", 0))} for event in self._one(weights)]
        return events + [{"do": "quiet", "with": 1}]

    def _one(self, weights):
        name = self._draw(weights)
        if name in ("login", "kill_opening") and len(self._held) >= HELD_MAX:
            name = "close"
        return getattr(self, f"_{name}")()

    def _draw(self, weights):
        return self._random.choices(list(weights), list(weights.values()))[0]

    def _any(self):
        return self._random.randrange(1000)

    # People

    def _student(self):
        # Some log in much more often than others, so that about half of the seats that are asked for are up.
        return self._students[min(int(self._random.expovariate(1 / 12)), len(self._students) - 1)]

    def _login(self, kinds=None):
        kind, student = self._draw(kinds or LOGIN_KINDS), self._student()
        if kind in HEAVY_KINDS and sum(each in HEAVY_KINDS for each, _ in self._held.values()) >= HEAVY_HELD_MAX:
            kind = "pam"
        if kind == "enter" and sum(each == (kind, student) for each in self._held.values()) >= ENTER_OF_A_USER_MAX:
            kind = "pam"
        number = next(self._numbers)
        self._held[number] = kind, student
        return [{"do": "login", "n": number, "kind": kind, "user": student.user}]

    def _pick(self, what, stays=()):
        if not self._held:
            return []
        number = self._random.choice(list(self._held))
        if self._held[number][0] not in stays:
            del self._held[number]
        return [{"do": what, "n": number}]

    def _close(self):
        return self._pick("close")

    def _leave(self):
        return self._pick("leave")

    def _kill_client(self):
        return self._pick("kill_client")

    def _kill_opener(self):
        # A shell behind sshd or su outlives the process, and has to log out like any other.
        return self._pick("kill_opener", HEAVY_KINDS)

    def _kill_opening(self):
        [login] = self._login({"pam": 3, "nowait": 1})
        del self._held[login["n"]]
        return [{"do": "kill_opening", "n": login["n"], "at": self._draw(MOMENTS) or "record", "with": 4}, {**login, "with": 8}]

    def close_all(self):
        events = [{"do": "close", "n": number, "with": 16} for number in self._held]
        self._held.clear()
        return events + [{"do": "quiet", "with": 1}]

    # Others

    def _hold(self):
        return [{"do": "hold", "user": self._student().user}]

    def _stop_leases(self):
        student = self._student()
        return [{"do": "stop_leases", "target": self._random.choice((student.user, student.seat, student.seat, student.course))}]

    def _kill(self):
        return [{"do": "kill", "what": self._draw(DAEMONS), "at": self._draw(MOMENTS), "draw": self._any(),
                 "signal": self._draw({9: 4, 15: 1}), "with": 4}]

    def _kill_helper(self):
        return [{"do": "kill_helper", "draw": self._random.choice((0, 0, 1, 2, 3, 5)), "with": 4}]

    def _stop_unit(self):
        return [{"do": "stop_unit", "kind": self._draw(STOPPED), "draw": self._any()}]

    @staticmethod
    def _cancel():
        return [{"do": "cancel"}]

    @staticmethod
    def _reload():
        return [{"do": "reload"}]

    @staticmethod
    def _reexec():
        return [{"do": "reexec"}]

    def _restart(self):
        return [{"do": "restart", "what": self._draw({**DAEMONS, "bus": 4, "logind": 3})}]

    def _stop_and_start(self):
        return [{"do": "stop_and_start", "what": self._draw({"activator": 4, "network": 1, "worker": 1})}]

    def _settings(self):
        return [{"do": "settings", "variant": self._random.choice(SETTINGS)}]

    def _roster(self):
        return [{"do": "roster", "change": self._draw(ROSTER_CHANGES), "user": self._student().user, "draw": self._any()}]

    def _flush(self):
        return [{"do": "flush", "what": self._draw(FLUSHES)}]

    def _link(self):
        return [{"do": "link", "op": self._random.choice(("down", "delete")), "kind": self._draw({"vl-": 3, "br-": 1}),
                 "draw": self._any()}]

    def _fill(self):
        return [{"do": "fill", "where": self._random.choice(("/run", "/etc/coursenet"))}]

    def _starve(self):
        return [{"do": "starve", "what": self._draw({"activator": 4, "network": 2, "worker": 3})}]

    @staticmethod
    def _repair():
        return [{"do": "repair"}]
