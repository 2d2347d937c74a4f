/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The only place that writes to stderr. */

#include <inttypes.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <syslog.h>

#include "journal.h"
#include "number.h"
#include "stderr.h"

/*
 * Child processes inherit JOURNAL_STREAM even if their stderr is another file. So it is compared with the
 * file.
 */
bool stderr_is_journal(void) {
        const char *stream = getenv("JOURNAL_STREAM");
        uintmax_t device, inode;
        struct stat st;

        return stream && sscanf(stream, "%ju:%ju", &device, &inode) == 2 && fstat(STDERR_FILENO, &st) == 0 &&
               st.st_dev == device && st.st_ino == inode;
}

/* systemd has started this process as a unit's program with StandardError=null. */
static bool is_null_in_unit(void) {
        const char *pid = getenv("SYSTEMD_EXEC_PID");
        unsigned number;
        struct stat st;

        return pid && number_parse(pid, 1, INT32_MAX, &number) >= 0 && (pid_t)number == getpid() &&
               fstat(STDERR_FILENO, &st) == 0 && S_ISCHR(st.st_mode) && st.st_rdev == makedev(1, 3);
}

/* priority: as in syslog(3). */
static void print(int priority, const char *text) {
        if (is_null_in_unit())
                (void)journal_send(JOURNAL_SOCKET, priority, text);
        else if (stderr_is_journal())
                (void)fprintf(stderr, "<%d>%s\n", priority, text);
        else
                (void)fprintf(stderr, "%s\n", text);
}

void stderr_print_diagnostics(const struct diagnostics *diagnostics) {
        char text[1024];

        for (size_t i = 0; i < diagnostics->n_items; i++) {
                const struct diagnostic *item = &diagnostics->items[i];

                diagnostic_format(item, text, sizeof(text));
                print(item->level == DIAGNOSTIC_WARNING ? LOG_WARNING : LOG_ERR, text);
        }
}

void stderr_warning(const char *format, ...) {
        char text[1024];
        va_list arguments;

        va_start(arguments, format);
        (void)vsnprintf(text, sizeof(text), format, arguments);
        va_end(arguments);
        print(LOG_WARNING, text);
}
