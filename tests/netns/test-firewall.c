/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The rule sets as text, and in the kernel: it accepts them as a whole and repeatedly, and tables of other
 * programs stay unchanged. nft(8) lists the result.
 */

#include "sandbox.h"

#include "netsetup/fence/fence-table.h"
#include "netsetup/firewall/nftables.h"
#include "netsetup/firewall/ruleset.h"
#include "netsetup/firewall/seat-chain.h"

static struct address6 parse6(const char *text) {
        struct address6 address;

        assert_int_equal(address6_parse(text, 64, &address), 0);
        return address;
}

static struct bridge_plan make_course(const char *course, uint32_t ip) {
        struct bridge_plan plan;
        char text[64];

        bridge_plan_name(course, &plan);
        plan.address = (struct address){.ip = ip, .prefix = 24};
        plan.mac = mac_of_host(ip);
        (void)snprintf(text, sizeof(text), "fd12:3456:789a:%s::1/64", course);
        plan.address6 = parse6(text);
        plan.traffic = (struct traffic_settings){
                .nat = true, .nat6 = CHOICE_YES, .inbound = false, .isolation = ISOLATION_COURSE};
        return plan;
}

static struct seat_plan make_seat(const char *seat, uint32_t ip, const char *address6) {
        struct seat_plan plan;

        seat_plan_name(seat, &plan);
        plan.address = (struct address){.ip = ip, .prefix = 24};
        plan.peer_mac = mac_of_host(ip);
        plan.link_mac = mac_of_port(ip);
        if (address6)
                plan.address6 = parse6(address6);
        return plan;
}

/* Applies a text that it takes. To find the index of a link, libnftables would list all links. */
static void apply(struct sandbox *sandbox, char *commands) {
        _cleanup_free_ char *text = commands;

        assert_non_null(text);
        assert_true(!strstr(text, "iif ") && !strstr(text, "oif "));
        if (nftables_apply(text, "the test", &sandbox->diagnostics) != 0)
                (void)fprintf(stderr, "%s%s\n", text, sandbox->diagnostics.items[0].text);
        assert_silence(sandbox);
}

static void test_whole_table(void **state) {
        const uint32_t members[] = {0xc0000201};
        struct sandbox *sandbox = *state;
        struct bridge_plan plans[] = {make_course("123", 0x0a007b01), make_course("124", 0x0a007c01)};
        struct ruleset_courses courses = {
                .courses = plans,
                .n_courses = 2,
                .uplinks = {.items = {"up0", "enp0s3.7"}, .n_items = 2},
                .opened4 = {.items = {"up0"}, .n_items = 1},
                .opened6 = {.items = {"up0"}, .n_items = 1},
                .opened6_all = true,
                .resolvers = {"192.0.2.53", "2001:db8::53"},
                .n_resolvers = 2,
                .dns = true,
                .members = members,
                .n_members = 1,
        };

        plans[0].traffic.host_ports = (struct ports){
                .n_items = 3,
                .items = {{.number = 443, .tcp = true}, {.number = 22, .tcp = true, .any_address = true},
                        {.number = 5353, .tcp = true, .udp = true}},
        };
        plans[0].traffic.course_rate.bits = 20000000;
        plans[1].traffic.isolation = ISOLATION_SEAT;
        plans[1].traffic.nat = false;
        plans[1].traffic.inbound = true;

        /* What nft lists first takes time to compare; each line here is one sentence of the documentation. */
        for (unsigned i = 0; i < 2; i++)
                apply(sandbox, ruleset_format_courses(&courses));
        assert_shell("nft list table inet coursenet >/run/table");
        assert_shell("grep -q 'elements = { \"br-123\" . \"br-123\" }' /run/table");
        assert_shell("tr -d '\\n\\t' </run/table | grep -q 'set nat4 {type ipv4_addrflags intervalelements = "
                     "{ 10.0.123.0/24 }}'");
        assert_shell("grep -q '\"br-123\" . tcp . 443' /run/table");
        assert_shell(
                "tr -d '\\n\\t' </run/table | grep -q 'set host_ports {[^}]*{ \"br-123\" . tcp . 22 }}'");
        assert_shell("tr -d '\\n\\t' </run/table | grep -q 'set inbound {[^}]*{ \"br-124\" }}'");
        assert_shell("grep -q 'enp0s3.7' /run/table");
        assert_shell("grep -qE 'limit rate over (2500000 bytes|2500 kbytes|2441 kbytes)/second' /run/table");
        assert_shell(
                "tr -d '\\n\\t' </run/table | grep -q 'map limits {[^}]*{ \"br-123\" : jump limit_123 }}'");
        assert_shell("test $(grep -c 'chain forward ' /run/table) = 1");
        /* The limit counts packets of established connections too, but not what stays within the course. */
        assert_shell(
                "tr -d '\\n\\t' </run/table | grep -q 'chain from_seats {iifname . oifname @together accept"
                "iifname vmap @limitsct state established,related accept'");

        plans[0].traffic.course_rate.bits = 0;
        apply(sandbox, ruleset_format_courses(&courses));
        assert_shell("nft list table inet coursenet >/run/table");
        assert_no_shell("grep -q limit /run/table");
        assert_shell(
                "tr -d '\\n\\t' </run/table | grep -q 'chain from_seats {ct state established,related accept"
                "iifname . oifname @together accept'");
}

