"""What decides, in addition to logins, how long a seat stays: linger, an administrator's hold and stop, and what a student leaves running."""

import calendar
import time

from harness import product
from harness.case import ONE_SUITE, case, expect, expect_equal, expect_failure, expect_in
from helpers import schema
from helpers.hours import clock, hours
from helpers.leases import leases, seat_status, status
from helpers.seats import (ADDRESS, SEAT, SECOND, SECOND_SEAT, STUDENT, is_active, leftovers, pings, set_up_class,
                           wait_gone)
from helpers.settings import SETTINGS, with_settings


def wait_lingering(guest):
    def lingers():
        seat = seat_status(guest)
        return seat and not seat["leases"]
    guest.wait_until(lingers, what="the seat lingers")


@case("linger keeps the seat after the last logout, and a new login takes it over")
@with_settings("[site]\nlinger = 600\n")
def linger(guest):
    namespace = guest.ssh(STUDENT, "readlink /proc/self/ns/net").stdout
    wait_lingering(guest)
    expect_equal(seat_status(guest)["state"], "up", "the lingering seat's state")
    expect_equal(guest.ssh(STUDENT, "readlink /proc/self/ns/net").stdout, namespace, "the next login's namespace")
    expect_equal(guest.run("systemctl list-units --plain --no-legend 'coursenet-*.slice' | wc -l").stdout.strip(), "1",
                 "the number of leases that linger")
    guest.run(f"coursenetctl stop {SEAT}")
    wait_gone(guest)


@case("a lingering seat goes when its time is over, also if the activator restarted in between")
@with_settings("[course 123]\nlinger = 4\n")
def linger_over(guest):
    guest.ssh(STUDENT, "true")
    wait_lingering(guest)
    started = time.monotonic()
    guest.run("systemctl kill --signal=KILL coursenet-activator")
    expect(is_active(guest, f"nsbr@{SEAT}"), "the seat went with the activator")
    wait_gone(guest)
    expect(time.monotonic() - started > 1, "the seat did not linger")
    guest.ssh(STUDENT, "true")
    guest.run("systemctl stop coursenet-activator.service coursenet-activator.socket coursenet-query.socket")
    guest.wait_until(lambda: is_active(guest, f"nsbr@{SEAT}"))
    guest.run("sleep 5; systemctl start coursenet-activator.socket coursenet-query.socket coursenet-activator.service")
    wait_gone(guest)


@case("the seats of a course that an administrator started stay up after logins, restarts and crashes")
def hold(guest):
    set_up_class(guest)
    expect_in("3 of 3 seats", guest.run("coursenetctl start 123").stdout, "what start says")
    expect_in("3 of 3 seats", guest.run("coursenetctl start 123").stdout, "what a second start says")
    expect_equal([each["seat"] for each in status(guest)], [SEAT, SECOND_SEAT, "12312"], "the seats that are up")
    expect(pings(guest, ADDRESS), "the host does not reach the seat")
    [lease] = leases(guest, SEAT)
    expect_equal((lease["service"], lease["pid"]), ("hold", None), "the hold")

    guest.ssh(STUDENT, "true")
    guest.wait_until(lambda: len(leases(guest, SEAT)) == 1, what="the login's lease is gone")
    guest.run("systemctl restart coursenet-activator; systemctl daemon-reload; systemctl daemon-reexec")
    guest.run("systemctl kill --signal=KILL coursenet-activator")
    expect_equal(len(leases(guest)), 3, "the number of holds")
    expect(is_active(guest, f"nsbr@{SEAT}"), "the held seat is gone")

    guest.run("coursenetctl stop 123")
    wait_gone(guest)
    expect_failure(guest.run("coursenetctl start 999", check=False), "a start of an unknown course")
    expect_failure(guest.run("coursenetctl stop 999", check=False), "a stop of an unknown course")
    expect_in("0 leases", guest.run("coursenetctl stop 123").stdout, "a stop of what is down")


@case("release ends holds and no login; a seat that nobody uses goes at once, whatever linger says")
@with_settings("[site]\nlinger = 600\n")
def release(guest):
    set_up_class(guest)
    guest.run("coursenetctl start 123")
    session = guest.ssh_popen(STUDENT)
    inside = session.run("readlink /proc/self/ns/net")
    expect_equal(guest.run(f"coursenetctl release {SECOND_SEAT}").stdout, "1 hold released.\n", "the release of one seat")
    guest.wait_until(lambda: [each["seat"] for each in status(guest)] == [SEAT, "12312"], what="that seat is gone")
    said = schema.parse("release", guest.run("coursenetctl release --json 123").stdout)
    expect_equal(said["n_released"], 2, "the release of the rest")
    guest.wait_until(lambda: [each["seat"] for each in status(guest)] == [SEAT], what="only the seat in use is left")
    expect_equal([lease["service"] for lease in leases(guest, SEAT)], ["sshd"], "the leases of the seat in use")
    expect_equal(session.run("ping -c 1 -W 5 10.0.123.1 >/dev/null && readlink /proc/self/ns/net"), inside, "the login")
    expect_equal(guest.run("coursenetctl release 123").stdout, "0 holds released.\n", "a second release")
    expect_failure(guest.run("coursenetctl release 999", check=False), "a release of an unknown course")
    session.close()
    guest.run("coursenetctl stop 123")
    wait_gone(guest)


