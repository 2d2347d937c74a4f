"""Runs the tests in mount and pid namespaces of their own, so that nothing can be left on the host.

`run(main)` starts this same command line again as pid 1 of new namespaces and calls `main` there. Whatever ends the
run, kill -9 included, ends pid 1, and with it the kernel ends every guest, every mount and every temporary file (they
are in a tmpfs that only this run sees). Only cgroups are not tied to a namespace: the outer process removes them, and
the next run does so for an outer process that was killed.
"""

import os
import shutil
import signal
import subprocess
import sys

from harness import cgroup

RUN_ID = "COURSENET_E2E_RUN"
TOOLS = {"mmdebstrap": "mmdebstrap", "systemd-nspawn": "systemd-container",
         "unshare": "util-linux", "setpriv": "util-linux", "nsenter": "util-linux", "git": "git", "strace": "strace"}


def cache_directory():
    return os.environ.get("COURSENET_CACHE", "/var/cache/coursenet")


def work_directory():
    """A tmpfs of this run alone. Also the answer to an overlay as /var: an overlay's upper layer may not be on one."""
    return f"{cache_directory()}/run"


def run_id():
    return os.environ[RUN_ID]


def run(main):
    """Returns main()'s result, computed inside; call it once, first thing."""
    if RUN_ID in os.environ and os.getpid() == 1:
        child = os.fork()
        if child:
            return reap_until(child)
        return run_prepared(main)
    check_host()
    cgroup.sweep()
    return run_inside()


def check_host():
    if os.geteuid() != 0:
        sys.exit("the end-to-end tests boot guests and must run as root")
    missing = sorted({package for tool, package in TOOLS.items() if not shutil.which(tool)})
    if missing:
        sys.exit("the end-to-end tests need: apt-get install " + " ".join(missing))


def run_inside():
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    command = ["setpriv", "--pdeathsig", "KILL",
               "unshare", "--mount", "--propagation", "private", "--pid", "--fork", "--kill-child=KILL",
               "--mount-proc", *sys.orig_argv]
    inner = subprocess.Popen(command, env={**os.environ, RUN_ID: str(os.getpid())})
    try:
        return wait_through_interrupts(inner)
    finally:
        inner.kill()
        inner.wait()
        for group in cgroup.of_run(os.getpid()):
            cgroup.remove(group)


def wait_through_interrupts(inner):
    # A terminal sends ^C to both processes. The inner one answers it, and its end is waited for.
    while True:
        try:
            return inner.wait()
        except KeyboardInterrupt:
            pass


def reap_until(child):
    """What pid 1 is for. A command in a guest whose nsenter was killed becomes a child of this namespace's pid 1, and
    the guest cannot shut down before somebody has waited for it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    while True:
        pid, status = os.wait()
        if pid == child:
            return os.waitstatus_to_exitcode(status)


def run_prepared(main):
    try:
        prepare_inside()
        return main()
    except KeyboardInterrupt:
        return "interrupted"


def prepare_inside():
    forget_login()
    os.makedirs(work_directory(), exist_ok=True)
    mount_tmpfs(work_directory())
    # systemd-nspawn leaves lock files and propagation mounts here.
    os.makedirs("/run/systemd/nspawn", exist_ok=True)
    mount_tmpfs("/run/systemd/nspawn")


def mount_tmpfs(where):
    subprocess.run(["mount", "-t", "tmpfs", "-o", "mode=0755", "coursenet-e2e", where], check=True)


def forget_login():
    # The user who started the tests is not a user of the guests: with an audit login uid inherited, their
    # logind would take every session in them for a second one of that user.
    try:
        with open("/proc/self/loginuid", "w", encoding="ascii") as loginuid:
            loginuid.write("4294967295")
    except OSError:
        pass
