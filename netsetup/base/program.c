/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* posix_spawn() and a pidfd: the end of a child is waited for with a limit. */

#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdint.h>
#include <sys/pidfd.h>
#include <sys/wait.h>

#include "clock.h"
#include "program.h"

#define PATIENCE_MS 5000

/* A signal neither shortens the wait nor lengthens it. */
static bool ends_in_time(int pidfd) {
        struct pollfd pollfd = {.fd = pidfd, .events = POLLIN};
        int64_t end_ms = clock_now_ms() + PATIENCE_MS, left_ms;
        int r;

        do {
                left_ms = end_ms - clock_now_ms();
                r = poll(&pollfd, 1, left_ms > 0 ? (int)left_ms : 0);
        } while (r < 0 && errno == EINTR);
        return r != 0;
}

static int wait_for(pid_t pid) {
        _cleanup_close_ int pidfd = pidfd_open(pid, 0);
        int status;

        if (pidfd >= 0 && !ends_in_time(pidfd))
                (void)kill(pid, SIGKILL);
        while (waitpid(pid, &status, 0) < 0)
                if (errno != EINTR)
                        return -errno;
        return WIFEXITED(status) ? WEXITSTATUS(status) : -ETIMEDOUT;
}

int program_run(const char *const *words) {
        pid_t pid;
        int r;

        r = posix_spawnp(&pid, words[0], NULL, NULL, (char *const *)(uintptr_t)words, environ);
        return r != 0 ? -r : wait_for(pid);
}
