"""The Debian package, as apt and dpkg install, upgrade and remove it in a guest that has the tree alone."""

import contextlib
import itertools

from harness.case import case, expect, expect_equal, expect_failure, expect_in, expect_not_in
from helpers.leases import leases
from helpers.pam_program import SERVICE, PamProgram
from helpers.readme import command_lines
from helpers.seats import (ADDRESS, CLASS_LIST, PASSWORD, SEAT, SECOND, SECOND_ADDRESS, STRANGER, STUDENT, add_accounts, failed_units,
                           wait_gone, what_is_up)

ROOM_FOR_DPKG = 120
CHANGED_PROGRAM = "usr/libexec/coursenet/coursenet-activator"
THIRD, THIRD_ADDRESS = "cs123-garciam", "10.0.123.12"
COURSE = "400"
MANY = [f"cs{COURSE}-student{number:02}" for number in range(50)]

# What a guest cannot do: the packages are built already, and there is no editor.
STAND_INS = """
    make() { test "$1" = deb; }
    editor() { test -f "$1"; }
"""

_numbers = itertools.count(1)


@contextlib.contextmanager
def server(guest):
    """A booted guest that never had coursenet, with the package's file and two accounts of students."""
    with guest.boot_another(f"{guest.name}-package-{next(_numbers)}", with_product=False) as bare:
        # The tree leaves out what is below these folders.
        bare.run("rm /etc/dpkg/dpkg.cfg.d/99mmdebstrap")
        bare.copy_in(guest.build_packages().path("coursenet_*.deb"), "/root/")
        for user in (STUDENT, SECOND, THIRD, STRANGER, "alice"):
            bare.add_user(user, password=PASSWORD)
        bare.write("/root/class-list", CLASS_LIST)
        # A server has a way to the world.
        bare.run("ip link add eth9 type veth peer name eth8; ip link set eth8 up; ip link set eth9 up; ip route add default dev eth9")
        try:
            yield bare
        except BaseException:
            # The runner knows the other guest only.
            bare.log(bare.journal(lines=60))
            raise


def type_in(guest, line, check=True):
    """Runs a line as root types it in root's home."""
    return guest.run(f"cd /root; {STAND_INS}\n{line}", check=check, timeout=ROOM_FOR_DPKG)


def install(guest):
    type_in(guest, "apt install ./coursenet_*.deb && coursenetctl roster import 123 class-list")


def address_of(guest, user):
    return guest.ssh(user, "ip -br -4 address").stdout


@case("after apt install and a class list, the first login has its seat, on a server that never had coursenet")
def first_login(guest):
    with server(guest) as bare:
        lines = command_lines("Install it on a server")
        for line in lines:
            done = type_in(bare, line)
            if line.startswith("apt"):
                expect_in("coursenetctl setup", done.stdout, "the end of the installation")
        expect_in("Nothing is left to do", done.stdout, "what the last command says")
        expect_in(f"{ADDRESS}/24", address_of(bare, STUDENT), "the addresses of the first login")
        expect_failure(bare.ssh(STRANGER, "true", check=False), "a login of somebody on no class list")
        expect_equal(bare.ssh("alice", "echo inside").stdout, "inside\n", "another user's login")
        enter = ["coursenet-enter", "--seat", "--", "ip", "-br", "-4", "address"]
        expect_in(SECOND_ADDRESS, bare.run(enter, user=SECOND).stdout, "coursenet-enter from outside of the seat")
        wait_gone(bare)
        bare.reboot()
        expect_in(f"{ADDRESS}/24", address_of(bare, STUDENT), "the addresses of a login after a reboot")
        expect_equal(failed_units(bare), [], "the failed units")


ENTER = "/usr/bin/coursenet-enter"


@case("without setcap the package says what coursenet-enter cannot do, and it leaves a mode alone that the administrator has overridden")
def capability(guest):
    with server(guest) as bare:
        setcap = bare.run("command -v setcap").stdout.strip()
        bare.run(f"mv {setcap} {setcap}.away")
        done = type_in(bare, "apt install ./coursenet_*.deb")
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


# One login after the other; the first line of it says that all of them have run. Each prints the addresses, or why it was refused.
LOGINS = """
    until test -e /run/enough; do
        ssh -T "$1@127.0.0.1" "ip -br -4 address" 2>&1
        echo end of login
    done
"""


