"""What `coursenetctl` shows and tells an administrator, where that needs a running system."""

import json

from harness.case import ONE_SUITE, case, expect, expect_equal, expect_failure, expect_in, expect_not_in, expect_status
from helpers import pictures, schema
from helpers.leases import seat_status
from helpers.network import seats_up
from helpers.seats import ADDRESS, FAR_SEAT, SEAT, SECOND, SECOND_SEAT, STRANGER, STUDENT, set_up_class, wait_gone


@case("start, status, seat, check and stop print the JSON that the schemas describe, with the seat's real IPv6 address", suites=ONE_SUITE)
def documents(guest):
    set_up_class(guest)
    held = schema.parse("start", guest.run("coursenetctl start --json 123").stdout)["seats"]
    expect_equal([(each["seat"], each["held"], each["reason"]) for each in held],
                 [(SEAT, True, None), (SECOND_SEAT, True, None), ("12312", True, None)], "what start says")
    real = guest.run(f"ip -n ns{SEAT} -6 -br addr show scope global dev vr-{SEAT}").stdout.split()[2]
    expect_equal(seat_status(guest)["address6"], real, "the IPv6 address in status")
    expect_equal(schema.parse("seat", guest.run(f"coursenetctl seat --json {STUDENT}").stdout)["address6"], real,
                 "the IPv6 address in seat")
    sent = guest.run(f"cat /sys/class/net/vl-{SEAT}/statistics/rx_bytes").stdout
    guest.run(["ip", "netns", "exec", f"ns{SEAT}", "ping", "-c", "1", "-s", "1000", "10.0.123.1"])
    expect(seat_status(guest)["transmit_bytes"] > int(sent) + 1000, f"status has {seat_status(guest)['transmit_bytes']} bytes, before it were {sent}")
    guest.run(f"ip link set vl-{SEAT} down")
    said = guest.run("coursenetctl check --json", check=False)
    expect_status(said, 1, "check with a link that is down")
    [finding] = [each for each in schema.parse("check", said.stdout)["findings"] if each["file"] == f"vl-{SEAT}"]
    expect_equal((finding["severity"], finding["text"]), ("error", "is down"), "what check says of the link")
    expect_equal(finding["remedy"], f"the seat's next start corrects this (coursenetctl stop {SEAT} ends its logins)", "its remedy")
    expect_equal(schema.parse("stop", guest.run("coursenetctl stop --json 123").stdout)["n_ended"], 3, "what stop says")
    wait_gone(guest)


# A terminal of this size, which ends the command when it has shown the words.
ON_TERMINAL = r"""
import os, pty, signal, struct, sys, fcntl, termios
lines, words, *command = sys.argv[1:]
pid, fd = pty.fork()
if pid == 0:
    os.environ.update(TERM="xterm")
    os.execvp(command[0], command)
fcntl.ioctl(fd, termios.TIOCSWINSZ, struct.pack("HHHH", int(lines), 200, 0, 0))
shown = b""
while words.encode() not in shown.rsplit(b"\x1b[H", 1)[-1]:
    shown += os.read(fd, 4096)
os.write(fd, b"\x03")
while True:
    try:
        shown += os.read(fd, 4096)
    except OSError:
        break
sys.stdout.write(shown.decode())
sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
"""


def last_drawing(text):
    return text.rsplit("\x1b[H", 1)[1].replace("\x1b[K", "").replace("\x1b[J", "").replace("^C", "")


