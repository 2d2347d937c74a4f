/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Which events the watch gets and what it does: each source by itself, and then the whole process. */

#include "sandbox.h"

#include <net/if.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>

#include "netsetup/base/clock.h"
#include "netsetup/base/program.h"
#include "netsetup/fence/fence.h"
#include "netsetup/firewall/nftables.h"
#include "netsetup/firewall/ruleset.h"
#include "netsetup/names/dns-format.h"
#include "netsetup/watch/watch-file.h"
#include "netsetup/watch/watch-job.h"
#include "netsetup/watch/watch-nft.h"
#include "netsetup/watch/watch-route.h"
#include "netsetup/watch/watch.h"
#include "notify.h"

#define HOST BUILD_DIRECTORY "/coursenet-host"
#define NET BUILD_DIRECTORY "/coursenet-net"

#define MS UINT64_C(1000)
#define SECOND UINT64_C(1000000)

/* --- jobs: time is what the test says it is --------------------------------------------------------- */

static void make_job(struct job *job) {
        job_init(job, 1000, (const char *[]){"true", NULL});
}

static void test_events_in_a_row_are_answered_once_and_never_late(void **state) {
        uint64_t now = 100 * SECOND, first = now;
        struct job job;

        (void)state;
        make_job(&job);
        assert_int_equal(job_next_usec(&job), UINT64_MAX);
        job_want(&job, now, 30);
        assert_int_equal(job_next_usec(&job), now + 30 * MS);
        for (unsigned i = 0; i < 100; i++) {
                now += 10 * MS;
                job_want(&job, now, 30);
                assert_true(job_next_usec(&job) <= first + 200 * MS);
        }
        assert_int_equal(job_next_usec(&job), first + 200 * MS);
        job_done(&job);
}

static void test_a_repair_is_at_once_and_a_fight_ends_in_a_pause(void **state) {
        uint64_t now = 100 * SECOND;
        unsigned n_second = 0, n_pauses = 0;
        struct job job;

        (void)state;
        make_job(&job);
        assert_true(job_want_repair(&job, now));
        assert_int_equal(job_next_usec(&job), now);

        /* Somebody undoes it every five milliseconds; each repair is begun when it is due. */
        for (unsigned i = 0; i < 2000; i++, now += 5 * MS) {
                if (job.wanted && job_next_usec(&job) <= now) {
                        job.wanted = false;
                        n_second += now < 101 * SECOND;
                }
                n_pauses += !job_want_repair(&job, now);
        }
        assert_in_range(n_second, 4, 6);
        assert_int_equal(n_pauses, 1);
        assert_true(job_next_usec(&job) > now + 15 * SECOND);

        /* Something else that happens does not wait for the end of the pause. */
        job_want(&job, now, 30);
        assert_int_equal(job_next_usec(&job), now + 30 * MS);
        job_done(&job);
}

static void test_a_repair_now_and_then_is_no_fight(void **state) {
        uint64_t now = 100 * SECOND;
        struct job job;

        (void)state;
        make_job(&job);
        for (unsigned i = 0; i < 100; i++, now += 2 * SECOND) {
                assert_true(job_want_repair(&job, now));
                assert_int_equal(job_next_usec(&job), now);
                job.wanted = false;
        }
        job_done(&job);
}

/* Runs it to its end. */
static void run(struct job *job, uint64_t now) {
        int status;

        job_want(job, now, 0);
        job_tick(job, now);
        assert_true(job->pid > 0);
        assert_int_equal(waitpid(job->pid, &status, 0), job->pid);
        assert_false(job_reap(job, job->pid + 1, status, now));
        assert_true(job_reap(job, job->pid, status, now));
}

static void test_a_failure_is_tried_again_later_and_later(void **state) {
        uint64_t now = 100 * SECOND, wait = 0;
        struct job job;

        (void)state;
        job_init(&job, 1000, (const char *[]){"false", NULL});
        for (unsigned i = 0; i < 10; i++) {
                run(&job, now);
                assert_true(job.wanted);
                assert_true(job.due_usec - now >= wait);
                wait = job.due_usec - now;
                now = job.due_usec;
        }
        assert_in_range(wait, 300 * SECOND, 400 * SECOND);
        job_done(&job);
        job_init(&job, 1000, (const char *[]){"sh", "-c", "exit 3", NULL});
        run(&job, now);
        assert_int_equal(job.status, 3);
        assert_false(job.wanted);
        job_done(&job);
}

