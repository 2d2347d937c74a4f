"""Users of a directory, whose names have a domain: the module overlooks none, and the site's rule may have the domain."""

import json

from harness.case import ONE_SUITE, case, expect, expect_equal, expect_failure, expect_in, expect_not_in
from helpers.directory import FULL_NAMES, PREFIXED_NAMES, Directory
from helpers.fence import BOTH, gets_out
from helpers.hub import HUB_SUITES, Hub
from helpers.leases import leases, status
from helpers.logins import OWN_NAMESPACE
from helpers.network import soon
from helpers.pam_program import other_services_away
from helpers.seats import ROSTER_FILE, leftovers, set_up_class, wait_gone
from helpers.settings import SETTINGS
from helpers.world import World

# Longer than useradd's 32 characters, with the domain.
STUDENT = "annabelle-fitzgerald"
ACCOUNTS = {f"cs123-{STUDENT}": 30001, "cs0123-dora": 30002, "bob": 30003, "cs123-m$": 30004}
SEAT, ADDRESS = "12310", "10.0.123.10"

# Part of each seat, as a container is: systemd runs it as the student.
SHOW_UNIT = """\
[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/bin/sh -c 'id -un >&2'
"""


OPTIONAL_STACK = """\
auth sufficient pam_rootok.so
account required pam_permit.so
session optional pam_coursenet.so
session required pam_permit.so
"""


# The shipped stack, with any password accepted, because this directory has no passwords.
HUB_STACK = """\
auth required pam_permit.so
account required pam_permit.so
session required pam_permit.so
session optional pam_coursenet.so join=no timeout=10 rule=cs{course}-{student}@ad.example.edu
"""


def expect_refused(guest, user, reason):
    """Nothing runs, the user reads why, and so does the log."""
    since = guest.journal_position()
    result = guest.ssh(user, "echo inside", check=False)
    expect_failure(result, f"a login of {user}")
    expect_not_in("inside", result.stdout, f"what {user} runs")
    expect_in(f"{user} cannot be a course user's name: ", result.stdout + result.stderr, f"what {user} reads")
    expect_in(reason, result.stdout + result.stderr, f"what {user} reads")
    expect_in(reason, guest.journal(since=since), "the log")
    expect_equal(leftovers(guest), "", "what is up")


def expect_fenced(guest, student, other):
    """A name that is refused, of an account that is listed nowhere, does not get out where pam.d lets it go on."""
    stack = guest.read("/etc/pam.d/su-l")
    guest.write("/etc/pam.d/su-l", OPTIONAL_STACK)
    try:
        with World(guest) as world:
            guest.run(["su", "-", student, "-c", "true"])
            expect_equal(guest.run(["su", "-", other, "-c", "echo inside"]).stdout, "inside\n", "what another runs")
            soon(guest, lambda: gets_out(guest, world, student) == [], "a session that goes on is fenced")
            expect_equal(gets_out(guest, world, other), BOTH, "how another's gets out")
    finally:
        guest.write("/etc/pam.d/su-l", stack)


def expect_seat(guest, user):
    """All that a student has, from the login to the logout."""
    session = guest.ssh_popen(user)
    expect_in(f"{ADDRESS}/24", session.run("ip -br addr"), "the addresses of the login")
    expect_equal(session.run("id -un; echo $COURSENET_SEAT"), f"{user}\n{SEAT}", "the login")
    expect_in(ADDRESS, session.run(f"getent ahosts {STUDENT}.cs123.internal"), "the seat's own name")
    [seat] = status(guest)
    expect_equal((seat["seat"], seat["user"], seat["address"]), (SEAT, user, f"{ADDRESS}/24"), "the seat of status")
    expect_in(user, session.run("coursenetctl status 2>/dev/null"), "what the student sees of it")
    expect_in(f"{ADDRESS}/24", guest.run(["coursenet-enter", "--seat", "--", "ip", "-br", "addr"], user=user).stdout,
              "the addresses of a process that enters")
    soon(guest, lambda: user in guest.run(f"journalctl -o cat -u show@{SEAT}").stdout.splitlines(), "the seat's unit is the student's")
    expect_in(user, guest.run(f"coursenetctl history {ADDRESS}").stdout, "the history")
    expect_equal(json.loads(guest.run(["coursenetctl", "seat", "--json", "--", user]).stdout)["seat"], SEAT, "what a hub asks for")
    session.close()
    wait_gone(guest)
    guest.run(["coursenetctl", "start", user])
    expect_equal([each["service"] for each in leases(guest, SEAT)], ["hold"], "the leases of the seat")
    guest.run(["coursenetctl", "stop", user])
    wait_gone(guest)


