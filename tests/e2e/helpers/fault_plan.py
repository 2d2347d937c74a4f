"""Which system calls can fail with which errno: see tests/e2e/fault.py.

Faults are what a kernel returns at such a place: when memory, descriptors or disk space have run out, a signal comes, a peer is
gone, or a limit is reached. A call that is in no row and in no list of those that cannot fail is an error of the run.
"""

import random

# Names of calls, a part of the traced line ("" fits all), and the errnos. The first row that fits counts.
FAULTS = (
    ("openat open", "O_CREAT", "ENOSPC EROFS EMFILE"),
    ("openat open", "", "EMFILE ENFILE ENOMEM"),
    ("openat2", "", "EMFILE ENOMEM"),
    ("socket", "", "EMFILE ENFILE ENOBUFS"),
    ("socketpair pipe2 eventfd2 epoll_create1 timerfd_create inotify_init1 signalfd4 memfd_create pidfd_getfd", "", "EMFILE ENFILE ENOMEM"),
    ("pidfd_open", "", "EMFILE ENOMEM"),
    ("connect", "", "ECONNREFUSED ENOENT EAGAIN EINTR"),
    ("bind", "", "EADDRINUSE ENOMEM"),
    ("accept4 accept", "", "EMFILE ENFILE ECONNABORTED EINTR"),
    ("sendmsg sendto sendmmsg", "NETLINK", "ENOBUFS EINTR ENOMEM"),
    ("sendmsg sendto sendmmsg", "nlmsg", "ENOBUFS EINTR ENOMEM"),
    ("sendmsg sendto sendmmsg", "", "EAGAIN EINTR ENOBUFS EPIPE"),
    ("recvmsg recvfrom", "NETLINK", "EINTR ENOBUFS ENOMEM"),
    ("recvmsg recvfrom", "nlmsg", "EINTR ENOBUFS ENOMEM"),
    ("recvmsg recvfrom", "", "EINTR EAGAIN ECONNRESET ENOMEM"),
    ("read readv", "", "EINTR EIO"),
    ("pread64", "", "EIO"),
    ("write writev", "", "ENOSPC EIO"),
    ("poll ppoll pselect6 epoll_wait epoll_pwait epoll_pwait2", "", "EINTR ENOMEM"),
    ("epoll_ctl", "EPOLL_CTL_ADD", "ENOMEM ENOSPC"),
    ("mmap brk mprotect mremap", "", "ENOMEM"),
    ("mkdir mkdirat mknod mknodat symlink symlinkat link linkat", "", "ENOSPC EROFS"),
    ("rename renameat renameat2", "", "ENOSPC EROFS"),
    ("unlink unlinkat rmdir", "", "ENOMEM EIO"),
    ("chmod fchmod fchmodat chown fchown fchownat fchmodat2", "", "EROFS EPERM"),
    ("ftruncate fallocate fsync fdatasync", "", "ENOSPC EIO"),
    ("utimensat", "", "EROFS"),
    ("flock", "LOCK_NB", "EINTR ENOLCK"),
    ("flock", "", "EINTR ENOLCK"),
    ("ioctl", "SIOCG", "ENODEV ENOMEM"),
    ("ioctl", "", "ENOTTY"),
    ("setns", "", "EPERM ENOMEM"),
    ("unshare", "", "EPERM ENOSPC ENOMEM"),
    ("mount", "", "EPERM ENOSPC ENOMEM"),
    ("umount2", "", "EBUSY ENOMEM"),
    ("clone clone3 fork vfork", "", "EAGAIN ENOMEM"),
    ("execve", "", "ENOMEM"),
    ("getrandom", "", "EINTR"),
    ("fcntl", "F_DUPFD", "EMFILE"),
    ("dup dup2 dup3", "", "EMFILE"),
    ("newfstatat stat lstat statx access faccessat faccessat2 readlink readlinkat statfs", "", "ENOMEM"),
    ("getdents64", "", "EIO"),
    ("setsockopt getsockopt getsockname getpeername", "", "ENOBUFS"),
    ("inotify_add_watch", "", "ENOSPC ENOMEM"),
    ("clock_nanosleep nanosleep", "", "EINTR"),
    ("wait4 waitid", "", "EINTR"),
    ("kill tgkill pidfd_send_signal", "", "ESRCH"),
    ("capset prctl", "", "EPERM"),
    ("malloc", "", "NULL"),
)

