/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Values are single lines; the kernel decides what a text means. */

#include <fcntl.h>
#include <limits.h>

#include "sysctl.h"
#include "util.h"

static int open_setting(const char *root, const char *path, int flags) {
        char full[PATH_MAX];
        int length, fd;

        length = snprintf(full, sizeof(full), "%s/%s", root, path);
        if (length < 0 || (size_t)length >= sizeof(full))
                return -ENAMETOOLONG;
        fd = open(full, flags | O_CLOEXEC | O_NOCTTY);
        return fd < 0 ? -errno : fd;
}

int sysctl_read(const char *root, const char *path, char *ret_text, size_t size) {
        _cleanup_close_ int fd = -1;
        _cleanup_free_ char *text = NULL;
        ssize_t length;

        fd = open_setting(root, path, O_RDONLY);
        if (fd < 0)
                return fd;
        text = malloc(size + 1);
        if (!text)
                return -ENOMEM;
        /* The kernel hands a setting over whole; one byte more tells whether there is more. */
        length = read(fd, text, size + 1);
        if (length < 0)
                return -errno;

        if (length > 0 && text[length - 1] == '\n')
                length--;
        if ((size_t)length >= size)
                return -EMSGSIZE;
        memcpy(ret_text, text, (size_t)length);
        ret_text[length] = '\0';
        return 0;
}

int sysctl_write(const char *root, const char *path, const char *text) {
        _cleanup_close_ int fd = -1;
        size_t length = strlen(text);
        ssize_t n;

        fd = open_setting(root, path, O_WRONLY | O_TRUNC);
        if (fd < 0)
                return fd;
        /* In one write, because the kernel takes each write as a value. */
        n = write(fd, text, length);
        if (n < 0)
                return -errno;
        return (size_t)n == length ? 0 : -EIO;
}
