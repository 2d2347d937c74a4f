"""A student with a shell in a seat tries to get out of it, or at others.

Each attempt is a small check of its own, under the name by which SECURITY.md cites it. A check has a control where there can
be one: the same thing done by somebody who may, so that what is refused is refused for the right reason. A case runs all of
its checks on one scene, and names those that failed.
"""

import contextlib
import os
import re
import shlex

from harness.case import case, expect, expect_equal, expect_in, expect_not_in
from harness.product import SOURCE
from helpers import frames
from helpers.fence import BOTH, gets_out
from helpers.leases import leases
from helpers.network import (FAR_GATEWAY, GATEWAY, Greeter, address6, attempt, in_seat, inside, reaches,
                             seat_address6, seats_up, soon)
from helpers.seats import (ADDRESS, FAR_ADDRESS, FAR_SEAT, ROSTER_FILE, SEAT, SECOND, SECOND_ADDRESS, SECOND_SEAT,
                           STUDENT, is_active, set_up_class, wait_gone)
from helpers.settings import with_settings
from helpers.world import World, fetch

CHECKS = {}
OWN_NAMESPACE = "readlink /proc/self/ns/net"
METADATA = "169.254.169.254"
REFUSED = r"(?i)not permitted|permission denied|authentication required|access denied"
IMAGINARY_MAC = "02:00:00:00:00:99"


def check(function):
    """Registers an attempt; its name is the function's."""
    CHECKS[function.__name__] = function
    return function


def run_checks(scene, *checks):
    failed = []
    for each in checks:
        try:
            each(scene)
        except Exception as error:  # pylint: disable=broad-except
            failed.append(f"{each.__name__}: {type(error).__name__}: {error}")
    expect(not failed, "these checks failed:\n" + "\n".join(failed))


class Scene:
    """A student's ssh login, beside seats that an admin holds."""

    def __init__(self, guest, world=None):
        self.guest, self.world = guest, world
        self.session = guest.ssh_popen(STUDENT)
        self.session.run("PATH=$PATH:/usr/sbin")
        self.namespace = self.session.run(OWN_NAMESPACE)
        self.gateway6, self.second6 = address6(guest, "br-123"), seat_address6(guest, SECOND_SEAT)

    def run(self, line):
        """What a line of the student's says, with what it says on stderr."""
        return self.session.run(f"{{ {line}\n}} 2>&1")

    def python(self, script, *arguments):
        return self.run(shlex.join(["python3", "-c", script, *arguments]))

    def denied(self, line, reason=REFUSED):
        """The line fails, and for that reason."""
        said = self.run(line)
        expect(self.session.status != 0, f"`{line}` succeeded, which it must not:\n{said}")
        expect(re.search(reason, said), f"`{line}` failed for another reason than {reason!r}:\n{said}")

    def done(self, line):
        said = self.run(line)
        expect_equal(self.session.status, 0, f"the status of the control `{line}`, which says {said!r},")
        return said

    def reaches(self, *targets):
        """As reaches() of network.py, by the student."""
        script = "\n".join(f"{{ {attempt(target)} && echo '{target}'; }} &" for target in targets)
        answered = self.run(f"{script}\nwait").splitlines()
        return [target for target in targets if target in answered]

    def expect_only(self, reached, refused):
        """Of all targets, these are reached, and those are not."""
        expect_equal(self.reaches(*reached, *refused), list(reached), "what the student reaches")


@contextlib.contextmanager
def scene(guest, world=None, seats=(SECOND_SEAT, FAR_SEAT)):
    with seats_up(guest, *seats):
        try:
            yield Scene(guest, world)
        finally:
            guest.end_processes()


def become(user):
    return ["setpriv", f"--reuid={user}", f"--regid={user}", "--init-groups", "--reset-env"]


def sleeper(guest, user, *prefix):
    """The pid of a process of a user, once it is what it is to be."""
    pid = guest.popen([*prefix, "sleep", "600"], user=user).guest_pid()
    guest.wait_until(f"test \"$(cat /proc/{pid}/comm)\" = sleep")
    return pid


def link_local(guest, link, prefix=()):
    return guest.run([*prefix, "ip", "-6", "-br", "address", "show", "dev", link, "scope", "link"]).stdout.split()[2].split("/")[0]


# Frames. Whoever sends them is root in the seat: far stronger than a student, who cannot even open the socket for it.


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


@case("root in a seat, stronger than any student, sends nothing that is not the seat's own, and to nowhere it may not")
def forging_frames(guest):
    with World(guest) as world, seats_up(guest, SEAT, SECOND_SEAT, FAR_SEAT):
        world.run(["ip", "address", "add", f"{METADATA}/32", "dev", "w0"])
        run_checks(Air(guest, world), *(CHECKS[name] for name in FRAMES))


# The student's own namespace, and those of others

