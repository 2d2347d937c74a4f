/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* HOSTS_REFUSED with its sentence. */

#include "hosts-protocol.h"
#include "session.h"

/* The store cannot be reached, or another server has this member's name. */
void refusal_of_session(const struct session *session, struct hosts_reply *ret);

void refusal_fill(struct hosts_reply *ret, enum hosts_reason reason, const char *text);
