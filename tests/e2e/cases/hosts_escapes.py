"""Attempts of a seat on one member of [hosts] against seats on others, and against the members themselves: see helpers/hosts.py.

Root sends the frames, in a seat or past all rules of a member, because a student cannot send them at all. Each attempt has a
control: the same thing where it is allowed, or the same frame seen where it has not met the rule yet.
"""

import contextlib
import re

from harness.case import ONE_SUITE, case, expect, expect_equal
from helpers import frames
from helpers.escape import CHECKS, IMAGINARY_MAC, become, check, link_local, run_checks
from helpers.hosts import STUDENTS, UNDERLAY, with_members
from helpers.network import GATEWAY, address6, in_seat, inside, reaches, seat_address6
from helpers.settings import SETTINGS

ATTACKER, VICTIM, FAR = "12310", "12311", "37710"
ATTACKER4, VICTIM4, FAR4 = "10.0.123.10", "10.0.123.11", "10.1.121.10"
VNI, FAR_VNI = 100123, 100377
STRANGER = "192.0.2.77"
# Of the frames that a member sends as a lie.
LIAR = "02:00:00:00:00:77"
BGP, STORE, STORE_PEERS = 179, 2379, 2380


@contextlib.contextmanager
def held(members, seats):
    """Seats on members ({"hosta": "12310"}), held by an administrator, as long as the `with` lasts."""
    try:
        for name, seat in seats.items():
            members.hosts[name].run(["coursenetctl", "start", seat])
        yield
    finally:
        for name, seat in seats.items():
            members.hosts[name].run(["coursenetctl", "stop", seat], check=False)
            members.hosts[name].wait_until(f"! ip link show vl-{seat} 2>/dev/null", what=f"seat {seat} is gone")


def mac_of(guest, link, prefix=()):
    return guest.run([*prefix, "cat", f"/sys/class/net/{link}/address"]).stdout.strip()


def wait_flooding(guest, course, *others):
    """Waits until frames to everybody in a course also go to these members."""
    for name in others:
        guest.wait_until(f"bridge fdb show dev vx-{course} | grep -q '^00:00:00:00:00:00 .*dst {UNDERLAY[name]} '",
                         what=f"{guest.name} sends frames of course {course} to {name}")


class Air:
    """What came of the frames of all checks.

    Sent on the first member: in a seat, and into the underlay, past all rules of the member: also in VXLAN, as a member that lies.
    Seen on the second: on the way in ("wire", before any rule), at a seat, at the bridge and in the underlay; and at a seat of
    another course on the third.
    """

    def __init__(self, members):
        first, second, third = members.a, members.b, members.c
        self.names = {
            "mac": mac_of(first, "br-123"), "own_mac": mac_of(first, f"vr-{ATTACKER}", inside(ATTACKER)),
            "victim_mac": mac_of(second, f"vr-{VICTIM}", inside(VICTIM)), "far_mac": mac_of(third, f"vr-{FAR}", inside(FAR)),
            "liar": LIAR, "second_up": mac_of(second, "up0"), "third_up": mac_of(third, "up0"),
            "own6": seat_address6(first, ATTACKER), "victim6": seat_address6(second, VICTIM), "far6": seat_address6(third, FAR),
            "gateway6": address6(first, "br-123"), "gateway_local": link_local(first, "br-123"),
        }
        places = {"wire": (second, [], "vx-123"), "seat": (second, inside(VICTIM), f"vr-{VICTIM}"), "bridge": (second, [], "br-123"),
                  "underlay": (second, [], "up0"), "far": (third, inside(FAR), f"vr-{FAR}")}
        watchers = {place: frames.watch(host, prefix, link, "the last") for place, (host, prefix, link) in places.items()}
        self.send(first, [], "up0", "underlay", *(in_vxlan(VNI, frame) for frame in self.frames("lies")))
        self.send(first, inside(ATTACKER), f"vr-{ATTACKER}", "seat", "udp4,text=the last")
        frames.send(first, [], "up0", "udp4,text=the last")
        # Nothing comes to a bridge from other members.
        frames.send(second, inside(VICTIM), f"vr-{VICTIM}", "udp4,text=the last")
        frames.send(third, [], "br-377", "udp4,text=the last")
        self.seen = {place: frames.seen(watcher) for place, watcher in watchers.items()}

    @staticmethod
    def frames(where):
        return [frame for name in FRAMES for frame in CHECKS[name].frames[where]]

    def send(self, host, prefix, link, where, *more):
        frames.send(host, prefix, link, *(self.fill(frame) for frame in (*self.frames(where), *more)))

    def fill(self, text):
        return text.format(**self.names)

    def lines(self, place, pattern):
        return [line for line in self.seen[place] if re.search(self.fill(pattern), line)]

    def expect_some(self, pattern, *places):
        for place in places:
            expect(self.lines(place, pattern), f"/{pattern}/ was not seen at {place}")

    def expect_none(self, pattern, places=("seat", "bridge", "far")):
        for place in places:
            expect_equal(self.lines(place, pattern), [], f"what came through, seen at {place},")

    def expect_only_on_wire(self, pattern, count):
        """The second member got so many frames like this, and let none pass."""
        expect_equal(len(self.lines("wire", pattern)), count, f"how many /{pattern}/ the second member got")
        self.expect_none(pattern)