SOCKETS = """
import socket, sys
for family, kind, protocol in ((17, 3, 0x300), (17, 2, 0x300), (2, 3, 1), (2, 3, 255), (10, 3, 58), (44, 3, 0)):
    try:
        socket.socket(family, kind, protocol)
        print("opened", family, kind)
    except OSError as error:
        print(type(error).__name__)
"""


@check
def packet_socket(scene):
    """No frame of one's own making: AF_PACKET, raw IP, AF_XDP."""
    refused = {"PermissionError", "OSError"}
    said = scene.python(SOCKETS).splitlines()
    expect_equal(len(said), 6, "the number of answers")
    expect(set(said) <= refused and said.count("PermissionError") >= 5, f"the answers are {said}")
    expect_in("opened 17", in_seat(scene.guest, SEAT, ["python3", "-c", SOCKETS]).stdout, "the control, by root")


CHANGES = (
    f"ip link set vr-{SEAT} down", f"ip link set vr-{SEAT} address {IMAGINARY_MAC}", f"ip link delete vr-{SEAT}",
    f"ip address add 10.0.123.99/24 dev vr-{SEAT}", f"ip -6 address add fd00::99/64 dev vr-{SEAT}",
    f"ip address delete {ADDRESS}/24 dev vr-{SEAT}", "ip route replace default via 10.0.123.11",
    "ip route add local 0.0.0.0/0 dev lo table 99", "ip -6 route add fd00::/8 via fe80::99 dev vr-" + SEAT,
    "ip rule add pref 1 lookup 99", "ip rule delete pref 53", f"ip neighbour replace {GATEWAY} lladdr {IMAGINARY_MAC} dev vr-{SEAT}",
    "ip link add veth0 type veth peer name veth1", "ip netns add mine", "nft add table inet mine", "nft list ruleset",
    f"ip link add vx0 type vxlan id 1 remote {GATEWAY} dstport 4789", "ip xfrm state list",
)
STATE = "ip link; ip -4 address; ip route show table all | grep -v '^fe80\\|^ff00'; ip rule; ip -6 rule"


@check
def change_network(scene):
    """Links, addresses, routes, rules, neighbours, nftables of the seat."""
    before = scene.done(STATE)
    for line in CHANGES:
        scene.denied(line, REFUSED + "|must be root")
    expect_equal(scene.done(STATE), before, "the seat's network")
    in_seat(scene.guest, SEAT, "ip rule add pref 1 lookup 99 && ip rule delete pref 1")


@check
def change_queue(scene):
    """The queueing discipline, which is what limits a seat's rate."""
    for line in (f"tc qdisc replace dev vr-{SEAT} root pfifo", f"tc qdisc add dev vr-{SEAT} clsact"):
        scene.denied(line)
    in_seat(scene.guest, SEAT, f"tc qdisc add dev vr-{SEAT} clsact && tc qdisc delete dev vr-{SEAT} clsact")


@check
def change_sysctls(scene):
    names = ("ipv4/conf/all/route_localnet", "ipv4/ping_group_range", "ipv4/ip_forward", f"ipv4/conf/vr-{SEAT}/rp_filter",
             "ipv6/conf/all/accept_ra", "ipv4/ip_unprivileged_port_start")
    for name in names:
        value = scene.done(f"cat /proc/sys/net/{name}")
        scene.denied(f"echo 0 >/proc/sys/net/{name}")
        # The same file, by one who is root in a user namespace of their own.
        scene.denied(f"unshare -Ur sh -c 'echo 0 >/proc/sys/net/{name}'")
        expect_equal(scene.done(f"cat /proc/sys/net/{name}"), value, name)


AUDIT = """
import socket, struct
netlink = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 9)
netlink.sendto(struct.pack("=IHHII", 16, 1000, 5, 1, 0), (0, 0))
netlink.settimeout(1)
length, kind = struct.unpack_from("=IH", netlink.recv(4096))
print("answered", kind)
"""
UEVENT = """
import socket
socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 15).sendto(b"add@/devices/forged\\0ACTION=add\\0", (0, 1))
"""


@check
def netlink_of_host(scene):
    """The kernel's audit, and messages of devices, are not answered and not sent."""
    expect_not_in("answered 1000", scene.python(AUDIT), "what audit says")
    scene.denied(shlex.join(["python3", "-c", UEVENT]), REFUSED + "|refused|not supported")


@check
def enter_host(scene):
    """The namespace of pid 1, as oneself and as root of a user namespace of one's own."""
    for prefix in ("", "unshare -Ur ", "unshare -Urn "):
        scene.denied(f"{prefix}nsenter --net=/proc/1/ns/net true")
    scene.denied("nsenter --target 1 --net true")
    scene.guest.run("nsenter --target 1 --net true")


