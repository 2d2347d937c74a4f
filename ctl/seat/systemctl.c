/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <fcntl.h>
#include <spawn.h>
#include <stdint.h>

#include "child.h"
#include "systemctl.h"

#define NOWHERE "/dev/null"

void unit_names_done(struct unit_names *names) {
        for (size_t i = 0; i < names->n_names; i++)
                free(names->names[i]);
        free(names->names);
        *names = (struct unit_names){0};
}

/* output: -1, or where its standard output goes. */
static int start(const char *const *arguments, int output, pid_t *ret_pid) {
        posix_spawn_file_actions_t actions;
        int r;

        r = posix_spawn_file_actions_init(&actions);
        if (r != 0)
                return -r;
        r = posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, NOWHERE, O_RDONLY, 0);
        if (r == 0)
                r = output < 0
                            ? posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, NOWHERE, O_WRONLY, 0)
                            : posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO);
        if (r == 0)
                r = posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, NOWHERE, O_WRONLY, 0);
        if (r == 0)
                r = posix_spawnp(
                        ret_pid, arguments[0], &actions, NULL, (char *const *)(uintptr_t)arguments, environ);
        (void)posix_spawn_file_actions_destroy(&actions);
        return -r;
}

static int wait_for(pid_t pid) {
        int status, r = child_wait(pid, &status);

        if (r < 0)
                return r;
        return WIFEXITED(status) ? WEXITSTATUS(status) : -EIO;
}

int systemctl_run(const char *const *arguments) {
        pid_t pid;
        int r = start(arguments, -1, &pid);

        return r < 0 ? r : wait_for(pid);
}

static int append(struct unit_names *names, const char *name, size_t length) {
        char **array = reallocarray(names->names, names->n_names + 1, sizeof(*array));

        if (!array)
                return -ENOMEM;
        names->names = array;
        array[names->n_names] = strndup(name, length);
        if (!array[names->n_names])
                return -ENOMEM;
        names->n_names++;
        return 0;
}

/* Takes fd. */
static int read_names(int fd, struct unit_names *names) {
        _cleanup_free_ char *line = NULL;
        FILE *file = fdopen(fd, "re");
        size_t size = 0;
        int r = 0;

        if (!file) {
                (void)close(fd);
                return -ENOMEM;
        }
        while (r >= 0 && getline(&line, &size, file) >= 0) {
                size_t length = strcspn(line, " \n");

                if (length > 0)
                        r = append(names, line, length);
        }
        (void)fclose(file);
        return r;
}

int systemctl_list(const char *const *arguments, struct unit_names *ret) {
        _cleanup_unit_names_ struct unit_names names = {0};
        int ends[2], r, status;
        pid_t pid;

        if (pipe2(ends, O_CLOEXEC) < 0)
                return -errno;
        r = start(arguments, ends[1], &pid);
        (void)close(ends[1]);
        if (r < 0) {
                (void)close(ends[0]);
                return r;
        }
        r = read_names(ends[0], &names);
        status = wait_for(pid);
        if (r < 0 || status != 0)
                return r < 0 ? r : status;
        *ret = names;
        names = (struct unit_names){0};
        return 0;
}
