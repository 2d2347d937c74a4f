"""Three servers that share courses: booted guests on one network, with FRR and a three-member etcd with TLS.

    @case("...")
    @with_members
    def move(members):
        session = members.a.ssh_popen(STUDENT)

They are made once, by the first case that asks for them, because etcd and BGP sessions take seconds to start, and they end with the
module. While they run, helpers/seat_watch.py looks at all of them: a case fails if a seat was live on two of them at once.

What a reader of the guests' journals should know:
- systemd-nspawn lets zebra, bgpd and etcd do all that they need.
- A cut member keeps its link's carrier, as with a broken switch far away. So BGP notices by its hold time only.
- zebra writes about links that are gone already. It reads them from the kernel later than the kernel made and deleted them.
"""

import concurrent.futures
import contextlib
import datetime
import functools
import json
import os
import re
import subprocess
import sys
import time

from harness.case import expect
from harness.guest import POLL_INTERVAL
from harness.stream import EndOfStream, Stream
from harness.switch import Switch
from helpers.seats import add_accounts, links
from helpers.settings import SETTINGS

NAMES = ("hosta", "hostb", "hostc")
UNDERLAY = {"hosta": "192.0.2.1", "hostb": "192.0.2.2", "hostc": "192.0.2.3"}
PACKAGES = ("frr", "etcd-server", "etcd-client", "openssl", "systemd-journal-remote", "frr-pythontools")
CLAIM_TIME = 10

# Courses 123 and 377 are spread, 124 is not.
COURSE, FAR_COURSE, PLAIN_COURSE = "123", "377", "124"
STUDENTS = [f"cs123-student{number:02}" for number in range(10, 30)]
FAR, PLAIN = "cs377-doej", "cs124-plainp"

CONF = f"""\
[site]
uplink = up0
[hosts]
members = {" ".join(f"{name}={address}" for name, address in UNDERLAY.items())}
store = {" ".join(f"https://{address}:2379" for address in UNDERLAY.values())}
store-ca = /etc/coursenet/store/ca.pem
store-cert = /etc/coursenet/store/cert.pem
store-key = /etc/coursenet/store/key.pem
claim-time = {CLAIM_TIME}s
handover = ssh %u@%h.example.edu
[course 123]
spread = yes
subnet6 = 2001:db8:123::/64
[course 377]
spread = yes
subnet6 = 2001:db8:377::/64
"""

ETCD = """\
ETCD_NAME={name}
ETCD_DATA_DIR=/var/lib/etcd/members
ETCD_LISTEN_PEER_URLS=https://{address}:2380
ETCD_INITIAL_ADVERTISE_PEER_URLS=https://{address}:2380
ETCD_LISTEN_CLIENT_URLS=https://{address}:2379
ETCD_ADVERTISE_CLIENT_URLS=https://{address}:2379
ETCD_INITIAL_CLUSTER={cluster}
ETCD_CLIENT_CERT_AUTH=true
ETCD_TRUSTED_CA_FILE=/etc/etcd/ca.pem
ETCD_CERT_FILE=/etc/etcd/cert.pem
ETCD_KEY_FILE=/etc/etcd/key.pem
ETCD_LOG_LEVEL=error
ETCD_PEER_CLIENT_CERT_AUTH=true
ETCD_PEER_TRUSTED_CA_FILE=/etc/etcd/ca.pem
ETCD_PEER_CERT_FILE=/etc/etcd/cert.pem
ETCD_PEER_KEY_FILE=/etc/etcd/key.pem
"""

ETCDCTL = ("etcdctl --endpoints https://192.0.2.1:2379 --cacert /etc/coursenet/store/ca.pem --cert /etc/coursenet/store/cert.pem"
           " --key /etc/coursenet/store/key.pem")

# An authority, and one certificate that all members use, as servers and as clients.
MAKE_CERTIFICATES = f"""
set -e
mkdir -p /run/certificates
cd /run/certificates
new="openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2"
$new -subj /CN=ca -keyout ca.key -out ca.pem
$new -subj /CN=coursenet -keyout key.pem -out cert.pem -CA ca.pem -CAkey ca.key \\
    -addext subjectAltName={",".join(f"IP:{address}" for address in UNDERLAY.values())} -addext basicConstraints=CA:false
tar -c ca.pem cert.pem key.pem | base64
"""

# What a member's network does at boot.
UNDERLAY_UNIT = """\
[Unit]
Description=Network between the members
Before=network.target frr.service etcd.service

[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/bin/sh -c 'until ip -4 address show dev up0 | grep -q inet; do sleep 0.02; done'

[Install]
RequiredBy=multi-user.target
"""