@check
def enter_other_seat(scene):
    """The name of another student's namespace can be opened, and a process of theirs found: it cannot be joined."""
    pid = sleeper(scene.guest, None, *inside(SECOND_SEAT), *become(SECOND))
    scene.done(f"exec 8</run/netns/ns{SECOND_SEAT} && exec 8<&-")
    for way in (f"/run/netns/ns{SECOND_SEAT}", f"/proc/{pid}/ns/net"):
        scene.denied(f"nsenter --net={way} true")
        scene.denied(f"unshare -Ur nsenter --net={way} true")
    scene.guest.run(["nsenter", f"--net=/proc/{pid}/ns/net", "true"])


@check
def enter_own_process_outside(scene):
    """A process of the student's own that is outside, as a cron job is: its namespace can be looked at, and not joined."""
    pid = sleeper(scene.guest, STUDENT)
    expect_equal(scene.done(f"readlink /proc/{pid}/ns/net"), scene.guest.run(OWN_NAMESPACE).stdout.strip(), "its namespace")
    for line in (f"nsenter --target {pid} --net true", f"unshare -Ur nsenter --net=/proc/{pid}/ns/net true"):
        scene.denied(line)


@check
def user_namespace(scene):
    """A network namespace of one's own has no way anywhere, and no way back either."""
    look = f"ip -o link | cut -d: -f2; ping -c 1 -W 1 {GATEWAY} 2>&1; nc -z -w 1 {SECOND_ADDRESS} 7000"
    said = scene.run(f"unshare -Urn sh -c {shlex.quote(look)}")
    expect_equal(said.splitlines()[0].strip(), "lo", "the links")
    expect(re.search("unreachable", said), f"what ping says is {said}")
    scene.denied("unshare -Urn sh -c 'nsenter --net=/proc/$PPID/ns/net true'")
    expect(scene.reaches(f"{GATEWAY} ping"), "the control: the seat itself reaches nothing")


# A veth pair whose other end is to appear in another namespace, without a program that looks at the name first.
PUT_LINK = """
import os, socket, struct, sys
def attribute(kind, data):
    return struct.pack("=HH", 4 + len(data), kind) + data + bytes(-len(data) % 4)
where = sys.argv[1]
fd = os.open(where, os.O_RDONLY)
peer = struct.pack("=BBHiII", 0, 0, 0, 0, 0, 0) + attribute(3, b"escape1\\0") + attribute(28, struct.pack("=i", fd))
body = struct.pack("=BBHiII", 0, 0, 0, 0, 0, 0) + attribute(3, b"escape0\\0") \\
    + attribute(18, attribute(1, b"veth\\0") + attribute(2, attribute(1, peer)))
netlink = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0)
netlink.send(struct.pack("=IHHII", 16 + len(body), 16, 0x605, 1, 0) + body)
code = struct.unpack_from("=i", netlink.recv(4096), 16)[0]
sys.exit(os.strerror(-code) if code else 0)
"""


def put_link(where):
    return f"unshare -Urn {shlex.join(['python3', '-c', PUT_LINK, where])}"


@check
def cable_into_namespace(scene):
    """A veth pair from a namespace of one's own into the seat, another seat, or the host."""
    pid = sleeper(scene.guest, STUDENT)
    for where in (f"/run/netns/ns{SEAT}", f"/run/netns/ns{SECOND_SEAT}", f"/proc/{pid}/ns/net"):
        scene.denied(put_link(where))
    scene.done(put_link("/proc/self/ns/net"))


@check
def other_mount_namespace(scene):
    """What is mounted over the seats' names in a namespace of one's own, nobody else sees."""
    bind = f"mount --bind /proc/self/ns/net /run/netns/ns{SECOND_SEAT} && stat -Lc %i /run/netns/ns{SECOND_SEAT}"
    before = scene.guest.run(f"stat -Lc %i /run/netns/ns{SECOND_SEAT}").stdout
    scene.done(f"unshare -Urm sh -c {shlex.quote(bind)}")
    expect_equal(scene.guest.run(f"stat -Lc %i /run/netns/ns{SECOND_SEAT}").stdout, before, "the namespace of that name")


@check
def connection_of_sshd(scene):
    """The login's sshd runs as the student, and has a socket of the host's namespace: it cannot be taken, or traced."""
    sshd = scene.done("ps -o ppid= -p $$").strip()
    expect_in("ssh", scene.done(f"ps -o args= -p {sshd}"), "the shell's parent")
    expect_equal(scene.done(f"ps -o user:32= -p {sshd}").strip(), STUDENT, "whose it is")
    # The kernel asks the same for these as for pidfd_getfd(): not of a process that was root's.
    scene.denied(f"ls /proc/{sshd}/fd/")
    scene.denied(f"cat /proc/{sshd}/mem")
    scene.denied(f"timeout 5 strace -o /dev/null -p {sshd}")
    scene.done("strace -o /dev/null true")
    expect_not_in("socket:", scene.done("ls -l /proc/$$/fd/"), "what the shell has open")


