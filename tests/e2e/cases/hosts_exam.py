"""Several servers that share a course: its exams, and files that differ. See helpers/hosts.py."""

import time

from harness.case import ONE_SUITE, case, expect, expect_equal, expect_in, expect_not_in
from helpers import schema
from helpers.hosts import CLAIM_TIME, COURSE, NAMES, STUDENTS, UNDERLAY, log_in, with_members

FILE = f"/var/lib/coursenet/exam/{COURSE}"
ROSTER = f"/etc/coursenet/roster.d/{COURSE}"
SETTINGS = "/etc/coursenet/coursenet.conf"

REACHES = "nc -z -w 3 {address} 22 2>/dev/null && echo open || echo closed"


def reached(session, address):
    """Whether a seat reaches another server, which no setting closes to it."""
    return session.run(REACHES.format(address=address)).strip() == "open"


def wait_reached(session, address, what):
    deadline = time.monotonic() + 30
    while not reached(session, address):
        expect(time.monotonic() < deadline, f"{what}: the seat does not reach {address}")


def wait_rules(host, expected, what):
    """The rules are there while the course is up and in the exam."""
    host.wait_until(("" if expected else "! ") + "nft list table bridge coursenet 2>/dev/null | grep -q vl-123", timeout=60, what=what)


def wait_known(host, what):
    host.wait_until(f"test -e {FILE}", timeout=60, what=what)


def start(host, *words):
    return host.run(["coursenetctl", "exam", "start", COURSE, *words], check=False)


def end(members, host):
    """Ends the exam on one member, and waits until all know of it."""
    host.run(["coursenetctl", "exam", "stop", COURSE], check=False)
    for each in members.hosts.values():
        each.wait_until(f"! test -e {FILE}", timeout=60, what=f"{each.name} knows that the exam has ended")


@case("an exam that is begun on one server cuts the seats of all, a change is everywhere at once, and its end on a third one ends it everywhere", suites=ONE_SUITE)
@with_members
def everywhere(members):
    sessions = {"hosta": log_in(members.a, STUDENTS[0], 10), "hostb": log_in(members.b, STUDENTS[1], 10)}
    other = {"hosta": UNDERLAY["hostb"], "hostb": UNDERLAY["hosta"]}
    for name, session in sessions.items():
        wait_reached(session, other[name], "before the exam")
    began = time.monotonic()
    said = start(members.a, "--until", "+1h")
    members.guest.log(f"the exam was in force everywhere after {time.monotonic() - began:.2f} s")
    expect_in("It is in force on all servers that share the course", said.stdout + said.stderr, "what the command says")
    expect_equal(said.returncode, 0, "the status of the command")
    for name, session in sessions.items():
        expect(not reached(session, other[name]), f"the seat on {name} reaches the other server in the exam")
    # With an address that is allowed it is another exam.
    said = start(members.c, "--until", "+1h", "--allow", f"{UNDERLAY['hosta']}:22/tcp")
    expect_in("on all servers", said.stdout + said.stderr, "what the command says of the change")
    expect(reached(sessions["hostb"], UNDERLAY["hosta"]), "the seat on hostb does not reach what the changed exam allows")
    for host in members.hosts.values():
        expect_in(f"{UNDERLAY['hosta']}:22/tcp", host.run("coursenetctl exam list").stdout, f"the exams on {host.name}")
        host.wait_until("coursenetctl exam list | grep -q '3 of 3'", timeout=30, what=f"{host.name} knows that all have it")
    said = members.c.run(["coursenetctl", "exam", "stop", COURSE], check=False)
    expect_in("It has ended on all servers", said.stdout + said.stderr, "what the command says")
    for host in members.hosts.values():
        expect_in("No course is in an exam", host.run("coursenetctl exam list").stdout, f"the exams on {host.name}")
        wait_rules(host, False, f"the rules are gone on {host.name}")
    for name, session in sessions.items():
        wait_reached(session, other[name], "after the exam")
        session.close()


