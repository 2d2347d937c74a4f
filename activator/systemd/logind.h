/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Asks logind whether a process that is dead still leads a session. `kill -9` of sshd's privileged process
 * leaves the student's shell alive, and logind keeps the session until that ends, too.
 */

#include "base/manager.h"

enum leader_answer {
        LEADER_NONE, /* no session of that user is led by the process; or there is no logind */
        LEADER_FOUND,
        LEADER_UNKNOWN, /* logind did not answer; ask again */
};

struct leader_check;

typedef void (*leader_callback_t)(void *userdata, enum leader_answer answer);

/* The callback comes later, once, unless *ret_check is dropped by leader_check_free() before. */
int leader_check_start(struct manager *manager, uid_t uid, pid_t leader, leader_callback_t callback,
        void *userdata, struct leader_check **ret_check);
void leader_check_free(struct leader_check *check);
