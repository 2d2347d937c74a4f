/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The bridge learns nothing from what comes out of the link, so no other member can move an address by a
 * frame: FRR alone says what is where. What is behind a cable is learnt, and stays dynamic, because FRR takes
 * a static entry for one that must not move to another member.
 *
 * The number, the member's own address and the port cannot be changed, so a link with others is replaced.
 */

#include "stretch.h"
#include "base/failure.h"

/*
 * Where the underlay's address is on the loopback, as in networks that route to each host, the way to the
 * other members has another MTU than that.
 */
#define ETHERNET_MTU 1500U

static struct link_vxlan planned(const struct bridge_plan *plan) {
        return (struct link_vxlan){.vni = plan->vni, .local = plan->underlay, .port = VXLAN_PORT};
}

static bool is_isolated(const struct bridge_plan *plan) {
        return plan->traffic.isolation == ISOLATION_SEAT;
}

/* --- the underlay -------------------------------------------------------------------------------------- */

/* -ENODEV: no interface has the address. */
static int find_underlay(struct link_socket *socket, uint32_t ip, struct link *ret) {
        _cleanup_link_networks_ struct link_networks networks = {0};
        int r;

        r = link_list_addresses(socket, &networks);
        for (size_t i = 0; r >= 0 && i < networks.n_items; i++)
                if (networks.items[i].address.ip == ip)
                        return link_get(socket, networks.items[i].index, ret);
        return r < 0 ? r : -ENODEV;
}

/* What seats may send at once, without what VXLAN adds. */
static int find_mtu(struct link_socket *socket, const struct bridge_plan *plan, unsigned *ret,
        struct diagnostics *diagnostics) {
        char address[ADDRESS_TEXT_SIZE];
        struct link link;
        int r;

        r = find_underlay(socket, plan->underlay, &link);
        if (r == -ENODEV) {
                address_format_ip(plan->underlay, address);
                diagnostics_error(diagnostics, plan->name, 0,
                        "no interface has %s, the address of this server in members of [hosts]: correct "
                        "members or host-name in " SETTINGS_FILE ", or give an interface this address",
                        address);
                return -EADDRNOTAVAIL;
        }
        if (r < 0)
                return failure(diagnostics, plan->name, r, "the address of [hosts] cannot be looked up");
        *ret = (link.flags & IFF_LOOPBACK ? ETHERNET_MTU : link.mtu) - VXLAN_OVERHEAD;
        return 0;
}

/* --- the link ------------------------------------------------------------------------------------------ */

/* What can only be set when the link is created. */
static bool is_usable(const struct link *link, const struct bridge_plan *plan, int bridge) {
        const struct link_vxlan vxlan = planned(plan);

        return link->vxlan.vni == vxlan.vni && link->vxlan.local == vxlan.local &&
               link->vxlan.port == vxlan.port && link->vxlan.learning == vxlan.learning &&
               link->master == bridge;
}

static int find(struct link_socket *socket, const struct bridge_plan *plan, struct link *ret,
        struct diagnostics *diagnostics) {
        int r = link_find(socket, plan->vxlan, "vxlan", ret);

        return r < 0 ? failure(diagnostics, plan->vxlan, r, "cannot be looked up") : r;
}

static int create(struct link_socket *socket, const struct bridge_plan *plan, const struct link *bridge,
        unsigned mtu, struct link *ret, struct diagnostics *diagnostics) {
        const struct link_vxlan vxlan = planned(plan);
        struct mac mac = mac_of_stretch(plan->underlay);
        int r;

        r = link_create_vxlan(socket, plan->vxlan, &mac, bridge->index, mtu, &vxlan);
        if (r == -EEXIST) {
                diagnostics_error(diagnostics, plan->vxlan, 0,
                        "another link has VNI %u on port %u (ip -d link show type vxlan): set vni of course "
                        "%s, or vni-base, to a number that nobody else uses",
                        plan->vni, VXLAN_PORT, plan->course);
                return r;
        }
        if (r < 0)
                return failure(diagnostics, plan->vxlan, r, "cannot be created");
        r = link_find(socket, plan->vxlan, "vxlan", ret);
        if (r != LINK_OURS)
                return failure(diagnostics, plan->vxlan, r < 0 ? r : -ENODEV,
                        "was removed by another program during setup");
        return 0;
}

