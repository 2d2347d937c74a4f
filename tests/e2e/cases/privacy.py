"""Who may see who is in a course: a student sees their own seat, staff their course, root everything."""

import json

from harness.case import ONE_SUITE, case, expect_equal, expect_in, expect_not_in, expect_status
from helpers.leases import leases
from helpers.network import seats_up, soon
from helpers.seats import (FAR, FAR_SEAT, ROSTER_FILE, SEAT, SECOND, SECOND_ADDRESS, SECOND_SEAT, STUDENT,
                           set_up_class, wait_gone)
from helpers.settings import SETTINGS, with_settings

# The third on the roster of course 123; nobody ever logs in as this one.
ABSENT, ABSENT_SEAT = "cs123-garciam", "12312"


def with_service(function):
    """Every seat has a service, which does nothing."""
    @with_settings("[site]\nunits = quiet\n")
    def run(guest):
        guest.write("/run/systemd/system/quiet@.service", "[Service]\nType=oneshot\nRemainAfterExit=yes\nExecStart=/bin/true\n")
        guest.run("systemctl daemon-reload; systemctl restart coursenet-wiring; /usr/libexec/coursenet/coursenet-host dns")
        try:
            function(guest)
        finally:
            guest.run("rm -r /run/systemd/system/quiet@*; systemctl daemon-reload")
    return run


@case("no file of coursenet tells a student who is in a course")
@with_service
def files(guest):
    session = guest.ssh_popen(SECOND)
    names = "newellz2|smithj|garciam|doej"
    places = "/etc/coursenet /run/coursenet /run/systemd/system /var/lib/coursenet /run/netns"
    try:
        found = guest.run(f"grep -rlE '{names}' {places}", check=False).stdout
        for path in (ROSTER_FILE, "/run/coursenet/dns/hosts/123/names", f"/run/systemd/system/quiet@{SECOND_SEAT}.service.d"):
            expect_in(path, found, "the control: where root finds the names")
        for user in (STUDENT, SECOND, "alice"):
            found = guest.run(f"grep -rlE '{names}' {places} 2>/dev/null", user=user, check=False).stdout
            expect_equal(found, "", f"where {user} finds a name")
            # Nor how many there are.
            expect_equal(guest.run(f"stat {ROSTER_FILE} /run/coursenet/dns/hosts 2>/dev/null", user=user, check=False).stdout, "",
                         f"what {user} sees of files")
        mode = guest.run(f"stat -c '%a %U:%G' {ROSTER_FILE} /etc/coursenet/roster.d /run/coursenet/dns").stdout.splitlines()
        expect_equal(mode, ["600 root:root", "700 root:root", "700 root:root"], "the modes")
    finally:
        session.close()
    wait_gone(guest)


@case("systemd tells a student no name of a student who has not logged in, and services of such a seat do not start by hand")
@with_service
def units(guest):
    unit = f"quiet@{ABSENT_SEAT}.service"
    expect_equal(guest.run(f"systemctl show -P User {unit}", user=STUDENT).stdout, "\n", "whose the seat's container is")
    expect_in(ABSENT_SEAT, guest.run(f"systemctl show -P DropInPaths {unit}").stdout, "the control: the drop-ins")
    started = guest.run(f"systemctl start {unit}", check=False)
    expect_status(started, 1, "a start by root")
    expect_in("Assertion failed", started.stderr, "its message")
    expect_equal(guest.run(f"systemctl is-failed {unit}", check=False).stdout, "inactive\n", "its state")
    session = guest.ssh_popen(SECOND)
    try:
        listed = guest.run("systemctl list-units --all --plain --no-legend 'coursenet-*' 'n*@*' 'quiet@*'", user=STUDENT).stdout
        expect_in(SECOND_SEAT, listed, "the control: the units of the seat")
        expect_not_in("smithj", listed, "the units, as a student sees them")
        expect_equal(guest.run(f"systemctl show -P User quiet@{SECOND_SEAT}").stdout, f"{SECOND}\n", "whose the container is")
        # A change of the rosters leaves a student's services theirs.
        guest.run("systemctl restart coursenet-wiring")
        expect_equal(guest.run(f"systemctl show -P User quiet@{SECOND_SEAT}").stdout, f"{SECOND}\n", "whose it is then")
    finally:
        session.close()
    wait_gone(guest)
    guest.run("systemctl reset-failed")


def ask(guest, user, *words):
    return guest.run(["coursenetctl", *words], user=user, check=False)


def expect_refused(guest, user, *words):
    said = ask(guest, user, *words)
    expect_status(said, 1, f"{' '.join(words)} by {user}")
    expect_equal(said.stdout, "", f"what {' '.join(words)} prints for {user}")
    expect_in("Only root", said.stderr, f"what {' '.join(words)} says to {user}")
    for name in ("smithj", "garciam", "doej"):
        if not any(name in word for word in words):
            expect_not_in(name, said.stderr, f"what {' '.join(words)} says to {user}")


