/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The table of courses. The rules are the same for every course and every host. Sets and maps have what
 * differs, so the number of rules that a packet passes does not depend on the number of courses.
 *
 * The rules know a bridge of ours by its link group (COURSENET_LINK_GROUP), which it has from its creation,
 * so no list of bridges can be out of date. Rules match names, not indices: an uplink that is unplugged and
 * comes back still matches. To find an index, libnftables would also list all links, of which there is one
 * for each seat.
 */

#include <inttypes.h>

#include "nft-text.h"
#include "ruleset-exam.h"
#include "ruleset-members.h"
#include "ruleset.h"

#define GROUP STRINGIFY(COURSENET_LINK_GROUP)
/* A rule that changes a port must itself match the protocol. */
#define L4 "meta l4proto { tcp, udp } "
#define DNS_PORT STRINGIFY(RULESET_DNS_PORT)
#define EXAM_DNS_PORT STRINGIFY(RULESET_EXAM_DNS_PORT)

static void put_names(struct nft_text *text, const char *name, const struct link_names *names) {
        struct nft_set set = nft_set_open(text, "set", name, "ifname");

        for (size_t i = 0; i < names->n_items; i++)
                nft_set_put(&set, "\"%s\"", names->items[i]);
        nft_set_close(&set);
}

/* The names of the bridges that a property holds for. */
static void put_bridges(struct nft_text *text, const char *name, const struct ruleset_courses *courses,
        bool (*holds)(const struct bridge_plan *course)) {
        struct nft_set set = nft_set_open(text, "set", name, "ifname");

        for (size_t i = 0; i < courses->n_courses; i++)
                if (holds(&courses->courses[i]))
                        nft_set_put(&set, "\"%s\"", courses->courses[i].name);
        nft_set_close(&set);
}

static bool is_open(const struct bridge_plan *course) {
        return course->traffic.isolation == ISOLATION_NONE;
}

static bool takes_connections(const struct bridge_plan *course) {
        return course->traffic.inbound;
}

/*
 * Bridged packets do not pass the IP layer, unless br_netfilter is loaded (Docker loads it). Then each looks
 * as if it were routed from the bridge to the same bridge.
 */
static void put_together(struct nft_text *text, const struct ruleset_courses *courses) {
        struct nft_set set = nft_set_open(text, "set", "together", "ifname . ifname");

        for (size_t i = 0; i < courses->n_courses; i++)
                if (courses->courses[i].traffic.isolation != ISOLATION_SEAT)
                        nft_set_put(
                                &set, "\"%s\" . \"%s\"", courses->courses[i].name, courses->courses[i].name);
        nft_set_close(&set);
}

/*
 * The same for bridges of other programs: their bridged packets were never routed, so we must not drop them.
 */
static void put_bridged(struct nft_text *text, const struct ruleset_courses *courses) {
        struct nft_set set = nft_set_open(text, "set", "bridged", "ifname . ifname");

        for (size_t i = 0; i < courses->bridged.n_items; i++)
                nft_set_put(&set, "\"%s\" . \"%s\"", courses->bridged.items[i], courses->bridged.items[i]);
        nft_set_close(&set);
}

static void put_nat4(struct nft_text *text, const struct ruleset_courses *courses) {
        struct nft_set set = nft_set_open(text, "set", "nat4", "ipv4_addr\n\t\tflags interval");
        char network[ADDRESS_TEXT_SIZE];

        for (size_t i = 0; i < courses->n_courses; i++) {
                const struct bridge_plan *course = &courses->courses[i];
                struct address subnet = {
                        .ip = address_network(&course->address), .prefix = course->address.prefix};

                if (!course->traffic.nat || course->address.ip == 0)
                        continue;
                address_format(&subnet, network);
                nft_set_put(&set, "%s", network);
        }
        nft_set_close(&set);
}

