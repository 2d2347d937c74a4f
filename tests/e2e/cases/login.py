"""Logins: what a student gets, what other users do not notice, and what is left after the last logout."""

import contextlib
import time

from harness.case import ONE_SUITE, case, expect, expect_equal, expect_failure, expect_in, expect_not_in
from harness.guest import ssh_command
from helpers import pam_program
from helpers.leases import leases, status
from helpers.logins import HOST_NAMESPACE, OWN_NAMESPACE, expect_in_seat, manager_of
from helpers.pam_program import PamProgram
from helpers.seats import (ADDRESS, FAR, FAR_ADDRESS, FAR_SEAT, PASSWORD, ROSTER_FILE, SEAT, SECOND, SECOND_ADDRESS, SECOND_SEAT,
                           STRANGER, STUDENT, drop_in, expect_nothing_failed, held, is_active, leftovers, set_up_class, wait_gone)
from helpers.settings import settings
from helpers.worker import worker_away


@case("an ssh login is in its seat, with address and environment")
def ssh_login(guest):
    set_up_class(guest)
    session = guest.ssh_popen(STUDENT)
    expect_in_seat(session.run("ip -br addr"), SEAT, ADDRESS)
    expect_equal(session.run("echo $COURSENET_COURSE $COURSENET_SEAT $COURSENET_ADDRESS"), f"123 {SEAT} {ADDRESS}",
                 "the environment")
    expect_in("via 10.0.123.1", session.run("ip route show default"), "the default route")
    expect_equal(session.run("ping -c 1 -W 5 10.0.123.1 >/dev/null && echo reached"), "reached", "the gateway")
    session.close()
    wait_gone(guest)


@case("with user-manager = no a login starts no systemd manager and has its runtime directory; a manager that is up stays up, and the "
      "next login after a change back has one")
def no_user_manager(guest):
    set_up_class(guest)
    manager = manager_of(guest, STUDENT)
    guest.wait_until(f"! systemctl is-active --quiet {manager}", what="the manager of an earlier login is gone")
    since = guest.journal_position()
    with settings(guest, "[course 123]\nuser-manager = no\n"):
        session = guest.ssh_popen(STUDENT)
        expect_in_seat(session.run("ip -br addr"), SEAT, ADDRESS)
        expect_equal(session.run('stat --format="%n %U" "$XDG_RUNTIME_DIR"'), f"/run/user/{manager[5:]} {STUDENT}", "the runtime directory")
        expect_in("ConditionPathExists=/run/coursenet/user-manager-is-set-to-no", guest.journal(since=since), "what systemd says of the manager")
        expect(not is_active(guest, manager), "the login has a manager")
        expect_equal(session.run("tmux new-session -d -s one; tmux list-sessions -F '#S'; tmux kill-server"), "one", "tmux without a manager")
        session.close()
        wait_gone(guest)
        expect_nothing_failed(guest)

    with_manager = guest.ssh_popen(STUDENT)
    guest.wait_until(f"systemctl is-active --quiet {manager}", what="the next login's manager is up")
    with settings(guest, "[site]\nuser-manager = no\n"):
        second = guest.ssh_popen(STUDENT)
        expect_in_seat(second.run("ip -br addr"), SEAT, ADDRESS)
        expect_equal(second.run(f"systemd-run --user --quiet --wait --pipe {OWN_NAMESPACE}"), with_manager.run(OWN_NAMESPACE),
                     "the namespace of the manager that was up before the change")
        second.close()
    with_manager.close()
    wait_gone(guest)


@case("of two logins, the first logout removes nothing, and the last one removes the seat within five seconds")
def two_logins(guest):
    set_up_class(guest)
    first, second = guest.ssh_popen(STUDENT), guest.ssh_popen(STUDENT)
    expect_equal(first.run(OWN_NAMESPACE), second.run(OWN_NAMESPACE), "the second login's namespace")
    expect_equal(len(leases(guest, SEAT)), 2, "the number of leases")

    first.close()
    guest.wait_until(lambda: len(leases(guest, SEAT)) == 1, what="the first lease is gone")
    expect_in_seat(second.run("ip -br addr"), SEAT, ADDRESS)
    expect_equal(second.run("ping -c 1 -W 5 10.0.123.1 >/dev/null && echo reached"), "reached", "the gateway")

    second.close()
    started = time.monotonic()
    wait_gone(guest)
    took = time.monotonic() - started
    expect(took < 5, f"the seat was gone after {took:.1f} s only")


