/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The kernel reports each object that a transaction changes, and at the end of the transaction the process
 * that made it. If a link disappears, the kernel reports its objects without such an end. They then count for
 * the next transaction, which causes one unneeded repair at most.
 */

#include <netinet/in.h>

#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>

#include <netlink/msg.h>

#include "watch-nft.h"
#include "watch-socket.h"

#define TABLE "coursenet"
#define PREFIX_SEATS "coursenet_"
#define TABLE_FENCE "coursenet_fence"
#define TABLE_LOCAL "coursenet_local"

/* Every kind of object has the name of its table in the attribute of this number. */
_Static_assert((int)NFTA_TABLE_NAME == 1 && (int)NFTA_CHAIN_TABLE == 1 && (int)NFTA_RULE_TABLE == 1 &&
                       (int)NFTA_SET_TABLE == 1 && (int)NFTA_SET_ELEM_LIST_TABLE == 1 &&
                       (int)NFTA_OBJ_TABLE == 1 && (int)NFTA_FLOWTABLE_TABLE == 1,
        "the table is the first attribute of everything in it");
#define NFTA_ANY_TABLE 1

/* "coursenet_0" to "coursenet_9" */
static bool is_seats_table(const char *table) {
        const char *digit = table + strlen(PREFIX_SEATS);

        return string_starts_with(table, PREFIX_SEATS) && digit[0] >= '0' && digit[0] <= '9' &&
               digit[1] == '\0';
}

/*
 * Programs of an earlier version have added a seat to the table that they had for all. The seat has its rules
 * there and nowhere else, although the program's name is one of ours.
 */
static bool is_former_seat(unsigned type, unsigned family, const char *table) {
        return type == NFT_MSG_NEWCHAIN && family == NFPROTO_NETDEV && string_equal(table, TABLE);
}

static void note_table(struct watch_nft_changes *changes, unsigned family, const char *table) {
        if (family == NFPROTO_NETDEV)
                changes->seats |= is_seats_table(table);
        else if (family == NFPROTO_BRIDGE) {
                changes->courses |= string_equal(table, TABLE);
                changes->seats |= string_equal(table, TABLE_LOCAL);
        } else if (family == NFPROTO_INET) {
                changes->courses |= string_equal(table, TABLE);
                changes->fence |= string_equal(table, TABLE_FENCE);
        }
}

/* Programs of ours by the kernel's names for their processes, which have at most 15 characters. */
static bool is_ours(const char *process) {
        static const char *const names[] = {"coursenet-net", "coursenet-host", "coursenet-worke"};

        for (size_t i = 0; i < ELEMENTSOF(names); i++)
                if (string_equal(process, names[i]))
                        return true;
        return false;
}

static void finish_transaction(struct watch_nft *watch, const char *process) {
        struct watch_nft_changes *changes = &watch->changes, *unfinished = &watch->unfinished;

        if (!is_ours(process) && (unfinished->courses || unfinished->seats || unfinished->fence)) {
                changes->courses |= unfinished->courses;
                changes->seats |= unfinished->seats;
                changes->fence |= unfinished->fence;
                (void)snprintf(changes->process, sizeof(changes->process), "%s", process);
        }
        *unfinished = (struct watch_nft_changes){0};
}

static int handle_message(struct nl_msg *message, void *userdata) {
        struct watch_nft *watch = userdata;
        struct nlmsghdr *header = nlmsg_hdr(message);
        const struct nfgenmsg *generic;
        struct nlattr *attribute;

        if (NFNL_SUBSYS_ID(header->nlmsg_type) != NFNL_SUBSYS_NFTABLES ||
                !nlmsg_valid_hdr(header, sizeof(*generic)))
                return NL_SKIP;
        generic = nlmsg_data(header);

        if (NFNL_MSG_TYPE(header->nlmsg_type) == NFT_MSG_NEWGEN) {
                attribute = nlmsg_find_attr(header, sizeof(*generic), NFTA_GEN_PROC_NAME);
                finish_transaction(watch, attribute ? nla_get_string(attribute) : "");
                return NL_OK;
        }
        attribute = nlmsg_find_attr(header, sizeof(*generic), NFTA_ANY_TABLE);
        if (attribute) {
                const char *table = nla_get_string(attribute);

                note_table(&watch->unfinished, generic->nfgen_family, table);
                watch->changes.former_seats |=
                        is_former_seat(NFNL_MSG_TYPE(header->nlmsg_type), generic->nfgen_family, table);
        }
        return NL_OK;
}

int watch_nft_open(struct watch_nft *watch) {
        static const int groups[] = {NFNLGRP_NFTABLES};

        *watch = (struct watch_nft){0};
        return watch_socket_open(
                NETLINK_NETFILTER, groups, ELEMENTSOF(groups), handle_message, watch, &watch->nl);
}

void watch_nft_close(struct watch_nft *watch) {
        if (watch->nl)
                nl_socket_free(watch->nl);
        watch->nl = NULL;
}

int watch_nft_fd(const struct watch_nft *watch) {
        return nl_socket_get_fd(watch->nl);
}

int watch_nft_read(struct watch_nft *watch, struct watch_nft_changes *ret) {
        int r;

        r = watch_socket_read(watch->nl);
        if (r < 0 && r != -ENOBUFS)
                return r;
        if (r == -ENOBUFS)
                watch->changes = (struct watch_nft_changes){.courses = true, .seats = true, .fence = true};
        *ret = watch->changes;
        watch->changes = (struct watch_nft_changes){0};
        return 0;
}
