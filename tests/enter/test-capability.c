/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Capabilities: raised alone, dropped entirely, and explained where there are none. Run as root. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "run-child.h"

#include "enter/capability.h"

static void print_sets(void) {
        FILE *file = fopen("/proc/self/status", "re");
        char line[256];

        while (file && fgets(line, sizeof(line), file))
                if (string_starts_with(line, "Cap") && !string_starts_with(line, "CapBnd"))
                        (void)fputs(line, stdout);
}

static int raise_it(void *userdata) {
        (void)userdata;
        become_user(STUDENT_UID, true);
        if (capability_raise() < 0)
                return 1;
        print_sets();
        return 0;
}

static void test_raised_alone(void **state) {
        struct child_result result = run_child(raise_it, NULL);

        (void)state;
        assert_int_equal(result.status, 0);
        assert_string_equal(result.output, "CapInh:\t0000000000000000\nCapPrm:\t0000000000200000\n"
                                           "CapEff:\t0000000000200000\nCapAmb:\t0000000000000000\n");
}

/* As root, with an ambient one too: more than there will ever be. */
static int drop_all(void *userdata) {
        struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
        struct __user_cap_data_struct sets[_LINUX_CAPABILITY_U32S_3];

        (void)userdata;
        must(syscall(SYS_capget, &header, sets) == 0, "capget");
        sets[0].inheritable = sets[0].permitted;
        must(syscall(SYS_capset, &header, sets) == 0, "capset");
        must(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_CHOWN, 0, 0) == 0, "an ambient capability");
        if (capability_drop_all() < 0)
                return 1;
        print_sets();
        return capability_raise() == -EPERM ? 0 : 1;
}

static void test_dropped_entirely(void **state) {
        struct child_result result = run_child(drop_all, NULL);

        (void)state;
        assert_int_equal(result.status, 0);
        assert_string_equal(result.output, "CapInh:\t0000000000000000\nCapPrm:\t0000000000000000\n"
                                           "CapEff:\t0000000000000000\nCapAmb:\t0000000000000000\n");
}

static void print_facts(const struct capability_facts *facts) {
        (void)printf("%s%s%s%s%s", facts->no_new_privileges ? "no-new-privileges " : "",
                facts->bounded ? "bounded " : "", facts->traced ? "traced " : "",
                facts->user_namespace ? "user-namespace " : "", facts->file_has_none ? "file-has-none" : "");
}

static int forbid_and_look(void *userdata) {
        struct capability_facts facts;

        (void)userdata;
        must(prctl(PR_CAPBSET_DROP, CAP_SYS_ADMIN, 0, 0, 0) == 0, "drop from the bounding set");
        become_user(STUDENT_UID, false);
        must(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0, "no new privileges");
        capability_look(&facts);
        print_facts(&facts);
        return 0;
}

static int look_in_user_namespace(void *userdata) {
        struct capability_facts facts;

        (void)userdata;
        must(unshare(CLONE_NEWUSER) == 0, "a user namespace");
        capability_look(&facts);
        print_facts(&facts);
        return 0;
}

static void test_facts(void **state) {
        struct child_result result;

        (void)state;
        /* The test program has no file capability either. */
        result = run_child(forbid_and_look, NULL);
        assert_string_equal(result.output, "no-new-privileges bounded file-has-none");
        result = run_child(look_in_user_namespace, NULL);
        assert_string_equal(result.output, "user-namespace file-has-none");
}

static void test_explanations(void **state) {
        static const struct {
                struct capability_facts facts;
                const char *part;
        } rows[] = {
                {{.no_new_privileges = true, .bounded = true, .file_has_none = true}, "NoNewPrivileges"},
                {{.user_namespace = true, .bounded = true}, "user namespace"},
                {{.bounded = true, .file_has_none = true}, "bounding set"},
                {{.traced = true}, "traced"},
                {{.file_has_none = true, .nosuid = true}, "setcap cap_sys_admin=p"},
                {{.nosuid = true}, "nosuid"},
                {{0}, "the kernel"},
        };

        (void)state;
        for (size_t i = 0; i < ELEMENTSOF(rows); i++)
                assert_non_null(strstr(capability_explain(&rows[i].facts), rows[i].part));
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_raised_alone),
                cmocka_unit_test(test_dropped_entirely),
                cmocka_unit_test(test_facts),
                cmocka_unit_test(test_explanations),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
