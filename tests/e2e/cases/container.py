"""The student's container: cont@ in all its forms, on a real Apptainer and a small image made here."""

import time

from harness.case import case, expect, expect_equal, expect_failure, expect_in, expect_not_in
from helpers.image import ROOT, RUNTIME_SUITES, SANDBOX, SIF, with_image
from helpers.leases import leases, seat_status
from helpers.seats import (ADDRESS, SEAT, SECOND, SECOND_SEAT, STUDENT, add_students, drop_in, expect_nothing_failed,
                           is_active, wait_gone)
from helpers.settings import SETTINGS


def wait_running(guest, seat=SEAT):
    guest.wait_until(lambda: is_active(guest, f"cont@{seat}"), what=f"the container of {seat} runs")


def in_container(seat, command):
    return f"apptainer exec instance://inst-{seat} {command}"


@case("a login's container runs in the seat as the student, and goes with the last logout", suites=RUNTIME_SUITES)
@with_image(f"[course 123]\nimage = {SIF}\nhost-ports = 7070/tcp\n")
def container(guest):
    session = guest.ssh_popen(STUDENT)
    wait_running(guest)
    expect_equal(seat_status(guest)["container"], "running", "the container, as status has it")
    expect_in(f"inst-{SEAT}", session.run("apptainer instance list"), "the student's instances")
    expect_in("a busybox for coursenet", session.run(in_container(SEAT, "cat /etc/os-release")), "inside")
    expect_in(f"{ADDRESS}/24", session.run(in_container(SEAT, "ip addr")), "the address inside")
    greeter = guest.popen(["socat", "TCP-LISTEN:7070,bind=10.0.123.1,reuseaddr", "SYSTEM:echo reached"])
    guest.wait_until("ss -Hltn sport = :7070 | grep -q LISTEN")
    expect_equal(session.run(in_container(SEAT, "nc 10.0.123.1 7070")), "reached", "the gateway from inside")
    greeter.wait_output()
    owners = guest.run(f"systemctl show -p ControlGroup --value cont@{SEAT}").stdout.strip()
    users = guest.run(f"for pid in $(cat /sys/fs/cgroup{owners}/cgroup.procs); do stat -c %U /proc/$pid; done | sort -u").stdout
    expect_equal(users.strip(), STUDENT, "whose processes the unit has")
    session.close()
    wait_gone(guest)
    expect_equal(guest.run(["pgrep", "-u", STUDENT, "-f", f"inst-{SEAT}"], check=False).stdout, "", "what is left of the container")


@case("a sandbox folder works like a .sif, with binds, environment and limits of the course", suites=RUNTIME_SUITES)
@with_image(f"[site]\nimage = {SIF}\n[course 123]\nimage = {SANDBOX}\nbind = /srv/data:/data:ro /srv\n"
            "environment = COLOUR=red TERM_DATE=2026\ntasks-max = 99\n")
def container_settings(guest):
    guest.run("mkdir -p /srv/data && echo course data >/srv/data/file")
    session = guest.ssh_popen(STUDENT)
    wait_running(guest)
    expect_equal(session.run(in_container(SEAT, "cat /data/file")), "course data", "the bound file")
    # The runtimes give it to what the image's start script runs, not to what is entered later.
    environment = guest.wait_until(lambda: guest.run("cat /tmp/environment-of-start", check=False).stdout.split())
    expect("COLOUR=red" in environment and "TERM_DATE=2026" in environment, f"the environment is {environment}")
    owner = guest.run(["pgrep", "-x", "-f", "sleep 5432"]).stdout.strip()
    expect_in(f"cont@{SEAT}.service", guest.run(f"cat /proc/{owner}/cgroup").stdout, "where the image's own service runs")
    group = guest.run(f"systemctl show -p ControlGroup --value cont@{SEAT}").stdout.strip()
    uid = guest.run(["id", "-u", STUDENT]).stdout.strip()
    expect_equal(group, f"/user.slice/user-{uid}.slice/cont@{SEAT}.service", "where the container counts")
    expect_equal(guest.run(f"systemctl show -p TasksMax --value user-{uid}.slice").stdout, "99\n", "the limit of its tasks")
    session.close()
    wait_gone(guest)
    expect_failure(guest.run(["pgrep", "-x", "-f", "sleep 5432"], check=False), "finding the image's service")