@case("a student sees their own seat and nobody else's with status, seat, roster list, check and history", suites=ONE_SUITE)
def students(guest):
    set_up_class(guest)
    with seats_up(guest, SEAT, SECOND_SEAT, FAR_SEAT):
        session = guest.ssh_popen(STUDENT)
        try:
            for command in ("coursenetctl status", f"coursenetctl status {STUDENT}", f"coursenetctl status {SEAT}",
                            "coursenetctl status 123", f"coursenetctl seat {STUDENT}", f"coursenetctl seat --json {STUDENT}",
                            f"coursenetctl seat {SEAT}"):
                said = session.run(command)
                expect_equal(session.status, 0, f"the status of {command}")
                expect_in(SEAT, said, f"what {command} says")
                for other in (SECOND, SECOND_SEAT, SECOND_ADDRESS, FAR, FAR_SEAT, "mistake", "cannot"):
                    expect_not_in(other, said, f"what {command} says")
        finally:
            session.close()
        for words in (["status", SECOND], ["status", SECOND_SEAT], ["status", "377"], ["status", "nonsense"], ["seat", SECOND],
                      ["seat", FAR], ["seat", "cs123-invented"], ["seat", SECOND_SEAT], ["seat", "123200"], ["seat", FAR_SEAT],
                      ["roster", "list", "123"], ["roster", "list", "--json", "377"],
                      ["roster", "list", "999"], ["roster", "list"], ["metrics"], ["graph"], ["history"], ["history", SECOND], ["check"]):
            expect_refused(guest, STUDENT, *words)
        expect_equal(json.loads(ask(guest, "alice", "status", "--json").stdout)["courses"], [], "what alice sees")
    wait_gone(guest)


def names_in(said):
    return [name for name in (STUDENT, SECOND, ABSENT, FAR) if name in said.stdout]


@case("staff, named by user or by group, see their course and no other; the site's staff and root see all", suites=ONE_SUITE)
def staff(guest):
    set_up_class(guest)
    before = guest.read(SETTINGS)
    for user in ("prof", "tutor", "dean"):
        guest.add_user(user)
    guest.run("groupadd -f cs123-staff; gpasswd -a tutor cs123-staff")
    guest.write(SETTINGS, before + "\n[site]\nstaff = dean\n[course 123]\nstaff = prof, @cs123-staff\n")
    since = guest.journal_position()
    # Another case may have given the seat to somebody else.
    begun = guest.run("date '+%F %T'").stdout.strip()
    try:
        with seats_up(guest, SEAT, FAR_SEAT):
            for user in ("prof", "tutor"):
                for words, expected in ((["status"], [STUDENT]), (["status", "123"], [STUDENT]), (["status", "--json"], [STUDENT]),
                                        (["roster", "list", "123"], [STUDENT, SECOND, ABSENT]),
                                        (["roster", "list", "--json", "123"], [STUDENT, SECOND, ABSENT]),
                                        (["history", "--since", begun, SEAT], [STUDENT]), (["seat", ABSENT], [ABSENT])):
                    said = ask(guest, user, *words)
                    expect_status(said, 0, f"{words} by {user}: {said.stderr}")
                    expect_equal(names_in(said), expected, f"whom {words} tells {user} of")
                everything = ask(guest, user, "history")
                expect_in(STUDENT, everything.stdout, "the history of the own course")
                expect_not_in("cs377", everything.stdout, "the history of the own course")
                expect_refused(guest, user, "roster", "list", "377")
                expect_equal([line.split()[:2] for line in ask(guest, user, "roster", "list", "--no-legend").stdout.splitlines()], [["123", "3"]],
                             f"the courses for {user}")
                expect_refused(guest, user, "seat", FAR)
                expect_refused(guest, user, "seat", FAR_SEAT)
                for word in ("377", FAR, FAR_SEAT, "cs377-invented"):
                    for command in ("status", "history"):
                        said = ask(guest, user, command, word)
                        expect_status(said, 1, f"{command} {word} by {user}")
                        expect_equal(said.stdout, "", f"what {command} {word} prints for {user}")
                expect_in(f"no lease of '{FAR}' in the courses of which you are staff", ask(guest, user, "history", FAR).stderr, "what it says")
            many = f"for i in $(seq 30); do coursenetctl seat --json {SEAT} >/dev/null || echo refused & done; wait"
            expect_equal(guest.run(many, user="prof").stdout, "", "who is refused of those who ask at once, as a hub does")
            session = guest.ssh_popen(STUDENT)
            try:
                for user, manager in (("prof", None), ("root", "seat")):
                    seen = json.loads(ask(guest, user, "status", "--json", SEAT).stdout)["courses"][0]["seats"][0]
                    expect_equal(seen["manager"], manager, f"where the student's manager runs, for {user}")
            finally:
                session.close()
            for user in ("dean", "root"):
                for words in (["status"], ["history"]):
                    expect_equal({STUDENT, FAR} - set(names_in(ask(guest, user, *words))), set(), f"whom {words} leaves out for {user}")
                expect_equal(names_in(ask(guest, user, "roster", "list", "377")), [FAR], f"the roster of 377 for {user}")
            said = ask(guest, "prof", "status", "--", "--help")
            expect_status(said, 1, "a word that looks like an option")
            expect_refused(guest, "alice", "roster", "list", "123")
        soon(guest, lambda: "asks for a report (roster list 123)" in guest.journal(since=since), "the log says who asked for what")
        guest.run("systemctl stop coursenet-query.socket coursenet-activator.service")
        try:
            expect_status(ask(guest, "prof", "status"), 3, "status without the activator")
        finally:
            guest.run("systemctl start coursenet-query.socket coursenet-activator.socket coursenet-activator.service")
    finally:
        guest.write(SETTINGS, before)
    wait_gone(guest)


