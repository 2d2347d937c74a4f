/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Files in a tmpfs that only root can list. They disappear at the next boot, together with the processes. */

#include <fcntl.h>
#include <sys/stat.h>

#include "base/log.h"
#include "fence-note.h"
#include "name-rule.h"
#include "setting-value.h"

/* The file is as long as that and no longer. */
static bool has_text(const char *path, const char *text) {
        _cleanup_close_ int fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
        char old[USER_NAME_SIZE + 1];
        ssize_t n = fd >= 0 ? read(fd, old, sizeof(old)) : -1;

        return n >= 0 && (size_t)n == strlen(text) && memcmp(old, text, (size_t)n) == 0;
}

static int write_new(const char *path, const char *text) {
        _cleanup_close_ int fd = -1;
        ssize_t n;

        /* Left by an activator that died in the middle; there is only one. */
        (void)unlink(path);
        fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
        if (fd < 0)
                return -errno;
        n = write(fd, text, strlen(text));
        if (n < 0)
                return -errno;
        return (size_t)n == strlen(text) ? 0 : -EIO;
}

/* Programs that read the directory skip names that begin with a dot. */
static int make_note(const char *directory, uid_t uid, const char *text) {
        char path[128], unfinished[128];
        int r;

        (void)snprintf(path, sizeof(path), "%s/%u", directory, (unsigned)uid);
        (void)snprintf(unfinished, sizeof(unfinished), "%s/.%u.new", directory, (unsigned)uid);
        if (has_text(path, text))
                return 0;
        r = write_new(unfinished, text);
        if (r >= 0 && rename(unfinished, path) < 0)
                r = -errno;
        if (r < 0)
                (void)unlink(unfinished);
        return r;
}

void fence_note(const char *directory, uid_t uid, const char *user) {
        char text[USER_NAME_SIZE + 1] = "";
        int r;

        if (uid < SYSTEM_UID_END || uid == (uid_t)-1)
                return;
        /* An account without a valid name is fenced by its uid alone. */
        if (user_name_valid(user))
                (void)snprintf(text, sizeof(text), "%s\n", user);
        r = make_note(directory, uid, text);
        if (r == -ENOENT) {
                (void)mkdir(directory, 0700);
                r = make_note(directory, uid, text);
        }
        if (r < 0)
                log_warning("Cannot note user %u for the fence in %s: %s", (unsigned)uid, directory,
                        strerror(-r));
}
