/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The rules are the same for every course and every host; what differs stands in sets and maps, so a packet
 * meets as many rules beside forty courses as beside one.
 *
 * Whose packet it is, the link group says (COURSENET_LINK_GROUP): our bridges have it from the request on
 * that creates them, so there is no list of them that could be late. Rules match names, not indices: an
 * uplink that is unplugged and comes back is the same to them.
 *
 * The tables of the courses and of the fence are replaced as a whole. "add table" before "delete table" makes
 * the latter succeed where there is none; nft(8) has "destroy" for it since 1.0.7 only.
 */

#include <inttypes.h>

#include "ruleset.h"

#define GROUP STRINGIFY(COURSENET_LINK_GROUP)
/* A rule that changes a port must itself have said whose. */
#define L4 "meta l4proto { tcp, udp } "
#define DNS_PORT STRINGIFY(RULESET_DNS_PORT)

/* A text that grows; writing into it cannot fail, but finishing it can. */
struct text {
        FILE *stream;
        char *buffer;
        size_t size;
};

static bool text_open(struct text *ret) {
        *ret = (struct text){0};
        ret->stream = open_memstream(&ret->buffer, &ret->size);
        return ret->stream != NULL;
}

static char *text_close(struct text *text) {
        bool failed = ferror(text->stream) != 0;

        if (fclose(text->stream) != 0 || failed) {
                free(text->buffer);
                return NULL;
        }
        return text->buffer;
}

static void _printf_(2, 3) put(struct text *text, const char *format, ...) {
        va_list arguments;

        va_start(arguments, format);
        (void)vfprintf(text->stream, format, arguments);
        va_end(arguments);
}

static void put_replacement(struct text *text, const char *table) {
        put(text, "add table %s\ndelete table %s\n", table, table);
}

/* --- sets and maps --------------------------------------------------------------------------------- */

/*
 * A set or map is opened, gets its elements, and is closed; nft takes no empty braces, so they appear with
 * the first element.
 */
struct set {
        struct text *text;
        bool empty;
};

static struct set open_set(struct text *text, const char *kind, const char *name, const char *type) {
        put(text, "\t%s %s {\n\t\ttype %s\n", kind, name, type);
        return (struct set){.text = text, .empty = true};
}

static void _printf_(2, 3) put_element(struct set *set, const char *format, ...) {
        va_list arguments;

        put(set->text, set->empty ? "\t\telements = { " : ", ");
        set->empty = false;
        va_start(arguments, format);
        (void)vfprintf(set->text->stream, format, arguments);
        va_end(arguments);
}

static void close_set(struct set *set) {
        put(set->text, set->empty ? "\t}\n" : " }\n\t}\n");
}

static void put_names(struct text *text, const char *name, const struct link_names *names) {
        struct set set = open_set(text, "set", name, "ifname");

        for (size_t i = 0; i < names->n_items; i++)
                put_element(&set, "\"%s\"", names->items[i]);
        close_set(&set);
}

/* The names of the bridges that a property holds for. */
static void put_bridges(struct text *text, const char *name, const struct ruleset_courses *courses,
        bool (*holds)(const struct bridge_plan *course)) {
        struct set set = open_set(text, "set", name, "ifname");

        for (size_t i = 0; i < courses->n_courses; i++)
                if (holds(&courses->courses[i]))
                        put_element(&set, "\"%s\"", courses->courses[i].name);
        close_set(&set);
}

static bool is_open(const struct bridge_plan *course) {
        return course->traffic.isolation == ISOLATION_NONE;
}

static bool takes_connections(const struct bridge_plan *course) {
        return course->traffic.inbound;
}

/*
 * Bridged packets are none of the IP layer's business, unless br_netfilter is loaded (Docker does): then each
 * comes by as if it were routed from the bridge to itself.
 */
