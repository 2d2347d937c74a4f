/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Root can read everything, but a folder in the path may be closed to students. So a child process that runs
 * as a student of the course checks the image: one child for the first student on the roster and one for the
 * last, because staff often come first and may be in other groups. A child can be killed if the image is on a
 * network file system that does not answer.
 */

#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <pwd.h>
#include <signal.h>
#include <sys/wait.h>

#include "checks.h"
#include "child.h"
#include "container-image.h"
#include "container.h"

#define PATIENCE_MS 10000
#define NOBODY 65534U
#define GROUPS_MAX 256

/* The user as whom the child runs. */
struct reader {
        char user[USER_NAME_SIZE]; /* empty: an account in no group, because no student has an account yet */
        uid_t uid;
        gid_t groups[GROUPS_MAX];
        int n_groups;
};

struct answer {
        enum image_verdict verdict;
        char reason[IMAGE_REASON_SIZE];
};

static int become(const struct reader *reader) {
        /* Only root can become another user. */
        if (geteuid() != 0)
                return 0;
        if (setgroups((size_t)reader->n_groups, reader->groups) < 0 ||
                setresgid(reader->groups[0], reader->groups[0], reader->groups[0]) < 0 ||
                setresuid(reader->uid, reader->uid, reader->uid) < 0)
                return -errno;
        return 0;
}

_Noreturn static void answer_from_child(const struct reader *reader, const char *image, int fd) {
        struct answer answer = {.verdict = IMAGE_UNREADABLE};
        int r;

        r = become(reader);
        if (r < 0)
                (void)snprintf(answer.reason, sizeof(answer.reason), "cannot be checked as this user: %s",
                        strerror(-r));
        else
                answer.verdict = image_examine(image, answer.reason);
        _exit(write(fd, &answer, sizeof(answer)) == (ssize_t)sizeof(answer) ? 0 : 1);
}

static int ask(const struct reader *reader, const char *image, struct answer *ret) {
        _cleanup_close_ int read_fd = -1, write_fd = -1;
        struct pollfd wait = {.events = POLLIN};
        int fds[2], status;
        pid_t pid;

        if (pipe2(fds, O_CLOEXEC) < 0)
                return -errno;
        read_fd = fds[0];
        write_fd = fds[1];
        pid = fork();
        if (pid < 0)
                return -errno;
        if (pid == 0)
                answer_from_child(reader, image, write_fd);
        close_pointer(&write_fd);

        wait.fd = read_fd;
        if (poll(&wait, 1, PATIENCE_MS) <= 0 || read(read_fd, ret, sizeof(*ret)) != (ssize_t)sizeof(*ret)) {
                *ret = (struct answer){.verdict = IMAGE_UNREADABLE};
                (void)snprintf(
                        ret->reason, sizeof(ret->reason), "cannot be read within %d s", PATIENCE_MS / 1000);
        }
        /* The student could have stopped the child (SIGSTOP), so it is killed. */
        (void)kill(pid, SIGKILL);
        return child_wait(pid, &status);
}

static bool find_reader(
        const struct site *site, const struct site_course *course, size_t i, struct reader *ret) {
        const struct passwd *account;

        if (name_rule_format(&site->settings.rule, course->bridge.course, course->students[i], ret->user) < 0)
                return false;
        account = getpwnam(ret->user);
        if (!account || account->pw_uid < SYSTEM_UID_END)
                return false;
        ret->uid = account->pw_uid;
        ret->n_groups = GROUPS_MAX;
        /* The account's own group comes first. */
        return getgrouplist(ret->user, account->pw_gid, ret->groups, &ret->n_groups) >= 0;
}

/* The first and the last student with an account; returns how many, because these may be the same. */
static size_t find_readers(
        const struct site *site, const struct site_course *course, struct reader ret[static 2]) {
        size_t first = 0, last = course->n_seats;

        while (first < course->n_seats && !find_reader(site, course, first, &ret[0]))
                first++;
        if (first == course->n_seats) {
                ret[0] = (struct reader){.uid = NOBODY, .groups = {NOBODY}, .n_groups = 1};
                return 1;
        }
        while (--last > first)
                if (find_reader(site, course, last, &ret[1]))
                        return 2;
        return 1;
}