def services(guest, seat=SEAT):
    return sorted(lease["service"] for lease in leases(guest, seat))


def next_change(guest):
    """When the timer of course 123 elapses, in seconds since 1970; None: there is no timer."""
    said = guest.run("systemctl show -P NextElapseUSecRealtime coursenet-class@123.timer").stdout.strip()
    return calendar.timegm(time.strptime(said, "%a %Y-%m-%d %H:%M:%S UTC")) if said else None


@case("the seats of a course are held during a class by its schedule: an edit, a new student, an end and a start of the server count at once")
def schedule(guest):
    set_up_class(guest)
    before = guest.read(SETTINGS)

    def write(text):
        guest.write(SETTINGS, f"{before}\n[site]\nschedule-lead = 1min\n[course 123]\nschedule = {text}\n")

    try:
        write(hours(-1800, 1800))
        guest.wait_until(lambda: len(leases(guest)) == 3, what="the seats are held")
        expect_equal((services(guest), leases(guest, SEAT)[0]["pid"]), (["schedule"], None), "the lease of a held seat")
        expect(abs(next_change(guest) - time.time() - 1800) < 60, "the timer is not set to the end of the class")
        expect_in("coursenet-class@123.timer", guest.run("systemctl list-timers").stdout, "the timers")
        [course] = schema.parse("schedule", guest.run("coursenetctl schedule --json", user="nobody").stdout)["courses"]
        expect_equal((course["course"], course["wanted"]), ("123", True), "what coursenetctl schedule says")
        expect_in("1 course, 3 seats; 0 logins, 3 holds", guest.run("coursenetctl status").stdout, "the first line of status")

        guest.run("coursenetctl roster add 123 latecomer")
        guest.wait_until(lambda: len(leases(guest)) == 4, what="the new student's seat is held")
        guest.run("coursenetctl roster remove 123 latecomer")
        guest.wait_until(lambda: len(leases(guest)) == 3, what="the removed student's seat is released")

        # A mistake ends no hold, and its correction counts.
        session = guest.ssh_popen(STUDENT)
        session.run("true")
        guest.run(f"coursenetctl start {SECOND_SEAT}")
        since = guest.journal_position()
        write("Moon 09:00-10:00")
        guest.wait_until(lambda: "systemd does not understand 'Moon 09:00:00'" in guest.journal(since=since), what="the log has the mistake")
        guest.wait_until(lambda: guest.run("systemctl is-active coursenet-class@123", check=False).stdout == "inactive\n", what="the service has ended")
        expect_equal(services(guest), ["schedule", "sshd"], "the leases after a mistake")
        said = guest.run("coursenetctl schedule", check=False)
        expect_failure(said, "coursenetctl schedule with a mistake")

        # The end of a class ends neither a login nor an administrator's hold.
        write(hours(-1800, 3))
        guest.wait_until(lambda: services(guest) == ["sshd"], what="the end of the class, by the timer")
        expect_equal(services(guest, SECOND_SEAT), ["hold"], "the leases of the seat that an administrator holds")
        expect_equal(session.run("ping -c 1 -W 5 10.0.123.1 >/dev/null && echo there"), "there", "the login")
        session.close()
        guest.run("coursenetctl release 123")
        wait_gone(guest)

        # The beginning, by the timer: 63 s from now, and the lead is a minute.
        write(hours(63, 1800))
        guest.wait_until(lambda: next_change(guest) is not None, what="the timer is set")
        expect_equal(leases(guest), [], "the leases before the class")
        guest.wait_until(lambda: services(guest) == ["schedule"], what="the beginning of the class")
        guest.run("systemctl stop coursenet-class@123.service coursenet-class@123.timer; coursenetctl stop 123")
        wait_gone(guest)
        # As at boot.
        guest.run("systemctl start coursenet-schedule.service")
        guest.wait_until(lambda: services(guest) == ["schedule"], what="the holds after a start of the server")
    finally:
        guest.write(SETTINGS, before)
    guest.wait_until(lambda: next_change(guest) is None, what="without a schedule there is no timer")
    wait_gone(guest)


TIMETABLE = "/etc/coursenet/schedule.d/123.ics"


