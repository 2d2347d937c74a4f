/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Finds a user's terminals by their owner: sshd's sessions have no tty yet when PAM opens them, and some
 * hosts keep no records of logins (utmp). Writing needs the group tty.
 */

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "number.h"
#include "terminal.h"

static void tell(int directory, const char *name, uid_t uid, const char *text) {
        _cleanup_close_ int fd = -1;
        struct stat st;

        fd = openat(directory, name, O_WRONLY | O_NOCTTY | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC);
        if (fd < 0 || fstat(fd, &st) < 0 || !S_ISCHR(st.st_mode) || st.st_uid != uid)
                return;
        if (write(fd, text, strlen(text)) < 0)
                return; /* stopped, or hung up meanwhile */
}

static void tell_pseudo_terminals(uid_t uid, const char *text) {
        DIR *dir = opendir("/dev/pts");

        if (!dir)
                return;
        for (struct dirent *entry; (entry = readdir(dir));)
                if (digits_only(entry->d_name))
                        tell(dirfd(dir), entry->d_name, uid, text);
        (void)closedir(dir);
}

void terminal_tell(uid_t uid, const char *tty, const char *text) {
        tell_pseudo_terminals(uid, text);
        terminal_tell_console(uid, tty, text);
}

void terminal_tell_console(uid_t uid, const char *tty, const char *text) {
        const char *name = string_starts_with(tty, "/dev/") ? tty + strlen("/dev/") : tty;
        _cleanup_close_ int dev = -1;

        if (name[0] == '\0' || strchr(name, '/'))
                return;
        dev = open("/dev", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (dev >= 0)
                tell(dev, name, uid, text);
}
