/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Courses that are in an exam. All rules come before those that look at connections, so a connection from
 * before the exam has no way left. They only refuse: what they let pass still meets the other rules, so an
 * exam opens nothing that the settings close.
 *
 * Into a seat come answers of what it may reach, and connections that the host's system accounts and the
 * course's staff have opened on the host. The label says which connections these are, and, of forwarded ones,
 * to which an ICMP error may belong: a label is set by a packet that was let pass, during an exam only.
 *
 * Packets between two seats of a course stay within the bridge, and so does ARP. The table of the family
 * "bridge" drops them at the cables, whose names begin with the course. So seats of a spread course reach
 * none on other members either, whether or not the exam has begun there.
 */

#include <inttypes.h>

#include "ruleset-exam.h"
#include "ruleset-members.h"

#define L4 "meta l4proto { tcp, udp } "
#define EXAM_DNS_PORT STRINGIFY(RULESET_EXAM_DNS_PORT)

/* A bit of connection tracking's labels, which few others use: COURSENET_LINK_GROUP modulo their number. */
#define LABEL "ct label 110"
#define SET_LABEL "ct label set 110"

/* Accounts below are the host's services, such as a hub's proxy; the fence trusts the same. */
#define SYSTEM_UIDS "1000"

static const char from_seat_chain[] =
        "\tchain exam_from_seat {\n"
        "\t\tiifname . ip daddr @exam_hosts4 goto exam_allowed\n"
        "\t\tiifname . ip6 daddr @exam_hosts6 goto exam_allowed\n"
        "\t\tiifname . ip daddr . meta l4proto . th dport @exam_ports4 goto exam_allowed\n"
        "\t\tiifname . ip6 daddr . meta l4proto . th dport @exam_ports6 goto exam_allowed\n"
        "\t\treject with icmpx admin-prohibited\n"
        "\t}\n"
        "\tchain exam_allowed {\n"
        "\t\t" SET_LABEL "\n"
        "\t}\n";

/* Without ICMP errors an allowed host behind a tunnel could not be sent large packets. */
static const char to_seat_chain[] =
        "\tchain exam_to_seat {\n"
        "\t\tct direction reply oifname . ip saddr @exam_hosts4 return\n"
        "\t\tct direction reply oifname . ip6 saddr @exam_hosts6 return\n"
        "\t\tct direction reply oifname . ip saddr . meta l4proto . th sport @exam_ports4 return\n"
        "\t\tct direction reply oifname . ip6 saddr . meta l4proto . th sport @exam_ports6 return\n"
        "\t\tct state related " LABEL
        " icmp type { destination-unreachable, time-exceeded, parameter-problem } return\n"
        "\t\tct state related " LABEL
        " icmpv6 type { destination-unreachable, packet-too-big, time-exceeded, parameter-problem } return\n"
        "\t\treject with icmpx admin-prohibited\n"
        "\t}\n";

/* %s: the name service. */
static const char to_host_chain[] = "\tchain exam_to_host {\n"
                                    "\t\ticmpv6 type { nd-neighbor-solicit, nd-neighbor-advert } return\n"
                                    "%s"
                                    "\t\tiifname . ip daddr @exam_hosts4 return\n"
                                    "\t\tiifname . ip6 daddr @exam_hosts6 return\n"
                                    "\t\tiifname . ip daddr . meta l4proto . th dport @exam_ports4 return\n"
                                    "\t\tiifname . ip6 daddr . meta l4proto . th dport @exam_ports6 return\n"
                                    "\t\tct direction reply " LABEL " return\n"
                                    "\t\tmeta pkttype != host drop\n"
                                    "\t\treject with icmpx admin-prohibited\n"
                                    "\t}\n";

static const char name_service_rules[] =
        "\t\tiifname . ip daddr @gateways4 " L4 "th dport " EXAM_DNS_PORT " accept\n"
        "\t\tiifname . ip6 daddr @gateways6 " L4 "th dport " EXAM_DNS_PORT " accept\n";