def event(start, end, more=""):
    """A timetable with one event, so many seconds from now."""
    begin, finish = (time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(time.time() + seconds)) for seconds in (start, end))
    return (f"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nBEGIN:VEVENT\r\nUID:1\r\nDTSTART:{begin}\r\nDTEND:{finish}\r\n"
            f"SUMMARY:Übung\x1b[31m\r\n{more}END:VEVENT\r\nEND:VCALENDAR\r\n")


@case("the seats of a course are held for a class of its timetable: an edit counts at once, and a mistake ends no hold", suites=ONE_SUITE)
def timetable(guest):
    set_up_class(guest)
    try:
        guest.write(TIMETABLE, event(-1800, 1800))
        guest.wait_until(lambda: len(leases(guest)) == 3, what="the seats are held")
        expect_equal(services(guest), ["schedule"], "the lease of a held seat")
        expect(abs(next_change(guest) - time.time() - 1800) < 60, "the timer is not set to the end of the class")
        [course] = schema.parse("schedule", guest.run("coursenetctl schedule --json", user="nobody").stdout)["courses"]
        expect_equal((course["wanted"], course["file"], course["name"]), (True, TIMETABLE, "Übung?[31m"), "what coursenetctl schedule says")
        expect_in(f"{TIMETABLE.split('/')[-1]} Übung?[31m", guest.run("LC_ALL=C.UTF-8 coursenetctl schedule", user="nobody").stdout,
                  "the file and the name of the class")

        for text, line, mistake in (
                (event(-1800, 1800)[:-len("END:VCALENDAR\r\n")], 8, "the file ends before END:VCALENDAR"),
                (event(-1800, 1800, "RRULE:FREQ=SECONDLY\r\n"), 3, "stands for more than 20000 dates")):
            since = guest.journal_position()
            guest.write(TIMETABLE, text)
            guest.wait_until(lambda: mistake in guest.journal(since=since),  # pylint: disable=cell-var-from-loop
                             what="the log has the mistake")
            guest.wait_until(lambda: guest.run("systemctl is-active coursenet-class@123", check=False).stdout == "inactive\n",
                             what="the service has ended")
            expect_equal(len(leases(guest)), 3, "the leases after a mistake")
            findings = schema.parse("check", guest.run("coursenetctl check --json", check=False).stdout)["findings"]
            expect_equal([finding["line"] for finding in findings if finding["file"] == TIMETABLE], [line], "what check says of it")

        guest.run(f"rm {TIMETABLE}")
        guest.wait_until(lambda: next_change(guest) is None, what="without a timetable there is no timer")
        wait_gone(guest)

        # What reads it is confined before it reads. With sanitizers, it is not.
        if not product.kind.finds_errors:
            status = guest.run("mkfifo /run/timetable; /usr/libexec/coursenet/coursenet-calendar 0 1 </run/timetable & exec 3>/run/timetable; "
                               "while ! grep -q '^Seccomp:.*2$' /proc/$!/status; do kill -0 $!; done; grep -h 'Seccomp:\\|NoNewPrivs:' "
                               "/proc/$!/status; grep 'address space' /proc/$!/limits; exec 3>&-; wait").stdout.split()
            expect_equal(status[:4], ["NoNewPrivs:", "1", "Seccomp:", "2"], "the confinement of coursenet-calendar")
            expect_in(str(512 << 20), status, "its memory")
    finally:
        guest.run(f"rm -f {TIMETABLE} /run/timetable")


@case("stop ends a student's logins and tells their terminals, and nobody else's")
def stop(guest):
    set_up_class(guest)
    first, second = guest.ssh_popen(STUDENT, tty=True), guest.ssh_popen(SECOND, tty=True)
    guest.run(f"coursenetctl stop {STUDENT}")
    first.read_until("stopped by an administrator")
    guest.wait_until(lambda: not is_active(guest, f"netns@{SEAT}"), what="the first seat is gone")
    expect_equal(second.run("echo quiet"), "quiet", "the other student's terminal")
    expect_equal(second.run("ping -c 1 -W 5 10.0.123.1 >/dev/null && echo reached"), "reached", "the gateway")
    expect_equal(first.run("ping -c 1 -W 1 10.0.123.1 >/dev/null 2>&1; echo $?") != "0", True, "the stopped login's network is cut")
    # The next login works although the old shell is still there.
    expect_in(f"{ADDRESS}/24", guest.ssh(STUDENT, "ip -br addr").stdout, "the next login")
    first.close()
    second.close()
    wait_gone(guest)


@case("systemctl stop of a seat's unit ends its leases and tells the student")
def unit_stopped(guest):
    set_up_class(guest)
    session = guest.ssh_popen(STUDENT, tty=True)
    guest.run(f"systemctl stop netns@{SEAT}")
    session.read_until("was stopped")
    guest.wait_until(lambda: not leases(guest), what="the lease is gone")
    expect_in(f"{ADDRESS}/24", guest.ssh(STUDENT, "ip -br addr").stdout, "the next login")
    session.close()
    wait_gone(guest)