@case("an exam reaches a server that was cut off when it is back, and one that is begun there reaches the others then", suites=ONE_SUITE)
@with_members
def cut_off(members):
    session = log_in(members.c, STUDENTS[2], 10)
    # The command does not wait as long as the other two may need to agree on a new leader.
    members.make_leader("hosta")
    with members.cut("hostc"):
        said = start(members.a)
        expect_in("hostc", said.stdout + said.stderr, "who does not have the exam yet")
        expect_not_in("all servers", said.stdout, "what the command says")
        wait_known(members.b, "hostb has the exam")
        for host in (members.a, members.b):
            host.wait_until("coursenetctl exam list | grep -q '2 of 3, not on hostc'", timeout=30, what=f"{host.name} knows who has the exam")
        [exam] = schema.parse("exam-list", members.a.run("coursenetctl exam list --json").stdout)["exams"]
        expect_equal((exam["members"]["n_applied"], [each["host"] for each in exam["members"]["missing"]]), (2, ["hostc"]), "who has the exam")
        members.c.wait_until(f"test $(cat /run/coursenet/hosts/deadline) -lt $(awk '{{printf \"%.0f\", $1 * 1000000}}' /proc/uptime)",
                             timeout=CLAIM_TIME + 10, what="hostc is cut off")
        members.heal("hostc")
        wait_rules(members.c, True, "the exam is in force on hostc")
        expect_in("in an exam", members.c.journal(unit="coursenet-hosts"), "the journal of hostc")
        members.a.wait_until("coursenetctl exam list | grep -q '3 of 3'", timeout=30, what="hosta knows that hostc has the exam")
    members.wait_joined()
    end(members, members.b)
    wait_rules(members.c, False, "the rules are gone on hostc")
    # The other way round: it holds there at once.
    with members.cut("hostc"):
        said = start(members.c)
        expect_in("The exam is in force on this server ONLY", said.stdout + said.stderr, "what the command says")
        expect_equal(said.returncode, 1, "the status of the command")
        wait_rules(members.c, True, "the exam is in force on hostc")
        members.heal("hostc")
        for host in (members.a, members.b):
            wait_known(host, f"{host.name} has the exam")
    members.wait_joined()
    end(members, members.a)
    session.close()


@case("a server that boots in the middle of an exam has it before the first seat of the course is up", suites=ONE_SUITE)
@with_members
def boots(members):
    members.crash("hosta")
    said = start(members.b)
    # If hosta led the store, the exam may reach the store after the command's answer only.
    expect_not_in("all servers", said.stdout, "what the command says")
    wait_known(members.c, "hostc has the exam")
    members.boot_again("hosta")
    session = log_in(members.a, STUDENTS[3], 60)
    expect(not reached(session, UNDERLAY["hostb"]), "the first seat reaches the server in the exam")
    session.close()
    end(members, members.b)


@case("check and hosts say that a roster or a setting of a shared course is not that of another server, until it is", suites=ONE_SUITE)
@with_members
def differ(members):
    def findings(host):
        return host.run("coursenetctl check", check=False).stdout

    for host in members.hosts.values():
        host.wait_until("! coursenetctl check | grep -q 'here is not that of'", timeout=30, what=f"{host.name} has the same files as the others")
    members.b.run(f"cp -p {ROSTER} /run/roster; coursenetctl roster add {COURSE} latecomer")
    members.a.wait_until(f"coursenetctl check | grep -q 'course {COURSE}: the roster here is not that of hostb, which is newer'", timeout=30)
    expect_in(f"course {COURSE}: the roster here is not that of hosta", findings(members.b), "what check says there")
    expect_in(f"roster of course {COURSE} differs", members.a.run("coursenetctl hosts").stdout, "what hosts says")
    members.b.run(f"cp -p /run/roster {ROSTER}")
    members.b.run(f"cp -p {SETTINGS} /run/settings; sed -i 's/^\\[course 123\\]$/&\\nisolation = seat/' {SETTINGS}")
    members.c.wait_until(f"coursenetctl check | grep -q 'course {COURSE}: the settings here are not those of hostb'", timeout=30)
    expect_not_in("the roster here is not", findings(members.c), "what check says of the roster")
    members.b.run(f"cp -p /run/settings {SETTINGS}")
    for name in NAMES:
        members.hosts[name].wait_until("! coursenetctl check | grep -Eq 'here (is|are) not th'", timeout=30, what=f"nothing differs for {name}")