@check
def other_students_process(scene):
    """Tracing, reading the memory, descriptors or environment of, or signalling what another student runs."""
    pid = sleeper(scene.guest, SECOND)
    for line in (f"timeout 5 strace -o /dev/null -p {pid}", f"cat /proc/{pid}/mem", f"cat /proc/{pid}/environ", f"kill {pid}",
                 f"ls /proc/{pid}/root/", f"ls /proc/{pid}/fd/", f"readlink /proc/{pid}/ns/net || ls -L /proc/{pid}/ns/net"):
        scene.denied(line)


@check
def user_manager(scene):
    """systemd-run --user: the student's manager is in the seat, and a unit of its may not choose another namespace."""
    run = "systemd-run --user --quiet --wait --pipe --collect"
    expect_equal(scene.done(f"{run} {OWN_NAMESPACE}"), scene.namespace, "the namespace of a unit")
    for path in ("/proc/1/ns/net", f"/run/netns/ns{SECOND_SEAT}"):
        expect(scene.run(f"{run} -p NetworkNamespacePath={path} {OWN_NAMESPACE}") in ("", scene.namespace)
               or scene.session.status != 0, f"a unit is in {path}")
    pid = sleeper(scene.guest, STUDENT)
    said = scene.run(f"{run} -p NetworkNamespacePath=/proc/{pid}/ns/net {OWN_NAMESPACE}")
    expect_not_in(scene.guest.run(OWN_NAMESPACE).stdout.strip(), said, "what a unit says that wants the host's namespace")


@check
def system_manager(scene):
    """systemd-run, systemctl and D-Bus: a student starts and stops none of the system's units, nor the own seat's."""
    bus = "busctl call org.freedesktop.systemd1 /org/freedesktop/systemd1 org.freedesktop.systemd1.Manager"
    for line in ("systemd-run --wait --pipe true", f"systemctl stop nsbr@{SEAT}", f"systemctl stop nsbr@{SECOND_SEAT}",
                 "systemctl start netns@12312", "systemctl restart coursenet-activator", "systemctl stop coursenet-network",
                 f"{bus} StopUnit ss nsbr@{SEAT}.service replace", f"{bus} StartUnit ss testnetns@{SECOND_SEAT}.service replace",
                 f"{bus} KillUnit ssi coursenet-dns.service all 9", "systemctl set-environment X=Y"):
        scene.denied(line)
    for unit in (f"nsbr@{SEAT}", f"nsbr@{SECOND_SEAT}", "coursenet-network"):
        expect(is_active(scene.guest, unit), f"{unit} was stopped")
    expect(not is_active(scene.guest, "netns@12312"), "netns@12312 was started")


@check
def files_of_root(scene):
    """What the seats are made from: names, sockets, records, rosters, settings, wiring."""
    for path in (f"/run/netns/ns{SEAT}", "/run/netns/mine", "/run/coursenet/mine", "/run/coursenet/state/mine",
                 "/run/coursenet/fence/1", "/run/coursenet/dns/hosts/123", "/run/coursenet/fence.nft", ROSTER_FILE,
                 "/etc/coursenet/roster.d/999", "/etc/coursenet/coursenet.conf", "/etc/coursenet/netns/ns12310.conf",
                 "/run/systemd/system/mine.service", "/etc/subuid", "/etc/passwd"):
        scene.denied(f"echo mine >>{path}", REFUSED + "|nonexistent|No such file")
    scene.denied(f"umount /run/netns/ns{SECOND_SEAT}", REFUSED + "|must be superuser")
    scene.denied(f"rm -f /run/netns/ns{SECOND_SEAT} /run/coursenet/query.sock")
    scene.denied(f"cat {ROSTER_FILE}")
    scene.denied("ls /etc/coursenet/roster.d /run/coursenet/dns")
    expect_in("[site]", scene.done("cat /etc/coursenet/coursenet.conf"), "the control: the settings, read")


@check
def ping_program(scene):
    """A ping with its file's capability, one that was copied, and what it may ask the kernel for: all in the seat."""
    scene.done(f"cp $(command -v ping) ping && ./ping -c 1 -W 1 {GATEWAY} && ping -c 1 -W 1 {GATEWAY}")
    for program in ("ping", "./ping"):
        # Marks, and interfaces of the host.
        for options in ("-I up0", "-I br-123", "-m 1"):
            said = scene.run(f"{program} {options} -c 1 -W 1 {FAR_ADDRESS}")
            expect(scene.session.status != 0, f"{program} {options} reached another course:\n{said}")
    scene.done("rm ping")