@case("with a missing or broken image the login succeeds, and the journal says what is wrong with the image",
      suites=RUNTIME_SUITES)
@with_image("[course 123]\nimage = /srv/images/none.sif\n")
def broken_image(guest):
    since = guest.journal_position()
    session = guest.ssh_popen(STUDENT)
    guest.wait_until(f"systemctl is-failed --quiet cont@{SEAT}")
    missing = "The image /srv/images/none.sif does not exist"
    expect_in(missing, guest.journal(since=since), "the journal")
    expect_equal(seat_status(guest)["container"], "failed", "the container, as status has it")
    expect_equal(seat_status(guest)["container_reason"], missing, "the reason, as status has it")
    expect_in(f"The container of seat {SEAT} has failed: {missing}\n", session.run("coursenetctl status"),
              "what the student's own status says")
    expect_in(f"{ADDRESS}/24", session.run("ip -br addr"), "the login")

    def reason_of_restart():
        guest.run(f"systemctl start cont@{SEAT}", check=False)
        return seat_status(guest)["container_reason"]
    guest.run("echo garbage >/srv/images/none.sif; chmod 644 /srv/images/none.sif")
    expect_in("is no container image", reason_of_restart(), "the reason of a file that is none")
    # The runtime's own message: the file looks like an image and is not one.
    guest.run("head -c 4096 /dev/zero >/srv/images/none.sif; "
              "printf SIF_MAGIC | dd of=/srv/images/none.sif bs=1 seek=32 conv=notrunc 2>/dev/null")
    expect_in("apptainer could not start the instance: ", reason_of_restart(), "the reason of a broken image")
    guest.write(SETTINGS, f"[course 123]\nimage = {ROOT}\n")
    expect_in(f"The image {ROOT} is no container image", reason_of_restart(), "the reason of a mere folder")
    guest.run("rm /srv/images/none.sif")
    session.close()
    wait_gone(guest)
    expect_nothing_failed(guest)


@case("coursenet-enter says when the container has no space, and no failed unit is left", suites=RUNTIME_SUITES)
@with_image(f"[course 123]\nimage = {SIF}\n")
def no_space(guest):
    home = f"/home/{STUDENT}/.apptainer"
    guest.run(f"rm -rf {home}; install -d -o {STUDENT} {home}; mount -t tmpfs -o size=4k,nr_inodes=2,mode=777 none {home}")
    try:
        refused = guest.run(["coursenet-enter", "--", "true"], user=STUDENT, check=False)
    finally:
        guest.run(f"umount {home}")
    expect_in("Your seat came up, but its container did not: No space is left on the device", refused.stderr, "what it says")
    wait_gone(guest)
    expect_nothing_failed(guest)


@case("with a home directory that cannot be written the login succeeds and the container does not start",
      suites=RUNTIME_SUITES)
@with_image(f"[course 123]\nimage = {SIF}\n")
def home_not_writable(guest):
    since = guest.journal_position()
    guest.run(f"chown root:root /home/{STUDENT}")
    try:
        guest.run(f"coursenetctl start {SEAT}")
        guest.wait_until(f"systemctl is-failed --quiet cont@{SEAT}")
        expect_in(f"The home directory /home/{STUDENT} cannot be written to", guest.journal(since=since), "the journal")
        entered = guest.run(["coursenet-enter", "--", "true"], user=STUDENT, check=False).stderr
        expect_in(f"its container did not: The home directory /home/{STUDENT} cannot be written to", entered, "what enter says")
        expect_in(f"{ADDRESS}/24", guest.run(f"su - {STUDENT} -c 'ip -br addr'").stdout, "the login")
    finally:
        guest.run(f"chown {STUDENT}: /home/{STUDENT}; coursenetctl stop {SEAT}")
    wait_gone(guest)
    expect_nothing_failed(guest)


