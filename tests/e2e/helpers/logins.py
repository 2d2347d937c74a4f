"""What a login looks like from its own shell, and to logind."""

from harness.case import expect

HOST_NAMESPACE = "readlink /proc/1/ns/net"
OWN_NAMESPACE = "readlink /proc/self/ns/net"


def expect_in_seat(shell_output, seat, address):
    words = [line.split() for line in shell_output.splitlines()]
    found = [line for line in words if line[0].split("@")[0] == f"vr-{seat}"]
    expect(found and f"{address}/24" in found[0], f"no vr-{seat} with {address}/24 in:\n{shell_output}")


def manager_of(guest, user):
    """The unit of a user's systemd manager."""
    return "user@{}".format(guest.run(["id", "-u", user]).stdout.strip())


def logind_sessions(guest, user):
    """The user's sessions that are not their systemd manager's, as dictionaries of loginctl's properties."""
    listed = guest.run("loginctl list-sessions --no-legend").stdout.splitlines()
    shown = [guest.run(["loginctl", "show-session", line.split()[0]], check=False).stdout for line in listed]
    sessions = [dict(line.split("=", 1) for line in text.splitlines() if "=" in line) for text in shown]
    return [each for each in sessions if each.get("Name") == user and not each["Class"].startswith("manager")]
