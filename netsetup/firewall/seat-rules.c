/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Applies the rules of seats: of one seat over netlink (seat-chain.c), for seat.c, and of all seats through
 * libnftables, for `coursenet-host refresh seats`. The record of a seat is written before its rules, and
 * removed after them, so that a stop always knows what to take back.
 */

#include <dirent.h>

#include "base/failure.h"
#include "base/runtime-file.h"
#include "kernel/link.h"
#include "nft-text.h"
#include "nftables.h"
#include "ruleset.h"
#include "seat-chain.h"
#include "seat-rules.h"

#define SEATS "the seats"

#define LOCK_FILE RUN_DIRECTORY "/seats.lock"
#define RECORD_DIRECTORY RUN_DIRECTORY "/seats"

#define REFRESH_TRIES 10U

/* Whether or not it is there: it was looked for before the lock was taken. */
#define REMOVAL(table) "add table " table "\ndelete table " table "\n"

typedef char record_path_t[sizeof(RECORD_DIRECTORY "/") + IFNAMSIZ];

int seat_rules_lock(int *ret_fd) {
        return runtime_lock_take_shared(LOCK_FILE, ret_fd);
}

/* --- the record of one seat ---------------------------------------------------------------------------- */

static void format_path(const char *link, record_path_t ret_path) {
        (void)snprintf(ret_path, sizeof(record_path_t), RECORD_DIRECTORY "/%s", link);
}

#define RECORD_SPREAD ", spread"

/*
 * One line: what a seat that is up keeps of the settings. Its rules need the first two words, the bridge, and
 * whether the bridge is one network with those of other members.
 */
static char *format_record(const struct seat_plan *plan) {
        char address[ADDRESS_TEXT_SIZE], gateway[ADDRESS_TEXT_SIZE], *record;
        char address6[ADDRESS6_TEXT_SIZE], gateway6[ADDRESS6_TEXT_SIZE];

        address_format(&plan->address, address);
        address_format_ip(plan->gateway, gateway);
        address6_format(&plan->address6, address6);
        address6_format_ip(&plan->gateway6, gateway6);
        return asprintf(&record, "%s %s via %s %s on %s%s%s\n", address, address6, gateway, gateway6,
                       plan->bridge, plan->dns ? ", with names" : "", plan->spread ? RECORD_SPREAD : "") < 0
                       ? NULL
                       : record;
}

static bool parse_record(const char *record, struct seat_plan *plan) {
        char address[ADDRESS_TEXT_SIZE], address6[ADDRESS6_TEXT_SIZE], bridge[IFNAMSIZ] = "";
        const char *course;

        if (sscanf(record, "%18s %49s via %*s %*s on %15[^ ,\n]", address, address6, bridge) < 2 ||
                address_parse(address, 32, &plan->address) < 0 ||
                address6_parse(address6, 128, &plan->address6) < 0)
                return false;
        plan->peer_mac = mac_of_host(plan->address.ip);
        course = strstr(record, RECORD_SPREAD "\n") ? bridge_course(bridge) : NULL;
        plan->spread = course && string_copy(plan->bridge_course, sizeof(plan->bridge_course), course) >= 0;
        return true;
}

int seat_rules_read(const char *link, struct seat_plan *ret) {
        _cleanup_free_ char *record = NULL;
        struct seat_plan plan;
        record_path_t path;
        int r;

        format_path(link, path);
        r = runtime_file_read(path, &record);
        if (r < 0)
                return r;
        seat_plan_name(link + strlen("vl-"), &plan);
        if (!parse_record(record, &plan))
                return -EBADMSG;
        *ret = plan;
        return 0;
}

bool seat_rules_fit(const char *link, const struct seat_plan *plan) {
        _cleanup_free_ char *record = NULL, *planned = format_record(plan);
        record_path_t path;

        format_path(link, path);
        return planned && runtime_file_read(path, &record) >= 0 && string_equal(record, planned);
}

static int keep(const struct seat_plan *plan) {
        _cleanup_free_ char *record = format_record(plan);
        record_path_t path;
        int r;

        if (!record)
                return -ENOMEM;
        format_path(plan->link, path);
        r = runtime_directory_make(RECORD_DIRECTORY, 0700);
        return r < 0 ? r : runtime_file_write(path, record, 0600);
}

static void forget(const char *link) {
        record_path_t path;

        format_path(link, path);
        runtime_file_remove(path);
}

/* --- one seat ------------------------------------------------------------------------------------------ */

/* All tables, also those that have no seat yet. NULL: out of memory. */
static char *format_tables(bool empty_sets, bool any_spread) {
        char *text = any_spread ? ruleset_format_local(empty_sets) : strdup("");

        for (unsigned i = 0; text && i < RULESET_SEATS_TABLES; i++) {
                _cleanup_free_ char *table = ruleset_format_seats(i, empty_sets), *before = text;

                if (!table || asprintf(&text, "%s%s", before, table) < 0)
                        text = NULL;
        }
        return text;
}

