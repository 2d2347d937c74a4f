"""The units by hand, as an administrator uses them right after boot."""

import collections
import re

from harness.case import ONE_SUITE, case, expect, expect_equal, expect_failure, expect_in, expect_not_in
from helpers.seats import (ADDRESS, SEAT, expect_nothing_failed, failed_units, is_active, leftovers, pings,
                           set_up_class, wait_gone)


def stop_all(guest):
    guest.run(f"systemctl stop testnetns@{SEAT}")
    wait_gone(guest)


@case("right after boot testnetns@ brings up namespace, veth and bridge, and its stop removes them")
def by_hand_after_boot(guest):
    set_up_class(guest)
    guest.reboot()
    expect_equal(leftovers(guest), "", "what is there before")
    guest.run(f"systemctl start testnetns@{SEAT}")
    expect_in(f"ns{SEAT}", guest.run("ip netns list").stdout, "ip netns list")
    expect_in("10.0.123.1/24", guest.run("ip -br addr show br-123").stdout, "the bridge")
    expect(pings(guest, ADDRESS), "the host does not reach the seat")
    expect(pings(guest, "10.0.123.1", f"ns{SEAT}"), "the seat does not reach its gateway")
    for unit in (f"netns@{SEAT}", f"nsbr@{SEAT}", "netbr@123"):
        expect(is_active(guest, unit), f"{unit} is not active")
    report = guest.journal(unit=f"testnetns@{SEAT}.service")
    expect_in(f"ping 10.0.123.1 from ns{SEAT}: {ADDRESS}/24 (vr-{SEAT}) 0% packet loss", report, "the test's report")
    guest.run(f"systemctl stop testnetns@{SEAT}")
    wait_gone(guest)


@case("testnetns@ pings the host of the settings, and fails when nothing answers")
def test_host(guest):
    set_up_class(guest)
    before = guest.read("/etc/coursenet/coursenet.conf")
    guest.write("/etc/coursenet/coursenet.conf", "[course 123]\ntest-host = 10.0.123.77\n")
    try:
        expect_failure(guest.run(f"systemctl start testnetns@{SEAT}", check=False), "a test of a host that is not there")
        expect_in(f"ping 10.0.123.77 from ns{SEAT}: {ADDRESS}/24 (vr-{SEAT}) 100% packet loss",
                  guest.journal(unit=f"testnetns@{SEAT}.service"), "the test's report")
    finally:
        guest.write("/etc/coursenet/coursenet.conf", before)
        stop_all(guest)


@case("a unit that fails says why in its own journal, though it has no stderr")
def says_why(guest):
    set_up_class(guest)
    guest.run("ip link add br-123 type bridge")
    try:
        expect_failure(guest.run(f"systemctl start nsbr@{SEAT}", check=False), "a start beside a bridge of somebody else's")
        why = "br-123: exists already and was not made by coursenet"
        # journald may read the line after the end of the program, when it does not know the program's unit any more.
        expect_in(why, guest.run("journalctl --sync; journalctl OBJECT_SYSTEMD_UNIT=netbr@123.service").stdout, "the journal")
        expect_in(why, guest.journal(unit="netbr@123.service"), "the unit's journal")
        # `systemctl status` begins with when systemd saw the start, and a quick program has said it before that.
    finally:
        guest.run("ip link delete br-123; systemctl reset-failed netbr@123")
        wait_gone(guest)


@case("two units of one seat share it; the last stop takes everything down")
def two_users(guest):
    set_up_class(guest)
    guest.run(f"systemctl start testnetns@{SEAT} testnetns@12311")
    guest.run(f"systemctl stop testnetns@{SEAT}")
    guest.wait_until(lambda: not is_active(guest, f"netns@{SEAT}"), what="the first namespace is gone")
    expect(is_active(guest, "netbr@123"), "the bridge went with the first of two seats")
    expect(pings(guest, "10.0.123.11"), "the second seat lost its network")
    guest.run("systemctl stop testnetns@12311")
    wait_gone(guest)


@case("an administrator's BR_IP and VR_IP override the computed addresses, with and without a prefix length", suites=ONE_SUITE)
def overrides(guest):
    set_up_class(guest)
    guest.write("/etc/coursenet/netns/bridge-123.conf", "# lab subnet\nBR_IP=10.99.7.1\n")
    guest.write(f"/etc/coursenet/netns/ns{SEAT}.conf", 'VR_IP="10.99.7.50/24"\nBR=br-123\nBR_IP=10.99.7.1\n')
    try:
        guest.run(f"systemctl start testnetns@{SEAT}")
        expect_in("10.99.7.1/24", guest.run("ip -br addr show br-123").stdout, "the bridge")
        expect_in("10.99.7.50/24", guest.run(f"ip -n ns{SEAT} -br addr").stdout, "the seat")
        expect(pings(guest, "10.99.7.50"), "the host does not reach the seat")
    finally:
        guest.run(f"rm /etc/coursenet/netns/bridge-123.conf /etc/coursenet/netns/ns{SEAT}.conf")
        stop_all(guest)


