/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Network namespaces for session.c. Container tools join an instance only from inside its namespace, so the
 * process that opens the session joins the namespace before it starts the user's shell.
 */

#include <dirent.h>
#include <fcntl.h>
#include <sched.h>
#include <sys/stat.h>

#include "join.h"
#include "seat-namespace.h"

/*
 * Programs that have several threads, for example because GLib starts one for its connection to the bus, and
 * whose session still runs in the thread that opens it. LightDM and GDM fork the session from there
 * (session_child_run() in session-child.c, gdm_session_worker_start_session() in gdm-session-worker.c);
 * pkexec calls exec(). Sorted.
 */
static const char *const services_of_one_thread[] = {
        "gdm-autologin",
        "gdm-fingerprint",
        "gdm-password",
        "gdm-smartcard",
        "lightdm",
        "lightdm-autologin",
        "polkit-1",
};

static bool works_in_one_thread(const char *service) {
        for (size_t i = 0; service && i < ELEMENTSOF(services_of_one_thread); i++)
                if (string_equal(service, services_of_one_thread[i]))
                        return true;
        return false;
}

static void closedir_pointer(DIR **directory) {
        if (*directory)
                (void)closedir(*directory);
}

int join_check_threads(const char *service) {
        _cleanup_(closedir_pointer) DIR *directory = NULL;
        const struct dirent *entry;
        unsigned threads = 0;

        if (works_in_one_thread(service))
                return 0;

        directory = opendir("/proc/self/task");
        if (!directory)
                return -errno;

        for (;;) {
                errno = 0;
                entry = readdir(directory);
                if (!entry)
                        break;
                if (entry->d_name[0] != '.')
                        threads++;
        }
        if (errno != 0)
                return -errno;
        return threads == 1 ? 0 : -EBUSY;
}

void origin_done(struct origin *origin) {
        struct stat st;

        if (origin->fd >= 0 && fstat(origin->fd, &st) == 0 && st.st_dev == origin->device &&
                st.st_ino == origin->inode)
                close_pointer(&origin->fd);
        *origin = ORIGIN_NONE;
}

/* Programs replace descriptors 0, 1 and 2 without checking what they are. */
static int move_above_stdio(int *fd) {
        int moved = fcntl(*fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);

        if (moved < 0)
                return -errno;
        close_pointer(fd);
        *fd = moved;
        return 0;
}

static int origin_open(struct origin *ret) {
        _cleanup_close_ int fd = -1;
        struct stat st;
        int r;

        fd = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
        if (fd < 0)
                return -errno;
        r = move_above_stdio(&fd);
        if (r < 0)
                return r;
        if (fstat(fd, &st) < 0)
                return -errno;

        *ret = (struct origin){.fd = fd, .device = st.st_dev, .inode = st.st_ino, .thread = gettid()};
        fd = -1;
        return 0;
}

int join_seat(const char *seat, struct origin *ret, const char **ret_failed) {
        _cleanup_origin_ struct origin origin = ORIGIN_NONE;
        _cleanup_close_ int fd = -1;
        int r;

        r = seat_namespace_open(seat, ret_failed);
        if (r < 0)
                return r;
        fd = r;

        *ret_failed = "cannot be joined";
        r = origin_open(&origin);
        if (r < 0)
                return r;
        if (setns(fd, CLONE_NEWNET) < 0)
                return -errno;

        *ret = origin;
        origin = ORIGIN_NONE;
        return 0;
}

int join_leave(struct origin *origin) {
        struct stat st;
        int r = 0;

        if (origin->fd < 0)
                return 0;

        if (fstat(origin->fd, &st) < 0 || st.st_dev != origin->device || st.st_ino != origin->inode)
                r = -ESTALE;
        else if (origin->thread != gettid())
                r = -EBUSY;
        else if (setns(origin->fd, CLONE_NEWNET) < 0)
                r = -errno;

        origin_done(origin);
        return r;
}
