/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* sd_notify(3): tells systemd the state of a service of Type=notify. Both functions return 0, also without a
 * service manager, or negative errno. */

/* state: "READY=1". */
int notify_send(const char *state);

/*
 * sd_notify_barrier(3): returns when systemd has handled all that was sent before, or with -ETIMEDOUT. Call
 * it before the process ends, because systemd may notice the end before the last message, and treats a
 * service that ends before it is ready as failed.
 */
int notify_wait(int timeout_ms);