static void put_together(struct text *text, const struct ruleset_courses *courses) {
        struct set set = open_set(text, "set", "together", "ifname . ifname");

        for (size_t i = 0; i < courses->n_courses; i++)
                if (courses->courses[i].traffic.isolation != ISOLATION_SEAT)
                        put_element(
                                &set, "\"%s\" . \"%s\"", courses->courses[i].name, courses->courses[i].name);
        close_set(&set);
}

/* The same for others' bridges: what passes them was never routed, so it is not ours to drop. */
static void put_bridged(struct text *text, const struct ruleset_courses *courses) {
        struct set set = open_set(text, "set", "bridged", "ifname . ifname");

        for (size_t i = 0; i < courses->bridged.n_items; i++)
                put_element(&set, "\"%s\" . \"%s\"", courses->bridged.items[i], courses->bridged.items[i]);
        close_set(&set);
}

static void put_nat4(struct text *text, const struct ruleset_courses *courses) {
        struct set set = open_set(text, "set", "nat4", "ipv4_addr\n\t\tflags interval");
        char network[ADDRESS_TEXT_SIZE];

        for (size_t i = 0; i < courses->n_courses; i++) {
                const struct bridge_plan *course = &courses->courses[i];
                struct address subnet = {
                        .ip = address_network(&course->address), .prefix = course->address.prefix};

                if (!course->traffic.nat || course->address.ip == 0)
                        continue;
                address_format(&subnet, network);
                put_element(&set, "%s", network);
        }
        close_set(&set);
}

static void put_nat6(struct text *text, const struct ruleset_courses *courses) {
        struct set set = open_set(text, "set", "nat6", "ipv6_addr\n\t\tflags interval");
        char network[ADDRESS6_TEXT_SIZE];

        for (size_t i = 0; i < courses->n_courses; i++) {
                const struct bridge_plan *course = &courses->courses[i];
                struct address6 subnet = address6_network(&course->address6);

                if (course->traffic.nat6 != CHOICE_YES || !address6_is_set(&course->address6))
                        continue;
                address6_format(&subnet, network);
                put_element(&set, "%s", network);
        }
        close_set(&set);
}

/* What a seat may take for its own host: the gateway's addresses, on its own bridge only. */
static void put_gateways(struct text *text, const struct ruleset_courses *courses) {
        struct set set = open_set(text, "set", "gateways4", "ifname . ipv4_addr");
        char ip[ADDRESS6_TEXT_SIZE];

        for (size_t i = 0; i < courses->n_courses; i++) {
                if (courses->courses[i].address.ip == 0)
                        continue;
                address_format_ip(courses->courses[i].address.ip, ip);
                put_element(&set, "\"%s\" . %s", courses->courses[i].name, ip);
        }
        close_set(&set);

        set = open_set(text, "set", "gateways6", "ifname . ipv6_addr");
        for (size_t i = 0; i < courses->n_courses; i++) {
                if (!address6_is_set(&courses->courses[i].address6))
                        continue;
                address6_format_ip(&courses->courses[i].address6, ip);
                put_element(&set, "\"%s\" . %s", courses->courses[i].name, ip);
        }
        close_set(&set);
}

static void put_port(struct set *set, const char *bridge, const struct port *port) {
        if (port->tcp)
                put_element(set, "\"%s\" . tcp . %u", bridge, port->number);
        if (port->udp)
                put_element(set, "\"%s\" . udp . %u", bridge, port->number);
}

static void put_host_ports(
        struct text *text, const char *name, const struct ruleset_courses *courses, bool any_address) {
        struct set set = open_set(text, "set", name, "ifname . inet_proto . inet_service");

        for (size_t i = 0; i < courses->n_courses; i++) {
                const struct bridge_plan *course = &courses->courses[i];
                const struct ports *ports = &course->traffic.host_ports;

                for (size_t j = 0; j < ports->n_items; j++)
                        if (ports->items[j].any_address == any_address)
                                put_port(&set, course->name, &ports->items[j]);
        }
        close_set(&set);
}

