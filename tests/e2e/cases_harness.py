"""What the other cases rely on: that a login in a guest is a login as on a real server."""

from case import case, expect, expect_equal, expect_in, expect_status
from guest import CommandFailed


def logind_sessions(guest, user):
    """The user's sessions that are not their systemd manager's, as dictionaries of loginctl's properties."""
    listed = guest.run("loginctl list-sessions --no-legend").stdout.splitlines()
    shown = [guest.run(["loginctl", "show-session", line.split()[0]], check=False).stdout for line in listed]
    sessions = [dict(line.split("=", 1) for line in text.splitlines() if "=" in line) for text in shown]
    return [each for each in sessions if each.get("Name") == user and not each["Class"].startswith("manager")]


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


@case("an ssh login with a terminal has one, and is seen to die")
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


@case("a command runs in the harness' unit, and su in it opens a session of its own")
def run_is_in_a_unit(guest):
    guest.add_user("alice")
    expect_in("/system.slice/harness.service", guest.run("cat /proc/self/cgroup").stdout, "the command's cgroup")
    su = guest.popen(["su", "-", "alice", "-c", "echo in; read -r line"])
    expect_equal(su.stdout.readline(), "in\n", "the first line of su")
    [found] = logind_sessions(guest, "alice")
    expect_equal(found["Service"], "su-l", "the session's service")
    su.stdin.close()
    su.wait(60)


@case("a command runs as another user, with input and environment, without a session")
def run_as_user(guest):
    guest.add_user("alice")
    result = guest.run('cat; echo "$(id -un) $HOME $COLOUR"', user="alice", input="hello\n", env={"COLOUR": "red"})
    expect_equal(result.stdout, "hello\nalice /home/alice red\n", "the output")
    guest.write("/etc/some/file", "text\n", mode=0o600)
    expect_equal(guest.read("/etc/some/file"), "text\n", "the file")
    expect_status(guest.run("cat /etc/some/file", user="alice", check=False), 1, "reading root's file")


@case("a failing command is reported with its output")
def failure_is_reported(guest):
    try:
        guest.run("echo the reason >&2; exit 3")
    except CommandFailed as error:
        expect_in("status 3", str(error), "the message")
        expect_in("the reason", str(error), "the message")
    else:
        expect(False, "a command with status 3 passed")
