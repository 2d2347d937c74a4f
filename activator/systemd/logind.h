/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * What is asked of logind (org.freedesktop.login1(5)): whether a process that is dead was the leader of a
 * session that is still there. `kill -9` of sshd's privileged process leaves the student's shell alive, and
 * logind keeps the session until the shell ends, too.
 */

#include <sys/types.h>

#include "bus.h"

enum leader_answer {
        LEADER_NONE,    /* no session of the user has it as its leader, or there is no logind */
        LEADER_FOUND,   /* one has */
        LEADER_UNKNOWN, /* logind did not answer: ask again */
};

/* A question that is under way. */
struct leader_search;

typedef void (*leader_callback_t)(void *userdata, enum leader_answer answer);

/*
 * Asks whether a session of the user has the process as its leader. 0 or negative errno; then the callback
 * comes once, later, unless the search is dropped. *search is set meanwhile, as with struct bus_call.
 */
int logind_find_leader(struct bus *bus, uid_t uid, pid_t leader, leader_callback_t callback, void *userdata,
        struct leader_search **search);
void logind_drop_search(struct leader_search **search);

/* Subscribes to the end of all users' sessions, for as long as the bus lasts. Negative errno. */
typedef void (*session_removed_t)(void *userdata);
int logind_on_session_removed(struct bus *bus, session_removed_t callback, void *userdata);
