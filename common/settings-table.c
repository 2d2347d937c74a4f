/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The table of all settings: names, sections, kinds, ranges and defaults stand here and nowhere else in the
 * code. setting-set.c reads values by it, settings-parse.c the file, settings-load.c the defaults.
 *
 * To add a setting:
 *
 *   1. add a row to the table below, sorted by name;
 *   2. add its member to settings.h: to struct course_values if [site] and [course N] may set it, else to
 *      struct settings or struct course_settings;
 *   3. describe it in conf/coursenet.conf and man/coursenet.conf.5, in every section that allows it;
 *   4. add a right and a wrong value to the examples of tests/unit/test-settings-table.c.
 *
 * The unit tests fail until all four are done. A setting that no kind fits needs a new kind, with its setter
 * in setting-set.c. A new section needs its bit in settings-table.h, its struct in setting_base(), and its
 * title in handle_setting() of settings-parse.c. What one value cannot show, such as two settings that
 * contradict each other, is checked in settings-check.c.
 */

#include "settings-table.h"
#include "exam.h"

/* --- sections: where a setting is allowed, and with it the struct of its member --- */

#define MEMBER(type, member) .offset = offsetof(type, member), .size = sizeof(((type *)NULL)->member)
#define SITE(member) .sections = SECTION_SITE, MEMBER(struct settings, member)
#define COURSE(member) .sections = SECTION_COURSE, MEMBER(struct course_settings, member)
#define HOSTS(member) .sections = SECTION_HOSTS, MEMBER(struct settings, hosts.member)
#define BOTH(member) .sections = SECTION_SITE | SECTION_COURSE, MEMBER(struct course_values, member)

#define LIST_OF(type, array, n)                                                                              \
        MEMBER(type, array), .list.item_size = sizeof(((type *)NULL)->array[0]),                             \
                             .list.n_max = ELEMENTSOF(((type *)NULL)->array),                                \
                             .list.n_offset = offsetof(type, n)
#define HOSTS_LIST(array, n) .sections = SECTION_HOSTS, LIST_OF(struct settings, hosts.array, hosts.n)
#define COURSE_LIST(array, n) .sections = SECTION_COURSE, LIST_OF(struct course_settings, array, n)
#define SITE_LIST(array, n) .sections = SECTION_SITE, LIST_OF(struct settings, array, n)
#define BOTH_LIST(array, n) .sections = SECTION_SITE | SECTION_COURSE, LIST_OF(struct course_values, array, n)

/* --- kinds --- */

#define BOOL .kind = SETTING_BOOL
#define ENUM(table) .kind = SETTING_ENUM, .words = (table)
#define NUMBER(what, low, high)                                                                              \
        .kind = SETTING_NUMBER, .expected = (what), .minimum = (low), .maximum = (high)
#define TIME(low, high) .kind = SETTING_TIME, .minimum = (low), .maximum = (high)
#define RATE .kind = SETTING_RATE
#define DELAY .kind = SETTING_DELAY
#define LOSS .kind = SETTING_LOSS
#define TEXT(check, what) .kind = SETTING_TEXT, .valid = (check), .expected = (what)
#define WORDS(check, what) .kind = SETTING_WORDS, .valid = (check), .expected = (what)
#define ITEMS(check, what, plural, none)                                                                     \
        .valid = (check), .expected = (what), .list.items = (plural), .list.empty = (none)
#define LIST(check, what, plural, none) .kind = SETTING_LIST, ITEMS(check, what, plural, none)
#define PORTS(with_address, what) .kind = SETTING_PORTS, .any_address = (with_address), .expected = (what)
#define PREFIX(low, high, what) .minimum = (low), .maximum = (high), .expected = (what)
#define NETWORK(low, high, what) .kind = SETTING_NETWORK, PREFIX(low, high, what)
#define NETWORK6(low, high, what) .kind = SETTING_NETWORK6, PREFIX(low, high, what)

#define DEFAULT(text) .default_value = (text)

/* --- the words of enums --- */

static const struct setting_word capture_words[] = {
        {"no", CAPTURE_NO}, {"own", CAPTURE_OWN}, {"staff", CAPTURE_STAFF}, {"both", CAPTURE_BOTH}, {0}};

