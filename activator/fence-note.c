/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Files in a tmpfs that only root can list. They are gone with the next boot, as the processes are. */

#include <fcntl.h>
#include <sys/stat.h>

#include "fence-note.h"
#include "manager.h"

#define UID_MIN 1000U

static int make_note(const char *path) {
        int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);

        if (fd < 0)
                return errno == EEXIST ? 0 : -errno;
        (void)close(fd);
        return 0;
}

void fence_note(const char *directory, uid_t uid) {
        char path[128];
        int r;

        if (uid < UID_MIN || uid == (uid_t)-1)
                return;
        (void)snprintf(path, sizeof(path), "%s/%u", directory, (unsigned)uid);
        r = make_note(path);
        if (r == -ENOENT) {
                (void)mkdir(directory, 0700);
                r = make_note(path);
        }
        if (r < 0)
                log_warning("Cannot note user %u for the fence in %s: %s", (unsigned)uid, directory,
                        strerror(-r));
}
