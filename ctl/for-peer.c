/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * `coursenetctl for-peer`: the activator runs it as root for a user who is not root, see protocol.h. It finds
 * out what that user may see and runs the requested command within that scope. It is of no use to others:
 * without root's rights it can read nothing that its caller cannot.
 *
 * Except for the uid and the groups, the request is text from the peer. The table below decides which
 * commands exist, and no word of the peer is parsed as an option.
 */

#include <sys/resource.h>

#include "base/complain.h"
#include "base/report-client.h"
#include "base/scope.h"
#include "exam/exam-command.h"
#include "for-peer.h"
#include "history/history-command.h"
#include "protocol.h"
#include "roster/roster-command.h"
#include "seat/grant-command.h"
#include "seat/seat-command.h"
#include "status/status-command.h"

/* 4096 leases are 1.5 MB as JSON; the logins of a whole term are more. */
#define OUTPUT_MAX (16U * 1024U * 1024U)
#define CPU_SECONDS_MAX 10U
#define NICE 10

static const struct part {
        const char *name, *verb; /* verb: a word or an option behind the name, also in the request; or NULL */
        int (*run)(const struct paths *paths, int argc, char **argv);
        bool for_students;  /* students may ask about themselves */
        bool times, legend; /* has --at, --since and --until; has --no-legend */
        enum request_type type;
} parts[] = {
        {"status", NULL, status_command, false, false, true, REQUEST_REPORT},
        {"status", "--hosts", status_command, false, false, true, REQUEST_REPORT},
        {"seat", NULL, seat_command, true, false, false, REQUEST_REPORT},
        {"history", NULL, history_command, false, true, true, REQUEST_REPORT},
        {"roster", "list", roster_command, false, false, true, REQUEST_REPORT},
        {"exam", "list", exam_command, false, false, true, REQUEST_REPORT},
        {"start", NULL, start_command, false, false, false, REQUEST_CHANGE},
        {"release", NULL, release_command, false, false, false, REQUEST_CHANGE},
        {"stop", NULL, stop_command, false, false, false, REQUEST_CHANGE},
        {"exam", "start", exam_command, false, false, false, REQUEST_CHANGE},
        {"exam", "stop", exam_command, false, false, false, REQUEST_CHANGE},
        {"capture", NULL, grant_command, true, false, false, REQUEST_CAPTURE},
        {"visit", NULL, grant_command, false, false, false, REQUEST_VISIT},
};

static bool is_named(const struct part *part, const char *name) {
        char words[SERVICE_SIZE];

        (void)snprintf(words, sizeof(words), "%s%s%s", part->name, part->verb ? " " : "",
                part->verb ? part->verb : "");
        return string_equal(words, name);
}

static const struct part *find_part(const struct request *request) {
        for (size_t i = 0; i < ELEMENTSOF(parts); i++)
                if (is_named(&parts[i], request->service) &&
                        parts[i].type == (enum request_type)request->type)
                        return &parts[i];
        return NULL;
}

/* A bug, such as an endless loop, must not fill the memory or keep a processor busy. */
static void limit_oneself(void) {
        const struct rlimit output = {OUTPUT_MAX, OUTPUT_MAX}, cpu = {CPU_SECONDS_MAX, CPU_SECONDS_MAX};

        (void)setrlimit(RLIMIT_FSIZE, &output);
        (void)setrlimit(RLIMIT_CPU, &cpu);
        /* Many requests must not slow logins down. */
        (void)setpriority(PRIO_PROCESS, 0, NICE);
}

static int read_all(void *buffer, size_t size) {
        return fread(buffer, 1, size, stdin) == size ? 0 : -EBADMSG;
}

/* What follows the groups, if anything. The caller frees it. */
static int read_text(char **ret) {
        char *text = calloc(1, CHANGE_TEXT_MAX + 1);
        size_t n;

        if (!text)
                return -ENOMEM;
        n = fread(text, 1, CHANGE_TEXT_MAX, stdin);
        /* A text with a NUL would be cut there. */
        if (ferror(stdin) || strlen(text) != n) {
                free(text);
                return -EBADMSG;
        }
        *ret = text;
        return 0;
}

/* The caller frees the groups and the text. */
static int read_peer(struct report_peer *ret, gid_t **ret_groups, char **ret_text) {
        gid_t *groups;

        if (read_all(ret, sizeof(*ret)) < 0 || ret->n_groups > REPORT_GROUPS_MAX + 1 ||
                request_check(&ret->request, sizeof(ret->request)) < 0)
                return -EBADMSG;
        groups = calloc(ret->n_groups + 1, sizeof(*groups));
        if (!groups)
                return -ENOMEM;
        if (read_all(groups, ret->n_groups * sizeof(*groups)) < 0 || read_text(ret_text) < 0) {
                free(groups);
                return -EBADMSG;
        }
        *ret_groups = groups;
        return 0;
}

static int find_scope(
        const char *etc, const struct report_peer *peer, const gid_t *groups, struct scope *ret) {
        _cleanup_diagnostics_ struct diagnostics diagnostics = {0};
        _cleanup_settings_ struct settings settings = {0};
        int r;

        r = settings_load(etc, &settings, &diagnostics);
        if (r < 0)
                complain("The settings have mistakes, so only root may see anything. Root can run: "
                         "coursenetctl check");
        return r < 0 ? r : scope_find(&settings, peer->uid, groups, peer->n_groups, ret);
}

static int run(const struct paths *paths, const struct part *part, struct request *request) {
        char json[] = "--json", no_legend[] = "--no-legend", at[] = "--at", since[] = "--since",
             until[] = "--until", end[] = "--";
        char *argv[16] = {NULL};
        int argc = 0;

        argv[argc++] = (char *)(uintptr_t)part->name;
        if (part->verb)
                argv[argc++] = (char *)(uintptr_t)part->verb;
        if (request->flags & REQUEST_JSON)
                argv[argc++] = json;
        if (part->legend && (request->flags & REQUEST_NO_LEGEND))
                argv[argc++] = no_legend;
        if (part->times && request->tty[0]) {
                argv[argc++] = at;
                argv[argc++] = request->tty;
        }
        if (part->times && request->remote_host[0]) {
                argv[argc++] = since;
                argv[argc++] = request->remote_host;
        }
        if (part->times && request->lease[0]) {
                argv[argc++] = until;
                argv[argc++] = request->lease;
        }
        argv[argc++] = end;
        if (request->user[0])
                argv[argc++] = request->user;
        return part->run(paths, argc, argv);
}

int for_peer_command(const struct paths *paths, int argc, char **argv) {
        _cleanup_free_ gid_t *groups = NULL;
        _cleanup_free_ char *text = NULL;
        _cleanup_scope_ struct scope scope = {0};
        struct paths scoped = *paths;
        const struct part *part;
        struct report_peer peer;

        (void)argc;
        (void)argv;
        limit_oneself();
        if (read_peer(&peer, &groups, &text) < 0) {
                complain("Only the activator runs this command; see coursenet-activator(8).");
                return EXIT_USAGE;
        }
        if (find_scope(paths->etc, &peer, groups, &scope) < 0)
                return EXIT_NO;
        part = find_part(&peer.request);
        if (!part && scope_is_staff(&scope)) {
                complain("'%s' is no request that this version of coursenetctl answers.",
                        peer.request.service);
                return EXIT_NO;
        }
        if (!part || (!part->for_students && !scope_is_staff(&scope))) {
                complain("Only root and the staff of a course " STAFF_HINT " may do this.");
                return EXIT_NO;
        }
        scoped.scope = &scope;
        scoped.text = text;
        return run(&scoped, part, &peer.request);
}
