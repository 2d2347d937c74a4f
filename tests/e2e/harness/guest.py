"""A booted Debian guest with the product installed, and everything a test does to it.

A guest is a systemd-nspawn container with a real systemd, sshd, PAM, D-Bus and logind and a network of its own. Its
root is an overlay: the suite's tree, the product over it, and the guest's own changes, which go with it. Cases share
a guest: what popen() and ssh_popen() have started is killed at the end of each case, all else stays. After a failed
case the guest is discarded.
"""

import os
import shlex
import shutil
import signal
import stat
import subprocess
import time

from harness import cgroup, isolation, package, product, tree
from harness.console import Console
from harness.session import Session

DEADLINE = 60
# A check costs processor time, which what is waited for needs, too: the longer a check takes, the rarer they are.
POLL_INTERVAL, POLL_INTERVAL_MAX, POLL_GROWTH = 0.02, 0.25, 1.4
# All guests together have as many inotify instances as one user, 128 by default. A guest needs 7 without these, and nobody asks for passwords.
MASKED = ("systemd-ask-password-console.path", "systemd-ask-password-wall.path")
HARNESS_UNIT = "system.slice/harness.service"
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
ENVIRONMENT = {"PATH": PATH, "HOME": "/root", "USER": "root", "LOGNAME": "root", "SHELL": "/bin/bash",
               "LANG": "C.UTF-8", "TERM": "dumb"}

JOIN_CGROUPS = 'groups=$GROUPS_TO_JOIN; unset GROUPS_TO_JOIN; for group in $groups; do echo $$ >"$group/cgroup.procs" || exit 1; done; exec "$@"'
BECOME_USER = 'user=$1; shift; exec setpriv --reuid="$user" --regid="$(id -g "$user")" --init-groups --reset-env "$@"'


class CommandFailed(AssertionError):
    pass


class GuestProcess(subprocess.Popen):
    """A process in the guest. On this side it is nsenter, which waits for it and ends as it does."""

    line = "a command"

    def wait_output(self, timeout=DEADLINE):
        """Waits for the end; returns what subprocess.run() would."""
        return self.exchange(None, timeout)

    def exchange(self, text, timeout):
        """Sends all its input, then waits for the end like wait_output(); a command that takes longer is killed."""
        try:
            stdout, stderr = self.communicate(text, timeout)
        except subprocess.TimeoutExpired as error:
            self.kill_in_guest()
            self.wait()
            said = (error.stdout or b"") + (error.stderr or b"")
            raise CommandFailed(f"`{self.line}` did not end in {timeout} s; it said:\n"
                                + said.decode("utf-8", "replace")) from None
        return subprocess.CompletedProcess(self.line, self.returncode, stdout, stderr)

    def kill_in_guest(self, number=signal.SIGKILL):
        """Signals the command, not only nsenter: both are in one process group."""
        if self.poll() is None:
            os.killpg(self.pid, number)

    def guest_pid(self):
        """The pid the guest knows it by."""
        deadline = time.monotonic() + DEADLINE
        while time.monotonic() < deadline:
            for child in children(self.pid):
                return namespace_pids(child)[-1]
            time.sleep(POLL_INTERVAL)
        raise AssertionError("the command has no process in the guest")


