/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The packets of one link, by libpcap, as pieces of a pcap file. */

#include <pcap/pcap.h>

#include "capture-protocol.h"

/* The kernel hands packets over when a block of its ring is full or this time has passed. */
#define LINK_CAPTURE_DELAY_MS 100

struct link_capture {
        pcap_t *pcap;
        FILE *memory; /* writes into message */
        pcap_dumper_t *dumper;
        size_t size;                       /* of the message; 0: there is none */
        char message[CAPTURE_MESSAGE_MAX]; /* CAPTURE_DATA, and a piece of the file */
};

/*
 * Opens the link; the first message is the header of the file. -ENODEV: there is no such link. Otherwise
 * negative errno. Needs CAP_NET_RAW.
 */
int link_capture_open(struct link_capture *capture, const char *link, unsigned snaplen);

/* Only packets that the filter accepts from now on. The program may be anybody's. -EINVAL: it is none. */
int link_capture_filter(struct link_capture *capture, const struct sock_filter *instructions, size_t n);

/* For poll(): readable when there is a packet. */
int link_capture_fd(const struct link_capture *capture);

/* Puts the next packet into the message. 1: done; 0: there is none now; -ENETDOWN: the link is gone. */
int link_capture_next(struct link_capture *capture);

/* How many packets the kernel has dropped, because they were not taken in time. */
unsigned link_capture_lost(const struct link_capture *capture);

void link_capture_close(struct link_capture *capture);
