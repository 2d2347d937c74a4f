"""What has happened in a storm, as the agent in the guest reported it, and what each login must have after it."""

import collections

from helpers.storm_plan import COURSES, FIRST_SEAT, students

# How far apart in time two things may be and still concern each other, in seconds.
MARGIN = 0.5
# How long systemd may take to see that a program was killed, on a machine that is short of processor time.
REAP_SECONDS = 5
# How long a journal entry may come after its cause.
ERROR_SECONDS = 10
# coursenet-enter waits 20 s for its seat, which may be too short on a busy machine.
ENTER_SECONDS = 19
# How long after its answer the units of a login may still be starting.
EARLY_SECONDS = 20
# Strikes and logins that are over are forgotten after that many rounds.
MEMORY_ROUNDS = 2
# Of so many logins that have ended a message can say when.
PAST_LOGINS = 1000

HELPER_UNITS = {"bridge": "netbr", "netns": "netns", "seat": "nsbr"}
# A logind of systemd 257 that is restarted drops sessions whose leader is dead, and nobody else knows of their shells.
LOGIND_RESTARTS = ("restart bus and logind", "restart logind")
# systemd loses calls that come just then: such a login has no session of logind, so its lease ends with the process that opened it.
REEXEC = "daemon-reexec"
# A shell behind them outlives the process that opened the session.
SHELL_KINDS = ("ssh", "su")


class Login:
    """One login, or an administrator's hold, in the view of its own process. Times are the guest's, None: not yet."""

    def __init__(self, number, student, kind, began):
        self.number, self.student, self.kind, self.began = number, student, kind, began
        self.opened = self.refused = self.gone = None
        self.opener = self.inside = self.seat = None
        self.killed = self.orphaned = self.cut = self.judged = False
        self.text = ""

    def __str__(self):
        return f"login {self.number} of {self.student.user} ({self.kind}, process {self.opener}, seat {self.seat})"

    def is_open(self):
        return self.opened is not None and self.gone is None

    def has_lease(self):
        return self.is_open() and not self.cut

    def answered(self):
        """When the opening ended, one way or the other."""
        return self.opened or self.refused or self.gone or float("inf")

    def scopes(self):
        return {"*", self.student.user, self.student.course, self.student.seat, self.seat}


class Strike:
    def __init__(self, event):
        self.what, self.scope, self.may, self.began = event["what"], event["scope"], event["may"], event["time"]
        self.ended, self.status = float("inf"), 0
        self.round = 0

    def __str__(self):
        return f"{self.what} ({self.scope}) from {self.began:.3f} to {self.ended:.3f}"

    def concerns(self, login):
        if self.scope.startswith("process "):
            _, opener, seat = self.scope.split()
            return login.opener == int(opener) if login.opener is not None else seat in login.scopes()
        return self.scope in login.scopes()

    def reach(self):
        return REAP_SECONDS if "fail" in self.may else MARGIN

    def overlaps(self, began, ended):
        return self.began <= ended + self.reach() and self.ended + self.reach() >= began


