"""Several servers that share a course: see helpers/hosts.py."""

import time

from harness.case import case, expect, expect_equal, expect_in
from harness.stream import EndOfStream
from helpers.hosts import COURSE, STUDENTS, members_of, with_members

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
        tried = host.ssh_popen(user)
        try:
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
