"""Limits: what one student, or many together, may use up of what everybody needs."""

import time

from harness.case import ONE_SUITE, case, expect, expect_equal, expect_failure, expect_in, expect_not_in
from helpers.activator import protocol
from helpers.leases import leases
from helpers.seats import ADDRESS, SEAT, SECOND, STRANGER, STUDENT, drop_in, leftovers, pings, set_up_class, wait_gone

ACTIVATOR = "coursenet-activator"

# What a program of a user's own can do with query.sock. It runs as root and becomes each of the uids.
AS_USERS = protocol() + """
import os, socket, struct, sys, time
QUERY = "/run/coursenet/query.sock"
request = struct.pack("=IHHIIIII", 0x636f7572, PROTOCOL_VERSION, 7, 0, 0, 10000, 0, 0)[:24] + bytes(USER_NAME_SIZE + 32 + 32 + 128 + 128)

def connect():
    query = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    query.settimeout(20)
    query.connect(QUERY)
    return query

def as_users(uids, function):
    children = []
    for uid in uids:
        child = os.fork()
        if child == 0:
            try:
                os.setgroups([])
                os.setgid(uid)
                os.setuid(uid)
                function()
            except (OSError, KeyboardInterrupt):
                pass
            os._exit(0)
        children.append(child)
    return children
"""

# Valid requests that are refused, or whose answer nobody reads.
NOISE = AS_USERS + """
def make_noise():
    for turn in range(rounds):
        for pidfd in (None, os.pidfd_open(1), os.pidfd_open(os.getpid())):
            for wait in (True, False):
                try:
                    with connect() as query:
                        socket.send_fds(query, [request], [] if pidfd is None else [pidfd])
                        if wait:
                            query.recv(4096)
                except OSError:
                    pass
            if pidfd is not None:
                os.close(pidfd)

rounds = int(sys.argv[1])
for child in as_users(map(int, sys.argv[2:]), make_noise):
    os.waitpid(child, 0)
"""

SUBORDINATE = 3900000000


def uid_of(guest, user):
    return int(guest.run(["id", "-u", user]).stdout)


@case("requests of many users to query.sock write few lines to the journal, and no line about a login is lost", suites=ONE_SUITE)
def journal_noise(guest):
    set_up_class(guest)
    guest.run(f"cp /etc/subuid /run/subuid.before; usermod --add-subuids {SUBORDINATE}-{SUBORDINATE + 65535} alice")
    users = [uid_of(guest, user) for user in ("alice", STUDENT, STRANGER)]
    many = range(SUBORDINATE, SUBORDINATE + 60)
    # journald's rate limit, which every machine has, for so few lines that the test is short.
    with drop_in(guest, ACTIVATOR, "LogRateLimitIntervalSec=10min\nLogRateLimitBurst=30"):
        guest.run(f"systemctl restart {ACTIVATOR}")
        since = guest.journal_position()
        try:
            guest.run(["python3", "-c", NOISE, "60", *map(str, users)], timeout=120)
            guest.run(["python3", "-c", NOISE, "4", *map(str, many)], timeout=120)
            guest.run("wait", check=False)
            expect_failure(guest.run(["su", "-", STRANGER, "-c", "true"], check=False), "a login without a seat")
            expect_equal(guest.ssh(STUDENT, "echo inside").stdout, "inside\n", "a login after the noise")
            wait_gone(guest)
            guest.run("journalctl --sync")
            lines = guest.journal(unit=ACTIVATOR, since=since).splitlines()
        finally:
            guest.run("cat /run/subuid.before >/etc/subuid")
    guest.run(f"systemctl restart {ACTIVATOR}")
    refused = [line for line in lines if f"No seat for {STRANGER} (su" in line]
    expect_equal(len(refused), 1, "the lines about the login that was refused")
    expect_in(f"{STUDENT}: sshd", "\n".join(lines), "what is said about the login that went well")
    noise = [line for line in lines if "given" not in line and line not in refused]
    expect(3 <= len(noise) <= 80, f"the noise left {len(noise)} lines: {noise[:5]}")
    expect_not_in("Suppressed", guest.journal(since=since), "the journal")


# Connections that nobody says anything over, opened again as soon as they are closed.
SILENCE = AS_USERS + """
def hold():
    held = []
    while True:
        held = [each for each in held if not closed(each)]
        while len(held) < 8:
            held.append(connect())
        time.sleep(0.01)

def closed(query):
    query.setblocking(False)
    try:
        return query.recv(1) == b""
    except BlockingIOError:
        return False
    except OSError:
        return True

as_users(map(int, sys.argv[1:]), hold)
print("held", flush=True)
time.sleep(600)
"""


