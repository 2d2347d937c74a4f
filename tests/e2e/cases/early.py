"""Logins that are answered before the units of their seat are up: by the worker, or because somebody else has the seat."""

import contextlib
import random

from harness.case import THOROUGH, case, expect, expect_equal, expect_in
from helpers.activator import ACTIVATOR, activator_pid
from helpers.leases import leases
from helpers.logins import expect_in_seat
from helpers.pam_program import SUCCESS, PamProgram
from helpers.seats import (ADDRESS, SEAT, STUDENT, add_students, expect_nothing_failed, forget_failures, held, is_active,
                           leftovers, set_up_class, wait_gone)
from helpers.settings import with_settings
from helpers.worker import WORKER, WORKER_SOCKET, receipts, worker_away, worker_pid

GATEWAY_ANSWERS = "ping -c 1 -W 5 10.0.123.1 >/dev/null && echo reached"
NAMESPACE = f"stat -Lc %i /run/netns/ns{SEAT}"


def state_of(guest, unit):
    return guest.run(["systemctl", "is-active", unit], check=False).stdout.strip()


def expect_nothing_left(guest, timeout=60):
    """The worker's receipts too: what no unit has adopted is discarded."""
    wait_gone(guest, timeout)
    guest.wait_until(lambda: not receipts(guest), what="no receipt is left")
    expect_equal(leftovers(guest), "", "what is left")


def wait_up(guest):
    guest.wait_until(lambda: is_active(guest, f"nsbr@{SEAT}"), what="the units of the seat are up")
    guest.wait_until("! systemctl list-jobs | grep -qE 'n(etns|sbr|etbr)@|coursenet-'", what="the jobs are done")


@contextlib.contextmanager
def early_login(guest, template, tty=False):
    """A login that has its seat while a unit of that template is kept starting; and a function that lets the unit go on."""
    with held(guest, template) as let_go:
        session = guest.ssh_popen(STUDENT, tty=tty)
        unit = "netbr@123" if template == "netbr@" else f"{template}{SEAT}"
        expect(state_of(guest, unit) != "active", f"{unit} is up, so this login was not early")
        yield session, let_go, unit


@case("an ssh login does not wait for the units of its seat: it has its network while each of them is still starting")
def early(guest):
    set_up_class(guest)
    for template in ("netns@", "nsbr@", "netbr@"):
        with early_login(guest, template) as (session, let_go, _):
            expect_in_seat(session.run("ip -br addr"), SEAT, ADDRESS)
            expect_equal(session.run(GATEWAY_ANSWERS), "reached", f"the gateway, while {template} is starting")
            expect_equal(len(leases(guest, SEAT)), 1, "the leases of status")
            namespace = guest.run(NAMESPACE).stdout
            let_go()
            wait_up(guest)
            expect_equal(guest.run(NAMESPACE).stdout, namespace, "the seat's namespace")
            expect_equal(session.run(GATEWAY_ANSWERS), "reached", "the gateway, when the units are up")
            expect_equal(receipts(guest), [], "receipts of a seat that is up")
            session.close()
        expect_nothing_left(guest)
    expect_nothing_failed(guest)


@case("a logout while the units of the seat are still starting leaves nothing")
def early_logout(guest):
    set_up_class(guest)
    for template in ("netns@", "nsbr@", "netbr@"):
        with early_login(guest, template) as (session, let_go, _):
            session.close()
            guest.wait_until(lambda: not leases(guest, SEAT), what="the lease has ended")
            let_go()
            expect_nothing_left(guest)
    expect_nothing_failed(guest)


@case("linger= keeps a seat whose login ended before its units were up, and the next login has it")
@with_settings("[course 123]\nlinger = 600\n")
def early_linger(guest):
    with early_login(guest, "netns@") as (session, let_go, _):
        session.close()
        guest.wait_until(lambda: not leases(guest, SEAT), what="the lease is no login's any more")
        let_go()
        wait_up(guest)
    again = guest.ssh_popen(STUDENT)
    expect_equal(again.run(GATEWAY_ANSWERS), "reached", "the gateway")
    again.close()
    guest.run(f"coursenetctl stop {SEAT}")
    expect_nothing_left(guest)


