/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Empty files, 0600: a student who could open one could hold its lock for ever. */

#include <fcntl.h>
#include <sys/stat.h>

#include "slots.h"

static int make_slot(unsigned i) {
        _cleanup_close_ int fd = -1;
        char path[64];

        (void)snprintf(path, sizeof(path), SLOT_DIRECTORY "/%u", i);
        fd = open(path, O_RDONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
        return fd < 0 ? -errno : 0;
}

int slots_prepare(void) {
        int r = 0;

        if (mkdir(SLOT_DIRECTORY, 0700) < 0 && errno != EEXIST)
                return -errno;
        for (unsigned i = 0; i < SLOTS && r >= 0; i++)
                r = make_slot(i);
        return r;
}
