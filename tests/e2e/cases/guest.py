"""What the other cases rely on: that a login in a guest is a login as on a real server."""

import time

from harness import product, tree
from harness.case import ONE_SUITE, Case, case, expect, expect_equal, expect_in, expect_not_in, expect_status, skip
from harness.guest import CommandFailed
from harness.runner import Runner
from helpers.activator import ACTIVATOR, activator_pid
from helpers import frames, world as world_module
from helpers.logins import logind_sessions
from helpers.network import expect_soon_same
from helpers.seats import wait_gone
from helpers.world import World, fetch, lan, other_world, resolver


@case("the guest boots without a failed unit")
def boots_clean(guest):
    expect_equal(guest.failed_units, [], "the list of failed units")


@case("an ssh login is a remote logind session, and ends with its status")
def ssh_login(guest):
    guest.add_user("alice")
    session = guest.ssh_popen("alice")
    expect_equal(session.run("id -un"), "alice", "the user")
    [found] = logind_sessions(guest, "alice")
    expect_equal((found["Remote"], found["RemoteHost"], found["Service"]), ("yes", "127.0.0.1", "sshd"), "the session")
    expect_equal(session.close(), 0, "ssh's exit status")
    guest.wait_until(lambda: not logind_sessions(guest, "alice"), what="alice's session is gone")
    expect_status(guest.ssh("alice", "exit 7", check=False), 7, "ssh alice exit 7")


@case("an ssh login with -tt has a terminal, and its session ends when the client is killed")
def ssh_terminal_login(guest):
    guest.add_user("alice")
    session = guest.ssh_popen("alice", tty=True)
    expect_in("/dev/pts/", session.run("tty"), "the terminal")
    session.run("false")
    expect_equal(session.status, 1, "the status of false")
    session.kill()
    guest.wait_until(lambda: not logind_sessions(guest, "alice"), what="the killed session is gone")


@case("a console login with a password is a session on the console")
def console_login(guest):
    guest.add_user("alice", password="correct horse")
    guest.console.login("alice", "correct horse")
    [found] = logind_sessions(guest, "alice")
    expect_equal((found["Remote"], found["Service"]), ("no", "login"), "the session")
    guest.console.send("exit\n")
    guest.wait_until(lambda: not logind_sessions(guest, "alice"), what="alice's session is gone")


@case("a command runs in the harness' unit, and su in it opens a session of its own", suites=ONE_SUITE)
def run_is_in_a_unit(guest):
    guest.add_user("alice")
    expect_in("/system.slice/harness.service", guest.run("cat /proc/self/cgroup").stdout, "the command's cgroup")
    su = guest.popen(["su", "-", "alice", "-c", "echo in; read -r line"])
    expect_equal(su.stdout.readline(), "in\n", "the first line of su")
    [found] = logind_sessions(guest, "alice")
    expect_equal(found["Service"], "su-l", "the session's service")
    su.stdin.close()
    su.wait(60)


@case("a command runs as another user, with input and environment, without a session", suites=ONE_SUITE)
def run_as_user(guest):
    guest.add_user("alice")
    result = guest.run('cat; echo "$(id -un) $HOME $COLOUR"', user="alice", input="hello\n", env={"COLOUR": "red"})
    expect_equal(result.stdout, "hello\nalice /home/alice red\n", "the output")
    guest.write("/etc/some/file", "text\n", mode=0o600)
    expect_equal(guest.read("/etc/some/file"), "text\n", "the file")
    expect_status(guest.run("cat /etc/some/file", user="alice", check=False), 1, "reading root's file")


@case("a failing command is reported with its output", suites=ONE_SUITE)
def failure_is_reported(guest):
    try:
        guest.run("echo the reason >&2; exit 3")
    except CommandFailed as error:
        expect_in("status 3", str(error), "the message")
        expect_in("the reason", str(error), "the message")
    else:
        expect(False, "a command with status 3 passed")


def run_on_purpose(boot, *functions):
    """Runs functions as cases; returns pairs of outcome and text, and the guest at the end."""
    outcomes = []
    runner = Runner(boot, lambda *outcome: outcomes.append(outcome), lambda text: None)
    runner.run([[Case(function.__name__, (), function, "guest") for function in functions]])
    last = runner.guest
    runner.close()
    return outcomes, last


@case("a case that fails does not make the next one fail: its guest is replaced by a fresh one", suites=ONE_SUITE)
def replaced_after_failure(guest):
    def boot():
        other = guest.boot_another(f"{guest.name}-other")
        other.log = lambda text: None
        return other

    def leaves_things(other):
        other.marked = True
        other.run("touch /etc/left /run/left; systemctl --quiet mask ssh; systemd-run --quiet --unit=left sleep infinity")
        other.popen("trap '' TERM; sleep infinity")
        expect(False, "on purpose")

    def finds_nothing(other):
        expect(not hasattr(other, "marked"), "the guest is the old one")
        other.run("! test -e /etc/left && ! test -e /run/left && systemctl -q is-active ssh && ! systemctl -q is-active left")
        # Units of Debian's may fail where many guests share the limit of inotify.
        expect_not_in("left", "\n".join(other.failed_units), "the list of failed units")
        other.marked = True

    def is_skipped(_):
        skip("on purpose")

    def has_the_same_guest(other):
        expect(other.marked, "the guest was replaced without a failure")

    def ends_the_guest(other):
        other.run("systemctl poweroff --force --force", check=False)
        # The kernel ends its processes one after the other.
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            other.run("true")

    outcomes, last = run_on_purpose(boot, leaves_things, finds_nothing, is_skipped, has_the_same_guest, ends_the_guest,
                                    finds_nothing)
    expect_equal([outcome for outcome, _ in outcomes], ["not ok", "ok", "skip", "ok", "not ok", "ok"], "the outcomes")
    expect_in("on purpose", outcomes[0][1], "the report of the first")
    expect(last, "the last case had no guest")


