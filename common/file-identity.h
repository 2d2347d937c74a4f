/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Tells whether a file is still the one that was read, without reading it again. The identity has everything
 * that a change of the file or another file in its place would change: device, inode, size, mode, owner, and
 * the times of the last modification and of the last change. A program can set the first time back, and
 * nobody can set the second one.
 *
 * A file system gives the same time to two changes that are close together. So a file that was changed
 * shortly before it was read has no identity that can be relied on, as in the index of git ("racy git").
 */

#include <stdint.h>

#include "util.h"

/*
 * For how long a file must have been left alone when it is read. No file system of Linux has coarser times
 * than FAT, 2 s; usually it is one tick of the kernel, at most 10 ms.
 */
#define FILE_IDENTITY_SETTLED_NSEC INT64_C(3000000000)

/* The empty value is all zero: there was no file. Times are nanoseconds since 1970. */
struct file_identity {
        uint32_t device_major, device_minor;
        uint64_t inode, size;
        uint32_t mode, owner, group;
        int64_t modified_nsec, changed_nsec;
        int64_t read_nsec; /* when the identity was taken */
};

/* Takes the identity of an open file. Call it before you read the file. Negative errno. */
int file_identity_take(int fd, struct file_identity *ret);

/*
 * True if the file at path is the one whose identity was taken, and has not changed since. False also if it
 * had changed so shortly before that the next change could have been overlooked. The empty value is current
 * while there is no file. flags: 0, or AT_SYMLINK_NOFOLLOW if the file was opened with O_NOFOLLOW.
 */
bool file_identity_is_current(const struct file_identity *identity, const char *path, int flags);
