/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The fence as a host outside sees it: servers of a fenced uid in the sandbox's namespace, and clients in a
 * second namespace. A socket belongs to the uid and to the namespace in which it was made, so this one
 * process plays all of them.
 */

#include "throughput.h"

#include <netinet/tcp.h>

#include "netsetup/fence/fence-route.h"
#include "netsetup/fence/fence-table.h"
#include "netsetup/firewall/nftables.h"
#include "netsetup/firewall/ruleset.h"

#define FENCED 5001U
#define FREE 6001U
#define SUBORDINATE 100005U
#define ANSWER 7000

/* Longer than a lost packet waits to be sent again, and a SYN. */
#define PATIENCE_MS 1100

static const int families[] = {AF_INET, AF_INET6};

static int inside_fd, outside_fd;

static int set_up(void **state) {
        int r = sandbox_setup(state);

        if (r < 0 ||
                shell("ip netns add out && ip link set lo up && ip -n out link set lo up && "
                      "ip link add up0 type veth peer name w0 netns out && ip link set up0 up && "
                      "ip -n out link set w0 up && ip addr add 192.0.2.2/24 dev up0 && "
                      "ip addr add 2001:db8::2/64 dev up0 nodad && ip -n out addr add 192.0.2.1/24 dev w0 && "
                      "ip -n out addr add 2001:db8::1/64 dev w0 nodad") != 0)
                return -1;
        inside_fd = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
        outside_fd = open("/run/netns/out", O_RDONLY | O_CLOEXEC);
        return inside_fd < 0 || outside_fd < 0 ? -1 : 0;
}

static int tear_down(void **state) {
        (void)close(inside_fd);
        (void)close(outside_fd);
        return sandbox_teardown(state);
}

#define route_test(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

static void set_sysctl(const char *name, const char *value) {
        char path[128];

        (void)snprintf(path, sizeof(path), "/proc/sys/net/ipv4/%s", name);
        write_file(path, value);
}

static const struct fence_members alone;

/* --- the fence -------------------------------------------------------------------------------------- */

static void apply(
        struct sandbox *sandbox, const struct fence_settings *settings, const struct fence_uids *fenced) {
        char *plan = fence_table_format(settings, fenced, &alone);

        assert_non_null(plan);
        assert_int_equal(nftables_apply(plan, "fence", &sandbox->diagnostics), 0);
        assert_int_equal(fence_route_apply(plan, &sandbox->diagnostics), 0);
        assert_int_equal(fence_route_compare(plan, &sandbox->diagnostics), 0);
        assert_silence(sandbox);
        free(plan);
}

static void fence(struct sandbox *sandbox) {
        static const struct fence_settings settings = {.enabled = true};
        struct uid_range range = {.first = 100000, .last = 165535};
        uint32_t uid = FENCED;

        apply(sandbox, &settings,
                &(struct fence_uids){
                        .uids = &uid, .n_uids = 1, .subordinates = {.items = &range, .n_items = 1}});
}

/* Whether routing lets a uid to the outside, as ip(8) says. */
static bool leads_out(uint32_t uid) {
        return shell("ip route get 192.0.2.1 uid %u >/dev/null 2>&1", uid) == 0 &&
               shell("ip route get 2001:db8::1 uid %u >/dev/null 2>&1", uid) == 0;
}

/* --- sockets ---------------------------------------------------------------------------------------- */

union any_address {
        struct sockaddr any;
        struct sockaddr_in four;
        struct sockaddr_in6 six;
};

/* Of the host, where a server listens; outside: of the client's end. */
static union any_address host_address(int family, unsigned port, bool outside) {
        union any_address address = {.any.sa_family = (sa_family_t)family};

        if (family == AF_INET) {
                address.four.sin_port = htons((uint16_t)port);
                assert_int_equal(
                        inet_pton(family, outside ? "192.0.2.1" : "192.0.2.2", &address.four.sin_addr), 1);
        } else {
                address.six.sin6_port = htons((uint16_t)port);
                assert_int_equal(
                        inet_pton(family, outside ? "2001:db8::1" : "2001:db8::2", &address.six.sin6_addr),
                        1);
        }
        return address;
}

