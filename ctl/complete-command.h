/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * `coursenetctl complete WORD...`: what can stand for the last word, which may be empty, after the others.
 * The completion of shells runs it, so it prints no messages. Each line is a word, or a word, a tab and what
 * it is. The line ":file" stands for the names of files.
 */

#include "base/command.h"

#define COMPLETE_COMMAND "complete"

int complete_command(const struct paths *paths, int argc, char **argv);
