"""What is told of files that a member of [hosts] cannot use: see helpers/hosts.py."""

from harness.case import ONE_SUITE, case, expect, expect_failure, expect_in, expect_not_in
from helpers.hosts import STUDENTS, with_members

KEY = "/etc/coursenet/store/key.pem"
TELLS = f"coursenetctl hosts 2>&1 | grep -F {KEY}"


@case("a key of the store that coursenet-hosts cannot read is named to administrators, and not to students", suites=ONE_SUITE)
@with_members
def unreadable_key(members):
    host, user = members.b, STUDENTS[15]
    host.run(f"chown etcd {KEY} && systemctl restart coursenet-hosts")
    try:
        host.wait_until(TELLS, what=f"coursenetctl hosts names {KEY}")
        check = host.run("coursenetctl check", check=False)
        expect_failure(check, "coursenetctl check")
        expect_in(f"{KEY}: ", check.stdout + check.stderr, "what check says")
        tried = host.ssh(user, "true", check=False)
        expect_failure(tried, "a login on the server")
        expect_in("tell your course staff", tried.stdout + tried.stderr, "what the student reads")
        expect_not_in("key.pem", tried.stdout + tried.stderr, "what the student reads")
    finally:
        host.run(f"chown root {KEY} && systemctl restart coursenet-hosts")
    host.wait_until(lambda: host.ssh(user, "true", check=False).returncode == 0, what="a login on the server succeeds again")
    expect(host.run(TELLS, check=False).returncode != 0, "coursenetctl hosts still names the key")
