"""How logins end: with a close, without one, by a close from elsewhere, and across restarts of the activator and systemd."""

import json
import os
import signal

from harness import product
from harness.case import ONE_SUITE, case, expect, expect_equal, expect_in, expect_not_in
from harness.guest import ssh_command
from harness.session import Session
from harness.stream import Stream
from helpers import pam_program
from helpers.activator import ACTIVATOR, SOCKETS, activator_pid, cancel_restart
from helpers.leases import expect_freed, expect_kept, ids, leases
from helpers.logins import OWN_NAMESPACE, expect_in_seat, logind_sessions
from helpers.pam_program import PamProgram
from helpers.seats import (ADDRESS, FAR, SEAT, SECOND, SECOND_ADDRESS, SECOND_SEAT, STUDENT, add_students, held,
                           is_active, leftovers, set_up_class, wait_gone)


# Without a close


@case("of two logins of a student, one by an sshd that was killed, each ends its own lease")
def one_of_two_killed(guest):
    set_up_class(guest)
    first = guest.ssh_popen(STUDENT)
    [first_lease] = leases(guest)
    guest.run(["kill", "-9", str(first_lease["pid"])])
    second = guest.ssh_popen(STUDENT)
    [second_id] = ids(guest) - {first_lease["id"]}
    expect_in_seat(first.run("ip -br addr"), SEAT, ADDRESS)
    expect_kept(guest, {first_lease["id"], second_id}, "the leases while both shells live")

    first.close()
    expect_freed(guest, {second_id}, "only the killed login's lease is gone")
    expect_in_seat(second.run("ip -br addr"), SEAT, ADDRESS)
    second.close()
    wait_gone(guest)


@case("a login by an sshd that was killed keeps its seat when another one of the student ends")
def other_than_killed_ends(guest):
    set_up_class(guest)
    first = guest.ssh_popen(STUDENT)
    [first_lease] = leases(guest)
    guest.run(["kill", "-9", str(first_lease["pid"])])
    second = guest.ssh_popen(STUDENT)
    second.close()
    # The end of any session makes the activator re-check leases whose opener is dead.
    guest.wait_until(lambda: len(logind_sessions(guest, STUDENT)) == 1, what="the second login's session is gone")
    expect_freed(guest, {first_lease["id"]}, "the second login's lease is gone, and only that")
    expect_in_seat(first.run("ip -br addr"), SEAT, ADDRESS)
    first.close()
    wait_gone(guest)


@case("a login by an sshd that was killed keeps its seat when logind is restarted and forgets the session", suites=("trixie",))
def logind_forgets(guest):
    set_up_class(guest)
    session = guest.ssh_popen(STUDENT)
    [lease] = leases(guest)
    guest.run(["kill", "-9", str(lease["pid"])])
    guest.run("systemctl restart systemd-logind")
    guest.wait_until(lambda: not logind_sessions(guest, STUDENT), what="logind has forgotten the session")
    # The end of any session makes the activator re-check leases whose opener is dead.
    guest.ssh(SECOND, "true")
    guest.wait_until(lambda: not logind_sessions(guest, SECOND), what="the other student's session is gone")
    expect_freed(guest, {lease["id"]}, "the other student's lease is gone, and only that")
    expect_in_seat(session.run("ip -br addr"), SEAT, ADDRESS)
    session.close()
    wait_gone(guest)


@case("while logind does not answer, the seat of a killed program is free, and that of a live shell is kept")
def logind_silent(guest):
    set_up_class(guest)
    session = guest.ssh_popen(STUDENT)
    kept = ids(guest)
    with PamProgram(guest) as program:
        program.open("a", SECOND)
        guest.run("systemctl mask --runtime --now systemd-logind")
        try:
            guest.run(["kill", "-9", *(str(each["pid"]) for each in leases(guest))])
            expect_freed(guest, kept, "the lease of the program is gone, and only that")
            expect_in_seat(session.run("ip -br addr"), SEAT, ADDRESS)
        finally:
            guest.run("systemctl unmask --runtime systemd-logind; systemctl start systemd-logind")
    session.close()
    wait_gone(guest)


@case("an ssh client that is killed frees the seat")
def client_killed(guest):
    set_up_class(guest)
    for tty in (False, True):
        session = guest.ssh_popen(STUDENT, tty=tty)
        session.kill()
        wait_gone(guest)


