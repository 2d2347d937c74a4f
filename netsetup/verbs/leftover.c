/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Programs such as tmux and nohup may run on after a logout. Only /proc shows which processes are in a
 * namespace. This program holds a pidfd of each process before it examines the process, so a reused pid harms
 * no other process.
 *
 * Processes of root are an administrator's, for example of `ip netns exec`, and are not killed.
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
 * The time for a shell to write its history, and for the kernel to end processes that were killed. Both delay
 * the seat's stop, and a login that arrives meanwhile.
 */
#define PATIENCE_MS 1000
#define KILL_MS 200

/* A process that forks faster than it is found is killed in the next round. */
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
                /* From here on the pid cannot be reused. */
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

/* Waits until every process has ended, or until the time is over. */
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
        /* An interactive shell ignores SIGTERM, and a stopped process handles neither signal. */
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
