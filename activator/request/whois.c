/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Children that ask NSS. The output of a child is checked like any other input: here for its form, and later
 * by the site's name rule.
 *
 * A lookup is one child, running or waiting, and has a list of questions. It stays until its child was
 * reaped, with or without questions, so that the limits hold.
 */

#include <fcntl.h>
#include <pwd.h>
#include <utlist.h>

#include "child.h"
#include "number.h"
#include "whois.h"

#define WHOIS_MAX 16U

/* Less than the 5 s that glibc gives to an nscd that hangs, so that this file reports the reason. */
#define WHOIS_TIMEOUT_USEC UINT64_C(4000000)

/* The child's exit codes other than 0: no such user; a name that whois_parse() refuses; another failure. */
#define EXIT_NOBODY 1
#define EXIT_STRANGE 3
#define EXIT_FAILED 2

#define REASON_TIMEOUT                                                                                       \
        "the user database does not answer, so your user name is not known; getent passwd shows the same"
#define REASON_NOBODY "your uid has no user name here"
#define REASON_STRANGE "your user name is too long, or has characters that no course user's has"
#define REASON_FAILED "the user database could not be asked; see journalctl -u coursenet-activator.service"

struct whois_question {
        struct whois_lookup *lookup;
        whois_callback_t callback;
        void *userdata;
        struct whois_question *prev, *next;
};

struct whois_lookup {
        struct whois *whois;
        uid_t uid;
        struct whois_question *questions;
        struct child *child;
        int output; /* a pipe's end */
        bool late;  /* its questions have their answer, and the child is being killed */
        struct whois_lookup *prev, *next;
};

static bool name_valid(const char *name, size_t length) {
        for (size_t i = 0; i < length; i++)
                if (name[i] <= ' ' || name[i] > '~')
                        return false;
        return length > 0 && length < USER_NAME_SIZE;
}

int whois_parse(const char *output, size_t size, char ret_name[static USER_NAME_SIZE]) {
        size_t length = size > 0 ? size - 1 : 0;

        if (!name_valid(output, length) || output[length] != '\n')
                return -EINVAL;
        memcpy(ret_name, output, length);
        ret_name[length] = '\0';
        return 0;
}

/* --- the child ------------------------------------------------------------------------------- */

int whois_print(const char *uid) {
        const struct passwd *entry;
        unsigned number;

        if (number_parse(uid, 0, UINT32_MAX - 1, &number) < 0)
                return EXIT_FAILED;
        errno = 0;
        entry = getpwuid(number);
        if (!entry)
                /* getpwuid(3): for an unknown uid errno is 0 or one of these. */
                return errno == 0 || errno == ENOENT || errno == ESRCH ? EXIT_NOBODY : EXIT_FAILED;
        if (!name_valid(entry->pw_name, strlen(entry->pw_name)))
                return EXIT_STRANGE;
        (void)printf("%s\n", entry->pw_name);
        return fflush(stdout) == 0 ? EXIT_SUCCESS : EXIT_FAILED;
}

/* --- lookups --------------------------------------------------------------------------------- */

static void lookup_free(struct whois_lookup *lookup) {
        DL_DELETE(lookup->whois->lookups, lookup);
        child_drop(&lookup->child);
        close_pointer(&lookup->output);
        free(lookup);
}

/* A callback may ask and forget questions, so each question leaves the list before its callback. */
static void answer_all(struct whois_lookup *lookup, const char *name, const char *reason) {
        while (lookup->questions) {
                struct whois_question *question = lookup->questions;
                whois_callback_t callback = question->callback;
                void *userdata = question->userdata;

                DL_DELETE(lookup->questions, question);
                free(question);
                callback(userdata, name, reason);
        }
}

static int start_child(void *userdata, pid_t *ret_pid) {
        struct whois_lookup *lookup = userdata;
        char number[16];
        const char *const arguments[] = {"coursenet-activator", "--whois", number, NULL};
        char *const environment[] = {NULL};
        struct child_streams streams = CHILD_INHERITS;
        int ends[2], r;

        if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) < 0)
                return -errno;
        lookup->output = ends[0];
        streams.output = ends[1];
        (void)snprintf(number, sizeof(number), "%u", (unsigned)lookup->uid);
        /* The running program's own file, even if an upgrade has replaced it. */
        r = child_spawn_file("/proc/self/exe", arguments, &streams, environment, ret_pid);
        (void)close(ends[1]);
        return r;
}

