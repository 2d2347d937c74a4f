"""coursenet-enter: a student's process from anywhere, in the seat for as long as its command runs.

guest.run(user=…) has no session, like a cron job: no PAM, no seat, the host's namespace.
"""

import contextlib
import time

from harness.case import ONE_SUITE, case, expect, expect_equal, expect_failure, expect_in, expect_not_in, expect_status
from helpers.activator import ACTIVATOR, activator_pid, protocol
from helpers.image import RUNTIME_SUITES, with_image
from helpers.leases import leases
from helpers.logins import OWN_NAMESPACE
from helpers.seats import (ADDRESS, FAR, SEAT, SECOND, STRANGER, STUDENT, expect_nothing_failed, failed_units, held, leftovers,
                           set_up_class, wait_gone)
from helpers.settings import SETTINGS, settings
from helpers.worker import worker_away

ENTER = ["coursenet-enter", "--seat", "--"]
RUNTIME = "/usr/local/bin/apptainer"
# Without a real runtime, a stand-in prints how it was called; cases/container.py uses the real one.
NO_RUNTIME = ("bookworm",)
RUNTIME_SCRIPT = "#!/bin/sh\necho \"$0 $*\"\nreadlink /proc/self/ns/net\n"


def seat_namespace(guest):
    return f"net:[{guest.run(f'stat -Lc %i /run/netns/ns{SEAT}').stdout.strip()}]"


def hold_seat(guest, user=STUDENT):
    """A command that keeps the seat; returns its process, once the seat is up."""
    before = len(leases(guest))
    process = guest.popen([*ENTER, "sleep", "300"], user=user)
    guest.wait_until(lambda: len(leases(guest)) > before, what="the lease of coursenet-enter")
    return process


def expect_refusal(result, status, part):
    """One sentence on stderr, and nothing was run."""
    expect_status(result, status, "coursenet-enter")
    expect_equal(result.stdout, "", "what the refused command printed")
    lines = result.stderr.splitlines()
    expect_equal(len(lines), 1, f"the number of lines, {lines}")
    expect(lines[0].startswith("coursenet-enter: "), f"the sentence is {lines[0]!r}")
    expect_in(part, lines[0], "the sentence")


@case("coursenet-enter brings the seat up from a process outside, and it goes with the command")
def enter_from_outside(guest):
    set_up_class(guest)
    host = guest.run(OWN_NAMESPACE).stdout
    expect_equal(guest.run(OWN_NAMESPACE, user=STUDENT).stdout, host, "the namespace of a process outside")
    process = hold_seat(guest)
    [lease] = leases(guest, SEAT)
    expect_equal((lease["service"], lease["pid"]), ("coursenet-enter", process.guest_pid()), "the lease")
    inside = guest.run([*ENTER, "sh", "-c", f"{OWN_NAMESPACE}; ip -br addr; echo $COURSENET_SEAT $COURSENET_ADDRESS"],
                       user=STUDENT).stdout
    expect_in(seat_namespace(guest), inside, "the command's namespace")
    expect_in(f"{ADDRESS}/24", inside, "its addresses")
    expect_in(f"\n{SEAT} {ADDRESS}\n", inside, "its environment")
    guest.run([*ENTER, "ping", "-c", "1", "-W", "5", "10.0.123.1"], user=STUDENT)

    guest.run(["kill", "-TERM", str(process.guest_pid())])
    expect_equal(process.wait_output().returncode, -15, "what the command ended by")
    wait_gone(guest)


@case("coursenet-enter's command has its own exit status, input and output", suites=ONE_SUITE)
def enter_exit_status(guest):
    set_up_class(guest)
    expect_status(guest.run([*ENTER, "sh", "-c", "exit 42"], user=STUDENT, check=False), 42)
    expect_refusal(guest.run([*ENTER, "no-such-command"], user=STUDENT, check=False), 127, "no-such-command")
    expect_refusal(guest.run([*ENTER, "/etc/passwd"], user=STUDENT, check=False), 126, "/etc/passwd")
    expect_status(guest.run(["coursenet-enter", "ls"], user=STUDENT, check=False), 2)
    sums = guest.run(f"head -c 1000000 /dev/urandom >/tmp/million; md5sum </tmp/million; "
                     f"setpriv --reuid={STUDENT} --regid={STUDENT} --init-groups "
                     f"{' '.join(ENTER)} cat </tmp/million | md5sum").stdout.split()
    expect_equal(sums[0], sums[2], "the sum of what came through")
    wait_gone(guest)


