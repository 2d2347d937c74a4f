"""Several servers that share a course: see helpers/hosts.py."""

import time

from harness.case import ONE_SUITE, case, expect, expect_equal, expect_failure, expect_in
from helpers.hosts import CLAIM_TIME, COURSE, STUDENTS, log_in, members_of, with_members

ADDRESSES = "ip -br address show dev vr-12310 | tr -s ' ' | cut -d ' ' -f 3-"


def name_of(number):
    """The name in the course of the student of a number, which their seat has, too."""
    return f"student{number}.cs{COURSE}.internal"


def soon(session, line, seconds):
    """Tries a line of a student's shell, several times a second; returns how long it took to succeed."""
    said = session.run(f"began=$(date +%s%N); until {line}; do sleep 0.1; test $(($(date +%s%N) - began)) -lt {seconds}000000000 || break; "
                       "done >/dev/null 2>&1; echo $((($(date +%s%N) - began) / 1000000))")
    took = int(said.split()[-1]) / 1000
    expect(took < seconds, f"`{line}` did not succeed in {seconds} s, but says:\n" + session.run(f"{line} 2>&1"))
    return took


@case("what looks for seats that are live on two servers finds one", suites=ONE_SUITE)
def watch_finds(guest):
    members = members_of(guest)
    since = members.watch.now()
    for host in (members.a, members.b):
        host.run("ip link add vl-twice up type bridge")
    members.watch.wait("twice twice hosta hostb", since)
    members.b.run("ip link set vl-twice down")
    members.watch.wait("hostb twice down", since)
    members.a.run("ip link delete vl-twice")
    members.watch.wait("hosta twice down", since)
    try:
        members.watch.expect_never_twice(since)
    except AssertionError as error:
        expect_in("hostb twice down", str(error), "what is told of it")
    else:
        raise AssertionError("it has not been told")


@case("two students of a course who are logged in on two servers reach each other by name", suites=ONE_SUITE)
@with_members
def names(members):
    first, second = members.a.ssh_popen(STUDENTS[0]), members.b.ssh_popen(STUDENTS[1])
    for session, other in ((first, 11), (second, 10)):
        soon(session, f"ping -c 1 -W 1 {name_of(other)}", 10)
        soon(session, f"ping -6 -c 1 -W 1 {name_of(other)}", 10)
    first.close()
    second.close()


@case("a student who logs out of one server and in on another keeps the address, and neighbours reach it there in 5 s", suites=ONE_SUITE)
@with_members
def move(members):
    moving, neighbour = STUDENTS[0], members.b.ssh_popen(STUDENTS[1])
    first = members.a.ssh_popen(moving)
    greet = "socat TCP4-LISTEN:7000,reuseaddr,fork SYSTEM:'echo here' </dev/null >/dev/null 2>&1 &"
    first.send(f"{greet}\n")
    reach = f"test \"$(nc -w 1 {name_of(10)} 7000 </dev/null)\" = here"
    soon(neighbour, reach, 10)
    addresses = first.run(ADDRESSES)
    began = time.monotonic()
    since = members.watch.now()
    first.close()
    second = log_in(members.c, moving, 5)
    second.send(f"{greet}\n")
    soon(neighbour, reach, 5)
    took = time.monotonic() - began
    expect(took < 5, f"the move took {took:.1f} s")
    expect_equal(second.run(ADDRESSES), addresses, "the addresses after the move")
    members.watch.wait("hostc 12310 up", since)
    expect_equal(members.watch.where("12310"), ["hostc"], "where the seat is live")
    second.close()
    neighbour.close()


@case("a student who is live on one server is refused on another, and reads where, since when and what to do", suites=ONE_SUITE)
@with_members
def elsewhere(members):
    user = STUDENTS[0]
    first = log_in(members.a, user, 10)
    tried = members.b.ssh(user, "true", check=False)
    expect_failure(tried, "a login on a second server")
    expect_in("Your seat has been in use on hosta since", tried.stdout + tried.stderr, "what the student reads")
    expect_in(f"ssh {user}@hosta.example.edu", tried.stdout + tried.stderr, "what the student reads")
    expect_equal(members.watch.where("12310"), ["hosta"], "where the seat is live")
    first.close()
    log_in(members.b, user, 10).close()


