/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Identifies processes in a way that a reused pid cannot deceive. SO_PEERPIDFD would do the same from
 * Linux 6.5 on, but bookworm has 6.1.
 */

#include <sys/syscall.h>

#include "peer.h"

int peer_credentials(int fd, struct ucred *ret) {
        socklen_t size = sizeof(*ret);

        return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, ret, &size) < 0 ? -errno : 0;
}

/* The "Pid:" line of a pidfd's fdinfo, pidfd_open(2); it is -1 after the process was reaped. */
static int read_pidfd_pid(int pidfd, long *ret) {
        _cleanup_fclose_ FILE *file = NULL;
        char path[64], line[128];

        (void)snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", pidfd);
        file = fopen(path, "re");
        if (!file)
                return -errno;
        while (fgets(line, sizeof(line), file))
                if (sscanf(line, "Pid: %ld", ret) == 1)
                        return 0;
        return -EPERM; /* a descriptor, but no pidfd */
}

int peer_check_pidfd(int pidfd, pid_t pid) {
        long number = -1;
        int r;

        r = read_pidfd_pid(pidfd, &number);
        if (r < 0)
                return r;
        if (number == -1)
                return -ESRCH;
        return number == (long)pid ? 0 : -EPERM;
}

int peer_open_pidfd(pid_t pid) {
        long fd = syscall(SYS_pidfd_open, pid, 0);

        return fd < 0 ? -errno : (int)fd;
}

int peer_start_time(pid_t pid, uint64_t *ret) {
        _cleanup_fclose_ FILE *file = NULL;
        char path[64], line[1024], *p;
        unsigned long long ticks;

        (void)snprintf(path, sizeof(path), "/proc/%ld/stat", (long)pid);
        file = fopen(path, "re");
        if (!file)
                return errno == ENOENT ? -ESRCH : -errno;
        if (!fgets(line, sizeof(line), file))
                return -ESRCH;

        /* The second field is the command in parentheses and may hold anything: count from its end, field 3
         * next. */
        p = strrchr(line, ')');
        if (!p || sscanf(p + 1,
                          " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d %*d %*d %llu",
                          &ticks) != 1)
                return -EBADMSG;

        *ret = ticks;
        return 0;
}