static bool kernel_has_flowtables(void) {
        return system("nft 'add table inet probe; add flowtable inet probe f { hook ingress priority 0; }' "
                      "2>/dev/null && nft delete table inet probe") == 0;
}

/* A limit counts each packet, so a course with one is in no flowtable. */
static void test_flowtable(void **state) {
        struct sandbox *sandbox = *state;
        struct bridge_plan plans[] = {make_course("123", 0x0a007b01), make_course("124", 0x0a007c01),
                make_course("125", 0x0a007d01)};
        struct ruleset_courses courses = {
                .courses = plans,
                .n_courses = ELEMENTSOF(plans),
                .uplinks = {.items = {"up0", "up1", "gone0"}, .n_items = 3},
                .flow_uplinks = {.items = {"up0", "up1"}, .n_items = 2},
        };
        _cleanup_free_ char *with = NULL, *without = NULL, *limited = NULL, *wanted = NULL;

        wanted = ruleset_format_courses(&courses);
        assert_non_null(wanted);
        assert_null(strstr(wanted, "flow"));

        plans[0].traffic.flowtable = plans[1].traffic.flowtable = true;
        plans[1].traffic.course_rate.bits = 20000000;
        with = ruleset_format_courses(&courses);
        assert_non_null(with);
        assert_non_null(strstr(with, "\tset flowing {\n\t\ttype ifname\n\t\telements = { \"br-123\" }\n\t}\n"
                                     "\tflowtable connections {\n\t\thook ingress priority filter + 10\n"
                                     "\t\tdevices = { \"br-123\", \"up0\", \"up1\" }\n\t}\n"));
        assert_non_null(strstr(with,
                "\tchain from_seats {\n\t\tct state established meta l4proto { tcp, udp } iifname @flowing "
                "oifname @uplinks flow add @connections\n\t\tiifname . oifname @together accept\n"));
        assert_non_null(strstr(with,
                "\tchain to_seats {\n\t\tct state established meta l4proto { tcp, udp } iifname @uplinks "
                "oifname @flowing flow add @connections\n\t\tct state established,related accept\n"));

        plans[0].traffic.course_rate.bits = 20000000;
        limited = ruleset_format_courses(&courses);
        assert_non_null(limited);
        assert_null(strstr(limited, "flow"));

        plans[0].traffic.course_rate.bits = 0;
        courses.flow_uplinks.n_items = 0;
        without = ruleset_format_courses(&courses);
        assert_non_null(without);
        assert_null(strstr(without, "flow"));

        if (!kernel_has_flowtables())
                return;
        assert_shell("for link in br-123 up0 up1; do ip link add $link type bridge; done");
        courses.flow_uplinks.n_items = 2;
        for (unsigned i = 0; i < 2; i++)
                apply(sandbox, ruleset_format_courses(&courses));
        assert_shell("nft list flowtables | grep -q connections");
}