@case("status opens with the numbers of courses, seats, logins and holds, and --watch shows each seat's traffic until ^C", suites=ONE_SUITE)
def counts_and_watch(guest):
    set_up_class(guest)
    with seats_up(guest, "123"):
        session = guest.ssh_popen(STUDENT)
        session.run("true")
        lines = guest.run("coursenetctl status").stdout.splitlines()
        expect_equal(lines[0], "1 course, 3 seats; 1 login, 3 holds", "the first line of status")
        expect_in(seat_status(guest)["address6"], "\n".join(line for line in lines if STUDENT in line), "the lines of the student")
        expect_equal([line.split()[1] for line in guest.run("coursenetctl status --no-legend").stdout.splitlines()],
                     [SEAT, SEAT, SECOND_SEAT, "12312"], "the seats in status without its legend")
        before = int(guest.run(f"cat /sys/class/net/vl-{SEAT}/statistics/rx_bytes").stdout)
        session.run("ping -c 20 -i 0.01 -s 1400 10.0.123.1")
        sent = int(guest.run(f"cat /sys/class/net/vl-{SEAT}/statistics/rx_bytes").stdout)
        expect(sent - before > 20 * 1400, f"the seat has sent {sent - before} bytes")
        # The second drawing has rates.
        shown = guest.run(["python3", "-c", ON_TERMINAL, "24", " 0 ", "coursenetctl", "status", "--watch"])
        [row] = [line.split() for line in last_drawing(shown.stdout).splitlines() if line.startswith(SEAT)]
        expect_equal(row[1:4], [STUDENT, "up", "2"], "the seat's user, state and leases")
        expect(row[7].endswith("k") and float(row[7][:-1]) >= 28, f"what the seat has sent, for people: {row[7]}")
        small = guest.run(["python3", "-c", ON_TERMINAL, "5", " 0 ", "coursenetctl", "status", "--watch", "123"])
        expect_equal(len([line for line in last_drawing(small.stdout).splitlines() if line.startswith("123")]), 2,
                     "the seats on a terminal of five lines")
        expect_status(guest.run("coursenetctl status --watch", check=False), 2, "--watch without a terminal")
        session.close()
    wait_gone(guest)


SHOW = "import os, pty, sys; status = pty.spawn(sys.argv[1:]); sys.exit(os.waitstatus_to_exitcode(status))"


@case("start shows a bar on a terminal, a line for each seat that is refused, and an exit code; without a terminal or with NO_COLOR no bar", suites=ONE_SUITE)
def progress(guest):
    set_up_class(guest)
    command = ["python3", "-c", SHOW, "coursenetctl", "start", "123"]
    shown = guest.run(["env", "TERM=xterm", *command]).stdout
    for n in range(4):
        expect_in(f"] {n} of 3 seats\x1b[K", shown, "the bar")
    # The harness reads a carriage return as the end of a line.
    expect(shown.endswith("\n\x1b[K3 of 3 seats are up and held.\n"), f"the bar is left behind: {shown!r}")
    for plain in (["env", "TERM=xterm", "NO_COLOR=1", *command], ["env", "TERM=dumb", *command], ["coursenetctl", "start", "123"]):
        said = guest.run(plain)
        expect_equal((said.stdout.strip(), said.stderr), ("3 of 3 seats are up and held.", ""), f"what {plain} prints")
    guest.run("coursenetctl release 123")
    wait_gone(guest)
    guest.run(f"ip netns add ns{SEAT}; ln -sfn cs123-former /run/coursenet/owners/{SEAT}")
    try:
        said = guest.run(["env", "TERM=xterm", *command], check=False)
        expect_status(said, 1, "a start of which one seat is refused")
        expect_in(f"\n\x1b[Kcoursenetctl: {STUDENT}: the roster gives this user seat {SEAT}", said.stdout, "the line for that seat")
        expect_in("2 of 3 seats are up and held.", said.stdout, "the sum")
    finally:
        guest.run(f"ip netns delete ns{SEAT}; rm -f /run/coursenet/owners/{SEAT}; coursenetctl stop 123")
    wait_gone(guest)


