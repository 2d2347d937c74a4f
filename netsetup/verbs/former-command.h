/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * For an upgrade under way. Until coursenet-network.service is restarted, the watch of an earlier version
 * runs on, and starts its jobs as `coursenet-net refresh courses`, `coursenet-net fence local` and so on;
 * until daemon-reload, systemd does the same by the units that it has read. coursenet-host does all of these
 * now.
 */

/*
 * Becomes coursenet-host, which is in the same folder, if argv has one of those commands. Otherwise, and if
 * that cannot be, returns.
 */
void former_command_exec(char **argv);
