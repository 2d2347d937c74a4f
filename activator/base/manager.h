/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The activator's one object: its event loop, its bus, its leases and its connections. One thread; every wait
 * is an event source, so that one student's slow unit delays nobody else.
 */

#include <systemd/sd-bus.h>
#include <systemd/sd-daemon.h>
#include <systemd/sd-event.h>

#include "request/query-log.h"
#include "request/query-peer.h"

#define CONFIGURATION_DIRECTORY "/etc/coursenet"
#define UNIT_DIRECTORY "/run/systemd/system"
#define STATE_DIRECTORY "/run/coursenet/state"

/*
 * Deaths before requests: that the last holder of a seat died must be known before a new request for the same
 * seat is answered. What systemd and logind say comes in between.
 */
enum {
        PRIORITY_DEATH = SD_EVENT_PRIORITY_NORMAL - 20,
        PRIORITY_BUS = SD_EVENT_PRIORITY_NORMAL - 10,
        PRIORITY_REQUEST = SD_EVENT_PRIORITY_NORMAL,
};

struct lease;
struct connection;
struct tidying;
struct empty_seat;
struct report;
struct whois_lookup;

struct manager {
        sd_event *event;
        sd_bus *bus;
        bool serves;                    /* all seats, not one for a moment as --tidy does */
        struct lease *leases;           /* a uthash by id */
        struct connection *connections; /* a utlist */
        struct tidying *tidyings;       /* a utlist */
        struct empty_seat *empty_seats; /* a utlist */
        struct whois_lookup *lookups;   /* a utlist */
        sd_event_source *lookup_source; /* lookups are to be started */
        struct report *reports;         /* a utlist */
        struct query_log query_log;
        struct enter_paces enter_paces;
        struct subordinate_uids subordinate_uids;
        const char *etc;            /* borrowed */
        const char *unit_directory; /* borrowed */
};

/* Messages go to stderr with systemd's priority prefix, and so into the journal. */
void log_message(const char *priority, const char *format, ...) _printf_(2, 3);

#define log_error(...) log_message(SD_ERR, __VA_ARGS__)
#define log_warning(...) log_message(SD_WARNING, __VA_ARGS__)
#define log_notice(...) log_message(SD_NOTICE, __VA_ARGS__)
#define log_info(...) log_message(SD_INFO, __VA_ARGS__)
