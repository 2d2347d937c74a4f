/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Runs as root, before the start itself, which runs as the student, so that a student can change nothing that
 * is read here or waited for. All waiting programs queue for a lock on the directory. The one that has the
 * lock waits for a free slot; there is one after SLOT_SECONDS at the latest.
 */

#include <dirent.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "queue.h"
#include "util.h"

#define POLL_NSEC 50000000L

static bool is_over(const struct stat *st, const struct timespec *now) {
        time_t age = now->tv_sec - st->st_mtim.tv_sec;

        /* A slot from the future is expired, so that no slot lasts longer when the clock is set back. */
        return age < 0 || age >= SLOT_SECONDS;
}

/* Counts the slots of other ids, and removes expired ones. */
static int count_slots(int directory_fd, const char *id, const struct timespec *now, unsigned *ret) {
        const struct dirent *entry;
        unsigned n = 0;
        struct stat st;
        DIR *directory;
        int fd;

        fd = openat(directory_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        directory = fd < 0 ? NULL : fdopendir(fd);
        if (!directory)
                return -errno;
        while ((entry = readdir(directory))) {
                if (entry->d_name[0] == '.' || string_equal(entry->d_name, id) ||
                        fstatat(directory_fd, entry->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0)
                        continue;
                if (is_over(&st, now))
                        (void)unlinkat(directory_fd, entry->d_name, 0);
                else
                        n++;
        }
        (void)closedir(directory);
        *ret = n;
        return 0;
}

int queue_try(int directory_fd, const char *id, const struct timespec *now) {
        const struct timespec times[2] = {*now, *now};
        _cleanup_close_ int fd = -1;
        unsigned n = 0;
        int r;

        r = count_slots(directory_fd, id, now, &n);
        if (r < 0)
                return r;
        if (n >= SLOTS)
                return 0;
        fd = openat(directory_fd, id, O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
        return fd < 0 || futimens(fd, times) < 0 ? -errno : 1;
}

static int lock(int fd) {
        while (flock(fd, LOCK_EX) < 0)
                if (errno != EINTR)
                        return -errno;
        return 0;
}

int queue_wait(const char *directory, const char *id) {
        static const struct timespec pause = {.tv_nsec = POLL_NSEC};
        _cleanup_close_ int fd = -1;
        struct timespec now;
        int r;

        if (id[0] == '\0' || id[0] == '.' || strchr(id, '/'))
                return -EINVAL;
        if (mkdir(directory, 0700) < 0 && errno != EEXIST)
                return -errno;
        fd = open(directory, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (fd < 0)
                return -errno;
        r = lock(fd);
        while (r == 0) {
                if (clock_gettime(CLOCK_REALTIME, &now) < 0)
                        return -errno;
                r = queue_try(fd, id, &now);
                if (r == 0)
                        (void)nanosleep(&pause, NULL);
        }
        return r < 0 ? r : 0;
}
