/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "journal.h"
#include "runtime-file.h"

#define UNIT_NAME_SIZE 256U

bool journal_parse_unit(const char *cgroup, char *ret, size_t size) {
        static const char hierarchy[] = "0::/";
        const char *line = cgroup, *end, *unit;

        while (!string_starts_with(line, hierarchy)) {
                line = strchr(line, '\n');
                if (!line)
                        return false;
                line++;
        }
        end = line + strcspn(line, "\n");
        unit = end;
        while (unit[-1] != '/')
                unit--;
        if (unit == end || (size_t)(end - unit) >= size)
                return false;
        memcpy(ret, unit, (size_t)(end - unit));
        ret[end - unit] = '\0';
        return true;
}

static bool find_unit(char *ret, size_t size) {
        _cleanup_free_ char *text = NULL;

        return runtime_file_read("/proc/self/cgroup", &text) >= 0 && journal_parse_unit(text, ret, size);
}

int journal_send(const char *socket_path, int priority, const char *text) {
        return journal_send_id(socket_path, priority, NULL, text);
}

int journal_send_id(const char *socket_path, int priority, const char *id, const char *text) {
        char number[16], unit[UNIT_NAME_SIZE];
        struct journal_field fields[5] = {
                {"PRIORITY", number},
                {"SYSLOG_IDENTIFIER", program_invocation_short_name},
                {"MESSAGE", text},
        };
        size_t n = 3;

        (void)snprintf(number, sizeof(number), "%d", priority);
        if (id)
                fields[n++] = (struct journal_field){"MESSAGE_ID", id};
        /* journald finds the unit by the sender's process, which may have ended when it looks. */
        if (find_unit(unit, sizeof(unit)))
                fields[n++] = (struct journal_field){"OBJECT_SYSTEMD_UNIT", unit};
        return journal_message_send(socket_path, fields, n);
}
