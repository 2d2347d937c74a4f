"""Names: a seat finds what the host finds, and the seats of its course by name."""

from harness.case import ONE_SUITE, case, expect, expect_equal, expect_in
from helpers.image import with_container
from helpers.network import in_seat, places, seat_address6, seats_up, soon
from helpers.seats import (ADDRESS, FAR_ADDRESS, FAR_SEAT, ROSTER_FILE, SEAT, SECOND_ADDRESS, SECOND_SEAT, STUDENT,
                           set_up_class, wait_gone)
from helpers.settings import SETTINGS, with_settings
from helpers.world import NAME, World, fetch, resolver


def expect_names(guest, world):
    """A shell, a unit and a container in a seat find names of the world."""
    for place in places(guest):
        if place.name == "a container":
            found = place.run(f"busybox nslookup {NAME}")
        else:
            found = place.run(f"getent ahosts {NAME}; getent hosts nobody.example || echo no such name")
            expect_in("no such name", found, f"what {place.name} finds")
        expect_in(world.web4, found, f"what {place.name} finds")
        expect_in(world.web6, found, f"what {place.name} finds")
    expect_in(in_seat(guest, SEAT, fetch(NAME)).stdout.strip(), (world.host4, world.host6), "whom the web server saw")
    guest.end_processes()
    wait_gone(guest)


@case("a seat finds names when the host has a plain resolv.conf: from a shell, a unit and a container")
@with_container
def plain(guest):
    with World(guest) as world:
        for server in (world.dns4, world.dns6):
            with resolver(guest, "plain", [server]):
                expect_names(guest, world)


@case("a seat finds names when the host asks a dnsmasq at 127.0.0.1", suites=ONE_SUITE)
@with_container
def local_dnsmasq(guest):
    with World(guest) as world, resolver(guest, "dnsmasq"):
        expect_names(guest, world)


@case("a seat finds names when the host has systemd-resolved, with libnss-resolve and without", suites=("trixie",))
@with_container
def resolved(guest):
    with World(guest) as world:
        for kind in ("resolved", "resolved-stub"):
            with resolver(guest, kind):
                expect_names(guest, world)


@case("a seat that is up follows a host whose resolver changes", suites=ONE_SUITE)
def resolver_changes(guest):
    with World(guest) as world, seats_up(guest, SEAT):
        for kind in ("plain", "dnsmasq", "plain"):
            with resolver(guest, kind):
                soon(guest, lambda: world.web4 in finds(guest, NAME), f"the seat finds names with {kind}")


@case("the first command of a course's first login finds names, because the name service is up before", suites=ONE_SUITE)
def first_command(guest):
    set_up_class(guest)
    guest.run("systemctl stop coursenet-dns coursenet-network; systemctl start coursenet-network")
    soon(guest, lambda: guest.run("ss -Hlntu sport = :530; systemctl is-active coursenet-dns", check=False).stdout == "active\n",
         "the name service is there without a bridge")
    with World(guest) as world, resolver(guest, "plain"):
        for _ in range(5):
            expect_in(world.web4, guest.ssh(STUDENT, f"getent ahosts {NAME} || true").stdout, "what the login's command finds")
            wait_gone(guest)


@case("with dns = ADDRESS seats ask that server, whatever the host does", suites=ONE_SUITE)
@with_settings("[site]\ndns = 192.0.2.53 2001:db8:1::53\n")
def own_server(guest):
    with World(guest) as world, seats_up(guest, SEAT):
        for web in (world.web4, world.web6):
            # The settings have just changed, and dnsmasq may not have read them yet.
            soon(guest, lambda: web in finds(guest, NAME), f"the seat finds {web}")  # pylint: disable=cell-var-from-loop
        expect_equal(guest.run(f"getent ahosts {NAME}", check=False).stdout, "", "what the host finds")


@case("with dns = off nothing listens for the seats, and a name fails at once", suites=ONE_SUITE)
@with_settings("[site]\ndns = off\n")
def no_dns(guest):
    with World(guest), resolver(guest, "plain"), seats_up(guest, SEAT):
        expect_equal(guest.run("ss -Hlntu sport = :530").stdout, "", "the listeners at port 530")


def finds(guest, name):
    return in_seat(guest, SEAT, f"getent ahosts {name}", check=False).stdout


@case("seats find each other by name, also without an uplink, and find a student who is added while the course is up", suites=ONE_SUITE)
def seat_names(guest):
    with seats_up(guest, SEAT, SECOND_SEAT):
        # dnsmasq may not have read the settings yet that the case before put back.
        soon(guest, lambda: finds(guest, "smithj.cs123.internal"), "the seat finds the other")
        found = finds(guest, "smithj.cs123.internal")
        expect_in(SECOND_ADDRESS, found, "what a seat finds")
        expect_in(seat_address6(guest, SECOND_SEAT), found, "what a seat finds")
        expect_in(ADDRESS, finds(guest, "newellz2.cs123.internal"), "what a seat finds of itself")
        expect_equal(finds(guest, "nobody.cs123.internal"), "", "what a seat finds of nobody")
        before = guest.read(ROSTER_FILE)
        guest.run("coursenetctl roster add 123 latecomer")
        try:
            soon(guest, lambda: "10.0.123.13" in finds(guest, "latecomer.cs123.internal"), "the latecomer is found by name")
            expect_in(SECOND_ADDRESS, finds(guest, "smithj.cs123.internal"), "what a seat finds then")
        finally:
            guest.write(ROSTER_FILE, before, mode=0o600)
        soon(guest, lambda: finds(guest, "latecomer.cs123.internal") == "", "the latecomer is forgotten")