@case("silent connections of forty accounts to query.sock do not keep another user from entering", suites=ONE_SUITE)
def query_silence(guest):
    set_up_class(guest)
    process = guest.popen(["python3", "-c", SILENCE, *map(str, range(50000, 50040))])
    expect_equal(process.stdout.readline(), "held\n", "the attackers' word")
    guest.wait_until(f"test $(ss -xH src /run/coursenet/query.sock | wc -l) -ge 120", what="the connections are there")
    for _ in range(5):
        began = time.monotonic()
        expect_equal(guest.run(["coursenet-enter", "--seat", "--", "echo", "inside"], user=SECOND).stdout, "inside\n", "entering")
        expect(time.monotonic() - began < 4, f"entering took {time.monotonic() - began:.1f} s")
    process.kill_in_guest()
    process.wait()
    wait_gone(guest)


# Enters, keeps what it gets, and lets the seat go, again and again.
HOARD = AS_USERS + """
def enter(channel):
    while True:
        try:
            with connect() as query:
                socket.send_fds(query, [request], [os.pidfd_open(os.getpid())])
                _, fds, _, _ = socket.recv_fds(query, 4096, 1)
            if fds:
                socket.send_fds(channel, [b"x"], fds)
                return
        except OSError:
            time.sleep(0.1)

import subprocess
held = []
for turn in range(int(sys.argv[1])):
    ours, theirs = socket.socketpair()
    child = os.fork()
    if child == 0:
        enter(theirs)
        os._exit(0)
    held += socket.recv_fds(ours, 1, 1)[1]
    os.waitpid(child, 0)
    while subprocess.run(["systemctl", "is-active", "--quiet", "netns@12310"]).returncode == 0:
        time.sleep(0.02)
print(len({os.fstat(fd).st_ino for fd in held}), flush=True)
sys.stdin.read()
"""


def hold_by_login(guest, rounds):
    """Logs in and leaves a process behind, again and again; returns the namespaces of what is left."""
    left = "setsid --fork sleep 600 </dev/null >/dev/null 2>&1; readlink /proc/self/ns/net"
    found = set()
    for _ in range(rounds):
        found.add(guest.ssh(STUDENT, left).stdout.strip())
        guest.wait_until(f"systemctl is-active netns@{SEAT} | grep -q inactive", what="the seat is down")
    return found


@case("a student can keep only a few namespaces of former seats alive, and no login is refused")
def hoard_of_namespaces(guest):
    set_up_class(guest)
    process = guest.popen(["python3", "-c", HOARD, "7"], user=STUDENT)
    began = time.monotonic()
    kept = int(process.stdout.readline())
    expect(kept <= 5, f"seven rounds of entering made {kept} namespaces, in {time.monotonic() - began:.1f} s")
    by_login = hold_by_login(guest, 3)
    expect_equal(len(by_login), 1, "the number of namespaces that three logins have then")
    # What is left behind has no network.
    for namespace in by_login:
        pid = guest.run(f"for pid in $(pgrep -u {STUDENT} sleep); do"
                        f" test \"$(readlink /proc/$pid/ns/net)\" != '{namespace}' || echo $pid; done | head -n 1").stdout.strip()
        expect(pid, f"nothing that was left behind is in {namespace}")
        expect_failure(guest.run(["nsenter", f"--net=/proc/{pid}/ns/net", "ping", "-c1", "-W1", "10.0.123.1"], check=False),
                       "a ping from what was left behind")
    # Others, and the student, can still log in.
    second = guest.ssh_popen(SECOND)
    session = guest.ssh_popen(STUDENT)
    expect_in(f"{ADDRESS}/24", session.run("ip -br address"), "the addresses of the next login")
    expect_equal(session.run("ping -c 1 -W 5 10.0.123.1 >/dev/null && echo reached"), "reached", "the next login's gateway")
    expect(pings(guest, ADDRESS, f"ns{SEAT}"), "the seat does not reach itself")
    session.close()
    process.kill_in_guest()
    process.wait()
    guest.run(f"pkill -KILL -u {STUDENT} sleep", check=False)
    second.close()
    guest.wait_until(lambda: not leases(guest), what="nobody is logged in")
    guest.ssh(SECOND, "true")
    wait_gone(guest)
    expect_equal(leftovers(guest), "", "what is left when nothing is kept any more")
