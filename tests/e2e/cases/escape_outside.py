"""A student's processes outside of the seat: jobs, servers, and what outlives a login."""

import shlex

from harness.case import case, expect, expect_equal, expect_in, expect_not_in
from helpers.escape import become, check, run_checks
from helpers.fence import BOTH, gets_out
from helpers.logins import OWN_NAMESPACE
from helpers.network import GATEWAY, reaches, soon
from helpers.seats import ADDRESS, SEAT, STUDENT, set_up_class, wait_gone
from helpers.world import World, fetch


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
    """A server of a student's that no login started answers only the host itself."""
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


@case("jobs and left-over processes outside of the seat have no network except the host's loopback")
def outside_the_seat(guest):
    set_up_class(guest)
    with World(guest) as world:
        run_checks(Outside(guest, world), process_outside, subordinate_ids, subordinate_ids_that_come, other_protocols,
                   server_outside, server_with_full_queue, sockets_handed_over, lingering_manager, left_behind)