@case("a broken override file is one error with file and line, in the journal and in check", suites=ONE_SUITE)
def broken_override(guest):
    set_up_class(guest)
    path = f"/etc/coursenet/netns/ns{SEAT}.conf"
    guest.write(path, "# a comment\nVR_IP=10.0.123.300\n")
    try:
        since = guest.journal_position()
        expect_failure(guest.run(f"systemctl start testnetns@{SEAT}", check=False), "a start with a broken file")
        errors = [line for line in guest.journal(since=since).splitlines() if path in line]
        # The name service reads the file too, for the seat's address, and may report the mistake itself.
        readers = collections.Counter(re.search(r"coursenet-(?:net|host)\[\d+\]", line).group() for line in errors)
        expect_equal(set(readers.values()), {1}, f"how often each reader names the file, {errors}")
        expect_in(f"{path}:2: VR_IP=10.0.123.300: expected an IPv4 address", errors[0], "the error")
        checked = guest.run("coursenetctl check", check=False)
        expect_equal(checked.returncode, 1, "check's exit status")
        expect_in(f"{path}:2:", checked.stdout + checked.stderr, "check's output")
    finally:
        guest.run(f"rm {path}")
        stop_all(guest)
    guest.run(f"systemctl start testnetns@{SEAT}")
    stop_all(guest)


@case("what a crash left behind does not stop the next start")
def leftovers_of_a_crash(guest):
    set_up_class(guest)
    guest.run(f"systemctl start testnetns@{SEAT}")
    # As after a crash: links, namespace and files stay, and systemd has no active unit.
    guest.run(f"""
        mkdir -p /run/systemd/system/netns@{SEAT}.service.d /run/systemd/system/nsbr@{SEAT}.service.d
        for unit in netns nsbr; do
            printf '[Service]\\nExecStop=\\nExecStopPost=\\n' >/run/systemd/system/$unit@{SEAT}.service.d/crash.conf
        done
        systemctl daemon-reload
        systemctl stop testnetns@{SEAT} netbr@123""")
    guest.wait_until(lambda: not is_active(guest, f"netns@{SEAT}"), what="the units are down")
    expect_in(f"ns{SEAT}", leftovers(guest), "what the crash left")
    guest.run(f"""
        rm /run/systemd/system/n*@{SEAT}.service.d/crash.conf
        systemctl daemon-reload
        systemctl start testnetns@{SEAT}""")
    expect(pings(guest, ADDRESS), "the host does not reach the seat")
    stop_all(guest)


@case("a link that coursenet did not make is not touched, and the error names it", suites=ONE_SUITE)
def foreign_link(guest):
    set_up_class(guest)
    guest.run("ip link add br-123 type bridge")
    try:
        since = guest.journal_position()
        expect_failure(guest.run(f"systemctl start testnetns@{SEAT}", check=False), "a start over somebody's link")
        expect_in("br-123", guest.journal(since=since), "the error")
        guest.run("ip link show br-123")
        # A failure of the whole course stays visible for monitors.
        guest.wait_until(lambda: failed_units(guest) == ["netbr@123.service"], timeout=15, what="only the bridge is failed")
    finally:
        guest.run("ip link del br-123; systemctl reset-failed netbr@123")
        stop_all(guest)


@case("live seats survive daemon-reload with their roster gone, and their wiring stays")
def roster_gone(guest):
    set_up_class(guest)
    guest.run(f"systemctl start testnetns@{SEAT}")
    guest.run("mv /etc/coursenet/roster.d/123 /root/roster")
    try:
        guest.run("systemctl restart coursenet-wiring; systemctl daemon-reload; systemctl restart coursenet-activator")
        expect(is_active(guest, f"nsbr@{SEAT}"), "the seat went with its roster")
        expect(is_active(guest, "netbr@123"), "the bridge went with the roster")
        expect(pings(guest, ADDRESS), "the host does not reach the seat")
    finally:
        guest.run("mv /root/roster /etc/coursenet/roster.d/123")
    stop_all(guest)


@case("the start of a seat that is on no roster fails, and the log says what to do")
def not_wired(guest):
    set_up_class(guest)
    since = guest.journal_position()
    expect_failure(guest.run("systemctl start testnetns@12399", check=False), "a start without a bridge")
    expect_in("roster add", guest.journal(since=since), "the error")
    wait_gone(guest)
    expect_nothing_failed(guest)


@case("example.service says the date", suites=ONE_SUITE)
def example(guest):
    since = guest.journal_position()
    guest.run("systemctl start example.service")
    # The program may end before journald finds out its unit, so this looks for the program's name.
    guest.wait_until(lambda: re.search(r"date\[.* 20\d\d", guest.journal(since=since)), what="the date is in the journal")
    expect_not_in("Failed", guest.journal(since=since, unit="example.service"), "the journal")
