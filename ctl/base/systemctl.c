/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <fcntl.h>

#include "child.h"
#include "systemctl.h"

void unit_names_done(struct unit_names *names) {
        for (size_t i = 0; i < names->n_names; i++)
                free(names->names[i]);
        free(names->names);
        *names = (struct unit_names){0};
}

static int wait_for(pid_t pid) {
        int status, r = child_wait(pid, &status);

        if (r < 0)
                return r;
        return WIFEXITED(status) ? WEXITSTATUS(status) : -EIO;
}

int systemctl_run(const char *const *arguments) {
        static const struct child_streams nowhere = {CHILD_NULL, CHILD_NULL, CHILD_NULL};
        pid_t pid;
        int r = child_spawn(arguments, &nowhere, NULL, &pid);

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
        struct child_streams streams = {CHILD_NULL, CHILD_NULL, CHILD_NULL};
        int ends[2], r, status;
        pid_t pid;

        if (pipe2(ends, O_CLOEXEC) < 0)
                return -errno;
        streams.output = ends[1];
        r = child_spawn(arguments, &streams, NULL, &pid);
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
