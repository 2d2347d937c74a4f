/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Children that ask NSS. What a child prints is input like any other: it is checked here for its form, and by
 * the site's name rule before it means anything.
 *
 * A lookup is one child, or one that waits for its turn; questions hang on it. It stays until its child has
 * been reaped, with or without questions: that is what makes the limits hold.
 */

#include <fcntl.h>
#include <pwd.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <utlist.h>

#include "base/peer.h"
#include "number.h"
#include "whois.h"

#define WHOIS_MAX 16U

/* Less than the 5 s that glibc itself gives to an nscd that hangs: the reason is ours to say. */
#define WHOIS_TIMEOUT_USEC UINT64_C(4000000)

/* The child's exit codes besides 0: no such user; a name that whois_parse() does not take; another failure.
 */
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
        struct server *server;
        uid_t uid;
        struct whois_question *questions;
        pid_t pid;  /* 0: it waits for its turn */
        int output; /* a pipe's end */
        bool late;
        sd_event_source *exit_source, *timeout_source;
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
                /* getpwuid(3): nobody of this uid is no error, or one of these. */
                return errno == 0 || errno == ENOENT || errno == ESRCH ? EXIT_NOBODY : EXIT_FAILED;
        if (!name_valid(entry->pw_name, strlen(entry->pw_name)))
                return EXIT_STRANGE;
        (void)printf("%s\n", entry->pw_name);
        return fflush(stdout) == 0 ? EXIT_SUCCESS : EXIT_FAILED;
}

static int spawn(posix_spawn_file_actions_t *actions, posix_spawnattr_t *attributes, uid_t uid, int output,
        pid_t *ret_pid) {
        char number[16], program[] = "coursenet-activator", option[] = "--whois";
        char *const arguments[] = {program, option, number, NULL}, *const environment[] = {NULL};
        sigset_t none;
        int r;

        (void)snprintf(number, sizeof(number), "%u", (unsigned)uid);
        (void)sigemptyset(&none);
        r = posix_spawn_file_actions_adddup2(actions, output, STDOUT_FILENO);
        if (r == 0)
                r = posix_spawnattr_setsigmask(attributes, &none);
        if (r == 0)
                r = posix_spawnattr_setflags(attributes, POSIX_SPAWN_SETSIGMASK);
        if (r == 0)
                /* This very file, even if an upgrade has put another one in its place. */
                r = posix_spawn(ret_pid, "/proc/self/exe", actions, attributes, arguments, environment);
        return -r;
}

static int start_child(uid_t uid, int output, pid_t *ret_pid) {
        posix_spawn_file_actions_t actions;
        posix_spawnattr_t attributes;
        int r;

        r = -posix_spawn_file_actions_init(&actions);
        if (r < 0)
                return r;
        r = -posix_spawnattr_init(&attributes);
        if (r == 0) {
                r = spawn(&actions, &attributes, uid, output, ret_pid);
                (void)posix_spawnattr_destroy(&attributes);
        }
        (void)posix_spawn_file_actions_destroy(&actions);
        return r;
}

/* --- lookups --------------------------------------------------------------------------------- */

static void lookup_free(struct whois_lookup *lookup) {
        DL_DELETE(lookup->server->lookups, lookup);
        (void)sd_event_source_disable_unref(lookup->exit_source);
        (void)sd_event_source_disable_unref(lookup->timeout_source);
        close_pointer(&lookup->output);
        free(lookup);
}

/* A callback may ask and forget again; each question is off the list before its own. */
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

static void start_waiting(struct server *server);

/* The child has ended: what it printed is in the pipe, however little it was. */
static const char *read_answer(struct whois_lookup *lookup, char ret_name[static USER_NAME_SIZE]) {
        char output[USER_NAME_SIZE + 1];
        siginfo_t info = {0};
        ssize_t n;

        if (waitid(P_PID, (id_t)lookup->pid, &info, WEXITED | WNOHANG) < 0)
                return REASON_FAILED;
        if (lookup->late)
                return REASON_TIMEOUT;
        if (info.si_code == CLD_EXITED && info.si_status == EXIT_NOBODY)
                return REASON_NOBODY;
        if (info.si_code == CLD_EXITED && info.si_status == EXIT_STRANGE)
                return REASON_STRANGE;
        n = read(lookup->output, output, sizeof(output));
        if (info.si_code != CLD_EXITED || info.si_status != EXIT_SUCCESS || n < 0 ||
                whois_parse(output, (size_t)n, ret_name) < 0)
                return REASON_FAILED;
        return NULL;
}

