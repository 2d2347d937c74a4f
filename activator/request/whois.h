/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Which user name a uid has. Only NSS knows, and NSS may hang (an LDAP server that is down). So a child
 * process asks, `coursenet-activator --whois UID`, which is killed after a time. No other request waits for
 * it.
 */

#include "child-queue.h"
#include "name-rule.h"
#include "query-log.h"

struct whois_lookup;
struct whois_question;

struct whois {
        struct query_log *log; /* borrowed */
        struct child_queue children;
        struct whois_lookup *lookups; /* a utlist */
};

void whois_init(struct whois *whois, sd_event *event, struct query_log *log);

/* name: NULL if there is none; reason then says why, as a sentence. The question has been freed by then. */
typedef void (*whois_callback_t)(void *userdata, const char *name, const char *reason);

/*
 * Asks. The callback comes later, once, unless *ret_question is dropped by whois_forget() before. Questions
 * about one uid share a child, and there are at most WHOIS_MAX children; the others wait.
 */
int whois_ask(struct whois *whois, uid_t uid, whois_callback_t callback, void *userdata,
        struct whois_question **ret_question);
void whois_forget(struct whois_question *question);

/* When the activator ends: the children are killed. All questions must have been dropped. */
void whois_done(struct whois *whois);

/* What the child does: prints the name. Returns an exit status. */
int whois_print(const char *uid);

/* The name in what a child has printed: one line, printable. -EINVAL if it is not that. */
int whois_parse(const char *output, size_t size, char ret_name[static USER_NAME_SIZE]);
