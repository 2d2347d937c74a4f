/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <linux/if_ether.h>

#include <netlink/route/act/mirred.h>
#include <netlink/route/classifier.h>
#include <netlink/route/cls/u32.h>
#include <netlink/route/qdisc.h>

#include "course-rate.h"
#include "netlink.h"
#include "qdisc.h"

/* How we know our filter again: its preference is the link group's number. */
#define FILTER_PRIORITY COURSENET_LINK_GROUP

/* Where filters for incoming packets are, with an ingress qdisc and with a clsact one alike. */
#define FILTER_PARENT TC_H_MAKE(TC_H_CLSACT, TC_H_MIN_INGRESS)

static void put_qdisc(struct rtnl_qdisc **qdisc) {
        if (*qdisc)
                rtnl_qdisc_put(*qdisc);
}

static void put_filter(struct rtnl_cls **filter) {
        if (*filter)
                rtnl_cls_put(*filter);
}

static void put_action(struct rtnl_act **action) {
        if (*action)
                rtnl_act_put(*action);
}

static void free_cache(struct nl_cache **cache) {
        if (*cache)
                nl_cache_free(*cache);
}

#define _cleanup_qdisc_ _cleanup_(put_qdisc)
#define _cleanup_filter_ _cleanup_(put_filter)
#define _cleanup_action_ _cleanup_(put_action)
#define _cleanup_cache_ _cleanup_(free_cache)

/* NULL: out of memory. */
static struct rtnl_qdisc *build_ingress(int bridge) {
        struct rtnl_qdisc *qdisc = rtnl_qdisc_alloc();

        if (!qdisc)
                return NULL;
        rtnl_tc_set_ifindex(TC_CAST(qdisc), bridge);
        rtnl_tc_set_parent(TC_CAST(qdisc), TC_H_INGRESS);
        rtnl_tc_set_handle(TC_CAST(qdisc), TC_H_MAKE(TC_H_INGRESS, 0));
        if (rtnl_tc_set_kind(TC_CAST(qdisc), "ingress") < 0) {
                rtnl_qdisc_put(qdisc);
                return NULL;
        }
        return qdisc;
}

/* One that is there will do, whichever kind it is. */
static int add_ingress(struct link_socket *socket, int bridge) {
        _cleanup_qdisc_ struct rtnl_qdisc *qdisc = build_ingress(bridge);
        int r;

        if (!qdisc)
                return -ENOMEM;
        r = netlink_errno(socket, rtnl_qdisc_add(socket->nl, qdisc, NLM_F_CREATE | NLM_F_EXCL));
        return r == -EEXIST ? 0 : r;
}

/* -EINVAL: it is a clsact one, so it is not ours; -ENOENT: there is none. */
static int delete_ingress(struct link_socket *socket, int bridge) {
        _cleanup_qdisc_ struct rtnl_qdisc *qdisc = build_ingress(bridge);
        int r;

        if (!qdisc)
                return -ENOMEM;
        r = netlink_errno(socket, rtnl_qdisc_delete(socket->nl, qdisc));
        return r == -EINVAL || r == -ENOENT ? 0 : r;
}

/* What our filter is called. NULL: out of memory. */
static struct rtnl_cls *build_filter(int bridge) {
        struct rtnl_cls *filter = rtnl_cls_alloc();

        if (!filter)
                return NULL;
        rtnl_tc_set_ifindex(TC_CAST(filter), bridge);
        rtnl_tc_set_parent(TC_CAST(filter), FILTER_PARENT);
        rtnl_cls_set_prio(filter, FILTER_PRIORITY);
        rtnl_cls_set_protocol(filter, ETH_P_ALL);
        if (rtnl_tc_set_kind(TC_CAST(filter), "u32") < 0) {
                rtnl_cls_put(filter);
                return NULL;
        }
        return filter;
}

/* NULL: out of memory. */
static struct rtnl_act *build_redirect(int ifb) {
        struct rtnl_act *action = rtnl_act_alloc();

        if (!action)
                return NULL;
        if (rtnl_tc_set_kind(TC_CAST(action), "mirred") < 0 ||
                rtnl_mirred_set_action(action, TCA_EGRESS_REDIR) < 0 ||
                rtnl_mirred_set_policy(action, TC_ACT_STOLEN) < 0 ||
                rtnl_mirred_set_ifindex(action, (uint32_t)ifb) < 0) {
                rtnl_act_put(action);
                return NULL;
        }
        return action;
}

static int add_filter(struct link_socket *socket, int bridge, int ifb) {
        _cleanup_filter_ struct rtnl_cls *filter = build_filter(bridge);
        _cleanup_action_ struct rtnl_act *redirect = build_redirect(ifb);

        if (!filter || !redirect)
                return -ENOMEM;
        /* No bit of the first word is compared: every packet matches. */
        if (rtnl_u32_add_key(filter, 0, 0, 0, 0) < 0 || rtnl_u32_set_cls_terminal(filter) < 0 ||
                rtnl_u32_add_action(filter, redirect) < 0)
                return -ENOMEM;
        return netlink_errno(socket, rtnl_cls_add(socket->nl, filter, NLM_F_CREATE));
}

/* Returns 1 if it was there, 0 if not (-ENOENT: no such filter, -EINVAL: no qdisc for any), negative errno.
 */
