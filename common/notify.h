/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* sd_notify(3): tells systemd the state of a service of Type=notify. Both functions return 0, also without a
 * service manager, or negative errno. */

/* state: "READY=1". */
int notify_send(const char *state);

/*
 * Returns when systemd has received the message, or with -ETIMEDOUT. For the last message of a process:
 * systemd may notice the end of the process before a message that it has not received, and treats a service
 * that ends before it is ready as failed.
 */
int notify_deliver(const char *state, unsigned timeout_ms);
