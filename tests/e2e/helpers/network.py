"""Seats as the network cases need them: held by an administrator, looked at from inside, and talking to each other."""

import contextlib
import json
import shlex

from harness.case import expect_equal
from harness.guest import CommandFailed
from helpers.seats import SEAT, STUDENT, set_up_class, wait_gone
from helpers.world import fetch

GATEWAY, FAR_GATEWAY = "10.0.123.1", "10.1.121.1"
COURSES_TABLE, FENCE_TABLE = "inet coursenet", "inet coursenet_fence"
# Where the seats are whose numbers end in 0, such as SEAT.
SEATS_TABLE = "netdev coursenet_0"


@contextlib.contextmanager
def seats_up(guest, *targets):
    """Courses or seats are up, held by an administrator, as long as the `with` lasts."""
    set_up_class(guest)
    for target in targets:
        guest.run(["coursenetctl", "start", target])
    try:
        yield
    finally:
        for target in targets:
            guest.run(["coursenetctl", "stop", target], check=False)
        wait_gone(guest)


def inside(seat):
    """The prefix of a command that root runs in a seat."""
    return ["ip", "netns", "exec", f"ns{seat}"]


def in_seat(guest, seat, command, **options):
    """Runs a command (a list, or a line for sh) in a seat, as root."""
    line = ["sh", "-c", command] if isinstance(command, str) else command
    return guest.run([*inside(seat), *line], **options)


def address6(guest, link, namespace=None):
    """The global IPv6 address of a link, without its prefix."""
    where = ["-n", namespace] if namespace else []
    shown = json.loads(guest.run(["ip", *where, "-json", "-6", "address", "show", "dev", link, "scope", "global"]).stdout)
    found = [entry["local"] for each in shown for entry in each.get("addr_info", []) if "local" in entry]
    if len(found) != 1:
        raise AssertionError(f"{link} has these global IPv6 addresses: {found}, expected one")
    return found[0]


def seat_address6(guest, seat):
    return address6(guest, f"vr-{seat}", f"ns{seat}")


def subnet6(address):
    return address.rsplit("::", 1)[0] + "::/64"


def saw(guest, seat, address):
    """The address that a web server saw when it was asked from a seat; empty if it was not reached."""
    return in_seat(guest, seat, fetch(address), check=False).stdout.strip()


def expect_out(guest, world, *seats):
    """Seats reach the world in the host's name."""
    for seat in seats:
        for web, host in ((world.web4, world.host4), (world.web6, world.host6)):
            expect_equal(saw(guest, seat, web), host, f"whom the web server {web} saw, of {seat}")


def soon(guest, condition, what):
    """Waits for something that the watch does by itself. It takes about a second; the deadline is forty."""
    guest.wait_until(condition, timeout=40, what=what)


def expect_soon_same(guest, look, before, what):
    """What a command shows is soon what it was before."""
    try:
        soon(guest, lambda: guest.run(look, check=False).stdout == before, f"{what} is as before")
    except AssertionError as error:
        raise AssertionError(f"{error}\n{what} was:\n{before}\nand is:\n{guest.run(look, check=False).stdout}") from None


class Greeter:
    """Something that listens at a TCP port of all addresses, in a seat or (prefix []) on the host, and greets."""

    def __init__(self, guest, prefix, port):
        guest.popen([*prefix, "socat", f"TCP6-LISTEN:{port},ipv6only=0,reuseaddr,fork", "SYSTEM:echo hello"])
        listening = shlex.join([*prefix, "ss", "-Hltn", f"sport = :{port}"])
        guest.wait_until(f"{listening} | grep -q LISTEN")


def reaches(guest, prefix, *targets):
    """Which of the targets ("ADDRESS PORT", or "ADDRESS ping") answer, all tried at the same time. Each has a second."""
    script = "\n".join(f"{{ {attempt(target)} && echo '{target}'; }} &" for target in targets)
    answered = guest.run([*prefix, "sh", "-c", f"{script}\nwait"]).stdout.splitlines()
    return [target for target in targets if target in answered]


def attempt(target):
    address, port = target.split()
    if port == "ping":
        return f"ping -c 1 -W 1 {address} >/dev/null 2>&1"
    return f"nc -z -w 1 {address} {port} 2>/dev/null"


# Where a student's processes are


class Shell:
    """A student's ssh login."""

    name = "an ssh shell"

    def __init__(self, guest):
        self.session = guest.ssh_popen(STUDENT)

    def run(self, line):
        output = self.session.run(line)
        if self.session.status != 0:
            raise CommandFailed(f"in {self.name}, `{line}` ended with status {self.session.status}\n{output}")
        return output.strip()


class Unit:
    """A unit with NetworkNamespacePath=."""

    name = "a unit"

    def __init__(self, guest):
        self.guest = guest

    def run(self, line):
        command = ["systemd-run", "--quiet", "--wait", "--pipe", "--collect", f"--uid={STUDENT}",
                   "-p", f"NetworkNamespacePath=/run/netns/ns{SEAT}", "sh", "-c", line]
        return self.guest.run(command).stdout.strip()


class Container(Shell):
    """The student's container, by coursenet-enter."""

    name = "a container"

    def run(self, line):
        return super().run(f"coursenet-enter -- sh -c {shlex.quote(line)}")


def places(guest):
    """All places of the first seat, which must be down before. The shell's login holds the seat."""
    shell = Shell(guest)
    found = [shell, Unit(guest)]
    if guest.suite == "trixie":
        guest.wait_until(f"systemctl is-active --quiet cont@{SEAT}")
        container = Container.__new__(Container)
        container.session = shell.session
        found.append(container)
    return found
