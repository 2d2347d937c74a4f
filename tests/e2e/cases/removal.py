"""Teardown and uninstall: nothing of coursenet is left, and nothing else is removed."""

import contextlib

from harness.case import case, expect, expect_equal, expect_failure, expect_in, expect_not_in, expect_status
from harness.product import SOURCE
from helpers import schema
from helpers.leases import leases
from helpers.logins import manager_of
from helpers.pam_program import other_services_away
from helpers.seats import ADDRESS, SEAT, SECOND, SECOND_SEAT, STUDENT, drop_in, set_up_class, wait_gone, what_is_up

TABLES = ("inet coursenet", "netdev coursenet_0", "inet coursenet_fence")


@contextlib.contextmanager
def others_things(guest):
    """Links, tables and namespaces of an administrator's own, with names like ours; and a bridge of ours that an administrator has enabled."""
    guest.run("systemctl enable netbr@123.service; ip link add br-100 type bridge; ip link add vl-999 type veth peer name vr-999; ip netns add ns777; ip netns add mine;"
              "nft 'add table inet coursenet_admin; add table ip coursenet'; ip link add eth9 type veth peer name eth8;"
              "ip link set eth9 up; ip link set eth8 up; ip route add default dev eth9")
    try:
        yield
        expect_equal(guest.run("ls /sys/class/net | grep -E '^(br-100|vl-999|vr-999|eth9)$'; ip netns list | cut -d' ' -f1 | sort;"
                               "nft list tables | grep coursenet | sort").stdout.split("\n"),
                     ["br-100", "eth9", "vl-999", "vr-999", "mine", "ns777", "table inet coursenet_admin", "table ip coursenet", ""],
                     "what is somebody else's")
    finally:
        guest.run("systemctl disable netbr@123.service; ip link del br-100; ip link del vl-999; ip netns del ns777; ip netns del mine; ip link del eth9;"
                  "nft 'delete table inet coursenet_admin; delete table ip coursenet'", check=False)


def others_up(guest):
    """What others_things() has, as what_is_up() sees it."""
    return guest.run("ip -br link | grep -E '^(br-100|vl-999|vr-999)'; nft list tables | grep -E 'coursenet_admin|ip coursenet';"
                     "grep -oE '/run/netns.*' /proc/self/mountinfo; ls /run/netns").stdout.strip()


def start_all(guest):
    set_up_class(guest)
    guest.run("systemctl start coursenet-activator.socket coursenet-query.socket coursenet-network.service")


# Of a login, and of what the user's systemd manager starts.
ADDRESSES = "ip -4 -o address show scope global; systemd-run --user --quiet --pipe ip -4 -o address show scope global"
ADDRESSES = f"({ADDRESSES}) | grep -o '10.[0-9.]*/24'"


def set_up_again(guest):
    start_all(guest)
    expect_in(f"{ADDRESS}/24", guest.ssh(STUDENT, "ip -br address").stdout, "a login when all is set up again")
    wait_gone(guest)


@case("coursenetctl teardown names who has a seat and does nothing; with --force it removes all of coursenet, and only that")
def teardown(guest):
    start_all(guest)
    session = guest.ssh_popen(STUDENT, tty=True)
    held = guest.popen(["coursenet-enter", "--seat", "--", "sleep", "600"], user=SECOND)
    guest.run("coursenetctl start 377; coursenetctl exam start 377")
    guest.wait_until(lambda: len(leases(guest)) == 3, what="the leases")
    with others_things(guest):
        guest.wait_until("grep -q 1 /proc/sys/net/ipv4/conf/eth9/forwarding", what="the uplink forwards")
        refused = guest.run(["coursenetctl", "teardown"], check=False)
        expect_status(refused, 1, "teardown while somebody is logged in")
        for part in (f"Seat {SEAT}: {STUDENT} is logged in (sshd", f"Seat {SECOND_SEAT}: {SECOND} is logged in (coursenet-enter",
                     "Seat 37710: an administrator holds it", "--force"):
            expect_in(part, refused.stderr, "what it says")
        refused = guest.run(["coursenetctl", "teardown", "--json"], check=False)
        expect_status(refused, 1, "teardown --json while somebody is logged in")
        document = schema.parse("teardown", refused.stdout)
        expect_equal(sorted((each["seat"], each["service"], each["pid"] is None) for each in document["holders"]),
                     [(SEAT, "sshd", False), (SECOND_SEAT, "coursenet-enter", False), ("37710", "hold", True)], "the holders in its document")
        expect_equal((document["down"], document["n_ended"], document["stopped"]), (False, 0, []), "what it did")
        expect_equal(session.run("ping -c 1 -W 5 10.0.123.1 >/dev/null && echo reached"), "reached", "the login's gateway")
        expect_status(guest.run(["coursenetctl", "teardown"], user=STUDENT, check=False), 1, "a student's teardown")

        done = guest.run(["coursenetctl", "teardown", "--force"])
        for part in ("Ended 3 leases", "Removed the nftables table netdev coursenet_0.", "Removed /run/coursenet.",
                     "Ended the exams of all courses.",
                     "    systemctl disable ", " coursenet-activator.socket", " netbr@123.service", "pam-auth-update --disable coursenet"):
            expect_in(part, done.stdout, "what it says it removed, and left")
        session.read_until("stopped by an administrator")
        ours = set(what_is_up(guest).splitlines()) - set(others_up(guest).splitlines())
        expect_equal(sorted(ours), [], "what is up")
        guest.run("test ! -e /var/lib/coursenet/exam")
        again = guest.run(["coursenetctl", "teardown"])
        expect_not_in("Removed", again.stdout, "what a second teardown says")
        guest.run("systemctl start coursenet-activator.socket")
        document = schema.parse("teardown", guest.run(["coursenetctl", "teardown", "--json"]).stdout)
        expect_equal((document["down"], document["holders"], document["n_ended"]), (True, [], 0), "a third one's document")
        expect_in("coursenet-activator.socket", document["stopped"], "the units in it that were up")
        expect_in("netbr@123.service", document["enabled"], "the enabled units in it")
        expect_failure(guest.ssh(STUDENT, "true", check=False), "a login when coursenet is down")
    start_all(guest)
    # The first login's session is still there, and with it, in systemd's memory, the manager without its wiring.
    expect_equal(guest.ssh(STUDENT, ADDRESSES).stdout.split(), [f"{ADDRESS}/24"] * 2, "the addresses of a login and of its manager")
    session.close()
    held.kill_in_guest()
    held.wait()
    wait_gone(guest)