/*
 * A packet that the kernel sends by itself has no owner. Of what has none, only answers to a ping could be
 * asked for by a user.
 */
static const char from_host_chain[] =
        "\tchain exam_output {\n"
        "\t\ttype filter hook output priority filter; policy accept;\n"
        "\t\toifname @exams jump exam_from_host\n"
        "\t}\n"
        "\tchain exam_from_host {\n"
        "\t\tct direction original " LABEL " accept\n"
        "\t\tct direction original meta skuid < " SYSTEM_UIDS " " SET_LABEL " accept\n"
        "\t\tct direction original oifname . meta skuid @exam_staff " SET_LABEL " accept\n"
        "\t\tct direction reply " L4 "th sport " EXAM_DNS_PORT " accept\n"
        "\t\tct direction reply oifname . ip saddr @exam_hosts4 accept\n"
        "\t\tct direction reply oifname . ip6 saddr @exam_hosts6 accept\n"
        "\t\tct direction reply oifname . ip saddr . meta l4proto . th sport @exam_ports4 accept\n"
        "\t\tct direction reply oifname . ip6 saddr . meta l4proto . th sport @exam_ports6 accept\n"
        "\t\ticmp type != { echo-request, echo-reply } accept\n"
        "\t\ticmpv6 type != { echo-request, echo-reply } accept\n"
        "\t\tmeta l4proto igmp accept\n"
        "\t\treject with icmpx admin-prohibited\n"
        "\t}\n";

static void put_bridges(struct nft_text *text, const struct ruleset_courses *courses) {
        struct nft_set set = nft_set_open(text, "set", "exams", "ifname");

        for (size_t i = 0; i < courses->n_exams; i++)
                nft_set_put(&set, "\"%s\"", courses->exams[i].bridge);
        nft_set_close(&set);
}

static void put_hosts(struct nft_text *text, const struct ruleset_courses *courses, bool six) {
        struct nft_set set = nft_set_open(text, "set", six ? "exam_hosts6" : "exam_hosts4",
                six ? "ifname . ipv6_addr" : "ifname . ipv4_addr");

        for (size_t i = 0; i < courses->n_exams; i++) {
                const struct ruleset_exam *exam = &courses->exams[i];

                for (size_t j = 0; j < exam->n_allow; j++)
                        if (exam->allow[j].six == six && exam->allow[j].port == 0)
                                nft_set_put(&set, "\"%s\" . %s", exam->bridge, exam->allow[j].address);
        }
        nft_set_close(&set);
}

static void put_port(
        struct nft_set *set, const char *bridge, const struct exam_allow *allow, const char *protocol) {
        nft_set_put(set, "\"%s\" . %s . %s . %u", bridge, allow->address, protocol, allow->port);
}

static void put_ports(struct nft_text *text, const struct ruleset_courses *courses, bool six) {
        struct nft_set set = nft_set_open(text, "set", six ? "exam_ports6" : "exam_ports4",
                six ? "ifname . ipv6_addr . inet_proto . inet_service"
                    : "ifname . ipv4_addr . inet_proto . inet_service");

        for (size_t i = 0; i < courses->n_exams; i++) {
                const struct ruleset_exam *exam = &courses->exams[i];

                for (size_t j = 0; j < exam->n_allow; j++) {
                        if (exam->allow[j].six != six || exam->allow[j].port == 0)
                                continue;
                        if (exam->allow[j].tcp)
                                put_port(&set, exam->bridge, &exam->allow[j], "tcp");
                        if (exam->allow[j].udp)
                                put_port(&set, exam->bridge, &exam->allow[j], "udp");
                }
        }
        nft_set_close(&set);
}

static void put_staff(struct nft_text *text, const struct ruleset_courses *courses) {
        struct nft_set set = nft_set_open(text, "set", "exam_staff", "ifname . uid");

        for (size_t i = 0; i < courses->n_exams; i++)
                for (size_t j = 0; j < courses->exams[i].exam->n_staff; j++)
                        nft_set_put(&set, "\"%s\" . %" PRIu32, courses->exams[i].bridge,
                                courses->exams[i].exam->staff[j]);
        nft_set_close(&set);
}

