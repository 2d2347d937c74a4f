/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The messages are not parsed: which cables are there is asked anyway. */

#include <linux/rtnetlink.h>
#include <net/if.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "links.h"
#include "plan.h"

static int handle_io(sd_event_source *source, int fd, uint32_t events, void *userdata) {
        const struct links_watch *watch = userdata;
        char buffer[8192];

        (void)source;
        (void)events;
        /* ENOBUFS: some were lost. */
        while (recv(fd, buffer, sizeof(buffer), MSG_DONTWAIT) >= 0 || errno == ENOBUFS || errno == EINTR)
                ;
        watch->changed(watch->userdata);
        return 0;
}

int links_watch_begin(sd_event *event, struct links_watch *watch) {
        const struct sockaddr_nl address = {.nl_family = AF_NETLINK, .nl_groups = RTMGRP_LINK};
        int r;

        watch->fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_ROUTE);
        if (watch->fd < 0)
                return -errno;
        if (bind(watch->fd, (const struct sockaddr *)&address, sizeof(address)) < 0)
                r = -errno;
        else
                r = sd_event_add_io(event, &watch->source, watch->fd, EPOLLIN, handle_io, watch);
        if (r < 0)
                links_watch_end(watch);
        return r;
}

void links_watch_end(struct links_watch *watch) {
        watch->source = sd_event_source_disable_unref(watch->source);
        close_pointer(&watch->fd);
}

bool links_have_cable(const char *seat) {
        struct seat_plan plan;

        seat_plan_name(seat, &plan);
        return if_nametoindex(plan.link) > 0;
}
