/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Ours are the rules with the protocol "kernel" and one of our priorities. systemd-networkd removes every
 * rule that it did not make, except those of that protocol.
 *
 * The rules at 0 come right behind the kernel's own (`lookup local`) and before all others: a host with
 * several uplinks often routes by source address, which must not lead around the fence. A packet of a uid
 * that no rule at 0 names goes on to the others' rules, and skips the rest of ours.
 *
 * The kernel asks the rules one by one, also for each packet that it forwards, so there must be few. Where
 * the fenced uids make many ranges, a rule at 0 covers a whole group of ranges, and the ranges of each group
 * have a priority of their own. A uid of that group's span that is in none of its ranges goes on at the end,
 * behind the rules that others have before 32000. So only an account of no course whose uid is between those
 * of students misses these rules.
 */

#include <linux/fib_rules.h>

#include "base/failure.h"
#include "fence-route.h"
#include "fence-subuid.h"
#include "fence-table.h"
#include "kernel/link.h"
#include "kernel/netlink.h"

#define WHAT "the routing rules of the fence"
#define REPAIR "systemctl restart coursenet-network.service restores them"

enum {
        PRIORITY_ENTRY = 0,
        PRIORITY_PASS = 31999,   /* a uid without an entry continues behind all of these */
        PRIORITY_GROUPS = 32000, /* two for each group: its ranges, and the uids between them */
        PRIORITY_LOCAL = 32500,
        PRIORITY_OPEN,
        PRIORITY_PROHIBIT,
        PRIORITY_END = 32510,
};

/*
 * The maximum of rules at priority 0, which every packet is compared with: one for each range or each group.
 */
#define ENTRIES_MAX 16U

/* One rule, for either family; what it does not have is 0. */
struct fence_rule {
        uint32_t priority;
        uint32_t action; /* FR_ACT_… */
        uint32_t target; /* of FR_ACT_GOTO */
        uint32_t table;  /* of FR_ACT_TO_TBL */
        uint32_t protocol, port;
        uint32_t has_uids;
        struct uid_range uids;
};

/*
 * Rules are removed in this order and made in the reverse order. So the target of a jump exists as long as
 * the jump does, and a rule that refuses never exists without the rules that make exceptions from it.
 */
static uint32_t rank(const struct fence_rule *rule) {
        return rule->priority == PRIORITY_PASS ? PRIORITY_END - 1 : rule->priority;
}

static int compare_rules(const void *a, const void *b) {
        const struct fence_rule *one = a, *other = b;

        if (rank(one) != rank(other))
                return rank(one) < rank(other) ? -1 : 1;
        if (one->uids.first != other->uids.first)
                return one->uids.first < other->uids.first ? -1 : 1;
        return memcmp(one, other, sizeof(*one));
}

bool fence_route_is_ours(uint32_t priority, uint8_t protocol) {
        return protocol == RTPROT_KERNEL &&
               (priority == PRIORITY_ENTRY || (priority >= PRIORITY_PASS && priority <= PRIORITY_END));
}

/* --- the plan --------------------------------------------------------------------------------------- */

static void rules_done(struct netlink_items *rules) {
        free(rules->array);
        *rules = (struct netlink_items){0};
}

#define _cleanup_rules_ _cleanup_(rules_done)

static void add(struct netlink_items *rules, struct fence_rule rule) {
        struct fence_rule *added = netlink_append(rules);

        if (added)
                *added = rule;
}

static int compare_ranges(const void *a, const void *b) {
        const struct uid_range *one = a, *other = b;

        return one->first < other->first ? -1 : one->first > other->first;
}

/* The first element of a set; NULL: there is none. *ret_end is behind the last one. */
static const char *find_elements(const char *plan, const char *set, const char **ret_end) {
        const char *text = strstr(plan, set), *elements;

        *ret_end = text ? strstr(text, "\n\t}") : NULL;
        elements = text ? strstr(text, "elements = {") : NULL;
        return *ret_end && elements && elements < *ret_end ? elements : NULL;
}

