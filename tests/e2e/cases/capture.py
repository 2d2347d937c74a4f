"""coursenet-capture: the packets of a seat, for its student, its staff and root."""

import contextlib

from harness.case import ONE_SUITE, case, expect, expect_equal, expect_in, expect_status
from harness.guest import ssh_command
from helpers.network import seats_up
from helpers.seats import (ADDRESS, SEAT, SECOND, SECOND_ADDRESS, SECOND_SEAT, STUDENT, drop_in, expect_nothing_failed,
                           set_up_class, wait_gone)
from helpers.settings import with_settings

GATEWAY = "10.0.123.1"
# The header of a pcap file: once it is there, the capture is under way.
HEADER_SIZE = 24
SERVERS = "systemctl list-units --plain --no-legend 'coursenet-capture@*'"


class Capture:
    """A capture by a user into a file of root's."""

    number = 0

    def __init__(self, guest, user, *words):
        Capture.number += 1
        self.guest = guest
        self.file = f"/tmp/capture-{Capture.number}"
        guest.run(["rm", "-f", self.file])
        line = f'exec setpriv --reuid={user} --regid={user} --init-groups coursenet-capture "$@" >{self.file}'
        self.process = guest.popen(["sh", "-c", line, "sh", *words])

    def wait_begun(self):
        self.guest.wait_until(f"test $(stat -c %s {self.file} || echo 0) -ge {HEADER_SIZE}", what="the capture is under way")
        return self

    def stop(self):
        """Ends it as Ctrl-C does; returns what it says."""
        self.process.kill_in_guest(2)
        return self.end()

    def end(self):
        return self.process.wait_output().stderr

    def packets(self, *filter_words):
        return packets(self.guest, self.file, *filter_words)


def packets(guest, file, *filter_words):
    return guest.run(["tcpdump", "-n", "-r", file, *filter_words]).stdout.splitlines()


def attempt(guest, user, *words):
    """A capture that should not begin."""
    return guest.run(["sh", "-c", 'timeout 20 coursenet-capture "$@" | cat', "sh", *words], user=user, check=False)


def expect_refused(guest, user, words, part):
    result = attempt(guest, user, *words)
    expect_equal(result.stdout, "", f"what {user} gets of {words}")
    expect_in(part, result.stderr, f"what {user} is told about {words}")
    expect_equal(len(result.stderr.splitlines()), 1, f"the lines of {result.stderr!r}")


def wait_no_server(guest):
    guest.wait_until(f"! {SERVERS} | grep -q .", what="no capture is under way")


@contextlib.contextmanager
def staff(guest):
    guest.add_user("capture-staff")
    yield "capture-staff"


@case("a student captures their own seat over ssh: both directions, and no packet of a neighbour")
@with_settings("[course 123]\ncapture = own\n")
def own_seat(guest):
    session = guest.ssh_popen(STUDENT)
    neighbour = guest.ssh_popen(SECOND)
    command = ssh_command(STUDENT, False, ()) + ["coursenet-capture -- icmp"]
    shown = guest.popen(["sh", "-c", '"$@" | tcpdump -l -n -r - -c 2 2>/tmp/capture-begun', "sh", *command])
    guest.wait_until("grep -q 'reading from file' /tmp/capture-begun", what="the capture over ssh is under way")
    capture = Capture(guest, STUDENT, SEAT).wait_begun()
    rounds = []

    def ping_both():
        neighbour.run(f"ping -c 1 -W 5 {GATEWAY}")
        rounds.append(session.run(f"ping -c 1 -W 5 {GATEWAY}"))
        return shown.poll() is not None

    # ssh sees at the next packet that tcpdump has ended.
    guest.wait_until(ping_both, what="the capture over ssh ends with its reader")
    lines = shown.wait_output().stdout.splitlines()
    expect_equal(len(lines), 2, f"the number of packets in {lines}")
    expect_in(f"{ADDRESS} > {GATEWAY}: ICMP echo request", lines[0], "the first packet over ssh")
    expect_in(f"{GATEWAY} > {ADDRESS}: ICMP echo reply", lines[1], "the second packet")

    said = capture.stop()
    expect_in("packets; none was lost", said, "the end")
    expect_equal(len(capture.packets("icmp")), 2 * len(rounds), f"the packets in the file of {said}")
    expect_equal(capture.packets("icmp", "and", "host", SECOND_ADDRESS), [], "the neighbour's packets")
    wait_no_server(guest)
    session.close()
    neighbour.close()
    wait_gone(guest)
    expect_nothing_failed(guest)


@case("nobody captures a seat without the right to, and a filter or an option with a mistake says so", suites=ONE_SUITE)
def refused(guest):
    with seats_up(guest, SEAT, SECOND_SEAT), staff(guest) as teacher:
        expect_refused(guest, STUDENT, (), "Course 123 does not let its students capture")
        with_settings(f"[course 123]\ncapture = own\nstaff = {teacher}\n")(refused_with_own)(guest)
        with_settings(f"[course 123]\ncapture = staff\nstaff = {teacher}\n")(refused_with_staff)(guest)
        expect_equal(guest.run(SERVERS).stdout, "", "the servers")
        denied = guest.run(["python3", "-c", CONNECT], user=STUDENT, check=False)
        expect_in("PermissionError", denied.stderr, "a connection to the service itself")


CONNECT = "import socket; socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET).connect('/run/coursenet/capture.sock')"


