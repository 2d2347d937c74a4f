"""The Debian package, as apt and dpkg install, upgrade and remove it in a guest that has the tree alone."""

import contextlib
import re
import time

from harness.case import ONE_SUITE, case, expect, expect_equal, expect_failure, expect_in, expect_not_in
from helpers.pam_program import PROGRAM
from helpers.readme import command_lines, transcript, without_comment
from helpers.seats import (ADDRESS, CLASS_LIST, SECOND, SECOND_ADDRESS, STRANGER, STUDENT, add_accounts, drop_in, failed_units,
                           wait_gone, what_is_up)
from helpers.upgrade import ACTIVATOR, MANY, ROOM_FOR_DPKG, THIRD, LiveLogins, add_many, address_of, cross, dpkg, expect_seat

# What a guest cannot do: the packages are built already, and there is no editor.
STAND_INS = """
    make() { test "$1" = deb; }
    editor() { test -f "$1"; }
"""

# The file of the package, and of a later version.
PACKAGE, NEWER = "/root/coursenet_built.deb", "/root/later.deb"

NO_QUESTIONS = {"DEBIAN_FRONTEND": "noninteractive"}
# apt calls needrestart after each run. Once, in first_login(), is enough.
NOTHING_ELSE = {**NO_QUESTIONS, "NEEDRESTART_SUSPEND": "1"}

# The tree's own file leaves out what is below some folders. A disk that forgets, and the index of all manual pages, are no part
# of these cases. The first account that is added or removed leaves backups of /etc/passwd and others.
PREPARE = f"""
    set -e
    echo force-unsafe-io >/etc/dpkg/dpkg.cfg.d/99mmdebstrap
    rm /var/lib/man-db/auto-update
    mkdir --parents $(dirname {PROGRAM})
    useradd passing
    userdel passing
"""

# A server has a way to the world.
CONNECT = """
    set -e
    ip link add eth9 type veth peer name eth8
    ip link set eth8 up
    ip link set eth9 up
    ip route add default dev eth9
"""


class Server:
    """A guest that never had coursenet, with the package's file and accounts of students.

    The cases of this module use it one after the other, each as the one before has left it: with the package, or purged. If
    a case has failed, the next one gets another.
    """

    def __init__(self, guest):
        self.bare = guest.boot_another(f"{guest.name}-package", with_product=False, extra_packages=("autopkgtest",))
        self.bare.run(PREPARE + CONNECT)
        self.bare.copy_in(guest.build_packages().path("coursenet_*.deb"), PACKAGE)
        add_accounts(self.bare, [STUDENT, SECOND, THIRD, STRANGER, "alice", *MANY])
        self.bare.write("/root/class-list", CLASS_LIST)
        self.files = files_and_users(self.bare)
        self.installed = False

    def install(self):
        if not self.installed:
            type_in(self.bare, "apt install ./coursenet_*.deb && coursenetctl roster import 123 class-list")
        self.installed = True

    def reboot(self):
        self.bare.reboot()
        self.bare.run(CONNECT)


@contextlib.contextmanager
def server(guest, installed=True):
    """The server of this module's cases; installed: with the package and a class."""
    kept = guest.__dict__.pop("package_server", None) or Server(guest)
    try:
        if installed:
            kept.install()
        yield kept
    except BaseException:
        # The runner knows the other guest only.
        kept.bare.log(kept.bare.journal(lines=60))
        kept.bare.discard()
        raise
    guest.package_server = kept


def type_in(guest, line, check=True, env=NOTHING_ELSE):
    """Runs a line as root types it in root's home."""
    return guest.run(f"cd /root; {STAND_INS}\n{line}", check=check, timeout=ROOM_FOR_DPKG, env=env)


@case("after apt install and a class list, the first login has its seat, on a server that never had coursenet")
def first_login(guest):
    with server(guest, installed=False) as kept:
        bare, typed = kept.bare, Transcript(kept.bare)
        for line in command_lines("Install it on a server"):
            typed.type(without_comment(line))
        kept.installed = True
        typed.record(f"ssh {STUDENT}@server ip -br -4 address", lambda: bare.ssh(STUDENT, "ip -br -4 address"))
        typed.log()
        typed.compare(transcript("From a bare Debian to the first login", "docs/administration.md"))
        expect_failure(bare.ssh(STRANGER, "true", check=False), "a login of somebody on no class list")
        expect_equal(bare.ssh("alice", "echo inside").stdout, "inside\n", "another user's login")
        enter = ["coursenet-enter", "--seat", "--", "ip", "-br", "-4", "address"]
        expect_in(SECOND_ADDRESS, bare.run(enter, user=SECOND).stdout, "coursenet-enter from outside of the seat")
        wait_gone(bare)
        kept.reboot()
        expect_in(f"{ADDRESS}/24", address_of(bare, STUDENT), "the addresses of a login after a reboot")
        expect_equal(failed_units(bare), [], "the failed units")


