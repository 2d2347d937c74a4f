/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* coursenet.conf: every mistake is reported with its line, and no value is guessed. */

#include "fixture.h"

#include <dlfcn.h>

#include "machine-prefix.h"
#include "settings.h"

static void assert_traffic_defaults(const struct traffic_settings *traffic) {
        assert_true(traffic->nat);
        assert_false(traffic->inbound);
        assert_int_equal(traffic->isolation, ISOLATION_COURSE);
        assert_int_equal(traffic->host_ports.n_items, 0);
        assert_int_equal(traffic->rate.bits, 0);
        assert_int_equal(traffic->course_rate.bits, 0);
}

/* What the machine that the test runs on has, if anything. */
static void assert_network6_of_machine(const struct settings *settings) {
        struct address6 expected = {0};
        struct file_identity ignored;

        (void)machine_prefix_read(MACHINE_ID_FILE, &expected, &ignored);
        assert_true(settings->network6_auto);
        assert_memory_equal(&settings->network6, &expected, sizeof(expected));
}

static void assert_site_defaults(const struct settings *settings) {
        assert_string_equal(settings->rule_text, NAME_RULE_DEFAULT);
        assert_string_equal(settings->rule.head, "cs");
        assert_int_equal(settings->course_digits, 3);
        assert_int_equal(settings->first_seat, 10);
        assert_int_equal(settings->network.ip, 10U << 24);
        assert_int_equal(settings->network.prefix, 8);
        assert_int_equal(settings->prefix, 24);
        assert_network6_of_machine(settings);
        assert_traffic_defaults(&settings->values.traffic);
        assert_int_equal(settings->n_uplinks, 0);
        assert_int_equal(settings->dns.source, DNS_HOST);
        assert_int_equal(settings->dns.n_servers, 0);
        assert_string_equal(settings->dns.domain, "cs{course}.internal");
        assert_true(settings->fence.enabled);
        assert_int_equal(settings->fence.n_users, 0);
        assert_int_equal(settings->fence.ports.n_items, 0);
}

static void assert_defaults(const struct settings *settings) {
        assert_site_defaults(settings);
        assert_string_equal(settings->values.test_host, "");
        assert_int_equal(settings->values.traffic.nat6, CHOICE_UNSET);
        assert_int_equal(settings->n_courses, 0);
}

static void load(const char *text, struct settings *ret) {
        _cleanup_diagnostics_ struct diagnostics diagnostics = {0};

        write_file(SETTINGS_FILE, text);
        if (settings_load(etc, ret, &diagnostics) < 0)
                show_findings(&diagnostics);
        assert_clean(&diagnostics);
}

static void test_no_file_means_defaults(void **state) {
        _cleanup_diagnostics_ struct diagnostics diagnostics = {0};
        _cleanup_settings_ struct settings settings = {0};

        (void)state;
        assert_int_equal(settings_load(etc, &settings, &diagnostics), 0);
        assert_clean(&diagnostics);
        assert_defaults(&settings);
}

static void test_files_that_say_nothing(void **state) {
        static const char *const rows[] = {
                "",
                "\n\n",
                "# comment\n",
                "; comment\n",
                "[site]\n",
                "[site]\n\n[course 123]\n",
                "\xef\xbb\xbf[site]\n",
                "[site]\n#prefix = 22\n",
                "[site]",
        };

        (void)state;
        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                _cleanup_diagnostics_ struct diagnostics diagnostics = {0};
                _cleanup_settings_ struct settings settings = {0};

                write_file(SETTINGS_FILE, rows[i]);
                assert_int_equal(settings_load(etc, &settings, &diagnostics), 0);
                assert_clean(&diagnostics);
                assert_defaults(&settings);
        }
}

static void test_everything_set(void **state) {
        _cleanup_diagnostics_ struct diagnostics diagnostics = {0};
        _cleanup_settings_ struct settings settings = {0};
        const struct course_settings *course;

        (void)state;
        write_file(SETTINGS_FILE, "[site]\r\n"
                                  "name-rule = {student}.c{course}\r\n"
                                  "course-digits=4\r\n"
                                  "  first-seat = 20\r\n"
                                  "\tnetwork : 172.16.0.0/12\r\n"
                                  "prefix = 26 ; a comment\r\n"
                                  "test-host = gw.example.edu\r\n"
                                  "network6 = 2001:db8::/48\r\n"
                                  "uplink = eth0\r\n"
                                  "rate = 10M ; a comment\r\n"
                                  "[course 0123]\r\n"
                                  "subnet = 192.168.0.0/23\r\n"
                                  "[course 0124]\r\n"
                                  "test-host = 192.0.2.1\r\n");
        assert_int_equal(settings_load(etc, &settings, &diagnostics), 0);
        assert_clean(&diagnostics);

        assert_string_equal(settings.rule_text, "{student}.c{course}");
        assert_string_equal(settings.rule.middle, ".c");
        assert_int_equal(settings.course_digits, 4);
        assert_int_equal(settings.first_seat, 20);
        assert_int_equal(settings.network.ip, 0xac100000);
        assert_int_equal(settings.network.prefix, 12);
        assert_int_equal(settings.prefix, 26);
        assert_string_equal(settings.values.test_host, "gw.example.edu");
        assert_int_equal(settings.network6.prefix, 48);
        assert_string_equal(settings.uplinks[0], "eth0");
        assert_int_equal(settings.values.traffic.rate.bits, 10000000);
        assert_int_equal(settings.n_courses, 2);

        course = settings_find_course(&settings, "0123");
        assert_non_null(course);
        assert_int_equal(course->subnet.ip, 0xc0a80000);
        assert_int_equal(course->subnet.prefix, 23);
        assert_null(settings_find_course(&settings, "123"));

        assert_string_equal(settings_for_course(&settings, "0123")->test_host, "gw.example.edu");
        assert_string_equal(settings_for_course(&settings, "0124")->test_host, "192.0.2.1");
        assert_string_equal(settings_for_course(&settings, "9999")->test_host, "gw.example.edu");
}