@case("coursenet-enter's command has no capability, and NoNewPrivs as before", suites=ONE_SUITE)
def enter_privileges(guest):
    set_up_class(guest)
    status = ["grep", "-E", "^(Cap(Inh|Prm|Eff|Amb)|NoNewPrivs|Seccomp):", "/proc/self/status"]
    before = guest.run(status, user=STUDENT).stdout
    lines = guest.run([*ENTER, *status], user=STUDENT).stdout
    expect_equal(lines, before, "the command's state")
    for name in ("CapInh", "CapPrm", "CapEff", "CapAmb"):
        expect_in(f"{name}:\t0000000000000000\n", lines, "the command's state")
    expect_equal(guest.run("getcap /usr/bin/coursenet-enter; stat -c %a /usr/bin/coursenet-enter").stdout,
                 "/usr/bin/coursenet-enter cap_sys_admin=p\n755\n", "the file's privileges")
    wait_gone(guest)


@case("coursenet-enter keeps the terminal: its size, its name, and its Ctrl-C", suites=ONE_SUITE)
def enter_terminal(guest):
    set_up_class(guest)
    session = guest.ssh_popen(STUDENT, tty=True)
    terminal = session.run("tty")
    expect_equal(session.run("coursenet-enter --seat -- tty"), terminal, "the command's terminal")
    session.run("stty rows 33 columns 77")
    expect_equal(session.run("coursenet-enter --seat -- stty size"), "33 77", "the terminal's size")
    session.send("coursenet-enter --seat -- sleep 300\n")
    guest.wait_until(lambda: len(leases(guest, SEAT)) == 2, what="the lease of coursenet-enter")
    expect_in(terminal, [lease["tty"] for lease in leases(guest, SEAT)], "the leases' terminals")
    session.send("\x03")
    expect_equal(session.run("echo ended by $?").splitlines()[-1], "ended by 130", "what the shell saw")
    session.close()
    wait_gone(guest)


@case("a restart or a crash of the activator before it has answered coursenet-enter gives the command one lease")
def restart_before_answer(guest):
    set_up_class(guest)
    for command in (f"systemctl restart {ACTIVATOR}", f"systemctl kill -s KILL {ACTIVATOR}"):
        with worker_away(guest), held(guest, "netns@") as let_go:
            process = guest.popen([*ENTER, "sleep", "300"], user=STUDENT)
            guest.wait_until(f"systemctl is-active netns@{SEAT} | grep -qx activating", what="the start is under way")
            pid = activator_pid(guest)
            guest.run(command)
            guest.wait_until(lambda before=pid: activator_pid(guest) not in ("0", before), what="the activator is back")
            let_go()
            guest.wait_until(lambda: "sleep" in guest.read(f"/proc/{process.guest_pid()}/cmdline"), what="the command runs")
        expect_equal(len(leases(guest, SEAT)), 1, f"the leases of one command after `{command}`")
        process.kill_in_guest()
        wait_gone(guest)


@case("two commands of coursenet-enter and a login share the seat, and the last one ends it")
def enter_shared(guest):
    set_up_class(guest)
    first, second = hold_seat(guest), hold_seat(guest)
    session = guest.ssh_popen(STUDENT)
    expect_equal(session.run(OWN_NAMESPACE), seat_namespace(guest), "the login's namespace")
    expect_equal(len(leases(guest, SEAT)), 3, "the number of leases")
    first.kill_in_guest()
    session.close()
    guest.wait_until(lambda: len(leases(guest, SEAT)) == 1, what="one lease is left")
    guest.run(["ip", "netns", "exec", f"ns{SEAT}", "ping", "-c", "1", "-W", "5", "10.0.123.1"])
    second.kill_in_guest()
    wait_gone(guest)


@case("thirty commands of coursenet-enter at once, of one student, all get in", suites=ONE_SUITE)
def enter_many(guest):
    set_up_class(guest)
    line = f"for i in $(seq 30); do {' '.join(ENTER)} echo inside & done; wait"
    expect_equal(guest.run(line, user=STUDENT).stdout.split(), ["inside"] * 30, "what the commands printed")
    wait_gone(guest)