static void test_a_job_that_hangs_is_ended(void **state) {
        uint64_t now = 100 * SECOND;
        struct job job;
        int status;

        (void)state;
        job_init(&job, 1000, (const char *[]){"sleep", "1000", NULL});
        job_want(&job, now, 0);
        job_tick(&job, now);
        job_tick(&job, now + 999 * MS);
        assert_int_equal(waitpid(job.pid, &status, WNOHANG), 0);
        assert_int_equal(job_next_usec(&job), now + 1000 * MS);
        job_tick(&job, now + 1000 * MS);
        assert_int_equal(waitpid(job.pid, &status, 0), job.pid);
        assert_true(job_reap(&job, job.pid, status, now + 1001 * MS));
        assert_true(job.has_ended);
        assert_true(job.wanted);
        job_done(&job);
}

static void test_a_job_with_old_settings_is_ended_and_begins_again(void **state) {
        uint64_t now = 100 * SECOND;
        struct job job;
        int status;

        (void)state;
        job_init(&job, 300000, (const char *[]){"sleep", "1000", NULL});
        job_interrupt(&job);
        job_want(&job, now, 0);
        job_tick(&job, now);
        job_interrupt(&job);
        job_want(&job, now, 100);
        assert_int_equal(waitpid(job.pid, &status, 0), job.pid);
        assert_true(job_reap(&job, job.pid, status, now));
        assert_int_equal(job_next_usec(&job), now + 100 * MS);
        job_done(&job);
}

/* --- nftables --------------------------------------------------------------------------------------- */

#define TABLES                                                                                               \
        "table inet coursenet { chain x { }; }; table netdev coursenet_0 { chain vl-12310 { }; };"           \
        "table inet coursenet_fence { set y { type uid; }; }; table inet other { chain z { }; };"            \
        "table ip coursenet { chain z { }; };"

static struct watch_nft_changes read_nft(struct watch_nft *watch) {
        struct watch_nft_changes changes;

        assert_int_equal(watch_nft_read(watch, &changes), 0);
        return changes;
}

static void test_others_changes_of_our_tables_are_heard(void **state) {
        static const struct {
                const char *command;
                bool courses, seats, fence;
        } cases[] = {
                {"flush ruleset", true, true, true},
                {"delete table inet coursenet", true, false, false},
                {"add rule inet coursenet x drop", true, false, false},
                {"delete table netdev coursenet_0", false, true, false},
                {"add element inet coursenet_fence y { 5001 }", false, false, true},
                {"delete table inet other", false, false, false},
                {"add table netdev coursenet_mirror", false, false, false},
                {"delete table ip coursenet", false, false, false},
                {"list ruleset", false, false, false},
        };
        struct watch_nft watch;

        (void)state;
        assert_int_equal(watch_nft_open(&watch), 0);
        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                struct watch_nft_changes changes;

                assert_shell("nft flush ruleset && nft '%s'", TABLES);
                (void)read_nft(&watch);
                assert_shell("nft '%s' >/dev/null", cases[i].command);
                changes = read_nft(&watch);
                assert_int_equal(changes.courses, cases[i].courses);
                assert_int_equal(changes.seats, cases[i].seats);
                assert_int_equal(changes.fence, cases[i].fence);
                if (changes.courses || changes.seats || changes.fence)
                        assert_string_equal(changes.process, "nft");
        }
        watch_nft_close(&watch);
}

static void test_own_changes_are_not(void **state) {
        static const char *const names[] = {"coursenet-net", "coursenet-host", "coursenet-net"};
        struct sandbox *sandbox = *state;
        struct watch_nft_changes changes;
        struct watch_nft watch;

        assert_int_equal(watch_nft_open(&watch), 0);
        for (size_t i = 0; i < ELEMENTSOF(names); i++) {
                assert_int_equal(prctl(PR_SET_NAME, names[i]), 0);
                assert_int_equal(nftables_apply(TABLES, "the test", &sandbox->diagnostics), 0);
        }
        changes = read_nft(&watch);
        assert_false(changes.courses || changes.seats || changes.fence || changes.former_seats);
        /* But a seat in the table that earlier versions had is no work of this version's. */
        assert_int_equal(nftables_apply("add table netdev coursenet\nadd chain netdev coursenet vl-12310\n",
                                 "the test", &sandbox->diagnostics),
                0);
        changes = read_nft(&watch);
        assert_true(changes.former_seats);
        assert_false(changes.seats);
        assert_int_equal(
                nftables_apply("delete table netdev coursenet\n", "the test", &sandbox->diagnostics), 0);
        assert_false(read_nft(&watch).former_seats);
        /* Nor do they hide what others do then. */
        assert_shell("nft flush ruleset");
        assert_true(read_nft(&watch).courses);
        watch_nft_close(&watch);
}

