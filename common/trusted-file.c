/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The only way in which coursenet reads a configuration file. */

#include <fcntl.h>
#include <sys/stat.h>

#include "trusted-file.h"

static int check_owner_and_kind(int fd, off_t *ret_size, const char **ret_reason) {
        struct stat st;

        if (fstat(fd, &st) < 0)
                return -errno;

        if (!S_ISREG(st.st_mode)) {
                *ret_reason = "it must be a regular file";
                return -EINVAL;
        }
        if (st.st_uid != 0) {
                *ret_reason = "it must be owned by root (chown root)";
                return -EPERM;
        }
        if (st.st_mode & (S_IWGRP | S_IWOTH)) {
                *ret_reason = "group and others may not write to it (chmod go-w)";
                return -EPERM;
        }
        if (st.st_size > (off_t)TRUSTED_FILE_SIZE_MAX) {
                *ret_reason = "it is larger than 1 MiB";
                return -EFBIG;
        }

        *ret_size = st.st_size;
        return 0;
}

/* Reads until end of file, so that a file that grows meanwhile is noticed rather than cut. */
static ssize_t read_all(int fd, char *buffer, size_t size) {
        size_t n = 0;

        while (n < size) {
                ssize_t k = read(fd, buffer + n, size - n);

                if (k < 0 && errno == EINTR)
                        continue;
                if (k < 0)
                        return -errno;
                if (k == 0)
                        break;
                n += (size_t)k;
        }
        return (ssize_t)n;
}

int trusted_file_read_identified(
        const char *path, char **ret_text, const char **ret_reason, struct file_identity *ret_identity) {
        _cleanup_free_ char *text = NULL;
        struct file_identity identity;
        _cleanup_close_ int fd = -1;
        off_t size = 0;
        ssize_t n;
        int r;

        *ret_reason = "it cannot be read";

        /* O_NONBLOCK: opening a FIFO somebody put there must not hang. */
        fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
        if (fd < 0) {
                r = -errno;
                if (r == -ELOOP)
                        *ret_reason = "it must be a regular file, not a symbolic link";
                else if (r == -ENXIO)
                        *ret_reason = "it must be a regular file, not a socket";
                else if (r == -ENOENT)
                        *ret_reason = "there is no such file";
                else if (r == -EACCES)
                        *ret_reason = "you may not read it (try as root)";
                else
                        *ret_reason = strerrordesc_np(-r);
                return r;
        }

        r = file_identity_take(fd, &identity);
        if (r >= 0)
                r = check_owner_and_kind(fd, &size, ret_reason);
        if (r < 0)
                return r;

        text = malloc((size_t)size + 2);
        n = text ? read_all(fd, text, (size_t)size + 1) : -ENOMEM;
        if (n < 0) {
                *ret_reason = strerrordesc_np((int)-n);
                return (int)n;
        }
        if (n > size) {
                *ret_reason = "it changed while it was read (try again)";
                return -EAGAIN;
        }
        text[n] = '\0';
        if (memchr(text, '\0', (size_t)n)) {
                *ret_reason = "it holds NUL bytes, so it is not a text file";
                return -EINVAL;
        }

        *ret_text = text;
        text = NULL;
        *ret_identity = identity;
        return 0;
}

int trusted_file_read(const char *path, char **ret_text, const char **ret_reason) {
        struct file_identity ignored;

        return trusted_file_read_identified(path, ret_text, ret_reason, &ignored);
}