FRAMES = []


def in_vxlan(vni, frame, **words):
    """A frame as a member sends it to the second one."""
    outer = {"dst": "192.0.2.2", "dmac": "{second_up}", **words}
    return ",".join(["vxlan", f"vni={vni}", *(f"{name}={value}" for name, value in outer.items()), "inner=" + frame.replace(",", ";")])


def forging(seat=(), lies=(), underlay=()):
    """A check of what came of these frames; lies are those that a member sends in VXLAN."""
    def register(function):
        FRAMES.append(function.__name__)
        function.frames = {"seat": seat, "lies": lies, "underlay": underlay}
        return check(function)
    return register


# From a seat, past the filter of its cable and of its own member

@forging(seat=("udp4,text=true4", "udp6,text=true6", f"udp4,dst={VICTIM4},dmac={{victim_mac}},text=true one",
               f"arp,op=2,tpa={VICTIM4}", "na,solicited=1,target={own6}"))
def true_frame_to_member(air):
    """The control of the others: what is true comes to the second member and to its seat."""
    air.expect_some("true4|true6", "wire", "seat")
    air.expect_some("true one", "wire", "seat")
    air.expect_some(rf" arp 2 {{own_mac}} {re.escape(ATTACKER4)} ", "wire", "seat")
    air.expect_some(" na {own6}$", "wire", "seat")


@forging(seat=(f"udp4,smac={IMAGINARY_MAC},text=forged mac", "udp4,smac={victim_mac},text=forged mac", "udp6,smac={mac},text=forged mac"))
def mac_to_member(air):
    air.expect_none("forged mac", air.seen)


@forging(seat=tuple(f"udp4,src={source},text=forged ipv4" for source in (VICTIM4, GATEWAY, FAR4, "192.0.2.2", "0.0.0.0")))
def ipv4_to_member(air):
    air.expect_none("forged ipv4", air.seen)


@forging(seat=tuple(f"udp6,src={source},text=forged ipv6" for source in ("{victim6}", "{gateway6}", "{far6}", "fe80::99")))
def ipv6_to_member(air):
    air.expect_none("forged ipv6", air.seen)


@forging(seat=tuple(f"arp,op={op},spa={source}{more},tpa={target}" for op in (1, 2) for source in (VICTIM4, GATEWAY)
                    for more in ("", ",sha={victim_mac}", ",sha={mac}") for target in (source, "10.0.123.12")))
def arp_to_member(air):
    """Also gratuitous ARP. What the second member itself sends is not seen at these places."""
    air.expect_none(rf"^(?!{{liar}}).* arp [12] \S+ ({re.escape(VICTIM4)}|{re.escape(GATEWAY)}) ", ("wire",))
    air.expect_none(rf" arp [12] \S+ {re.escape(VICTIM4)} ", ("seat",))
    air.expect_none(rf" arp [12] (?!{{mac}})\S+ {re.escape(GATEWAY)} ", ("seat",))


@forging(seat=("na,target={victim6}", "na,solicited=1,target={victim6}", "na,src={victim6},target={victim6}", "na,solicited=1,target={gateway6}",
               "na,solicited=1,target={gateway_local}", "na,hop=1,solicited=1,target={victim6}"))