static void test_what_was_missed_counts_as_changed(void **state) {
        struct watch_nft_changes changes;
        struct watch_nft watch;
        int size = 1;

        (void)state;
        assert_int_equal(watch_nft_open(&watch), 0);
        assert_int_equal(
                setsockopt(watch_nft_fd(&watch), SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)), 0);
        assert_shell("for i in $(seq 20); do nft 'add table inet t; delete table inet t'; done");
        changes = read_nft(&watch);
        assert_true(changes.courses && changes.seats && changes.fence);
        assert_false(read_nft(&watch).courses);
        watch_nft_close(&watch);
}

/* --- routes and links ------------------------------------------------------------------------------- */

static void test_what_concerns_uplinks_is_heard_and_nothing_else(void **state) {
        static const struct {
                const char *command;
                bool routes, forwarding;
        } cases[] = {
                {"ip link add up0 type veth peer name up1", true, false},
                {"ip link set up0 up && ip link set up1 up", false, false},
                {"ip address add 192.0.2.1/24 dev up0", false, false},
                {"ip route add 198.51.100.0/24 dev up0", false, false},
                {"ip route add default via 192.0.2.2", true, false},
                {"ip route del default", true, false},
                {"ip -6 route add default dev up0", true, false},
                {"ip -6 route add 2001:db8::/32 dev up0", false, false},
                /* As OpenVPN does it. */
                {"ip route add 0.0.0.0/1 dev up0", true, false},
                {"ip route add 128.0.0.0/1 dev up0", true, false},
                {"ip route del 128.0.0.0/1", true, false},
                {"ip route add 64.0.0.0/2 dev up0", false, false},
                {"ip -6 route add 2000::/3 dev up0", true, false},
                {"ip -6 route add 3000::/4 dev up0", true, false},
                {"ip -6 route add 3000::/5 dev up0", false, false},
                {"ip route add blackhole default", false, false},
                {"ip link set up1 mtu 1400", false, false},
                {"ip link set up1 down && ip link set up1 name up2", true, false},
                {"echo 1 >/proc/sys/net/ipv4/conf/up0/forwarding", false, false},
                {"echo 0 >/proc/sys/net/ipv4/conf/up0/forwarding", false, true},
                {"echo 1 >/proc/sys/net/ipv6/conf/all/forwarding", false, false},
                {"echo 0 >/proc/sys/net/ipv6/conf/all/forwarding", false, true},
                {"echo 0 >/proc/sys/net/ipv4/conf/up0/rp_filter", false, false},
                {"ip link add br-123 group 25454 up type bridge", false, false},
                {"ip link add vl-12310 group 25454 master br-123 up type veth peer name vr-12310 group 25454",
                        false, false},
                {"ip link del vl-12310", false, false},
                {"ip link add br-lan up type bridge", true, false},
        };
        struct watch_route watch;

        (void)state;
        assert_int_equal(watch_route_open(&watch), 0);
        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                struct watch_route_changes changes;

                assert_shell("%s", cases[i].command);
                /* A new carrier is told of a little later. */
                (void)usleep(20000);
                assert_int_equal(watch_route_read(&watch, &changes), 0);
                if (changes.routes != cases[i].routes || changes.forwarding != cases[i].forwarding)
                        print_message("after: %s\n", cases[i].command);
                assert_int_equal(changes.routes, cases[i].routes);
                assert_int_equal(changes.forwarding, cases[i].forwarding);
        }
        watch_route_close(&watch);
}

static void test_a_feed_of_routes_does_not_even_wake(void **state) {
        struct watch_route_changes changes;
        struct watch_route watch;
        struct pollfd pollfd;

        (void)state;
        assert_shell("ip link add up0 type veth peer name up1 && ip link set up0 up && ip link set up1 up");
        assert_int_equal(watch_route_open(&watch), 0);
        assert_int_equal(watch_route_read(&watch, &changes), 0);
        (void)usleep(200000);
        assert_int_equal(watch_route_read(&watch, &changes), 0);
        assert_shell("for i in $(seq 100); do echo route add 10.77.$i.0/24 dev up0; done | ip -batch -");
        pollfd = (struct pollfd){.fd = watch_route_fd(&watch), .events = POLLIN};
        assert_int_equal(poll(&pollfd, 1, 100), 0);
        watch_route_close(&watch);
}

static bool is_readable(int fd) {
        struct pollfd pollfd = {.fd = fd, .events = POLLIN};

        return poll(&pollfd, 1, 0) > 0;
}

