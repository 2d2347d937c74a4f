/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * How long a user waits: from the start of ssh to the shell's prompt. N logins begin at the same moment, each
 * on a terminal of its own, and the time is until the last prompt. The users before "--" take turns with
 * those after it; a user logs in once, because whatever a first login leaves makes the next one faster.
 *
 *   round   users before "--", who are course users | users after it, who are not
 *
 * usage: login-bench N USER... -- USER... Runs in a guest, as root, who can log in as all of them.
 */

#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <sys/wait.h>

#include "bench.h"

#define AT_ONCE_MAX 100U
#define PROMPT "$ "

struct login {
        pid_t pid;
        int fd;
        char end[sizeof(PROMPT)]; /* the last bytes that came */
        bool prompted;
};

static void start_login(const char *user, struct login *ret) {
        char target[256];

        *ret = (struct login){0};
        (void)snprintf(target, sizeof(target), "%s@127.0.0.1", user);
        ret->pid = forkpty(&ret->fd, NULL, NULL, NULL);
        check(ret->pid < 0 ? -errno : 0, "forkpty");
        if (ret->pid == 0) {
                (void)execlp("ssh", "ssh", "-tt", target, NULL);
                exit(EXIT_FAILURE);
        }
}

static void read_some(struct login *login) {
        char buffer[4096];
        ssize_t n = read(login->fd, buffer, sizeof(buffer));
        size_t length = strlen(PROMPT);

        if (n <= 0) {
                (void)fprintf(stderr, "ssh has ended before the prompt\n");
                exit(EXIT_FAILURE);
        }
        for (ssize_t i = 0; i < n; i++) {
                (void)memmove(login->end, login->end + 1, length - 1);
                login->end[length - 1] = buffer[i];
        }
        login->prompted = memcmp(login->end, PROMPT, length) == 0;
}

static void wait_for_prompts(struct login *logins, size_t n) {
        struct pollfd polled[AT_ONCE_MAX];

        for (size_t left = n; left > 0;) {
                for (size_t i = 0; i < n; i++)
                        polled[i] = (struct pollfd){
                                .fd = logins[i].prompted ? -1 : logins[i].fd, .events = POLLIN};
                check(poll(polled, n, -1) < 0 ? -errno : 0, "poll");
                for (size_t i = 0; i < n; i++)
                        if (polled[i].revents) {
                                read_some(&logins[i]);
                                left -= logins[i].prompted;
                        }
        }
}

/* The hang-up of their terminals ends the shells, and ssh with them. */
static void end_logins(struct login *logins, size_t n) {
        for (size_t i = 0; i < n; i++)
                check(write(logins[i].fd, "exit\r", 5) != 5 ? -errno : 0, "a shell has gone");
        for (size_t i = 0; i < n; i++) {
                char buffer[4096];

                while (read(logins[i].fd, buffer, sizeof(buffer)) > 0)
                        ;
                (void)close(logins[i].fd);
                (void)waitpid(logins[i].pid, NULL, 0);
        }
}

/* seats: the users' seats go after the logout, and this waits for it. */
static uint64_t measure(sd_bus *bus, struct seen *seen, char **users, size_t n, bool seats) {
        struct login logins[AT_ONCE_MAX];
        uint64_t start, took;

        settle();
        start = now_usec();
        for (size_t i = 0; i < n; i++)
                start_login(users[i], &logins[i]);
        wait_for_prompts(logins, n);
        took = now_usec() - start;
        *seen = (struct seen){.removed = "netns@"};
        end_logins(logins, n);
        wait_for(bus, &seen->n_removed, seats ? n : 0);
        return took;
}

int main(int argc, char **argv) {
        size_t n, half = (size_t)(argc - 3) / 2;
        struct seen seen = {0};
        sd_bus *bus;

        if (argc < 5 || (n = (size_t)atoi(argv[1])) == 0 || n > AT_ONCE_MAX || argc % 2 == 0 || half % n ||
                !string_equal(argv[2 + half], "--")) {
                (void)fprintf(stderr, "usage: login-bench N USER... -- USER...\n");
                return 2;
        }
        setlinebuf(stdout);
        bus = connect_bus(&seen);
        for (size_t i = 0; i < half; i += n) {
                uint64_t one = measure(bus, &seen, argv + 2 + i, n, true);
                uint64_t other = measure(bus, &seen, argv + 3 + half + i, n, false);

                print_round("round", (uint64_t[]){one, other}, 2);
        }
        sd_bus_flush_close_unref(bus);
        return 0;
}