@case("coursenet-enter inside the seat runs its command without a capability, also under NoNewPrivileges", suites=ONE_SUITE)
def enter_inside(guest):
    set_up_class(guest)
    session = guest.ssh_popen(STUDENT)
    own = session.run(OWN_NAMESPACE)
    expect_equal(session.run(f"{' '.join(ENTER)} {OWN_NAMESPACE}"), own, "the command's namespace")
    expect_equal(session.run(f"setpriv --no-new-privs {' '.join(ENTER)} {OWN_NAMESPACE}"), own,
                 "the namespace under NoNewPrivileges")
    expect_in("NoNewPrivs:\t1", session.run(f"setpriv --no-new-privs {' '.join(ENTER)} cat /proc/self/status"),
              "the state of the command")
    calls = session.run(f"strace -f -o /dev/stdout -e trace=setns,execve {' '.join(ENTER)} true")
    expect_not_in("setns", calls, "the system calls")
    session.close()
    wait_gone(guest)


@case("coursenet-enter refuses a user without a seat, with one sentence", suites=ONE_SUITE)
def enter_refused(guest):
    set_up_class(guest)
    expect_refusal(guest.run([*ENTER, "echo", "inside"], user="alice", check=False), 1, "does not match this user name")
    expect_refusal(guest.run([*ENTER, "echo", "inside"], user=STRANGER, check=False), 1, "roster of course 123")
    expect_refusal(guest.run([*ENTER, "echo", "inside"], check=False), 1, "does not match this user name")
    expect_refusal(guest.run(["python3", "-c", "import os; os.setuid(54321); os.execvp('coursenet-enter', "
                              f"{[*ENTER, 'echo', 'inside']})"], check=False), 1, "no user name")
    expect_equal(leftovers(guest), "", "what is up")


@case("coursenet-enter says why it may not join, and leaves nothing behind", suites=ONE_SUITE)
def enter_forbidden(guest):
    set_up_class(guest)
    outside = ["setpriv", "--no-new-privs", *ENTER, "echo", "inside"]
    expect_refusal(guest.run(outside, user=STUDENT, check=False), 1, "NoNewPrivileges=yes")
    traced = guest.run(["strace", "-o", "/dev/null", *ENTER, "echo", "inside"], user=STUDENT, check=False)
    expect_refusal(traced, 1, "traced")
    bounded = f"setpriv --bounding-set=-sys_admin setpriv --reuid={STUDENT} --regid={STUDENT} --init-groups "
    expect_refusal(guest.run(f"{bounded} {' '.join(ENTER)} echo inside", check=False), 1, "bounding set")
    contained = guest.run(["unshare", "--user", "--map-root-user", *ENTER, "echo", "inside"], user=STUDENT, check=False)
    expect_refusal(contained, 1, "user namespace")
    guest.run("cp /usr/bin/coursenet-enter /usr/local/bin/bare-enter")
    try:
        bare = guest.run(["/usr/local/bin/bare-enter", *ENTER[1:], "echo", "inside"], user=STUDENT, check=False)
    finally:
        guest.run("rm /usr/local/bin/bare-enter")
    expect_refusal(bare, 1, "setcap cap_sys_admin=p")
    wait_gone(guest)


