/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The stretch of a spread course: vx-123, a port of br-123 over which the bridge is one network with those of
 * the other members. FRR tells the kernel which MAC address is behind which member. bridge.c calls this,
 * under the lock of the bridge.
 */

#include "diagnostics.h"
#include "kernel/link.h"

#define STRETCH_TEXT_SIZE 160U

/*
 * Makes the link as it is planned, or corrects one that differs; it stays down if it is new. Without a vni it
 * removes one of ours. Negative errno with an error in diagnostics.
 */
int stretch_make(struct link_socket *socket, const struct bridge_plan *plan, const struct link *bridge,
        struct diagnostics *diagnostics);

/* Sets it up, after the rules for it are there. Without a vni it does nothing. */
int stretch_bring_up(
        struct link_socket *socket, const struct bridge_plan *plan, struct diagnostics *diagnostics);

/* Needs the names of the plan only. A link that is not ours stays, which is success. */
int stretch_remove(
        struct link_socket *socket, const struct bridge_plan *plan, struct diagnostics *diagnostics);

/* What is there, for a receipt: ", vx-123, index 8, up, …". Empty without a vni; -ENODEV if it is missing. */
int stretch_describe(
        struct link_socket *socket, const struct bridge_plan *plan, char ret_text[static STRETCH_TEXT_SIZE]);