/* Returns whether it has added a finding. */
static bool report(const struct reader *reader, const char *image, const struct answer *answer,
        const char *path, unsigned line, struct diagnostics *diagnostics) {
        switch (answer->verdict) {
        case IMAGE_MISSING:
                diagnostics_error(diagnostics, path, line, "image = %s: %s, so no seat has its container",
                        image, answer->reason);
                diagnostics_advise(diagnostics, "put the image there, or correct the setting");
                return true;
        case IMAGE_WRONG:
                diagnostics_error(diagnostics, path, line, "image = %s: %s", image, answer->reason);
                return true;
        case IMAGE_UNREADABLE:
                /* A user other than root cannot find out what others may read. */
                if (geteuid() != 0)
                        return false;
                if (reader->user[0])
                        diagnostics_error(diagnostics, path, line,
                                "image = %s: %s, by the student %s (chmod o+r for the image, o+x for every "
                                "folder above it; namei -l %s shows which)",
                                image, answer->reason, reader->user, image);
                else
                        diagnostics_warning(diagnostics, path, line,
                                "image = %s: %s, by an account that is in no group", image, answer->reason);
                return true;
        default:
                return false;
        }
}

/* Returns whether it has added a finding. */
static bool check_course(const struct site *site, const struct site_course *course, const char *image,
        const char *path, unsigned line, struct diagnostics *diagnostics) {
        struct reader readers[2] = {0};
        size_t n = find_readers(site, course, readers);
        struct answer answer;
        int r;

        for (size_t i = 0; i < n; i++) {
                r = ask(&readers[i], image, &answer);
                if (r < 0) {
                        diagnostics_warning(diagnostics, path, line,
                                "cannot find out whether students can read %s: %s", image, strerror(-r));
                        return true;
                }
                if (report(&readers[i], image, &answer, path, line, diagnostics))
                        return true;
        }
        return false;
}

/* For the settings only: a drop-in may name another image. */
static bool has_container(const struct service_settings *services) {
        for (size_t i = 0; i < services->n_units; i++)
                if (string_equal(services->units[i], SERVICE_CONTAINER))
                        return services->image[0] != '\0';
        return false;
}

static void check_runtime(unsigned line, const char *path, struct diagnostics *diagnostics) {
        if (!container_find_runtime()) {
                diagnostics_error(
                        diagnostics, path, line, "image is set, but no container runtime is installed");
                diagnostics_advise(diagnostics, "install apptainer or singularity-ce, in /usr or /usr/local");
        }
}

static bool line_is_known(const unsigned *lines, size_t n, unsigned line) {
        for (size_t i = 0; i < n; i++)
                if (lines[i] == line)
                        return true;
        return false;
}

void image_check(const char *etc, const struct site *site, struct diagnostics *diagnostics) {
        _cleanup_free_ unsigned *reported = calloc(site->n_courses + 1, sizeof(*reported));
        _cleanup_free_ char *path = NULL;
        bool runtime_checked = false;
        size_t n_reported = 0;

        if (!reported || asprintf(&path, "%s/" SETTINGS_FILE, etc) < 0) {
                path = NULL;
                diagnostics_error(diagnostics, etc, 0, "out of memory");
                return;
        }
        for (size_t i = 0; i < site->n_courses; i++) {
                const char *course = site->courses[i].bridge.course;
                unsigned line = settings_line(&site->settings, course, "image");
                const struct service_settings *services =
                        &settings_for_course(&site->settings, course)->services;

                if (!has_container(services))
                        continue;
                if (!runtime_checked)
                        check_runtime(line, path, diagnostics);
                runtime_checked = true;
                /* One image of many courses is reported once. */
                if (!line_is_known(reported, n_reported, line) &&
                        check_course(site, &site->courses[i], services->image, path, line, diagnostics))
                        reported[n_reported++] = line;
        }
}
