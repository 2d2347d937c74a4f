/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Token bucket filters (tc-tbf(8)) and emulated networks (tc-netem(8)) of a link's queue, for seats, courses
 * and their check. An emulated network is the root, and the filter is below it: each packet is delayed first
 * and waits for tokens then. So the queue of the filter still has its 25 ms in bytes, whatever the delay is.
 * netem has one queue for both if it is below the filter, and counts it in packets, of which one from TCP has
 * up to 64 KiB.
 */

#include <linux/pkt_sched.h>

#include "netlink.h"
#include "qdisc.h"

#define KIND "tbf"
#define NETEM "netem"

/* "cn" as in the link group: how we know our qdisc again. `tc qdisc show` says 636e:. */
#define HANDLE ((uint32_t)COURSENET_LINK_GROUP << 16)
#define NETEM_CLASS (HANDLE | 1U)

/*
 * How many packets netem holds. They are the student's to send, and the kernel's memory: this is its default,
 * and more only as far as the rate needs it for the delay.
 */
#define NETEM_PACKETS 1000U
#define NETEM_PACKETS_MAX 10000U
#define PACKET_SIZE 1500U

/*
 * The bucket has room for two of the largest packets that TCP hands down (64 KiB and the headers of their
 * segments), as the kernel would have to cut up larger ones; and for what comes together in 5 ms, so that a
 * timer that is late costs nothing. The queue holds 25 ms, and at low rates two such packets as well.
 *
 * Measured with iperf3 between a seat and its host, one TCP stream, tbf on vl- and vr- (Linux 6.18, two CPUs,
 * which pass 12 Gbit/s without a limit): 9.5 to 9.8 Mbit/s of payload at 10 Mbit/s, and 0.95 to 0.96 of the
 * rate at 50 Mbit/s to 5 Gbit/s, where frame headers leave 0.956. With the CPUs overloaded threefold, 5
 * Gbit/s came to 0.93 on average, and with a bucket of 2 ms to 0.91.
 */
#define BUCKET_MIN 131072U /* bytes */
#define BUCKET_MS 5U
#define QUEUE_MIN 131072U /* bytes */
#define QUEUE_MS 25U

/* What a rate (bytes per second) lets pass in that time, bounded to what the kernel's fields hold. */
static uint32_t bytes_in(uint64_t rate, unsigned milliseconds, uint32_t least) {
        uint64_t bytes = rate / 1000 * milliseconds;

        if (bytes < least)
                return least;
        return bytes > UINT32_MAX ? UINT32_MAX : (uint32_t)bytes;
}

/* By hand, as libnl 3.7 keeps a rate in an int and the bucket in ticks of the kernel's clock. */
static int put_options(struct nl_msg *request, uint64_t rate) {
        struct tc_tbf_qopt options = {
                .rate =
                        {
                                .linklayer = TC_LINKLAYER_ETHERNET, /* and no table of transmission times */
                                .rate = rate > UINT32_MAX ? UINT32_MAX : (uint32_t)rate,
                        },
                .limit = bytes_in(rate, QUEUE_MS, QUEUE_MIN),
        };
        struct nlattr *nest = nla_nest_start(request, TCA_OPTIONS);

        if (!nest || nla_put(request, TCA_TBF_PARMS, sizeof(options), &options) < 0 ||
                nla_put_u32(request, TCA_TBF_BURST, bytes_in(rate, BUCKET_MS, BUCKET_MIN)) < 0)
                return -ENOMEM;
        if (rate > UINT32_MAX && nla_put_u64(request, TCA_TBF_RATE64, rate) < 0)
                return -ENOMEM;
        nla_nest_end(request, nest);
        return 0;
}

/* Of the root qdisc with our handle, or the one below it; kind: NULL, if it may be any. NULL: out of memory.
 */
