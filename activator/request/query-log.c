/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A table of limited size counts lines for each user. It is emptied at the end of each period. */

#include <stdarg.h>
#include <uthash.h>

#include "base/log.h"
#include "query-log.h"

struct query_talker {
        uid_t uid; /* as query_peer_key() has it */
        unsigned n_lines, n_kept_back;
        UT_hash_handle hh;
};

static void forget_talkers(struct query_log *log) {
        struct query_talker *talker, *next;

        HASH_ITER (hh, log->talkers, talker, next) {
                HASH_DEL(log->talkers, talker);
                free(talker);
        }
}

void query_log_end_period(struct query_log *log) {
        unsigned n_summaries = 0, n_others = log->n_others;
        struct query_talker *talker, *next;

        HASH_ITER (hh, log->talkers, talker, next) {
                if (talker->n_kept_back == 0)
                        continue;
                if (n_summaries++ < QUERY_LOG_SUMMARIES_MAX)
                        log_warning("query.sock: %u more messages about user %u were not logged",
                                talker->n_kept_back, (unsigned)talker->uid);
                else
                        n_others += talker->n_kept_back;
        }
        if (n_others > 0)
                log_warning("query.sock: %u more messages about other users were not logged", n_others);

        forget_talkers(log);
        log->period_source = sd_event_source_disable_unref(log->period_source);
        log->n_lines = log->n_others = 0;
}

void query_log_done(struct query_log *log) {
        forget_talkers(log);
        log->period_source = sd_event_source_disable_unref(log->period_source);
}

static int handle_period(sd_event_source *source, uint64_t usec, void *userdata) {
        (void)source;
        (void)usec;
        query_log_end_period(userdata);
        return 0;
}

/* Without a timer nothing would ever be logged again, so this counts as the start of a new period. */
static void begin_period(struct query_log *log) {

        if (!log->period_source && sd_event_add_time_relative(log->event, &log->period_source,
                                           CLOCK_MONOTONIC, QUERY_LOG_PERIOD_USEC, 0, handle_period, log) < 0)
                query_log_end_period(log);
}

/* NULL: there is no room for one more. */
static struct query_talker *find_talker(struct query_log *log, uid_t uid) {
        struct query_talker *talker;

        HASH_FIND(hh, log->talkers, &uid, sizeof(uid), talker);
        if (talker || HASH_COUNT(log->talkers) >= QUERY_LOG_USERS_MAX)
                return talker;
        talker = calloc(1, sizeof(*talker));
        if (!talker)
                return NULL;
        talker->uid = uid;
        HASH_ADD(hh, log->talkers, uid, sizeof(talker->uid), talker);
        return talker;
}

static bool may_say(struct query_log *log, uid_t uid) {
        struct query_talker *talker = find_talker(log, uid);

        if (!talker) {
                log->n_others++;
                return false;
        }
        if (talker->n_lines >= QUERY_LOG_PER_USER || log->n_lines >= QUERY_LOG_TOTAL) {
                talker->n_kept_back++;
                return false;
        }
        talker->n_lines++;
        log->n_lines++;
        return true;
}

void query_log(struct query_log *log, uid_t uid, const char *format, ...) {
        char text[512];
        va_list arguments;

        begin_period(log);
        if (!may_say(log, query_peer_key(log->peers, uid)))
                return;
        va_start(arguments, format);
        (void)vsnprintf(text, sizeof(text), format, arguments);
        va_end(arguments);
        log_warning("query.sock: user %u: %s", (unsigned)uid, text);
}
