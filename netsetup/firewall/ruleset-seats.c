/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * A table of seats: the anti-spoof rule. Its rules are the same for every seat. A seat's own chain jumps to
 * the common chains, and sets have what differs: a few elements for each seat. So the start of a seat is one
 * small transaction, which seat-chain.c makes without nft, and which takes the same time beside any number of
 * seats. The policy of a seat's chain drops what no rule accepts.
 *
 * In front of the jumps, a seat's chain accepts what the seat usually sends, by comparisons only: to look
 * names and addresses up in sets takes three times as long. These rules accept nothing that the common chains
 * would not accept as well.
 */

#include "nft-text.h"
#include "ruleset.h"

/*
 * The "target" of a neighbour advertisement or solicitation is the address that it is about: 128 bits, from
 * bit 64 of ICMPv6 on (RFC 4861, 4.3 and 4.4). It is matched raw, because only nft 1.0.9 and later have
 * "icmpv6 taddr".
 */
#define TARGET "@th,64,128"

static const char table_content[] =
        " {\n"
        "\tset " RULESET_MACS " {\n\t\ttype ifname . ether_addr\n\t}\n"
        "\tset " RULESET_SENDERS4 " {\n\t\ttype ifname . ether_addr . ipv4_addr\n\t}\n"
        "\tset " RULESET_SENDERS6 " {\n\t\ttype ifname . ipv6_addr\n\t}\n"
        "\tset " RULESET_TARGETS6 " {\n\t\ttypeof iifname . " TARGET "\n\t}\n"
        "\tchain " RULESET_SENT " {\n"
        "\t\tiifname . ether saddr != @" RULESET_MACS " drop\n"
        "\t\tarp htype 1 iifname . arp saddr ether . arp saddr ip @" RULESET_SENDERS4 " accept\n"
        "\t\tigmp type membership-query drop\n"
        /*
         * A seat accepts packets to its loopback from outside, see rule.h. Only name queries may get there.
         */
        "\t\tip daddr 127.0.0.0/8 meta l4proto != { tcp, udp } drop\n"
        "\t\tip daddr 127.0.0.0/8 th dport != 53 drop\n"
        "\t\tiifname . ether saddr . ip saddr @" RULESET_SENDERS4 " accept\n"
        "\t}\n"
        "\tchain " RULESET_SENT6 " {\n"
        /* A seat may not act as a router, or manage multicast groups. */
        "\t\ticmpv6 type { mld-listener-query, nd-router-advert, nd-redirect } drop\n"
        "\t\ticmpv6 type nd-neighbor-advert iifname . " TARGET " != @" RULESET_TARGETS6 " drop\n"
        "\t\tiifname . ip6 saddr @" RULESET_SENDERS6 " accept\n"
        /*
         * Before it has its addresses, a seat joins multicast groups and asks whether another host has the
         * addresses.
         */
        "\t\tip6 saddr :: icmpv6 type nd-neighbor-solicit iifname . " TARGET " @" RULESET_TARGETS6 " accept\n"
        "\t\tip6 saddr :: icmpv6 type mld2-listener-report accept\n"
        "\t}\n"
        "}\n";

static void put_empty_chain(struct nft_text *text, const char *table, const char *chain) {
        nft_text_put(text, "add chain %s %s\n", table, chain);
        nft_text_put(text, "flush chain %s %s\n", table, chain);
}

char *ruleset_format_seats(unsigned table, bool empty_sets) {
        static const char *const sets[] = {
                RULESET_MACS, RULESET_SENDERS4, RULESET_SENDERS6, RULESET_TARGETS6};
        ruleset_seats_name_t name;
        struct nft_text text;

        if (!nft_text_open(&text))
                return NULL;
        ruleset_seats_name(table, name);
        nft_text_put(&text, "add table %s\n", name);
        put_empty_chain(&text, name, RULESET_SENT);
        put_empty_chain(&text, name, RULESET_SENT6);
        nft_text_put(&text, "table %s%s", name, table_content);
        for (size_t i = 0; empty_sets && i < ELEMENTSOF(sets); i++)
                nft_text_put(&text, "flush set %s %s\n", name, sets[i]);
        return nft_text_close(&text);
}

