"""What a storm does: the logins, logouts, kills and stops that a seed stands for."""

import collections
import random

# A course number above 255 among them.
COURSES = {"201": 14, "202": 13, "403": 13}
FIRST_SEAT = 10

STORM_SECONDS = 8
MEAN_DELAY = 0.05
HELD_MAX, SSH_HELD_MAX = 40, 12

ACTIONS = {"login": 30, "ssh": 7, "crowd": 3, "logout": 32, "kill_client": 4, "kill_opener": 4, "kill_helper": 4,
           "stop": 5, "reload": 2, "kill_activator": 1, "restart_activator": 1}
STOPPED = {"nsbr@": 4, "netns@": 3, "netbr@": 1, "coursenet-": 4}

Student = collections.namedtuple("Student", "user course seat")


def students():
    return [Student(f"cs{course}-storm{number:02}", course, f"{course}{FIRST_SEAT + number}")
            for course, size in COURSES.items() for number in range(size)]


class Plan:
    """The actions. They depend on the seed only, and not on what happens in the guest."""

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