/* The kernel takes no more devices. */
static void test_flowtable_of_many_courses(void **state) {
        enum {
                N = 300
        };
        _cleanup_free_ struct bridge_plan *plans = calloc(N, sizeof(*plans));
        struct ruleset_courses courses = {
                .courses = plans,
                .n_courses = N,
                .uplinks = {.items = {"up0"}, .n_items = 1},
                .flow_uplinks = {.items = {"up0"}, .n_items = 1},
        };
        _cleanup_free_ char *text = NULL;
        const char *devices;
        size_t n = 0;

        (void)state;
        assert_non_null(plans);
        for (unsigned i = 0; i < N; i++) {
                char course[COURSE_SIZE];

                (void)snprintf(course, sizeof(course), "%u", 100 + i);
                plans[i] = make_course(course, 0x0a000001U + (i << 8));
                plans[i].traffic.flowtable = true;
        }
        text = ruleset_format_courses(&courses);
        assert_non_null(text);
        devices = strstr(text, "\t\tdevices = {");
        assert_non_null(devices);
        for (const char *each = devices; *each != '}'; each++)
                n += *each == ',';
        assert_int_equal(n + 1, 256);
}

static void test_without_courses_there_is_no_table(void **state) {
        struct sandbox *sandbox = *state;
        struct bridge_plan plan = make_course("123", 0x0a007b01);
        struct ruleset_courses one = {.courses = &plan, .n_courses = 1}, none = {0};

        apply(sandbox, ruleset_format_courses(&none));
        assert_no_shell("nft list table inet coursenet >/dev/null 2>&1");
        apply(sandbox, ruleset_format_courses(&one));
        assert_shell("nft list table inet coursenet >/dev/null");
        apply(sandbox, ruleset_format_courses(&none));
        assert_no_shell("nft list table inet coursenet >/dev/null 2>&1");
}

/* The rules of exams are there during an exam only, and are the same whatever was applied before. */
static void test_exams(void **state) {
        struct sandbox *sandbox = *state;
        struct bridge_plan plans[] = {make_course("123", 0x0a007b01), make_course("124", 0x0a007c01)};
        const struct exam exam = {.course = "123", .since = 1, .n_staff = 1, .staff = {1001}};
        struct exam_allow allow[] = {{.address = "192.0.2.10", .port = 443, .tcp = true},
                {.address = "192.0.2.10", .port = 443, .tcp = true, .udp = true},
                {.address = "2001:db8::10", .six = true}};
        const struct ruleset_exam examined = {
                .bridge = plans[0].name, .exam = &exam, .allow = allow, .n_allow = ELEMENTSOF(allow)};
        struct ruleset_courses courses = {.courses = plans, .n_courses = 2, .dns = true};

        apply(sandbox, ruleset_format_courses(&courses));
        assert_shell("nft list table inet coursenet >/run/before");
        assert_no_shell("grep exam /run/before");
        courses.exams = &examined;
        courses.n_exams = 1;
        for (unsigned i = 0; i < 2; i++) {
                apply(sandbox, ruleset_format_courses(&courses));
                apply(sandbox, ruleset_format_exams(&courses));
        }
        assert_shell("nft list table inet coursenet | tr -d '\\n\\t' >/run/table");
        assert_shell("grep -q 'set exams {type ifnameelements = { \"br-123\" }}' /run/table");
        assert_shell("grep -q '\"br-123\" . 192.0.2.10 . tcp . 443' /run/table");
        assert_shell("grep -q '\"br-123\" . 192.0.2.10 . udp . 443' /run/table");
        assert_shell("grep -q 'elements = { \"br-123\" . 2001:db8::10 }' /run/table");
        assert_shell("grep -q 'elements = { \"br-123\" . 1001 }' /run/table");
        assert_shell("nft list table bridge coursenet | grep -q 'iifname \"vl-123\\*\" drop'");
        assert_no_shell("nft list table bridge coursenet | grep 124");

        courses.n_exams = 0;
        apply(sandbox, ruleset_format_courses(&courses));
        apply(sandbox, ruleset_format_exams(&courses));
        assert_shell("nft list table inet coursenet | cmp - /run/before");
        assert_no_shell("nft list table bridge coursenet >/dev/null 2>&1");
}