@case("a hostile environment does not steer coursenet-enter", suites=ONE_SUITE)
def enter_environment(guest):
    set_up_class(guest)
    guest.write("/tmp/hostile/preload.c", "#include <unistd.h>\n__attribute__((constructor)) static void f(void) {"
                " write(2, \"preloaded\\n\", 10); }\n")
    guest.run("gcc -shared -fPIC -w -o /tmp/hostile/preload.so /tmp/hostile/preload.c")
    # Names that something on the way might look for in PATH, or in the working directory.
    for name in ("apptainer", "sh", "readlink", "coursenet-activator", "setcap"):
        guest.write(f"/tmp/hostile/{name}", "#!/bin/sh\necho hostile >&2\n", mode=0o755)
    hostile = {"LD_PRELOAD": "/tmp/hostile/preload.so", "LD_LIBRARY_PATH": "/tmp/hostile", "IFS": "/",
               "LC_ALL": "../../tmp/hostile", "LANGUAGE": "/tmp/hostile", "NLSPATH": "/tmp/hostile/%N",
               "GCONV_PATH": "/tmp/hostile", "HOME": "/tmp/hostile", "COURSENET_SEAT": "12311",
               "POSIXLY_CORRECT": "1", "GLIBC_TUNABLES": "glibc.malloc.check=3", "LONG": "x" * 100000}
    process = hold_seat(guest)
    settings = [f"{name}={value}" for name, value in hostile.items()]
    # env gives them to coursenet-enter and to nothing before it.
    result = guest.run(["env", "-C", "/tmp/hostile", *settings, *ENTER, "/usr/bin/readlink", "/proc/self/ns/net"],
                       user=STUDENT)
    expect_equal((result.stdout.strip(), result.stderr), (seat_namespace(guest), ""), "what was printed")
    result = guest.run(["env", *settings, *ENTER, "/usr/bin/printenv", "COURSENET_SEAT", "LD_PRELOAD"], user=STUDENT,
                       check=False)
    expect_equal(result.stdout, f"{SEAT}\n", "the variables of the command")
    # The runtime of the container is never looked for in PATH.
    result = guest.run(["env", "PATH=/tmp/hostile", "/usr/bin/coursenet-enter", "--", "true"], user=STUDENT, check=False)
    expect_failure(result, "entering a container that is not there")
    expect_not_in("hostile", result.stderr, "what it says")
    process.kill_in_guest()
    wait_gone(guest)


@case("coursenet-enter opens devices for closed descriptors 0 to 2, and leaks none of its own", suites=ONE_SUITE)
def enter_descriptors(guest):
    set_up_class(guest)
    line = "for fd in 0 1 2; do readlink /proc/$$/fd/$fd; done | cat >/tmp/descriptors"
    guest.run(["sh", "-c", f'exec {" ".join(ENTER)} sh -c "$1" <&- >&- 2>&-', "sh", line], user=STUDENT)
    # libc opens the first on /dev/full, whose reading fails as that of a closed one would.
    expect_equal(guest.read("/tmp/descriptors").split(), ["/dev/full", "/dev/null", "/dev/null"],
                 "the command's descriptors")
    guest.run("rm /tmp/descriptors")
    listing = guest.run([*ENTER, "ls", "/proc/self/fd"], user=STUDENT).stdout.split()
    expect_equal(listing, guest.run(["ls", "/proc/self/fd"], user=STUDENT).stdout.split(), "the command's descriptors")
    wait_gone(guest)


@case("a restart of the activator keeps the lease of coursenet-enter, and frees it if the command ended meanwhile")
def enter_restart(guest):
    set_up_class(guest)
    process = hold_seat(guest)
    guest.run("systemctl kill --signal=KILL coursenet-activator")
    guest.wait_until(lambda: len(leases(guest, SEAT)) == 1, what="the lease is there")
    guest.run("systemctl stop coursenet-activator.service coursenet-activator.socket coursenet-query.socket")
    expect_refusal(guest.run([*ENTER, "echo", "inside"], user=STUDENT, check=False), 3, "cannot be reached")
    process.kill_in_guest()
    process.wait()
    guest.run("systemctl start coursenet-activator.socket coursenet-query.socket coursenet-activator.service")
    wait_gone(guest)


@case("coursenet-enter whose seat cannot come up says which unit failed")
def enter_failing_seat(guest):
    set_up_class(guest)
    guest.run("ip link add br-123 type bridge")
    try:
        refused = guest.run([*ENTER, "echo", "inside"], user=STUDENT, check=False)
    finally:
        guest.run("ip link del br-123")
    expect_refusal(refused, 1, "Your seat did not come up: netbr@123.service failed. Please tell an administrator.")
    # A bridge is a whole course's, so it stays failed until it comes up. Nothing of the one seat does.
    guest.wait_until(lambda: failed_units(guest) == ["netbr@123.service"], timeout=15, what="only the bridge is failed")
    expect_equal(guest.run([*ENTER, "echo", "inside"], user=STUDENT).stdout, "inside\n", "the next try")
    wait_gone(guest)
    expect_nothing_failed(guest)


VISIT = ["coursenet-enter", "--seat-of"]


@contextlib.contextmanager
def course_staff(guest, may):
    """An account of the staff of course 123, with this value of staff-enter."""
    set_up_class(guest)
    guest.add_user("enter-staff")
    with settings(guest, f"[course 123]\nstaff = enter-staff\nstaff-enter = {may}\n[course 377]\nstaff-enter = yes\n"):
        yield "enter-staff"


