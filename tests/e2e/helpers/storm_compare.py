"""Compares what everybody says after a storm: the activator, systemd, the kernel, the records, the logins, the seats."""

import collections
import json
import re

from helpers.storm_plan import students


class Comparison:
    """Collects where the facts differ from each other."""

    def __init__(self, history, facts):
        self._history, self._facts = history, facts
        self.differences = []
        self.seats = {record["seat"] for record in facts["records"].values()}
        self.courses = {seat[:3] for seat in self.seats}

    def run(self):
        self._compare_records()
        self._compare_units()
        self._compare_kernel()
        self._compare_status()
        self._compare_wiring()
        self._compare_logins()
        self._compare_probes()
        return self.differences

    def _same(self, what, found, wanted, tolerated=()):
        found, wanted = set(found), set(wanted)
        missing, surplus = wanted - found, found - wanted - set(tolerated)
        if missing:
            self.differences.append(f"{what}: missing {sorted(missing)}")
        if surplus:
            self.differences.append(f"{what}: too many {sorted(surplus)}")

    def _active(self, prefix):
        return {unit for unit, state in self._facts["units"].items() if unit.startswith(prefix) and state != "inactive"}

    def _compare_records(self):
        records = self._facts["records"]
        self._same("lease slices against records", self._active("coursenet-"), {f"coursenet-{name}.slice" for name in records})
        self._same("receipts of what no unit has taken over", self._facts["receipts"], ())
        owners = collections.defaultdict(set)
        for record in records.values():
            owners[record["seat"]].add(record["user"])
        self._same("seats with leases of several users", {seat for seat, users in owners.items() if len(users) > 1}, ())
        n_openers = sum(int(record.get("opener", 0)) > 0 for record in records.values())
        if self._facts["stored"] > n_openers:
            self.differences.append(f"{self._facts['stored']} descriptors in the FD store for {n_openers} openers")

    def _compare_units(self):
        self._same("netns@ against leases", self._active("netns@"), {f"netns@{seat}.service" for seat in self.seats})
        self._same("nsbr@ against leases", self._active("nsbr@"), {f"nsbr@{seat}.service" for seat in self.seats})
        self._same("netbr@ against leases", self._active("netbr@"), {f"netbr@{c}.service" for c in self.courses})
        states = {state for unit, state in self._facts["units"].items()} - {"active", "inactive", "failed"}
        if states:
            self.differences.append(f"units are {sorted(states)}")
        # A user's own manager may be failed: without its seat, which a quick logout or a stop has taken away before it is up,
        # it must not start. The scope of a session fails when D-Bus is restarted.
        self._same("failed units", [unit for unit in self._facts["failed"] if not unit.startswith(("user@", "session-"))], ())

    def _compare_kernel(self):
        namespaces = {f"ns{seat}" for seat in self.seats}
        links = {f"vl-{seat}" for seat in self.seats}
        self._same("links", self._facts["links"], {f"br-{c}" for c in self.courses} | links)
        self._same("files in /run/netns", self._facts["namespaces"], namespaces)
        self._same("mounts in /run/netns", self._facts["mounts"], {f"/run/netns/{name}" for name in namespaces})
        self._same("records of what seats were started with", self._facts["seats"], links)
        if len(set(self._facts["mounts"])) != len(self._facts["mounts"]):
            self.differences.append(f"mounted more than once: {self._facts['mounts']}")
        self._same("rules of seats", re.findall(r'hook ingress device "?(vl-\d+)', self._facts["rules"]), links)
        wanted = {f"netdev coursenet_{digit}" for digit in range(10)} | {"inet coursenet_fence"} | ({"inet coursenet"} if self.courses else set())
        self._same("tables", re.findall(r"^table (\w+ coursenet\w*)$", self._facts["rules"], re.MULTILINE), wanted,
                   {"inet coursenet"})

    def _compare_status(self):
        try:
            courses = json.loads(self._facts["status"])["courses"]
        except ValueError:
            self.differences.append(f"coursenetctl status --json says: {self._facts['status']}")
            return
        seats = [seat for course in courses for seat in course["seats"]]
        self._same("seats of status", {(seat["seat"], seat["state"]) for seat in seats}, {(seat, "up") for seat in self.seats})
        self._same("leases of status against records",
                   {(lease["id"], lease["pid"] or 0) for seat in seats for lease in seat["leases"]},
                   {(name, int(record.get("opener", 0))) for name, record in self._facts["records"].items()})

    def _compare_wiring(self):
        for student in students():
            if f"\nBindsTo=netbr@{student.course}.service\n" not in self._facts["wiring"][student.seat]:
                self.differences.append(f"the wiring of {student.seat} is {self._facts['wiring'][student.seat]!r}")

    # Logins

    def _compare_logins(self):
        leased = collections.Counter((int(record.get("opener", 0)), record["user"], record["seat"])
                                     for record in self._facts["records"].values())
        for login in self._history.leased():
            key = (login.opener, login.student.user, login.seat)
            if login.kind == "hold":
                self._compare_hold(login, leased[key])
            elif not leased[key]:
                if not self._history.may_be_cut(login):
                    self.differences.append(f"{login} has lost its lease")
                continue
            elif self._history.must_be_cut(login):
                self.differences.append(f"{login} still has a lease, though its seat was stopped under it")
            leased[key] -= 1
            if login.inside and self._facts["inside"][str(login.inside)] != self._facts["namespaces"].get(f"ns{login.seat}"):
                self.differences.append(f"{login} has a lease, but sits in another namespace than its seat's")
        for (opener, user, seat), count in leased.items():
            if count > 0 and not (opener == 0 and self._history.was_held(user)):
                self.differences.append(f"{count} lease(s) of {seat} without a login: {user}, process {opener}, "
                                        + self._history.tell_past(opener))

    def _compare_hold(self, hold, found):
        # Several requests for a hold of one seat are one hold, which is counted down once for each.
        if found <= 0 and not self._history.may_be_cut(hold) and not self._held_again(hold):
            self.differences.append(f"{hold} has gone")

    def _held_again(self, hold):
        return any(record["user"] == hold.student.user and not int(record.get("opener", 0))
                   for record in self._facts["records"].values())

    def misplaced_holds(self):
        """Seats that are held for a student who had their numbers only until the roster was repaired."""
        seats = {student.user: student.seat for student in students()}
        return sorted({record["seat"] for record in self._facts["records"].values()
                       if not int(record.get("opener", 0)) and record["seat"] != seats[record["user"]]})

    def cut_logins(self):
        """Those whose lease is gone, for a reason."""
        left = {(int(record.get("opener", 0)), record["user"], record["seat"]) for record in self._facts["records"].values()}
        return [login for login in self._history.leased() if (login.opener, login.student.user, login.seat) not in left]

    def _compare_probes(self):
        for seat, fault in self._facts["probes"]:
            if seat in self.seats:
                self.differences.append(f"seat {seat}: {fault}")