@case("staff start, release and stop seats of their course and of no other, and the log has their name", suites=ONE_SUITE)
def staff_changes(guest):
    set_up_class(guest)
    before = guest.read(SETTINGS)
    for user in ("prof", "alice"):
        guest.add_user(user)
    uid = guest.run("id -u prof").stdout.strip()
    guest.write(SETTINGS, before + "\n[course 123]\nstaff = prof\n")
    try:
        with seats_up(guest, FAR_SEAT):
            since = guest.journal_position()
            expect_equal(ask(guest, "prof", "start", "123").stdout, "3 of 3 seats are up and held.\n", "a start by staff")
            session = guest.ssh_popen(STUDENT)
            session.run("true")
            for command in ("start", "release", "stop"):
                for word in ("377", FAR_SEAT, FAR, "cs377-invented", "--help"):
                    said = ask(guest, "prof", command, "--", word)
                    expect_status(said, 1, f"{command} {word} by staff of another course")
                    expect_in("of which you are staff", said.stderr, f"what {command} {word} says")
                    expect_status(ask(guest, "alice", command, "--", word), 1, f"{command} {word} by somebody")
                expect_status(ask(guest, STUDENT, command, SEAT), 1, f"{command} by the seat's own student")
            expect_equal([lease["service"] for lease in leases(guest, FAR_SEAT)], ["hold"], "the other course's hold of root's")
            # A hold is of the course, and it does not matter who asked for it.
            expect_equal(ask(guest, "prof", "release", "123").stdout, "3 holds released.\n", "a release by staff")
            expect_equal(session.run("echo there"), "there", "the login after the release")
            expect_equal(ask(guest, "prof", "stop", "--json", SEAT).stdout, '{"version":1,"n_ended":1}\n', "a stop by staff")
            session.close()
            guest.run("journalctl --sync")
            lines = guest.journal(since=since)
            for text in (f"start 123 by prof (uid {uid}): 3 of 3 seats are up and held", f"release 123 by prof (uid {uid}): 3 holds released",
                         f"stop {SEAT} by prof (uid {uid}): 1 lease ended"):
                expect_in(text, lines, "the log")
    finally:
        guest.write(SETTINGS, before)
    wait_gone(guest)


# As many connections as a user may have, each with a request for a report, and an answer that is never read.
STALL = r"""
import socket, struct, sys
HEAD = struct.Struct("=IHHIIII")
def request(version, size):
    head = HEAD.pack(0x636f7572, version, 9, 0, 0, 0, 0)
    return (head + b"\0" * int(sys.argv[1]) + b"\0" * 32 + b"history".ljust(32, b"\0")).ljust(size, b"\0")
sockets = []
for _ in range(8):
    s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    s.connect("/run/coursenet/query.sock")
    s.send(request(2, 24 + int(sys.argv[1]) + 32 + 32 + 256))
    sockets.append(s)
print("sent", flush=True)
sys.stdin.read()
"""


@case("staff who do not read an answer, or hang up, do not keep others from an answer", suites=ONE_SUITE)
def stalled(guest):
    set_up_class(guest)
    before = guest.read(SETTINGS)
    guest.add_user("prof")
    guest.add_user("dean")
    guest.write(SETTINGS, before + "\n[site]\nstaff = dean prof\n")
    # An activator that has logged as much about users as it may in one minute would not log these requests.
    guest.run("systemctl restart coursenet-activator")
    since = guest.journal_position()
    header = guest.run("grep -h 'define USER_NAME_SIZE' /usr/src/coursenet/common/name-rule.h").stdout
    size = header.split()[2].rstrip("U")
    try:
        prof = guest.popen(["python3", "-c", STALL, size], user="prof")
        expect_equal(prof.stdout.readline(), "sent\n", "what the one who stalls says")
        expect_status(ask(guest, "dean", "roster", "list", "123"), 0, "another's roster list meanwhile")
        # The activator logs a request when it has the answer, and does not log it if the client has hung up by then.
        soon(guest, lambda: "asks for a report (history)" in guest.journal(since=since), "the log: the requests are understood")
        prof.stdin.close()
        prof.wait(60)
        soon(guest, lambda: guest.run("pgrep -fc 'coursenetctl for-pee[r]'", check=False).stdout == "0\n", "no child is left")
        expect_status(ask(guest, "prof", "roster", "list", "123"), 0, "roster list by the one who stalled")
        expect_equal(guest.run("find /proc/$(systemctl show -P MainPID coursenet-activator)/fd -lname '*memfd*' | wc -l").stdout, "0\n",
                     "what the activator still holds")
    finally:
        guest.write(SETTINGS, before)