@case("two students and another course at the same time, each in a seat of their own")
def several_students(guest):
    set_up_class(guest)
    sessions = [guest.ssh_popen(user) for user in (STUDENT, SECOND, FAR)]
    wanted = ((SEAT, ADDRESS), (SECOND_SEAT, SECOND_ADDRESS), (FAR_SEAT, FAR_ADDRESS))
    for session, (seat, address) in zip(sessions, wanted):
        expect_in_seat(session.run("ip -br addr"), seat, address)
    expect_equal(len({session.run(OWN_NAMESPACE) for session in sessions}), 3, "the number of namespaces")
    expect_in("10.1.121.1/24", guest.run("ip -br addr show br-377").stdout, "the far course's bridge")
    expect_equal(sorted(each["seat"] for each in status(guest)), [SEAT, SECOND_SEAT, FAR_SEAT], "the seats of status")

    sessions[0].close()
    guest.wait_until(lambda: not is_active(guest, f"netns@{SEAT}"), what="the first seat is gone")
    expect(is_active(guest, "netbr@123"), "the bridge went while a seat of its course was up")
    expect_in_seat(sessions[1].run("ip -br addr"), SECOND_SEAT, SECOND_ADDRESS)
    for session in sessions[1:]:
        session.close()
    wait_gone(guest)


@case("forwarded ports, scp and sftp come out inside the seat")
def forwarding(guest):
    set_up_class(guest)
    # Only the seat's namespace has this address, and only a process in it reaches this listener.
    holder = guest.ssh_popen(STUDENT)
    listener = guest.popen(["ip", "netns", "exec", f"ns{SEAT}", "socat", "-u", "TCP-LISTEN:7777,bind=127.0.0.1,fork",
                            "SYSTEM:cat >/tmp/received"])
    guest.wait_until(f"ip netns exec ns{SEAT} ss -Hltn sport = :7777 | grep -q LISTEN")
    forward = guest.popen(["ssh", "-N", "-L", "7070:127.0.0.1:7777", f"{STUDENT}@127.0.0.1"])
    guest.wait_until("ss -Hltn sport = :7070 | grep -q LISTEN")
    guest.run("echo from the host | socat -u STDIN TCP:127.0.0.1:7070")
    guest.wait_until("grep -q 'from the host' /tmp/received", what="the text has come out in the seat")
    guest.run(f"echo text >/tmp/copied && scp /tmp/copied {STUDENT}@127.0.0.1:copied")
    expect_equal(guest.read(f"/home/{STUDENT}/copied"), "text\n", "what scp copied")
    forward.kill_in_guest()
    listener.kill_in_guest()
    holder.close()
    wait_gone(guest)


@case("su and su - are in the seat, and give it back")
def su(guest):
    set_up_class(guest)
    for command in ("su", "su -"):
        shell = guest.run(f"{command} {STUDENT} -c 'ip -br addr; {OWN_NAMESPACE}; echo $COURSENET_SEAT'").stdout
        expect_in_seat(shell, SEAT, ADDRESS)
        expect_in(f"\n{SEAT}\n", shell, f"the environment of {command}")
        expect_not_in(guest.run(HOST_NAMESPACE).stdout, shell, f"the namespace of {command}")
        wait_gone(guest)


@case("a console login is in the seat, and gives it back")
def console(guest):
    set_up_class(guest)
    guest.console.login(STUDENT, PASSWORD)
    try:
        # Not on the terminal itself, where ip would colour its words.
        guest.console.send("ip -br addr | cat\n")
        guest.console.read_until(f"vr-{SEAT}@[^\n]* {ADDRESS}/24")
        [lease] = leases(guest, SEAT)
        expect_equal(lease["service"], "login", "the lease's service")
    finally:
        guest.console.send("exit\n")
    wait_gone(guest)


