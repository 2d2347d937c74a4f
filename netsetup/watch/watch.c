/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * One loop around poll(). Changes by other programs arrive over five descriptors and cause jobs, which are
 * child processes that do the work. The loop keeps no state of the network that could be wrong, because a job
 * computes everything from scratch.
 *
 * It sleeps until something happens. Only while students of a roster have no account, it looks for them once
 * a minute, because a directory does not report new accounts. During an exam it asks for the addresses of
 * allowed names once a minute, and it wakes up when an exam begins or ends. On a member of [hosts] it wakes
 * up at the deadline of the claims.
 */

#include <poll.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/timerfd.h>
#include <sys/wait.h>

#include "base/claim.h"
#include "base/clock.h"
#include "base/failure.h"
#include "base/runtime-file.h"
#include "base/stderr.h"
#include "claims/claims.h"
#include "exam/exam-update.h"
#include "fence/fence.h"
#include "fence/subuid-directory.h"
#include "names/dns-format.h"
#include "notify.h"
#include "protocol.h"
#include "watch-file.h"
#include "watch-job.h"
#include "watch-nft.h"
#include "watch-route.h"
#include "watch.h"

#define DEBOUNCE_MS 30U

/* These changes are not urgent: an editor saves a file, or accounts are created after a roster. */
#define FILES_DEBOUNCE_MS 100U

/* How long logins at boot wait for the user database. */
#define READY_USEC UINT64_C(10000000)

/* How long jobs may run after SIGTERM. The watch does not wait for a user database. */
#define END_MS 2000

#define ACCOUNTS_INTERVAL_USEC UINT64_C(60000000)

enum {
        JOB_COURSES,     /* the courses' rules, and forwarding */
        JOB_SEATS,       /* the seats' rules */
        JOB_FENCE_LOCAL, /* the fence, without a directory */
        JOB_FENCE_NEW,   /* the fence, with a look-up of students who had no account */
        JOB_FENCE_ALL,   /* and for all */
        JOB_CLAIMS,      /* seats of spread courses that may be on the network */
        JOB_EXAM,        /* exams, and the courses' rules with them */
        JOB_DNS,
        JOB_DNS_RESTART, /* if it runs */
        JOB_DNS_START,
        JOB_SCHEDULE, /* which seats are held for classes */
        _JOB_MAX,
};

enum {
        POLL_SIGNALS,
        POLL_NFT,
        POLL_ROUTE,
        POLL_FILES,
        POLL_DEADLINE,
        _POLL_MAX,
};

struct watch {
        struct job jobs[_JOB_MAX];
        struct watch_nft nft;
        struct watch_route route;
        struct watch_files files;
        int signal_fd;
        int deadline_fd;  /* a timer that rings when the claims are over */
        bool claims_good; /* they were at the last look */
        sigset_t old_signals;
        bool ended, ready;
        uint64_t ready_usec;    /* when the watch reports READY=1 in any case */
        uint64_t accounts_usec; /* when students without an account are looked up again; UINT64_MAX: never */
        uint64_t exams_usec;    /* when exams may have changed without a file; UINT64_MAX: there is none */
        struct stat dns;        /* the configuration that dnsmasq should be running with */
};

static void want(struct watch *watch, unsigned job, unsigned delay_ms) {
        job_want(&watch->jobs[job], clock_now_usec(), delay_ms);
}

/* --- jobs ------------------------------------------------------------------------------------------- */

static void init_jobs(struct watch *watch, const char *program) {
        struct job *jobs = watch->jobs;

        job_init(&jobs[JOB_COURSES], 20000, (const char *[]){program, "refresh", "courses", NULL});
        job_init(&jobs[JOB_SEATS], 60000, (const char *[]){program, "refresh", "seats", NULL});
        job_init(&jobs[JOB_FENCE_LOCAL], 20000, (const char *[]){program, "fence", "local", NULL});
        job_init(&jobs[JOB_FENCE_NEW], 30000, (const char *[]){program, "fence", "new", NULL});
        /* A large directory is slow to list its accounts. Logins do not wait for that: READY_USEC. */
        job_init(&jobs[JOB_FENCE_ALL], 300000, (const char *[]){program, "fence", NULL});
        job_init(&jobs[JOB_CLAIMS], 30000, (const char *[]){program, "claims", NULL});
        /* The rules come first, then name servers are asked. */
        job_init(&jobs[JOB_EXAM], 60000, (const char *[]){program, "exam", NULL});
        job_init(&jobs[JOB_DNS], 60000, (const char *[]){program, "dns", NULL});
        job_init(&jobs[JOB_DNS_RESTART], 30000,
                (const char *[]){"systemctl", "--no-block", "try-restart", "coursenet-dns.service", NULL});
        job_init(&jobs[JOB_DNS_START], 30000,
                (const char *[]){"systemctl", "--no-block", "start", "coursenet-dns.service", NULL});
        /* Not start: a run that is under way may have read the former settings. */
        job_init(&jobs[JOB_SCHEDULE], 30000,
                (const char *[]){"systemctl", "--no-block", "restart", "coursenet-schedule.service", NULL});
}