static struct nl_msg *new_request_at(uint32_t parent, int type, int flags, int index, const char *kind) {
        struct tcmsg tcm = {
                .tcm_family = AF_UNSPEC,
                .tcm_ifindex = index,
                .tcm_parent = parent,
                .tcm_handle = parent == TC_H_ROOT ? HANDLE : 0,
        };
        struct nl_msg *request = nlmsg_alloc_simple(type, flags);

        if (request && (nlmsg_append(request, &tcm, sizeof(tcm), NLMSG_ALIGNTO) < 0 ||
                               (kind && nla_put_string(request, TCA_KIND, kind) < 0))) {
                nlmsg_free(request);
                return NULL;
        }
        return request;
}

static struct nl_msg *new_request(int type, int flags, int index, const char *kind) {
        return new_request_at(TC_H_ROOT, type, flags, index, kind);
}

/*
 * -EINVAL: the root qdisc is not ours, for example the default one. -ENOENT: there is none, for example
 * because the link is down.
 */
static int remove_root(struct link_socket *socket, int index, const char *kind) {
        struct nl_msg *request = new_request(RTM_DELQDISC, 0, index, kind);
        int r;

        if (!request)
                return -ENOMEM;
        r = netlink_send(socket, request);
        return r == -EINVAL || r == -ENOENT ? 0 : r;
}

static int replace_root(struct link_socket *socket, int index, uint64_t rate) {
        struct nl_msg *request = new_request(RTM_NEWQDISC, NLM_F_CREATE | NLM_F_REPLACE, index, KIND);

        if (!request || put_options(request, rate) < 0) {
                nlmsg_free(request);
                return -ENOMEM;
        }
        return netlink_send(socket, request);
}

int qdisc_set_rate(struct link_socket *socket, int index, uint64_t bits) {
        uint64_t rate = bits < 8 ? 1 : bits / 8;
        int r;

        if (bits == 0)
                return remove_root(socket, index, KIND);
        r = replace_root(socket, index, rate);
        if (r != -EINVAL)
                return r;
        /* The kernel replaces any root qdisc, except one that has our handle and is not a tbf. */
        r = remove_root(socket, index, NULL);
        return r < 0 ? r : replace_root(socket, index, rate);
}

/* --- emulated networks ---------------------------------------------------------------------- */

static uint32_t netem_packets(uint64_t bits, const struct impairment *impairment) {
        unsigned milliseconds = (impairment->delay_usec + impairment->jitter_usec) / 1000U;
        uint64_t packets = 2 * (bits / 8 / 1000 * milliseconds / PACKET_SIZE);

        if (packets < NETEM_PACKETS)
                return NETEM_PACKETS;
        return packets > NETEM_PACKETS_MAX ? NETEM_PACKETS_MAX : (uint32_t)packets;
}

int qdisc_put_impairment(struct nl_msg *request, uint64_t bits, const struct impairment *impairment) {
        struct tc_netem_qopt options = {
                .limit = netem_packets(bits, impairment),
                .loss = (uint32_t)((uint64_t)UINT32_MAX * impairment->loss_ppm / LOSS_ALL),
        };
        int64_t delay = (int64_t)impairment->delay_usec * 1000,
                jitter = (int64_t)impairment->jitter_usec * 1000;
        struct nlattr *nest = nla_nest_start(request, TCA_OPTIONS);

        /* The struct has times in ticks of the kernel's clock, and these two are in nanoseconds. */
        if (!nest || nlmsg_append(request, &options, sizeof(options), NLMSG_ALIGNTO) < 0 ||
                nla_put(request, TCA_NETEM_LATENCY64, sizeof(delay), &delay) < 0 ||
                nla_put(request, TCA_NETEM_JITTER64, sizeof(jitter), &jitter) < 0)
                return -ENOMEM;
        nla_nest_end(request, nest);
        return 0;
}