@contextlib.contextmanager
def logins_meanwhile(guest):
    """Two students log in again and again, each from outside of a seat that is down; none may be refused."""
    guest.run("rm -f /run/enough")
    loops = [(guest.popen(["sh", "-c", LOGINS, "sh", user]), address)
             for user, address in ((SECOND, SECOND_ADDRESS), (THIRD, THIRD_ADDRESS))]
    yield
    guest.run("touch /run/enough")
    for loop, address in loops:
        logins = loop.wait_output().stdout.split("end of login\n")[:-1]
        expect(len(logins) > 2, f"there were only {len(logins)} logins meanwhile")
        for login in logins:
            expect_in(f" {address}/24", login, "a login meanwhile")


def seats_in_use(guest):
    """What would be another if a seat of COURSE, or of STUDENT, had been away: namespaces, units, leases."""
    seats = [SEAT] + [f"{COURSE}{number + 10}" for number in range(len(MANY))]
    namespaces = guest.run(["stat", "-L", "-c", "%n %i", *[f"/run/netns/ns{seat}" for seat in seats]]).stdout
    units = guest.run(["systemctl", "show", "-P", "InvocationID", *[f"netns@{seat}.service" for seat in seats]]).stdout
    return namespaces, units, sorted(lease["id"] for lease in leases(guest) if lease["service"] in (SERVICE, "sshd"))


def running_activator(guest):
    """The running program, and the file that is installed."""
    pid = guest.run("systemctl show -P MainPID coursenet-activator.service").stdout.strip()
    running, installed = guest.run(f"sha256sum /proc/{pid}/exe /{CHANGED_PROGRAM} | cut -d' ' -f1").stdout.split()
    expect_equal(running, installed, "the activator that runs, compared with the installed one")
    return running


def cross(guest, package):
    """Installs another version; all who are logged in, or log in, must notice nothing."""
    before, program = seats_in_use(guest), running_activator(guest)
    with logins_meanwhile(guest):
        guest.run(["dpkg", "--install", package], timeout=ROOM_FOR_DPKG)
    expect_equal(seats_in_use(guest), before, "the seats in use")
    expect(running_activator(guest) != program, "the activator is the one of before")
    expect_equal(failed_units(guest), [], "the failed units")


@case("an upgrade of the package, and a downgrade, with 50 live logins: no seat moves, no login is refused, the new version serves")
def upgrade(guest):
    with server(guest) as bare:
        install(bare)
        old = bare.run("echo /root/coursenet_*.deb").stdout.strip()
        bare.copy_in(guest.build_packages().of_version("99.1", CHANGED_PROGRAM), "/root/newer.deb")
        add_accounts(bare, MANY)
        bare.run(f"coursenetctl roster import {COURSE} -", input="".join(f"{user.split('-')[1]}\n" for user in MANY))
        session = bare.ssh_popen(STUDENT)
        with PamProgram(bare) as program:
            for user in MANY:
                program.open(user, user)
            for package in ("/root/newer.deb", old):
                cross(bare, package)
                expect_equal(session.run("ping -c 1 -W 5 10.0.123.1 >/dev/null && echo reached"), "reached", "the login's gateway")
            for user in MANY:
                program.do(f"close {user}")
        session.close()
        wait_gone(bare)
        # A power failure between the two halves of an installation.
        bare.run("dpkg --unpack /root/newer.deb", timeout=ROOM_FOR_DPKG)
        bare.reboot()
        expect_in(f"{ADDRESS}/24", address_of(bare, STUDENT), "the addresses of a login between unpacking and configuring")
        bare.run("dpkg --configure coursenet", timeout=ROOM_FOR_DPKG)
        expect_in(f"{ADDRESS}/24", address_of(bare, STUDENT), "the addresses of a login after configuring")
        # What README.md advises when logins must work at once is not undone by an upgrade.
        bare.run("pam-auth-update --disable coursenet")
        bare.run(["dpkg", "--install", old], timeout=ROOM_FOR_DPKG)
        expect_not_in(ADDRESS, address_of(bare, STUDENT), "the addresses of a login without the module")


FILES = "find / -xdev -path /proc -prune -o ! -type d -print; find /etc /usr -xdev -type d; cut -d: -f1 /etc/passwd /etc/group"
# What dpkg and logins write, with or without a package.
OTHERS = ("/var/log/", "/var/lib/dpkg/", "/var/cache/", "/root/", "/home/", "/run/", "/dev/", "/sys/", "/tmp/", "/var/tmp/", "/var/lib/systemd/",
          "/var/lib/apt/", "/var/lib/pam/", "/var/backups/")