static void test_how_long_a_seat_stays(void **state) {
        _cleanup_diagnostics_ struct diagnostics diagnostics = {0};
        _cleanup_settings_ struct settings settings = {0};

        (void)state;
        write_file(SETTINGS_FILE, "[site]\nlinger = 60\nleftover = kill\n"
                                  "[course 123]\nlinger = 0\n"
                                  "[course 124]\nleftover = cut\nleftover-max = 90min\n"
                                  "[course 125]\nleftover = keep\n");
        assert_int_equal(settings_load(etc, &settings, &diagnostics), 0);
        assert_clean(&diagnostics);

        assert_int_equal(settings_for_course(&settings, "122")->linger_seconds, 60);
        assert_int_equal(settings_for_course(&settings, "123")->linger_seconds, 0);
        assert_int_equal(settings_for_course(&settings, "124")->linger_seconds, 60);
        assert_int_equal(settings_for_course(&settings, "122")->leftover, LEFTOVER_KILL);
        assert_int_equal(settings_for_course(&settings, "123")->leftover, LEFTOVER_KILL);
        assert_int_equal(settings_for_course(&settings, "124")->leftover, LEFTOVER_CUT);
        assert_int_equal(settings_for_course(&settings, "125")->leftover, LEFTOVER_KEEP);
        assert_int_equal(settings_for_course(&settings, "123")->leftover_max_seconds, 12 * 3600);
        assert_int_equal(settings_for_course(&settings, "124")->leftover_max_seconds, 90 * 60);

        settings_done(&settings);
        write_file(SETTINGS_FILE,
                "[site]\nleftover = keep\nleftover-max = 2d\n[course 123]\nleftover-max = 1h\n");
        assert_int_equal(settings_load(etc, &settings, &diagnostics), 0);
        assert_int_equal(settings_for_course(&settings, "122")->leftover_max_seconds, 2 * 86400);
        assert_int_equal(settings_for_course(&settings, "123")->leftover_max_seconds, 3600);
}

static void test_staff_and_names(void **state) {
        _cleanup_diagnostics_ struct diagnostics diagnostics = {0};
        _cleanup_settings_ struct settings settings = {0};
        const struct course_settings *course;

        (void)state;
        write_file(SETTINGS_FILE, "[site]\nstaff = dean\nnames = none\n"
                                  "[course 123]\nstaff = prof,@cs123-staff , cs124-ta\nnames = course\n"
                                  "[course 124]\nstaff = none\n");
        assert_int_equal(settings_load(etc, &settings, &diagnostics), 0);
        assert_clean(&diagnostics);

        assert_int_equal(settings.values.staff.n_names, 1);
        assert_string_equal(settings.values.staff.names[0], "dean");
        course = settings_find_course(&settings, "123");
        assert_int_equal(course->values.staff.n_names, 3);
        assert_string_equal(course->values.staff.names[0], "prof");
        assert_string_equal(course->values.staff.names[1], "@cs123-staff");
        assert_string_equal(course->values.staff.names[2], "cs124-ta");
        assert_int_equal(settings_find_course(&settings, "124")->values.staff.n_names, 0);

        assert_int_equal(settings_for_course(&settings, "122")->names, NAMES_NONE);
        assert_int_equal(settings_for_course(&settings, "123")->names, NAMES_COURSE);
        assert_int_equal(settings_for_course(&settings, "124")->names, NAMES_NONE);
}

static void test_nobody_is_staff_and_a_course_knows_itself_by_default(void **state) {
        _cleanup_diagnostics_ struct diagnostics diagnostics = {0};
        _cleanup_settings_ struct settings settings = {0};

        (void)state;
        assert_int_equal(settings_load(etc, &settings, &diagnostics), 0);
        assert_int_equal(settings.values.staff.n_names, 0);
        assert_int_equal(settings_for_course(&settings, "123")->names, NAMES_COURSE);
}

static void test_limits_of_a_student(void **state) {
        _cleanup_diagnostics_ struct diagnostics diagnostics = {0};
        _cleanup_settings_ struct settings settings = {0};
        struct limit_settings limits;

        (void)state;
        write_file(SETTINGS_FILE, "[site]\nmemory-max = 2G\ncpu-quota = 150%\nio-weight = 50\n"
                                  "[course 123]\nmemory-max = infinity\ntasks-max = 70\n");
        assert_int_equal(settings_load(etc, &settings, &diagnostics), 0);
        assert_clean(&diagnostics);

        limits = settings_for_course(&settings, "122")->limits;
        assert_string_equal(limits.memory_max, "2G");
        assert_string_equal(limits.tasks_max, "");
        limits = settings_for_course(&settings, "123")->limits;
        assert_string_equal(limits.memory_max, "infinity");
        assert_string_equal(limits.cpu_quota, "150%");
        assert_string_equal(limits.tasks_max, "70");
        assert_string_equal(limits.io_weight, "50");
        assert_string_equal(limits.cpu_weight, "");
}

static void test_services_of_a_seat(void **state) {
        _cleanup_diagnostics_ struct diagnostics diagnostics = {0};
        _cleanup_settings_ struct settings settings = {0};
        struct service_settings services;

        (void)state;
        write_file(SETTINGS_FILE, "[site]\nimage = /a.sif\n[course 123]\nimage = /b\n"
                                  "[course 124]\nunits = cont  vnc\n"
                                  "[course 125]\nunits =\n");
        assert_int_equal(settings_load(etc, &settings, &diagnostics), 0);
        assert_clean(&diagnostics);

        services = settings_for_course(&settings, "122")->services;
        assert_string_equal(services.image, "/a.sif");
        assert_int_equal(services.n_units, 1);
        assert_string_equal(services.units[0], "cont");
        services = settings_for_course(&settings, "123")->services;
        assert_string_equal(services.image, "/b");
        services = settings_for_course(&settings, "124")->services;
        assert_int_equal(services.n_units, 2);
        assert_string_equal(services.units[1], "vnc");
        services = settings_for_course(&settings, "125")->services;
        assert_int_equal(services.n_units, 0);
}

/* "bind =" is no way to take the site's away. */
static void test_a_text_of_no_words_is_not_set(void **state) {
        _cleanup_diagnostics_ struct diagnostics diagnostics = {0};
        _cleanup_settings_ struct settings settings = {0};
        struct service_settings services;

        (void)state;
        write_file(SETTINGS_FILE, "[site]\nbind = /a\nenvironment = A=1\n"
                                  "[course 123]\nbind =\nenvironment = B=2 C=3\n");
        assert_int_equal(settings_load(etc, &settings, &diagnostics), 0);
        assert_clean(&diagnostics);

        services = settings_for_course(&settings, "123")->services;
        assert_string_equal(services.binds, "/a");
        assert_string_equal(services.environment, "B=2 C=3");
}