static void test_a_stream_of_changes_is_read_in_parts(void **state) {
        struct watch_route_changes changes;
        struct watch_route watch;
        unsigned n = 0;

        (void)state;
        assert_shell("ip link add up0 type veth peer name up1 && ip link set up0 up && ip link set up1 up");
        (void)usleep(200000);
        assert_int_equal(watch_route_open(&watch), 0);
        assert_shell("for i in $(seq 1000); do echo route add default dev up0 metric $i; done | ip -batch -");
        do {
                assert_int_equal(watch_route_read(&watch, &changes), 0);
                assert_true(changes.routes);
                n++;
        } while (is_readable(watch_route_fd(&watch)));
        assert_in_range(n, 2, 10);
        watch_route_close(&watch);
}

static void ignore_signal(int signal) {
        (void)signal;
}

static void test_a_program_is_not_waited_for_for_ever_whatever_signals_come(void **state) {
        const struct itimerval often = {.it_interval.tv_usec = 100000, .it_value.tv_usec = 100000},
                               never = {0};
        const struct sigaction action = {.sa_handler = ignore_signal};
        struct sigaction old;
        uint64_t begin = clock_now_usec();

        (void)state;
        assert_int_equal(program_run((const char *[]){"sh", "-c", "exit 3", NULL}), 3);
        assert_int_equal(sigaction(SIGALRM, &action, &old), 0);
        assert_int_equal(setitimer(ITIMER_REAL, &often, NULL), 0);
        assert_int_equal(program_run((const char *[]){"sleep", "30", NULL}), -ETIMEDOUT);
        assert_int_equal(setitimer(ITIMER_REAL, &never, NULL), 0);
        assert_int_equal(sigaction(SIGALRM, &old, NULL), 0);
        assert_in_range(clock_now_usec() - begin, 4 * SECOND, 10 * SECOND);
}

/* --- files ------------------------------------------------------------------------------------------ */

static int set_up_etc(void **state) {
        if (sandbox_setup(state) < 0 || mount("tmpfs", "/var/lib", "tmpfs", 0, "mode=755") < 0 ||
                mkdir("/run/etc", 0755) < 0)
                return -1;
        write_file("/run/etc/nsswitch.conf", "passwd: files\n");
        write_file("/run/etc/passwd", "root:x:0:0::/:/bin/sh\ncs123-newellz2:x:5001:5001::/:/bin/sh\n");
        write_file("/run/etc/resolv.conf", "");
        return shell(
                "mkdir -p /run/etc/coursenet/roster.d /run/coursenet/fence && mount --bind /run/etc /etc");
}

static int tear_down_etc(void **state) {
        return umount2("/etc", MNT_DETACH) < 0 || umount2("/var/lib", MNT_DETACH) < 0
                       ? -1
                       : sandbox_teardown(state);
}

#define etc_test(function) cmocka_unit_test_setup_teardown(function, set_up_etc, tear_down_etc)