def full_names_of(guest, domain, names, full_name):
    """full_name: from a short name to what the directory calls it."""
    set_up_class(guest)
    before, roster = guest.read(SETTINGS), guest.read(ROSTER_FILE)
    student, other = full_name(f"cs123-{STUDENT}"), full_name("bob")
    rule = full_name("cs{course}-{student}")
    guest.write("/run/systemd/system/show@.service", SHOW_UNIT)
    with other_services_away(guest), Directory(guest, domain, names, ACCOUNTS) as directory:
        try:
            expect_refused(guest, student, "those are written cs{course}-{student} here")
            expect_refused(guest, full_name("cs123-m$"), "those are written cs{course}-{student} here")
            expect_failure(guest.run(["su", "-", student, "-c", "true"], check=False), "su to the student")
            expect_fenced(guest, student, other)
            result = guest.run(["coursenetctl", "seat", "--json", "--", student], check=False)
            expect_failure(result, "a hub's question for the student")
            expect_equal(result.stdout, "", "what a hub is told, which would start a server on the host")
            expect_equal(guest.ssh(other, OWN_NAMESPACE).stdout, guest.run(OWN_NAMESPACE).stdout, "the namespace of another's login")

            guest.write(SETTINGS, f"[site]\nname-rule = {rule}\nunits = show\n")
            directory.set_rule(rule)
            guest.run(["rm", ROSTER_FILE])
            guest.run("coursenetctl roster import 123 -", input=f"{student}\n")
            expect_in("\n0 errors", "\n" + guest.run("coursenetctl check").stdout, "the findings")
            expect_seat(guest, student)
            expect_refused(guest, full_name("cs0123-dora"), "its course, 0123, has 4 digits")
            expect_refused(guest, full_name("cs123-m$"), f"those are written {rule} here")
            expect_equal(guest.ssh(other, OWN_NAMESPACE).stdout, guest.run(OWN_NAMESPACE).stdout, "the namespace of another's login")
            with World(guest) as world:
                expect_equal(gets_out(guest, world, student), [], "how a student's process outside gets out")
                expect_equal(gets_out(guest, world, other), BOTH, "how another's gets out")
        finally:
            guest.write(SETTINGS, before)
            guest.write(ROSTER_FILE, roster, mode=0o600)
            guest.run("rm /run/systemd/system/show@.service; systemctl daemon-reload")
    expect(not leftovers(guest), "something is left")


@case("with a directory's full names, NAME@DOMAIN, students are refused, and get their seats when the rule has the domain", suites=ONE_SUITE)
def full_names(guest):
    full_names_of(guest, "ad.example.edu", FULL_NAMES, lambda name: f"{name}@ad.example.edu")


@case("a hub starts a directory student's server in the seat, and none under another name", suites=HUB_SUITES)
def hub(guest):
    set_up_class(guest)
    before, roster = guest.read(SETTINGS), guest.read(ROSTER_FILE)
    name = f"cs123-{STUDENT}@ad.example.edu"
    with Directory(guest, "ad.example.edu", FULL_NAMES, ACCOUNTS):
        try:
            guest.write(SETTINGS, "[site]\nname-rule = cs{course}-{student}@ad.example.edu\n")
            guest.run(["rm", ROSTER_FILE])
            guest.run("coursenetctl roster import 123 -", input=f"{STUDENT}\n")
            with Hub(guest) as running:
                guest.write("/etc/pam.d/jupyterhub", HUB_STACK)
                guest.write(f"/home/cs123-{STUDENT}/welcome.html", "welcome\n")
                expect_equal(running.browse(name, "login", "any"), "200", "the student's login")
                expect_equal(running.browse(name, "start"), "started", "the start of the server")
                expect_equal(sorted(lease["service"] for lease in leases(guest, SEAT)), ["coursenet-enter", "jupyterhub"],
                             "the leases of the seat")
                expect_equal(running.browse(name, "stop"), "stopped", "a stop")
                other = "cs123-m$@ad.example.edu"
                expect_equal(running.browse(other, "login", "any"), "200", "the login by a name that is no student's")
                expect_in("You have no seat", running.browse(other, "start"), "what comes of a start")
            wait_gone(guest)
        finally:
            guest.write(SETTINGS, before)
            guest.write(ROSTER_FILE, roster, mode=0o600)