static void test_first_course(void **state) {
        struct sandbox *sandbox = *state;
        struct bridge_plan plan = make_course("123", 0x0a007b01);
        struct ruleset_courses one = {.courses = &plan, .n_courses = 1};
        _cleanup_free_ char *again = NULL;

        apply(sandbox, ruleset_format_first_course(&one));
        assert_shell("nft list table inet coursenet >/run/first");
        apply(sandbox, ruleset_format_courses(&one));
        assert_shell("nft list table inet coursenet | cmp - /run/first");

        again = ruleset_format_first_course(&one);
        assert_int_equal(nftables_apply(again, "the test", &sandbox->diagnostics), -EIO);
        assert_error(sandbox, "File exists");
}

/* A bridge whose address somebody removed: its seats are still restricted. */
static void test_course_without_address(void **state) {
        struct sandbox *sandbox = *state;
        struct bridge_plan plan = make_course("123", 0);
        struct ruleset_courses one = {.courses = &plan, .n_courses = 1, .dns = true};

        apply(sandbox, ruleset_format_courses(&one));
        assert_shell("nft list table inet coursenet | grep -q 'iifgroup 25454 jump to_host'");
        assert_no_shell("nft list table inet coursenet | grep -q '0.0.0'");
}

static const struct fence_members alone;

static void test_others_stay(void **state) {
        struct sandbox *sandbox = *state;
        struct bridge_plan plan = make_course("123", 0x0a007b01);
        struct ruleset_courses courses = {.courses = &plan, .n_courses = 1};
        struct fence_settings fence = {.enabled = true};
        const uint32_t uids[] = {1001};
        const struct fence_uids fenced = {.uids = uids, .n_uids = 1};

        assert_shell("nft 'table inet filter { chain forward { type filter hook forward priority filter; "
                     "policy drop; "
                     "ct state established accept; }; }'");
        assert_shell("nft -a list table inet filter >/run/before");
        apply(sandbox, ruleset_format_courses(&courses));
        apply(sandbox, fence_table_format(&fence, &fenced, &alone));
        courses.n_courses = 0;
        apply(sandbox, ruleset_format_courses(&courses));
        assert_shell("nft -a list table inet filter | cmp - /run/before");
}

#define SEATS "nft list ruleset netdev"

/* All tables of them. */
static void apply_tables(struct sandbox *sandbox, bool empty_sets) {
        for (unsigned i = 0; i < RULESET_SEATS_TABLES; i++)
                apply(sandbox, ruleset_format_seats(i, empty_sets));
}

/* Seat 10 has IPv6, seat 11 has not; their links are there. */
static void make_two_seats(struct seat_plan *seat, struct seat_plan *other) {
        *seat = make_seat("12310", 0x0a007b0a, "fd12:3456:789a:123::10");
        *other = make_seat("12311", 0x0a007b0b, NULL);
        assert_shell("ip link add vl-12310 type veth peer name vr-12310");
        assert_shell("ip link add vl-12311 type veth peer name vr-12311");
}