@case("an ssh client that falls silent frees the seat, when sshd asks whether it is alive")
def client_silent(guest):
    set_up_class(guest)
    guest.write("/etc/ssh/sshd_config.d/alive.conf", "ClientAliveInterval 1\nClientAliveCountMax 3\n")
    guest.run("systemctl restart ssh")
    try:
        client = guest.popen(ssh_command(STUDENT, tty=False, extra=()))
        Session(client, "the silent client's session", tty=False)
        expect_equal(len(leases(guest, SEAT)), 1, "the number of leases")
        client.kill_in_guest(signal.SIGSTOP)
        wait_gone(guest)
        expect(client.poll() is None, "the client ended: it was not stopped")
    finally:
        guest.run("rm /etc/ssh/sshd_config.d/alive.conf; systemctl restart ssh")


@case("a process that ends after its open, with neither close nor pam_end, has its lease freed")
def close_never(guest):
    set_up_class(guest)
    with PamProgram(guest) as program:
        program.open("a", STUDENT)
        program.open("b", SECOND)
        expect_equal(len(leases(guest)), 2, "the number of leases")
        program.process.stdin.close()
        expect_equal(program.process.wait(60), 0, "the program's exit status")
        wait_gone(guest)


# A close from wherever it comes


@case("a second close succeeds, and does not end the lease of another session of the same user and service", suites=ONE_SUITE)
def close_twice(guest):
    set_up_class(guest)
    with PamProgram(guest) as program:
        program.open("a", STUDENT)
        program.open("b", STUDENT)
        program.do("close a")
        guest.wait_until(lambda: len(ids(guest)) == 1, what="one lease is gone")
        remaining = ids(guest)
        program.do("close a")
        expect_kept(guest, remaining, "the leases after the second close")
        program.do("close b")
        wait_gone(guest)
        program.do("close b")


@case("a close on another handle of the process frees the lease", suites=ONE_SUITE)
def close_on_other_handle(guest):
    set_up_class(guest)
    with PamProgram(guest) as program:
        program.open("a", STUDENT)
        program.start("b", STUDENT)
        program.do("close b")
        wait_gone(guest)
        program.do("close a")


@case("a close on another handle means the same user and service, not any lease of the process", suites=ONE_SUITE)
def close_on_strange_handle(guest):
    set_up_class(guest)
    with PamProgram(guest) as program:
        program.open("a", STUDENT)
        program.open("b", SECOND)
        [second_id] = ids(guest, SECOND_SEAT)
        program.start("c", STUDENT)
        program.do("close c")
        expect_freed(guest, {second_id}, "the first student's lease is gone")
        program.do("close c")
        expect_kept(guest, {second_id}, "the leases after a close too many")
        program.do("close b")
        wait_gone(guest)


@case("a close from another thread of the process frees the lease", suites=ONE_SUITE)
def close_in_thread(guest):
    set_up_class(guest)
    with PamProgram(guest) as program:
        program.open("a", STUDENT)
        program.do("thread close a")
        wait_gone(guest)
        # And all of it in a thread, on a fresh handle each, as a hub does it.
        program.do(f"thread start b {pam_program.SERVICE} {STUDENT}")
        program.do("thread open b")
        program.do("thread end b 0")
        expect_equal(len(leases(guest, SEAT)), 1, "the number of leases")
        program.do(f"thread start c {pam_program.SERVICE} {STUDENT}")
        program.do("thread close c")
        wait_gone(guest)


@case("a close by a forked child succeeds and ends no lease, because the lease belongs to the process that opened it", suites=ONE_SUITE)
def close_in_child(guest):
    close_elsewhere(guest, "fork")


@case("a close by a child that runs as the student succeeds and ends no lease; the lease ends with its opener", suites=ONE_SUITE)
def close_unprivileged(guest):
    close_elsewhere(guest, "drop")


def close_elsewhere(guest, who):
    set_up_class(guest)
    since = guest.journal_position()
    with PamProgram(guest) as program:
        program.open("a", STUDENT)
        held = ids(guest)
        program.do(f"{who} close a")
        expect_kept(guest, held, "the leases after the child's close")
        program.do(f"{who} end a {pam_program.SESSION_ERR}")
        expect_kept(guest, held, "the leases after the child's pam_end")
        program.kill()
        wait_gone(guest)
    expect_not_in("pam_coursenet", guest.journal(since=since), "the log of a close without harm")


