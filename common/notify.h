/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* sd_notify(3): tells systemd how a service of Type=notify is getting on. Both return 0, or negative errno;
 * without a service manager that wants to know, 0. */

/* state: "READY=1". */
int notify_send(const char *state);

/*
 * sd_notify_barrier(3): returns when systemd has dealt with all that was sent before, or with -ETIMEDOUT.
 * Before a process ends, that is: systemd may see its end before its last words, and takes a service that
 * ends without having been ready for one that failed.
 */
int notify_wait(int timeout_ms);
