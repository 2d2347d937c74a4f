/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "refusal.h"

void refusal_fill(struct hosts_reply *ret, enum hosts_reason reason, const char *text) {
        hosts_reply_init(ret, HOSTS_REFUSED, 1);
        ret->reason = reason;
        protocol_copy_text(ret->text, sizeof(ret->text), text);
}

void refusal_of_session(const struct session *session, struct hosts_reply *ret) {
        const char *error = store_error(session->store);

        if (session->conflict[0]) {
                refusal_fill(ret, HOSTS_NOT_READY, session->conflict);
                return;
        }
        refusal_fill(ret, HOSTS_NO_STORE, "");
        (void)snprintf(ret->text, sizeof(ret->text),
                "%s does not reach the majority of the store's servers (%s)", session->own.name,
                error[0] ? error : store_endpoint(session->store));
}
