"""Compares what everybody says after a storm: the activator, systemd, the kernel, the records, the logins."""

import collections
import json

from helpers.storm_history import explained_failures
from helpers.storm_plan import students


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
