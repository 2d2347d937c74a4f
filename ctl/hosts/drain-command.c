/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* `coursenetctl drain` and `undrain`: whether a server gets new seats. */

#include "base/admin-log.h"
#include "base/complain.h"
#include "base/hosts-list.h"
#include "base/login-uid.h"
#include "base/moment.h"
#include "hosts-client.h"
#include "hosts-command.h"

const struct syntax drain_syntax = {
        .usage = "Usage: coursenetctl drain HOST\n"
                 "\n"
                 "From now on the server gets no new seats, of shared and of other courses. Seats that are "
                 "live "
                 "there\n"
                 "stay until their students have logged out, and take further logins. It lasts, also over a "
                 "reboot,\n"
                 "until: coursenetctl undrain HOST. For root only.\n",
        .words_min = 1,
        .words_max = 1,
        .first = WORD_HOST,
};

const struct syntax undrain_syntax = {
        .usage = "Usage: coursenetctl undrain HOST\n"
                 "\n"
                 "The server gets new seats again. For root only.\n",
        .words_min = 1,
        .words_max = 1,
        .first = WORD_HOST,
};

/* Returns an exit code; if it is not EXIT_DONE, after a message. */
static int ask(const struct paths *paths, const char *host, bool drain) {
        struct hosts_request request;
        char user[LOGIN_USER_SIZE] = "";
        struct hosts_reply reply;
        _cleanup_close_ int fd = -1;
        uid_t uid;
        int r;

        hosts_request_init(&request, HOSTS_DRAIN, 1);
        request.number = drain;
        (void)login_user_find(paths->proc, &uid, user);
        protocol_copy_text(request.member, sizeof(request.member), host);
        protocol_copy_text(request.user, sizeof(request.user), user[0] ? user : "root");
        r = hosts_call(paths->hosts_socket, &request, &reply, &fd);
        if (r < 0)
                return hosts_complain(paths->hosts_socket, r);
        if (reply.type == HOSTS_DONE)
                return EXIT_DONE;
        complain("coursenet-hosts refused: %s", reply.text);
        return EXIT_NO;
}

/* "hosta and hostc": where students can log in instead. */
static void name_others(const struct hosts_list *list, const char *host, char *ret, size_t size) {
        size_t n = 0, n_named = 0, length;

        for (size_t i = 0; i < list->n_members; i++)
                n += list->members[i].up && !list->members[i].drained &&
                     !string_equal(list->members[i].host, host);
        ret[0] = '\0';
        for (size_t i = 0; i < list->n_members; i++) {
                const struct listed_member *member = &list->members[i];

                if (!member->up || member->drained || string_equal(member->host, host))
                        continue;
                length = strlen(ret);
                (void)snprintf(ret + length, size - length, "%s%s",
                        n_named == 0       ? ""
                        : n_named == n - 1 ? " and "
                                           : ", ",
                        member->host);
                n_named++;
        }
}

static void report_drain(const struct hosts_list *list, const struct listed_member *member) {
        char others[1024], since[32];

        if (member->drained) {
                moment_format_minute(member->drained_usec, since, sizeof(since));
                (void)printf("%s was drained already, by %s at %s.\n", member->host,
                        member->drained_by[0] ? member->drained_by : "somebody", since);
        } else
                (void)printf(
                        "%s gets no new seats until: coursenetctl undrain %s\n", member->host, member->host);
        if (member->n_claims == 0)
                (void)printf("No seat of a shared course is live there.\n");
        else
                (void)printf("%zu seat%s of shared courses %s live there, and end%s when nobody is logged in "
                             "any longer: coursenetctl status --hosts\n",
                        member->n_claims, plural(member->n_claims), member->n_claims == 1 ? "is" : "are",
                        member->n_claims == 1 ? "s" : "");
        name_others(list, member->host, others, sizeof(others));
        if (others[0])
                (void)printf("New seats start on %s.\n", others);
        else
                (void)printf("No other server takes new seats: students whose seat is not live cannot log "
                             "in.\n");
}

static void report_undrain(const struct listed_member *member) {
        if (member->drained)
                (void)printf("%s gets new seats again.", member->host);
        else
                (void)printf("%s was not drained.", member->host);
        (void)printf(" %zu seat%s of shared courses %s live there%s.\n", member->n_claims,
                plural(member->n_claims), member->n_claims == 1 ? "is" : "are",
                member->n_claims == 0 ? "" : ", as before");
}

/* The list first: it has whether this changes anything, and the names if this one is wrong. */
static int change(const struct paths *paths, const char *host, bool drain) {
        _cleanup_diagnostics_ struct diagnostics diagnostics = {0};
        _cleanup_settings_ struct settings settings = {0};
        _cleanup_hosts_list_ struct hosts_list list = {0};
        const struct listed_member *member;
        int r;

        if (settings_load(paths->etc, &settings, &diagnostics) < 0) {
                diagnostics_print(stderr, &diagnostics);
                return EXIT_NO;
        }
        r = hosts_list_load(paths->hosts_socket, &settings, &list);
        if (r != EXIT_DONE)
                return r;
        member = hosts_list_member(&list, host);
        if (!member) {
                complain("There is no server '%s'. Those that share courses are shown by: coursenetctl hosts",
                        host);
                return EXIT_NO;
        }
        r = ask(paths, host, drain);
        if (r != EXIT_DONE)
                return r;
        admin_log(paths, drain ? "drain" : "undrain", host, "it gets %s seats, and %zu are live there",
                drain ? "no new" : "new", member->n_claims);
        if (drain)
                report_drain(&list, member);
        else
                report_undrain(member);
        return EXIT_DONE;
}

static int run(const struct paths *paths, const struct syntax *syntax, bool drain, int argc, char **argv) {
        struct arguments arguments;
        int r;

        r = arguments_parse(argc, argv, syntax, &arguments);
        if (r != 0)
                return r > 0 ? EXIT_DONE : EXIT_USAGE;
        if (geteuid() != 0) {
                complain("Only root can run %s.", argv[0]);
                return EXIT_NO;
        }
        return change(paths, arguments.words[0], drain);
}

int drain_command(const struct paths *paths, int argc, char **argv) {
        return run(paths, &drain_syntax, true, argc, argv);
}

int undrain_command(const struct paths *paths, int argc, char **argv) {
        return run(paths, &undrain_syntax, false, argc, argv);
}