@case("pam_end with success after an open leaves the lease; a close on a fresh handle frees it", suites=ONE_SUITE)
def end_with_success(guest):
    set_up_class(guest)
    with PamProgram(guest) as program:
        program.open("a", STUDENT)
        held = ids(guest)
        program.do("end a 0")
        expect_kept(guest, held, "the leases after pam_end")
        program.start("b", STUDENT)
        program.do("close b")
        wait_gone(guest)
        program.do("end b 0")


@case("a systemd service with PAMName= is in its user's seat, and its end frees the seat")
def service_with_pam(guest):
    set_up_class(guest)
    pam_program.install(guest, options="", lines=["account required pam_permit.so", "auth required pam_permit.so"])
    since = guest.journal_position()
    try:
        guest.run(["systemd-run", "--quiet", "--unit=notebook", "-p", f"PAMName={pam_program.SERVICE}",
                   "-p", f"User={STUDENT}", "-p", "StandardOutput=truncate:/tmp/notebook",
                   "sh", "-c", "ip -br addr; echo $COURSENET_SEAT; echo ready; exec sleep infinity"])
        guest.wait_until("grep -q ready /tmp/notebook", what="the service is up")
        [lease] = leases(guest, SEAT)
        expect_in_seat(guest.read("/tmp/notebook"), SEAT, ADDRESS)
        expect_in(f"\n{SEAT}\n", guest.read("/tmp/notebook"), "the service's environment")
        main_pid = guest.run("systemctl show --value -p MainPID notebook").stdout.strip()
        expect_equal((lease["service"], lease["pid"]), (pam_program.SERVICE, int(main_pid)), "the lease's holder")
    finally:
        # (sd-pam) closes the session: another process than the opener, and unprivileged.
        guest.run("systemctl stop notebook; rm -f /tmp/notebook")
    wait_gone(guest)
    expect_not_in("cannot end the lease", guest.journal(since=since), "the log of a close that is not allowed")


# JupyterHub

# Its users and courses: 40 servers at once.
HUB_COURSES = (("301", 14), ("302", 13), ("303", 13))

# What JupyterHub's PAMAuthenticator does: pamela's calls, on four threads of one process.
HUB = """
import concurrent.futures, pamela, sys
threads = concurrent.futures.ThreadPoolExecutor(4)
calls = {"open": pamela.open_session, "close": pamela.close_session}
for line in sys.stdin:
    command, *users = line.split()
    for result in threads.map(lambda user: calls[command](user, service="jupyterhub"), users):
        assert result is None, result
    print(command, len(users), flush=True)
"""


class Hub:
    def __init__(self, guest, users):
        # As it is shipped.
        guest.run(f"install -m 644 {product.SOURCE}/conf/jupyterhub/pam.d/jupyterhub /etc/pam.d/jupyterhub")
        self.process = guest.popen(["python3", "-c", HUB])
        self._users = users
        self._stream = Stream(os.dup(self.process.stdout.fileno()), "the hub")

    def do(self, command):
        self.process.stdin.write(f"{command} {' '.join(self._users)}\n")
        self.process.stdin.flush()
        self._stream.read_until(f"^{command} {len(self._users)}\n")


@case("a hub opens and closes 40 sessions of 3 courses by pamela, on four threads, and each is a lease", suites=ONE_SUITE)
def hub(guest):
    users = hub_users(guest)
    running = Hub(guest, users)
    for _ in range(2):
        running.do("open")
        expect_leases_of_hub(guest, users, running.process.guest_pid())
        running.do("close")
        wait_gone(guest)


@case("a hub that is killed with 40 sessions open leaves none")
def hub_killed(guest):
    users = hub_users(guest)
    running = Hub(guest, users)
    running.do("open")
    expect_leases_of_hub(guest, users, running.process.guest_pid())
    running.process.kill_in_guest()
    wait_gone(guest, timeout=60)


def hub_users(guest):
    return [user for course, count in HUB_COURSES for user in add_students(guest, course, count)]


def expect_leases_of_hub(guest, users, pid):
    seats = json.loads(guest.run("coursenetctl status --json").stdout)["courses"]
    found = [(seat["user"], lease["service"], lease["pid"])
             for course in seats for seat in course["seats"] for lease in seat["leases"]]
    expect_equal(sorted(found), sorted((user, "jupyterhub", pid) for user in users), "the leases")


# Restarts

