"""One address is live on one server, and stays so, whatever happens to the servers, their programs and the store."""

import json
import random
import time

from harness.case import ONE_SUITE, THOROUGH, case, expect, expect_equal, expect_failure, expect_in
from helpers.hosts import CLAIM_TIME, NAMES, STUDENTS, Links, log_in, members_of, try_in, with_members
from helpers.ping import Ping

AWAY, BACK = "lost contact with the others", "has contact with the others again"


def leave_and_return(members, kind, seconds):
    """The store answers nobody for so long: kind is kill, or freeze, of all its servers."""
    # systemd would start it again, and a stop in good order takes seconds, because each server looks for a new leader.
    members.run_all("systemctl kill --signal=KILL etcd; systemctl stop etcd" if kind == "kill" else "systemctl kill --signal=STOP etcd")
    # This is the time for which it is away, and nothing is waited for.
    members.a.run(f"sleep {seconds}")
    members.run_all("systemctl start etcd" if kind == "kill" else "systemctl kill --signal=CONT etcd")


@case("the store is away for more than half of claim-time, from just before a renewal, and no seat is disturbed", suites=ONE_SUITE)
@with_members
def away_shortly(members):
    first, second = log_in(members.a, STUDENTS[0], 30), log_in(members.b, STUDENTS[1], 30)
    # A store that was killed is away for the time of its start in addition.
    for kind, seconds in (("freeze", CLAIM_TIME * 0.55), ("kill", CLAIM_TIME * 0.1)):
        since = members.watch.now()
        ping = Ping(second, "10.0.123.10")
        members.wait_before_renewal("hosta")
        leave_and_return(members, kind, seconds)
        members.wait_renewed()
        expect_equal(members.watch.lines(since), [], f"what the watch saw after the {kind}")
        expect_equal(ping.end(), [], f"the pings without an answer after the {kind}")
    for each in (first, second):
        each.close()


@case("the leader of the store is killed, and no seat is disturbed", suites=ONE_SUITE)
@with_members
def without_leader(members):
    first, second = log_in(members.a, STUDENTS[0], 30), log_in(members.b, STUDENTS[1], 30)
    since = members.watch.now()
    ping = Ping(second, "10.0.123.10")
    for _ in range(2):
        leader = members.leader()
        members.wait_before_renewal(leader)
        members.hosts[leader].run("systemctl kill --signal=KILL etcd")
        members.wait_renewed()
        members.hosts[leader].run("systemctl start etcd")
    expect_equal(members.watch.lines(since), [], "what the watch saw")
    expect_equal(ping.end(), [], "the pings without an answer")
    for each in (first, second):
        each.close()


@case("the store is away for longer than claim-time: all seats leave the network and are back by themselves, and students read of both", suites=ONE_SUITE)
@with_members
def away_long(members):
    places = dict(zip(("hosta", "hostb", "hostc"), ("12310", "12311", "12312")))
    for kind in ("freeze", "kill"):
        sessions = [log_in(members.hosts[name], STUDENTS[number], 30, tty=True) for number, name in enumerate(places)]
        for session in sessions:
            session.send("sleep 1000 & echo $! >~/stays\n")
        since = members.watch.now()
        leave_and_return(members, kind, CLAIM_TIME * 1.5)
        for name, seat in places.items():
            off = members.watch.wait(f"{name} {seat} down", since)
            back = members.watch.wait(f"{name} {seat} up", since)
            expect(back > off, f"seat {seat} has left the network after it was back")
        for session in sessions:
            session.read_until(AWAY)
            session.read_until(BACK)
            session.run("kill -0 $(cat ~/stays)")
            expect_equal(session.status, 0, "the status of a look for the process that was started before")
            session.run("ping -c 1 -W 5 10.0.123.1")
            expect_equal(session.status, 0, "the status of a ping to the course's gateway")
            session.close()


ROUNDS = 20 if THOROUGH else 6
# Within such a time, a login has come to the claim on one member and not yet on another, or on both.
JITTER = 0.15


def seeded(members):
    """A generator of random numbers, whose seed the log has."""
    seed = random.SystemRandom().randrange(1 << 32)
    members.guest.log(f"the seed is {seed}")
    return random.Random(seed)


def try_at_once(members, user, delays):
    """The user logs in on several members, each after its delay; returns for each member what try_in() gives."""
    def attempt(name):
        time.sleep(delays[name])
        return try_in(members.hosts[name], user)
    return dict(zip(delays, members.each(attempt, list(delays))))


@case("a student who logs in on two or three servers at the same moment gets the seat on one, and reads on the others where it is", suites=ONE_SUITE)
@with_members
def at_once(members):
    chance, user, seat = seeded(members), STUDENTS[10], "12320"
    for number in range(ROUNDS):
        names = chance.sample(NAMES, 2 + number % 2)
        outcome = try_at_once(members, user, {name: chance.uniform(0, JITTER) for name in names})
        winners = [name for name, (session, _) in outcome.items() if session]
        expect_equal(len(winners), 1, f"the number of servers with a login in round {number} ({outcome})")
        for name in set(names) - set(winners):
            expect_in(f"Your seat has been in use on {winners[0]} since", outcome[name][1], f"what the student reads on {name} in round {number}")
        expect_equal(members.claim(seat), winners[0], "who has the claim")
        members.watch.wait_where(seat, winners)
        outcome[winners[0]][0].close()
        members.wait_free(seat)