/* A seat's part of its table, while it is written. */
struct seat_text {
        struct nft_text text;
        ruleset_seats_name_t table;
        const char *link;
};

static bool seat_text_open(struct seat_text *seat, unsigned table, const char *link) {
        seat->link = link;
        ruleset_seats_name(table, seat->table);
        return nft_text_open(&seat->text);
}

static void _printf_(3, 4) put_member(struct seat_text *seat, const char *set, const char *format, ...) {
        va_list arguments;

        nft_text_put(&seat->text, "add element %s %s { \"%s\" . ", seat->table, set, seat->link);
        va_start(arguments, format);
        (void)vfprintf(seat->text.stream, format, arguments);
        va_end(arguments);
        nft_text_put(&seat->text, " }\n");
}

static void put_sender6(struct seat_text *seat, const struct address6 *address) {
        char ip[ADDRESS6_TEXT_SIZE], target[33], *end = target;

        address6_format_ip(address, ip);
        for (size_t i = 0; i < sizeof(address->bytes); i++)
                end += snprintf(end, 3, "%02x", address->bytes[i]);
        put_member(seat, RULESET_SENDERS6, "%s", ip);
        put_member(seat, RULESET_TARGETS6, "0x%s", target);
}

/* Not IGMP, of which a seat may not send everything, and not packets to a seat's loopback. */
static void put_usual4(struct seat_text *seat, const char *mac, const char *ip) {
        nft_text_put(&seat->text,
                "add rule %s %s meta protocol ip ether saddr %s ip saddr %s"
                " ip daddr != 127.0.0.0/8 meta l4proto != igmp accept\n",
                seat->table, seat->link, mac, ip);
}

/* Not ICMPv6, of which a seat may not send everything. */
static void put_usual6(struct seat_text *seat, const char *mac, const struct address6 *address) {
        char ip[ADDRESS6_TEXT_SIZE];

        address6_format_ip(address, ip);
        nft_text_put(&seat->text,
                "add rule %s %s meta protocol ip6 ether saddr %s ip6 saddr %s"
                " meta l4proto != ipv6-icmp accept\n",
                seat->table, seat->link, mac, ip);
}

static void put_jump(struct seat_text *seat, const char *chain) {
        nft_text_put(&seat->text, "add rule %s %s jump %s\n", seat->table, seat->link, chain);
}

char *ruleset_format_seat(const struct seat_plan *plan) {
        struct address6 link_local = mac_link_local(&plan->peer_mac);
        char mac[MAC_TEXT_SIZE], ip[ADDRESS_TEXT_SIZE];
        bool six = address6_is_set(&plan->address6);
        struct seat_text seat;

        if (!seat_text_open(&seat, ruleset_seats_table(plan->link), plan->link))
                return NULL;
        mac_format(&plan->peer_mac, mac);
        address_format_ip(plan->address.ip, ip);

        nft_text_put(&seat.text,
                "add chain %s %s { type filter hook ingress device \"%s\" priority filter; policy drop; }\n",
                seat.table, plan->link, plan->link);
        nft_text_put(&seat.text, "flush chain %s %s\n", seat.table, plan->link);
        put_usual4(&seat, mac, ip);
        if (six)
                put_usual6(&seat, mac, &plan->address6);
        put_jump(&seat, RULESET_SENT);
        if (six)
                put_jump(&seat, RULESET_SENT6);
        put_member(&seat, RULESET_MACS, "%s", mac);
        put_member(&seat, RULESET_SENDERS4, "%s . %s", mac, ip);
        if (six) {
                put_sender6(&seat, &plan->address6);
                put_sender6(&seat, &link_local);
        }
        return nft_text_close(&seat.text);
}

char *ruleset_format_seat_removal(unsigned table, const char *link) {
        struct seat_text seat;

        if (!seat_text_open(&seat, table, link))
                return NULL;
        put_empty_chain(&seat.text, seat.table, link);
        nft_text_put(&seat.text, "delete chain %s %s\n", seat.table, link);
        return nft_text_close(&seat.text);
}
