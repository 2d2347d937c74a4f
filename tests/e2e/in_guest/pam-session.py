#!/usr/bin/env python3
"""A program that has PAM sessions, as sshd or a JupyterHub has them. It runs in the guest, on libpam itself.

Without arguments it does what it is told on stdin, a command a line, and answers each with the number PAM returned:

    start HANDLE SERVICE USER    pam_start(); HANDLE is any word
    set HANDLE tty|rhost TEXT    pam_set_item()
    open HANDLE                  pam_open_session()
    close HANDLE                 pam_close_session()
    end HANDLE STATUS            pam_end()

A word before a command says who does it instead of the main thread: `thread`, another thread; `fork`, a forked child;
`drop`, a forked child that has become the handle's user for good.

With the arguments SERVICE USER it opens and closes one session, between two system calls that are easy to find in a
trace, and exits with what PAM returned.
"""

import ctypes
import os
import pwd
import sys
import threading

PAM_CONV_ERR = 19
ITEMS = {"tty": 3, "rhost": 4}

pam = ctypes.CDLL("libpam.so.0")
ANSWER = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p)


class Conversation(ctypes.Structure):
    _fields_ = [("answer", ANSWER), ("data", ctypes.c_void_p)]


# No user answers questions. It must live as long as the handles that point to it.
NOBODY = Conversation(ANSWER(lambda *_: PAM_CONV_ERR), None)


class Handle:
    def __init__(self, service, user):
        self.user = user
        self._pamh = ctypes.c_void_p()
        self.started = pam.pam_start(service.encode(), user.encode(), ctypes.byref(NOBODY), ctypes.byref(self._pamh))

    def set(self, item, *words):
        return pam.pam_set_item(self._pamh, ITEMS[item], " ".join(words).encode())

    def open(self):
        return pam.pam_open_session(self._pamh, 0)

    def close(self):
        return pam.pam_close_session(self._pamh, 0)

    def end(self, status):
        return pam.pam_end(self._pamh, int(status))


handles = {}


def start(name, service, user):
    handles[name] = Handle(service, user)
    return handles[name].started


def do(command, name, *arguments):
    if command == "start":
        return start(name, *arguments)
    return {"set": Handle.set, "open": Handle.open, "close": Handle.close, "end": Handle.end}[command](handles[name], *arguments)


def in_thread(words):
    results = []
    thread = threading.Thread(target=lambda: results.append(do(*words)))
    thread.start()
    thread.join()
    return results[0]


def in_child(words, prepare=lambda: None):
    child = os.fork()
    if child == 0:
        try:
            prepare()
            # No exit handler of this program's may run twice.
            os._exit(do(*words))
        finally:
            os._exit(255)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def become(user):
    account = pwd.getpwnam(user)
    os.initgroups(user, account.pw_gid)
    os.setresgid(account.pw_gid, account.pw_gid, account.pw_gid)
    os.setresuid(account.pw_uid, account.pw_uid, account.pw_uid)


def obey(words):
    who, rest = words[0], words[1:]
    if who == "thread":
        return in_thread(rest)
    if who == "fork":
        return in_child(rest)
    if who == "drop":
        return in_child(rest, lambda: become(handles[rest[1]].user))
    return do(*words)


def once(service, user):
    handle = Handle(service, user)
    os.access("mark-before", os.F_OK)
    opened = handle.open()
    closed = handle.close()
    os.access("mark-after", os.F_OK)
    return handle.started or opened or closed


def main():
    if len(sys.argv) > 1:
        return once(*sys.argv[1:])
    for line in sys.stdin:
        print(f"returned {obey(line.split())}", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
