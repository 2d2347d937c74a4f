/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Merges the sorted lists of units and leases, one seat at a time. A lease may exist before any unit of its
 * seat, and a seat that lingers has no lease.
 */

#include "snapshot.h"

void snapshot_done(struct snapshot *snapshot) {
        free(snapshot->seats);
        *snapshot = (struct snapshot){0};
}

/* Compares by number. All ids of a site have course numbers of the same width, so a longer id has the larger
 * seat number. */
static int compare_ids(const char *a, const char *b, unsigned course_digits) {
        int r = strncmp(a, b, course_digits);

        if (r != 0)
                return r;
        if (strlen(a) != strlen(b))
                return strlen(a) < strlen(b) ? -1 : 1;
        return strcmp(a, b);
}

static int compare_units(const void *a, const void *b, void *course_digits) {
        const struct unit *one = a, *other = b;

        return compare_ids(one->instance, other->instance, *(const unsigned *)course_digits);
}

static int compare_leases(const void *a, const void *b, void *course_digits) {
        const struct reply *one = a, *other = b;
        int r = compare_ids(one->seat, other->seat, *(const unsigned *)course_digits);

        if (r != 0)
                return r;
        return one->since_usec < other->since_usec ? -1 : one->since_usec > other->since_usec;
}

/* From the seat's unit; while that is down, from the namespace's, which starts first and stops last. */
static const char *seat_state(const enum unit_state states[static _UNIT_KIND_MAX], size_t n_leases) {
        switch (states[UNIT_SEAT]) {
        case UNIT_UP:
                return "up";
        case UNIT_STARTING:
                return "starting";
        case UNIT_STOPPING:
                return "stopping";
        case UNIT_FAILED:
                return "failed";
        case UNIT_DOWN:
                break;
        }
        switch (states[UNIT_NAMESPACE]) {
        case UNIT_STOPPING:
                return "stopping";
        case UNIT_FAILED:
                return "failed";
        case UNIT_STARTING:
        case UNIT_UP:
                return "starting";
        case UNIT_DOWN:
                break;
        }
        return n_leases > 0 ? "starting" : NULL;
}

/* Nobody can enter a container that is stopping, so it counts as none. */
static const char *container_state(enum unit_state state) {
        switch (state) {
        case UNIT_UP:
                return "running";
        case UNIT_STARTING:
                return "starting";
        case UNIT_FAILED:
                return "failed";
        case UNIT_STOPPING:
        case UNIT_DOWN:
                break;
        }
        return "none";
}

/* A lease that uses or keeps the seat. */
static const struct reply *lease_of(const struct snapshot_seat *seat) {
        return seat->n_leases > 0 ? &seat->leases[0] : seat->kept;
}

/* From the lease that started the seat; otherwise from the roster, which also has removed students. */
static void find_user(const struct site *site, const struct seat_id *id, struct snapshot_seat *seat) {
        const struct site_course *course = site_find_course(site, id->course);

        const struct reply *lease = lease_of(seat);

        if (lease) {
                (void)string_copy(seat->user, sizeof(seat->user), lease->user);
                return;
        }
        for (size_t i = 0; course && i < course->roster.n_lines; i++) {
                const struct roster_line *line = &course->roster.lines[i];

                if (line->student[0] && line->seat == id->number)
                        (void)name_rule_format(&site->settings.rule, id->course, line->student, seat->user);
        }
}

static void find_address(
        const char *etc, const struct site *site, const struct seat_id *id, struct snapshot_seat *seat) {
        _cleanup_diagnostics_ struct diagnostics ignored = {0};
        const struct reply *lease = lease_of(seat);
        struct seat_plan plan = {0};
        bool planned = seat_plan_load(etc, &site->settings, id, &plan, &ignored) >= 0;

        if (lease && lease->address != 0 && lease->prefix <= 32) {
                seat->address = (struct address){.ip = lease->address, .prefix = lease->prefix};
                seat->has_address = true;
        } else if (planned) {
                seat->address = plan.address;
                seat->has_address = true;
        }
        /* A seat that is up keeps its addresses when the settings change, and a lease says only one of them.
         */
        if (planned && plan.address.ip == seat->address.ip)
                seat->address6 = plan.address6;
}

/*
 * False if the seat is down, or is not a seat: an administrator's own instances, such as cont@test123, are
 * not listed.
 */
static bool fill_seat(const char *etc, const struct site *site, const char *name,
        const enum unit_state states[static _UNIT_KIND_MAX], struct snapshot_seat *seat) {
        struct seat_plan names;
        struct seat_id id;

        seat->state = seat_state(states, seat->n_leases);
        if (!seat->state || seat_id_parse(name, site->settings.course_digits, &id) < 0)
                return false;

        seat->container = container_state(states[UNIT_CONTAINER]);
        seat_plan_name(name, &names);
        (void)string_copy(seat->seat, sizeof(seat->seat), name);
        (void)string_copy(seat->course, sizeof(seat->course), id.course);
        (void)string_copy(seat->netns, sizeof(seat->netns), names.netns);
        find_user(site, &id, seat);
        find_address(etc, site, &id, seat);
        return true;
}

