/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The link over which a bridge reaches the same bridge on other hosts: VXLAN (RFC 7348) under BGP EVPN. */

#include <arpa/inet.h>

#include "link.h"
#include "netlink.h"

static unsigned get_u16(struct nlattr *attribute) {
        return attribute && nla_len(attribute) >= (int)sizeof(uint16_t) ? nla_get_u16(attribute) : 0;
}

void link_parse_vxlan(struct nlattr *data, struct link_vxlan *ret) {
        struct nlattr *attributes[IFLA_VXLAN_MAX + 1];

        if (!data || nla_parse_nested(attributes, IFLA_VXLAN_MAX, data, NULL) < 0)
                return;
        *ret = (struct link_vxlan){
                .vni = netlink_get_u32(attributes[IFLA_VXLAN_ID]),
                .local = ntohl(netlink_get_u32(attributes[IFLA_VXLAN_LOCAL])),
                .port = ntohs((uint16_t)get_u16(attributes[IFLA_VXLAN_PORT])),
                .learning =
                        attributes[IFLA_VXLAN_LEARNING] && nla_get_u8(attributes[IFLA_VXLAN_LEARNING]) != 0,
        };
}

static int put_vxlan(struct nl_msg *message, const struct link_vxlan *vxlan) {
        struct nlattr *info = nla_nest_start(message, IFLA_LINKINFO), *data = NULL;

        if (info && nla_put_string(message, IFLA_INFO_KIND, "vxlan") >= 0)
                data = nla_nest_start(message, IFLA_INFO_DATA);
        if (!data || nla_put_u32(message, IFLA_VXLAN_ID, vxlan->vni) < 0 ||
                nla_put_u32(message, IFLA_VXLAN_LOCAL, htonl(vxlan->local)) < 0 ||
                nla_put_u16(message, IFLA_VXLAN_PORT, htons((uint16_t)vxlan->port)) < 0 ||
                nla_put_u8(message, IFLA_VXLAN_LEARNING, vxlan->learning) < 0)
                return -ENOMEM;
        nla_nest_end(message, data);
        nla_nest_end(message, info);
        return 0;
}

int link_create_vxlan(struct link_socket *socket, const char *name, const struct mac *mac, int bridge,
        unsigned mtu, const struct link_vxlan *vxlan) {
        struct nl_msg *request = netlink_new_link();

        if (!request || netlink_put_description(request, name, mac) < 0 ||
                nla_put_u32(request, IFLA_MTU, mtu) < 0 ||
                nla_put_u32(request, IFLA_MASTER, (uint32_t)bridge) < 0 || put_vxlan(request, vxlan) < 0) {
                nlmsg_free(request);
                return -ENOMEM;
        }
        return netlink_send(socket, request);
}

int link_set_stretch_port(struct link_socket *socket, int index, bool isolated) {
        const struct netlink_port_setting settings[] = {
                {IFLA_BRPORT_LEARNING, false},
                {IFLA_BRPORT_NEIGH_SUPPRESS, true},
                {IFLA_BRPORT_ISOLATED, isolated},
        };

        return netlink_set_port(socket, index, settings, ELEMENTSOF(settings));
}

const char *link_vxlan_difference(
        const struct link *link, const struct bridge_plan *plan, int bridge, char *buffer, size_t size) {
        char real[ADDRESS_TEXT_SIZE], wanted[ADDRESS_TEXT_SIZE];

        if (link->vxlan.vni != plan->vni)
                (void)snprintf(buffer, size, "VNI %u instead of %u", link->vxlan.vni, plan->vni);
        else if (link->vxlan.local != plan->underlay) {
                address_format_ip(link->vxlan.local, real);
                address_format_ip(plan->underlay, wanted);
                (void)snprintf(buffer, size, "address %s instead of %s", real, wanted);
        } else if (link->vxlan.port != VXLAN_PORT)
                (void)snprintf(buffer, size, "port %u instead of %u", link->vxlan.port, VXLAN_PORT);
        else if (link->master != bridge)
                (void)snprintf(buffer, size, "not on %s", plan->name);
        else if (link->vxlan.learning || link->learning)
                (void)snprintf(buffer, size, "it learns addresses from frames");
        else if (!link->neigh_suppress)
                (void)snprintf(
                        buffer, size, "ARP requests are not answered for other members (neigh_suppress)");
        else if (link->isolated != (plan->traffic.isolation == ISOLATION_SEAT))
                (void)snprintf(buffer, size, "it is%s isolated", link->isolated ? "" : " not");
        else
                return NULL;
        return buffer;
}
