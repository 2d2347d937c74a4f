/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * tmux, nohup and the like stay behind at a logout. Only /proc knows which processes are in a namespace. Each
 * process is held by a pidfd before it is examined, so that a reused pid harms no other process.
 *
 * Root's processes are an administrator's, for example `ip netns exec`.
 */

#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/pidfd.h>
#include <sys/stat.h>

#include "leftover.h"
#include "number.h"

/*
 * What a shell needs to write its history, and the kernel to end what is killed. Both delay the seat's end,
 * and a login that arrives just then.
 */
#define PATIENCE_MS 1000
#define KILL_MS 200

/* A process that forks faster than it is found is met again in the next round. */
#define ROUNDS 10U

struct found {
        int pidfds[1024];
        size_t n;
};

static void found_done(struct found *found) {
        for (size_t i = 0; i < found->n; i++)
                (void)close(found->pidfds[i]);
        found->n = 0;
}

static bool is_in_namespace(int proc, const char *pid, const struct stat *netns) {
        char path[64];
        struct stat st;

        (void)snprintf(path, sizeof(path), "%s/ns/net", pid);
        if (fstatat(proc, pid, &st, 0) < 0 || st.st_uid == 0)
                return false;
        return fstatat(proc, path, &st, 0) >= 0 && st.st_dev == netns->st_dev && st.st_ino == netns->st_ino;
}

static int find(const struct stat *netns, struct found *ret) {
        DIR *proc = opendir("/proc");

        if (!proc)
                return -errno;
        for (struct dirent *entry; ret->n < ELEMENTSOF(ret->pidfds) && (entry = readdir(proc));) {
                int pidfd;

                if (!digits_only(entry->d_name) || !is_in_namespace(dirfd(proc), entry->d_name, netns))
                        continue;
                pidfd = pidfd_open((pid_t)strtol(entry->d_name, NULL, 10), 0);
                if (pidfd < 0)
                        continue;
                /* Now the number cannot change its owner any more. */
                if (is_in_namespace(dirfd(proc), entry->d_name, netns))
                        ret->pidfds[ret->n++] = pidfd;
                else
                        (void)close(pidfd);
        }
        (void)closedir(proc);
        return 0;
}

static void send_all(const struct found *found, int number) {
        for (size_t i = 0; i < found->n; i++)
                (void)pidfd_send_signal(found->pidfds[i], number, NULL, 0);
}

/* Until each has ended, or all have had their time. */
static void wait_all(const struct found *found, int milliseconds) {
        for (size_t i = 0; i < found->n; i++) {
                struct pollfd pollfd = {.fd = found->pidfds[i], .events = POLLIN};

                (void)poll(&pollfd, 1, milliseconds / (int)found->n + 1);
        }
}

int leftover_kill(int netns_fd) {
        struct found found = {0};
        struct stat netns;
        int n, r;

        if (fstat(netns_fd, &netns) < 0)
                return -errno;

        r = find(&netns, &found);
        n = (int)found.n;
        /* An interactive shell ignores SIGTERM, a stopped process both. */
        send_all(&found, SIGHUP);
        send_all(&found, SIGTERM);
        send_all(&found, SIGCONT);
        wait_all(&found, PATIENCE_MS);

        for (unsigned i = 0; i < ROUNDS && r >= 0 && found.n > 0; i++) {
                found_done(&found);
                r = find(&netns, &found);
                send_all(&found, SIGKILL);
                wait_all(&found, KILL_MS);
        }
        found_done(&found);
        return r < 0 ? r : n;
}