@case("forty students' containers come up together, each in its own seat, and go together", suites=RUNTIME_SUITES)
@with_image(f"[site]\nimage = {SIF}\n")
def forty_containers(guest):
    users = add_students(guest, "305", 40)
    began = time.monotonic()
    expect_in("40 of 40 seats", guest.run("coursenetctl start 305", timeout=180).stdout, "what start says")
    seats_up = time.monotonic() - began

    def running():
        units = guest.run("systemctl list-units --plain --no-legend --state=active 'cont@305*' | wc -l").stdout
        return int(units) == len(users)
    guest.wait_until(running, timeout=180, what="forty containers run")
    guest.log(f"{guest.suite}: 40 seats were up after {seats_up:.1f} s, their containers after {time.monotonic() - began:.1f} s")
    for number in (10, 30, 49):
        inside = guest.run(["coursenet-enter", "--", "ip", "addr"], user=users[number - 10]).stdout
        expect_in(f"10.1.49.{number}/24", inside, "the address in a container")
    guest.run("coursenetctl stop 305")
    wait_gone(guest, timeout=120)
    expect_equal(guest.run("systemctl list-units --failed --plain --no-legend").stdout, "", "the failed units")


@case("wait=container answers when the container runs, and refuses the login if it cannot", suites=RUNTIME_SUITES)
@with_image(f"[course 123]\nimage = {SIF}\n")
def wait_container(guest):
    stack = guest.read("/etc/pam.d/su-l")
    guest.write("/etc/pam.d/su-l", "auth sufficient pam_rootok.so\naccount required pam_permit.so\n"
                                   "session required pam_coursenet.so wait=container timeout=60\n")
    try:
        inside = guest.run(f"su - {STUDENT} -c \"{in_container(SEAT, 'echo inside')}\"").stdout
        expect_equal(inside.strip(), "inside", "the login")
        wait_gone(guest)
        guest.write(SETTINGS, "[course 123]\nimage = /srv/images/none.sif\n")
        refused = guest.run(f"su - {STUDENT} -c 'echo inside'", check=False)
        wait_gone(guest)
        since = guest.journal_position()
        guest.run("sed -i s/timeout=60/timeout=4/ /etc/pam.d/su-l")
        with drop_in(guest, "cont@", "ExecStartPre=/bin/sleep 100"):
            guest.run(f"su - {STUDENT} -c 'echo inside'", check=False)
            wait_gone(guest)
        expect_in("container did not come up: it is still starting", guest.journal(since=since), "the journal")
    finally:
        guest.write("/etc/pam.d/su-l", stack)
    expect_failure(refused, "a login without its container")
    expect_not_in("inside", refused.stdout, "what it printed")
    wait_gone(guest)
    expect_nothing_failed(guest)


@case("what a killed instance left in the home directory does not stop the next one", suites=RUNTIME_SUITES)
@with_image(f"[course 123]\nimage = {SIF}\n")
def stale_instance(guest):
    session = guest.ssh_popen(STUDENT)
    wait_running(guest)
    guest.run(f"systemctl kill --signal=KILL cont@{SEAT}")
    guest.wait_until(lambda: not is_active(guest, f"cont@{SEAT}"), what="the container is gone")
    expect_equal(len(leases(guest, SEAT)), 1, "the login's lease")
    guest.run(f"test -d /home/{STUDENT}/.apptainer/instances")
    guest.run(f"systemctl start cont@{SEAT}")
    expect_equal(session.run(in_container(SEAT, "echo inside")), "inside", "the new instance")
    session.close()
    wait_gone(guest)