static unsigned parse_nanoseconds(struct nlattr *attribute) {
        int64_t nanoseconds = 0;

        if (attribute && nla_len(attribute) >= (int)sizeof(nanoseconds))
                memcpy(&nanoseconds, nla_data(attribute), sizeof(nanoseconds));
        return nanoseconds < 0 || nanoseconds / 1000 > UINT32_MAX ? 0 : (unsigned)(nanoseconds / 1000);
}

bool qdisc_parse_impairment(struct nlattr *attribute, struct impairment *ret) {
        struct nlattr *options[TCA_NETEM_MAX + 1];
        struct tc_netem_qopt parameters;
        int length = nla_len(attribute) - NLA_ALIGN((int)sizeof(parameters));

        if (length < 0 || nla_parse(options, TCA_NETEM_MAX,
                                  (struct nlattr *)(void *)((char *)nla_data(attribute) +
                                                            NLA_ALIGN((int)sizeof(parameters))),
                                  length, NULL) < 0)
                return false;
        memcpy(&parameters, nla_data(attribute), sizeof(parameters));
        *ret = (struct impairment){
                .delay_usec = parse_nanoseconds(options[TCA_NETEM_LATENCY64]),
                .jitter_usec = parse_nanoseconds(options[TCA_NETEM_JITTER64]),
                .loss_ppm = (unsigned)(((uint64_t)parameters.loss * LOSS_ALL + UINT32_MAX / 2) / UINT32_MAX),
        };
        return true;
}

bool impairment_is_none(const struct impairment *impairment) {
        return impairment->delay_usec == 0 && impairment->jitter_usec == 0 && impairment->loss_ppm == 0;
}

/* -ENOENT: the kernel has no netem. */
static int add_netem(
        struct link_socket *socket, int index, uint64_t bits, const struct impairment *impairment) {
        struct nl_msg *request = new_request(RTM_NEWQDISC, NLM_F_CREATE | NLM_F_REPLACE, index, NETEM);

        if (!request || qdisc_put_impairment(request, bits, impairment) < 0) {
                nlmsg_free(request);
                return -ENOMEM;
        }
        return netlink_send(socket, request);
}

static int add_rate_below(struct link_socket *socket, int index, uint64_t rate) {
        struct nl_msg *request =
                new_request_at(NETEM_CLASS, RTM_NEWQDISC, NLM_F_CREATE | NLM_F_REPLACE, index, KIND);

        if (!request || put_options(request, rate) < 0) {
                nlmsg_free(request);
                return -ENOMEM;
        }
        return netlink_send(socket, request);
}

int qdisc_set(struct link_socket *socket, int index, uint64_t bits, const struct impairment *impairment) {
        int r;

        if (impairment_is_none(impairment)) {
                r = remove_root(socket, index, NETEM);
                return r < 0 ? r : qdisc_set_rate(socket, index, bits);
        }
        /* One that has our handle cannot be replaced by another kind, and an old filter could stay below. */
        r = remove_root(socket, index, NULL);
        if (r >= 0)
                r = add_netem(socket, index, bits, impairment);
        if (r == -ENOENT) {
                r = qdisc_set_rate(socket, index, bits);
                return r < 0 ? r : QDISC_NO_NETEM;
        }
        return r < 0 || bits == 0 ? r : add_rate_below(socket, index, bits < 8 ? 1 : bits / 8);
}

/* --- what there is --------------------------------------------------------------------------- */

static bool is_ours(const struct tcmsg *tcm) {
        return tcm->tcm_parent == NETEM_CLASS || (tcm->tcm_parent == TC_H_ROOT && tcm->tcm_handle == HANDLE);
}

/* False: it is none of ours. */
static bool parse_netem(struct nlattr **attributes, const struct tcmsg *tcm, struct impairment *ret) {
        struct nlattr *kind = attributes[TCA_KIND];

        return is_ours(tcm) && kind && nla_strcmp(kind, NETEM) == 0 && attributes[TCA_OPTIONS] &&
               qdisc_parse_impairment(attributes[TCA_OPTIONS], ret);
}

