/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* One for the whole process, as /proc is. */

#include <fcntl.h>
#include <sys/mount.h>

#include "procfs.h"
#include "util.h"

/* A comparison takes a microsecond of processor time, and an instance, to make and close it, 130. */
#define USES_MAX 64U

static int root_fd = -1;
static unsigned n_uses;

static int make_instance(void) {
        _cleanup_close_ int context_fd = fsopen("proc", FSOPEN_CLOEXEC);

        if (context_fd < 0 || fsconfig(context_fd, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
                return -errno;
        return fsmount(context_fd, FSMOUNT_CLOEXEC, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC);
}

void procfs_renew(void) {
        int fd;

        if (root_fd >= 0 && n_uses < USES_MAX)
                return;
        fd = make_instance();
        if (fd < 0)
                return;
        close_pointer(&root_fd);
        root_fd = fd;
        n_uses = 0;
}

int procfs_open(const char *path, int flags) {
        _cleanup_close_ int proc_fd = -1;
        int fd;

        if (root_fd < 0)
                proc_fd = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC);
        else
                n_uses++;
        fd = openat(root_fd < 0 ? proc_fd : root_fd, path, flags | O_CLOEXEC | O_NOCTTY);
        return fd < 0 ? -errno : fd;
}
