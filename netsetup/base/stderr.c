/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The only place that writes to stderr. */

#include <inttypes.h>
#include <sys/stat.h>

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

void stderr_print_diagnostics(const struct diagnostics *diagnostics) {
        bool journal = stderr_is_journal();
        char text[1024];

        for (size_t i = 0; i < diagnostics->n_items; i++) {
                const struct diagnostic *item = &diagnostics->items[i];
                const char *level = item->level == DIAGNOSTIC_WARNING ? "<4>" : "<3>";

                diagnostic_format(item, text, sizeof(text));
                (void)fprintf(stderr, "%s%s\n", journal ? level : "", text);
        }
}

void stderr_warning(const char *format, ...) {
        char text[1024];
        va_list arguments;

        va_start(arguments, format);
        (void)vsnprintf(text, sizeof(text), format, arguments);
        va_end(arguments);
        (void)fprintf(stderr, "%s%s\n", stderr_is_journal() ? "<4>" : "", text);
}
