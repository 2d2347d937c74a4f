/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What coursenet-hosts knows of the members and their claims, see HOSTS_LIST in hosts-protocol.h. */

#include "hosts.h"
#include "protocol.h"
#include "seat-id.h"
#include <stdint.h>

/* Texts are copies in which control characters are replaced. */
struct listed_member {
        char host[HOST_MEMBER_NAME_SIZE];
        char address[ADDRESS_TEXT_SIZE];
        bool listed; /* it is in this server's members = */
        bool up;
        char version[32]; /* empty unless it is up */
        char boot[40];    /* the same: the id of its boot */
        int contract;     /* 0 unless it is up */
        uint64_t since_usec;
        bool drained;
        char drained_by[USER_NAME_SIZE];
        uint64_t drained_usec;
        size_t n_claims;
        struct json_object *courses; /* borrowed from the document; NULL unless it is up */
};

struct listed_claim {
        char seat[SEAT_ID_SIZE];
        struct seat_id id; /* the same */
        char user[USER_NAME_SIZE];
        char host[HOST_MEMBER_NAME_SIZE];
        uint64_t since_usec;
};

/* The empty value is all zero. */
struct hosts_list {
        char own[HOST_MEMBER_NAME_SIZE];
        bool cut_off;
        uint64_t left_ms; /* until the deadline; 0: it is past */
        unsigned claim_seconds;
        char store[STORE_URL_SIZE];
        char error[REPLY_TEXT_SIZE]; /* why the store cannot be reached; empty: it can */
        struct listed_member *members;
        size_t n_members;
        struct listed_claim *claims; /* by course and number */
        size_t n_claims;
        struct json_object *document; /* as it came */
};

void hosts_list_done(struct hosts_list *list);

/*
 * -EBADMSG if the text is not such a list. A claim of a seat that this server's course-digits do not allow is
 * left out.
 */
int hosts_list_parse(const char *text, unsigned course_digits, struct hosts_list *ret);

/* Asks coursenet-hosts. Negative errno. */
int hosts_list_ask(const char *socket, unsigned course_digits, struct hosts_list *ret);

/*
 * The same. Returns an exit code; if it is not EXIT_DONE, after a message: this server has no
 * section [hosts], or the daemon does not answer.
 */
int hosts_list_load(const char *socket, const struct settings *settings, struct hosts_list *ret);

/* NULL: there is none. */
const struct listed_member *hosts_list_member(const struct hosts_list *list, const char *host);
const struct listed_claim *hosts_list_claim(const struct hosts_list *list, const char *seat);

struct scope;

/*
 * Says on stream where the seats are live that a word means, a course, a seat or a user, if that is another
 * server. command: what to run there. Only seats within the scope. Returns how many there are.
 */
size_t hosts_list_tell_elsewhere(const struct hosts_list *list, const char *word, const struct scope *scope,
        const char *command, FILE *stream);

/* Why coursenet-hosts did not answer. Returns an exit code. */
int hosts_complain(const char *socket, int error);

/* Whether there is a section [hosts]; if not, after a message. */
bool hosts_required(const struct settings *settings);

#define _cleanup_hosts_list_ _cleanup_(hosts_list_done)
