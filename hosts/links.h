/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Whether a seat has its cable, and when links come and go. */

#include <stdbool.h>
#include <systemd/sd-event.h>

struct links_watch {
        void (*changed)(void *userdata);
        void *userdata;
        int fd;
        sd_event_source *source;
};

/* Calls after each change of the host's links. Negative errno. */
int links_watch_begin(sd_event *event, struct links_watch *watch);
void links_watch_end(struct links_watch *watch);

/* Whether the server's end of the seat's cable exists. */
bool links_have_cable(const char *seat);
