/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Whether a lease in the journal of another machine still lasts is not in that journal: the machine may have
 * gone down. Its boot is in the store as long as it is up, and so is the claim of a shared seat that is live.
 */

#include "history-hosts.h"
#include "base/complain.h"
#include "base/moment.h"

/* A server may log nothing for so long. */
#define LAG_USEC (15U * 60U * USEC_PER_SEC)

/* Clocks of servers may differ by so much. */
#define SKEW_USEC (10U * USEC_PER_SEC)

void history_hosts_done(struct history_hosts *hosts) {
        hosts_list_done(&hosts->list);
        settings_done(&hosts->settings);
        *hosts = (struct history_hosts){0};
}

void history_hosts_load(
        const struct paths *paths, const char *directory, uint64_t now, struct history_hosts *ret) {
        _cleanup_diagnostics_ struct diagnostics ignored = {0};
        int r;

        ret->directory = directory;
        ret->usec = now;
        if (settings_load(paths->etc, &ret->settings, &ignored) < 0 || !hosts_configured(&ret->settings))
                return;
        r = hosts_list_ask(paths->hosts_socket, ret->settings.course_digits, &ret->list);
        ret->known = r >= 0 && !ret->list.cut_off;
        if (r < 0)
                (void)hosts_complain(paths->hosts_socket, r);
        if (!ret->known)
                complain("So it is not known which leases on other servers still last.");
}

static bool is_boot(const struct listed_member *member, sd_id128_t boot) {
        sd_id128_t id;

        return member->up && sd_id128_from_string(member->boot, &id) >= 0 && sd_id128_equal(id, boot);
}

/* NULL: no member that is up is in this boot. */
static const struct listed_member *find_boot(const struct history_hosts *hosts, sd_id128_t boot) {
        for (size_t i = 0; hosts->known && i < hosts->list.n_members; i++)
                if (is_boot(&hosts->list.members[i], boot))
                        return &hosts->list.members[i];
        return NULL;
}

/* A member that is not up may have crashed, or may only have lost the store. */
static enum boot_state boot_state(void *userdata, sd_id128_t boot, const char *host) {
        const struct history_hosts *hosts = userdata;
        const struct listed_member *member;

        if (find_boot(hosts, boot))
                return BOOT_RUNS;
        member = hosts->known ? hosts_list_member(&hosts->list, host) : NULL;
        return member && member->up ? BOOT_OVER : BOOT_UNKNOWN;
}

/* Returns an exit code. */
static int read_failed(const char *directory, int error) {
        if (error == -ENOENT || error == -ENOTDIR)
                complain("%s has no journals: they are collected there by systemd-journal-remote(8), see "
                         "coursenetctl(8). Without --hosts, history shows the leases of this server.",
                        directory);
        else if (error == -EACCES || error == -EPERM)
                complain(
                        "Only root may read the journals in %s. Without --hosts, history shows the leases of "
                        "this server.",
                        directory);
        else
                complain("The journals in %s cannot be read: %s", directory, strerror(-error));
        return EXIT_NO;
}

int history_hosts_read(struct history_hosts *hosts, const char *word, const struct scope *scope,
        struct lease_journal *journal) {
        int r = lease_journal_add_collected(hosts->directory, word, scope, boot_state, hosts, journal);

        return r < 0 ? read_failed(hosts->directory, r) : EXIT_DONE;
}

bool history_hosts_may_be_live(const struct history_hosts *hosts, const struct past_lease *lease) {
        const struct listed_member *member = find_boot(hosts, lease->boot);
        const struct listed_claim *claim;
        struct seat_id seat;

        if (!member || lease->since_usec + SKEW_USEC > hosts->usec ||
                seat_id_parse(lease->seat, hosts->settings.course_digits, &seat) < 0 ||
                settings_course_vni(&hosts->settings, seat.course) == 0)
                return true;
        claim = hosts_list_claim(&hosts->list, lease->seat);
        return claim && string_equal(claim->host, member->host);
}

/* --- what is lacking ----------------------------------------------------------------------------- */

/* NULL: there are no entries of it. */
static const struct machine *find_machine(
        const struct collected *collected, const struct listed_member *member) {
        for (size_t i = 0; i < collected->n_machines; i++)
                if (is_boot(member, collected->machines[i].last_boot) ||
                        string_equal(collected->machines[i].name, member->host))
                        return &collected->machines[i];
        return NULL;
}

static void report_member(const struct history_hosts *hosts, const struct collected *collected,
        const struct listed_member *member, const struct span *span) {
        const struct machine *machine = find_machine(collected, member);
        uint64_t last = span->to_usec < hosts->usec ? span->to_usec : hosts->usec;
        char time[32];

        if (!machine) {
                complain("%s has no journal of %s, so what was there is not known.", hosts->directory,
                        member->host);
                return;
        }
        if (machine->begins_usec > span->from_usec && span->from_usec > 0) {
                moment_format(machine->begins_usec, time, sizeof(time));
                complain("The journal of %s begins at %s; what was there before is not known.", member->host,
                        time);
        }
        if (machine->ends_usec + LAG_USEC < last) {
                moment_format(machine->ends_usec, time, sizeof(time));
                complain("The journal of %s ends at %s; what was there later is not known.", member->host,
                        time);
        }
}

void history_hosts_report(
        const struct history_hosts *hosts, const struct lease_journal *journal, const struct span *span) {
        const struct collected *collected = &journal->collected;

        if (!hosts->directory)
                return;
        if (collected->n_bad > 0)
                complain("%zu file%s of %s cannot be read and %s left out, such as %s: %s", collected->n_bad,
                        plural(collected->n_bad), hosts->directory, collected->n_bad == 1 ? "is" : "are",
                        collected->bad, strerror(-collected->bad_error));
        for (size_t i = 0; i < hosts->list.n_members; i++)
                if (!string_equal(hosts->list.members[i].host, hosts->list.own))
                        report_member(hosts, collected, &hosts->list.members[i], span);
}
