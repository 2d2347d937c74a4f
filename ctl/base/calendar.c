/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Reads the line "UNIX seconds: @1769846415.25" of systemd-analyze timestamp. */

#include "calendar.h"
#include "child.h"
#include "moment.h"

#define LABEL "UNIX seconds: @"

/* "1769846415.25\n" */
static int parse_seconds(const char *text, uint64_t *ret_usec) {
        char *end;
        uint64_t usec = strtoull(text, &end, 10) * USEC_PER_SEC, unit = USEC_PER_SEC / 10;

        if (end == text)
                return -EBADMSG;
        if (*end == '.')
                for (end++; *end >= '0' && *end <= '9'; end++, unit /= 10)
                        usec += (uint64_t)(*end - '0') * unit;
        *ret_usec = usec;
        return 0;
}

static int find_seconds(FILE *output, uint64_t *ret_usec) {
        char line[256];

        while (fgets(line, sizeof(line), output)) {
                const char *label = strstr(line, LABEL);

                if (label)
                        return parse_seconds(label + strlen(LABEL), ret_usec);
        }
        return -EBADMSG;
}

int calendar_parse(const char *text, uint64_t *ret_usec) {
        const char *const arguments[] = {"systemd-analyze", "timestamp", "--", text, NULL};
        const struct child_streams streams = {CHILD_NULL, CHILD_NULL, CHILD_NULL};
        _cleanup_fclose_ FILE *output = NULL;
        struct span span;
        int r, status;

        if (moment_parse(text, time(NULL), &span) >= 0) {
                *ret_usec = span.from_usec;
                return 0;
        }
        r = child_read(arguments, &streams, &status, &output);
        if (r < 0)
                return r;
        return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? find_seconds(output, ret_usec) : -EINVAL;
}