@case("alice, who is not a course user, stays in the host's namespace, without a seat or a lease")
def alice(guest):
    set_up_class(guest)
    host = guest.run(HOST_NAMESPACE).stdout.strip()
    session = guest.ssh_popen("alice")
    expect_equal(session.run(OWN_NAMESPACE), host, "alice's namespace")
    expect_equal(session.run("env | grep -c COURSENET"), "0", "the number of variables")
    expect_equal(leftovers(guest), "", "what is up")
    session.close()


@case("for alice the module makes no system call that opens, connects or sends")
def alice_costs_nothing(guest):
    set_up_class(guest)
    # A stack of this module alone, so that whatever it does stands between the two marks.
    program = pam_program.install(guest, options="")
    trace = guest.run(["strace", "-f", "-o", "/tmp/trace", *program, pam_program.SERVICE, "alice"], check=False)
    expect_equal(trace.returncode, 0, f"the session's result ({trace.stdout}{trace.stderr})")
    between = guest.read("/tmp/trace").split("mark-before")[1].split("mark-after")[0]
    calls = [line for line in between.splitlines()[1:-1] if "(" in line]
    # libpam itself sends a message to the kernel's audit.
    forbidden = [line for line in calls if "AF_NETLINK" not in line
                 if any(name in line for name in ("open", "connect(", "send", "socket(", "write", "clone", "setns"))]
    expect_equal(forbidden, [], "the list of forbidden system calls")

    # The same test sees a course user's calls, so it can fail.
    guest.run(["strace", "-f", "-o", "/tmp/trace", *program, pam_program.SERVICE, STUDENT], check=False)
    between = guest.read("/tmp/trace").split("mark-before")[1].split("mark-after")[0]
    expect_in("connect(", between, "the trace of a course user's session")
    wait_gone(guest)


@case("a course user who is on no roster is refused with one sentence, and root still gets in")
def stranger(guest):
    set_up_class(guest)
    since = guest.journal_position()
    refused = guest.ssh(STRANGER, "echo inside", check=False)
    expect_failure(refused, "the stranger's login")
    said = [line for line in (refused.stdout + refused.stderr).splitlines() if line.strip()]
    expect_not_in("inside", "\n".join(said), "what ssh printed")
    expect_equal(len(said), 1, f"the number of lines the user sees, {said}")
    expect_in("course 123", said[0], "the sentence")
    expect_in("roster add 123 nobody", guest.journal(since=since), "the log")
    guest.ssh("root", "true")
    expect_equal(leftovers(guest), "", "what is left of the refused login")


@case("a seat that cannot come up refuses the login; the log names the unit that failed")
def failing_seat(guest):
    set_up_class(guest)
    guest.run("ip link add br-123 type bridge")
    since = guest.journal_position()
    try:
        refused = guest.ssh(STUDENT, "echo inside", check=False)
    finally:
        guest.run("ip link del br-123")
    expect_failure(refused, "a login without a seat")
    expect_not_in("inside", refused.stdout, "what the login printed")
    expect_in("netbr@123.service failed; see: journalctl", guest.journal(since=since), "the log")
    guest.wait_until(lambda: f"ns{SEAT}" not in leftovers(guest), what="the failed start left no namespace")
    # The failed unit stays for the administrator to look at, and does not block the next login.
    expect_in_seat(guest.ssh(STUDENT, "ip -br addr").stdout, SEAT, ADDRESS)
    wait_gone(guest)


@case("a unit that hangs makes one student's login fail at its timeout, and does not delay another student")
def hanging_unit(guest):
    set_up_class(guest)
    since = guest.journal_position()
    patient = [*pam_program.install(guest, options="join=no timeout=60"), pam_program.SERVICE, STUDENT]
    with worker_away(guest), drop_in(guest, f"netns@{SEAT}", "ExecStartPre=/bin/sleep 300\nTimeoutStartSec=300"):
        hanging = guest.popen(patient)
        guest.wait_until(f"systemctl is-active netns@{SEAT} | grep -qx activating")
        expect_in_seat(guest.ssh(SECOND, "ip -br addr").stdout, SECOND_SEAT, SECOND_ADDRESS)
        expect(hanging.poll() is None, "the hanging login ended before the other one was served")
        hanging.kill_in_guest()
        guest.wait_until(lambda: "hung up before it had seat" in guest.journal(since=since), what="the killed login is given up")
        guest.run(f"systemctl stop netns@{SEAT}")

        impatient = [*pam_program.install(guest, options="join=no timeout=3"), pam_program.SERVICE, STUDENT]
        started = time.monotonic()
        expect_failure(guest.run(impatient, check=False), "the hanging login")
        took = time.monotonic() - started
    guest.run(f"systemctl stop netns@{SEAT}; systemctl reset-failed")
    expect(2 < took < 25, f"the hanging login took {took:.1f} s, with timeout=3")
    expect_in(f"netns@{SEAT}.service takes too long", guest.journal(since=since), "the log")
    wait_gone(guest)


