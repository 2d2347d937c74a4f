/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The configuration and the hosts of dnsmasq, as text and as files. */

#include "sandbox.h"

#include "netsetup/names/dns-format.h"
#include "netsetup/names/dns.h"

#define SETTINGS "[site]\nnetwork6 = fd12:3456:789a::/48\n"

static void load(struct sandbox *sandbox, struct site *site) {
        assert_int_equal(site_load(SANDBOX_ETC, site, &sandbox->diagnostics), 0);
}

static void test_every_course_is_answered_for_or_nobody_is_asked(void **state) {
        struct sandbox *sandbox = *state;
        _cleanup_site_ struct site site = {0};
        _cleanup_free_ char *text = NULL;

        configure("coursenet.conf", SETTINGS "[course 124]\nsubnet = 172.16.4.0/22\n");
        configure("roster.d/123", "amy 10\n");
        configure("roster.d/124", "");
        load(sandbox, &site);
        text = dns_format_configuration(&site);
        assert_non_null(text);
        assert_non_null(strstr(text, "port=530\nbind-dynamic\nexcept-interface=lo\nno-hosts\ncache-size"));
        assert_non_null(strstr(text, "resolv-file=/etc/resolv.conf\n"));
        assert_non_null(strstr(text, "# br-123\nlocal=/cs123.internal/\nrev-server=10.0.123.0/24\n"
                                     "rev-server=fd12:3456:789a:123::/64\n"));
        assert_non_null(strstr(text, "# br-124\nlocal=/cs124.internal/\nrev-server=172.16.4.0/22\n"));
        /* Each course has its own hosts, and its own bridge. */
        assert_null(strstr(text, "hosts="));
        assert_null(strstr(text, "hostsdir="));
        assert_null(strstr(text, "\ninterface="));
        assert_null(strstr(text, "log-queries"));
        assert_silence(sandbox);
}

static void test_own_servers_are_asked_and_no_other(void **state) {
        struct sandbox *sandbox = *state;
        _cleanup_site_ struct site site = {0};
        _cleanup_free_ char *text = NULL;

        configure("coursenet.conf", "[site]\ndns = 192.0.2.53 2001:db8::53\nnetwork6 = off\n");
        configure("roster.d/123", "amy 10\n");
        load(sandbox, &site);
        text = dns_format_configuration(&site);
        assert_non_null(strstr(text, "no-resolv\nserver=192.0.2.53\nserver=2001:db8::53\n"));
        assert_null(strstr(text, "resolv-file"));
        assert_non_null(strstr(text, "rev-server=10.0.123.0/24\n"));
        assert_null(strstr(text, "::/64"));
}

static void test_hosts_have_both_addresses(void **state) {
        struct sandbox *sandbox = *state;
        _cleanup_site_ struct site site = {0};
        _cleanup_free_ char *text = NULL;

        configure("coursenet.conf", SETTINGS "domain = c{course}.example.org\n");
        configure("roster.d/123", "amy 10\n#removed carl 11\nbob 12\n");
        load(sandbox, &site);
        text = dns_format_hosts(&site, &site.courses[0], &sandbox->diagnostics);
        assert_string_equal(text,
                "10.0.123.1 gateway.c123.example.org\nfd12:3456:789a:123::1 gateway.c123.example.org\n"
                "10.0.123.10 amy.c123.example.org\nfd12:3456:789a:123::10 amy.c123.example.org\n"
                "10.0.123.12 bob.c123.example.org\nfd12:3456:789a:123::12 bob.c123.example.org\n");
        assert_silence(sandbox);
}

static void test_names_that_are_none_are_left_out_with_one_warning(void **state) {
        struct sandbox *sandbox = *state;
        _cleanup_site_ struct site site = {0};
        _cleanup_free_ char *text = NULL;

        configure("coursenet.conf", "[site]\nnetwork6 = off\n");
        configure("roster.d/123", "a_b 10\nc.d 11\nGateway 12\namy 13\n");
        load(sandbox, &site);
        text = dns_format_hosts(&site, &site.courses[0], &sandbox->diagnostics);
        assert_string_equal(text, "10.0.123.1 gateway.cs123.internal\n10.0.123.13 amy.cs123.internal\n");
        assert_int_equal(sandbox->diagnostics.n_items, 1);
        assert_warning(sandbox, "3 students of course 123, for example 'a_b'");
}

static ino_t inode_of(const char *path) {
        struct stat st;

        assert_int_equal(stat(path, &st), 0);
        return st.st_ino;
}

static void update(struct sandbox *sandbox, int expected) {
        assert_int_equal(dns_update(SANDBOX_ETC, &sandbox->diagnostics), expected);
}

