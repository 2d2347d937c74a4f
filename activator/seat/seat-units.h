/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The names of a seat's units. */

#include "seats.h"

#define SEAT_UNIT_SIZE 64U

struct seat_units {
        char nsbr[SEAT_UNIT_SIZE], netns[SEAT_UNIT_SIZE];
        char netbr[SEAT_UNIT_SIZE]; /* empty: the seat's bridge is not known, or not a unit's */
};

/* If the configuration cannot be read, the bridge is left out. */
void seat_units_find(const char *etc, const char *seat, struct seat_units *ret);