/* Those that are on the host's loopback are local to it anyway; see chain names. */
static void put_resolvers(struct text *text, const struct ruleset_courses *courses) {
        struct set set = open_set(text, "set", "resolvers4", "ipv4_addr");

        for (size_t i = 0; i < courses->n_resolvers; i++)
                if (!strchr(courses->resolvers[i], ':'))
                        put_element(&set, "%s", courses->resolvers[i]);
        close_set(&set);

        set = open_set(text, "set", "resolvers6", "ipv6_addr");
        for (size_t i = 0; i < courses->n_resolvers; i++)
                if (strchr(courses->resolvers[i], ':'))
                        put_element(&set, "%s", courses->resolvers[i]);
        close_set(&set);
}

/* A map from bridges, and a set of the addresses alone, in each family. */
static void put_name_servers4(struct text *text, const struct ruleset_courses *courses, bool map) {
        struct set set = open_set(text, map ? "map" : "set", map ? "name_server4" : "name_servers4",
                map ? "ifname : ipv4_addr" : "ipv4_addr");
        char ip[ADDRESS6_TEXT_SIZE];

        for (size_t i = 0; i < courses->n_courses; i++) {
                if (courses->courses[i].address.ip == 0)
                        continue;
                address_format_ip(courses->courses[i].address.ip, ip);
                if (map)
                        put_element(&set, "\"%s\" : %s", courses->courses[i].name, ip);
                else
                        put_element(&set, "%s", ip);
        }
        close_set(&set);
}

static void put_name_servers6(struct text *text, const struct ruleset_courses *courses, bool map) {
        struct set set = open_set(text, map ? "map" : "set", map ? "name_server6" : "name_servers6",
                map ? "ifname : ipv6_addr" : "ipv6_addr");
        char ip[ADDRESS6_TEXT_SIZE];

        for (size_t i = 0; i < courses->n_courses; i++) {
                if (!address6_is_set(&courses->courses[i].address6))
                        continue;
                address6_format_ip(&courses->courses[i].address6, ip);
                if (map)
                        put_element(&set, "\"%s\" : %s", courses->courses[i].name, ip);
                else
                        put_element(&set, "%s", ip);
        }
        close_set(&set);
}

/*
 * The limit of a course, from its seats to the host and the world; what they send each other stays within the
 * bridge. What is above it is dropped, which TCP adapts to. To queue it, as tbf does in the other direction,
 * it would have to go through an ifb link: mirred, which leads it there, takes the connection off a packet,
 * and where br_netfilter is loaded nobody looks it up again.
 *
 * A twentieth of a second may come at once, but never less than two large packets, each of which counts as a
 * whole.
 */
#define BURST_MIN UINT64_C(131072)

static void put_limits(struct text *text, const struct ruleset_courses *courses) {
        struct set map;

        for (size_t i = 0; i < courses->n_courses; i++) {
                uint64_t bytes = courses->courses[i].traffic.course_rate.bits / 8, burst = bytes / 20;

                if (bytes == 0)
                        continue;
                put(text, "\tchain limit_%s {\n", courses->courses[i].course);
                put(text, "\t\tlimit rate over %" PRIu64 " bytes/second burst %" PRIu64 " bytes drop\n\t}\n",
                        bytes, burst > BURST_MIN ? burst : BURST_MIN);
        }

        map = open_set(text, "map", "limits", "ifname : verdict");
        for (size_t i = 0; i < courses->n_courses; i++)
                if (courses->courses[i].traffic.course_rate.bits >= 8)
                        put_element(&map, "\"%s\" : jump limit_%s", courses->courses[i].name,
                                courses->courses[i].course);
        close_set(&map);
}

/* --- the table of courses -------------------------------------------------------------------------- */

/*
 * A seat asks whatever the host's resolv.conf names, or the gateway: our name service answers for them, as it
 * knows the seats' names, and reaches what the seat itself may not (127.0.0.53 of the host).
 */
