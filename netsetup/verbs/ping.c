/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * testnetns@: three ICMP echoes, by a socket of the kind that needs no privilege where the namespace allows
 * ping, and by a raw one elsewhere.
 */

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/ip.h>
#include <netinet/ip_icmp.h>
#include <poll.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "base/failure.h"
#include "kernel/link.h"
#include "ping.h"
#include "seat-argument.h"

#define INTERVAL_MS 200
#define TIMEOUT_MS 1000

/* What ping(8) sends. */
#define PAYLOAD_SIZE 56U

struct echo {
        struct icmphdr header;
        uint8_t payload[PAYLOAD_SIZE];
};

struct pinger {
        int fd;
        bool raw; /* receives the answers to all pings, each behind its IP header */
        uint16_t id;
};

static void sleep_until(int64_t when) {
        int64_t left = when - clock_now_ms();

        if (left > 0)
                (void)poll(NULL, 0, (int)left);
}

/* The internet checksum, RFC 1071. */
static uint16_t checksum(const void *data, size_t size) {
        const uint8_t *bytes = data;
        uint32_t sum = 0;

        for (size_t i = 0; i + 1 < size; i += 2)
                sum += (uint32_t)bytes[i] << 8 | bytes[i + 1];
        sum = (sum >> 16) + (sum & 0xffffU);
        sum += sum >> 16;
        return htons((uint16_t)~sum);
}

static int open_pinger(uint32_t ip, struct pinger *ret) {
        struct sockaddr_in host = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(ip)};
        _cleanup_close_ int fd = -1;
        bool raw = false;

        fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, IPPROTO_ICMP);
        if (fd < 0) {
                raw = true;
                fd = socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_ICMP);
        }
        if (fd < 0 || connect(fd, (struct sockaddr *)&host, sizeof(host)) < 0)
                return -errno;

        *ret = (struct pinger){.fd = fd, .raw = raw, .id = (uint16_t)getpid()};
        fd = -1;
        return 0;
}

static void send_echo(const struct pinger *pinger, uint16_t sequence) {
        struct echo echo = {.header = {.type = ICMP_ECHO}};

        echo.header.un.echo.id = htons(pinger->id);
        echo.header.un.echo.sequence = htons(sequence);
        echo.header.checksum = checksum(&echo, sizeof(echo));

        /* A ping that cannot be sent counts as lost, so an unreachable host is a loss of 100%. */
        (void)send(pinger->fd, &echo, sizeof(echo), MSG_NOSIGNAL);
}

/* Without raw, the kernel has removed the IP header and compared the id. */
static bool is_answer(const struct pinger *pinger, const uint8_t *packet, size_t size, uint16_t sequence) {
        struct icmphdr header;
        size_t skip = 0;

        if (pinger->raw) {
                if (size < sizeof(struct iphdr))
                        return false;
                skip = (size_t)(packet[0] & 0x0fU) * 4U;
        }
        if (size < skip + sizeof(header))
                return false;
        memcpy(&header, packet + skip, sizeof(header));
        return header.type == ICMP_ECHOREPLY && header.un.echo.sequence == htons(sequence) &&
               (!pinger->raw || header.un.echo.id == htons(pinger->id));
}

static bool wait_answer(const struct pinger *pinger, uint16_t sequence, int64_t deadline) {
        int64_t left;

        while ((left = deadline - clock_now_ms()) > 0) {
                struct pollfd pollfd = {.fd = pinger->fd, .events = POLLIN};
                uint8_t packet[512];
                ssize_t n;

                if (poll(&pollfd, 1, (int)left) <= 0)
                        continue;
                /*
                 * An error is a router's report about the host. It is not an answer, and an answer may still
                 * come.
                 */
                n = recv(pinger->fd, packet, sizeof(packet), MSG_DONTWAIT);
                if (n > 0 && is_answer(pinger, packet, (size_t)n, sequence))
                        return true;
        }
        return false;
}