KILLED = ("coursenet-hosts", "coursenet-activator")
# The steps of a login, each with what shows that it has come so far.
STEPS = (
    ("the activator has the request", "grep -q ' 03 *[0-9]* /run/coursenet/activator.sock' /proc/net/unix"),
    ("the claim is noted", "test -e /run/coursenet/hosts/claims/{seat}"),
    ("the cable is there", "test -e /sys/class/net/vl-{seat}"),
)
KILL_AT_STEP = """
    # 0 while it starts again after the last round, and kill would take that for this script.
    until pid=$(systemctl show --property MainPID --value {unit}); test "$pid" -gt 0; do sleep 0.01; done
    tries=0
    until {step}; do
        tries=$((tries + 1)); test $tries -lt 2000 || exit 1
        sleep 0.01
    done
    sleep {delay:.3f}
    kill -KILL $pid
"""
# The connection breaks: nobody asks again for the seat, or gives it back.
BREAK = "pkill -KILL -f '^sshd(-session)?: {user}'"
# What a student reads who is not let in.
SENTENCES = ("Your seat has been in use on", "cannot be reached at the moment", "lost contact with the others", "Please try again")


def log_in_and_kill(members, user, silent, script):
    """The user logs in on hosta, where the script kills a program meanwhile; what try_in() gives. silent: the store is, until then."""
    def kill():
        members.a.run(script)
        if silent:
            members.run_all("systemctl kill --signal=CONT etcd")

    if silent:
        members.run_all("systemctl kill --signal=STOP etcd")
    steps = {"login": lambda: try_in(members.a, user), "kill": kill}
    return members.each(lambda step: steps[step](), list(steps))[0]


@case("coursenet-hosts or the activator is killed in the middle of a login: the student has the seat or reads why not, and nothing stays",
      suites=ONE_SUITE)
@with_members
def killed_in_login(members):
    chance, user, seat = seeded(members), STUDENTS[11], "12321"
    for number in range(ROUNDS):
        unit, (step, shown), delay = chance.choice(KILLED), STEPS[number % len(STEPS)], chance.uniform(0, 0.1)
        silent = shown == STEPS[0][1] and chance.random() < 0.7
        breaks = chance.random() < 0.3
        what = (f"round {number}: {unit} is killed {delay:.3f} s after {step}" + (", while the store is silent" if silent else "")
                + (", and the connection breaks" if breaks else ""))
        script = KILL_AT_STEP.format(unit=unit, step=shown.format(seat=seat), delay=delay) + (BREAK.format(user=user) if breaks else "")
        session, said = log_in_and_kill(members, user, silent, script)
        if session:
            expect_equal(members.claim(seat), "hosta", f"{what}; who has the claim")
            members.watch.wait_where(seat, ["hosta"])
            session.close()
        elif not breaks:
            expect(any(sentence in said for sentence in SENTENCES), f"{what}; the student reads no reason:\n{said}")
        members.wait_free(seat, timeout=CLAIM_TIME + 10)
        log_in(members.b, user, 5).close()
        members.wait_free(seat)


@case("coursenet-hosts stands still for longer than claim-time: its seats leave the network before another server has them", suites=ONE_SUITE)
@with_members
def stands_still(members):
    taken, kept = STUDENTS[12], STUDENTS[13]
    sessions = [log_in(members.c, user, 30) for user in (taken, kept)]
    since = members.watch.now()
    # Otherwise systemd ends it after 10 s, and the next one goes on.
    members.c.run("systemctl service-watchdogs no; systemctl kill --signal=STOP --kill-whom=main coursenet-hosts")
    for seat in ("12322", "12323"):
        members.watch.wait(f"hostc {seat} down", since, timeout=CLAIM_TIME + 10)
    elsewhere = log_in(members.a, taken, 3 * CLAIM_TIME + 10)
    members.c.run("systemctl kill --signal=CONT --kill-whom=main coursenet-hosts; systemctl service-watchdogs yes")
    members.watch.wait("hostc 12323 up", since, timeout=60)
    members.c.wait_until("! test -e /sys/class/net/vl-12322", what="the seat that another server has ended here")
    expect_equal(members.watch.where("12322"), ["hosta"], "where the seat that was taken is live")
    expect_equal(members.watch.where("12323"), ["hostc"], "where the seat that was not taken is live")
    for each in (elsewhere, *sessions):
        each.close()
    for seat in ("12322", "12323"):
        members.wait_free(seat)


# A generous limit; the figure is in docs/architecture/hosts.md.
WINDOW = 5