static const struct setting_word choice_words[] = {{"yes", CHOICE_YES}, {"no", CHOICE_NO}, {0}};

static const struct setting_word dns_words[] = {{"host", DNS_HOST}, {"off", DNS_OFF}, {0}};

static const struct setting_word isolation_words[] = {
        {"none", ISOLATION_NONE}, {"course", ISOLATION_COURSE}, {"seat", ISOLATION_SEAT}, {0}};

static const struct setting_word leftover_words[] = {
        {"cut", LEFTOVER_CUT}, {"kill", LEFTOVER_KILL}, {"keep", LEFTOVER_KEEP}, {0}};

static const struct setting_word names_words[] = {{"course", NAMES_COURSE}, {"none", NAMES_NONE}, {0}};

/* --- the table --- */

/* Sorted by name. */
/* clang-format off */
static const struct setting table[] = {
        {"asn", HOSTS(asn), NUMBER("a number", 1, UINT32_MAX - 1U), DEFAULT("65000")}, /* RFC 6996: private use */
        {"bind", BOTH(services.binds), WORDS(bind_valid, "/SOURCE[:/TARGET[:ro]]")},
        {"capture", BOTH(capture), ENUM(capture_words), DEFAULT("no")},
        {"claim-time", HOSTS(claim_seconds), TIME(CLAIM_TIME_MIN_SECONDS, CLAIM_TIME_MAX_SECONDS), DEFAULT("30s")},
        {"course-digits", SITE(course_digits), NUMBER("a number", 1, COURSE_DIGITS_MAX), DEFAULT("3")},
        {"course-rate", BOTH(traffic.course_rate), RATE, DEFAULT("none")},
        {"cpu-quota", BOTH(limits.cpu_quota), TEXT(cpu_quota_valid,
                "a percentage, such as 150% for one and a half processors, or infinity")},
        {"cpu-weight", BOTH(limits.cpu_weight), TEXT(weight_valid, "a number from 1 to 10000")},
        {"delay", BOTH(traffic.impairment.delay_usec), DELAY, DEFAULT("none")},
        {"dns", SITE_LIST(dns.servers, dns.n_servers), .kind = SETTING_DNS, .words = dns_words, ITEMS(server_valid,
                "host alone, off alone, or addresses of name servers", "addresses", NULL), DEFAULT("host")},
        {"domain", SITE(dns.domain), TEXT(domain_valid,
                "a DNS domain with " DOMAIN_COURSE " in it once, such as " DOMAIN_DEFAULT ": labels of letters, digits "
                "and hyphens with single dots between them, of which the last is not a number"),
                DEFAULT(DOMAIN_DEFAULT)},
        {"environment", BOTH(services.environment), WORDS(variable_valid, "NAME=VALUE, without commas")},
        {"exam", COURSE(exam), TEXT(class_hours_valid,
                "[DAYS] HH:MM-HH:MM [ZONE], more of them behind ';', such as 2026-12-01 09:00-11:00; Fri 14:00-16:00")},
        {"exam-allow", COURSE(exam_allow), TEXT(exam_allow_list_valid,
                "what an exam allows: ADDRESS, ADDRESS:PORT/tcp, ADDRESS:PORT/udp or name:NAME, such as 192.0.2.10:443/tcp, name:www.example.org")},
        {"fence", SITE(fence.enabled), BOOL, DEFAULT("yes")},
        {"fence-except-ports", SITE(fence.ports), PORTS(false,
                "PORT, PORT/tcp or PORT/udp; or none alone"), DEFAULT("none")},
        {"fence-except-users", SITE_LIST(fence.users, fence.n_users), LIST(user_name_valid,
                "names of users; or none alone", "users", "none"), DEFAULT("none")},
        {"first-seat", SITE(first_seat), NUMBER("a number", 2, 65534), DEFAULT("10")}, /* 1 is the gateway */
        {"flowtable", BOTH(traffic.flowtable), BOOL, DEFAULT("no")},
        {"handover", HOSTS(handover), TEXT(handover_valid,
                "a text in which %u stands for the user and %h for the server, such as ssh %u@%h.example.edu")},
        {"host-name", HOSTS(host_name), TEXT(host_member_name_valid,
                "a name of letters, digits and hyphens, as in members")},
        {"host-ports", BOTH(traffic.host_ports), PORTS(true,
                "PORT, PORT/tcp or PORT/udp, with *: before it if need be; or none alone"), DEFAULT("none")},
        {"image", BOTH(services.image), TEXT(path_valid, "the whole path of a .sif file or a sandbox folder")},
        {"inbound", BOTH(traffic.inbound), BOOL, DEFAULT("no")},
        {"io-weight", BOTH(limits.io_weight), TEXT(weight_valid, "a number from 1 to 10000")},
        {"isolation", BOTH(traffic.isolation), ENUM(isolation_words), DEFAULT("course")},
        {"jitter", BOTH(traffic.impairment.jitter_usec), DELAY, DEFAULT("none")},
        {"leftover", BOTH(leftover), ENUM(leftover_words), DEFAULT("cut")},
        {"leftover-max", BOTH(leftover_max_seconds), TIME(1, LEFTOVER_MAX_SECONDS), DEFAULT("12h")},
        {"linger", BOTH(linger_seconds), NUMBER("a number of seconds", 0, LINGER_MAX_SECONDS), DEFAULT("0")},
        {"loss", BOTH(traffic.impairment.loss_ppm), LOSS, DEFAULT("none")},
        {"members", HOSTS_LIST(members, n_members), LIST(host_member_valid,
                "NAME=ADDRESS of each server, such as hosta=192.0.2.1 hostb=192.0.2.2; or none alone", "servers", "none"),
                .list.repeats = true, DEFAULT("none")},
        {"memory-max", BOTH(limits.memory_max), TEXT(memory_max_valid,
                "at least 16M: a number with K, M, G or T behind it, such as 2G; a percentage; or infinity")},
        {"name-rule", SITE(rule_text), .kind = SETTING_NAME_RULE, DEFAULT(NAME_RULE_DEFAULT)},
        {"names", BOTH(names), ENUM(names_words), DEFAULT("course")},
        {"nat", BOTH(traffic.nat), BOOL, DEFAULT("yes")},
        {"nat6", BOTH(traffic.nat6), ENUM(choice_words)}, /* unset: it depends on the subnet, bridge_plan_load() */
        {"network", SITE(network), NETWORK(0, 32,
                "an IPv4 network with its prefix, such as 10.0.0.0/8"), DEFAULT("10.0.0.0/8")},
        {"network6", SITE(network6), .kind = SETTING_SITE_NETWORK6, PREFIX(3, SUBNET6_PREFIX,
                "auto, off, or an IPv6 network with its prefix, such as 2001:db8::/48"), DEFAULT("auto")},
        {"prefix", SITE(prefix), NUMBER("a number", SUBNET_PREFIX_MIN, SUBNET_PREFIX_MAX), DEFAULT("24")},
        {"rate", BOTH(traffic.rate), RATE, DEFAULT("none")},
        {"roster-group", COURSE_LIST(roster_groups, n_roster_groups), LIST(user_name_valid,
                "names of groups; or none alone", "groups", "none"), .list.separators = ", \t"},
        {"route-reflectors", HOSTS_LIST(reflectors, n_reflectors), LIST(ipv4_valid,
                "IPv4 addresses; or none alone", "addresses", "none"), DEFAULT("none")},
        {"schedule", COURSE(schedule), TEXT(class_hours_valid,
                "[DAYS] HH:MM-HH:MM [ZONE], more of them behind ';', such as Mon,Wed 09:00-10:30; Fri 14:00-16:00")},
        {"schedule-lead", BOTH(schedule_lead_seconds), TIME(0, SCHEDULE_LEAD_MAX_SECONDS), DEFAULT("15min")},
        {"spread", BOTH(spread), BOOL, DEFAULT("no")},
        {"staff", BOTH_LIST(staff.names, staff.n_names), .adds = true, LIST(staff_name_valid,
                "names of users, and of groups with @ before them; or none alone",
                "names: name a group instead", "none"), .list.separators = ", \t", DEFAULT("none")},
        {"staff-enter", BOTH(staff_enter), BOOL, DEFAULT("no")},
        {"store", HOSTS_LIST(stores, n_stores), LIST(store_url_valid,
                "https://HOST:PORT of each server of etcd, or http:// on the loopback; or none alone", "addresses", "none"),
                .list.repeats = true, DEFAULT("none")},
        {"store-ca", HOSTS(store_ca), TEXT(path_valid, "the whole path of a file")},
        {"store-cert", HOSTS(store_cert), TEXT(path_valid, "the whole path of a file")},
        {"store-key", HOSTS(store_key), TEXT(path_valid, "the whole path of a file")},
        {"subnet", COURSE(subnet), NETWORK(SUBNET_PREFIX_MIN, SUBNET_PREFIX_MAX,
                "an IPv4 network with its prefix, such as 172.16.0.0/22")},
        {"subnet6", COURSE(subnet6), NETWORK6(SUBNET6_PREFIX, SUBNET6_PREFIX,
                "an IPv6 network with its prefix, such as 2001:db8:0:123::/64")},
        {"tasks-max", BOTH(limits.tasks_max), TEXT(tasks_max_valid,
                "a number of tasks, at least 16; a percentage; or infinity")},
        {"test-host", BOTH(test_host), TEXT(host_valid, "a host name or an IPv4 address")},
        {"units", BOTH_LIST(services.units, services.n_units), LIST(template_valid,
                "names of template units, without '@': cont stands for cont@.service", "units", NULL)},
        {"uplink", SITE_LIST(uplinks, n_uplinks), LIST(uplink_valid,
                "names of interfaces, such as eth0; or auto alone", "interfaces", "auto"), .list.separators = ", \t",
                DEFAULT("auto")},
        {"user-manager", BOTH(user_manager), BOOL, DEFAULT("yes")},
        {"vni", COURSE(vni), NUMBER("a number", 1, VNI_MAX)},
        {"vni-base", HOSTS(vni_base), NUMBER("a number", 1, VNI_MAX), DEFAULT("100000")},
};
/* clang-format on */

