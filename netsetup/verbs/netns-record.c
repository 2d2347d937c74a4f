/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Lines "SEAT NUMBER USE", the order of which does not matter. */

#include <sys/random.h>

#include "base/runtime-file.h"
#include "kernel/nsid.h"
#include "netns-record.h"
#include "number.h"

/* The kernel gives the lowest numbers itself, so ours begin far above them. */
#define ID_FIRST 0x10000000
#define ID_LAST 0x7ffffffe
#define ID_TRIES 16U

static const char *const uses[] = {
        [NETNS_USE_UP] = "up",
        [NETNS_USE_KEPT] = "kept",
        [NETNS_USE_FORMER] = "former",
};

void netns_record_done(struct netns_record *record) {
        free(record->entries);
        *record = (struct netns_record){0};
}

static struct netns_entry *append(struct netns_record *record, const char *seat, int id) {
        struct netns_entry *entries = reallocarray(record->entries, record->n_entries + 1, sizeof(*entries));
        struct netns_entry *entry;

        if (!entries)
                return NULL;
        record->entries = entries;
        entry = &entries[record->n_entries++];
        *entry = (struct netns_entry){.id = id};
        (void)string_copy(entry->seat, sizeof(entry->seat), seat);
        return entry;
}

/* A login waits for this, and there is a line for each seat: strsep() is faster here than strtok_r(). */
static int parse_line(char *line, struct netns_record *record) {
        const char *seat = strsep(&line, " "), *id = strsep(&line, " "), *use = strsep(&line, " ");
        struct netns_entry *entry;
        unsigned number;

        if (!use || !digits_only(seat) || strlen(seat) >= SEAT_ID_SIZE ||
                number_parse(id, 0, INT32_MAX, &number) < 0)
                return 0;
        for (size_t i = 0; i < ELEMENTSOF(uses); i++)
                if (string_equal(use, uses[i])) {
                        entry = append(record, seat, (int)number);
                        if (!entry)
                                return -ENOMEM;
                        entry->use = (enum netns_use)i;
                        break;
                }
        return 0;
}

int netns_record_load(const char *path, struct netns_record *ret) {
        _cleanup_netns_record_ struct netns_record record = {0};
        _cleanup_free_ char *text = NULL;
        char *rest, *line;
        int r;

        r = runtime_file_read(path, &text);
        if (r == -ENOENT) {
                *ret = record;
                return 0;
        }
        for (rest = text; r >= 0 && (line = strsep(&rest, "\n"));)
                r = parse_line(line, &record);
        if (r < 0)
                return r;
        *ret = record;
        record = (struct netns_record){0};
        return 0;
}

#define LINE_SIZE (SEAT_ID_SIZE + sizeof(" 2147483647 ") + sizeof("former\n"))

int netns_record_save(const char *path, const struct netns_record *record) {
        _cleanup_free_ char *text = calloc(record->n_entries + 1, LINE_SIZE);
        char *end = text;

        if (!text)
                return -ENOMEM;
        for (size_t i = 0; i < record->n_entries; i++)
                end += snprintf(end, LINE_SIZE, "%s %d %s\n", record->entries[i].seat, record->entries[i].id,
                        uses[record->entries[i].use]);
        return runtime_file_write(path, text, 0600);
}

/*
 * The number before the lowest one: the kernel looks for the number of a namespace among all in their order,
 * each time it describes the cable, and finds that of the newest namespace first. Without any number, one
 * that is unlikely to be in use.
 */
static int next_id(const struct netns_record *record) {
        uint32_t random = 0;
        int id = ID_LAST;

        for (size_t i = 0; i < record->n_entries; i++)
                if (record->entries[i].id < id && record->entries[i].id >= ID_FIRST)
                        id = record->entries[i].id;
        if (id < ID_LAST && id >= ID_FIRST + (int)ID_TRIES)
                return id - 1;
        if (getrandom(&random, sizeof(random), 0) < 0)
                return ID_LAST;
        return ID_LAST - (int)(random % (ID_LAST - ID_FIRST) / 2);
}

void netns_record_retire_seat(struct netns_record *record, const char *seat) {
        for (size_t i = 0; i < record->n_entries; i++)
                if (string_equal(record->entries[i].seat, seat))
                        record->entries[i].use = NETNS_USE_FORMER;
}

int netns_record_note(struct netns_record *record, struct link_socket *socket, const char *seat, int netns_fd,
        enum netns_use use) {
        struct netns_entry *entry = NULL;
        int wanted = next_id(record), id = -EEXIST;

        for (unsigned i = 0; i < ID_TRIES && id == -EEXIST; i++)
                id = nsid_take(socket, netns_fd, wanted - (int)i);
        if (id < 0)
                return id;
        for (size_t i = 0; i < record->n_entries && !entry; i++)
                if (record->entries[i].id == id)
                        entry = &record->entries[i];
        if (!entry)
                entry = append(record, seat, id);
        if (!entry)
                return -ENOMEM;
        netns_record_retire_seat(record, seat);
        (void)string_copy(entry->seat, sizeof(entry->seat), seat);
        entry->use = use;
        return 0;
}

void netns_record_retire(struct netns_record *record, int id) {
        for (size_t i = 0; i < record->n_entries; i++)
                if (record->entries[i].id == id)
                        record->entries[i].use = NETNS_USE_FORMER;
}

static bool is_former(const struct netns_entry *entry, const char *seat) {
        return entry->use == NETNS_USE_FORMER && (!seat || string_equal(entry->seat, seat));
}

void netns_record_prune(struct netns_record *record, struct link_socket *socket, const char *seat) {
        size_t n = 0;

        for (size_t i = 0; i < record->n_entries; i++) {
                /* If the kernel does not answer, the namespace counts as existing. */
                if (!is_former(&record->entries[i], seat) ||
                        nsid_is_alive(socket, record->entries[i].id) != 0)
                        record->entries[n++] = record->entries[i];
        }
        record->n_entries = n;
}

bool netns_record_has_kept(const struct netns_record *record, const char *seat) {
        for (size_t i = 0; i < record->n_entries; i++)
                if (record->entries[i].use == NETNS_USE_KEPT && string_equal(record->entries[i].seat, seat))
                        return true;
        return false;
}

size_t netns_record_count_former(const struct netns_record *record, const char *seat) {
        size_t n = 0;

        for (size_t i = 0; i < record->n_entries; i++)
                n += is_former(&record->entries[i], seat);
        return n;
}

size_t netns_former_limit(void) {
        long pages = sysconf(_SC_PHYS_PAGES), page = sysconf(_SC_PAGESIZE);
        _cleanup_free_ char *text = NULL;
        size_t by_memory = SIZE_MAX, by_kernel = SIZE_MAX;

        if (pages > 0 && page > 0)
                by_memory = (size_t)pages * (size_t)page / 16U / NETNS_BYTES;
        if (runtime_file_read("/proc/sys/user/max_net_namespaces", &text) >= 0)
                by_kernel = strtoul(text, NULL, 10) / 4U;
        return by_memory < by_kernel ? by_memory : by_kernel;
}
