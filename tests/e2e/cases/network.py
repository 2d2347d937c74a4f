"""How a course's network reaches the world, and what changes for the rest of the host."""

import json
import os

from harness.case import ONE_SUITE, case, expect, expect_equal, expect_failure, expect_in, expect_not_in
from harness.stream import Stream
from helpers.image import with_container
from helpers.network import (COURSES_TABLE, GATEWAY, SEATS_TABLE, Greeter, address6, expect_out, expect_soon_same,
                             inside, places, reaches, saw, seat_address6, seats_up, soon, subnet6)
from helpers.seats import ADDRESS, FAR_SEAT, SEAT, SECOND_SEAT, pings, wait_gone
from helpers.settings import settings, with_settings
from helpers.world import World, fetch, lan, other_world

# What the kernel forwards, and whether it listens to routers.
SYSCTLS = "sysctl -a 2>/dev/null | grep -E '^net[.]ipv[46][.](ip_forward|conf[.].*[.](forwarding|force_forwarding|accept_ra) )'"


@case("a seat reaches the internet over IPv4 and IPv6 in the host's name: from a shell, a unit and a container")
@with_container
def internet(guest):
    with World(guest) as world:
        for place in places(guest):
            expect_equal(place.run(fetch(world.web4)), world.host4, f"whom the web server saw, of {place.name}")
            expect_equal(place.run(fetch(world.web6)), world.host6, f"whom the web server saw, of {place.name}")
        expect_equal(reaches(guest, inside(SEAT), f"{world.gateway4} ping", f"{world.gateway6} ping"),
                     [f"{world.gateway4} ping", f"{world.gateway6} ping"], "what can be pinged")
        guest.end_processes()
        wait_gone(guest)


@case("a seat that is up follows an uplink that comes up later, and default routes that move to another uplink", suites=ONE_SUITE)
def moving_uplink(guest):
    with seats_up(guest, SEAT):
        with World(guest) as world, other_world(guest) as other:
            soon(guest, lambda: saw(guest, SEAT, world.web4), "the seat reaches the world that came")
            expect_out(guest, world, SEAT)
            for web in (other.web4, other.web6):
                expect_equal(saw(guest, SEAT, web), "", "what is reached over a link that is no uplink")
            other.become_default()
            soon(guest, lambda: saw(guest, SEAT, other.web4) and saw(guest, SEAT, other.web6), "the seat follows the routes")
            expect_out(guest, other, SEAT)
            expect_equal(saw(guest, SEAT, world.web4), "", "what is reached over the uplink of before")


@case("uplink = names the links that seats may go out on, whatever the default route", suites=ONE_SUITE)
@with_settings("[site]\nuplink = up1\n")
def named_uplink(guest):
    with World(guest) as world, other_world(guest) as other, seats_up(guest, SEAT):
        expect_out(guest, other, SEAT)
        expect_equal(saw(guest, SEAT, world.web4), "", "what is reached over the default route")


@case("with nat = no the world sees the seat's own addresses, and still cannot open a connection to it", suites=ONE_SUITE)
@with_settings("[course 123]\nnat = no\nnat6 = no\n")
def routed(guest):
    with World(guest) as world, seats_up(guest, SEAT):
        own6 = seat_address6(guest, SEAT)
        world.route("10.0.123.0/24", subnet6(own6))
        expect_equal(saw(guest, SEAT, world.web4), ADDRESS, "whom the web server saw")
        expect_equal(saw(guest, SEAT, world.web6), own6, "whom the web server saw")
        Greeter(guest, inside(SEAT), 7000)
        attempts = [f"{address} {port}" for address in (ADDRESS, own6) for port in ("7000", "ping")]
        expect_equal(reaches(guest, world.prefix(), *attempts), [], "what the world reaches")


@case("with inbound = yes the world reaches the seats of that course, and of no other", suites=ONE_SUITE)
@with_settings("[site]\nnat = no\nnat6 = no\n[course 123]\ninbound = yes\n")
def inbound(guest):
    with World(guest) as world, seats_up(guest, SEAT, FAR_SEAT):
        own6, far6 = seat_address6(guest, SEAT), seat_address6(guest, FAR_SEAT)
        world.route("10.0.0.0/8", subnet6(own6), subnet6(far6))
        for seat in (SEAT, FAR_SEAT):
            Greeter(guest, inside(seat), 7000)
        reached = reaches(guest, world.prefix(), f"{ADDRESS} 7000", f"{own6} 7000", "10.1.121.10 7000", f"{far6} 7000")
        expect_equal(reached, [f"{ADDRESS} 7000", f"{own6} 7000"], "what the world reaches")


