/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What the files of this folder have in common: who is connected, and what is done for them. */

#include "base/event.h"
#include "base/log.h"
#include "query-log.h"
#include "query-peer.h"

struct connection;
struct lease_table;
struct report;
struct seats;
struct whois_lookup;

struct server {
        sd_event *event; /* borrowed, and so are the next three */
        struct lease_table *leases;
        struct seats *seats;
        const char *etc;
        struct connection *connections; /* a utlist */
        struct whois_lookup *lookups;   /* a utlist */
        sd_event_source *lookup_source; /* lookups are to be started */
        struct report *reports;         /* a utlist */
        struct query_log query_log;
        struct enter_paces enter_paces;
        struct subordinate_uids subordinate_uids; /* of /etc/subuid */
        struct subordinate_uids directory_uids;   /* of DIRECTORY_SUBUID_FILE */
};
