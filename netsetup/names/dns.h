/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Names of seats, and resolving for seats: what coursenet-dns.service runs on. */

#include "diagnostics.h"

enum dns_state {
        DNS_READY,   /* its files are there */
        DNS_NOT_RUN, /* dns = off: they are gone, and the service is not to run */
};

/*
 * Writes the configuration of all dnsmasqs, and the hosts of every course that has a roster or is up, below
 * DNS_DIRECTORY. Returns an enum dns_state or negative errno; mistakes are in diagnostics. Settings that
 * cannot be used leave what is there.
 */
int dns_update(const char *etc, struct diagnostics *diagnostics);

/*
 * The main process of coursenet-dns.service: starts a dnsmasq for each course that has a folder in
 * DNS_SERVED_HOSTS_DIRECTORY, and starts it again when it ends. Returns only if something fails at the start,
 * as negative errno.
 */
int dns_serve(const char *dnsmasq, struct diagnostics *diagnostics);