static void put_nat6(struct nft_text *text, const struct ruleset_courses *courses) {
        struct nft_set set = nft_set_open(text, "set", "nat6", "ipv6_addr\n\t\tflags interval");
        char network[ADDRESS6_TEXT_SIZE];

        for (size_t i = 0; i < courses->n_courses; i++) {
                const struct bridge_plan *course = &courses->courses[i];
                struct address6 subnet = address6_network(&course->address6);

                if (course->traffic.nat6 != CHOICE_YES || !address6_is_set(&course->address6))
                        continue;
                address6_format(&subnet, network);
                nft_set_put(&set, "%s", network);
        }
        nft_set_close(&set);
}

/* The addresses of the host that a seat may use: those of the gateway, on the seat's own bridge only. */
static void put_gateways(struct nft_text *text, const struct ruleset_courses *courses) {
        struct nft_set set = nft_set_open(text, "set", "gateways4", "ifname . ipv4_addr");
        char ip[ADDRESS6_TEXT_SIZE];

        for (size_t i = 0; i < courses->n_courses; i++) {
                if (courses->courses[i].address.ip == 0)
                        continue;
                address_format_ip(courses->courses[i].address.ip, ip);
                nft_set_put(&set, "\"%s\" . %s", courses->courses[i].name, ip);
        }
        nft_set_close(&set);

        set = nft_set_open(text, "set", "gateways6", "ifname . ipv6_addr");
        for (size_t i = 0; i < courses->n_courses; i++) {
                if (!address6_is_set(&courses->courses[i].address6))
                        continue;
                address6_format_ip(&courses->courses[i].address6, ip);
                nft_set_put(&set, "\"%s\" . %s", courses->courses[i].name, ip);
        }
        nft_set_close(&set);
}

static void put_port(struct nft_set *set, const char *bridge, const struct port *port) {
        if (port->tcp)
                nft_set_put(set, "\"%s\" . tcp . %u", bridge, port->number);
        if (port->udp)
                nft_set_put(set, "\"%s\" . udp . %u", bridge, port->number);
}

static void put_host_ports(
        struct nft_text *text, const char *name, const struct ruleset_courses *courses, bool any_address) {
        struct nft_set set = nft_set_open(text, "set", name, "ifname . inet_proto . inet_service");

        for (size_t i = 0; i < courses->n_courses; i++) {
                const struct bridge_plan *course = &courses->courses[i];
                const struct ports *ports = &course->traffic.host_ports;

                for (size_t j = 0; j < ports->n_items; j++)
                        if (ports->items[j].any_address == any_address)
                                put_port(&set, course->name, &ports->items[j]);
        }
        nft_set_close(&set);
}

/* Those that are on the host's loopback are local to it anyway; see chain names. */
static void put_resolvers(struct nft_text *text, const struct ruleset_courses *courses) {
        struct nft_set set = nft_set_open(text, "set", "resolvers4", "ipv4_addr");

        for (size_t i = 0; i < courses->n_resolvers; i++)
                if (!strchr(courses->resolvers[i], ':'))
                        nft_set_put(&set, "%s", courses->resolvers[i]);
        nft_set_close(&set);

        set = nft_set_open(text, "set", "resolvers6", "ipv6_addr");
        for (size_t i = 0; i < courses->n_resolvers; i++)
                if (strchr(courses->resolvers[i], ':'))
                        nft_set_put(&set, "%s", courses->resolvers[i]);
        nft_set_close(&set);
}

/* A map from bridges, and a set of the addresses alone, in each family. */
static void put_name_servers4(struct nft_text *text, const struct ruleset_courses *courses, bool map) {
        struct nft_set set = nft_set_open(text, map ? "map" : "set", map ? "name_server4" : "name_servers4",
                map ? "ifname : ipv4_addr" : "ipv4_addr");
        char ip[ADDRESS6_TEXT_SIZE];

        for (size_t i = 0; i < courses->n_courses; i++) {
                if (courses->courses[i].address.ip == 0)
                        continue;
                address_format_ip(courses->courses[i].address.ip, ip);
                if (map)
                        nft_set_put(&set, "\"%s\" : %s", courses->courses[i].name, ip);
                else
                        nft_set_put(&set, "%s", ip);
        }
        nft_set_close(&set);
}

