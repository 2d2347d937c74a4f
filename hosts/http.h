/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* POST requests by libcurl in an event loop of systemd. Nothing here waits. */

#include <systemd/sd-event.h>

#include "util.h"

struct http;
struct http_call;

/* Files in PEM format; empty: none. All are borrowed. */
struct http_files {
        const char *ca, *cert, *key;
};

int http_new(sd_event *event, const struct http_files *files, struct http **ret);

/* No call may be under way. NULL is fine. */
void http_free(struct http *http);

/*
 * The end of a call, once. error: 0, and status is the HTTP status and body the text; negative errno, and
 * body says why the server was not reached. The call is freed when this returns.
 */
typedef void (*http_done_t)(void *userdata, int error, long status, const char *body);

/* A line of a stream, as it comes. It may free the call. */
typedef void (*http_line_t)(void *userdata, const char *line);

/*
 * Sends body, which is copied, to url. header: one more, or NULL. timeout_ms is for all of it. With line the
 * answer is a stream without a time limit: each line goes there, and body is empty in the end. NULL: out of
 * memory.
 */
struct http_call *http_post(struct http *http, const char *url, const char *body, const char *header,
        unsigned timeout_ms, http_line_t line, http_done_t done, void *userdata);

/* The callbacks do not come any longer. NULL is fine. */
void http_call_free(struct http_call *call);