/* The line of what holds for a course; courses before and after [site], and cut in two. */
static void test_lines(void **state) {
        _cleanup_settings_ struct settings settings = {0};

        (void)state;
        write_file(SETTINGS_FILE, "[course 123]\nimage = /b\n[site]\nimage = /a\nunits = vnc\n"
                                  "[course 124]\nlinger = 1\n[course 123]\nrate = 10M\n");
        assert_int_equal(settings_load(etc, &settings, &(struct diagnostics){0}), 0);

        assert_int_equal(settings_line(&settings, NULL, "image"), 4);
        assert_int_equal(settings_line(&settings, "123", "image"), 2);
        assert_int_equal(settings_line(&settings, "124", "image"), 4);
        assert_int_equal(settings_line(&settings, "125", "units"), 5);
        assert_int_equal(settings_line(&settings, "123", "rate"), 9);
        assert_int_equal(settings_line(&settings, NULL, "rate"), 0);
        assert_int_equal(settings_line(&settings, NULL, "bogus"), 0);
        assert_int_equal(settings.n_courses, 2);
        assert_string_equal(settings_for_course(&settings, "123")->services.units[0], "vnc");
        assert_string_equal(settings_for_course(&settings, "124")->services.image, "/a");
}

/* More courses than the parser makes room for at first; each keeps its own. */
static void test_many_courses(void **state) {
        _cleanup_settings_ struct settings settings = {0};
        char text[8192] = "", course[COURSE_SIZE];
        size_t n = 0;

        (void)state;
        for (unsigned i = 0; i < 200; i++)
                n += (size_t)snprintf(text + n, sizeof(text) - n, "[course %03u]\nlinger = %u\n", i, i);
        load(text, &settings);
        assert_int_equal(settings.n_courses, 200);
        for (unsigned i = 0; i < 200; i++) {
                (void)snprintf(course, sizeof(course), "%03u", i);
                assert_int_equal(settings_for_course(&settings, course)->linger_seconds, i);
        }
}

static void test_no_image_means_no_container(void **state) {
        _cleanup_diagnostics_ struct diagnostics diagnostics = {0};
        _cleanup_settings_ struct settings settings = {0};
        struct service_settings services;

        (void)state;
        assert_int_equal(settings_load(etc, &settings, &diagnostics), 0);
        services = settings_for_course(&settings, "123")->services;
        assert_int_equal(services.n_units, 0);
}

static void format_ports(const struct ports *ports, char *text, size_t size) {
        size_t n = 0;

        text[0] = '\0';
        for (size_t i = 0; i < ports->n_items; i++) {
                const struct port *port = &ports->items[i];

                n += (size_t)snprintf(text + n, size - n, "%s%s%u%s%s", i ? " " : "",
                        port->any_address ? "*:" : "", port->number, port->tcp ? "t" : "",
                        port->udp ? "u" : "");
        }
}

/* All fields in one text, so that a row of a table says what is set and what is not. */
static void format_traffic(const struct traffic_settings *traffic, char *text, size_t size) {
        char ports[256];

        format_ports(&traffic->host_ports, ports, sizeof(ports));
        (void)snprintf(text, size, "nat%d nat6%d inbound%d isolation%d rate%llu course-rate%llu ports:%s",
                traffic->nat, traffic->nat6, traffic->inbound, traffic->isolation,
                (unsigned long long)traffic->rate.bits, (unsigned long long)traffic->course_rate.bits, ports);
}

static void assert_traffic(const struct settings *settings, const char *course, const char *expected) {
        struct traffic_settings traffic;
        char text[512];

        traffic = settings_for_course(settings, course)->traffic;
        format_traffic(&traffic, text, sizeof(text));
        assert_string_equal(text, expected);
}

/* Of nat6, 1 is no and 2 is yes; isolation from 1: none, course, seat. */
#define TRAFFIC_DEFAULT "nat1 nat60 inbound0 isolation2 rate0 course-rate0 ports:"

static const struct traffic_row {
        const char *line, *expected, *back; /* back: what a course writes to have the default again */
} traffic_rows[] = {
        {"nat = no", "nat0 nat60 inbound0 isolation2 rate0 course-rate0 ports:", "nat = yes"},
        {"nat6 = yes", "nat1 nat62 inbound0 isolation2 rate0 course-rate0 ports:", NULL},
        {"nat6 = no", "nat1 nat61 inbound0 isolation2 rate0 course-rate0 ports:", NULL},
        {"inbound = yes", "nat1 nat60 inbound1 isolation2 rate0 course-rate0 ports:", "inbound = no"},
        {"isolation = none",
                "nat1 nat60 inbound0 isolation1 rate0 course-rate0 ports:", "isolation = course"},
        {"isolation = seat",
                "nat1 nat60 inbound0 isolation3 rate0 course-rate0 ports:", "isolation = course"},
        {"rate = 10M", "nat1 nat60 inbound0 isolation2 rate10000000 course-rate0 ports:", "rate = none"},
        {"course-rate = 1G",
                "nat1 nat60 inbound0 isolation2 rate0 course-rate1000000000 ports:", "course-rate = none"},
        {"host-ports = 22", "nat1 nat60 inbound0 isolation2 rate0 course-rate0 ports:22tu",
                "host-ports = none"},
        {"host-ports = 443/tcp  *:53/udp\t443/tcp *:8080",
                "nat1 nat60 inbound0 isolation2 rate0 course-rate0 ports:443t *:53u 443t *:8080tu",
                "host-ports = none"},
};

/* Each setting alone: for the site, for one course, and taken back by a course. */
static void test_traffic(void **state) {
        (void)state;
        for (size_t i = 0; i < ELEMENTSOF(traffic_rows); i++) {
                const struct traffic_row *row = &traffic_rows[i];
                _cleanup_settings_ struct settings site = {0}, course = {0}, back = {0};
                char text[512];

                (void)snprintf(text, sizeof(text), "[site]\n%s\n[course 124]\nlinger = 1\n", row->line);
                load(text, &site);
                assert_traffic(&site, "123", row->expected);
                assert_traffic(&site, "124", row->expected);

                (void)snprintf(text, sizeof(text), "[course 123]\n%s\n", row->line);
                load(text, &course);
                assert_traffic(&course, "123", row->expected);
                assert_traffic(&course, "124", TRAFFIC_DEFAULT);
                assert_traffic_defaults(&course.values.traffic);

                if (!row->back)
                        continue;
                (void)snprintf(text, sizeof(text), "[site]\n%s\n[course 123]\n%s\n", row->line, row->back);
                load(text, &back);
                assert_traffic(&back, "123", TRAFFIC_DEFAULT);
                assert_traffic(&back, "124", row->expected);
        }
}

