"""In an exam: attempts to reach more than it allows. As many doors are open as settings can open."""

import re

from harness.case import case, expect, expect_equal, expect_in, expect_not_in
from helpers.escape import check, link_local, run_checks, scene
from helpers.exam import Sink, exam, forge
from helpers.network import FAR_GATEWAY, GATEWAY, Greeter, inside, reaches
from helpers.seats import ADDRESS, FAR_ADDRESS, FAR_SEAT, SEAT, SECOND, SECOND_ADDRESS, SECOND_SEAT, STUDENT
from helpers.settings import with_settings
from helpers.world import World, resolver

SETTINGS = """\
[site]
isolation = none
inbound = yes
host-ports = 7002 *:22
staff = exam-staff
"""
# A server whose name is allowed, which allows all of its ports, beside one of which a port is allowed.
NAME, NAMED4, NAMED6 = "exam.example", "192.0.2.90", "2001:db8:1::90"
ALLOWED = ("--allow", "192.0.2.80:80/tcp", "--allow", "[2001:db8:1::80]:80/tcp", "--allow-name", NAME)

UDP = """
import socket, sys
text, address, port, source, size = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4]), int(sys.argv[5])
with socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_DGRAM) as sock:
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    sock.bind(("", source))
    sock.sendto(text.encode().ljust(size, b"."), (address, port))
"""
EXTENSION = """
import socket, sys
# A destination options header of padding.
with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as sock:
    options = [(socket.IPPROTO_IPV6, socket.IPV6_DSTOPTS, bytes([0, 0, 1, 4, 0, 0, 0, 0]))]
    sock.sendmsg([sys.argv[1].encode()], options, 0, (sys.argv[2], int(sys.argv[3])))
"""
PROTOCOL = """
import socket, sys
with socket.socket(socket.AF_INET, socket.SOCK_RAW, 253) as sock:
    sock.sendto(sys.argv[1].encode(), (sys.argv[2], 0))
"""


def open_targets(scene):
    """What the student reaches with these settings, and not in the exam."""
    world = scene.world
    local = link_local(scene.guest, f"vr-{SECOND_SEAT}", inside(SECOND_SEAT))
    return [f"{world.gateway4} 7000", f"{world.gateway6} 7000", f"{world.gateway4} ping",
            f"{world.web4} 7000", f"{world.web6} 7000", f"{world.web4} ping", f"{world.web6} ping",
            f"{SECOND_ADDRESS} 7000", f"{scene.second6} 7000", f"{SECOND_ADDRESS} ping", f"{local}%vr-{SEAT} 7000",
            f"{FAR_ADDRESS} 7000", f"{FAR_ADDRESS} ping", f"{GATEWAY} 7002", f"{scene.gateway6} 7002", f"{GATEWAY} ping",
            f"{world.host4} 22", f"{world.host6} 22", f"{FAR_GATEWAY} 22"]


@check
def exam_reach(scene):
    """The world, other ports of an allowed host, neighbours, another course, the host; the allowed port answers."""
    scene.expect_only([f"{scene.world.web4} 80", f"{scene.world.web6} 80", f"{NAMED4} 7000", f"{NAMED6} ping"], open_targets(scene))


def asked(scene, name, kind="A", server=None, *options):
    """The answers to a query; empty without one."""
    said = scene.run(" ".join(["dig", "+short", "+tries=1", "+time=1", *options, f"@{server or GATEWAY}", name, kind]))
    return "\n".join(line for line in said.splitlines() if not line.startswith(";;"))


@check
def exam_names(scene):
    """Other names are not answered: of the world, of neighbours, of the gateway; the allowed one is, by UDP and TCP."""
    expect_equal(asked(scene, NAME), NAMED4, "the allowed name")
    expect_equal(asked(scene, NAME, "AAAA", None, "+tcp"), NAMED6, "the allowed name by TCP")
    for name in ("www.example", "smithj.cs123.internal", "gateway.cs123.internal", "."):
        expect_equal(asked(scene, name, "NS" if name == "." else "A"), "", f"the answer for {name}")
    expect_equal(scene.done(f"getent ahostsv4 {NAME} | head -n 1 | cut -d ' ' -f 1"), NAMED4, "what the libc finds")