def advertisement_to_member(air):
    air.expect_none("^(?!{liar}).* na ({victim6}|{gateway6}|{gateway_local})$", ("wire",))
    air.expect_none(" na {victim6}$", ("seat",))


@forging(seat=("ra", "ra,hop=1", "ra,src={gateway_local}", "ra,vlan=7", "redirect,target={victim6}"))
def router_to_member(air):
    air.expect_none(r"^(?!{liar}).* (ra|redirect)\b", ("wire",))
    air.expect_none(r"ip6 .* (ra|redirect)\b")


@forging(seat=("udp4,sport=67,dport=68,text=dhcp answer", "udp6,sport=547,dport=546,text=dhcp answer", "udp4,sport=67,dport=69,text=other answer"),
         lies=(f"udp4,src={ATTACKER4},smac={{own_mac}},sport=67,dport=68,text=dhcp lie",
               f"udp4,src={ATTACKER4},smac={{own_mac}},sport=67,dport=69,text=other lie"))
def dhcp_to_member(air):
    """A server's answers, from the seat and from a member that lets them pass. The control is another port."""
    air.expect_some("other answer", "wire", "seat")
    air.expect_none("dhcp answer", air.seen)
    air.expect_some("other lie", "wire", "seat")
    air.expect_only_on_wire("dhcp lie", 1)


@forging(seat=(f"udp4,vlan=7,src={VICTIM4},text=tagged", f"udp4,vlan=0,src={VICTIM4},text=tagged", "udp6,vlan=7,src={victim6},text=tagged",
               "udp4,vlan=100.7,text=tagged", "udp4,vlan=7.8.9,text=tagged", "ether,proto=0x88b5,text=tagged", "ether,proto=0x88cc,text=tagged",
               "udp4,vlan=7,text=true tag"))
def tag_to_member(air):
    """A tag hides no forged address, and frames with two tags or of other protocols go nowhere. The control has one, and is true."""
    air.expect_some("true tag", "wire", "seat")
    air.expect_none("tagged", air.seen)


@forging(seat=(f"udp4,dst={FAR4},dmac={{mac}},text=to other course", "udp6,dst={far6},dmac={mac},text=to other course",
               f"udp4,dst={FAR4},dmac={{far_mac}},text=to other course", f"udp4,dst={FAR4},text=to other course in sight"))
def course_on_member(air):
    """To a seat of another course, by the gateway, by its MAC, and to everybody. The last one comes to the own course only."""
    air.expect_some("other course in sight", "wire", "seat")
    air.expect_none("to other course", ("far",))
    air.expect_none("to other course$", ("bridge",))


# VXLAN

TRUE = f"udp4,src={ATTACKER4},smac={{own_mac}}"


@forging(seat=(in_vxlan(VNI, f"{TRUE},text=vxlan of seat", dmac="{mac}"),
               in_vxlan(FAR_VNI, f"udp4,src={FAR4},smac={{far_mac}},text=vxlan of seat", dst="192.0.2.3", dmac="{mac}"),
               in_vxlan(VNI, f"{TRUE},text=other port of seat", dmac="{mac}", port=4790)),
         underlay=(in_vxlan(FAR_VNI, f"udp4,src=10.1.121.99,smac={IMAGINARY_MAC},text=vxlan of member", dst="192.0.2.3", dmac="{third_up}"),))
def vxlan_of_seat(air):
    """The controls: another port comes to the second member, and a frame that a member sends like this to the other course."""
    air.expect_some("other port of seat", "underlay")
    air.expect_some("vxlan of member", "far")
    air.expect_none("vxlan of seat", air.seen)


@forging(underlay=tuple(in_vxlan(VNI, f"{TRUE},text=vxlan from {who}", src=source)
                        for source, who in ((STRANGER, "a stranger"), ("192.0.2.1", "a member"))))
def vxlan_of_stranger(air):
    """From a host of the underlay that is no member; the same from a member is the control."""
    air.expect_some("vxlan from a member", "underlay", "wire", "seat")
    air.expect_some("vxlan from a stranger", "underlay")
    air.expect_none("vxlan from a stranger", ("wire", "seat", "bridge", "far"))


# From a member that lies: its seats' cables let everything pass