/* The child has ended, so all of its output is in the pipe. */
static const char *read_answer(
        const struct whois_lookup *lookup, const siginfo_t *info, char ret_name[static USER_NAME_SIZE]) {
        char output[USER_NAME_SIZE + 1];
        ssize_t n;

        if (lookup->late)
                return REASON_TIMEOUT;
        if (info->si_code == CLD_EXITED && info->si_status == EXIT_NOBODY)
                return REASON_NOBODY;
        if (info->si_code == CLD_EXITED && info->si_status == EXIT_STRANGE)
                return REASON_STRANGE;
        n = read(lookup->output, output, sizeof(output));
        if (info->si_code != CLD_EXITED || info->si_status != EXIT_SUCCESS || n < 0 ||
                whois_parse(output, (size_t)n, ret_name) < 0)
                return REASON_FAILED;
        return NULL;
}

static void handle_end(void *userdata, const siginfo_t *info, bool late, int error) {
        struct whois_lookup *lookup = userdata;
        char name[USER_NAME_SIZE] = "";
        const char *reason = REASON_FAILED;

        (void)late;
        if (info) {
                reason = read_answer(lookup, info, name);
                if (reason)
                        query_log(lookup->whois->log, lookup->uid, "its name is not known: %s", reason);
        } else
                query_log(lookup->whois->log, lookup->uid, "no child can be started to find its name: %s",
                        strerror(-error));
        answer_all(lookup, reason ? NULL : name, reason);
        lookup_free(lookup);
}

/*
 * Answers now and not when the child is reaped, because a file system that hangs may delay even the end of a
 * killed child.
 */
static void handle_timeout(void *userdata) {
        struct whois_lookup *lookup = userdata;

        lookup->late = true;
        answer_all(lookup, NULL, REASON_TIMEOUT);
}

void whois_init(struct whois *whois, sd_event *event, struct query_log *log) {
        *whois = (struct whois){
                .log = log,
                .children =
                        {
                                .event = event,
                                .children_max = WHOIS_MAX,
                                .timeout_usec = WHOIS_TIMEOUT_USEC,
                                .start = start_child,
                                .ended = handle_end,
                                .timed_out = handle_timeout,
                        },
        };
}

static struct whois_lookup *find_lookup(struct whois *whois, uid_t uid) {
        struct whois_lookup *lookup;

        /* One that is late has given its answer. */
        DL_FOREACH (whois->lookups, lookup)
                if (lookup->uid == uid && !lookup->late)
                        return lookup;
        return NULL;
}

static struct whois_lookup *lookup_new(struct whois *whois, uid_t uid) {
        struct whois_lookup *lookup = malloc(sizeof(*lookup));

        if (!lookup)
                return NULL;
        *lookup = (struct whois_lookup){.whois = whois, .uid = uid, .output = -1};
        DL_APPEND(whois->lookups, lookup);
        if (child_queue_add(&whois->children, uid, lookup, &lookup->child) < 0) {
                lookup_free(lookup);
                return NULL;
        }
        return lookup;
}

int whois_ask(struct whois *whois, uid_t uid, whois_callback_t callback, void *userdata,
        struct whois_question **ret_question) {
        struct whois_lookup *lookup = find_lookup(whois, uid);
        struct whois_question *question;

        if (!lookup)
                lookup = lookup_new(whois, uid);
        question = lookup ? malloc(sizeof(*question)) : NULL;
        if (!question)
                return -ENOMEM; /* a lookup without questions does no harm */
        *question = (struct whois_question){.lookup = lookup, .callback = callback, .userdata = userdata};
        DL_APPEND(lookup->questions, question);
        *ret_question = question;
        return 0;
}

void whois_forget(struct whois_question *question) {
        struct whois_lookup *lookup = question->lookup;

        DL_DELETE(lookup->questions, question);
        free(question);
        if (!lookup->questions && lookup->child && child_waits(lookup->child))
                lookup_free(lookup);
}

void whois_done(struct whois *whois) {
        while (whois->lookups)
                lookup_free(whois->lookups);
        child_queue_done(&whois->children);
}
