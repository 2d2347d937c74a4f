/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The three standard descriptors. The command inherits them, so they are not close-on-exec. Where the file
 * capability is granted, libc has done the same before main(), with /dev/full for the first; elsewhere nobody
 * has.
 */

#include <fcntl.h>

#include "stdio-open.h"
#include "util.h"

int stdio_open(void) {
        for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
                if (fcntl(fd, F_GETFD) >= 0)
                        continue;
                /* The lowest free number: fd, as those below it are open. */
                if (open("/dev/null", O_RDWR | O_NOCTTY) != fd) /* NOLINT: it is to stay open */
                        return -EBADF;
        }
        return 0;
}
