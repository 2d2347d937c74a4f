/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * All leases by id. Each other query goes through the whole table, which takes microseconds for the 4096
 * leases that there may be. This folder and request/ call these functions, and seat/ does through the
 * callbacks in struct seats.
 */

#include "lease-table.h"
#include "base/peer.h"
#include "lease-object.h"

#define UNIT_HEAD "coursenet-"
#define UNIT_TAIL ".slice"

void lease_unit_name(const char *id, char ret_unit[static LEASE_UNIT_SIZE]) {
        (void)snprintf(ret_unit, LEASE_UNIT_SIZE, UNIT_HEAD "%s" UNIT_TAIL, id);
}

bool lease_unit_parse(const char *unit, char ret_id[static LEASE_ID_SIZE]) {
        size_t length = strlen(unit), head = strlen(UNIT_HEAD), tail = strlen(UNIT_TAIL);

        if (length <= head + tail || length - head - tail >= LEASE_ID_SIZE ||
                !string_starts_with(unit, UNIT_HEAD) || !string_equal(unit + length - tail, UNIT_TAIL))
                return false;
        (void)snprintf(ret_id, LEASE_ID_SIZE, "%.*s", (int)(length - head - tail), unit + head);
        return lease_id_valid(ret_id);
}

bool lease_is_active(const struct lease *lease) {
        return lease->state == LEASE_ADOPTING || lease->state == LEASE_BREAKING ||
               lease->state == LEASE_ACTIVE || lease->state == LEASE_ORPHANED || lease->state == LEASE_HOLD;
}

bool lease_lingers(const struct lease *lease) {
        return lease->state == LEASE_LINGERING || lease->state == LEASE_SETTLING ||
               lease->state == LEASE_KEPT;
}

uid_t lease_uid(const struct lease *lease) {
        return lease->record.uid;
}

struct lease *lease_table_find(const struct lease_table *table, const char *id) {
        struct lease *lease;

        HASH_FIND_STR(table->leases, id, lease);
        return lease;
}

struct lease *lease_table_find_unit(const struct lease_table *table, const char *unit) {
        char id[LEASE_ID_SIZE];

        return lease_unit_parse(unit, id) ? lease_table_find(table, id) : NULL;
}

/* The first that fits what is wanted. */
typedef bool (*matches_t)(const struct lease *lease, const void *wanted);

static struct lease *find(const struct lease_table *table, matches_t matches, const void *wanted) {
        struct lease *lease, *next;

        HASH_ITER (hh, table->leases, lease, next)
                if (matches(lease, wanted))
                        return lease;
        return NULL;
}

struct login {
        const char *user, *service;
        pid_t opener;
};

/* Its opener has its answer, and is not a dead process whose number another one has now. */
static bool is_login(const struct lease *lease, const void *wanted) {
        const struct login *login = wanted;
        bool answered =
                lease->record.no_wait || lease->state == LEASE_ADOPTING || lease->state == LEASE_BREAKING;
        bool early =
                lease->state < LEASE_ACTIVE && answered && peer_check_pidfd(lease->pidfd, login->opener) >= 0;

        return (early || lease->state == LEASE_ACTIVE) && lease->record.opener == login->opener &&
               string_equal(lease->record.user, login->user) &&
               string_equal(lease->record.service, login->service);
}

struct lease *lease_table_find_login(
        const struct lease_table *table, const char *user, const char *service, pid_t opener) {
        return find(table, is_login, &(struct login){user, service, opener});
}

struct opening {
        const char *token;
        uid_t uid;
        pid_t opener;
};

/* A student chooses the token of coursenet-enter, so the process must be the very one, and not another with
 * its number. */
static bool is_unanswered(const struct lease *lease, const void *wanted) {
        const struct opening *opening = wanted;

        return (lease->state == LEASE_ACTIVE || lease->state == LEASE_ADOPTING) && !lease->waiter.place &&
               lease->record.opener == opening->opener && lease->record.uid == opening->uid &&
               string_equal(lease->record.token, opening->token) &&
               peer_check_pidfd(lease->pidfd, opening->opener) >= 0;
}

