/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * This member's claims to seats of spread courses, as coursenet-hosts has written them (run-files.h). A seat
 * may be on the network only with a claim, and only as long as the claims are good.
 */

#include <stdint.h>

#include "util.h"

/* CLOCK_BOOTTIME in microseconds, until which the claims are good; 0: nobody says so. */
uint64_t claims_deadline(void);

/* CLOCK_BOOTTIME, which goes on while the machine sleeps: another member's clock does, too. */
uint64_t claims_now(void);

bool claims_are_good(void);

enum claim_state {
        CLAIM_GOOD,
        CLAIM_MISSING, /* another member may have the seat, or none has */
        CLAIM_OVER,    /* this member has not heard of the store for too long */
};

enum claim_state claim_look(const char *seat);
