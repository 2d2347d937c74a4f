/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * For the time between an upgrade and the restart of coursenet-network.service. Until then, the watch of an
 * earlier version runs and starts its jobs as `coursenet-net refresh courses`, `coursenet-net fence local`
 * and so on. Until daemon-reload, systemd starts such commands, too, because of the units that it has read.
 * Now coursenet-host has all of these commands.
 */

/*
 * Executes coursenet-host, which is in the same folder, if argv has one of those commands. Returns if argv
 * has another command or if coursenet-host cannot be executed.
 */
void former_command_exec(char **argv);