@case("staff enter the network of a student's seat as themselves; the student is told, and the log has both names", suites=ONE_SUITE)
def seat_of(guest):
    with course_staff(guest, "yes") as staff:
        expect_refusal(guest.run([*VISIT, SEAT, "--", "true"], user=staff, check=False), 1, "the seat is not up")
        session = guest.ssh_popen(STUDENT, tty=True)
        since = guest.journal_position()
        line = f"{OWN_NAMESPACE}; id -un; grep CapPrm /proc/self/status; echo $COURSENET_SEAT $COURSENET_ADDRESS; ping -c 1 -W 5 10.0.123.1"
        inside = guest.run([*VISIT, STUDENT, "-c", line], user=staff).stdout
        for part in (seat_namespace(guest), f"\n{staff}\n", "CapPrm:\t0000000000000000\n", f"\n{SEAT} {ADDRESS}\n", "1 received"):
            expect_in(part, inside, "what the command sees")
        session.read_until(f"{staff} has entered the network of your seat {SEAT}, with coursenet-enter")
        guest.run("journalctl --sync")
        expect_in(f"{staff} has entered the network of seat {SEAT} of {STUDENT}", guest.journal(since=since), "the log")
        # It keeps nothing: the logout stops the seat, and the command has no network any more.
        visit = guest.popen([*VISIT, SEAT, "--", "sh", "-c", "read go; ls /sys/class/net; ping -c 1 -W 1 10.0.123.1"], user=staff)
        guest.wait_until(f"ip netns pids ns{SEAT} | xargs -r -n 1 ps -o args= -p | grep -q 'read go'", what="staff are in the seat")
        expect_equal(len(leases(guest, SEAT)), 1, "the leases")
        session.close()
        wait_gone(guest)
        ended = visit.exchange("go\n", 30)
        expect_in("Network is unreachable", ended.stdout + ended.stderr, "the ping after the logout")


@case("coursenet-enter --seat-of refuses students, staff of other courses, and staff without staff-enter", suites=ONE_SUITE)
def seat_of_refused(guest):
    with course_staff(guest, "no") as staff:
        process = hold_seat(guest)
        refusal = "Course 123 does not let its staff enter the networks of seats"
        expect_refusal(guest.run([*VISIT, SEAT, "--", "true"], user=staff, check=False), 1, refusal)
        expect_refusal(guest.run([*VISIT, FAR, "--", "true"], user=staff, check=False), 1, "Only root, the course's staff")
        for user, word in ((SECOND, STUDENT), (STUDENT, SEAT), ("alice", SEAT)):
            expect_refusal(guest.run([*VISIT, word, "--", "true"], user=user, check=False), 1, "Only root and the staff of a course")
        for words in (VISIT, [*VISIT, "--", "true"]):
            expect_status(guest.run(words, user=staff, check=False), 2, f"{words}")
        expect_equal(guest.run([*VISIT, SEAT, "--", *OWN_NAMESPACE.split()]).stdout.strip(), seat_namespace(guest), "root's namespace")
        process.kill_in_guest()
    wait_gone(guest)


# What a program of the student may send to the activator, and what it gets.
FORGED = protocol() + """
import os, socket, struct, sys
user, service = sys.argv[1:]
text = lambda value, size: value.encode().ljust(size, b"\\0")
request = struct.pack("=IHHIIIII", 0x636f7572, PROTOCOL_VERSION, 7, 0, 0, 10000, 0, 0)[:24] + text(user, USER_NAME_SIZE) + text("", 32) \\
    + text(service, 32) + text("tty1", 128) + text("198.51.100.7", 128)
query = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
query.connect("/run/coursenet/query.sock")
pidfd = os.pidfd_open(int(os.environ.get("PIDFD_OF", os.getpid())))
socket.send_fds(query, [request], [pidfd])
reply, fds, _, _ = socket.recv_fds(query, 4096, 1)
print(struct.unpack("=H", reply[6:8])[0], reply[72:88].rstrip(b"\\0").decode() if fds else "none")
try:
    os.setns(fds[0], os.CLONE_NEWNET)
except (OSError, IndexError) as error:
    print(type(error).__name__)
sys.stdout.flush()
sys.stdin.read()
"""


