/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Records of leases on disk. The input is what follows the boot id in a record. */

#include <systemd/sd-id128.h>

#include "activator/base/record-store.h"
#include "fuzz.h"
#include "number.h"

#define ID "0123456789abcdef"

static const char *head(void) {
        static char text[128];
        sd_id128_t boot;
        char id[SD_ID128_STRING_MAX];

        if (text[0] == '\0') {
                CHECK(sd_id128_get_boot(&boot) >= 0);
                (void)snprintf(text, sizeof(text), "[lease]\nboot-id = %s\n", sd_id128_to_string(boot, id));
        }
        return text;
}

#define CHECK_TEXT(array) CHECK(fuzz_printable((array), sizeof(array)))

/* What the activator puts into log lines, unit names and messages. */
static void check_record(const struct lease_record *record) {
        CHECK(record->user[0] && digits_only(record->course) && digits_only(record->seat));
        CHECK(record->address.prefix <= 32 && record->address6.prefix <= 128);
        CHECK(record->hold || record->opener > 0);
        CHECK_TEXT(record->user);
        CHECK_TEXT(record->course);
        CHECK_TEXT(record->seat);
        CHECK_TEXT(record->token);
        CHECK_TEXT(record->service);
        CHECK_TEXT(record->tty);
        CHECK_TEXT(record->remote_host);
}

static void check_same(const struct lease_record *a, const struct lease_record *b) {
        CHECK(string_equal(a->user, b->user) && a->uid == b->uid);
        CHECK(string_equal(a->course, b->course) && string_equal(a->seat, b->seat));
        CHECK(a->address.ip == b->address.ip && a->address.prefix == b->address.prefix);
        CHECK(address6_same_ip(&a->address6, &b->address6));
        CHECK(!address6_is_set(&a->address6) || a->address6.prefix == b->address6.prefix);
        CHECK(string_equal(a->token, b->token) && string_equal(a->service, b->service));
        CHECK(string_equal(a->tty, b->tty) && string_equal(a->remote_host, b->remote_host));
        CHECK(a->since_usec == b->since_usec && a->hold == b->hold && a->no_wait == b->no_wait);
        CHECK(a->linger_until_usec == b->linger_until_usec && a->keep_until_usec == b->keep_until_usec);
        CHECK(a->starting == b->starting && a->joined.device == b->joined.device &&
                a->joined.inode == b->joined.inode);
        CHECK(a->opener == b->opener && a->opener_start == b->opener_start);
}

static void check_saved(const char *folder, const struct lease_record *record) {
        struct lease_record again = {0};

        CHECK(record_store_save(folder, record) == 0);
        CHECK(record_store_load(folder, ID, &again) == 0);
        check_same(record, &again);
}

/* A lease's texts come from PAM: whatever they are, a restarted activator finds the same. */
static void check_texts(const char *folder, const char *text) {
        struct lease_record record = {.id = ID,
                .user = "cs123-newellz2",
                .course = "123",
                .seat = "12310",
                .address = {.ip = 0x0a007b0a, .prefix = 24},
                .opener = 42};

        protocol_copy_text(record.service, sizeof(record.service), text);
        protocol_copy_text(record.tty, sizeof(record.tty), text + strlen(text) / 2);
        protocol_copy_text(record.remote_host, sizeof(record.remote_host), text);
        check_saved(folder, &record);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        _cleanup_free_ char *text = fuzz_text(data, size), *whole = NULL;
        const char *folder = fuzz_make_folder();
        struct lease_record record = {.id = ID};
        char path[128];

        if (!text)
                return 0;
        CHECK(asprintf(&whole, "%s%s", head(), text) >= 0);
        (void)snprintf(path, sizeof(path), "%s/" ID, folder);
        fuzz_write(path, whole);
        if (record_store_load(folder, ID, &record) == 0) {
                check_record(&record);
                check_saved(folder, &record);
        }
        check_texts(folder, text);
        record_store_remove(folder, ID);
        return 0;
}