HOST_STATE = f"""
    nft list tables | sort; ip rule; ip -6 rule; tc qdisc; ip -br link; {SYSCTLS}
    ls -R /run/coursenet/forwarding /run/coursenet/dns/hosts 2>/dev/null"""


@case("when the last bridge is removed, tables, forwarding and queues are as before, and the fence stays", suites=ONE_SUITE)
@with_settings("[site]\nrate = 100M\ncourse-rate = 200M\n")
def nothing_stays(guest):
    with World(guest):
        # Once up and down first: what the programs keep for good, such as empty folders, is there then.
        with seats_up(guest, FAR_SEAT):
            pass
        before = guest.run(HOST_STATE).stdout
        expect_not_in(COURSES_TABLE + "\n", before, "the state before")
        with seats_up(guest, SEAT, FAR_SEAT):
            tables = guest.run("nft list tables").stdout
            expect_in(f"table {COURSES_TABLE}\n", tables, "the tables while a seat is up")
            expect_in(f"table {SEATS_TABLE}\n", tables, "the tables while a seat is up")
            expect(guest.run(SYSCTLS).stdout not in before, "forwarding is not on")
        expect_soon_same(guest, HOST_STATE, before, "the state of the host")


def crossing(guest, world, third):
    """What gets through the host from the world to a third network, and back."""
    world.route(f"{third.net4}.0/24", f"{third.net6}/64")
    third.route(f"{world.net4}.0/24", f"{world.net6}/64")
    return (reaches(guest, world.prefix(), f"{third.web4} 80", f"{third.web6} 80")
            + reaches(guest, third.prefix(), f"{world.web4} 80", f"{world.web6} 80"))


@case("the host forwards for seats only, and does not connect its other networks with the world", suites=ONE_SUITE)
def third_network(guest):
    with World(guest) as world, lan(guest) as third, seats_up(guest, SEAT):
        expect_out(guest, world, SEAT)
        expect_equal(crossing(guest, world, third), [], "what is forwarded for others")
        attempts = (f"{third.web4} 80", f"{third.web6} 80", f"{third.gateway4} ping")
        expect_equal(reaches(guest, inside(SEAT), *attempts), [], "what the seat reaches of the third network")


@case("a host that was a router before stays one, while seats are up and after them", suites=ONE_SUITE)
def router(guest):
    on, off = ("sysctl -q net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1",
               "sysctl -q net.ipv4.ip_forward=0 net.ipv6.conf.all.forwarding=0")
    with World(guest) as world, lan(guest) as third:
        everything = [f"{third.web4} 80", f"{third.web6} 80", f"{world.web4} 80", f"{world.web6} 80"]
        guest.run(on)
        try:
            before = guest.run(SYSCTLS).stdout
            with seats_up(guest, SEAT):
                expect_equal(crossing(guest, world, third), everything, "what is forwarded while a seat is up")
            expect_soon_same(guest, SYSCTLS, before, "forwarding")
            expect_equal(crossing(guest, world, third), everything, "what is forwarded afterwards")
        finally:
            guest.run(off)


@case("links have the same MAC and IPv6 addresses at each login", suites=ONE_SUITE)
def stable_addresses(guest):
    def look():
        with seats_up(guest, SEAT):
            return guest.run(f"""
                cat /sys/class/net/br-123/address /sys/class/net/vl-{SEAT}/address
                ip netns exec ns{SEAT} cat /sys/class/net/vr-{SEAT}/address
                ip -br -6 addr show br-123
                ip -n ns{SEAT} -br -6 addr show vr-{SEAT} | sed 's/@if[0-9]*//' | tr -s ' '""").stdout
    first = look()
    expect_equal(look(), first, "the addresses of the second time")
    guest.reboot()
    expect_equal(look(), first, "the addresses after a reboot")


# A guest has no udev, which on a host tells these programs our link group (70-coursenet.rules). Without it a bridge looks like an
# administrator's br-100, so it is left to the administrator's own files; the cables are known by name.
GREEDY = "[Match]\nName=!br-*\n[Network]\nDHCP=yes\nLLDP=yes\nLinkLocalAddressing=no\n"