static void test_uplink(void **state) {
        _cleanup_settings_ struct settings named = {0}, automatic = {0};

        (void)state;
        load("[site]\nuplink = eth0,  bond0.100\n", &named);
        assert_int_equal(named.n_uplinks, 2);
        assert_string_equal(named.uplinks[0], "eth0");
        assert_string_equal(named.uplinks[1], "bond0.100");
        load("[site]\nuplink = auto\n", &automatic);
        assert_int_equal(automatic.n_uplinks, 0);
}

static void test_dns(void **state) {
        _cleanup_settings_ struct settings servers = {0}, off = {0}, host = {0};
        char domain[DOMAIN_SIZE];

        (void)state;
        load("[site]\ndns = 192.0.2.1 2001:db8::53\ndomain = lab-{course}.example.edu\n", &servers);
        assert_int_equal(servers.dns.source, DNS_SERVERS);
        assert_int_equal(servers.dns.n_servers, 2);
        assert_string_equal(servers.dns.servers[0], "192.0.2.1");
        assert_string_equal(servers.dns.servers[1], "2001:db8::53");
        settings_domain(&servers, "123", domain);
        assert_string_equal(domain, "lab-123.example.edu");

        load("[site]\ndns = off\ndomain = {course}.internal\n", &off);
        assert_int_equal(off.dns.source, DNS_OFF);
        settings_domain(&off, "007", domain);
        assert_string_equal(domain, "007.internal");

        load("[site]\ndns = host\n", &host);
        assert_int_equal(host.dns.source, DNS_HOST);
        settings_domain(&host, "123", domain);
        assert_string_equal(domain, "cs123.internal");
}

static void test_fence(void **state) {
        _cleanup_settings_ struct settings set = {0}, none = {0};

        (void)state;
        load("[site]\nfence = no\nfence-except-users = cs123-ta none\nfence-except-ports = 88 464/udp\n",
                &set);
        assert_false(set.fence.enabled);
        assert_int_equal(set.fence.n_users, 2);
        assert_string_equal(set.fence.users[0], "cs123-ta");
        assert_string_equal(set.fence.users[1], "none");
        assert_int_equal(set.fence.ports.n_items, 2);
        assert_int_equal(set.fence.ports.items[1].number, 464);
        assert_false(set.fence.ports.items[1].tcp);

        load("[site]\nfence = yes\nfence-except-users = none\nfence-except-ports = none\n", &none);
        assert_true(none.fence.enabled);
        assert_int_equal(none.fence.n_users, 0);
        assert_int_equal(none.fence.ports.n_items, 0);
}

static void test_network6(void **state) {
        static const struct {
                const char *text, *course, *expected;
        } rows[] = {
                {"[site]\nnetwork6 = 2001:db8::/48\n", "123", "2001:db8:0:123::/64"},
                {"[site]\nnetwork6 = 2001:DB8::/48\n", "000", "2001:db8::/64"},
                {"[site]\nnetwork6 = fd00:1:2:8000::/52\n", "999", "fd00:1:2:8999::/64"},
                {"[site]\nnetwork6 = 2001:db8::/32\n", "123", "2001:db8:0:123::/64"},
                {"[site]\nnetwork6 = 2000::/3\n", "123", "2000:0:0:123::/64"},
                {"[site]\nnetwork6 = 2001:db8::/64\n", "000", "2001:db8::/64"},
                {"[site]\nnetwork6 = off\n", "123", ""},
                {"[site]\nnetwork6 = off\n[course 123]\nsubnet6 = 2001:db8::/64\n", "123", "2001:db8::/64"},
                {"[site]\nnetwork6 = 2001:db8::/56\n[course 123]\nsubnet6 = 2001:db8:1::/64\n", "123",
                        "2001:db8:1::/64"},
        };

        (void)state;
        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                _cleanup_settings_ struct settings settings = {0};
                char text[ADDRESS6_TEXT_SIZE] = "", reason[256];
                struct address6 subnet;

                load(rows[i].text, &settings);
                assert_false(settings.network6_auto);
                assert_int_equal(
                        settings_course_subnet6(&settings, rows[i].course, &subnet, reason, sizeof(reason)),
                        0);
                if (address6_is_set(&subnet))
                        address6_format(&subnet, text);
                assert_string_equal(text, rows[i].expected);
        }
}

/* With which the machine id cannot be opened; 0: it can. The settings are read with open(). */
static int machine_id_error;

__attribute__((visibility("default"))) FILE *fopen(const char *path, const char *mode) {
        FILE *(*next)(const char *path, const char *mode);

        *(void **)&next = dlsym(RTLD_NEXT, "fopen");
        if (machine_id_error != 0 && string_equal(path, MACHINE_ID_FILE)) {
                errno = machine_id_error;
                return NULL;
        }
        return next(path, mode);
}

/* Bridges that are up would lose their IPv6 addresses. */
static void test_a_machine_id_that_cannot_be_read_now_is_an_error(void **state) {
        static const int errors[] = {EMFILE, ENFILE, ENOMEM, EIO, EINTR};

        (void)state;
        for (size_t i = 0; i < ELEMENTSOF(errors); i++) {
                _cleanup_diagnostics_ struct diagnostics diagnostics = {0};
                struct settings settings;

                machine_id_error = errors[i];
                assert_int_equal(settings_load(etc, &settings, &diagnostics), -errors[i]);
                assert_int_equal(diagnostics.n_errors, 1);
                assert_string_equal(diagnostics.items[0].path, MACHINE_ID_FILE);
        }
        machine_id_error = ENOENT;
        {
                _cleanup_diagnostics_ struct diagnostics diagnostics = {0};
                _cleanup_settings_ struct settings settings = {0};

                assert_int_equal(settings_load(etc, &settings, &diagnostics), 0);
                assert_false(address6_is_set(&settings.network6));
        }
        machine_id_error = 0;
}

