/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Computes the table as text, for fence.c, and asks the kernel whether it is there. The question goes over
 * netlink, because libnftables would read all that is in the table.
 */

#include <netinet/in.h>

#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>

#include <netlink/msg.h>
#include <netlink/netlink.h>

#include "fence-table.h"
#include "firewall/nft-text.h"
#include "hosts.h"

#define TABLE_NAME "coursenet_fence"
static void put_open_ports(struct nft_text *text, const struct ports *ports) {
        struct nft_set set = nft_set_open(text, "set", "open", "inet_proto . inet_service");

        for (size_t i = 0; i < ports->n_items; i++) {
                if (ports->items[i].tcp)
                        nft_set_put(&set, "tcp . %u", ports->items[i].number);
                if (ports->items[i].udp)
                        nft_set_put(&set, "udp . %u", ports->items[i].number);
        }
        nft_set_close(&set);
}

/* Two sets: that of single uids, of which a campus has many, is a hash table. */
static void put_fenced(struct nft_text *text, const struct fence_uids *fenced) {
        struct nft_set set = nft_set_open(text, "set", "fenced", "uid");

        for (size_t i = 0; i < fenced->n_uids; i++)
                nft_set_put(&set, "%u", fenced->uids[i]);
        nft_set_close(&set);

        set = nft_set_open(text, "set", "subordinates", "uid\n\t\tflags interval");
        for (size_t i = 0; i < fenced->subordinates.n_items; i++)
                nft_set_put(&set, "%u-%u", fenced->subordinates.items[i].first,
                        fenced->subordinates.items[i].last);
        nft_set_close(&set);
}

/*
 * A socket belongs to the uid that made it: a login's own connection is sshd's, so it passes. The sets have
 * no uid of root or of system accounts, so packets of those are accepted before the sets are searched.
 * Packets without an owner do not match here: see fence-route.h.
 */
static const char fence_chain[] = "\tchain output {\n"
                                  "\t\ttype filter hook output priority filter; policy accept;\n"
                                  "%s%s"
                                  "\t\tmeta skuid < %u accept\n"
                                  "\t\tmeta skuid @fenced jump fence\n"
                                  "\t\tmeta skuid @subordinates jump fence\n"
                                  "\t}\n"
                                  "\tchain fence {\n"
                                  "\t\tmeta l4proto . th dport @open accept\n"
                                  "\t\treject with icmpx admin-prohibited\n"
                                  "\t}\n";

/*
 * While a spread course is up, the table of courses has these rules, too. They must hold before: the other
 * members believe all that comes from this server's address.
 */
static const char members_output_rule[] =
        "\t\tip daddr @members udp dport 4789 meta skuid >= 0 reject with icmpx admin-prohibited\n";
static const char members_forward_chain[] =
        "\tchain forward {\n"
        "\t\ttype filter hook forward priority filter; policy accept;\n"
        "\t\tip daddr @members udp dport 4789 reject with icmpx admin-prohibited\n"
        "\t}\n";

static void put_members(struct nft_text *text, const struct fence_members *members) {
        struct nft_set set = nft_set_open(text, "set", "members", "ipv4_addr");
        char ip[ADDRESS_TEXT_SIZE];

        for (size_t i = 0; i < members->n_addresses; i++) {
                address_format_ip(members->addresses[i], ip);
                nft_set_put(&set, "%s", ip);
        }
        nft_set_close(&set);
        nft_text_put(text, "%s", members_forward_chain);
}

void fence_members_list(const struct settings *settings, struct fence_members *ret) {
        *ret = (struct fence_members){0};
        for (size_t i = 0; hosts_configured(settings) && i < settings->hosts.n_members; i++)
                ret->addresses[ret->n_addresses++] = hosts_member(settings, i).address;
}

static const char loopback_rule[] = "\t\toifname \"lo\" accept\n";

/* The same, except for BGP and etcd, which may trust all processes of their own machine. */
static const char loopback_of_member_rules[] = "\t\toifname \"lo\" meta l4proto != tcp accept\n"
                                               "\t\toifname \"lo\" tcp dport != { 179, 2379, 2380 } accept\n";

char *fence_table_format(const struct fence_settings *fence, const struct fence_uids *fenced,
        const struct fence_members *members) {
        bool is_member = members->n_addresses > 0;
        struct nft_text text;

        if (!nft_text_open(&text))
                return NULL;
        nft_text_put_replacement(&text, FENCE_TABLE);
        if (fence->enabled) {
                nft_text_put(&text, "table " FENCE_TABLE " {\n");
                put_open_ports(&text, &fence->ports);
                put_fenced(&text, fenced);
                if (is_member)
                        put_members(&text, members);
                nft_text_put(&text, fence_chain, is_member ? members_output_rule : "",
                        is_member ? loopback_of_member_rules : loopback_rule, SYSTEM_UID_END);
                nft_text_put(&text, "}\n");
        }
        return nft_text_close(&text);
}

/*
 * Asks the kernel for the table without its contents, which libnftables would read, too. Returns an error of
 * libnl's.
 */
static int ask(struct nl_sock *nl) {
        struct nfgenmsg generic = {.nfgen_family = NFPROTO_INET, .version = NFNETLINK_V0};
        struct nl_msg *message;
        int r;

        r = nl_connect(nl, NETLINK_NETFILTER);
        if (r < 0)
                return r;
        message = nlmsg_alloc_simple((NFNL_SUBSYS_NFTABLES << 8) | NFT_MSG_GETTABLE, 0);
        if (!message)
                return -NLE_NOMEM;
        r = nlmsg_append(message, &generic, sizeof(generic), NLMSG_ALIGNTO);
        if (r >= 0)
                r = nla_put_string(message, NFTA_TABLE_NAME, FENCE_TABLE_NAME);
        if (r >= 0)
                return nl_send_sync(nl, message); /* which frees it */
        nlmsg_free(message);
        return r;
}

int fence_table_exists(void) {
        struct nl_sock *nl = nl_socket_alloc();
        int r;

        if (!nl)
                return -ENOMEM;
        r = ask(nl);
        nl_socket_free(nl);
        if (r == -NLE_OBJ_NOTFOUND)
                return 0;
        return r < 0 ? -EIO : 1;
}