@case("a request to enter is about the sender's seat, whatever the request says", suites=ONE_SUITE)
def enter_forged(guest):
    set_up_class(guest)
    # setns() is in Python from 3.12 on; where it is missing, the attempt counts as failed.
    script = FORGED.replace("os.setns(fds[0], os.CLONE_NEWNET)", "__import__('ctypes').CDLL(None, use_errno=True)"
                            ".setns(fds[0], 0x40000000) and (_ for _ in ()).throw(PermissionError())")
    process = guest.popen(["python3", "-c", script, SECOND, "hold"], user=STUDENT)
    guest.wait_until(lambda: len(leases(guest)) == 1, what="the lease")
    [lease] = leases(guest, SEAT)
    expect_equal((lease["service"], lease["pid"], lease["remote_host"]),
                 ("coursenet-enter", process.guest_pid(), None), "the lease")
    expect_equal(process.exchange("", 30).stdout, f"1 {SEAT}\nPermissionError\n", "the answer, and what it is good for")
    wait_gone(guest)
    # A pidfd of somebody else would make the lease outlive its process.
    result = guest.run(["python3", "-c", script, STUDENT, "x"], user=STUDENT, env={"PIDFD_OF": "1"}, input="")
    expect_equal(result.stdout, "5 none\nIndexError\n", "the answer to a pidfd of another process")
    result = guest.run(["python3", "-c", script, STUDENT, "x"], user="alice", input="")
    expect_equal(result.stdout, "4 none\nIndexError\n", "the answer to alice, who names a student")
    expect_equal(leftovers(guest), "", "what is up")


# A name service cache that accepts and never answers: every program asks it first, and waits for 5 s.
HANGING_CACHE = """
import os, socket
os.makedirs("/run/nscd", exist_ok=True)
listener = socket.socket(socket.AF_UNIX)
listener.bind("/run/nscd/socket")
os.chmod("/run/nscd/socket", 0o666)
listener.listen(64)
print("listening", flush=True)
held = []
while True:
    held.append(listener.accept())
"""


@case("coursenet-enter tells its user that the user database hangs, and other users are not delayed", suites=ONE_SUITE)
def enter_hanging_names(guest):
    set_up_class(guest)
    uid = guest.run(["id", "-u", STUDENT]).stdout.strip()
    second = hold_seat(guest, SECOND)
    cache = guest.popen(["python3", "-c", HANGING_CACHE])
    expect_equal(cache.stdout.readline(), "listening\n", "what the cache says")
    try:
        # Become the student without a look into the user database.
        started = time.monotonic()
        become = f"import os, sys; os.setgid({uid}); os.setuid({uid}); os.execvp(sys.argv[1], sys.argv[1:])"
        entering = guest.popen(["python3", "-c", become, *ENTER, "echo", "inside"])
        reporting = guest.popen(["python3", "-c", become, "coursenetctl", "seat", STUDENT])
        guest.wait_until("pgrep -f 'coursenet-activator --whois' && pgrep -f 'coursenetctl for-peer'")
        asked = time.monotonic()
        expect_equal(len(leases(guest)), 1, "the number of leases")
        expect(time.monotonic() - asked < 4, "the activator waited for the user database")
        refused = entering.wait_output()
        took = time.monotonic() - started
    finally:
        cache.kill_in_guest()
        guest.run("rm -r /run/nscd")
    expect_refusal(refused, 1, "the user database does not answer")
    expect_in(SEAT, reporting.wait_output().stdout, "the seat that was asked for, when the user database is there again")
    expect(took < 9, f"the refusal took {took:.1f} s")
    expect_equal(guest.run([*ENTER, "echo", "inside"], user=STUDENT).stdout, "inside\n", "the next try")
    second.kill_in_guest()
    wait_gone(guest)


@case("coursenet-enter without --seat calls the container's runtime, in the seat", suites=NO_RUNTIME)
def enter_container(guest):
    set_up_class(guest)
    guest.write(RUNTIME, RUNTIME_SCRIPT, mode=0o755)
    process = hold_seat(guest)
    try:
        result = guest.run(["coursenet-enter", "--", "ls", "-l"], user=STUDENT)
        shell = guest.run(["coursenet-enter"], user=STUDENT)
    finally:
        guest.run(["rm", RUNTIME])
    expect_equal(result.stdout, f"{RUNTIME} exec instance://inst-{SEAT} ls -l\n{seat_namespace(guest)}\n", "the call")
    expect_in(f"shell instance://inst-{SEAT}\n", shell.stdout, "the call for a shell")
    expect_equal(result.stderr.count("\n"), 1, "the number of lines before the runtime's own")
    expect_in(f"The container of seat {SEAT} does not run", result.stderr, "the sentence")
    process.kill_in_guest()
    wait_gone(guest)


