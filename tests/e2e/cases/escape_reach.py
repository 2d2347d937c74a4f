"""From the shell in a seat: which hosts, ports and sockets a student reaches."""

import re

from harness.case import case, expect, expect_equal, expect_not_in
from helpers.escape import METADATA, check, link_local, run_checks, scene
from helpers.network import FAR_GATEWAY, GATEWAY, Greeter, address6, inside, reaches, seat_address6
from helpers.seats import FAR_ADDRESS, FAR_SEAT, SEAT, SECOND_ADDRESS, SECOND_SEAT, STUDENT
from helpers.settings import with_settings
from helpers.world import World, fetch


@check
def other_course(scene):
    far6, far_gateway6 = seat_address6(scene.guest, FAR_SEAT), address6(scene.guest, "br-377")
    others = [f"{FAR_ADDRESS} 7000", f"{far6} 7000", f"{FAR_ADDRESS} ping", f"{far6} ping", f"{FAR_GATEWAY} 7000",
              f"{FAR_GATEWAY} ping", f"{far_gateway6} ping", f"{far_gateway6} 22"]
    expect_equal(reaches(scene.guest, [], *others[:4]), others[:4], "the control: what the host reaches")
    scene.expect_only([f"{SECOND_ADDRESS} 7000", f"{scene.second6} 7000", f"{GATEWAY} ping"], others)


@check
def loopback_of_host(scene):
    """A server on 127.0.0.1 and ::1 of the host."""
    targets = ["127.0.0.1 7001", "::1 7001", "127.0.0.2 7001", "localhost 22"]
    expect_equal(reaches(scene.guest, [], *targets[:2]), targets[:2], "the control: what the host reaches")
    scene.expect_only([], targets)


@check
def sshd_of_host(scene):
    """At the gateway, at the uplink's address, at another course's gateway, and by IPv6, link-local too."""
    local = link_local(scene.guest, "br-123")
    addresses = [GATEWAY, scene.gateway6, FAR_GATEWAY, address6(scene.guest, "br-377"), scene.world.host4, scene.world.host6]
    sshd = [f"{address} 22" for address in addresses]
    expect_equal(reaches(scene.guest, [], *sshd), sshd, "the control: what the host reaches")
    scene.expect_only([], [*sshd, f"{local}%vr-{SEAT} 22", f"fe80::1%vr-{SEAT} 22"])


@check
def metadata_of_cloud(scene):
    """A link-local address of the uplink, where clouds tell an instance its secrets: for the host alone."""
    expect_equal(scene.guest.run(fetch(METADATA)).stdout.strip(), scene.world.host4, "the control: whom it saw, of the host")
    expect_equal(scene.done(fetch(scene.world.web4)), scene.world.host4, "the control: whom the world saw, of the seat")
    expect_not_in(scene.world.host4, scene.run(fetch(METADATA)), "what the student gets")


@check
def names_of_host(scene):
    """The name service answers at the own gateway, and neither at another's nor at other addresses of the host."""
    def asks(address, port):
        return SECOND_ADDRESS in scene.run(f"dig +short +tries=1 +time=1 -p {port} @{address} smithj.cs123.internal A")
    expect_equal([asks(GATEWAY, port) for port in (53, 530)], [True, True], "the control: the answers of the own gateway")
    for address in (FAR_GATEWAY, scene.world.host4, scene.world.host6, address6(scene.guest, "br-377")):
        expect(not asks(address, 530), f"the name service answers at {address}")


def who_answers(scene):
    """Whose link-local addresses answer a ping to everybody on the link."""
    return set(re.findall(r"from ([0-9a-f:]+)%", scene.run(f"ping -c 2 -W 1 ff02::1%vr-{SEAT}")))


def echos(guest, prefix):
    """How many pings by IPv6 came in."""
    return int(re.search(r"Icmp6InEchos\s+(\d+)", guest.run([*prefix, "cat", "/proc/net/snmp6"]).stdout)[1])


