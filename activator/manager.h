/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The activator's one object: its event loop, its bus, its leases and its connections. One thread; every wait
 * is an event source, so that one student's slow unit delays nobody else.
 */

#include <systemd/sd-bus.h>
#include <systemd/sd-daemon.h>
#include <systemd/sd-event.h>

#include "util.h"

#define CONFIGURATION_DIRECTORY "/etc/coursenet"
#define UNIT_DIRECTORY "/run/systemd/system"
#define STATE_DIRECTORY "/run/coursenet/state"

/*
 * How many containers may be starting at once: a class that logs in together would start dozens, of which
 * some fail (apptainer#3607). Files that only root can open; systemd hands each cont@ one of them.
 */
#define SLOT_DIRECTORY "/run/coursenet/slots"
#define SLOTS 8U

/*
 * Deaths before requests: that the last holder of a seat died must be known before a new request for the same
 * seat is answered. What systemd and logind say comes in between.
 */
enum {
        PRIORITY_DEATH = SD_EVENT_PRIORITY_NORMAL - 20,
        PRIORITY_BUS = SD_EVENT_PRIORITY_NORMAL - 10,
        PRIORITY_REQUEST = SD_EVENT_PRIORITY_NORMAL,
};

/* Limits for what others control; hitting one is logged. */
#define LEASES_MAX 4096 /* FileDescriptorStoreMax= of the unit is the same */
#define LEASES_PER_USER_MAX 64
#define CONNECTIONS_MAX 1024U
#define QUERIES_MAX 128U /* connections to query.sock, which any user may open */
#define QUERIES_PER_USER_MAX 8U

struct lease;
struct connection;
struct tidying;
struct empty_seat;
struct whois_lookup;

struct manager {
        sd_event *event;
        sd_bus *bus;
        bool serves;                    /* all seats, not one for a moment as --tidy does */
        struct lease *leases;           /* a uthash by id */
        struct connection *connections; /* a utlist */
        struct tidying *tidyings;       /* a utlist */
        struct empty_seat *empty_seats; /* a utlist */
        uint64_t last_complaint_usec;   /* CLOCK_REALTIME, see connection.c */
        struct whois_lookup *lookups;   /* a utlist */
        sd_event_source *lookup_source; /* lookups are to be started */
        const char *etc;                /* borrowed */
        const char *unit_directory;     /* borrowed */
};

/* Messages go to stderr with systemd's priority prefix, and so into the journal. */
void log_message(const char *priority, const char *format, ...) _printf_(2, 3);

#define log_error(...) log_message(SD_ERR, __VA_ARGS__)
#define log_warning(...) log_message(SD_WARNING, __VA_ARGS__)
#define log_notice(...) log_message(SD_NOTICE, __VA_ARGS__)
#define log_info(...) log_message(SD_INFO, __VA_ARGS__)