static int handle_exit(sd_event_source *source, int fd, uint32_t events, void *userdata) {
        struct whois_lookup *lookup = userdata;
        struct server *server = lookup->server;
        char name[USER_NAME_SIZE] = "";
        const char *reason;

        (void)source;
        (void)fd;
        (void)events;
        reason = read_answer(lookup, name);
        if (reason)
                query_log(server, lookup->uid, "its name is not known: %s", reason);
        answer_all(lookup, reason ? NULL : name, reason);
        lookup_free(lookup);
        start_waiting(server);
        return 0;
}

static int handle_timeout(sd_event_source *source, uint64_t usec, void *userdata) {
        struct whois_lookup *lookup = userdata;

        (void)source;
        (void)usec;
        lookup->late = true;
        (void)kill(lookup->pid, SIGKILL);
        /* Now, not when it is reaped: a file system that hangs would keep it even from dying. */
        answer_all(lookup, NULL, REASON_TIMEOUT);
        return 0;
}

static int watch_child(struct whois_lookup *lookup) {
        sd_event *event = lookup->server->event;
        _cleanup_close_ int pidfd = peer_open_pidfd(lookup->pid);
        int r;

        if (pidfd < 0)
                return -EIO;
        r = sd_event_add_io(event, &lookup->exit_source, pidfd, EPOLLIN, handle_exit, lookup);
        if (r < 0)
                return r;
        (void)sd_event_source_set_io_fd_own(lookup->exit_source, true);
        pidfd = -1;
        return sd_event_add_time_relative(event, &lookup->timeout_source, CLOCK_MONOTONIC, WHOIS_TIMEOUT_USEC,
                0, handle_timeout, lookup);
}

static int lookup_start(struct whois_lookup *lookup) {
        int ends[2], r;

        if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) < 0)
                return -errno;
        lookup->output = ends[0];
        r = start_child(lookup->uid, ends[1], &lookup->pid);
        (void)close(ends[1]);
        if (r < 0) {
                lookup->pid = 0;
                return r;
        }
        r = watch_child(lookup);
        if (r < 0) {
                (void)kill(lookup->pid, SIGKILL);
                (void)waitpid(lookup->pid, NULL, 0);
        }
        return r;
}

/* It has no child yet, and may have one: also one that was killed counts until it is reaped. */
static bool has_turn(const struct whois_lookup *lookup) {
        const struct whois_lookup *other;
        unsigned n = 0;

        if (lookup->pid > 0)
                return false;
        DL_FOREACH (lookup->server->lookups, other) {
                n += other->pid > 0;
                if (other->pid > 0 && other->uid == lookup->uid)
                        return false;
        }
        return n < WHOIS_MAX;
}

/* Starts what waits for its turn, the longest first. */
static void start_waiting(struct server *server) {
        struct whois_lookup *lookup, *next;

        DL_FOREACH_SAFE(server->lookups, lookup, next) {
                int r;

                if (!has_turn(lookup))
                        continue;
                r = lookup_start(lookup);
                if (r >= 0)
                        continue;
                query_log(server, lookup->uid, "nobody can be asked for its name: %s", strerror(-r));
                answer_all(lookup, NULL, REASON_FAILED);
                lookup_free(lookup);
        }
}

static struct whois_lookup *find_lookup(struct server *server, uid_t uid) {
        struct whois_lookup *lookup;

        /* One that is late has given its answer. */
        DL_FOREACH (server->lookups, lookup)
                if (lookup->uid == uid && !lookup->late)
                        return lookup;
        return NULL;
}

static struct whois_lookup *lookup_new(struct server *server, uid_t uid) {
        struct whois_lookup *lookup = malloc(sizeof(*lookup));

        if (!lookup)
                return NULL;
        *lookup = (struct whois_lookup){.server = server, .uid = uid, .output = -1};
        DL_APPEND(server->lookups, lookup);
        return lookup;
}

/* Not before whois_ask() has returned, whatever comes of it. */
static int handle_turn(sd_event_source *source, void *userdata) {
        struct server *server = userdata;

        server->lookup_source = sd_event_source_disable_unref(source);
        start_waiting(server);
        return 0;
}

static int start_soon(struct server *server) {
        return server->lookup_source
                       ? 0
                       : sd_event_add_defer(server->event, &server->lookup_source, handle_turn, server);
}

int whois_ask(struct server *server, uid_t uid, whois_callback_t callback, void *userdata,
        struct whois_question **ret_question) {
        struct whois_lookup *lookup = find_lookup(server, uid);
        struct whois_question *question;
        int r;

        r = start_soon(server);
        if (r < 0)
                return r;
        if (!lookup)
                lookup = lookup_new(server, uid);
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
        if (!lookup->questions && lookup->pid == 0)
                lookup_free(lookup);
}

void whois_done(struct server *server) {
        server->lookup_source = sd_event_source_disable_unref(server->lookup_source);
        while (server->lookups) {
                if (server->lookups->pid > 0)
                        (void)kill(server->lookups->pid, SIGKILL);
                lookup_free(server->lookups);
        }
}
