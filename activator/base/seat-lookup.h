/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* From a user name to a seat, by the settings and rosters as they are on disk now. */

#include "plan.h"
#include "protocol.h"
#include "settings-cache.h"

/* A user's seat, and what belongs to it in addition to the network. */
struct found_seat {
        struct seat_plan plan;
        struct service_settings services;
        struct limit_settings limits;
        bool keep;         /* leftover = keep */
        bool user_manager; /* user-manager = yes */
        bool shared;       /* this server is one of several, see hosts.h */
        uid_t uid;         /* the user's; 0: not known. The caller knows it */
};

/*
 * True, and *ret filled, if the user has a seat. Otherwise *ret_type is the reply to give and text its
 * sentence. log: mistakes in the files are logged with file and line.
 */
bool seat_lookup(struct settings_cache *cache, const char *user, bool log, struct found_seat *ret,
        enum reply_type *ret_type, char text[static REPLY_TEXT_SIZE]);

/* For how long a course's seats stay after their last logout. */
struct after_logout {
        unsigned linger_seconds; /* linger=; 0: it does not last */
        unsigned keep_seconds;   /* leftover-max= with leftover = keep; else 0 */
};

/* All 0 also if the settings cannot be read. */
void seat_after_logout(struct settings_cache *cache, const char *course, struct after_logout *ret);
