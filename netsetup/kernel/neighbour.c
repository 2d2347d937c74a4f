/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <arpa/inet.h>
#include <linux/neighbour.h>

#include "neighbour.h"
#include "netlink.h"

/* ip: of the family; NULL: an entry of the bridge that the link is a port of. */
static int add(struct link_socket *socket, int family, int index, const void *ip, size_t size,
        const struct mac *mac) {
        struct ndmsg ndm = {
                .ndm_family = (uint8_t)family,
                .ndm_ifindex = index,
                .ndm_state = NUD_REACHABLE,
                .ndm_flags = ip ? 0 : NTF_MASTER,
        };
        struct nl_msg *request = nlmsg_alloc_simple(RTM_NEWNEIGH, NLM_F_CREATE | NLM_F_REPLACE);

        if (!request || nlmsg_append(request, &ndm, sizeof(ndm), NLMSG_ALIGNTO) < 0 ||
                (ip && nla_put(request, NDA_DST, (int)size, ip) < 0) ||
                nla_put(request, NDA_LLADDR, sizeof(mac->bytes), mac->bytes) < 0) {
                nlmsg_free(request);
                return -ENOMEM;
        }
        return netlink_send(socket, request);
}

static int add_address6(
        struct link_socket *socket, int bridge, const struct address6 *address, const struct mac *mac) {
        int r = add(socket, AF_INET6, bridge, address->bytes, sizeof(address->bytes), mac);

        return r == -EAFNOSUPPORT || r == -EOPNOTSUPP || r == -EINVAL ? 0 : r;
}

int neighbour_announce(struct link_socket *socket, int bridge, int port, const struct seat_plan *plan) {
        struct address6 link_local = mac_link_local(&plan->peer_mac);
        uint32_t ip = htonl(plan->address.ip);
        int r;

        r = add(socket, AF_BRIDGE, port, NULL, 0, &plan->peer_mac);
        if (r >= 0)
                r = add(socket, AF_INET, bridge, &ip, sizeof(ip), &plan->peer_mac);
        if (r < 0 || !address6_is_set(&plan->address6))
                return r;
        r = add_address6(socket, bridge, &plan->address6, &plan->peer_mac);
        return r < 0 ? r : add_address6(socket, bridge, &link_local, &plan->peer_mac);
}
