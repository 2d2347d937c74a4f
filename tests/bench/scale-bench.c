/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Measures many seats: one after the other, where the last one should cost as much as the first, and all at
 * once. It compares them with as many chains of empty units. There are two kinds of chains: a@ and b@ run no
 * program to stop; c@ and d@ run an empty one, because netns@ and nsbr@ run a program to stop.
 *
 * usage: scale-bench PAM-SERVICE USER... Runs in a guest, as root; bench.py prepares it. Every user is a
 * course user, each has a seat of their own, and the service's stack has join=no.
 */

#include <dirent.h>
#include <inttypes.h>
#include <sys/wait.h>

#include "bench.h"

#define USERS_MAX 1000U
#define SAMPLE 30U

struct bench {
        sd_bus *bus;
        struct seen seen;
        const char *service;
        char **users;
        size_t n;
};

/* --- the activator --------------------------------------------------------------------------- */

static unsigned activator_pid(sd_bus *bus) {
        uint32_t pid;

        check(sd_bus_get_property_trivial(bus, "org.freedesktop.systemd1",
                      "/org/freedesktop/systemd1/unit/coursenet_2dactivator_2eservice",
                      "org.freedesktop.systemd1.Service", "MainPID", NULL, 'u', &pid),
                "MainPID");
        return pid;
}

static size_t count_fds(unsigned pid) {
        char path[64];
        size_t n = 0;
        DIR *dir;

        (void)snprintf(path, sizeof(path), "/proc/%u/fd", pid);
        dir = opendir(path);
        check(dir ? 0 : -errno, path);
        for (struct dirent *entry; (entry = readdir(dir));)
                n += entry->d_name[0] != '.';
        (void)closedir(dir);
        return n;
}

static unsigned resident_kib(unsigned pid) {
        char path[64], line[256];
        unsigned kib = 0;
        FILE *file;

        (void)snprintf(path, sizeof(path), "/proc/%u/status", pid);
        file = fopen(path, "re");
        check(file ? 0 : -errno, path);
        while (fgets(line, sizeof(line), file) && sscanf(line, "VmRSS: %u", &kib) != 1)
                ;
        (void)fclose(file);
        return kib;
}

static void report_activator(struct bench *bench, const char *when) {
        unsigned pid = activator_pid(bench->bus);

        (void)printf("activator %-22s %5u KiB resident, %zu open files\n", when, resident_kib(pid),
                count_fds(pid));
}

/* --- one after the other --------------------------------------------------------------------- */

/* Of how many courses the users are: each course is named in front of the dash. */
static size_t count_bridges(const struct bench *bench) {
        size_t n = 0;

        for (size_t i = 0; i < bench->n; i++) {
                size_t length = strcspn(bench->users[i], "-"), j = 0;

                while (j < i && strncmp(bench->users[j], bench->users[i], length + 1) != 0)
                        j++;
                n += j == i;
        }
        return n;
}

/* How long an empty chain takes now; it is gone again afterwards. */
static uint64_t measure_floor(struct bench *bench) {
        uint64_t took = start_slice(bench->bus, &bench->seen, "coursenetbench-b@1.service");

        stop_slice(bench->bus, &bench->seen, "coursenetbench-a@1.service", 1);
        return took;
}

static void report_growth(const char *what, uint64_t *values, size_t n) {
        size_t sample = n < 2 * SAMPLE ? n / 2 : SAMPLE;
        double first = median(values, sample), last = median(values + n - sample, sample);

        (void)printf("%-16s %7.2f ms at seats 1-%zu   %7.2f ms at seats %zu-%zu   ratio %.2f   (medians)\n",
                what, first, sample, last, n - sample + 1, n, last / first);
}

static void measure_sequence(struct bench *bench) {
        uint64_t ours[USERS_MAX], floor[USERS_MAX];
        pam_handle_t *sessions[USERS_MAX];

        report_activator(bench, "without a lease");
        for (size_t i = 0; i < bench->n; i++) {
                ours[i] = open_session(bench->service, bench->users[i], &sessions[i]);
                floor[i] = measure_floor(bench);
        }
        report_growth("new seat", ours, bench->n);
        report_growth("two empty units", floor, bench->n);
        report_activator(bench, "with all of the leases");

        bench->seen = (struct seen){.removed = "netbr@"};
        for (size_t i = 0; i < bench->n; i++)
                close_session(sessions[i]);
        wait_for(bench->bus, &bench->seen.n_removed, count_bridges(bench));
}

/* --- all at once: logins --------------------------------------------------------------------- */

/* Each login is a process, as with sshd. It waits until the pipe's other end is closed, and so begins with
 * all the others. */
static void wait_for_word(int fd) {
        char c;

        if (read(fd, &c, 1) != 0)
                exit(EXIT_FAILURE);
}

struct crowd {
        int open[2], opened[2], close[2];
};

/* What a login tells the parent: that it is in, or that it has ended before. */
static int tell_fd = -1;

static void tell(char c) {
        if (tell_fd >= 0 && write(tell_fd, &c, 1) != 1)
                (void)fprintf(stderr, "a login cannot tell how it went\n");
        tell_fd = -1;
}

static void tell_failure(void) {
        tell('-');
}

