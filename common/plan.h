/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * What the network of a course and of a seat should look like: names and addresses, computed from the
 * settings, and overridden by files of the administrator, see coursenet-netns(5):
 *
 *     ETC/netns/bridge-123.conf    BR_IP=10.0.123.1[/24]
 *     ETC/netns/ns12310.conf       VR_IP=10.0.123.10[/24]  BR=br-123  BR_IP=10.0.123.1
 *
 * They are read as systemd reads an EnvironmentFile=, so that units can use them as well. A BR_IP of the
 * bridge moves the whole course: its seats are numbered within the subnet of that address.
 */

#include <net/if.h>

#include "mac.h"
#include "seat-id.h"
#include "settings.h"

#define OVERRIDE_DIRECTORY "netns"
#define NETNS_DIRECTORY "/run/netns"

/*
 * The link group of every link that coursenet creates, and of lo in every namespace that it creates. The
 * request that creates a link sets its group, so that coursenet's links can be recognised at any moment. `ip
 * link show group 25454` lists them. 25454 is 0x636e, "cn".
 */
#define COURSENET_LINK_GROUP 25454

struct bridge_plan {
        char course[COURSE_SIZE];
        char name[IFNAMSIZ];      /* br-123 */
        struct address address;   /* the gateway of the course, with the subnet's prefix */
        struct address6 address6; /* the same for IPv6, PREFIX::1; all zero: no IPv6 */
        struct mac mac;
        struct traffic_settings traffic; /* nothing in it is unset */
        char vxlan[IFNAMSIZ];            /* vx-123, the port to the other members; only with a vni */
        uint32_t vni;                    /* 0: the course is on this server only */
        uint32_t underlay;               /* this member's address there; host byte order */
};

struct seat_plan {
        struct seat_id id;
        char name[SEAT_ID_SIZE];         /* 12310 */
        char link[IFNAMSIZ];             /* vl-12310, on the bridge */
        char peer[IFNAMSIZ];             /* vr-12310, in the namespace */
        char netns[SEAT_ID_SIZE + 2];    /* ns12310, under NETNS_DIRECTORY */
        char bridge[IFNAMSIZ];           /* br-123 */
        char bridge_course[COURSE_SIZE]; /* the course whose netbr@ makes that bridge; empty: an
                                            administrator's own bridge */
        struct address address;          /* of the peer */
        uint32_t gateway;                /* host byte order */
        struct address6 address6; /* seat 10 has PREFIX::10; all zero: no IPv6, as on an administrator's own
                                     bridge */
        struct address6 gateway6;
        struct mac link_mac, peer_mac;
        enum isolation isolation;
        uint64_t rate;                /* bits per second, each direction; 0: no limit */
        struct impairment impairment; /* each direction */
        bool spread;                  /* the bridge is one network on all members: a claim is needed */
        bool dns; /* whether names are resolved for the seat: dns is not off, and the bridge is a course's */
};

/* Fills in the names only. They depend on the id alone, so that a stop needs no file. */
void bridge_plan_name(const char *course, struct bridge_plan *ret);
void seat_plan_name(const char *seat, struct seat_plan *ret);

/* The course of a bridge that is named as coursenet names bridges; within name. NULL: it is not. */
const char *bridge_course(const char *name);

/* Sets what the settings let pass. The plan must have its course and its subnets. */
void bridge_plan_set_traffic(const struct settings *settings, struct bridge_plan *plan);

/*
 * The plan of a course's bridge. -EINVAL (-ENOMEM) with at least one error added to diagnostics, and *ret
 * untouched.
 */
int bridge_plan_load(const char *etc, const struct settings *settings, const char *course,
        struct bridge_plan *ret, struct diagnostics *diagnostics);

/* The plan of a seat; errors as above. */
int seat_plan_load(const char *etc, const struct settings *settings, const struct seat_id *id,
        struct seat_plan *ret, struct diagnostics *diagnostics);
