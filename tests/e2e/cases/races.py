"""Races of logins and logouts, seats that an administrator stops or a failure breaks, and parts of the server that do not answer."""

import contextlib
import subprocess
import time

from harness.case import ONE_SUITE, THOROUGH, case, expect, expect_equal, expect_failure, expect_in, expect_not_in
from harness.guest import ssh_command
from harness.session import Session
from helpers import pam_program
from helpers.activator import ACTIVATOR
from helpers.leases import expect_kept, ids, leases
from helpers.logins import OWN_NAMESPACE, expect_in_seat
from helpers.pam_program import PamProgram
from helpers.seats import (ADDRESS, SEAT, SECOND, SECOND_ADDRESS, SECOND_SEAT, STUDENT, add_students, drop_in,
                           expect_nothing_failed, failed_units, held, is_active, leftovers, set_up_class, wait_gone)
from helpers.worker import worker_away

CYCLES = 150 if THOROUGH else 16

GATEWAY_ANSWERS = "ping -c 1 -W 5 10.0.123.1 >/dev/null && echo reached"


# Logins that cross logouts

# One login after the other, as fast as ssh can: sshd tears the last one down while the next one comes.
LOGIN_CYCLES = """
    count=$1; shift
    while [ "$count" -gt 0 ]; do "$@" 'echo $COURSENET_ADDRESS' || echo refused; count=$((count - 1)); done
"""


def login_cycles(user, count):
    return ["sh", "-c", LOGIN_CYCLES, "sh", str(count), *ssh_command(user, tty=False, extra=())]


@case(f"{CYCLES} logins of a student, each right behind the last one's logout: none is refused, nothing is left")
def cycles(guest):
    set_up_class(guest)
    said = guest.run(login_cycles(STUDENT, CYCLES), timeout=600)
    expect_equal(said.stdout.split(), [ADDRESS] * CYCLES, f"what the logins printed ({said.stderr})")
    wait_gone(guest)
    expect_nothing_failed(guest)


@case("a user's manager that fails with its seat, or is started without one, is not a failed unit once the seat is down")
def failing_managers(guest):
    set_up_class(guest)
    uid = guest.run(["id", "-u", STUDENT]).stdout.strip()
    guest.ssh(STUDENT, "true")
    wait_gone(guest)
    guest.run(f"systemctl start user@{uid}", check=False)
    expect_nothing_failed(guest)
    expect(not is_active(guest, f"user@{uid}"), "a course user's manager runs outside of a seat")

    # It has five seconds to end, and does not. KillSignal= makes it ignore the stop from the start: a trap would be set too late when
    # the logout comes first.
    session = guest.ssh_popen(STUDENT)
    guest.wait_until(lambda: is_active(guest, f"user@{uid}"), what="the user's manager runs")
    since = guest.journal_position()
    session.run("systemd-run --user --quiet --property=KillSignal=SIGCONT sleep infinity")
    session.close()
    wait_gone(guest)
    guest.wait_until(lambda: "Failed with result 'timeout'" in guest.journal(since=since), what="the manager was killed")
    expect_nothing_failed(guest)


