/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Limits of what a link sends: a token bucket filter (tbf) as its root qdisc, with a handle of our own. They
 * are for links of ours, so a root qdisc that somebody else has given such a link makes way for a limit.
 *
 * To limit what a seat receives, limit its vl-; to limit what it sends, its vr-.
 */

#include "link.h"
#include "setting-value.h"

struct nl_msg;
struct nlattr;

/*
 * Limits what the link sends to that many bits per second, frame headers included; at most 2^32 - 1 bytes can
 * be on their way, so it works up to 1 Tbit/s. 0: takes a limit of ours away, and leaves any other qdisc
 * alone. A limit that is there already is changed in place and loses no packet. -ENODEV if there is no such
 * link, -ENOENT if the kernel has no tbf.
 */
int qdisc_set_rate(struct link_socket *socket, int index, uint64_t bits);

#define QDISC_NO_NETEM 1

/*
 * The same with an emulated network before it. QDISC_NO_NETEM: the kernel has none, so only the rate is set.
 * Not for a link that carries traffic: what was on its way is lost.
 */
int qdisc_set(struct link_socket *socket, int index, uint64_t bits, const struct impairment *impairment);

bool impairment_is_none(const struct impairment *impairment);

/* Writes TCA_OPTIONS of a netem for a link of that rate (0: none), and reads it. For qdisc.c and its test. */
int qdisc_put_impairment(struct nl_msg *request, uint64_t bits, const struct impairment *impairment);
bool qdisc_parse_impairment(struct nlattr *attribute, struct impairment *ret);

/* Our limit of a link as bits per second, a multiple of 8; 0: none. */
int qdisc_get_rate(struct link_socket *socket, int index, uint64_t *ret_bits);

struct qdisc_rate {
        int index; /* of the link */
        uint64_t bits;
        struct impairment impairment;
};

/* The empty value is all zero. */
struct qdisc_rates {
        struct qdisc_rate *items;
        size_t n_items;
};

/* All limits of ours in the namespace: one question, however many links there are. A link may have two. */
int qdisc_list_rates(struct link_socket *socket, struct qdisc_rates *ret);

/* What that list, or the kernel, has for one link. */
struct qdisc_rate qdisc_find(const struct qdisc_rates *rates, int index);
int qdisc_get(struct link_socket *socket, int index, struct qdisc_rate *ret);

void qdisc_rates_done(struct qdisc_rates *rates);

#define _cleanup_qdisc_rates_ _cleanup_(qdisc_rates_done)
