"""Exams: how they begin and end, what they survive, and what an administrator sees of them."""

import json
import time

from harness.case import ONE_SUITE, case, expect, expect_equal, expect_in, expect_not_in, expect_status
from helpers import schema
from helpers.exam import exam, rules_are_there
from helpers.hours import hours
from helpers.network import Greeter, in_seat, reaches, inside, seats_up, soon
from helpers.seats import FAR, SEAT, STUDENT, expect_nothing_failed, set_up_class, wait_gone
from helpers.settings import SETTINGS, settings
from helpers.world import NAME, World, resolver

FOLDER = "/var/lib/coursenet/exam"


def check_errors(guest):
    findings = schema.parse("check", guest.run("coursenetctl check --json", check=False).stdout)["findings"]
    return [each["text"] for each in findings if each["severity"] == "error"]


@case("an exam survives a flush of nftables, restarts of every daemon, and a course that is stopped and started")
def survives(guest):
    with World(guest) as world, seats_up(guest, SEAT), exam(guest, "--allow", f"{world.web4}:80"):
        Greeter(guest, world.prefix(), 7000)

        def expect_closed(when):
            expect_equal(reaches(guest, inside(SEAT), f"{world.web4} 80", f"{world.gateway4} 7000"), [f"{world.web4} 80"],
                         f"what the seat reaches {when}")
        expect_closed("in the exam")
        guest.run("nft flush ruleset")
        soon(guest, lambda: rules_are_there(guest), "the rules are back")
        expect_closed("after the flush")
        guest.run("systemctl restart coursenet-network coursenet-dns coursenet-activator; systemctl daemon-reload")
        expect_closed("after restarts")
        guest.run("nft delete table bridge coursenet")
        soon(guest, lambda: rules_are_there(guest), "the table is back")
        expect_equal(check_errors(guest), [], "errors of check")
        guest.run(["coursenetctl", "stop", SEAT])
        wait_gone(guest)
        guest.run(["coursenetctl", "start", SEAT])
        expect_closed("after a new start of the bridge")


@case("after a reboot in the middle of an exam, by hand and by schedule, the first login has its rules")
def reboot(guest):
    with exam(guest), settings(guest, f"[course 377]\nexam = {hours(-600, 600)}\n"):
        guest.wait_until(f"test -e {FOLDER}/377.schedule")
        guest.reboot()
        for user, course, gateway in ((STUDENT, "123", "10.0.123.1"), (FAR, "377", "10.1.121.1")):
            session = guest.ssh_popen(user)
            session.run(f"ping -c 1 -W 1 {gateway}")
            expect(session.status != 0, f"the seat of {user} reaches its gateway")
            guest.run(f"nft list set inet coursenet exams | grep br-{course}; nft list table bridge coursenet | grep vl-{course}")
            session.close()
        wait_gone(guest)
    guest.wait_until(f"! test -e {FOLDER}/377.schedule")


@case("an exam ends by itself at its time, which the journal says, and status and exam list show it until then")
def ends(guest):
    position = guest.journal_position()
    with World(guest) as world, seats_up(guest, SEAT), exam(guest, "--until", "+20s"):
        Greeter(guest, world.prefix(), 7000)
        target = f"{world.gateway4} 7000"
        expect_in("Course 123 is in an exam until", guest.run("coursenetctl status").stdout, "status")
        [course] = schema.parse("status", guest.run("coursenetctl status --json").stdout)["courses"]
        [listed] = schema.parse("exam-list", guest.run("coursenetctl exam list --json").stdout)["exams"]
        expect_equal(course["exam"]["until"], listed["until"], "the end")
        expect_equal(reaches(guest, inside(SEAT), target), [], "what the seat reaches in the exam")
        guest.wait_until(f"! test -e {FOLDER}/123", timeout=60)
        soon(guest, lambda: reaches(guest, inside(SEAT), target) == [target], "the seat reaches the world")
        expect_in("The exam of course 123 has ended", guest.journal(since=position), "the journal")
        expect_in("exam start 123 by root", guest.journal(since=position), "the journal")
        guest.run("journalctl --sync; journalctl -x MESSAGE_ID=ce3e1cbe88b346d6ae50bd7cb45d43c3 | grep -q 'Nothing has to be done'")


def begun(guest, position):
    """How many seconds after the minute and second that it was planned for an exam by schedule was in force, by the journal."""
    said = guest.run(["journalctl", "--quiet", "-o", "json", f"--after-cursor={position}", "-g", "by schedule has begun"]).stdout
    return int(json.loads(said.splitlines()[-1])["__REALTIME_TIMESTAMP"]) / 1e6