struct lease *lease_table_find_unanswered(
        const struct lease_table *table, const char *token, uid_t uid, pid_t opener) {
        return token[0] ? find(table, is_unanswered, &(struct opening){token, uid, opener}) : NULL;
}

struct hold {
        const char *user, *service;
};

static bool is_hold(const struct lease *lease, const void *wanted) {
        const struct hold *hold = wanted;

        return lease->record.hold && lease->state != LEASE_ENDING &&
               string_equal(lease->record.user, hold->user) &&
               string_equal(lease->record.service, hold->service);
}

struct lease *lease_table_find_hold(const struct lease_table *table, const char *user, const char *service) {
        return find(table, is_hold, &(struct hold){user, service});
}

static bool is_of_seat(const struct lease *lease, const void *wanted) {
        return string_equal(lease->record.seat, wanted);
}

struct lease *lease_table_find_seat(const struct lease_table *table, const char *seat) {
        return find(table, is_of_seat, seat);
}

bool lease_table_has_seat(void *table, const char *seat) {
        return find(table, is_of_seat, seat);
}

static bool keeps_seat(const struct lease *lease, const void *wanted) {
        return is_of_seat(lease, wanted) && lease->state != LEASE_ENDING;
}

bool lease_table_keeps_seat(const struct lease_table *table, const char *seat) {
        return find(table, keeps_seat, seat);
}

struct place {
        const char *seat, *user;
};

static bool is_of_another(const struct lease *lease, const void *wanted) {
        const struct place *place = wanted;

        return string_equal(lease->record.seat, place->seat) &&
               !string_equal(lease->record.user, place->user);
}

bool lease_table_has_other_user(const struct lease_table *table, const char *seat, const char *user) {
        return find(table, is_of_another, &(struct place){seat, user});
}

static bool is_of_user(const struct lease *lease, const void *wanted) {
        return lease->record.uid == *(const uid_t *)wanted && !lease->record.hold;
}

bool lease_table_has_user(void *table, uid_t uid) {
        return find(table, is_of_user, &uid);
}

static bool is_active_of_user(const struct lease *lease, const void *wanted) {
        return is_of_user(lease, wanted) && lease_is_active(lease);
}

const char *lease_table_user_name(const struct lease_table *table, uid_t uid) {
        struct lease *lease = find(table, is_active_of_user, &uid);

        return lease ? lease->record.user : NULL;
}

static bool is_other(const struct lease *lease, const struct lease *other) {
        return lease != other && lease_is_active(lease) &&
               string_equal(lease->record.seat, other->record.seat);
}

static bool is_other_hold(const struct lease *lease, const void *wanted) {
        return is_other(lease, wanted) && lease->record.hold;
}

static bool is_other_login(const struct lease *lease, const void *wanted) {
        return is_other(lease, wanted) && !lease->record.hold;
}

bool lease_table_has_other_hold(const struct lease *lease) {
        return find(lease->table, is_other_hold, lease);
}

bool lease_table_has_other_login(const struct lease *lease) {
        return find(lease->table, is_other_login, lease);
}

size_t lease_table_size(const struct lease_table *table) {
        return HASH_COUNT(table->leases);
}

void lease_table_count(const struct lease_table *table, uid_t uid, struct lease_counts *ret) {
        struct lease_counts counts = {0};
        struct lease *lease, *next;

        HASH_ITER (hh, table->leases, lease, next) {
                bool enter = lease_is_entered(lease), own = is_of_user(lease, &uid);

                counts.all++;
                counts.enter += enter;
                counts.of_user += own;
                counts.enter_of_user += own && enter;
        }
        *ret = counts;
}

void lease_table_each(struct lease_table *table, lease_visit_t visit, void *userdata) {
        struct lease *lease, *next;

        HASH_ITER (hh, table->leases, lease, next)
                visit(lease, userdata);
}

void lease_table_each_of(struct lease_table *table, const char *target, lease_visit_t visit, void *userdata) {
        struct lease *lease, *next;

        HASH_ITER (hh, table->leases, lease, next)
                if (string_equal(lease->record.user, target) || string_equal(lease->record.seat, target) ||
                        string_equal(lease->record.course, target))
                        visit(lease, userdata);
}
