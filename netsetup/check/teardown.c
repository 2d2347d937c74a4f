/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Finds our links and namespaces by their mark, and our tables by their names. Links are removed before the
 * tables that filter their packets, and forwarding is switched off before its rules are removed.
 */

#include <dirent.h>

#include "base/failure.h"
#include "base/runtime-file.h"
#include "fence/fence-route.h"
#include "fence/fence-table.h"
#include "firewall/course-rules.h"
#include "firewall/nftables.h"
#include "firewall/ruleset.h"
#include "kernel/link.h"
#include "kernel/netns-mount.h"
#include "names/resolved.h"
#include "number.h"
#include "teardown.h"

static void report(size_t n, const char *one, const char *many) {
        if (n > 0)
                (void)printf("Removed %zu %s.\n", n, n == 1 ? one : many);
}

static int delete_links(struct link_socket *socket, const char *kind, size_t *ret_n) {
        _cleanup_links_ struct links links = {0};
        int r;

        *ret_n = 0;
        r = link_list_ours(socket, kind, &links);
        for (size_t i = 0; r >= 0 && i < links.n_items; i++) {
                r = link_delete(socket, links.items[i].index);
                *ret_n += r >= 0;
        }
        return r;
}

static int remove_links(struct diagnostics *diagnostics) {
        _cleanup_link_socket_ struct link_socket socket = {0};
        size_t n_cables = 0, n_bridges = 0, n_stretches = 0;
        int r;

        r = link_open(&socket);
        if (r >= 0)
                r = delete_links(&socket, "veth", &n_cables);
        if (r >= 0)
                r = delete_links(&socket, "vxlan", &n_stretches);
        if (r >= 0)
                r = delete_links(&socket, "bridge", &n_bridges);
        report(n_cables, "cable", "cables");
        report(n_stretches, "link to the other members", "links to the other members");
        report(n_bridges, "bridge", "bridges");
        return r < 0 ? failure(diagnostics, "links", r, "cannot be removed") : 0;
}

/* "ns12310" names a seat's. */
static const char *seat_of(const char *name) {
        const char *seat = name + strlen("ns");

        return string_starts_with(name, "ns") && digits_only(seat) && strlen(seat) < SEAT_ID_SIZE ? seat
                                                                                                  : NULL;
}

/*
 * Returns what was removed: NETNS_OURS, NETNS_STALE, or NETNS_ABSENT if there was nothing of ours with that
 * name. Processes in a namespace are not killed.
 */
static int remove_namespace(const char *seat, struct diagnostics *diagnostics) {
        _cleanup_netns_lock_ struct netns_lock lock = NETNS_LOCK_NONE;
        _cleanup_close_ int netns_fd = -1;
        struct seat_plan plan;
        int r, found;

        seat_plan_name(seat, &plan);
        r = netns_lock_take(&lock);
        if (r == -ENOENT)
                return NETNS_ABSENT;
        if (r < 0)
                return failure(diagnostics, NETNS_DIRECTORY, r, "cannot be locked");
        found = netns_mount_find(plan.netns, &netns_fd);
        close_pointer(&netns_fd);
        if (found == NETNS_FOREIGN)
                return NETNS_ABSENT;
        r = netns_mount_remove(plan.netns, diagnostics);
        return r < 0 ? r : found;
}

static int remove_namespace_folder(struct diagnostics *diagnostics) {
        _cleanup_netns_lock_ struct netns_lock lock = NETNS_LOCK_NONE;
        int r = netns_lock_take(&lock);

        if (r >= 0)
                r = netns_mount_remove_folder(&lock);
        return r < 0 ? failure(diagnostics, NETNS_DIRECTORY, r, "cannot be unmounted") : 0;
}

static int remove_namespaces(struct diagnostics *diagnostics) {
        DIR *directory = opendir(NETNS_DIRECTORY);
        size_t n_namespaces = 0, n_files = 0;
        int r = 0;

        if (!directory)
                return errno == ENOENT ? 0
                                       : failure(diagnostics, NETNS_DIRECTORY, -errno, "cannot be listed");
        for (struct dirent *entry; (entry = readdir(directory));) {
                const char *seat = seat_of(entry->d_name);
                int removed = seat ? remove_namespace(seat, diagnostics) : NETNS_ABSENT;

                if (removed < 0)
                        r = removed;
                n_namespaces += removed == NETNS_OURS;
                n_files += removed == NETNS_STALE;
        }
        (void)closedir(directory);
        report(n_namespaces, "network namespace", "network namespaces");
        report(n_files, "empty file of a former network namespace",
                "empty files of former network namespaces");
        return r < 0 ? r : remove_namespace_folder(diagnostics);
}

static int remove_table(const char *table, struct diagnostics *diagnostics) {
        _cleanup_free_ char *rules = NULL;
        char commands[64];
        int r;

        r = nftables_list_table(table, &rules);
        if (r == -ENOENT)
                return 0;
        (void)snprintf(commands, sizeof(commands), "delete table %s\n", table);
        r = nftables_apply(commands, table, diagnostics);
        if (r >= 0)
                (void)printf("Removed the nftables table %s.\n", table);
        return r;
}

static int remove_tables(struct diagnostics *diagnostics) {
        static const char *const tables[] = {
                RULESET_COURSES, RULESET_EXAMS, RULESET_SEATS_FORMER, RULESET_LOCAL, FENCE_TABLE};
        int result = 0;

        for (size_t i = 0; i < ELEMENTSOF(tables); i++) {
                int r = remove_table(tables[i], diagnostics);

                if (r < 0)
                        result = r;
        }
        for (unsigned i = 0; i < RULESET_SEATS_TABLES; i++) {
                ruleset_seats_name_t name;
                int r;

                ruleset_seats_name(i, name);
                r = remove_table(name, diagnostics);
                if (r < 0)
                        result = r;
        }
        return result;
}

static int remove_rules(struct diagnostics *diagnostics) {
        _cleanup_diagnostics_ struct diagnostics found = {0};
        int r;

        /* With an empty plan, every rule of ours is unexpected and is removed. */
        if (fence_route_compare("", &found) >= 0 && found.n_items == 0)
                return 0;
        r = fence_route_apply("", diagnostics);
        if (r >= 0)
                (void)puts("Removed the routing rules of the fence.");
        return r;
}

/* There are no bridges any more, so this switches off what coursenet has switched on. */
static int close_forwarding(const char *etc, struct diagnostics *diagnostics) {
        bool opened = access(RUN_DIRECTORY "/forwarding", F_OK) >= 0;
        int r = course_rules_refresh(etc, diagnostics);

        if (r >= 0 && opened)
                (void)puts("Switched forwarding back to what it was.");
        return r;
}

int teardown(const char *etc, struct diagnostics *diagnostics) {
        int result = 0, r;

        resolved_forget(diagnostics);
        r = remove_links(diagnostics);
        result = r < 0 ? r : result;
        r = remove_namespaces(diagnostics);
        result = r < 0 ? r : result;
        r = close_forwarding(etc, diagnostics);
        result = r < 0 ? r : result;
        r = remove_tables(diagnostics);
        result = r < 0 ? r : result;
        r = remove_rules(diagnostics);
        return r < 0 ? r : result;
}
