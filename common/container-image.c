/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Checks images before the runtime does, because the runtimes' own messages are hard to understand. */

#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>

#include "container-image.h"

/*
 * Marks of the formats: SIF has its magic after a launch line of 32 bytes (github.com/apptainer/sif,
 * pkg/sif); squashfs begins with its own, or with a launch line of any length; ext3 has it in its superblock.
 */
#define SIF_MAGIC "SIF_MAGIC"
#define SIF_MAGIC_OFFSET 32U
#define SQUASHFS_MAGIC "hsqs"
#define LAUNCH_LINE "#!"
#define EXT3_MAGIC_OFFSET 0x438U
#define HEAD_SIZE 0x43aU

static bool has(const char *head, size_t size, size_t offset, const char *magic) {
        size_t length = strlen(magic);

        return size >= offset + length && memcmp(head + offset, magic, length) == 0;
}

static bool is_image(const char *head, size_t size) {
        return has(head, size, SIF_MAGIC_OFFSET, SIF_MAGIC) || has(head, size, 0, SQUASHFS_MAGIC) ||
               has(head, size, 0, LAUNCH_LINE) || has(head, size, EXT3_MAGIC_OFFSET, "\x53\xef");
}

static enum image_verdict say(
        enum image_verdict verdict, char reason[static IMAGE_REASON_SIZE], const char *text) {
        (void)string_copy(reason, IMAGE_REASON_SIZE, text);
        return verdict;
}

static enum image_verdict say_error(int error, char reason[static IMAGE_REASON_SIZE]) {
        if (error == ENOENT || error == ENOTDIR)
                return say(IMAGE_MISSING, reason, "does not exist");
        (void)snprintf(reason, IMAGE_REASON_SIZE, "cannot be read: %s", strerror(error));
        return IMAGE_UNREADABLE;
}

static enum image_verdict examine_file(const char *path, char reason[static IMAGE_REASON_SIZE]) {
        _cleanup_close_ int fd = -1;
        char head[HEAD_SIZE];
        ssize_t n;

        fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
        if (fd < 0)
                return say_error(errno, reason);
        n = pread(fd, head, sizeof(head), 0);
        if (n < 0)
                return say_error(errno, reason);
        return is_image(head, (size_t)n)
                       ? IMAGE_GOOD
                       : say(IMAGE_WRONG, reason, "is no container image: neither SIF, squashfs nor ext3");
}

/* A folder that debootstrap or cp made cannot be started, because the runtime's own scripts are missing. */
static enum image_verdict examine_folder(const char *path, char reason[static IMAGE_REASON_SIZE]) {
        char actions[PATH_MAX];
        int n = snprintf(actions, sizeof(actions), "%s/.singularity.d/actions", path);

        if (access(path, R_OK | X_OK) < 0)
                return say_error(errno, reason);
        if (n < 0 || (size_t)n >= sizeof(actions) || access(actions, F_OK) < 0)
                return say(IMAGE_WRONG, reason,
                        "is no container image: make one of the folder by `apptainer build --sandbox`");
        return IMAGE_GOOD;
}

enum image_verdict image_examine(const char *path, char reason[static IMAGE_REASON_SIZE]) {
        struct stat st;

        if (stat(path, &st) < 0)
                return say_error(errno, reason);
        if (S_ISDIR(st.st_mode))
                return examine_folder(path, reason);
        return S_ISREG(st.st_mode) ? examine_file(path, reason)
                                   : say(IMAGE_WRONG, reason, "is neither a file nor a folder");
}