@case("history takes the times of systemd.time(7) with --since and --until, also for staff", suites=ONE_SUITE)
def calendar(guest):
    set_up_class(guest)
    guest.ssh(STUDENT, "true")
    wait_gone(guest)
    guest.wait_until(lambda: "logout" in guest.run(f"coursenetctl history --json {SEAT}", check=False).stdout, what="the end is in the history")
    for words in (["--since", "yesterday"], ["--since", "1 hour ago"], ["--since", "-2h", "--until", "now"], ["--until", "tomorrow"],
                  ["--since", "2001-01-01"]):
        said = schema.parse("history", guest.run(["coursenetctl", "history", "--json", *words, SEAT]).stdout)
        expect(said["leases"], f"no lease with {words}")
    for words in (["--until", "yesterday"], ["--since", "tomorrow"], ["--since", "2001-01-01", "--until", "2001-01-02"]):
        said = guest.run(["coursenetctl", "history", *words, SEAT], check=False)
        expect_status(said, 1, f"history with {words}")
        expect_in(f"The journal has no lease of '{SEAT}'", said.stderr, f"what it says with {words}")
    for words in (["--since", "last wek"], ["--until", "2026-02-31 25:00"], ["--at", "2026-01-01", "--since", "yesterday"]):
        expect_status(guest.run(["coursenetctl", "history", *words], check=False), 2, f"history with {words}")
    before = guest.read("/etc/coursenet/coursenet.conf")
    guest.add_user("prof")
    guest.write("/etc/coursenet/coursenet.conf", before + "\n[course 123]\nstaff = prof\n")
    try:
        asked = ["coursenetctl", "history", "--json", "--since", "yesterday", "--until", "now", SEAT]
        expect(schema.parse("history", guest.run(asked, user="prof").stdout)["leases"], "no lease for staff")
        asked = ["coursenetctl", "history", "--json", "--until", "yesterday", SEAT]
        expect_equal(schema.parse("history", guest.run(asked, user="prof", check=False).stdout)["leases"], [], "what staff see of before")
    finally:
        guest.write("/etc/coursenet/coursenet.conf", before)


def logged(guest, since):
    """What coursenetctl has logged since then. With a match, journalctl of systemd 252 leaves out the first entry behind a cursor."""
    guest.run("journalctl --sync")
    entries = [json.loads(line) for line in guest.run(["journalctl", "-q", "-o", "json", f"--after-cursor={since}"]).stdout.splitlines()]
    return [entry for entry in entries if entry.get("MESSAGE_ID") == "50bbfa322fd34d98b9ee7cd0503d1541"]


@case("the log has the login behind sudo of who started, stopped or changed something, and journalctl explains it")
def who(guest):
    set_up_class(guest)
    guest.add_user("alice")
    uid = guest.run("id -u alice").stdout.strip()
    guest.write("/etc/sudoers.d/alice", "alice ALL=(root) NOPASSWD: ALL\n", mode=0o440)
    since = guest.journal_position()
    for command in (f"sudo coursenetctl start {SEAT}", "sudo -i coursenetctl roster add 377 latecomer", "sudo coursenetctl roster remove 377 latecomer",
                    f"sudo coursenetctl stop {SEAT}"):
        guest.ssh("alice", command)
    entries = logged(guest, since)
    expect_equal([entry["MESSAGE"] for entry in entries],
                 [f"start {SEAT} by alice (uid {uid}): 1 of 1 seat is up and held", f"roster add 377 by alice (uid {uid}): 1 seated",
                  f"roster remove 377 by alice (uid {uid}): 1 removed", f"stop {SEAT} by alice (uid {uid}): 1 lease ended"], "the log")
    # In a container, journald does not add what the kernel knows.
    expect_equal({(entry["COURSENET_LOGIN_USER"], entry["COURSENET_LOGIN_UID"], entry["_UID"]) for entry in entries}, {("alice", uid, "0")}, "who it was")
    # sudo's own variable does not count where the kernel knows better.
    since = guest.journal_position()
    guest.ssh("alice", f"sudo env SUDO_UID=0 coursenetctl stop {SEAT}")
    guest.run("systemd-run --quiet --wait coursenetctl stop 377")
    guest.run("coursenetctl roster import --dry-run 123 -", input="newcomer\n")
    expect_equal([entry["MESSAGE"].split(" by ")[1] for entry in logged(guest, since)],
                 [f"alice (uid {uid}): 0 leases ended", "root, outside of any login: 0 leases ended"], "the log of the rest")
    explained = guest.run(["journalctl", "-q", "-x", f"--after-cursor={since}"]).stdout
    expect_in("Subject: An administrator has run coursenetctl stop", explained, "journalctl -x")
    expect_in(f"alice with the uid {uid}", explained.replace("\n-- ", " "), "journalctl -x")
    expect_not_in("MESSAGE_ID", explained, "journalctl -x")
    wait_gone(guest)


