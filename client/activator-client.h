/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The caller's end of the activator's sockets, for the PAM module and the command line programs: connect,
 * send, receive, each within one deadline. libc only; no signals, no globals, no logging, and every
 * descriptor is close-on-exec.
 */

#include "protocol.h"

/* A deadline: CLOCK_MONOTONIC, microseconds. */
uint64_t deadline_after_ms(uint64_t milliseconds);

/* Returns a connected socket that the caller closes. -ETIMEDOUT if the deadline passes first; otherwise
 * connect()'s errno. */
int activator_connect(const char *path, uint64_t deadline_usec);

/* pass_fd is borrowed; -1: none. */
int activator_send(int fd, const struct request *request, int pass_fd, uint64_t deadline_usec);

/*
 * Receives and checks one reply. -ETIMEDOUT; -ECONNRESET if the activator hung up; -EPIPE if it hung up
 * before it read the request; -EBADMSG or -EPROTO for a message that is not a reply of this protocol version.
 */
int activator_receive(int fd, struct reply *ret, uint64_t deadline_usec);

/*
 * The same for a reply that may bring a descriptor: the caller closes *ret_fd, which is -1 if none came. A
 * reply with more than one is invalid (-EBADMSG). activator_receive() accepts none: the kernel closes what
 * came.
 */
int activator_receive_fd(int fd, struct reply *ret, int *ret_fd, uint64_t deadline_usec);

/* Draws the token of one REQUEST_OPEN or REQUEST_ENTER, which is the same if the request is sent again. */
int activator_draw_token(char ret_token[static TOKEN_SIZE]);

/*
 * Whether to send a request again after this result: the activator hung up, because it restarts or has too
 * many requests of this user, or it is of another version, because an upgrade has not restarted it yet; and
 * the deadline is not near. Waits a moment before it returns true.
 */
bool activator_retry(int result, uint64_t deadline_usec);

/* All three in a row on a connection of its own, for requests with one reply. */
int activator_call(const char *path, const struct request *request, int pass_fd, uint64_t deadline_usec,
        struct reply *ret);