/* The position in each list. */
struct cursor {
        const struct unit_list *units;
        const struct lease_list *leases;
        size_t unit, lease;
};

static const struct unit *current_unit(const struct cursor *cursor) {
        return cursor->unit < cursor->units->n_units ? &cursor->units->units[cursor->unit] : NULL;
}

static const struct reply *current_lease(const struct cursor *cursor) {
        return cursor->lease < cursor->leases->n_leases ? &cursor->leases->leases[cursor->lease] : NULL;
}

/* The next id of both lists. NULL: both are at their end. */
static const char *next_id(const struct cursor *cursor, unsigned course_digits) {
        const struct unit *unit = current_unit(cursor);
        const struct reply *lease = current_lease(cursor);

        if (unit && lease)
                return compare_ids(unit->instance, lease->seat, course_digits) <= 0 ? unit->instance
                                                                                    : lease->seat;
        return unit ? unit->instance : lease ? lease->seat : NULL;
}

/* There are few, so a linear search is fast enough. */
static const struct reply *find_kept(const struct lease_list *leases, const char *seat) {
        for (size_t i = 0; i < leases->n_lingering; i++)
                if (leases->lingering[i].pid > 0 && string_equal(leases->lingering[i].seat, seat))
                        return &leases->lingering[i];
        return NULL;
}

/* Moves both lists to the next id. Returns what fill_seat() does. */
static bool take_seat(const char *etc, const struct site *site, const char *name, struct cursor *cursor,
        struct snapshot_seat *ret) {
        enum unit_state states[_UNIT_KIND_MAX] = {0};
        const struct reply *lease;

        *ret = (struct snapshot_seat){
                .leases = current_lease(cursor), .kept = find_kept(cursor->leases, name)};
        for (const struct unit *unit; (unit = current_unit(cursor)) && string_equal(unit->instance, name);
                cursor->unit++)
                states[unit->kind] = unit->state;
        for (; (lease = current_lease(cursor)) && string_equal(lease->seat, name); cursor->lease++)
                ret->n_leases++;
        return fill_seat(etc, site, name, states, ret);
}

int snapshot_make(const char *etc, const struct site *site, struct unit_list *units,
        struct lease_list *leases, struct snapshot *ret) {
        struct cursor cursor = {.units = units, .leases = leases};
        unsigned course_digits = site->settings.course_digits;
        struct snapshot snapshot = {0};

        if (units->n_units > 0)
                qsort_r(units->units, units->n_units, sizeof(*units->units), compare_units, &course_digits);
        if (leases->n_leases > 0)
                qsort_r(leases->leases, leases->n_leases, sizeof(*leases->leases), compare_leases,
                        &course_digits);

        snapshot.seats = calloc(units->n_units + leases->n_leases + 1, sizeof(*snapshot.seats));
        if (!snapshot.seats)
                return -ENOMEM;
        for (const char *name; (name = next_id(&cursor, course_digits));)
                if (take_seat(etc, site, name, &cursor, &snapshot.seats[snapshot.n_seats]))
                        snapshot.n_seats++;

        *ret = snapshot;
        return 0;
}

/* --- other servers ----------------------------------------------------------------------------- */

static int compare_seats(const void *a, const void *b, void *course_digits) {
        const struct snapshot_seat *one = a, *other = b;
        int r = compare_ids(one->seat, other->seat, *(const unsigned *)course_digits);

        return r != 0 ? r : !!one->claim - !!other->claim;
}

static void fill_claimed(const char *etc, const struct site *site, const struct listed_claim *claim,
        struct snapshot_seat *ret) {
        struct seat_plan names;

        *ret = (struct snapshot_seat){.state = "up", .container = "none", .claim = claim};
        seat_plan_name(claim->seat, &names);
        (void)string_copy(ret->seat, sizeof(ret->seat), claim->seat);
        (void)string_copy(ret->course, sizeof(ret->course), claim->id.course);
        (void)string_copy(ret->user, sizeof(ret->user), claim->user);
        (void)string_copy(ret->netns, sizeof(ret->netns), names.netns);
        find_address(etc, site, &claim->id, ret);
}

int snapshot_add_claims(
        const char *etc, const struct site *site, const struct hosts_list *list, struct snapshot *snapshot) {
        unsigned course_digits = site->settings.course_digits;
        struct snapshot_seat *seats;

        seats = reallocarray(snapshot->seats, snapshot->n_seats + list->n_claims + 1, sizeof(*seats));
        if (!seats)
                return -ENOMEM;
        snapshot->seats = seats;
        for (size_t i = 0; i < list->n_claims; i++)
                if (!string_equal(list->claims[i].host, list->own))
                        fill_claimed(etc, site, &list->claims[i], &seats[snapshot->n_seats++]);
        qsort_r(seats, snapshot->n_seats, sizeof(*seats), compare_seats, &course_digits);
        return 0;
}
