/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * A transaction is a batch of messages in one datagram, as linux/netfilter/nfnetlink.h and nf_tables.h have
 * them. libnl builds them; what is in them is nft's own, so that nft lists the same as after
 * ruleset_format_seat().
 */

#include <arpa/inet.h>
#include <net/ethernet.h>
#include <net/if_arp.h>
#include <netinet/ip.h>
#include <netinet/ip6.h>

#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>

#include <netlink/msg.h>
#include <netlink/netlink.h>

#include "ruleset.h"
#include "seat-chain.h"

/* The hook of a netdev chain: NF_NETDEV_INGRESS, in a header that is the kernel's own. */
#define HOOK_INGRESS 0U

/* All messages of one seat take half of that. */
#define BATCH_SIZE 8192U

struct batch {
        size_t size, last; /* where the last message begins */
        uint32_t sequence;
        bool failed; /* out of memory, or of room */
        char seats_table[sizeof(RULESET_SEATS_PREFIX "0")];
        _Alignas(struct nlmsghdr) char bytes[BATCH_SIZE];
};

/* --- messages ------------------------------------------------------------------------------------------ */

/* NULL: out of memory. */
static struct nl_msg *new_message(int type, int flags, uint8_t family, uint16_t resource) {
        struct nfgenmsg generic = {
                .nfgen_family = family, .version = NFNETLINK_V0, .res_id = htons(resource)};
        struct nl_msg *message = nlmsg_alloc_simple(type, NLM_F_REQUEST | flags);

        if (message && nlmsg_append(message, &generic, sizeof(generic), NLMSG_ALIGNTO) < 0) {
                nlmsg_free(message);
                return NULL;
        }
        return message;
}

_Static_assert((int)NFTA_CHAIN_TABLE == (int)NFTA_RULE_TABLE &&
                       (int)NFTA_CHAIN_TABLE == (int)NFTA_SET_ELEM_LIST_TABLE,
        "a message names its table alike, whatever of it is changed");

/* A change of something in a table, which the attribute names. NULL: out of memory. */
static struct nl_msg *new_change_in(
        uint8_t family, const char *table, int type, int flags, int attribute, const char *name) {
        struct nl_msg *message = new_message((NFNL_SUBSYS_NFTABLES << 8) | type, flags, family, 0);

        if (message && (nla_put_string(message, NFTA_CHAIN_TABLE, table) < 0 ||
                               nla_put_string(message, attribute, name) < 0)) {
                nlmsg_free(message);
                return NULL;
        }
        return message;
}

/* In the table of the batch's seat. */
static struct nl_msg *new_change(
        const struct batch *batch, int type, int flags, int attribute, const char *name) {
        return new_change_in(NFPROTO_NETDEV, batch->seats_table, type, flags, attribute, name);
}

/* Takes the message; r: negative, if it could not be finished. */
static void put(struct batch *batch, struct nl_msg *message, int r) {
        struct nlmsghdr *header = message ? nlmsg_hdr(message) : NULL;

        if (!header || r < 0 || NLMSG_ALIGN(header->nlmsg_len) > sizeof(batch->bytes) - batch->size)
                batch->failed = true;
        else {
                header->nlmsg_seq = batch->sequence++;
                batch->last = batch->size;
                memcpy(batch->bytes + batch->size, header, header->nlmsg_len);
                batch->size += NLMSG_ALIGN(header->nlmsg_len);
        }
        nlmsg_free(message);
}

static void put_frame(struct batch *batch, int type) {
        put(batch, new_message(type, 0, AF_UNSPEC, NFNL_SUBSYS_NFTABLES), 0);
}

/* --- a chain and its rules ----------------------------------------------------------------------------- */

static int add_hook(struct nl_msg *message, const char *device) {
        struct nlattr *hook = nla_nest_start(message, NFTA_CHAIN_HOOK);

        if (!hook || nla_put_u32(message, NFTA_HOOK_HOOKNUM, htonl(HOOK_INGRESS)) < 0 ||
                nla_put_u32(message, NFTA_HOOK_PRIORITY, 0) < 0 ||
                nla_put_string(message, NFTA_HOOK_DEV, device) < 0)
                return -ENOMEM;
        nla_nest_end(message, hook);
        return nla_put_u32(message, NFTA_CHAIN_POLICY, htonl(NF_DROP)) < 0 ||
                               nla_put_string(message, NFTA_CHAIN_TYPE, "filter") < 0
                       ? -ENOMEM
                       : 0;
}