PREPARE = """
set -e
name=$1
echo "$name" >/etc/hostname
hostname "$name"
# Their sandbox has the name that was the machine's when they started.
systemctl try-restart 'coursenet-*.service'
sed -i "s/guest/$name/" /etc/hosts
# Both use one certificate, and each has a copy that is its own.
mkdir -p /etc/etcd
base64 -d | tar -x -C /etc/etcd
cp -r /etc/etcd /etc/coursenet/store
chown -R root:root /etc/coursenet/store
chown -R etcd /etc/etcd
chmod 700 /etc/coursenet/store /etc/etcd
systemctl --quiet enable underlay
sed -i 's/^bgpd=no/bgpd=yes/' /etc/frr/daemons
"""

START_ENGINES = """
set -e
systemctl stop etcd
rm -rf /var/lib/etcd/default
systemctl --no-block restart frr
systemctl start etcd
"""

# watchfrr starts bgpd some time after the unit counts as started.
LOAD_FRR = """
until test -S /run/frr/bgpd.vty; do sleep 0.1; done
until coursenetctl hosts apply 2>/run/apply.log; do sleep 0.1; done
"""


class Members:
    """The three servers, by the names a, b and c or hosta, hostb and hostc."""

    def __init__(self, guest):
        self.guest = guest
        self.switch = Switch()
        self.hosts = {}
        self.watch = Watch()
        self.each(self._boot)
        self.a, self.b, self.c = (self.hosts[name] for name in NAMES)
        for name in NAMES:
            self._plug(name)
        certificates = self.a.run(MAKE_CERTIFICATES).stdout
        self.each(lambda name: self._prepare(name, certificates))
        self.each(self._start_engines)
        self.run_all("systemctl enable --now coursenet-hosts")
        self.wait_joined()

    def _boot(self, name):
        self.hosts[name] = self.guest.boot_another(f"{self.guest.name}-{name}", extra_packages=PACKAGES)

    def _plug(self, name):
        self.switch.plug(self.hosts[name], "up0", f"{UNDERLAY[name]}/24")
        self.watch.add(name, self.hosts[name].init)

    def _start_engines(self, name):
        self.hosts[name].run(START_ENGINES)
        self.hosts[name].run(LOAD_FRR)

    def _prepare(self, name, certificates):
        host = self.hosts[name]
        cluster = ",".join(f"{each}=https://{address}:2380" for each, address in UNDERLAY.items())
        host.write("/etc/default/etcd", ETCD.format(name=name, address=UNDERLAY[name], cluster=cluster))
        host.write("/etc/systemd/system/underlay.service", UNDERLAY_UNIT)
        host.run(["sh", "-c", PREPARE, "sh", name], input=certificates)
        host.write(SETTINGS, CONF)
        add_accounts(host, [*STUDENTS, FAR, PLAIN])
        for course, users in ((COURSE, STUDENTS), (FAR_COURSE, [FAR]), (PLAIN_COURSE, [PLAIN])):
            host.run(f"coursenetctl roster import {course} -", input="".join(f"{user.split('-')[1]}\n" for user in users))

    @staticmethod
    def each(function, names=NAMES):
        """Calls a function with each name, all at the same time; returns what it gave, in the order of the names."""
        with concurrent.futures.ThreadPoolExecutor(len(names)) as pool:
            return list(pool.map(function, names))

    def run_all(self, command, names=NAMES, **options):
        """Runs a command on members at the same time."""
        return self.each(lambda name: self.hosts[name].run(command, **options), names)

    # Troubles

    def crash(self, name):
        """The member is without power: no process of it runs, and nothing of it is on the network."""
        since = self.watch.now()
        self.hosts[name].crash()
        self.watch.wait(f"{name} gone", since)

    def boot_again(self, name):
        """The member boots as after a power cut, and is one of three when this returns."""
        self.hosts[name].boot_again(lambda: self._plug(name))
        self.hosts[name].run(LOAD_FRR)
        self.wait_joined()

    @contextlib.contextmanager
    def cut(self, name):
        """The member does not reach the two others, nor they it, as long as the `with` lasts or until heal()."""
        self.switch.cut(self.hosts[name])
        try:
            yield
        finally:
            self.heal(name)

    @contextlib.contextmanager
    def pause(self, name):
        """The member is a virtual machine that is paused for as long as the `with` lasts or until go_on()."""
        self.switch.cut(self.hosts[name])
        self.hosts[name].freeze()
        try:
            yield
        finally:
            self.go_on(name)

    def go_on(self, name):
        self.heal(name)
        self.hosts[name].thaw()

    def heal(self, name):
        self.switch.heal(self.hosts[name])

    # What is so

    def deadline(self, name):
        """Until when the claims of a member are good, and what its clock says now: seconds of CLOCK_BOOTTIME."""
        with open(self.hosts[name].from_outside("/run/coursenet/hosts/deadline"), encoding="ascii") as file:
            return int(file.read()) / 1e6, time.clock_gettime(time.CLOCK_BOOTTIME)

    def time_left(self, name):
        """How long the claims of a member are good if they are not renewed, in seconds."""
        deadline, now = self.deadline(name)
        return deadline - now

    def wait_before_renewal(self, name):
        """Waits until the claims of a member have as little time left as before its last renewals."""
        shortest = {}
        while len(shortest) < 4:
            deadline, now = self.deadline(name)
            shortest[deadline] = deadline - now
            time.sleep(POLL_INTERVAL)
        # The last one has not been renewed yet. One that came late on a busy machine does not count either.
        limit = max(list(shortest.values())[:-1]) + 0.3
        self.hosts[name].wait_until(lambda: self.time_left(name) < limit, what=f"{name} is about to renew its claims",
                                    interval=POLL_INTERVAL)

    def wait_renewed(self, names=NAMES):
        """Waits until each member has renewed its claims at least once from now on."""
        def wait(name):
            before, _ = self.deadline(name)
            self.hosts[name].wait_until(lambda: self.deadline(name)[0] > before, what=f"{name} renews its claims")
        self.each(wait, names)

    def get(self, key):
        """The value of a key of coursenet in the store; "" if there is none."""
        return self.a.run(f"{ETCDCTL} get --print-value-only /coursenet/1/{key}").stdout.removesuffix("\n")

    def put(self, key, value):
        """Sets a key, without a lease."""
        self.a.run(f"{ETCDCTL} put /coursenet/1/{key}", input=value)

    def remove(self, key):
        self.a.run(f"{ETCDCTL} del /coursenet/1/{key}")

    def claim(self, seat):
        """The member that has the claim to a seat in the store, or None."""
        value = self.get(f"claims/{seat}")
        return json.loads(value)["host"] if value else None

    def wait_free(self, seat, timeout=30):
        """Waits until no member has the seat: there is no cable, no file of a claim and no claim in the store."""
        def gone(host):
            return f"vl-{seat}" not in links(host) and not os.path.lexists(host.from_outside(f"/run/coursenet/hosts/claims/{seat}"))
        for name, host in self.hosts.items():
            host.wait_until(lambda host=host: gone(host), timeout, f"{name} has nothing of seat {seat}")
        self.a.wait_until(lambda: self.claim(seat) is None, timeout, f"nobody has the claim to seat {seat}")

    def leader(self):
        """The member whose server of the store leads the others."""
        servers = self._servers()
        return next(name for name, status in servers.items() if status["leader"] == status["header"]["member_id"])

    def make_leader(self, name):
        """Lets the store's server of a member lead the others, so that they need no new leader when another one is away."""
        leader = self.leader()
        if leader != name:
            identity = self._servers()[name]["header"]["member_id"]
            self.a.run(f"{ETCDCTL.replace(UNDERLAY['hosta'], UNDERLAY[leader])} move-leader {identity:x}")

    def _servers(self):
        """What each member's server of the store says of itself."""
        rows = json.loads(self.a.run(f"{ETCDCTL} endpoint status --cluster -w json").stdout)
        return {name: row["Status"] for name in NAMES for row in rows if UNDERLAY[name] in row["Endpoint"]}

    def wait_joined(self, names=NAMES):
        """Waits until BGP and etcd of the members work together, and claims can be made."""
        self.each(lambda name: self.hosts[name].wait_until(JOINED, timeout=60, what=f"{name} has joined the others"), names)

    def close(self):
        self.watch.close()
        self.switch.close()