# Calls that do not fail where they are made, and close(), which always closes.
CANNOT_FAIL = set("""
    close munmap getpid gettid getppid getpgrp getuid geteuid getgid getegid getresuid getresgid getgroups capget
    rt_sigaction rt_sigprocmask rt_sigreturn sigaltstack set_tid_address set_robust_list rseq prlimit64 getrlimit arch_prctl
    exit_group exit clock_gettime clock_getres gettimeofday time uname sysinfo sched_getaffinity sched_yield lseek umask madvise futex
    restart_syscall timerfd_settime getsid fadvise64 shutdown getcpu alarm epoll_ctl fcntl fstat fstatfs inotify_rm_watch
    setresuid setresgid setgroups
""".split())
# Of a descriptor that is open: these do not look at a path.
OPEN_FILE = ("AT_EMPTY_PATH", 'newfstatat(0, "",', )

# A process that is killed is killed instead of each call that changes something outside of it. Before any other call, that would
# be the same as before the next of these.
KILL = "SIGKILL"
CHANGES = set("""
    connect sendmsg sendto sendmmsg write writev mkdir mkdirat rename renameat renameat2 unlink unlinkat rmdir chmod fchmod fchown
    ftruncate flock mount umount2 unshare setns clone clone3 accept4 kill pidfd_send_signal exit_group poll ppoll epoll_wait
""".split())
# A limit that is reached stays reached.
LASTING = {"EMFILE", "ENFILE", "ENOSPC", "ENOMEM", "ENOBUFS"}


def errnos_of(call):
    """The faults of one recorded call; empty if it cannot fail."""
    name, line = call["call"], call["line"]
    if any(part in line for part in OPEN_FILE):
        return []
    for names, part, errnos in FAULTS:
        if name in names.split() and part in line:
            return errnos.split()
    if name in CANNOT_FAIL:
        return []
    raise AssertionError(f"helpers/fault_plan.py has no row for the system call {line or name}")


def all_actions(record, actions):
    """Each action before each call with which a daemon or a program changes something outside of itself."""
    return [{"process": process, "phase": phase, "call": call["call"], "n": call["n"], "line": call["line"], "fault": action}
            for phase, processes in record.items() for process, calls in processes.items() if process != "module"
            for call in calls if call["call"] in CHANGES or "O_CREAT" in call["line"] for action in actions]


def all_faults(record):
    """Every order of a full run, as dictionaries for the agent; the same record gives the same list."""
    orders = []
    for phase, processes in record.items():
        for process, calls in processes.items():
            seen = set()
            loading = process not in ("module", "activator", "worker")
            for call in calls:
                base = {"process": process, "phase": phase, "call": call["call"], "n": call["n"], "line": call["line"]}
                faults = errnos_of(call)[:1 if loading else None]
                # The loader's last step is to give its cache back.
                loading = loading and call["call"] != "munmap"
                orders += [{**base, "fault": fault} for fault in faults]
                orders += [{**base, "fault": f"{fault}+"} for fault in faults
                           if fault in LASTING and (call["call"], fault) not in seen]
                seen.update((call["call"], fault) for fault in faults)
                if call["call"] in CHANGES or "O_CREAT" in call["line"]:
                    orders.append({**base, "fault": KILL})
    return orders


def thin_allocations(orders, most):
    """Of thousands of allocations in one process, which differ little: the first half of that number, and the rest evenly spread."""
    result, groups = [], {}
    for order in orders:
        if order["call"] == "malloc":
            groups.setdefault((order["phase"], order["process"]), []).append(order)
        else:
            result.append(order)
    for group in groups.values():
        first, rest = group[:most // 2], group[most // 2:]
        step = max(1, -(-len(rest) // (most // 2)))
        result += first + rest[::step]
    return result


def sample(orders, count, seed):
    """So many orders, of every process and phase alike many, and of as many different calls as possible."""
    draw = random.Random(seed)
    groups = {}
    for order in orders:
        groups.setdefault((order["phase"], order["process"]), []).append(order)
    for key, group in groups.items():
        draw.shuffle(group)
        first, rest, seen = [], [], set()
        for order in group:
            (rest if order["call"] in seen else first).append(order)
            seen.add(order["call"])
        groups[key] = first + rest
    result = []
    for number in range(count):
        keys = [key for key in groups if groups[key]]
        if keys:
            result.append(groups[keys[number % len(keys)]].pop(0))
    return result
