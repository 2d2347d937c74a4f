/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The table of seats: the anti-spoof rule. Its rules are the same for every seat. A seat's own chain jumps to
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

static void put_empty_chain(struct nft_text *text, const char *chain) {
        nft_text_put(text, "add chain " RULESET_SEATS " %s\n", chain);
        nft_text_put(text, "flush chain " RULESET_SEATS " %s\n", chain);
}

char *ruleset_format_seats(bool empty_sets) {
        static const char *const sets[] = {
                RULESET_MACS, RULESET_SENDERS4, RULESET_SENDERS6, RULESET_TARGETS6};
        struct nft_text text;

        if (!nft_text_open(&text))
                return NULL;
        nft_text_put(&text, "add table " RULESET_SEATS "\n");
        put_empty_chain(&text, RULESET_SENT);
        put_empty_chain(&text, RULESET_SENT6);
        nft_text_put(&text, "%s", seats_table);
        for (size_t i = 0; empty_sets && i < ELEMENTSOF(sets); i++)
                nft_text_put(&text, "flush set " RULESET_SEATS " %s\n", sets[i]);
        return nft_text_close(&text);
}

static void _printf_(3, 4) put_member(struct nft_text *text, const char *set, const char *format, ...) {
        va_list arguments;

        nft_text_put(text, "add element " RULESET_SEATS " %s { ", set);
        va_start(arguments, format);
        (void)vfprintf(text->stream, format, arguments);
        va_end(arguments);
        nft_text_put(text, " }\n");
}

static void put_sender6(struct nft_text *text, const char *link, const struct address6 *address) {
        char ip[ADDRESS6_TEXT_SIZE], target[33], *end = target;

        address6_format_ip(address, ip);
        for (size_t i = 0; i < sizeof(address->bytes); i++)
                end += snprintf(end, 3, "%02x", address->bytes[i]);
        put_member(text, RULESET_SENDERS6, "\"%s\" . %s", link, ip);
        put_member(text, RULESET_TARGETS6, "\"%s\" . 0x%s", link, target);
}

/* Not IGMP, of which a seat may not send everything, and not packets to a seat's loopback. */
static void put_usual4(struct nft_text *text, const char *link, const char *mac, const char *ip) {
        nft_text_put(text,
                "add rule " RULESET_SEATS " %s meta protocol ip ether saddr %s ip saddr %s"
                " ip daddr != 127.0.0.0/8 meta l4proto != igmp accept\n",
                link, mac, ip);
}

/* Not ICMPv6, of which a seat may not send everything. */
static void put_usual6(
        struct nft_text *text, const char *link, const char *mac, const struct address6 *address) {
        char ip[ADDRESS6_TEXT_SIZE];

        address6_format_ip(address, ip);
        nft_text_put(text,
                "add rule " RULESET_SEATS " %s meta protocol ip6 ether saddr %s ip6 saddr %s"
                " meta l4proto != ipv6-icmp accept\n",
                link, mac, ip);
}

char *ruleset_format_seat(const struct seat_plan *plan) {
        struct address6 link_local = mac_link_local(&plan->peer_mac);
        char mac[MAC_TEXT_SIZE], ip[ADDRESS_TEXT_SIZE];
        bool six = address6_is_set(&plan->address6);
        struct nft_text text;

        if (!nft_text_open(&text))
                return NULL;
        mac_format(&plan->peer_mac, mac);
        address_format_ip(plan->address.ip, ip);

        nft_text_put(&text,
                "add chain " RULESET_SEATS
                " %s { type filter hook ingress device \"%s\" priority filter; policy drop; }\n",
                plan->link, plan->link);
        nft_text_put(&text, "flush chain " RULESET_SEATS " %s\n", plan->link);
        put_usual4(&text, plan->link, mac, ip);
        if (six)
                put_usual6(&text, plan->link, mac, &plan->address6);
        nft_text_put(&text, "add rule " RULESET_SEATS " %s jump " RULESET_SENT "\n", plan->link);
        if (six)
                nft_text_put(&text, "add rule " RULESET_SEATS " %s jump " RULESET_SENT6 "\n", plan->link);
        put_member(&text, RULESET_MACS, "\"%s\" . %s", plan->link, mac);
        put_member(&text, RULESET_SENDERS4, "\"%s\" . %s . %s", plan->link, mac, ip);
        if (six) {
                put_sender6(&text, plan->link, &plan->address6);
                put_sender6(&text, plan->link, &link_local);
        }
        return nft_text_close(&text);
}

char *ruleset_format_seat_removal(const char *link) {
        struct nft_text text;

        if (!nft_text_open(&text))
                return NULL;
        put_empty_chain(&text, link);
        nft_text_put(&text, "delete chain " RULESET_SEATS " %s\n", link);
        return nft_text_close(&text);
}
