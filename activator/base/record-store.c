/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Saves and loads records. The directory is root's own, but what is read is checked like any input. */

#include <dirent.h>
#include <fcntl.h>
#include <ini.h>
#include <inttypes.h>
#include <systemd/sd-id128.h>

#include "number.h"
#include "record-store.h"
#include "trusted-file.h"

typedef char record_path_t[512];

static int format_path(record_path_t path, const char *directory, const char *id, const char *suffix) {
        int n = snprintf(path, sizeof(record_path_t), "%s/%s%s", directory, id, suffix);

        return n < 0 || (size_t)n >= sizeof(record_path_t) ? -ENAMETOOLONG : 0;
}

/* What the name of a record ends with while it is written. */
#define UNFINISHED ".new"

bool lease_id_valid(const char *id) {
        size_t length = strlen(id);

        /* No dash: it would make a parent slice. */
        return length > 0 && length < LEASE_ID_SIZE && strspn(id, "0123456789abcdef_") == length;
}

static int boot_id(char ret[static SD_ID128_STRING_MAX]) {
        sd_id128_t id;
        int r = sd_id128_get_boot(&id);

        if (r < 0)
                return r;
        (void)sd_id128_to_string(id, ret);
        return 0;
}

/* libinih reads lines of at most 200 bytes. A line that begins with a blank continues the line before. */
#define LINE_PART 128U
_Static_assert(USER_NAME_SIZE <= 2U * LINE_PART, "a name may need a third line");

static void print_user(FILE *file, const char *user) {
        (void)fprintf(file, "user = %.*s\n", (int)LINE_PART, user);
        if (strlen(user) > LINE_PART)
                (void)fprintf(file, " %s\n", user + LINE_PART);
}

/*
 * Stands for a blank in a text. libinih drops blanks at both ends of a value, and a ";" that follows a blank
 * with all behind it, so none is behind the "=" either. No text has this character, because request_check()
 * accepts printable ones only.
 */
#define BLANK_ON_DISK '\x1f'

static void print_text(FILE *file, const char *name, const char *text) {
        (void)fprintf(file, "%s =", name);
        for (; *text; text++)
                (void)fputc(*text == ' ' ? BLANK_ON_DISK : *text, file);
        (void)fputc('\n', file);
}

static void print_record(FILE *file, const struct lease_record *record, const char *boot) {
        char address6[ADDRESS6_TEXT_SIZE];

        (void)fprintf(file, "[lease]\nboot-id = %s\n", boot);
        print_user(file, record->user);
        (void)fprintf(file, "uid = %u\ncourse = %s\nseat = %s\n", (unsigned)record->uid, record->course,
                record->seat);
        (void)fprintf(
                file, "address = %" PRIu32 "\nprefix = %u\n", record->address.ip, record->address.prefix);
        if (address6_is_set(&record->address6)) {
                address6_format(&record->address6, address6);
                (void)fprintf(file, "address6 = %s\n", address6);
        }
        (void)fprintf(file, "token = %s\n", record->token);
        print_text(file, "service", record->service);
        print_text(file, "tty", record->tty);
        print_text(file, "remote-host", record->remote_host);
        (void)fprintf(file, "since = %" PRIu64 "\n", record->since_usec);
        (void)fprintf(file, "hold = %d\nno-wait = %d\nlinger-until = %" PRIu64 "\nkeep-until = %" PRIu64 "\n",
                record->hold, record->no_wait, record->linger_until_usec, record->keep_until_usec);
        (void)fprintf(file, "opener = %ld\nopener-start = %" PRIu64 "\n", (long)record->opener,
                record->opener_start);
        (void)fprintf(file, "starting = %d\nnamespace-device = %ju\nnamespace-inode = %ju\n",
                record->starting, (uintmax_t)record->joined.device, (uintmax_t)record->joined.inode);
}

int record_store_save(const char *directory, const struct lease_record *record) {
        record_path_t path, temporary;
        char boot[SD_ID128_STRING_MAX];
        FILE *file;
        int r;

        r = format_path(path, directory, record->id, "");
        if (r >= 0)
                r = format_path(temporary, directory, record->id, UNFINISHED);
        if (r >= 0)
                r = boot_id(boot);
        if (r < 0)
                return r;

        file = fopen(temporary, "we");
        if (!file)
                return -errno;
        print_record(file, record, boot);
        r = ferror(file) ? -EIO : 0;
        if (fclose(file) != 0 && r == 0)
                r = -errno;
        if (r == 0 && rename(temporary, path) < 0)
                r = -errno;
        if (r < 0)
                (void)unlink(temporary);
        return r;
}

int record_store_remove(const char *directory, const char *lease_id) {
        record_path_t path;
        int r = format_path(path, directory, lease_id, "");

        if (r < 0)
                return r;
        return unlink(path) < 0 && errno != ENOENT ? -errno : 0;
}

struct reader {
        struct lease_record *record;
        char boot[SD_ID128_STRING_MAX];
        bool bad;
};

/* Texts get into log lines and onto terminals, so only printable ones are accepted, as in a request. */
static void read_text(struct reader *reader, char *array, size_t size, const char *value) {
        if (string_copy(array, size, value) < 0) {
                reader->bad = true;
                return;
        }
        for (; *array; array++) {
                if (*array == BLANK_ON_DISK)
                        *array = ' ';
                reader->bad |= *array < ' ' || *array > '~';
        }
}