@case("coursenet-enter says so when the container cannot run, or is none", suites=RUNTIME_SUITES)
@with_image("[course 123]\nimage = /srv/images/none.sif\n")
def enter_no_container(guest):
    refused = guest.run(["coursenet-enter", "--", "true"], user=STUDENT, check=False)
    expect_refusal(refused, 1, "Your seat came up, but its container did not: The image /srv/images/none.sif does not exist.")
    expect_not_in("journal", refused.stderr, "what a student is told, who may not read it")
    wait_gone(guest)
    expect_nothing_failed(guest)

    guest.write(SETTINGS, "")
    none = guest.run(["coursenet-enter", "--", "true"], user=STUDENT, check=False)
    expect_status(none, 255, "the runtime, without an instance")
    expect_in(f"The container of seat {SEAT} does not run", none.stderr.splitlines()[0], "the sentence before its own")
    wait_gone(guest)


@case("coursenet-enter on a server without a container runtime says so", suites=NO_RUNTIME)
def enter_no_runtime(guest):
    set_up_class(guest)
    refused = guest.run(["coursenet-enter", "--", "true"], user=STUDENT, check=False)
    expect_refusal(refused, 1, "Neither apptainer nor singularity is installed")
    wait_gone(guest)


@case("coursenet-enter as sshd's ForceCommand runs what the client asked for, scp and sftp too")
def enter_force_command(guest):
    set_up_class(guest)
    config = "/etc/ssh/sshd_config.d/force.conf"
    guest.write(config, f"Match User {STUDENT}\n    ForceCommand coursenet-enter --seat\n")
    guest.run("systemctl restart ssh")
    try:
        holder = guest.ssh_popen(STUDENT)
        expect_equal(holder.run(OWN_NAMESPACE), seat_namespace(guest), "the shell's namespace")
        expect_equal(len(leases(guest, SEAT)), 2, "the number of leases, of the login and of the command")
        result = guest.ssh(STUDENT, f"{OWN_NAMESPACE}; echo \"[$SSH_ORIGINAL_COMMAND]\"; exit 7", check=False)
        expect_status(result, 7, "the forced command")
        expect_equal(result.stdout, f"{seat_namespace(guest)}\n[]\n", "what it printed")
        guest.run(f"echo text >/tmp/copied && scp /tmp/copied {STUDENT}@127.0.0.1:copied")
        expect_equal(guest.read(f"/home/{STUDENT}/copied"), "text\n", "what scp copied")
        holder.close()
    finally:
        guest.run(f"rm {config}; systemctl restart ssh")
    wait_gone(guest)


@case("coursenet-enter as a login shell calls the container's runtime for every login", suites=NO_RUNTIME)
def enter_login_shell(guest):
    set_up_class(guest)
    guest.write(RUNTIME, RUNTIME_SCRIPT, mode=0o755)
    guest.run(f"echo /usr/bin/coursenet-enter >>/etc/shells; usermod --shell /usr/bin/coursenet-enter {SECOND}")
    try:
        expect_in(f"exec instance://inst-12311 /bin/sh -c ls -l\n", guest.ssh(SECOND, "ls -l").stdout, "a command")
        shell = guest.run(["ssh", "-tt", f"{SECOND}@127.0.0.1"]).stdout
        expect_in("shell instance://inst-12311", shell, "a login")
        su = guest.run(f"su - {SECOND} -c 'ls -l'").stdout
        expect_in("exec instance://inst-12311 /bin/sh -c ls -l\n", su, "su")
        # --seat looks for a shell that is not itself.
        guest.run(["coursenet-enter", "--seat"], user=SECOND, input="exit 0\n")
    finally:
        guest.run(f"usermod --shell /bin/bash {SECOND}; rm {RUNTIME}; sed -i '/coursenet-enter/d' /etc/shells")
    wait_gone(guest)
