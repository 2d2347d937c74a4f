/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Exams between the files of a member and the store, with a stand-in for the store's calls. */

#include "claim-value.h"
#include "exam-file.h"
#include "exam-sync.h"
#include "exam-value.h"
#include "mirror-keys.h"
#include "tests/unit/fixture.h"

#define KEY STORE_EXAMS "123"
#define FUTURE UINT64_C(90000000000)

/* --- the store ------------------------------------------------------------------------------- */

static struct {
        char *value; /* that it was asked to set */
        int64_t revision;
        unsigned n_calls;
        store_callback_t callback;
        void *userdata;
        struct store_call **place;
} asked;

static int a_call;
static bool out_of_memory;

int store_call(struct store *store, const char *path, char *body, uint64_t within_usec,
        store_callback_t callback, void *userdata, struct store_call **place) {
        (void)store;
        (void)within_usec;
        assert_string_equal(path, ETCD_TXN);
        assert_non_null(body);
        free(asked.value);
        asked.value = body;
        if (out_of_memory)
                return -ENOMEM;
        asked.n_calls++;
        asked.callback = callback;
        asked.userdata = userdata;
        asked.place = place;
        *place = (struct store_call *)(void *)&a_call;
        return 0;
}

void store_call_drop(struct store_call **place) {
        *place = NULL;
}

struct store_stream *store_stream_open(
        struct store *store, const char *path, char *body, store_message_t message, void *userdata) {
        (void)store;
        (void)path;
        (void)body;
        (void)message;
        (void)userdata;
        return NULL;
}

void store_stream_close(struct store_stream *stream) {
        (void)stream;
}

bool store_stream_is_stale(const struct store_stream *stream) {
        (void)stream;
        return false;
}

const char *store_endpoint(const struct store *store) {
        (void)store;
        return "https://192.0.2.1:2379";
}

const char *store_error(const struct store *store) {
        (void)store;
        return "";
}

/* --- the member ------------------------------------------------------------------------------ */

static const char *const succeeds[] = {"true", NULL};
static const char *const fails[] = {"false", NULL};

static struct settings settings = {
        .hosts = {.n_members = 2, .members = {"hosta=192.0.2.1", "hostb=192.0.2.2"}}};
static struct session session;
static struct mirror mirror;
static struct exam_sync exams;
static unsigned n_applied;

static void handle_applied(void *userdata) {
        (void)userdata;
        n_applied++;
}

static int begin(void **state) {
        if (make_etc(state) < 0)
                return -1;
        write_file("coursenet.conf",
                "[site]\nnetwork6 = off\n[hosts]\nmembers = hosta=192.0.2.1 hostb=192.0.2.2\n"
                "host-name = hosta\nstore = http://127.0.0.1:2379\n[course 123]\nspread = yes\n");
        mirror = (struct mirror){.revision = 1};
        session = (struct session){.own = {.name = "hosta"}};
        exams = (struct exam_sync){.session = &session,
                .mirror = &mirror,
                .settings = &settings,
                .etc = etc,
                .state = etc,
                .apply = succeeds,
                .applied = handle_applied};
        n_applied = asked.n_calls = 0;
        out_of_memory = false;
        if (sd_event_new(&exams.event) < 0)
                return -1;
        return exam_sync_begin(&exams);
}

static int end(void **state) {
        exam_sync_done(&exams);
        mirror_keys_done(&mirror);
        (void)sd_event_unref(exams.event);
        free(asked.value);
        asked.value = NULL;
        return remove_etc(state);
}

/* Until systemd's stand-in has ended, too. */
static void run_loop(void) {
        for (;;) {
                int r = sd_event_run(exams.event, exams.child > 0 || exams.lock_timer ? UINT64_MAX : 0);

                assert_true(r >= 0);
                if (r == 0)
                        return;
        }
}

static struct exam_state make(uint64_t changed_usec, const char *allow) {
        struct exam_state made = {.course = "123", .changed_usec = changed_usec, .on = allow};

        made.exam = (struct exam){.course = "123", .since = 1000, .until = FUTURE, .by = "alice"};
        if (allow)
                assert_int_equal(exam_allow_list_parse(allow, &made.exam), 0);
        return made;
}

static void share(const struct exam_state *made) {
        char *text = exam_value_format(made, "hostb");

        mirror_keys_set(&mirror, KEY, text);
        free(text);
        exam_sync_key_changed(&exams, KEY);
        run_loop();
}

static struct exam_state here(void) {
        struct exam_state found;

        assert_int_equal(exam_state_load(etc, "123", 5000, &found), 0);
        return found;
}

