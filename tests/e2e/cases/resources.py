"""Limits of what a student runs: memory, processors and tasks of logins, services and units of the seat together."""

import contextlib

from harness.case import case, expect, expect_equal, expect_in, expect_not_in
from helpers.leases import seat_status
from helpers.seats import FAR, SEAT, SECOND, STUDENT, set_up_class, wait_gone
from helpers.settings import SETTINGS, settings

LIMITS = "[course 123]\nmemory-max = 200M\ncpu-weight = 50\ncpu-quota = 150%\ntasks-max = 90\nio-weight = 20\n"
SHOWN = ["CPUQuotaPerSecUSec=1.500000s", "CPUWeight=50", "IOWeight=20", "MemoryMax=209715200", "TasksMax=90"]
# A unit of the course's own, which the seats start.
UNIT = "[Unit]\nDescription=A course's own service\n[Service]\nExecStart=sleep infinity\n"
CONTROL = "/run/systemd/system.control"


def uid_of(guest, user):
    return guest.run(["id", "-u", user]).stdout.strip()


def limits_of(guest, user):
    names = " ".join(f"-p {line.split('=')[0]}" for line in SHOWN)
    return sorted(guest.run(f"systemctl show {names} user-{uid_of(guest, user)}.slice").stdout.split())


def drop_in_of(guest, user):
    return f"/run/systemd/system/user-{uid_of(guest, user)}.slice.d/40-coursenet.conf"


def exists(guest, path):
    return guest.run(["test", "-e", path], check=False).returncode == 0


def log_out(guest, *sessions):
    for session in sessions:
        session.close()
    wait_gone(guest)
    # logind would keep the managers, and with them the slices, for ten seconds.
    guest.run("systemctl stop 'user@*.service'")


@case("a course's limits are those of the student's slice, which has the login, the services and the seat's units in it")
def slice_of_student(guest):
    set_up_class(guest)
    guest.write("/etc/systemd/system/own@.service", UNIT)
    guest.run("systemctl daemon-reload")
    uid, since = uid_of(guest, STUDENT), guest.journal_position()
    with settings(guest, LIMITS + "units = own\n"):
        session, far = guest.ssh_popen(STUDENT), guest.ssh_popen(FAR)
        expect_equal(limits_of(guest, STUDENT), SHOWN, "the limits")
        expect_in("MemoryMax=infinity", "\n".join(limits_of(guest, FAR)), "the limits of another course")
        guest.wait_until(f"systemctl is-active --quiet own@{SEAT}")
        guest.wait_until(f"systemctl is-active --quiet user@{uid}")
        group = f"/user.slice/user-{uid}.slice/"
        expect_in(group + "session-", session.run("cat /proc/self/cgroup"), "where the login is")
        expect_in(f"{group}user@{uid}.service/", session.run("systemd-run --user -qP cat /proc/self/cgroup"), "a service's place")
        expect_equal(guest.run(f"systemctl show -p ControlGroup --value own@{SEAT}").stdout, f"{group}own@{SEAT}.service\n",
                     "where the course's unit is")
        usage = seat_status(guest)["usage"]
        expect_equal([usage["memory_max_bytes"], usage["tasks_max"], usage["cpu_quota_usec"], usage["cpu_weight"]],
                     [209715200, 90, 1500000, 50], "what status --json says")
        expect_in("at most 150% of a processor", session.run("coursenetctl status"), "what the student's own status says")
        log_out(guest, session, far)
    expect_not_in("Reloading", guest.journal(since=since), "what the logins made systemd do")
    guest.wait_until(lambda: not exists(guest, drop_in_of(guest, STUDENT)), what="nothing is left to another account of that uid")
    guest.run("rm /etc/systemd/system/own@.service; systemctl daemon-reload")


