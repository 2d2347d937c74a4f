/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <netinet/in.h>

#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>

#include <netlink/msg.h>
#include <netlink/netlink.h>

#include "fence-table.h"
#include "util.h"

#define TABLE "coursenet_fence"

/* Of libnl. */
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
                r = nla_put_string(message, NFTA_TABLE_NAME, TABLE);
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