/* "5001, 5002" and "100000-165535". */
static void parse_uids(const char *plan, const char *set, struct netlink_items *ranges) {
        const char *end, *text = find_elements(plan, set, &end);

        while (text && (text += strcspn(text, "0123456789")) < end) {
                struct uid_range range, *added;
                char *behind;

                range.first = range.last = (uint32_t)strtoul(text, &behind, 10);
                if (*behind == '-')
                        range.last = (uint32_t)strtoul(behind + 1, &behind, 10);
                text = behind;
                added = netlink_append(ranges);
                if (added)
                        *added = range;
        }
}

/* Sorted, and without ranges that overlap or adjoin. */
static void join_ranges(struct netlink_items *ranges) {
        struct uid_range *items = ranges->array;
        size_t n = 0;

        if (ranges->n_items > 0)
                qsort(items, ranges->n_items, sizeof(*items), compare_ranges);
        for (size_t i = 0; i < ranges->n_items; i++) {
                struct uid_range *last = n > 0 ? &items[n - 1] : NULL, item = items[i];

                if (!last || item.first > last->last + 1)
                        items[n++] = item;
                else if (item.last > last->last)
                        last->last = item.last;
        }
        ranges->n_items = n;
}

/* "tcp . 88, udp . 88" */
static void plan_open_ports(const char *plan, struct netlink_items *rules) {
        const char *end, *text = find_elements(plan, "\tset open {", &end);

        while (text && (text = strstr(text, "p . ")) && text < end) {
                add(rules, (struct fence_rule){
                                   .priority = PRIORITY_OPEN,
                                   .action = FR_ACT_GOTO,
                                   .target = PRIORITY_END,
                                   .protocol = text[-1] == 'c' ? IPPROTO_TCP : IPPROTO_UDP,
                                   .port = (uint32_t)strtoul(text + strlen("p . "), NULL, 10),
                           });
                text += strlen("p . ");
        }
}

static void plan_jump(
        struct netlink_items *rules, uint32_t priority, uint32_t target, uint32_t first, uint32_t last) {
        add(rules, (struct fence_rule){
                           .priority = priority,
                           .action = FR_ACT_GOTO,
                           .target = target,
                           .has_uids = true,
                           .uids = {.first = first, .last = last},
                   });
}

/*
 * How many ranges a group has. Only packets whose uid is within the span of a group are compared with all of
 * its ranges.
 */
static size_t group_size(size_t n) {
        return n <= ENTRIES_MAX * ENTRIES_MAX ? ENTRIES_MAX : (n + ENTRIES_MAX - 1) / ENTRIES_MAX;
}

static void plan_groups(struct netlink_items *rules, const struct uid_range *ranges, size_t n) {
        size_t size = group_size(n);

        for (size_t i = 0; i * size < n; i++) {
                size_t begin = i * size, end = begin + size < n ? begin + size : n;
                uint32_t priority = PRIORITY_GROUPS + 2 * (uint32_t)i;

                plan_jump(rules, PRIORITY_ENTRY, priority, ranges[begin].first, ranges[end - 1].last);
                for (size_t j = begin; j < end; j++)
                        plan_jump(rules, priority, PRIORITY_LOCAL, ranges[j].first, ranges[j].last);
                add(rules, (struct fence_rule){
                                   .priority = priority + 1, .action = FR_ACT_GOTO, .target = PRIORITY_END});
        }
}

static void plan_ranges(struct netlink_items *rules, const struct uid_range *ranges, size_t n) {
        if (n > ENTRIES_MAX) {
                plan_groups(rules, ranges, n);
                return;
        }
        for (size_t i = 0; i < n; i++)
                plan_jump(rules, PRIORITY_ENTRY, PRIORITY_LOCAL, ranges[i].first, ranges[i].last);
}

