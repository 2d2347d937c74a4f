/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <inttypes.h>

#include "address.h"
#include "address6.h"
#include "base/journal-entry.h"
#include "lease-journal.h"
#include "name-rule.h"
#include "protocol.h"

static const char *const events[] = {
        LEASE_GIVEN, LEASE_HELD, LEASE_GIVEN_BACK, LEASE_TAKEN, LEASE_LINGERS, LEASE_LINGER_OVER};

/* "FIELD=VALUE": room for the longest field and the longest value that could match. */
#define MATCH_SIZE (32U + USER_NAME_SIZE)

void lease_journal_done(struct lease_journal *journal) {
        lease_history_done(&journal->history);
        collected_done(&journal->collected);
}

static int add_match(sd_journal *journal, const char *field, const char *value) {
        char match[MATCH_SIZE];
        int n = snprintf(match, sizeof(match), "%s=%s", field, value);

        /* A value that is too long was never logged. It is cut, and matches nothing. */
        return n < 0 ? -EINVAL : sd_journal_add_match(journal, match, 0);
}

/* Matches the events of leases with this field; field NULL: of all leases. It is an alternative to earlier
 * matches. */
static int add_alternative(sd_journal *journal, const char *field, const char *value) {
        int r = sd_journal_add_disjunction(journal);

        if (r >= 0)
                r = journal_match_activator(journal);
        for (size_t i = 0; r >= 0 && i < ELEMENTSOF(events); i++)
                r = add_match(journal, "COURSENET_EVENT", events[i]);
        return r < 0 || !field ? r : add_match(journal, field, value);
}

static int add_matches(sd_journal *journal, const char *word) {
        static const char *const names[] = {"COURSENET_USER", "COURSENET_SEAT", "COURSENET_COURSE"};
        char ip[ADDRESS6_TEXT_SIZE];
        struct address6 address6;
        struct address address;
        int r = 0;

        if (!word)
                return add_alternative(journal, NULL, NULL);
        if (address_parse(word, 32, &address) >= 0) {
                address_format_ip(address.ip, ip);
                return add_alternative(journal, "COURSENET_ADDRESS", ip);
        }
        if (address6_parse(word, 128, &address6) >= 0) {
                address6_format_ip(&address6, ip);
                return add_alternative(journal, "COURSENET_ADDRESS6", ip);
        }
        for (size_t i = 0; r >= 0 && i < ELEMENTSOF(names); i++)
                r = add_alternative(journal, names[i], word);
        return r;
}

/* Copies of the texts of one entry, because sd-journal's own are valid for one call only. */
struct entry {
        char what[32], id[64], course[16], user[USER_NAME_SIZE], seat[32], address[64], address6[64],
                service[64], since[32], host[MACHINE_NAME_SIZE];
        char remote_host[160];
};

static int read_entry(sd_journal *journal, struct entry *entry, struct lease_event *ret) {
        sd_id128_t boot;
        uint64_t usec, monotonic;
        int r;

        r = sd_journal_get_realtime_usec(journal, &usec);
        if (r >= 0)
                r = sd_journal_get_monotonic_usec(journal, &monotonic, &boot);
        if (r < 0)
                return r;
        journal_read_field(journal, "COURSENET_EVENT", entry->what, sizeof(entry->what));
        journal_read_field(journal, "COURSENET_LEASE", entry->id, sizeof(entry->id));
        journal_read_field(journal, "COURSENET_COURSE", entry->course, sizeof(entry->course));
        journal_read_field(journal, "COURSENET_USER", entry->user, sizeof(entry->user));
        journal_read_field(journal, "COURSENET_SEAT", entry->seat, sizeof(entry->seat));
        journal_read_field(journal, "COURSENET_ADDRESS", entry->address, sizeof(entry->address));
        journal_read_field(journal, "COURSENET_ADDRESS6", entry->address6, sizeof(entry->address6));
        journal_read_field(journal, "COURSENET_SERVICE", entry->service, sizeof(entry->service));
        journal_read_field(journal, "COURSENET_REMOTE_HOST", entry->remote_host, sizeof(entry->remote_host));
        journal_read_field(journal, "COURSENET_SINCE", entry->since, sizeof(entry->since));
        collected_read_name(journal, entry->host);
        *ret = (struct lease_event){
                .what = entry->what,
                .id = entry->id,
                .user = entry->user,
                .seat = entry->seat,
                .address = entry->address,
                .address6 = entry->address6,
                .service = entry->service,
                .remote_host = entry->remote_host,
                .host = entry->host,
                .usec = usec,
                .since_usec = strtoull(entry->since, NULL, 10),
                .boot = boot,
        };
        return 0;
}

/* When the journal of a machine begins. */
static uint64_t find_begin(const struct lease_journal *leases, const char *host) {
        const struct machine *machine = collected_find(&leases->collected, host);

        return machine ? machine->begins_usec : leases->begins_usec;
}

static int read_entries(sd_journal *journal, const struct scope *scope, struct lease_journal *ret) {
        struct lease_event event;
        struct entry entry;
        int r;

        r = sd_journal_seek_head(journal);
        while (r >= 0 && (r = sd_journal_next(journal)) > 0) {
                r = read_entry(journal, &entry, &event);
                /* A crash may have damaged an entry of the journal; the others are still valid. */
                if (r == -EBADMSG || (r >= 0 && event.id[0] == '\0'))
                        r = 0;
                else if (r >= 0 && !scope_has_course(scope, entry.course))
                        continue;
                else if (r >= 0)
                        r = lease_history_add(&ret->history, &event, find_begin(ret, event.host));
        }
        return r;
}

