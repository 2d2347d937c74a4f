/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The rules of a member of [hosts]: between the bridge of a spread course and those of the other members, and
 * in the underlay, the network between the members.
 *
 * The gateway has the same addresses on all members, so nothing of it crosses vx-123 in either direction: a
 * seat always goes out by its own member. What a seat may send is checked at its cable, on its own member.
 */

#include "ruleset-members.h"

#define GROUP STRINGIFY(COURSENET_LINK_GROUP)

/* The target of a neighbour solicitation or advertisement, see ruleset-seats.c. */
#define TARGET "@th,64,128"

/* BGP, etcd for clients and for its peers, and VXLAN. */
#define PORTS "{ 179, 2379, 2380, 4789 }"
#define TO_PORTS "meta l4proto { tcp, udp } th dport " PORTS

#define REFUSE "reject with icmpx admin-prohibited\n"

/* --- between the bridges --------------------------------------------------------------------- */

static const char stretch_chains[] =
        "\tchain members_input {\n"
        "\t\ttype filter hook input priority filter; policy accept;\n"
        "\t\tiifname \"vx-*\" drop\n"
        "\t}\n"
        "\tchain members_output {\n"
        "\t\ttype filter hook output priority filter; policy accept;\n"
        "\t\toifname \"vx-*\" drop\n"
        "\t}\n"
        "\tchain members_forward {\n"
        "\t\ttype filter hook forward priority filter; policy accept;\n"
        "\t\tiifname \"vx-*\" jump from_members\n"
        "\t\toifname \"vx-*\" jump to_members\n"
        "\t}\n"
        "\tchain from_members {\n"
        "\t\tiifname . ether saddr @gateway_macs drop\n"
        "\t\tiifname . ether daddr @gateway_macs drop\n"
        "\t\tarp htype 1 iifname . arp saddr ip @gateway_ips4 drop\n"
        "\t\tiifname . ip saddr @gateway_ips4 drop\n"
        "\t\tiifname . ip6 saddr @gateway_ips6 drop\n"
        "\t\ticmpv6 type nd-neighbor-advert iifname . " TARGET " @gateway_targets6 drop\n"
        "\t\tjump of_one_member\n"
        "\t}\n"
        "\tchain to_members {\n"
        "\t\toifname . ether saddr @gateway_macs drop\n"
        "\t\toifname . ether daddr @gateway_macs drop\n"
        "\t\tarp htype 1 oifname . arp daddr ip @gateway_ips4 drop\n"
        "\t\ticmpv6 type nd-neighbor-solicit oifname . " TARGET " @gateway_targets6 drop\n"
        "\t\tjump of_one_member\n"
        "\t}\n"
        /* Who is a router or gives addresses is a matter of each member. */
        "\tchain of_one_member {\n"
        "\t\ticmpv6 type { nd-router-solicit, nd-router-advert, nd-redirect } "
        "drop\n"
        "\t\tmeta l4proto udp th dport { 67, 68, 546, 547 } drop\n"
        "\t}\n";

static void put_macs(struct nft_text *text, const struct ruleset_courses *courses) {
        struct nft_set set = nft_set_open(text, "set", "gateway_macs", "ifname . ether_addr");
        char mac[MAC_TEXT_SIZE];

        for (size_t i = 0; i < courses->n_courses; i++) {
                if (courses->courses[i].vni == 0)
                        continue;
                mac_format(&courses->courses[i].mac, mac);
                nft_set_put(&set, "\"%s\" . %s", courses->courses[i].vxlan, mac);
        }
        nft_set_close(&set);
}

static void put_ips4(struct nft_text *text, const struct ruleset_courses *courses) {
        struct nft_set set = nft_set_open(text, "set", "gateway_ips4", "ifname . ipv4_addr");
        char ip[ADDRESS_TEXT_SIZE];

        for (size_t i = 0; i < courses->n_courses; i++) {
                if (courses->courses[i].vni == 0 || courses->courses[i].address.ip == 0)
                        continue;
                address_format_ip(courses->courses[i].address.ip, ip);
                nft_set_put(&set, "\"%s\" . %s", courses->courses[i].vxlan, ip);
        }
        nft_set_close(&set);
}