/* All zero: there is no such file, because the name service is off. */
static struct stat stat_dns(void) {
        struct stat st;

        if (stat(DNS_CONFIGURATION, &st) < 0)
                st = (struct stat){0};
        return st;
}

/* dnsmasq reads its configuration only once. If there was none, the service was skipped at its start. */
static void handle_dns(struct watch *watch) {
        struct stat now = stat_dns(), before = watch->dns;

        watch->dns = now;
        if ((before.st_ino == now.st_ino && before.st_dev == now.st_dev) ||
                access("/run/systemd/system", F_OK) < 0)
                return;
        want(watch, before.st_ino != 0 ? JOB_DNS_RESTART : JOB_DNS_START, 0);
}

static void handle_fence(struct watch *watch) {
        watch->accounts_usec = fence_missing() > 0 ? clock_now_usec() + ACCOUNTS_INTERVAL_USEC : UINT64_MAX;
}

static void handle_exam(struct watch *watch) {
        uint64_t after = exam_update_after();

        watch->exams_usec = after == UINT64_MAX ? after : clock_now_usec() + after;
}

static void handle_end(struct watch *watch, unsigned job) {
        if (job == JOB_DNS)
                handle_dns(watch);
        else if (job == JOB_EXAM)
                handle_exam(watch);
        else if (job == JOB_FENCE_ALL || job == JOB_FENCE_NEW)
                handle_fence(watch);
}

static void reap(struct watch *watch) {
        int status;
        pid_t pid;

        while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
                for (unsigned i = 0; i < _JOB_MAX; i++)
                        if (job_reap(&watch->jobs[i], pid, status, clock_now_usec()))
                                handle_end(watch, i);
}

/* --- what happens ----------------------------------------------------------------------------------- */

static int handle_signals(struct watch *watch) {
        struct signalfd_siginfo info;

        while (read(watch->signal_fd, &info, sizeof(info)) == (ssize_t)sizeof(info))
                if (info.ssi_signo != SIGCHLD)
                        watch->ended = true;
        reap(watch);
        return 0;
}

static void repair(struct watch *watch, unsigned job, const char *who) {
        if (!job_want_repair(&watch->jobs[job], clock_now_usec()))
                stderr_warning(
                        "%s keeps undoing the firewall or forwarding of coursenet: repairs pause for half "
                        "a minute, and seats may have no network until then",
                        who);
}

static int handle_nft(struct watch *watch) {
        struct watch_nft_changes changes;
        const char *who;
        int r;

        r = watch_nft_read(&watch->nft, &changes);
        if (r < 0)
                return r;
        who = changes.process[0] ? changes.process : "another program";
        if (changes.fence) {
                fence_set_stale();
                repair(watch, JOB_FENCE_LOCAL, who);
        }
        if (changes.courses)
                repair(watch, JOB_COURSES, who);
        if (changes.seats)
                repair(watch, JOB_SEATS, who);
        if (changes.former_seats)
                want(watch, JOB_SEATS, DEBOUNCE_MS);
        return 0;
}

static int handle_route(struct watch *watch) {
        struct watch_route_changes changes;
        int r;

        r = watch_route_read(&watch->route, &changes);
        if (r < 0)
                return r;
        if (changes.routes)
                want(watch, JOB_COURSES, DEBOUNCE_MS);
        if (changes.forwarding)
                repair(watch, JOB_COURSES, "another program");
        if (changes.fence) {
                fence_set_stale();
                repair(watch, JOB_FENCE_LOCAL, "another program");
        }
        return 0;
}

/*
 * A renewal of the claims, which comes every few seconds, only moves the timer. It runs on CLOCK_BOOTTIME, so
 * that it has rung when a machine that was suspended goes on.
 */
static void look_at_deadline(struct watch *watch) {
        uint64_t deadline = claims_deadline();
        struct itimerspec timer = {
                .it_value =
                        {
                                .tv_sec = (time_t)(deadline / 1000000U),
                                .tv_nsec = (long)(deadline % 1000000U) * 1000,
                        },
        };
        bool good = claims_now() < deadline;

        /* A time that is past would ring again and again; zero stops the timer. */
        if (!good)
                timer = (struct itimerspec){0};
        (void)timerfd_settime(watch->deadline_fd, TFD_TIMER_ABSTIME, &timer, NULL);
        if (good != watch->claims_good)
                want(watch, JOB_CLAIMS, 0);
        watch->claims_good = good;
}

