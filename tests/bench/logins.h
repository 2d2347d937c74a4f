/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Logins in processes of their own, as with sshd. Each has its PAM handle ready and waits for a byte to open
 * its session, and for another one to close it.
 */

#include <fcntl.h>
#include <signal.h>
#include <stddef.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "session.h"

#define LOGINS_MAX 1000U

struct logins {
        size_t n;
        int go[LOGINS_MAX]; /* the write ends of the logins' pipes */
        int told;           /* reads how long each took */
};

static void wait_for_go(int fd) {
        char c;

        if (read(fd, &c, 1) != 1)
                exit(EXIT_FAILURE);
}

/* What a login tells the parent: how long it took, or that it has ended before. */
#define REFUSED UINT64_MAX
static int tell_fd = -1;

static void tell(uint64_t took) {
        if (tell_fd >= 0 && write(tell_fd, &took, sizeof(took)) != (ssize_t)sizeof(took))
                (void)fprintf(stderr, "a login cannot tell how it went\n");
        tell_fd = -1;
}

static void tell_refused(void) {
        tell(REFUSED);
}

static _Noreturn void be_login(const char *service, const char *user, int go) {
        pam_handle_t *pam;

        (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
        (void)atexit(tell_refused);
        pam = start_pam(service, user);
        wait_for_go(go);
        tell(time_open(pam));
        wait_for_go(go);
        close_session(pam);
        exit(EXIT_SUCCESS);
}

static void allow_files(void) {
        struct rlimit limit;

        check(getrlimit(RLIMIT_NOFILE, &limit) < 0 ? -errno : 0, "RLIMIT_NOFILE");
        limit.rlim_cur = limit.rlim_max;
        check(setrlimit(RLIMIT_NOFILE, &limit) < 0 ? -errno : 0, "RLIMIT_NOFILE");
}

static void logins_start(struct logins *logins, const char *service, const char *const *users, size_t n) {
        int go[2], told[2];

        *logins = (struct logins){.n = n};
        allow_files();
        (void)fflush(NULL);
        check(pipe2(told, O_CLOEXEC) < 0 ? -errno : 0, "pipe");
        for (size_t i = 0; i < n; i++) {
                pid_t pid;

                check(pipe2(go, O_CLOEXEC) < 0 ? -errno : 0, "pipe");
                pid = fork();
                check(pid < 0 ? -errno : 0, "fork");
                if (pid == 0) {
                        tell_fd = told[1];
                        be_login(service, users[i], go[0]);
                }
                (void)close(go[0]);
                logins->go[i] = go[1];
        }
        (void)close(told[1]);
        logins->told = told[0];
}

static void send_go(struct logins *logins, size_t i) {
        check(write(logins->go[i], "", 1) != 1 ? -errno : 0, "a login has gone");
}

/* How long the next login took that is in. */
static uint64_t logins_wait_one(struct logins *logins) {
        uint64_t took;

        if (read(logins->told, &took, sizeof(took)) == (ssize_t)sizeof(took) && took != REFUSED)
                return took;
        (void)fprintf(stderr, "a login was refused\n");
        exit(EXIT_FAILURE);
}

static uint64_t _unused_ logins_open_one(struct logins *logins, size_t i) {
        send_go(logins, i);
        return logins_wait_one(logins);
}

/* Opens n at once. Returns how long it took until the last one was in. */
static uint64_t _unused_ logins_open(struct logins *logins, size_t first, size_t n) {
        uint64_t start = now_usec();

        for (size_t i = first; i < first + n; i++)
                send_go(logins, i);
        for (size_t i = 0; i < n; i++)
                (void)logins_wait_one(logins);
        return now_usec() - start;
}

static void logins_close(struct logins *logins) {
        for (size_t i = 0; i < logins->n; i++) {
                send_go(logins, i);
                (void)close(logins->go[i]);
        }
}

static void logins_end(struct logins *logins) {
        int status;

        (void)close(logins->told);
        while (wait(&status) > 0)
                if (status != 0) {
                        (void)fprintf(stderr, "a login ended with status %d\n", status);
                        exit(EXIT_FAILURE);
                }
}

/* How the names of the leases' slices begin: user cs206-... has a slice coursenet-206..., after the seat. */
static const char _unused_ *lease_prefix(const char *user) {
        static char prefix[64];
        size_t digits = strcspn(user + 2, "-");

        (void)snprintf(prefix, sizeof(prefix), "coursenet-%.*s", (int)digits, user + 2);
        return prefix;
}

/* --- the modules that coursenet is compared with ----------------------------------------------- */

/* libpam-net's: pam_usernet makes /run/netns/USER and leaves it, pam_newnet a namespace without a name. */
#define USERNET_SERVICE "coursenet-bench-usernet"
#define NEWNET_SERVICE "coursenet-bench-newnet"

/* pam_usernet also mounts /run/netns on itself, which hides the namespaces of seats and doubles those that
 * are made afterwards. */
static void _unused_ remove_named_namespaces(const char *const *users, size_t n) {
        char path[256];

        for (size_t i = 0; i < n; i++) {
                (void)snprintf(path, sizeof(path), "/run/netns/%s", users[i]);
                (void)umount2(path, MNT_DETACH);
                (void)unlink(path);
        }
        (void)umount2("/run/netns", MNT_DETACH);
}
