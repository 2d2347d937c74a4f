/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Runs jobs. The output of a job goes to a memory file. At the end of the job it is printed, if it differs
 * from the last one: a mistake in a roster is reported once, not once a minute.
 */

#include <inttypes.h>
#include <signal.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>

#include "base/stderr.h"
#include "watch-job.h"

#define DEBOUNCE_LIMIT_USEC UINT64_C(200000)

#define REPAIR_INTERVAL_USEC UINT64_C(200000)
#define REPAIR_QUIET_USEC UINT64_C(1000000) /* a repair that lasts for this time ends the count */
#define REPAIRS_MAX 15U
#define REPAIR_PAUSE_USEC UINT64_C(30000000)

#define RETRY_MIN_USEC UINT64_C(5000000)
#define RETRY_DOUBLINGS 6U

#define SAID_MAX 65536U

void job_init(struct job *job, unsigned timeout_ms, const char *const *words) {
        *job = (struct job){.timeout_ms = timeout_ms, .output_fd = -1};
        for (size_t i = 0; words[i] && i + 1 < ELEMENTSOF(job->words); i++)
                job->words[i] = words[i];
}

void job_done(struct job *job) {
        close_pointer(&job->output_fd);
        free(job->said);
}

static void want_at(struct job *job, uint64_t now_usec, uint64_t due_usec) {
        if (!job->wanted) {
                job->wanted = true;
                job->wanted_usec = now_usec;
                job->due_usec = due_usec;
        } else if (job->due_usec <= job->wanted_usec + DEBOUNCE_LIMIT_USEC) {
                /* Within the debounce time the job is delayed again, or brought forward. */
                if (due_usec > job->wanted_usec + DEBOUNCE_LIMIT_USEC)
                        due_usec = job->wanted_usec + DEBOUNCE_LIMIT_USEC;
                job->due_usec = due_usec;
        } else if (due_usec < job->due_usec)
                /*
                 * The job waits for a retry, or for the end of a pause. A new event does not wait for that.
                 */
                job->due_usec = due_usec;
}

void job_want(struct job *job, uint64_t now_usec, unsigned delay_ms) {
        want_at(job, now_usec, now_usec + UINT64_C(1000) * delay_ms);
}

bool job_want_repair(struct job *job, uint64_t now_usec) {
        bool pause = false;

        if (job->repair_usec <= now_usec) {
                if (now_usec > job->repair_usec + REPAIR_QUIET_USEC)
                        job->n_repairs = 0;
                pause = job->n_repairs == REPAIRS_MAX;
                job->n_repairs = pause ? 0 : job->n_repairs + 1;
                job->repair_usec += REPAIR_INTERVAL_USEC;
                if (pause)
                        job->repair_usec = now_usec + REPAIR_PAUSE_USEC;
                else if (job->repair_usec < now_usec)
                        job->repair_usec = now_usec;
        }
        want_at(job, now_usec, job->repair_usec);
        return !pause;
}

/* --- running ---------------------------------------------------------------------------------------- */

/*
 * Our environment without the notification socket, which only we may use, and with JOURNAL_STREAM for the
 * file that takes the output. The caller frees the array.
 */
static char **make_environment(char *stream) {
        size_t n = 0, size = 2;
        char **environment;

        for (char **variable = environ; *variable; variable++)
                size++;
        environment = calloc(size, sizeof(*environment));
        if (!environment)
                return NULL;
        for (char **variable = environ; *variable; variable++)
                if (!string_starts_with(*variable, "JOURNAL_STREAM=") &&
                        !string_starts_with(*variable, "NOTIFY_SOCKET="))
                        environment[n++] = *variable;
        if (stderr_is_journal())
                environment[n++] = stream;
        return environment;
}

/* The text of this file goes to the journal in the end, so the child may write priority prefixes. */
static int make_stream(int fd, char *text, size_t size) {
        struct stat st;

        if (fstat(fd, &st) < 0)
                return -errno;
        (void)snprintf(text, size, "JOURNAL_STREAM=%" PRIuMAX ":%" PRIuMAX, (uintmax_t)st.st_dev,
                (uintmax_t)st.st_ino);
        return 0;
}

