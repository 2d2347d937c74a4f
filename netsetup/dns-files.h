/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The files of the name service as a computation: dnsmasq's configuration, and a file of hosts for each
 * course. The caller frees the texts; NULL: out of memory.
 */

#include "site.h"

#define DNS_DIRECTORY "/run/coursenet/dns"
#define DNS_CONFIGURATION DNS_DIRECTORY "/dnsmasq.conf"
#define DNS_HOSTS_DIRECTORY DNS_DIRECTORY "/hosts"

/* The host name of a course's gateway in the course's domain. */
#define DNS_GATEWAY "gateway"

char *dns_format_configuration(const struct site *site);

/*
 * The names of a course's gateway and seats. A student whose name cannot be one in DNS is left out, with a
 * warning for the course.
 */
char *dns_format_hosts(
        const struct site *site, const struct site_course *course, struct diagnostics *diagnostics);
