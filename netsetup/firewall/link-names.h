/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A short list of names of links. */

#include <net/if.h>

#include "util.h"

#define LINK_NAMES_MAX 64U

/* The empty value is all zero. */
struct link_names {
        char items[LINK_NAMES_MAX][IFNAMSIZ];
        size_t n_items;
};

static inline bool link_names_have(const struct link_names *names, const char *name) {
        for (size_t i = 0; i < names->n_items; i++)
                if (string_equal(names->items[i], name))
                        return true;
        return false;
}

/* What is there already, does not fit or is no name is left out. */
static inline void link_names_add(struct link_names *names, const char *name) {
        if (names->n_items < LINK_NAMES_MAX && name[0] != '\0' && !link_names_have(names, name) &&
                string_copy(names->items[names->n_items], IFNAMSIZ, name) >= 0)
                names->n_items++;
}
