"""The worker: what it makes before the units, who uses it, and what is left when it dies."""

import re

from harness import product
from harness.case import ONE_SUITE, case, expect, expect_equal, expect_failure, expect_in
from helpers.activator import ACTIVATOR, cancel_restart
from helpers.seats import (ADDRESS, SEAT, SECOND, SECOND_SEAT, STUDENT, drop_in, expect_nothing_failed, is_active, leftovers, pings,
                           set_up_class, wait_gone)
from helpers.worker import DISCARD, PREPARE, PREPARED, SOCKET, WORKER, ask, discard, prepare, protocol, receipts, worker_pid

RECEIPTS = ["netbr@123", f"netns@{SEAT}", f"nsbr@{SEAT}"]


def set_up_alone(guest):
    """A class, and an activator that has no seat of an earlier case to look after: it would discard what is prepared for that seat."""
    set_up_class(guest)
    guest.run(f"systemctl restart {ACTIVATOR}")


def identity(guest):
    """What changes if anything of the seat is made again."""
    return guest.run(f"""
        cat /sys/class/net/br-123/ifindex /sys/class/net/vl-{SEAT}/ifindex
        ip -n ns{SEAT} -o link | cut -d' ' -f1,2
        stat -Lc %i /run/netns/ns{SEAT}""").stdout


def start_seat(guest):
    guest.run(f"systemctl start testnetns@{SEAT}")


def stop_seat(guest):
    guest.run(f"systemctl stop testnetns@{SEAT}")
    wait_gone(guest)
    expect_equal(receipts(guest), [], "receipts")


def expect_up(guest):
    for unit in (f"netns@{SEAT}", f"nsbr@{SEAT}", "netbr@123"):
        expect(is_active(guest, unit), f"{unit} is not active")
    expect(pings(guest, ADDRESS), "the host does not reach the seat")
    expect_equal(receipts(guest), [], "receipts of a seat that is up")


@case("units adopt what the worker has prepared: the same bridge, namespace and cable")
def adopted(guest):
    set_up_alone(guest)
    prepare(guest)
    expect_equal(receipts(guest), RECEIPTS, "receipts")
    expect(pings(guest, ADDRESS), "the host does not reach the seat that was prepared")
    expect(pings(guest, "10.0.123.1", f"ns{SEAT}"), "the seat that was prepared does not reach its gateway")
    before = identity(guest)
    start_seat(guest)
    expect_equal(identity(guest), before, "links and namespace")
    expect_up(guest)
    found = guest.run("/usr/libexec/coursenet/coursenet-host check", check=False).stdout.splitlines()
    expect_equal([line for line in found if re.search(f"br-123|{SEAT}|prepared", line)], [], "what coursenet-host check finds")
    stop_seat(guest)
    expect_nothing_failed(guest)


@case("what is discarded leaves nothing, and what a unit has adopted is not discarded", suites=ONE_SUITE)
def discarded(guest):
    set_up_alone(guest)
    prepare(guest)
    discard(guest)
    expect_equal(leftovers(guest), "", "what is left")
    expect_equal(receipts(guest), [], "receipts")
    prepare(guest)
    start_seat(guest)
    before = identity(guest)
    discard(guest)
    expect_equal(identity(guest), before, "links and namespace")
    expect_up(guest)
    stop_seat(guest)


@case("an edit of the settings between worker and units: the units make what is planned now")
def edited(guest):
    set_up_alone(guest)
    override = f"/etc/coursenet/netns/ns{SEAT}.conf"
    prepare(guest)
    guest.write(override, "VR_IP=10.0.123.77\n")
    try:
        start_seat(guest)
        expect(pings(guest, "10.0.123.77"), "the host does not reach the new address")
        expect_equal(receipts(guest), [], "receipts")
    finally:
        guest.run(["rm", override])
        stop_seat(guest)


@case("coursenetctl teardown removes what was prepared, with its receipts, and stops the worker")
def torn_down(guest):
    set_up_alone(guest)
    prepare(guest)
    try:
        expect_in("Nothing of coursenet is up.", guest.run("coursenetctl teardown").stdout, "what teardown says")
        expect_equal(leftovers(guest), "", "what is left")
        expect_failure(guest.run(f"test -e {SOCKET} || systemctl is-active {WORKER}", check=False), "the worker after a teardown")
    finally:
        guest.run("systemctl start coursenet-activator.socket coursenet-network.service;"
                  "systemctl restart coursenet-wiring.service")
    prepare(guest)
    discard(guest)


