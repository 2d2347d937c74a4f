"""Several servers that share a course: see helpers/hosts.py."""

import contextlib
import re
import time

from harness.case import case, expect, expect_equal, expect_in
from harness.stream import EndOfStream
from helpers import frames
from helpers.escape import CHECKS, IMAGINARY_MAC, check, link_local, run_checks
from helpers.hosts import COURSE, STUDENTS, members_of, with_members
from helpers.network import address6, in_seat, inside, seat_address6

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


# Attempts of a seat against seats on other members

# The seats of attempts, and the members that hold them.
HELD = {"hosta": "12310", "hostb": "12311", "hostc": "37710"}
FAR_SEAT = HELD["hostc"]


@contextlib.contextmanager
def held_seats(members):
    """Seats on three members, held by an administrator, as long as the `with` lasts."""
    try:
        members.each(lambda name: members.hosts[name].run(["coursenetctl", "start", HELD[name]]))
        yield
    finally:
        members.each(lambda name: members.hosts[name].run(["coursenetctl", "stop", HELD[name]], check=False))


class Stretch:
    """What came of frames that root sent in a seat of the first member: at a seat and the bridge of the second, and in another
    course on the third."""

    def __init__(self, members):
        first, second, third = members.a, members.b, members.c
        self.names = {
            "mac": first.run("cat /sys/class/net/br-123/address").stdout.strip(),
            "second_mac": in_seat(second, "12311", "cat /sys/class/net/vr-12311/address").stdout.strip(),
            "second6": seat_address6(second, "12311"), "far6": seat_address6(third, FAR_SEAT),
            "gateway6": address6(first, "br-123"), "gateway_local": link_local(first, "br-123"),
        }
        places = {"second": (second, inside("12311"), "vr-12311"), "bridge": (second, [], "br-123"),
                  "far": (third, inside(FAR_SEAT), f"vr-{FAR_SEAT}")}
        watchers = {place: frames.watch(host, prefix, link, "the last") for place, (host, prefix, link) in places.items()}
        sent = [self.fill(frame) for function in FRAMES for frame in CHECKS[function].frames]
        frames.send(first, inside("12310"), "vr-12310", *sent, "udp4,text=the last")
        frames.send(third, [], "br-377", "udp4,text=the last")
        self.seen = {place: watcher.wait_output().stdout.splitlines() for place, watcher in watchers.items()}

    def fill(self, text):
        return text.format(**self.names)

    def lines(self, place, pattern):
        return [line for line in self.seen[place] if re.search(pattern, line)]

    def expect_none(self, pattern):
        for place in self.seen:
            expect_equal(self.lines(place, pattern), [], f"what came through, seen at {place},")


FRAMES = []


def forging(*sent):
    """A check of what came of these frames on other members."""
    def register(function):
        FRAMES.append(function.__name__)
        function.frames = sent
        return check(function)
    return register


@forging("udp4,text=true4", "udp6,text=true6", "arp,op=1,tpa=10.0.123.11")
def stretch_true_frames(stretch):
    """The control of all others: what is true comes through."""
    for pattern in ("true4", "true6"):
        expect(stretch.lines("second", pattern), f"{pattern} was not seen on the second member")


@forging(f"udp4,smac={IMAGINARY_MAC},text=forged mac", "udp4,smac={second_mac},text=forged mac", "udp6,smac={mac},text=forged mac")
def stretch_spoofed_mac(stretch):
    stretch.expect_none("forged mac")


@forging(*(f"udp4,src={source},text=forged ipv4" for source in ("10.0.123.11", "10.0.123.1", "10.1.121.10", "192.0.2.2")))
def stretch_spoofed_ipv4(stretch):
    stretch.expect_none("forged ipv4")


@forging(*(f"udp6,src={source},text=forged ipv6" for source in ("{second6}", "{gateway6}", "{far6}", "fe80::99")))
def stretch_spoofed_ipv6(stretch):
    stretch.expect_none("forged ipv6")


@forging("arp,op=2,spa=10.0.123.11", "arp,op=1,spa=10.0.123.11", "arp,op=2,spa=10.0.123.1", "arp,op=2,spa=10.0.123.1,sha={mac}")
def stretch_spoofed_arp(stretch):
    stretch.expect_none(r"arp [12] \S+ 10\.0\.123\.(1|11) asks")


@forging("na,target={second6}", "na,target={gateway6}", "na,src={second6},target={second6}", "na,hop=1,target={second6}")
def stretch_spoofed_nd(stretch):
    stretch.expect_none(stretch.fill(r" na ({second6}|{gateway6})$"))


@forging("ra", "ra,hop=1", "ra,src={gateway_local}", "ra,vlan=7", "redirect,target={second6}")
def stretch_router(stretch):
    stretch.expect_none(r"ip6 .* (ra|redirect)\b")


@forging("ether,proto=0x88b5,text=other ether", "ether,proto=0x88cc,text=other ether", "udp4,vlan=7,src=10.0.123.11,text=tagged")
def stretch_other_protocol(stretch):
    stretch.expect_none("other ether|tagged")


@forging("udp4,dst=10.1.121.10,dmac={mac},text=to other course", "udp6,dst={far6},dmac={mac},text=to other course")
def stretch_other_course(stretch):
    stretch.expect_none("to other course")


@case("frames that a seat forges reach no seat and no bridge of another server", suites=ONLY)
@with_members
def forging_frames(members):
    with held_seats(members):
        members.a.wait_until(" ".join([*inside("12310"), "ping -c 1 -W 1 10.0.123.11"]), what="the seats reach each other")
        run_checks(Stretch(members), *(CHECKS[name] for name in FRAMES))
