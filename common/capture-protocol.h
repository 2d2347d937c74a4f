/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * What goes over a connection to coursenet-capture@.service (SOCK_SEQPACKET). The activator connects, and
 * passes the connection on to the user's coursenet-capture:
 *
 *   1. The activator sends a struct seat_grant (protocol.h), with a descriptor that holds one of the user's
 *      places. The socket's mode lets root alone connect.
 *   2. coursenet-capture sends a struct capture_start with its filter. From here on the peer is a user.
 *   3. The server sends messages that begin with a byte, enum capture_message.
 *   4. If the peer shuts its sending side down, the server ends the capture as it does by itself.
 */

#include <linux/filter.h>

#include "protocol.h"

#define CAPTURE_SOCKET "/run/coursenet/capture.sock"

/* A file of which each place in use is one locked byte (CAPTURES_PER_USER_MAX for each uid). */
#define CAPTURE_PLACE_FILE "/run/coursenet/captures"
#define CAPTURES_PER_USER_MAX 2

/* The longest part of a packet that can be captured. With more, a message would not fit into a socket. */
#define CAPTURE_SNAPLEN_MAX 65535U

/* The classic BPF program of a filter, as the kernel and libpcap know it. */
struct capture_start {
        uint32_t snaplen;        /* how much of each packet is captured, 1 to CAPTURE_SNAPLEN_MAX */
        uint32_t n_instructions; /* 0: no filter */
        struct sock_filter instructions[BPF_MAXINSNS];
};

/* The size of a message with that many instructions. */
#define CAPTURE_START_SIZE(n)                                                                                \
        (offsetof(struct capture_start, instructions) + (n) * sizeof(struct sock_filter))

enum capture_message {
        CAPTURE_DATA = 'D', /* more of the pcap file: its header, or one packet */
        CAPTURE_END = 'E',  /* a sentence for the user: why the capture has ended; the last message */
};

#define CAPTURE_MESSAGE_MAX (1U + CAPTURE_SNAPLEN_MAX + 64U)
