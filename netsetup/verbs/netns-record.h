/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Records which namespaces seats have and had. A namespace without a name exists as long as somebody has a
 * process in it or holds it open, which anybody may do. So a student who logs in and out in a loop could keep
 * very many. All of them count as root's (user.max_net_namespaces) and take memory, and when the limit is
 * reached nobody can log in.
 *
 * Therefore a seat leaves at most NETNS_FORMER_MAX namespaces behind. The next one keeps its name, without a
 * cable, when the seat stops, and the next login uses it again.
 *
 * The record is one file, read and written under the lock of netns-mount.h. It identifies namespaces by
 * numbers (nsid.h). If the record is lost, or the kernel does not answer, nothing is counted, and nothing
 * else fails.
 */

#include "diagnostics.h"
#include "kernel/link.h"
#include "plan.h"

#define NETNS_RECORD_FILE "/run/coursenet/namespaces"

#define NETNS_FORMER_MAX 4U

/* The kernel memory of one namespace, measured on Linux 6.18 with IPv6. */
#define NETNS_BYTES (256U * 1024U)

enum netns_use {
        NETNS_USE_UP,     /* of a seat that is up */
        NETNS_USE_KEPT,   /* the seat is down, and the namespace still has its name */
        NETNS_USE_FORMER, /* it has no name any more */
};

struct netns_entry {
        char seat[SEAT_ID_SIZE];
        int id;
        enum netns_use use;
};

struct netns_record {
        struct netns_entry *entries;
        size_t n_entries;
};

/* A record that does not exist is empty. Invalid lines are skipped. */
int netns_record_load(const char *path, struct netns_record *ret);
int netns_record_save(const char *path, const struct netns_record *record);
void netns_record_done(struct netns_record *record);

/*
 * Notes what the seat's namespace is now used for, and gives it a number if it has none. All others of the
 * seat are former ones.
 */
int netns_record_note(struct netns_record *record, struct link_socket *socket, const char *seat, int netns_fd,
        enum netns_use use);

/* Records that the namespace with that number has lost its name. */
void netns_record_retire(struct netns_record *record, int id);

/* The same for a seat whose name has no namespace any more, such as after a stop that was killed. */
void netns_record_retire_seat(struct netns_record *record, const char *seat);

/* Removes former namespaces that do not exist any more: of one seat, or of all (NULL). */
void netns_record_prune(struct netns_record *record, struct link_socket *socket, const char *seat);

/* Whether the seat is down and has a namespace that is kept. */
bool netns_record_has_kept(const struct netns_record *record, const char *seat);

/* How many former ones there are: of one seat, or of all (NULL). */
size_t netns_record_count_former(const struct netns_record *record, const char *seat);

/*
 * How many former namespaces all seats may have: a quarter of what the kernel allows root, so that seats and
 * other services have the rest, but at most a sixteenth of the memory.
 */
size_t netns_former_limit(void);

#define _cleanup_netns_record_ _cleanup_(netns_record_done)
