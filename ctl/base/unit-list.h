/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The units of bridges and seats that systemd has in memory, and their states. */

#include "util.h"

enum unit_kind {
        UNIT_BRIDGE,    /* netbr@ */
        UNIT_NAMESPACE, /* netns@ */
        UNIT_SEAT,      /* nsbr@ */
        UNIT_CONTAINER, /* cont@ */
        _UNIT_KIND_MAX,
};

enum unit_state {
        UNIT_DOWN,
        UNIT_STARTING,
        UNIT_UP,
        UNIT_STOPPING,
        UNIT_FAILED,
};

/* "123" or "12310". An administrator's own instance may have another name; longer names are skipped. */
#define UNIT_INSTANCE_SIZE 16U

struct unit {
        enum unit_kind kind;
        enum unit_state state;
        char instance[UNIT_INSTANCE_SIZE];
};

/* The empty value is all zero. */
struct unit_list {
        struct unit *units;
        size_t n_units;
};

void unit_list_done(struct unit_list *list);

/* Adds a unit by its name and systemd's ActiveState. Units that are not coursenet's are skipped. -ENOMEM. */
int unit_list_add(struct unit_list *list, const char *name, const char *active_state);

/* Asks systemd over D-Bus, which every user may do. Negative errno. */
int unit_list_load(struct unit_list *ret);

#define _cleanup_unit_list_ _cleanup_(unit_list_done)