@case("when a later module in the stack fails, the seat is freed at once")
def later_module_fails(guest):
    set_up_class(guest)
    with PamProgram(guest, lines=["session required pam_deny.so"]) as program:
        program.start("a", STUDENT)
        expect_equal(program.ask("open a"), pam_program.SESSION_ERR, "the stack's result")
        # As sshd does it: no close follows a failed open. The program lives on.
        program.do(f"end a {pam_program.SESSION_ERR}")
        wait_gone(guest)


@case("a module file that is missing locks out students, not root")
def missing_module(guest):
    set_up_class(guest)
    path = guest.run("find /lib /usr/lib -xdev -name pam_coursenet.so | head -1").stdout.strip()
    guest.run(f"mv {path} {path}.away")
    try:
        guest.ssh("root", "true")
        refused = guest.ssh(STUDENT, "echo inside", check=False)
        expect_not_in("inside", refused.stdout, "what a student's login printed")
        expect_failure(refused, "a student's login without the module")
    finally:
        guest.run(f"mv {path}.away {path}")


@contextlib.contextmanager
def roster_put_back(guest):
    before = guest.read(ROSTER_FILE)
    try:
        yield
    finally:
        guest.write(ROSTER_FILE, before, mode=0o600)


def swap_numbers(guest):
    """By hand: SECOND has the number of STUDENT's seat, and the other way round."""
    guest.run(["sed", "-i", "s/^newellz2 10$/newellz2 11/; s/^smithj 11$/smithj 10/", ROSTER_FILE])
    expect_in("smithj 10", guest.read(ROSTER_FILE), "the roster")


@case("the number of a removed student stays reserved, and no other student's number changes", suites=ONE_SUITE)
def removed_student(guest):
    set_up_class(guest)
    with roster_put_back(guest):
        guest.run("coursenetctl roster remove 123 newellz2")
        expect_failure(guest.ssh(STUDENT, "true", check=False), "a removed student's login")
        guest.run("coursenetctl roster add 123 latecomer")
        expect_in("latecomer 13", guest.read(ROSTER_FILE), "the roster")
        expect_in_seat(guest.ssh(SECOND, "ip -br addr").stdout, SECOND_SEAT, SECOND_ADDRESS)
    expect_in_seat(guest.ssh(STUDENT, "ip -br addr").stdout, SEAT, ADDRESS)
    wait_gone(guest)


@case("a student who gets the number of a seat that another student still has is refused, and gets it after that", suites=ONE_SUITE)
def number_in_use(guest):
    set_up_class(guest)
    session = guest.ssh_popen(STUDENT)
    with roster_put_back(guest):
        swap_numbers(guest)
        expect_failure(guest.ssh(SECOND, "true", check=False), "the login to a seat that another student is in")
        expect_in(f"seat {SEAT}, but its former user still has it", guest.journal(lines=200), "the journal")
        expect_in_seat(session.run("ip -br addr"), SEAT, ADDRESS)
        session.close()
        wait_gone(guest)
        expect_in_seat(guest.ssh(SECOND, "ip -br addr").stdout, SEAT, ADDRESS)
        wait_gone(guest)


