"""What commands on one server say of seats that are live on another one."""

import re

from harness.case import ONE_SUITE, case, expect, expect_equal, expect_in, expect_not_in, expect_status
from helpers import pictures, schema
from helpers.hosts import FAR, STUDENTS, with_members

HERE, THERE = STUDENTS[14:16]
SEAT = "12325"


@case("seat, status, start, release and stop of a seat that is live on another server say where, since when and what to do there", suites=ONE_SUITE)
@with_members
def elsewhere(members):
    session = members.b.ssh_popen(THERE)
    said = schema.parse("seat", members.a.run(f"coursenetctl seat --json {THERE}").stdout)
    expect_equal(said["live_on"], "hostb", "where the seat is live")
    expect_in("hostb since 20", " ".join(members.a.run(f"coursenetctl seat {SEAT}").stdout.split()), "what seat says")
    live = rf"Seat {SEAT} of {THERE} is live on hostb since 20[-0-9]+ [0-9:]+\. There: coursenetctl "
    for word in (THERE, SEAT):
        said = members.a.run(f"coursenetctl status {word}").stdout
        expect_equal(bool(re.match(f"{live}status {SEAT}\n$", said)), True, f"whether status says it: {said}")
        for command in ("stop", "release"):
            said = members.a.run(f"coursenetctl {command} {word}", check=False)
            expect_status(said, 1, command)
            expect_equal(bool(re.match(f"{live}{command} {SEAT}\n$", said.stderr)), True, f"whether {command} says it: {said.stderr}")
    said = members.a.run(f"coursenetctl start {SEAT}", check=False)
    expect_status(said, 1, "start")
    expect_in("The seat is live on hostb since", said.stderr, "what start says")
    expect_in(f"There: coursenetctl start {THERE}", said.stderr, "what start says")
    expect_equal(session.run("echo still here"), "still here", "the student's session")
    expect_in("1 lease ended", members.b.run(f"coursenetctl stop {SEAT}").stdout, "stop where the seat is live")
    members.b.wait_until(f"! ip link show vl-{SEAT}", what="the seat is down")
    members.a.wait_until(f"! coursenetctl seat {SEAT} | grep -q 'live on'", what="hosta knows that the seat is live nowhere")
    said = members.a.run(f"coursenetctl status {SEAT}").stdout
    expect_equal(said, "No such seat is up on this server.\n", "what status says then")


@case("status --hosts, graph --hosts and metrics of one server have the seats of all", suites=ONE_SUITE)
@with_members
def all_seats(members):
    sessions = [members.a.ssh_popen(HERE), members.b.ssh_popen(THERE)]
    seats = [(each["user"], each["host"]) for course in schema.parse("status", members.a.run("coursenetctl status --hosts --json").stdout)["courses"]
             for each in course["seats"]]
    expect_equal(sorted(each for each in seats if each[0] in (HERE, THERE)), [(HERE, "hosta"), (THERE, "hostb")], "who is where")
    lines = members.a.run("coursenetctl status --hosts").stdout.splitlines()
    expect_equal([line.split()[-1] for line in lines if THERE in line], ["hostb"], "the last column")
    expect_not_in(THERE, members.a.run("coursenetctl status").stdout, "status without --hosts")
    graph = members.a.run("coursenetctl graph --hosts").stdout
    pictures.svg(graph)
    for text in (HERE, THERE, "hostb"):
        expect_in(text, graph, "the picture")
    expect_not_in(THERE, members.a.run("coursenetctl graph").stdout, "the picture without --hosts")
    metrics = {name: value for name, value in pictures.samples(members.a.run("coursenetctl metrics").stdout).items() if name.startswith("coursenet_hosts")}
    expect(metrics.pop("coursenet_hosts_deadline_seconds") > 0, "the deadline is past")
    expect_equal(metrics, {"coursenet_hosts_up": 1, "coursenet_hosts_cut_off": 0, 'coursenet_hosts_members{state="up"}': 3,
                           'coursenet_hosts_members{state="down"}': 0, 'coursenet_hosts_members{state="drained"}': 0, 'coursenet_hosts_claims{host="hosta"}': 1,
                           'coursenet_hosts_claims{host="hostb"}': 1, 'coursenet_hosts_claims{host="hostc"}': 0}, "the metrics")
    members.c.run("coursenetctl drain hostc")
    members.a.wait_until("coursenetctl metrics | grep -qF 'coursenet_hosts_members{state=\"drained\"} 1'", what="the metrics have who is drained")
    members.c.run("coursenetctl undrain hostc")
    for session in sessions:
        session.close()
    members.a.wait_until("coursenetctl metrics | grep -qF 'coursenet_hosts_claims{host=\"hostb\"} 0'", what="the metrics have that the seats are gone")


@case("status --hosts shows staff the seats of their course on all servers, and nobody else those of others", suites=ONE_SUITE)
@with_members
def staff(members):
    sessions = [members.a.ssh_popen(HERE), members.b.ssh_popen(THERE), members.b.ssh_popen(FAR)]
    # This server's settings count. They are the same on all when the case ends.
    members.a.run("useradd prof; cp /etc/coursenet/coursenet.conf /run/before; "
                  "sed -i 's/^\\[course 123\\]/&\\nstaff = prof/' /etc/coursenet/coursenet.conf")
    try:
        members.a.wait_until(f"coursenetctl status --hosts | grep -q '{FAR}.* hostb$'", what="hosta knows of the seats on hostb")
        shown = schema.parse("status", members.a.run("runuser -u prof -- coursenetctl status --hosts --json").stdout)
        expect_equal([(course["course"], [(seat["user"], seat["host"]) for seat in course["seats"]]) for course in shown["courses"]],
                     [("123", [(HERE, "hosta"), (THERE, "hostb")])], "what staff see")
        lines = members.a.run("runuser -u prof -- coursenetctl status --hosts").stdout
        expect_equal([line.split()[-1] for line in lines.splitlines() if THERE in line], ["hostb"], "the last column")
        expect_not_in(FAR, lines, "what staff see of another course")
        said = members.a.run(f"runuser -u prof -- coursenetctl status --hosts {FAR}", check=False)
        expect_status(said, 1, "status of another course's student")
        expect_not_in("hostb", said.stdout + said.stderr, "what is said then")
        for user in (HERE, "nobody"):
            said = members.a.run(f"runuser -u {user} -- coursenetctl status --hosts", check=False)
            expect_status(said, 1, f"status --hosts by {user}")
            expect_in("Only root and the staff of a course", said.stderr, "its message")
    finally:
        members.a.run("cp /run/before /etc/coursenet/coursenet.conf")
    said = members.a.run("runuser -u prof -- coursenetctl status --hosts", check=False)
    expect_status(said, 1, "status --hosts by one who is staff no longer")
    for session in sessions:
        session.close()
    members.a.wait_until("coursenetctl metrics | grep -qF 'coursenet_hosts_claims{host=\"hostb\"} 0'", what="the seats are gone")