JOINED = """
    vtysh -c 'show bgp l2vpn evpn summary json' | grep -c '"state":"Established"' | grep -qx 2 && test -s /run/coursenet/hosts/deadline
"""


class Watch:
    """helpers/seat_watch.py, and what it has said."""

    PROGRAM = os.path.join(os.path.dirname(os.path.abspath(__file__)), "seat_watch.py")

    def __init__(self):
        self._process = subprocess.Popen([sys.executable, "-B", self.PROGRAM], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self._stream = Stream(os.dup(self._process.stdout.fileno()), "the watch over seats")

    def add(self, name, pid):
        since = self.now()
        self._process.stdin.write(f"add {name} {pid}\n".encode())
        self._process.stdin.flush()
        self.wait(f"{name} added", since)

    def now(self):
        """A position in what it says, for since=: the beginning of a line, of which a part may have been read."""
        return self._stream.text().rfind("\n") + 1

    def lines(self, since=0):
        """Pairs of a time, in seconds of CLOCK_MONOTONIC, and what was so from then on."""
        whole, _, _ = self._stream.text()[since:].rpartition("\n")
        pairs = [line.split(" ", 1) for line in whole.splitlines()]
        return [(float(when), text) for when, text in pairs]

    def time_of(self, what, since=0):
        """When the watch said this for the first time, or None."""
        return next((when for when, text in self.lines(since) if text == what), None)

    def wait(self, what, since=0, timeout=30):
        """Waits until the watch has said this; returns when it did."""
        deadline = time.monotonic() + timeout
        while self.time_of(what, since) is None:
            expect(self._process.poll() is None, f"the watch over seats has ended; it had said:\n{self._stream.text()}")
            expect(time.monotonic() < deadline, f"the watch has not said {what!r} in {timeout} s, but:\n{self._stream.text()[since:]}")
            time.sleep(POLL_INTERVAL)
        return self.time_of(what, since)

    def where(self, seat):
        """The members where the seat is live."""
        found = set()
        for _, text in self.lines():
            host, *words = text.split()
            if words == [seat, "up"]:
                found.add(host)
            elif words in ([seat, "down"], ["gone"]):
                found.discard(host)
        return sorted(found)

    def wait_where(self, seat, names, timeout=10):
        """Waits until the seat is live on these members; the watch looks ten times a second."""
        deadline = time.monotonic() + timeout
        while self.where(seat) != sorted(names):
            expect(time.monotonic() < deadline, f"seat {seat} is live on {self.where(seat)}, and not on {sorted(names)}")
            time.sleep(POLL_INTERVAL)

    def expect_never_twice(self, since=0):
        twice = [(when, text) for when, text in self.lines(since) if text.startswith("twice ")]
        if twice:
            seat = twice[0][1].split()[1]
            told = [f"{when:.3f} {text}" for when, text in self.lines(since) if seat in text.split() or text.endswith(("gone", "added"))]
            raise AssertionError(f"seat {seat} was live on two members at once:\n" + "\n".join(told))

    def close(self):
        self._process.stdin.close()
        self._process.wait()


class Links:
    """What the kernel says of a member's links, read from outside; it goes on while the member is paused."""

    def __init__(self, pid):
        self._process = subprocess.Popen(["nsenter", f"--net=/proc/{pid}/ns/net", "stdbuf", "-oL", "ip", "-ts", "-o", "monitor", "link"],
                                         stdout=subprocess.PIPE)
        self._stream = Stream(os.dup(self._process.stdout.fileno()), "the kernel's messages about links")

    def wait_down(self, link, since, timeout=30):
        """Waits until a link goes down, or goes; returns when it did, in seconds of the wall clock."""
        deadline = time.monotonic() + timeout
        while time.monotonic() < deadline:
            for when, line in re.findall(r"^\[([^\]]+)\] ?(.*)$", self._stream.text(), re.MULTILINE):
                said = datetime.datetime.fromisoformat(when).timestamp()
                if said >= since and f" {link}@" in line and ",UP" not in line:
                    self._process.kill()
                    self._process.wait()
                    return said
            time.sleep(POLL_INTERVAL)
        raise AssertionError(f"{link} has not gone down in {timeout} s, but:\n{self._stream.text()}")


def members_of(guest):
    """The three members, which the first case of a module makes that needs them."""
    members = getattr(guest, "members", None)
    if not guest.running_others():
        if members:
            members.close()
        guest.members = Members(guest)
    return guest.members


def log_in(host, user, seconds, tty=False):
    """Logs a user in who may be refused for a while; returns the session."""
    deadline = time.monotonic() + seconds
    while True:
        session, said = try_in(host, user, tty)
        if session:
            return session
        expect(time.monotonic() < deadline, f"{user} could not log in on {host.name} in {seconds} s:\n{said}")


def try_in(host, user, tty=False):
    """Logs a user in; returns the session and "", or None and what the user read."""
    try:
        session = host.ssh_popen(user, tty)
        session.run("test -n \"$COURSENET_SEAT\"")
        return session, ""
    except EndOfStream as end:
        return None, str(end)


def with_members(function):
    """A case that gets the three members, and during which no seat is live on two of them."""
    @functools.wraps(function)
    def run(guest):
        members = members_of(guest)
        since = members.watch.now()
        try:
            function(members)
        finally:
            members.each(members.heal)
        members.watch.expect_never_twice(since)
    return run