/* The store carries out what it was asked, and the mirror hears of it. */
static void carry_out(const struct exam_state *made) {
        json_object *answer = json_tokener_parse(
                "{\"header\": {\"revision\": \"9\", \"raft_term\": \"1\"}, \"succeeded\": true}");

        *asked.place = NULL;
        asked.callback(asked.userdata, 0, answer, 0);
        json_object_put(answer);
        mirror.revision = 9;
        share(made);
}

/* --- from the store -------------------------------------------------------------------------- */

static void test_it_becomes_files(void **state) {
        struct exam_state made = make(2000000000, "192.0.2.10:443/tcp");

        (void)state;
        share(&made);
        assert_true(here().on);
        assert_int_equal(here().exam.n_allow, 1);
        assert_int_equal(here().changed_usec, 2000000000);
        assert_int_equal(exam_sync_applied(&exams, "123"), 2000000000);
        assert_int_equal(n_applied, 1);
        assert_int_equal(asked.n_calls, 0);
        made = make(2000000001, NULL);
        share(&made);
        assert_false(here().on);
        assert_int_equal(exam_sync_applied(&exams, "123"), 2000000001);
}

/* A key that is gone, or one that cannot be read. */
static void test_only_an_end_ends_it(void **state) {
        struct exam_state made = make(2000000000, "192.0.2.10");

        (void)state;
        share(&made);
        mirror_keys_set(&mirror, KEY, "{}");
        exam_sync_key_changed(&exams, KEY);
        run_loop();
        assert_true(here().on);
        mirror_keys_set(&mirror, KEY, NULL);
        exam_sync_key_changed(&exams, KEY);
        run_loop();
        assert_true(here().on);
        /* It is brought back to the store. */
        assert_true(asked.n_calls > 0);
}

/* The time is the same, so the command that should have removed it has not. */
static void test_a_file_that_is_gone_comes_back(void **state) {
        struct exam_state made = make(2000000000, "192.0.2.10");

        (void)state;
        share(&made);
        (void)unlink(etc_path("exam/123"));
        exam_sync_look(&exams);
        run_loop();
        assert_true(here().on);
}

static void test_the_later_one_counts(void **state) {
        struct exam_state made = make(2000000000, "192.0.2.10"), mine = make(2000000005, "192.0.2.20");

        (void)state;
        assert_int_equal(exam_state_write(etc, &mine), 0);
        share(&made);
        assert_string_equal(here().exam.allow[0].address, "192.0.2.20");
        assert_int_equal(asked.n_calls, 1);
        made.changed_usec = 2000000006;
        share(&made);
        assert_string_equal(here().exam.allow[0].address, "192.0.2.10");
}

static void test_other_courses(void **state) {
        struct exam_state made = make(2000000000, "192.0.2.10");
        char *text = exam_value_format(&made, "hostb");

        (void)state;
        /* It is not spread. */
        mirror_keys_set(&mirror, STORE_EXAMS "124", text);
        exam_sync_key_changed(&exams, STORE_EXAMS "124");
        write_file("exam/125", "[exam]\nsince = 1000\n");
        run_loop();
        exam_sync_look(&exams);
        assert_int_equal(access(etc_path("exam/124"), F_OK), -1);
        assert_int_equal(asked.n_calls, 0);
        free(text);
}

static void test_a_mistake_in_the_file(void **state) {
        struct exam_state made = make(2000000000, "192.0.2.10");

        (void)state;
        write_file("exam/123", "[exam]\nallow = everything\n");
        exam_sync_look(&exams);
        run_loop();
        assert_true(here().broken);
        assert_int_equal(asked.n_calls, 0);
        share(&made);
        assert_false(here().broken);
        assert_int_equal(here().exam.n_allow, 1);
}

static void test_the_lock(void **state) {
        struct exam_state made = make(2000000000, "192.0.2.10");
        char *text = exam_value_format(&made, "hostb");
        int fd;

        (void)state;
        assert_int_equal(exam_file_lock(etc, true, &fd), 0);
        mirror_keys_set(&mirror, KEY, text);
        exam_sync_look(&exams);
        assert_false(here().on);
        assert_non_null(exams.lock_timer);
        (void)close(fd);
        run_loop();
        assert_true(here().on);
        free(text);
}

static void test_rules_that_cannot_be_applied(void **state) {
        struct exam_state made = make(2000000000, "192.0.2.10");

        (void)state;
        exams.apply = fails;
        share(&made);
        assert_true(here().on);
        assert_int_equal(exam_sync_applied(&exams, "123"), 0);
        exams.apply = succeeds;
        exam_sync_look(&exams);
        run_loop();
        assert_int_equal(exam_sync_applied(&exams, "123"), 2000000000);
}

/* --- to the store ---------------------------------------------------------------------------- */

static struct hosts_reply answered;
static unsigned n_answers;
static struct exam_waiter *waiter;

static void handle_answer(void *userdata, struct hosts_reply *reply) {
        (void)userdata;
        answered = *reply;
        n_answers++;
}

