/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Why a login was refused: the field COURSENET_REASON of the journal entry, and the label of
 * coursenet_refusals_total. The set is small and closed, because each reason is a time series in Prometheus.
 * The activator sets the field when it refuses. The module sets it when it refuses without the activator. So
 * each refusal has one entry with the field. A new reason also belongs into coursenet-activator(8).
 */

/* clang-format off */
#define REFUSAL_REASONS(X) \
        X(REFUSAL_NAME,         "name")          /* the name, or its account, cannot be a course user's */ \
        X(REFUSAL_NOT_IN_ROSTER, "not-in-roster") \
        X(REFUSAL_SETTINGS,     "settings")      /* a file, or a line in pam.d, has a mistake */ \
        X(REFUSAL_LIMIT,        "limit")         /* there are too many leases */ \
        X(REFUSAL_SEAT_TAKEN,   "seat-taken")    /* the seat's former user, or another start, still has it */ \
        X(REFUSAL_START_FAILED, "start-failed")  /* a unit of the seat, or what starts it, failed */ \
        X(REFUSAL_TIMEOUT,      "timeout")       /* a unit of the seat took too long */ \
        X(REFUSAL_CONTAINER,    "container")     /* the network came up, the container did not */ \
        X(REFUSAL_STOPPED,      "stopped")       /* somebody stopped the seat while it came up */ \
        X(REFUSAL_NO_ACTIVATOR, "no-activator")  /* it was not reached, or gave no valid answer */ \
        X(REFUSAL_ELSEWHERE,    "elsewhere")     /* the seat is live on another server */ \
        X(REFUSAL_CUT_OFF,      "cut-off")       /* this server does not reach the others' store */ \
        X(REFUSAL_DRAINED,      "drained")       /* this server gets no new seats */ \
        X(REFUSAL_PROGRAM,      "program")       /* what opens the session cannot have a seat, or lacks something */
/* clang-format on */

#define REFUSAL_ENUMERATOR(name, text) name,

enum refusal {
        REFUSAL_REASONS(REFUSAL_ENUMERATOR) _REFUSAL_MAX,
        REFUSAL_LOGGED = _REFUSAL_MAX, /* the activator has logged it already */
};

#define REFUSAL_SIZE 24U

/* The text of a reason below _REFUSAL_MAX. */
const char *refusal_text(enum refusal reason);