@case("a unit that is stopped or fails while it starts ends the login that has the seat already: the student is told, nothing is left")
def broken(guest):
    set_up_class(guest)
    for template, break_it in (("netns@", "stop"), ("nsbr@", "stop"), ("netbr@", "stop"), ("netns@", "kill -s KILL"),
                               ("nsbr@", "kill -s KILL")):
        with early_login(guest, template, tty=True) as (session, let_go, unit):
            since = guest.journal_position()
            guest.wait_until(lambda: state_of(guest, unit) == "activating", what=f"the program of {unit} is at work")
            guest.run(f"systemctl {break_it} {unit}", check=False)
            let_go()
            session.read_until("Your network seat 12310 (could not be started|was stopped)")
            guest.wait_until(lambda: not leases(guest, SEAT), what="the lease has ended")
            expect_in("after the login had begun", guest.journal(since=since), f"the journal after {break_it} of {unit}")
            session.close()
        forget_failures(guest)
        expect_nothing_left(guest)
        after = guest.ssh_popen(STUDENT)
        expect_equal(after.run(GATEWAY_ANSWERS), "reached", f"the gateway at the login after {break_it} of {unit}")
        after.close()
        expect_nothing_left(guest)


@case("logins work as before while the worker is stopped, masked or does not answer")
def without_worker(guest):
    set_up_class(guest)
    for how in (f"systemctl stop {WORKER_SOCKET} {WORKER}",
                f"systemctl mask --runtime --now {WORKER_SOCKET} {WORKER}",
                f"systemctl mask --runtime --now {WORKER}",
                f"systemctl start {WORKER}; systemctl kill -s STOP {WORKER}"):
        with worker_away(guest, how):
            for _ in range(2):
                session = guest.ssh_popen(STUDENT)
                expect_in_seat(session.run("ip -br addr"), SEAT, ADDRESS)
                expect_equal(session.run(GATEWAY_ANSWERS), "reached", f"the gateway after `{how}`")
                session.close()
                wait_gone(guest)
        # A worker that goes on now finds the requests of logins that are over.
        expect_nothing_left(guest)
    expect_nothing_failed(guest)


def restart_activator(guest, command):
    pid = activator_pid(guest)
    guest.run(command)
    guest.wait_until(lambda: is_active(guest, ACTIVATOR) and activator_pid(guest) != pid, what="the activator is back")


RESTARTS = (f"systemctl restart {ACTIVATOR}", f"systemctl kill -s KILL {ACTIVATOR}")


@case("a restart or a crash of the activator while a login is early keeps the login, and its logout leaves nothing")
def restart_after_answer(guest):
    set_up_class(guest)
    for command in RESTARTS:
        with early_login(guest, "netns@") as (session, let_go, _):
            restart_activator(guest, command)
            expect_equal(len(leases(guest, SEAT)), 1, f"the leases after `{command}`")
            let_go()
            wait_up(guest)
            expect_equal(session.run(GATEWAY_ANSWERS), "reached", f"the gateway after `{command}`")
            expect_equal(len(leases(guest, SEAT)), 1, f"the leases when the units are up, after `{command}`")
            session.close()
        expect_nothing_left(guest)
        # The logout comes before the units are up, and the next activator ends the lease.
        with early_login(guest, "netns@") as (session, let_go, _):
            restart_activator(guest, command)
            session.close()
            guest.wait_until(lambda: not leases(guest, SEAT), what="the lease has ended")
            let_go()
        expect_nothing_left(guest)