@check
def exam_name_tunnel(scene):
    """A query is a message to the owner of its domain, so nothing of a query leaves the host."""
    before = len(scene.world.asked())
    for name, kind in ((f"secret1.{NAME}", "A"), (f"secret2.{NAME}", "TXT"), (NAME, "TXT"), (NAME, "ANY"), (NAME, "MX"),
                       (f"secret3.{NAME}", "NULL")):
        expect_not_in("secret", asked(scene, name, kind), f"the answer for {name} {kind}")
    expect_not_in("secret", scene.world.asked()[before:], "what the world was asked")


@check
def exam_other_resolver(scene):
    """A name server of the student's choice, by both protocols, and the name service of courses without an exam."""
    for server, options in ((scene.world.dns4, ()), (scene.world.dns4, ("+tcp",)), (scene.world.dns6, ()),
                            (GATEWAY, ("-p", "530")), (FAR_GATEWAY, ("-p", "530")), (FAR_GATEWAY, ("-p", "531"))):
        expect_equal(asked(scene, "secret4.example", "A", server, *options), "", f"the answer of {server} {options}")
    expect_not_in("secret4", scene.world.asked(), "what the world was asked")


@check
def exam_counters(scene):
    """dnsmasq would tell its counters, by which the seats of a course could signal to each other."""
    expect_equal(asked(scene, "hits.bind", "TXT", None, "-c", "CH"), "", "the counters")


@check
def exam_old_connection(scene):
    """A connection and a UDP flow from before the exam."""
    scene.run("echo after >&3; echo after >&4")
    # What was sent later by a course without an exam has arrived, and this has not.
    forge(scene, scene.udp, UDP, scene.world.gateway4, "7004", "0", "1")
    expect(not scene.tcp.has("after"), "the old connection is open")
    expect(not scene.udp.has("after"), "the old UDP flow is open")


@check
def exam_from_outside(scene):
    """`inbound = yes`, and a flow that began before the exam: nothing comes in."""
    scene.world.run("echo after | socat -u - UDP4-SENDTO:10.0.123.10:7005,sourceport=7006")
    scene.world.run(f"echo control | socat -u - UDP4-SENDTO:{FAR_ADDRESS}:7008")
    scene.far.expect("control")
    expect(not scene.seat_udp.has("after"), "the old flow from outside is open")
    expect_equal(reaches(scene.guest, scene.world.prefix(), f"{ADDRESS} 7007", f"{FAR_ADDRESS} 7000"), [f"{FAR_ADDRESS} 7000"],
                 "what the world reaches")


@check
def exam_source_ports(scene):
    """The ports of the name service and of the allowed server as the source."""
    for source in (53, 80, 530, 531):
        forge(scene, scene.udp, UDP, scene.world.gateway4, "7004", str(source), "1")


@check
def exam_fragments(scene):
    """Large packets, of which only the first part has a port."""
    forge(scene, scene.udp, UDP, scene.world.gateway4, "7004", "0", "5000")
    forge(scene, scene.udp, UDP, scene.world.gateway6, "7004", "0", "5000")


@check
def exam_extension_headers(scene):
    forge(scene, scene.udp, EXTENSION, scene.world.gateway6, "7004")


@check
def exam_other_protocol(scene):
    """Another protocol than TCP and UDP, to the allowed host."""
    def unknown():
        return int(scene.world.run("sed -n 's/^Ip: //p' /proc/net/snmp | tail -n 1").stdout.split()[6])
    before = unknown()
    for seat, count in ((SEAT, 0), (FAR_SEAT, 1)):
        scene.guest.run([*inside(seat), "python3", "-c", PROTOCOL, "x", scene.world.web4], check=False)
        scene.guest.wait_until(lambda count=count: unknown() - before >= count)
        expect_equal(unknown() - before, count, f"packets of seat {seat} that arrived")


