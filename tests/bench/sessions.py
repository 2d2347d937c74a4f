"""Whole logins by ssh that stay, one after the other: what one more costs the server, with and without managers of users."""

from harness.guest import ssh_command
from helpers.seats import add_accounts, wait_gone
from helpers.settings import settings
from programs import LONG, add_students
from results import Goal

COURSE = "204"
GROUP = "ssh, beside those who are logged in, processor time"
BLOCK = 10
# With a seat, but without a manager: no more than what an ordinary user has.
GOAL = Goal(ratio=1)


def measure(guest, results, count):
    students = add_students(guest, COURSE, count)
    others = [f"stays{number:03}" for number in range(count)]
    add_accounts(guest, others)
    ordinary = measure_logins(guest, others)
    for word, goal in (("no", GOAL), ("yes", None)):
        with settings(guest, f"[site]\nuser-manager = {word}\n"):
            add_rows(results, f"a seat, user-manager = {word}", measure_logins(guest, students), ordinary, goal)


def add_rows(results, what, ours, ordinary, goal):
    for which, block in ((f"the first {BLOCK}", 0), (f"the last {BLOCK} of {len(ours) * BLOCK}", -1)):
        results.add(GROUP, f"{what}, {which}", [ours[block]], against="an ordinary user, with a manager", floors=[ordinary[block]], goal=goal)


def measure_logins(guest, users):
    """Milliseconds of processor time for each login, as the mean of each block of logins."""
    blocks = []
    for first in range(0, len(users), BLOCK):
        before = guest.processor_time()
        for user in users[first:first + BLOCK]:
            log_in(guest, user)
        guest.wait_until("test -z \"$(systemctl list-jobs --no-legend)\"", what="all that the logins need is up")
        blocks.append((guest.processor_time() - before) * 1000 / BLOCK)
    guest.end_processes()
    wait_gone(guest, timeout=LONG)
    guest.wait_until("! systemctl list-units --plain --no-legend 'user@*' 'user-runtime-dir@*' | grep -q .", timeout=LONG,
                     what="the managers of the users are gone")
    return blocks


def log_in(guest, user):
    """A login that lasts until the processes are ended."""
    login = guest.popen([*ssh_command(user, tty=False, extra=()), "echo up; read -r line"])
    if login.stdout.readline() != "up\n":
        raise AssertionError(f"{user} cannot log in: {login.wait_output().stderr}")
