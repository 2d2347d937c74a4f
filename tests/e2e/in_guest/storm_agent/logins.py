"""Logins of all kinds, as the agent holds them.

A "pam" login is a process that opens a session by libpam itself, in the seat; a "nowait" login is the same with wait=none.
"ssh", "su" and "enter" are a shell behind the real program, which reports its process and waits for a line.
"""

import ctypes
import os
import pwd
import signal
import subprocess

from report import tell

PAM_SERVICES = {"pam": b"coursenet-storm", "nowait": b"coursenet-storm-nowait"}
PR_SET_PDEATHSIG = 1

# --- by libpam --------------------------------------------------------------------------------------------------------

libc = ctypes.CDLL(None)
# Loaded once: the children of this process have it already.
libpam = ctypes.CDLL("libpam.so.0")
libpam.pam_getenv.restype = ctypes.c_char_p

CONVERSE = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_int, ctypes.POINTER(ctypes.c_void_p), ctypes.c_void_p,
                            ctypes.c_void_p)
PAM_CONV_ERR = 19


class Message(ctypes.Structure):
    _fields_ = [("style", ctypes.c_int), ("text", ctypes.c_char_p)]


class Conversation(ctypes.Structure):
    _fields_ = [("converse", CONVERSE), ("data", ctypes.c_void_p)]


class PamSession:
    def __init__(self, service, user):
        self.said = []
        self._conversation = Conversation(CONVERSE(self._hear), None)
        self._handle = ctypes.c_void_p()
        libpam.pam_start(service, user.encode(), ctypes.byref(self._conversation), ctypes.byref(self._handle))

    def _hear(self, count, messages, _responses, _data):
        for i in range(count):
            self.said.append(ctypes.cast(messages[i], ctypes.POINTER(Message)).contents.text.decode())
        return PAM_CONV_ERR

    def open(self):
        return libpam.pam_open_session(self._handle, 0)

    def seat(self):
        return (libpam.pam_getenv(self._handle, b"COURSENET_SEAT") or b"").decode()

    def close(self):
        result = libpam.pam_close_session(self._handle, 0)
        libpam.pam_end(self._handle, result)
        return result


def be_pam_login(number, kind, user, orders, reports):
    """In a process of its own: opens, waits for a byte, closes. The storm may kill it at any time."""
    libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    os.dup2(reports, 1)
    session = PamSession(PAM_SERVICES[kind], user)
    result = session.open()
    if result:
        tell(event="refused", login=number, text=f"PAM error {result}: {' '.join(session.said)}")
        return
    tell(event="opened", login=number, opener=os.getpid(), inside=os.getpid() if kind == "pam" else None,
         seat=session.seat())
    os.read(orders, 1)
    result = session.close()
    if result:
        tell(event="close-failed", login=number, text=f"PAM error {result}: {' '.join(session.said)}")


class PamLogin:
    def __init__(self, agent, number, kind, user):
        orders, self._orders = os.pipe()
        self._reports, reports = os.pipe()
        self.pid = os.fork()
        if not self.pid:
            try:
                os.close(self._orders)
                be_pam_login(number, kind, user, orders, reports)
            finally:
                os._exit(0)  # pylint: disable=protected-access
        os.close(orders)
        os.close(reports)
        self._agent, self._number = agent, number
        agent.watch(self._reports, self._handle_report)

    def _handle_report(self):
        data = os.read(self._reports, 65536)
        if data:
            os.write(1, data)
            self._agent.handle_answered(self._number)
        else:
            self._handle_end()

    def _handle_end(self):
        self._agent.forget(self._reports)
        os.close(self._reports)
        os.waitpid(self.pid, 0)
        os.close(self._orders)
        self._agent.end_login(self._number)

    def close(self):
        # Not by closing the pipe: processes that were forked later have it too.
        os.write(self._orders, b"x")

    def kill_client(self):
        os.kill(self.pid, signal.SIGKILL)

    kill_opener = kill_client


# --- a shell behind a real program --------------------------------------------------------------------------------------

# Ends with a line. The process that opened the session: sshd's privileged one, su, or coursenet-enter, which has become
# the shell.
WAIT = "read -r line; if test -n \"$line\"; then nohup setsid sleep 600 >/dev/null 2>&1 & fi\n"
REPORTS = {
    "ssh": "echo READY $$ $(sed -n 's/^PPid:.//p' /proc/$PPID/status) $COURSENET_SEAT\n",
    "su": "echo READY $$ $PPID $COURSENET_SEAT\n",
    "enter": "echo READY $$ $$ $COURSENET_SEAT\n",
}


def command_of(kind, user):
    script = REPORTS[kind] + WAIT
    if kind == "ssh":
        return ["ssh", "-T", f"{user}@127.0.0.1", script]
    if kind == "su":
        return ["su", "-s", "/bin/sh", user, "-c", script]
    account = pwd.getpwnam(user)
    return ["setpriv", f"--reuid={account.pw_uid}", f"--regid={account.pw_gid}", "--clear-groups", "--reset-env",
            "coursenet-enter", "--seat", "--", "/bin/sh", "-c", script]


class ShellLogin:
    def __init__(self, agent, number, kind, user):
        self._agent, self._number = agent, number
        self._text = ""
        self._ready = False
        self._opener = None
        self._client = subprocess.Popen(command_of(kind, user), stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=subprocess.STDOUT)
        self.pid = self._client.pid
        agent.watch(self._client.stdout.fileno(), self._handle_output)

    def _handle_output(self):
        data = os.read(self._client.stdout.fileno(), 65536)
        self._text += data.decode("utf-8", "replace")
        if not data:
            self._handle_end()
        elif not self._ready and "READY " in self._text and self._text.endswith("\n"):
            self._handle_ready(self._text.split("READY ")[1].split())

    def _handle_ready(self, words):
        self._ready = True
        self._opener = int(words[1])
        tell(event="opened", login=self._number, opener=self._opener, inside=int(words[0]), seat=(words[2:] or [""])[0])
        self._agent.handle_answered(self._number)

    def _handle_end(self):
        self._agent.forget(self._client.stdout.fileno())
        self._client.stdout.close()
        try:
            self._client.stdin.close()
        except BrokenPipeError:
            pass
        status = self._client.wait()
        if not self._ready:
            tell(event="refused", login=self._number, text=f"ended with {status}: {self._text.strip()}")
        self._agent.end_login(self._number)

    def close(self):
        os.write(self._client.stdin.fileno(), b"\n")

    def leave(self):
        """Logs out, and leaves a process running."""
        os.write(self._client.stdin.fileno(), b"leave\n")

    def kill_client(self):
        self._client.kill()
        # The shell behind su goes on until its input ends.
        self.close()

    def kill_opener(self):
        # Not known yet: nothing to kill.
        if self._opener:
            os.kill(self._opener, signal.SIGKILL)


def log_in(agent, number, kind, user):
    return (PamLogin if kind in PAM_SERVICES else ShellLogin)(agent, number, kind, user)