@case("the template works by hand as well: plain, with a drop-in", suites=RUNTIME_SUITES)
@with_image("")
def by_hand(guest):
    guest.write("/etc/systemd/system/cont@test123.service.d/image.conf",
                f"[Service]\nEnvironment=COURSENET_IMAGE={SIF}\nUser={STUDENT}\n")
    guest.run("systemctl daemon-reload; systemctl start cont@test123")
    listed = guest.run("apptainer instance list", user=STUDENT, env={"HOME": f"/home/{STUDENT}", "USER": STUDENT}).stdout
    expect_in("inst-test123", listed, "the student's instances")
    guest.run("systemctl stop cont@test123")
    expect_failure(guest.run("systemctl is-failed --quiet cont@test123", check=False), "the unit has failed")
    expect_failure(guest.run(["pgrep", "-f", "inst-test123"], check=False), "a process is left")
    guest.run("rm -r /etc/systemd/system/cont@test123.service.d; systemctl daemon-reload")
    since = guest.journal_position()
    expect_failure(guest.run("systemctl start cont@test123", check=False), "a start without an image")
    expect_in("there is no image", guest.journal(since=since), "the journal")
    guest.run("systemctl reset-failed")


@case("more units of a course start and stop with the seat, run as the student, and may fail without harm to the seat",
      suites=RUNTIME_SUITES)
@with_image("[course 123]\nunits = notebook broken\n")
def more_units(guest):
    for name, command in (("notebook", "sleep infinity"), ("broken", "false")):
        guest.write(f"/etc/systemd/system/{name}@.service", f"[Service]\nExecStart=/bin/{command}\n")
    guest.run("systemctl daemon-reload")
    session = guest.ssh_popen(STUDENT)
    guest.wait_until(lambda: is_active(guest, f"notebook@{SEAT}"))
    pid = guest.run(f"systemctl show -p MainPID --value notebook@{SEAT}").stdout.strip()
    expect_equal(guest.run(f"stat -c %U /proc/{pid}").stdout.strip(), STUDENT, "the notebook's user")
    expect_equal(guest.run(f"readlink /proc/{pid}/ns/net").stdout.strip(), session.run("readlink /proc/self/ns/net"),
                 "the notebook's namespace")
    guest.run(f"systemctl restart notebook@{SEAT}; systemctl stop notebook@{SEAT}")
    expect_in(f"{ADDRESS}/24", session.run("ip -br addr"), "the login after the notebook's end")
    expect_equal(len(leases(guest, SEAT)), 1, "the login's lease")
    session.close()
    wait_gone(guest)
    expect_nothing_failed(guest)
    guest.run("rm /etc/systemd/system/notebook@.service /etc/systemd/system/broken@.service; systemctl daemon-reload")


@case("a held course of many starts its containers a few at a time, and all run", suites=RUNTIME_SUITES)
@with_image(f"[site]\nimage = {SIF}\n")
def many_containers(guest):
    expect_in("3 of 3 seats", guest.run("coursenetctl start 123").stdout, "what start says")
    for seat in (SEAT, SECOND_SEAT, "12312"):
        if seat != "12312":
            wait_running(guest, seat)
    expect(not is_active(guest, "cont@12312"), "a container runs for a student who has no account")
    guest.run("coursenetctl stop 123")
    wait_gone(guest)
    expect_nothing_failed(guest)


# The program's name as the kernel keeps it, cut to 15 characters.
STOP_STARTS = "while :; do pkill -STOP -x -u \"$1\" coursenet-conta; sleep 0.01; done"


def start_and_be_stopped(guest, user, seat):
    """A start may be faster than the loop that stops it. Then it is made again."""
    stopped = f"ps -o stat= -u {user} | grep -q ^T"
    for _ in range(20):
        guest.run(["coursenetctl", "start", seat])
        guest.wait_until(f"{stopped} || systemctl is-active --quiet cont@{seat}", what="the start is stopped, or has succeeded")
        if guest.run(stopped, check=False).returncode == 0:
            return
        guest.run(["coursenetctl", "stop", seat])
        guest.wait_until(f"! systemctl is-active --quiet netns@{seat}")
    raise AssertionError(f"no start of {seat} could be stopped")


@case("students who stop the start of their own container delay the containers of others for a moment at most",
      suites=RUNTIME_SUITES)
