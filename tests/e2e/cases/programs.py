"""Programs that open PAM sessions: each ends at a denial, and runs in the seat or fenced on the host.

pam_coursenet(8) has a table of them. A program is tried with a command that prints the network namespace it runs in; a
program that was denied prints none.
"""

import contextlib
import re

from harness.case import ONE_SUITE, case, expect, expect_equal, expect_in
from helpers.leases import leases
from helpers.logins import HOST_NAMESPACE, OWN_NAMESPACE
from helpers.seats import PASSWORD, STRANGER, STUDENT, set_up_class, wait_gone
from helpers.world import World

# Grouped by the PAM stack that each opens in Debian: common-session, common-session-noninteractive, or one of its own.
INTERACTIVE = {
    "sshd": f"ssh -T {{user}}@127.0.0.1 {OWN_NAMESPACE}",
    # Its shell is given no command, and reads PROFILE.
    "login": "script -qec 'login -f {user}' /dev/null",
    "su": f"su {{user}} -c '{OWN_NAMESPACE}'",
    "su -": f"su - {{user}} -c '{OWN_NAMESPACE}'",
    "sudo -i": f"sudo -iu {{user}} {OWN_NAMESPACE}",
    "machinectl shell": f"machinectl -q shell {{user}}@.host /usr/bin/{OWN_NAMESPACE}",
    "PAMName=": f"systemd-run -q --pipe --wait -p User={{user}} -p PAMName=login {OWN_NAMESPACE}",
}
NONINTERACTIVE = {
    "sudo": f"sudo -u {{user}} {OWN_NAMESPACE}",
    "doas": f"doas -u {{user}} {OWN_NAMESPACE}",
    "pkexec": f"pkexec --user {{user}} {OWN_NAMESPACE}",
}
# Programs with PAM stacks of their own, without the module.
OTHERS = {
    "runuser": f"runuser -u {{user}} -- {OWN_NAMESPACE}",
    "runuser -l": f"runuser -l {{user}} -c '{OWN_NAMESPACE}'",
}
OF_TRIXIE = {
    "run0": (INTERACTIVE, f"run0 --pipe --user={{user}} {OWN_NAMESPACE}"),
    "sudo-rs": (NONINTERACTIVE, f"sudo-rs -u {{user}} {OWN_NAMESPACE}"),
    "sudo-rs -i": (NONINTERACTIVE, f"sudo-rs -iu {{user}} {OWN_NAMESPACE}"),
}
PROFILE = f"{OWN_NAMESPACE}; case $- in *i*) exit ;; esac\n"
NONINTERACTIVE_STACK = "/etc/pam.d/common-session-noninteractive"


def programs_of(guest, *groups):
    found = {name: line for group in groups for name, line in group.items()}
    if guest.suite == "trixie":
        found |= {name: line for name, (group, line) in OF_TRIXIE.items() if group in groups}
    return found


def try_programs(guest, programs, user):
    """Runs all of them at once; returns what each has printed."""
    started = {name: guest.popen(f"exec </dev/null 2>&1; {line.format(user=user)}") for name, line in programs.items()}
    return {name: process.wait_output().stdout for name, process in started.items()}


def namespace_in(text):
    """The namespace that a program's command has printed; None if the command was not run."""
    found = re.search(r"net:\[\d+\]", text)
    return found and found[0]


@contextlib.contextmanager
def programs_set_up(guest):
    set_up_class(guest)
    guest.write("/etc/doas.conf", "permit nopass root\n", mode=0o600)
    guest.run(f"cp {NONINTERACTIVE_STACK} /run/stack")
    profiles = [f"/home/{user}/.bash_profile" for user in (STUDENT, STRANGER)]
    for profile in profiles:
        guest.write(profile, PROFILE)
    try:
        yield
    finally:
        guest.run(f"cp /run/stack {NONINTERACTIVE_STACK}; rm /etc/doas.conf {' '.join(profiles)}; "
                  "systemctl reset-failed 'run-*'", check=False)


