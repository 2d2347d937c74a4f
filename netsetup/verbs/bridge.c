/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * netbr@: a bridge with the gateway's address. It is created only if its subnet is free on this host.
 *
 * A bridge is set up last, after the courses' firewall has rules for it, so no packet passes it without
 * rules. The unit counts as started before that, when a new bridge exists, because systemd can then prepare
 * the program of the first seat at the same time. That program waits until the bridge is up, see seat.c.
 *
 * So a bridge of ours that is up is complete. That of a spread course also has its link to the other members,
 * see stretch.h, which goes before the bridge. A bridge is made and removed under its lock of receipt.h.
 */

#include "bridge.h"
#include "base/failure.h"
#include "bridge-overlap.h"
#include "firewall/course-rules.h"
#include "kernel/link.h"
#include "notify.h"
#include "number.h"
#include "receipt.h"
#include "stretch.h"

/* Removes addresses of an earlier configuration from a bridge of ours, before the right address is added. */
static int remove_other_addresses(struct link_socket *socket, const struct bridge_plan *plan, int index) {
        _cleanup_link_networks_ struct link_networks networks = {0};
        int r;

        r = link_list_addresses(socket, &networks);
        for (size_t i = 0; r >= 0 && i < networks.n_items; i++) {
                const struct link_network *item = &networks.items[i];

                if (item->index != index || (item->address.ip == plan->address.ip &&
                                                    item->address.prefix == plan->address.prefix))
                        continue;
                r = link_delete_address(socket, index, &item->address);
        }
        return r;
}

static int remove_other_addresses6(struct link_socket *socket, const struct bridge_plan *plan, int index) {
        _cleanup_link_networks6_ struct link_networks6 networks = {0};
        int r;

        r = link_list_addresses6(socket, &networks);
        for (size_t i = 0; r >= 0 && i < networks.n_items; i++) {
                const struct link_network6 *item = &networks.items[i];

                if (item->index != index || (address6_same_ip(&item->address, &plan->address6) &&
                                                    item->address.prefix == plan->address6.prefix))
                        continue;
                r = link_delete_address6(socket, index, &item->address);
        }
        return r;
}

/*
 * If the kernel has no IPv6, or the administrator has switched it off, courses have none; `coursenetctl
 * check` reports that. IPv6 is a default here, so its absence is no reason to refuse a course.
 */
static int add_address6(struct link_socket *socket, const struct bridge_plan *plan, int index) {
        struct address6 link_local = mac_link_local(&plan->mac);
        int r;

        if (!address6_is_set(&plan->address6))
                return 0;
        r = link_add_address6(socket, index, &plan->address6);
        /* The one that the kernel would make is unusable for two seconds, and until then the kernel resolves
         * no neighbours. */
        if (r >= 0)
                r = link_add_address6(socket, index, &link_local);
        return r == -EOPNOTSUPP || r == -EACCES ? 0 : r;
}

static int repair(struct link_socket *socket, const struct bridge_plan *plan, const struct link *link,
        struct diagnostics *diagnostics) {
        int r;

        r = remove_other_addresses(socket, plan, link->index);
        if (r >= 0)
                r = remove_other_addresses6(socket, plan, link->index);
        if (r >= 0)
                r = link_add_address(socket, link->index, &plan->address);
        if (r >= 0)
                r = add_address6(socket, plan, link->index);
        return r < 0 ? failure(diagnostics, plan->name, r, "the existing bridge cannot be corrected") : 0;
}

static int create(struct link_socket *socket, const struct bridge_plan *plan, struct link *ret,
        struct diagnostics *diagnostics) {
        struct link link;
        int r;

        r = link_create_bridge(socket, plan->name, &plan->mac);
        if (r < 0)
                return failure(diagnostics, plan->name, r, "cannot be created");

        r = link_find(socket, plan->name, "bridge", &link);
        if (r != LINK_OURS)
                return failure(diagnostics, plan->name, r < 0 ? r : -ENODEV,
                        "was removed by another program during setup");

        r = link_add_address(socket, link.index, &plan->address);
        if (r >= 0)
                r = add_address6(socket, plan, link.index);
        if (r < 0)
                return failure(diagnostics, plan->name, r, "cannot get its address");
        *ret = link;
        return 0;
}