@case("systemd-networkd with an administrator's .network for every link leaves the cables of the seats alone")
def networkd(guest):
    path = "/etc/systemd/network/10-greedy.network"
    guest.write(path, GREEDY)
    try:
        guest.run("systemctl start systemd-networkd")
        with seats_up(guest, SEAT):
            links = guest.run("networkctl --no-legend --no-pager list").stdout
            state = next(line.split()[-1] for line in links.splitlines() if line.split()[1] == f"vl-{SEAT}")
            expect_equal(state, "unmanaged", f"vl-{SEAT}, for networkd")
            guest.run("systemctl restart systemd-networkd; networkctl reload")
            expect(pings(guest, GATEWAY, f"ns{SEAT}"), "the seat lost its gateway")
            expect_in("10.0.123.1/24", guest.run("ip -br addr show br-123").stdout, "the bridge")
            gateway6 = f"{address6(guest, 'br-123')} ping"
            expect_equal(reaches(guest, inside(SEAT), gateway6), [gateway6], "the gateway's answer")
    finally:
        guest.run(f"rm {path}; systemctl stop systemd-networkd.socket systemd-networkd; systemctl reset-failed", check=False)


@case("NetworkManager leaves the links of the seats alone", suites=("trixie",))
def network_manager(guest):
    guest.run("systemctl start NetworkManager")
    try:
        with seats_up(guest, SEAT):
            states = guest.run("nmcli -t -f DEVICE,STATE device").stdout.splitlines()
            expect_in(f"vl-{SEAT}:unmanaged", states, "the devices")
            guest.run("systemctl restart NetworkManager; nmcli general reload")
            expect(pings(guest, GATEWAY, f"ns{SEAT}"), "the seat lost its gateway")
            expect_in("10.0.123.1/24", guest.run("ip -br addr show br-123").stdout, "the bridge")
            expect_not_in(f"vl-{SEAT}", guest.run("nmcli -t -f DEVICE,NAME connection show").stdout, "the connections")
    finally:
        guest.run("systemctl stop NetworkManager NetworkManager-dispatcher; systemctl reset-failed", check=False)


@case("subnets of two courses that overlap are refused, and check names both", suites=ONE_SUITE)
@with_settings("[course 123]\nsubnet6 = 2001:db8:9::/64\n[course 377]\nsubnet6 = 2001:db8:9::/64\nsubnet = 10.0.123.0/24\n")
def overlap(guest):
    checked = guest.run("coursenetctl check", check=False)
    expect_failure(checked, "a check of overlapping subnets")
    said = checked.stdout + checked.stderr
    for kind in ("the subnets of courses 123", "the IPv6 subnets of courses 123"):
        expect(any(kind in line and "377" in line and "overlap" in line for line in said.splitlines()),
               f"check does not say that {kind} and 377 overlap:\n{said}")


# Fair shares


def megabits(guest, seat, port, server, *options):
    """Starts to measure; returns a function that gives the result."""
    process = guest.popen([*inside(seat), "iperf3", "--client", server, "--port", str(port), "--connect-timeout", "3000",
                           "--time", "2", "--omit", "1", "--json", *options])

    def result():
        report = json.loads(process.wait_output().stdout)
        expect("error" not in report, f"iperf3 says: {report.get('error')}")
        return report["end"]["sum_received"]["bits_per_second"] / 1e6
    return result


def serve_iperf(guest, world, *ports):
    for port in ports:
        world.popen(["iperf3", "--server", "--port", str(port)])
        guest.wait_until(lambda: world.run(f"ss -Hltn sport = :{port} | grep -q LISTEN", check=False).returncode == 0)


def expect_rate(guest, measured, rate, what):
    guest.log(f"{guest.suite}: {what}: {measured:.1f} Mbit/s of {rate}")
    expect(0.5 * rate < measured < 1.3 * rate, f"{what} has {measured:.1f} Mbit/s, with a rate of {rate}")


@case("rate limits each seat by itself, in both directions, over IPv4 and IPv6", suites=ONE_SUITE)
@with_settings("[course 123]\nrate = 20M\n")
def seat_rate(guest):
    with World(guest) as world, seats_up(guest, SEAT, SECOND_SEAT):
        serve_iperf(guest, world, 5001, 5002)
        up, up6 = megabits(guest, SEAT, 5001, world.web4), megabits(guest, SECOND_SEAT, 5002, world.web6)
        expect_rate(guest, up(), 20, "a seat that sends")
        expect_rate(guest, up6(), 20, "another that sends over IPv6")
        down, down6 = megabits(guest, SEAT, 5001, world.web4, "-R"), megabits(guest, SECOND_SEAT, 5002, world.web6, "-R")
        expect_rate(guest, down(), 20, "a seat that receives")
        expect_rate(guest, down6(), 20, "another that receives over IPv6")