class Transcript:
    """What an administrator types on a bare Debian, what is answered, and when."""

    def __init__(self, guest):
        self._guest, self._began, self._entries = guest, time.monotonic(), []

    def type(self, line):
        self.record(line, lambda: type_in(self._guest, line, env=NO_QUESTIONS))

    def record(self, line, run):
        output = run().stdout
        self._entries.append((time.monotonic() - self._began, line, output))

    def log(self):
        lines = ["from a bare Debian to the first login:"]
        for took, line, output in self._entries:
            # dpkg counts files for a terminal.
            printed = [text for text in output.splitlines() if not text.startswith("(Reading database")]
            lines += [f"{took:5.1f} s  # {line}", *[f"         {text}" for text in printed]]
        self._guest.log("\n".join(lines))

    def compare(self, documented):
        """The document has the same commands, and lines of what they print."""
        expect_equal([line for line, _ in documented], [line for _, line, _ in self._entries], "the commands in the document")
        for (line, shown), (_, _, output) in zip(documented, self._entries):
            printed = plain(output)
            for text in plain("\n".join(shown)):
                expect(text in printed, f"{line} does not print '{text}', but: {output}")


def plain(output):
    """The lines, without columns and without the number of the interface at the other end of a cable."""
    return [re.sub(r"@if\d+", "", " ".join(text.split())) for text in output.splitlines()]


ENTER = "/usr/bin/coursenet-enter"


@case("without setcap the package says what coursenet-enter cannot do, and it leaves a mode alone that the administrator has overridden", suites=ONE_SUITE)
def capability(guest):
    with server(guest) as kept:
        bare = kept.bare
        setcap = bare.run("command -v setcap").stdout.strip()
        bare.run(f"mv {setcap} {setcap}.away")
        done = type_in(bare, "dpkg --install coursenet_*.deb")
        expect_in("It works from inside a seat only.", done.stdout, "what the installation says")
        left = type_in(bare, "coursenetctl setup", check=False)
        expect_in(f"    setcap cap_sys_admin=p {ENTER}\n", left.stdout, "what setup says")
        bare.run(f"mv {setcap}.away {setcap}")
        bare.run(f"dpkg-statoverride --update --add root adm 0750 {ENTER}")
        type_in(bare, "dpkg --install coursenet_*.deb")
        expect_equal(bare.run(f"stat -c '%G %a' {ENTER}; getcap {ENTER}").stdout, "adm 750\n", "group, mode and capability")
        bare.run(f"dpkg-statoverride --remove {ENTER}")
        type_in(bare, "dpkg --install coursenet_*.deb")
        expect_equal(bare.run(f"getcap {ENTER}").stdout, f"{ENTER} cap_sys_admin=p\n", "the capability")


# A container of a student's.
CONTAINER = "[Service]\nType=exec\nPIDFile=\nExecStartPre=\nExecStart=\nExecStart=sleep infinity\n"
DAEMONS = ("coursenet-activator", "coursenet-worker", "coursenet-network")
# As dpkg does in an upgrade: what is mapped is the file of before, which has no name any more.
REPLACE = """
    for name in libc.so.6 libsystemd.so.0 libpam.so.0 libnftables.so.1; do
        file=$(readlink -f /lib/*/$name)
        cp --archive "$file" "$file.new"
        mv "$file.new" "$file"
    done
"""
RESTART = "needrestart -r a -l"
# The commands of the tests are in this service. A script that tells users of their sessions may end before it has read its input,
# which ends needrestart by SIGPIPE.
IN_TESTS = "$nrconf{override_rc}{qr(^harness\\.service$)} = 0;\n$nrconf{sendnotify} = 0;\n"


