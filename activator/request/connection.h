/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A connection has one request, gets its reply or replies, and is closed. */

#include "enter-request.h"
#include "peer-report.h"

struct connection;

/* Called with the request of a connection. It may take *pidfd. */
typedef void (*connection_request_t)(
        void *userdata, struct connection *connection, const struct request *request, int *pidfd);

struct connection {
        struct connection **list; /* a utlist that it is in; borrowed, and so are the next three */
        sd_event *event;
        struct query_log *log;
        connection_request_t handle_request;
        void *userdata;
        int fd;
        struct ucred peer;
        uid_t key;                /* query.sock: as whom the peer counts, query-peer.h */
        bool privileged;          /* came over activator.sock, as root */
        struct lease *lease;      /* borrowed; the lease that it waits for */
        struct seat_claim *claim; /* until there is a lease or an answer */
        struct enter *enter;      /* REQUEST_ENTER, until there is a lease or an answer */
        struct report *report;    /* REQUEST_REPORT, REQUEST_CHANGE, REQUEST_CAPTURE */
        sd_event_source *io_source;
        sd_event_source *timeout_source;
        struct reply *replies; /* REQUEST_STATUS: what is still to be sent */
        size_t n_replies, n_sent;
        bool busy;     /* its request has come */
        bool answered; /* it has a lease's answer, and is there until the peer has read it */
        struct connection *prev, *next;
};

/*
 * Adds a copy of the connection to its list, and waits for its request; with query.sock it reads at once what
 * is there. Takes the descriptor, also if it fails.
 */
void connection_add(const struct connection *connection);

void connection_free(struct connection *connection);

/* The work for the request has a time limit of its own, so the connection has none from now on. */
void connection_wait(struct connection *connection);

/* A hang-up of the peer has no effect from now on. */
void connection_ignore_peer(struct connection *connection);

/* Sends the one reply and frees the connection; the second has only a type and a sentence. */
void connection_reply(struct connection *connection, const struct reply *reply);
void connection_reply_text(struct connection *connection, enum reply_type type, const char *text);

/* The same with a descriptor for the peer, which is borrowed. */
void connection_reply_fd(struct connection *connection, const struct reply *reply, int fd);

/* Sends the n replies and frees the connection when the peer has read them all. Takes the array. */
void connection_reply_all(struct connection *connection, struct reply *replies, size_t n);

/* Sends the reply, then the report that the connection has, and frees both. */
void connection_send_report(struct connection *connection, const struct reply *reply);

/* The connection as the waiter of a lease. */
struct lease_waiter connection_waiter(struct connection *connection);

/* Logs what a peer did. Lines about peers of query.sock are limited. */
void connection_remark(const struct connection *connection, const char *format, ...) _printf_(2, 3);
