/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Two commands at the same time each write a whole file, and the later one is right. */

#include <fcntl.h>
#include <sys/stat.h>

#include "exam-file.h"

/* The folder of the exams, which is made if need be. */
static int open_folder(const char *state) {
        _cleanup_close_ int state_fd = -1;
        int fd;

        if (mkdir(state, 0700) < 0 && errno != EEXIST)
                return -errno;
        state_fd = open(state, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (state_fd < 0 || (mkdirat(state_fd, EXAM_DIRECTORY, 0700) < 0 && errno != EEXIST))
                return -errno;
        fd = openat(state_fd, EXAM_DIRECTORY, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        return fd < 0 ? -errno : fd;
}

static int write_new(int folder, const char *name, const char *text) {
        size_t size = strlen(text);
        int fd = openat(folder, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
        FILE *file = fd < 0 ? NULL : fdopen(fd, "we");
        int r = 0;

        if (!file) {
                r = -errno;
                close_pointer(&fd);
                return r;
        }
        if (fwrite(text, 1, size, file) != size || fflush(file) != 0 || fsync(fileno(file)) < 0)
                r = -errno;
        return fclose(file) != 0 && r >= 0 ? -errno : r;
}

int exam_file_write(const char *state, const struct exam *exam) {
        _cleanup_free_ char *text = exam_format(exam);
        _cleanup_close_ int folder = -1;
        char name[32]; /* a dot first, so that what reads the exams skips it */
        int r;

        if (!text)
                return -ENOMEM;
        folder = open_folder(state);
        if (folder < 0)
                return folder;
        (void)snprintf(name, sizeof(name), ".%s.%ld", exam->course, (long)getpid());
        (void)unlinkat(folder, name, 0);
        r = write_new(folder, name, text);
        if (r >= 0 && renameat(folder, name, folder, exam->course) < 0)
                r = -errno;
        if (r < 0) {
                (void)unlinkat(folder, name, 0);
                return r;
        }
        return fsync(folder) < 0 ? -errno : 0;
}

int exam_file_remove(const char *state, const char *course) {
        _cleanup_close_ int folder = open_folder(state);

        if (folder < 0)
                return folder;
        if (unlinkat(folder, course, 0) < 0)
                return errno == ENOENT ? 0 : -errno;
        return fsync(folder) < 0 ? -errno : 1;
}
