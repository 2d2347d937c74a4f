/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "refusal.h"

#define REFUSAL_TEXT(name, text) [name] = text,

static const char *const texts[] = {REFUSAL_REASONS(REFUSAL_TEXT)};

const char *refusal_text(enum refusal reason) {
        return texts[reason];
}
