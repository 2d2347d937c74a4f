/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * A child of a test with the privileges of a program that has coursenet-enter's file capability: a plain
 * user's ids, CAP_SYS_ADMIN permitted, nothing effective. The test gets its output and its exit status.
 */

#include <grp.h>
#include <linux/capability.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>

#include "tests/pam/pam-sandbox.h"

#define CHILD_DEADLINE_SECONDS 30U

struct child_result {
        int status; /* of exit; -1: a signal ended it */
        char output[8192];
};

static inline void become_user(uid_t uid, bool capability) {
        struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
        struct __user_cap_data_struct sets[_LINUX_CAPABILITY_U32S_3] = {0};

        must(prctl(PR_SET_KEEPCAPS, capability, 0, 0, 0) == 0 && setgroups(0, NULL) == 0 &&
                        setresgid(uid, uid, uid) == 0 && setresuid(uid, uid, uid) == 0,
                "become a user");
        if (capability)
                sets[0].permitted = CAP_TO_MASK(CAP_SYS_ADMIN);
        must(syscall(SYS_capset, &header, sets) == 0, "capset");
}

static inline void collect(int fd, struct child_result *ret) {
        size_t n = 0;

        for (;;) {
                ssize_t r = read(fd, ret->output + n, sizeof(ret->output) - 1 - n);

                if (r <= 0)
                        break;
                n += (size_t)r;
        }
        ret->output[n] = '\0';
}

/* Runs a function in a child; what it returns is the exit status. */
static inline struct child_result run_child(int (*function)(void *), void *userdata) {
        struct child_result result;
        int ends[2], status;
        pid_t pid;

        must(pipe2(ends, O_CLOEXEC) == 0, "pipe");
        (void)fflush(NULL);
        pid = fork();
        must(pid >= 0, "fork");
        if (pid == 0) {
                int input = open("/dev/null", O_RDONLY | O_CLOEXEC);

                (void)alarm(CHILD_DEADLINE_SECONDS);
                must(input >= 0 && dup2(input, STDIN_FILENO) >= 0 && dup2(ends[1], STDOUT_FILENO) >= 0 &&
                                dup2(ends[1], STDERR_FILENO) >= 0,
                        "dup2");
                /* _exit(): the child is no test program, and has no leaks to report. */
                status = function(userdata);
                (void)fflush(NULL);
                _exit(status);
        }
        (void)close(ends[1]);
        collect(ends[0], &result);
        (void)close(ends[0]);
        must(waitpid(pid, &status, 0) == pid, "waitpid");
        result.status = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
        return result;
}
