"""What one student, or many together, may use up of what all need."""

import time

from case import case, expect, expect_equal, expect_failure, expect_in, expect_not_in
from seats import SECOND, STRANGER, STUDENT, drop_in, set_up_class, wait_gone

ACTIVATOR = "coursenet-activator"

# What a program of a user's own can do with query.sock. It runs as root and becomes each of the uids.
AS_USERS = """
import os, socket, struct, sys, time
QUERY = "/run/coursenet/query.sock"
request = struct.pack("=IHHIIIII", 0x636f7572, 1, 7, 0, 0, 10000, 0, 0)[:24] + bytes(64 + 32 + 32 + 128 + 128)

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

# Well-formed requests that are refused, or not waited for.
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


@case("requests that anybody makes over query.sock, of many uids too, leave few lines, and no line about a login is lost")
def journal_noise(guest):
    set_up_class(guest)
    guest.run(f"cp /etc/subuid /run/subuid.before; usermod --add-subuids {SUBORDINATE}-{SUBORDINATE + 65535} alice")
    users = [uid_of(guest, user) for user in ("alice", STUDENT, STRANGER)]
    many = range(SUBORDINATE, SUBORDINATE + 60)
    # journald's own limit, as every machine has it, for so few lines that the test need not be long.
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


@case("connections to query.sock that say nothing, of forty accounts, keep nobody from entering")
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