static int handle_deadline(struct watch *watch) {
        uint64_t n;

        if (read(watch->deadline_fd, &n, sizeof(n)) < 0 && errno != EAGAIN)
                return -errno;
        look_at_deadline(watch);
        return 0;
}

/* A run that has begun may have read the logins before, and may forget a user whom it does not find. */
static bool is_fencing(const struct watch *watch) {
        return watch->jobs[JOB_FENCE_LOCAL].pid > 0 || watch->jobs[JOB_FENCE_NEW].pid > 0 ||
               watch->jobs[JOB_FENCE_ALL].pid > 0;
}

static int handle_files(struct watch *watch) {
        struct watch_file_changes changes;
        int r;

        r = watch_files_read(&watch->files, &changes);
        if (r < 0)
                return r;
        if (changes.unfenced || (changes.logins && is_fencing(watch)))
                want(watch, JOB_FENCE_LOCAL, 0);
        /* Asks the directory for the subordinate uids of the user who has logged in. */
        if (changes.logins && subuid_directory_is_used())
                want(watch, JOB_FENCE_NEW, FILES_DEBOUNCE_MS);
        if (changes.passwd)
                want(watch, JOB_FENCE_LOCAL, DEBOUNCE_MS);
        if (changes.rosters)
                want(watch, JOB_FENCE_NEW, FILES_DEBOUNCE_MS);
        if (changes.settings) {
                /*
                 * These runs have read the former settings, so they are ended. What they have found is saved.
                 */
                job_interrupt(&watch->jobs[JOB_FENCE_NEW]);
                job_interrupt(&watch->jobs[JOB_FENCE_ALL]);
                want(watch, JOB_FENCE_ALL, FILES_DEBOUNCE_MS);
        }
        if (changes.exams)
                want(watch, JOB_EXAM, 0);
        if (changes.claims)
                want(watch, JOB_CLAIMS, 0);
        if (changes.deadline)
                look_at_deadline(watch);
        if (changes.rosters || changes.settings)
                want(watch, JOB_DNS, FILES_DEBOUNCE_MS);
        /* Without the activator nothing can be held. */
        if ((changes.rosters || changes.settings || changes.timetables) &&
                access(ACTIVATOR_SOCKET, F_OK) >= 0)
                want(watch, JOB_SCHEDULE, FILES_DEBOUNCE_MS);
        if (changes.resolvers || changes.settings)
                want(watch, JOB_COURSES, DEBOUNCE_MS);
        return 0;
}

/* --- the loop --------------------------------------------------------------------------------------- */

static void say_ready(struct watch *watch, uint64_t now_usec) {
        if (watch->ready || (!watch->jobs[JOB_FENCE_ALL].has_ended && now_usec < watch->ready_usec))
                return;
        watch->ready = true;
        (void)notify_send("READY=1");
}

static void tick(struct watch *watch) {
        uint64_t now_usec = clock_now_usec();

        if (now_usec >= watch->accounts_usec) {
                watch->accounts_usec = UINT64_MAX;
                want(watch, JOB_FENCE_NEW, 0);
        }
        if (now_usec >= watch->exams_usec) {
                watch->exams_usec = UINT64_MAX;
                want(watch, JOB_EXAM, 0);
        }
        for (unsigned i = 0; i < _JOB_MAX; i++)
                job_tick(&watch->jobs[i], now_usec);
        say_ready(watch, now_usec);
}

/* NULL: until something happens. */
static const struct timespec *until_next(const struct watch *watch, struct timespec *storage) {
        uint64_t next_usec = watch->accounts_usec, now_usec = clock_now_usec();

        if (watch->exams_usec < next_usec)
                next_usec = watch->exams_usec;
        for (unsigned i = 0; i < _JOB_MAX; i++)
                if (job_next_usec(&watch->jobs[i]) < next_usec)
                        next_usec = job_next_usec(&watch->jobs[i]);
        if (!watch->ready && watch->ready_usec < next_usec)
                next_usec = watch->ready_usec;
        if (next_usec == UINT64_MAX)
                return NULL;

        next_usec = next_usec > now_usec ? next_usec - now_usec : 0;
        storage->tv_sec = (time_t)(next_usec / 1000000U);
        storage->tv_nsec = (long)(next_usec % 1000000U) * 1000;
        return storage;
}

