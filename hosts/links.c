/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * A message says only which link has changed. Whether it is there is asked of the kernel, because the message
 * may be old, and may be about a port of a bridge.
 */

#include <linux/rtnetlink.h>
#include <net/if.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "links.h"
#include "number.h"
#include "plan.h"
#include "seat-id.h"
#include "util.h"

/* seat_plan_name() makes the names. */
#define CABLE_PREFIX "vl-"

#define BUFFER_SIZE 32768U

const char *links_seat(const char *name) {
        const char *seat = name + strlen(CABLE_PREFIX);

        if (!string_starts_with(name, CABLE_PREFIX) || !digits_only(seat) || strlen(seat) >= SEAT_ID_SIZE)
                return NULL;
        return seat;
}

/* NULL: the message is about no link with a name. */
static const char *name_of(const struct nlmsghdr *header) {
        size_t place = NLMSG_SPACE(sizeof(struct ifinfomsg)), size = header->nlmsg_len;

        if ((header->nlmsg_type != RTM_NEWLINK && header->nlmsg_type != RTM_DELLINK) || size < place)
                return NULL;
        while (size - place >= sizeof(struct rtattr)) {
                const struct rtattr *attribute = (const void *)((const char *)header + place);

                if (attribute->rta_len < sizeof(*attribute) || attribute->rta_len > size - place)
                        return NULL;
                if (attribute->rta_type == IFLA_IFNAME &&
                        memchr(RTA_DATA(attribute), '\0', RTA_PAYLOAD(attribute)))
                        return RTA_DATA(attribute);
                place += RTA_ALIGN(attribute->rta_len);
                if (place > size)
                        return NULL;
        }
        return NULL;
}

void links_read(
        const void *messages, size_t size, void (*visit)(void *userdata, const char *seat), void *userdata) {
        const struct nlmsghdr *header;
        unsigned left = (unsigned)size;

        for (header = messages; NLMSG_OK(header, left); header = NLMSG_NEXT(header, left)) {
                const char *name = name_of(header), *seat = name ? links_seat(name) : NULL;

                if (seat)
                        visit(userdata, seat);
        }
}

/* ENOBUFS: some were lost. Returns whether there may be more. */
static bool receive(const struct links_watch *watch, int fd, bool *lost) {
        union {
                struct nlmsghdr header;
                char bytes[BUFFER_SIZE];
        } buffer;
        ssize_t n = recv(fd, &buffer, sizeof(buffer), MSG_DONTWAIT | MSG_TRUNC);

        if (n < 0) {
                *lost = *lost || errno == ENOBUFS;
                return errno == ENOBUFS || errno == EINTR;
        }
        if ((size_t)n > sizeof(buffer))
                *lost = true;
        else
                links_read(&buffer, (size_t)n, watch->changed, watch->userdata);
        return true;
}

static int handle_io(sd_event_source *source, int fd, uint32_t events, void *userdata) {
        const struct links_watch *watch = userdata;
        bool lost = false;

        (void)source;
        (void)events;
        while (receive(watch, fd, &lost))
                ;
        if (lost)
                watch->changed(watch->userdata, NULL);
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
