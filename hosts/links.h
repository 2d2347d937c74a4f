/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Whether a seat has its cable, and when cables come and go. */

#include <stdbool.h>
#include <systemd/sd-event.h>

struct links_watch {
        /* The cable of that seat may have come or gone; NULL: those of any seats. */
        void (*changed)(void *userdata, const char *seat);
        void *userdata;
        int fd;
        sd_event_source *source;
};

/* Calls after each change of the host's cables. Negative errno. */
int links_watch_begin(sd_event *event, struct links_watch *watch);
void links_watch_end(struct links_watch *watch);

/* Whether the server's end of the seat's cable exists. */
bool links_have_cable(const char *seat);

/* The seat whose cable has that name, within name. NULL: it is no cable. */
const char *links_seat(const char *name);

/* Calls with the seat of each link message in what was received that is about a cable. */
void links_read(
        const void *messages, size_t size, void (*visit)(void *userdata, const char *seat), void *userdata);