static void test_seats(void **state) {
        static const char *const elements[] = {
                " *\"vl-12310\" . 02:63:0a:00:7b:0a",
                " *\"vl-12311\" . 02:63:0a:00:7b:0b",
                " *\"vl-12310\" . 02:63:0a:00:7b:0a . 10.0.123.10",
                " *\"vl-12311\" . 02:63:0a:00:7b:0b . 10.0.123.11",
                " *\"vl-12310\" . fd12:3456:789a:123::10",
                " *\"vl-12310\" . fe80::63:aff:fe00:7b0a",
                " *\"vl-12310\" . 0xfd123456789a01230000000000000010",
                " *\"vl-12310\" . 0xfe8000000000000000630afffe007b0a",
        };
        struct sandbox *sandbox = *state;
        struct seat_plan seat, other;

        make_two_seats(&seat, &other);
        for (unsigned i = 0; i < 2; i++) {
                apply_tables(sandbox, i == 1);
                apply(sandbox, ruleset_format_seat(&seat));
                apply(sandbox, ruleset_format_seat(&other));
        }
        assert_shell(SEATS " >/run/table && tr -d '\\n\\t' </run/table >/run/line");
        assert_shell("grep -q 'hook ingress device \"vl-12310\" priority filter; policy drop;[^}]*"
                     "ether saddr 02:63:0a:00:7b:0a ip saddr 10.0.123.10 ip daddr != 127.0.0.0/8 [^}]*!= "
                     "igmp accept[^}]*"
                     "ether saddr 02:63:0a:00:7b:0a ip6 saddr fd12:3456:789a:123::10 [^}]*!= ipv6-icmp accept"
                     "jump sentjump sent6}' /run/line");
        assert_shell("grep -q 'hook ingress device \"vl-12311\" priority filter; policy drop;[^}]*"
                     "ether saddr 02:63:0a:00:7b:0b ip saddr 10.0.123.11 [^}]*!= igmp acceptjump sent}' "
                     "/run/line");
        for (size_t i = 0; i < ELEMENTSOF(elements); i++)
                assert_shell("grep -q '[{,]%s[ ,]' /run/line", elements[i]);

        /* From scratch, and without one of them: no set has it, and its chain is removed by itself. */
        apply_tables(sandbox, true);
        apply(sandbox, ruleset_format_seat(&seat));
        assert_no_shell(SEATS " | grep -v 'ether saddr' | grep -q 02:63:0a:00:7b:0b");
        for (unsigned i = 0; i < 2; i++)
                apply(sandbox, ruleset_format_seat_removal(1, other.link));
        assert_no_shell(SEATS " | grep -q vl-12311");
}

/* Both ways to make a seat's part of the table are the same to nft. */
static void test_seat_without_nft(void **state) {
        struct sandbox *sandbox = *state;
        struct seat_plan seats[2];

        make_two_seats(&seats[0], &seats[1]);
        apply_tables(sandbox, false);
        assert_shell(SEATS " >/run/empty");
        for (size_t i = 0; i < ELEMENTSOF(seats); i++) {
                apply(sandbox, ruleset_format_seat(&seats[i]));
                assert_shell(SEATS " >/run/by-nft && nft flush ruleset netdev");
                apply_tables(sandbox, false);

                /* The second time, all of it is there. */
                for (unsigned j = 0; j < 2; j++) {
                        assert_int_equal(seat_chain_make(&seats[i]), 0);
                        assert_shell(SEATS " | diff /run/by-nft -");
                }
                for (unsigned j = 0; j < 2; j++) {
                        assert_int_equal(seat_chain_remove(&seats[i]), 0);
                        assert_shell(SEATS " | diff /run/empty -");
                }
        }
}

static void test_seat_is_all_or_nothing(void **state) {
        struct sandbox *sandbox = *state;
        struct seat_plan seat, other;

        make_two_seats(&seat, &other);
        assert_int_equal(seat_chain_make(&seat), -ENOENT);
        assert_int_equal(seat_chain_remove(&seat), -ENOENT);
        assert_no_shell(SEATS " | grep .");

        /* A set of the table is missing. */
        apply_tables(sandbox, false);
        assert_int_equal(seat_chain_make(&other), 0);
        assert_shell("nft 'flush chain netdev coursenet_0 sent6; delete set netdev coursenet_0 targets6'");
        assert_int_equal(seat_chain_make(&seat), -ENOENT);
        assert_no_shell(SEATS " | grep -q vl-12310");
        assert_shell(SEATS " | grep -q vl-12311");
}

static void test_seat_whose_link_went_first(void **state) {
        struct sandbox *sandbox = *state;
        struct seat_plan seat, other;

        make_two_seats(&seat, &other);
        apply_tables(sandbox, false);
        assert_shell(SEATS " >/run/empty");
        assert_int_equal(seat_chain_make(&seat), 0);
        assert_shell("ip link del vl-12310");
        assert_int_equal(seat_chain_remove(&seat), 0);
        assert_shell(SEATS " | diff /run/empty -");
}