static void test_files_change_only_with_what_is_in_them(void **state) {
        struct sandbox *sandbox = *state;
        ino_t configuration, hosts;

        configure("roster.d/123", "amy 10\n");
        update(sandbox, DNS_READY);
        configuration = inode_of(DNS_CONFIGURATION);
        hosts = inode_of(DNS_HOSTS_DIRECTORY "/123/" DNS_HOSTS_FILE);
        update(sandbox, DNS_READY);
        assert_int_equal(inode_of(DNS_HOSTS_DIRECTORY "/123/" DNS_HOSTS_FILE), hosts);

        configure("roster.d/123", "amy 10\nbob 11\n");
        update(sandbox, DNS_READY);
        assert_int_not_equal(inode_of(DNS_HOSTS_DIRECTORY "/123/" DNS_HOSTS_FILE), hosts);
        assert_int_equal(inode_of(DNS_CONFIGURATION), configuration);
        assert_silence(sandbox);
}

static void test_a_course_without_a_roster_has_no_hosts(void **state) {
        struct sandbox *sandbox = *state;

        configure("roster.d/123", "amy 10\n");
        configure("roster.d/124", "bob 10\n");
        update(sandbox, DNS_READY);
        assert_shell("rm " SANDBOX_ETC "/roster.d/124");
        update(sandbox, DNS_READY);
        assert_shell("test -e " DNS_HOSTS_DIRECTORY "/123/" DNS_HOSTS_FILE);
        assert_no_shell("test -e " DNS_HOSTS_DIRECTORY "/124");
        assert_no_shell("grep -q br-124 " DNS_CONFIGURATION);
}

#define BRIDGE "ip link add br-%s up group 25454 type bridge"

static void test_a_course_that_is_up_outlives_its_roster(void **state) {
        struct sandbox *sandbox = *state;
        ino_t configuration, hosts;

        configure("roster.d/123", "amy 10\n");
        configure("roster.d/124", "bob 10\n");
        assert_shell(BRIDGE, "123");
        update(sandbox, DNS_READY);
        configuration = inode_of(DNS_CONFIGURATION);
        hosts = inode_of(DNS_HOSTS_DIRECTORY "/123/" DNS_HOSTS_FILE);
        assert_shell("rm " SANDBOX_ETC "/roster.d/123");
        update(sandbox, DNS_READY);
        assert_silence(sandbox);
        assert_int_equal(inode_of(DNS_CONFIGURATION), configuration);
        assert_int_equal(inode_of(DNS_HOSTS_DIRECTORY "/123/" DNS_HOSTS_FILE), hosts);

        /* One that is no file cannot be read. */
        assert_shell("mkdir " SANDBOX_ETC "/roster.d/123");
        update(sandbox, DNS_READY);
        assert_int_equal(inode_of(DNS_CONFIGURATION), configuration);
        assert_int_equal(inode_of(DNS_HOSTS_DIRECTORY "/123/" DNS_HOSTS_FILE), hosts);

        assert_shell("rmdir " SANDBOX_ETC "/roster.d/123; ip link delete br-123");
        update(sandbox, DNS_READY);
        assert_no_shell("grep -q br-123 " DNS_CONFIGURATION);
        assert_no_shell("test -e " DNS_HOSTS_DIRECTORY "/123/" DNS_HOSTS_FILE);
}

static void test_a_course_may_be_up_without_a_roster(void **state) {
        struct sandbox *sandbox = *state;

        configure("coursenet.conf", "[site]\nnetwork6 = off\n");
        assert_shell(BRIDGE " && ip link add br-9 type bridge && " BRIDGE, "125", "lan");
        update(sandbox, DNS_READY);
        assert_silence(sandbox);
        assert_shell("grep -Fqx '# br-125' " DNS_CONFIGURATION);
        assert_shell("grep -Fqx local=/cs125.internal/ " DNS_CONFIGURATION);
        assert_shell("grep -Fqx rev-server=10.0.125.0/24 " DNS_CONFIGURATION);
        assert_shell(
                "grep -Fqx '10.0.125.1 gateway.cs125.internal' " DNS_HOSTS_DIRECTORY "/125/" DNS_HOSTS_FILE);
        /* Neither another's bridge nor one that is no course's. */
        assert_no_shell("grep -q -e br-9 -e br-lan " DNS_CONFIGURATION);
}

static void test_a_course_that_is_up_without_a_plan_is_listened_to(void **state) {
        struct sandbox *sandbox = *state;

        configure("netns/bridge-125.conf", "BR_IP=nowhere\n");
        assert_shell(BRIDGE, "125");
        update(sandbox, DNS_READY);
        assert_shell("grep -Fqx '# br-125' " DNS_CONFIGURATION);
        assert_no_shell("grep -q rev-server " DNS_CONFIGURATION);
}

static void test_a_course_may_tell_nothing_of_its_seats(void **state) {
        struct sandbox *sandbox = *state;
        _cleanup_site_ struct site site = {0};
        _cleanup_free_ char *text = NULL;

        configure("coursenet.conf", "[site]\nnetwork6 = off\n[course 123]\nnames = none\n");
        configure("roster.d/123", "amy 10\n");
        load(sandbox, &site);
        text = dns_format_hosts(&site, &site.courses[0], &sandbox->diagnostics);
        assert_string_equal(text, "10.0.123.1 gateway.cs123.internal\n");
}