@case("with a directory's full names, DOMAIN\\NAME, students are refused, and get their seats when the rule has the domain", suites=ONE_SUITE)
def prefixed_names(guest):
    full_names_of(guest, "AD", PREFIXED_NAMES, lambda name: f"AD\\{name}")


def sync(guest):
    """As the timer does it. Returns the lines of the roster, whose folder the unit can write to."""
    guest.run("systemctl start coursenet-roster.service")
    return guest.read(ROSTER_FILE).splitlines()


@case("the members of a directory's group get seats and keep their numbers, and a directory that is away, or suddenly empty, changes nothing")
def roster_group(guest):
    set_up_class(guest)
    before, roster = guest.read(SETTINGS), guest.read(ROSTER_FILE)
    domain = "ad.example.edu"
    rule = "cs{course}-{student}@" + domain
    accounts = {f"cs123-{name}": 31000 + i for i, name in enumerate(("zoe", "ada", "bob", "carl"))} | {"prof": 31010}
    with other_services_away(guest), Directory(guest, domain, FULL_NAMES, accounts,
                                               {"cs123": ["cs123-zoe", "cs123-ada", "prof", "cs123-bob"]}) as directory:
        try:
            guest.write(SETTINGS, f"[site]\nname-rule = {rule}\n[course 123]\nroster-group = cs123@{domain}\n")
            directory.set_rule(rule)
            guest.run(["rm", ROSTER_FILE])
            shown = guest.run("coursenetctl roster sync --dry-run 123").stdout
            expect_in(f"no seat: prof@{domain}", shown, "a dry run")
            expect_failure(guest.run(["test", "-e", ROSTER_FILE], check=False), "a roster after a dry run")

            since = guest.journal_position()
            expect_equal(sync(guest), ["ada 10", "bob 11", "zoe 12"], "the roster")
            expect_in("roster sync 123 by root, outside of any login: 3 seated", guest.journal(since=since), "the log")
            since = guest.journal_position()
            expect_equal(sync(guest), ["ada 10", "bob 11", "zoe 12"], "the roster, again")
            expect_not_in("coursenetctl[", guest.journal(since=since), "what a run without a change logs")
            session = guest.ssh_popen(f"cs123-bob@{domain}")
            expect_in("10.0.123.11/24", session.run("ip -br addr"), "the addresses of a member's login")

            directory.change_group("cs123", ["cs123-zoe", "cs123-ada", "cs123-carl"])
            expect_equal(sync(guest), ["ada 10", "#removed bob 11", "zoe 12", "carl 13"], "the roster without one member")
            expect_in("10.0.123.11/24", session.run("ip -br addr"), "the addresses of one who has left the group")
            session.close()
            wait_gone(guest)
            expect_failure(guest.ssh(f"cs123-bob@{domain}", "true", check=False), "a login of one who has left the group")

            since = guest.journal_position()
            directory.change_group("cs123", [])
            now = sync(guest)
            expect_equal(now, ["ada 10", "#removed bob 11", "zoe 12", "carl 13"], "the roster with an empty group")
            expect_in("3 of the 3 students of course 123 are in none of the groups", guest.journal(since=since), "the log")
            guest.run("systemctl stop sssd")
            expect_equal(sync(guest), now, "the roster without a directory")
            expect_in(f"there is no group 'cs123@{domain}', or the user database cannot be reached", guest.journal(since=since), "the log")
            expect_equal(guest.run("systemctl --failed --plain --no-legend").stdout, "", "failed units")
            guest.run("systemctl start sssd")
            directory.change_group("cs123", ["cs123-bob", "cs123-zoe", "cs123-ada"])
            expect_equal(sync(guest), ["ada 10", "bob 11", "zoe 12", "#removed carl 13"], "the roster with a member who is back")
        finally:
            guest.write(SETTINGS, before)
            guest.write(ROSTER_FILE, roster, mode=0o600)
    expect(not leftovers(guest), "something is left")