@case("journalctl -x explains a mistake in a roster, a worker that is missing, a login that has a seat and one that is refused")
def explained(guest):
    set_up_class(guest)
    roster, own_roster = guest.read("/etc/coursenet/roster.d/377"), guest.read("/etc/coursenet/roster.d/123")
    since = guest.journal_position()
    try:
        guest.write("/etc/coursenet/roster.d/377", f"{roster}broken\n", mode=0o600)
        guest.run("systemctl stop coursenet-worker.socket coursenet-worker.service")
        guest.ssh(STUDENT, "true")
        guest.run("systemctl restart coursenet-wiring", check=False)
        guest.wait_until(lambda: "coursenet-worker cannot be asked" in guest.journal(since=since), what="the worker is missed")
        text = guest.run(["journalctl", "-q", "-x", f"--after-cursor={since}"]).stdout
        expect_in("Subject: coursenet-worker cannot be asked to make seats", text, "journalctl -x of the worker")
        expect_in("Subject: A file of coursenet's configuration has a mistake", text, "journalctl -x of the roster")
        expect_in(f"Subject: Seat {SEAT}: given to {STUDENT}", text, "journalctl -x of a login")

        guest.run("coursenetctl roster remove 123 newellz2")
        expect_failure(guest.ssh(STUDENT, "true", check=False), "a login without a seat")
        text = guest.run(["journalctl", "-q", "-x", f"--after-cursor={since}"]).stdout
        expect_in("Subject: A login is refused", text, "journalctl -x of a refused login")
    finally:
        guest.write("/etc/coursenet/roster.d/377", roster, mode=0o600)
        guest.write("/etc/coursenet/roster.d/123", own_roster, mode=0o600)
        guest.run("systemctl start coursenet-worker.socket coursenet-worker.service")
    wait_gone(guest)


@case("completion offers root what is up for stop and all of the rosters for start, and users the seats that are up, without names", suites=ONE_SUITE)
def completion(guest):
    set_up_class(guest)
    def offered(user, *line):
        return [each.split("\t")[0] for each in guest.run(["coursenetctl", "complete", *line], user=user).stdout.splitlines()]
    with seats_up(guest, SEAT):
        expect_equal(offered("root", "stop", ""), ["123", STUDENT, SEAT], "what stop offers")
        expect_equal(offered("root", "start", "377"), ["377", FAR_SEAT], "what start offers")
        for user in ("alice", STUDENT):
            expect_equal(sorted(offered(user, "stop", "")), ["123", SEAT], f"what stop offers {user}")
            expect_equal(offered(user, "roster", "remove", "123", ""), [], f"the students, as {user} sees them")
            expect_equal(offered(user, "st"), ["status", "start", "stop"], f"the commands, as {user} sees them")
    guest.run("bash -c '. /usr/share/bash-completion/completions/coursenetctl && complete -p coursenetctl'")
    wait_gone(guest)


def metrics(guest):
    return pictures.samples(guest.run("coursenetctl metrics").stdout)


