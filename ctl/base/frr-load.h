/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The running FRR, through vtysh(1). */

#include "frr-config.h"

#define FRR_DAEMONS_FILE "/etc/frr/daemons"

/* What bgpd has loaded. -ENOENT: there is no vtysh; -ENOTCONN: bgpd does not answer; else negative errno. */
int frr_read_running(struct frr_router *ret);

/* What a command of vtysh prints, of "bgpd" or "zebra", which the caller closes. The same errors. */
int frr_ask(const char *daemon, const char *command, FILE **ret);

/*
 * Waits while watchfrr starts bgpd or gives it the site's files: what is loaded before these may keep them
 * from being loaded. Returns after FRR_START_SECONDS at the latest.
 */
#define FRR_START_SECONDS 60
void frr_wait_started(void);

/*
 * Loads a file of commands. Nothing of them is saved in FRR's own files. The same errors; -EINVAL: FRR has
 * refused a line, which vtysh has printed to our stderr.
 */
int frr_load(const char *path);