@case("logins and logouts of two students cross daemon-reloads: none is refused, nothing is left")
def cycles_over_reloads(guest):
    set_up_class(guest)
    holder = guest.ssh_popen(SECOND)
    held = ids(guest)
    logins = guest.popen(login_cycles(STUDENT, CYCLES // 4))
    while logins.poll() is None:
        guest.run("systemctl daemon-reload")
    said = logins.wait_output()
    expect_equal(said.stdout.split(), [ADDRESS] * (CYCLES // 4), f"what the logins printed ({said.stderr})")
    expect_held_alone(guest, holder, held)


def expect_held_alone(guest, holder, held):
    guest.wait_until(lambda: ids(guest) == held, what="only the other student's lease is left")
    expect_in_seat(holder.run("ip -br addr"), SECOND_SEAT, SECOND_ADDRESS)
    holder.close()
    wait_gone(guest)


@case("logins cross a daemon-reexec, as in an upgrade of systemd, which loses what was asked of it at that moment: none is refused")
def logins_over_reexecs(guest):
    set_up_class(guest)
    holder = guest.ssh_popen(SECOND)
    held = ids(guest)
    for _ in range(CYCLES // 4):
        login = guest.popen(login_cycles(STUDENT, 1))
        guest.run("systemctl daemon-reexec")
        said = login.wait_output()
        expect_equal(said.stdout.split(), [ADDRESS], f"what the login printed ({said.stderr})")
    expect_held_alone(guest, holder, held)


# systemd reads notifications (READY=1) before it reaps processes, but a program can notify and end in between. Here each
# reaping is slow, and many processes end, so that this happens nearly every time. The next one begins when the last one
# has been reaped: at a fixed rate systemd would have no time for anything else on a busy machine.
PAUSE_US = 5000
ORPHANS = """
    while :; do
        orphan=$(true >/dev/null & echo $!)
        while [ -e /proc/$orphan ]; do sleep 0.005; done
        sleep 0.005
    done
"""


@contextlib.contextmanager
def slow_to_reap(guest):
    """systemd is kept waiting each time it looks which processes have ended, as on a busy machine."""
    tracer = subprocess.Popen(["strace", f"--attach={guest.init}", "--output=/dev/null", "--trace=waitid",
                               f"--inject=waitid:delay_enter={PAUSE_US}"], stderr=subprocess.PIPE, text=True)
    try:
        expect_in("attached", tracer.stderr.readline(), "what strace said")
        yield
    finally:
        tracer.terminate()
        tracer.wait(60)
        tracer.stderr.close()


@case("a login succeeds when systemd sees a unit's program end before it reads the program's READY=1")
def slow_reaping(guest):
    set_up_class(guest)
    guest.popen(["sh", "-c", ORPHANS])
    with slow_to_reap(guest):
        for _ in range(6):
            expect_in_seat(guest.ssh(STUDENT, "ip -br addr").stdout, SEAT, ADDRESS)
            wait_gone(guest)


def slow_teardown(promise, unit, template):
    @case(promise)
    def login_in_teardown(guest):
        set_up_class(guest)
        wait_gone(guest)
        with held(guest, f"{template}@", "ExecStopPost") as let_go:
            guest.ssh_popen(STUDENT).close()
            guest.wait_until(f"systemctl is-active {unit} | grep -qx deactivating", what=f"{unit} is being stopped")
            client = guest.popen(ssh_command(STUDENT, tty=False, extra=()), stderr=subprocess.STDOUT)
            guest.wait_until(f"systemctl list-jobs --no-legend {unit}.service | grep -qw start", what=f"the login waits for {unit}")
            let_go()
            session = Session(client, "the login in the teardown", tty=False)
            expect_in_seat(session.run("ip -br addr"), SEAT, ADDRESS)
            expect_equal(session.run(GATEWAY_ANSWERS), "reached", "the gateway")
            expect_equal(len(leases(guest, SEAT)), 1, "the number of leases")
            session.close()
            wait_gone(guest)
    return login_in_teardown


slow_teardown("a login while the last logout still takes the namespace down succeeds", f"netns@{SEAT}", "netns")
slow_teardown("a login while the last logout still takes the bridge down succeeds", "netbr@123", "netbr")
slow_teardown("a login while the last logout still takes the link down succeeds", f"nsbr@{SEAT}", "nsbr")


@case("twelve students log in at the same moment, each into a seat of their own, and out at the same moment")
def twelve_at_once(guest):
    users = add_students(guest, "304", 12)
    logins = [guest.popen([*ssh_command(user, tty=False, extra=()), "echo $COURSENET_ADDRESS; read -r line"])
              for user in users]
    printed = [login.stdout.readline().strip() for login in logins]
    expect_equal(printed, [f"10.1.48.{number}" for number in range(10, 22)], "what the logins printed")
    expect_equal(len(leases(guest)), 12, "the number of leases")
    for login in logins:
        login.stdin.close()
    for login in logins:
        login.wait(60)
    wait_gone(guest)


# Stopped or restarted by an administrator


def stopped_by_hand(promise, unit_of):
    @case(promise)
    def stop_under_login(guest):
        set_up_class(guest)
        old = guest.ssh_popen(STUDENT)
        [lease] = leases(guest)
        guest.run(["systemctl", "stop", unit_of(lease)])
        wait_gone(guest)
        expect_equal(leases(guest), [], "the leases of status")

        new = guest.ssh_popen(STUDENT)
        expect_in_seat(new.run("ip -br addr"), SEAT, ADDRESS)
        expect_equal(old.run("ip -br addr | grep -c vr-"), "0", "the number of cables in the old shell's namespace")
        held = ids(guest)
        old.close()
        guest.wait_until(f"! kill -0 {lease['pid']}", what="the old login's sshd has ended")
        expect_kept(guest, held, "the leases after the old login's end")
        expect_in_seat(new.run("ip -br addr"), SEAT, ADDRESS)
        new.close()
        wait_gone(guest)
    return stop_under_login


stopped_by_hand("a stop of nsbr@ under a login ends its lease; the next login works, while the old shell lives",
                lambda lease: f"nsbr@{SEAT}")
stopped_by_hand("a stop of netns@ under a login ends its lease; the next login works, while the old shell lives",
                lambda lease: f"netns@{SEAT}")
stopped_by_hand("a stop of netbr@ under a login ends its lease; the next login works, while the old shell lives",
                lambda lease: "netbr@123")
stopped_by_hand("a stop of the lease's slice under a login ends it; the next login works, while the old shell lives",
                lambda lease: f"coursenet-{lease['id']}.slice")


@case("a lease whose stop somebody cancels (`systemctl cancel`) is stopped again soon, and its seat goes")
def cancelled_stop(guest):
    set_up_class(guest)
    session = guest.ssh_popen(STUDENT)
    [lease] = leases(guest)
    unit, gate = f"coursenet-{lease['id']}.slice", "/run/gate-of-earlier"
    # The slice stops behind this unit, which takes until the gate is there.
    guest.run(f"""
        rm -f {gate}
        systemd-run --unit=earlier --property=After={unit} --property="ExecStop=/bin/sh -c 'until test -e {gate}; do sleep 0.05; done'" sleep infinity
        systemctl stop --no-block earlier""")
    session.close()
    guest.wait_until(f"systemctl list-jobs --no-legend {unit} | grep -qw stop", what="the stop of the slice waits")
    guest.run(f"systemctl cancel $(systemctl list-jobs --no-legend {unit} | grep -o '[0-9]*' | head -n 1); touch {gate}")
    wait_gone(guest)
    expect_nothing_failed(guest)


def restarted_by_hand(promise, unit):
    @case(promise)
    def restart_under_login(guest):
        set_up_class(guest)
        old = guest.ssh_popen(STUDENT)
        held, namespace = ids(guest), old.run(OWN_NAMESPACE)
        guest.run(["systemctl", "restart", unit])
        # systemd restarts the lease with it.
        guest.wait_until(lambda: is_active(guest, f"coursenet-{min(held)}.slice"), what="the lease's unit is back")
        expect_kept(guest, held, "the leases after the restart")
        expect_equal(old.run(OWN_NAMESPACE), namespace, "the old shell's namespace")
        expect_in_seat(old.run("ip -br addr"), SEAT, ADDRESS)
        expect_equal(old.run(GATEWAY_ANSWERS), "reached", "the gateway")

        new = guest.ssh_popen(STUDENT)
        expect_equal(new.run(OWN_NAMESPACE), namespace, "the next login's namespace")
        [new_id] = ids(guest) - held
        old.close()
        guest.wait_until(lambda: ids(guest) == {new_id}, what="only the old login's lease is gone")
        expect_equal(new.run(GATEWAY_ANSWERS), "reached", "the gateway")
        new.close()
        wait_gone(guest)
    return restart_under_login


restarted_by_hand("a restart of nsbr@ under a login makes a new veth pair: that login and the next one have a network",
                  f"nsbr@{SEAT}")
restarted_by_hand("a restart of netbr@ under a login makes a new bridge: that login and the next one have a network",
                  "netbr@123")


@case("a restart of netns@ under a login ends its lease, because the shell is in the old namespace")
def restarted_namespace(guest):
    set_up_class(guest)
    old = guest.ssh_popen(STUDENT)
    [lease] = leases(guest)
    namespace = old.run(OWN_NAMESPACE)
    guest.run(["systemctl", "restart", f"netns@{SEAT}"])
    guest.wait_until(lambda: lease["id"] not in ids(guest), what="the lease has ended")
    new = guest.ssh_popen(STUDENT)
    expect_in_seat(new.run("ip -br addr"), SEAT, ADDRESS)
    expect(new.run(OWN_NAMESPACE) != namespace, "the next login is in the old namespace")
    new.close()
    wait_gone(guest)
    expect_equal(old.run("echo alive"), "alive", "the old shell")
    old.close()


@case("a login while netns@ is being restarted under another login of the student waits, and is in the new namespace")
def login_in_restart(guest):
    set_up_class(guest)
    with held(guest, "nsbr@", "ExecStopPost") as let_go:
        old = guest.ssh_popen(STUDENT)
        guest.wait_until(lambda: is_active(guest, f"nsbr@{SEAT}"), what="the units of the seat are up")
        namespace, before = old.run(OWN_NAMESPACE), ids(guest)
        guest.run(["systemctl", "restart", "--no-block", f"netns@{SEAT}"])
        guest.wait_until(f"systemctl is-active nsbr@{SEAT} | grep -qx deactivating", what="the seat is being stopped")
        expect_equal(ids(guest), before, "the leases while the seat is being restarted")
        client = guest.popen(ssh_command(STUDENT, tty=False, extra=()), stderr=subprocess.STDOUT)
        guest.wait_until("test $(ls /run/coursenet/state | wc -l) = 2", what="the login has asked for its lease")
        let_go()
        new = Session(client, "the login in the restart", tty=False)
        expect(new.run(OWN_NAMESPACE) != namespace, "the login is in the old namespace")
        expect_equal(new.run(GATEWAY_ANSWERS), "reached", "the gateway")
        guest.wait_until(lambda: len(ids(guest) - before) == len(ids(guest)) == 1, what="the old login's lease has ended")
    new.close()
    old.close()
    wait_gone(guest)


# Failures that are over

@case("a failed namespace unit does not block the next login, nor another student's")
def stale_failure(guest):
    set_up_class(guest)
    with worker_away(guest), drop_in(guest, f"netns@{SEAT}", "ExecStartPre=/bin/false"):
        refused = guest.ssh(STUDENT, "echo inside", check=False)
        expect_failure(refused, "a login whose namespace fails")
        expect_not_in("inside", refused.stdout, "what it printed")
        expect_in_seat(guest.ssh(SECOND, "ip -br addr").stdout, SECOND_SEAT, SECOND_ADDRESS)
    guest.wait_until(lambda: not failed_units(guest), timeout=15, what="the failure of a seat that is down is forgotten")
    expect_in_seat(guest.ssh(STUDENT, "ip -br addr").stdout, SEAT, ADDRESS)
    wait_gone(guest)


@case("a seat whose program is killed right after READY=1 is given to no login, and nothing of it is left")
def killed_when_done(guest):
    set_up_class(guest)
    dies = 'NotifyAccess=all\nExecStart=\nExecStart=/bin/sh -c "systemd-notify --ready; kill -KILL $$$$"'
    with drop_in(guest, f"nsbr@{SEAT}", dies), PamProgram(guest) as program:
        program.start("a", STUDENT)
        # The login may get the seat before systemd notices the kill, or be refused.
        expect_in(program.ask("open a"), (pam_program.SUCCESS, pam_program.PERM_DENIED), "the result of the open")
        guest.wait_until(lambda: leases(guest) == [], what="there is no lease")
        wait_gone(guest)
        expect_nothing_failed(guest)
    expect_in_seat(guest.ssh(STUDENT, "ip -br addr").stdout, SEAT, ADDRESS)
    wait_gone(guest)


@contextlib.contextmanager
def stop_held(guest, unit):
    """A stop of the unit, which is up, stays queued until the `with` ends: a unit that stops before it takes its time."""
    guest.run(f"rm -f /run/gate-of-stop; systemd-run --quiet --unit=gate -p After={unit} -p RemainAfterExit=yes "
              "-p 'ExecStop=/bin/sh -c \"until test -e /run/gate-of-stop; do sleep 0.05; done\"' true; systemctl stop --no-block gate")
    try:
        guest.wait_until("systemctl is-active gate | grep -qx deactivating", what="the gate stops")
        yield
    finally:
        guest.run("touch /run/gate-of-stop")
        guest.wait_until("! systemctl is-active gate | grep -qx deactivating", what="the gate has stopped")


def survivor(promise, unit, program):
    @case(promise)
    def login_before_stop(guest):
        set_up_class(guest)
        # The shell reaps the program, so systemd may not know whose READY=1 it was. systemd-notify waits until that is settled.
        stays = ('NotifyAccess=all\nExecStart=\nExecStart=/bin/sh -c "env --unset=NOTIFY_SOCKET '
                 f'{program} && systemd-notify --ready && exec sleep infinity"')
        with drop_in(guest, unit, stays):
            old = guest.ssh_popen(STUDENT)
            guest.wait_until(lambda: is_active(guest, f"nsbr@{SEAT}"), what="the units of the seat are up")
            [lease] = leases(guest)
            with stop_held(guest, f"nsbr@{SEAT}.service"):
                guest.run(f"kill -KILL $(systemctl show -P MainPID {unit})")
                guest.wait_until(f"systemctl list-jobs --no-legend 'nsbr@*' | grep -qw stop && ! systemctl is-active -q {unit}",
                                 what="systemd is about to stop what needed it")
                client = guest.popen(ssh_command(STUDENT, tty=False, extra=()), stderr=subprocess.STDOUT)
                guest.wait_until("! systemctl list-jobs --no-legend 'nsbr@*' | grep -qw stop", what="the login has cancelled that stop")
            new = Session(client, "the login", tty=False)
            expect_in_seat(new.run("ip -br addr"), SEAT, ADDRESS)
            expect_equal(new.run(GATEWAY_ANSWERS), "reached", "the gateway")
            guest.wait_until(lambda: lease["id"] not in ids(guest), what="the old login's lease has ended")
            new.close()
            old.close()
            wait_gone(guest)


survivor("a login just after the namespace of a seat has failed, when systemd has not yet stopped the rest, has a working seat",
         f"netns@{SEAT}", f"/usr/libexec/coursenet/coursenet-net netns start {SEAT}")
survivor("a login just after the bridge of a course has failed, when systemd has not yet stopped its seats, has a working seat",
         "netbr@123", "/usr/libexec/coursenet/coursenet-net bridge start 123")


# The link group of all links that coursenet makes; a crash can leave any of them.
MARK = "25454"


@case("links and a namespace that a crash left behind do not block a login, and are removed with its seat")
def stale_links(guest):
    set_up_class(guest)
    guest.run(f"""
        ip link add br-123 group {MARK} type bridge
        ip netns add ns{SEAT}
        ip -n ns{SEAT} link set lo group {MARK}
        ip link add vl-{SEAT} group {MARK} type veth peer vr-{SEAT} group {MARK} netns ns{SEAT}
        ip link set vl-{SEAT} master br-123""")
    expect_in_seat(guest.ssh(STUDENT, "ip -br addr").stdout, SEAT, ADDRESS)
    wait_gone(guest)


@case("a file in /run/netns that is not a namespace does not block a login", suites=ONE_SUITE)
def stale_name(guest):
    set_up_class(guest)
    guest.run(f"mkdir -p /run/netns && install -m 000 /dev/null /run/netns/ns{SEAT}")
    expect_in_seat(guest.ssh(STUDENT, "ip -br addr").stdout, SEAT, ADDRESS)
    wait_gone(guest)


@case("one student's broken override makes that student's logins fail, and no other student's", suites=ONE_SUITE)
def broken_override(guest):
    set_up_class(guest)
    path = f"/etc/coursenet/netns/ns{SEAT}.conf"
    guest.write(path, "VR_IP=10.0.123.300\n")
    try:
        since = guest.journal_position()
        refused = guest.ssh(STUDENT, "echo inside", check=False)
        expect_failure(refused, "a login with a broken override")
        expect_not_in("inside", refused.stdout, "what it printed")
        expect_in(f"{path}:1: VR_IP=10.0.123.300", guest.journal(since=since), "the log")
        expect_in_seat(guest.ssh(SECOND, "ip -br addr").stdout, SECOND_SEAT, SECOND_ADDRESS)
    finally:
        guest.run(f"rm {path}")
    expect_in_seat(guest.ssh(STUDENT, "ip -br addr").stdout, SEAT, ADDRESS)
    wait_gone(guest)


# Parts that do not answer

def expect_refused_in_time(guest, program, handle):
    """An open with timeout=4 is refused after about four seconds."""
    started = time.monotonic()
    expect_equal(program.ask(f"open {handle}"), pam_program.PERM_DENIED, "the result of the open")
    took = time.monotonic() - started
    expect(took < 15, f"the refusal took {took:.1f} s, with timeout=4")


@case("when the activator does not answer, a login fails at its timeout, and nothing of it is left when the activator "
      "answers again")
def activator_stopped(guest):
    set_up_class(guest)
    with PamProgram(guest, options="join=no timeout=4") as program:
        program.start("a", STUDENT)
        program.start("b", SECOND)
        guest.run(f"systemctl kill --signal=STOP {ACTIVATOR}")
        try:
            since = guest.journal_position()
            expect_refused_in_time(guest, program, "a")
            expect_in("no answer from the activator within 4 s", guest.journal(since=since), "the log")
        finally:
            guest.run(f"systemctl kill --signal=CONT {ACTIVATOR}")
        # The request is still in the socket. Its sender lives on, but no longer waits.
        program.do("open b")
        [lease] = leases(guest)
        expect_equal(lease["id"][:5], SECOND_SEAT, "the one lease's seat")
        guest.wait_until(lambda: f"ns{SEAT}" not in leftovers(guest), what="nothing of the late request is left")
        program.do("close b")
        wait_gone(guest)
        program.do("open a")
        program.do("close a")
        wait_gone(guest)


@case("without D-Bus a login fails at its timeout and live logins go on; with D-Bus back, logins work again")
def without_dbus(guest):
    set_up_class(guest)
    holder = guest.ssh_popen(SECOND)
    before = leases(guest)
    with PamProgram(guest, options="join=no timeout=4") as program:
        program.start("a", STUDENT)
        guest.run("systemctl stop dbus.socket dbus.service")
        try:
            expect_refused_in_time(guest, program, "a")
            expect_in_seat(holder.run("ip -br addr"), SECOND_SEAT, SECOND_ADDRESS)
        finally:
            # logind does not reconnect to a new bus by itself, on any Debian.
            guest.run("systemctl start dbus.socket dbus.service && systemctl restart systemd-logind")
        guest.wait_until(lambda: is_active(guest, ACTIVATOR), what="the activator is back")
        program.do("open a")
        program.do("close a")
    guest.wait_until(lambda: leases(guest) == before, what="the leases are as before")
    expect_in_seat(guest.ssh(STUDENT, "ip -br addr").stdout, SEAT, ADDRESS)
    holder.close()
    wait_gone(guest)


# Limits

LEASES_PER_USER = 64


@case("the 65th login of one user is refused, and the log names the limit", suites=ONE_SUITE)
def too_many_logins(guest):
    set_up_class(guest)
    with PamProgram(guest) as program:
        for number in range(LEASES_PER_USER):
            program.open(f"h{number}", STUDENT)
        since = guest.journal_position()
        for number in range(LEASES_PER_USER, 70):
            program.start(f"h{number}", STUDENT)
            expect_equal(program.ask(f"open h{number}"), pam_program.PERM_DENIED, f"the result of open {number + 1}")
        expect_in("this user has 64 logins, the limit for one user", guest.journal(since=since), "the log")
        expect_equal(len(leases(guest, SEAT)), LEASES_PER_USER, "the number of leases")
        program.open("other", SECOND)
        # The end of one lease makes room for another.
        program.do("close h0")
        guest.wait_until(lambda: len(leases(guest, SEAT)) == LEASES_PER_USER - 1, what="one lease less")
        program.do("open h69")
    wait_gone(guest, timeout=60)


IDLE_CONNECTIONS = """
import select, socket, sys
idle = []
for _ in range(200):
    one = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    one.connect("/run/coursenet/query.sock")
    idle.append(one)
poll = select.poll()
for one in idle:
    poll.register(one, 0)
kept = len(idle)
while kept > 8:
    for descriptor, _ in poll.poll():
        poll.unregister(descriptor)
        kept -= 1
print(kept, flush=True)
sys.stdin.read()
"""


@case("200 idle connections of one user to the query socket disturb no login, and at most 8 of them are kept", suites=ONE_SUITE)
def idle_connections(guest):
    set_up_class(guest)
    since = guest.journal_position()
    alice = guest.popen(["python3", "-c", IDLE_CONNECTIONS], user="alice")
    expect_equal(alice.stdout.readline(), "8\n", "the number of connections kept")
    session = guest.ssh_popen(STUDENT)
    expect_in_seat(session.run("ip -br addr"), SEAT, ADDRESS)
    expect_in(STUDENT, session.run("coursenetctl status --json"), "the student's own status")
    alice.stdin.close()
    alice.wait(60)
    expect_in("has too many connections open", guest.journal(since=since), "the log")
    session.close()
    wait_gone(guest)
