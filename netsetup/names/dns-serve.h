/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "diagnostics.h"

/*
 * What coursenet-dns.service is: a dnsmasq for each course that DNS_SERVED_HOSTS_DIRECTORY has a folder of,
 * begun again when it ends. Returns only if something fails at the start, as negative errno.
 */
int dns_serve(const char *dnsmasq, struct diagnostics *diagnostics);
