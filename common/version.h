/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What the programs print, and what the members of [hosts] tell each other. */
#define COURSENET_VERSION "0.1"