@with_image(f"[site]\nimage = {SIF}\n")
def stopped_starts(guest):
    users = add_students(guest, "306", 26)
    # Seats that a rule by number would put into one place, and as many as there are places: eight.
    stopping, others = range(10, 18), (18, 26, 35)
    stopper = guest.popen(["sh", "-c", STOP_STARTS, "sh", ",".join(users[number - 10] for number in stopping)])
    start_and_be_stopped(guest, users[0], "30610")
    began = time.monotonic()
    guest.run(["coursenetctl", "start", f"306{others[0]}"])
    wait_running(guest, f"306{others[0]}")
    one = time.monotonic() - began

    for number in stopping[1:]:
        start_and_be_stopped(guest, users[number - 10], f"306{number}")
    began = time.monotonic()
    for number in others[1:]:
        guest.run(["coursenetctl", "start", f"306{number}"])
        wait_running(guest, f"306{number}")
    guest.log(f"{guest.suite}: a container beside one stopped start ran after {one:.1f} s, two more beside eight after "
              f"{time.monotonic() - began:.1f} s")
    expect(not is_active(guest, "cont@30610"), "a stopped start has ended")
    # The stop ends also what is still starting, at once.
    stopper.kill_in_guest()
    began = time.monotonic()
    guest.run(["coursenetctl", "stop", "306"])
    wait_gone(guest)
    expect(time.monotonic() - began < 15, "the seats were still there 15 s after the stop")


@case("a unit of a seat that is still starting is stopped at the last logout, and by coursenetctl stop",
      suites=RUNTIME_SUITES)
@with_image(f"[course 123]\nimage = {SIF}\nunits = cont slow\n")
def starting_when_left(guest):
    guest.write("/etc/systemd/system/slow@.service", "[Service]\nExecStartPre=/bin/sleep 100\nExecStart=/bin/sleep 100\n")
    uid = guest.run(["id", "-u", STUDENT]).stdout.strip()

    def is_starting(unit):
        """Its sleep runs. A program before that may be killed with success, and systemd then starts the sleep, although the unit stops."""
        said = guest.run(["systemctl", "status", unit], check=False).stdout
        return "Active: activating" in said and "(sleep)" in said

    def gone_after(end, what):
        began = time.monotonic()
        end()
        wait_gone(guest, timeout=60)
        took = time.monotonic() - began
        expect(took < 10, f"the seat was gone {took:.1f} s after {what}")

    with drop_in(guest, "cont@", "ExecStartPre=/bin/sleep 100"), drop_in(guest, f"user@{uid}", "ExecStartPost=/bin/sleep 20"):
        for unit in ("cont", "slow"):
            session = guest.ssh_popen(SECOND)
            guest.wait_until(lambda u=unit: is_starting(f"{u}@{SECOND_SEAT}"), what=f"{unit}@ is starting")
            expect_equal(seat_status(guest, SECOND_SEAT)["state"], "up", "the seat's state")
            gone_after(session.close, "the last logout")
        guest.run("coursenetctl start 123")
        guest.wait_until(lambda: is_starting(f"cont@{SEAT}") and is_starting(f"slow@{SECOND_SEAT}"), what="both are starting")
        gone_after(lambda: guest.run("coursenetctl stop 123"), "coursenetctl stop")
        # The manager of the user, too, keeps its seat while it starts. With leftover = keep its stop is refused.
        for more in ("", "leftover = keep\n"):
            guest.write(SETTINGS, f"[course 123]\nimage = {SIF}\n{more}")
            waiting = guest.popen(["ssh", f"{STUDENT}@127.0.0.1", "true"])
            guest.wait_until(lambda: is_starting(f"user@{uid}.service"), what="the user's manager is starting")
            gone_after(lambda: guest.run("coursenetctl stop 123"), f"coursenetctl stop, {more}")
            waiting.kill_in_guest()
    guest.run("rm /etc/systemd/system/slow@.service; systemctl daemon-reload")
    wait_gone(guest)
    expect_nothing_failed(guest)


@case("check finds an image that is missing, not readable for students, or not an image, and a runtime that is not installed",
      suites=RUNTIME_SUITES)