# The calls that make and remove things, each of them the first time, in the middle, and late.
DEATHS = [("unshare", 1), ("mount", 1), ("setns", 2), ("sendmsg", 1), ("sendmsg", 8), ("sendmsg", 14), ("sendmsg", 20),
          ("write", 1), ("rename", 1), ("unlink", 1)]


def ask_and_kill(guest, verb, call, number):
    """Asks the worker, and kills it at that call. Whether it died; it may need fewer calls."""
    pid = worker_pid(guest)
    tracer = guest.popen(["strace", "-p", pid, "-o", "/dev/null", "-e", f"trace={call}",
                          "-e", f"inject={call}:signal=KILL:when={number}"])
    expect_in("attached", tracer.stderr.readline(), "what strace said")
    errors = ask(guest, (verb, SEAT))
    tracer.kill_in_guest()
    tracer.wait()
    expect(errors in ([0], [None]), f"the reply to verb {verb}, killed at {call} {number}: {errors}")
    guest.wait_until(lambda: is_active(guest, WORKER), what="the worker runs again")
    return errors == [None]


@case("a worker that is killed at any step leaves nothing that disturbs the units, and nothing that cannot be discarded")
def killed(guest):
    set_up_alone(guest)
    ask(guest, (DISCARD, SEAT))
    n_deaths = 0
    for call, number in DEATHS:
        n_deaths += ask_and_kill(guest, PREPARE, call, number)
        start_seat(guest)
        expect_up(guest)
        stop_seat(guest)
        n_deaths += ask_and_kill(guest, PREPARE, call, number)
        discard(guest)
        expect_equal(leftovers(guest), "", f"what is left after a death at {call} {number}")
        expect_equal(receipts(guest), [], "receipts")
    for call, number in (("sendmsg", 2), ("umount2", 1), ("unlink", 1), ("unlink", 2)):
        prepare(guest)
        n_deaths += ask_and_kill(guest, DISCARD, call, number)
        discard(guest)
        expect_equal(leftovers(guest), "", f"what is left after a death at {call} {number} of a discard")
        expect_equal(receipts(guest), [], "receipts")
    expect(n_deaths > 12, f"the worker died only {n_deaths} times")
    expect_nothing_failed(guest)


@case("a bridge that somebody deletes under its active unit is there again for the next login, and goes with the course's last seat")
def bridge_deleted(guest):
    set_up_alone(guest)
    start_seat(guest)
    guest.run("ip link del br-123")
    login = guest.ssh_popen(SECOND)
    expect_equal(login.run("ping -c 1 -W 5 10.0.123.1 >/dev/null && echo reached"), "reached", "the gateway")
    guest.wait_until(lambda: is_active(guest, f"nsbr@{SECOND_SEAT}"), what="the units of the seat are up")
    expect_equal(receipts(guest), ["netbr@123"], "receipts")
    guest.run(f"systemctl restart nsbr@{SEAT}")
    expect(pings(guest, ADDRESS), "the host does not reach the seat whose bridge was deleted")
    login.close()
    guest.wait_until(lambda: not is_active(guest, f"netns@{SECOND_SEAT}"), what="the login's seat is gone")
    discard(guest, SECOND_SEAT)
    expect(pings(guest, ADDRESS), "the bridge went under a seat")
    stop_seat(guest)
    expect_nothing_failed(guest)


@case("without the worker the units make everything themselves, and check warns")
def absent(guest):
    set_up_alone(guest)
    guest.run(f"systemctl stop coursenet-worker.socket {WORKER}")
    try:
        start_seat(guest)
        expect_up(guest)
        expect_in("coursenet-worker.socket: warning: is not running", guest.run("coursenetctl check", check=False).stdout,
                  "what check finds")
        stop_seat(guest)
    finally:
        guest.run("systemctl start coursenet-worker.socket")


@case("a worker whose restart somebody cancels (`systemctl cancel`), or that systemd restarts late, is there again soon")
def cancelled_restart(guest):
    set_up_alone(guest)
    guest.ssh(STUDENT, "true")
    cancel_restart(guest, WORKER)
    guest.ssh(STUDENT, "true")
    guest.wait_until(lambda: is_active(guest, WORKER), what="the worker runs again")
    with drop_in(guest, "coursenet-worker", "RestartSec=1h"):
        guest.ssh(STUDENT, "true")
        guest.run(f"systemctl kill --signal=KILL {WORKER}")
        guest.wait_until(lambda: is_active(guest, WORKER), what="the worker runs again")
    wait_gone(guest)
    expect_nothing_failed(guest)