static void test_files_are_heard_however_they_change(void **state) {
        static const struct watch_file_changes none = {0}, passwd = {.passwd = true},
                                               settings = {.settings = true}, rosters = {.rosters = true},
                                               timetables = {.timetables = true},
                                               resolvers = {.resolvers = true}, logins = {.logins = true};
        const struct {
                const char *command;
                const struct watch_file_changes *expected;
        } cases[] = {
                {"echo >>/etc/passwd", &passwd},
                {"cp /etc/passwd /etc/passwd+ && mv /etc/passwd+ /etc/passwd", &passwd},
                {"echo >>/etc/group", &none},
                {"echo >/etc/coursenet/coursenet.conf", &settings},
                {"echo >/etc/coursenet/.new && mv /etc/coursenet/.new /etc/coursenet/coursenet.conf",
                        &settings},
                {"rm /etc/coursenet/coursenet.conf", &settings},
                {"echo 'amy 10' >/etc/coursenet/roster.d/123", &rosters},
                {"echo >/etc/coursenet/roster.d/.123.new", &none},
                {"mv /etc/coursenet/roster.d/.123.new /etc/coursenet/roster.d/123", &rosters},
                {"rm /etc/coursenet/roster.d/123", &rosters},
                {"mkdir /etc/coursenet/schedule.d", &timetables},
                {"echo >/etc/coursenet/schedule.d/123.ics", &timetables},
                {"echo >/etc/coursenet/schedule.d/.new && mv /etc/coursenet/schedule.d/.new "
                 "/etc/coursenet/schedule.d/123.ics",
                        &timetables},
                {"rm /etc/coursenet/schedule.d/123.ics", &timetables},
                {"rmdir /etc/coursenet/schedule.d", &timetables},
                {"echo >/run/coursenet/fence/5001", &logins},
                {"echo >/run/coursenet/other", &none},
                {"echo nameserver 192.0.2.1 >/etc/resolv.conf", &resolvers},
                /* A link to a place that does not exist yet, and the steps until it does. */
                {"ln -sf ../run/deep/er/stub.conf /etc/resolv.conf", &resolvers},
                {"mkdir /run/deep", &resolvers},
                {"mkdir /run/deep/er", &resolvers},
                {"echo >/run/deep/er/stub.conf", &resolvers},
                {"echo >/run/deep/er/other.conf", &none},
                {"echo >/run/deep/er/.new && mv /run/deep/er/.new /run/deep/er/stub.conf", &resolvers},
                /* A link to a link. */
                {"ln -sf /run/first.conf /run/deep/er/stub.conf", &resolvers},
                {"echo >/run/first.conf", &resolvers},
                /* Directories that go and come again. */
                {"rm -r /etc/coursenet", &settings},
                {"mkdir -p /etc/coursenet/roster.d", &settings},
                {"mv /etc/coursenet /etc/elsewhere && mv /etc/elsewhere /etc/coursenet", &settings},
                {"echo >/etc/coursenet/coursenet.conf", &settings},
                {"echo >/etc/coursenet/roster.d/124", &rosters},
                {"rm -r /run/coursenet/fence && mkdir /run/coursenet/fence", &logins},
                {"echo >/run/coursenet/fence/5002", &logins},
        };
        struct watch_files watch;

        (void)state;
        assert_int_equal(watch_files_open(&watch, "/etc/coursenet"), 0);
        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                struct watch_file_changes changes, *expected;

                assert_shell("%s", cases[i].command);
                assert_int_equal(watch_files_read(&watch, &changes), 0);
                expected = (struct watch_file_changes *)(uintptr_t)cases[i].expected;
                if (memcmp(&changes, expected, sizeof(changes)) != 0)
                        print_message("after: %s\n", cases[i].command);
                assert_int_equal(changes.passwd, expected->passwd);
                assert_int_equal(changes.settings, expected->settings);
                /* Where the whole directory goes, they go with it. */
                assert_true(changes.rosters == expected->rosters || expected->settings);
                assert_true(changes.timetables == expected->timetables || expected->settings);
                assert_int_equal(changes.resolvers, expected->resolvers);
                assert_int_equal(changes.logins, expected->logins);
        }
        watch_files_close(&watch);
}

/* --- the notification ------------------------------------------------------------------------------- */

static int listen_for_notifications(const char *path, socklen_t length) {
        struct sockaddr_un address = {.sun_family = AF_UNIX};
        int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

        assert_true(fd >= 0);
        memcpy(address.sun_path, path, length);
        assert_int_equal(bind(fd, (struct sockaddr *)&address,
                                 (socklen_t)offsetof(struct sockaddr_un, sun_path) + length),
                0);
        return fd;
}

static void assert_notified(int fd, int timeout_ms) {
        struct pollfd pollfd = {.fd = fd, .events = POLLIN};
        char text[64];

        assert_int_equal(poll(&pollfd, 1, timeout_ms), 1);
        assert_int_equal(recv(fd, text, sizeof(text), 0), strlen("READY=1"));
        assert_memory_equal(text, "READY=1", strlen("READY=1"));
}

static void test_systemd_is_told_at_a_path_and_by_an_abstract_name(void **state) {
        int fd;

        (void)state;
        assert_int_equal(unsetenv("NOTIFY_SOCKET"), 0);
        assert_int_equal(notify_send("READY=1"), 0);

        fd = listen_for_notifications("/run/notify", sizeof("/run/notify"));
        assert_int_equal(setenv("NOTIFY_SOCKET", "/run/notify", true), 0);
        assert_int_equal(notify_send("READY=1"), 0);
        assert_notified(fd, 0);
        (void)close(fd);

        fd = listen_for_notifications("\0coursenet-notify", sizeof("\0coursenet-notify") - 1);
        assert_int_equal(setenv("NOTIFY_SOCKET", "@coursenet-notify", true), 0);
        assert_int_equal(notify_send("READY=1"), 0);
        assert_notified(fd, 0);
        (void)close(fd);

        assert_int_equal(setenv("NOTIFY_SOCKET", "relative", true), 0);
        assert_int_equal(notify_send("READY=1"), -EINVAL);
        assert_int_equal(unsetenv("NOTIFY_SOCKET"), 0);
}