@case("a server that was paused while another took a seat of it takes the seat off the network at once when it goes on", suites=ONE_SUITE)
def paused(guest):
    members = members_of(guest)
    user, seat = STUDENTS[14], "12324"
    session = log_in(members.c, user, 30)
    links = Links(members.c.init)
    with members.pause("hostc"):
        elsewhere = log_in(members.a, user, 4 * CLAIM_TIME + 10)
        began = time.time()
    window = links.wait_down(f"vl-{seat}", began) - began
    guest.log(f"the seat was live on two servers for {1000 * window:.0f} ms after the pause")
    expect(window < WINDOW, f"the seat was live on two servers for {window:.1f} s")
    members.watch.wait_where(seat, ["hosta"])
    for each in (session, elsewhere):
        each.close()
    members.wait_free(seat)


@case("a server of another version is named by hosts and check while seats and logins go on, also when it speaks another contract", suites=ONE_SUITE)
@with_members
def versions(members):
    user, other, unreadable = STUDENTS[15], STUDENTS[16], STUDENTS[17]
    session = log_in(members.a, user, 30)
    since = members.watch.now()
    for name in ("hostb", "hostc"):
        members.hosts[name].run("systemctl stop coursenet-hosts")
        value = {**json.loads(members.get(f"members/{name}")), "version": "99.1", "contract": 2, "unknown": [1, {}]}
        members.put(f"members/{name}", json.dumps(value))
        members.a.wait_until("coursenetctl hosts | grep -q 'speaks contract 2, this server 1'", what=f"hosts names the contract of {name}")
        checked = members.a.run("coursenetctl check", check=False)
        expect_failure(checked, "check beside a server of another contract")
        expect_in(f"member {name} speaks contract 2, and this server 1", checked.stdout + checked.stderr, "what check says")
        log_in(members.a, other, 5).close()
        members.hosts[name].run("systemctl start coursenet-hosts")
        members.a.wait_until("! coursenetctl hosts | grep -q contract", what=f"{name} has written its own key again")
        log_in(members.hosts[name], other, 10).close()
    for value in ("none", "[]", json.dumps({"host": "hostz", "user": unreadable, "since": "soon", "more": 1}), json.dumps({"user": unreadable})):
        members.put("claims/12327", value)
        tried = members.a.ssh(unreadable, "true", check=False)
        expect_failure(tried, f"a login while the claim is {value!r}")
        expect_equal(members.get("claims/12327"), value, "the claim that this version cannot read")
    members.remove("claims/12327")
    log_in(members.a, unreadable, 10).close()
    expect_equal([text for _, text in members.watch.lines(since) if "12325" in text], [], "what happened to the seat that was live")
    session.close()


GROUP_COURSE, GROUP = "125", "course125"
GROUP_SETTINGS = f"[course {GROUP_COURSE}]\nspread = yes\nsubnet6 = 2001:db8:125::/64\nroster-group = {GROUP}\n"


def set_group(members, names, students):
    """What the directory says: the group with these students, in another order on each server."""
    for number, name in enumerate(names):
        turned = students[number:] + students[:number]
        line = f"{GROUP}:x:39125:" + ",".join(f"cs{GROUP_COURSE}-{student}" for student in turned)
        members.hosts[name].run(f"sed -i '/^{GROUP}:/d' /etc/group; echo '{line}' >>/etc/group")


def sync(members, names):
    """Syncs on these servers at the same moment; returns the roster of the first one, after a look whether all are alike."""
    members.run_all(f"coursenetctl roster sync {GROUP_COURSE}", names)
    rosters = members.run_all(f"coursenetctl roster list {GROUP_COURSE} --json", names)
    tables = [{row["name"]: row["seat"] for row in json.loads(result.stdout)["students"]} for result in rosters]
    for name, table in zip(names, tables):
        expect_equal(table, tables[0], f"the roster of {name}")
    return tables[0]


@case("servers that sync a roster with a group at the same time give the same numbers, and so does one that comes later", suites=ONE_SUITE)
@with_members
def same_numbers(members):
    members.run_all("cp /etc/coursenet/coursenet.conf /run/before.conf")
    for name in NAMES:
        members.hosts[name].run("cat >>/etc/coursenet/coursenet.conf", input=GROUP_SETTINGS)
    set_group(members, NAMES, [f"group{number}" for number in range(9)])
    first = sync(members, NAMES[:2])
    expect_equal(len(set(first.values())), 9, "how many seats are given")
    expect_equal(sync(members, NAMES), first, "the roster when the third has come")
    set_group(members, NAMES, [f"group{number}" for number in range(1, 9)])
    sync(members, NAMES)
    set_group(members, NAMES, ["another", *(f"group{number}" for number in range(9))])
    last = sync(members, NAMES)
    expect_equal({student: last[student] for student in first}, first, "the seats of those who were there before")
    expect(last["another"] not in first.values(), f"the new student has a seat of another one: {last}")
    members.run_all("cp /run/before.conf /etc/coursenet/coursenet.conf")