static void be_login(const struct bench *bench, const char *user, const struct crowd *crowd) {
        pam_handle_t *pam;

        (void)close(crowd->open[1]);
        (void)close(crowd->close[1]);
        tell_fd = crowd->opened[1];
        (void)atexit(tell_failure);
        wait_for_word(crowd->open[0]);
        (void)open_session(bench->service, user, &pam);
        tell('+');
        wait_for_word(crowd->close[0]);
        close_session(pam);
        exit(EXIT_SUCCESS);
}

static void start_crowd(const struct bench *bench, struct crowd *ret) {
        struct crowd crowd;

        (void)fflush(NULL);
        check(pipe(crowd.open) < 0 || pipe(crowd.opened) < 0 || pipe(crowd.close) < 0 ? -errno : 0, "pipe");
        for (size_t i = 0; i < bench->n; i++) {
                pid_t pid = fork();

                check(pid < 0 ? -errno : 0, "fork");
                if (pid == 0)
                        be_login(bench, bench->users[i], &crowd);
        }
        (void)close(crowd.open[0]);
        (void)close(crowd.close[0]);
        (void)close(crowd.opened[1]);
        *ret = crowd;
}

static void end_crowd(const struct crowd *crowd) {
        int status;

        (void)close(crowd->opened[0]);
        while (wait(&status) > 0)
                if (status != 0) {
                        (void)fprintf(stderr, "a login ended with status %d\n", status);
                        exit(EXIT_FAILURE);
                }
}

/* In microseconds: until everybody is in, and until nothing is left. */
struct measured {
        uint64_t up, down;
};

static void measure_logins(struct bench *bench, struct measured *ret) {
        struct crowd crowd;
        size_t n_failed = 0;
        uint64_t start;
        char c;

        start_crowd(bench, &crowd);
        start = now_usec();
        (void)close(crowd.open[1]);
        for (size_t i = 0; i < bench->n && read(crowd.opened[0], &c, 1) == 1; i++)
                n_failed += c != '+';
        ret->up = now_usec() - start;
        if (n_failed > 0) {
                (void)fprintf(stderr, "%zu of %zu logins at once were refused\n", n_failed, bench->n);
                exit(EXIT_FAILURE);
        }

        bench->seen = (struct seen){.removed = "netns@"};
        start = now_usec();
        (void)close(crowd.close[1]);
        wait_for(bench->bus, &bench->seen.n_removed, bench->n);
        bench->seen.removed = NULL;
        ret->down = now_usec() - start;
        end_crowd(&crowd);
}

/* --- all at once: empty units ---------------------------------------------------------------- */

/* last and first: the templates of the chain, as in "coursenetbench-b@" and "coursenetbench-a@". */
static void measure_empty(struct bench *bench, const char *last, const char *first, struct measured *ret) {
        char slice[64], unit[64];
        uint64_t start = now_usec();

        bench->seen = (struct seen){.job = "coursenetbench-many"};
        for (size_t i = 0; i < bench->n; i++) {
                (void)snprintf(slice, sizeof(slice), "coursenetbench-many%zu.slice", i);
                (void)snprintf(unit, sizeof(unit), "%s%zu.service", last, i);
                send_start(bench->bus, slice, unit);
        }
        wait_for(bench->bus, &bench->seen.n_jobs, bench->n);
        ret->up = now_usec() - start;

        bench->seen = (struct seen){.removed = first};
        start = now_usec();
        for (size_t i = 0; i < bench->n; i++) {
                (void)snprintf(slice, sizeof(slice), "coursenetbench-many%zu.slice", i);
                send_stop(bench->bus, slice);
        }
        wait_for(bench->bus, &bench->seen.n_removed, bench->n);
        ret->down = now_usec() - start;
}

static void report_crowd(const char *what, size_t n, uint64_t ours, const char *against, uint64_t floor) {
        double a = (double)ours / 1e6, b = (double)floor / 1e6;

        (void)printf("%-4s at once   %6.2f s, %5.1f a second   %-36s %6.2f s, %5.1f a second   ratio %.2f\n",
                what, a, (double)n / a, against, b, (double)n / b, a / b);
}

static void measure_crowd(struct bench *bench) {
        struct measured ours, empty, stopping;

        measure_logins(bench, &ours);
        measure_empty(bench, "coursenetbench-b@", "coursenetbench-a@", &empty);
        measure_empty(bench, "coursenetbench-d@", "coursenetbench-c@", &stopping);
        (void)printf("%zu seats:\n", bench->n);
        report_crowd("up", bench->n, ours.up, "two empty units", empty.up);
        report_crowd("down", bench->n, ours.down, "two empty units", empty.down);
        report_crowd("down", bench->n, ours.down, "two that run a program to stop", stopping.down);
}

/* --- the program ----------------------------------------------------------------------------- */

int main(int argc, char **argv) {
        struct bench bench = {0};

        if (argc < 4 || (size_t)argc - 2 > USERS_MAX) {
                (void)fprintf(stderr, "usage: scale-bench PAM-SERVICE USER...\n");
                return 2;
        }
        setlinebuf(stdout);
        bench.service = argv[1];
        bench.users = argv + 2;
        bench.n = (size_t)argc - 2;
        bench.bus = connect_bus(&bench.seen);
        measure_sequence(&bench);
        measure_crowd(&bench);
        sd_bus_flush_close_unref(bench.bus);
        return 0;
}