@case("metrics have seats, leases, traffic and logins, count each login once, also when the journal is emptied, and a timer writes them", suites=ONE_SUITE)
def numbers(guest):
    set_up_class(guest)
    guest.run("rm -f /var/lib/coursenet/logins.json")
    before = metrics(guest)
    logins = before.get('coursenet_logins_total{course="123"}', 0)
    with seats_up(guest, SECOND_SEAT):
        session = guest.ssh_popen(STUDENT)
        session.run("ping -c 5 -i 0.01 -s 1400 10.0.123.1")
        now = metrics(guest)
        expect_equal({name: now[name] for name in ('coursenet_seats{course="123",state="up"}', 'coursenet_seats{course="377",state="up"}',
                                                   'coursenet_leases{course="123",service="sshd"}', 'coursenet_leases{course="123",service="hold"}',
                                                   "coursenet_activator_up")},
                     {'coursenet_seats{course="123",state="up"}': 2, 'coursenet_seats{course="377",state="up"}': 0,
                      'coursenet_leases{course="123",service="sshd"}': 1, 'coursenet_leases{course="123",service="hold"}': 1,
                      "coursenet_activator_up": 1}, "seats and leases")
        sent = now[f'coursenet_seat_transmit_bytes_total{{course="123",seat="{SEAT}"}}']
        expect(sent > 5 * 1400, f"the seat has sent {sent} bytes")
        expect(0 < now["coursenet_activator_resident_bytes"] < 2**28, f"the activator has {now['coursenet_activator_resident_bytes']} bytes")
        expect_equal(now['coursenet_logins_total{course="123"}'], logins + 1, "the logins; a hold is none")
        count = now["coursenet_seat_start_seconds_count"]
        expect_equal((count - before["coursenet_seat_start_seconds_count"], now['coursenet_seat_start_seconds_bucket{le="+Inf"}']), (1, count),
                     "the starts in the histogram")
        expect(0 < now["coursenet_seat_start_seconds_sum"] - before["coursenet_seat_start_seconds_sum"] < 20, "how long the start took")
        for user in (STUDENT, SECOND):
            guest.ssh(user, "true")
        later = metrics(guest)
        expect_equal((later['coursenet_logins_total{course="123"}'], later["coursenet_seat_start_seconds_count"]), (logins + 3, count),
                     "logins, and starts, after logins to a seat that a login has and to one that is held")
        logins += 2
        session.close()
    wait_gone(guest)
    guest.run("journalctl --sync; journalctl -q --rotate; journalctl -q --vacuum-size=1 --vacuum-files=1")
    guest.ssh(STUDENT, "true")
    guest.run("journalctl --sync")
    expect_equal([metrics(guest)['coursenet_logins_total{course="123"}'] for _ in range(2)], [logins + 2] * 2, "the logins after the journal was emptied")

    guest.run("systemctl start coursenet-metrics.service")
    expect_status(guest.run("test -e /var/lib/prometheus", check=False), 1, "the folder of a server without node_exporter")
    guest.run("mkdir -p /var/lib/prometheus/node-exporter")
    try:
        guest.run("systemctl start coursenet-metrics.service")
        expect_equal(guest.run("ls /var/lib/prometheus/node-exporter").stdout, "coursenet.prom\n", "the files for node_exporter")
        written = guest.run("stat -c %a /var/lib/prometheus/node-exporter/coursenet.prom; cat /var/lib/prometheus/node-exporter/coursenet.prom").stdout
        expect_equal(written.split("\n", 1)[0], "644", "the mode of the file")
        expect_equal(pictures.samples(written.split("\n", 1)[1])['coursenet_logins_total{course="123"}'], logins + 2, "the logins in the file")
        guest.run("systemctl stop coursenet-activator.socket coursenet-query.socket coursenet-activator.service")
        guest.run("systemctl start coursenet-metrics.service")
        expect_in("coursenet_activator_up 0\n", guest.read("/var/lib/prometheus/node-exporter/coursenet.prom"), "the file without an activator")
    finally:
        guest.run("systemctl start coursenet-activator.socket coursenet-query.socket; rm -r /var/lib/prometheus")
    expect_status(guest.run("coursenetctl metrics", user="alice", check=False), 1, "metrics for a user")
    wait_gone(guest)


