/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* RTM_NEWNSID and RTM_GETNSID, for the record of former namespaces (netns-record.c). */

#include <linux/net_namespace.h>

#include "netlink.h"
#include "nsid.h"

/* NULL: out of memory. */
static struct nl_msg *build(int type, int attribute, uint32_t value) {
        struct rtgenmsg header = {.rtgen_family = AF_UNSPEC};
        struct nl_msg *message = nlmsg_alloc_simple(type, 0);

        if (message && nlmsg_append(message, &header, sizeof(header), NLMSG_ALIGNTO) >= 0 &&
                nla_put_u32(message, attribute, value) >= 0)
                return message;
        nlmsg_free(message);
        return NULL;
}

static int read_id(struct nl_msg *message, void *userdata) {
        struct nlattr *attributes[NETNSA_MAX + 1];
        int *id = userdata;

        if (nlmsg_hdr(message)->nlmsg_type != RTM_NEWNSID ||
                nlmsg_parse(nlmsg_hdr(message), sizeof(struct rtgenmsg), attributes, NETNSA_MAX, NULL) < 0 ||
                !attributes[NETNSA_NSID])
                return NL_SKIP;
        *id = (int)nla_get_u32(attributes[NETNSA_NSID]);
        return NL_OK;
}

/* Sends the question and reads the number in the answer; NETNSA_NSID_NOT_ASSIGNED: there is none. Takes it.
 */
static int ask(struct link_socket *socket, struct nl_msg *question, int *ret_id) {
        int r, id = NETNSA_NSID_NOT_ASSIGNED;

        r = netlink_ask(socket, question, read_id, &id);
        if (r >= 0)
                *ret_id = id;
        return r;
}

int nsid_take(struct link_socket *socket, int netns_fd, int wanted) {
        struct nl_msg *request;
        int r, id;

        r = ask(socket, build(RTM_GETNSID, NETNSA_FD, (uint32_t)netns_fd), &id);
        if (r < 0)
                return r;
        if (id >= 0)
                return id;

        request = build(RTM_NEWNSID, NETNSA_FD, (uint32_t)netns_fd);
        if (!request || nla_put_u32(request, NETNSA_NSID, (uint32_t)wanted) < 0) {
                nlmsg_free(request);
                return -ENOMEM;
        }
        r = netlink_send(socket, request);
        return r < 0 ? r : wanted;
}

int nsid_is_alive(struct link_socket *socket, int id) {
        int r, found;

        r = ask(socket, build(RTM_GETNSID, NETNSA_NSID, (uint32_t)id), &found);
        if (r == -ENOENT)
                return 0;
        return r < 0 ? r : 1;
}
