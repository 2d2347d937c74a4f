/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * What is wrong with a configuration file, and where. Loaders append to a list and go on, so that an
 * administrator sees every mistake in one run; callers print, log or count.
 */

#include <stdarg.h>

#include "util.h"

enum diagnostic_level {
        DIAGNOSTIC_WARNING,
        DIAGNOSTIC_ERROR,
};

struct diagnostic {
        enum diagnostic_level level;
        unsigned line; /* counted from 1; 0: the file as a whole */
        char *path;
        char *text; /* what was found and what was expected, and unless remedy says it, what to do; no newline
                     */
        char *remedy; /* what corrects it, in most cases a command; NULL: the text says what to do, or nobody
                         knows */
};

/* The empty value is all zero. */
struct diagnostics {
        struct diagnostic *items;
        size_t n_items;
        size_t n_errors;
        bool lost; /* there was no memory for one of them, or for its remedy; those behind get no remedy */
};

void diagnostics_done(struct diagnostics *diagnostics);

/*
 * Appends one finding; path and text are copied. If memory runs out the finding is lost but still
 * counted in n_errors, so that an error can never be mistaken for success.
 */
void diagnostics_error(struct diagnostics *diagnostics, const char *path, unsigned line, const char *format,
        ...) _printf_(4, 5);
void diagnostics_warning(struct diagnostics *diagnostics, const char *path, unsigned line, const char *format,
        ...) _printf_(4, 5);

/* Gives the finding that was appended last its remedy. */
void diagnostics_advise(struct diagnostics *diagnostics, const char *format, ...) _printf_(2, 3);

/* Writes "PATH:LINE: TEXT: REMEDY" (warnings: "PATH:LINE: warning: TEXT: REMEDY") into text, cut to size. */
void diagnostic_format(const struct diagnostic *diagnostic, char *text, size_t size);

/* Prints one finding a line, as diagnostic_format() writes it, with control characters replaced. */
void diagnostics_print(FILE *stream, const struct diagnostics *diagnostics);

#define _cleanup_diagnostics_ _cleanup_(diagnostics_done)

/* What a reader must know of a list with `lost`. */
#define DIAGNOSTICS_LOST "There is not enough memory to say everything that is wrong."