/* device: where the chain sees what comes in; NULL: as it is, if there is one already. */
static void put_chain(struct batch *batch, const char *chain, const char *device) {
        struct nl_msg *message = new_change(batch, NFT_MSG_NEWCHAIN, NLM_F_CREATE, NFTA_CHAIN_NAME, chain);

        put(batch, message, message && device ? add_hook(message, device) : 0);
}

static void put_chain_deletion(struct batch *batch, const char *chain) {
        put(batch, new_change(batch, NFT_MSG_DELCHAIN, 0, NFTA_CHAIN_NAME, chain), 0);
}

/* All rules of a chain, because the message names none. */
static void put_flush(struct batch *batch, const char *chain) {
        put(batch, new_change(batch, NFT_MSG_DELRULE, 0, NFTA_RULE_CHAIN, chain), 0);
}

/* An expression of a rule: its place in the list, and its own attributes. */
struct expression {
        struct nlattr *item, *data;
};

static int open_expression(struct nl_msg *message, const char *kind, struct expression *ret) {
        ret->item = nla_nest_start(message, NFTA_LIST_ELEM);
        if (!ret->item || nla_put_string(message, NFTA_EXPR_NAME, kind) < 0)
                return -ENOMEM;
        ret->data = nla_nest_start(message, NFTA_EXPR_DATA);
        return ret->data ? 0 : -ENOMEM;
}

static int close_expression(struct nl_msg *message, const struct expression *expression) {
        nla_nest_end(message, expression->data);
        nla_nest_end(message, expression->item);
        return 0;
}

/* Loads what the kernel knows of the packet (NFT_META_...) into the first register. */
static int add_meta(struct nl_msg *message, uint32_t key) {
        struct expression meta;

        if (open_expression(message, "meta", &meta) < 0 ||
                nla_put_u32(message, NFTA_META_KEY, htonl(key)) < 0 ||
                nla_put_u32(message, NFTA_META_DREG, htonl(NFT_REG_1)) < 0)
                return -ENOMEM;
        return close_expression(message, &meta);
}

/* Loads bytes of a header (NFT_PAYLOAD_..._HEADER) into the first register. */
static int add_payload(struct nl_msg *message, uint32_t header, uint32_t offset, uint32_t size) {
        struct expression payload;

        if (open_expression(message, "payload", &payload) < 0 ||
                nla_put_u32(message, NFTA_PAYLOAD_DREG, htonl(NFT_REG_1)) < 0 ||
                nla_put_u32(message, NFTA_PAYLOAD_BASE, htonl(header)) < 0 ||
                nla_put_u32(message, NFTA_PAYLOAD_OFFSET, htonl(offset)) < 0 ||
                nla_put_u32(message, NFTA_PAYLOAD_LEN, htonl(size)) < 0)
                return -ENOMEM;
        return close_expression(message, &payload);
}

/* The rule ends here unless the first register is (NFT_CMP_EQ) or is not (NFT_CMP_NEQ) these bytes. */
static int add_comparison(struct nl_msg *message, uint32_t operation, const void *bytes, size_t size) {
        struct expression comparison;
        struct nlattr *data;

        if (open_expression(message, "cmp", &comparison) < 0 ||
                nla_put_u32(message, NFTA_CMP_SREG, htonl(NFT_REG_1)) < 0 ||
                nla_put_u32(message, NFTA_CMP_OP, htonl(operation)) < 0)
                return -ENOMEM;
        data = nla_nest_start(message, NFTA_CMP_DATA);
        if (!data || nla_put(message, NFTA_DATA_VALUE, (int)size, bytes) < 0)
                return -ENOMEM;
        nla_nest_end(message, data);
        return close_expression(message, &comparison);
}

