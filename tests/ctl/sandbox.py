# SPDX-License-Identifier: LGPL-2.1-or-later
"""Runs coursenetctl as it is built, beside a copy of /etc in which the tests have a site of their own."""

import os
import shutil
import subprocess
import sys
import tempfile
import traceback

sys.dont_write_bytecode = True

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
PROGRAM = os.environ.get("COURSENETCTL") or f"{ROOT}/build/sanitized/coursenetctl"
INSIDE = "COURSENET_SANDBOX"

SETTINGS = """\
[site]
network6 = 2001:db8:42::/48
nat = yes
"""
ROSTERS = {"123": "newellz2 10\nsmithj 11\n#removed vle 12\n", "377": "doej 10\n"}


def enter():
    """Runs this program again in a mount namespace of its own, where it may write to /etc and /var/lib."""
    if INSIDE in os.environ:
        return
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run(["unshare", "--mount", "--propagation", "private", sys.executable, "-B", *sys.argv],
                              env={**os.environ, INSIDE: folder}, check=False)
    sys.exit(done.returncode)


def cover_machine():
    """From here on /etc is a copy, and /var/lib is empty, as long as this process and its children run."""
    folder = os.environ[INSIDE]
    subprocess.run(["cp", "-a", "/etc", folder], check=True)
    subprocess.run(["mount", "--bind", f"{folder}/etc", "/etc"], check=True)
    subprocess.run(["mount", "-t", "tmpfs", "tmpfs", "/var/lib"], check=True)


def cover_run():
    """From here on the sockets of this machine's own programs are not there, and what the tests make there goes with them."""
    subprocess.run(["mount", "-t", "tmpfs", "tmpfs", "/run"], check=True)
    os.makedirs("/run/coursenet")
    os.environ.pop("DBUS_SYSTEM_BUS_ADDRESS", None)


def cover_programs():
    """From here on /usr/libexec is empty, and a program of FOLDER hides another one. Returns FOLDER."""
    subprocess.run(["mount", "-t", "tmpfs", "tmpfs", "/usr/libexec"], check=True)
    os.makedirs("/usr/libexec/coursenet")
    folder = f"{os.environ[INSIDE]}/programs"
    os.makedirs(folder)
    os.environ["PATH"] = f"{folder}:{os.environ['PATH']}"
    return folder


def write_program(path, text):
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
    os.chmod(path, 0o755)


def set_up_site():
    subprocess.run(["rm", "-rf", "/etc/coursenet"], check=True)
    for name in ("roster.d", "netns"):
        os.makedirs(f"/etc/coursenet/{name}")
    write("coursenet.conf", SETTINGS)
    for course, text in ROSTERS.items():
        write(f"roster.d/{course}", text)


def write(name, text):
    with open(f"/etc/coursenet/{name}", "wb") as file:
        file.write(text.encode() if isinstance(text, str) else text)


def ctl(*words, status=0, stdin=None):
    """Standard output of coursenetctl, which must exit with that status."""
    done = subprocess.run([PROGRAM, *words], input=stdin, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, check=False)
    if done.returncode != status:
        raise AssertionError(f"{' '.join(words)}: exit status {done.returncode}, expected {status}\n{done.stdout}{done.stderr}")
    return done.stdout


def run_as(uid, *words, stdin=None):
    """(exit status, standard output, standard error) of coursenetctl, run by that user. None is root."""
    program, user = PROGRAM, {}
    if uid is not None:
        # Not every user may enter the folder of the checkout. cover_run() removes the copy with the rest of /run.
        program, user = "/run/coursenetctl", {"user": uid, "group": uid, "extra_groups": []}
        if not os.path.exists(program):
            shutil.copy(PROGRAM, program)
    done = subprocess.run([program, *words], input=stdin, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, check=False, **user)
    return done.returncode, done.stdout, done.stderr


def refused(*words, status=1, uid=None):
    """What coursenetctl says on standard error, when it prints nothing else and exits with that status."""
    returned, printed, said = run_as(uid, *words)
    expect_equal((returned, printed), (status, ""), f"exit status and output of {' '.join(words)}")
    return said


def expect_equal(found, expected, what):
    if found != expected:
        raise AssertionError(f"{what}: {found!r}, expected {expected!r}")


def expect_in(part, text, what):
    if part not in text:
        raise AssertionError(f"{what}: {part!r} is not in {text!r:.2000}")


def run(tests, prepare=None):
    """Runs functions, each named by its first line of documentation, and prints TAP. Each gets the site as it was set up."""
    enter()
    cover_machine()
    if prepare:
        prepare()
    print(f"1..{len(tests)}", flush=True)
    failed = 0
    for number, test in enumerate(tests, 1):
        try:
            set_up_site()
            test()
            print(f"ok {number} - {test.__doc__}", flush=True)
        except Exception:  # pylint: disable=broad-except
            failed += 1
            print(f"not ok {number} - {test.__doc__}", flush=True)
            print("".join(f"# {line}\n" for line in traceback.format_exc().splitlines()), end="", flush=True)
    return 1 if failed else 0
