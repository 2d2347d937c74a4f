"""An upgrade while students are logged in, and others log in."""

import contextlib
import json

from harness.case import expect, expect_equal, expect_in
from helpers.pam_program import PROGRAM, SERVICE, PamProgram
from helpers.seats import ADDRESS, SEAT, SECOND, SECOND_ADDRESS, STUDENT, failed_units, wait_gone

ACTIVATOR = "usr/libexec/coursenet/coursenet-activator"
ROOM_FOR_DPKG = 120
THIRD, THIRD_ADDRESS = "cs123-garciam", "10.0.123.12"
COURSE = "400"
MANY = [f"cs{COURSE}-student{number:02}" for number in range(50)]
SEATS = [SEAT] + [f"{COURSE}{number + 10}" for number in range(len(MANY))]

# One login after the other. Each prints the addresses, or why it was refused.
LOGINS = """
    until test -e /run/enough; do
        ssh -T "$1@127.0.0.1" "ip -br -4 address" 2>&1
        echo end of login
    done
"""


def add_many(guest):
    """The roster of COURSE; its accounts must be there."""
    guest.run(f"coursenetctl roster import {COURSE} -", input="".join(f"{user.split('-')[1]}\n" for user in MANY))


@contextlib.contextmanager
def logins_meanwhile(guest, at_least):
    """Two students log in again and again, each from outside of a seat that is down; none may be refused. at_least: how often."""
    guest.run("rm -f /run/enough")
    loops = [(guest.popen(["sh", "-c", LOGINS, "sh", user]), address)
             for user, address in ((SECOND, SECOND_ADDRESS), (THIRD, THIRD_ADDRESS))]
    yield
    guest.run("touch /run/enough")
    for loop, address in loops:
        logins = loop.wait_output().stdout.split("end of login\n")[:-1]
        expect(len(logins) >= at_least, f"there were only {len(logins)} logins meanwhile")
        for login in logins:
            expect_in(f" {address}/24", login, "a login meanwhile")


class LiveLogins:
    """A student who has logged in by ssh, and the whole COURSE, whose sessions one program has."""

    def __init__(self, guest):
        self.guest = guest
        self._session = guest.ssh_popen(STUDENT)
        # The login is over when it answers.
        self._session.run("true")
        self._program = PamProgram(guest)
        for user in MANY:
            self._program.open(user, user)

    def expect_alive(self):
        """The login by ssh still has its network."""
        expect_equal(self._session.run("ping -c 1 -W 5 10.0.123.1 >/dev/null && echo reached"), "reached", "the login's gateway")

    def close(self, program_closes=True):
        """They all log out, and nothing of them is left. If the program does not close its sessions, its end does."""
        for user in MANY if program_closes else ():
            self._program.do(f"close {user}")
        if not program_closes:
            self._program.kill()
        self._session.close()
        wait_gone(self.guest)
        self._program.kill()
        self.guest.run(["rm", f"/etc/pam.d/{SERVICE}", PROGRAM])


def seats_in_use(guest):
    """What would be another if a seat of LiveLogins had been away: namespaces, units, leases."""
    namespaces = guest.run(["stat", "-L", "-c", "%n %i", *[f"/run/netns/ns{seat}" for seat in SEATS]]).stdout
    units = guest.run(["systemctl", "show", "-P", "InvocationID", *[f"netns@{seat}.service" for seat in SEATS]]).stdout
    # As the version prints it that is installed now, whatever else it prints.
    courses = json.loads(guest.run("coursenetctl status --json").stdout)["courses"]
    leases = sorted(lease["id"] for course in courses for seat in course["seats"] if seat["seat"] in SEATS
                    for lease in seat["leases"] if lease["service"] in (SERVICE, "sshd"))
    expect_equal(len(leases), len(SEATS), "how many leases there are")
    return namespaces, units, leases


def running_activator(guest):
    """The hash of the running program, which must be the one that is installed."""
    pid = guest.run("systemctl show -P MainPID coursenet-activator.service").stdout.strip()
    running, installed = guest.run(f"sha256sum /proc/{pid}/exe /{ACTIVATOR} | cut -d' ' -f1").stdout.split()
    expect_equal(running, installed, "the activator that runs, compared with the installed one")
    return running


def cross(guest, install, logins=3):
    """Calls what installs another version. All who are logged in, or log in, must notice nothing, and the other version must serve.

    logins: how often, at least, each of two students has to log in meanwhile.
    """
    before, program = seats_in_use(guest), running_activator(guest)
    with logins_meanwhile(guest, logins):
        done = install()
    expect_equal(seats_in_use(guest), before, "the seats in use")
    expect(running_activator(guest) != program, "the activator is the one of before")
    expect_equal(failed_units(guest), [], "the failed units")
    return done


def address_of(guest, user):
    return guest.ssh(user, "ip -br -4 address").stdout


def expect_seat(guest, what):
    """A new login of the student is in its seat."""
    expect_in(f"{ADDRESS}/24", address_of(guest, STUDENT), f"the addresses of a login {what}")


def dpkg(guest, *words):
    return guest.run(["dpkg", *words], timeout=ROOM_FOR_DPKG, env={"DEBIAN_FRONTEND": "noninteractive"})