@check
def enter_as_another(scene):
    """coursenet-enter with another seat's variables, a preloaded library, under NoNewPrivileges, in a user namespace."""
    enter = f"coursenet-enter --seat -- {OWN_NAMESPACE}"
    for prefix in (f"env COURSENET_SEAT={SECOND_SEAT} COURSENET_ADDRESS={SECOND_ADDRESS} COURSENET_COURSE=377 USER={SECOND}",
                   "env LD_PRELOAD=/nonexistent.so LD_LIBRARY_PATH=/tmp", "setpriv --no-new-privs"):
        expect_in(scene.namespace, scene.done(f"{prefix} {enter}"), "the command's namespace")
    scene.denied(f"unshare -Urn {enter}", "user namespace")


@case("from the shell in a seat: no frame of one's own, no change of the seat's network, no way into another namespace, process or unit")
def inside_the_seat(guest):
    with scene(guest) as shown:
        run_checks(shown, packet_socket, change_network, change_queue, change_sysctls, netlink_of_host, enter_host,
                   enter_other_seat, enter_own_process_outside, user_namespace, cable_into_namespace, other_mount_namespace,
                   connection_of_sshd, other_students_process, user_manager, system_manager, files_of_root, ping_program,
                   enter_as_another)


# What the student reaches


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


@case("from the shell in a seat: nothing of another course, of the host's loopback and sshd, of a cloud's metadata")
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


@case("with isolation = seat a student's shell does not reach another student, by multicast neither")
@with_settings("[course 123]\nisolation = seat\n")
def isolated(guest):
    with scene(guest, seats=(SECOND_SEAT,)) as shown:
        Greeter(guest, inside(SECOND_SEAT), 7000)
        run_checks(shown, isolated_seat, isolated_multicast)


# Outside of the seat


class Outside:
    """The world, and a student with a process outside of the seat, as at, cron and services have it."""

    def __init__(self, guest, world):
        self.guest, self.world = guest, world

    def expect_fenced(self, prefix, what):
        """No way out by either family, by what root runs under a prefix."""
        line = f"id -u; {fetch(self.world.web4)}; {fetch(self.world.web6)}"
        said = self.guest.run([*prefix, "sh", "-c", line], check=False)
        expect(said.stdout.split(), f"{what} did not run: {said.stderr}")
        expect_equal(said.stdout.split()[1:], [], f"what {what} got")


@check
def process_outside(outside):
    """A process that no login started."""
    expect_equal(gets_out(outside.guest, outside.world, "alice"), BOTH, "the control: how alice gets out")
    expect_equal(gets_out(outside.guest, outside.world, STUDENT), [], "how a student gets out")


@check
def subordinate_ids(outside):
    """Another uid, of those that /etc/subuid gives the student, in a user namespace."""
    first = outside.guest.run(f"grep ^{STUDENT}: /etc/subuid | cut -d: -f2").stdout.strip()
    alices = outside.guest.run("grep ^alice: /etc/subuid | cut -d: -f2").stdout.strip()
    as_uid = ["setpriv", "--clear-groups"]
    control = outside.guest.run([*as_uid, f"--reuid={alices}", "sh", "-c", fetch(outside.world.web4)]).stdout.strip()
    expect_equal(control, outside.world.host4, "the control: what an id of alice's gets")
    outside.expect_fenced([*as_uid, f"--reuid={first}"], "the first id")
    outside.expect_fenced([*as_uid, f"--reuid={int(first) + 65535}"], "the last id")
    if outside.guest.run("command -v newuidmap", check=False).returncode == 0:
        for uid in ("0", "5"):
            outside.expect_fenced([*become(STUDENT), "unshare", "--user", "--map-auto", "--map-root-user", "setpriv", f"--reuid={uid}"],
                                  f"uid {uid} of a user namespace")


@check
def subordinate_ids_that_come(outside):
    """Ids that a student is given later, far from those that useradd gives to each account."""
    as_uid = ["setpriv", "--clear-groups", "--reuid=3900000099", "sh", "-c", fetch(outside.world.web4)]
    reached = lambda: outside.guest.run(as_uid, check=False).stdout.strip()  # noqa: E731
    expect_equal(reached(), outside.world.host4, "the control: whom the server saw before")
    outside.guest.run("cp /etc/subuid /run/subuid.before; usermod --add-subuids 3900000000-3900000099 " + STUDENT)
    try:
        soon(outside.guest, lambda: reached() == "", "the new ids are fenced")
    finally:
        outside.guest.run("cat /run/subuid.before >/etc/subuid")
    soon(outside.guest, lambda: reached() == outside.world.host4, "they are free again")


OTHER_PROTOCOLS = """
import socket, sys
for kind, protocol in ((1, 262), (1, 132), (2, 136), (6, 33)):
    try:
        each = socket.socket(socket.AF_INET, kind, protocol)
        each.settimeout(1)
        each.connect((sys.argv[1], 80))
        each.send(b"GET /\\n\\n")
        print("got", protocol, each.recv(100))
    except OSError as error:
        print(protocol, type(error).__name__)
"""