@forging(lies=(f"udp4,src={GATEWAY},smac={{mac}},text=lie of gateway", f"udp4,src={GATEWAY},smac={{liar}},text=lie of gateway",
               "udp6,src={gateway6},smac={liar},text=lie of gateway", "udp6,src={gateway_local},smac={liar},text=lie of gateway",
               f"udp4,src={ATTACKER4},smac={{liar}},dst={GATEWAY},dmac={{mac}},text=lie of gateway",
               f"arp,op=2,spa={GATEWAY},sha={{liar}},smac={{liar}},tpa={VICTIM4}",
               f"arp,op=1,spa={GATEWAY},sha={{liar}},smac={{liar}},tpa={VICTIM4}",
               "na,solicited=1,src={gateway_local},target={gateway6},lladdr={liar},smac={liar}",
               f"udp4,src={ATTACKER4},smac={{liar}},text=no lie"))
def gateway_of_lying_member(air):
    """The gateway is each member's own: nobody speaks for it, or to it, from another one."""
    air.expect_some("no lie", "wire", "seat")
    air.expect_only_on_wire("lie of gateway", 5)
    air.expect_only_on_wire(rf"^{{liar}} .* arp [12] \S+ {re.escape(GATEWAY)} ", 2)
    air.expect_only_on_wire("^{liar} .* na {gateway6}$", 1)


@forging(lies=(f"udp4,src={ATTACKER4},smac={{victim_mac}},text=lie of seat", f"udp4,src={VICTIM4},smac={{liar}},text=lie of seat",
               "udp6,src={victim6},smac={liar},text=lie of seat", "udp6,src={own6},smac={victim_mac},text=lie of seat",
               f"arp,op=2,spa={VICTIM4},sha={{liar}},smac={{liar}},tpa=10.0.123.12",
               f"arp,op=1,spa={VICTIM4},sha={{liar}},smac={{liar}},tpa={VICTIM4}",
               "na,solicited=1,src=fe80::99,target={victim6},lladdr={liar},smac={liar}",
               "na,solicited=1,src={victim6},target={victim6},lladdr={liar},smac={liar}",
               "udp6,src={own6},smac={liar},text=no lie6"))
def seat_of_lying_member(air):
    """Nobody takes a seat from the server where it is live, or its packets from its neighbours there."""
    air.expect_some("no lie6", "wire", "seat")
    air.expect_only_on_wire("lie of seat", 4)
    air.expect_only_on_wire(rf"^{{liar}} .* arp [12] \S+ {re.escape(VICTIM4)} ", 2)
    air.expect_only_on_wire("^{liar} .* na {victim6}$", 2)


@forging(lies=("ra,src={gateway_local},smac={liar},target={own6}", "ra,src=fe80::99,smac={liar},target={own6}",
               "ra,hop=1,src=fe80::99,smac={liar},target={own6}"))
def router_of_lying_member(air):
    air.expect_only_on_wire(r"^{liar} .* ra$", 3)


@case("frames that a seat, a stranger or a lying server forges reach no seat and no bridge of another server", suites=ONE_SUITE)
@with_members
def forging_frames(members):
    with held(members, {"hosta": ATTACKER, "hostb": VICTIM, "hostc": FAR}):
        wait_flooding(members.a, "123", "hostb")
        members.a.wait_until(" ".join([*inside(ATTACKER), "ping", "-c", "1", "-W", "1", VICTIM4]), what="the seats reach each other")
        run_checks(Air(members), *(CHECKS[name] for name in FRAMES))


# Many addresses

MANY, CONTROL = 3000, 50


def macs(guest):
    """How many addresses the bridge of the course knows."""
    return int(guest.run("bridge fdb show br br-123 | cut -d ' ' -f 1 | sort -u | wc -l").stdout)


@check
def macs_of_seat(members):
    """From a seat, and in VXLAN from a member. The control is a port of the bridge without a filter, whose addresses FRR tells the
    others, after all that it could have told before."""
    before, second_up = macs(members.b), mac_of(members.b, "up0")
    frames.send_flood(members.a, inside(ATTACKER), f"vr-{ATTACKER}", MANY)
    frames.send(members.a, [], "up0", *(in_vxlan(VNI, f"udp4,src=10.0.123.99,smac=02:01:00:00:00:{number:02x}", dmac=second_up)
                                        for number in range(100)))
    members.a.run("ip link add loose master br-123 up type veth peer name loose-end; ip link set loose-end up")
    try:
        frames.send_flood(members.a, [], "loose-end", CONTROL)
        members.b.wait_until(lambda: macs(members.b) >= before + CONTROL, what="FRR tells the others what a port without a filter has sent")
        expect(macs(members.b) < before + CONTROL + 20, f"the second member knows {macs(members.b)} addresses, and {before} before")
    finally:
        members.a.run("ip link delete loose")


