"""Races: a start and a stop, a start and a restart of the activator, a timeout and a success; and what other users than root can
lock, send or name."""

import contextlib
import time

from harness.case import ONE_SUITE, case, expect, expect_equal, expect_failure, expect_in
from helpers.activator import ACTIVATOR, activator_pid
from helpers.leases import leases
from helpers.pam_program import SUCCESS, PamProgram
from helpers.seats import (ADDRESS, ROSTER_FILE, SEAT, SECOND, STUDENT, add_students, drop_in, expect_nothing_failed, forget_failures,
                           held, is_active, leftovers, set_up_class, wait_gone)
from helpers.settings import with_settings
from helpers.worker import worker_away


@contextlib.contextmanager
def login_underway(guest, template):
    """A program whose open waits for the units, and a function that lets the start of a unit of that template go on."""
    try:
        with worker_away(guest), held(guest, template) as let_go, PamProgram(guest, options="join=no timeout=20") as program:
            program.start("a", STUDENT)
            program.send("open a")
            guest.wait_until(f"systemctl is-active {template}{SEAT} | grep -qx activating", what="the start is under way")
            yield program, let_go
    finally:
        forget_failures(guest)


def expect_agreement(guest):
    """After all jobs: systemd has as many leases as the activator, and nothing else is up without one."""
    guest.wait_until("! systemctl list-jobs | grep -qE 'n(etns|sbr|etbr)@|coursenet-'", what="the jobs are done")
    guest.wait_until(lambda: len(leases(guest)) == int(guest.run(
        "systemctl list-units --plain --no-legend --state=active 'coursenet-*.slice' | wc -l").stdout),
        what="systemd and the activator have the same leases")


@case("a login that is starting survives a restart and a crash of the activator, and has one lease afterwards")
def restart_while_starting(guest):
    set_up_class(guest)
    for command in ("systemctl restart coursenet-activator.service", "systemctl kill -s KILL coursenet-activator.service"):
        with login_underway(guest, "nsbr@") as (program, let_go):
            pid = activator_pid(guest)
            guest.run(command)
            guest.wait_until(lambda: is_active(guest, ACTIVATOR) and activator_pid(guest) != pid, what="the activator is back")
            let_go()
            expect_equal(program.answer(), SUCCESS, f"the login's result after `{command}`")
            expect_equal(len(leases(guest, SEAT)), 1, f"the leases after `{command}`")
            expect_agreement(guest)
            program.do("close a")
        wait_gone(guest)


@case("a restart of D-Bus while a login is starting leaves no lease without a login")
def dbus_restart_while_starting(guest):
    set_up_class(guest)
    with login_underway(guest, "nsbr@") as (program, let_go):
        try:
            guest.run("systemctl restart dbus.service")
            guest.wait_until(lambda: is_active(guest, ACTIVATOR), what="the activator is there")
            let_go()
            if program.answer() == SUCCESS:
                expect(is_active(guest, f"nsbr@{SEAT}"), "the login succeeded without its seat")
                program.do("close a")
        finally:
            guest.run("systemctl restart systemd-logind")
        wait_gone(guest)


@case("a systemctl stop while a login is starting lets the login have its seat or refuses it, and leaves nothing behind")
def stop_crosses_start(guest):
    set_up_class(guest)
    for stopped in (f"netns@{SEAT}", f"'coursenet-{SEAT}*.slice'"):
        for late in (False, True):
            with login_underway(guest, "netns@") as (program, let_go):
                stop = f"systemctl stop {stopped}"
                if late:
                    stop = f"systemctl kill -s STOP coursenet-activator; {stop}; systemctl kill -s CONT coursenet-activator"
                guest.run(stop, check=False)
                let_go()
                if program.answer() == SUCCESS:
                    expect(is_active(guest, f"nsbr@{SEAT}"), f"a login after `{stop}` succeeded without its seat")
                    expect_equal(len(leases(guest, SEAT)), 1, f"the leases after `{stop}`")
                    program.do("close a")
                expect_agreement(guest)
            wait_gone(guest)


@case("a login that succeeds at the moment of its timeout keeps its seat")
def success_at_the_deadline(guest):
    set_up_class(guest)
    with worker_away(guest), drop_in(guest, "nsbr@", "ExecStartPre=/bin/sleep 5"), PamProgram(guest, options="join=no timeout=6") as program:
        program.start("a", STUDENT)
        bus = guest.run("systemctl show -P MainPID dbus.service").stdout.strip()
        began = time.monotonic()
        program.send("open a")
        # D-Bus is stopped around the timeout, so that the unit's success and the timeout are handled together.
        guest.run(f"sleep {max(0, began + 3 - time.monotonic()):.1f}; kill -STOP {bus}; sleep 2.7; kill -CONT {bus}")
        if program.answer() == SUCCESS:
            expect_equal(len(leases(guest, SEAT)), 1, "the leases of the login that succeeded")
            expect(is_active(guest, f"nsbr@{SEAT}"), "the seat of the login that succeeded is gone")
            program.do("close a")
    forget_failures(guest)
    wait_gone(guest)