/*
 * Only jumps lead to this rule, but it has uids too: if another program deletes the jumps, root keeps its
 * routes.
 */
static void plan_prohibit(struct netlink_items *rules, const struct uid_range *ranges, size_t n) {
        add(rules, (struct fence_rule){
                           .priority = PRIORITY_PROHIBIT,
                           .action = FR_ACT_PROHIBIT,
                           .has_uids = true,
                           .uids = {.first = ranges[0].first, .last = ranges[n - 1].last},
                   });
}

/* In order; none if nobody is fenced. */
static int plan_rules(const char *plan, struct netlink_items *ret) {
        _cleanup_rules_ struct netlink_items ranges = {.item_size = sizeof(struct uid_range)};

        *ret = (struct netlink_items){.item_size = sizeof(struct fence_rule)};
        parse_uids(plan, "\tset fenced {", &ranges);
        parse_uids(plan, "\tset subordinates {", &ranges);
        join_ranges(&ranges);
        if (ranges.n_items > 0) {
                plan_ranges(ret, ranges.array, ranges.n_items);
                add(ret, (struct fence_rule){
                                 .priority = PRIORITY_PASS, .action = FR_ACT_GOTO, .target = PRIORITY_END});
                add(ret, (struct fence_rule){.priority = PRIORITY_LOCAL,
                                 .action = FR_ACT_TO_TBL,
                                 .table = RT_TABLE_LOCAL});
                plan_open_ports(plan, ret);
                plan_prohibit(ret, ranges.array, ranges.n_items);
                add(ret, (struct fence_rule){.priority = PRIORITY_END, .action = FR_ACT_NOP});
                qsort(ret->array, ret->n_items, sizeof(struct fence_rule), compare_rules);
        }
        return ranges.out_of_memory || ret->out_of_memory ? -ENOMEM : 0;
}

/* --- the kernel's ----------------------------------------------------------------------------------- */

static uint8_t get_u8(struct nlattr *attribute) {
        return attribute && nla_len(attribute) >= 1 ? nla_get_u8(attribute) : 0;
}

static void get_ranges(struct nlattr **attributes, struct fence_rule *rule) {
        if (attributes[FRA_UID_RANGE] &&
                nla_len(attributes[FRA_UID_RANGE]) >= (int)sizeof(struct fib_rule_uid_range)) {
                const struct fib_rule_uid_range *uids = nla_data(attributes[FRA_UID_RANGE]);

                rule->has_uids = true;
                rule->uids = (struct uid_range){.first = uids->start, .last = uids->end};
        }
        if (attributes[FRA_DPORT_RANGE] &&
                nla_len(attributes[FRA_DPORT_RANGE]) >= (int)sizeof(struct fib_rule_port_range)) {
                const struct fib_rule_port_range *ports = nla_data(attributes[FRA_DPORT_RANGE]);

                rule->port = ports->start;
        }
}

/* The kernel's own rule at 0 is not ours: at that priority we have jumps only. */
static int read_rule(struct nl_msg *message, void *userdata) {
        struct nlmsghdr *header = nlmsg_hdr(message);
        struct nlattr *attributes[FRA_MAX + 1];
        const struct fib_rule_hdr *frh;
        struct fence_rule rule;

        if (header->nlmsg_type != RTM_NEWRULE ||
                nlmsg_parse(header, sizeof(*frh), attributes, FRA_MAX, NULL) < 0)
                return NL_SKIP;
        frh = nlmsg_data(header);
        rule = (struct fence_rule){
                .priority = netlink_get_u32(attributes[FRA_PRIORITY]),
                .action = frh->action,
                .target = netlink_get_u32(attributes[FRA_GOTO]),
                .protocol = get_u8(attributes[FRA_IP_PROTO]),
        };
        if (!fence_route_is_ours(rule.priority, get_u8(attributes[FRA_PROTOCOL])) ||
                (rule.priority == PRIORITY_ENTRY && rule.action != FR_ACT_GOTO))
                return NL_SKIP;
        if (rule.action == FR_ACT_TO_TBL)
                rule.table = attributes[FRA_TABLE] ? netlink_get_u32(attributes[FRA_TABLE]) : frh->table;
        get_ranges(attributes, &rule);
        add(userdata, rule);
        return NL_OK;
}

