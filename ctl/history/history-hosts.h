/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* `coursenetctl history --hosts`: what coursenet-hosts knows of the machines whose journals are collected
 * here. */

#include "base/command.h"
#include "base/hosts-list.h"
#include "lease-journal.h"

/* Where systemd-journal-remote(8) writes. */
#define HISTORY_COLLECTED "/var/log/journal/remote"

/* The empty value is all zero: nothing is known. */
struct history_hosts {
        const char *directory; /* borrowed; NULL: the journals of other machines are not read */
        struct settings settings;
        struct hosts_list list;
        bool known;    /* the list is of now */
        uint64_t usec; /* when it was asked for */
};

void history_hosts_done(struct history_hosts *hosts);

/* Asks coursenet-hosts, where there are several servers. Before the journals are read, which may lag behind.
 */
void history_hosts_load(
        const struct paths *paths, const char *directory, uint64_t now, struct history_hosts *ret);

/* Adds what the collected journals have. Returns an exit code; if it is not EXIT_DONE, after a message. */
int history_hosts_read(struct history_hosts *hosts, const char *word, const struct scope *scope,
        struct lease_journal *journal);

/* False: the lease's machine is up, the seat is of a shared course, and it is not live there. */
bool history_hosts_may_be_live(const struct history_hosts *hosts, const struct past_lease *lease);

/* Says what the collected journals lack. */
void history_hosts_report(
        const struct history_hosts *hosts, const struct lease_journal *journal, const struct span *span);

#define _cleanup_history_hosts_ _cleanup_(history_hosts_done)