static const char names_chains[] =
        "\tchain prerouting {\n"
        "\t\ttype nat hook prerouting priority dstnat; policy accept;\n"
        "\t\tiifgroup " GROUP " meta l4proto { tcp, udp } th dport 53 jump names\n"
        "\t}\n"
        "\tchain names {\n"
        "\t\tmeta nfproto ipv4 fib daddr type local " L4 "dnat ip to iifname map @name_server4 : " DNS_PORT
        "\n"
        "\t\tip daddr @resolvers4 " L4 "dnat ip to iifname map @name_server4 : " DNS_PORT "\n"
        "\t\tmeta nfproto ipv6 fib daddr type local " L4 "dnat ip6 to iifname map @name_server6 : " DNS_PORT
        "\n"
        "\t\tip6 daddr @resolvers6 " L4 "dnat ip6 to iifname map @name_server6 : " DNS_PORT "\n"
        "\t}\n";

/* A seat's connections to the host. What is not for it alone (multicast, broadcast) gets no answer. */
static const char input_chains[] = "\tchain input {\n"
                                   "\t\ttype filter hook input priority filter; policy accept;\n"
                                   "\t\tiifgroup " GROUP " jump to_host\n"
                                   "%s"
                                   "\t}\n"
                                   "\tchain to_host {\n"
                                   "\t\tiifname vmap @limits\n"
                                   "\t\tct state established,related accept\n"
                                   "\t\tct state invalid drop\n"
                                   "\t\ticmpv6 type { nd-neighbor-solicit, nd-neighbor-advert } accept\n"
                                   "\t\tiifname . ip daddr @gateways4 jump to_gateway\n"
                                   "\t\tiifname . ip6 daddr @gateways6 jump to_gateway\n"
                                   "\t\tiifname . meta l4proto . th dport @host_ports accept\n"
                                   "\t\tmeta pkttype != host drop\n"
                                   "\t\treject with icmpx admin-prohibited\n"
                                   "\t}\n"
                                   "\tchain to_gateway {\n"
                                   "\t\ticmp type echo-request accept\n"
                                   "\t\ticmpv6 type echo-request accept\n"
                                   "\t\tiifname . meta l4proto . th dport @gateway_ports accept\n"
                                   "%s"
                                   "\t}\n";

/*
 * A seat may know the names of its course. A process of the host, which may be anybody's, could ask for those
 * of all courses, so it is refused. dnsmasq would answer it, because it takes the loopback for an interface
 * that it serves.
 */
#define OF_HOST L4 "th dport " DNS_PORT " reject with icmpx admin-prohibited\n"

static const char name_service_of_host_rules[] =
        "\t\tiif \"lo\" ip daddr @name_servers4 " OF_HOST "\t\tiif \"lo\" ip6 daddr @name_servers6 " OF_HOST
        "\t\tiif \"lo\" ip6 daddr fe80::/10 " OF_HOST;

static const char name_service_rule[] = "\t\tmeta l4proto { tcp, udp } th dport " DNS_PORT " accept\n";

static const char forward_chains[] = "\tchain from_seats {\n"
                                     "\t\tiifname . oifname @together accept\n"
                                     "\t\tiifname vmap @limits\n"
                                     "\t\tct state established,related accept\n"
                                     "\t\tct state invalid drop\n"
                                     "\t\tiifname @open oifname @open accept\n"
                                     /* Link-local is not for routers to forward (RFC 3927, 7): it is the
                                      * host's own neighbours, and what a cloud tells its instances. The
                                      * kernel minds that for IPv6 by itself. */
                                     "\t\tip daddr 169.254.0.0/16 reject with icmpx admin-prohibited\n"
                                     "\t\toifname @uplinks accept\n"
                                     "\t\treject with icmpx admin-prohibited\n"
                                     "\t}\n"
                                     "\tchain to_seats {\n"
                                     "\t\tct state established,related accept\n"
                                     "\t\toifname @inbound accept\n"
                                     "\t\treject with icmpx admin-prohibited\n"
                                     "\t}\n"
                                     "\tchain forward {\n"
                                     "\t\ttype filter hook forward priority filter; policy accept;\n"
                                     "\t\tiifgroup " GROUP " jump from_seats\n"
                                     "\t\toifgroup " GROUP " jump to_seats\n"
                                     /* What has nothing to do with a seat is forwarded as it was before we
                                      * came: where that was not at all, not at all. */
                                     "\t\tiifname . oifname @bridged accept\n"
                                     "\t\tmeta nfproto ipv4 iifname @opened4 drop\n"
                                     "\t\tmeta nfproto ipv6 iifname @opened6 drop\n"
                                     "%s"
                                     "\t}\n";