/* Which a setting that is made too late for the roster must not keep. */
static void test_names_are_forgotten_without_a_roster_too(void **state) {
        struct sandbox *sandbox = *state;

        configure("roster.d/123", "amy 10\n");
        assert_shell(BRIDGE, "123");
        update(sandbox, DNS_READY);
        assert_shell("grep -q amy " DNS_HOSTS_DIRECTORY "/123/" DNS_HOSTS_FILE);
        assert_shell("rm " SANDBOX_ETC "/roster.d/123");
        configure("coursenet.conf", "[site]\nnames = none\n");
        update(sandbox, DNS_READY);
        assert_no_shell("grep -q amy " DNS_HOSTS_DIRECTORY "/123/" DNS_HOSTS_FILE);
        assert_shell("grep -q gateway " DNS_HOSTS_DIRECTORY "/123/" DNS_HOSTS_FILE);
}

static mode_t mode_of(const char *path) {
        struct stat st;

        assert_int_equal(stat(path, &st), 0);
        return st.st_mode & 07777;
}

static void test_names_are_for_root_and_for_whom_root_lets_in(void **state) {
        struct sandbox *sandbox = *state;

        configure("roster.d/123", "amy 10\n");
        /* As an earlier version left it. */
        assert_shell("mkdir -p -m 755 " DNS_HOSTS_DIRECTORY " && echo amy >" DNS_HOSTS_DIRECTORY
                     "/123 && touch " DNS_HOSTS_DIRECTORY "/124");
        (void)umask(077);
        update(sandbox, DNS_READY);
        (void)umask(022);
        assert_int_equal(mode_of(DNS_DIRECTORY), 0700);
        assert_int_equal(mode_of(DNS_HOSTS_DIRECTORY), 0755);
        assert_int_equal(mode_of(DNS_HOSTS_DIRECTORY "/123"), 0755);
        assert_int_equal(mode_of(DNS_HOSTS_DIRECTORY "/123/" DNS_HOSTS_FILE), 0644);
        assert_no_shell("test -e " DNS_HOSTS_DIRECTORY "/124");
        assert_silence(sandbox);
}

static void test_no_name_service_leaves_no_files(void **state) {
        struct sandbox *sandbox = *state;

        configure("roster.d/123", "amy 10\n");
        update(sandbox, DNS_READY);
        configure("coursenet.conf", "[site]\ndns = off\n");
        update(sandbox, DNS_NOT_RUN);
        assert_no_shell("test -e " DNS_CONFIGURATION);
        assert_no_shell("test -e " DNS_HOSTS_DIRECTORY "/123/" DNS_HOSTS_FILE);
}

static void test_broken_settings_keep_what_is_there(void **state) {
        struct sandbox *sandbox = *state;

        configure("coursenet.conf", "[site]\ndns = perhaps\n");
        update(sandbox, -EINVAL);
        configure("coursenet.conf", "");
        configure("roster.d/123", "amy 10\n");
        assert_int_equal(dns_update(SANDBOX_ETC, &sandbox->diagnostics), DNS_READY);
        configure("coursenet.conf", "[site]\ndns = perhaps\n");
        update(sandbox, DNS_READY);
        assert_shell("grep -q br-123 " DNS_CONFIGURATION);
}

static int set_up(void **state) {
        return sandbox_setup(state) < 0 ? -1 : mkdir(SANDBOX_ETC "/roster.d", 0755);
}

#define dns_test(function) cmocka_unit_test_setup_teardown(function, set_up, sandbox_teardown)

int main(void) {
        const struct CMUnitTest tests[] = {
                dns_test(test_every_course_is_answered_for_or_nobody_is_asked),
                dns_test(test_own_servers_are_asked_and_no_other),
                dns_test(test_hosts_have_both_addresses),
                dns_test(test_names_that_are_none_are_left_out_with_one_warning),
                dns_test(test_files_change_only_with_what_is_in_them),
                dns_test(test_a_course_without_a_roster_has_no_hosts),
                dns_test(test_a_course_that_is_up_outlives_its_roster),
                dns_test(test_a_course_may_be_up_without_a_roster),
                dns_test(test_a_course_that_is_up_without_a_plan_is_listened_to),
                dns_test(test_a_course_may_tell_nothing_of_its_seats),
                dns_test(test_names_are_forgotten_without_a_roster_too),
                dns_test(test_names_are_for_root_and_for_whom_root_lets_in),
                dns_test(test_no_name_service_leaves_no_files),
                dns_test(test_broken_settings_keep_what_is_there),
        };

        return cmocka_run_group_tests_name("dns", tests, NULL, NULL);
}