/* raw: 128 bits, as the target of a message is matched. */
static void put_ip6(struct nft_set *set, const char *vxlan, const struct address6 *address, bool raw) {
        char ip[ADDRESS6_TEXT_SIZE], *end = ip;

        if (!address6_is_set(address))
                return;
        if (!raw)
                address6_format_ip(address, ip);
        for (size_t i = 0; raw && i < sizeof(address->bytes); i++)
                end += snprintf(end, 3, "%02x", address->bytes[i]);
        nft_set_put(set, raw ? "\"%s\" . 0x%s" : "\"%s\" . %s", vxlan, ip);
}

static void put_all6(struct nft_set *set, const struct ruleset_courses *courses, bool raw) {
        for (size_t i = 0; i < courses->n_courses; i++) {
                const struct bridge_plan *course = &courses->courses[i];
                struct address6 link_local = mac_link_local(&course->mac);

                if (course->vni == 0)
                        continue;
                put_ip6(set, course->vxlan, &course->address6, raw);
                put_ip6(set, course->vxlan, &link_local, raw);
        }
        nft_set_close(set);
}

static void put_ips6(struct nft_text *text, const struct ruleset_courses *courses) {
        struct nft_set set = nft_set_open(text, "set", "gateway_ips6", "ifname . ipv6_addr");

        put_all6(&set, courses, false);
}

static void put_targets6(struct nft_text *text, const struct ruleset_courses *courses) {
        struct nft_set set = {.text = text, .empty = true};

        nft_text_put(text, "\tset gateway_targets6 {\n\t\ttypeof iifname . " TARGET "\n");
        put_all6(&set, courses, true);
}

bool ruleset_any_spread(const struct ruleset_courses *courses) {
        for (size_t i = 0; i < courses->n_courses; i++)
                if (courses->courses[i].vni > 0)
                        return true;
        return false;
}

void ruleset_put_stretches(struct nft_text *text, const struct ruleset_courses *courses) {
        if (!ruleset_any_spread(courses))
                return;
        put_macs(text, courses);
        put_ips4(text, courses);
        put_ips6(text, courses);
        put_targets6(text, courses);
        nft_text_put(text, "%s", stretch_chains);
}

/* --- seats that are live here ---------------------------------------------------------------- */

/*
 * A seat is live on one member at a time, so nothing true comes from vx-123 with the address of a seat that
 * is live here. It comes from a member that lies, or does not know yet that the seat has moved here. A table
 * of its own, because seats come and go without the courses' rules being computed again. seat-chain.c makes
 * the elements of a seat, and takes them away while the seat is fenced off: then it may be live elsewhere.
 */
static const char local_table[] =
        "table " RULESET_LOCAL " {\n"
        "\tset " RULESET_MACS " {\n\t\ttype ifname . ether_addr\n\t}\n"
        "\tset " RULESET_SOURCES4 " {\n\t\ttype ifname . ipv4_addr\n\t}\n"
        "\tset " RULESET_SOURCES6 " {\n\t\ttype ifname . ipv6_addr\n\t}\n"
        "\tset " RULESET_TARGETS6 " {\n\t\ttypeof iifname . " TARGET "\n\t}\n"
        "\tchain prerouting {\n"
        "\t\ttype filter hook prerouting priority filter; policy accept;\n"
        "\t\tiifname != \"vx-*\" accept\n"
        "\t\tiifname . ether saddr @" RULESET_MACS " drop\n"
        "\t\tarp htype 1 iifname . arp saddr ip @" RULESET_SOURCES4 " drop\n"
        "\t\tiifname . ip saddr @" RULESET_SOURCES4 " drop\n"
        "\t\tiifname . ip6 saddr @" RULESET_SOURCES6 " drop\n"
        "\t\ticmpv6 type nd-neighbor-advert iifname . " TARGET " @" RULESET_TARGETS6 " drop\n"
        "\t}\n"
        "}\n";