static int spawn(struct job *job, posix_spawn_file_actions_t *actions, posix_spawnattr_t *attributes) {
        _cleanup_free_ char **environment = NULL;
        sigset_t none;
        char stream[64];
        int r;

        r = make_stream(job->output_fd, stream, sizeof(stream));
        if (r < 0)
                return r;
        environment = make_environment(stream);
        if (!environment)
                return -ENOMEM;
        (void)sigemptyset(&none);
        r = posix_spawn_file_actions_adddup2(actions, job->output_fd, STDERR_FILENO);
        if (r == 0)
                r = posix_spawnattr_setsigmask(attributes, &none);
        if (r == 0)
                r = posix_spawnattr_setflags(attributes, POSIX_SPAWN_SETSIGMASK);
        if (r == 0)
                r = posix_spawnp(&job->pid, job->words[0], actions, attributes,
                        (char *const *)(uintptr_t)job->words, environment);
        return -r;
}

static int begin(struct job *job) {
        posix_spawn_file_actions_t actions;
        posix_spawnattr_t attributes;
        int r;

        job->output_fd = memfd_create("coursenet-job", MFD_CLOEXEC);
        if (job->output_fd < 0)
                return -errno;
        if (posix_spawn_file_actions_init(&actions) != 0)
                return -ENOMEM;
        if (posix_spawnattr_init(&attributes) != 0) {
                (void)posix_spawn_file_actions_destroy(&actions);
                return -ENOMEM;
        }
        r = spawn(job, &actions, &attributes);
        (void)posix_spawnattr_destroy(&attributes);
        (void)posix_spawn_file_actions_destroy(&actions);
        return r;
}

/* "coursenet-host fence local" */
static void complain(const struct job *job, const char *what) {
        const char *slash = strrchr(job->words[0], '/');
        char text[256];
        size_t length = 0;

        for (size_t i = 0; job->words[i] && length < sizeof(text); i++)
                length += (size_t)snprintf(text + length, sizeof(text) - length, "%s%s", i > 0 ? " " : "",
                        i == 0 && slash ? slash + 1 : job->words[i]);
        stderr_warning("%s: %s", text, what);
}

static void retry_later(struct job *job, uint64_t now_usec) {
        unsigned doublings = job->n_failed < RETRY_DOUBLINGS ? job->n_failed : RETRY_DOUBLINGS;

        job->n_failed++;
        if (!job->wanted)
                want_at(job, now_usec, now_usec + (RETRY_MIN_USEC << doublings));
}

static void start(struct job *job, uint64_t now_usec) {
        int r;

        job->wanted = false;
        job->deadline_usec = now_usec + UINT64_C(1000) * job->timeout_ms;
        r = begin(job);
        if (r >= 0)
                return;
        job->pid = 0;
        close_pointer(&job->output_fd);
        complain(job, strerror(-r));
        retry_later(job, now_usec);
}

void job_tick(struct job *job, uint64_t now_usec) {
        if (job->pid > 0 && now_usec >= job->deadline_usec) {
                complain(job, "took too long and was killed; it will be retried later");
                (void)kill(job->pid, SIGKILL);
                job->deadline_usec = UINT64_MAX;
        }
        if (job->pid == 0 && job->wanted && now_usec >= job->due_usec)
                start(job, now_usec);
}

void job_interrupt(struct job *job) {
        if (job->pid == 0)
                return;
        (void)kill(job->pid, SIGKILL);
        job->deadline_usec = UINT64_MAX;
}

uint64_t job_next_usec(const struct job *job) {
        if (job->pid > 0)
                return job->deadline_usec;
        return job->wanted ? job->due_usec : UINT64_MAX;
}

/* --- its end ---------------------------------------------------------------------------------------- */

/* The caller frees the text; NULL: there is no output. */
static char *read_output(int fd) {
        char *text = calloc(1, SAID_MAX);
        ssize_t n = text ? pread(fd, text, SAID_MAX - 1, 0) : 0;

        if (n > 0)
                return text;
        free(text);
        return NULL;
}

static void pass_on(struct job *job) {
        char *said = read_output(job->output_fd);

        if (said && (!job->said || !string_equal(said, job->said)))
                (void)fputs(said, stderr);
        free(job->said);
        job->said = said;
        close_pointer(&job->output_fd);
}

bool job_reap(struct job *job, pid_t pid, int status, uint64_t now_usec) {
        if (pid != job->pid)
                return false;
        job->pid = 0;
        job->has_ended = true;
        job->status = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
        pass_on(job);
        /* Beyond that a command has words of its own. */
        if (job->status == EXIT_FAILURE || job->status == 255 || job->status < 0)
                retry_later(job, now_usec);
        else
                job->n_failed = 0;
        return true;
}
