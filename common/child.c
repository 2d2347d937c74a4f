/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* posix_spawn() and waitpid(). */

#include <fcntl.h>
#include <signal.h>
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

static int connect_streams(posix_spawn_file_actions_t *actions, const struct child_streams *streams) {
        int r;

        r = connect_stream(actions, STDIN_FILENO, streams->input);
        if (r == 0)
                r = connect_stream(actions, STDOUT_FILENO, streams->output);
        return r == 0 ? connect_stream(actions, STDERR_FILENO, streams->error) : r;
}

/* A program that reads its signals from a descriptor blocks them; its children are to get them. */
static int block_no_signal(posix_spawnattr_t *attributes) {
        sigset_t none;
        int r;

        (void)sigemptyset(&none);
        r = posix_spawnattr_setsigmask(attributes, &none);
        return r == 0 ? posix_spawnattr_setflags(attributes, POSIX_SPAWN_SETSIGMASK) : r;
}

int child_spawn_file(const char *file, const char *const *arguments, const struct child_streams *streams,
        char *const *environment, pid_t *ret_pid) {
        posix_spawn_file_actions_t actions;
        posix_spawnattr_t attributes;
        int r;

        r = posix_spawn_file_actions_init(&actions);
        if (r != 0)
                return -r;
        r = posix_spawnattr_init(&attributes);
        if (r == 0) {
                r = connect_streams(&actions, streams);
                if (r == 0)
                        r = block_no_signal(&attributes);
                if (r == 0)
                        r = posix_spawnp(ret_pid, file, &actions, &attributes,
                                (char *const *)(uintptr_t)arguments, environment ? environment : environ);
                (void)posix_spawnattr_destroy(&attributes);
        }
        (void)posix_spawn_file_actions_destroy(&actions);
        return -r;
}

int child_spawn(const char *const *arguments, const struct child_streams *streams, char *const *environment,
        pid_t *ret_pid) {
        return child_spawn_file(arguments[0], arguments, streams, environment, ret_pid);
}

int child_wait(pid_t pid, int *ret_status) {
        while (waitpid(pid, ret_status, 0) < 0)
                if (errno != EINTR)
                        return -errno;
        return 0;
}

/* A file of its own: the program may print more than a pipe holds, and it is read when the program has ended.
 */
int child_read(const char *const *arguments, const struct child_streams *streams, int *ret_status,
        FILE **ret_output) {
        struct child_streams connected = *streams;
        _cleanup_fclose_ FILE *output = tmpfile();
        pid_t pid;
        int r;

        if (!output)
                return -errno;
        connected.output = fileno(output);
        r = child_spawn(arguments, &connected, NULL, &pid);
        if (r >= 0)
                r = child_wait(pid, ret_status);
        if (r < 0)
                return r;
        rewind(output);
        *ret_output = output;
        output = NULL;
        return 0;
}
