/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * A cable that is fenced off has an alias, which is set in the same request. Only such a cable is set up
 * here: one that is down without it may be a seat that is being made, without its rules yet.
 *
 * A program that makes a seat looks for the claim again after it has set the cable up (verbs/seat.c), so
 * nothing is missed if the claim goes in between.
 */

#include <syslog.h>

#include "base/claim.h"
#include "base/failure.h"
#include "base/journal.h"
#include "claims.h"
#include "firewall/seat-rules.h"
#include "kernel/neighbour.h"
#include "message-id.h"
#include "number.h"
#include "run-files.h"

static bool is_seat(const char *name) {
        return string_starts_with(name, "vl-") && digits_only(name + strlen("vl-")) &&
               strlen(name) - strlen("vl-") < SEAT_ID_SIZE;
}

const char *claims_seat(const struct link *cable) {
        return cable->name + strlen("vl-");
}

static bool is_on(const struct links *stretches, const struct link *cable) {
        for (size_t i = 0; i < stretches->n_items; i++)
                if (stretches->items[i].master != 0 && stretches->items[i].master == cable->master)
                        return true;
        return false;
}

int claims_list_cables(struct link_socket *socket, struct links *ret) {
        _cleanup_links_ struct links stretches = {0};
        size_t n = 0;
        int r;

        r = link_list_ours(socket, "vxlan", &stretches);
        if (r < 0 || stretches.n_items == 0)
                return r;
        r = link_list_ours(socket, "veth", ret);
        if (r < 0)
                return r;
        for (size_t i = 0; i < ret->n_items; i++)
                if (is_seat(ret->items[i].name) && is_on(&stretches, &ret->items[i]))
                        ret->items[n++] = ret->items[i];
        ret->n_items = n;
        return 0;
}

/* Back on the network: the other members are told at once. */
static void announce(struct link_socket *socket, const struct link *cable) {
        struct seat_plan plan;

        if (seat_rules_read(cable->name, &plan) >= 0)
                (void)neighbour_announce(socket, cable->master, cable->index, &plan);
}

/*
 * What comes from other members in the name of a seat is refused only while the seat is live here. The lock
 * keeps a restoration of all rules from using what was so before.
 */
static int set_fenced(
        struct link_socket *socket, const struct link *cable, bool fenced, struct diagnostics *diagnostics) {
        _cleanup_close_ int lock = -1;
        int r = seat_rules_lock(&lock), changed;

        if (r < 0)
                diagnostics_warning(
                        diagnostics, cable->name, 0, "its firewall cannot be locked: %s", strerror(-r));
        r = fenced ? 0 : seat_rules_set_local(cable->name, true, diagnostics);
        changed = link_set_fenced(socket, cable, fenced);
        if (fenced && changed >= 0)
                r = seat_rules_set_local(cable->name, false, diagnostics);
        return changed < 0 ? changed : r;
}

/* Returns 1 if the cable was changed, or 0. */
static int update(struct link_socket *socket, const struct link *cable, struct diagnostics *diagnostics) {
        bool good = claim_look(claims_seat(cable)) == CLAIM_GOOD;
        int r;

        if (good ? !cable->fenced : !(cable->flags & IFF_UP))
                return 0;
        r = set_fenced(socket, cable, !good, diagnostics);
        if (r == -ENODEV)
                return 0;
        if (r >= 0 && good)
                announce(socket, cable);
        return r < 0 ? r : 1;
}

struct counts {
        size_t n_off, n_back, n_over;
};

static void tell(const struct counts *counts) {
        char text[256];

        if (counts->n_off > 0) {
                (void)snprintf(text, sizeof(text), "%zu %s of spread courses taken off the network, %s",
                        counts->n_off, counts->n_off == 1 ? "seat" : "seats",
                        counts->n_over > 0 ? "because this server is cut off from the store of the claims: "
                                             "coursenetctl hosts"
                                           : "because this server has no claim to them any more");
                (void)journal_send_id(JOURNAL_SOCKET, LOG_WARNING, MESSAGE_FENCED_OFF, text);
        }
        if (counts->n_back > 0) {
                (void)snprintf(text, sizeof(text),
                        "%zu %s of spread courses on the network again, with the claims of this server",
                        counts->n_back, counts->n_back == 1 ? "seat" : "seats");
                (void)journal_send_id(JOURNAL_SOCKET, LOG_NOTICE, MESSAGE_FENCED_OFF, text);
        }
}

int claims_update(struct diagnostics *diagnostics) {
        _cleanup_link_socket_ struct link_socket socket = {0};
        _cleanup_links_ struct links cables = {0};
        struct counts counts = {0};
        int r, result = 0;

        r = link_open(&socket);
        if (r >= 0)
                r = claims_list_cables(&socket, &cables);
        if (r < 0)
                return failure(diagnostics, "the seats of spread courses", r, "cannot be listed");
        for (size_t i = 0; i < cables.n_items; i++) {
                const struct link *cable = &cables.items[i];
                bool over = !claims_are_good();

                r = update(&socket, cable, diagnostics);
                if (r < 0)
                        result = failure(diagnostics, cable->name, r,
                                cable->fenced ? "cannot be put on the network again"
                                              : "cannot be taken off the network");
                counts.n_back += r > 0 && cable->fenced;
                counts.n_off += r > 0 && !cable->fenced;
                counts.n_over += r > 0 && !cable->fenced && over;
        }
        tell(&counts);
        return result;
}

bool claims_are_used(void) {
        struct if_nameindex *list;
        bool found = access(HOSTS_DIRECTORY, F_OK) >= 0;

        list = found ? NULL : if_nameindex();
        for (struct if_nameindex *item = list; item && item->if_index != 0; item++)
                found |= string_starts_with(item->if_name, "vx-");
        if (list)
                if_freenameindex(list);
        return found;
}