/* Ordered. */
static int list_rules(struct link_socket *socket, unsigned char family, struct netlink_items *ret) {
        struct fib_rule_hdr request = {.family = family};
        struct netlink_question question = {
                .type = RTM_GETRULE,
                .request = &request,
                .request_size = sizeof(request),
                .read = read_rule,
        };
        int r;

        *ret = (struct netlink_items){.item_size = sizeof(struct fence_rule)};
        r = netlink_list(socket, &question, ret);
        if (r >= 0 && ret->n_items > 0)
                qsort(ret->array, ret->n_items, sizeof(struct fence_rule), compare_rules);
        return r;
}

static int fill(struct nl_msg *message, const struct fence_rule *rule) {
        const struct fib_rule_uid_range uids = {.start = rule->uids.first, .end = rule->uids.last};
        const struct fib_rule_port_range ports = {.start = (uint16_t)rule->port, .end = (uint16_t)rule->port};
        int r;

        r = nla_put_u32(message, FRA_PRIORITY, rule->priority);
        if (r >= 0)
                r = nla_put_u8(message, FRA_PROTOCOL, RTPROT_KERNEL);
        if (r >= 0 && rule->action == FR_ACT_GOTO)
                r = nla_put_u32(message, FRA_GOTO, rule->target);
        if (r >= 0 && rule->table != 0)
                r = nla_put_u32(message, FRA_TABLE, rule->table);
        if (r >= 0 && rule->has_uids)
                r = nla_put(message, FRA_UID_RANGE, sizeof(uids), &uids);
        if (r >= 0 && rule->protocol != 0)
                r = nla_put_u8(message, FRA_IP_PROTO, (uint8_t)rule->protocol);
        if (r >= 0 && rule->port != 0)
                r = nla_put(message, FRA_DPORT_RANGE, sizeof(ports), &ports);
        return r;
}

/* type: RTM_NEWRULE, with its flags, or RTM_DELRULE. */
static int change(struct link_socket *socket, int type, int flags, unsigned char family,
        const struct fence_rule *rule) {
        struct fib_rule_hdr frh = {.family = family, .action = (uint8_t)rule->action};
        struct nl_msg *message = nlmsg_alloc_simple(type, flags);
        int r;

        if (!message)
                return -ENOMEM;
        if (nlmsg_append(message, &frh, sizeof(frh), NLMSG_ALIGNTO) < 0 || fill(message, rule) < 0) {
                nlmsg_free(message);
                return -ENOMEM;
        }
        r = netlink_send(socket, message);
        /* Another program, or another run of ours, has already added or removed it. */
        if ((type == RTM_NEWRULE && r == -EEXIST) || (type == RTM_DELRULE && r == -ENOENT))
                return 0;
        return r;
}

/* --- one and the other ------------------------------------------------------------------------------ */

static bool has(const struct netlink_items *rules, const struct fence_rule *rule) {
        return rules->n_items > 0 &&
               bsearch(rule, rules->array, rules->n_items, sizeof(*rule), compare_rules) != NULL;
}

/*
 * The kernel does not compare the target of a jump (rule_exists() and rule_find() in net/core/fib_rules.c).
 * So a jump with another target counts as existing.
 */
static bool has_with_other_target(const struct netlink_items *rules, const struct fence_rule *rule) {
        const struct fence_rule *items = rules->array;

        for (size_t i = 0; i < rules->n_items; i++) {
                struct fence_rule same_target = items[i];

                same_target.target = rule->target;
                if (items[i].target != rule->target && memcmp(&same_target, rule, sizeof(*rule)) == 0)
                        return true;
        }
        return false;
}

