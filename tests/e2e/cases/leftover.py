"""What a student leaves running at the last logout: leftover = cut, kill and keep, with the programs that students use for it."""

import contextlib
import os
import re
import subprocess
import time

from harness.case import case, expect, expect_equal, expect_in, expect_not_in, expect_status
from harness.stream import Stream
from helpers.leases import leases, seat_status
from helpers.logins import OWN_NAMESPACE, manager_of
from helpers.seats import ADDRESS, ROSTER_FILE, SEAT, STUDENT, is_active, wait_gone
from helpers.settings import SETTINGS, with_settings
from helpers.world import World

KEEP = "[site]\nleftover = keep\n"
GATEWAY = "10.0.123.1"

# Each is a sleep of its own number, so that it can be found from outside.
NOHUP, SCREEN, TMUX, UNIT = 7001, 7002, 7003, 7004
LEAVE = {
    NOHUP: f"nohup sleep {NOHUP} >/dev/null 2>&1 &",
    SCREEN: f"screen -d -m sleep {SCREEN}",
    TMUX: f"tmux new-session -d -s work 'exec sleep {TMUX}'",
    UNIT: f"systemd-run --user --quiet --unit=left sleep {UNIT}",
}


def leave(guest, *numbers):
    """A login, on a terminal, that leaves these behind."""
    session = guest.ssh_popen(STUDENT, tty=True)
    for number in numbers:
        session.run(LEAVE[number])
        guest.wait_until(lambda: find(guest, number), what=f"sleep {number} runs")
    session.close()


def find(guest, number):
    """The sleep's process, or an empty text. screen's own command line has the words too."""
    return guest.run(f"pgrep -f '^(/usr/bin/|/bin/)?sleep {number}$'", check=False).stdout.strip()


def end(guest, *numbers):
    guest.run(f"pkill -f '^(/usr/bin/|/bin/)?sleep ({'|'.join(str(number) for number in numbers)})$'", check=False)


def links_of(guest, pid):
    return guest.run(f"nsenter -t {pid} -n ip -br link").stdout


def kept(guest):
    """What keeps the seat, as status has it; None if it is not kept."""
    seat = seat_status(guest)
    return seat and seat["kept"]


def kept_by(guest, command):
    """The same, if it is this command; a shell that is about to end may be what status finds first."""
    found = kept(guest)
    return found if found and found["command"] == command else None


def invocation(guest):
    return guest.run(f"systemctl show -p InvocationID --value netns@{SEAT}").stdout.strip()


@contextlib.contextmanager
def hasty_logind(guest):
    """logind ends a user's manager one second after the last session, not ten."""
    path = "/etc/systemd/logind.conf.d/hasty.conf"
    guest.write(path, "[Login]\nUserStopDelaySec=1\n")
    guest.run("systemctl restart systemd-logind")
    try:
        yield
    finally:
        guest.run(f"rm {path}; systemctl restart systemd-logind")


@case("with leftover = cut, nohup and screen go on without a network, units of the manager end, and the next login has "
      "a manager")
@with_settings("[site]\nleftover = cut\n")
def cut(guest):
    leave(guest, NOHUP, SCREEN, TMUX, UNIT)
    wait_gone(guest)
    guest.wait_until(lambda: not find(guest, UNIT), what="the manager's unit has ended")
    # tmux 3.4 and later has its panes in scopes of the manager.
    going_on = [NOHUP, SCREEN] + ([TMUX] if guest.suite == "bookworm" else [])
    if TMUX not in going_on:
        guest.wait_until(lambda: not find(guest, TMUX), what="tmux has ended with the manager")
    for number in going_on:
        expect(find(guest, number), f"sleep {number} has ended")
        expect_not_in("vr-", links_of(guest, find(guest, number)), f"the links of sleep {number}")
    # While screen runs, systemd keeps an older version's drop-in of the manager in memory. A login works anyway.
    guest.run(f"sed -i /CollectMode/d /run/systemd/system/{manager_of(guest, STUDENT)}.service.d/50-coursenet.conf; systemctl daemon-reload")
    again = guest.ssh_popen(STUDENT)
    expect_in(f"{ADDRESS}/24", again.run("ip -br addr"), "the next login")
    expect_equal(again.run(f"systemd-run --user --quiet --wait --pipe {OWN_NAMESPACE}"), again.run(OWN_NAMESPACE), "its manager's namespace")
    expect_not_in("vr-", links_of(guest, find(guest, SCREEN)), "the links of screen after the next login")
    again.close()
    wait_gone(guest)
    # While screen runs, systemd keeps the manager in memory, with the wiring of the student's old seat.
    guest.run(f"sed -i.before 's/^newellz2 .*/newellz2 60/' {ROSTER_FILE}")
    moved = guest.ssh_popen(STUDENT)
    guest.run(f"mv {ROSTER_FILE}.before {ROSTER_FILE}")
    expect_in("10.0.123.60/24", moved.run("ip -br addr"), "the login after a change of the seat's number")
    expect_equal(moved.run(f"systemd-run --user --quiet --wait --pipe {OWN_NAMESPACE}"), moved.run(OWN_NAMESPACE), "its manager's namespace")
    moved.close()
    wait_gone(guest)
    # While screen runs, systemd does not read the drop-ins of leftover = keep. A login works anyway.
    guest.write(SETTINGS, KEEP)
    expect_in(f"{ADDRESS}/24", guest.ssh(STUDENT, "ip -br addr").stdout, "the first login with leftover = keep")
    end(guest, *going_on)
    wait_gone(guest)


