/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Who has read a configuration file asks here whether to read it again. */

#include <fcntl.h>
#include <sys/stat.h>
#include <time.h>

#include "file-identity.h"

#define NSEC_PER_SEC INT64_C(1000000000)

static int64_t timestamp_nsec(const struct statx_timestamp *time) {
        return time->tv_sec * NSEC_PER_SEC + time->tv_nsec;
}

static int64_t now_nsec(void) {
        struct timespec now;

        (void)clock_gettime(CLOCK_REALTIME, &now);
        return now.tv_sec * NSEC_PER_SEC + now.tv_nsec;
}

/* A file system of another machine is asked, because the kernel's copy of the attributes may be old. */
static int take(int fd, const char *path, int flags, struct file_identity *ret) {
        int64_t now = now_nsec();
        struct statx st;

        if (statx(fd, path, flags | AT_STATX_FORCE_SYNC, STATX_BASIC_STATS, &st) < 0)
                return -errno;
        *ret = (struct file_identity){
                .device_major = st.stx_dev_major,
                .device_minor = st.stx_dev_minor,
                .inode = st.stx_ino,
                .size = st.stx_size,
                .mode = st.stx_mode,
                .owner = st.stx_uid,
                .group = st.stx_gid,
                .modified_nsec = timestamp_nsec(&st.stx_mtime),
                .changed_nsec = timestamp_nsec(&st.stx_ctime),
                .read_nsec = now,
        };
        return 0;
}

int file_identity_take(int fd, struct file_identity *ret) {
        return take(fd, "", AT_EMPTY_PATH, ret);
}

bool file_identity_is_current(const struct file_identity *identity, const char *path, int flags) {
        struct file_identity now;
        int r;

        if (identity->changed_nsec + FILE_IDENTITY_SETTLED_NSEC > identity->read_nsec && identity->inode != 0)
                return false;
        r = take(AT_FDCWD, path, flags, &now);
        if (r < 0 || identity->inode == 0)
                return r == -ENOENT && identity->inode == 0;
        return now.device_major == identity->device_major && now.device_minor == identity->device_minor &&
               now.inode == identity->inode && now.size == identity->size && now.mode == identity->mode &&
               now.owner == identity->owner && now.group == identity->group &&
               now.modified_nsec == identity->modified_nsec && now.changed_nsec == identity->changed_nsec;
}