@check
def other_protocols(outside):
    """Multipath TCP, SCTP, UDP-Lite, DCCP."""
    ask = ["python3", "-c", OTHER_PROTOCOLS, outside.world.web4]
    expect_not_in("got", outside.guest.run(ask, user=STUDENT).stdout, "what a student got")
    if outside.guest.run("cat /proc/sys/net/mptcp/enabled", check=False).stdout.strip() == "1":
        expect_in("got 262", outside.guest.run(ask, user="alice").stdout, "the control: what alice got")


@check
def server_outside(outside):
    """A server of a student's that no login started answers nobody but the host itself."""
    for user, port in ((STUDENT, 7100), ("alice", 7101)):
        outside.guest.popen(["socat", f"TCP6-LISTEN:{port},ipv6only=0,reuseaddr,fork", "SYSTEM:echo hello"], user=user)
        outside.guest.wait_until(f"ss -Hltn sport = :{port} | grep -q LISTEN")
    targets = [f"{address} {port}" for address in (outside.world.host4, outside.world.host6) for port in (7100, 7101)]
    expect_equal(reaches(outside.guest, outside.world.prefix(), *targets), [targets[1], targets[3]], "what the world reaches")
    expect_equal(reaches(outside.guest, [], "127.0.0.1 7100"), ["127.0.0.1 7100"], "what the host reaches")


FULL_QUEUE_SERVER = """
import socket, sys
server = socket.create_server(("::", int(sys.argv[1])), family=socket.AF_INET6, backlog=0, dualstack_ipv6=True)
print("ready", flush=True)
sys.stdin.readline()
server.settimeout(3)
while True:
    with server.accept()[0] as client:
        client.sendall(bytes(7000))
"""

CLIENTS = """
import select, socket, sys, time
clients = []
for address in sys.argv[2:]:
    for _ in range(3):
        client = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET)
        client.setblocking(False)
        client.connect_ex((address, int(sys.argv[1])))
        clients.append((address, client))
        time.sleep(0.05)
print("connecting", flush=True)
got = dict.fromkeys(sys.argv[2:], 0)
end = time.monotonic() + 4
while time.monotonic() < end and min(got.values()) < 7000:
    for each in select.select([client for _, client in clients], [], [], 0.2)[0]:
        address = next(address for address, client in clients if client is each)
        try:
            data = each.recv(65536)
        except OSError:
            data = b""
        got[address] += len(data)
        if not data:
            clients.remove((address, each))
print(*(address for address in got if got[address] >= 7000))
"""


@check
def server_with_full_queue(outside):
    """A server's first answer to a client that its queue has no room for is a SYN cookie, which no socket sends; what it has
    written and not sent when it closes, an orphan sends. Both belong to nobody, and still do not get out."""
    addresses = [outside.world.host4, outside.world.host6]
    for user, port, reached in (("alice", 7200, addresses), (STUDENT, 7201, [])):
        server = outside.guest.popen(["python3", "-c", FULL_QUEUE_SERVER, str(port)], user=user)
        expect_equal(server.stdout.readline(), "ready\n", f"what {user}'s server says")
        clients = outside.world.popen(["python3", "-c", CLIENTS, str(port), *addresses])
        expect_equal(clients.stdout.readline(), "connecting\n", "what the clients say")
        server.stdin.write("\n")
        server.stdin.flush()
        expect_equal(clients.stdout.read().split(), reached, f"by which addresses the world has an answer of {user}'s server")


HAND_OVER = """
import os, socket, sys
path, port, role = sys.argv[1], int(sys.argv[2]), sys.argv[3]
if role == "open":
    meeting = socket.socket(socket.AF_UNIX)
    meeting.bind(path)
    meeting.listen()
    server = socket.create_server(("::", port), family=socket.AF_INET6, dualstack_ipv6=True)
    print("ready", flush=True)
    socket.send_fds(meeting.accept()[0], [b"x"], [server.fileno()])
    server.close()
else:
    meeting = socket.socket(socket.AF_UNIX)
    meeting.connect(path)
    server = socket.socket(fileno=socket.recv_fds(meeting, 1, 1)[1][0])
    print("taken", flush=True)
    while True:
        with server.accept()[0] as client:
            client.sendall(b"hello\\n")
"""


