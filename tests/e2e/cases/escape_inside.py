"""From the shell in a seat: the seat's own network, other namespaces, processes, units and files."""

import re
import shlex

from harness.case import case, expect, expect_equal, expect_in, expect_not_in
from helpers.escape import IMAGINARY_MAC, REFUSED, become, check, run_checks, scene, sleeper
from helpers.logins import OWN_NAMESPACE
from helpers.network import GATEWAY, in_seat, inside
from helpers.seats import (ADDRESS, FAR_ADDRESS, ROSTER_FILE, SEAT, SECOND, SECOND_ADDRESS, SECOND_SEAT, STUDENT,
                           is_active)

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
    """Sockets for raw frames: AF_PACKET, raw IP, AF_XDP."""
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


@case("a student's shell in a seat sends no raw frame, changes nothing of the seat's network, and enters no other "
      "namespace, process or unit")
def inside_the_seat(guest):
    with scene(guest) as shown:
        run_checks(shown, packet_socket, change_network, change_queue, change_sysctls, netlink_of_host, enter_host,
                   enter_other_seat, enter_own_process_outside, user_namespace, cable_into_namespace, other_mount_namespace,
                   connection_of_sshd, other_students_process, user_manager, system_manager, files_of_root, ping_program,
                   enter_as_another)