def refusals(guest):
    guest.run("journalctl --sync")
    found = metrics(guest)
    return {name.split('"')[1]: number for name, number in found.items() if name.startswith("coursenet_refusals_total")}, \
        found["coursenet_seat_start_seconds_count"]


@case("each refused login is counted once, by its reason, also when the activator is not there, and is no start of a seat", suites=ONE_SUITE)
def refused(guest):
    set_up_class(guest)
    settings = guest.read("/etc/coursenet/coursenet.conf")
    before, starts = refusals(guest)
    expect("other" in before and "limit" in before, f"the reasons before any refusal: {sorted(before)}")
    expected = dict(before)

    def refuse(reason, user=STUDENT):
        since = guest.journal_position()
        expect_failure(guest.ssh(user, "true", check=False), f"a login that is refused because of {reason}")
        expected[reason] += 1
        expect_equal(refusals(guest), (expected, starts), f"the refusals after one because of {reason}")
        text = guest.run(["journalctl", "-q", "-x", f"--after-cursor={since}"]).stdout
        expect_in("Subject: A login is refused", text, f"journalctl -x after one because of {reason}")

    try:
        refuse("not-in-roster", STRANGER)
        guest.run(f"systemctl mask --runtime nsbr@{SEAT}")
        refuse("start-failed")
        guest.run(f"systemctl unmask --runtime nsbr@{SEAT}")
        guest.write("/etc/coursenet/coursenet.conf", f"{settings}\nno-such-setting = 1\n")
        refuse("settings")
        guest.write("/etc/coursenet/coursenet.conf", settings)
        guest.run("systemctl stop coursenet-activator.socket coursenet-query.socket coursenet-activator.service")
        refuse("no-activator")
        guest.run(["runuser", "-u", "nobody", "--", "logger", "--priority", "auth.err", f"pam_coursenet(sshd:session): {STUDENT}: refused"])
        expect_equal(refusals(guest), (expected, starts), "the refusals after another user's message")
    finally:
        guest.run(f"systemctl unmask --runtime nsbr@{SEAT}; systemctl start coursenet-activator.socket coursenet-query.socket")
        guest.write("/etc/coursenet/coursenet.conf", settings)
    wait_gone(guest)


@case("graph is a picture that Graphviz draws, with the uplink and what is masqueraded there, the bridges, the seats and who is in them", suites=ONE_SUITE)
def picture(guest):
    set_up_class(guest)
    settings = guest.read("/etc/coursenet/coursenet.conf")
    guest.write("/etc/coursenet/coursenet.conf", f"{settings}\n[course 377]\nnat = no\n")
    guest.run("ip link add up0 type veth peer name up1; ip link set up1 up; ip address add 192.0.2.10/24 dev up0; ip link set up0 up; "
              "ip route add default dev up0 metric 4000")
    try:
        draw(guest)
    finally:
        guest.run("ip link delete up0")
        guest.write("/etc/coursenet/coursenet.conf", settings)
    wait_gone(guest)


def draw(guest):
    with seats_up(guest, "377", SECOND_SEAT):
        session = guest.ssh_popen(STUDENT)
        session.run("true")
        whole, of_one = guest.run("coursenetctl graph").stdout, guest.run("coursenetctl graph 377").stdout
        session.close()
        drawn, only = pictures.svg(whole), pictures.svg(of_one)
        for words in ("course 123", "course 377", "br-377", "10.0.123.1/24", STUDENT, ADDRESS, "ns12310", "sshd", "hold", "guest",
                      "other networks", "up0", "192.0.2.10/24", "10.0.123.0/24 masqueraded", "10.1.121.0/24"):
            expect_in(f">{words}<", drawn, "the picture")
        expect_in(">br-377<", only, "the picture of one course")
        expect_not_in("br-123", only, "the picture of one course")
        expect_not_in("10.0.123.0/24", only, "the picture of one course")
        expect_status(guest.run("coursenetctl graph 999", check=False), 1, "the picture of no course")
