/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Sends REQUEST_STATUS and reads its answers up to the last one. */

#include "lease-list.h"
#include "activator-client.h"

#define STATUS_TIMEOUT_MS 10000U

void lease_list_done(struct lease_list *list) {
        free(list->leases);
        free(list->lingering);
        *list = (struct lease_list){0};
}

/* Grows by doubling: full when n is a power of two, or none. */
static int append(struct reply **array, size_t *n, const struct reply *reply) {
        if ((*n & (*n - 1)) == 0) {
                struct reply *larger = reallocarray(*array, *n ? 2 * *n : 1, sizeof(*larger));

                if (!larger)
                        return -ENOMEM;
                *array = larger;
        }
        (*array)[(*n)++] = *reply;
        return 0;
}

static int receive_leases(int fd, uint64_t deadline, struct lease_list *list, char *reason, size_t size) {
        struct reply reply;
        int r;

        for (;;) {
                r = activator_receive(fd, &reply, deadline);
                if (r < 0)
                        return r;
                if (reply.type == REPLY_DONE)
                        return 0;
                if (reply.type == REPLY_LEASE)
                        r = append(&list->leases, &list->n_leases, &reply);
                else if (reply.type == REPLY_KEPT)
                        r = append(&list->lingering, &list->n_lingering, &reply);
                else {
                        (void)snprintf(reason, size, "%s", reply.text[0] ? reply.text : "no reason given");
                        return -ECANCELED;
                }
                if (r < 0)
                        return r;
        }
}

int lease_list_load(const char *socket, struct lease_list *ret, char *reason, size_t size) {
        uint64_t deadline = deadline_after_ms(STATUS_TIMEOUT_MS);
        _cleanup_lease_list_ struct lease_list list = {0};
        _cleanup_close_ int fd = -1;
        struct request request;
        int r;

        r = activator_connect(socket, deadline);
        if (r < 0)
                return r;
        fd = r;

        request_init(&request, REQUEST_STATUS);
        r = activator_send(fd, &request, -1, deadline);
        if (r < 0)
                return r;
        r = receive_leases(fd, deadline, &list, reason, size);
        if (r < 0)
                return r;

        *ret = list;
        list = (struct lease_list){0};
        return 0;
}