static int delete_filter(struct link_socket *socket, int bridge) {
        _cleanup_filter_ struct rtnl_cls *filter = build_filter(bridge);
        int r;

        if (!filter)
                return -ENOMEM;
        r = netlink_errno(socket, rtnl_cls_delete(socket->nl, filter, 0));
        if (r == -EINVAL || r == -ENOENT)
                return 0;
        return r < 0 ? r : 1;
}

/* Where it sends packets to; 0: nowhere, as it is none of ours or the filter's head, which the kernel lists
 * too. */
static int redirect_of(struct nl_object *object) {
        struct rtnl_cls *filter = (struct rtnl_cls *)object;
        const char *kind = rtnl_tc_get_kind(TC_CAST(filter));
        struct rtnl_act *action;

        if (rtnl_cls_get_prio(filter) != FILTER_PRIORITY || !kind || !string_equal(kind, "u32"))
                return 0;
        action = rtnl_u32_get_action(filter);
        kind = action ? rtnl_tc_get_kind(TC_CAST(action)) : NULL;
        if (!kind || !string_equal(kind, "mirred") || rtnl_mirred_get_action(action) != TCA_EGRESS_REDIR)
                return 0;
        return (int)rtnl_mirred_get_ifindex(action);
}

/* *ret: the index of the link that our filter sends packets to; 0: there is no such filter. */
static int find_redirect(struct link_socket *socket, int bridge, int *ret) {
        _cleanup_cache_ struct nl_cache *filters = NULL;
        int r, found = 0;

        r = netlink_errno(socket, rtnl_cls_alloc_cache(socket->nl, bridge, FILTER_PARENT, &filters));
        if (r < 0)
                return r;
        for (struct nl_object *object = nl_cache_get_first(filters); object && found == 0;
                object = nl_cache_get_next(object))
                found = redirect_of(object);
        *ret = found;
        return 0;
}

/* A filter to where there was an ifb link once makes way for one to where it is now. */
static int set_redirect(struct link_socket *socket, int bridge, int ifb) {
        int r, leads_to = 0;

        r = find_redirect(socket, bridge, &leads_to);
        if (r < 0 || leads_to == ifb)
                return r;
        r = delete_filter(socket, bridge);
        return r < 0 ? r : add_filter(socket, bridge, ifb);
}

/* The ifb link, made if need be, and up. */
static int prepare_ifb(
        struct link_socket *socket, const char *name, const struct mac *mac, struct link *ret) {
        int r;

        r = link_find(socket, name, "ifb", ret);
        if (r == LINK_ABSENT) {
                r = link_create_ifb(socket, name, mac);
                if (r < 0 && r != -EEXIST)
                        return r;
                r = link_find(socket, name, "ifb", ret);
        }
        if (r < 0)
                return r;
        if (r == LINK_FOREIGN)
                return -EEXIST;
        if (r == LINK_ABSENT)
                return -ENODEV;
        return ret->flags & IFF_UP ? 0 : link_bring_up(socket, ret, NULL);
}

/* Packets are sent to the ifb link only once it is limited. */
static int limit(
        struct link_socket *socket, int bridge, const char *name, const struct mac *mac, uint64_t bits) {
        struct link ifb;
        int r;

        r = prepare_ifb(socket, name, mac, &ifb);
        if (r >= 0)
                r = qdisc_set_rate(socket, ifb.index, bits);
        if (r >= 0)
                r = add_ingress(socket, bridge);
        if (r >= 0)
                r = set_redirect(socket, bridge, ifb.index);
        return r < 0 ? r : qdisc_set_rate(socket, bridge, bits);
}

/*
 * The ifb link is made first and goes last, so as long as it is there, an ingress qdisc is taken for ours,
 * even if its filter never came or has gone already.
 */
static int unlimit(struct link_socket *socket, int bridge, const char *name) {
        struct link ifb;
        int r, state;

        state = link_find(socket, name, "ifb", &ifb);
        if (state < 0)
                return state;
        r = qdisc_set_rate(socket, bridge, 0);
        if (r >= 0)
                r = delete_filter(socket, bridge);
        if (r > 0 || (r == 0 && state == LINK_OURS))
                r = delete_ingress(socket, bridge);
        if (r < 0 || state != LINK_OURS)
                return r;
        return link_delete(socket, ifb.index);
}

int course_rate_set(
        struct link_socket *socket, int bridge, const char *ifb, const struct mac *mac, uint64_t bits) {
        return bits > 0 ? limit(socket, bridge, ifb, mac, bits) : unlimit(socket, bridge, ifb);
}

static int get_from_seats(struct link_socket *socket, int bridge, const char *name, uint64_t *ret) {
        int r, leads_to = 0;
        struct link ifb;

        r = link_find(socket, name, "ifb", &ifb);
        if (r >= 0 && r != LINK_OURS)
                *ret = 0;
        if (r != LINK_OURS)
                return r < 0 ? r : 0;

        r = find_redirect(socket, bridge, &leads_to);
        if (r < 0)
                return r;
        if (leads_to == ifb.index)
                return qdisc_get_rate(socket, ifb.index, ret);
        *ret = 0;
        return 0;
}

int course_rate_get(struct link_socket *socket, int bridge, const char *ifb, struct course_rate *ret) {
        struct course_rate rate = {0};
        int r;

        r = qdisc_get_rate(socket, bridge, &rate.to_seats);
        if (r >= 0)
                r = get_from_seats(socket, bridge, ifb, &rate.from_seats);
        if (r >= 0)
                *ret = rate;
        return r;
}
