/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* posix_spawn() and a pidfd: the end of a child is waited for with a limit. */

#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdint.h>
#include <sys/pidfd.h>
#include <sys/wait.h>

#include "program.h"

#define PATIENCE_MS 5000

static int wait_for(pid_t pid) {
        _cleanup_close_ int pidfd = pidfd_open(pid, 0);
        struct pollfd pollfd = {.fd = pidfd, .events = POLLIN};
        int status;

        if (pidfd >= 0 && poll(&pollfd, 1, PATIENCE_MS) == 0)
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