_Static_assert(
        ELEMENTSOF(table) <= SETTINGS_MAX, "a row has no place in the arrays of lines: raise SETTINGS_MAX");

/* A seat number of the widest subnet has 5 digits. "vl-", course and seat must fit into an interface name. */
_Static_assert(
        SUBNET_PREFIX_MIN >= 16 && COURSE_DIGITS_MAX + 5 + 3 <= 15, "interface names would be too long");

const struct setting *setting_at(size_t i) {
        return i < ELEMENTSOF(table) ? &table[i] : NULL;
}

static int compare_name(const void *name, const void *setting) {
        return strcmp(name, ((const struct setting *)setting)->name);
}

const struct setting *setting_find(const char *name) {
        return bsearch(name, table, ELEMENTSOF(table), sizeof(table[0]), compare_name);
}

size_t setting_index(const struct setting *setting) {
        return (size_t)(setting - table);
}

void *setting_base(const struct setting *setting, struct settings *settings, struct course_settings *course) {
        switch (setting->sections) {
        case SECTION_SITE:
        case SECTION_HOSTS:
                return settings;
        case SECTION_COURSE:
                return course;
        default:
                return course ? &course->values : &settings->values;
        }
}

void setting_copy(const struct setting *setting, void *to, const void *from) {
        size_t n_offset = setting->list.n_offset;

        memcpy((char *)to + setting->offset, (const char *)from + setting->offset, setting->size);
        if (setting->list.n_max > 0)
                memcpy((char *)to + n_offset, (const char *)from + n_offset, sizeof(size_t));
}

unsigned settings_line(const struct settings *settings, const char *course, const char *name) {
        const struct course_settings *own = course ? settings_find_course(settings, course) : NULL;
        const struct setting *setting = setting_find(name);
        size_t i;

        if (!setting)
                return 0;
        i = setting_index(setting);
        return own && own->lines[i] > 0 ? own->lines[i] : settings->lines[i];
}
