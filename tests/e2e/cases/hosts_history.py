"""`coursenetctl history --hosts`: who had an address, on whichever server, from the journals that one of them collects."""

from harness.case import ONE_SUITE, case, expect, expect_equal, expect_in, expect_not_in, expect_status
from helpers import schema
from helpers.hosts import CLAIM_TIME, STUDENTS, with_members

REMOTE = "/var/log/journal/remote"

# As docs/administration.md says, with one certificate for all, which is the store's here.
COLLECT = """
set -e
mkdir -p /etc/systemd/journal-remote.conf.d
install -d -m 750 -g systemd-journal-remote /etc/ssl/journal
install -m 640 -g systemd-journal-remote /etc/coursenet/store/*.pem /etc/ssl/journal
printf '[Remote]\\nServerKeyFile=/etc/ssl/journal/key.pem\\nServerCertificateFile=/etc/ssl/journal/cert.pem\\n' >/etc/systemd/journal-remote.conf.d/here.conf
printf 'TrustedCertificateFile=/etc/ssl/journal/ca.pem\\n' >>/etc/systemd/journal-remote.conf.d/here.conf
systemctl enable --now systemd-journal-remote.socket
"""
UPLOAD = """
set -e
mkdir -p /etc/systemd/journal-upload.conf.d /var/log/journal
systemctl kill --signal=USR1 systemd-journald
install -d -m 750 -g systemd-journal /etc/ssl/upload
install -m 640 -g systemd-journal /etc/coursenet/store/*.pem /etc/ssl/upload
printf '[Upload]\\nURL=https://192.0.2.1\\nServerKeyFile=/etc/ssl/upload/key.pem\\nServerCertificateFile=/etc/ssl/upload/cert.pem\\n' >/etc/systemd/journal-upload.conf.d/here.conf
printf 'TrustedCertificateFile=/etc/ssl/upload/ca.pem\\n' >>/etc/systemd/journal-upload.conf.d/here.conf
systemctl enable --now systemd-journal-upload
"""


def collecting(members):
    """Has all three send their journals to hosta, its own one too, once."""
    if not hasattr(members, "collecting"):
        members.a.run(COLLECT)
        members.run_all(UPLOAD)
        members.collecting = True


def history(host, *words):
    said = host.run(["coursenetctl", "history", "--json", *words], check=False)
    expect(said.returncode <= 1, said.stderr)
    return schema.parse("history", said.stdout)


def now(members):
    """For --since: other cases have leases of the same students."""
    return members.a.run("date '+%F %T'").stdout.strip()


def told(members, since, student, wanted):
    """Waits until hosta tells this of a student's leases since then: pairs of a host and an end, in their order."""
    def found():
        leases = history(members.a, "--hosts", "--since", since, student)["leases"]
        return [(lease["host"], lease["end"]) for lease in leases]
    try:
        members.a.wait_until(lambda: found() == wanted, timeout=60, what=f"hosta knows of {student}")
    except AssertionError as error:
        raise AssertionError(f"{student}: {found()}, expected {wanted}\n{members.a.run(f'ls -l {REMOTE}', check=False).stdout}") from error


@case("history --hosts tells who had an address on which of three servers, once, and whether they still have it", suites=ONE_SUITE)
@with_members
def on_each(members):
    collecting(members)
    since, moving, staying = now(members), STUDENTS[10], STUDENTS[11]
    stays = members.a.ssh_popen(staying)
    members.b.ssh_popen(moving).close()
    members.b.wait_until("! ip link show vl-12320", what="the seat is down on hostb")
    session = members.c.ssh_popen(moving)
    told(members, since, moving, [("hostb", "logout"), ("hostc", None)])
    told(members, since, "10.0.123.20", [("hostb", "logout"), ("hostc", None)])
    told(members, since, staying, [("hosta", None)])
    found = {each["host"] for each in history(members.a, "--hosts")["hosts"]}
    expect(found >= {"hosta", "hostb", "hostc"}, f"there are journals of {found}")
    table = members.a.run(f"coursenetctl history --hosts --since '{since}' {moving}").stdout.splitlines()
    expect_equal([line.split()[-1] for line in table], ["HOST", "hostb", "hostc"], "the last column")
    expect_equal([lease for lease in history(members.a, "--since", since, moving)["leases"]], [], "without --hosts")
    expect_not_in("HOST", members.a.run(f"coursenetctl history {staying}").stdout, "the headings without --hosts")
    for each in (session, stays):
        each.close()
    told(members, since, moving, [("hostb", "logout"), ("hostc", "logout")])
    told(members, since, staying, [("hosta", "logout")])


@case("history --hosts says what it does not know: a server that is down, a file that is damaged, a daemon that does not answer", suites=ONE_SUITE)
@with_members
def not_known(members):
    collecting(members)
    since, lost, there = now(members), STUDENTS[12], STUDENTS[13]
    # A hold: the end of a crash ends the clients of logins first.
    members.b.run("coursenetctl start 12322")
    session = members.c.ssh_popen(there)
    told(members, since, lost, [("hostb", None)])
    told(members, since, there, [("hostc", None)])

    members.a.run("systemctl stop coursenet-hosts")
    said = members.a.run(f"coursenetctl history --hosts {there}")
    expect_in("it is not known which leases on other servers still last", said.stderr, "without coursenet-hosts")
    expect_in("not known", said.stdout, "its line")
    members.a.run("systemctl start coursenet-hosts")
    members.wait_joined()
    told(members, since, there, [("hostc", None)])

    members.a.run(f"head -c 100000 /dev/urandom >{REMOTE}/remote-damaged.journal; cp -r {REMOTE} /var/tmp/copy; rm {REMOTE}/remote-damaged.journal")
    said = members.a.run(f"coursenetctl history --directory /var/tmp/copy {there}")
    expect_in("1 file of /var/tmp/copy cannot be read and is left out, such as /var/tmp/copy/remote-damaged.journal", said.stderr, "its message")
    expect_in("hostc", said.stdout, "what is in the other files")
    members.a.run("rm -r /var/tmp/copy")

    members.crash("hostb")
    members.a.wait_until("coursenetctl hosts | grep -q '^hostb.* down'", timeout=3 * CLAIM_TIME + 10, what="hostb counts as down")
    told(members, since, lost, [("hostb", "unknown")])
    told(members, since, there, [("hostc", None)])
    members.boot_again("hostb")
    told(members, since, lost, [("hostb", "host-down")])
    session.close()


@case("history --hosts refuses staff, and where no journals are collected, in a sentence each", suites=ONE_SUITE)
@with_members
def refused(members):
    said = members.c.run("coursenetctl history --hosts", check=False)
    expect_status(said, 1, "history --hosts where nothing is collected")
    expect_in(f"{REMOTE} has no journals", said.stderr, "its message")
    members.c.run("useradd prof; cp /etc/coursenet/coursenet.conf /run/before; "
                  "sed -i 's/^\\[course 123\\]/&\\nstaff = prof/' /etc/coursenet/coursenet.conf")
    try:
        said = members.c.run("runuser -u prof -- coursenetctl history --hosts", check=False)
        expect_status(said, 1, "history --hosts by staff")
        expect_in("Only root and the group systemd-journal may read the journals of other servers", said.stderr, "its message")
    finally:
        members.c.run("cp /run/before /etc/coursenet/coursenet.conf")