/* What systemd does. */
static void *take_message(void *userdata) {
        assert_notified(*(int *)userdata, 10000);
        return NULL;
}

static void test_a_last_message_is_waited_for_until_systemd_has_it(void **state) {
        pthread_t thread;
        int fd;

        (void)state;
        assert_int_equal(unsetenv("NOTIFY_SOCKET"), 0);
        assert_int_equal(notify_deliver("READY=1", 10000), 0);

        fd = listen_for_notifications("/run/notify", sizeof("/run/notify"));
        assert_int_equal(setenv("NOTIFY_SOCKET", "/run/notify", true), 0);
        assert_int_equal(notify_deliver("READY=1", 20), -ETIMEDOUT);
        assert_notified(fd, 0);

        assert_int_equal(pthread_create(&thread, NULL, take_message, &fd), 0);
        assert_int_equal(notify_deliver("READY=1", 10000), 0);
        /* It has been taken, so nothing is left to take. */
        assert_int_equal(recv(fd, &(char){0}, 1, MSG_DONTWAIT), -1);
        assert_int_equal(pthread_join(thread, NULL), 0);
        (void)close(fd);
        assert_int_equal(notify_deliver("READY=1", 10000), -ECONNREFUSED);
        assert_int_equal(unsetenv("NOTIFY_SOCKET"), 0);
}

/* --- all of it -------------------------------------------------------------------------------------- */

