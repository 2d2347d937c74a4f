/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Logs each event of a lease as one journal entry with the fields that coursenet-activator(8) lists, because
 * an abuse desk asks who had which address at what time. Also tells the terminals of a user whose login has
 * lost its network. lease-run.c calls these functions as actions.
 */

#include <inttypes.h>
#include <systemd/sd-journal.h>

#include "base/log.h"
#include "base/terminal.h"
#include "lease-log.h"
#include "lease-object.h"
#include "lease-table.h"
#include "protocol.h"
#include "seat-claim.h"

/* what: see protocol.h. start_usec: how long the start of the seat took, as text; "" if it was no start. */
static void log_start(const struct lease_record *record, const char *what, const char *start_usec) {
        char address[ADDRESS_TEXT_SIZE], address6[ADDRESS6_TEXT_SIZE] = "";

        /* What was never given is not held, given back or taken. */
        if (record->starting)
                return;
        address_format_ip(record->address.ip, address);
        if (address6_is_set(&record->address6))
                address6_format_ip(&record->address6, address6);
        (void)sd_journal_send("MESSAGE=Seat %s (%s) %s %s: %s, process %ld%s%s", record->seat, address, what,
                record->user, record->service, (long)record->opener, record->remote_host[0] ? ", from " : "",
                record->remote_host, "PRIORITY=%d", LOG_INFO, "MESSAGE_ID=%s", MESSAGE_LEASE,
                "COURSENET_EVENT=%s", what, "COURSENET_LEASE=%s", record->id, "COURSENET_USER=%s",
                record->user, "COURSENET_COURSE=%s", record->course, "COURSENET_SEAT=%s", record->seat,
                "COURSENET_ADDRESS=%s", address, "COURSENET_ADDRESS6=%s", address6, "COURSENET_SERVICE=%s",
                record->service, "COURSENET_REMOTE_HOST=%s", record->remote_host, "COURSENET_SINCE=%" PRIu64,
                record->since_usec, "COURSENET_START_USEC=%s", start_usec, NULL);
}

static void log_record(const struct lease_record *record, const char *what) {
        log_start(record, what, "");
}

void lease_log_given(struct lease *lease) {
        char text[24] = "";

        if (lease->begun_usec > 0)
                (void)snprintf(text, sizeof(text), "%" PRIu64, now_monotonic_usec() - lease->begun_usec);
        log_start(&lease->record, LEASE_GIVEN, text);
}

void lease_log_held(struct lease *lease) {
        log_record(&lease->record, LEASE_HELD);
}

void lease_log_back(struct lease *lease) {
        log_record(&lease->record, LEASE_GIVEN_BACK);
}

void lease_log_taken(struct lease *lease) {
        log_record(&lease->record, LEASE_TAKEN);
}

void lease_log_kept(struct lease *lease) {
        log_record(&lease->record, LEASE_LINGERS);
}

void lease_log_over(struct lease *lease) {
        log_record(&lease->record, LEASE_LINGER_OVER);
}

void lease_log_max_over(struct lease *lease) {
        log_notice("Seat %s of %s is not kept any longer, because leftover-max is over", lease->record.seat,
                lease->record.user);
}

void lease_log_hung_up(struct lease *lease) {
        const struct lease_record *record = &lease->record;
        char line[USER_NAME_SIZE + 128];

        (void)snprintf(line, sizeof(line),
                "%s (%s, process %ld) hung up before it had seat %s; its lease ends", record->user,
                record->service, (long)record->opener, record->seat);
        if (lease_is_entered(lease))
                lease->table->log_query(lease->table->userdata, record->uid, line);
        else
                log_warning("%s", line);
}

void lease_log_left_behind(struct lease *lease) {
        const struct lease_record *record = &lease->record;

        log_warning(
                "netns@%s.service was restarted: the login of %s (%s, process %ld) is left in the namespace "
                "from before, so its lease ends",
                record->seat, record->user, record->service, (long)record->opener);
}

void lease_log_broken(struct lease *lease) {
        const struct lease_record *record = &lease->record;

        log_explained(MESSAGE_SEAT_FAILED, SD_ERR,
                "Seat %s of %s (%s, process %ld) failed after the login had begun, so its lease ends: %s",
                record->seat, record->user, record->service, (long)record->opener,
                lease->reason ? lease->reason : "out of memory");
}

void lease_log_refusal(
        struct lease_table *table, bool by_user, uid_t uid, enum refusal reason, const char *line) {
        if (by_user)
                table->log_query(table->userdata, uid, line);
        else
                log_refusal(reason, line);
}

static void tell(const struct lease_record *record, const char *what) {
        char text[256];

        (void)snprintf(text, sizeof(text),
                "\r\nYour network seat %s %s. This login has no network any more: please log in again.\r\n",
                record->seat, what);
        terminal_tell(record->uid, record->tty, text);
}

void lease_tell_admin(struct lease *lease) {
        char what[64];

        if (lease->moved_to[0])
                (void)snprintf(what, sizeof(what), "is live on %s now", lease->moved_to);
        else
                (void)snprintf(what, sizeof(what), "was stopped by an administrator");
        tell(&lease->record, what);
}

void lease_tell_stopped(struct lease *lease) {
        tell(&lease->record, "was stopped");
}

void lease_log_stopped(const struct lease_record *record) {
        bool is_login = !record->hold && record->linger_until_usec == 0;

        if (is_login && !record->starting)
                tell(record, "was stopped");
        log_record(record, record->linger_until_usec == 0 ? LEASE_TAKEN : LEASE_LINGER_OVER);
}

void lease_tell_restarted(struct lease *lease) {
        tell(&lease->record, "was restarted");
}

void lease_tell_broken(struct lease *lease) {
        tell(&lease->record, "could not be started");
}

struct notice {
        const char *text;
        bool told; /* the pseudo-terminals, which all logins of the student share */
};

static void tell_notice(struct lease *lease, void *userdata) {
        const struct lease_record *record = &lease->record;
        struct notice *notice = userdata;

        if (record->hold)
                return;
        if (notice->told)
                terminal_tell_console(record->uid, record->tty, notice->text);
        else
                terminal_tell(record->uid, record->tty, notice->text);
        notice->told = true;
}

void lease_tell_seat(struct lease_table *table, const char *seat, const char *text) {
        struct notice notice = {.text = text};

        lease_table_each_of(table, seat, tell_notice, &notice);
}

static void tell_claimed(struct lease *lease, void *userdata) {
        struct lease_table *table = lease->table;

        /* Once for each seat. */
        if (lease_table_find_seat(table, lease->record.seat) == lease && seat_is_claimed(lease->record.seat))
                lease_tell_seat(table, lease->record.seat, userdata);
}

void lease_tell_claimed(struct lease_table *table, const char *text) {
        char copy[256];

        (void)snprintf(copy, sizeof(copy), "\r\n%s\r\n", text);
        lease_table_each(table, tell_claimed, copy);
}
