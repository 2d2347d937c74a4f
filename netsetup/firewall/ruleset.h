/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Computes the firewall as commands in the language of nft(8), from plans and nothing else. So the text can
 * be tested and compared with what the kernel has. nftables.h applies it.
 *
 * Every function returns a text that the caller frees; NULL: out of memory.
 */

#include <net/if.h>

#include "exam.h"
#include "plan.h"

#define RULESET_COURSES "inet coursenet" /* NAT, isolation, reach of the host: all courses that are up */
#define RULESET_EXAMS "bridge coursenet" /* within a bridge: in an exam, and between members of [hosts] */
#define RULESET_LOCAL_TABLE "coursenet_local"
#define RULESET_LOCAL                                                                                        \
        "bridge " RULESET_LOCAL_TABLE /* what other members may not say of seats that are live here */

/*
 * What may come out of a seat. Each time that rules are added, the kernel checks all chains of their table
 * (nft_table_validate() in net/netfilter/nf_tables_api.c), which takes 1 ms for 1000 seats. So there are ten
 * tables, "netdev coursenet_0" to "netdev coursenet_9", and a seat is in the one of its last digit.
 */
#define RULESET_SEATS_FAMILY "netdev"
#define RULESET_SEATS_PREFIX "coursenet_"
#define RULESET_SEATS_TABLES 10U
#define RULESET_SEATS_FORMER "netdev coursenet" /* versions before these had all seats in this table */

/* The name of a table of seats, with its family. */
typedef char ruleset_seats_name_t[sizeof(RULESET_SEATS_FAMILY " " RULESET_SEATS_PREFIX "0")];

static inline void ruleset_seats_name(unsigned table, ruleset_seats_name_t ret) {
        (void)snprintf(ret, sizeof(ruleset_seats_name_t), RULESET_SEATS_FAMILY " " RULESET_SEATS_PREFIX "%u",
                table % RULESET_SEATS_TABLES);
}

/* Which table has the seat of a link: "vl-12310" is in table 0. */
static inline unsigned ruleset_seats_table(const char *link) {
        char last = link[0] == '\0' ? '0' : link[strlen(link) - 1];

        return last >= '0' && last <= '9' ? (unsigned)(last - '0') : 0;
}

/* In a table of seats: the sets of who may send what, and the chains that look there. */
#define RULESET_MACS "macs"
#define RULESET_SENDERS4 "senders4"
#define RULESET_SENDERS6 "senders6"
#define RULESET_TARGETS6 "targets6"
#define RULESET_SENT "sent"
#define RULESET_SENT6 "sent6"

/* The sets of the table of local seats; the last two have the names of those above. */
#define RULESET_SOURCES4 "sources4"
#define RULESET_SOURCES6 "sources6"

/* In the courses' table: the flowtable of nft(8). */
#define RULESET_FLOWTABLE "connections"

/* Where the name service of the seats listens, on the gateways; a privileged port that nobody else uses. */
#define RULESET_DNS_PORT 530
/* The same for seats of courses in an exam, whose name service knows the allowed names only. */
#define RULESET_EXAM_DNS_PORT 531

#define RULESET_RESOLVERS_MAX 8U

/* A short list of names of links. */

#define LINK_NAMES_MAX 64U

/* The empty value is all zero. */
struct link_names {
        char items[LINK_NAMES_MAX][IFNAMSIZ];
        size_t n_items;
};

static inline bool link_names_have(const struct link_names *names, const char *name) {
        for (size_t i = 0; i < names->n_items; i++)
                if (string_equal(names->items[i], name))
                        return true;
        return false;
}

/* Names that are in the list already, do not fit, or are invalid are left out. */
static inline void link_names_add(struct link_names *names, const char *name) {
        if (names->n_items < LINK_NAMES_MAX && name[0] != '\0' && !link_names_have(names, name) &&
                string_copy(names->items[names->n_items], IFNAMSIZ, name) >= 0)
                names->n_items++;
}

/* A course that is up and in an exam. */
struct ruleset_exam {
        const char *bridge;       /* borrowed */
        const struct exam *exam;  /* borrowed */
        struct exam_allow *allow; /* what the exam allows, and the addresses of the names that it allows */
        size_t n_allow;
};

/* What the courses' table is computed from. */
struct ruleset_courses {
        const struct bridge_plan *courses; /* those whose bridge is up, also without an address; borrowed */
        size_t n_courses;
        struct link_names uplinks;      /* where seats may go out */
        struct link_names opened4;      /* links that forward IPv4 only because of us */
        struct link_names opened6;      /* the same for IPv6 */
        struct link_names bridged;      /* bridges of others */
        struct link_names flow_uplinks; /* those uplinks that exist; none: without a flowtable */
        bool opened6_all; /* IPv6 is forwarded at all, between any two links, only because of us */
        char resolvers[RULESET_RESOLVERS_MAX][INET6_ADDRSTRLEN]; /* the host's, IPv4 and IPv6 */
        size_t n_resolvers;
        bool dns;                         /* seats' queries are answered by our name service */
        const struct ruleset_exam *exams; /* borrowed */
        size_t n_exams;
        const uint32_t *members; /* of [hosts], this server too, in host byte order; borrowed */
        size_t n_members;
};

/* Replaces the whole table; without courses, removes it. */
char *ruleset_format_courses(const struct ruleset_courses *courses);

/*
 * The same, but fails if there is such a table already. When something is removed from a rule set, the kernel
 * waits for all of its processors, some 10 ms, and the caller waits with it. This keeps that wait away from
 * the first login to a course.
 */
char *ruleset_format_first_course(const struct ruleset_courses *courses);

/*
 * Replaces the table of what stays within a bridge: it keeps seats of courses in an exam from each other, and
 * the gateway of a spread course from other members. Without any of these, removes it.
 */
char *ruleset_format_exams(const struct ruleset_courses *courses);

/*
 * A table of seats (0 to 9) without the seats, whether or not it is there already. empty_sets: it also
 * removes all set elements, so that only the seats that follow in the same transaction, and seats that keep
 * their chains, may send.
 */
char *ruleset_format_seats(unsigned table, bool empty_sets);

/*
 * One seat's part of its table, which must be there; the seat's link too. Its chain is replaced.
 * seat-chain.h makes the very same.
 */
char *ruleset_format_seat(const struct seat_plan *plan);

/*
 * The table of seats of spread courses that are live here, without the seats, whether or not it is there
 * already. empty_sets as above.
 */
char *ruleset_format_local(bool empty_sets);

/* The part of one seat, which must be of a spread course. The table must be there. */
char *ruleset_format_local_seat(const struct seat_plan *plan);

/* Removes the chain of a link ("vl-12310") from a table, whether or not it is there; the table must be. */
char *ruleset_format_seat_removal(unsigned table, const char *link);
