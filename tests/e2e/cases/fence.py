"""The fence: what a course user runs outside of a seat has no network except the host's own loopback."""

from harness.case import case, expect, expect_equal, expect_in, expect_not_in
from helpers.fence import BOTH, gets_out, try_world
from helpers.network import FENCE_TABLE, Greeter, soon
from helpers.seats import SEAT, STUDENT, is_active, leftovers, set_up_class, wait_gone
from helpers.settings import SETTINGS, with_settings
from helpers.world import World, fetch


@case("a student's process outside of a seat has loopback and nothing else; alice and root have everything")
def fence(guest):
    set_up_class(guest)
    with World(guest) as world:
        expect_equal(gets_out(guest, world, STUDENT), [], "how a student gets out")
        expect_equal(gets_out(guest, world, "alice"), BOTH, "how alice gets out")
        expect_equal(gets_out(guest, world, "root"), BOTH, "how root gets out")
        Greeter(guest, [], 7000)
        for address in ("127.0.0.1", "::1"):
            said = guest.run(f"nc -w 5 {address} 7000 </dev/null", user=STUDENT).stdout
            expect_equal(said, "hello\n", f"the answer of {address}")
        refused = guest.run(f"nc -v -w 5 {world.web4} 80 </dev/null", user=STUDENT, check=False)
        expect_not_in("timed out", refused.stderr, "the refusal")


@case("at jobs and cron jobs of a student are fenced")
def jobs(guest):
    set_up_class(guest)
    with World(guest) as world:
        guest.write("/usr/local/bin/try-world", f"#!/bin/sh\n{try_world(world)}\necho done\n", mode=0o755)
        try:
            for user in (STUDENT, "alice"):
                for job in (f"echo 'try-world >/tmp/at-{user} 2>/dev/null' | at now",
                            f"echo '@reboot /usr/local/bin/try-world >/tmp/cron-{user} 2>/dev/null' | crontab -"):
                    guest.run(job, user=user, env={"PATH": "/usr/local/bin:/usr/bin:/bin"})
            # cron runs such jobs when it starts, but once a boot only.
            guest.run("rm -f /run/crond.reboot; systemctl restart cron")
            for user, wanted in ((STUDENT, []), ("alice", [world.host4, world.host6])):
                for kind in ("at", "cron"):
                    guest.wait_until(f"grep -q done /tmp/{kind}-{user}")
                    expect_equal(guest.read(f"/tmp/{kind}-{user}").split()[:-1], wanted, f"what {user}'s {kind} job got")
        finally:
            guest.run(f"crontab -r -u {STUDENT}; crontab -r -u alice; rm -f /usr/local/bin/try-world /tmp/at-* /tmp/cron-*; "
                      "touch /run/crond.reboot", check=False)


@case("an account that is made after boot is fenced, and is free again when it is renamed")
def new_account(guest):
    set_up_class(guest)
    with World(guest) as world:
        guest.run("useradd -m cs123-newcomer")
        try:
            soon(guest, lambda: gets_out(guest, world, "cs123-newcomer") == [], "the new account is fenced")
            guest.run("usermod --login newcomer cs123-newcomer")
            soon(guest, lambda: gets_out(guest, world, "newcomer") == BOTH, "the renamed account is free")
        finally:
            guest.run("userdel -r newcomer || userdel -r cs123-newcomer", check=False)


@case("a login that goes on without its seat, as pam.d says optional, is fenced")
def optional_login(guest):
    set_up_class(guest)
    stack = guest.read("/etc/pam.d/su-l")
    guest.write("/etc/pam.d/su-l", "auth sufficient pam_rootok.so\naccount required pam_permit.so\n"
                                   "session optional pam_coursenet.so\nsession required pam_permit.so\n")
    guest.run("ip link add br-123 type bridge")
    try:
        with World(guest) as world:
            said = guest.run(["su", "-", STUDENT, "-c", f"echo inside\n{try_world(world)}"], check=False).stdout
            expect_in("inside", said, "what the login says")
            expect_not_in(world.host4, said, "what the login says")
            expect_not_in(world.host6, said, "what the login says")
    finally:
        guest.run("ip link del br-123")
        guest.write("/etc/pam.d/su-l", stack)
    guest.run("systemctl reset-failed")
    guest.wait_until(lambda: f"ns{SEAT}" not in leftovers(guest))
    wait_gone(guest)


def asks(guest, world, user):
    """Whether an account's process gets an answer of the world's name server."""
    answer = guest.run(f"dig +short +tries=1 +time=1 @{world.dns4} www.example A", user=user, check=False).stdout
    return world.web4 in answer


@case("exceptions of the fence by user and by port, and fence = no, take effect as soon as the settings change")
@with_settings(f"[site]\nfence-except-users = {STUDENT}\n")
def exceptions(guest):
    with World(guest) as world:
        soon(guest, lambda: gets_out(guest, world, STUDENT) == BOTH, "the student is free")
        expect_equal(gets_out(guest, world, "cs123-smithj"), [], "how another student gets out")
        guest.write(SETTINGS, "[site]\nfence-except-ports = 80/tcp\n")
        soon(guest, lambda: gets_out(guest, world, "cs123-smithj") == BOTH, "port 80 is open")
        expect_equal(asks(guest, world, STUDENT), False, "whether the name server is reached at another port")
        guest.write(SETTINGS, "[site]\nfence-except-ports = 53/udp\n")
        soon(guest, lambda: asks(guest, world, STUDENT), "port 53 is open")
        expect_equal(gets_out(guest, world, STUDENT), [], "how the student gets out then")
        guest.write(SETTINGS, "[site]\nfence = no\n")
        soon(guest, lambda: gets_out(guest, world, STUDENT) == BOTH, "there is no fence")
        expect_not_in(FENCE_TABLE, guest.run("nft list tables").stdout, "the tables")
        guest.write(SETTINGS, "")
        soon(guest, lambda: gets_out(guest, world, STUDENT) == [], "the fence is back")


@case("the fence stands right after boot, before anybody has a seat, and a seat's processes are not stopped by it")
def fence_from_boot(guest):
    set_up_class(guest)
    guest.reboot()
    expect_in(f"table {FENCE_TABLE}\n", guest.run("nft list tables").stdout, "the tables after boot")
    expect(is_active(guest, "coursenet-network"), "the watch does not run after boot")
    with World(guest) as world:
        expect_equal(gets_out(guest, world, STUDENT), [], "how a student gets out")
        session = guest.ssh_popen(STUDENT)
        expect_equal(session.run(fetch(world.web4)).strip(), world.host4, "whom the web server saw, of the seat")
        session.close()
        wait_gone(guest)


@case("after a boot with a mistake in the settings the fence is the last valid one")
@with_settings("[site]\nfence = perhaps\n")
def fence_from_boot_with_mistake(guest):
    guest.reboot()
    with World(guest) as world:
        expect_equal(gets_out(guest, world, STUDENT), [], "how a student gets out")
        expect_equal(gets_out(guest, world, "alice"), BOTH, "how alice gets out")
    expect_equal(guest.run("stat -c '%a %U' /var/lib/coursenet").stdout, "700 root\n", "whose the fence's copy is")
    guest.run("systemctl reset-failed")
