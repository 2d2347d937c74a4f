/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * What is left of a timetable for libical: events and time zones, and of an event only what its times and its
 * name follow from. Descriptions, alarms and participants are left out.
 */

#include "mistake.h"

/* Each event has it in addition: the line in which the event begins. */
#define LINE_PROPERTY "X-COURSENET-LINE"

/*
 * Checks each line for itself, because libical does not say in which line a mistake is. The caller frees
 * *ret. -EINVAL: *ret_mistake says why; -ENOMEM.
 */
int reduced_text_make(const char *text, char **ret, struct mistake *ret_mistake);
