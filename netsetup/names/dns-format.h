/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Computes the texts of the name service's files: the configuration that the dnsmasqs of all courses share,
 * and a hosts file for each course, which only its own dnsmasq reads. dns.c writes them. The caller frees the
 * texts; NULL: out of memory.
 */

#include "site.h"

#define DNS_DIRECTORY "/run/coursenet/dns"
#define DNS_CONFIGURATION DNS_DIRECTORY "/dnsmasq.conf"
#define DNS_HOSTS_DIRECTORY DNS_DIRECTORY "/hosts" /* a folder for each course that is served */
#define DNS_HOSTS_FILE "names"                     /* in that folder */

/* These as coursenet-dns.service sees them, to whose user DNS_DIRECTORY is closed. */
#define DNS_SERVED_CONFIGURATION "/run/coursenet/names/dnsmasq.conf"
#define DNS_SERVED_HOSTS_DIRECTORY "/run/coursenet/names/hosts"
#define DNS_SERVED_EXAM_DIRECTORY "/run/coursenet/names/exam" /* EXAM_HOSTS_DIRECTORY */

/* The host name of a course's gateway in the course's domain. */
#define DNS_GATEWAY "gateway"

char *dns_format_configuration(const struct site *site);

/*
 * The names of a course's gateway and, unless the settings say names = none, of its seats. A student whose
 * name cannot be one in DNS is left out, with a warning for the course.
 */
char *dns_format_hosts(
        const struct site *site, const struct site_course *course, struct diagnostics *diagnostics);
