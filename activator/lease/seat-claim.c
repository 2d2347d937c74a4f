/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <fcntl.h>
#include <utlist.h>

#include "lease-table.h"
#include "run-files.h"
#include "seat-claim.h"
#include "seat/hosts-client.h"

struct seat_claim {
        struct lease_table *table;
        struct seat_claim **place;
        char seat[SEAT_ID_SIZE];
        struct lease_waiter waiter;
        struct request request;
        struct ucred opener;
        bool has_opener;
        int pidfd;
        struct hosts_call *call;
        seat_claimed_t claimed;
        seat_refused_t refused;
        struct seat_claim *prev, *next;
};

static void free_claim(struct seat_claim *claim) {
        if (claim->place)
                *claim->place = NULL;
        DL_DELETE(claim->table->claims, claim);
        hosts_call_drop(&claim->call);
        close_pointer(&claim->pidfd);
        free(claim);
}

static bool is_waited_for(const struct lease_table *table, const char *seat) {
        const struct seat_claim *claim;

        DL_FOREACH (table->claims, claim)
                if (string_equal(claim->seat, seat))
                        return true;
        return false;
}

bool seat_is_claimed(const char *seat) {
        char path[sizeof(HOSTS_CLAIM_DIRECTORY "/") + SEAT_ID_SIZE];

        (void)snprintf(path, sizeof(path), HOSTS_CLAIM_DIRECTORY "/%s", seat);
        return access(path, F_OK) == 0;
}

void seat_claim_release(struct lease_table *table, const char *seat) {
        if (!is_waited_for(table, seat) && !lease_table_has_seat(table, seat) && seat_is_claimed(seat))
                hosts_client_release(table->hosts, seat);
}

static void handle_reply(void *userdata, const struct hosts_reply *reply) {
        struct seat_claim *claim = userdata;
        const struct seat_claim done = *claim;

        claim->pidfd = -1;
        free_claim(claim);
        if (reply->type == HOSTS_DONE)
                done.claimed(done.table, &done.waiter, &done.request, done.has_opener ? &done.opener : NULL,
                        done.pidfd);
        else {
                if (done.pidfd >= 0)
                        (void)close(done.pidfd);
                done.refused(done.table, &done.waiter, &done.request, reply);
        }
        /* If there was a reason to refuse the lease after all. */
        seat_claim_release(done.table, done.seat);
}

int seat_claim_begin(struct lease_table *table, const char *seat, const struct lease_waiter *waiter,
        const struct request *request, const struct ucred *opener, int pidfd, seat_claimed_t claimed,
        seat_refused_t refused) {
        struct seat_claim *claim = calloc(1, sizeof(*claim));
        int r;

        if (!claim) {
                close_pointer(&pidfd);
                return -ENOMEM;
        }
        *claim = (struct seat_claim){
                .table = table,
                .place = waiter->claim,
                .waiter = *waiter,
                .request = *request,
                .has_opener = opener,
                .pidfd = pidfd,
                .claimed = claimed,
                .refused = refused,
        };
        if (opener)
                claim->opener = *opener;
        (void)string_copy(claim->seat, sizeof(claim->seat), seat);
        DL_APPEND(table->claims, claim);
        if (claim->place)
                *claim->place = claim;
        r = hosts_client_claim(table->hosts, seat, request->user, handle_reply, claim, &claim->call);
        if (r < 0)
                free_claim(claim);
        return r;
}

/* The claim is given up when coursenet-hosts has answered, unless the seat has a lease by then. */
void seat_claim_drop(struct seat_claim **place) {
        struct seat_claim *claim = *place;
        struct lease_table *table;
        char seat[SEAT_ID_SIZE];

        if (!claim)
                return;
        table = claim->table;
        (void)string_copy(seat, sizeof(seat), claim->seat);
        free_claim(claim);
        if (!is_waited_for(table, seat) && !lease_table_has_seat(table, seat))
                hosts_client_release(table->hosts, seat);
}

void seat_claim_drop_all(struct lease_table *table) {
        while (table->claims)
                free_claim(table->claims);
}

void seat_claim_read_drained(char *text, size_t size) {
        _cleanup_close_ int fd = open(HOSTS_DRAINED_FILE, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
        ssize_t n = fd < 0 ? -1 : read(fd, text, size - 1);

        text[n > 0 ? n : 0] = '\0';
        text[strcspn(text, "\n")] = '\0';
}
