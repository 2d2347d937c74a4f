/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The links by which seats reach other networks, as coursenet-host(8) finds them. */

#include <net/if.h>

#include "settings.h"

struct uplink_list {
        char names[UPLINKS_MAX][IFNAMSIZ];
        size_t n_names;
};

/* Those of the settings, or else those of the default routes, with proc as the folder of procfs. */
void uplink_list(const struct settings *settings, const char *proc, struct uplink_list *ret);

/* Appends the addresses of the link to a text, a line for each, except those that are link-local. */
void uplink_add_addresses(const char *name, char *text, size_t size);
