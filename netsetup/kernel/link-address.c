/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The addresses of one interface. Lists are in link-list.c. */

#include "link.h"
#include "netlink.h"

/* Takes a reference of local itself, NULL included. NULL: out of memory. */
static struct rtnl_addr *build_rtnl_addr(int index, struct nl_addr *local) {
        struct rtnl_addr *addr = local ? rtnl_addr_alloc() : NULL;

        if (!addr)
                return NULL;
        rtnl_addr_set_ifindex(addr, index);
        if (rtnl_addr_set_local(addr, local) < 0) {
                rtnl_addr_put(addr);
                return NULL;
        }
        return addr;
}

static int add_address(struct link_socket *socket, int index, struct nl_addr *local, unsigned flags) {
        _cleanup_rtnl_addr_ struct rtnl_addr *addr = build_rtnl_addr(index, local);
        int r;

        if (!addr)
                return -ENOMEM;
        rtnl_addr_set_flags(addr, flags);
        r = link_socket_errno(socket, rtnl_addr_add(socket->nl, addr, NLM_F_EXCL));
        return r == -EEXIST ? 0 : r;
}

static int delete_address(struct link_socket *socket, int index, struct nl_addr *local) {
        _cleanup_rtnl_addr_ struct rtnl_addr *addr = build_rtnl_addr(index, local);
        int r;

        if (!addr)
                return -ENOMEM;
        r = link_socket_errno(socket, rtnl_addr_delete(socket->nl, addr, 0));
        return r == -EADDRNOTAVAIL || r == -ENODEV ? 0 : r;
}

int link_add_address(struct link_socket *socket, int index, const struct address *address) {
        _cleanup_nl_addr_ struct nl_addr *local = netlink_build_ip(address->ip, address->prefix);

        return add_address(socket, index, local, 0);
}

int link_delete_address(struct link_socket *socket, int index, const struct address *address) {
        _cleanup_nl_addr_ struct nl_addr *local = netlink_build_ip(address->ip, address->prefix);

        return delete_address(socket, index, local);
}

/*
 * Without duplicate address detection: for the second or two that it takes (for ever, on a bridge whose ports
 * are not there yet) nothing could be sent from the address, and a student's first connection would fail.
 * Addresses are computed, so that no two links have the same, and no seat can use another one's.
 */
int link_add_address6(struct link_socket *socket, int index, const struct address6 *address) {
        _cleanup_nl_addr_ struct nl_addr *local = netlink_build_ip6(address);

        return add_address(socket, index, local, IFA_F_NODAD);
}

/* A kernel or an interface without IPv6 has no address to delete. */
int link_delete_address6(struct link_socket *socket, int index, const struct address6 *address) {
        _cleanup_nl_addr_ struct nl_addr *local = netlink_build_ip6(address);
        int r;

        r = delete_address(socket, index, local);
        return r == -ENXIO || r == -EOPNOTSUPP ? 0 : r;
}