@case("with leftover = kill, all that a login left running is killed")
@with_settings("[site]\nleftover = kill\n")
def kill(guest):
    leave(guest, NOHUP, SCREEN, TMUX, UNIT)
    wait_gone(guest)
    for number in (NOHUP, SCREEN, TMUX, UNIT):
        guest.wait_until(lambda number=number: not find(guest, number), what=f"sleep {number} has ended")


@case("with leftover = keep, the next login finds tmux with its network in the same seat, after restarts of the "
      "activator and systemd")
@with_settings(KEEP)
def keep_tmux(guest):
    session = guest.ssh_popen(STUDENT, tty=True)
    namespace = session.run(OWN_NAMESPACE)
    session.run("tmux new-session -d -s work")
    before = invocation(guest)
    # As when a laptop is closed.
    session.kill()
    guest.wait_until(lambda: kept(guest), what="the seat is kept")
    expect_equal(leases(guest), [], "the leases of a seat that is kept")
    expect_in("tmux", kept(guest)["command"], "what keeps it")
    expect_in(f"Seat {SEAT} is kept for {STUDENT}", guest.run("coursenetctl status").stdout, "status, for people")
    expect_in(f"{kept(guest)['pid']}", guest.run("coursenetctl status", user=STUDENT).stdout, "status, for the student")
    refused = guest.run("coursenetctl teardown", check=False)
    expect_status(refused, 1, "teardown while the seat is kept")
    expect_in(f"Seat {SEAT}: {STUDENT} may have left something running", refused.stderr, "whom it names")
    guest.run("systemctl restart coursenet-activator; systemctl daemon-reload; systemctl daemon-reexec")
    guest.run("systemctl kill --signal=KILL coursenet-activator")
    guest.wait_until(lambda: kept(guest), what="the seat is kept after the restarts")

    again = guest.ssh_popen(STUDENT, tty=True)
    expect_equal(again.run(OWN_NAMESPACE), namespace, "the next login's namespace")
    expect_equal(invocation(guest), before, "the start of netns@ that the login is in")
    expect(not kept(guest), "a seat with a login is shown as kept")
    again.send("TERM=xterm tmux attach -t work\n")
    again.read_until(r"\[work\]")
    again.send(f"test \"$TMUX\" && ping -c 1 -W 5 {GATEWAY} >/dev/null && {OWN_NAMESPACE} && echo rea''ched\n")
    expect_in(namespace, again.read_until("reached"), "what the pane says")
    again.send("exit\n")
    again.read_until("exited")
    again.close()
    started = time.monotonic()
    wait_gone(guest)
    expect(time.monotonic() - started < 10, "the seat was not gone at once when nothing ran in it")


@case("with leftover = keep, screen and nohup keep the seat; it is removed at once when they end")
@with_settings(KEEP)
def keep_until_end(guest):
    leave(guest, SCREEN, NOHUP)
    guest.wait_until(lambda: kept(guest), what="the seat is kept")
    for number in (SCREEN, NOHUP):
        expect_in("vr-", links_of(guest, find(guest, number)), f"the links of sleep {number}")
    end(guest, SCREEN)
    guest.wait_until(lambda: not guest.run("pgrep -i screen", check=False).stdout, what="screen has ended")
    guest.run("systemctl restart coursenet-activator")
    unit = guest.wait_until(lambda: kept_by(guest, "sleep"), what="nohup alone keeps the seat")["unit"]
    expect(re.fullmatch("session-c?[0-9]+[.]scope", unit), f"the unit is {unit}")
    end(guest, NOHUP)
    started = time.monotonic()
    wait_gone(guest)
    expect(time.monotonic() - started < 8, "the seat's end waited for more than the process")
    expect_in("kept no longer", guest.journal("coursenet-activator", lines=20), "the log")


@case("with leftover = keep, a unit of the student's keeps the seat and the manager that logind would stop; "
      "coursenetctl stop ends both")