@case("the setting domain changes the names of the seats", suites=ONE_SUITE)
@with_settings("[site]\ndomain = c{course}.school.example\n")
def domain(guest):
    with seats_up(guest, SEAT, SECOND_SEAT):
        soon(guest, lambda: SECOND_ADDRESS in finds(guest, "smithj.c123.school.example"), "the seat is found by its name")
        expect_equal(finds(guest, "smithj.cs123.internal"), "", "what a seat finds under the name of before")


@case("seats keep their names when the roster becomes unreadable or is removed while the course is up", suites=ONE_SUITE)
def roster_gone(guest):
    with World(guest) as world, resolver(guest, "plain"), seats_up(guest, SEAT, SECOND_SEAT):
        soon(guest, lambda: SECOND_ADDRESS in finds(guest, "smithj.cs123.internal"), "the seat is found by its name")
        before = guest.read(ROSTER_FILE)
        try:
            for command in (f"mv {ROSTER_FILE} {ROSTER_FILE}.gone && mkdir {ROSTER_FILE}", f"rmdir {ROSTER_FILE}"):
                guest.run(command)
                guest.run("/usr/libexec/coursenet/coursenet-host dns; systemctl restart coursenet-dns")
                soon(guest, lambda: world.web4 in finds(guest, NAME), f"names are found after `{command}`")
                expect_in(SECOND_ADDRESS, finds(guest, "smithj.cs123.internal"), f"what a seat finds after `{command}`")
        finally:
            guest.run(f"rmdir {ROSTER_FILE}; rm -f {ROSTER_FILE}.gone", check=False)
            guest.write(ROSTER_FILE, before, mode=0o600)


def asks(guest, seat, name, *options):
    """What dig says in a seat, to whom resolv.conf names; a name, or an address after -x."""
    words = ("-x", name) if name[0].isdigit() else (name, "A")
    return in_seat(guest, seat, " ".join(["dig", "+short", "+tries=1", "+time=3", *options, *words]), check=False).stdout.strip()


@case("a seat finds no name or address of another course, and a process of the host finds none at all", suites=ONE_SUITE)
def names_of_own_course_only(guest):
    own, other = "newellz2.cs123.internal", "doej.cs377.internal"
    with World(guest), resolver(guest, "plain"), seats_up(guest, SEAT, FAR_SEAT):
        for seat, name, address, foreign, foreign_address in ((SEAT, own, ADDRESS, other, FAR_ADDRESS),
                                                              (FAR_SEAT, other, FAR_ADDRESS, own, ADDRESS)):
            # pylint: disable=cell-var-from-loop
            soon(guest, lambda: asks(guest, seat, name) == address, f"{seat} finds itself")
            expect_equal(asks(guest, seat, address), f"{name}.", "whose the own address is")
            for tcp in ((), ("+tcp",)):
                expect_equal(asks(guest, seat, foreign, *tcp), "", f"what {seat} finds of {foreign}")
                expect_equal(asks(guest, seat, foreign_address, *tcp), "", f"what {seat} finds of {foreign_address}")
        link_local = guest.run("ip -6 -o address show dev br-123 scope link").stdout.split()[3].split("/")[0]
        gateway6 = guest.run("ip -6 -o address show dev br-123 scope global").stdout.split()[3].split("/")[0]
        for user in (STUDENT, "alice"):
            for server in ("10.0.123.1", gateway6, f"{link_local}%br-123"):
                for tcp in ("", "+tcp"):
                    said = guest.run(f"dig +short +tries=1 +time=1 {tcp} -p 530 @{server} {own} A", user=user, check=False).stdout
                    expect(ADDRESS not in said, f"{user} outside of a seat is told by {server}: {said}")
        expect(ADDRESS not in guest.run(f"getent ahosts {own}", user=STUDENT, check=False).stdout, "the host tells the name")


@case("with names = none a seat finds its gateway's name and no other seat's", suites=ONE_SUITE)
def names_none(guest):
    set_up_class(guest)
    before = guest.read(SETTINGS)
    with World(guest), resolver(guest, "plain"), seats_up(guest, SEAT, SECOND_SEAT, FAR_SEAT):
        try:
            soon(guest, lambda: asks(guest, SEAT, "smithj.cs123.internal") == SECOND_ADDRESS, "the seat finds the other")
            guest.write(SETTINGS, before + "\n[course 123]\nnames = none\n")
            soon(guest, lambda: asks(guest, SEAT, "smithj.cs123.internal") == "", "the seat finds the other no more")
            expect_equal(asks(guest, SEAT, SECOND_ADDRESS), "", "whose the other's address is")
            expect_equal(asks(guest, SEAT, "gateway.cs123.internal"), "10.0.123.1", "the gateway")
            expect_equal(asks(guest, FAR_SEAT, "doej.cs377.internal"), FAR_ADDRESS, "what a course without it finds")
        finally:
            guest.write(SETTINGS, before)
        soon(guest, lambda: asks(guest, SEAT, "smithj.cs123.internal") == SECOND_ADDRESS, "the seat finds the other again")