/* code: NF_ACCEPT, or NFT_JUMP to a chain. */
static int add_verdict(struct nl_msg *message, int code, const char *chain) {
        struct expression immediate;
        struct nlattr *data, *verdict;

        if (open_expression(message, "immediate", &immediate) < 0 ||
                nla_put_u32(message, NFTA_IMMEDIATE_DREG, htonl(NFT_REG_VERDICT)) < 0)
                return -ENOMEM;
        data = nla_nest_start(message, NFTA_IMMEDIATE_DATA);
        verdict = data ? nla_nest_start(message, NFTA_DATA_VERDICT) : NULL;
        if (!verdict || nla_put_u32(message, NFTA_VERDICT_CODE, htonl((uint32_t)code)) < 0 ||
                (chain && nla_put_string(message, NFTA_VERDICT_CHAIN, chain) < 0))
                return -ENOMEM;
        nla_nest_end(message, verdict);
        nla_nest_end(message, data);
        return close_expression(message, &immediate);
}

static int add_jump(struct nl_msg *message, const void *to) {
        return add_verdict(message, NFT_JUMP, to);
}

static int add_link_sender(struct nl_msg *message, uint16_t protocol, const struct seat_plan *plan) {
        uint16_t type = ARPHRD_ETHER, order = htons(protocol);

        if (add_meta(message, NFT_META_PROTOCOL) < 0 ||
                add_comparison(message, NFT_CMP_EQ, &order, sizeof(order)) < 0 ||
                add_meta(message, NFT_META_IIFTYPE) < 0 ||
                add_comparison(message, NFT_CMP_EQ, &type, sizeof(type)) < 0 ||
                add_payload(message, NFT_PAYLOAD_LL_HEADER, offsetof(struct ether_header, ether_shost),
                        sizeof(plan->peer_mac.bytes)) < 0)
                return -ENOMEM;
        return add_comparison(message, NFT_CMP_EQ, plan->peer_mac.bytes, sizeof(plan->peer_mac.bytes));
}

static int add_sender(struct nl_msg *message, uint32_t offset, const void *address, size_t size) {
        return add_payload(message, NFT_PAYLOAD_NETWORK_HEADER, offset, (uint32_t)size) < 0
                       ? -ENOMEM
                       : add_comparison(message, NFT_CMP_EQ, address, size);
}

static int add_other_protocol(struct nl_msg *message, uint8_t protocol) {
        return add_meta(message, NFT_META_L4PROTO) < 0
                       ? -ENOMEM
                       : add_comparison(message, NFT_CMP_NEQ, &protocol, sizeof(protocol));
}

/* See put_usual4() in ruleset-seats.c. */
static int add_usual4(struct nl_msg *message, const void *data) {
        static const uint8_t loopback = IN_LOOPBACKNET;
        const struct seat_plan *plan = data;
        uint32_t ip = htonl(plan->address.ip);

        if (add_link_sender(message, ETH_P_IP, plan) < 0 ||
                add_sender(message, offsetof(struct iphdr, saddr), &ip, sizeof(ip)) < 0 ||
                add_payload(message, NFT_PAYLOAD_NETWORK_HEADER, offsetof(struct iphdr, daddr),
                        sizeof(loopback)) < 0 ||
                add_comparison(message, NFT_CMP_NEQ, &loopback, sizeof(loopback)) < 0 ||
                add_other_protocol(message, IPPROTO_IGMP) < 0)
                return -ENOMEM;
        return add_verdict(message, NF_ACCEPT, NULL);
}

/* See put_usual6() in ruleset-seats.c. */
static int add_usual6(struct nl_msg *message, const void *data) {
        const struct seat_plan *plan = data;

        if (add_link_sender(message, ETH_P_IPV6, plan) < 0 ||
                add_sender(message, offsetof(struct ip6_hdr, ip6_src), plan->address6.bytes,
                        sizeof(plan->address6.bytes)) < 0 ||
                add_other_protocol(message, IPPROTO_ICMPV6) < 0)
                return -ENOMEM;
        return add_verdict(message, NF_ACCEPT, NULL);
}

/* add puts the rule's expressions. */
static void put_rule(struct batch *batch, const char *chain,
        int (*add)(struct nl_msg *message, const void *data), const void *data) {
        struct nl_msg *message =
                new_change(batch, NFT_MSG_NEWRULE, NLM_F_CREATE | NLM_F_APPEND, NFTA_RULE_CHAIN, chain);
        struct nlattr *list = message ? nla_nest_start(message, NFTA_RULE_EXPRESSIONS) : NULL;
        int r = list ? add(message, data) : -ENOMEM;

        if (r >= 0)
                nla_nest_end(message, list);
        put(batch, message, r);
}

