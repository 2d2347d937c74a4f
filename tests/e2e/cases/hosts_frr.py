"""FRR on servers that share courses: it gets coursenet's part again by itself, and `check` says what it lacks."""

from harness.case import ONE_SUITE, case, expect_equal, expect_in, expect_not_in
from helpers.hosts import JOINED, STUDENTS, with_members

FIRST, SECOND = STUDENTS[16:18]
PART = "vtysh -d bgpd -c 'show running-config' | grep -q 'neighbor 192.0.2.[123] peer-group coursenet'"
BGPD = "/run/frr/bgpd.pid"
REACH = "until ping -c 1 -W 1 student27.cs123.internal >/dev/null 2>&1; do sleep 0.2; done; echo reached"


def joined(members):
    for host in members.hosts.values():
        host.wait_until(JOINED, timeout=120, what=f"BGP on {host.name} is as before")


def disturbed(members, host, session, command, ended):
    """FRR loses its configuration by a command. When `ended` succeeds, that has happened; seats must reach each other again later."""
    since = host.run("date +%s.%N").stdout.strip()
    host.run(command)
    host.wait_until(ended, timeout=60, what=f"what `{command}` does")
    host.wait_until(f"journalctl -u coursenet-frr.service --since @{since} -o cat | grep -q 'FRR has coursenet.s part now'", timeout=120,
                    what="FRR has got its part again")
    host.wait_until(PART, timeout=10, what="the part is loaded")
    joined(members)
    expect_equal(session.run(REACH, timeout=60).split()[-1], "reached", "a ping to a seat on another server")


def findings(host):
    """What `check` says of FRR."""
    said = host.run("coursenetctl check", check=False)
    return "\n".join(line for line in (said.stdout + said.stderr).splitlines() if "frr" in line.lower() or "bgp" in line.lower())


@case("FRR gets its part again by itself after a restart, a kill of bgpd and a reload, and seats reach each other again", suites=ONE_SUITE)
@with_members
def again(members):
    members.run_all("systemctl enable --now coursenet-frr.path")
    session, other = members.a.ssh_popen(FIRST), members.b.ssh_popen(SECOND)
    expect_equal(session.run(REACH, timeout=60).split()[-1], "reached", "a ping before anything happens")
    joined(members)
    expect_equal(findings(members.a), "", "what check says of FRR")
    for host in (members.a, members.b):
        before = host.run(f"cat {BGPD}").stdout.strip()
        changed = f"test -s {BGPD} && test \"$(cat {BGPD})\" != {before}"
        disturbed(members, host, session, "systemctl reset-failed frr; systemctl restart frr", changed)
        before = host.run(f"cat {BGPD}").stdout.strip()
        changed = f"test -s {BGPD} && test \"$(cat {BGPD})\" != {before}"
        disturbed(members, host, session, f"kill -9 {before}", changed)
    disturbed(members, members.a, session, "systemctl reload frr", "true")
    expect_equal(findings(members.a), "", "what check says of FRR at the end")
    session.close()
    other.close()


@case("check says if FRR would not get its part again, has lost it, or is stopped; a copy in frr.conf is enough", suites=ONE_SUITE)
@with_members
def told(members):
    host = members.c
    host.run("systemctl disable --now coursenet-frr.path")
    joined(members)
    said = findings(host)
    expect_in("coursenet-frr.path", said, "what check says without the unit")
    expect_in("systemctl enable --now coursenet-frr.path", host.run("coursenetctl check", check=False).stdout, "what it advises")
    host.run("cp -p /etc/frr/frr.conf /run/frr.before; coursenetctl hosts frr >>/etc/frr/frr.conf")
    expect_equal(findings(host), "", "what check says with the part in frr.conf")
    host.run("systemctl reset-failed frr; systemctl restart frr")
    joined(members)
    expect_equal(findings(host), "", "what check says after a restart")

    host.run("cp -p /run/frr.before /etc/frr/frr.conf; systemctl reset-failed frr; systemctl restart frr")
    host.wait_until("vtysh -d watchfrr -c 'show watchfrr' | grep -q 'bgpd *Up'", timeout=60, what="bgpd is up")
    expect_in("bgpd has not loaded the line", findings(host), "what check says after a restart that has lost the part")
    host.run("systemctl stop frr")
    expect_in("bgpd does not answer", findings(host), "what check says while FRR is stopped")
    expect_not_in("is not enabled, and", findings(host), "what check says while FRR is stopped")
    host.run("systemctl reset-failed frr; systemctl start frr; systemctl enable --now coursenet-frr.path")
    joined(members)
    expect_equal(findings(host), "", "what check says at the end")