@case("an exam by schedule begins and ends at its time; an edit counts at once, exam stop ends it until its end, and one by hand goes first")
def schedule(guest):
    set_up_class(guest)
    target = "10.0.123.1 22"

    def reached():
        return reaches(guest, inside(SEAT), target) == [target]

    def write(text):
        guest.write(SETTINGS, f"{before}\n[course 123]\nhost-ports = 22/tcp\n{text}")

    def listed():
        return json.loads(guest.run("coursenetctl exam list --json").stdout)["exams"]

    before = guest.read(SETTINGS)
    position = guest.journal_position()
    with settings(guest, before), seats_up(guest, SEAT):
        start = int(time.time()) + 6
        write(f"exam = {hours(6, 12)}\nexam-allow = 192.0.2.10:443/tcp, name:localhost\n")
        guest.wait_until("systemctl list-timers | grep -q coursenet-class@123.timer")
        expect_equal((reached(), listed()), (True, []), "what the seat reaches before, and the exams")
        [planned] = schema.parse("exam-list", guest.run("coursenetctl exam list --json").stdout)["planned"]
        expect_equal((planned["course"], planned["allow_names"]), ("123", ["localhost"]), "what is planned")
        guest.wait_until(lambda: rules_are_there(guest), what="the exam has begun")
        expect(not reached(), "the seat reaches the server in the exam")
        [on] = schema.parse("exam-list", guest.run("coursenetctl exam list --json").stdout)["exams"]
        expect_equal((on["by"], on["allow"], on["allow_names"]), ("schedule", ["192.0.2.10:443/tcp"], ["localhost"]), "the exam")
        expect_in("Course 123 is in an exam by schedule until", guest.run("coursenetctl status").stdout, "status")
        [course] = schema.parse("status", guest.run("coursenetctl status --json").stdout)["courses"]
        expect_equal(course["exam"]["by"], "schedule", "the exam in status")
        late = begun(guest, position) - start
        guest.log(f"the exam began {late:.2f} s after its time")
        expect(0 <= late < 5, f"the exam began {late:.2f} s after its time")
        guest.wait_until(lambda: not rules_are_there(guest), what="the exam has ended")
        expect(reached(), "the seat does not reach the server after the exam")
        guest.wait_until(lambda: "The exam of course 123 by schedule is over" in guest.journal(since=position), what="the log has the end")

        write(f"exam = {hours(-600, 600)}\n")
        guest.wait_until(lambda: rules_are_there(guest), what="an exam that has begun already")
        with exam(guest, "--allow", "10.0.123.1"):
            expect_equal((reached(), [each["by"] for each in listed()]), (True, ["root"]), "the exam by hand")
        # It ends both: the course is in no exam then, also after another look at the settings.
        expect(not rules_are_there(guest), "rules are left after exam stop")
        guest.run("coursenetctl schedule apply 123")
        expect_equal((reached(), listed()), (True, []), "what the seat reaches after exam stop, and the exams")
        expect_in("later", guest.run("coursenetctl exam list").stdout, "the exam of the next day")
        expect_equal(guest.run("coursenetctl exam stop 123", check=False).returncode, 1, "a second stop")
        # Without an exam in the settings nothing is left of it.
        write("")
        guest.wait_until(f"! test -e {FOLDER}/123.schedule")
    guest.run(f"rm -f {FOLDER}/123.stopped")
    expect_nothing_failed(guest)


def ask(guest, user, *words):
    return guest.run(["coursenetctl", "exam", *words], user=user, check=False)


