"""The commands of README.md, run as they are written there."""

import contextlib
import re

from harness.case import case, expect, expect_equal, expect_failure, expect_in, expect_not_in
from harness.product import SOURCE
from helpers.logins import manager_of
from helpers.pam_program import other_services_away
from helpers.readme import command_lines, section
from helpers.seats import ADDRESS, PASSWORD, SEAT, STRANGER, STUDENT, wait_gone

# What a guest cannot do: it has no network, and no editor. The packages must be there, and the file.
STAND_INS = """
    apt() { shift; dpkg-query -W "$@" >/dev/null; }
    editor() { test -f "$1"; }
"""
ROOM_FOR_BUILD = 300
CHECKOUT = "Install it from a checkout"


def type_in(guest, line):
    """Runs a line as root types it in the checkout."""
    return guest.run(f"cd {SOURCE}; {STAND_INS}\n{line}", timeout=ROOM_FOR_BUILD)


def place_of_login(guest):
    return guest.ssh(STUDENT, "ip -br -4 address").stdout


def install(guest):
    """Line by line: everybody gets in after each of them, and after the last one the student gets a seat."""
    guest.write(f"{SOURCE}/class-list", f"{STUDENT.split('-')[1]}\n")
    lines = command_lines(CHECKOUT)
    expect_in("pam-auth-update", lines[-1], "the last command")
    for line in lines:
        expect_not_in(ADDRESS, place_of_login(guest), f"the student's login before: {line}")
        done = type_in(guest, line)
        expect_equal(guest.ssh("alice", "echo inside").stdout, "inside\n", f"another user's login after: {line}")
        expect_in("/root", guest.ssh("root", "pwd").stdout, f"root's login after: {line}")
        if line.startswith("coursenetctl check"):
            expect_in("pam_coursenet.so", done.stdout, "what check says of pam.d before the last command")
    expect_in(f"{ADDRESS}/24", place_of_login(guest), "the student's login after the last command")


def look_around(guest):
    """The commands in the running text, while a student is logged in; the one that takes the module out comes last."""
    expect_failure(guest.ssh(STRANGER, "true", check=False), "a login of somebody on no class list")
    session = guest.ssh_popen(STUDENT)
    session.run("true")
    text = section("Install it on a server") + section(CHECKOUT) + section("If something goes wrong")
    found = [command for command in re.findall(r"`([^`]+)`", text)
             if re.match(r"(ssh|journalctl|systemctl|coursenetctl|pam-auth-update|make) ", command)]
    expect(len(found) >= 8, f"only these commands are in the text: {found}")
    for command in sorted(found, key=lambda command: "--disable" in command):
        output = type_in(guest, command).stdout
        if command.startswith("journalctl -g"):
            expect_in(STRANGER, output, f"what {command} shows of a refused login")
    expect_not_in(ADDRESS, place_of_login(guest), "a login without the module")
    type_in(guest, command_lines(CHECKOUT)[-1])
    guest.run(f"systemctl stop testnetns@{SEAT}")
    session.close()


@contextlib.contextmanager
def configuration_away(guest):
    guest.run("mv /etc/coursenet /root/etc-coursenet && mkdir /etc/coursenet")
    try:
        yield
    finally:
        guest.run("rm -r /etc/coursenet && mv /root/etc-coursenet /etc/coursenet")


@case("the commands of README.md, run as they are written, remove coursenet, install it, and lock nobody out")
def commands(guest):
    for user in (STUDENT, STRANGER, "alice"):
        guest.add_user(user, password=PASSWORD)
    with other_services_away(guest), configuration_away(guest):
        for line in command_lines("Remove it"):
            type_in(guest, line)
        install(guest)
        look_around(guest)
    wait_gone(guest)
    # The manager of a login without coursenet is outside of the seat, and the next login would keep it.
    guest.run(f"systemctl stop {manager_of(guest, STUDENT)}")
