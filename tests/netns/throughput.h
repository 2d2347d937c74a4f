/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* How much one TCP stream carries between two network namespaces. */

#include <arpa/inet.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <time.h>

#include "sandbox.h"

#define STREAM_PORT 5999
#define STREAM_MS 1200

static inline int64_t now_ms(void) {
        struct timespec now;

        (void)clock_gettime(CLOCK_MONOTONIC, &now);
        return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* netns: of the sandbox; NULL: the sandbox's own. For a child only. */
static inline void enter_netns(const char *netns) {
        char path[128];
        int fd;

        if (!netns)
                return;
        (void)snprintf(path, sizeof(path), "/run/netns/%s", netns);
        fd = open(path, O_RDONLY | O_CLOEXEC);
        if (fd < 0 || setns(fd, CLONE_NEWNET) < 0)
                _exit(EXIT_FAILURE);
}

static inline struct sockaddr_in stream_address(const char *ip) {
        struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(STREAM_PORT)};

        (void)inet_pton(AF_INET, ip, &address.sin_addr);
        return address;
}

/* Sends for as long as somebody listens. */
static inline pid_t start_sender(const char *netns, const char *ip) {
        static char bytes[65536];
        struct sockaddr_in address = stream_address(ip);
        pid_t pid = fork();
        int fd;

        if (pid != 0)
                return pid;
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
        enter_netns(netns);
        fd = socket(AF_INET, SOCK_STREAM, 0);
        if (connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
                _exit(EXIT_FAILURE);
        while (send(fd, bytes, sizeof(bytes), MSG_NOSIGNAL) > 0)
                ;
        _exit(EXIT_SUCCESS);
}

/* Bytes that arrive within STREAM_MS after the first ones. */
static inline uint64_t receive(int listener) {
        static char bytes[65536];
        struct pollfd ready = {.fd = listener, .events = POLLIN};
        uint64_t total = 0;
        int64_t end;
        ssize_t n;
        int fd;

        if (poll(&ready, 1, 5000) != 1)
                return 0;
        fd = accept(listener, NULL, NULL);
        n = recv(fd, bytes, sizeof(bytes), 0);
        for (end = now_ms() + STREAM_MS; n > 0 && now_ms() < end; total += (uint64_t)n)
                n = recv(fd, bytes, sizeof(bytes), 0);
        (void)close(fd);
        return total;
}

/* A child's share of measure(): listens, then says so by a byte, then by how much it was. */
static inline void receiver(const char *netns, const char *ip, int report) {
        struct sockaddr_in address = stream_address(ip);
        uint64_t total;
        int fd, one = 1;

        (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
        enter_netns(netns);
        fd = socket(AF_INET, SOCK_STREAM, 0);
        (void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
        if (bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0 || listen(fd, 1) < 0 ||
                write(report, "", 1) != 1)
                _exit(EXIT_FAILURE);
        total = receive(fd);
        _exit(write(report, &total, sizeof(total)) == sizeof(total) ? EXIT_SUCCESS : EXIT_FAILURE);
}

/* Mbit/s of payload that arrive at ip in namespace "to". */
static inline unsigned measure(const char *from, const char *to, const char *ip) {
        pid_t receiving, sending;
        uint64_t total = 0;
        int report[2];
        char byte;

        assert_int_equal(pipe2(report, O_CLOEXEC), 0);
        receiving = fork();
        if (receiving == 0)
                receiver(to, ip, report[1]);
        (void)close(report[1]);
        assert_int_equal(read(report[0], &byte, 1), 1);
        sending = start_sender(from, ip);
        assert_int_equal(read(report[0], &total, sizeof(total)), sizeof(total));
        (void)close(report[0]);

        (void)kill(sending, SIGKILL);
        (void)waitpid(sending, NULL, 0);
        (void)waitpid(receiving, NULL, 0);
        return (unsigned)(total * 8 / STREAM_MS / 1000);
}