static void put_name_servers6(struct nft_text *text, const struct ruleset_courses *courses, bool map) {
        struct nft_set set = nft_set_open(text, map ? "map" : "set", map ? "name_server6" : "name_servers6",
                map ? "ifname : ipv6_addr" : "ipv6_addr");
        char ip[ADDRESS6_TEXT_SIZE];

        for (size_t i = 0; i < courses->n_courses; i++) {
                if (!address6_is_set(&courses->courses[i].address6))
                        continue;
                address6_format_ip(&courses->courses[i].address6, ip);
                if (map)
                        nft_set_put(&set, "\"%s\" : %s", courses->courses[i].name, ip);
                else
                        nft_set_put(&set, "%s", ip);
        }
        nft_set_close(&set);
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

/* Below 8 bits per second there is no limit that nft could count. */
static bool is_limited(const struct bridge_plan *course) {
        return course->traffic.course_rate.bits >= 8;
}

static bool any_limited(const struct ruleset_courses *courses) {
        for (size_t i = 0; i < courses->n_courses; i++)
                if (is_limited(&courses->courses[i]))
                        return true;
        return false;
}

static void put_limits(struct nft_text *text, const struct ruleset_courses *courses) {
        struct nft_set map;

        for (size_t i = 0; i < courses->n_courses; i++) {
                uint64_t bytes = courses->courses[i].traffic.course_rate.bits / 8, burst = bytes / 20;

                if (!is_limited(&courses->courses[i]))
                        continue;
                nft_text_put(text, "\tchain limit_%s {\n", courses->courses[i].course);
                nft_text_put(text,
                        "\t\tlimit rate over %" PRIu64 " bytes/second burst %" PRIu64 " bytes drop\n\t}\n",
                        bytes, burst > BURST_MIN ? burst : BURST_MIN);
        }

        map = nft_set_open(text, "map", "limits", "ifname : verdict");
        for (size_t i = 0; i < courses->n_courses; i++)
                if (is_limited(&courses->courses[i]))
                        nft_set_put(&map, "\"%s\" : jump limit_%s", courses->courses[i].name,
                                courses->courses[i].course);
        nft_set_close(&map);
}

/* --- the flowtable --------------------------------------------------------------------------- */

/*
 * A packet of a connection in the flowtable is translated and sent on by the ingress hook of its device, and
 * meets none of the rules here. So a course with a limit is left out. Exams need nothing: their rules come
 * before the one that puts a connection in, and whenever they change, this table is replaced, which empties
 * the flowtable.
 *
 * The cables are no devices of it. The kernel would pass over the bridge then, and with it over the limit of
 * a course towards its seats. The priority leaves the first word to other programs' ingress chains of an
 * uplink.
 */

/* NFT_NETDEVICE_MAX of the kernel. The courses beyond that take the usual way. */
#define FLOW_DEVICES_MAX 256U

static bool flows(const struct bridge_plan *course) {
        return course->traffic.flowtable && !is_limited(course);
}

/* The bridges that are devices of the flowtable; without an uplink there is none. Returns how many. */
static size_t list_flowing(const struct ruleset_courses *courses, const char *ret[static FLOW_DEVICES_MAX]) {
        size_t n = 0, max = FLOW_DEVICES_MAX - courses->flow_uplinks.n_items;

        if (courses->flow_uplinks.n_items == 0)
                return 0;
        for (size_t i = 0; i < courses->n_courses && n < max; i++)
                if (flows(&courses->courses[i]))
                        ret[n++] = courses->courses[i].name;
        return n;
}

static void put_flowtable(
        struct nft_text *text, const struct link_names *uplinks, const char *const *bridges, size_t n) {
        struct nft_set set = nft_set_open(text, "set", "flowing", "ifname");

        for (size_t i = 0; i < n; i++)
                nft_set_put(&set, "\"%s\"", bridges[i]);
        nft_set_close(&set);

        nft_text_put(text, "\tflowtable " RULESET_FLOWTABLE
                           " {\n\t\thook ingress priority filter + 10\n\t\tdevices = { ");
        for (size_t i = 0; i < n; i++)
                nft_text_put(text, "\"%s\", ", bridges[i]);
        for (size_t i = 0; i < uplinks->n_items; i++)
                nft_text_put(text, "%s\"%s\"", i > 0 ? ", " : "", uplinks->items[i]);
        nft_text_put(text, " }\n\t}\n");
}

#define FLOW_RULE(from, to)                                                                                  \
        "\t\tct state established meta l4proto { tcp, udp } iifname @" from " oifname @" to                  \
        " flow add @" RULESET_FLOWTABLE "\n"

static const char flow_from_seats_rule[] = FLOW_RULE("flowing", "uplinks"),
                  flow_to_seats_rule[] = FLOW_RULE("uplinks", "flowing");

/*
 * A seat asks the servers of the host's resolv.conf, or the gateway. Our name service answers instead,
 * because it knows the seats' names and reaches servers that the seat may not reach (the host's 127.0.0.53).
 */
#define TO_NAME_SERVER(of, port)                                                                             \
        "\t\t" of "meta nfproto ipv4 fib daddr type local " L4                                               \
        "dnat ip to iifname map @name_server4 : " port "\n"                                                  \
        "\t\t" of "ip daddr @resolvers4 " L4 "dnat ip to iifname map @name_server4 : " port "\n"             \
        "\t\t" of "meta nfproto ipv6 fib daddr type local " L4                                               \
        "dnat ip6 to iifname map @name_server6 : " port "\n"                                                 \
        "\t\t" of "ip6 daddr @resolvers6 " L4 "dnat ip6 to iifname map @name_server6 : " port "\n"

/* %s: the rules of exams. */
static const char names_chains[] = "\tchain prerouting {\n"
                                   "\t\ttype nat hook prerouting priority dstnat; policy accept;\n"
                                   "\t\tiifgroup " GROUP " meta l4proto { tcp, udp } th dport 53 jump names\n"
                                   "\t}\n"
                                   "\tchain names {\n"
                                   "%s" TO_NAME_SERVER("", DNS_PORT) "\t}\n";

static const char exam_names_rules[] = TO_NAME_SERVER("iifname @exams ", EXAM_DNS_PORT);

static const char limits_rule[] = "\t\tiifname vmap @limits\n";

/* A seat's connections to the host. Multicast and broadcast packets are dropped without an answer. */
static const char input_chains[] = "\tchain input {\n"
                                   "\t\ttype filter hook input priority filter; policy accept;\n"
                                   "%s"
                                   "\t\tiifgroup " GROUP " jump to_host\n"
                                   "%s"
                                   "\t}\n"
                                   "\tchain to_host {\n"
                                   "%s"
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

static const char name_service_of_host_rules[] = "\t\tiifname \"lo\" ip daddr @name_servers4 " OF_HOST
                                                 "\t\tiifname \"lo\" ip6 daddr @name_servers6 " OF_HOST
                                                 "\t\tiifname \"lo\" ip6 daddr fe80::/10 " OF_HOST;

static const char name_service_rule[] = "\t\tmeta l4proto { tcp, udp } th dport " DNS_PORT " accept\n";

/*
 * Almost every packet belongs to an established connection. So that is asked first, unless a course has a
 * limit, which counts those packets too, but not what is bridged within the course. The other rules of this
 * part are names that are looked up: each takes as long as the lookup of the connection.
 */
static const char together_rule[] = "\t\tiifname . oifname @together accept\n";
static const char established_rule[] = "\t\tct state established,related accept\n";

static void put_first_rules_from_seats(struct nft_text *text, bool limited, bool flowing) {
        nft_text_put(text, "\tchain from_seats {\n%s", flowing ? flow_from_seats_rule : "");
        if (limited)
                nft_text_put(text, "%s%s%s", together_rule, limits_rule, established_rule);
        else
                nft_text_put(text, "%s%s", established_rule, together_rule);
}

static const char forward_chains[] = "\t\tct state invalid drop\n"
                                     "\t\tiifname @open oifname @open accept\n"
                                     /*
                                      * Routers must not forward link-local packets (RFC 3927, 7): they would
                                      * reach neighbours of the host, and the metadata service of a cloud. For
                                      * IPv6 the kernel itself drops them.
                                      */
                                     "\t\tip daddr 169.254.0.0/16 reject with icmpx admin-prohibited\n"
                                     "\t\toifname @uplinks accept\n"
                                     "\t\treject with icmpx admin-prohibited\n"
                                     "\t}\n"
                                     "\tchain to_seats {\n"
                                     "%s"
                                     "\t\tct state established,related accept\n"
                                     "\t\toifname @inbound accept\n"
                                     "\t\treject with icmpx admin-prohibited\n"
                                     "\t}\n"
                                     "\tchain forward {\n"
                                     "\t\ttype filter hook forward priority filter; policy accept;\n"
                                     "%s"
                                     "\t\tiifgroup " GROUP " jump from_seats\n"
                                     "\t\toifgroup " GROUP " jump to_seats\n"
                                     /*
                                      * Packets that have nothing to do with a seat are forwarded only if the
                                      * host forwarded them before coursenet switched forwarding on.
                                      */
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

static void put_courses(struct nft_text *text, const struct ruleset_courses *courses) {
        bool limited = any_limited(courses), examined = courses->n_exams > 0;
        const char *flowing[FLOW_DEVICES_MAX];
        size_t n_flowing = list_flowing(courses, flowing);

        nft_text_put(text, "table " RULESET_COURSES " {\n");
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
        if (limited)
                put_limits(text, courses);
        if (n_flowing > 0)
                put_flowtable(text, &courses->flow_uplinks, flowing, n_flowing);
        put_host_ports(text, "gateway_ports", courses, false);
        put_host_ports(text, "host_ports", courses, true);
        if (examined)
                ruleset_put_exams(text, courses);
        if (courses->dns) {
                put_resolvers(text, courses);
                for (int map = 0; map < 2; map++) {
                        put_name_servers4(text, courses, map);
                        put_name_servers6(text, courses, map);
                }
                nft_text_put(text, names_chains, examined ? exam_names_rules : "");
        }
        nft_text_put(text, input_chains, examined ? RULESET_EXAM_INPUT : "",
                courses->dns ? name_service_of_host_rules : "", limited ? limits_rule : "",
                courses->dns ? name_service_rule : "");
        put_first_rules_from_seats(text, limited, n_flowing > 0);
        nft_text_put(text, forward_chains, n_flowing > 0 ? flow_to_seats_rule : "",
                examined ? RULESET_EXAM_FORWARD : "", courses->opened6_all ? opened6_rule : "");
        nft_text_put(text, "%s", postrouting_chain);
        ruleset_put_underlay(text, courses);
        nft_text_put(text, "}\n");
}

char *ruleset_format_courses(const struct ruleset_courses *courses) {
        struct nft_text text;

        if (!nft_text_open(&text))
                return NULL;
        nft_text_put_replacement(&text, RULESET_COURSES);
        if (courses->n_courses > 0)
                put_courses(&text, courses);
        return nft_text_close(&text);
}

char *ruleset_format_first_course(const struct ruleset_courses *courses) {
        struct nft_text text;

        if (!nft_text_open(&text))
                return NULL;
        nft_text_put(&text, "create table " RULESET_COURSES "\n");
        put_courses(&text, courses);
        return nft_text_close(&text);
}