@case("each program that opens a session puts a student into the seat, or runs fenced on the host, as the manual says")
def places(guest):
    with programs_set_up(guest):
        host = guest.run(HOST_NAMESPACE).stdout.strip()
        session = guest.ssh_popen(STUDENT)
        seat = session.run(OWN_NAMESPACE)
        found = try_programs(guest, programs_of(guest, INTERACTIVE), STUDENT)
        expect_equal({name: namespace_in(text) for name, text in found.items()}, dict.fromkeys(found, seat),
                     f"the namespaces of interactive programs ({found})")
        found = try_programs(guest, programs_of(guest, NONINTERACTIVE, OTHERS), STUDENT)
        expect_equal({name: namespace_in(text) for name, text in found.items()}, dict.fromkeys(found, host),
                     f"the namespaces of other programs ({found})")
        guest.wait_until(lambda: len(leases(guest)) == 1, what="every program has given its lease back")
        session.close()
    wait_gone(guest)


def expect_all_denied(guest, user, why):
    programs = programs_of(guest, INTERACTIVE, NONINTERACTIVE)
    found = try_programs(guest, programs, user)
    went_on = {name: text for name, text in found.items() if namespace_in(text)}
    expect_equal(went_on, {}, f"what went on although {why}")
    expect_in("course", found["sudo -i"], "what sudo -i says")


@case("each program that opens a session with the module runs nothing after a denial: not on the roster, or no activator")
def denials(guest):
    with programs_set_up(guest):
        # A site may put the module in each stack that Debian's programs use.
        guest.run(f"cp /etc/pam.d/common-session {NONINTERACTIVE_STACK}")
        # The control: with a seat, they do go on.
        found = try_programs(guest, programs_of(guest, INTERACTIVE, NONINTERACTIVE), STUDENT)
        expect_equal([name for name, text in found.items() if not namespace_in(text)], [], f"who printed nothing ({found})")
        expect_all_denied(guest, STRANGER, "the student is on no list")
        guest.run("systemctl stop coursenet-activator.socket coursenet-activator.service")
        try:
            expect_all_denied(guest, STUDENT, "the activator is down")
        finally:
            guest.run("systemctl start coursenet-activator.socket")
    wait_gone(guest)


VSFTPD = """
listen=YES
local_enable=YES
write_enable=YES
session_support=YES
pam_service_name=vsftpd
"""
# Downloads, uploads and lists, in both modes of FTP; each wait has a timeout.
TRANSFER = """
import ftplib, io, sys
for passive in (True, False):
    ftp = ftplib.FTP(sys.argv[1], sys.argv[2], sys.argv[3], timeout=10)
    ftp.set_pasv(passive)
    lines = []
    ftp.retrlines("RETR given", lines.append)
    ftp.storbinary("STOR taken", io.BytesIO(b"from outside"))
    print(lines, "taken" in ftp.nlst())
    ftp.quit()
"""


@case("a student's FTP transfers by vsftpd with sessions work in both directions from outside, and start no seat", suites=ONE_SUITE)
def vsftpd(guest):
    set_up_class(guest)
    configuration = guest.read("/etc/vsftpd.conf")
    guest.write("/etc/vsftpd.conf", VSFTPD)
    guest.run(f"echo from inside >/home/{STUDENT}/given; systemctl restart vsftpd")
    guest.wait_until("ss -Hltn sport = :21 | grep -q LISTEN")
    since = guest.journal_position()
    try:
        with World(guest) as world:
            said = world.run(["python3", "-c", TRANSFER, world.host4, STUDENT, PASSWORD]).stdout
            expect_equal(said, "['from inside'] True\n" * 2, "what the client says")
        expect_equal(guest.read(f"/home/{STUDENT}/taken"), "from outside", "what came")
        log = guest.journal(since=since)
        expect_in(f"pam_unix(vsftpd:session): session opened for user {STUDENT}", log, "the log")
        expect("Seat " not in log, f"a transfer has started a seat:\n{log}")
    finally:
        guest.run(f"systemctl stop vsftpd; rm -f /home/{STUDENT}/given /home/{STUDENT}/taken")
        guest.write("/etc/vsftpd.conf", configuration)
    wait_gone(guest)
