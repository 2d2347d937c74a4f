/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Waiting for a child process, however long it takes. */

#include <sys/wait.h>

#include "util.h"

/* *ret_status is as waitpid(2) has it. Negative errno. */
static inline int child_wait(pid_t pid, int *ret_status) {
        while (waitpid(pid, ret_status, 0) < 0)
                if (errno != EINTR)
                        return -errno;
        return 0;
}