@case("systemd-resolved, which answers everybody, knows the names of no course; what it was told before is taken back",
      suites=("trixie",))
def resolved_knows_nobody(guest):
    name = "newellz2.cs123.internal"
    with World(guest), resolver(guest, "resolved"), seats_up(guest, SEAT, FAR_SEAT):
        # As an earlier version of coursenet did.
        guest.run("resolvectl domain br-123 '~cs123.internal' && resolvectl dns br-123 10.0.123.1:530")
        guest.run("/usr/libexec/coursenet/coursenet-host dns")
        expect_equal(guest.run("ls /run/systemd/resolve/netif").stdout, "", "resolved's records of links")
        for seat in (SEAT, FAR_SEAT):
            expect_equal(in_seat(guest, seat, f"resolvectl query {name}", check=False).stdout, "", f"what {seat} is told")
        soon(guest, lambda: asks(guest, SEAT, name) == ADDRESS, "the seat asks its own name service")
    with World(guest), resolver(guest, "resolved-stub"), seats_up(guest, SEAT):
        soon(guest, lambda: ADDRESS in finds(guest, name), "with 'dns' in nsswitch.conf the seat finds its course")


@case("a name service that cannot be set up is retried, and starts when the obstacle is gone")
def dns_fails(guest):
    guest.run("systemctl stop coursenet-network coursenet-dns; rm -f /run/coursenet/dns.lock && mkdir /run/coursenet/dns.lock")
    try:
        expect_equal(guest.run("/usr/libexec/coursenet/coursenet-host dns", check=False).returncode, 255, "the exit status")
        guest.run("systemctl start coursenet-dns", check=False)
        soon(guest, lambda: int(guest.run("systemctl show --value -p NRestarts coursenet-dns").stdout) > 0, "it is tried again")
        guest.run("rmdir /run/coursenet/dns.lock")
        soon(guest, lambda: guest.run("systemctl is-active coursenet-dns", check=False).stdout == "active\n", "it is up")
    finally:
        guest.run("rmdir /run/coursenet/dns.lock; systemctl stop coursenet-dns; systemctl start coursenet-network; "
                  "systemctl reset-failed", check=False)


@case("the name service is restarted after a kill, and no name is lost at a restart of it or of the watch")
def dns_restarts(guest):
    with World(guest) as world, resolver(guest, "plain"), seats_up(guest, SEAT, SECOND_SEAT):
        for command in ("systemctl kill --signal=KILL coursenet-dns", "pkill -KILL -f 'hosts/12[3]'", "systemctl restart coursenet-dns",
                        "systemctl restart coursenet-network"):
            guest.run(command)
            soon(guest, lambda: world.web4 in finds(guest, NAME), f"names are found after `{command}`")
            expect(SECOND_ADDRESS in finds(guest, "smithj.cs123.internal"), f"the names of the seats are lost after `{command}`")


@case("the name service answers no question from the world, at any address or port")
def dns_closed(guest):
    with World(guest) as world, resolver(guest, "plain"), seats_up(guest, SEAT):
        for port in (53, 530):
            for address in (world.host4, world.host6, "10.0.123.1"):
                world.route("10.0.123.0/24")
                answer = world.run(f"dig +short +tries=1 +time=1 -p {port} @{address} {NAME} A", check=False).stdout
                expect(world.web4 not in answer, f"the world gets an answer of {address} at port {port}")
        expect_in(world.web4, finds(guest, NAME), "what the seat finds")


@case("without any course the name service listens nowhere, and the first course gets it", suites=ONE_SUITE)
def dns_without_courses(guest):
    set_up_class(guest)
    guest.run("mv /etc/coursenet/roster.d /etc/coursenet/roster.d.away && mkdir /etc/coursenet/roster.d; "
              "systemctl restart coursenet-dns")
    try:
        soon(guest, lambda: guest.run("systemctl show -P MainPID coursenet-dns").stdout != "0\n", "it runs")
        with World(guest) as world, resolver(guest, "plain"):
            for address in (world.host4, world.host6):
                answer = world.run(f"dig +short +tries=1 +time=1 -p 530 @{address} {NAME} A", check=False).stdout
                expect(world.web4 not in answer, f"the world gets an answer of {address}")
            expect_equal(guest.run("ss -Hlntu sport = :530").stdout, "", "the listeners at port 530")
    finally:
        guest.run("rmdir /etc/coursenet/roster.d; mv /etc/coursenet/roster.d.away /etc/coursenet/roster.d")
    with World(guest) as world, resolver(guest, "plain"), seats_up(guest, SEAT):
        soon(guest, lambda: world.web4 in finds(guest, NAME), "the seat finds names")
