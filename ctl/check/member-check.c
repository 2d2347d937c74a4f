/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What coursenet-hosts knows of the members that share courses with this server. */

#include "base/member-difference.h"
#include "base/moment.h"
#include "checks.h"
#include "roster.h"

static void check_own(const char *path, const struct hosts_list *list, struct diagnostics *diagnostics) {
        if (list->cut_off)
                diagnostics_error(diagnostics, path, 0,
                        "this server has lost the store, so its seats of shared courses are off the network: "
                        "%s",
                        list->error);
        else if (list->error[0])
                diagnostics_error(diagnostics, path, 0,
                        "the store does not answer, so no seat of a shared course starts here: %s",
                        list->error);
}

static void check_other(const char *path, const struct listed_member *own, const struct listed_member *other,
        const char *own_version, struct diagnostics *diagnostics) {
        if (!other->listed)
                diagnostics_warning(diagnostics, path, 0,
                        "the store knows %s, which is not in members: set the same members on all of them",
                        other->host);
        if (!other->up) {
                diagnostics_warning(diagnostics, path, 0,
                        "member %s is not up: it is off, or has no coursenet-hosts.service that reaches the "
                        "store",
                        other->host);
                return;
        }
        if (own && own->up && other->contract != own->contract)
                diagnostics_error(diagnostics, path, 0,
                        "member %s speaks contract %d, and this server %d: install the same version of "
                        "coursenet on both",
                        other->host, other->contract, own->contract);
        else if (!string_equal(other->version, own_version))
                diagnostics_warning(diagnostics, path, 0,
                        "member %s has version %s of coursenet, and this server %s", other->host,
                        other->version, own_version);
}

/* --- what differs ------------------------------------------------------------------------------ */

struct comparison {
        const char *path;
        const struct listed_member *other;
        struct diagnostics *diagnostics;
};

/* ", which is newer (2026-11-30 10:00:00)" */
static void format_age(const struct member_difference *difference, char *ret, size_t size) {
        char when[32];

        ret[0] = '\0';
        if (difference->here_usec == 0 || difference->there_usec == 0 ||
                difference->here_usec == difference->there_usec)
                return;
        moment_format_minute(difference->there_usec, when, sizeof(when));
        (void)snprintf(ret, size, ", which %s %s (%s)", difference->kind == DIFFERENCE_ROSTER ? "is" : "are",
                difference->there_usec > difference->here_usec ? "newer" : "older", when);
}

static void warn_files(const struct comparison *comparison, const struct member_difference *difference) {
        const char *host = comparison->other->host;
        bool newer = difference->there_usec > difference->here_usec;
        char age[80], file[64];

        format_age(difference, age, sizeof(age));
        if (difference->kind == DIFFERENCE_ROSTER) {
                (void)snprintf(file, sizeof(file), ROSTER_DIRECTORY "/%s", difference->course);
                diagnostics_warning(comparison->diagnostics, comparison->path, 0,
                        "course %s: the roster here is not that of %s%s: a student may be refused there, or "
                        "have another address",
                        difference->course, host, age);
        } else {
                (void)snprintf(file, sizeof(file), SETTINGS_FILE);
                diagnostics_warning(comparison->diagnostics, comparison->path, 0,
                        "course %s: the settings here are not those of %s%s", difference->course, host, age);
        }
        diagnostics_advise(comparison->diagnostics,
                "If the newer one is right, copy /etc/coursenet/%s from %s to the others", file,
                newer ? host : "this server");
}

static void warn(void *userdata, const struct member_difference *difference) {
        const struct comparison *comparison = userdata;
        const char *course = difference->course, *host = comparison->other->host;

        switch (difference->kind) {
        case DIFFERENCE_SETTINGS:
        case DIFFERENCE_ROSTER:
                warn_files(comparison, difference);
                return;
        case DIFFERENCE_ONLY_HERE:
                diagnostics_warning(comparison->diagnostics, comparison->path, 0,
                        "course %s is shared here, and on %s it is not or has no roster: copy the settings "
                        "and the roster",
                        course, host);
                return;
        case DIFFERENCE_ONLY_THERE:
                diagnostics_warning(comparison->diagnostics, comparison->path, 0,
                        "course %s is shared on %s, and here it is not or has no roster: copy the settings "
                        "and the roster",
                        course, host);
                return;
        case DIFFERENCE_EXAM_THERE:
                diagnostics_warning(comparison->diagnostics, comparison->path, 0,
                        "course %s: %s does not have yet what was changed last of its exam; see journalctl "
                        "-u coursenet-hosts.service there",
                        course, host);
                return;
        case DIFFERENCE_EXAM_HERE:
                diagnostics_warning(comparison->diagnostics, comparison->path, 0,
                        "course %s: this server does not have yet what was changed last of its exam on %s; "
                        "see journalctl -u coursenet-hosts.service",
                        course, host);
                return;
        }
}

/* --------------------------------------------------------------------------------------------- */

void member_check(const char *path, const struct hosts_list *list, const char *own_version,
        struct diagnostics *diagnostics) {
        const struct listed_member *own = hosts_list_member(list, list->own);

        check_own(path, list, diagnostics);
        /* Without the store, it is as it was. */
        if (list->cut_off || list->error[0])
                return;
        for (size_t i = 0; i < list->n_members; i++) {
                struct comparison comparison = {path, &list->members[i], diagnostics};

                if (&list->members[i] == own)
                        continue;
                check_other(path, own, &list->members[i], own_version, diagnostics);
                member_differences(own, &list->members[i], warn, &comparison);
        }
}
