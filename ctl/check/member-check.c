/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What coursenet-hosts knows of the members that share courses with this server. */

#include "checks.h"

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

void member_check(const char *path, const struct hosts_list *list, const char *own_version,
        struct diagnostics *diagnostics) {
        const struct listed_member *own = hosts_list_member(list, list->own);

        check_own(path, list, diagnostics);
        /* Without the store, it is as it was. */
        if (list->cut_off || list->error[0])
                return;
        for (size_t i = 0; i < list->n_members; i++)
                if (&list->members[i] != own)
                        check_other(path, own, &list->members[i], own_version, diagnostics);
}