@check
def sockets_handed_over(outside):
    """A listener that is opened outside and served in the seat is as fenced; one of the seat is the seat's wherever it is served."""
    guest = outside.guest
    session = guest.ssh_popen(STUDENT)
    in_the_seat = ["nsenter", f"--net=/run/netns/ns{SEAT}", *become(STUDENT)]
    own = outside.world.host4, outside.world.host6
    try:
        for port, opener, server in ((7300, become(STUDENT), in_the_seat), (7301, in_the_seat, become(STUDENT))):
            path = f"/tmp/hand-over-{port}"
            command = ["python3", "-c", HAND_OVER, path, str(port)]
            expect_equal(guest.popen([*opener, *command, "open"]).stdout.readline(), "ready\n", "what the opener says")
            expect_equal(guest.popen([*server, *command, "serve"]).stdout.readline(), "taken\n", "what the server says")
            guest.run(["rm", path])
        expect_equal(reaches(guest, [], "127.0.0.1 7300", f"{ADDRESS} 7301"), ["127.0.0.1 7300", f"{ADDRESS} 7301"],
                     "the control: what the host reaches")
        expect_equal(reaches(guest, outside.world.prefix(), *(f"{address} {port}" for address in own for port in (7300, 7301))), [],
                     "what the world reaches")
    finally:
        session.close()
    wait_gone(guest)


@check
def lingering_manager(outside):
    """A student may have logind keep the own manager, then outside of the seat: fenced."""
    guest = outside.guest
    uid = guest.run(["id", "-u", STUDENT]).stdout.strip()
    guest.ssh(STUDENT, "loginctl enable-linger", check=False)
    wait_gone(guest)
    bus = {"XDG_RUNTIME_DIR": f"/run/user/{uid}", "DBUS_SESSION_BUS_ADDRESS": f"unix:path=/run/user/{uid}/bus"}
    try:
        if guest.run(f"test -e /var/lib/systemd/linger/{STUDENT}", check=False).returncode != 0:
            return
        # As it is when the manager was up before the first login: then it is not in the seat.
        guest.run(f"rm -rf /run/systemd/system/user@{uid}.service.d; systemctl daemon-reload; systemctl start user@{uid}")
        line = f"id -u; {fetch(outside.world.web4)}; {fetch(outside.world.web6)}"
        said = guest.run(["systemd-run", "--user", "--quiet", "--wait", "--pipe", "--collect", "sh", "-c", line], user=STUDENT,
                         env=bus, check=False)
        expect_equal(said.stdout.split(), [uid], "what a unit of the lingering manager got")
    finally:
        guest.run(f"loginctl disable-linger {STUDENT}; systemctl stop user@{uid}; systemctl reset-failed", check=False)


@check
def left_behind(outside):
    """A process that outlives its login has no network any more, and a new login does not bring it back."""
    guest = outside.guest
    line = f"echo $$ >/tmp/left.pid; while sleep 0.2; do : >/tmp/left; ping -c 1 -W 1 {GATEWAY} && : >/tmp/reached; done"
    session = guest.ssh_popen(STUDENT)
    session.run(f"setsid --fork sh -c {shlex.quote(line)} </dev/null >/dev/null 2>&1")
    guest.wait_until("test -e /tmp/reached", what="the control: the process reaches the gateway")
    session.close()
    wait_gone(guest)
    again = guest.ssh_popen(STUDENT)
    try:
        guest.run("rm -f /tmp/reached /tmp/left")
        for _ in range(2):
            guest.wait_until("test -e /tmp/left", what="the process lives")
            guest.run("rm /tmp/left")
        guest.wait_until("test -e /tmp/left")
        expect(guest.run("test -e /tmp/reached", check=False).returncode != 0, "what was left behind has a network")
        pid = guest.read("/tmp/left.pid").strip()
        expect(again.run(f"readlink /proc/{pid}/ns/net") not in ("", again.run(OWN_NAMESPACE)), "it is in the new namespace")
        again.run(f"unshare -Ur nsenter --net=/run/netns/ns{SEAT} true 2>/dev/null")
        expect(again.status != 0, "a student joined the own seat's namespace without coursenet-enter")
    finally:
        guest.run("kill $(cat /tmp/left.pid); rm -f /tmp/left /tmp/left.pid /tmp/reached", check=False)
        again.close()
    wait_gone(guest)


@case("outside of the seat, where jobs and what was left behind are: no network but the host's own loopback")
def outside_the_seat(guest):
    set_up_class(guest)
    with World(guest) as world:
        run_checks(Outside(guest, world), process_outside, subordinate_ids, subordinate_ids_that_come, other_protocols,
                   server_outside, server_with_full_queue, sockets_handed_over, lingering_manager, left_behind)


# What everybody shares: the activator

FLOOD = """
import os, socket, sys
messages = (b"x", b"\\0" * 64, os.urandom(408), b"cour" * 102, b"\\x72\\x75\\x6f\\x63" + b"\\xff" * 404, b"x" * 60000)
for _ in range(20):
    for message in messages:
        with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as query:
            try:
                query.connect("/run/coursenet/query.sock")
                fd = os.open("/dev/null", os.O_RDONLY)
                socket.send_fds(query, [message], [fd] * 8)
            except OSError:
                pass
            finally:
                os.close(fd)
held = []
for _ in range(200):
    each = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    each.setblocking(False)
    try:
        each.connect("/run/coursenet/query.sock")
        held.append(each)
    except OSError:
        pass
print("held", len(held), flush=True)
sys.stdin.read()
"""