@case("daemon-reload and daemon-reexec while a login is starting do not disturb it")
def reload_while_starting(guest):
    set_up_class(guest)
    for command in ("daemon-reload", "daemon-reexec"):
        with login_underway(guest, "nsbr@") as (program, let_go):
            guest.run(f"systemctl {command}")
            let_go()
            expect_equal(program.answer(), SUCCESS, f"the login's result after {command}")
            program.do("close a")
        wait_gone(guest)


@case("a lock that a user holds on /run/netns delays no login, and users cannot lock the rosters")
def locks_of_others(guest):
    set_up_class(guest)
    guest.run("mkdir -p /run/netns")
    guest.popen("flock --exclusive /run/netns sh -c 'touch /tmp/held-$$; sleep 600'", user="alice")
    guest.wait_until("ls /tmp/held-* 2>/dev/null", what="alice has the lock")
    guest.run("rm /tmp/held-*")
    for path in ("/etc/coursenet/roster.d", ROSTER_FILE):
        refused = guest.run(f"flock --exclusive --nonblock {path} true", user="alice", check=False)
        expect_in("Permission denied", refused.stderr, f"what alice is told of a lock on {path}")
    expect_in(f"{ADDRESS}/24", guest.ssh(STUDENT, "ip -br addr", timeout=30).stdout, "a login meanwhile")
    guest.run("coursenetctl roster add 123 newellz2", timeout=30)
    wait_gone(guest)


@case("a bridge that an administrator's unit needs is not stopped when a seat of the course fails")
def needed_bridge(guest):
    set_up_class(guest)
    guest.write("/etc/systemd/system/course-dns.service",
                "[Unit]\nRequires=netbr@123.service\nAfter=netbr@123.service\n[Service]\nExecStart=/bin/sleep infinity\n")
    fail = f"/run/systemd/system/netns@{SEAT}.service.d/fail.conf"
    guest.write(fail, "[Service]\nExecStartPre=/bin/false\n")
    guest.run("systemctl daemon-reload; systemctl start course-dns")
    try:
        with worker_away(guest):
            expect_failure(guest.ssh(STUDENT, "true", check=False), "a login whose namespace fails")
        expect_nothing_failed(guest)
        expect(is_active(guest, "netbr@123"), "the bridge that course-dns needs was taken down")
        expect(is_active(guest, "course-dns"), "course-dns was taken down")
    finally:
        guest.run(f"rm {fail} /etc/systemd/system/course-dns.service; systemctl stop course-dns; systemctl daemon-reload")
        forget_failures(guest)
    wait_gone(guest)


@case("with leftover = kill, twelve students who leave processes that ignore SIGTERM do not delay other logins",
      suites=("trixie",))
@with_settings("[site]\nleftover = kill\n")
def stubborn_leftovers(guest):
    users = add_students(guest, "304", 12)
    sessions = [guest.ssh_popen(user) for user in users]
    for session in sessions:
        # A signal that is ignored stays so over exec: the process ignores them from its start.
        session.run("(trap '' HUP TERM; exec setsid --fork sleep 600 </dev/null >/dev/null 2>&1)")
    for session in sessions:
        session.send("exit\n")
    began = time.monotonic()
    expect_in(f"{ADDRESS}/24", guest.ssh(STUDENT, "ip -br addr").stdout, "another course's login")
    took = time.monotonic() - began
    expect(took < 15, f"another course's login took {took:.1f} s")
    wait_gone(guest)
    expect_equal(guest.run("systemctl list-units --failed --plain --no-legend").stdout, "", "the failed units")
    expect_failure(guest.run("pgrep -u " + ",".join(users), check=False), "finding what was left")


@case("a course user's name in capitals is refused; check reports it, and a uid with two names",
      suites=("trixie",))
def capitals(guest):
    set_up_class(guest)
    guest.run(f"useradd -m -s /bin/bash --badname CS123-newellz2; useradd cs0123-x; useradd -o -u $(id -u {STUDENT}) other")
    try:
        since = guest.journal_position()
        refused = guest.run("su - CS123-newellz2 -c 'echo inside'", check=False)
        expect_failure(refused, "a login in capitals")
        expect_in("it differs in capitals only", guest.journal(since=since), "the log")
        findings = guest.run("coursenetctl check", check=False).stdout
        expect_in("'CS123-newellz2' (it differs in capitals only)", findings, "the findings")
        expect_in("'cs0123-x' (its course, 0123, is not written with 3 digits)", findings, "the findings")
        expect_in(f"1 uid of students has another name: {STUDENT} is also 'other'", findings, "the findings")
    finally:
        guest.run("userdel -r CS123-newellz2; userdel cs0123-x; userdel -f other", check=False)
    expect_equal(leftovers(guest), "", "what is up")


@case("a user who sends garbage in a loop does not fill the log", suites=ONE_SUITE)
def garbage_loop(guest):
    set_up_class(guest)
    since = guest.journal_position()
    guest.run("for i in $(seq 50); do printf garbage | socat -t 1 - UNIX-CONNECT:/run/coursenet/query.sock,type=5 >/dev/null; done",
              user="alice")
    said = [line for line in guest.journal(since=since).splitlines() if "not a request" in line]
    expect(1 <= len(said) <= 5, f"the activator said {len(said)} lines: {said[:3]}")
    guest.ssh(SECOND, "true")
    wait_gone(guest)