/* Both ends of later cables take the bridge's MTU. */
static int set_up_port(struct link_socket *socket, const struct bridge_plan *plan, const struct link *bridge,
        const struct link *link, unsigned mtu, struct diagnostics *diagnostics) {
        int r;

        r = link_set_no_address6(socket, link->index);
        if (r >= 0)
                r = link_set_stretch_port(socket, link->index, is_isolated(plan));
        if (r >= 0 && link->mtu != mtu)
                r = link_set_mtu(socket, link->index, mtu);
        if (r >= 0)
                r = link_set_mtu(socket, bridge->index, mtu);
        return r < 0 ? failure(diagnostics, plan->vxlan, r, "cannot be set up as a port of the bridge") : 0;
}

static int make(struct link_socket *socket, const struct bridge_plan *plan, const struct link *bridge,
        struct diagnostics *diagnostics) {
        struct link link;
        unsigned mtu;
        int r;

        r = find_mtu(socket, plan, &mtu, diagnostics);
        if (r < 0)
                return r;
        r = find(socket, plan, &link, diagnostics);
        if (r < 0)
                return r;
        if (r == LINK_FOREIGN) {
                diagnostics_error(diagnostics, plan->vxlan, 0,
                        "exists already and was not made by coursenet: rename or remove it (ip link delete "
                        "%s), then start netbr@%s.service",
                        plan->vxlan, plan->course);
                return -EEXIST;
        }
        if (r == LINK_OURS && !is_usable(&link, plan, bridge->index)) {
                r = link_delete(socket, link.index);
                if (r < 0)
                        return failure(diagnostics, plan->vxlan, r, "cannot be replaced");
                r = LINK_ABSENT;
        }
        if (r == LINK_ABSENT)
                r = create(socket, plan, bridge, mtu, &link, diagnostics);
        return r < 0 ? r : set_up_port(socket, plan, bridge, &link, mtu, diagnostics);
}

int stretch_make(struct link_socket *socket, const struct bridge_plan *plan, const struct link *bridge,
        struct diagnostics *diagnostics) {
        return plan->vni > 0 ? make(socket, plan, bridge, diagnostics)
                             : stretch_remove(socket, plan, diagnostics);
}

int stretch_bring_up(
        struct link_socket *socket, const struct bridge_plan *plan, struct diagnostics *diagnostics) {
        struct link link;
        int r;

        if (plan->vni == 0)
                return 0;
        r = find(socket, plan, &link, diagnostics);
        if (r < 0)
                return r;
        r = r == LINK_OURS ? link_bring_up(socket, &link, NULL) : -ENODEV;
        if (r == -EADDRINUSE) {
                diagnostics_error(diagnostics, plan->vxlan, 0,
                        "a program of this server has UDP port %u, which the kernel needs for it: find it "
                        "with ss -lunp sport = %u, and end it",
                        VXLAN_PORT, VXLAN_PORT);
                return r;
        }
        return r < 0 ? failure(diagnostics, plan->vxlan, r, "cannot be set up") : 0;
}

int stretch_remove(
        struct link_socket *socket, const struct bridge_plan *plan, struct diagnostics *diagnostics) {
        struct link link;
        int r = find(socket, plan, &link, diagnostics);

        if (r != LINK_OURS)
                return r < 0 ? r : 0;
        r = link_delete(socket, link.index);
        return r < 0 ? failure(diagnostics, plan->vxlan, r, "cannot be removed") : 0;
}

int stretch_describe(
        struct link_socket *socket, const struct bridge_plan *plan, char ret_text[static STRETCH_TEXT_SIZE]) {
        char local[ADDRESS_TEXT_SIZE];
        struct link link;
        int r;

        ret_text[0] = '\0';
        if (plan->vni == 0)
                return 0;
        r = link_find(socket, plan->vxlan, "vxlan", &link);
        if (r != LINK_OURS)
                return r < 0 ? r : -ENODEV;
        address_format_ip(link.vxlan.local, local);
        (void)snprintf(ret_text, STRETCH_TEXT_SIZE,
                ", %s, index %d, %s, on %d, %u from %s:%u%s%s%s%s, mtu %u", plan->vxlan, link.index,
                link.flags & IFF_UP ? "up" : "down", link.master, link.vxlan.vni, local, link.vxlan.port,
                link.vxlan.learning ? ", learns" : "", link.learning ? ", bridge learns" : "",
                link.neigh_suppress ? "" : ", does not suppress", link.isolated ? ", isolated" : "",
                link.mtu);
        return 0;
}
