/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * A receipt is written in place. If the worker is killed meanwhile, the file has no text or a part of one,
 * and neither is equal to what a start expects.
 */

#include <fcntl.h>

#include "base/runtime-file.h"
#include "number.h"
#include "receipt.h"

#define BRIDGE_LOCK_FILE RUN_DIRECTORY "/bridges.lock"
#define NETNS_LOCK_FILE RUN_DIRECTORY "/namespaces.lock"
#define CABLE_LOCK_FILE RUN_DIRECTORY "/cables.lock"

typedef char receipt_path_t[sizeof(PREPARED_DIRECTORY "/netns@") + SEAT_ID_SIZE];

static const char *const heads[] = {
        [RECEIPT_BRIDGE] = "netbr@",
        [RECEIPT_NETNS] = "netns@",
        [RECEIPT_CABLE] = "nsbr@",
};

static void format_path(enum receipt_kind kind, const char *id, receipt_path_t ret_path) {
        (void)snprintf(ret_path, sizeof(receipt_path_t), PREPARED_DIRECTORY "/%s%s", heads[kind], id);
}

int receipt_lock(enum receipt_kind kind, const char *id, bool wait, int *ret_fd) {
        static const char *const files[] = {
                [RECEIPT_BRIDGE] = BRIDGE_LOCK_FILE,
                [RECEIPT_NETNS] = NETNS_LOCK_FILE,
                [RECEIPT_CABLE] = CABLE_LOCK_FILE,
        };
        int r = runtime_lock_take_number(files[kind], strtoull(id, NULL, 10), wait, ret_fd);

        return r == -EWOULDBLOCK ? -EBUSY : r;
}

static int write_text(enum receipt_kind kind, const char *id, int flags, const char *text) {
        _cleanup_close_ int fd = -1;
        size_t length = strlen(text);
        receipt_path_t path;
        ssize_t n;

        format_path(kind, id, path);
        fd = open(path, O_WRONLY | O_TRUNC | O_NOFOLLOW | O_CLOEXEC | flags, 0600);
        if (fd < 0)
                return -errno;
        n = write(fd, text, length);
        if (n < 0)
                return -errno;
        return (size_t)n == length ? 0 : -EIO;
}

int receipt_begin(enum receipt_kind kind, const char *id) {
        int r = runtime_directory_make(PREPARED_DIRECTORY, 0700);

        return r < 0 ? r : write_text(kind, id, O_CREAT, "");
}

int receipt_complete(enum receipt_kind kind, const char *id, const char *text) {
        return write_text(kind, id, 0, text);
}

bool receipt_exists(enum receipt_kind kind, const char *id) {
        receipt_path_t path;

        format_path(kind, id, path);
        return access(path, F_OK) >= 0;
}

bool receipt_says(enum receipt_kind kind, const char *id, const char *text) {
        _cleanup_free_ char *written = NULL;
        receipt_path_t path;

        format_path(kind, id, path);
        return text[0] && runtime_file_read(path, &written) >= 0 && string_equal(written, text);
}

void receipt_remove(enum receipt_kind kind, const char *id) {
        receipt_path_t path;

        format_path(kind, id, path);
        (void)unlink(path);
}

const char *receipt_course(const char *name) {
        const char *course = name + strlen(heads[RECEIPT_BRIDGE]);

        return string_starts_with(name, heads[RECEIPT_BRIDGE]) && digits_only(course) &&
                               strlen(course) < COURSE_SIZE
                       ? course
                       : NULL;
}