static void test_fence(void **state) {
        struct sandbox *sandbox = *state;
        struct fence_settings fence = {
                .enabled = true,
                .ports = {.n_items = 2,
                        .items = {{.number = 88, .tcp = true, .udp = true}, {.number = 443, .tcp = true}}},
        };
        const uint32_t uids[] = {1001, 4000000000U};
        struct uid_range ranges[] = {
                {.first = 100000, .last = 165535}, {.first = 4100000000U, .last = 4294967294U}};
        const struct fence_uids nobody = {0},
                                fenced = {
                                        .uids = uids,
                                        .n_uids = ELEMENTSOF(uids),
                                        .subordinates = {.items = ranges, .n_items = ELEMENTSOF(ranges)},
                                };

        for (unsigned i = 0; i < 2; i++)
                apply(sandbox, fence_table_format(&fence, &fenced, &alone));
        assert_shell("nft list table inet coursenet_fence >/run/table");
        assert_shell("grep -q 'elements = { 1001, 4000000000 }' /run/table");
        assert_shell("tr -d '\\n\\t ' </run/table | grep -q '{100000-165535,4100000000-4294967294}'");
        assert_shell("grep -q 'udp . 88' /run/table");
        assert_no_shell("grep -q 'udp . 443' /run/table");
        assert_shell("grep -q 'meta skuid < 1000 accept' /run/table");

        apply(sandbox, fence_table_format(&fence, &nobody, &alone));
        assert_shell("nft list table inet coursenet_fence >/dev/null");
        fence.enabled = false;
        apply(sandbox, fence_table_format(&fence, &fenced, &alone));
        assert_no_shell("nft list table inet coursenet_fence >/dev/null 2>&1");
}

/* Nobody listens: a packet that is let pass is answered with "Connection refused". */
static void test_ports_of_members_on_the_loopback(void **state) {
        static const char *const addresses[] = {"127.0.0.1", "::1", "192.0.2.1"}, *const ports[] = {"179",
                                                                                          "2379", "2380",
                                                                                          "81"};
        struct sandbox *sandbox = *state;
        struct fence_settings fence = {.enabled = true};
        const uint32_t uids[] = {1001};
        const struct fence_uids fenced = {.uids = uids, .n_uids = ELEMENTSOF(uids)};
        const struct fence_members members = {.addresses = {0xc0000201, 0xc0000202}, .n_addresses = 2};

        assert_shell("ip link set lo up && ip addr add 192.0.2.1/32 dev lo");
        for (unsigned member = 0; member < 2; member++) {
                apply(sandbox, fence_table_format(&fence, &fenced, member ? &members : &alone));
                for (size_t i = 0; i < ELEMENTSOF(addresses); i++)
                        for (size_t j = 0; j < ELEMENTSOF(ports); j++)
                                for (unsigned uid = 1001; uid < 1003; uid++)
                                        assert_shell("setpriv --reuid %u --clear-groups bash -c "
                                                     "'</dev/tcp/%s/%s' 2>&1 | grep -q '%s'",
                                                uid, addresses[i], ports[j],
                                                member && uid == 1001 && j < 3
                                                        ? "route to host\\|Permission denied"
                                                        : "Connection refused");
        }
}

/* As root, as a user who could be fenced, and as another; no course is up. */
static void test_vxlan_of_processes(void **state) {
        static const unsigned uids[] = {0, 1001, 1002};
        const struct fence_members members = {.addresses = {0xc0000201, 0xc0000202}, .n_addresses = 2};
        const struct fence_settings fence = {.enabled = true};
        const struct fence_uids nobody = {0};
        struct sandbox *sandbox = *state;

        assert_shell("ip link set lo up && ip link add eth0 up type veth peer name eth1 && ip link set eth1 "
                     "up && ip addr add 192.0.2.1/24 dev eth0 && "
                     "ip neigh add 192.0.2.2 lladdr 02:00:00:00:00:02 dev eth0");
        for (unsigned member = 0; member < 2; member++) {
                apply(sandbox, fence_table_format(&fence, &nobody, member ? &members : &alone));
                for (size_t i = 0; i < ELEMENTSOF(uids); i++)
                        for (unsigned port = 4789; port < 4791; port++)
                                assert_int_equal(shell("setpriv --reuid %u --clear-groups bash -c "
                                                       "'echo x >/dev/udp/192.0.2.2/%u' 2>/dev/null",
                                                         uids[i], port) == 0,
                                        !(member && port == 4789));
        }
}