@case("a server that loses the others takes its seats off the network before another may have them, and ends those that another has", suites=ONE_SUITE)
@with_members
def cut_off(members):
    taken, kept, new = STUDENTS[1], STUDENTS[2], STUDENTS[3]
    sessions = [log_in(members.c, user, 10) for user in (taken, kept)]
    since = members.watch.now()
    with members.cut("hostc"):
        for seat in ("12311", "12312"):
            members.watch.wait(f"hostc {seat} down", since, timeout=CLAIM_TIME + 10)
        tried = members.c.ssh(new, "true", check=False)
        expect_failure(tried, "a login on the server that is cut off")
        expect_in("has lost contact with the others", tried.stdout + tried.stderr, "what the student reads")
        # A new leader of the store gives every claim its whole time again.
        session = log_in(members.a, taken, 3 * CLAIM_TIME + 10)
        members.watch.wait("hosta 12311 up", since)
    members.watch.wait("hostc 12312 up", since, timeout=60)
    members.c.wait_until("! coursenetctl status --json | grep -q '\"seat\": *\"12311\"[^}]*\"up\"'", what="the seat that another server has ended here")
    expect_equal(members.watch.where("12311"), ["hosta"], "where the seat that was taken is live")
    expect_equal(members.watch.where("12312"), ["hostc"], "where the seat that was not taken is live")
    for each in (session, *sessions):
        each.close()


@case("a server that is drained gets no new seats, and the students who are there stay", suites=ONE_SUITE)
@with_members
def drained(members):
    there, new = STUDENTS[4], STUDENTS[5]
    session = log_in(members.b, there, 10)
    expect_in("1 seat of shared courses is live there", members.a.run("coursenetctl drain hostb").stdout, "what the drain says")
    members.b.wait_until("test -e /run/coursenet/hosts/drained", what="hostb knows that it is drained")
    tried = members.b.ssh(new, "true", check=False)
    expect_failure(tried, "a login that needs a new seat")
    expect_in("This server gets no new seats at the moment. Please log in on another one: hosta", tried.stdout + tried.stderr,
              "what the student reads")
    log_in(members.b, there, 1).close()
    log_in(members.c, new, 1).close()
    members.a.run("coursenetctl undrain hostb")
    members.b.wait_until("! test -e /run/coursenet/hosts/drained", what="hostb is not drained any longer")
    log_in(members.b, new, 10).close()
    session.close()


@case("coursenet-hosts and the activator may be killed at any time: seats go on, and logins wait for the next one", suites=ONE_SUITE)
@with_members
def killed(members):
    user, other = STUDENTS[6], STUDENTS[7]
    session = log_in(members.a, user, 10)
    since = members.watch.now()
    for unit in ("coursenet-hosts", "coursenet-activator", "coursenet-hosts"):
        members.a.run(f"systemctl kill --signal=KILL --kill-whom=main {unit}")
        log_in(members.a, other, 10).close()
    expect_failure(members.b.ssh(user, "true", check=False), "a login on a second server")
    expect_equal([text for _, text in members.watch.lines(since) if "12316" in text], [], "what happened to the seat that was live")
    session.close()


@case("the seats of a server that has crashed are free when its claims are over, and not before; it comes back", suites=ONE_SUITE)
@with_members
def crashed(members):
    user = STUDENTS[8]
    log_in(members.a, user, 10)
    since = members.watch.now()
    members.crash("hosta")
    tried = members.b.ssh(user, "true", check=False)
    expect_failure(tried, "a login just after the crash")
    session = log_in(members.b, user, 3 * CLAIM_TIME + 10)
    waited = members.watch.time_of("hostb 12318 up", since) - members.watch.time_of("hosta gone", since)
    # The last renewal was at most a sixth of the claim time before the crash.
    expect(waited > CLAIM_TIME * 5 / 6 - 0.5, f"the seat was live again after {waited:.1f} s")
    members.boot_again("hosta")
    expect_failure(members.a.ssh(user, "true", check=False), "a login on the server that is back")
    session.close()
    log_in(members.a, user, 10).close()


SEND_VXLAN = """
import socket
try:
    socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(bytes(8), ("192.0.2.2", 4789))
except PermissionError:
    print("refused")
"""


@case("a seat reaches neither BGP nor the store of a server, and no process of a server sends VXLAN", suites=ONE_SUITE)
@with_members
def underlay(members):
    session = log_in(members.a, STUDENTS[9], 10)
    expect_in("open", session.run("nc -z -w 5 192.0.2.2 22 2>/dev/null && echo open"), "a port of another server that is not ours")
    for address in ("192.0.2.1", "192.0.2.2"):
        for port in (179, 2379, 2380):
            expect_equal(session.run(f"nc -z -w 2 {address} {port} 2>/dev/null && echo open || echo closed").strip(), "closed", f"port {port} of {address}")
    expect_equal(members.a.run(["python3", "-c", SEND_VXLAN]).stdout.strip(), "refused", "VXLAN that root sends")
    expect_in("open", members.a.run("nc -z -w 5 192.0.2.2 2379 && echo open").stdout, "the store for the server itself")
    session.close()