static pid_t start_program(const char *program) {
        int fd = listen_for_notifications("/run/notify", sizeof("/run/notify"));
        pid_t pid = fork();

        assert_true(pid >= 0);
        if (pid == 0) {
                /* A test that fails does not get to stopping it. */
                (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
                (void)setenv("NOTIFY_SOCKET", "/run/notify", true);
                (void)execl(program, program, "watch", NULL);
                _exit(EXIT_FAILURE);
        }
        assert_notified(fd, 12000);
        (void)close(fd);
        assert_int_equal(unlink("/run/notify"), 0);
        return pid;
}

static pid_t start_watch(void) {
        return start_program(HOST);
}

static void stop_watch(pid_t pid) {
        int status;

        assert_int_equal(kill(pid, SIGTERM), 0);
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_true(WIFEXITED(status));
        assert_int_equal(WEXITSTATUS(status), 0);
}

/* A second should do, so twenty are generous. */
#define assert_soon(command)                                                                                 \
        assert_shell("for i in $(seq 1000); do { " command "; } && exit 0; sleep 0.02; done; exit 1")

#define IS_FENCED(uid) "nft get element inet coursenet_fence fenced { " uid " } >/dev/null 2>&1"

#define IS_ROUTE_FENCED(family, what) "ip " family " rule | grep -qw " what

static void test_the_watch_keeps_things_as_they_are(void **state) {
        pid_t pid;

        (void)state;
        assert_shell("ip link set lo up");
        write_file("/etc/coursenet/roster.d/123", "newellz2 10\n");
        pid = start_watch();
        /* The fence stands before anybody may log in. */
        assert_shell(IS_FENCED("5001"));
        assert_soon("test -e " DNS_HOSTS_DIRECTORY "/123");

        assert_shell("nft flush ruleset");
        assert_soon(IS_FENCED("5001"));
        write_file(COURSE_LOGIN_DIRECTORY "/5002", "");
        assert_soon(IS_FENCED("5002"));
        assert_shell("nft flush chain inet coursenet_fence output");
        assert_soon("nft list chain inet coursenet_fence output | grep -q fenced");
        /* Its routing rules too, of either family, no matter who removed them. */
        assert_soon(IS_ROUTE_FENCED("", "5001"));
        assert_shell("ip rule flush; ip rule add pref 32766 lookup main");
        assert_soon(IS_ROUTE_FENCED("", "prohibit"));
        assert_shell("ip -6 rule del pref 0 uidrange 5001-5002 goto 32500");
        assert_soon(IS_ROUTE_FENCED("-6", "5001"));
        assert_shell("sed 's/5001/5003/g' /etc/passwd >/etc/passwd+ && mv /etc/passwd+ /etc/passwd");
        assert_soon(IS_FENCED("5003"));
        write_file("/etc/coursenet/roster.d/123", "newellz2 10\namy 11\n");
        assert_soon("grep -rq amy " DNS_HOSTS_DIRECTORY "/123");
        write_file("/etc/coursenet/coursenet.conf", "[site]\nfence = no\n");
        assert_soon("! nft list table inet coursenet_fence >/dev/null 2>&1");
        assert_shell("! " IS_ROUTE_FENCED("", "goto"));
        write_file("/etc/coursenet/coursenet.conf", "");
        assert_soon(IS_FENCED("5003"));

        assert_shell("cd /proc/%d/fd && test $(ls | wc -l) -lt 13", (int)pid);
        stop_watch(pid);
        assert_shell(IS_FENCED("5003"));
}

/* libsubid finds no plugin of that name and falls back to /etc/subuid: what it was asked for is in the file.
 */
static void test_a_login_has_its_directory_asked_for_subordinate_ids(void **state) {
        pid_t pid;

        (void)state;
        assert_shell("ip link set lo up; mkdir -p /etc/coursenet/roster.d");
        write_file("/etc/nsswitch.conf", "passwd: files\nsubid: nowhere\n");
        write_file("/etc/subuid", "cs123-zed:900000:10\n");
        pid = start_watch();
        assert_soon("test -e " DIRECTORY_SUBUID_FILE);
        assert_no_shell("grep -q zed " DIRECTORY_SUBUID_FILE);
        write_file(COURSE_LOGIN_DIRECTORY "/5002", "cs123-zed\n");
        assert_soon("grep -q cs123-zed:900000:10 " DIRECTORY_SUBUID_FILE);
        stop_watch(pid);
}

/* The watch finds this script in the place of its program, and each job is a line of /run/runs. */
#define COUNTING_SCRIPT "#!/bin/sh\necho \"$*\" >>/run/runs\nexec " HOST " \"$@\"\n"

/* A run of the fence takes the longer, the more users are fenced, and would compete with the login. */
static void test_a_login_of_somebody_who_is_fenced_starts_no_run(void **state) {
        pid_t pid;

        (void)state;
        assert_shell("ip link set lo up; mkdir -p /etc/coursenet/roster.d /run/libexec; touch /run/runs; "
                     "cp " HOST " /run/libexec/coursenet-host");
        pid = start_program("/run/libexec/coursenet-host");
        assert_shell(IS_FENCED("5001"));
        write_file("/run/libexec/new", COUNTING_SCRIPT);
        assert_shell("chmod 755 /run/libexec/new && mv /run/libexec/new /run/libexec/coursenet-host");

        /* The events come in order: what follows is seen later. */
        write_file(COURSE_LOGIN_DIRECTORY "/.5001.new", "cs123-newellz2\n");
        assert_shell("mv " COURSE_LOGIN_DIRECTORY "/.5001.new " COURSE_LOGIN_DIRECTORY "/5001");
        write_file("/etc/coursenet/roster.d/123", "newellz2 10\n");
        assert_soon("grep -q '^dns' /run/runs");
        assert_no_shell("grep '^fence local' /run/runs");

        /* Under another name it may be somebody who is excepted. */
        write_file(COURSE_LOGIN_DIRECTORY "/5001", "cs123-amy\n");
        assert_soon("grep -q '^fence local' /run/runs");
        write_file(COURSE_LOGIN_DIRECTORY "/5002", "cs123-zed\n");
        assert_soon(IS_FENCED("5002"));
        stop_watch(pid);
}

static void test_a_course_is_repaired_and_follows_its_uplink(void **state) {
        pid_t pid;

        (void)state;
        write_file("/etc/coursenet/roster.d/123", "newellz2 10\n");
        assert_shell(
                "mount -t sysfs none /sys; ip link set lo up && ip link add up0 type veth peer name up1 && "
                "ip link set up0 up && ip link set up1 up && ip address add 192.0.2.2/24 dev up0 && "
                "ip route add default via 192.0.2.1");
        pid = start_watch();
        assert_shell(NET " bridge start 123 && " NET " netns start 12310 && " NET " seat start 12310");
        assert_shell("nft list set inet coursenet uplinks | grep -q up0");
        assert_shell("nft flush ruleset");
        assert_soon("nft list set inet coursenet uplinks 2>/dev/null | grep -q up0");
        assert_soon("nft list chain netdev coursenet_0 vl-12310 >/dev/null 2>&1");
        assert_shell("sysctl -q net.ipv4.ip_forward=0");
        assert_soon("test $(cat /proc/sys/net/ipv4/conf/br-123/forwarding) = 1");
        assert_shell("ip link add other0 type veth peer name other1 && ip link set other0 up && "
                     "ip link set other1 up && ip route replace default dev other0");
        assert_soon("nft list set inet coursenet uplinks | grep -q other0");
        write_file("/etc/resolv.conf", "nameserver 192.0.2.53\n");
        assert_soon("nft list table inet coursenet | grep -q 192.0.2.53");
        stop_watch(pid);
        assert_shell("nft list set inet coursenet uplinks | grep -q other0");
}

/*
 * Before there was coursenet-host, the watch was `coursenet-net watch`, and so were its jobs. An upgrade
 * replaces the programs under it. It takes only changes by coursenet-net for its own, and would undo all
 * others.
 */
static void test_the_watch_of_an_earlier_version_works_until_it_is_restarted(void **state) {
        pid_t pid;

        (void)state;
        assert_shell("ip link set lo up; mkdir /run/libexec && cp " HOST " /run/libexec/coursenet-net");
        pid = start_program("/run/libexec/coursenet-net");
        assert_shell(IS_FENCED("5001"));
        assert_shell("cd /run/libexec && cp " HOST " . && cp " NET " new && mv new coursenet-net");

        assert_shell("timeout 60 nft monitor >/run/monitor 2>&1 </dev/null & echo $! >/run/monitor.pid");
        assert_soon("nft 'add table ip seen; delete table ip seen'; grep -q seen /run/monitor");
        write_file(COURSE_LOGIN_DIRECTORY "/5002", "");
        assert_soon(IS_FENCED("5002"));
        assert_soon("grep -q '(coursenet-net)' /run/monitor");
        assert_shell("! grep '(coursenet-host)' /run/monitor");
        assert_shell("nft flush ruleset");
        assert_soon(IS_FENCED("5001"));
        assert_shell("kill $(cat /run/monitor.pid)");
        stop_watch(pid);
}

static void test_commands_of_an_earlier_version_are_still_understood(void **state) {
        (void)state;
        assert_shell("ip link set lo up");
        write_file("/etc/coursenet/coursenet.conf", "[site]\ndns = off\n");
        assert_int_equal(shell(NET " dns"), 3);
        assert_shell(NET " fence && " IS_FENCED("5001"));
        assert_shell(NET " check | grep -q . ; " NET " refresh courses && " NET " refresh seats && " NET
                         " fence new");
        assert_shell(NET " teardown >/dev/null && ! nft list table inet coursenet_fence 2>/dev/null");
        assert_int_equal(shell(NET " fence no-such 2>/dev/null"), 2);
        assert_int_equal(shell(NET " no-such 2>/dev/null"), 2);
}

static void test_the_watch_sleeps_when_nothing_happens(void **state) {
        pid_t pid;

        (void)state;
        pid = start_watch();
        /* When its start is over, which two quiet seconds tell, it sleeps on. */
        assert_shell("f() { grep ^voluntary /proc/%d/status; }; a=; "
                     "for i in $(seq 15); do test \"$a\" = \"$(f)\" && break; a=$(f); sleep 2; done; "
                     "sleep 4; test \"$a\" = \"$(f)\"",
                (int)pid);
        stop_watch(pid);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_events_in_a_row_are_answered_once_and_never_late),
                cmocka_unit_test(test_a_repair_is_at_once_and_a_fight_ends_in_a_pause),
                cmocka_unit_test(test_a_repair_now_and_then_is_no_fight),
                cmocka_unit_test(test_a_failure_is_tried_again_later_and_later),
                cmocka_unit_test(test_a_job_that_hangs_is_ended),
                cmocka_unit_test(test_a_job_with_old_settings_is_ended_and_begins_again),
                sandbox_test(test_others_changes_of_our_tables_are_heard),
                sandbox_test(test_own_changes_are_not),
                sandbox_test(test_what_was_missed_counts_as_changed),
                sandbox_test(test_what_concerns_uplinks_is_heard_and_nothing_else),
                sandbox_test(test_a_feed_of_routes_does_not_even_wake),
                sandbox_test(test_a_stream_of_changes_is_read_in_parts),
                cmocka_unit_test(test_a_program_is_not_waited_for_for_ever_whatever_signals_come),
                etc_test(test_files_are_heard_however_they_change),
                sandbox_test(test_systemd_is_told_at_a_path_and_by_an_abstract_name),
                sandbox_test(test_a_last_message_is_waited_for_until_systemd_has_it),
                etc_test(test_the_watch_keeps_things_as_they_are),
                etc_test(test_a_login_has_its_directory_asked_for_subordinate_ids),
                etc_test(test_a_login_of_somebody_who_is_fenced_starts_no_run),
                etc_test(test_a_course_is_repaired_and_follows_its_uplink),
                etc_test(test_the_watch_of_an_earlier_version_works_until_it_is_restarted),
                etc_test(test_commands_of_an_earlier_version_are_still_understood),
                etc_test(test_the_watch_sleeps_when_nothing_happens),
        };

        return cmocka_run_group_tests_name("watch", tests, NULL, NULL);
}
