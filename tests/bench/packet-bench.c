/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * How many packets a second of processor time one process sends to an address: small UDP datagrams of a
 * socket that is not connected, so that each is looked up by itself, in the routing rules and in the
 * firewall. Other work on the machine counts little in processor time.
 *
 *     packet-bench ADDRESS MILLISECONDS
 */

#include <arpa/inet.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>

/* Of the service "discard". */
#define PORT 9

/* How many are sent between two looks at the clock. */
#define BATCH 64U

static uint64_t cpu_usec(void) {
        struct timespec ts;

        (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
        return (uint64_t)ts.tv_sec * 1000000U + (uint64_t)ts.tv_nsec / 1000U;
}

int main(int argc, char **argv) {
        struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(PORT)};
        int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
        uint64_t start, usec, n = 0;

        if (argc != 3 || fd < 0 || inet_pton(AF_INET, argv[1], &to.sin_addr) != 1)
                return EXIT_FAILURE;
        start = cpu_usec();
        do {
                /* What an ICMP message has said of one before makes the next fail. */
                for (unsigned i = 0; i < BATCH; i++)
                        n += sendto(fd, "", 1, 0, (struct sockaddr *)&to, sizeof(to)) == 1;
                usec = cpu_usec() - start;
        } while (usec < strtoull(argv[2], NULL, 10) * 1000U);
        (void)printf("%llu\n", (unsigned long long)(n * 1000000U / usec));
        return n > 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
