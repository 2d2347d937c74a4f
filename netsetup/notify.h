/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* sd_notify(3): tells systemd how a service of Type=notify is getting on. */

/* state: "READY=1". Without a service manager that wants to know, success. */
int notify_send(const char *state);
