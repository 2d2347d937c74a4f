/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The text of HOSTS_LIST, see hosts-protocol.h. */

#include "mirror.h"
#include "session.h"

struct listing {
        const struct settings *settings;
        const struct session *session;
        const struct store *store;
        const struct mirror *mirror;
};

/* A sealed memfd, and how long the text in it is. Negative errno. */
int listing_make(const struct listing *listing, uint32_t *ret_size);