/* By default a course has IPv6 if its number fits; one that does not fit is no mistake. */
static void test_network6_auto(void **state) {
        _cleanup_settings_ struct settings settings = {0};
        struct address6 subnet = {.prefix = 7}, expected = {0};
        char reason[256];

        (void)state;
        load("[site]\nnetwork6 = auto\ncourse-digits = 5\n[course 12345]\nlinger = 1\n", &settings);
        assert_network6_of_machine(&settings);

        /* The machine that runs this may have no id. */
        assert_int_equal(address6_parse("fd01:203:405::/48", 0, &settings.network6), 0);
        assert_int_equal(settings_course_subnet6(&settings, "12345", &subnet, reason, sizeof(reason)), 0);
        assert_memory_equal(&subnet, &expected, sizeof(subnet));
        assert_int_equal(settings_course_subnet6(&settings, "09999", &subnet, reason, sizeof(reason)), 0);
        assert_int_equal(address6_parse("fd01:203:405:9999::/64", 0, &expected), 0);
        assert_memory_equal(&subnet, &expected, sizeof(subnet));

        settings.network6_auto = false;
        subnet.prefix = 7;
        assert_int_equal(
                settings_course_subnet6(&settings, "12345", &subnet, reason, sizeof(reason)), -ERANGE);
        assert_non_null(strstr(reason, "subnet6 in [course 12345], or network6 = off"));
        assert_int_equal(subnet.prefix, 7);
}

/* Three lines. */
#define HOSTS "[hosts]\nmembers = hosta=192.0.2.1 hostb=192.0.2.2\nstore = https://192.0.2.1:2379\n"

#define LONG_100                                                                                             \
        "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa" \
        "aa"

