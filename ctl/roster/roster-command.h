/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The parts of `coursenetctl roster`, each with its own words behind the option parsing. They return exit
 * codes.
 */

#include "base/arguments.h"
#include "base/command.h"

int roster_list(const struct paths *paths, const struct arguments *arguments);
int roster_add_names(const struct paths *paths, const struct arguments *arguments);
int roster_remove_names(const struct paths *paths, const struct arguments *arguments);
int roster_import(const struct paths *paths, const struct arguments *arguments);