static int listen_as(uint32_t uid, int family, unsigned port, int backlog) {
        union any_address address = host_address(family, port, false);
        int fd, one = 1;

        assert_int_equal(seteuid(uid), 0);
        fd = socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        assert_true(fd >= 0);
        assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)), 0);
        assert_int_equal(bind(fd, &address.any, sizeof(address)), 0);
        assert_int_equal(listen(fd, backlog), 0);
        assert_int_equal(seteuid(0), 0);
        return fd;
}

static int open_outside(int family, int type) {
        int fd;

        assert_int_equal(setns(outside_fd, CLONE_NEWNET), 0);
        fd = socket(family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        assert_int_equal(setns(inside_fd, CLONE_NEWNET), 0);
        assert_true(fd >= 0);
        return fd;
}

static int connect_from_outside(int family, unsigned port) {
        union any_address address = host_address(family, port, false);
        int fd = open_outside(family, SOCK_STREAM);

        assert_true(connect(fd, &address.any, sizeof(address)) == 0 || errno == EINPROGRESS);
        return fd;
}

static bool is_ready(int fd, short events, int timeout_ms) {
        struct pollfd ready = {.fd = fd, .events = events};

        return poll(&ready, 1, timeout_ms) == 1 && (ready.revents & events);
}

/* -1: nobody was there. */
static int accept_as(uint32_t uid, int listener) {
        int fd;

        assert_int_equal(seteuid(uid), 0);
        fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
        assert_int_equal(seteuid(0), 0);
        return fd;
}

/* Answers every client that has connected, like a server that writes and closes. Returns their number. */
static unsigned serve(uint32_t uid, int listener) {
        static const char answer[ANSWER];
        unsigned n = 0;

        for (int fd; (fd = accept_as(uid, listener)) >= 0; n++) {
                assert_int_equal(seteuid(uid), 0);
                (void)send(fd, answer, sizeof(answer), MSG_NOSIGNAL);
                (void)close(fd);
                assert_int_equal(seteuid(0), 0);
        }
        return n;
}

static size_t read_some(int fd) {
        static char bytes[65536];
        size_t total = 0;
        ssize_t n;

        while ((n = recv(fd, bytes, sizeof(bytes), MSG_DONTWAIT)) > 0)
                total += (size_t)n;
        return total;
}

#define CLIENTS_MAX 4U

/* A server, its clients, and what they got. */
struct trial {
        uint32_t uid; /* that accepts */
        int listener; /* closed at the end */
        int family;
        unsigned port;
        unsigned n_clients;
        int clients[CLIENTS_MAX];
        unsigned served;
        size_t read;
};

static void begin_trial(struct trial *trial) {
        assert_true(trial->n_clients <= CLIENTS_MAX);
        for (unsigned i = 0; i < trial->n_clients; i++)
                trial->clients[i] = connect_from_outside(trial->family, trial->port);
}

/* Whether its clients have read all that there is for them. */
static bool continue_trial(struct trial *trial) {
        trial->served += serve(trial->uid, trial->listener);
        for (unsigned i = 0; i < trial->n_clients; i++)
                trial->read += read_some(trial->clients[i]);
        return trial->read >= (size_t)trial->n_clients * ANSWER;
}

static void end_trial(struct trial *trial) {
        for (unsigned i = 0; i < trial->n_clients; i++)
                (void)close(trial->clients[i]);
        (void)close(trial->listener);
}

static int until(int64_t end_ms) {
        int64_t left_ms = end_ms - now_ms();

        return left_ms > 0 ? (int)left_ms : 0;
}

/* All at the same time, until all clients have read all, or for as long as patience lasts. */
static void run_trials(struct trial *trials, size_t n) {
        int64_t begin = now_ms();
        bool all = false;

        for (size_t i = 0; i < n; i++)
                begin_trial(&trials[i]);
        /* The servers wait until their queues are as full as the clients make them. */
        for (size_t i = 0; i < n; i++)
                (void)is_ready(
                        trials[i].clients[trials[i].n_clients - 1], POLLOUT, until(begin + PATIENCE_MS / 3));
        while (!all && now_ms() < begin + PATIENCE_MS) {
                (void)is_ready(trials[0].listener, POLLIN, 20);
                all = true;
                for (size_t i = 0; i < n; i++)
                        all &= continue_trial(&trials[i]);
        }
        for (size_t i = 0; i < n; i++)
                end_trial(&trials[i]);
}

static void assert_closed(struct trial *trials, size_t n) {
        run_trials(trials, n);
        for (size_t i = 0; i < n; i++) {
                assert_int_equal(trials[i].read, 0);
                assert_int_equal(trials[i].served, 0);
        }
}

/* --- tests ------------------------------------------------------------------------------------------ */

/* cookies: "1", they come when the queue is full; "2", always. */
static void try_servers(const char *cookies) {
        static const uint32_t closed[] = {FENCED, SUBORDINATE};
        struct trial open_trials[ELEMENTSOF(families)],
                closed_trials[ELEMENTSOF(families) * ELEMENTSOF(closed)];
        unsigned port = 7000, n = 0;

        set_sysctl("tcp_syncookies", cookies);
        for (size_t i = 0; i < ELEMENTSOF(families); i++) {
                port++;
                open_trials[i] = (struct trial){.uid = FREE,
                        .listener = listen_as(FREE, families[i], port, 8),
                        .family = families[i],
                        .port = port,
                        .n_clients = 3};
                for (size_t j = 0; j < ELEMENTSOF(closed); j++) {
                        port++;
                        closed_trials[n++] = (struct trial){.uid = closed[j],
                                .listener = listen_as(closed[j], families[i], port, 0),
                                .family = families[i],
                                .port = port,
                                .n_clients = 4};
                }
        }
        run_trials(open_trials, ELEMENTSOF(open_trials));
        for (size_t i = 0; i < ELEMENTSOF(open_trials); i++)
                assert_int_equal(open_trials[i].read, 3 * ANSWER);
        assert_closed(closed_trials, n);
}

/* A fenced uid listens in both families, on one port; uid accepts. */
static void assert_fenced_listeners_closed(uint32_t uid, unsigned port) {
        struct trial trials[ELEMENTSOF(families)];

        for (size_t i = 0; i < ELEMENTSOF(families); i++)
                trials[i] = (struct trial){.uid = uid,
                        .listener = listen_as(FENCED, families[i], port, 0),
                        .family = families[i],
                        .port = port,
                        .n_clients = 3};
        assert_closed(trials, ELEMENTSOF(trials));
}

static void test_a_full_queue_lets_no_client_in(void **state) {
        fence(*state);
        try_servers("1");
}

static void test_syn_cookies_let_no_client_in(void **state) {
        fence(*state);
        try_servers("2");
}

/* A program can be a server on any port of root's choice. */
static void test_low_ports_let_no_client_in(void **state) {
        fence(*state);
        set_sysctl("tcp_syncookies", "2");
        set_sysctl("ip_unprivileged_port_start", "80");
        assert_fenced_listeners_closed(FENCED, 80);
}

/* The client's data is in its SYN, the server's answer right behind the SYN-ACK. */
static struct trial begin_fast_open(uint32_t uid, int family, unsigned port) {
        union any_address address = host_address(family, port, false);
        struct trial trial = {.uid = uid,
                .listener = listen_as(uid, family, port, 8),
                .family = family,
                .port = port,
                .n_clients = 1};

        trial.clients[0] = open_outside(family, SOCK_STREAM);
        assert_true(sendto(trial.clients[0], "ask", 3, MSG_FASTOPEN, &address.any, sizeof(address)) == 3 ||
                    errno == EINPROGRESS);
        return trial;
}

/* In both families; how much each client reads. */
static void try_fast_open(uint32_t uid, unsigned port, size_t expected) {
        struct trial trials[ELEMENTSOF(families)];
        int64_t end = now_ms() + PATIENCE_MS;
        bool all = false;

        for (size_t i = 0; i < ELEMENTSOF(families); i++)
                trials[i] = begin_fast_open(uid, families[i], port);
        while (!all && now_ms() < end) {
                (void)is_ready(trials[0].listener, POLLIN, 20);
                all = true;
                for (size_t i = 0; i < ELEMENTSOF(families); i++)
                        all &= continue_trial(&trials[i]);
        }
        for (size_t i = 0; i < ELEMENTSOF(families); i++) {
                assert_int_equal(trials[i].read, expected);
                end_trial(&trials[i]);
        }
}

static void test_fast_open_lets_no_client_in(void **state) {
        fence(*state);
        /* Client and server, neither needs a cookie, for every listener. */
        set_sysctl("tcp_fastopen", "1543");
        assert_int_equal(setns(outside_fd, CLONE_NEWNET), 0);
        set_sysctl("tcp_fastopen", "1543");
        assert_int_equal(setns(inside_fd, CLONE_NEWNET), 0);
        try_fast_open(FREE, 7301, ANSWER);
        try_fast_open(FENCED, 7302, 0);
}

/*
 * A client that knows a cookie needs no SYN-ACK (the secret of cookies is the same in all namespaces, so a
 * student can have one computed): the ACK alone must not do. Here the client has its cookie from before the
 * fence.
 */
static void test_the_answer_to_a_cookie_does_not_come_in(void **state) {
        struct {
                int listener, client;
        } fenced[ELEMENTSOF(families)], others[ELEMENTSOF(families)];
        struct pollfd arrivals[ELEMENTSOF(families)];

        set_sysctl("tcp_syncookies", "2");
        assert_shell("ip netns exec out nft 'add table inet hold; add chain inet hold output { type filter "
                     "hook output priority 0; }; add rule inet hold output tcp flags & (syn | ack) == ack "
                     "drop'");
        for (size_t i = 0; i < ELEMENTSOF(families); i++) {
                fenced[i].listener = listen_as(FENCED, families[i], 7401, 8);
                others[i].listener = listen_as(FREE, families[i], 7402, 8);
                fenced[i].client = connect_from_outside(families[i], 7401);
                others[i].client = connect_from_outside(families[i], 7402);
                assert_true(is_ready(fenced[i].client, POLLOUT, PATIENCE_MS));
                assert_true(is_ready(others[i].client, POLLOUT, PATIENCE_MS));
        }
        fence(*state);
        assert_shell("ip netns exec out nft delete table inet hold");
        for (size_t i = 0; i < ELEMENTSOF(families); i++) {
                assert_int_equal(send(fenced[i].client, "ask", 3, MSG_NOSIGNAL), 3);
                assert_int_equal(send(others[i].client, "ask", 3, MSG_NOSIGNAL), 3);
                arrivals[i] = (struct pollfd){.fd = fenced[i].listener, .events = POLLIN};
        }
        for (size_t i = 0; i < ELEMENTSOF(families); i++)
                assert_true(is_ready(others[i].listener, POLLIN, PATIENCE_MS));
        assert_int_equal(poll(arrivals, ELEMENTSOF(arrivals), PATIENCE_MS), 0);
        for (size_t i = 0; i < ELEMENTSOF(families); i++) {
                (void)close(fenced[i].listener);
                (void)close(fenced[i].client);
                (void)close(others[i].listener);
                (void)close(others[i].client);
        }
}

/* A server that has written all that goes in; its client has read nothing yet. */
struct delivery {
        int listener, client, server;
        size_t sent, read;
};

static struct delivery begin_delivery(uint32_t uid, int family, unsigned port) {
        static const char bytes[65536];
        struct delivery delivery = {
                .listener = listen_as(uid, family, port, 8), .client = connect_from_outside(family, port)};
        ssize_t n;

        assert_true(is_ready(delivery.listener, POLLIN, PATIENCE_MS));
        delivery.server = accept_as(uid, delivery.listener);
        while ((n = send(delivery.server, bytes, sizeof(bytes), MSG_NOSIGNAL)) > 0)
                delivery.sent += (size_t)n;
        return delivery;
}

/* The servers close. Reads on until each client has read all, or for as long as patience lasts. */
static void finish_deliveries(struct delivery *deliveries, size_t n) {
        int64_t end = now_ms() + PATIENCE_MS;
        bool all = false;

        for (size_t i = 0; i < n; i++)
                (void)close(deliveries[i].server);
        while (!all && now_ms() < end) {
                (void)is_ready(deliveries[0].client, POLLIN, 20);
                all = true;
                for (size_t i = 0; i < n; i++) {
                        deliveries[i].read += read_some(deliveries[i].client);
                        all &= deliveries[i].read >= deliveries[i].sent;
                }
        }
        for (size_t i = 0; i < n; i++) {
                (void)close(deliveries[i].client);
                (void)close(deliveries[i].listener);
        }
}

static void test_queued_data_of_who_is_fenced_later_stays(void **state) {
        static const uint32_t uids[] = {0, FREE, FENCED};
        struct delivery deliveries[ELEMENTSOF(uids) * ELEMENTSOF(families)];

        for (size_t i = 0; i < ELEMENTSOF(deliveries); i++)
                deliveries[i] = begin_delivery(uids[i / ELEMENTSOF(families)],
                        families[i % ELEMENTSOF(families)], 7501 + (unsigned)i);
        fence(*state);
        finish_deliveries(deliveries, ELEMENTSOF(deliveries));
        for (size_t i = 0; i < ELEMENTSOF(deliveries); i++) {
                if (uids[i / ELEMENTSOF(families)] == FENCED)
                        assert_true(deliveries[i].read < deliveries[i].sent);
                else
                        /* What a root daemon, or anybody else, wrote before it closed is delivered. */
                        assert_int_equal(deliveries[i].read, deliveries[i].sent);
        }
}

/* Whose process accepts does not matter: nobody gets as far. */
static void test_a_fenced_listener_that_is_handed_on_stays_fenced(void **state) {
        fence(*state);
        set_sysctl("tcp_syncookies", "2");
        assert_fenced_listeners_closed(FREE, 7601);
}

static bool datagram_arrives(int from, int to, const char *text) {
        (void)send(from, text, strlen(text), MSG_NOSIGNAL);
        return is_ready(to, POLLIN, PATIENCE_MS / 3) && read_some(to) > 0;
}

static void test_a_udp_socket_from_before_is_fenced(void **state) {
        static const uint32_t uids[] = {FREE, FENCED};

        for (size_t i = 0; i < ELEMENTSOF(families); i++) {
                union any_address address = host_address(families[i], 7700, true);
                int to = open_outside(families[i], SOCK_DGRAM), from[2];

                assert_int_equal(bind(to, &address.any, sizeof(address)), 0);
                for (size_t j = 0; j < 2; j++) {
                        assert_int_equal(seteuid(uids[j]), 0);
                        from[j] = socket(families[i], SOCK_DGRAM | SOCK_CLOEXEC, 0);
                        assert_int_equal(connect(from[j], &address.any, sizeof(address)), 0);
                        assert_int_equal(seteuid(0), 0);
                        assert_true(datagram_arrives(from[j], to, "before"));
                }
                fence(*state);
                assert_true(datagram_arrives(from[0], to, "behind"));
                assert_false(datagram_arrives(from[1], to, "behind"));
                apply(*state, &(struct fence_settings){0}, &(struct fence_uids){0});
        }
}

static void test_a_connection_cannot_be_begun_to_meet_one(void **state) {
        fence(*state);
        for (size_t i = 0; i < ELEMENTSOF(families); i++) {
                union any_address address = host_address(families[i], 7800, true);
                int fd;

                assert_int_equal(seteuid(FENCED), 0);
                fd = socket(families[i], SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
                assert_int_equal(connect(fd, &address.any, sizeof(address)), -1);
                /* At once: there is no half-open connection that a SYN from outside could make a whole one.
                 */
                assert_int_equal(errno, EACCES);
                assert_int_equal(seteuid(0), 0);
                (void)close(fd);
        }
}

static void test_the_host_itself_is_reached(void **state) {
        fence(*state);
        for (size_t i = 0; i < ELEMENTSOF(families); i++) {
                union any_address address = host_address(families[i], 7900, false);
                int listener = listen_as(FENCED, families[i], 7900, 8), fd, error;

                assert_int_equal(seteuid(FENCED), 0);
                fd = socket(families[i], SOCK_STREAM | SOCK_CLOEXEC, 0);
                error = connect(fd, &address.any, sizeof(address)) < 0 ? errno : 0;
                assert_int_equal(seteuid(0), 0);
                if (error)
                        fail_msg("connect, family %d: %s", families[i], strerror(error));
                assert_int_equal(serve(FENCED, listener), 1);
                assert_true(is_ready(fd, POLLIN, PATIENCE_MS));
                assert_int_not_equal(read_some(fd), 0);
                (void)close(fd);
                (void)close(listener);
        }
}

static void test_an_open_port_is_reached_and_the_rules_follow_it(void **state) {
        struct fence_settings settings = {.enabled = true,
                .ports = {.items = {{.number = 88, .tcp = true}, {.number = 53, .udp = true}}, .n_items = 2}};
        uint32_t uid = FENCED;
        const struct fence_uids fenced = {.uids = &uid, .n_uids = 1};

        apply(*state, &settings, &fenced);
        assert_shell("ip route get 192.0.2.1 uid 5001 ipproto tcp dport 88 >/dev/null");
        assert_shell("ip route get 2001:db8::1 uid 5001 ipproto udp dport 53 >/dev/null");
        assert_no_shell("ip route get 192.0.2.1 uid 5001 ipproto udp dport 88 2>/dev/null");
        assert_false(leads_out(FENCED));
        settings.ports.n_items = 1;
        apply(*state, &settings, &fenced);
        assert_no_shell("ip -6 route get 2001:db8::1 uid 5001 ipproto udp dport 53 2>/dev/null");
        settings.enabled = false;
        apply(*state, &settings, &fenced);
        assert_true(leads_out(FENCED));
        assert_no_shell("(ip rule; ip -6 rule) | grep -E 'uidrange|goto|nop|prohibit'");
}

/* Every other uid, so that no range has two; and then fewer, and none. */
static void test_many_scattered_uids(void **state) {
        static uint32_t uids[2000];
        const struct fence_settings settings = {.enabled = true};
        static const size_t numbers[] = {2000, 17, 16, 257, 1999, 1, 0};

        for (size_t i = 0; i < ELEMENTSOF(uids); i++)
                uids[i] = 5001 + 2 * (uint32_t)i;
        assert_shell("ip rule add pref 100 to 192.0.2.1 lookup main");
        for (size_t i = 0; i < ELEMENTSOF(numbers); i++) {
                size_t n = numbers[i];

                apply(*state, &settings, &(struct fence_uids){.uids = uids, .n_uids = n});
                for (size_t j = 0; j < ELEMENTSOF(uids); j += 333)
                        assert_int_equal(leads_out(uids[j]), j >= n);
                if (n > 0)
                        assert_false(leads_out(uids[n - 1]));
                /* What everybody's packets meet does not grow. */
                assert_shell("test $(ip rule show pref 0 | wc -l) -le 17");
                assert_true(leads_out(0));
                assert_true(leads_out(5000));
                assert_true(leads_out(5002));
                assert_true(leads_out(9001));
        }
}

/* A range that is alone in its group keeps its bounds while the group has another number, or none. */
static void test_a_range_moves_from_group_to_group(void **state) {
        static uint32_t uids[49];
        const struct fence_settings settings = {.enabled = true};
        static const size_t numbers[] = {17, 16, 17, 33, 49, 33, 17, 1};

        for (size_t i = 0; i < ELEMENTSOF(uids); i++)
                uids[i] = 5001 + 2 * (uint32_t)i;
        for (size_t i = 0; i < ELEMENTSOF(numbers); i++) {
                size_t first = ELEMENTSOF(uids) - numbers[i];

                apply(*state, &settings, &(struct fence_uids){.uids = uids + first, .n_uids = numbers[i]});
                for (size_t j = first; j < ELEMENTSOF(uids); j++)
                        assert_false(leads_out(uids[j]));
        }
}

static void test_rules_of_others_stay(void **state) {
        assert_shell("ip rule add pref 32505 from 198.51.100.1 lookup main; ip rule add from 198.51.100.2 "
                     "lookup main; "
                     "ip rule | grep -v goto >/run/before");
        fence(*state);
        apply(*state, &(struct fence_settings){0}, &(struct fence_uids){0});
        assert_shell("ip rule | grep -v goto | diff /run/before -");
}

int main(void) {
        const struct CMUnitTest tests[] = {
                route_test(test_a_full_queue_lets_no_client_in),
                route_test(test_syn_cookies_let_no_client_in),
                route_test(test_low_ports_let_no_client_in),
                route_test(test_fast_open_lets_no_client_in),
                route_test(test_the_answer_to_a_cookie_does_not_come_in),
                route_test(test_queued_data_of_who_is_fenced_later_stays),
                route_test(test_a_fenced_listener_that_is_handed_on_stays_fenced),
                route_test(test_a_udp_socket_from_before_is_fenced),
                route_test(test_a_connection_cannot_be_begun_to_meet_one),
                route_test(test_the_host_itself_is_reached),
                route_test(test_an_open_port_is_reached_and_the_rules_follow_it),
                route_test(test_many_scattered_uids),
                route_test(test_a_range_moves_from_group_to_group),
                route_test(test_rules_of_others_stay),
        };

        return cmocka_run_group_tests_name("fence-route", tests, NULL, NULL);
}
