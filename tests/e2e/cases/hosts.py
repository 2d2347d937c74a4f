"""Several servers that share a course: see helpers/hosts.py."""

import time

from harness.case import case, expect, expect_equal, expect_failure, expect_in
from harness.stream import EndOfStream
from helpers.hosts import CLAIM_TIME, COURSE, STUDENTS, members_of, with_members

ONLY = ("trixie",)
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


def log_in(host, user, seconds):
    """Logs a user in who may be refused for a while; returns the session."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            tried = host.ssh_popen(user)
            tried.run("test -n \"$COURSENET_SEAT\"")
            return tried
        except EndOfStream:
            expect(time.monotonic() < deadline, f"{user} could not log in on {host.name} in {seconds} s")


@case("what looks for seats that are live on two servers finds one", suites=ONLY)
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


@case("two students of a course who are logged in on two servers reach each other by name", suites=ONLY)
@with_members
def names(members):
    first, second = members.a.ssh_popen(STUDENTS[0]), members.b.ssh_popen(STUDENTS[1])
    for session, other in ((first, 11), (second, 10)):
        soon(session, f"ping -c 1 -W 1 {name_of(other)}", 10)
        soon(session, f"ping -6 -c 1 -W 1 {name_of(other)}", 10)
    first.close()
    second.close()


@case("a student who logs out of one server and in on another keeps the address, and neighbours reach it there in 5 s", suites=ONLY)
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


@case("a student who is live on one server is refused on another, and reads where, since when and what to do", suites=ONLY)
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


@case("a server that loses the others takes its seats off the network before another may have them, and ends those that another has", suites=ONLY)
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
