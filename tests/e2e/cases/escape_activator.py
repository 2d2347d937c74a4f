"""A student against the activator, which all users share."""

from harness.case import ONE_SUITE, case, expect, expect_equal, expect_in
from helpers.escape import check, run_checks
from helpers.leases import leases
from helpers.seats import SEAT, SECOND, SECOND_SEAT, STUDENT, is_active, set_up_class, wait_gone

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
    """One student has 48 leases by coursenet-enter at most, still logs in, and takes no lease from others."""
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


@case("while one student floods the activator, others log in, and no student gets what only root may ask for", suites=ONE_SUITE)
def shared_activator(guest):
    set_up_class(guest)
    run_checks(guest, activator_flood, activator_socket, too_many_leases)
    guest.end_processes()
    wait_gone(guest)
