/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A refusal is a few lines, which the activator sends in one message. */

#include <sys/socket.h>

#include "console.h"
#include "report-lines.h"

/* The activator's messages are not longer. */
#define MESSAGE_MAX 16384U

#define CTL_HEAD "coursenetctl: "

void report_lines_print(int connection, const char *program) {
        char message[MESSAGE_MAX + 1], *rest = message, *line;
        ssize_t n;

        do
                n = recv(connection, message, MESSAGE_MAX, 0);
        while (n < 0 && errno == EINTR);
        message[n > 0 ? n : 0] = '\0';
        while ((line = strsep(&rest, "\n")))
                if (line[0])
                        console_complain(program, "%s",
                                string_starts_with(line, CTL_HEAD) ? line + strlen(CTL_HEAD) : line);
}