class History:
    """Takes the agent's events, and knows what each login must have now."""

    def __init__(self):
        self.logins = {}
        self.strikes = {}
        self.faults = []
        self.errors = []
        self.facts = self.checked = None
        self.prepared = self.rested = False
        self.busy = None
        self.counts = collections.Counter()
        self.seconds = collections.Counter()
        self._round = 0
        self._students = {student.user: student for student in students()}
        self._kinds = {}
        self.past = collections.OrderedDict()

    def note_events(self, events):
        for event in events:
            if event["do"] == "login":
                self._kinds[event["n"]] = event

    def take(self, event):
        getattr(self, "_take_" + event["event"].replace("-", "_"))(event)

    def _take_prepared(self, _event):
        self.prepared = True

    def _take_rested(self, _event):
        self.rested = True

    def _take_facts(self, event):
        self.facts = event["facts"]

    def _take_busy(self, event):
        self.busy = event["text"]

    def _take_checked(self, event):
        self.checked = event["text"]

    # Logins

    def _take_opening(self, event):
        order = self._kinds.pop(event["login"])
        self.logins[event["login"]] = Login(event["login"], self._students[order["user"]], order["kind"], event["time"])
        self.counts[f"login: {order['kind']}"] += 1

    def _take_opened(self, event):
        login = self.logins[event["login"]]
        login.opened, login.opener, login.inside, login.seat = event["time"], event["opener"], event["inside"], event["seat"]
        if login.seat != login.student.seat and not self._renumbered(login):
            self.faults.append(f"{login} was told that its seat is '{login.seat}'")

    def _renumbered(self, login):
        return any("renumber" in strike.may and strike.scope in (login.student.user, login.student.course)
                   or strike.what == "roster: swap" for strike in self.strikes.values()
                   if strike.overlaps(login.began, login.answered()))

    def _take_refused(self, event):
        login = self.logins[event["login"]]
        login.refused, login.text = event["time"], event["text"]

    def _take_closing(self, event):
        self.counts[f"end: {event['how']}"] += 1
        login = self.logins[event["login"]]
        if event["how"] == "kill_client" or (event["how"] == "kill_opener" and login.kind not in SHELL_KINDS):
            login.killed = True
        elif event["how"] == "kill_opener":
            login.orphaned = True

    def _take_gone(self, event):
        login = self.logins[event["login"]]
        login.gone = event["time"]
        self.past[login.opener] = login
        if len(self.past) > PAST_LOGINS:
            self.past.popitem(last=False)

    def _take_close_failed(self, event):
        self.faults.append(f"{self.logins[event['login']]} could not be closed: {event['text']}")

    # Strikes

    def _take_strike(self, event):
        self.counts[event["what"]] += 1
        strike = self.strikes[event["number"]] = Strike(event)
        strike.round = self._round
        if "hold" in strike.may:
            self.logins[event["number"]] = Login(event["number"], self._students[strike.scope], "hold", strike.began)

    def _take_struck(self, event):
        strike = self.strikes[event["number"]]
        strike.ended, strike.status = event["time"], event.get("status", 0)
        self.seconds[strike.what] += round(strike.ended - strike.began, 3)
        if "hold" in strike.may:
            hold = self.logins[event["number"]]
            if strike.status == 0:
                hold.opened, hold.opener, hold.seat = event["time"], 0, hold.student.seat
            else:
                hold.refused, hold.text = event["time"], event["text"]

    def _take_journal(self, event):
        self.errors.append(event)

    # Questions

    def was_held(self, user):
        """A hold does not say which seat it is of, and the roster may be another one by now."""
        return any(login.kind == "hold" and login.opened and login.student.user == user for login in self.logins.values())

    def open_logins(self):
        return [login for login in self.logins.values() if login.is_open()]

    def leased(self):
        return [login for login in self.logins.values() if login.has_lease()]

    def _explained_refusal(self, login):
        if login.kind == "enter" and login.answered() - login.began > ENTER_SECONDS:
            return True
        return login.killed or any("refuse" in strike.may and strike.concerns(login)
                                   and strike.overlaps(login.began, login.answered())
                                   for strike in self.strikes.values()) or self._double_hold(login) or self._number_in_use(login)

    def _number_in_use(self, login):
        """While a roster was another one, somebody else got the number of this student's seat, and had it still."""
        for other in self.logins.values():
            if other.student == login.student or not other.opened or (other.gone or float("inf")) + REAP_SECONDS < login.began:
                continue
            # A hold does not say which seat it is of.
            if other.seat == login.student.seat or other.kind == "hold" and other.student.course == login.student.course \
                    and self._renumbered(other):
                return True
        return False

    def _double_hold(self, login):
        return login.kind == "hold" and any(other.kind == "hold" and other is not login and other.student == login.student
                                            for other in self.logins.values())

    def unexplained_refusals(self):
        return [login for login in self.logins.values()
                if login.refused and not login.judged and not self._explained_refusal(login)]

    def may_be_cut(self, login):
        """A login may be answered before its units are up. What may refuse it may also make these fail a moment later."""
        if login.orphaned and any(strike.what in LOGIND_RESTARTS or strike.what == REEXEC and strike.overlaps(login.began, login.answered())
                                  for strike in self.strikes.values()):
            return True
        return any(strike.concerns(login)
                   and ("cut" in strike.may and strike.ended + strike.reach() >= login.began
                        or "refuse" in strike.may and strike.overlaps(login.began, login.answered() + EARLY_SECONDS))
                   for strike in self.strikes.values())

    def must_be_cut(self, login):
        """A stop came while this login was open, succeeded, and no other login overtook it."""
        return any("must" in strike.may and strike.status == 0 and strike.concerns(login) and strike.began > login.opened
                   and strike.ended < float("inf") and not self._crossed(strike, login) for strike in self.strikes.values())

    def _crossed(self, stop, login):
        if login.kind == "nowait":
            return True
        if any(strike.what == "cancel all jobs" and strike.overlaps(stop.began, stop.ended) for strike in self.strikes.values()):
            return True
        return any(other.student.course == login.student.course and other is not login
                   and other.began - MARGIN <= stop.ended and other.answered() + MARGIN >= stop.began
                   for other in self.logins.values())

    def scarred_seats(self):
        """A seat for each unit whose program was killed in this round: its next login and logout have to put things right."""
        strikes = [strike for strike in self.strikes.values() if strike.round == self._round]
        names = {strike.scope for strike in strikes if "fail" in strike.may}
        # A bridge that did not start, because of the settings for example, counts as failed until it comes up.
        if any(strike.scope == "*" and "refuse" in strike.may for strike in strikes):
            names |= set(COURSES)
        return sorted({name if len(name) > 3 else f"{name}{FIRST_SEAT}" for name in names})

    def unexplained_errors(self):
        return [f"{error['unit']} {error['source']}: {error['text']}" for error in self.errors
                if not any(strike.began - MARGIN <= error["time"] <= strike.ended + ERROR_SECONDS
                           for strike in self.strikes.values())]

    def last_strikes(self):
        return [str(strike) for strike in self.strikes.values()]

    def tell_past(self, opener):
        login = self.past.get(opener)
        if not login:
            return "of which nothing is known"
        return (f"which was {login}: began at {login.began:.3f}, opened at {login.opened:.3f}, ended at {login.gone:.3f}"
                f"{', killed' if login.killed else ''}{', cut' if login.cut else ''}")

    # Forgetting

    def end_round(self):
        """Everything agrees: what is over is over."""
        for error in self.errors:
            self.counts["an error in the journal, with a cause"] += 1
        self.errors.clear()
        for login in self.logins.values():
            if login.refused and not login.judged:
                self.counts["a login refused, with a cause"] += 1
                login.judged = True
        self._round += 1
        self.strikes = {number: strike for number, strike in self.strikes.items() if strike.round > self._round - MEMORY_ROUNDS}
        # The process of a refused login may end later than this round.
        self.logins = {number: login for number, login in self.logins.items()
                       if login.gone is None and not (login.kind == "hold" and login.refused)}
        self._merge_holds()

    def _merge_holds(self):
        """Several holds of one seat are one."""
        seen = set()
        for number, login in list(self.logins.items()):
            if login.kind == "hold" and (login.cut or login.student in seen):
                del self.logins[number]
            elif login.kind == "hold":
                seen.add(login.student)