@case("a restart or a crash of the activator before the worker has answered gives the login one lease")
def restart_before_answer(guest):
    set_up_class(guest)
    for command in RESTARTS:
        with held(guest, "netns@") as let_go, PamProgram(guest, options="join=no timeout=20") as program:
            guest.run(f"systemctl start {WORKER}; systemctl kill -s STOP {WORKER}")
            try:
                program.start("a", STUDENT)
                program.send("open a")
                guest.wait_until(lambda: state_of(guest, f"netns@{SEAT}") == "activating", what="the start is under way")
                restart_activator(guest, command)
            finally:
                guest.run(f"systemctl kill -s CONT {WORKER}")
            let_go()
            expect_equal(program.answer(), SUCCESS, f"the login's result after `{command}`")
            wait_up(guest)
            expect_equal(len(leases(guest, SEAT)), 1, f"the leases after `{command}`")
            program.do("close a")
        expect_nothing_left(guest)


@case("a login with wait=none keeps its lease when the activator restarts while its units are starting")
def restart_of_no_wait(guest):
    set_up_class(guest)
    for command in RESTARTS:
        with held(guest, "netns@") as let_go, PamProgram(guest, options="join=no wait=none") as program:
            program.open("a", STUDENT)
            restart_activator(guest, command)
            let_go()
            wait_up(guest)
            expect_equal(len(leases(guest, SEAT)), 1, f"the leases after `{command}`")
            program.do("close a")
        expect_nothing_left(guest)


N_CROWD, N_KILLS = (50, 8) if THOROUGH else (24, 6)


def expect_agreement(guest):
    """Status, systemd, the kernel and the records say the same."""
    guest.wait_until("! systemctl list-jobs | grep -qE 'n(etns|sbr|etbr)@|coursenet-'", timeout=120, what="the jobs are done")

    def facts():
        lists = guest.run("""
            systemctl list-units --plain --no-legend --state=active 'coursenet-*_*.slice' | cut -d' ' -f1 | sed 's/coursenet-//; s/.slice//'
            echo; ls /run/coursenet/state
            echo; systemctl list-units --plain --no-legend --state=active 'nsbr@*' | cut -d' ' -f1 | grep -o '[0-9]*'
            echo; systemctl list-units --plain --no-legend --state=active 'netns@*' | cut -d' ' -f1 | grep -o '[0-9]*'
            echo; ls /run/netns | grep -o '[0-9]*'
            echo; ip -br link | grep -o '^vl-[0-9]*' | grep -o '[0-9]*'""").stdout.split("\n\n")
        slices, records, *seats = [set(each.split()) for each in lists]
        status = leases(guest)
        return [{lease["id"] for lease in status}, slices, records], [{each.split("_")[0] for each in slices}, *seats]

    def agree():
        return all(len({frozenset(each) for each in group}) == 1 for group in facts())

    try:
        guest.wait_until(agree, timeout=60, what="status, units, kernel and records agree")
    except AssertionError as error:
        raise AssertionError(f"{error}\n{facts()}") from None
    expect_equal(receipts(guest), [], "receipts")


@case(f"{N_CROWD} logins at once, while worker and activator are killed at random: each is in its seat or refused, and all that is up has a lease")
def crowd(guest):
    users = add_students(guest, "305", N_CROWD)
    kills = random.Random(N_CROWD)
    logins = [guest.popen(["ssh", "-T", f"{user}@127.0.0.1", "ping -c 1 -W 10 10.1.49.1 >/dev/null && echo reached; read -r line"])
              for user in users]
    for _ in range(N_KILLS):
        victim = kills.choice((WORKER, WORKER, ACTIVATOR))
        guest.run(f"sleep {kills.random() / 2:.2f}; systemctl kill -s KILL {victim}", check=False)
    said = [each.stdout.readline().strip() for each in logins]
    guest.wait_until(lambda: is_active(guest, ACTIVATOR), what="the activator is back")
    guest.wait_until(lambda: worker_pid(guest) != "0", what="the worker is back")
    expect_equal(set(said) - {""}, {"reached"}, "what the logins that were not refused said")
    expect(said.count("reached") >= N_CROWD // 2, f"only {said.count('reached')} of {N_CROWD} logins had a seat")
    expect_agreement(guest)
    expect_equal(len(leases(guest)), said.count("reached"), "the leases, one for each login")
    for each in logins:
        each.stdin.close()
    for each in logins:
        each.wait(60)
    expect_nothing_left(guest, timeout=180)
    forget_failures(guest)