def files_and_users(guest):
    return {line for line in guest.run(FILES).stdout.splitlines() if not line.startswith(OTHERS)}


@case("apt remove refuses while a student is in; after apt purge nothing of coursenet is left; it can be installed again")
def removal(guest):
    with server(guest) as bare:
        before = files_and_users(bare)
        install(bare)
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
        expect_equal(what_is_up(bare), "", "what is up")
        expect_equal(sorted(files_and_users(bare) - before), [], "the files, folders and users that are left")
        expect_equal(sorted(before - files_and_users(bare)), [], "the files, folders and users that are gone")
        expect_equal(bare.run("grep -rl coursenet /etc", check=False).stdout, "", "the files that name coursenet")
        expect_equal(bare.run("find /var/lib /etc -name '*coursenet*' -o -name 'netbr@*'").stdout, "", "what has the name of coursenet")
        expect_equal(bare.run("systemctl list-units --all --plain --no-legend 'coursenet*' 'netbr@*'").stdout, "", "the units")
        expect_equal(bare.ssh(STUDENT, "echo inside").stdout, "inside\n", "a student's login without coursenet")


@case("the package cockpit-coursenet has the page that make install installs, and nothing else")
def page(guest):
    guest.copy_in(guest.build_packages().path("cockpit-coursenet_*.deb"), "/root/")
    listed = guest.run("dpkg-deb --fsys-tarfile /root/cockpit-coursenet_*.deb | tar t; rm /root/cockpit-coursenet_*.deb").stdout.split()
    installed = guest.run("find /usr/share/cockpit/coursenet /usr/share/metainfo/*coursenet* -type f").stdout.split()
    expect_equal(sorted(f"/{name}".replace("/./", "/") for name in listed if not name.endswith("/") and "/share/doc/" not in name), sorted(installed), "its files")


@case("lintian has nothing to say about the package")
def lintian(guest):
    expect_equal(guest.build_packages().check(), "", "what lintian says")


@case("the package's own test passes, as autopkgtest would run it")
def own_test(guest):
    with server(guest) as bare:
        type_in(bare, "apt install ./coursenet_*.deb")
        bare.run("mkdir /root/tests")
        bare.copy_in(guest.build_packages().source("debian/tests/login"), "/root/tests/")
        done = bare.run("AUTOPKGTEST_TMP=/root/tests /root/tests/login")
        expect_in("the login has its seat", done.stdout, "what the test says")


# A service with a library that the last upgrade has replaced, and a container of a student's.
PLAIN_UNIT = "[Service]\nExecStart=sleep infinity\nEnvironment=LD_PRELOAD={library}\n"
CONTAINER = "[Service]\nType=exec\nPIDFile=\nExecStartPre=\nExecStart=\nExecStart=sleep infinity\nEnvironment=LD_PRELOAD={library}\n"
LIBRARY = "/usr/local/lib/libold.so"
RESTART, QUESTIONS = "needrestart -r a -l", {"DEBIAN_FRONTEND": "noninteractive"}


@case("needrestart, which restarts services after an upgrade of their libraries, leaves the containers of students alone")
def needrestart(guest):
    with server(guest) as bare:
        type_in(bare, "apt install ./coursenet_*.deb")
        bare.run(f"cp /lib/*/libpam.so.0 {LIBRARY}")
        bare.write("/etc/systemd/system/plain.service", PLAIN_UNIT.format(library=LIBRARY))
        bare.write("/etc/systemd/system/cont@12310.service.d/test.conf", CONTAINER.format(library=LIBRARY))
        bare.run("systemctl daemon-reload; systemctl start plain.service cont@12310.service")
        before = main_pids(bare)
        bare.run(f"rm {LIBRARY}")
        done = bare.run(RESTART, env=QUESTIONS, timeout=ROOM_FOR_DPKG)
        after = main_pids(bare)
        expect(after[0] != before[0], f"the plain service was not restarted: {done.stdout}{done.stderr}")
        expect_equal(after[1], before[1], "the main process of the container")
        expect_in("cont@12310.service", done.stdout + done.stderr, "what needrestart left to the administrator")
        bare.run("rm /etc/needrestart/conf.d/coursenet.conf")
        bare.run(RESTART, env=QUESTIONS, timeout=ROOM_FOR_DPKG)
        expect(main_pids(bare)[1] != before[1], "the container was not restarted without the package's file either")


def main_pids(guest):
    return guest.run("systemctl show -P MainPID plain.service cont@12310.service").stdout.split()
