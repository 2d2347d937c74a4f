"""The worker's socket, for cases that ask it as the activator does."""

import contextlib
import json
import os
import re

from harness.case import expect_equal
from helpers.seats import SEAT

WORKER = "coursenet-worker.service"
WORKER_SOCKET = "coursenet-worker.socket"
SOCKET = "/run/coursenet/worker.sock"
PREPARED = "/run/coursenet/prepared"

# One connection: a request for each pair of verb and seat, and the error of each reply. None: the connection ended.
CLIENT = """
import json, socket, struct, sys
HEADER = "=IHHI"
connection = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
connection.settimeout(30)
connection.connect(SOCKET)
errors = []
for number, (verb, seat) in enumerate(json.load(sys.stdin)):
    connection.send(struct.pack(HEADER + "I16s", WORKER_MAGIC, WORKER_VERSION, verb, number, 0, seat.encode()))
    try:
        reply = connection.recv(4096)
    except ConnectionResetError:
        reply = b""
    if not reply:
        errors.append(None)
        break
    magic, version, reserved, answered, error = struct.unpack(HEADER + "i", reply[:16])
    assert (magic, version, reserved, answered) == (WORKER_MAGIC, WORKER_VERSION, 0, number), reply
    errors.append(error)
json.dump(errors, sys.stdout)
"""

PREPARE, DISCARD = 1, 2


def protocol():
    """What a script in the guest has to know of the worker's protocol: lines of Python."""
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "..", "common", "worker-protocol.h")
    with open(path, encoding="utf-8") as file:
        text = file.read()
    values = [re.search(rf"#define ({name}) (\w+?)U\b", text).groups() for name in ("WORKER_MAGIC", "WORKER_VERSION")]
    return "".join(f"{name} = {value}\n" for name, value in values) + f"SOCKET = {SOCKET!r}\n"


def ask(guest, *requests):
    """The error of each reply: 0 or a negative number; None instead of the replies after the connection has ended."""
    output = guest.run(["python3", "-c", protocol() + CLIENT], input=json.dumps(requests), timeout=300).stdout
    return json.loads(output)


def prepare(guest, seat=SEAT):
    expect_equal(ask(guest, (PREPARE, seat)), [0], f"the reply to a request to prepare {seat}")


def discard(guest, seat=SEAT):
    expect_equal(ask(guest, (DISCARD, seat)), [0], f"the reply to a request to discard {seat}")


def receipts(guest):
    return guest.run(f"ls -A {PREPARED} 2>/dev/null", check=False).stdout.split()


@contextlib.contextmanager
def worker_away(guest, how=f"systemctl stop {WORKER_SOCKET} {WORKER}"):
    """Logins wait for the units of their seats, as long as the `with` lasts."""
    guest.run(how)
    try:
        yield
    finally:
        guest.run(f"systemctl kill -s CONT {WORKER}; systemctl unmask --runtime {WORKER_SOCKET} {WORKER}; "
                  f"systemctl reset-failed {WORKER_SOCKET} {WORKER}; systemctl start {WORKER_SOCKET} {WORKER}", check=False)


def worker_pid(guest):
    return guest.run(f"systemctl show -P MainPID {WORKER}").stdout.strip()
