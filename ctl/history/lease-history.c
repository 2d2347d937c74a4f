/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "lease-history.h"
#include "protocol.h"

static void past_lease_free(struct past_lease *lease) {
        free(lease->id);
        free(lease->user);
        free(lease->seat);
        free(lease->address);
        free(lease->address6);
        free(lease->service);
        free(lease->remote_host);
        free(lease->host);
        free(lease);
}

void lease_history_done(struct lease_history *history) {
        struct past_lease *lease, *next;

        HASH_ITER (hh, history->leases, lease, next) {
                HASH_DEL(history->leases, lease);
                past_lease_free(lease);
        }
}

static int copy_texts(struct past_lease *lease, const struct lease_event *event) {
        const struct {
                char **to;
                const char *from;
        } texts[] = {
                {&lease->id, event->id},
                {&lease->user, event->user},
                {&lease->seat, event->seat},
                {&lease->address, event->address},
                {&lease->address6, event->address6},
                {&lease->service, event->service},
                {&lease->remote_host, event->remote_host},
                {&lease->host, event->host},
        };

        for (size_t i = 0; i < ELEMENTSOF(texts); i++) {
                *texts[i].to = strdup(texts[i].from);
                if (!*texts[i].to)
                        return -ENOMEM;
        }
        return 0;
}

static int append(struct lease_history *history, const struct lease_event *event, uint64_t since_usec,
        struct past_lease **ret) {
        struct past_lease *lease = calloc(1, sizeof(*lease));

        if (!lease)
                return -ENOMEM;
        if (copy_texts(lease, event) < 0) {
                past_lease_free(lease);
                return -ENOMEM;
        }
        lease->since_usec = since_usec;
        lease->boot = event->boot;
        HASH_ADD_KEYPTR(hh, history->leases, lease->id, strlen(lease->id), lease);
        *ret = lease;
        return 0;
}

int lease_history_add(struct lease_history *history, const struct lease_event *event, uint64_t begins_usec) {
        bool given = string_equal(event->what, LEASE_GIVEN), held = string_equal(event->what, LEASE_HELD);
        struct past_lease *lease;
        int r;

        HASH_FIND_STR(history->leases, event->id, lease);
        if (!lease) {
                /* A lease with only an end was never given, unless it began before the journal does. */
                if (!given && !held && (event->since_usec == 0 || event->since_usec >= begins_usec))
                        return 0;
                r = append(history, event, given ? event->usec : event->since_usec, &lease);
                if (r < 0)
                        return r;
        }
        if (given || held)
                return 0;
        if (string_equal(event->what, LEASE_LINGERS)) {
                lease->lingers = true;
                return 0;
        }
        lease->until_usec = event->usec;
        lease->end = string_equal(event->what, LEASE_TAKEN) ? LEASE_END_TAKEN : LEASE_END_LOGOUT;
        return 0;
}

/* What is known of a boot already. */
struct known_boot {
        sd_id128_t id;
        int state;
        uint64_t usec;
        UT_hash_handle hh;
};

static void known_boots_free(struct known_boot **boots) {
        struct known_boot *boot, *next;

        HASH_ITER (hh, *boots, boot, next) {
                HASH_DEL(*boots, boot);
                free(boot);
        }
}

/* Negative errno. *boots: a uthash, by id. */
static int find_boot(struct known_boot **boots, sd_id128_t id, boot_end_t boot_end, void *userdata,
        const struct known_boot **ret) {
        struct known_boot *boot;

        HASH_FIND(hh, *boots, &id, sizeof(id), boot);
        if (!boot) {
                boot = calloc(1, sizeof(*boot));
                if (!boot)
                        return -ENOMEM;
                boot->id = id;
                boot->state = boot_end(userdata, id, &boot->usec);
                HASH_ADD(hh, *boots, id, sizeof(boot->id), boot);
        }
        *ret = boot;
        return boot->state < 0 ? boot->state : 0;
}

static void end_with_boot(struct past_lease *lease, const struct known_boot *boot) {
        if (boot->state == BOOT_UNKNOWN)
                lease->end = LEASE_END_UNKNOWN;
        if (boot->state != BOOT_OVER)
                return;
        lease->until_usec = boot->usec > lease->since_usec ? boot->usec : lease->since_usec;
        lease->end = LEASE_END_BOOT;
}

int lease_history_end_boots(struct lease_history *history, boot_end_t boot_end, void *userdata) {
        _cleanup_(known_boots_free) struct known_boot *boots = NULL;
        const struct known_boot *boot;
        struct past_lease *lease, *next;
        int r;

        HASH_ITER (hh, history->leases, lease, next) {
                if (lease->end != LEASE_END_NONE)
                        continue;
                r = find_boot(&boots, lease->boot, boot_end, userdata, &boot);
                if (r < 0)
                        return r;
                end_with_boot(lease, boot);
        }
        return 0;
}

void lease_history_end_unseen(struct lease_history *history, uint64_t usec,
        bool (*is_live)(void *userdata, const struct past_lease *lease), void *userdata) {
        struct past_lease *lease, *next;

        HASH_ITER (hh, history->leases, lease, next)
                if (lease->end == LEASE_END_NONE && !lease->lingers && lease->since_usec < usec &&
                        !is_live(userdata, lease))
                        lease->end = LEASE_END_UNKNOWN;
}

static int compare(const struct past_lease *a, const struct past_lease *b) {
        return (a->since_usec > b->since_usec) - (a->since_usec < b->since_usec);
}

void lease_history_sort(struct lease_history *history) {
        HASH_SORT(history->leases, compare);
}

bool past_lease_within(const struct past_lease *lease, const struct span *span) {
        return lease->since_usec < span->to_usec &&
               (lease->end == LEASE_END_NONE || lease->end == LEASE_END_UNKNOWN ||
                       lease->until_usec >= span->from_usec);
}