static const struct mistake {
        const char *text;
        unsigned line;
        const char *words;
} mistakes[] = {
        {"prefix = 24\n", 1, "'prefix' is before any section"},
        {"[sites]\nprefix = 24\n", 2, "unknown section [sites]"},
        {"[Site]\nprefix = 24\n", 2, "unknown section [Site]"},
        {"[course]\nsubnet = 10.0.0.0/24\n", 2, "unknown section [course]"},
        {"[site]\n\nbogus = 1\n", 3, "unknown setting 'bogus' in [site]"},
        {"[site]\nPrefix = 24\n", 2, "unknown setting 'Prefix'"},
        {"[course 123]\nprefix = 24\n", 2, "prefix does not belong in [course 123]: move it to [site]"},
        {"[site]\nprefix = 24\nprefix = 24\n", 3,
                "prefix is set twice in [site], first in line 2: keep one of the two"},
        {"[site]\nname-rule = {course}-{student}\n\nname-rule = x{course}-{student}\n", 4,
                "name-rule is set twice"},
        {"[site]\ntest-host = a\n[site]\ntest-host = b\n", 4, "test-host is set twice"},
        {"[course 123]\nsubnet = 10.0.0.0/24\nsubnet = 10.0.1.0/24\n", 3,
                "subnet is set twice in [course 123]"},
        {"[course 123]\ntest-host = a\ntest-host = b\n", 3, "test-host is set twice in [course 123]"},
        {"[site]\nprefix = 15\n", 2, "a number from 16 to 30"},
        {"[site]\nprefix = 31\n", 2, "a number from 16 to 30"},
        {"[site]\nprefix = /24\n", 2, "a number from 16 to 30"},
        {"[site]\nprefix =\n", 2, "a number from 16 to 30"},
        {"[site]\nprefix = 24 # comment\n", 2, "prefix = 24 # comment: expected"},
        {"[site]\nprefix = 0x18\n", 2, "a number from 16 to 30"},
        {"[site]\nprefix = -24\n", 2, "a number from 16 to 30"},
        {"[site]\nprefix = 024\n", 2, "a number from 16 to 30"},
        {"[site]\ncourse-digits = 0\n", 2, "a number from 1 to 6"},
        {"[site]\ncourse-digits = 7\n", 2, "a number from 1 to 6"},
        {"[site]\nfirst-seat = 1\n", 2, "a number from 2 to 65534"},
        {"[site]\nfirst-seat = 65535\n", 2, "a number from 2 to 65534"},
        {"[site]\nfirst-seat = 255\n", 2, "has no seat 255 (first-seat)"},
        {"[site]\nprefix = 29\n", 2, "has no seat 10 (first-seat)"},
        {"[site]\nnetwork = 10.0.0.0\n", 2, "expected an IPv4 network with its prefix"},
        {"[site]\nnetwork = 10.0.0.1/8\n", 2, "the network is 10.0.0.0/8"},
        {"[site]\nnetwork = 10.0.0.0/33\n", 2, "expected an IPv4 network"},
        {"[site]\nnetwork = fd00::/8\n", 2, "expected an IPv4 network"},
        {"[site]\n\nprefix = 29\nnetwork = 10.0.0.0/8\nfirst-seat = 7\n", 5,
                "a course's /29 (prefix) has no seat 7 (first-seat): set a lower prefix or a lower "
                "first-seat"},
        {"[site]\nnetwork = 10.0.0.0/25\n", 2, "prefix = 24 does not fit into network, which is a /25"},
        {"[site]\nname-rule = cs{course}{student}\n", 2, "something must stand between"},
        {"[site]\nname-rule = cs{course}\n", 2, "exactly once"},
        {"[site]\nname-rule = c:{course}-{student}\n", 2, "only letters"},
        {"[site]\nimage = b.sif\n", 2, "expected the whole path"},
        {"[site]\nmemory-max = 2 G\n", 2,
                "expected at least 16M: a number with K, M, G or T behind it, such as 2G"},
        {"[site]\nmemory-max = 2\n", 2, "expected at least 16M"},
        {"[site]\ncpu-quota = 2\n", 2, "expected a percentage"},
        {"[site]\ntasks-max = 5\n", 2, "expected a number of tasks, at least 16"},
        {"[site]\njitter = 2ms\ndelay = 1ms\n", 3,
                "jitter is longer than delay: set a jitter of at most 1000 us"},
        {"[site]\ndelay = 5ms\njitter = 1ms\n[course 123]\ndelay = none\n", 5,
                "jitter varies the delay, and there is none"},
        {"[site]\nspread = yes\n", 2, "spread = yes needs the other servers: set members in [hosts]"},
        {"[course 123]\nspread = yes\n", 2, "spread = yes needs the other servers"},
        {HOSTS "[course 123]\nspread = yes\n", 5, "network6 = auto is another one on each"},
        {HOSTS "[site]\nspread = yes\n[course 123]\nsubnet6 = fd00:0:0:123::/64\n", 5,
                "network6 = auto is another one on each"},
        {"[hosts]\nmembers = hosta=192.0.2.1\n", 2, "members needs store"},
        {HOSTS "members = hosta=192.0.2.3\n", 4, "members has hosta twice: keep one of the two"},
        {HOSTS "members = hostc=192.0.2.2\n", 4, "members gives hostb and hostc the same address"},
        {"[hosts]\nmembers = hosta=192.0.2.1/24\n", 2, "expected NAME=ADDRESS of each server"},
        {"[hosts]\nmembers = a.b=192.0.2.1\n", 2, "expected NAME=ADDRESS of each server"},
        {"[hosts]\nmembers = hosta=fd00::1\n", 2, "expected NAME=ADDRESS of each server"},
        {"[hosts]\nstore = http://192.0.2.1:2379\n", 2, "or http:// on the loopback"},
        {"[hosts]\nstore = https://192.0.2.1\n", 2, "expected https://HOST:PORT"},
        {"[hosts]\nhandover = ssh %s\n", 2, "in which %u stands for the user"},
        {HOSTS "vni-base = 16777100\n[course 123]\nspread = yes\n", 4, "set a lower vni-base"},
        {HOSTS "vni-base = 16776300\n[site]\nnetwork6 = off\nspread = yes\n", 4,
                "leaves no room for courses of 3 digits"},
        {HOSTS "[site]\nnetwork6 = off\nspread = yes\n[course 123]\nvni = 100124\n[course 124]\nlinger = 0\n",
                10, "courses 123 and 124 have the same VNI, 100124: change one's vni"},
        {"[site]\nmembers = hosta=192.0.2.1\n", 2, "members does not belong in [site]: move it to [hosts]"},
        {"[hosts]\nprefix = 24\n", 2, "prefix does not belong in [hosts]: move it to [site]"},
        {"[site]\nloss = 2\n", 2, "expected a percentage up to 100%"},
        {"[site]\ncpu-weight = 0\n", 2, "expected a number from 1 to 10000"},
        {"[site]\nbind = srv\n", 2, "'srv': expected /SOURCE"},
        {"[site]\nbind = /srv,/etc\n", 2, "'/srv,/etc': expected /SOURCE"},
        {"[site]\nenvironment = A\n", 2, "'A': expected NAME=VALUE"},
        {"[site]\nenvironment = A=1,B=2\n", 2, "expected NAME=VALUE"},
        {"[site]\nunits = cont@\n", 2, "'cont@': expected names of template units"},
        {"[site]\nunits = nsbr\n", 2, "'nsbr': expected names of template units"},
        {"[site]\nunits = a b c d e f g h i\n", 2, "at most 8 units"},
        {"[site]\nlinger = -1\n", 2, "expected a number of seconds from 0 to 86400"},
        {"[course 123]\nlinger = 86401\n", 2, "expected a number of seconds from 0 to 86400"},
        {"[site]\nleftover = stay\n", 2, "expected cut, kill or keep"},
        {"[course 123]\nleftover =\n", 2, "expected cut, kill or keep"},
        {"[site]\nleftover-max = 31d\n", 2, "expected a time such as 90min, 12h or 2d, from 1s to 30d"},
        {"[course 123]\nleftover-max = 0\n", 2, "expected a time such as 90min, 12h or 2d"},
        {"[course 123]\nleftover = cut\nleftover = cut\n", 3, "leftover is set twice in [course 123]"},
        {"[site]\nstaff =\n", 2,
                "staff is empty: expected names of users, and of groups with @ before them; or none alone"},
        {"[course 123]\nstaff = prof @\n", 2, "'@': expected names of users, and of groups with @"},
        {"[course 123]\nstaff = a:b\n", 2, "'a:b': expected names of users"},
        {"[site]\nstaff = a b c d e f g h i j k l m n o p q\n", 2,
                "staff: expected at most 16 names: name a group instead"},
        {"[site]\nnames = all\n", 2, "names = all: expected course or none"},
        {"[course 123]\nnames =\n", 2, "expected course or none"},
        {"[site]\ntest-host = -v\n", 2, "expected a host name"},
        {"[site]\ntest-host = a b\n", 2, "expected a host name"},
        {"[site]\ntest-host = $(x)\n", 2, "expected a host name"},
        {"[site]\ntest-host =\n", 2, "expected a host name"},
        {"[course 12]\nsubnet = 10.9.0.0/24\n", 2, "[course 12]: courses are written with exactly 3 digits"},
        {"[course abc]\nsubnet = 10.9.0.0/24\n", 2, "expected a course number"},
        {"[course 1234567]\nsubnet = 10.9.0.0/24\n", 2, "expected a course number"},
        {"[course  123]\nsubnet = 10.9.0.0/24\n", 2, "expected a course number"},
        {"[course 123]\nsubnet = 10.9.0.0\n", 2, "expected an IPv4 network with its prefix"},
        {"[course 123]\nsubnet = 10.9.0.1/24\n", 2, "the network is 10.9.0.0/24"},
        {"[course 123]\nsubnet = 10.8.0.0/15\n", 2, "a prefix from 16 to 30"},
        {"[course 123]\nsubnet = 10.9.0.0/29\n", 2, "a /29 has no seat 10"},
        {"[course 123]\nsubnet = 10.9.0.0/24\n[course 124]\nsubnet = 10.9.0.128/25\n", 4,
                "courses 123 and 124 overlap"},
        {"[course 124]\ntest-host = a\n[course 123]\nsubnet = 10.0.124.0/24\n", 4,
                "courses 124 and 123 overlap"},
        {"[site]\nnetwork = 10.0.0.0/16\n[course 256]\ntest-host = a\n", 4, "has no subnet number 256"},
        {"[site]\nprefix\n", 2, "expected 'NAME = VALUE' or a [section]"},
        {"# a\n; b\n\n  # c\n[site]\nprefix\n", 6, "expected 'NAME = VALUE' or a [section]"},
        {"[site]\nnetwork6 = yes\n", 2, "expected auto, off, or an IPv6 network"},
        {"[site]\nnetwork6 =\n", 2, "expected auto, off, or an IPv6 network"},
        {"[site]\nnetwork6 = 10.0.0.0/8\n", 2, "expected auto, off, or an IPv6 network"},
        {"[site]\nnetwork6 = 2001:db8::\n", 2, "expected auto, off, or an IPv6 network with its prefix"},
        {"[site]\nnetwork6 = 2001:db8::/129\n", 2, "expected auto, off, or an IPv6 network with its prefix"},
        {"[site]\nnetwork6 = 2001:db8::1/48\n", 2, "the network is 2001:db8::/48"},
        {"[site]\nnetwork6 = 2001:db8::/65\n", 2, "expected a prefix from 3 to 64"},
        {"[site]\nnetwork6 = fe80::/48\n", 2, "expected a global (2000::/3) or a unique local network"},
        {"[site]\nnetwork6 = ff00::/48\n", 2, "expected a global (2000::/3) or a unique local network"},
        {"[site]\nnetwork6 = ::/0\n", 2, "expected a global (2000::/3) or a unique local network"},
        {"[site]\nnetwork6 = off\nnetwork6 = auto\n", 3, "network6 is set twice"},
        {"[site]\nsubnet6 = 2001:db8::/64\n", 2,
                "subnet6 does not belong in [site]: move it to the [course N] that it is for"},
        {"[course 123]\nnetwork6 = auto\n", 2, "network6 does not belong in [course 123]: move it to [site]"},
        {"[course 123]\nsubnet6 = off\n", 2, "expected an IPv6 network with its prefix"},
        {"[course 123]\nsubnet6 = 2001:db8::\n", 2, "expected an IPv6 network with its prefix"},
        {"[course 123]\nsubnet6 = 2001:db8::/48\n", 2, "expected a /64"},
        {"[course 123]\nsubnet6 = 2001:db8::/65\n", 2, "expected a /64"},
        {"[course 123]\nsubnet6 = 2001:db8::1/64\n", 2, "the network is 2001:db8::/64"},
        {"[course 123]\nsubnet6 = 2001:db8::/64\n[course 124]\nsubnet6 = 2001:db8::/64\n", 4,
                "the IPv6 subnets of courses 123 and 124 overlap: change one's subnet6"},
        {"[site]\nnetwork6 = 2001:db8::/48\n[course 124]\nnat = no\n[course 123]\n"
         "subnet6 = 2001:db8:0:124::/64\n",
                6, "the IPv6 subnets of courses 124 and 123 overlap"},
        {"[site]\nnetwork6 = 2001:db8::/56\n[course 123]\nnat = no\n", 4,
                "[course 123]: network6 = 2001:db8::/56 has no /64 with the number 123: set a wider "
                "network6, "
                "subnet6 in [course 123], or network6 = off"},
        {"[site]\nnat = 1\n", 2, "nat = 1: expected yes or no"},
        {"[site]\nnat = Yes\n", 2, "expected yes or no"},
        {"[course 123]\nnat6 = auto\n", 2, "nat6 = auto: expected yes or no"},
        {"[site]\ninbound =\n", 2, "inbound = : expected yes or no"},
        {"[site]\nfence = off\n", 2, "fence = off: expected yes or no"},
        {"[course 123]\nnat = no\nnat = no\n", 3, "nat is set twice in [course 123]"},
        {"[site]\nisolation = yes\n", 2, "isolation = yes: expected none, course or seat"},
        {"[site]\nhost-ports = 22 https\n", 2, "host-ports: 'https': expected PORT"},
        {"[course 123]\nhost-ports = none 22\n", 2, "'none': expected PORT"},
        {"[site]\nhost-ports =\n", 2, "host-ports is empty: expected PORT"},
        {"[site]\nhost-ports = 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25\n", 2,
                "expected at most 24 ports"},
        {"[site]\nuplink = eth0 a/b\n", 2, "uplink: 'a/b': expected names of interfaces"},
        {"[site]\nuplink = lo\n", 2, "'lo': expected names of interfaces"},
        {"[site]\nuplink =\n", 2, "uplink is empty"},
        {"[site]\nuplink = a b c d e f g h i\n", 2, "expected at most 8 interfaces"},
        {"[course 123]\nuplink = eth0\n", 2, "uplink does not belong in [course 123]"},
        {"[site]\ndns = host 192.0.2.1\n", 2, "'host': expected host alone"},
        {"[site]\ndns = 192.0.2.1 off\n", 2, "'off': expected host alone, off alone"},
        {"[site]\ndns = dns.example.edu\n", 2, "'dns.example.edu': expected host alone"},
        {"[site]\ndns =\n", 2, "dns is empty"},
        {"[site]\ndns = ::1 ::2 ::3 ::4 ::5 ::6 ::7 ::8 ::9\n", 2, "expected at most 8 addresses"},
        {"[site]\ndomain = cs.internal\n", 2, "expected a DNS domain with {course} in it once"},
        {"[site]\ndomain = cs{course}.internal.\n", 2, "expected a DNS domain"},
        {"[site]\nrate = 10\n", 2, "rate = 10: expected bits per second from 64K to 16G"},
        {"[site]\nrate = 63K\n", 2, "from 64K to 16G"},
        {"[course 123]\ncourse-rate = 17G\n", 2, "course-rate = 17G: expected bits per second"},
        {"[site]\nfence-except-users = a,b\n", 2, "'a,b': expected names of users; or none alone"},
        {"[site]\nfence-except-users =\n", 2, "fence-except-users is empty"},
        {"[site]\nfence-except-users = a b c d e f g h i j k l m n o p q\n", 2, "expected at most 16 users"},
        {"[site]\nfence-except-ports = *:88\n", 2, "'*:88': expected PORT, PORT/tcp or PORT/udp; or none"},
        {"[course 123]\nfence = no\n", 2, "fence does not belong in [course 123]"},
        /* All names of the section are there, the last ones too, and none of the other section. */
        {"[site]\nbogus = 1\n", 2,
                "unknown setting 'bogus' in [site]: expected bind, capture, course-digits, course-rate, "
                "cpu-quota, cpu-weight, delay, "},
        {"[site]\nbogus = 1\n", 2, "staff, staff-enter, tasks-max, test-host, units, uplink or user-manager"},
        {"[course 123]\nbogus = 1\n", 2,
                "in [course 123]: expected bind, capture, course-rate, cpu-quota, cpu-weight, delay, "},
        {"[course 123]\nbogus = 1\n", 2,
                "staff, staff-enter, subnet, subnet6, tasks-max, test-host, units, user-manager or vni"},
        {"[site\nprefix = 24\n", 1, "expected 'NAME = VALUE' or a [section]"},
        {"[site]\n#" LONG_100 LONG_100 "\n", 2, "longer than 190"},
        {"[site]\nprefix = 24\ntest-host = " LONG_100 LONG_100, 3, "longer than 190"},
};

