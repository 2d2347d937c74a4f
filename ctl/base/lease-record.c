/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* activator/base/record-store.c writes them. Fields that only the activator uses are ignored here. */

#include <dirent.h>
#include <ini.h>

#include "lease-record.h"
#include "trusted-file.h"

void lease_records_done(struct lease_records *records) {
        free(records->items);
        *records = (struct lease_records){0};
}

/* activator/base/record-store.c writes a long name in two lines, and libinih calls with each. */
static void copy_more(char *array, size_t size, const char *value) {
        size_t length = strlen(array);

        protocol_copy_text(array + length, size - length, value);
}

static int handle_field(void *userdata, const char *section, const char *name, const char *value) {
        struct lease_record *record = userdata;

        (void)section;
        if (string_equal(name, "user"))
                copy_more(record->user, sizeof(record->user), value);
        else if (string_equal(name, "seat"))
                protocol_copy_text(record->seat, sizeof(record->seat), value);
        else if (string_equal(name, "service"))
                protocol_copy_text(record->service, sizeof(record->service), value);
        else if (string_equal(name, "opener"))
                record->opener = strtol(value, NULL, 10);
        else if (string_equal(name, "linger-until"))
                record->lingering = !string_equal(value, "0");
        else if (string_equal(name, "keep-until"))
                record->keep_until_usec = strtoull(value, NULL, 10);
        return 1;
}

bool lease_record_is_used(const struct lease_record *record, uint64_t now_usec) {
        return !record->lingering || record->keep_until_usec > now_usec;
}

static int load_one(const char *directory, const char *id, struct lease_record *ret) {
        _cleanup_free_ char *text = NULL;
        struct lease_record record = {0};
        const char *reason;
        char path[512];
        int n = snprintf(path, sizeof(path), "%s/%s", directory, id), r;

        if (n < 0 || (size_t)n >= sizeof(path) || string_copy(record.id, sizeof(record.id), id) < 0)
                return -ENAMETOOLONG;
        r = trusted_file_read(path, &text, &reason);
        if (r >= 0 && ini_parse_string(text, handle_field, &record) != 0)
                r = -EBADMSG;
        if (r >= 0)
                *ret = record;
        return r;
}

int lease_records_load(const char *directory, struct lease_records *ret) {
        _cleanup_lease_records_ struct lease_records records = {0};
        DIR *dir = opendir(directory);
        struct lease_record record, *items;
        int r = 0;

        if (!dir && errno != ENOENT)
                return -errno;
        for (struct dirent *entry; r >= 0 && dir && (entry = readdir(dir));) {
                /* Names with a dot are unfinished records, or the folder itself. */
                if (strchr(entry->d_name, '.') || load_one(directory, entry->d_name, &record) < 0)
                        continue;
                items = reallocarray(records.items, records.n_items + 1, sizeof(*items));
                if (items) {
                        records.items = items;
                        items[records.n_items++] = record;
                } else
                        r = -ENOMEM;
        }
        if (dir)
                (void)closedir(dir);
        if (r < 0)
                return r;
        *ret = records;
        records = (struct lease_records){0};
        return 0;
}
