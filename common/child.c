/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* posix_spawn() and waitpid(). */

#include <fcntl.h>
#include <spawn.h>
#include <stdint.h>

#include "child.h"

static int connect_stream(posix_spawn_file_actions_t *actions, int target, int source) {
        switch (source) {
        case CHILD_INHERIT:
                return 0;
        case CHILD_NULL:
                return posix_spawn_file_actions_addopen(
                        actions, target, "/dev/null", target == STDIN_FILENO ? O_RDONLY : O_WRONLY, 0);
        default:
                return posix_spawn_file_actions_adddup2(actions, source, target);
        }
}

int child_spawn(const char *const *arguments, const struct child_streams *streams, char *const *environment,
        pid_t *ret_pid) {
        posix_spawn_file_actions_t actions;
        int r;

        r = posix_spawn_file_actions_init(&actions);
        if (r != 0)
                return -r;
        r = connect_stream(&actions, STDIN_FILENO, streams->input);
        if (r == 0)
                r = connect_stream(&actions, STDOUT_FILENO, streams->output);
        if (r == 0)
                r = connect_stream(&actions, STDERR_FILENO, streams->error);
        if (r == 0)
                r = posix_spawnp(ret_pid, arguments[0], &actions, NULL, (char *const *)(uintptr_t)arguments,
                        environment ? environment : environ);
        (void)posix_spawn_file_actions_destroy(&actions);
        return -r;
}

int child_wait(pid_t pid, int *ret_status) {
        while (waitpid(pid, ret_status, 0) < 0)
                if (errno != EINTR)
                        return -errno;
        return 0;
}
