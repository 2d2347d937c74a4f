/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Decodes the bytes of a class list. UTF-8 is kept, with or without a byte order mark. UTF-16 with a byte
 * order mark is converted: it is Excel's "Unicode Text" and Blackboard's .xls download. Anything else is read
 * as Windows-1252, in which Excel writes CSV on most Windows machines of Europe and America. Logins are
 * ASCII, so a wrong guess between one-byte encodings changes only the names of people.
 */

#include <stddef.h>

/*
 * Converts to UTF-8 without a byte order mark, with "\n" at the end of every line. The caller frees
 * *ret_text. -EINVAL if this is not text, -ENOMEM; *ret_reason then says why, as a static fragment to be
 * printed behind a file's name.
 */
int class_text_decode(const char *bytes, size_t size, char **ret_text, const char **ret_reason);