@case("staff start, see and stop exams of their course and of no other; the answer comes when the rules are in force", suites=ONE_SUITE)
def staff(guest):
    set_up_class(guest)
    for user in ("prof", "alice"):
        guest.add_user(user)
    uid = guest.run("id -u prof").stdout.strip()
    with (settings(guest, "[course 123]\nstaff = prof\nhost-ports = none\n"), World(guest) as world, seats_up(guest, SEAT),
          exam(guest, course="377")):
        position = guest.journal_position()
        for user, course in (("prof", "377"), ("prof", "--help"), ("alice", "123"), (STUDENT, "123")):
            for words in (["start", "--allow", world.web4, "--", course], ["stop", "--", course]):
                said = ask(guest, user, *words)
                expect_status(said, 1, f"{words} by {user}")
                expect_in("staff", said.stderr, f"what {words} says to {user}")
        expect_status(ask(guest, "alice", "list"), 1, "the list for somebody")
        expect(not rules_are_there(guest), "somebody else's exam has begun")

        Greeter(guest, world.prefix(), 7000)
        targets = f"{world.web4} 80", f"{world.gateway4} 7000", "10.0.123.1 22"
        expect_equal(reaches(guest, inside(SEAT), *targets), [*targets[:2]], "what the seat reaches before")
        # What the settings close, here the server's ports, stays closed.
        said = ask(guest, "prof", "start", "123", "--until", "+1h", "--allow", f"{world.web4}:80/tcp", "--allow", "10.0.123.1")
        expect_equal((said.returncode, said.stderr), (0, ""), "a start by staff")
        expect(rules_are_there(guest), "the answer came before the rules")
        expect_in("Course 123 is in an exam until", said.stdout, "the answer")
        expect_equal(reaches(guest, inside(SEAT), *targets), [targets[0]], "what the seat reaches in the exam")
        [listed] = schema.parse("exam-list", ask(guest, "prof", "list", "--json").stdout)["exams"]
        expect_equal((listed["course"], listed["by"]), ("123", f"prof (uid {uid})"), "the list for staff")
        expect_equal(len(json.loads(ask(guest, "root", "list", "--json").stdout)["exams"]), 2, "the exams for root")

        said = ask(guest, "prof", "stop", "123")
        expect_equal((said.returncode, said.stdout), (0, "The exam of course 123 has ended.\n"), "a stop by staff")
        expect_equal(reaches(guest, inside(SEAT), *targets), [*targets[:2]], "what the seat reaches after it")
        expect_in("Course 123 is in no exam", ask(guest, "prof", "stop", "123").stderr, "a second stop")
        # The course is theirs, also in an exam that root has begun.
        ask(guest, "root", "start", "123")
        expect_status(ask(guest, "prof", "stop", "123"), 0, "a stop of root's exam")

        guest.run("systemctl stop coursenet-network")
        try:
            said = ask(guest, "prof", "start", "123")
        finally:
            guest.run("systemctl start coursenet-network")
        expect_status(said, 1, "a start while nothing applies rules")
        expect_in("NOT in force", said.stderr, "what it says")
        expect_status(ask(guest, "prof", "stop", "123"), 0, "a stop after it")
        lines = guest.journal(since=position)
        for text in (f"exam start 123 by prof (uid {uid}): in force until", f"exam stop 123 by prof (uid {uid}): its seats reach again"):
            expect_in(text, lines, "the log")


@case("a file of an exam with a mistake allows nothing, and check names it; exam stop ends it", suites=ONE_SUITE)
def broken_file(guest):
    with World(guest) as world, seats_up(guest, SEAT):
        guest.run(f"mkdir -p {FOLDER}")
        guest.write(f"{FOLDER}/123", f"[exam]\nallow = {world.web4}\nuntil = never\nsince = 1\n")
        try:
            soon(guest, lambda: rules_are_there(guest), "the course is in an exam")
            expect_equal(reaches(guest, inside(SEAT), f"{world.web4} 80"), [], "what the seat reaches")
            expect_in("'until = never' in [exam] is not understood", "\n".join(check_errors(guest)), "the errors of check")
        finally:
            guest.run("coursenetctl exam stop 123")
        expect_equal(reaches(guest, inside(SEAT), f"{world.web4} 80"), [f"{world.web4} 80"], "what the seat reaches after it")


@case("exam start answers when its rules are in force, or says that they are not, and replaces an earlier exam", suites=ONE_SUITE)
def answers(guest):
    set_up_class(guest)
    with World(guest) as world, resolver(guest, "plain"), seats_up(guest, SEAT), exam(guest, "--allow", world.web4):
        said = guest.run(["coursenetctl", "exam", "start", "123", "--allow-name", NAME, "--allow-name", "missing.example"])
        expect_in("This replaces the exam that root started", said.stdout, "the answer")
        expect_in("missing.example", said.stderr, "the warning")
        expect_not_in(f"warning: {NAME}", said.stderr, "the warning")
        found = in_seat(guest, SEAT, f"dig +short @10.0.123.1 {NAME} A", check=False).stdout.strip()
        expect_equal(found, world.web4, "the address of the allowed name")
        before = guest.read("/etc/coursenet/coursenet.conf")
        guest.write("/etc/coursenet/coursenet.conf", "broken\n")
        try:
            said = guest.run("coursenetctl exam start 123", check=False)
        finally:
            guest.write("/etc/coursenet/coursenet.conf", before)
        expect_equal(said.returncode, 1, "the exit status with broken settings")
        [listed] = json.loads(guest.run("coursenetctl exam list --json").stdout)["exams"]
        expect_equal(listed["allow_names"], [NAME, "missing.example"], "the exam after that")
    expect(not rules_are_there(guest), "rules are left")
