/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Why containers failed, from systemd. */

#include "snapshot.h"

/* Fills container_reason of every seat whose container has failed. What cannot be asked stays empty. */
void container_reasons_load(struct snapshot *snapshot);