/* --- elements ------------------------------------------------------------------------------------------ */

/* The parts of a key, each of which begins at a register: four bytes (NFT_REG32_SIZE). */
struct key {
        size_t size;
        uint8_t bytes[64];
};

static void key_add(struct key *key, const void *bytes, size_t size) {
        memcpy(key->bytes + key->size, bytes, size);
        key->size += (size + NFT_REG32_SIZE - 1) / NFT_REG32_SIZE * NFT_REG32_SIZE;
}

static struct key key_of(const char *link) {
        struct key key = {0};
        char name[IFNAMSIZ] = "";

        (void)string_copy(name, sizeof(name), link);
        key_add(&key, name, sizeof(name));
        return key;
}

static int add_key(struct nl_msg *message, const struct key *key) {
        struct nlattr *list = nla_nest_start(message, NFTA_SET_ELEM_LIST_ELEMENTS), *item, *nested;

        item = list ? nla_nest_start(message, NFTA_LIST_ELEM) : NULL;
        nested = item ? nla_nest_start(message, NFTA_SET_ELEM_KEY) : NULL;
        if (!nested || nla_put(message, NFTA_DATA_VALUE, (int)key->size, key->bytes) < 0)
                return -ENOMEM;
        nla_nest_end(message, nested);
        nla_nest_end(message, item);
        nla_nest_end(message, list);
        return 0;
}

/* type: NFT_MSG_NEWSETELEM, which is no error where it is there already, or NFT_MSG_DELSETELEM. */
static int flags_of(int type) {
        return type == NFT_MSG_NEWSETELEM ? NLM_F_CREATE : 0;
}

static void put_member(struct batch *batch, int type, const char *set, const struct key *key) {
        struct nl_msg *message = new_change(batch, type, flags_of(type), NFTA_SET_ELEM_LIST_SET, set);

        put(batch, message, message ? add_key(message, key) : 0);
}

static void put_sender6(
        struct batch *batch, int type, const struct seat_plan *plan, const struct address6 *address) {
        struct key key = key_of(plan->link);

        key_add(&key, address->bytes, sizeof(address->bytes));
        put_member(batch, type, RULESET_SENDERS6, &key);
        put_member(batch, type, RULESET_TARGETS6, &key);
}

/* All elements of a seat. */
static void put_members(struct batch *batch, int type, const struct seat_plan *plan) {
        struct address6 link_local = mac_link_local(&plan->peer_mac);
        uint32_t ip = htonl(plan->address.ip);
        struct key key = key_of(plan->link);

        key_add(&key, plan->peer_mac.bytes, sizeof(plan->peer_mac.bytes));
        put_member(batch, type, RULESET_MACS, &key);
        key_add(&key, &ip, sizeof(ip));
        put_member(batch, type, RULESET_SENDERS4, &key);
        if (!address6_is_set(&plan->address6))
                return;
        put_sender6(batch, type, plan, &plan->address6);
        put_sender6(batch, type, plan, &link_local);
}

static void put_local(
        struct batch *batch, int type, const char *set, const char *vxlan, const void *bytes, size_t size) {
        struct nl_msg *message = new_change_in(
                NFPROTO_BRIDGE, RULESET_LOCAL_TABLE, type, flags_of(type), NFTA_SET_ELEM_LIST_SET, set);
        struct key key = key_of(vxlan);

        key_add(&key, bytes, size);
        put(batch, message, message ? add_key(message, &key) : 0);
}

static void put_local6(struct batch *batch, int type, const char *vxlan, const struct address6 *address) {
        put_local(batch, type, RULESET_SOURCES6, vxlan, address->bytes, sizeof(address->bytes));
        put_local(batch, type, RULESET_TARGETS6, vxlan, address->bytes, sizeof(address->bytes));
}

/* See ruleset_format_local_seat(). */
static void put_locals(struct batch *batch, int type, const struct seat_plan *plan) {
        struct address6 link_local = mac_link_local(&plan->peer_mac);
        uint32_t ip = htonl(plan->address.ip);
        struct bridge_plan bridge;

        if (!plan->spread)
                return;
        bridge_plan_name(plan->bridge_course, &bridge);
        put_local(
                batch, type, RULESET_MACS, bridge.vxlan, plan->peer_mac.bytes, sizeof(plan->peer_mac.bytes));
        put_local(batch, type, RULESET_SOURCES4, bridge.vxlan, &ip, sizeof(ip));
        if (!address6_is_set(&plan->address6))
                return;
        put_local6(batch, type, bridge.vxlan, &plan->address6);
        put_local6(batch, type, bridge.vxlan, &link_local);
}