static void test_mistakes(void **state) {
        (void)state;
        for (size_t i = 0; i < ELEMENTSOF(mistakes); i++) {
                _cleanup_diagnostics_ struct diagnostics diagnostics = {0};
                struct settings settings = {.prefix = 7};

                write_file(SETTINGS_FILE, mistakes[i].text);
                if (settings_load(etc, &settings, &diagnostics) != -EINVAL)
                        fail_msg("taken: %s", mistakes[i].text);
                assert_error(&diagnostics, mistakes[i].line, mistakes[i].words);
                assert_string_equal(diagnostics.items[0].path, etc_path(SETTINGS_FILE));
                assert_int_equal(settings.prefix, 7);
        }
}

static void test_all_mistakes_at_once(void **state) {
        _cleanup_diagnostics_ struct diagnostics diagnostics = {0};
        struct settings settings;

        (void)state;
        write_file(SETTINGS_FILE,
                "[site]\nprefix = 99\nbogus = 1\n\n[nowhere]\na = b\n[course 123]\nsubnet = x\n");
        assert_int_equal(settings_load(etc, &settings, &diagnostics), -EINVAL);
        assert_error(&diagnostics, 2, "prefix = 99");
        assert_error(&diagnostics, 3, "bogus");
        assert_error(&diagnostics, 6, "unknown section [nowhere]");
        assert_error(&diagnostics, 8, "subnet = x");
        assert_int_equal(diagnostics.n_errors, 4);
}