/* A text of several lines: libinih calls with each. */
static void read_more(struct reader *reader, char *array, size_t size, const char *value) {
        size_t length = strlen(array);

        read_text(reader, array + length, size - length, value);
}

static uint64_t read_number(struct reader *reader, const char *value, uint64_t maximum) {
        unsigned long long number;

        errno = 0;
        number = strtoull(value, NULL, 10);
        reader->bad |= !digits_only(value) || errno != 0 || number > maximum;
        return number;
}

static int handle_field(void *userdata, const char *section, const char *name, const char *value) {
        struct reader *reader = userdata;
        struct lease_record *record = reader->record;

        (void)section;
        if (string_equal(name, "boot-id"))
                read_text(reader, reader->boot, sizeof(reader->boot), value);
        else if (string_equal(name, "user"))
                read_more(reader, record->user, sizeof(record->user), value);
        else if (string_equal(name, "uid"))
                record->uid = (uid_t)read_number(reader, value, UINT32_MAX);
        else if (string_equal(name, "course"))
                read_text(reader, record->course, sizeof(record->course), value);
        else if (string_equal(name, "seat"))
                read_text(reader, record->seat, sizeof(record->seat), value);
        else if (string_equal(name, "address"))
                record->address.ip = (uint32_t)read_number(reader, value, UINT32_MAX);
        else if (string_equal(name, "prefix"))
                record->address.prefix = (unsigned)read_number(reader, value, 32);
        else if (string_equal(name, "address6"))
                reader->bad |= address6_parse(value, 128, &record->address6) < 0;
        else if (string_equal(name, "service"))
                read_text(reader, record->service, sizeof(record->service), value);
        else if (string_equal(name, "token"))
                read_text(reader, record->token, sizeof(record->token), value);
        else if (string_equal(name, "tty"))
                read_text(reader, record->tty, sizeof(record->tty), value);
        else if (string_equal(name, "remote-host"))
                read_text(reader, record->remote_host, sizeof(record->remote_host), value);
        else if (string_equal(name, "since"))
                record->since_usec = read_number(reader, value, UINT64_MAX);
        else if (string_equal(name, "hold"))
                record->hold = read_number(reader, value, 1) > 0;
        else if (string_equal(name, "no-wait"))
                record->no_wait = read_number(reader, value, 1) > 0;
        else if (string_equal(name, "linger-until"))
                record->linger_until_usec = read_number(reader, value, UINT64_MAX);
        else if (string_equal(name, "keep-until"))
                record->keep_until_usec = read_number(reader, value, UINT64_MAX);
        else if (string_equal(name, "opener"))
                record->opener = (pid_t)read_number(reader, value, INT32_MAX);
        else if (string_equal(name, "opener-start"))
                record->opener_start = read_number(reader, value, UINT64_MAX);
        else if (string_equal(name, "starting"))
                record->starting = read_number(reader, value, 1) > 0;
        else if (string_equal(name, "namespace-device"))
                record->joined.device = read_number(reader, value, UINT64_MAX);
        else if (string_equal(name, "namespace-inode"))
                record->joined.inode = read_number(reader, value, UINT64_MAX);
        /* An older version ignores fields of a newer one. */
        return 1;
}

int record_store_load(const char *directory, const char *lease_id, struct lease_record *record) {
        struct reader reader = {.record = record};
        _cleanup_free_ char *text = NULL;
        char boot[SD_ID128_STRING_MAX];
        const char *reason;
        record_path_t path;
        int r;

        r = format_path(path, directory, lease_id, "");
        if (r >= 0)
                r = trusted_file_read(path, &text, &reason);
        if (r >= 0)
                r = boot_id(boot);
        if (r < 0)
                return r;

        if (ini_parse_string(text, handle_field, &reader) != 0 || reader.bad)
                return -EBADMSG;
        if (!digits_only(record->seat) || !digits_only(record->course) || record->user[0] == '\0' ||
                (record->opener <= 0 && !record->hold))
                return -EBADMSG;
        return string_equal(reader.boot, boot) ? 0 : -ESTALE;
}

/* Of an activator that was killed while it wrote. */
static bool is_unfinished(const char *name) {
        const char *dot = strrchr(name, '.');
        char id[LEASE_ID_SIZE];

        if (!dot || !string_equal(dot, UNFINISHED) || (size_t)(dot - name) >= sizeof(id))
                return false;
        memcpy(id, name, (size_t)(dot - name));
        id[dot - name] = '\0';
        return lease_id_valid(id);
}

int record_store_list(
        const char *directory, int (*callback)(void *userdata, const char *lease_id), void *userdata) {
        DIR *dir = opendir(directory);
        int r = 0;

        if (!dir)
                return -errno;
        while (r >= 0) {
                struct dirent *entry;

                errno = 0;
                entry = readdir(dir);
                if (!entry) {
                        r = -errno;
                        break;
                }
                if (is_unfinished(entry->d_name))
                        (void)unlinkat(dirfd(dir), entry->d_name, 0);
                else if (lease_id_valid(entry->d_name))
                        r = callback(userdata, entry->d_name);
        }
        (void)closedir(dir);
        return r;
}