@case("course-rate limits all seats of a course together, in both directions, and not another course", suites=ONE_SUITE)
@with_settings("[course 123]\ncourse-rate = 20M\n")
def course_rate(guest):
    with World(guest) as world, seats_up(guest, SEAT, SECOND_SEAT, FAR_SEAT):
        serve_iperf(guest, world, 5001, 5002, 5003)
        for direction, options in (("sends", ()), ("receives", ("-R",))):
            both = megabits(guest, SEAT, 5001, world.web4, *options), megabits(guest, SECOND_SEAT, 5002, world.web4, *options)
            far = megabits(guest, FAR_SEAT, 5003, world.web4, *options)
            expect_rate(guest, sum(each() for each in both), 20, f"a course that {direction}")
            expect(far() > 60, f"another course {direction} {far():.0f} Mbit/s only")


@case("a seat has the delay of the settings in both directions, or check and the journal say that the kernel has no netem", suites=ONE_SUITE)
@with_settings("[course 123]\ndelay = 40ms\nloss = 0.0001%\nrate = 10M\n")
def worse_network(guest):
    since = guest.journal_position()
    with seats_up(guest, SEAT):
        found = guest.run("coursenetctl check", check=False).stdout
        expect_in("tbf", guest.run(f"tc qdisc show dev vl-{SEAT}").stdout, "the queue of the seat's link")
        if "netem" in guest.run(f"tc qdisc show dev vl-{SEAT}").stdout:
            answer = guest.run(["ip", "netns", "exec", f"ns{SEAT}", "ping", "-c", "1", "-W", "5", GATEWAY]).stdout
            expect(float(answer.split("time=")[1].split()[0]) >= 80, f"the answer took less than both delays: {answer}")
            expect_not_in("has not the delay", found, "what check says")
        else:
            expect_in("this kernel has no netem", guest.journal(since=since), "the journal")
            for link in (f"vl-{SEAT}", f"vr-{SEAT}"):
                expect_in(f"{link}: warning: has not the delay, jitter and loss of the settings", found, "what check says")


class Echo:
    """A TCP connection from a seat to the world that stays open, on which the world repeats each line."""

    def __init__(self, guest, world, seat, port):
        world.popen(["socat", f"TCP-LISTEN:{port},reuseaddr,fork", "EXEC:cat"])
        guest.wait_until(lambda: str(port) in world.run(f"ss -Hltn 'sport = :{port}'").stdout, what="the world listens")
        self.client = guest.popen([*inside(seat), "socat", "-", f"TCP:{world.web4}:{port}"])
        self.stream = Stream(os.dup(self.client.stdout.fileno()), "the connection")

    def answers(self, line, timeout=20):
        self.client.stdin.write(line + "\n")
        self.client.stdin.flush()
        try:
            self.stream.read_until(f"^{line}$", timeout)
        except AssertionError:
            return False
        return True


def has_flowtable(guest):
    return "flowtable connections" in guest.run(["nft", "list", "table", *COURSES_TABLE.split()]).stdout


def in_flowtable(guest, port):
    return guest.run(f"grep -w dport={port} /proc/net/nf_conntrack | grep -cF OFFLOAD", check=False).stdout.strip() == "1"


@case("with flowtable = yes an open connection of a seat leaves the rules, until an exam or a course-rate begins; "
      "or check and the journal say that the kernel has no flowtable", suites=ONE_SUITE)
@with_settings("[course 123]\nflowtable = yes\n")
def flowtable(guest):
    since = guest.journal_position()
    with World(guest) as world, seats_up(guest, SEAT):
        soon(guest, lambda: saw(guest, SEAT, world.web4), "the seat reaches the world")
        expect_out(guest, world, SEAT)
        found = guest.run("coursenetctl check", check=False).stdout
        expect_not_in("not as planned", found, "what check says")
        if not has_flowtable(guest):
            expect_in("flowtable: warning: is left out", guest.journal(since=since), "the journal")
            expect_in("flowtable: warning: is set, but", found, "what check says")
            return
        expect_not_in("flowtable", found, "what check says")
        echo = Echo(guest, world, SEAT, 7000)
        for line in ("one", "two", "three"):
            expect(echo.answers(line), f"the world did not repeat '{line}'")
        guest.wait_until(lambda: in_flowtable(guest, 7000), what="the connection is in the flowtable")
        guest.run("coursenetctl exam start 123")
        expect(not echo.answers("cheat", timeout=3), "the world was reached in an exam")
        expect(not in_flowtable(guest, 7000), "the connection is in the flowtable in an exam")
        guest.run("coursenetctl exam stop 123")
        guest.wait_until(lambda: echo.answers("after") and in_flowtable(guest, 7000),
                         what="the connection goes on after the exam, in the flowtable")
        with settings(guest, "[course 123]\nflowtable = yes\ncourse-rate = 20M\n"):
            soon(guest, lambda: not has_flowtable(guest), "a course with a limit has no flowtable")
            expect(echo.answers("last"), "the connection does not go on with a limit")