@check
def exam_multicast(scene):
    """Multicast, broadcast and ARP of the bridge: nobody answers."""
    own = link_local(scene.guest, f"vr-{SEAT}", inside(SEAT))
    answered = set(re.findall(r"from ([0-9a-f:]+)%", scene.run(f"ping -c 2 -W 1 ff02::1%vr-{SEAT}")))
    expect(answered <= {own}, f"who answered is {answered}")
    expect_not_in("bytes from", scene.run("ping -b -c 1 -W 1 10.0.123.255; ping -c 1 -W 1 224.0.0.251"), "what came back")
    scene.guest.run([*inside(SEAT), "ip", "neigh", "flush", "all"])
    scene.run(f"ping -c 1 -W 1 {SECOND_ADDRESS}")
    expect_not_in("lladdr", scene.guest.run([*inside(SEAT), "ip", "neigh", "show", SECOND_ADDRESS]).stdout, "the neighbour's MAC")


@check
def exam_forwarding(scene):
    """Forwardings of the student's own ssh come out in the seat: -L, and -W as a jump host."""
    guest, web, closed = scene.guest, scene.world.web4, f"{scene.world.gateway4}:7000"
    said = guest.run(f"ssh -W {closed} {STUDENT}@127.0.0.1 </dev/null", check=False)
    expect_not_in("hello", said.stdout, "what came through")
    expect_in("forwarding failed", said.stderr, "what ssh says")
    said = guest.run(f"printf 'GET /\\n\\n' | ssh -W {web}:80 {STUDENT}@127.0.0.1")
    expect_equal(said.stdout.strip(), scene.world.host4, "the control: the allowed host")


@check
def exam_reverse_forwarding(scene):
    """Not stopped: -R leads to where the student's ssh client runs, as the terminal does."""
    guest = scene.guest
    guest.popen(["ssh", "-N", "-R", f"7070:{scene.world.gateway4}:7000", f"{STUDENT}@127.0.0.1"])
    guest.wait_until(f"{' '.join(inside(SEAT))} ss -Hltn sport = :7070 | grep -q LISTEN")
    expect_equal(scene.done("nc -w 30 127.0.0.1 7070 </dev/null"), "hello", "what the client fetched")


@check
def exam_second_login(scene):
    """A second login, coursenet-enter, and a user's own unit are in the same seat."""
    line = f"nc -z -w 1 {scene.world.gateway4} 7000 || echo closed"
    expect_equal(scene.guest.ssh(STUDENT, line).stdout.strip(), "closed", "a second login")
    expect_equal(scene.done(f"coursenet-enter --seat -- sh -c '{line}'"), "closed", "coursenet-enter")
    expect_in("closed", scene.run(f"systemd-run --user --quiet --pipe --wait sh -c '{line}'"), "systemd-run --user")


@check
def exam_new_seat(scene):
    """A seat that starts during the exam."""
    scene.guest.run(["coursenetctl", "stop", SECOND_SEAT])
    said = scene.guest.ssh(SECOND, f"nc -z -w 1 {scene.world.gateway4} 7000 || echo closed; "
                           f"nc -z -w 5 {scene.world.web4} 80 && echo open").stdout.split()
    expect_equal(said, ["closed", "open"], "what the new seat reaches")
    scene.guest.run(["coursenetctl", "start", SECOND_SEAT])


@check
def exam_outside_process(scene):
    """A process of the student's outside of the seat, as cron starts one: it reaches the host, but no seat, and not the world."""
    Greeter(scene.guest, [], 7010)
    line = "".join(f"nc -z -w 1 {address} {port} && echo {port}; " for address, port in
                   (("127.0.0.1", 7010), (ADDRESS, 7007), (scene.world.gateway4, 7000)))
    expect_equal(scene.guest.run(line + "true", user=STUDENT).stdout.split(), ["7010"], "what it reaches")


