/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Two commands at the same time each write a whole file, and the later one is right. */

#include <dirent.h>
#include <fcntl.h>
#include <sys/file.h>
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

static void make_name(const char *course, const char *suffix, char ret[static EXAM_FILE_SIZE]) {
        (void)snprintf(ret, EXAM_FILE_SIZE, "%s%s", course, suffix);
}

static int replace(int folder, const char *file, const char *text) {
        char name[48]; /* a dot first, so that what reads the exams skips it */
        int r;

        (void)snprintf(name, sizeof(name), ".%s.%ld", file, (long)getpid());
        (void)unlinkat(folder, name, 0);
        r = write_new(folder, name, text);
        if (r >= 0 && renameat(folder, name, folder, file) < 0)
                r = -errno;
        if (r < 0) {
                (void)unlinkat(folder, name, 0);
                return r;
        }
        return fsync(folder) < 0 ? -errno : 0;
}

static bool has_text(int folder, const char *file, const char *text) {
        int fd = openat(folder, file, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
        size_t size = strlen(text), n = 0;
        char *found = fd < 0 ? NULL : malloc(size + 1);
        ssize_t r = 1;
        bool same;

        while (found && r > 0 && n <= size)
                if ((r = read(fd, found + n, size + 1 - n)) > 0)
                        n += (size_t)r;
        same = found && r == 0 && n == size && memcmp(found, text, size) == 0;
        free(found);
        close_pointer(&fd);
        return same;
}

/* touches: a file that has this text already is not replaced. */
static int write_exam(const char *state, const struct exam *exam, const char *suffix, bool touches) {
        _cleanup_free_ char *text = exam_format(exam);
        _cleanup_close_ int folder = -1;
        char file[EXAM_FILE_SIZE];

        if (!text)
                return -ENOMEM;
        folder = open_folder(state);
        if (folder < 0)
                return folder;
        make_name(exam->course, suffix, file);
        if (!touches || !has_text(folder, file, text))
                return replace(folder, file, text);
        /* The watch waits by a clock that nobody sets. Now it reads the other one. */
        return utimensat(folder, file, NULL, 0) < 0 ? -errno : 0;
}

int exam_file_write(const char *state, const struct exam *exam, const char *suffix) {
        return write_exam(state, exam, suffix, false);
}

int exam_file_update(const char *state, const struct exam *exam) {
        return write_exam(state, exam, EXAM_SCHEDULED, true);
}

int exam_file_write_text(const char *state, const char *course, const char *suffix, const char *text) {
        _cleanup_close_ int folder = open_folder(state);
        char file[EXAM_FILE_SIZE];

        if (folder < 0)
                return folder;
        make_name(course, suffix, file);
        return replace(folder, file, text);
}

int exam_file_lock(const char *state, bool waits, int *ret_fd) {
        _cleanup_close_ int folder = open_folder(state);
        int r;

        if (folder < 0)
                return folder;
        do
                r = flock(folder, waits ? LOCK_EX : LOCK_EX | LOCK_NB) < 0 ? -errno : 0;
        while (r == -EINTR);
        if (r < 0)
                return r;
        *ret_fd = folder;
        folder = -1;
        return 0;
}

int exam_file_remove(const char *state, const char *course, const char *suffix) {
        _cleanup_close_ int folder = open_folder(state);
        char file[EXAM_FILE_SIZE];

        if (folder < 0)
                return folder;
        make_name(course, suffix, file);
        if (unlinkat(folder, file, 0) < 0)
                return errno == ENOENT ? 0 : -errno;
        return fsync(folder) < 0 ? -errno : 1;
}

int exam_file_each(const char *state, const char *suffix, int (*callback)(void *userdata, const char *course),
        void *userdata) {
        char folder[256], course[COURSE_SIZE];
        DIR *directory;
        int r = 0;

        (void)snprintf(folder, sizeof(folder), "%s/" EXAM_DIRECTORY, state);
        directory = opendir(folder);
        if (!directory)
                return errno == ENOENT ? 0 : -errno;
        for (struct dirent *entry; r >= 0 && (entry = readdir(directory));)
                if (exam_file_name_cut(entry->d_name, suffix, course))
                        r = callback(userdata, course);
        (void)closedir(directory);
        return r < 0 ? r : 0;
}