@case("the worker runs in the host's mount namespace, with four capabilities, and only root can ask it")
def confined(guest):
    ask(guest, (DISCARD, SEAT))
    pid = worker_pid(guest)
    namespaces = guest.run(f"readlink /proc/1/ns/mnt /proc/{pid}/ns/mnt /proc/1/ns/net /proc/{pid}/ns/net").stdout.split()
    expect_equal(len(set(namespaces)), 2, f"namespaces of PID 1 and of the worker: {namespaces}")
    status = guest.read(f"/proc/{pid}/status")
    expected = sum(1 << number for number in (5, 12, 19, 21))  # KILL, NET_ADMIN, SYS_PTRACE, SYS_ADMIN
    for name in ("CapPrm", "CapEff", "CapBnd"):
        expect_equal(int(re.search(rf"{name}:\s*(\w+)", status)[1], 16), expected, name)
    expect_in("NoNewPrivs:\t1", status, "the process")
    kinds = guest.run(f"stat -f -L -c %T /proc/{pid}/fd/*").stdout.split()
    expect_equal(kinds.count("proc"), 1, f"the procfs of its own, which the unit allows: {kinds}")
    expect_equal(guest.run(f"stat -c %a:%U {SOCKET}").stdout.strip(), "600:root", "the socket")
    expect_failure(guest.run(["python3", "-c", f"import socket; socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET).connect({SOCKET!r})"],
                             user=STUDENT, check=False), "a student's connection")


# A peer that sends and never reads, one that sends nonsense, and many that are silent.
BAD_PEERS = """
import socket, struct
def connect():
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    connection.connect(SOCKET)
    return connection
greedy = connect()
greedy.setblocking(False)
try:
    while True:
        greedy.send(struct.pack("=IHHII16s", WORKER_MAGIC, WORKER_VERSION, 2, 0, 0, b"12399"))
except (BlockingIOError, BrokenPipeError, ConnectionResetError):
    pass
for junk in (b"x", b"x" * 32, b"x" * 60000, struct.pack("=IHHII16s", WORKER_MAGIC, WORKER_VERSION, 9, 0, 0, b"12310")):
    nonsense = connect()
    nonsense.send(junk)
    assert nonsense.recv(100) == b"", junk
silent = [connect() for number in range(50)]
print("ready", flush=True)
input()
"""


@case("peers that are silent, send nonsense or do not read keep nobody from being served", suites=ONE_SUITE)
def bad_peers(guest):
    set_up_alone(guest)
    peers = guest.popen(["python3", "-c", protocol() + BAD_PEERS])
    expect_equal(peers.stdout.readline(), "ready\n", "what the bad peers said")
    prepare(guest)
    discard(guest)
    expect_equal(leftovers(guest), "", "what is left")


def resident(guest):
    """Descriptors, and memory in KiB, of the worker."""
    pid = worker_pid(guest)
    n_fds = int(guest.run(f"ls /proc/{pid}/fd | wc -l").stdout)
    return n_fds, int(re.search(r"VmRSS:\s*(\d+)", guest.read(f"/proc/{pid}/status"))[1])


@case("after 10,000 requests the worker has the same descriptors and the same memory", suites=ONE_SUITE)
def lasting(guest):
    set_up_alone(guest)
    cycle = [(PREPARE, SEAT), (PREPARE, SEAT), (DISCARD, SEAT), (DISCARD, SEAT)]
    # Each of these is cheap: an error, something that is there, or nothing to do.
    many = [(PREPARE, "1"), (PREPARE, "12311"), (DISCARD, "12399"), (PREPARE, "99999999")] * 500
    ask(guest, *cycle * 5, (PREPARE, "12311"), *many[:200])
    pid, (n_fds, memory) = worker_pid(guest), resident(guest)
    for _ in range(5):
        ask(guest, *cycle * 5, (PREPARE, "12311"), *many)
    expect_equal(worker_pid(guest), pid, "the worker's process")
    n_fds_after, memory_after = resident(guest)
    expect_equal(n_fds_after, n_fds, "the worker's descriptors")
    # A sanitizer keeps memory that was freed, to find who still uses it.
    if not product.kind.finds_errors:
        expect(memory_after <= memory + 512, f"the worker grew from {memory} to {memory_after} KiB")
    discard(guest, "12311")
    expect_equal(leftovers(guest), "", "what is left")
    expect_equal(guest.run(f"ls -A {PREPARED}").stdout, "", "receipts")