/* Goes to the last entry of a boot, of any program. Returns 1, 0 if there is none, or negative errno. */
static int seek_boot_end(sd_journal *journal, sd_id128_t boot) {
        char id[SD_ID128_STRING_MAX];
        int r;

        sd_journal_flush_matches(journal);
        r = add_match(journal, "_BOOT_ID", sd_id128_to_string(boot, id));
        if (r >= 0)
                r = sd_journal_seek_tail(journal);
        return r < 0 ? r : sd_journal_previous(journal);
}

static int find_boot_end(void *userdata, sd_id128_t boot, uint64_t *ret_usec) {
        sd_journal *journal = userdata;
        sd_id128_t current;
        int r;

        r = sd_id128_get_boot(&current);
        if (r < 0)
                return r;
        if (sd_id128_equal(boot, current))
                return BOOT_RUNS;
        r = seek_boot_end(journal, boot);
        *ret_usec = 0;
        if (r > 0)
                r = sd_journal_get_realtime_usec(journal, ret_usec);
        return r < 0 ? r : BOOT_OVER;
}

static int read_journal(
        sd_journal *journal, const char *word, const struct scope *scope, struct lease_journal *ret) {
        int persistent = sd_journal_has_persistent_files(journal);
        int r;

        if (persistent <= 0 && sd_journal_has_runtime_files(journal) <= 0)
                return -EACCES;
        ret->persistent = persistent > 0;
        r = sd_journal_get_cutoff_realtime_usec(journal, &ret->begins_usec, NULL);
        if (r >= 0)
                r = add_matches(journal, word);
        if (r >= 0)
                r = read_entries(journal, scope, ret);
        if (r >= 0)
                r = lease_history_end_boots(&ret->history, find_boot_end, journal);
        if (r >= 0)
                lease_history_sort(&ret->history);
        return r;
}

int lease_journal_read(const char *word, const struct scope *scope, struct lease_journal *ret) {
        _cleanup_lease_journal_ struct lease_journal read = {0};
        sd_journal *journal;
        int r;

        r = sd_journal_open(&journal, SD_JOURNAL_LOCAL_ONLY | SD_JOURNAL_SYSTEM);
        if (r < 0)
                return r;
        r = read_journal(journal, word, scope, &read);
        sd_journal_close(journal);
        if (r < 0)
                return r;
        *ret = read;
        read = (struct lease_journal){0};
        return 0;
}

/* --- other machines ------------------------------------------------------------------------------ */

struct boots {
        sd_journal *journal;
        const struct collected *collected;
        enum boot_state (*state)(void *userdata, sd_id128_t boot, const char *host);
        void *userdata;
};

/* A machine that has logged in a later boot is not in this one any more. */
static int find_collected_boot(void *userdata, sd_id128_t boot, uint64_t *ret_usec) {
        const struct boots *boots = userdata;
        char name[MACHINE_NAME_SIZE], own[MACHINE_NAME_SIZE] = "";
        const struct machine *machine;
        sd_id128_t current;
        int r;

        if (sd_id128_get_boot(&current) >= 0 && sd_id128_equal(boot, current))
                return BOOT_RUNS;
        r = seek_boot_end(boots->journal, boot);
        if (r > 0)
                r = sd_journal_get_realtime_usec(boots->journal, ret_usec);
        if (r < 0)
                return r == -EBADMSG ? BOOT_UNKNOWN : r;
        collected_read_name(boots->journal, name);
        machine = collected_find(boots->collected, name);
        (void)gethostname(own, sizeof(own) - 1);
        own[strcspn(own, ".")] = '\0';
        if (string_equal(name, own))
                return BOOT_OVER;
        if (machine && !sd_id128_equal(machine->last_boot, boot))
                return BOOT_OVER;
        return (int)boots->state(boots->userdata, boot, name);
}

static int read_collected(sd_journal *entries, const char *word, const struct scope *scope,
        struct boots *boots, struct lease_journal *journal) {
        int r = collected_find_machines(entries, &journal->collected);

        if (r >= 0)
                r = add_matches(entries, word);
        if (r >= 0)
                r = read_entries(entries, scope, journal);
        if (r >= 0)
                r = lease_history_end_boots(&journal->history, find_collected_boot, boots);
        if (r >= 0)
                lease_history_sort(&journal->history);
        return r;
}

int lease_journal_add_collected(const char *directory, const char *word, const struct scope *scope,
        enum boot_state (*boot_state)(void *userdata, sd_id128_t boot, const char *host), void *userdata,
        struct lease_journal *journal) {
        struct boots boots = {.collected = &journal->collected, .state = boot_state, .userdata = userdata};
        int r = collected_find_files(directory, &journal->collected);

        if (r < 0)
                return r;
        if (journal->collected.n_files == 0)
                return journal->collected.n_bad > 0 ? journal->collected.bad_error : -ENOENT;
        r = sd_journal_open_directory(&boots.journal, directory, 0);
        if (r < 0)
                return r;
        r = read_collected(boots.journal, word, scope, &boots, journal);
        sd_journal_close(boots.journal);
        return r;
}