@with_image(f"[course 123]\nimage = {SIF}\n")
def check_image(guest):
    def findings():
        lines = guest.run("coursenetctl check", check=False).stdout.splitlines()
        return [line for line in lines if f"{SETTINGS}:" in line and "warning" not in line]
    expect_equal(findings(), [], "the errors about a good image")
    guest.write(SETTINGS, "# images\n[course 123]\nimage = /srv/images/none.sif\n")
    expect_equal(len(findings()), 1, f"the number of errors {findings()}")
    expect_in(f"{SETTINGS}:3: image = /srv/images/none.sif: does not exist", findings()[0], "the error")
    guest.run("install -d -m 755 /srv/closed/images; chmod 750 /srv/closed; echo garbage >/srv/closed/images/x.sif")
    guest.write(SETTINGS, "[site]\nimage = /srv/closed/images/x.sif\n")
    [closed] = findings()
    expect_in(f"{SETTINGS}:2: image = /srv/closed/images/x.sif: cannot be read: Permission denied, by the student {STUDENT}",
              closed, "the error")
    guest.run("chmod 755 /srv/closed; chmod 640 /srv/closed/images/x.sif")
    expect_in("Permission denied", findings()[0], "the error about the file's own mode")
    guest.run("chmod 644 /srv/closed/images/x.sif")
    expect_in(f"{SETTINGS}:2: image = /srv/closed/images/x.sif: is no container image", findings()[0], "the error")
    guest.write(SETTINGS, f"[site]\nimage = {SANDBOX}\n[course 123]\nunits = cont nothing\n")
    [unit] = findings()
    expect_in(f"{SETTINGS}:4: units: there is no unit nothing@.service", unit, "the error")
    guest.write(SETTINGS, f"[site]\nimage = {SANDBOX}\n")
    expect_equal(findings(), [], "the errors about a good sandbox")
    guest.run("mv /usr/bin/apptainer /usr/bin/apptainer.away; test ! -e /usr/bin/singularity || mv /usr/bin/singularity /usr/bin/singularity.away")
    try:
        [none] = findings()
    finally:
        guest.run("for path in /usr/bin/*.away; do mv $path ${path%.away}; done; rm -r /srv/closed")
    expect_in(f"{SETTINGS}:2: image is set, but no container runtime is installed", none, "the error")


@case("coursenet-enter is in the container: from a login, and from outside, where it brings it up first",
      suites=RUNTIME_SUITES)
@with_image(f"[course 123]\nimage = {SIF}\n")
def enter_container(guest):
    session = guest.ssh_popen(STUDENT)
    wait_running(guest)
    expect_in("a busybox for coursenet", session.run("coursenet-enter -- cat /etc/os-release"), "from a login")
    session.run("coursenet-enter -- sh -c 'exit 7'")
    expect_equal(session.status, 7, "the command's status")
    expect_equal(session.run("echo cat /etc/os-release | coursenet-enter | grep -c busybox"), "1", "a shell in the container")
    session.close()
    wait_gone(guest)

    inside = guest.run(["coursenet-enter", "--", "sh", "-c", "cat /etc/os-release; ip addr"], user=STUDENT)
    expect_in("a busybox for coursenet", inside.stdout, "from outside")
    expect_in(f"{ADDRESS}/24", inside.stdout, "the address, from outside")
    wait_gone(guest)


@case("with coursenet-enter as the login shell, ssh lands in the container", suites=RUNTIME_SUITES)
@with_image(f"[course 123]\nimage = {SIF}\n")
def login_shell(guest):
    guest.run(f"echo /usr/bin/coursenet-enter >>/etc/shells; usermod --shell /usr/bin/coursenet-enter {STUDENT}")
    try:
        expect_in("a busybox for coursenet", guest.ssh(STUDENT, "cat /etc/os-release").stdout, "a command over ssh")
        session = guest.popen(["ssh", "-tt", f"{STUDENT}@127.0.0.1"])
        session.stdin.write("cat /etc/os-release; exit\n")
        session.stdin.flush()
        expect_in("a busybox for coursenet", session.wait_output().stdout, "an interactive login")
    finally:
        guest.run(f"usermod --shell /bin/bash {STUDENT}; sed -i '/coursenet-enter/d' /etc/shells")
    wait_gone(guest)
