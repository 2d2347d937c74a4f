/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Compares which seats of spread courses are on the network with the claims of this member. */

#include "base/claim.h"
#include "base/failure.h"
#include "claims/claims.h"
#include "inspect.h"

#define SEATS_SHOWN 5U

struct seat_list {
        char names[SEATS_SHOWN * (SEAT_ID_SIZE + 2) + sizeof(", ...")];
        size_t n;
};

static void add_seat(struct seat_list *list, const char *seat) {
        size_t length = strlen(list->names);

        list->n++;
        if (list->n <= SEATS_SHOWN + 1)
                (void)snprintf(list->names + length, sizeof(list->names) - length, "%s%s",
                        length > 0 ? ", " : "", list->n <= SEATS_SHOWN ? seat : "...");
}

int inspect_claims(struct inspection *inspection) {
        struct seat_list off = {0}, unclaimed = {0};
        _cleanup_links_ struct links cables = {0};
        bool good = claims_are_good();
        int r;

        r = claims_list_cables(&inspection->host, &cables);
        if (r < 0)
                return failure(inspection->diagnostics, "the seats of spread courses", r, "cannot be listed");
        for (size_t i = 0; i < cables.n_items; i++) {
                const struct link *cable = &cables.items[i];
                const char *seat = claims_seat(cable);

                if (cable->fenced)
                        add_seat(&off, seat);
                else if ((cable->flags & IFF_UP) && claim_look(seat) != CLAIM_GOOD)
                        add_seat(&unclaimed, seat);
        }
        if (off.n > 0) {
                diagnostics_error(inspection->diagnostics, "[hosts]", 0,
                        "seats of spread courses are off the network (%zu: %s), because this server %s",
                        off.n, off.names,
                        good ? "has no claim to them" : "is cut off from the store of the claims");
                diagnostics_advise(
                        inspection->diagnostics, good ? "coursenetctl hosts shows who has them"
                                                      : "systemctl status coursenet-hosts.service says why");
        }
        if (unclaimed.n > 0) {
                diagnostics_error(inspection->diagnostics, "[hosts]", 0,
                        "seats of spread courses are on the network without a claim of this server (%zu: "
                        "%s)",
                        unclaimed.n, unclaimed.names);
                diagnostics_advise(inspection->diagnostics, "systemctl restart coursenet-network.service");
        }
        return 0;
}