static int bring_up(struct link_socket *socket, const struct bridge_plan *plan, const struct link *link,
        struct diagnostics *diagnostics) {
        bool same_mac = memcmp(&plan->mac, &link->mac, sizeof(plan->mac)) == 0;
        int r = link_bring_up(socket, link, same_mac ? NULL : &plan->mac);

        return r < 0 ? failure(diagnostics, plan->name, r, "cannot be set up") : 0;
}

static int remove_links(
        struct link_socket *socket, const struct bridge_plan *plan, struct diagnostics *diagnostics) {
        struct link link;
        int r;

        r = link_find(socket, plan->name, "bridge", &link);
        if (r == LINK_FOREIGN) {
                diagnostics_error(
                        diagnostics, plan->name, 0, "was not made by coursenet and is left as it is");
                return -EEXIST;
        }
        if (r < 0)
                return failure(diagnostics, plan->name, r, "cannot be removed");
        if (stretch_remove(socket, plan, diagnostics) < 0)
                return -EIO;
        if (r == LINK_OURS)
                r = link_delete(socket, link.index);
        return r < 0 ? failure(diagnostics, plan->name, r, "cannot be removed") : 0;
}

/* --- what the worker has made --------------------------------------------------------------------------- */

static int describe(struct link_socket *socket, const struct bridge_plan *plan, const struct link *link,
        receipt_text_t ret_text) {
        char address[ADDRESS_TEXT_SIZE], address6[ADDRESS6_TEXT_SIZE], mac[MAC_TEXT_SIZE];
        char stretch[STRETCH_TEXT_SIZE];
        int r;

        r = stretch_describe(socket, plan, stretch);
        if (r < 0)
                return r;
        address_format(&plan->address, address);
        address6_format(&plan->address6, address6);
        mac_format(&link->mac, mac);
        (void)snprintf(ret_text, sizeof(receipt_text_t), "%s, index %d, %s, %s, %s %s%s\n", plan->name,
                link->index, link->flags & IFF_UP ? "up" : "down", mac, address, address6, stretch);
        return 0;
}

/* Whether the worker has made what is planned now. In any case the bridge is the unit's from here on. */
static bool adopt(
        struct link_socket *socket, const struct bridge_plan *plan, int state, const struct link *link) {
        receipt_text_t text;
        bool same = state == LINK_OURS && describe(socket, plan, link, text) >= 0 &&
                    receipt_says(RECEIPT_BRIDGE, plan->course, text);

        receipt_remove(RECEIPT_BRIDGE, plan->course);
        return same;
}

/* Before the worker makes a bridge. One that is not up is the work of a program that was killed. */
static int claim(const struct bridge_plan *plan, int state, struct diagnostics *diagnostics) {
        int r;

        if (state == LINK_OURS && !receipt_exists(RECEIPT_BRIDGE, plan->course)) {
                diagnostics_error(diagnostics, plan->name, 0, "is down and was not made by the worker");
                return -EBUSY;
        }
        r = receipt_begin(RECEIPT_BRIDGE, plan->course);
        return r < 0 ? failure(diagnostics, plan->name, r, "cannot be recorded in " PREPARED_DIRECTORY) : 0;
}

static int write_receipt(
        struct link_socket *socket, const struct bridge_plan *plan, struct diagnostics *diagnostics) {
        receipt_text_t text;
        struct link link;
        int r;

        r = link_find(socket, plan->name, "bridge", &link);
        if (r >= 0 && r != LINK_OURS)
                r = -ENODEV;
        if (r >= 0)
                r = describe(socket, plan, &link, text);
        if (r >= 0)
                r = receipt_complete(RECEIPT_BRIDGE, plan->course, text);
        return r < 0 ? failure(diagnostics, plan->name, r, "cannot be recorded in " PREPARED_DIRECTORY) : 0;
}