CLASS = (STUDENT, SECOND, FAR, STUDENT, FAR)


def status_without_traffic(guest):
    """What status tells, without the counters, which go on."""
    document = json.loads(guest.run("coursenetctl status --json").stdout)
    for course in document["courses"]:
        for seat in course["seats"]:
            del seat["receive_bytes"], seat["transmit_bytes"]
    return document


def survives(promise, command, restarts):
    """A case: five logins of three students and two courses go on over a command as if nothing had been."""
    @case(promise)
    def survive(guest):
        set_up_class(guest)
        sessions = [guest.ssh_popen(user) for user in CLASS]
        before, pid = status_without_traffic(guest), activator_pid(guest)
        namespaces = [session.run(OWN_NAMESPACE) for session in sessions]

        guest.run(command, timeout=300)
        guest.wait_until(lambda: is_active(guest, ACTIVATOR) and (activator_pid(guest) != pid) == restarts,
                         what="the activator is back" if restarts else "the activator runs on")
        expect_equal(status_without_traffic(guest), before, f"the status after `{command}`")
        expect_equal([session.run(OWN_NAMESPACE) for session in sessions], namespaces, "the namespaces")
        expect_in_seat(sessions[1].run("ip -br addr"), SECOND_SEAT, SECOND_ADDRESS)
        expect_equal(sessions[1].run("ping -c 1 -W 5 10.0.123.1 >/dev/null && echo reached"), "reached", "the gateway")
        expect_each_ends_its_own(guest, sessions)
    return survive


def expect_each_ends_its_own(guest, sessions):
    for number, session in enumerate(sessions, start=1):
        before = ids(guest)
        session.close()
        guest.wait_until(lambda count=len(sessions) - number: len(ids(guest)) == count, what="one lease less")
        expect(ids(guest) < before, "a lease has come from nowhere")
    wait_gone(guest)


survives("logins of a class survive kill -9 of the activator", f"systemctl kill --signal=KILL {ACTIVATOR}", True)
survives("logins of a class survive a restart of the activator", f"systemctl restart {ACTIVATOR}", True)
survives("logins of a class survive a stop and a start of the activator",
         f"systemctl stop {SOCKETS} {ACTIVATOR} && systemctl start {SOCKETS} {ACTIVATOR}", True)
survives("logins of a class survive daemon-reload", "systemctl daemon-reload", False)
# systemd leaves the bus for it, and the activator starts again.
survives("logins of a class survive daemon-reexec", "systemctl daemon-reexec", True)
survives("logins of a class survive an upgrade",
         f"{' '.join(product.MAKE)} -C {product.SOURCE} install && systemctl daemon-reload "
         f"&& systemctl try-restart {ACTIVATOR}", True)


@case("a login that ends while the activator is stopped is freed when it starts again")
def ends_while_stopped(guest):
    set_up_class(guest)
    ending, staying = guest.ssh_popen(STUDENT), guest.ssh_popen(SECOND)
    [lease], [staying_id] = leases(guest, SEAT), ids(guest, SECOND_SEAT)
    guest.run(f"systemctl stop {SOCKETS} {ACTIVATOR}")
    try:
        ending.close()
        guest.wait_until(f"! kill -0 {lease['pid']}", what="the login's sshd has ended")
        expect(is_active(guest, f"coursenet-{lease['id']}.slice"), "the lease ended without the activator")
    finally:
        guest.run(f"systemctl start {SOCKETS} {ACTIVATOR}")
    expect_freed(guest, {staying_id}, "the lease of the login that ended is gone")
    guest.wait_until(lambda: f"ns{SEAT}" not in leftovers(guest), what="its seat is gone")
    expect_in_seat(staying.run("ip -br addr"), SECOND_SEAT, SECOND_ADDRESS)
    staying.close()
    wait_gone(guest)


@case("an activator whose restart somebody cancels (`systemctl cancel`) is an error for `coursenetctl check`, and what that advises "
      "restores every lease")
