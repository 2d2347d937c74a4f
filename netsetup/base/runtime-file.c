/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Writes a new file beside the old one and renames it. Its name begins with a dot while it is unfinished:
 * programs that watch the directory, such as dnsmasq, ignore such names.
 */

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "runtime-file.h"

typedef char runtime_path_t[256];

int runtime_directory_make(const char *path, mode_t mode) {
        return mkdir(path, mode) < 0 && errno != EEXIST ? -errno : 0;
}

int runtime_file_read(const char *path, char **ret_text) {
        _cleanup_fclose_ FILE *file = fopen(path, "re");
        size_t size = 0;

        if (!file)
                return -errno;
        *ret_text = NULL;
        /* The text has no NUL, so string length is the size of the file. */
        if (getdelim(ret_text, &size, '\0', file) >= 0)
                return 0;
        free(*ret_text);
        *ret_text = ferror(file) ? NULL : strdup("");
        return *ret_text ? 0 : -EIO;
}

static bool has_text(const char *path, const char *text) {
        _cleanup_free_ char *old = NULL;

        return runtime_file_read(path, &old) >= 0 && string_equal(old, text);
}

static int write_all(int fd, const char *text) {
        size_t length = strlen(text);

        while (length > 0) {
                ssize_t n = write(fd, text, length);

                if (n < 0 && errno != EINTR)
                        return -errno;
                if (n > 0) {
                        text += n;
                        length -= (size_t)n;
                }
        }
        return 0;
}

static int write_new(const char *path, const char *text, mode_t mode) {
        _cleanup_close_ int fd = -1;

        (void)unlink(path);
        fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
        /* The mode must not depend on the umask. */
        if (fd < 0 || fchmod(fd, mode) < 0)
                return -errno;
        return write_all(fd, text);
}

static int format_temporary(const char *path, runtime_path_t ret_path) {
        const char *name = strrchr(path, '/') + 1;
        int n = snprintf(ret_path, sizeof(runtime_path_t), "%.*s.%s.new", (int)(name - path), path, name);

        return n < 0 || (size_t)n >= sizeof(runtime_path_t) ? -ENAMETOOLONG : 0;
}

int runtime_file_write(const char *path, const char *text, mode_t mode) {
        runtime_path_t temporary;
        int r;

        r = format_temporary(path, temporary);
        if (r < 0)
                return r;
        if (has_text(path, text)) {
                /* A process that was killed may have left it. */
                (void)unlink(temporary);
                return 0;
        }
        r = write_new(temporary, text, mode);
        if (r >= 0 && rename(temporary, path) < 0)
                r = -errno;
        if (r < 0)
                (void)unlink(temporary);
        return r < 0 ? r : 1;
}

void runtime_file_remove(const char *path) {
        runtime_path_t temporary;

        (void)unlink(path);
        if (format_temporary(path, temporary) >= 0)
                (void)unlink(temporary);
}

/* --- locks, which end with the process that has them --------------------------------------------------- */

static int open_lock(const char *path) {
        int fd;

        if (mkdir(RUN_DIRECTORY, 0755) < 0 && errno != EEXIST)
                return -errno;
        fd = open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
        return fd < 0 ? -errno : fd;
}

static int take_lock(const char *path, int operation, int *ret_fd) {
        _cleanup_close_ int fd = open_lock(path);

        if (fd < 0)
                return fd;
        while (flock(fd, operation) < 0)
                if (errno != EINTR)
                        return -errno;

        *ret_fd = fd;
        fd = -1;
        return 0;
}

int runtime_lock_take(const char *path, int *ret_fd) {
        return take_lock(path, LOCK_EX, ret_fd);
}

int runtime_lock_take_shared(const char *path, int *ret_fd) {
        return take_lock(path, LOCK_SH, ret_fd);
}

int runtime_lock_try(const char *path, int *ret_fd) {
        return take_lock(path, LOCK_EX | LOCK_NB, ret_fd);
}

int runtime_lock_take_number(const char *path, uint64_t number, bool wait, int *ret_fd) {
        struct flock one = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = (off_t)number, .l_len = 1};
        _cleanup_close_ int fd = open_lock(path);

        if (fd < 0)
                return fd;
        while (fcntl(fd, wait ? F_OFD_SETLKW : F_OFD_SETLK, &one) < 0)
                if (errno != EINTR)
                        return errno == EAGAIN ? -EWOULDBLOCK : -errno;

        *ret_fd = fd;
        fd = -1;
        return 0;
}