@with_settings(KEEP)
def keep_unit(guest):
    manager = manager_of(guest, STUDENT)
    guest.wait_until(f"! systemctl is-active --quiet {manager}", what="the manager of an earlier login is gone")
    with hasty_logind(guest):
        position = guest.journal_position()
        namespace = guest.ssh(STUDENT, f"{LEAVE[UNIT]}; {OWN_NAMESPACE}").stdout.strip()
        guest.wait_until(lambda: kept(guest), what="the seat is kept")
        expect_equal((kept(guest)["unit"], seat_status(guest)["manager"]), ("left.service", "seat"), "what keeps it")
        guest.wait_until(lambda: "Failed to stop user service" in guest.journal("systemd-logind", since=position),
                         what="logind has tried to end the manager")
        expect(find(guest, UNIT) and is_active(guest, manager), "the manager has ended")
        again = guest.ssh_popen(STUDENT)
        expect_equal(again.run(f"systemd-run --user --quiet --wait --pipe {OWN_NAMESPACE}"), namespace, "the manager's namespace")
        expect_equal(again.run("systemctl --user is-active left.service"), "active", "the unit that was left")
        again.close()
        guest.wait_until(lambda: kept(guest), what="the seat is kept again")
        guest.run(f"coursenetctl stop {SEAT}")
        wait_gone(guest)
        guest.wait_until(f"! systemctl is-active --quiet {manager} user-runtime-dir@{manager[5:]}", what="all of the manager is gone")


@case("an idle manager, an ssh-agent and a process outside of the seat do not keep the seat")
@with_settings(KEEP)
def idle(guest):
    uid = manager_of(guest, STUDENT)[5:]
    session = guest.ssh_popen(STUDENT)
    session.run("systemctl --user start dbus.service; eval $(ssh-agent) >/dev/null")
    outside = guest.popen(f"XDG_RUNTIME_DIR=/run/user/{uid} exec systemd-run --user --scope --unit=outside sleep 7005", user=STUDENT)
    guest.wait_until(f"grep -q . /sys/fs/cgroup/user.slice/user-{uid}.slice/user@{uid}.service/*/outside.scope/cgroup.procs")
    session.close()
    started = time.monotonic()
    wait_gone(guest)
    expect(time.monotonic() - started < 8, "the seat stayed")
    outside.kill_in_guest()
    guest.run("pkill ssh-agent", check=False)


@case("leftover-max limits how long a seat is kept, also with linger and when an administrator holds the seat")
@with_settings("[site]\nlinger = 1\n[course 123]\nleftover = keep\nleftover-max = 5s\n")
def leftover_max(guest):
    leave(guest, NOHUP)
    started = time.monotonic()
    guest.wait_until(lambda: kept(guest), what="the seat is kept when its linger= is over")
    wait_gone(guest)
    expect(time.monotonic() - started > 3, "the seat went before its time")
    expect_not_in("vr-", links_of(guest, find(guest, NOHUP)), "the links of what runs on")
    expect_in("leftover-max is over", guest.journal("coursenet-activator", lines=20), "the log")
    end(guest, NOHUP)

    # Again with a hold, which does not hide that the seat is kept; coursenet-enter does not prolong the time.
    guest.run(f"coursenetctl start {SEAT}")
    leave(guest, NOHUP)
    started = time.monotonic()
    guest.wait_until(lambda: kept(guest), what="the seat is kept beside the hold")
    guest.run("coursenet-enter --seat -- true", user=STUDENT)
    # On a busy machine its time may be over before this looks.
    guest.wait_until(lambda: kept(guest) or time.monotonic() - started > 4, what="it still is, after coursenet-enter")

    def enter_until_over():
        # The time may end while coursenet-enter has the seat: then nothing is kept any more that the log could tell of.
        guest.run("coursenet-enter --seat -- true", user=STUDENT)
        leases = guest.run(f"systemctl list-units --plain --no-legend 'coursenet-{SEAT}_*.slice'").stdout.splitlines()
        return len(leases) == 1
    guest.wait_until(enter_until_over, what="leftover-max is over, however often the student enters")
    expect(time.monotonic() - started > 3, "the seat was not kept any more before its time")
    expect(not kept(guest), "the seat is kept when leftover-max is over")
    expect(find(guest, NOHUP) and is_active(guest, f"nsbr@{SEAT}"), "the hold has lost the seat")
    end(guest, NOHUP)
    guest.run(f"coursenetctl stop {SEAT}")
    wait_gone(guest)


@case("mosh works with leftover = keep and inbound = yes, from a host that has a route to the seat")
@with_settings("[course 123]\nleftover = keep\ninbound = yes\n")
def mosh(guest):
    with World(guest) as world:
        world.route("10.0.123.0/24")
        line = f'mosh --experimental-remote-ip=local --ssh="ssh -o HostName={world.host4}" {STUDENT}@{ADDRESS}'
        process = world.popen(["env", "TERM=xterm", "LANG=C.UTF-8", "script", "-qec", f"stty rows 24 cols 80; {line}", "/dev/null"],
                              stderr=subprocess.STDOUT)
        screen = Stream(os.dup(process.stdout.fileno()), "mosh")
        screen.read_until(r"\$ ", 60)
        process.stdin.write(f"ping -c 1 -W 5 {GATEWAY} >/dev/null && echo rea''ched\n")
        process.stdin.flush()
        screen.read_until("reached", 60)
        guest.wait_until(lambda: kept_by(guest, "mosh-server"), what="mosh keeps the seat")
        process.stdin.write("exit\n")
        process.stdin.flush()
        process.wait(60)
        wait_gone(guest)