/* --- start and stop ------------------------------------------------------------------------------------ */

static int open_socket(
        const struct bridge_plan *plan, struct link_socket *ret, struct diagnostics *diagnostics) {
        int r = link_open(ret);

        return r < 0 ? failure(diagnostics, plan->name, r,
                               "the kernel's network configuration cannot be reached")
                     : 0;
}

/* Returns LINK_ABSENT, LINK_OURS or negative errno. */
static int find(struct link_socket *socket, const struct bridge_plan *plan, struct link *ret,
        struct diagnostics *diagnostics) {
        int r = link_find(socket, plan->name, "bridge", ret);

        if (r < 0)
                return failure(diagnostics, plan->name, r, "cannot be looked up");
        if (r != LINK_FOREIGN)
                return r;
        diagnostics_error(diagnostics, plan->name, 0,
                "exists already and was not made by coursenet: rename or remove it (ip link delete "
                "%s), then start netbr@%s.service",
                plan->name, plan->course);
        return -EEXIST;
}

static int take_lock(
        const char *course, const char *name, bool wait, int *ret_fd, struct diagnostics *diagnostics) {
        int r = receipt_lock(RECEIPT_BRIDGE, course, wait, ret_fd);

        return r < 0 ? failure(diagnostics, name, r, "cannot be locked") : 0;
}

/* announce: tells systemd that a new bridge exists, see the head of this file. */
static int make(struct link_socket *socket, const char *etc, const struct bridge_plan *plan, int state,
        struct link *link, bool announce, struct diagnostics *diagnostics) {
        int r;

        r = bridge_overlap_check(socket, plan, link->index, diagnostics);
        if (r < 0)
                return r;
        r = state == LINK_OURS ? repair(socket, plan, link, diagnostics)
                               : create(socket, plan, link, diagnostics);
        if (r >= 0 && announce && state != LINK_OURS)
                (void)notify_send("READY=1");
        if (r >= 0)
                r = stretch_make(socket, plan, link, diagnostics);
        if (r >= 0)
                r = course_rules_refresh(etc, diagnostics);
        if (r >= 0)
                r = stretch_bring_up(socket, plan, diagnostics);
        if (r >= 0)
                r = bring_up(socket, plan, link, diagnostics);
        /* The bridge is there as well if the kernel's answer was lost. */
        if (r < 0 && state != LINK_OURS) {
                (void)remove_links(socket, plan, diagnostics);
                (void)course_rules_refresh(etc, diagnostics);
        }
        return r;
}

int bridge_start(const char *etc, const char *course, struct diagnostics *diagnostics) {
        _cleanup_link_socket_ struct link_socket socket = {0};
        _cleanup_settings_ struct settings settings = {0};
        _cleanup_close_ int lock = -1;
        struct link link = {0};
        struct bridge_plan plan;
        int r, state;

        r = settings_load(etc, &settings, diagnostics);
        if (r >= 0)
                r = bridge_plan_load(etc, &settings, course, &plan, diagnostics);
        if (r >= 0)
                r = take_lock(course, plan.name, true, &lock, diagnostics);
        if (r >= 0)
                r = open_socket(&plan, &socket, diagnostics);
        if (r < 0)
                return r;

        state = find(&socket, &plan, &link, diagnostics);
        if (state < 0)
                return state;
        if (adopt(&socket, &plan, state, &link))
                return 0;
        return make(&socket, etc, &plan, state, &link, true, diagnostics);
}