@check
def exam_other_account(scene):
    """Another account of the host cannot relay: it does not reach the seat. Root and staff do, and get answers."""
    scene.alice.stdin.write("after\n")
    scene.alice.stdin.flush()
    for user, result in (("alice", ""), ("exam-staff", "hello\n"), ("root", "hello\n")):
        done = scene.guest.run(f"nc -w 5 {ADDRESS} 7009 </dev/null", user=user, check=False)
        expect_equal(done.stdout, result, f"what {user} gets, who is told {done.stderr!r}")
    expect_equal(reaches(scene.guest, [], f"{ADDRESS} ping"), [f"{ADDRESS} ping"], "what root reaches")
    scene.guest.run(f"echo from-staff | socat -u - TCP:{ADDRESS}:7007", user="exam-staff")
    scene.seat_tcp.expect("from-staff")
    expect(not scene.seat_tcp.has("after"), "alice's old connection is open")


@check
def exam_shared_files(scene):
    """Not stopped: a Unix socket in /tmp leads to everybody who listens there."""
    scene.guest.popen(["socat", "UNIX-LISTEN:/tmp/exam.sock,fork,mode=666,unlink-early", f"TCP:{scene.world.gateway4}:7000"])
    scene.guest.wait_until("test -S /tmp/exam.sock")
    expect_equal(scene.done("socat -t 2 - UNIX-CONNECT:/tmp/exam.sock </dev/null"), "hello", "the answer")


def prepare(shown):
    """Servers that answer, and connections that are open when the exam begins."""
    guest, world = shown.guest, shown.world
    world.run(f"ip address add {NAMED4}/24 dev w0; ip address add {NAMED6}/64 dev w0 nodad")
    guest.run(f"printf '{NAMED4} {NAME}\\n{NAMED6} {NAME}\\n' >>/etc/hosts")
    for prefix, port in ((world.prefix(), 7000), (inside(SECOND_SEAT), 7000), (inside(FAR_SEAT), 7000), ([], 7002),
                         (inside(SEAT), 7009)):
        Greeter(guest, prefix, port)
    shown.tcp, shown.udp = Sink(guest, world.prefix(), "TCP", 7001), Sink(guest, world.prefix(), "UDP", 7004)
    shown.seat_udp, shown.seat_tcp = Sink(guest, inside(SEAT), "UDP", 7005), Sink(guest, inside(SEAT), "TCP", 7007)
    shown.far = Sink(guest, inside(FAR_SEAT), "UDP", 7008)
    world.route("10.0.123.0/24", "10.1.121.0/24")
    shown.session.run(f"exec 3<>/dev/tcp/{world.gateway4}/7001 4<>/dev/udp/{world.gateway4}/7004; echo before >&3; echo before >&4")
    world.run("echo before | socat -u - UDP4-SENDTO:10.0.123.10:7005,sourceport=7006")
    shown.alice = guest.popen(["bash", "-c", f"exec 3<>/dev/tcp/{ADDRESS}/7007; while read -r word; do echo $word >&3; done"],
                              user="alice")
    shown.alice.stdin.write("before\n")
    shown.alice.stdin.flush()
    for sink in (shown.tcp, shown.udp, shown.seat_udp, shown.seat_tcp):
        sink.expect("before")


@case("in an exam a course reaches the allow-list and nothing else, whatever a student tries")
@with_settings(SETTINGS)
def attempts(guest):
    guest.add_user("exam-staff")
    with World(guest) as world, resolver(guest, "plain"), scene(guest, world) as shown:
        prepare(shown)
        targets = open_targets(shown)
        expect_equal(shown.reaches(*targets), targets, "the control: what the student reaches without an exam")
        with exam(guest, "--until", "+1h", *ALLOWED):
            run_checks(shown, exam_reach, exam_names, exam_name_tunnel, exam_other_resolver, exam_counters, exam_old_connection,
                       exam_from_outside, exam_source_ports, exam_fragments, exam_extension_headers, exam_other_protocol,
                       exam_multicast, exam_forwarding, exam_reverse_forwarding, exam_second_login, exam_outside_process,
                       exam_other_account, exam_shared_files, exam_new_seat)
        Greeter(guest, inside(SECOND_SEAT), 7000)
        # What asked for a seat's MAC address in the exam had no answer, and asks again a second later.
        guest.wait_until(lambda: shown.reaches(*targets) == targets, what="the student reaches all of it after the exam")