static int wait_for_events(struct watch *watch) {
        static int (*const handlers[_POLL_MAX])(struct watch * watch) = {
                [POLL_SIGNALS] = handle_signals,
                [POLL_NFT] = handle_nft,
                [POLL_ROUTE] = handle_route,
                [POLL_FILES] = handle_files,
                [POLL_DEADLINE] = handle_deadline,
        };
        struct pollfd fds[_POLL_MAX] = {
                [POLL_SIGNALS] = {.fd = watch->signal_fd, .events = POLLIN},
                [POLL_NFT] = {.fd = watch_nft_fd(&watch->nft), .events = POLLIN},
                [POLL_ROUTE] = {.fd = watch_route_fd(&watch->route), .events = POLLIN},
                [POLL_FILES] = {.fd = watch->files.fd, .events = POLLIN},
                [POLL_DEADLINE] = {.fd = watch->deadline_fd, .events = POLLIN},
        };
        struct timespec storage;
        int r = 0;

        if (ppoll(fds, _POLL_MAX, until_next(watch, &storage), NULL) < 0)
                return errno == EINTR ? 0 : -errno;
        for (unsigned i = 0; r >= 0 && i < _POLL_MAX; i++)
                if (fds[i].revents)
                        r = handlers[i](watch);
        return r;
}

static int open_signals(struct watch *watch) {
        sigset_t signals;

        (void)sigemptyset(&signals);
        (void)sigaddset(&signals, SIGTERM);
        (void)sigaddset(&signals, SIGINT);
        (void)sigaddset(&signals, SIGCHLD);
        if (sigprocmask(SIG_BLOCK, &signals, &watch->old_signals) < 0)
                return -errno;
        watch->signal_fd = signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK);
        return watch->signal_fd < 0 ? -errno : 0;
}

/* All watches are opened before the first job runs, so that no change is missed. */
static int open_all(struct watch *watch, const char *etc) {
        int r;

        watch->deadline_fd = timerfd_create(CLOCK_BOOTTIME, TFD_CLOEXEC | TFD_NONBLOCK);
        r = watch->deadline_fd < 0 ? -errno : open_signals(watch);
        if (r >= 0)
                r = watch_nft_open(&watch->nft);
        if (r >= 0)
                r = watch_route_open(&watch->route);
        if (r >= 0)
                r = runtime_directory_make(RUN_DIRECTORY, 0755);
        if (r >= 0)
                r = runtime_directory_make(COURSE_LOGIN_DIRECTORY, 0700);
        if (r >= 0)
                r = watch_files_open(&watch->files, etc);
        return r;
}

static void close_all(struct watch *watch) {
        for (unsigned i = 0; i < _JOB_MAX; i++)
                job_done(&watch->jobs[i]);
        watch_nft_close(&watch->nft);
        watch_route_close(&watch->route);
        watch_files_close(&watch->files);
        close_pointer(&watch->signal_fd);
        close_pointer(&watch->deadline_fd);
        (void)sigprocmask(SIG_SETMASK, &watch->old_signals, NULL);
}

/* Jobs that apply rules are not killed. */
static void finish(struct watch *watch) {
        static const unsigned jobs[] = {JOB_COURSES, JOB_SEATS, JOB_CLAIMS, JOB_FENCE_LOCAL};
        uint64_t end_usec = clock_now_usec() + UINT64_C(1000) * END_MS;

        for (size_t i = 0; i < ELEMENTSOF(jobs); i++)
                while (watch->jobs[jobs[i]].pid > 0 && clock_now_usec() < end_usec) {
                        struct pollfd pollfd = {.fd = watch->signal_fd, .events = POLLIN};

                        (void)poll(&pollfd, 1, END_MS / 10);
                        (void)handle_signals(watch);
                }
}

static void want_all(struct watch *watch) {
        watch->ready_usec = clock_now_usec() + READY_USEC;
        watch->accounts_usec = watch->exams_usec = UINT64_MAX;
        watch->dns = stat_dns();
        look_at_deadline(watch);
        if (claims_are_used())
                want(watch, JOB_CLAIMS, 0);
        want(watch, JOB_FENCE_ALL, 0);
        want(watch, JOB_COURSES, 0);
        want(watch, JOB_SEATS, 0);
        want(watch, JOB_EXAM, 0);
        want(watch, JOB_DNS, 0);
}

int watch_run(const char *etc, const char *program, struct diagnostics *diagnostics) {
        struct watch watch = {.signal_fd = -1, .deadline_fd = -1, .files = WATCH_FILES_NONE};
        int r;

        init_jobs(&watch, program);
        r = open_all(&watch, etc);
        if (r >= 0)
                want_all(&watch);
        while (r >= 0 && !watch.ended) {
                tick(&watch);
                r = wait_for_events(&watch);
        }
        finish(&watch);
        close_all(&watch);
        return r < 0 ? failure(diagnostics, "watch", r, "the host's network cannot be watched") : 0;
}