static const char opened6_rule[] = "\t\tmeta nfproto ipv6 drop\n";

static const char postrouting_chain[] = "\tchain postrouting {\n"
                                        "\t\ttype nat hook postrouting priority srcnat; policy accept;\n"
                                        "\t\toifname @uplinks ip saddr @nat4 masquerade\n"
                                        "\t\toifname @uplinks ip6 saddr @nat6 masquerade\n"
                                        "\t}\n";

static void put_courses(struct text *text, const struct ruleset_courses *courses) {
        put(text, "table " RULESET_COURSES " {\n");
        put_names(text, "uplinks", &courses->uplinks);
        put_names(text, "opened4", &courses->opened4);
        put_names(text, "opened6", &courses->opened6);
        put_bridged(text, courses);
        put_together(text, courses);
        put_bridges(text, "open", courses, is_open);
        put_bridges(text, "inbound", courses, takes_connections);
        put_nat4(text, courses);
        put_nat6(text, courses);
        put_gateways(text, courses);
        put_limits(text, courses);
        put_host_ports(text, "gateway_ports", courses, false);
        put_host_ports(text, "host_ports", courses, true);
        if (courses->dns) {
                put_resolvers(text, courses);
                for (int map = 0; map < 2; map++) {
                        put_name_servers4(text, courses, map);
                        put_name_servers6(text, courses, map);
                }
                put(text, "%s", names_chains);
        }
        put(text, input_chains, courses->dns ? name_service_of_host_rules : "",
                courses->dns ? name_service_rule : "");
        put(text, forward_chains, courses->opened6_all ? opened6_rule : "");
        put(text, "%s", postrouting_chain);
        put(text, "}\n");
}

char *ruleset_format_courses(const struct ruleset_courses *courses) {
        struct text text;

        if (!text_open(&text))
                return NULL;
        put_replacement(&text, RULESET_COURSES);
        if (courses->n_courses > 0)
                put_courses(&text, courses);
        return text_close(&text);
}

char *ruleset_format_first_course(const struct ruleset_courses *courses) {
        struct text text;

        if (!text_open(&text))
                return NULL;
        put(&text, "create table " RULESET_COURSES "\n");
        put_courses(&text, courses);
        return text_close(&text);
}

/* --- the table of seats ---------------------------------------------------------------------------- */

/*
 * Who may send what is the same for every seat too: its own chain only leads to the common ones, and what
 * differs is an element in each of a few sets. So a seat's start is one small transaction, which seat-chain.c
 * makes without nft, and takes no longer beside a thousand seats. What no rule accepts, the policy of the
 * seat's chain drops.
 *
 * A neighbour advertisement or solicitation is about the address that is its "target": 128 bits that begin 64
 * bits into ICMPv6 (RFC 4861, 4.3 and 4.4). In raw, as nft has "icmpv6 taddr" since 1.0.9 only.
 */
#define TARGET "@th,64,128"

