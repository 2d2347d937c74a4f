/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Where the default routes of the main table lead: link.h makes them, this looks. */

#include "link.h"

/* Each returns 1 if there is one by this interface and gateway, 0 if there is none, or negative errno. */
int default_route_find(struct link_socket *socket, int index, uint32_t ip);
int default_route_find6(struct link_socket *socket, int index, const struct address6 *gateway);