@case("needrestart after an upgrade of libc and libsystemd: the daemons are restarted, no login and no container of a student is")
def needrestart(guest):
    with server(guest) as kept:
        bare = kept.bare
        bare.write("/etc/systemd/system/cont@99910.service.d/test.conf", CONTAINER)
        bare.write("/etc/needrestart/conf.d/harness.conf", IN_TESTS)
        bare.run("systemctl daemon-reload; systemctl start cont@99910.service")
        session = bare.ssh_popen(STUDENT)
        session.run("true")
        daemons, container = [main_pid(bare, unit) for unit in DAEMONS], main_pid(bare, "cont@99910")
        bare.run(REPLACE)
        done = bare.run(RESTART, env=NO_QUESTIONS, timeout=ROOM_FOR_DPKG)
        said = done.stdout + done.stderr
        for unit, before in zip(DAEMONS, daemons):
            expect(main_pid(bare, unit) not in ("0", before), f"{unit} was not restarted: {said}")
        expect_equal(main_pid(bare, "cont@99910"), container, "the main process of the container")
        expect_in("cont@99910.service", said, "what needrestart left to the administrator")
        expect_equal(session.run("ping -c 1 -W 5 10.0.123.1 >/dev/null && echo reached"), "reached", "the login's gateway")
        expect_in(f"{SECOND_ADDRESS}/24", address_of(bare, SECOND), "the addresses of a login after it")
        expect_equal(failed_units(bare), [], "the failed units")
        bare.run("rm /etc/needrestart/conf.d/coursenet.conf")
        bare.run(RESTART, env=NO_QUESTIONS, timeout=ROOM_FOR_DPKG)
        expect(main_pid(bare, "cont@99910") != container, "the container was not restarted without the package's file either")
        session.close()
        bare.run("systemctl stop cont@99910.service; rm -r /etc/systemd/system/cont@99910.service.d /etc/needrestart/conf.d/harness.conf")
        bare.run("systemctl daemon-reload")
        dpkg(bare, "--install", "--force-confmiss", PACKAGE)
        wait_gone(bare)


def main_pid(guest, unit):
    return guest.run(["systemctl", "show", "-P", "MainPID", f"{unit}.service"]).stdout.strip()


@case("an upgrade of the package, and a downgrade, with 50 live logins: no seat moves, no login is refused, the new version serves")
def upgrade(guest):
    with server(guest) as kept:
        bare = kept.bare
        bare.copy_in(guest.build_packages().of_version("99.1", ACTIVATOR), NEWER)
        add_many(bare)
        live = LiveLogins(bare)
        for package in (NEWER, PACKAGE):
            cross(bare, lambda package=package: dpkg(bare, "--install", package))
            live.expect_alive()
        live.close()
        # An earlier version of the program does not know what a unit of the later one asks it.
        with drop_in(bare, "coursenet-schedule", "ExecStart=\nExecStart=/usr/bin/coursenetctl unknown"):
            bare.run("systemctl start coursenet-schedule.service")
        # A power failure between the two halves of an installation.
        dpkg(bare, "--unpack", NEWER)
        kept.reboot()
        expect_seat(bare, "between unpacking and configuring")
        dpkg(bare, "--configure", "coursenet")
        expect_seat(bare, "after configuring")
        # What README.md advises when logins must work at once is not undone by an upgrade.
        bare.run("pam-auth-update --disable coursenet")
        dpkg(bare, "--install", PACKAGE)
        expect_not_in(ADDRESS, address_of(bare, STUDENT), "the addresses of a login without the module")
        bare.run("pam-auth-update --enable coursenet")


FILES = "find / -xdev -path /proc -prune -o ! -type d -print; find /etc /usr -xdev -type d; cut -d: -f1 /etc/passwd /etc/group"
# What dpkg and logins write, with or without a package.
OTHERS = ("/var/log/", "/var/lib/dpkg/", "/var/cache/", "/root/", "/home/", "/run/", "/dev/", "/sys/", "/tmp/", "/var/tmp/", "/var/lib/systemd/",
          "/var/lib/apt/", "/var/lib/pam/", "/var/backups/")


def files_and_users(guest):
    return {line for line in guest.run(FILES).stdout.splitlines() if not line.startswith(OTHERS)}