/* --- transactions -------------------------------------------------------------------------------------- */

/*
 * An error is told for the message that it is in; where there is none, all that comes is what the last
 * message asks for. Negative errno.
 */
static int read_answer(struct nl_sock *nl) {
        union {
                struct nlmsghdr header;
                char bytes[BATCH_SIZE];
        } buffer;
        const struct nlmsgerr *error;
        ssize_t n;

        do
                n = recv(nl_socket_get_fd(nl), &buffer, sizeof(buffer), 0);
        while (n < 0 && errno == EINTR);
        if (n < 0)
                return -errno;
        if (!nlmsg_ok(&buffer.header, (int)n) || buffer.header.nlmsg_type != NLMSG_ERROR ||
                !nlmsg_valid_hdr(&buffer.header, sizeof(*error)))
                return -EPROTO;
        error = nlmsg_data(&buffer.header);
        return error->error;
}

/* After a call of libnl's that failed, for a reason of its own perhaps. */
static int last_error(void) {
        return errno > 0 ? -errno : -EIO;
}

static int exchange(struct batch *batch) {
        struct nl_sock *nl = nl_socket_alloc();
        int r = -ENOMEM;

        errno = 0;
        if (nl && nl_connect(nl, NETLINK_NETFILTER) < 0)
                r = last_error();
        else if (nl)
                r = nl_sendto(nl, batch->bytes, batch->size) < 0 ? last_error() : read_answer(nl);
        if (nl)
                nl_socket_free(nl);
        return r;
}

static void begin(struct batch *batch, const struct seat_plan *plan) {
        *batch = (struct batch){0};
        (void)snprintf(batch->seats_table, sizeof(batch->seats_table), RULESET_SEATS_PREFIX "%u",
                ruleset_seats_table(plan->link) % RULESET_SEATS_TABLES);
        put_frame(batch, NFNL_MSG_BATCH_BEGIN);
}

static int commit(struct batch *batch) {
        struct nlmsghdr *last = (struct nlmsghdr *)(void *)(batch->bytes + batch->last);

        last->nlmsg_flags |= NLM_F_ACK;
        put_frame(batch, NFNL_MSG_BATCH_END);
        return batch->failed ? -ENOMEM : exchange(batch);
}

int seat_chain_make(const struct seat_plan *plan) {
        struct batch batch;

        begin(&batch, plan);
        put_chain(&batch, plan->link, plan->link);
        put_flush(&batch, plan->link);
        put_rule(&batch, plan->link, add_usual4, plan);
        if (address6_is_set(&plan->address6))
                put_rule(&batch, plan->link, add_usual6, plan);
        put_rule(&batch, plan->link, add_jump, RULESET_SENT);
        if (address6_is_set(&plan->address6))
                put_rule(&batch, plan->link, add_jump, RULESET_SENT6);
        put_members(&batch, NFT_MSG_NEWSETELEM, plan);
        put_locals(&batch, NFT_MSG_NEWSETELEM, plan);
        return commit(&batch);
}

/* A part that does not exist is created first, because deleting it would be an error otherwise. */
int seat_chain_remove(const struct seat_plan *plan) {
        struct batch batch;

        begin(&batch, plan);
        put_chain(&batch, plan->link, NULL);
        put_flush(&batch, plan->link);
        put_chain_deletion(&batch, plan->link);
        put_members(&batch, NFT_MSG_NEWSETELEM, plan);
        put_members(&batch, NFT_MSG_DELSETELEM, plan);
        put_locals(&batch, NFT_MSG_NEWSETELEM, plan);
        put_locals(&batch, NFT_MSG_DELSETELEM, plan);
        return commit(&batch);
}

int seat_chain_set_local(const struct seat_plan *plan, bool local) {
        struct batch batch;

        begin(&batch, plan);
        put_locals(&batch, NFT_MSG_NEWSETELEM, plan);
        if (!local)
                put_locals(&batch, NFT_MSG_DELSETELEM, plan);
        return commit(&batch);
}