@case("a student who gets the number of a seat whose network is still being taken down is not let into that network", suites=ONE_SUITE)
def number_going_down(guest):
    set_up_class(guest)
    with roster_put_back(guest):
        with held(guest, "nsbr@", "ExecStopPost") as let_go:
            session = guest.ssh_popen(STUDENT)
            old = session.run(OWN_NAMESPACE)
            session.close()
            guest.wait_until(f"systemctl is-active nsbr@{SEAT} | grep -qx deactivating", what="the seat is being stopped")
            guest.wait_until("! ls /run/coursenet/state | grep -q .", what="the lease has ended")
            swap_numbers(guest)
            guest.run("systemctl restart coursenet-activator")
            login = guest.popen([*ssh_command(SECOND, tty=False, extra=()), OWN_NAMESPACE])
            guest.wait_until(lambda: login.poll() is not None or "start" in
                             guest.run(f"systemctl list-jobs --no-legend nsbr@{SEAT}.service").stdout, what="the login waits or is refused")
            let_go()
            expect_not_in(old, login.wait_output().stdout, "the namespace of the new student's login")
        expect_in(f"seat {SEAT}, but the network of its former user is still there", guest.journal(lines=200), "the journal")
        wait_gone(guest)
        expect_in_seat(guest.ssh(SECOND, "ip -br addr").stdout, SEAT, ADDRESS)
        wait_gone(guest)


@case("what the refusal advises lets a student into a seat whose former network stayed behind", suites=ONE_SUITE)
def number_left_behind(guest):
    set_up_class(guest)
    with roster_put_back(guest):
        with drop_in(guest, "netns@", "ExecStopPost="):
            guest.ssh(STUDENT, "true")
            guest.wait_until(lambda: not is_active(guest, f"netns@{SEAT}"), what="the seat is down")
        swap_numbers(guest)
        since = guest.journal_position()
        expect_failure(guest.ssh(SECOND, "true", check=False), "the login to a seat with another student's network")
        refusals = [line for line in guest.journal(since=since).splitlines() if "does not go by itself: " in line]
        guest.run(refusals[0].split("by itself: ")[1])
        expect_in_seat(guest.ssh(SECOND, "ip -br addr").stdout, SEAT, ADDRESS)
        wait_gone(guest)


@case("a restart, a crash and a stop of the activator lose no lease")
def activator_restarts(guest):
    set_up_class(guest)
    session = guest.ssh_popen(STUDENT)
    before = leases(guest, SEAT)
    for command in ("systemctl restart coursenet-activator",
                    "systemctl kill --signal=KILL coursenet-activator",
                    "systemctl stop coursenet-activator.service 2>/dev/null; systemctl start coursenet-activator"):
        guest.run(command)
        guest.wait_until(lambda: is_active(guest, "coursenet-activator.service"), what="the activator is back")
        expect_equal(leases(guest, SEAT), before, f"the leases after `{command}`")
    expect_in_seat(session.run("ip -br addr"), SEAT, ADDRESS)
    session.close()
    wait_gone(guest)


@case("kill -9 of sshd's privileged process ends the seat with the shell, not before")
def sshd_killed(guest):
    set_up_class(guest)
    session = guest.ssh_popen(STUDENT)
    [lease] = leases(guest, SEAT)
    guest.run(["kill", "-9", str(lease["pid"])])
    expect_in_seat(session.run("ip -br addr"), SEAT, ADDRESS)
    expect_equal(len(leases(guest, SEAT)), 1, "the number of leases while the shell lives")
    session.kill()
    guest.run(f"pkill -KILL -u {STUDENT} || true")
    wait_gone(guest)


@case("a user sees their own leases over the query socket, and may ask for nothing else", suites=ONE_SUITE)
def query_socket(guest):
    set_up_class(guest)
    first, second = guest.ssh_popen(STUDENT), guest.ssh_popen(SECOND)
    own = first.run("coursenetctl status --json")
    expect_in(STUDENT, own, "the student's own status")
    expect_not_in(SECOND, own, "the student's own status")
    expect_equal(guest.run("coursenetctl status --json", user="alice").stdout.count("lease"), 0, "alice's leases")
    first.run(r"printf 'garbage' | socat -t 2 - UNIX-CONNECT:/run/coursenet/query.sock,type=5 >/dev/null")
    first.run("socat -u OPEN:/dev/null UNIX-CONNECT:/run/coursenet/activator.sock,type=5 2>&1")
    expect(first.status != 0, "a student reached the activator's own socket")
    expect_equal(len(leases(guest)), 2, "the number of leases")
    first.close()
    second.close()
    wait_gone(guest)
