/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <errno.h>

#include "base/complain.h"
#include "exam-share.h"
#include "exam-state.h"
#include "hosts-client.h"
#include "hosts.h"

bool exam_is_shared(const struct settings *settings, const char *course) {
        return hosts_configured(settings) && settings_course_vni(settings, course) > 0;
}

bool exam_may_be_shared(const struct paths *paths, const char *course) {
        _cleanup_diagnostics_ struct diagnostics ignored = {0};
        _cleanup_settings_ struct settings settings = {0};

        if (settings_load(paths->etc, &settings, &ignored) < 0)
                return exam_state_exists(paths->state, course);
        return exam_is_shared(&settings, course);
}

static const char *what_holds(bool begins) {
        return begins ? "The exam is in force on this server" : "The exam has ended on this server";
}

/* names: with blanks between; in the answer, "hostb, hostc". */
static void format_names(const char *names, char *ret, size_t size) {
        size_t n = 0;

        for (; *names && n + 3 < size; names++) {
                if (*names == ' ')
                        ret[n++] = ',';
                ret[n++] = *names;
        }
        ret[n] = '\0';
}

/* n_up: of the members that do not have it, those that are up. */
static int report_missing(const char *names, unsigned n_up, bool begins) {
        char listed[REPLY_TEXT_SIZE * 2];

        if (!names[0]) {
                (void)printf("It %s all servers that share the course.\n",
                        begins ? "is in force on" : "has ended on");
                return EXIT_DONE;
        }
        format_names(names, listed, sizeof(listed));
        if (n_up == 0) {
                (void)printf("These servers are off or cut off, and get %s before any seat of the course is "
                             "up there again: %s\n",
                        begins ? "the exam" : "its end", listed);
                return EXIT_DONE;
        }
        complain("%s, but NOT YET on: %s. coursenetctl hosts shows when they have %s.", what_holds(begins),
                listed, begins ? "it" : "its end");
        return EXIT_NO;
}

int exam_tell_others(const struct paths *paths, const char *course, bool begins) {
        struct hosts_request request;
        struct hosts_reply reply;
        _cleanup_close_ int fd = -1;
        int r;

        hosts_request_init(&request, HOSTS_EXAM, 1);
        protocol_copy_text(request.course, sizeof(request.course), course);
        (void)fflush(stdout);
        r = hosts_call(paths->hosts_socket, &request, &reply, &fd);
        if (r >= 0 && reply.type == HOSTS_DONE)
                return report_missing(reply.text, reply.number, begins);
        if (r < 0)
                complain("%s ONLY. coursenet-hosts, which brings %s to the others, cannot be reached (%s): "
                         "systemctl start coursenet-hosts.service",
                        what_holds(begins), begins ? "it" : "its end", strerror(-r));
        else
                complain("%s ONLY: %s. The others get %s when this server reaches the store again.",
                        what_holds(begins), reply.text, begins ? "it" : "its end");
        return EXIT_NO;
}