void ruleset_put_exams(struct nft_text *text, const struct ruleset_courses *courses) {
        put_bridges(text, courses);
        for (int six = 0; six < 2; six++) {
                put_hosts(text, courses, six);
                put_ports(text, courses, six);
        }
        put_staff(text, courses);
        nft_text_put(text, "%s%s", from_seat_chain, to_seat_chain);
        nft_text_put(text, to_host_chain, courses->dns ? name_service_rules : "");
        nft_text_put(text, "%s", from_host_chain);
}

static void put_exam_chain(struct nft_text *text, const struct ruleset_courses *courses) {
        if (courses->n_exams == 0)
                return;
        nft_text_put(text, "\tchain forward {\n"
                           "\t\ttype filter hook forward priority filter; policy accept;\n");
        for (size_t i = 0; i < courses->n_exams; i++)
                nft_text_put(text, "\t\tiifname \"vl-%s*\" drop\n\t\toifname \"vl-%s*\" drop\n",
                        courses->exams[i].exam->course, courses->exams[i].exam->course);
        nft_text_put(text, "\t}\n");
}

/* NULL: there is no such bridge. */
static const struct bridge_plan *find_course(const struct ruleset_courses *courses, const char *bridge) {
        for (size_t i = 0; i < courses->n_courses; i++)
                if (string_equal(courses->courses[i].name, bridge))
                        return &courses->courses[i];
        return NULL;
}

static void put_target6(struct nft_set *set, const struct address6 *address) {
        char text[33], *end = text;

        if (!address6_is_set(address))
                return;
        for (size_t i = 0; i < sizeof(address->bytes); i++)
                end += snprintf(end, 3, "%02x", address->bytes[i]);
        nft_text_put(set->text, "%s0x%s", set->empty ? "" : ", ", text);
        set->empty = false;
}

/* Of a spread course: only the gateway's addresses may be asked for. */
static void put_asking(struct nft_text *text, const struct bridge_plan *course) {
        struct address6 link_local = mac_link_local(&course->mac);
        struct nft_set targets = {.text = text, .empty = true};
        char ip[ADDRESS_TEXT_SIZE];

        address_format_ip(course->address.ip, ip);
        nft_text_put(
                text, "\t\tiifname \"vl-%s*\" arp htype 1 arp daddr ip != %s drop\n", course->course, ip);
        nft_text_put(text, "\t\tiifname \"vl-%s*\" icmpv6 type nd-neighbor-solicit @th,64,128 != { ",
                course->course);
        put_target6(&targets, &link_local);
        put_target6(&targets, &course->address6);
        nft_text_put(text, " } drop\n");
}

/*
 * The bridge of a spread course answers by itself for seats of other members (neighbour suppression), before
 * a packet comes to the hook above. So seats would see who of the others is live.
 */
static void put_exam_asking(struct nft_text *text, const struct ruleset_courses *courses) {
        bool any = false;

        for (size_t i = 0; i < courses->n_exams; i++) {
                const struct bridge_plan *course = find_course(courses, courses->exams[i].bridge);

                if (!course || course->vni == 0)
                        continue;
                if (!any)
                        nft_text_put(text,
                                "\tchain prerouting {\n"
                                "\t\ttype filter hook prerouting priority filter; policy accept;\n");
                any = true;
                put_asking(text, course);
        }
        if (any)
                nft_text_put(text, "\t}\n");
}

char *ruleset_format_exams(const struct ruleset_courses *courses) {
        struct nft_text text;

        if (!nft_text_open(&text))
                return NULL;
        nft_text_put_replacement(&text, RULESET_EXAMS);
        if (courses->n_exams > 0 || ruleset_any_spread(courses)) {
                nft_text_put(&text, "table " RULESET_EXAMS " {\n");
                put_exam_chain(&text, courses);
                put_exam_asking(&text, courses);
                ruleset_put_stretches(&text, courses);
                nft_text_put(&text, "}\n");
        }
        return nft_text_close(&text);
}
