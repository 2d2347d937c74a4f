/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Answers the waiter of a lease, through the callback that came with the request, and logs refusals. The
 * lease forgets the callback before the call. So an opener gets one answer, and the callback may abandon the
 * lease. lease-run.c calls these functions as actions.
 */

#include "lease-answer.h"
#include "diagnosis.h"
#include "lease-log.h"
#include "lease-object.h"
#include "seat-namespace.h"

void lease_fill_reply(const struct lease *lease, enum reply_type type, struct reply *ret) {
        const struct lease_record *record = &lease->record;

        reply_init(ret, type);
        ret->uid = record->uid;
        ret->pid = record->hold ? 0 : record->opener;
        ret->since_usec = record->since_usec;
        ret->address = record->address.ip;
        ret->prefix = record->address.prefix;
        (void)string_copy(ret->lease, sizeof(ret->lease), record->id);
        (void)string_copy(ret->course, sizeof(ret->course), record->course);
        (void)string_copy(ret->seat, sizeof(ret->seat), record->seat);
        (void)string_copy(ret->user, sizeof(ret->user), record->user);
        (void)string_copy(ret->service, sizeof(ret->service), record->service);
        (void)string_copy(ret->tty, sizeof(ret->tty), record->tty);
        (void)string_copy(ret->remote_host, sizeof(ret->remote_host), record->remote_host);
}

void lease_answer_tie(struct lease *lease, const struct lease_waiter *waiter) {
        lease->waiter = *waiter;
        *waiter->place = lease;
}

void lease_answer_untie(struct lease *lease) {
        if (lease->waiter.place)
                *lease->waiter.place = NULL;
        lease->waiter = (struct lease_waiter){0};
}

/* The last word. */
static void answer(struct lease *lease, const struct reply *reply, int fd) {
        struct lease_waiter waiter = lease->waiter;

        lease_answer_untie(lease);
        if (waiter.answer)
                waiter.answer(waiter.userdata, reply, fd);
}

/* --- yes ------------------------------------------------------------------------------------- */

static void hand_over_namespace(struct lease *lease) {
        _cleanup_close_ int fd = -1;
        char reason[REPLY_TEXT_SIZE];
        const char *failed;
        struct reply reply;

        fd = seat_namespace_open(lease->record.seat, &failed);
        if (fd < 0) {
                (void)snprintf(reason, sizeof(reason),
                        SEAT_NAMESPACE "%s %s" DIAGNOSIS_HINT "systemctl status netns@%s", lease->record.seat,
                        failed, lease->record.seat);
                lease_raise_fault(lease, EVENT_FAULT, reason);
                return;
        }
        lease_fill_reply(lease, REPLY_DONE, &reply);
        answer(lease, &reply, fd);
}

/* The lease stays tied to its waiter until the answer has been read. */
void lease_answer_done(struct lease *lease) {
        struct lease_waiter waiter = lease->waiter;
        struct reply reply;

        if (!waiter.answer)
                return;
        if (lease->pass_namespace) {
                hand_over_namespace(lease);
                return;
        }
        lease->waiter.answer = NULL;
        lease_fill_reply(lease, REPLY_DONE, &reply);
        waiter.answer(waiter.userdata, &reply, -1);
}

void lease_answer_early(struct lease *lease) {
        if (lease->record.no_wait)
                lease_answer_done(lease);
}

/* --- no -------------------------------------------------------------------------------------- */

/* Cuts off where an administrator should look, because a student may not read that. A text of a reply is
 * filled with NUL: reply_check() refuses it otherwise. */
static void cut_hint(char text[static REPLY_TEXT_SIZE]) {
        char *hint = strstr(text, DIAGNOSIS_HINT);

        if (hint)
                memset(hint, 0, strlen(hint));
}

static void send_refusal(struct lease *lease, enum reply_type type, const char *text) {
        struct reply reply;

        reply_init(&reply, type);
        protocol_copy_text(reply.text, sizeof(reply.text), text);
        if (lease->pass_namespace)
                cut_hint(reply.text);
        answer(lease, &reply, -1);
}

static void refuse(struct lease *lease, enum reply_type type, enum refusal reason, const char *text) {
        const struct lease_record *record = &lease->record;
        char line[REPLY_TEXT_SIZE + USER_NAME_SIZE + 128];

        (void)snprintf(line, sizeof(line), "No %s %s for %s (%s): %s",
                type == REPLY_NO_CONTAINER ? "container in seat" : "seat", record->seat, record->user,
                record->service, text);
        lease_log_refusal(lease->table, lease_is_entered(lease), record->uid, reason, line);
        send_refusal(lease, type, text);
}

static const char *reason_of(const struct lease *lease) {
        return lease->reason ? lease->reason : "out of memory";
}

void lease_answer_failed(struct lease *lease) {
        refuse(lease, REPLY_FAILED, REFUSAL_START_FAILED, reason_of(lease));
}

void lease_answer_timeout(struct lease *lease) {
        refuse(lease, REPLY_TIMEOUT, REFUSAL_TIMEOUT, reason_of(lease));
}

void lease_answer_no_container(struct lease *lease) {
        refuse(lease, REPLY_NO_CONTAINER, REFUSAL_CONTAINER, reason_of(lease));
}

void lease_answer_stopped(struct lease *lease) {
        refuse(lease, REPLY_REFUSED, REFUSAL_STOPPED, "an administrator stopped the seat");
}

void lease_answer_vanished(struct lease *lease) {
        refuse(lease, REPLY_FAILED, REFUSAL_STOPPED, "the seat was stopped while it came up");
}

/* With wait=none this is how a short login ends: nothing to log. */
void lease_answer_closed(struct lease *lease) {
        send_refusal(lease, REPLY_REFUSED, "the lease was given back before its seat was up");
}