/*
 * Without NLM_F_EXCL the kernel adds the rule behind one that differs only in its target. A removal removes
 * the first of the two.
 */
static int make_rule(struct link_socket *socket, unsigned char family, const struct netlink_items *actual,
        const struct fence_rule *rule) {
        int flags = has_with_other_target(actual, rule) ? NLM_F_CREATE : NLM_F_CREATE | NLM_F_EXCL;

        return change(socket, RTM_NEWRULE, flags, family, rule);
}

/* Makes missing rules before it removes others, so that a uid of both plans is fenced all the time. */
static int make_equal(struct link_socket *socket, unsigned char family, const struct netlink_items *planned,
        const struct netlink_items *actual) {
        const struct fence_rule *wanted = planned->array, *found = actual->array;
        int r = 0;

        for (size_t i = planned->n_items; r >= 0 && i-- > 0;)
                if (!has(actual, &wanted[i]))
                        r = make_rule(socket, family, actual, &wanted[i]);
        for (size_t i = 0; r >= 0 && i < actual->n_items; i++)
                if (!has(planned, &found[i]))
                        r = change(socket, RTM_DELRULE, 0, family, &found[i]);
        return r;
}

/* A kernel without this family, or without routing rules for it. */
static bool is_without(int error) {
        return error == -EAFNOSUPPORT || error == -EOPNOTSUPP;
}

static int apply_family(
        struct link_socket *socket, unsigned char family, const struct netlink_items *planned) {
        _cleanup_rules_ struct netlink_items actual = {0};
        int r;

        r = list_rules(socket, family, &actual);
        if (r >= 0)
                r = make_equal(socket, family, planned, &actual);
        return family == AF_INET6 && is_without(r) ? 0 : r;
}

int fence_route_apply(const char *plan, struct diagnostics *diagnostics) {
        _cleanup_link_socket_ struct link_socket socket = {0};
        _cleanup_rules_ struct netlink_items planned = {0};
        int r;

        r = plan_rules(plan, &planned);
        if (r >= 0)
                r = link_open(&socket);
        if (r >= 0)
                r = apply_family(&socket, AF_INET, &planned);
        if (r >= 0)
                r = apply_family(&socket, AF_INET6, &planned);
        return r < 0 ? failure(diagnostics, WHAT, r, "cannot be set") : 0;
}

static int inspect_family(struct link_socket *socket, unsigned char family,
        const struct netlink_items *planned, struct diagnostics *diagnostics) {
        const char *name = family == AF_INET6 ? "IPv6" : "IPv4";
        _cleanup_rules_ struct netlink_items actual = {0};
        size_t missing = 0, surplus = 0;
        int r;

        r = list_rules(socket, family, &actual);
        if (r < 0)
                return family == AF_INET6 && is_without(r) ? 0 : r;
        for (size_t i = 0; i < planned->n_items; i++)
                missing += !has(&actual, (const struct fence_rule *)planned->array + i);
        for (size_t i = 0; i < actual.n_items; i++)
                surplus += !has(planned, (const struct fence_rule *)actual.array + i);
        if (missing > 0 || surplus > 0)
                diagnostics_error(diagnostics, WHAT, 0,
                        "of %s, %zu are missing and %zu are unexpected (`ip rule`): " REPAIR, name, missing,
                        surplus);
        return 0;
}

int fence_route_compare(const char *plan, struct diagnostics *diagnostics) {
        _cleanup_link_socket_ struct link_socket socket = {0};
        _cleanup_rules_ struct netlink_items planned = {0};
        int r;

        r = plan_rules(plan, &planned);
        if (r >= 0)
                r = link_open(&socket);
        if (r >= 0)
                r = inspect_family(&socket, AF_INET, &planned, diagnostics);
        if (r >= 0)
                r = inspect_family(&socket, AF_INET6, &planned, diagnostics);
        return r < 0 ? failure(diagnostics, WHAT, r, "cannot be looked at") : 0;
}