static void test_subordinates(void **state) {
        struct settings settings = {0};
        _cleanup_accounts_ struct accounts fenced = {0};
        _cleanup_uid_ranges_ struct uid_ranges ranges = {0};
        const char *reason;

        (void)state;
        assert_int_equal(name_rule_parse("cs{course}-{student}", &settings.rule, &reason), 0);
        settings.fence.n_users = 1;
        (void)snprintf(settings.fence.users[0], sizeof(settings.fence.users[0]), "cs123-grader");
        assert_int_equal(accounts_add(&fenced, 1001, ""), 0);

        assert_int_equal(fence_subuid_load("/run/subuid-none", &settings, &fenced, &ranges), 0);
        assert_int_equal(ranges.n_items, 0);
        assert_shell(
                "printf '%%s\\n' cs123-b:165536:65536 alice:300000:65536 cs123-a:100000:65536 "
                "1001:500000:10 1002:600000:10 cs123-grader:700000:10 cs123-a:500005:10 nonsense cs123-c:x:1 "
                "cs123-c:800000:0 cs123-c:0:500 cs123-c:900:200 cs123-c:4294967290:100000 "
                "cs123-d:-4294367296:10 cs123-d:+700000:10 cs123-d:700000:-1 cs123-d:18446744073710251616:10 "
                "cs123-d:700000:10x cs123-d:700000:10:1 :700000:10 >/run/subuid");
        assert_int_equal(fence_subuid_load("/run/subuid", &settings, &fenced, &ranges), 0);
        assert_int_equal(ranges.n_items, 4);
        assert_int_equal(ranges.items[0].first, 1000);
        assert_int_equal(ranges.items[0].last, 1099);
        assert_int_equal(ranges.items[1].first, 100000);
        assert_int_equal(ranges.items[1].last, 231071);
        assert_int_equal(ranges.items[2].first, 500000);
        assert_int_equal(ranges.items[2].last, 500014);
        assert_int_equal(ranges.items[3].first, 4294967290U);
        assert_int_equal(ranges.items[3].last, 4294967294U);
}

static void test_a_transaction_is_all_or_nothing(void **state) {
        struct sandbox *sandbox = *state;

        assert_int_equal(nftables_apply("add table inet a\nadd rule inet a nowhere accept\n", "course 123",
                                 &sandbox->diagnostics),
                -EIO);
        assert_error(sandbox, "course 123: the firewall cannot be set: No such file or directory");
        assert_no_shell("nft list table inet a >/dev/null 2>&1");
}

static void test_lists(void **state) {
        _cleanup_free_ char *table = NULL;

        (void)state;
        assert_int_equal(nftables_list_table("inet a", &table), -ENOENT);
        assert_shell("nft 'table inet a { chain b { accept; }; }'");
        assert_int_equal(nftables_list_table("inet a", &table), 0);
        assert_non_null(strstr(table, "chain b {"));
}

int main(void) {
        const struct CMUnitTest tests[] = {
                sandbox_test(test_whole_table),
                sandbox_test(test_flowtable),
                sandbox_test(test_flowtable_of_many_courses),
                sandbox_test(test_without_courses_there_is_no_table),
                sandbox_test(test_exams),
                sandbox_test(test_first_course),
                sandbox_test(test_course_without_address),
                sandbox_test(test_others_stay),
                sandbox_test(test_seats),
                sandbox_test(test_seat_without_nft),
                sandbox_test(test_seat_is_all_or_nothing),
                sandbox_test(test_seat_whose_link_went_first),
                sandbox_test(test_fence),
                sandbox_test(test_ports_of_members_on_the_loopback),
                sandbox_test(test_vxlan_of_processes),
                sandbox_test(test_subordinates),
                sandbox_test(test_a_transaction_is_all_or_nothing),
                sandbox_test(test_lists),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