@case("systemctl isolate leaves live seats alone")
def isolate(guest):
    set_up_class(guest)
    guest.run(f"coursenetctl start {SEAT}")
    guest.run("systemctl isolate multi-user.target")
    expect(is_active(guest, f"nsbr@{SEAT}"), "the seat went with the isolate")
    expect(pings(guest, ADDRESS), "the host does not reach the seat")
    guest.run(f"coursenetctl stop {SEAT}")
    wait_gone(guest)


def leave_running(guest):
    """A login that leaves a process behind, as tmux and nohup do; returns a shell line that finds it."""
    guest.ssh(STUDENT, "setsid --fork sleep 7654 </dev/null >/dev/null 2>&1")
    return "pgrep -f '^sleep 7654' >/dev/null"


@case("with logind's KillUserProcesses the seat is removed at the last logout, and the student's processes end")
def kill_user_processes(guest):
    set_up_class(guest)
    guest.write("/etc/systemd/logind.conf.d/kill.conf", "[Login]\nKillUserProcesses=yes\n")
    guest.run("systemctl restart systemd-logind")
    try:
        find = leave_running(guest)
        wait_gone(guest)
        guest.wait_until(f"! {find}", what="logind has ended the process")
    finally:
        guest.run("rm /etc/systemd/logind.conf.d/kill.conf; systemctl restart systemd-logind")


@case("the user's own systemd manager is in the seat, and goes with it")
def user_manager(guest):
    set_up_class(guest)
    uid = guest.run(["id", "-u", STUDENT]).stdout.strip()
    guest.wait_until(f"! systemctl is-active --quiet user@{uid}", what="the manager of an earlier login is gone")
    session = guest.ssh_popen(STUDENT)
    namespace = session.run("readlink /proc/self/ns/net")
    manager = guest.run(f"systemctl show -p MainPID --value user@{uid}").stdout.strip()
    expect_equal(guest.run(f"readlink /proc/{manager}/ns/net").stdout.strip(), namespace, "the manager's namespace")
    inside = session.run("systemd-run --user --quiet --wait --pipe readlink /proc/self/ns/net")
    expect_equal(inside, namespace, "the namespace of systemd-run --user")
    expect_equal(seat_status(guest)["manager"], "seat", "the manager, as status has it")
    session.close()
    started = time.monotonic()
    wait_gone(guest)
    guest.wait_until(f"! systemctl is-active --quiet user@{uid}", what="the manager is gone")
    expect(time.monotonic() - started < 9, "the manager outlived the seat as logind would have it")


@case("a user's service that ignores SIGTERM delays neither the seat's end nor, for long, the next login")
def stubborn_user_service(guest):
    set_up_class(guest)
    session = guest.ssh_popen(STUDENT)
    session.run("systemd-run --user --quiet --property=KillSignal=SIGCONT sleep infinity")
    session.close()
    started = time.monotonic()
    wait_gone(guest)
    gone = time.monotonic() - started
    expect_in(f"{ADDRESS}/24", guest.ssh(STUDENT, "ip -br addr").stdout, "the next login")
    back = time.monotonic() - started
    expect(gone < 5, f"the seat was gone after {gone:.1f} s only")
    expect(back < 15, f"the next login was in after {back:.1f} s only")
    wait_gone(guest)


@case("a user who lingers in logind has a manager outside of the seat, and logins still get the seat")
def logind_linger(guest):
    set_up_class(guest)
    uid = guest.run(["id", "-u", SECOND]).stdout.strip()
    guest.wait_until(f"! systemctl is-active --quiet user@{uid}")
    guest.run(f"rm -rf /run/systemd/system/user@{uid}.service.d; loginctl enable-linger {SECOND}")
    try:
        guest.wait_until(f"systemctl is-active --quiet user@{uid}")
        expect_equal(leftovers(guest), "", "what the manager needs")
        session = guest.ssh_popen(SECOND)
        manager = guest.run(f"systemctl show -p MainPID --value user@{uid}").stdout.strip()
        expect(session.run("readlink /proc/self/ns/net") !=
               guest.run(f"readlink /proc/{manager}/ns/net").stdout.strip(), "the login is outside with its manager")
        expect_equal(seat_status(guest, SECOND_SEAT)["manager"], "outside", "the manager, as status has it")
        expect_in(f"systemd manager of {SECOND}", guest.run("coursenetctl status").stdout, "status")
        session.close()
        wait_gone(guest)
    finally:
        guest.run(f"loginctl disable-linger {SECOND}")