int bridge_prepare(const char *etc, const struct bridge_plan *plan, struct diagnostics *diagnostics) {
        _cleanup_link_socket_ struct link_socket socket = {0};
        _cleanup_close_ int lock = -1;
        struct link link = {0};
        int r, state;

        r = open_socket(plan, &socket, diagnostics);
        if (r < 0)
                return r;
        state = find(&socket, plan, &link, diagnostics);
        if (state < 0 || (state == LINK_OURS && (link.flags & IFF_UP)))
                return state < 0 ? state : 0;

        r = take_lock(plan->course, plan->name, false, &lock, diagnostics);
        if (r < 0)
                return r;
        state = find(&socket, plan, &link, diagnostics);
        if (state < 0 || (state == LINK_OURS && (link.flags & IFF_UP)))
                return state < 0 ? state : 0;
        r = claim(plan, state, diagnostics);
        if (r < 0)
                return r;
        r = make(&socket, etc, plan, state, &link, false, diagnostics);
        if (r >= 0)
                return write_receipt(&socket, plan, diagnostics);
        /* The receipt stays if the bridge could not be removed. */
        state = link_find(&socket, plan->name, "bridge", &link);
        if (state == LINK_ABSENT || state == LINK_FOREIGN)
                receipt_remove(RECEIPT_BRIDGE, plan->course);
        return r;
}

/* Without a lock of its own: the caller has it. */
static int remove_bridge(struct link_socket *socket, const char *etc, const struct bridge_plan *plan,
        struct diagnostics *diagnostics) {
        int r;

        r = remove_links(socket, plan, diagnostics);
        if (r < 0)
                return r;
        receipt_remove(RECEIPT_BRIDGE, plan->course);
        /*
         * This is done even if the bridge does not exist any more, because nobody has removed its rules then.
         */
        return course_rules_refresh(etc, diagnostics);
}

/*
 * The text becomes part of a name. Its number of digits is not checked, because a stop reads no settings.
 */
static int name_bridge(const char *course, struct bridge_plan *ret, struct diagnostics *diagnostics) {
        if (!digits_only(course) || strlen(course) >= COURSE_SIZE) {
                diagnostics_error(diagnostics, course, 0, "expected a course number, such as 123");
                return -EINVAL;
        }
        bridge_plan_name(course, ret);
        return 0;
}

int bridge_stop(const char *etc, const char *course, struct diagnostics *diagnostics) {
        _cleanup_link_socket_ struct link_socket socket = {0};
        _cleanup_close_ int lock = -1;
        struct bridge_plan plan;
        int r;

        r = name_bridge(course, &plan, diagnostics);
        if (r >= 0)
                r = take_lock(course, plan.name, true, &lock, diagnostics);
        if (r >= 0)
                r = open_socket(&plan, &socket, diagnostics);
        return r < 0 ? r : remove_bridge(&socket, etc, &plan, diagnostics);
}

/* Returns 1 if there is a cable on the bridge, or 0. */
static int has_cable(
        struct link_socket *socket, const struct bridge_plan *plan, struct diagnostics *diagnostics) {
        _cleanup_links_ struct links cables = {0};
        struct link link;
        int r;

        r = link_find(socket, plan->name, "bridge", &link);
        if (r == LINK_ABSENT)
                return 0;
        if (r >= 0)
                r = link_list_ours(socket, "veth", &cables);
        if (r < 0)
                return failure(diagnostics, plan->name, r, "its cables cannot be listed");
        for (size_t i = 0; i < cables.n_items; i++)
                if (cables.items[i].master == link.index)
                        return 1;
        return 0;
}

int bridge_discard(const char *etc, const char *course, struct diagnostics *diagnostics) {
        _cleanup_link_socket_ struct link_socket socket = {0};
        _cleanup_close_ int lock = -1;
        struct bridge_plan plan;
        int r;

        r = name_bridge(course, &plan, diagnostics);
        if (r >= 0)
                r = take_lock(course, plan.name, false, &lock, diagnostics);
        if (r < 0 || !receipt_exists(RECEIPT_BRIDGE, course))
                return r < 0 ? r : 0;
        r = open_socket(&plan, &socket, diagnostics);
        if (r >= 0)
                r = has_cable(&socket, &plan, diagnostics);
        if (r != 0)
                return r < 0 ? r : 0;
        return remove_bridge(&socket, etc, &plan, diagnostics);
}