int ping_host(uint32_t ip, unsigned *ret_received) {
        struct pinger pinger;
        unsigned received = 0;
        int r;

        r = open_pinger(ip, &pinger);
        if (r < 0)
                return r;

        for (uint16_t i = 1; i <= PING_COUNT; i++) {
                int64_t sent = clock_now_ms();

                send_echo(&pinger, i);
                if (wait_answer(&pinger, i, sent + TIMEOUT_MS))
                        received++;
                if (i < PING_COUNT)
                        sleep_until(sent + INTERVAL_MS);
        }
        close_pointer(&pinger.fd);

        *ret_received = received;
        return 0;
}

/* The address that the seat's link has in this namespace now. */
static int find_own_address(
        const struct seat_plan *plan, struct address *ret, struct diagnostics *diagnostics) {
        _cleanup_link_networks_ struct link_networks networks = {0};
        _cleanup_link_socket_ struct link_socket socket = {0};
        struct link link;
        int r;

        r = link_open(&socket);
        if (r >= 0)
                r = link_find(&socket, plan->peer, "veth", &link);
        if (r == LINK_ABSENT) {
                diagnostics_error(diagnostics, plan->peer, 0,
                        "there is no such link here: run the test inside the seat's namespace, by "
                        "systemctl start testnetns@%s.service",
                        plan->name);
                return -ENODEV;
        }
        if (r >= 0)
                r = link_list_addresses(&socket, &networks);
        if (r < 0)
                return failure(diagnostics, plan->peer, r, "cannot be looked up");

        for (size_t i = 0; i < networks.n_items; i++)
                if (networks.items[i].index == link.index) {
                        *ret = networks.items[i].address;
                        return 0;
                }
        diagnostics_error(
                diagnostics, plan->peer, 0, "has no IPv4 address: restart nsbr@%s.service", plan->name);
        return -EADDRNOTAVAIL;
}

static int resolve(const char *host, uint32_t *ret_ip, struct diagnostics *diagnostics) {
        struct addrinfo hints = {.ai_family = AF_INET, .ai_socktype = SOCK_DGRAM};
        struct addrinfo *found;
        struct sockaddr_in in;
        int r;

        r = getaddrinfo(host, NULL, &hints, &found);
        if (r != 0) {
                diagnostics_error(diagnostics, host, 0, "no IPv4 address is known for this test host: %s",
                        r == EAI_SYSTEM ? strerror(errno) : gai_strerror(r));
                return -EHOSTUNREACH;
        }
        memcpy(&in, found->ai_addr, sizeof(in));
        freeaddrinfo(found);
        *ret_ip = ntohl(in.sin_addr.s_addr);
        return 0;
}

static void format_report(const struct seat_plan *plan, const char *host, const struct address *address,
        struct ping_report *report) {
        char text[ADDRESS_TEXT_SIZE];

        address_format(address, text);
        (void)snprintf(report->text, sizeof(report->text), "ping %s from %s: %s (%s) %u%% packet loss", host,
                plan->netns, text, plan->peer, (PING_COUNT - report->n_received) * 100U / PING_COUNT);
}

int ping_test(const char *etc, const char *seat, struct ping_report *ret, struct diagnostics *diagnostics) {
        _cleanup_settings_ struct settings settings = {0};
        char gateway[ADDRESS_TEXT_SIZE];
        struct ping_report report = {0};
        struct address address;
        struct seat_plan plan;
        const char *host;
        uint32_t ip;
        int r;

        r = seat_argument_load(etc, seat, &settings, &plan, diagnostics);
        if (r < 0)
                return r;
        r = find_own_address(&plan, &address, diagnostics);
        if (r < 0)
                return r;

        host = settings_for_course(&settings, plan.id.course)->test_host;
        if (host[0] == '\0') {
                address_format_ip(plan.gateway, gateway);
                host = gateway;
        }
        r = resolve(host, &ip, diagnostics);
        if (r < 0)
                return r;
        r = ping_host(ip, &report.n_received);
        if (r == -ENETUNREACH || r == -EHOSTUNREACH)
                report.n_received = 0;
        else if (r < 0)
                return failure(diagnostics, plan.netns, r, "cannot send a ping");

        format_report(&plan, host, &address, &report);
        *ret = report;
        return 0;
}