static void tell(void) {
        n_answers = 0;
        exam_sync_tell(&exams, "123", 7, handle_answer, NULL, &waiter);
}

#define MEMBER(exam) "{\"courses\": {\"123\": {\"exam\": " exam "}}}"

static void test_it_waits_for_those_that_are_up(void **state) {
        struct exam_state mine = make(2000000000, "192.0.2.10");

        (void)state;
        mirror_keys_set(&mirror, STORE_MEMBERS "hostb", "{}");
        assert_int_equal(exam_state_write(etc, &mine), 0);
        tell();
        assert_int_equal(asked.n_calls, 1);
        carry_out(&mine);
        assert_int_equal(n_answers, 0);
        mirror_keys_set(&mirror, STORE_MEMBERS "hostb", MEMBER("1999999999"));
        exam_sync_key_changed(&exams, STORE_MEMBERS "hostb");
        run_loop();
        assert_int_equal(n_answers, 0);
        mirror_keys_set(&mirror, STORE_MEMBERS "hostb", MEMBER("2000000000"));
        exam_sync_key_changed(&exams, STORE_MEMBERS "hostb");
        run_loop();
        assert_int_equal(n_answers, 1);
        assert_int_equal(answered.type, HOSTS_DONE);
        assert_int_equal(answered.id, 7);
        assert_int_equal(answered.number, 0);
        assert_string_equal(answered.text, "");
        assert_null(waiter);
}

static void test_it_names_those_that_are_down(void **state) {
        struct exam_state mine = make(2000000000, "192.0.2.10");

        (void)state;
        assert_int_equal(exam_state_write(etc, &mine), 0);
        tell();
        carry_out(&mine);
        assert_int_equal(n_answers, 1);
        assert_int_equal(answered.type, HOSTS_DONE);
        assert_int_equal(answered.number, 0);
        assert_string_equal(answered.text, "hostb");
}

static void test_without_the_store(void **state) {
        struct exam_state mine = make(2000000000, "192.0.2.10");

        (void)state;
        assert_int_equal(exam_state_write(etc, &mine), 0);
        tell();
        *asked.place = NULL;
        asked.callback(asked.userdata, -ETIMEDOUT, NULL, 0);
        assert_int_equal(n_answers, 1);
        assert_int_equal(answered.type, HOSTS_REFUSED);
        assert_int_equal(answered.reason, HOSTS_NO_STORE);
        /* It goes there later. */
        exam_sync_look(&exams);
        assert_int_equal(asked.n_calls, 2);
}

/* As a request of a connection: the answer frees it, with the place of the waiter. */
struct asker {
        struct exam_waiter *waiter;
};

static void handle_asker(void *userdata, struct hosts_reply *reply) {
        handle_answer(NULL, reply);
        free(userdata);
}

static void test_an_answer_frees_its_place(void **state) {
        struct exam_state mine = make(2000000000, "192.0.2.10");
        struct asker *asker = calloc(1, sizeof(*asker));

        (void)state;
        assert_non_null(asker);
        n_answers = 0;
        out_of_memory = true;
        assert_int_equal(exam_state_write(etc, &mine), 0);
        exam_sync_tell(&exams, "123", 7, handle_asker, asker, &asker->waiter);
        while (n_answers == 0)
                assert_true(sd_event_run(exams.event, UINT64_MAX) >= 0);
        assert_int_equal(answered.type, HOSTS_REFUSED);
}

static void test_before_the_store_is_known(void **state) {
        struct exam_state mine = make(2000000000, "192.0.2.10");

        (void)state;
        mirror.revision = 0;
        assert_int_equal(exam_state_write(etc, &mine), 0);
        tell();
        assert_int_equal(n_answers, 1);
        assert_int_equal(answered.reason, HOSTS_NO_STORE);
        assert_int_equal(asked.n_calls, 0);
}

#define MEMBER_TEST(test) cmocka_unit_test_setup_teardown(test, begin, end)

int main(void) {
        const struct CMUnitTest tests[] = {
                MEMBER_TEST(test_it_becomes_files),
                MEMBER_TEST(test_only_an_end_ends_it),
                MEMBER_TEST(test_a_file_that_is_gone_comes_back),
                MEMBER_TEST(test_the_later_one_counts),
                MEMBER_TEST(test_other_courses),
                MEMBER_TEST(test_a_mistake_in_the_file),
                MEMBER_TEST(test_the_lock),
                MEMBER_TEST(test_rules_that_cannot_be_applied),
                MEMBER_TEST(test_it_waits_for_those_that_are_up),
                MEMBER_TEST(test_it_names_those_that_are_down),
                MEMBER_TEST(test_without_the_store),
                MEMBER_TEST(test_an_answer_frees_its_place),
                MEMBER_TEST(test_before_the_store_is_known),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