def refused_with_own(guest):
    for word in (SECOND_SEAT, SECOND, "37710", "12399"):
        expect_refused(guest, STUDENT, (word,), "Only root, the course's staff")
    expect_refused(guest, "capture-staff", (SEAT,), "Course 123 does not let its staff capture")
    expect_refused(guest, "alice", (SEAT,), "Only root, the course's staff")
    expect_refused(guest, "alice", (), "alice is not a course user")
    expect_refused(guest, STUDENT, ("--", "port", "http-"), "The filter 'port http-' is wrong")
    for words in (("-x",), ("-s", "0"), ("-s", "65536"), (SEAT, SEAT), (SEAT, "--")):
        result = attempt(guest, STUDENT, *words)
        expect_in("Usage: coursenet-capture", result.stderr, f"what it says of {words}")
    terminal = guest.run("script -qec coursenet-capture /dev/null", user=STUDENT, check=False)
    expect_status(terminal, 2, "a capture on a terminal")
    expect_in("wireshark -k -i -", terminal.stdout, "what it says")


def refused_with_staff(guest):
    expect_refused(guest, STUDENT, (), "Course 123 does not let its students capture")
    expect_refused(guest, "capture-staff", ("37710",), "Only root, the course's staff")


@case("staff capture a seat of their course; the student is told, and the log has both names", suites=ONE_SUITE)
@with_settings("[course 123]\ncapture = staff\nstaff = capture-staff\n")
def by_staff(guest):
    with staff(guest) as teacher:
        expect_refused(guest, teacher, (STUDENT,), "the seat is not up")
        session = guest.ssh_popen(STUDENT, tty=True)
        since = guest.journal_position()
        capture = Capture(guest, teacher, STUDENT, "--", "icmp").wait_begun()
        session.read_until(f"{teacher} captures the packets of your seat {SEAT}, with coursenet-capture")
        session.run(f"ping -c 1 -W 5 {GATEWAY}")
        expect_in(" 2 packets; none was lost", " " + capture.stop().removeprefix("coursenet-capture:"), "the end")
        expect_equal(len(capture.packets()), 2, "the packets")
        guest.run("journalctl --sync")
        expect_in(f"{teacher} captures the packets of seat {SEAT} of {STUDENT}", guest.journal(since=since), "the log")
        expect_in("Subject: Somebody captures the packets of a seat", guest.run("journalctl -x -n 200").stdout, "journalctl -x")
        session.close()
    wait_gone(guest)


@case("a capture ends with its seat, at its limits and with its program; a user has two at a time", suites=ONE_SUITE)
@with_settings("[course 123]\ncapture = own\n")
def ends(guest):
    with seats_up(guest, SEAT):
        first, second = (Capture(guest, STUDENT).wait_begun() for _ in range(2))
        expect_refused(guest, STUDENT, (), "you have 2 captures already")
        # The activator has nothing to remember.
        guest.run("systemctl restart coursenet-activator.service")
        expect_refused(guest, STUDENT, (), "you have 2 captures already")
        first.process.kill_in_guest()
        first.process.wait()
        guest.wait_until(f"test $({SERVERS} | wc -l) -eq 1", what="the server of the killed program has ended")
        third = Capture(guest, STUDENT, "--", "icmp").wait_begun()
        guest.run(["coursenetctl", "stop", SEAT])
        for capture in (second, third):
            expect_in("The seat has stopped.", capture.end(), "what a capture says")
            expect_equal(capture.process.returncode, 0, "its status")
    server = "ExecStart=\nExecStart=/usr/libexec/coursenet/coursenet-capture-server"
    with seats_up(guest, SEAT):
        with drop_in(guest, "coursenet-capture@", f"{server} --seconds 1 --bytes 1000000"):
            expect_in("Its time is over.", Capture(guest, STUDENT).end(), "what a long capture says")
        with drop_in(guest, "coursenet-capture@", f"{server} --seconds 60 --bytes 300"):
            capture = Capture(guest, STUDENT).wait_begun()
            guest.run(["ip", "netns", "exec", f"ns{SEAT}", "ping", "-c", "5", "-i", "0.1", GATEWAY])
            expect_in("It has reached its greatest size.", capture.end(), "what a big capture says")
    wait_no_server(guest)
    expect_nothing_failed(guest)


@case("a slow reader of a capture loses packets, and slows nobody down", suites=ONE_SUITE)
@with_settings("[course 123]\ncapture = own\n")
def slow_reader(guest):
    with seats_up(guest, SEAT):
        file, gate = "/tmp/capture-of-slow-reader", "/tmp/gate-of-slow-reader"
        guest.run(["rm", "-f", file, gate])
        slowly = f"head -c {HEADER_SIZE} >{file}; until test -e {gate}; do sleep 0.05; done; cat >>{file}"
        reader = guest.popen(["sh", "-c", 'coursenet-capture | sh -c "$1"', "sh", slowly], user=STUDENT)
        guest.wait_until(f"test $(stat -c %s {file} || echo 0) -eq {HEADER_SIZE}", what="the capture is under way")
        # More than the ring and the socket hold.
        flood = guest.run(["ip", "netns", "exec", f"ns{SEAT}", "ping", "-q", "-f", "-c", "3000", "-s", "1400", GATEWAY]).stdout
        expect_in("3000 packets transmitted, 3000 received", flood, "the seat's own traffic")
        guest.run(f"touch {gate}; pkill -INT -u {STUDENT} -f ^coursenet-capture")
        said = reader.wait_output().stderr
        expect_in("more were lost, because they were not read in time", said, "the end")
        expect(len(packets(guest, file, "icmp")) > 500, "the capture has less than 500 packets")
    wait_no_server(guest)