def cancelled_restart(guest):
    set_up_class(guest)
    finding = f"{ACTIVATOR}: has ended, and its restart was cancelled"
    with PamProgram(guest) as staying, PamProgram(guest) as ending:
        staying.open("first", STUDENT)
        ending.open("first", SECOND)
        [staying_id] = ids(guest, SEAT)
        cancel_restart(guest, ACTIVATOR)
        guest.wait_until(lambda: finding in guest.run("coursenetctl check", check=False).stdout, what="check misses the activator")
        ending.kill()
        guest.run(f"systemctl restart {ACTIVATOR}")
        expect_freed(guest, {staying_id}, "the lease of the process that ended meanwhile is gone")
        expect_not_in(ACTIVATOR, guest.run("coursenetctl check", check=False).stdout, "what check says then")
        staying.do("close first")
    wait_gone(guest)


@case("a login whose namespace is restarted while the activator is stopped ends when it starts again, and its student is told")
def left_behind_while_stopped(guest):
    set_up_class(guest)
    old = guest.ssh_popen(STUDENT, tty=True)
    [old_id] = ids(guest)
    guest.run(f"systemctl stop {SOCKETS} {ACTIVATOR}")
    try:
        guest.run(f"systemctl restart netns@{SEAT}")
        guest.wait_until(lambda: is_active(guest, f"coursenet-{old_id}.slice"), what="systemd has restarted the lease with it")
    finally:
        guest.run(f"systemctl start {SOCKETS} {ACTIVATOR}")
    expect_freed(guest, set(), "the lease has ended")
    old.read_until(f"Your network seat {SEAT} was restarted")
    wait_gone(guest)
    old.close()


def hindered_stop(promise, away):
    @case(promise)
    def left_up(guest):
        set_up_class(guest)
        uid = guest.run(f"id -u {STUDENT}").stdout.strip()
        # systemd does not stop nsbr@ when its last lease goes while the user's manager, a part of it, is being started.
        with held(guest, "user@") as let_go:
            # The command ends with its client, so that nothing of the session is left.
            login = guest.popen([*ssh_command(STUDENT, tty=False, extra=()), "read -r line"])
            guest.wait_until(f"systemctl is-active user@{uid} | grep -qx activating",
                             what="the user's manager is being started")
            since = guest.journal_position()
            if away:
                guest.run(f"systemctl stop {SOCKETS} {ACTIVATOR}")
            try:
                guest.run(f"systemctl stop 'coursenet-{SEAT}_*.slice'")
                guest.wait_until(lambda: f"nsbr@{SEAT}.service: Failed to enqueue stop job" in guest.journal(since=since),
                                 what="systemd could not take the seat down")
                login.kill_in_guest()
                let_go()
                if away:
                    guest.wait_until(f"! systemctl is-active user@{uid} | grep -qx activating",
                                     what="the manager's start has ended")
            finally:
                guest.run(f"systemctl start {SOCKETS} {ACTIVATOR}")
            # The daemon-reload at the end of this block would make systemd stop the seat by itself.
            wait_gone(guest)
    return left_up


hindered_stop("a seat that systemd could not stop while the user's manager was starting is removed afterwards", False)
hindered_stop("a seat that systemd could not stop while the activator was down is removed when the activator is back", True)


@case("a seat is removed although the program that should tidy it up ended half-way")
def unfinished_tidying(guest):
    set_up_class(guest)
    session = guest.ssh_popen(STUDENT)
    guest.run(f"""
        busctl call org.freedesktop.systemd1 /org/freedesktop/systemd1 org.freedesktop.systemd1.Manager StartTransientUnit \
            'ssa(sv)a(sa(sv))' coursenet-tidy_{SEAT}.slice fail 1 Wants as 1 nsbr@{SEAT}.service 0""")
    session.close()
    wait_gone(guest)


@case("a reboot with logins open starts clean, and the next login needs nothing done by hand and no new folder of units")
def reboot(guest):
    set_up_class(guest)
    for user in CLASS:
        guest.ssh_popen(user)
    guest.reboot()
    expect_equal(leftovers(guest), "", "what is up after the reboot")
    expect_equal(guest.failed_units, [], "the list of failed units")
    # systemd would read all its folders of units again.
    changed = guest.run("stat -c %y /run/systemd/system").stdout
    expect_in_seat(guest.ssh(STUDENT, "ip -br addr").stdout, SEAT, ADDRESS)
    uid = guest.run(f"id -u {STUDENT}").stdout.strip()
    expect_in(SEAT, guest.read(f"/run/systemd/system/user@{uid}.service.d/50-coursenet.conf"), "the drop-in of the student's manager")
    expect_equal(guest.run("stat -c %y /run/systemd/system").stdout, changed, "when the folder of units has changed")
    wait_gone(guest)