/* In bytes per second; 0: it is none of ours. */
static uint64_t parse_rate(struct nlattr **attributes, const struct tcmsg *tcm) {
        struct nlattr *options[TCA_TBF_MAX + 1], *kind = attributes[TCA_KIND];
        const struct tc_tbf_qopt *parameters;

        if (!is_ours(tcm) || !kind || nla_strcmp(kind, KIND) != 0 || !attributes[TCA_OPTIONS] ||
                nla_parse_nested(options, TCA_TBF_MAX, attributes[TCA_OPTIONS], NULL) < 0 ||
                !options[TCA_TBF_PARMS] || nla_len(options[TCA_TBF_PARMS]) < (int)sizeof(*parameters))
                return 0;
        if (options[TCA_TBF_RATE64] && nla_len(options[TCA_TBF_RATE64]) >= (int)sizeof(uint64_t))
                return nla_get_u64(options[TCA_TBF_RATE64]);
        parameters = nla_data(options[TCA_TBF_PARMS]);
        return parameters->rate.rate;
}

static int read_rate(struct nl_msg *message, void *userdata) {
        struct nlmsghdr *header = nlmsg_hdr(message);
        struct nlattr *attributes[TCA_MAX + 1];
        const struct tcmsg *tcm;
        struct impairment impairment = {0};
        struct qdisc_rate *added;
        uint64_t rate;

        if (header->nlmsg_type != RTM_NEWQDISC ||
                nlmsg_parse(header, sizeof(*tcm), attributes, TCA_MAX, NULL) < 0)
                return NL_SKIP;
        tcm = nlmsg_data(header);
        rate = parse_rate(attributes, tcm);
        if (rate == 0 && !parse_netem(attributes, tcm, &impairment))
                return NL_SKIP;
        added = netlink_append(userdata);
        if (added)
                *added = (struct qdisc_rate){
                        .index = tcm->tcm_ifindex, .bits = rate * 8, .impairment = impairment};
        return NL_OK;
}

int qdisc_list_rates(struct link_socket *socket, struct qdisc_rates *ret) {
        struct tcmsg tcm = {.tcm_family = AF_UNSPEC};
        struct netlink_question question = {
                .type = RTM_GETQDISC,
                .request = &tcm,
                .request_size = sizeof(tcm),
                .read = read_rate,
        };
        struct netlink_items items = {.item_size = sizeof(struct qdisc_rate)};
        int r;

        r = netlink_list(socket, &question, &items);
        if (r < 0)
                free(items.array);
        else
                *ret = (struct qdisc_rates){.items = items.array, .n_items = items.n_items};
        return r;
}

struct qdisc_rate qdisc_find(const struct qdisc_rates *rates, int index) {
        struct qdisc_rate found = {.index = index};

        for (size_t i = 0; i < rates->n_items; i++) {
                if (rates->items[i].index != index)
                        continue;
                if (rates->items[i].bits > 0)
                        found.bits = rates->items[i].bits;
                else
                        found.impairment = rates->items[i].impairment;
        }
        return found;
}

int qdisc_get(struct link_socket *socket, int index, struct qdisc_rate *ret) {
        _cleanup_qdisc_rates_ struct qdisc_rates rates = {0};
        int r;

        r = qdisc_list_rates(socket, &rates);
        if (r < 0)
                return r;
        *ret = qdisc_find(&rates, index);
        return 0;
}

int qdisc_get_rate(struct link_socket *socket, int index, uint64_t *ret_bits) {
        struct qdisc_rate found;
        int r;

        r = qdisc_get(socket, index, &found);
        if (r >= 0)
                *ret_bits = found.bits;
        return r;
}

void qdisc_rates_done(struct qdisc_rates *rates) {
        free(rates->items);
        *rates = (struct qdisc_rates){0};
}