static int make_tables(bool any_spread, struct diagnostics *diagnostics) {
        _cleanup_free_ char *commands = format_tables(false, any_spread);

        return commands ? nftables_apply(commands, SEATS, diagnostics)
                        : failure(diagnostics, SEATS, -ENOMEM, "their firewall cannot be set");
}

/* change: one of seat_chain.h's. Where the table is missing, or part of it, it is made first. */
static int change_chain(int (*change)(const struct seat_plan *plan), const struct seat_plan *plan,
        struct diagnostics *diagnostics) {
        int r = change(plan);

        if (r == -ENOENT) {
                r = make_tables(plan->spread, diagnostics);
                if (r < 0)
                        return r;
                r = change(plan);
        }
        return r < 0 ? failure(diagnostics, plan->link, r, "its firewall cannot be changed") : 0;
}

/* A stop that was killed may have left elements for the seat's earlier addresses. */
static int remove_earlier(const struct seat_plan *plan, struct diagnostics *diagnostics) {
        struct seat_plan earlier;

        if (seat_rules_fit(plan->link, plan) || seat_rules_read(plan->link, &earlier) < 0)
                return 0;
        return change_chain(seat_chain_remove, &earlier, diagnostics);
}

int seat_rules_apply(const struct seat_plan *plan, struct diagnostics *diagnostics) {
        int r;

        r = remove_earlier(plan, diagnostics);
        if (r < 0)
                return r;
        r = keep(plan);
        if (r < 0)
                return failure(
                        diagnostics, plan->link, r, "its firewall cannot be recorded in " RECORD_DIRECTORY);
        return change_chain(seat_chain_make, plan, diagnostics);
}

int seat_rules_remove(const char *link, struct diagnostics *diagnostics) {
        struct seat_plan plan;
        int r;

        r = seat_rules_read(link, &plan);
        if (r == -ENOENT || r == -EBADMSG)
                /* Then there is at most a chain. */
                seat_plan_name(link + strlen("vl-"), &plan);
        else if (r < 0)
                return failure(diagnostics, link, r, "its record in " RECORD_DIRECTORY " cannot be read");
        r = change_chain(seat_chain_remove, &plan, diagnostics);
        if (r >= 0)
                forget(link);
        return r;
}

static int set_local(const struct seat_plan *plan) {
        return seat_chain_set_local(plan, true);
}

static int unset_local(const struct seat_plan *plan) {
        return seat_chain_set_local(plan, false);
}

int seat_rules_set_local(const char *link, bool local, struct diagnostics *diagnostics) {
        struct seat_plan plan;

        if (seat_rules_read(link, &plan) < 0 || !plan.spread)
                return 0;
        return change_chain(local ? set_local : unset_local, &plan, diagnostics);
}

/* --- all seats ----------------------------------------------------------------------------------------- */

/* The empty value is all zero. */
struct refresh {
        const char *etc;
        struct settings settings; /* read when a link needs them */
        bool has_settings;
        struct links links;                   /* ours, also what is no seat's */
        char *listings[RULESET_SEATS_TABLES]; /* of the tables; NULL: there is none */
        bool has_former;                      /* there is RULESET_SEATS_FORMER */
        bool complete;                        /* each of them has its text */
        bool has_local;                       /* there is a table of local seats */
        bool any_spread;                      /* one of them is of a spread course */
        struct nft_texts
                texts; /* commands, each of which could be applied by itself, but after the tables' */
};

static void forget_listings(struct refresh *refresh) {
        for (size_t i = 0; i < RULESET_SEATS_TABLES; i++) {
                free(refresh->listings[i]);
                refresh->listings[i] = NULL;
        }
}

static void refresh_done(struct refresh *refresh) {
        nft_texts_done(&refresh->texts);
        links_done(&refresh->links);
        settings_done(&refresh->settings);
        forget_listings(refresh);
}

#define _cleanup_refresh_ _cleanup_(refresh_done)

/* A link whose record is lost. */
static int plan_seat(
        struct refresh *refresh, const char *seat, struct seat_plan *ret, struct diagnostics *diagnostics) {
        struct seat_id id;
        int r;

        if (!refresh->has_settings) {
                r = settings_load(refresh->etc, &refresh->settings, diagnostics);
                if (r < 0)
                        return r;
                refresh->has_settings = true;
        }
        r = seat_id_parse(seat, refresh->settings.course_digits, &id);
        return r < 0 ? r : seat_plan_load(refresh->etc, &refresh->settings, &id, ret, diagnostics);
}

