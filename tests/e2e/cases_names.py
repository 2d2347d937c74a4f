"""Names: a seat finds them however the host does, and the seats of its course by name."""

from case import case, expect, expect_equal, expect_in
from cases_network import with_container
from cases_stay import with_settings
from network import in_seat, places, seat_address6, seats_up, soon
from seats import ADDRESS, ROSTER_FILE, SEAT, SECOND_ADDRESS, SECOND_SEAT, wait_gone
from world import NAME, World, fetch, resolver


def expect_names(guest, world):
    """From everywhere in a seat, names of the world are found."""
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


@case("a seat finds names when the host asks a dnsmasq at 127.0.0.1")
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


@case("a seat that is up follows a host whose resolver changes")
def resolver_changes(guest):
    with World(guest) as world, seats_up(guest, SEAT):
        for kind in ("plain", "dnsmasq", "plain"):
            with resolver(guest, kind):
                soon(guest, lambda: world.web4 in finds(guest, NAME), f"the seat finds names with {kind}")


@case("with dns = ADDRESS seats ask that server, whatever the host does")
@with_settings("[site]\ndns = 192.0.2.53 2001:db8:1::53\n")
def own_server(guest):
    with World(guest) as world, seats_up(guest, SEAT):
        found = finds(guest, NAME)
        expect_in(world.web4, found, "what the seat finds")
        expect_in(world.web6, found, "what the seat finds")
        expect_equal(guest.run(f"getent ahosts {NAME}", check=False).stdout, "", "what the host finds")


@case("with dns = off nothing listens for the seats, and a name fails at once")
@with_settings("[site]\ndns = off\n")
def no_dns(guest):
    with World(guest), resolver(guest, "plain"), seats_up(guest, SEAT):
        expect_equal(guest.run("ss -Hlntu sport = :530").stdout, "", "the listeners at port 530")


def finds(guest, name):
    return in_seat(guest, SEAT, f"getent ahosts {name}", check=False).stdout


@case("seats find each other by name, with the network off as well, and a student who joins while the course is up")
def seat_names(guest):
    with seats_up(guest, SEAT, SECOND_SEAT):
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
            guest.write(ROSTER_FILE, before)
        soon(guest, lambda: finds(guest, "latecomer.cs123.internal") == "", "the latecomer is forgotten")


@case("domain names the seats as the site likes")
@with_settings("[site]\ndomain = c{course}.school.example\n")
def domain(guest):
    with seats_up(guest, SEAT, SECOND_SEAT):
        soon(guest, lambda: SECOND_ADDRESS in finds(guest, "smithj.c123.school.example"), "the seat is found by its name")
        expect_equal(finds(guest, "smithj.cs123.internal"), "", "what a seat finds under the name of before")


@case("the name service that was killed comes back, and a restart of it or the watcher loses no name")
def dns_restarts(guest):
    with World(guest) as world, resolver(guest, "plain"), seats_up(guest, SEAT, SECOND_SEAT):
        for command in ("systemctl kill --signal=KILL coursenet-dns", "systemctl restart coursenet-dns",
                        "systemctl restart coursenet-network"):
            guest.run(command)
            soon(guest, lambda: world.web4 in finds(guest, NAME), f"names are found after `{command}`")
            expect(SECOND_ADDRESS in finds(guest, "smithj.cs123.internal"), f"the names of the seats are lost after `{command}`")


@case("the name service is no open door: not for the world, and not for other names of the host")
def dns_closed(guest):
    with World(guest) as world, resolver(guest, "plain"), seats_up(guest, SEAT):
        for port in (53, 530):
            for address in (world.host4, world.host6, "10.0.123.1"):
                world.route("10.0.123.0/24")
                answer = world.run(f"dig +short +tries=1 +time=1 -p {port} @{address} {NAME} A", check=False).stdout
                expect(world.web4 not in answer, f"the world gets an answer of {address} at port {port}")
        expect_in(world.web4, finds(guest, NAME), "what the seat finds")
