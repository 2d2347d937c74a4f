/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The activator's one object: its event loop, its bus, its leases and its connections. One thread; every wait
 * is an event source, so that one student's slow unit delays nobody else.
 */

#include "event.h"
#include "log.h"
#include "request/query-log.h"
#include "request/query-peer.h"

#define CONFIGURATION_DIRECTORY "/etc/coursenet"
#define UNIT_DIRECTORY "/run/systemd/system"
#define STATE_DIRECTORY "/run/coursenet/state"

struct bus;
struct lease;
struct connection;
struct tidying;
struct empty_seat;
struct starting;
struct report;
struct whois_lookup;

struct manager {
        sd_event *event;
        struct bus *bus;
        bool serves;                    /* all seats, not one for a moment as --tidy does */
        struct lease *leases;           /* a uthash by id */
        struct connection *connections; /* a utlist */
        struct tidying *tidyings;       /* a utlist */
        struct empty_seat *empty_seats; /* a utlist */
        struct starting *startings;     /* a utlist */
        struct whois_lookup *lookups;   /* a utlist */
        sd_event_source *lookup_source; /* lookups are to be started */
        struct report *reports;         /* a utlist */
        struct query_log query_log;
        struct enter_paces enter_paces;
        struct subordinate_uids subordinate_uids;
        const char *etc;            /* borrowed */
        const char *unit_directory; /* borrowed */
};
