/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The bytes of a class list as text. UTF-8 is taken as it is, with or without a byte order mark; UTF-16 with
 * a byte order mark is what Excel calls "Unicode Text" and what Blackboard's .xls download is; anything else
 * is taken for Windows-1252, in which Excel writes CSV on most Windows machines of Europe and America. Logins
 * are ASCII, so a wrong guess between one-byte encodings changes names of people only.
 */

#include <stddef.h>

/*
 * Converts to UTF-8 without a byte order mark, with "\n" at the end of every line. The caller frees
 * *ret_text. -EINVAL if this is no text, -ENOMEM; *ret_reason then says why, as a static sentence fragment
 * behind a file's name.
 */
int class_text_decode(const char *bytes, size_t size, char **ret_text, const char **ret_reason);