# Ports of members

@check
def ports_for_seat(members):
    """BGP, the store and VXLAN of both members, by each address that a seat can try. ssh, which listens everywhere, is the control."""
    own = [GATEWAY, address6(members.a, "br-123"), f"{link_local(members.a, 'br-123')}%vr-{ATTACKER}"]
    targets = [f"{address} {port}" for address in ("192.0.2.1", "192.0.2.2", *own) for port in (BGP, STORE, STORE_PEERS)]
    expect_equal(reaches(members.a, inside(ATTACKER), "192.0.2.2 22", *targets), ["192.0.2.2 22"], "what the seat reaches")


@check
def ports_for_process(members):
    """The same by a process of a student's outside of the seat. The controls are alice, who is no course user, and ssh."""
    targets = [f"{address} {port}" for address in ("192.0.2.1", "192.0.2.2") for port in (BGP, STORE, STORE_PEERS)]
    # etcd listens at the address of the underlay only.
    targets += [f"127.0.0.1 {BGP}", f"::1 {BGP}"]
    expect_equal(reaches(members.a, become("alice"), *targets), targets, "the control: what alice reaches")
    expect_equal(reaches(members.a, become(STUDENTS[0]), "127.0.0.1 22", *targets), ["127.0.0.1 22"], "what a student's process reaches")


SEND_VXLAN = """
import socket, sys
for port in (4789, 4790):
    try:
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(bytes(8), (sys.argv[1], port))
        print(port)
    except OSError:
        pass
"""


@check
def vxlan_of_process(members):
    """To another member and to the own one, while no course is up. The control is another port."""
    expect_equal(members.c.run("ls /sys/class/net | grep -c vx-", check=False).stdout.strip(), "0", "how many spread courses are up")
    for user, sent in (("root", ["4790"]), ("alice", ["4790"]), (STUDENTS[0], [])):
        for address in ("192.0.2.1", "192.0.2.3"):
            said = members.c.run([*become(user), "python3", "-c", SEND_VXLAN, address]).stdout.split()
            expect_equal(said, ["4790"] if address == "192.0.2.3" else sent, f"the ports of {address} that {user} sends to")


@case("neither a seat nor a student's process reaches BGP or the store, and many addresses of a seat stay on its server", suites=ONE_SUITE)
@with_members
def ports(members):
    for host in (members.a, members.c):
        host.add_user("alice")
    with held(members, {"hosta": ATTACKER, "hostb": VICTIM}):
        wait_flooding(members.a, "123", "hostb")
        run_checks(members, macs_of_seat, ports_for_seat, ports_for_process, vxlan_of_process)


# Isolation

@check
def isolated_on_member(members):
    """`isolation = seat` holds between members, too. The control comes after it, without the setting."""
    def pinged(address):
        return in_seat(members.a, ATTACKER, f"ping -c 1 -W 1 {address}", check=False).returncode == 0

    members.run_all(f"sed -i '/^.course 123.$/a isolation = seat' {SETTINGS}")
    try:
        with held(members, {"hosta": ATTACKER, "hostb": VICTIM}):
            wait_flooding(members.a, "123", "hostb")
            members.a.wait_until(lambda: pinged(GATEWAY), what="the seat reaches its gateway")
            expect(not pinged(VICTIM4), "an isolated seat reaches a seat on another member")
            expect(not pinged(seat_address6(members.b, VICTIM)), "an isolated seat reaches a seat on another member by IPv6")
    finally:
        members.run_all(f"sed -i '/^isolation = seat$/d' {SETTINGS}")
    with held(members, {"hosta": ATTACKER, "hostb": VICTIM}):
        members.a.wait_until(lambda: pinged(VICTIM4), what="the control: seats that are not isolated reach each other")


@case("seats that are isolated reach no seat of another server", suites=ONE_SUITE)
@with_members
def isolation(members):
    run_checks(members, isolated_on_member)
