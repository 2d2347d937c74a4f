"""Frames from a seat. Root in the seat sends them: a student cannot even open a socket for them."""

import re

from harness.case import case, expect, expect_equal
from helpers import frames
from helpers.escape import CHECKS, IMAGINARY_MAC, METADATA, check, link_local, run_checks
from helpers.network import GATEWAY, address6, in_seat, inside, seat_address6, seats_up
from helpers.seats import ADDRESS, FAR_ADDRESS, FAR_SEAT, SEAT, SECOND_ADDRESS, SECOND_SEAT
from helpers.world import World


class Air:
    """What came of frames that root sent in a seat: at another seat, at the gateway, in another course, in the world."""

    def __init__(self, guest, world):
        self.names = {
            "mac": guest.run("cat /sys/class/net/br-123/address").stdout.strip(),
            "second_mac": in_seat(guest, SECOND_SEAT, f"cat /sys/class/net/vr-{SECOND_SEAT}/address").stdout.strip(),
            "own6": seat_address6(guest, SEAT), "second6": seat_address6(guest, SECOND_SEAT),
            "far6": seat_address6(guest, FAR_SEAT), "gateway6": address6(guest, "br-123"),
            "gateway_local": link_local(guest, "br-123"), "world4": world.web4, "world6": world.web6,
            "world_local": link_local(guest, "w0", world.prefix()),
        }
        places = {"second": (inside(SECOND_SEAT), f"vr-{SECOND_SEAT}"), "gateway": ([], "br-123"),
                  "far": (inside(FAR_SEAT), f"vr-{FAR_SEAT}"), "world": (world.prefix(), "w0")}
        watchers = {place: frames.watch(guest, prefix, link, "the last") for place, (prefix, link) in places.items()}
        sent = [self.fill(frame) for function in FRAMES for frame in CHECKS[function].frames]
        frames.send(guest, inside(SEAT), f"vr-{SEAT}", *sent, "udp4,text=the last")
        for link in ("br-377", "up0"):
            frames.send(guest, [], link, "udp4,text=the last,src=192.0.2.2")
        self.seen = {place: watcher.wait_output().stdout.splitlines() for place, watcher in watchers.items()}

    def fill(self, text):
        return text.format(**self.names)

    def lines(self, place, pattern):
        return [line for line in self.seen[place] if re.search(pattern, line)]

    def expect_none(self, pattern, places=("second", "gateway", "far", "world")):
        for place in places:
            expect_equal(self.lines(place, self.fill(pattern)), [], f"what came through, seen at {place},")


FRAMES = []


def forging(*sent):
    """A check of what came of these frames."""
    def register(function):
        FRAMES.append(function.__name__)
        function.frames = sent
        return check(function)
    return register


@forging("udp4,text=true4", "udp6,text=true6", "udp4,dst={world4},dmac={mac},text=true out",
         "udp6,dst={world6},dmac={mac},text=true out6")
def true_frames(air):
    """The control of all others: what is true comes through, and what may is forwarded."""
    for place in ("second", "gateway"):
        for text in ("true4", "true6"):
            expect(air.lines(place, text), f"{text} was not seen at {place}")
    for text in ("true out", "true out6"):
        expect(air.lines("world", f"{text}$"), f"{text} was not seen in the world")


@forging(f"udp4,smac={IMAGINARY_MAC},text=forged mac", f"udp6,smac={IMAGINARY_MAC},text=forged mac")
def spoofed_mac(air):
    air.expect_none("forged mac")


@forging(*(f"udp4,src={source},text=forged ipv4" for source in (GATEWAY, SECOND_ADDRESS, FAR_ADDRESS, "192.0.2.2", "127.0.0.1")),
         f"udp4,src={SECOND_ADDRESS},dst={{world4}},dmac={{mac}},text=forged ipv4", "udp4,vlan=7,src=10.0.123.99,text=forged ipv4")
def spoofed_ipv4(air):
    air.expect_none("forged ipv4")


@forging(*(f"udp6,src={source},text=forged ipv6" for source in ("{second6}", "{gateway6}", "{far6}", "fe80::99", "2001:db8:1::2")),
         "udp6,src={second6},dst={world6},dmac={mac},text=forged ipv6")
def spoofed_ipv6(air):
    air.expect_none("forged ipv6")


@forging(f"arp,op=2,spa={GATEWAY}", f"arp,op=1,spa={GATEWAY}", f"arp,op=2,spa={GATEWAY},sha={IMAGINARY_MAC}", "arp,op=2")
def arp_for_gateway(air):
    air.expect_none(rf"arp [12] (?!{air.names['mac']}).* {re.escape(GATEWAY)} asks")
    expect(air.lines("second", f"arp 2 .* {ADDRESS} asks"), "a true answer was not seen")


@forging(f"arp,op=2,spa={SECOND_ADDRESS}", f"arp,op=1,spa={SECOND_ADDRESS}", "arp,op=2,spa=10.0.123.99")
def arp_for_student(air):
    air.expect_none(rf"arp [12] (?!{air.names['second_mac']}).* ({re.escape(SECOND_ADDRESS)}|10.0.123.99) asks")


@forging("ra", "ra,hop=1", "ra,src={gateway_local}", "ra,vlan=7", "redirect,target={second6}", "redirect,hop=1,target={second6}")
def router_advertisement(air):
    air.expect_none(r"ip6 .* (ra|redirect)\b")


@forging("na,target={gateway6}", "na,target={second6}", "na,target={gateway_local}", "na,hop=1,target={second6}",
         "na,src={second6},target={second6}", "na,target=2001:db8::99", "na")
def neighbour_advertisement(air):
    own = air.lines("second", " na ")
    expect_equal([line.split()[-1] for line in own if air.names["second_mac"] not in line], [air.names["own6"]],
                 "whom advertisements were about")


@forging("ether,proto=0x88b5,text=other ether", "ether,proto=0x88cc,text=other ether", "ether,proto=0x8863,text=other ether")
def other_protocol(air):
    air.expect_none("other ether")


@forging(f"udp4,dst={FAR_ADDRESS},dmac={{mac}},text=to other course", "udp6,dst={far6},dmac={mac},text=to other course")
def routed_to_other_course(air):
    air.expect_none("to other course", ("second", "far", "world"))


@forging(f"udp4,dst={METADATA},dmac={{mac}},text=to link-local", "udp6,dst={world_local},dmac={mac},text=to link-local",
         "udp6,src={gateway_local},dst={world_local},dmac={mac},text=to link-local")
def routed_to_link_local(air):
    air.expect_none("to link-local", ("second", "far", "world"))


@forging("udp4,dst=127.0.0.1,dmac={second_mac},text=to loopback", "udp6,dst=::1,dmac={second_mac},text=to loopback6",
         "udp4,dst=127.0.0.1,dmac={mac},text=to loopback")
def loopback_of_neighbour(air):
    """A seat takes packets to 127.0.0.1 from outside, for the sake of name queries: only those may be sent."""
    air.expect_none("to loopback$", ("second", "gateway", "far"))
    # The kernel drops it, which the watcher is in front of: that it came is no harm.
    expect_equal(air.lines("far", "to loopback6"), [], "what the other course saw")


@case("root in a seat, who may do more than any student, sends only frames with the seat's addresses to allowed targets")
def forging_frames(guest):
    with World(guest) as world, seats_up(guest, SEAT, SECOND_SEAT, FAR_SEAT):
        world.run(["ip", "address", "add", f"{METADATA}/32", "dev", "w0"])
        run_checks(Air(guest, world), *(CHECKS[name] for name in FRAMES))