class Guest:
    @classmethod
    def boot(cls, suite, source_dir, name, log=print, extra_packages=(), with_product=True):
        """Boots a guest and waits until it is up. Its name must be unique in this run."""
        guest = cls(suite, name, log)
        guest._source_dir = source_dir
        guest._with_product = with_product
        try:
            guest._prepare_root(source_dir, extra_packages)
            guest._start()
        except BaseException:
            guest.poweroff()
            raise
        return guest

    def __init__(self, suite, name, log):
        self.suite = suite
        self.name = name
        self.log = log
        self.failed_units = []
        self.console = Console()
        self.init = None
        self._source_dir = None
        self._with_product = True
        self._base = f"{isolation.work_directory()}/guest-{name}"
        self._cgroups = []
        self._processor_time_of_groups_removed = 0
        self._nspawn = None
        self._processes = []
        self._others = []

    # Its life

    def boot_another(self, name, with_product=True, extra_packages=()):
        """Boots a second guest of the same tree and product, or of the tree alone. It ends with the module's cases at the latest.

        extra_packages: it has these, too.
        """
        other = Guest.boot(self.suite, self._source_dir, name, self.log, extra_packages, with_product)
        self._others.append(other)
        return other

    def _prepare_root(self, source_dir, extra_packages):
        base_tree = tree.build(self.suite, self.log)
        layers = [product.layer(self.suite, base_tree, source_dir, self.log)] if self._with_product else []
        if extra_packages:
            layers.append(tree.build_layer(base_tree, extra_packages, self.log))
        product.mount_overlay(self._base, [*layers, base_tree])
        for unit in MASKED:
            os.symlink("/dev/null", f"{self._base}/root/etc/systemd/system/{unit}")

    def build_packages(self):
        """The Debian packages of the product that this guest was made of."""
        return package.build(self.suite, self._source_dir, self.log)

    def _start(self):
        started = time.monotonic()
        self._start_nspawn()
        self._wait_booted()
        self.log(f"booted {self.suite} in {time.monotonic() - started:.1f} s, {self._own_processor_time():.1f} s of processor time")

    def _start_nspawn(self):
        if not self._cgroups:
            self._cgroups = cgroup.create(isolation.run_id(), self.name)
        self._nspawn = subprocess.Popen(
            ["sh", "-c", JOIN_CGROUPS, "sh", *self._nspawn_command()],
            stdin=self.console.terminal, stdout=self.console.terminal, stderr=self.console.terminal,
            start_new_session=True,
            env={"PATH": PATH, "TERM": "dumb", "GROUPS_TO_JOIN": " ".join(self._cgroups),
                 "SYSTEMD_NSPAWN_UNIFIED_HIERARCHY": "1"})

    def _nspawn_command(self):
        binds = [f"--bind={self._make_fuse()}:/dev/fuse"] if os.path.exists("/dev/fuse") else []
        return ["systemd-nspawn", "--quiet", "--boot", f"--directory={self._base}/root", f"--machine={self.name}",
                "--private-network", "--register=no", "--keep-unit", "--console=interactive",
                "--resolv-conf=off", "--timezone=off", "--link-journal=no", *binds]

    def _make_fuse(self):
        """A device node for the guest, which anybody in it may open, as on most machines. The host's own is not to change."""
        path = f"{self._base}/fuse"
        if not os.path.exists(path):
            os.mknod(path, stat.S_IFCHR | 0o666, os.stat("/dev/fuse").st_rdev)
            os.chmod(path, 0o666)
        return path

    def _wait_booted(self):
        try:
            self._poll(self._harness_unit_runs, DEADLINE)
            state = self.run("systemctl is-system-running --wait", check=False).stdout.strip()
        except (AssertionError, TimeoutError) as error:
            raise AssertionError(f"{self.name} did not boot. Its console said:\n{self.console.log()}") from error
        self.failed_units = self.run("systemctl list-units --failed --plain --no-legend").stdout.splitlines()
        if state != "running":
            self.log(f"{self.name} is {state}: " + "; ".join(self.failed_units))

    def _harness_unit_runs(self):
        if self._nspawn.poll() is not None:
            raise AssertionError(f"systemd-nspawn ended with status {self._nspawn.returncode}")
        return self._has_init() and os.path.exists(f"{self.cgroup_directory(HARNESS_UNIT)}/cgroup.procs")

    def _has_init(self):
        self.init = self._find_init()
        return self.init is not None

    def _find_init(self):
        """The child of systemd-nspawn that is pid 1 of a namespace; a helper that makes it comes and goes before."""
        for child in children(self._nspawn.pid):
            if namespace_pids(child)[1:] == [1]:
                return child
        return None

    def cgroup_directory(self, unit_path):
        """Where this side sees the control group of a unit, as in system.slice/ssh.service."""
        return f"{self._cgroups[0]}/payload/{unit_path}"

    def reboot(self, crash=False):
        """Restarts the guest; what is in /run is gone afterwards, the rest stays. crash: at once, without stopping any unit."""
        self.run("systemctl reboot --force --force" if crash else "systemctl reboot", check=False)
        # With --keep-unit, systemd-nspawn does not boot a second time by itself.
        self._wait_nspawn()
        if crash:
            self._remove_cgroups()
        self._start()

    def crash(self):
        """Ends all processes of the guest at the same moment and takes its network away, as a power cut does. boot_again() goes on
        with what was written to its disk."""
        self.end_processes()
        os.kill(self.init, signal.SIGKILL)
        self._wait_nspawn()
        self._remove_cgroups()

    def freeze(self):
        """No process of the guest runs until thaw(), as in a virtual machine that is paused. Clocks go on, and so does the kernel's network."""
        self._set_frozen(1)

    def thaw(self):
        self._set_frozen(0)

    def _set_frozen(self, state):
        with open(f"{self._cgroups[0]}/cgroup.freeze", "w", encoding="ascii") as switch:
            switch.write(str(state))

        def is_so():
            with open(f"{self._cgroups[0]}/cgroup.events", encoding="ascii") as events:
                return f"frozen {state}\n" in events.read()
        self._poll(is_so, DEADLINE)

    def boot_again(self, connect=lambda: None):
        """Boots a guest after crash(). connect() is called as soon as the guest has a network namespace."""
        self._start_nspawn()
        self._poll(self._has_init, DEADLINE)
        connect()
        self._wait_booted()

    def poweroff(self):
        """Shuts the guest down in good order and removes all of it."""
        self.discard_others()
        self.end_processes()
        if self._nspawn:
            self._nspawn.terminate()
            self._wait_nspawn()
        self._remove()

    def discard(self):
        """Ends the guest at once, whatever it is doing, and removes all of it."""
        self.discard_others()
        self.end_processes()
        init = self._find_init()
        if init:
            os.kill(init, signal.SIGKILL)
        self._nspawn.kill()
        self._nspawn.wait()
        self._remove()

    def discard_others(self):
        """Ends the guests that boot_another() has made and nobody has ended."""
        for other in self._others:
            if other._is_running():
                other.discard()
            elif os.path.isdir(other._base):
                other._remove()
        self._others.clear()

    def running_others(self):
        return [other for other in self._others if other._is_running()]

    def _is_running(self):
        return self._nspawn is not None and self._nspawn.poll() is None

    def _remove(self):
        self.console.close()
        if self.init and self._with_product:
            product.kind.collect(f"{self._base}/root", lambda command: product.in_chroot(f"{self._base}/root", command))
        self._remove_cgroups()
        if os.path.ismount(f"{self._base}/root"):
            subprocess.run(["umount", "--lazy", f"{self._base}/root"], check=True)
        shutil.rmtree(self._base, ignore_errors=True)

    def _remove_cgroups(self):
        """What is left of one boot would look like part of the next."""
        self._processor_time_of_groups_removed = self._own_processor_time()
        for group in self._cgroups:
            cgroup.remove(group)
        self._cgroups = []

    def processor_time(self):
        """Seconds of processor time that this guest and those that belong to it have taken so far."""
        return sum(guest._own_processor_time() for guest in (self, *self._others))

    def _own_processor_time(self):
        return self._processor_time_of_groups_removed + (cgroup.processor_time(self._cgroups[0]) if self._cgroups else 0)

    def _wait_nspawn(self):
        try:
            self._nspawn.wait(DEADLINE)
        except subprocess.TimeoutExpired:
            self.log(f"{self.name} did not power off in {DEADLINE} s and is killed")
            self._nspawn.kill()
            self._nspawn.wait()

    def end_processes(self):
        """Kills what popen() and ssh_popen() have started and nobody has ended, here and in the guests that belong to this one."""
        for other in self._others:
            other.end_processes()
        for process in self._processes:
            process.kill_in_guest()
            process.wait()
        self._processes.clear()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.poweroff()

    def take_reports(self):
        """Errors of the product that its programs have reported since the last call, as text."""
        roots = [f"{guest._base}/root" for guest in (self, *self.running_others())]
        return "".join(product.kind.take_reports(root) for root in roots)

    # Commands

    def run(self, command, check=True, user=None, timeout=DEADLINE, input=None, env=None):
        """Runs a command (a list, or a line for sh) as root or another user, without a login.

        Returns the completed process with stdout and stderr as text; with check, a status other than 0 is a failure.
        """
        process = self._spawn(command, user, env, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              stdin=subprocess.DEVNULL if input is None else subprocess.PIPE)
        result = process.exchange(input, timeout)
        if check and result.returncode != 0:
            raise CommandFailed(f"`{process.line}` ended with status {result.returncode}\n"
                                f"{result.stdout}{result.stderr}")
        return result

    def popen(self, command, user=None, env=None, **options):
        """Starts a command that goes on; it is killed at the end of the case. Returns a GuestProcess."""
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        process = self._spawn(command, user, env, **{**pipes, **options})
        self._processes.append(process)
        return process

    def _spawn(self, command, user, env, **options):
        process = GuestProcess(self._entered(command, user, env), text=True, encoding="utf-8", errors="replace",
                               env={**ENVIRONMENT, "GROUPS_TO_JOIN": self.cgroup_directory(HARNESS_UNIT)},
                               **{"start_new_session": True, **options})
        process.line = as_line(command)
        return process

    def _entered(self, command, user, env):
        """The command as run from this side: first into a unit's cgroup, then into the guest's namespaces.

        Outside of every unit, logind would not take a `su` for a login of its own, and systemd refuses to have
        processes in the root of its hierarchy.
        """
        inside = ["sh", "-c", command] if isinstance(command, str) else list(command)
        settings = [f"{name}={value}" for name, value in (env or {}).items()]
        if settings:
            inside = ["env", *settings, *inside]
        if user:
            inside = ["sh", "-c", BECOME_USER, "sh", user, *inside]
        return ["sh", "-c", JOIN_CGROUPS, "sh", "nsenter", f"--target={self.init}", "--mount", "--uts", "--ipc",
                "--net", "--pid", "--cgroup", "--root", "--wd", "--", *inside]

    def shell(self):
        """An interactive login for a developer, on this program's own terminal."""
        return self._spawn(["ssh", "-tt", "root@127.0.0.1"], None, {"TERM": os.environ.get("TERM", "dumb")},
                           start_new_session=False).wait()

    # Files and users

    def from_outside(self, path):
        """Where this side sees a path of the guest. To look there starts no process in the guest."""
        return f"/proc/{self.init}/root{path}"

    def write(self, path, text, mode=0o644):
        """Writes a file, with the folders it needs; what was there before is replaced."""
        self.run(["install", "-D", "-m", f"{mode:o}", "/dev/stdin", path], input=text)

    def read(self, path):
        return self.run(["cat", path]).stdout

    def copy_in(self, path_on_this_side, path):
        """Copies a file of any kind into the guest, to a folder that exists and is on its root file system."""
        shutil.copy(path_on_this_side, f"{self._base}/root{path}")

    def add_user(self, name, password=None):
        """Adds a user, if there is none of that name, who can log in by ssh() and, with a password, on the console."""
        script = """
            set -e
            id -u "$1" >/dev/null 2>&1 || useradd -m -s /bin/bash "$1"
            install -d -o "$1" -g "$1" -m 700 "/home/$1/.ssh"
            install -o "$1" -g "$1" -m 600 /root/.ssh/id_ed25519.pub "/home/$1/.ssh/authorized_keys"
        """
        self.run(["sh", "-c", script, "sh", name])
        if password:
            self.run(["chpasswd"], input=f"{name}:{password}\n")

    # Logins

    def ssh(self, user, command, tty=False, extra=(), check=True, timeout=DEADLINE, input=None):
        """Runs a command by the guest's own ssh and sshd."""
        return self.run(ssh_command(user, tty, extra) + [command], check=check, timeout=timeout, input=input)

    def ssh_popen(self, user, tty=False, extra=()):
        """Logs a user in and holds the login; returns its Session."""
        process = self.popen(ssh_command(user, tty, extra), stderr=subprocess.STDOUT)
        return Session(process, f"{user}'s session", tty)

    # Waiting and looking

    def wait_until(self, condition, timeout=30, what=None, interval=None):
        """Waits until a function returns something true, or a shell line succeeds; returns what it gave.

        interval: what is waited for does not last, so the time between two looks does not grow.
        """
        check = condition
        if isinstance(condition, str):
            what = what or condition

            def check():
                return self.run(condition, check=False).returncode == 0
        try:
            return self._poll(check, timeout, interval)
        except TimeoutError:
            raise AssertionError(f"still not so after {timeout} s: {what or condition}\n"
                                 f"the journal's last lines:\n{self.journal(lines=30)}") from None

    @staticmethod
    def _poll(check, timeout, interval=None):
        deadline = time.monotonic() + timeout
        pause = interval or POLL_INTERVAL
        while True:
            began = time.monotonic()
            result = check()
            if result:
                return result
            if time.monotonic() > deadline:
                raise TimeoutError(f"in {timeout} s")
            # A check takes processor time from what it waits for, and from the other guests: a quarter of the time, and half of it on a
            # machine so busy that a check takes long.
            took = time.monotonic() - began
            time.sleep(pause if interval else max(pause, took, min(3 * took, 2 * POLL_INTERVAL_MAX)))
            pause = interval or min(POLL_GROWTH * pause, POLL_INTERVAL_MAX)

    def journal(self, unit=None, since=None, lines=None):
        """The journal's text, with all that was sent to it before; since is what journal_position() or time.time() returned.

        A process that has ended before journald looks at it may not be counted to its unit: for the words of short ones,
        ask for no unit.
        """
        command = ["journalctl", "--quiet", "--no-pager", "-o", "short-precise", "--no-hostname"]
        command += [f"--unit={unit}"] if unit else []
        command += [f"--since=@{since:.6f}" if isinstance(since, float) else f"--after-cursor={since}"] if since else []
        command += [f"--lines={lines}"] if lines else []
        # On a busy machine journald has not yet read all that was sent to it.
        return self.run(["sh", "-c", 'journalctl --sync; exec "$@"', "sh", *command]).stdout

    def journal_position(self):
        # What was written so far must be in before the position is taken.
        output = self.run("journalctl --sync; journalctl --quiet --no-pager -n 1 --show-cursor").stdout
        return output.rsplit("-- cursor: ", 1)[1].strip()


def ssh_command(user, tty, extra):
    return ["ssh", "-tt" if tty else "-T", *extra, f"{user}@127.0.0.1"]


def as_line(command):
    return command if isinstance(command, str) else shlex.join(command)


def children(pid):
    try:
        with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as listing:
            return [int(child) for child in listing.read().split()]
    except (FileNotFoundError, ProcessLookupError):
        return []


def namespace_pids(pid):
    """A process' pids, from this pid namespace down to its own; empty if it has gone."""
    try:
        with open(f"/proc/{pid}/status", encoding="ascii", errors="replace") as status:
            for line in status:
                if line.startswith("NSpid:"):
                    return [int(number) for number in line.split()[1:]]
    except (FileNotFoundError, ProcessLookupError):
        pass
    return []