# The case is there if the product was built so.
@case("a report of a sanitizer is found, also of a unit that sees the file system read-only",
      suites=tree.SUITES if product.kind.finds_errors else ())
def sanitizer_report(guest):
    guest.run(f"systemctl start {ACTIVATOR}")
    pid = activator_pid(guest)
    guest.run(["kill", "-SEGV", pid])
    guest.wait_until(lambda: activator_pid(guest) not in ("0", pid), what="the activator is up again")
    expect_in("SEGV", guest.take_reports(), "the reports")


@case("a report about undefined behaviour is found, also if the program is a user's and its standard error is discarded",
      suites=tree.SUITES if product.kind.finds_errors else ())
def undefined_behaviour(guest):
    guest.add_user("alice")
    guest.write("/tmp/overflow.c", "int main(int argc, char **argv) { (void)argv; return __INT_MAX__ + argc; }\n")
    product.kind.compile(guest, "/tmp/overflow.c", "/tmp/overflow")
    guest.run("/tmp/overflow 2>/dev/null", user="alice", check=False)
    expect_in("runtime error: /tmp/overflow.c:1: ", guest.take_reports(), "the reports")


@case("cases that have no guest to run in are named as failures", suites=ONE_SUITE)
def no_guest(_):
    def boot():
        raise AssertionError("its console said nothing")

    def never_runs(_):
        expect(False, "it ran without a guest")

    def nor_does_this(_):
        never_runs(_)

    [(outcome, text)], _ = run_on_purpose(boot, never_runs, nor_does_this)
    expect_equal(outcome, "not ok", "the outcome")
    for part in ("never_runs", "nor_does_this", "its console said nothing"):
        expect_in(part, text, "the report")


NETWORK_STATE = """
    ip -br link; ip -br address; ip route; ip -6 route
    nft list ruleset
    ls /run/netns 2>/dev/null
    sysctl -a 2>/dev/null | grep -E 'forwarding|accept_ra ='
    ls -l --time-style=+ /etc/resolv.conf; cat /etc/resolv.conf /etc/nsswitch.conf
    # Managers of users stop some time after the logout, the console's getty is restarted after one, and some services end when they are idle.
    systemctl list-units --plain --no-legend --type=service --state=active,failed | grep -vE '^(user|console-getty|systemd-(hostnamed|localed|timedated|machined))'"""


@case("the world behind the uplink answers, however the host resolves names, and nothing of it is left afterwards", suites=ONE_SUITE)
def world_comes_and_goes(guest):
    # What an earlier case has left is still going.
    wait_gone(guest)
    before = guest.run(NETWORK_STATE).stdout
    with World(guest) as world, other_world(guest) as other:
        world.start()
        expect_equal(guest.run(fetch(world.web4)).stdout.strip(), world.host4, "the address the web server saw")
        expect_equal(guest.run(fetch(world.web6)).stdout.strip(), world.host6, "the address the web server saw")
        expect_equal(guest.run(fetch(other.web6)).stdout.strip(), other.host6, "the address the other world saw")
        for kind in ("plain", "dnsmasq", *(("resolved", "resolved-stub") if guest.suite == "trixie" else ())):
            with resolver(guest, kind):
                names = guest.run(f"getent ahosts {world_module.NAME}").stdout
                expect_in(world.web4, names, f"what {kind} finds")
                expect_in(world.web6, names, f"what {kind} finds")
                expect_equal(guest.run("getent hosts nobody.example", check=False).stdout, "", f"what {kind} finds")
        other.become_default()
        expect_in(f"via {other.gateway4} dev up1", guest.run("ip route get 8.8.8.8").stdout, "the route")
        expect_in(f"via {other.gateway6} dev up1", guest.run("ip route get 2001:4860::1").stdout, "the route")
        other.route("10.0.0.0/8", "fd00::/8")
        expect_in(f"10.0.0.0/8 via {other.host4}", other.run("ip route").stdout, "the other world's routes")
    expect_soon_same(guest, NETWORK_STATE, before, "the network of the guest")


@case("a raw frame has the fields that were asked for, and true values in all others", suites=ONE_SUITE)
def raw_frames(guest):
    with lan(guest) as network:
        watcher = frames.watch(guest, network.prefix(), "w0", "the last")
        frames.send(guest, [], "lan0", "udp4,text=true", "udp6,text=true", "arp,op=2,spa=1.2.3.4", "ra", "ra,hop=1",
                    "na,target=fe80::1", "redirect,target=fe80::2", "udp4,src=1.2.3.4,smac=02:00:00:00:00:01,text=false",
                    "udp4,vlan=7,text=tagged", "ether,proto=0x88cc,text=other", "udp6,src=2001:db8::bad,text=false",
                    "udp6,hop=1,text=the last")
        seen = watcher.wait_output().stdout
        own = guest.run("cat /sys/class/net/lan0/address").stdout.strip()
        for line in (f"{own} > ff:ff:ff:ff:ff:ff ip 203.0.113.2 > 255.255.255.255 udp true",
                     "ip6 2001:db8:3::2 > ff02::1 udp true", f"arp 2 {own} 1.2.3.4 asks 203.0.113.2", "> ff02::1 na fe80::1",
                     "> ff02::1 redirect fe80::2", "02:00:00:00:00:01 > ff:ff:ff:ff:ff:ff ip 1.2.3.4 > 255.255.255.255 udp false",
                     "udp tagged", "0x88cc other", "ip6 2001:db8::bad > ff02::1 udp false"):
            expect_in(line, seen, "what was seen")
        expect_equal(seen.count("> ff02::1 ra\n"), 2, "the number of router advertisements")