@check
def multicast(scene):
    """A ping to everybody on the link: it comes to the own course's seats, and neither the host nor another course answers."""
    students = {link_local(scene.guest, f"vr-{seat}", inside(seat)) for seat in (SEAT, SECOND_SEAT)}
    second, far = echos(scene.guest, inside(SECOND_SEAT)), echos(scene.guest, inside(FAR_SEAT))
    answered = who_answers(scene)
    # Where bridged packets are filtered as well (br_netfilter), an answer to a multicast ping is no connection's, and dropped.
    expect(answered and answered <= students, f"who answered is {answered}, of {students}")
    expect(echos(scene.guest, inside(SECOND_SEAT)) > second, "the control: the own course's seat had no ping")
    expect_equal(echos(scene.guest, inside(FAR_SEAT)), far, "the pings that came to another course")
    said = scene.run("ping -b -c 1 -W 1 10.0.123.255; ping -c 1 -W 1 224.0.0.1")
    expect_not_in("bytes from 10.0.123.1:", said, "who answered")


@check
def abstract_socket(scene):
    """An abstract Unix socket belongs to a network namespace: those of the host are not in the seat."""
    scene.guest.popen(["socat", "ABSTRACT-LISTEN:secret,fork", "SYSTEM:echo hello"])
    ask = "socat -t 2 - ABSTRACT-CONNECT:secret </dev/null"
    scene.guest.wait_until("ss -Hxl | grep -q '@secret'")
    # Also what is not a boundary: a process of the student's outside of the seat does reach it.
    expect_equal(scene.guest.run(ask, user=STUDENT).stdout, "hello\n", "the control: the answer outside of the seat")
    scene.denied(ask, "refused")


@check
def path_socket(scene):
    """No boundary: a Unix socket in the file system is reached from a seat, if its file's permissions let one."""
    for name, mode in (("open", "666"), ("closed", "600")):
        scene.guest.popen(["socat", f"UNIX-LISTEN:/tmp/{name}.sock,fork,mode={mode},unlink-early", "SYSTEM:echo hello"])
        scene.guest.wait_until(f"ss -Hxl | grep -q /tmp/{name}.sock && test -n \"$(find /tmp/{name}.sock -perm {mode})\"")
    expect_equal(scene.done("socat -t 2 - UNIX-CONNECT:/tmp/open.sock </dev/null"), "hello", "the answer of the open one")
    scene.denied("socat -t 2 - UNIX-CONNECT:/tmp/closed.sock </dev/null")


@case("a student's shell in a seat does not reach another course, the host's loopback and sshd, or a cloud's metadata")
def from_the_seat(guest):
    with World(guest) as world, scene(guest, world) as shown:
        world.run(["ip", "address", "add", f"{METADATA}/32", "dev", "w0"])
        for prefix in (inside(SECOND_SEAT), inside(FAR_SEAT)):
            Greeter(guest, prefix, 7000)
        for listen in ("TCP4-LISTEN:7001,bind=127.0.0.1", "TCP6-LISTEN:7001,bind=[::1]"):
            guest.popen(["socat", f"{listen},reuseaddr,fork", "SYSTEM:echo hello"])
        guest.wait_until("test $(ss -Hltn sport = :7001 | wc -l) = 2")
        run_checks(shown, other_course, loopback_of_host, sshd_of_host, metadata_of_cloud, names_of_host, multicast,
                   abstract_socket, path_socket)


@check
def isolated_seat(scene):
    others = [f"{SECOND_ADDRESS} 7000", f"{scene.second6} 7000", f"{SECOND_ADDRESS} ping", f"{scene.second6} ping",
              f"{link_local(scene.guest, 'vr-' + SECOND_SEAT, inside(SECOND_SEAT))}%vr-{SEAT} 7000"]
    expect_equal(reaches(scene.guest, [], *others[:4]), others[:4], "the control: what the host reaches")
    scene.expect_only([f"{GATEWAY} ping", f"{scene.gateway6} ping"], others)


@check
def isolated_multicast(scene):
    own = link_local(scene.guest, f"vr-{SEAT}", inside(SEAT))
    expect_equal(who_answers(scene), {own}, "who answered")


@case("with isolation = seat a student's shell does not reach another student, nor by multicast")
@with_settings("[course 123]\nisolation = seat\n")
def isolated(guest):
    with scene(guest, seats=(SECOND_SEAT,)) as shown:
        Greeter(guest, inside(SECOND_SEAT), 7000)
        run_checks(shown, isolated_seat, isolated_multicast)
