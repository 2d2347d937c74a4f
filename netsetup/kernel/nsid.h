/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Numbers by which a network namespace knows others (ip-netns(8): set, list-id). A number does not keep its
 * namespace alive, so it shows whether a namespace that has no name any more still exists.
 */

#include "link-socket.h"

/*
 * The number of a namespace, which gets wanted if it has none yet. Returns it, or negative errno: -EEXIST if
 * another one has that number.
 */
int nsid_take(struct link_socket *socket, int netns_fd, int wanted);

/* Whether the namespace of that number is still there: 1, 0 or negative errno. */
int nsid_is_alive(struct link_socket *socket, int id);
