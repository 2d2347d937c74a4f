/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The caller's own seat, by a lease of this process; or, for staff, a student's. */

#include "protocol.h"

struct own_seat {
        char course[COURSE_SIZE];
        char name[SEAT_ID_SIZE]; /* "12310" */
        uint32_t address;        /* host byte order */
        int namespace_fd;
};

#define OWN_SEAT_NONE ((struct own_seat){.namespace_fd = -1})

/*
 * Asks the activator for the caller's seat. The seat is up then and stays up until this process ends,
 * whatever it executes. container: waits until the seat's container runs, too. Returns 0, and the caller
 * frees *ret; or an exit code, after a message.
 */
int own_seat_open(bool container, struct own_seat *ret);

/*
 * For --seat-of: the seat of a student, who is named by the user or the seat. It is no lease: the seat must
 * be up, and stops whether or not this process is in it.
 */
int own_seat_visit(const char *student, struct own_seat *ret);

void own_seat_done(struct own_seat *seat);

#define _cleanup_own_seat_ _cleanup_(own_seat_done)