@check
def activator_flood(guest):
    """Garbage, half messages, descriptors nobody asked for and many connections held open: others log in, ask and enter."""
    process = guest.popen(["python3", "-c", FLOOD], user=STUDENT)
    expect_in("held", process.stdout.readline(), "the attacker's word")
    expect_equal(guest.ssh(SECOND, "coursenet-enter --seat -- echo inside").stdout, "inside\n", "another student's login")
    expect_equal(guest.run(["coursenet-enter", "--seat", "--", "echo", "inside"], user=SECOND).stdout, "inside\n", "and entering")
    expect_in("10.0.123.10/24", guest.ssh(STUDENT, "ip -br address").stdout, "the attacker's own login")
    expect(is_active(guest, "coursenet-activator"), "the activator is gone")
    process.kill_in_guest()


@check
def activator_socket(guest):
    """The module's socket is root's alone; over the other one nobody asks for what is root's."""
    script = """if True:
        import socket, struct, sys
        query = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        query.connect(sys.argv[1])
        for kind in (1, 2, 4, 5, 6, 8):
            asked = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
            asked.connect(sys.argv[1])
            asked.send(struct.pack("=IHHIIIII", 0x636f7572, 2, kind, 0, 0, 10000, 0, 0)[:24] + sys.argv[2].encode().ljust(256, b"\\0")
                       + bytes(32 + 32 + 128 + 128))
            asked.settimeout(5)
            print(b"only root may ask for this" in asked.recv(4096))"""
    refused = guest.run(["python3", "-c", script, "/run/coursenet/activator.sock", SECOND], user=STUDENT, check=False)
    expect_in("PermissionError", refused.stderr, "what activator.sock says")
    hold = guest.popen(["coursenet-enter", "--seat", "--", "sleep", "600"], user=SECOND)
    guest.wait_until(lambda: len(leases(guest, SECOND_SEAT)) == 1, what="the other student's lease")
    answers = guest.run(["python3", "-c", script, "/run/coursenet/query.sock", SECOND], user=STUDENT).stdout.split()
    expect_equal(answers, ["True"] * 6, "whether requests of each type were refused")
    expect_equal(len(leases(guest, SECOND_SEAT)), 1, "the other student's leases")
    hold.kill_in_guest()


@check
def too_many_leases(guest):
    """One student has 48 leases by coursenet-enter at most, logs in all the same, and takes no other's."""
    line = "for i in $(seq 60); do coursenet-enter --seat -- sh -c 'echo inside; exec sleep 600' & done; wait"
    process = guest.popen(line, user=STUDENT)
    for _ in range(48):
        expect_equal(process.stdout.readline(), "inside\n", "what a command printed")
    expect_equal(len(leases(guest, SEAT)), 48, "the number of leases")
    refused = guest.run(["coursenet-enter", "--seat", "--", "echo", "inside"], user=STUDENT, check=False)
    expect_equal((refused.returncode != 0, refused.stdout), (True, ""), "one more")
    expect_in("48", refused.stderr, "what one more is told")
    expect_equal(guest.ssh(STUDENT, "echo inside").stdout, "inside\n", "the student's own login")
    expect_equal(guest.ssh(SECOND, "echo inside").stdout, "inside\n", "another student's login")
    process.kill_in_guest()
    process.wait()


@case("floods of the activator by one student: others log in all the same, and nobody gets what is root's")
def shared_activator(guest):
    set_up_class(guest)
    run_checks(guest, activator_flood, activator_socket, too_many_leases)
    guest.end_processes()
    wait_gone(guest)


# The document

CITED = re.compile(r"`(\w+)\.(\w+)`")


def cited_tests(document):
    """Pairs of module and function: the last cell of each row of the table of attempts names the tests of that row."""
    attempts = document.split("\n## What was tried\n")[1]
    rows = [line.rstrip("| ") for line in attempts.splitlines() if line.startswith("|")]
    return [each for row in rows for each in CITED.findall(row.rsplit("|", 1)[-1])]


@case("SECURITY.md cites every check of an escape, and no test that is not there", suites=("trixie",))
def document(guest):
    folder = os.path.dirname(os.path.abspath(__file__))
    with open(os.path.join(folder, "..", "..", "..", "SECURITY.md"), encoding="utf-8") as file:
        cited = cited_tests(file.read())
    expect_equal(sorted(set(CHECKS) - {name for where, name in cited if where == "escape"}), [], "the checks that are not cited")
    for where, name in cited:
        with open(os.path.join(folder, f"{where}.py"), encoding="utf-8") as file:
            expect_in(f"\ndef {name}(", file.read(), f"cases/{where}.py")
    guest.run(f"test -e {SOURCE}/SECURITY.md && test -e /usr/share/doc/coursenet/SECURITY.md")
