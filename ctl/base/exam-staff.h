/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "exam.h"
#include "settings.h"

/*
 * Adds the uids of the course's staff, who may reach into the seats from the host. They are looked up once,
 * because a bridge that starts during an exam must not wait for a user database.
 */
void exam_staff_add(const struct settings *settings, const char *course, struct exam *exam);