@case("apt remove refuses while a student is in; after apt purge nothing of coursenet is left; it can be installed again")
def removal(guest):
    with server(guest) as kept:
        bare = kept.bare
        session = bare.ssh_popen(STUDENT)
        refused = type_in(bare, "apt-get --yes remove coursenet", check=False)
        expect_failure(refused, "the removal while somebody is logged in")
        for part in (f"{STUDENT} is logged in", "coursenetctl teardown --force"):
            expect_in(part, refused.stdout, "what it says")
        expect_equal(session.run("ping -c 1 -W 5 10.0.123.1 >/dev/null && echo reached"), "reached", "the login's gateway")
        expect_in(f"{SECOND_ADDRESS}/24", address_of(bare, SECOND), "another login")
        session.close()
        bare.write("/etc/pam.d/own", "session required pam_coursenet.so\n")
        refused = type_in(bare, "apt-get --yes remove coursenet", check=False)
        expect_failure(refused, "the removal while a line of pam.d calls the module")
        expect_in("/etc/pam.d/own", refused.stdout, "what it says")
        bare.run("rm /etc/pam.d/own")
        wait_gone(bare)

        type_in(bare, "apt-get --yes remove coursenet")
        expect_equal(what_is_up(bare), "", "what is up")
        expect(bare.read("/etc/coursenet/roster.d/123"), "the roster is gone")
        type_in(bare, "apt-get --yes install ./coursenet_*.deb")
        expect_in(f"{ADDRESS}/24", address_of(bare, STUDENT), "the addresses of a login after the second installation")
        wait_gone(bare)

        # Of node_exporter's package.
        bare.run("mkdir -p /var/lib/prometheus/node-exporter")
        bare.run("systemctl enable --now netbr@123.service coursenet-metrics.timer; systemctl start coursenet-metrics.service")
        expect(bare.read("/var/lib/prometheus/node-exporter/coursenet.prom"), "there are no metrics")
        type_in(bare, "apt-get --yes purge coursenet")
        kept.installed = False
        expect_equal(what_is_up(bare), "", "what is up")
        after = files_and_users(bare)
        expect_equal(sorted(after - kept.files), [], "the files, folders and users that are left")
        expect_equal(sorted(kept.files - after), [], "the files, folders and users that are gone")
        expect_equal(bare.run("grep -rl coursenet /etc", check=False).stdout, "", "the files that name coursenet")
        expect_equal(bare.run("find /var/lib /etc -name '*coursenet*' -o -name 'netbr@*'").stdout, "", "what has the name of coursenet")
        expect_equal(bare.run("systemctl list-units --all --plain --no-legend 'coursenet*' 'netbr@*'").stdout, "", "the units")
        expect_equal(bare.ssh(STUDENT, "echo inside").stdout, "inside\n", "a student's login without coursenet")


# A guest is as much of a machine as the test needs, which autopkgtest cannot know.
AUTOPKGTEST = """
    autopkgtest --summary-file=/root/summary --ignore-restrictions=isolation-machine --no-built-binaries \\
        coursenet_*.deb coursenet_*.dsc -- null
"""


@case("the package's own test passes under autopkgtest, which installs the package", suites=ONE_SUITE)
def own_test(guest):
    with server(guest, installed=False) as kept:
        for pattern in ("coursenet_*.dsc", "coursenet_*.tar.xz"):
            kept.bare.copy_in(guest.build_packages().path(pattern), "/root/")
        # Then it is installed, without a class.
        type_in(kept.bare, AUTOPKGTEST)
        # It is not skipped, as a test would be whose restrictions autopkgtest cannot meet.
        expect_equal(kept.bare.read("/root/summary").split(), ["login", "PASS"], "the summary")
        wait_gone(kept.bare)


@case("the package cockpit-coursenet has the page that make install installs, and nothing else", suites=ONE_SUITE)
def page(guest):
    guest.copy_in(guest.build_packages().path("cockpit-coursenet_*.deb"), "/root/")
    listed = guest.run("dpkg-deb --fsys-tarfile /root/cockpit-coursenet_*.deb | tar t; rm /root/cockpit-coursenet_*.deb").stdout.split()
    installed = guest.run("find /usr/share/cockpit/coursenet /usr/share/metainfo/*coursenet* -type f").stdout.split()
    expect_equal(sorted(f"/{name}".replace("/./", "/") for name in listed if not name.endswith("/") and "/share/doc/" not in name), sorted(installed), "its files")


@case("lintian has nothing to say about the package", suites=ONE_SUITE)
def lintian(guest):
    expect_equal(guest.build_packages().check(), "", "what lintian says")