static int add_rules(struct refresh *refresh, const struct link *link, const struct seat_plan *plan) {
        int r = nft_texts_add(&refresh->texts, ruleset_format_seat(plan));

        refresh->any_spread |= plan->spread;
        return r < 0 || !plan->spread || link->fenced
                       ? r
                       : nft_texts_add(&refresh->texts, ruleset_format_local_seat(plan));
}

/* A seat without a record and without a plan keeps its rules. */
static int add_seat(
        struct refresh *refresh, const struct link *cable, bool locked, struct diagnostics *diagnostics) {
        const char *link = cable->name;
        _cleanup_diagnostics_ struct diagnostics ignored = {0};
        struct seat_plan plan;
        int r = 0;

        if (!string_starts_with(link, "vl-"))
                return 0;
        if (seat_rules_read(link, &plan) >= 0)
                return add_rules(refresh, cable, &plan);
        if (plan_seat(refresh, link + strlen("vl-"), &plan, &ignored) >= 0) {
                /*
                 * A stop needs the record, to remove what it lists. If the lock is not held, a start may be
                 * under way that has not written its record.
                 */
                if (locked)
                        r = keep(&plan);
                return r < 0 ? r : add_rules(refresh, cable, &plan);
        }
        refresh->complete = false;
        diagnostics_warning(diagnostics, link, 0,
                "its firewall is left unchanged, because " RECORD_DIRECTORY
                " has no record of it and the settings have a mistake");
        return 0;
}

static bool is_listed(const struct links *links, const char *name) {
        for (size_t i = 0; i < links->n_items; i++)
                if (string_equal(links->items[i].name, name))
                        return true;
        return false;
}

/*
 * What a stop that was killed has left: chains of links that are not ours, or not any more. A link that goes
 * takes its chain along, but not since Linux 6.16.
 */
static int add_removals(struct refresh *refresh, unsigned table) {
        static const char opening[] = "\tchain ";
        _cleanup_free_ char *listing = strdup(refresh->listings[table]);
        char *rest = listing;
        int r = listing ? 0 : -ENOMEM;

        for (char *line; r >= 0 && (line = strsep(&rest, "\n"));) {
                char *name = line + strlen(opening);

                if (!string_starts_with(line, opening))
                        continue;
                name[strcspn(name, " ")] = '\0';
                if (!string_starts_with(name, "vl-") || strlen(name) >= IFNAMSIZ ||
                        (is_listed(&refresh->links, name) && ruleset_seats_table(name) == table))
                        continue;
                r = nft_texts_add(&refresh->texts, ruleset_format_seat_removal(table, name));
        }
        return r;
}

/* The records are removed after everything that they list. */
static void forget_gone(void) {
        DIR *directory = opendir(RECORD_DIRECTORY);

        if (!directory)
                return;
        for (struct dirent *entry; (entry = readdir(directory));)
                if (string_starts_with(entry->d_name, "vl-") && if_nametoindex(entry->d_name) == 0)
                        (void)unlinkat(dirfd(directory), entry->d_name, 0);
        (void)closedir(directory);
}

static char *join(const struct refresh *refresh, const char *tables, const char *end) {
        _cleanup_free_ char *text = NULL;
        bool failed;
        FILE *stream;
        size_t size;
        char *r;

        stream = open_memstream(&text, &size);
        if (!stream)
                return NULL;
        (void)fputs(tables, stream);
        for (size_t i = 0; i < refresh->texts.n_items; i++)
                (void)fputs(refresh->texts.items[i], stream);
        (void)fputs(end, stream);
        failed = ferror(stream) != 0;
        if (fclose(stream) != 0 || failed)
                return NULL;
        r = text;
        text = NULL;
        return r;
}

/* Each is applied by itself, so that an error of one seat does not affect the others. */
static int apply_one_by_one(const struct refresh *refresh, const char *end, struct diagnostics *diagnostics) {
        int r = make_tables(refresh->any_spread, diagnostics);

        for (size_t i = 0; i < refresh->texts.n_items; i++) {
                int each = nftables_apply(refresh->texts.items[i], SEATS, diagnostics);

                if (each < 0)
                        r = each;
        }
        return r < 0 || end[0] == '\0' ? r : nftables_apply(end, SEATS, diagnostics);
}

/*
 * empty_sets: only these seats may send afterwards. Without the lock, other seats may have started: they keep
 * what they are allowed, and so does a seat without a record.
 */
static int apply(const struct refresh *refresh, bool empty_sets, bool last, struct diagnostics *diagnostics) {
        /* A seat that is not in refresh has its rules nowhere else. */
        const char *end = empty_sets && refresh->has_former ? REMOVAL(RULESET_SEATS_FORMER) : "";
        _cleanup_free_ char *tables = format_tables(empty_sets, refresh->any_spread), *commands = NULL;
        _cleanup_diagnostics_ struct diagnostics ignored = {0};
        int r;

        commands = tables ? join(refresh, tables, end) : NULL;
        if (!commands)
                return failure(diagnostics, SEATS, -ENOMEM, "their firewall cannot be set");
        r = nftables_apply(commands, SEATS, &ignored);
        if (r >= 0 && empty_sets)
                forget_gone();
        return r < 0 && last ? apply_one_by_one(refresh, end, diagnostics) : r;
}

