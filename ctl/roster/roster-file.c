/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Locks the rosters and replaces one. Called by the roster commands only. */

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "roster-file.h"
#include "roster.h"
#include "trusted-file.h"

void roster_lock_done(struct roster_lock *lock) {
        close_pointer(&lock->directory);
        close_pointer(&lock->fd);
        free(lock->path);
        lock->path = NULL;
}

/* Creates a folder with this mode, whatever the umask is. */
static int make_directory(const char *path, mode_t mode) {
        if (mkdir(path, mode) < 0)
                return errno == EEXIST ? 0 : -errno;
        return chmod(path, mode) < 0 ? -errno : 0;
}

/*
 * Only root and staff may know who is in a course and how many there are, and the size of a file would show
 * that. So a folder that is open to others is closed. The rights of its group stay.
 */
static int close_to_others(int directory) {
        struct stat st;

        if (fstat(directory, &st) < 0)
                return -errno;
        if (!(st.st_mode & S_IRWXO))
                return 0;
        return fchmod(directory, st.st_mode & 07777 & ~(mode_t)S_IRWXO) < 0 ? -errno : 0;
}

/* The lock file is root's alone, because another user who could take the lock could keep it. */
static int open_lock_file(int directory) {
        int fd = openat(directory, ".lock", O_RDONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);

        return fd < 0 ? -errno : fd;
}

static int lock_exclusively(int fd) {
        while (flock(fd, LOCK_EX) < 0)
                if (errno != EINTR)
                        return -errno;
        return 0;
}

int roster_lock_take(const char *etc, struct roster_lock *ret, const char **ret_reason) {
        _cleanup_roster_lock_ struct roster_lock lock = ROSTER_LOCK_EMPTY;
        int r;

        *ret_reason = "out of memory";
        if (asprintf(&lock.path, "%s/" ROSTER_DIRECTORY, etc) < 0) {
                lock.path = NULL;
                return -ENOMEM;
        }

        *ret_reason = "cannot make the folder of the rosters";
        r = make_directory(etc, 0755);
        if (r >= 0)
                r = make_directory(lock.path, 0700);
        if (r < 0)
                return r;

        *ret_reason = "cannot lock the folder of the rosters";
        lock.directory = open(lock.path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
        if (lock.directory < 0)
                return -errno;
        r = close_to_others(lock.directory);
        if (r < 0)
                return r;
        lock.fd = open_lock_file(lock.directory);
        if (lock.fd < 0)
                return lock.fd;
        r = lock_exclusively(lock.fd);
        if (r < 0)
                return r;

        *ret = lock;
        lock = ROSTER_LOCK_EMPTY;
        return 0;
}

static int write_all(int fd, const char *text, size_t size) {
        while (size > 0) {
                ssize_t n = write(fd, text, size);

                if (n < 0 && errno == EINTR)
                        continue;
                if (n < 0)
                        return -errno;
                text += n;
                size -= (size_t)n;
        }
        return 0;
}

/* A new file with the text, which is on the disk before it is renamed. */
static int write_new(int directory, const char *name, const char *text) {
        _cleanup_close_ int fd = -1;
        int r;

        /* A file of this name is left from a crash, because we hold the lock. */
        if (unlinkat(directory, name, 0) < 0 && errno != ENOENT)
                return -errno;
        fd = openat(directory, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
        if (fd < 0)
                return -errno;

        r = write_all(fd, text, strlen(text));
        if (r < 0)
                return r;
        return fsync(fd) < 0 ? -errno : 0;
}

int roster_file_write(
        const struct roster_lock *lock, const char *course, const char *text, const char **ret_reason) {
        char name[32]; /* a dot first, so that what reads all rosters skips it */
        int r;

        *ret_reason = "the roster would be larger than 1 MiB";
        if (strlen(text) > TRUSTED_FILE_SIZE_MAX)
                return -EFBIG;

        *ret_reason = "cannot be written";
        (void)snprintf(name, sizeof(name), ".%s.new", course);
        r = write_new(lock->directory, name, text);
        if (r >= 0 && renameat(lock->directory, name, lock->directory, course) < 0)
                r = -errno;
        if (r < 0) {
                (void)unlinkat(lock->directory, name, 0);
                return r;
        }

        *ret_reason = "is written, but may be lost if the machine goes down now";
        return fsync(lock->directory) < 0 ? -errno : 0;
}