@case("coursenetctl teardown cleans up after a crash of the activator, and a login during it is refused or has its seat")
def teardown_broken(guest):
    start_all(guest)
    session = guest.ssh_popen(STUDENT)
    # The activator is gone, a unit has failed, and links, a namespace and records lie about that no unit knows.
    guest.run("systemctl kill -s KILL coursenet-activator.service; systemctl mask --runtime coursenet-activator.service;"
              "systemctl stop coursenet-activator.service", check=False)
    guest.run("ip link add br-124 type bridge; ip link set br-124 group 25454; ip netns add ns12410; ip -n ns12410 link set lo group 25454;"
              "ip link add vl-12410 group 25454 type veth peer name vr-12410; ip link set vr-12410 netns ns12410")
    with drop_in(guest, "netns@12399", "ExecStartPre=/bin/false"):
        guest.run("systemctl start netns@12399", check=False)
    expect_in(f"{STUDENT} is logged in", guest.run(["coursenetctl", "teardown"], check=False).stderr, "who has a seat")
    guest.run("systemctl unmask --runtime coursenet-activator.service; systemctl daemon-reload")
    # A login that the teardown overtakes has a namespace without a network, and never the host's.
    outside = guest.run("readlink /proc/1/ns/net").stdout.strip()
    logins = [guest.popen(["ssh", "-T", f"{SECOND}@127.0.0.1", f"readlink /proc/self/ns/net | grep -qxF '{outside}' && echo outside"])
              for _ in range(6)]
    guest.run(["coursenetctl", "teardown", "--force"])
    for login in logins:
        expect_not_in("outside", login.wait_output().stdout, "a login meanwhile")
    guest.run(["coursenetctl", "teardown", "--force"])
    expect_equal(what_is_up(guest), "", "what is up")
    expect_equal(guest.run("systemctl list-units --failed --plain --no-legend").stdout, "", "the failed units")
    session.close()
    set_up_again(guest)


@case("make uninstall leaves nothing of coursenet but /etc/coursenet, and make install brings it back")
def uninstall(guest):
    with other_services_away(guest):
        expect_uninstalled(guest)


def expect_uninstalled(guest):
    start_all(guest)
    make = f"make -C {SOURCE} PREFIX=/usr"
    guest.run(f"{make} install DESTDIR=/tmp/staged", timeout=120)
    installed = guest.run("cd /tmp/staged; find . ! -type d | sed 's/^.//' | grep -v ^/etc/coursenet/; cd /; rm -r /tmp/staged").stdout.split()
    expect(len(installed) > 30, f"only {len(installed)} files are installed")
    guest.run("systemctl enable netbr@123.service coursenet-network.service coursenet-wiring.service")
    session = guest.ssh_popen(STUDENT)
    try:
        refused = guest.run(f"{make} uninstall", check=False)
        expect_failure(refused, "uninstalling while somebody is logged in")
        expect_in(f"{STUDENT} is logged in", refused.stderr, "what it says")
        guest.run("echo 'session required pam_coursenet.so' >/etc/pam.d/own")
        refused = guest.run(f"{make} uninstall FORCE=1", check=False)
        expect_failure(refused, "uninstalling while a line of pam.d calls the module")
        expect_in("/etc/pam.d/own", refused.stderr, "what it says")
        guest.run("rm /etc/pam.d/own")
        expect_in("/etc/coursenet was not changed", guest.run(f"{make} uninstall").stdout, "what it says")
        expect_equal(what_is_up(guest), "", "what is up")
        there = guest.run(["sh", "-c", "for path; do test ! -e $path || echo $path; done", "sh", *installed]).stdout
        expect_equal(there, "", "the installed files that are still there")
        named = guest.run(f"find / -xdev -name '*coursenet*' ! -path '{SOURCE}*' ! -path '/etc/coursenet*' ! -path '/proc/*' ! -path '/tmp/*'"
                          " ! -path '/root/*'").stdout
        expect_equal(named, "", "what has the name of coursenet")
        expect_equal(guest.run("grep -rl coursenet /etc/pam.d /etc/systemd /var/lib/pam", check=False).stdout, "", "what calls it")
        expect_equal(guest.run("find /etc/systemd -xtype l").stdout, "", "links that lead nowhere")
        expect(guest.read("/etc/coursenet/roster.d/123"), "the roster is gone")
        expect_equal(guest.ssh(STUDENT, "echo inside").stdout, "inside\n", "a student's login without coursenet")
    finally:
        guest.run(f"{make} install", timeout=120)
        guest.run("pam-auth-update --package --enable coursenet; systemctl daemon-reload; systemctl reload dbus;"
                  "systemctl disable --now netbr@123.service; systemctl enable coursenet-activator.socket coursenet-query.socket")
        session.close()
        # The manager of a login without coursenet is outside of the seat, and the next login would keep it.
        guest.run(f"systemctl stop {manager_of(guest, STUDENT)}")
        set_up_again(guest)