char *ruleset_format_local(bool empty_sets) {
        static const char *const sets[] = {
                RULESET_MACS, RULESET_SOURCES4, RULESET_SOURCES6, RULESET_TARGETS6};
        struct nft_text text;

        if (!nft_text_open(&text))
                return NULL;
        nft_text_put(&text,
                "add table " RULESET_LOCAL "\n"
                "add chain " RULESET_LOCAL " prerouting { "
                "type filter hook prerouting priority filter; policy accept; }\n"
                "flush chain " RULESET_LOCAL " prerouting\n%s",
                local_table);
        for (size_t i = 0; empty_sets && i < ELEMENTSOF(sets); i++)
                nft_text_put(&text, "flush set " RULESET_LOCAL " %s\n", sets[i]);
        return nft_text_close(&text);
}

static void put_local6(struct nft_text *text, const char *vxlan, const struct address6 *address) {
        char ip[ADDRESS6_TEXT_SIZE], target[33], *end = target;

        address6_format_ip(address, ip);
        for (size_t i = 0; i < sizeof(address->bytes); i++)
                end += snprintf(end, 3, "%02x", address->bytes[i]);
        nft_text_put(text, "add element " RULESET_LOCAL " " RULESET_SOURCES6 " { \"%s\" . %s }\n", vxlan, ip);
        nft_text_put(text, "add element " RULESET_LOCAL " " RULESET_TARGETS6 " { \"%s\" . 0x%s }\n", vxlan,
                target);
}

char *ruleset_format_local_seat(const struct seat_plan *plan) {
        struct address6 link_local = mac_link_local(&plan->peer_mac);
        char mac[MAC_TEXT_SIZE], ip[ADDRESS_TEXT_SIZE];
        struct bridge_plan bridge;
        struct nft_text text;

        if (!nft_text_open(&text))
                return NULL;
        bridge_plan_name(plan->bridge_course, &bridge);
        mac_format(&plan->peer_mac, mac);
        address_format_ip(plan->address.ip, ip);
        nft_text_put(
                &text, "add element " RULESET_LOCAL " " RULESET_MACS " { \"%s\" . %s }\n", bridge.vxlan, mac);
        nft_text_put(&text, "add element " RULESET_LOCAL " " RULESET_SOURCES4 " { \"%s\" . %s }\n",
                bridge.vxlan, ip);
        if (address6_is_set(&plan->address6)) {
                put_local6(&text, bridge.vxlan, &plan->address6);
                put_local6(&text, bridge.vxlan, &link_local);
        }
        return nft_text_close(&text);
}

/* --- the underlay ---------------------------------------------------------------------------- */

/*
 * The kernel's own VXLAN packets have no owner, and the packets of every process have one, root's too. So no
 * process forges a frame of a seat, also not for the members that believe this server's address.
 */
static const char underlay_chains[] =
        "\tchain members_input {\n"
        "\t\ttype filter hook input priority filter; policy accept;\n"
        "\t\tiifgroup " GROUP " " TO_PORTS " " REFUSE
        "\t\tiifname != \"lo\" ip saddr @members udp dport 4789 accept\n"
        "\t\tudp dport 4789 drop\n"
        "\t}\n"
        "\tchain members_output {\n"
        "\t\ttype filter hook output priority filter; policy accept;\n"
        "\t\tip daddr @members udp dport 4789 meta skuid >= 0 " REFUSE "\t}\n"
        "\tchain members_forward {\n"
        "\t\ttype filter hook forward priority filter; policy accept;\n"
        "\t\tip daddr @members udp dport 4789 " REFUSE "\t\tiifgroup " GROUP " ip daddr @members " TO_PORTS
        " " REFUSE
        /* Where the host itself passes them on to a container of its own. */
        "\t\tiifgroup " GROUP " ct original ip daddr @members meta l4proto { tcp, udp } ct original "
        "proto-dst " PORTS " " REFUSE "\t}\n";

void ruleset_put_underlay(struct nft_text *text, const struct ruleset_courses *courses) {
        char ip[ADDRESS_TEXT_SIZE];
        struct nft_set set;

        if (courses->n_members == 0)
                return;
        set = nft_set_open(text, "set", "members", "ipv4_addr");
        for (size_t i = 0; i < courses->n_members; i++) {
                address_format_ip(courses->members[i], ip);
                nft_set_put(&set, "%s", ip);
        }
        nft_set_close(&set);
        nft_text_put(text, "%s", underlay_chains);
}
