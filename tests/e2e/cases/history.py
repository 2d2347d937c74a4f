"""`coursenetctl history`: what an abuse desk asks, and who may not answer for others."""

import datetime

from harness.case import ONE_SUITE, case, expect, expect_equal, expect_in, expect_not_in, expect_status
from harness.guest import ssh_command
from helpers import schema
from helpers.activator import ACTIVATOR, SOCKETS
from helpers.leases import leases
from helpers.seats import ADDRESS, SEAT, SECOND, SECOND_ADDRESS, STUDENT, held, set_up_class, wait_gone
from helpers.settings import with_settings
from helpers.worker import worker_away


def history(guest, *words):
    """The leases that `history --json` names, by their ids; the journal has those of earlier cases too."""
    said = guest.run(["coursenetctl", "history", "--json", *words], check=False)
    if said.returncode > 1:
        expect_status(said, 0, "history")
    return {lease["id"]: lease for lease in schema.parse("history", said.stdout)["leases"]}


def ended(guest, lease_id):
    """The lease in the history, once it has an end there."""
    def has_end():
        return history(guest).get(lease_id, {}).get("end")
    guest.wait_until(has_end, what="the lease's end is in the history")
    return history(guest)[lease_id]


def at(text, **difference):
    """A time of the history's and what lies so far from it."""
    moment = datetime.datetime.fromisoformat(text.replace("Z", "+00:00")) + datetime.timedelta(**difference)
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


@case("history tells who had an address from when to when, by address, seat, course and user")
def who_had_it(guest):
    set_up_class(guest)
    session, other = guest.ssh_popen(STUDENT), guest.ssh_popen(SECOND)
    [lease] = leases(guest, SEAT)
    address6 = session.run("ip -6 -br addr show scope global").split()[2].split("/")[0]
    guest.wait_until(lambda: lease["id"] in history(guest), what="the lease is in the history")
    now = history(guest)[lease["id"]]
    expect_equal({key: now[key] for key in ("user", "seat", "address", "address6", "service", "remote_host", "until", "end")},
                 {"user": STUDENT, "seat": SEAT, "address": ADDRESS, "address6": address6, "service": "sshd",
                  "remote_host": "127.0.0.1", "until": None, "end": None}, "a lease that is held")
    for word in (ADDRESS, f"{ADDRESS}/24", address6, address6.upper(), SEAT, "123", STUDENT):
        expect_in(lease["id"], history(guest, word), f"history {word}")
    for word in (SECOND_ADDRESS, SECOND, "377", "12312", "newellz2", "10.0.123.1"):
        expect_not_in(lease["id"], history(guest, word), f"history {word}")
    row = [line for line in guest.run(f"coursenetctl history {STUDENT}").stdout.splitlines() if " now " in line]
    expect_equal(len(row), 1, "the number of leases that last")
    for text in (ADDRESS, STUDENT, "sshd", "127.0.0.1"):
        expect_in(text, row[0], "its line")

    session.close()
    over = ended(guest, lease["id"])
    expect_equal(over["end"], "logout", "how it ended")
    expect(now["since"] <= over["until"] <= at(now["since"], minutes=10), f"it ended at {over['until']}")
    later = at(over["until"], seconds=1)
    guest.wait_until(lambda: guest.run("date -u +%Y-%m-%dT%H:%M:%SZ").stdout.strip() > later, what="it is later")
    for moment, had in ((at(now["since"], days=-1), False), (at(now["since"], seconds=-1), False), (now["since"], True),
                        (over["until"], True), (later, False), (now["since"][:10] + "Z", True)):
        expect_equal(lease["id"] in history(guest, "--at", moment, ADDRESS), had, f"whether the student had it at {moment}")
    other.close()
    wait_gone(guest)


@case("history says what it does not know: no such lease, a time before the journal, a word that is not a time", suites=ONE_SUITE)
def not_known(guest):
    set_up_class(guest)
    said = guest.run("coursenetctl history cs123-nemo", check=False)
    expect_status(said, 1, "history of nobody")
    expect_equal(said.stdout, "", "what it printed")
    expect_in("has no lease of 'cs123-nemo'", said.stderr, "its message")
    expect_in("The journal begins at ", said.stderr, "its message")
    said = guest.run(["coursenetctl", "history", "--at", "2001-02-03 04:05", ADDRESS], check=False)
    expect_status(said, 1, "history of long ago")
    expect_in(f"no lease of '{ADDRESS}' at 2001-02-03 04:05", said.stderr, "its message")
    said = guest.run(["coursenetctl", "history", "--at", "2101-02-03"], check=False)
    expect_status(said, 2, "history of what is in the future")
    expect_in("'2101-02-03' is in the future", said.stderr, "its message")
    said = guest.run(["coursenetctl", "history", "--at", "last week"], check=False)
    expect_status(said, 2, "history at no time")
    expect_in("'last week' is not a time; expected YYYY-MM-DD", said.stderr, "its message")