static int collect(
        struct refresh *refresh, struct link_socket *socket, bool locked, struct diagnostics *diagnostics) {
        int r;

        nft_texts_done(&refresh->texts);
        links_done(&refresh->links);
        refresh->complete = true;
        refresh->any_spread = false;
        r = link_list_ours(socket, "veth", &refresh->links);
        for (size_t i = 0; r >= 0 && i < refresh->links.n_items; i++)
                r = add_seat(refresh, &refresh->links.items[i], locked, diagnostics);
        for (unsigned i = 0; r >= 0 && locked && i < RULESET_SEATS_TABLES; i++)
                if (refresh->listings[i])
                        r = add_removals(refresh, i);
        return r >= 0 && locked && refresh->has_local && !refresh->any_spread
                       ? nft_texts_add(&refresh->texts, strdup(REMOVAL(RULESET_LOCAL)))
                       : r;
}

/*
 * A link may go with its namespace at any time, which fails the transaction (before Linux 6.16): then there
 * is a new list to make. So there is when the list of links has changed whenever it was read.
 */
static int refresh_all(
        struct refresh *refresh, struct link_socket *socket, bool locked, struct diagnostics *diagnostics) {
        for (unsigned i = 1;; i++) {
                _cleanup_diagnostics_ struct diagnostics again = {0};
                int r = collect(refresh, socket, locked, i == 1 ? diagnostics : &again);

                if (r == -EAGAIN && i < REFRESH_TRIES)
                        continue;
                if (r < 0)
                        return failure(diagnostics, SEATS, r, "cannot be listed");
                r = apply(refresh, locked && refresh->complete, i == REFRESH_TRIES, diagnostics);
                if (r >= 0 || i == REFRESH_TRIES)
                        return r;
        }
}

static int look_for(const char *table, bool *ret) {
        _cleanup_free_ char *listing = NULL;
        int r = nftables_list_table(table, &listing);

        *ret = r >= 0;
        return r == -ENOENT ? 0 : r;
}

/* Keeps the listings, which show later which seats have no link any more. */
static int list_tables(struct refresh *refresh, struct diagnostics *diagnostics) {
        int r = 0;

        forget_listings(refresh);
        for (unsigned i = 0; (r >= 0 || r == -ENOENT) && i < RULESET_SEATS_TABLES; i++) {
                ruleset_seats_name_t name;

                ruleset_seats_name(i, name);
                r = nftables_list_table(name, &refresh->listings[i]);
        }
        if (r >= 0 || r == -ENOENT)
                r = look_for(RULESET_SEATS_FORMER, &refresh->has_former);
        if (r >= 0)
                r = look_for(RULESET_LOCAL, &refresh->has_local);
        return r < 0 ? failure(diagnostics, SEATS, r, "their firewall cannot be listed") : 0;
}

/*
 * While a class logs in, the lock is never free. The rules of the seats that are up do not wait for that:
 * they are restored at once, and a second time with the lock, because a seat may have stopped or changed in
 * between.
 */
static int restore_and_lock(
        struct refresh *refresh, struct link_socket *socket, int *ret_fd, struct diagnostics *diagnostics) {
        _cleanup_diagnostics_ struct diagnostics ignored = {0};
        int r;

        (void)refresh_all(refresh, socket, false, &ignored);
        r = runtime_lock_take(LOCK_FILE, ret_fd);
        return r < 0 ? failure(diagnostics, LOCK_FILE, r, "cannot be locked")
                     : list_tables(refresh, diagnostics);
}

int seat_rules_refresh(const char *etc, struct diagnostics *diagnostics) {
        _cleanup_refresh_ struct refresh refresh = {.etc = etc};
        _cleanup_link_socket_ struct link_socket socket = {0};
        _cleanup_close_ int lock = -1;
        int r;

        r = link_open(&socket);
        if (r < 0)
                return failure(diagnostics, SEATS, r, "the kernel's network configuration cannot be reached");
        /* This takes long if there are many seats, so no login waits for it. */
        r = list_tables(&refresh, diagnostics);
        if (r < 0)
                return r;
        r = runtime_lock_try(LOCK_FILE, &lock);
        if (r == -EWOULDBLOCK)
                r = restore_and_lock(&refresh, &socket, &lock, diagnostics);
        else if (r < 0)
                r = failure(diagnostics, LOCK_FILE, r, "cannot be locked");
        return r < 0 ? r : refresh_all(&refresh, &socket, true, diagnostics);
}