static const char seats_table[] =
        "table " RULESET_SEATS " {\n"
        "\tset " RULESET_MACS " {\n\t\ttype ifname . ether_addr\n\t}\n"
        "\tset " RULESET_SENDERS4 " {\n\t\ttype ifname . ether_addr . ipv4_addr\n\t}\n"
        "\tset " RULESET_SENDERS6 " {\n\t\ttype ifname . ipv6_addr\n\t}\n"
        "\tset " RULESET_TARGETS6 " {\n\t\ttypeof iifname . " TARGET "\n\t}\n"
        "\tchain " RULESET_SENT " {\n"
        "\t\tiifname . ether saddr != @" RULESET_MACS " drop\n"
        "\t\tarp htype 1 iifname . arp saddr ether . arp saddr ip @" RULESET_SENDERS4 " accept\n"
        "\t\tigmp type membership-query drop\n"
        /* Seats take packets to their loopback from outside, see rule.h: only name queries have to go there.
         */
        "\t\tip daddr 127.0.0.0/8 meta l4proto != { tcp, udp } drop\n"
        "\t\tip daddr 127.0.0.0/8 th dport != 53 drop\n"
        "\t\tiifname . ether saddr . ip saddr @" RULESET_SENDERS4 " accept\n"
        "\t}\n"
        "\tchain " RULESET_SENT6 " {\n"
        /* A seat is no router, nor does it manage who is in which multicast group. */
        "\t\ticmpv6 type { mld-listener-query, nd-router-advert, nd-redirect } drop\n"
        "\t\ticmpv6 type nd-neighbor-advert iifname . " TARGET " != @" RULESET_TARGETS6 " drop\n"
        "\t\tiifname . ip6 saddr @" RULESET_SENDERS6 " accept\n"
        /* Before it has its addresses, it asks whether somebody else does, and joins groups. */
        "\t\tip6 saddr :: icmpv6 type nd-neighbor-solicit iifname . " TARGET " @" RULESET_TARGETS6 " accept\n"
        "\t\tip6 saddr :: icmpv6 type mld2-listener-report accept\n"
        "\t}\n"
        "}\n";

static void put_empty_chain(struct text *text, const char *chain) {
        put(text, "add chain " RULESET_SEATS " %s\n", chain);
        put(text, "flush chain " RULESET_SEATS " %s\n", chain);
}

char *ruleset_format_seats(bool anew) {
        static const char *const sets[] = {
                RULESET_MACS, RULESET_SENDERS4, RULESET_SENDERS6, RULESET_TARGETS6};
        struct text text;

        if (!text_open(&text))
                return NULL;
        put(&text, "add table " RULESET_SEATS "\n");
        put_empty_chain(&text, RULESET_SENT);
        put_empty_chain(&text, RULESET_SENT6);
        put(&text, "%s", seats_table);
        for (size_t i = 0; anew && i < ELEMENTSOF(sets); i++)
                put(&text, "flush set " RULESET_SEATS " %s\n", sets[i]);
        return text_close(&text);
}

static void _printf_(3, 4) put_member(struct text *text, const char *set, const char *format, ...) {
        va_list arguments;

        put(text, "add element " RULESET_SEATS " %s { ", set);
        va_start(arguments, format);
        (void)vfprintf(text->stream, format, arguments);
        va_end(arguments);
        put(text, " }\n");
}

static void put_sender6(struct text *text, const char *link, const struct address6 *address) {
        char ip[ADDRESS6_TEXT_SIZE], target[33], *end = target;

        address6_format_ip(address, ip);
        for (size_t i = 0; i < sizeof(address->bytes); i++)
                end += snprintf(end, 3, "%02x", address->bytes[i]);
        put_member(text, RULESET_SENDERS6, "\"%s\" . %s", link, ip);
        put_member(text, RULESET_TARGETS6, "\"%s\" . 0x%s", link, target);
}