/* Interface names hold 15 characters: "vl-", the most course digits and the largest seat number just fit. */
static void test_widest_names_fit(void **state) {
        _cleanup_diagnostics_ struct diagnostics diagnostics = {0};
        _cleanup_settings_ struct settings settings = {0};

        (void)state;
        write_file(SETTINGS_FILE,
                "[site]\ncourse-digits = 6\nprefix = 16\nfirst-seat = 65534\nnetwork = 0.0.0.0/0\n");
        assert_int_equal(settings_load(etc, &settings, &diagnostics), 0);
        assert_clean(&diagnostics);
}

/* Takes the "#" off every line of the shipped file that shows a setting. */
static void uncomment(const char *text, char *ret) {
        for (bool line_start = true; *text; line_start = *text++ == '\n')
                if (!line_start || *text != '#' || text[1] == ' ' || text[1] == '\n')
                        *ret++ = *text;
        *ret = '\0';
}

/* The file that is installed shows the defaults, and what it shows can be used. Run from the source's folder.
 */
static void test_shipped_file(void **state) {
        _cleanup_diagnostics_ struct diagnostics diagnostics = {0};
        _cleanup_settings_ struct settings shipped = {0}, shown = {0};
        _cleanup_fclose_ FILE *file = fopen("conf/coursenet.conf", "re");
        char text[16384] = "", uncommented[sizeof(text)];

        (void)state;
        assert_non_null(file);
        assert_true(fread(text, 1, sizeof(text) - 1, file) > 0);

        write_file(SETTINGS_FILE, text);
        assert_int_equal(settings_load(etc, &shipped, &diagnostics), 0);
        assert_clean(&diagnostics);
        assert_defaults(&shipped);

        uncomment(text, uncommented);
        write_file(SETTINGS_FILE, uncommented);
        assert_int_equal(settings_load(etc, &shown, &diagnostics), 0);
        assert_clean(&diagnostics);
        assert_int_equal(shown.n_courses, 1);
        assert_string_equal(shown.values.test_host, "192.0.2.1");
        assert_site_defaults(&shown);
}

static void test_untrusted_file(void **state) {
        _cleanup_diagnostics_ struct diagnostics diagnostics = {0};
        struct settings settings;

        (void)state;
        write_file(SETTINGS_FILE, "[site]\n");
        assert_int_equal(chmod(etc_path(SETTINGS_FILE), 0646), 0);
        assert_int_equal(settings_load(etc, &settings, &diagnostics), -EPERM);
        assert_error(&diagnostics, 0, "chmod go-w");
}

static void test_courses(void **state) {
        _cleanup_diagnostics_ struct diagnostics diagnostics = {0};
        _cleanup_settings_ struct settings settings = {0};
        struct address subnet;
        char reason[256];

        (void)state;
        assert_int_equal(settings_load(etc, &settings, &diagnostics), 0);
        assert_int_equal(settings_check_course(&settings, "007", reason, sizeof(reason)), 0);
        assert_int_equal(settings_check_course(&settings, "7", reason, sizeof(reason)), -EINVAL);
        assert_non_null(strstr(reason, "course-digits"));
        assert_int_equal(settings_check_course(&settings, "1a3", reason, sizeof(reason)), -EINVAL);

        assert_int_equal(settings_course_subnet(&settings, "007", &subnet, reason, sizeof(reason)), 0);
        assert_int_equal(subnet.ip, 0x0a000700);
        assert_int_equal(subnet.prefix, 24);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, make_etc, remove_etc)

int main(void) {
        const struct CMUnitTest tests[] = {
                TEST(test_no_file_means_defaults),
                TEST(test_files_that_say_nothing),
                TEST(test_everything_set),
                TEST(test_how_long_a_seat_stays),
                TEST(test_staff_and_names),
                TEST(test_nobody_is_staff_and_a_course_knows_itself_by_default),
                TEST(test_limits_of_a_student),
                TEST(test_services_of_a_seat),
                TEST(test_a_text_of_no_words_is_not_set),
                TEST(test_lines),
                TEST(test_many_courses),
                TEST(test_no_image_means_no_container),
                TEST(test_traffic),
                TEST(test_uplink),
                TEST(test_dns),
                TEST(test_fence),
                TEST(test_network6),
                TEST(test_a_machine_id_that_cannot_be_read_now_is_an_error),
                TEST(test_network6_auto),
                TEST(test_mistakes),
                TEST(test_all_mistakes_at_once),
                TEST(test_widest_names_fit),
                TEST(test_shipped_file),
                TEST(test_untrusted_file),
                TEST(test_courses),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