@case("history knows a lease that an administrator ended, one that lingered, and one that the host's crash ended", suites=ONE_SUITE)
@with_settings("[course 123]\nlinger = 3\n")
def other_ends(guest):
    session = guest.ssh_popen(STUDENT)
    [lease] = leases(guest, SEAT)
    guest.run(f"coursenetctl stop {SEAT}")
    expect_equal(ended(guest, lease["id"])["end"], "taken", "how a stopped lease ended")
    session.close()
    wait_gone(guest)

    session = guest.ssh_popen(STUDENT)
    [lease] = leases(guest, SEAT)
    before = guest.run("date -u +%Y-%m-%dT%H:%M:%SZ").stdout.strip()
    session.close()
    wait_gone(guest)
    over = ended(guest, lease["id"])
    # Three seconds, which are cut to whole ones at both ends.
    expect(over["until"] >= at(before, seconds=2), f"the logout was after {before}, and the lease ended at {over['until']}")
    expect_equal(over["end"], "logout", "how a lease that lingered ended")

    guest.ssh_popen(STUDENT)
    [lease] = leases(guest, SEAT)
    guest.wait_until(lambda: lease["id"] in history(guest), what="the lease is in the history")
    guest.run("journalctl --sync")
    guest.reboot(crash=True)
    gone = history(guest)[lease["id"]]
    expect_equal(gone["end"], "host-down", "how a lease ended with the host")
    expect(gone["until"] >= gone["since"], "it ended before it began")


@case("history knows a login that was given its seat while the activator was away", suites=ONE_SUITE)
def given_unseen(guest):
    set_up_class(guest)
    with worker_away(guest), held(guest, f"nsbr@{SEAT}") as let_go:
        login = guest.popen([*ssh_command(STUDENT, tty=False, extra=()), "read -r line"])
        guest.wait_until(f"systemctl is-active nsbr@{SEAT} | grep -qx activating", what="the seat is being started")
        guest.run(f"systemctl stop {ACTIVATOR}; systemctl start {ACTIVATOR}")
        let_go()
        guest.wait_until(lambda: leases(guest, SEAT), what="the student has the seat")
        [lease] = leases(guest, SEAT)
        guest.wait_until(lambda: lease["id"] in history(guest), what="the lease is in the history")
        login.stdin.close()
        login.wait(60)
        expect_equal(ended(guest, lease["id"])["end"], "logout", "how it ended")
    wait_gone(guest)


@case("history knows the end of a lease that was stopped while the activator was away", suites=ONE_SUITE)
def ended_unseen(guest):
    set_up_class(guest)
    session = guest.ssh_popen(STUDENT)
    [lease] = leases(guest, SEAT)
    guest.run(f"systemctl stop {SOCKETS} {ACTIVATOR}")
    try:
        guest.run(f"systemctl stop 'coursenet-{SEAT}_*.slice'")
    finally:
        guest.run(f"systemctl start {SOCKETS} {ACTIVATOR}")
    expect_equal(ended(guest, lease["id"])["end"], "taken", "how it ended")
    session.close()
    wait_gone(guest)


# In the journal's own protocol, with every field that the activator sends.
FORGE = """
import socket, sys
fields = {"MESSAGE": "forged", "COURSENET_EVENT": "given to", "COURSENET_LEASE": sys.argv[1], "COURSENET_USER": "cs123-smithj",
          "COURSENET_COURSE": "123", "COURSENET_SEAT": "12311", "COURSENET_ADDRESS": "10.0.123.11",
          "COURSENET_ADDRESS6": "", "COURSENET_SERVICE": "sshd", "COURSENET_REMOTE_HOST": "", "COURSENET_SINCE": "1",
          "_UID": "0", "_SYSTEMD_UNIT": "coursenet-activator.service", "SYSLOG_IDENTIFIER": "coursenet-activator"}
link = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
link.sendto("".join(f"{name}={value}\\n" for name, value in fields.items()).encode(), "/run/systemd/journal/socket")
sys.stdin.read()
"""


def forge(guest, lease_id, user="root", cgroup=None):
    """The forger stays until journald has looked at who it is."""
    move = f"echo $$ >/sys/fs/cgroup/system.slice/{cgroup}/cgroup.procs && " if cgroup else ""
    forger = guest.popen(["sh", "-c", f"{move} exec \"$@\"", "sh", "python3", "-c", FORGE, lease_id], user=user)
    guest.wait_until(f"journalctl -o cat COURSENET_LEASE={lease_id} | grep -q forged", what="it is in the journal")
    forger.stdin.close()
    forger.wait(60)


@case("a student cannot put a lease of somebody else's into the history", suites=ONE_SUITE)
def forged(guest):
    set_up_class(guest)
    guest.run("coursenetctl status")
    forge(guest, "12311_f0", user=STUDENT)
    forge(guest, "12311_f1")
    forge(guest, "12311_f2", cgroup="coursenet-activator.service")
    known = history(guest)
    expect_not_in("12311_f0", known, "the history, of what a student has logged")
    expect_not_in("12311_f1", known, "the history, of what some program of root's has logged")
    # The same from where the activator is counts: so it was the sender that did not.
    expect_in("12311_f2", known, "the history")
    expect_equal(known["12311_f2"]["end"], "unknown", "the end of a lease that the activator does not have")


@case("history is for those who may read the system's journal", suites=ONE_SUITE)
def who_may(guest):
    set_up_class(guest)
    guest.ssh(STUDENT, "true")
    wait_gone(guest)
    said = guest.run("coursenetctl history", user="alice", check=False)
    expect_status(said, 1, "history by a user")
    expect_equal(said.stdout, "", "what it printed")
    expect_in("Only root, the course's staff", said.stderr, "its message")
    guest.run("gpasswd -a alice systemd-journal")
    try:
        expect_in(STUDENT, guest.run("coursenetctl history", user="alice").stdout, "history by one of the group")
    finally:
        guest.run("gpasswd -d alice systemd-journal")
