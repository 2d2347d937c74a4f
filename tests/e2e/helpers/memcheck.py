"""The module under valgrind's memcheck, in a real sshd."""

import re

from harness.case import expect
from harness.guest import ssh_command
from harness.product import SOURCE

DIRECTORY = "/run/memcheck"
PORT = "2222"
# Every program that sshd starts runs under valgrind, except those that have nothing to do with PAM. sshd-auth allows itself a
# few system calls only, and valgrind makes others.
SKIPPED = "*/sshd-auth,/bin/*,/usr/bin/*,/usr/lib/systemd/*,/sbin/*,/usr/sbin/unix_chkpwd"
VALGRIND = ["valgrind", "--tool=memcheck", "--verbose", "--leak-check=full", "--show-leak-kinds=definite,indirect,possible", "--track-fds=yes",
            "--keep-debuginfo=yes", "--fullpath-after=", "--trace-children=yes", f"--trace-children-skip={SKIPPED}",
            f"--log-file={DIRECTORY}/%p.log"]


class CheckedSshd:
    """An sshd under valgrind, on a port of its own, as long as the `with` lasts."""

    def __init__(self, guest):
        self._guest = guest
        guest.run(f"rm -rf {DIRECTORY}; mkdir -m 1777 {DIRECTORY}")
        self._sshd = guest.popen([*VALGRIND, "/usr/sbin/sshd", "-D", "-e", "-p", PORT, "-o", "PidFile=none", "-o", "LoginGraceTime=300"])
        guest.wait_until(f"nc -z 127.0.0.1 {PORT}", timeout=120, what="the sshd under valgrind listens")

    def login(self, user):
        """A login that ends at once. Its shell may fail, because sshd closes descriptors that valgrind needs to run it."""
        self._guest.run([*ssh_command(user, False, ["-p", PORT, "-o", "ConnectTimeout=300"]), "true"], check=False, timeout=300)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._sshd.kill_in_guest(15)
        self._sshd.wait()


def logs(guest):
    """What valgrind has written about each process, when all of them have ended."""
    guest.wait_until("! ls -l /proc/[0-9]*/exe 2>/dev/null | grep -q /memcheck-", timeout=300, what="all processes under valgrind have ended")
    texts = guest.run(f"cd {DIRECTORY}; for file in *.log; do echo \"== $file\"; cat $file; done").stdout
    found = re.split(r"^== .*\.log\n", texts, flags=re.M)[1:]
    expect(any("security/pam_coursenet.so" in text for text in found), "no process under valgrind has loaded the module")
    return found


def blocks_of(text, part):
    """Reports in which a line has this part: errors, leaks, open descriptors."""
    lines = [re.sub(r"^==\d+== ?", "", line) for line in text.splitlines() if re.match(r"==\d+== ?", line)]
    blocks = re.split(r"\n\s*\n", "\n".join(lines))
    return [block for block in blocks if re.search(part, block) and re.search(r"^\s+(at|by) 0x", block, re.M)]


def reports(texts, part):
    """Of all processes. Open descriptors count only in those that open and close sessions: their forked children have copies."""
    listener = next(re.match(r"==(\d+)==", text)[1] for text in texts if re.search(r"== Command: /usr/sbin/sshd ", text))
    found = []
    for text in texts:
        has_sessions = f"Parent PID: {listener}\n" in text
        found += [block for block in blocks_of(text, part) if has_sessions or not block.startswith("Open file descriptor")]
    return found


OURS = rf"{SOURCE}/(pam_coursenet|client|common)/|pam_coursenet\.so"
