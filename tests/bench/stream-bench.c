/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * How much processor time TCP takes from one network namespace to another, for several pairs of them. One
 * thread sends and receives, so all work for a packet is done in its time, except what the kernel puts off to
 * its own threads. Each round takes every pair once, and the next round begins with the next pair. Other
 * work on the machine slows every pair down alike.
 *
 *     stream-bench ROUNDS CLIENT SERVER ADDRESS [CLIENT SERVER ADDRESS]...
 *
 * CLIENT and SERVER are paths of namespaces, and ADDRESS is the server's. It prints a line for each round: a
 * word, and for each pair the nanoseconds for 64 KiB.
 */

#include <arpa/inet.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sched.h>
#include <sys/socket.h>
#include <time.h>

#include "util.h"

#define PORT 5201
#define PAIRS_MAX 8U

/* The figure is for one unit of that size. */
#define UNIT_SIZE 65536U
#define UNITS 4U
/* Before the first round, so that the connection has opened its windows; and before each measurement. */
#define WARM_UP (1024U * UNIT_SIZE)
#define LEAD (2U * UNIT_SIZE)

struct pair {
        int sender, receiver;
};

static void check(long r, const char *what) {
        if (r >= 0)
                return;
        perror(what);
        exit(EXIT_FAILURE);
}

static uint64_t cpu_nsec(void) {
        struct timespec ts;

        (void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ts);
        return (uint64_t)ts.tv_sec * 1000000000U + (uint64_t)ts.tv_nsec;
}

static int socket_in(const char *netns) {
        _cleanup_close_ int fd = open(netns, O_RDONLY | O_CLOEXEC);
        int r;

        check(fd, netns);
        check(setns(fd, CLONE_NEWNET), "setns");
        r = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        check(r, "socket");
        return r;
}

static struct pair connect_pair(const char *client, const char *server, const char *address) {
        struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(PORT)};
        const int on = 1;
        struct pair pair;
        int listener = socket_in(server);

        check(inet_pton(AF_INET, address, &to.sin_addr) - 1, "address");
        check(setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)), "SO_REUSEADDR");
        check(bind(listener, (struct sockaddr *)&to, sizeof(to)), "bind");
        check(listen(listener, 1), "listen");
        pair.sender = socket_in(client);
        check(connect(pair.sender, (struct sockaddr *)&to, sizeof(to)), "connect");
        pair.receiver = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
        check(pair.receiver, "accept");
        (void)close(listener);
        return pair;
}

static ssize_t or_again(ssize_t r, const char *what) {
        if (r < 0 && errno == EAGAIN)
                return 0;
        check(r, what);
        return r;
}

/* Fills the connection, then takes what has come, so that packets are as large as those of a long transfer.
 */
static void carry(const struct pair *pair, size_t size) {
        static char bytes[2 * UNIT_SIZE];
        size_t sent = 0, received = 0;

        while (received < size) {
                ssize_t n = 1;

                while (sent < size && n > 0) {
                        n = or_again(send(pair->sender, bytes,
                                             size - sent < UNIT_SIZE ? size - sent : UNIT_SIZE, MSG_DONTWAIT),
                                "send");
                        sent += (size_t)n;
                }
                while ((n = or_again(recv(pair->receiver, bytes, sizeof(bytes), MSG_DONTWAIT), "recv")) > 0)
                        received += (size_t)n;
        }
}

static uint64_t measure(const struct pair *pair) {
        uint64_t start;

        carry(pair, LEAD);
        start = cpu_nsec();
        carry(pair, UNITS * UNIT_SIZE);
        return (cpu_nsec() - start) / UNITS;
}

int main(int argc, char **argv) {
        unsigned long rounds = argc > 1 ? strtoul(argv[1], NULL, 10) : 0;
        size_t n = argc > 1 ? ((size_t)argc - 2) / 3 : 0;
        struct pair pairs[PAIRS_MAX];
        uint64_t nsec[PAIRS_MAX];

        if (rounds == 0 || n == 0 || n > PAIRS_MAX || (argc - 2) % 3 != 0)
                return EXIT_FAILURE;
        for (size_t i = 0; i < n; i++) {
                pairs[i] = connect_pair(argv[2 + 3 * i], argv[3 + 3 * i], argv[4 + 3 * i]);
                carry(&pairs[i], WARM_UP);
        }
        for (unsigned long round = 0; round < rounds; round++) {
                for (size_t i = 0; i < n; i++)
                        nsec[(i + round) % n] = measure(&pairs[(i + round) % n]);
                (void)printf("round");
                for (size_t i = 0; i < n; i++)
                        (void)printf(" %" PRIu64, nsec[i]);
                (void)putchar('\n');
        }
        return EXIT_SUCCESS;
}
