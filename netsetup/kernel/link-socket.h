/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The socket that everything of kernel/ talks over: rtnetlink, in one network namespace. */

struct nl_sock;
struct nlmsgerr;
struct sockaddr_nl;

/* The empty value is all zero. It stays where it was opened: libnl knows the address of error. */
struct link_socket {
        struct nl_sock *nl;
        int error; /* with which the kernel refused the last request; libnl only keeps a class of it */
};

/* A socket in the caller's network namespace, or in the one that netns_fd (borrowed) refers to. */
int link_open(struct link_socket *ret);
int link_open_in(int netns_fd, struct link_socket *ret);
void link_close(struct link_socket *socket);

/* --- for the files that know libnl -------------------------------------------------------------------------
 */

/*
 * What libnl returned, as negative errno: the kernel's own if it was the kernel that refused. Positive is
 * success. If the request could not be sent, or the answer not be received, the socket is replaced by a new
 * one.
 */
int link_socket_errno(struct link_socket *socket, int r);

/* For nl_cb_err(): userdata is the error of a struct link_socket. */
int link_socket_keep_error(struct sockaddr_nl *from, struct nlmsgerr *message, void *userdata);

#define _cleanup_link_socket_ _cleanup_(link_close)