@case("a change of limits counts at the next login, for what runs already too; an administrator's own limit stays")
def changed_limits(guest):
    set_up_class(guest)
    uid, control = uid_of(guest, STUDENT), f"{CONTROL}/user-{uid_of(guest, STUDENT)}.slice.d"
    since = guest.journal_position()
    with settings(guest, LIMITS):
        first = guest.ssh_popen(STUDENT)
        guest.write(SETTINGS, LIMITS.replace("200M", "50%").replace("90", "80"))
        second = guest.ssh_popen(STUDENT)
        guest.wait_until(lambda: "TasksMax=80" in limits_of(guest, STUDENT), what="the slice has the new limit")
        expect_not_in("MemoryMax=209715200", "\n".join(limits_of(guest, STUDENT)), "the limits")
        guest.wait_until(lambda: not exists(guest, control), what="systemd's own drop-ins are gone")
        expect_not_in("Reloading", guest.journal(since=since), "what the logins made systemd do")
        guest.run("systemctl daemon-reload")
        expect_in("TasksMax=80", "\n".join(limits_of(guest, STUDENT)), "the limits after a reload")

        guest.run(f"systemctl set-property --runtime user-{uid}.slice TasksMax=300")
        guest.write(SETTINGS, LIMITS.replace("50\n", "70\n"))
        third = guest.ssh_popen(STUDENT)
        guest.wait_until(lambda: "CPUWeight=70" in limits_of(guest, STUDENT), what="the slice has the third limits")
        expect_in("TasksMax=300", "\n".join(limits_of(guest, STUDENT)), "the limits with one that was set by hand")
        log_out(guest, first, second, third)
        guest.wait_until(lambda: not exists(guest, drop_in_of(guest, STUDENT)), what="the slice is gone")
        fourth = guest.ssh_popen(STUDENT)
        expect_in("TasksMax=300", "\n".join(limits_of(guest, STUDENT)), "the limits of a later login")
        log_out(guest, fourth)
    guest.run(f"rm -r {control}; systemctl daemon-reload")


@contextlib.contextmanager
def session_before_seat(guest):
    """pam_systemd before pam_coursenet: logind has the session, and systemd the slice, when the seat is asked for."""
    path = "/etc/pam.d/common-session"
    before = guest.read(path)
    lines = before.splitlines(keepends=True)
    first = [line for line in lines if "pam_systemd.so" in line]
    expect(first, f"no pam_systemd in {path}")
    guest.write(path, "".join(first + [line for line in lines if line not in first]))
    try:
        yield
    finally:
        guest.write(path, before)


@case("where pam_systemd comes before pam_coursenet the limits are the same")
def session_first(guest):
    set_up_class(guest)
    with settings(guest, LIMITS), session_before_seat(guest):
        session = guest.ssh_popen(SECOND)
        guest.wait_until(lambda: limits_of(guest, SECOND) == SHOWN, what="the slice has the limits")
        expect_in("/user.slice/user-", session.run("cat /proc/self/cgroup"), "where the login is")
        log_out(guest, session)
    guest.wait_until(lambda: not exists(guest, drop_in_of(guest, SECOND)), what="the drop-in goes with the slice")


# Forks until it cannot, and keeps what it has.
BOMB = "for i in $(seq 200); do sleep 1000 & done; wait"


@case("a fork bomb and a memory hog end at their student's limits, or check says that the kernel has none")
def greedy_student(guest):
    set_up_class(guest)
    controllers = guest.run("cat /sys/fs/cgroup/cgroup.controllers", check=False).stdout.split()
    uid = uid_of(guest, STUDENT)
    with settings(guest, LIMITS):
        found = guest.run("coursenetctl check", check=False).stdout
        for setting, controller in (("memory-max", "memory"), ("cpu-quota", "cpu"), ("tasks-max", "pids"), ("io-weight", "io")):
            sentence = f"{setting} has no effect: this kernel has no controller '{controller}'"
            (expect_not_in if controller in controllers else expect_in)(sentence, found, "what check says")
        session, neighbour = guest.ssh_popen(STUDENT), guest.ssh_popen(SECOND)
        if "pids" in controllers:
            session.send(f"({BOMB}) 2>/tmp/bomb >/dev/null &\nsystemd-run --user -q sh -c '{BOMB}'\n")
            guest.wait_until("grep -qi 'fork' /tmp/bomb", what="the bomb cannot fork any more")
            count = int(guest.run(f"cat /sys/fs/cgroup/user.slice/user-{uid}.slice/pids.current").stdout)
            expect(count <= 90, f"the student has {count} tasks")
            expect_equal(neighbour.run("(for i in $(seq 100); do sleep 0.1 & done; wait) && echo works"), "works", "the neighbour")
        if "memory" in controllers:
            neighbour.run("head -c 100M /dev/zero | tail | wc -c")
            expect_equal(neighbour.run("head -c 60M /dev/zero | tail -c 50M | wc -c"), "52428800", "the neighbour")
            hog = guest.ssh(SECOND, "head -c 1G /dev/zero | tail -c 900M | wc -c", check=False)
            expect_equal(hog.stdout.strip(), "0", "what the hog has come to")
            expect_in("oom", guest.run(f"cat /sys/fs/cgroup/user.slice/user-{uid_of(guest, SECOND)}.slice/memory.events").stdout)
        guest.run(f"loginctl terminate-user {STUDENT}")
        log_out(guest, neighbour)
