/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * A datagram of fields: a name, a line feed, the size of the value in 64 bits, little endian, the value, a
 * line feed.
 */

#include <endian.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/un.h>

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

static void add_field(FILE *file, const char *name, const char *value) {
        uint64_t size = htole64(strlen(value));

        (void)fprintf(file, "%s\n", name);
        (void)fwrite(&size, sizeof(size), 1, file);
        (void)fprintf(file, "%s\n", value);
}

static int send_datagram(const char *path, const char *bytes, size_t size) {
        struct sockaddr_un address = {.sun_family = AF_UNIX};
        _cleanup_close_ int fd = -1;

        if (string_copy(address.sun_path, sizeof(address.sun_path), path) < 0)
                return -ENAMETOOLONG;
        fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
        if (fd < 0 || sendto(fd, bytes, size, MSG_NOSIGNAL, (struct sockaddr *)&address, sizeof(address)) < 0)
                return -errno;
        return 0;
}

int journal_send(const char *socket_path, int priority, const char *text) {
        return journal_send_id(socket_path, priority, NULL, text);
}

int journal_send_id(const char *socket_path, int priority, const char *id, const char *text) {
        char number[16], unit[UNIT_NAME_SIZE];
        _cleanup_free_ char *bytes = NULL;
        size_t size = 0;
        FILE *file = open_memstream(&bytes, &size);

        if (!file)
                return -ENOMEM;
        (void)snprintf(number, sizeof(number), "%d", priority);
        add_field(file, "PRIORITY", number);
        add_field(file, "SYSLOG_IDENTIFIER", program_invocation_short_name);
        add_field(file, "MESSAGE", text);
        if (id)
                add_field(file, "MESSAGE_ID", id);
        /* journald finds the unit by the sender's process, which may have ended when it looks. */
        if (find_unit(unit, sizeof(unit)))
                add_field(file, "OBJECT_SYSTEMD_UNIT", unit);
        if (fclose(file) != 0)
                return -ENOMEM;
        return send_datagram(socket_path, bytes, size);
}