char *ruleset_format_seat(const struct seat_plan *plan) {
        struct address6 link_local = mac_link_local(&plan->peer_mac);
        char mac[MAC_TEXT_SIZE], ip[ADDRESS_TEXT_SIZE];
        bool six = address6_is_set(&plan->address6);
        struct text text;

        if (!text_open(&text))
                return NULL;
        mac_format(&plan->peer_mac, mac);
        address_format_ip(plan->address.ip, ip);

        put(&text,
                "add chain " RULESET_SEATS
                " %s { type filter hook ingress device \"%s\" priority filter; policy drop; }\n",
                plan->link, plan->link);
        put(&text, "flush chain " RULESET_SEATS " %s\n", plan->link);
        put(&text, "add rule " RULESET_SEATS " %s jump " RULESET_SENT "\n", plan->link);
        if (six)
                put(&text, "add rule " RULESET_SEATS " %s jump " RULESET_SENT6 "\n", plan->link);
        put_member(&text, RULESET_MACS, "\"%s\" . %s", plan->link, mac);
        put_member(&text, RULESET_SENDERS4, "\"%s\" . %s . %s", plan->link, mac, ip);
        if (six) {
                put_sender6(&text, plan->link, &plan->address6);
                put_sender6(&text, plan->link, &link_local);
        }
        return text_close(&text);
}

char *ruleset_format_seat_removal(const char *link) {
        struct text text;

        if (!text_open(&text))
                return NULL;
        put_empty_chain(&text, link);
        put(&text, "delete chain " RULESET_SEATS " %s\n", link);
        return text_close(&text);
}

/* --- the fence ------------------------------------------------------------------------------------- */

static void put_open_ports(struct text *text, const struct ports *ports) {
        struct set set = open_set(text, "set", "open", "inet_proto . inet_service");

        for (size_t i = 0; i < ports->n_items; i++) {
                if (ports->items[i].tcp)
                        put_element(&set, "tcp . %u", ports->items[i].number);
                if (ports->items[i].udp)
                        put_element(&set, "udp . %u", ports->items[i].number);
        }
        close_set(&set);
}

/* Two sets: that of single uids, of which a campus has many, is a hash table. */
static void put_fenced(struct text *text, const struct ruleset_fenced *fenced) {
        struct set set = open_set(text, "set", "fenced", "uid");

        for (size_t i = 0; i < fenced->n_uids; i++)
                put_element(&set, "%u", fenced->uids[i]);
        close_set(&set);

        set = open_set(text, "set", "subordinates", "uid\n\t\tflags interval");
        for (size_t i = 0; i < fenced->subordinates.n_items; i++)
                put_element(&set, "%u-%u", fenced->subordinates.items[i].first,
                        fenced->subordinates.items[i].last);
        close_set(&set);
}

/*
 * A socket belongs to whoever made it: a login's own connection is sshd's, and passes. The sets have no uid
 * of root's or the system's, so packets of those are accepted before the sets are searched. Packets without
 * an owner do not match here: see fence-route.h.
 */
static const char fence_chain[] = "\tchain output {\n"
                                  "\t\ttype filter hook output priority filter; policy accept;\n"
                                  "\t\toifname \"lo\" accept\n"
                                  "\t\tmeta skuid < %u accept\n"
                                  "\t\tmeta skuid @fenced jump fence\n"
                                  "\t\tmeta skuid @subordinates jump fence\n"
                                  "\t}\n"
                                  "\tchain fence {\n"
                                  "\t\tmeta l4proto . th dport @open accept\n"
                                  "\t\treject with icmpx admin-prohibited\n"
                                  "\t}\n";

char *ruleset_format_fence(const struct fence_settings *fence, const struct ruleset_fenced *fenced) {
        struct text text;

        if (!text_open(&text))
                return NULL;
        put_replacement(&text, RULESET_FENCE);
        if (fence->enabled) {
                put(&text, "table " RULESET_FENCE " {\n");
                put_open_ports(&text, &fence->ports);
                put_fenced(&text, fenced);
                put(&text, fence_chain, SYSTEM_UID_END);
                put(&text, "}\n");
        }
        return text_close(&text);
}
