/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Two members with one etcd: who gets a seat, and when. Each has an event loop of its own, so that one of
 * them can be paused. There is a cable where a test says so.
 */

#include "claim-keeper.h"
#include "run-state.h"
#include "store-client.h"
#include "store-server.h"

#define SEAT "12310"
#define USER "cs123-a"
#define KEY STORE_CLAIMS SEAT

/* Claim times: one that a machine which is busy with other things does not lose, and one to wait for. */
#define LONG 20
#define SHORT 2

struct member {
        sd_event *event; /* NULL: it does not run */
        struct hosts_settings hosts;
        struct store *store;
        struct session session;
        struct mirror mirror;
        struct claim_keeper keeper;
        bool paused;
        unsigned n_begun, n_resumed, n_over, n_settled;
        char taken_by[HOST_MEMBER_NAME_SIZE]; /* whom its seat was lost to, by its own word */
        char root[64];
};

static struct member a, b;
static bool cable_a, cable_b;

static bool has_cable_a(const char *seat) {
        return cable_a && string_equal(seat, SEAT);
}

static bool has_cable_b(const char *seat) {
        return cable_b && string_equal(seat, SEAT);
}

/* --- what daemon.c does ---------------------------------------------------------------------- */

static void take_begun(void *userdata) {
        struct member *member = userdata;

        member->n_begun++;
        claim_keeper_session_begun(&member->keeper);
}

static void take_resumed(void *userdata) {
        struct member *member = userdata;

        member->n_resumed++;
        claim_keeper_session_resumed(&member->keeper);
}

static void take_renewed(void *userdata) {
        struct member *member = userdata;

        mirror_expect(&member->mirror, member->session.revision);
        claim_keeper_session_renewed(&member->keeper);
}

static void take_over(void *userdata) {
        struct member *member = userdata;

        member->n_over++;
        claim_keeper_session_over(&member->keeper);
}

static void take_taken(void *userdata, const char *seat, const char *other, uint64_t since_usec) {
        struct member *member = userdata;

        assert_string_equal(seat, SEAT);
        assert_true(since_usec > 0);
        (void)string_copy(member->taken_by, sizeof(member->taken_by), other);
}

static void take_settled(void *userdata) {
        struct member *member = userdata;

        member->n_settled++;
}

static void take_change(void *userdata, const struct etcd_pair *pair) {
        struct member *member = userdata;

        claim_keeper_key_changed(&member->keeper, pair);
}

static void take_loaded(void *userdata) {
        struct member *member = userdata;

        claim_keeper_loaded(&member->keeper);
}

static void wire(struct member *member, unsigned seconds) {
        member->session.event = member->event;
        member->session.store = member->store;
        member->session.root = member->root;
        member->session.seconds = seconds;
        member->session.events =
                (struct session_events){take_begun, take_resumed, take_renewed, take_over, member};
        member->mirror = (struct mirror){
                .event = member->event,
                .store = member->store,
                .prefix = STORE_PREFIX,
                .change = take_change,
                .loaded = take_loaded,
                .userdata = member,
        };
        member->keeper = (struct claim_keeper){
                .event = member->event,
                .store = member->store,
                .session = &member->session,
                .mirror = &member->mirror,
                .root = member->root,
                .has_cable = member == &a ? has_cable_a : has_cable_b,
                .taken = take_taken,
                .settled = take_settled,
                .userdata = member,
        };
}

static void start_at(struct member *member, unsigned seconds, const char *url) {
        json_object *courses = json_object_new_object();
        const char *name = member == &a ? "hosta" : "hostb";

        *member = (struct member){.hosts = {.n_stores = 1}};
        (void)string_copy(member->hosts.stores[0], sizeof(member->hosts.stores[0]), url);
        (void)string_copy(member->session.own.name, sizeof(member->session.own.name), name);
        (void)snprintf(member->root, sizeof(member->root), "/run/%s", name);
        assert_int_equal(run_state_make(member->root), 0);
        assert_return_code(sd_event_new(&member->event), 0);
        assert_int_equal(store_new(member->event, &member->hosts, &member->store), 0);
        wire(member, seconds);
        assert_int_equal(session_set_courses(&member->session, courses), 0);
        json_object_put(courses);
        assert_int_equal(claim_keeper_begin(&member->keeper), 0);
        assert_int_equal(session_begin(&member->session), 0);
        mirror_begin(&member->mirror);
}

static void stop(struct member *member) {
        if (!member->event)
                return;
        claim_keeper_done(&member->keeper);
        mirror_done(&member->mirror);
        session_done(&member->session);
        store_free(member->store);
        member->event = sd_event_unref(member->event);
}

static bool is_ready(const struct member *member) {
        return session_is_good(&member->session) && member->keeper.adopted;
}

static void run_members(void) {
        struct member *const members[] = {&a, &b};

        for (size_t i = 0; i < ELEMENTSOF(members); i++)
                if (members[i]->event && !members[i]->paused)
                        assert_return_code(sd_event_run(members[i]->event, 10 * USEC_PER_MSEC), 0);
}

#define until(condition)                                                                                     \
        do {                                                                                                 \
                uint64_t patience = now_boottime_usec() + PATIENCE_USEC;                                     \
                                                                                                             \
                while (!(condition)) {                                                                       \
                        if (now_boottime_usec() > patience)                                                  \
                                fail_msg("did not come: %s", #condition);                                    \
                        run_members();                                                                       \
                }                                                                                            \
        } while (0)

static void start(struct member *member, unsigned seconds) {
        start_at(member, seconds, ETCD_URL);
        until(is_ready(member));
}

static int begin(void **state) {
        (void)state;
        cable_a = cable_b = false;
        return bystander_begin();
}

static void leave_nothing(struct member *member, const char *root) {
        stop(member);
        assert_int_equal(run_state_make(root), 0);
        assert_int_equal(run_state_set_lease(root, 0), 0);
        assert_int_equal(run_state_remove_claim(root, SEAT), 0);
        assert_int_equal(run_state_remove_claim(root, "12311"), 0);
}

static int end(void **state) {
        static const char *const keys[] = {
                KEY, STORE_CLAIMS "12311", STORE_MEMBERS "hosta", STORE_MEMBERS "hostb"};

        (void)state;
        leave_nothing(&a, "/run/hosta");
        leave_nothing(&b, "/run/hostb");
        put_servers_right();
        for (size_t i = 0; i < ELEMENTSOF(keys); i++)
                change_aside(ETCD_TXN, etcd_delete_body(keys[i]));
        bystander_end();
        return 0;
}

/* --- requests -------------------------------------------------------------------------------- */

struct asked {
        bool answered;
        struct hosts_reply reply;
        struct claim_waiter *waiter;
};

static void take_reply(void *userdata, const struct hosts_reply *reply) {
        struct asked *asked = userdata;

        assert_false(asked->answered);
        assert_null(asked->waiter);
        assert_int_equal(reply->id, 7);
        asked->answered = true;
        asked->reply = *reply;
}

static void want(struct member *member, struct asked *asked, const char *seat, const char *user) {
        *asked = (struct asked){0};
        claim_keeper_claim(&member->keeper, seat, user, 7, take_reply, asked, &asked->waiter);
}

/* Its answer. */
static struct hosts_reply claim(struct member *member, const char *user) {
        struct asked asked;

        want(member, &asked, SEAT, user);
        until(asked.answered);
        assert_string_equal(asked.reply.seat, SEAT);
        return asked.reply;
}

static void assert_claimed(struct member *member) {
        assert_int_equal(claim(member, USER).type, HOSTS_DONE);
}

static void assert_elsewhere(struct member *member, const char *other) {
        struct hosts_reply reply = claim(member, USER);

        assert_int_equal(reply.type, HOSTS_ELSEWHERE);
        assert_string_equal(reply.member, other);
        assert_true(reply.since_usec > 0);
}

static bool has_file(const struct member *member) {
        char path[128];

        (void)snprintf(path, sizeof(path), "%s/claims/" SEAT, member->root);
        return access(path, F_OK) == 0;
}

static void set_cable(struct member *member, bool there) {
        *(member == &a ? &cable_a : &cable_b) = there;
        claim_keeper_link_changed(&member->keeper, SEAT);
}

/* Until the member has looked at each of its claims again. */
static void settle(struct member *member) {
        unsigned before = member->n_settled;

        until(member->n_settled > before);
}

/* --- one member ------------------------------------------------------------------------------ */

static void test_a_claim_lasts_as_long_as_it_is_needed(void **state) {
        (void)state;
        start(&a, LONG);
        assert_claimed(&a);
        assert_true(has_file(&a));
        assert_int_equal(lease_of(KEY), a.session.lease);
        set_cable(&a, true);
        claim_keeper_release(&a.keeper, SEAT);
        settle(&a);
        assert_true(key_exists(KEY));
        assert_true(has_file(&a));
        set_cable(&a, false);
        /* No cable can be made any longer, and then the key goes. */
        until(!has_file(&a));
        until(!key_exists(KEY));
        until(!a.keeper.claims);
}

static void test_a_claim_that_is_there_is_answered_at_once(void **state) {
        struct asked again;
        int64_t revision;

        (void)state;
        start(&a, LONG);
        assert_claimed(&a);
        revision = revision_of(KEY);
        want(&a, &again, SEAT, USER);
        assert_true(again.answered);
        assert_int_equal(again.reply.type, HOSTS_DONE);
        settle(&a);
        assert_int_equal(revision_of(KEY), revision);
}

/* The roster gives the seat to somebody else now. */
static void test_another_user_is_written(void **state) {
        _cleanup_etcd_pairs_ struct etcd_pairs pairs = {0};

        (void)state;
        start(&a, LONG);
        assert_claimed(&a);
        assert_int_equal(claim(&a, "cs123-b").type, HOSTS_DONE);
        assert_true(look_aside(KEY, &pairs));
        assert_non_null(strstr(pairs.items[0].value, "cs123-b"));
}

static void test_a_key_that_was_removed_is_claimed_again(void **state) {
        (void)state;
        start(&a, LONG);
        assert_claimed(&a);
        set_cable(&a, true);
        change_aside(ETCD_TXN, etcd_delete_body(KEY));
        until(key_exists(KEY));
        until(has_file(&a));
        assert_int_equal(lease_of(KEY), a.session.lease);
        assert_string_equal(a.taken_by, "");
}

static void test_a_claim_that_no_version_writes(void **state) {
        struct hosts_reply reply;

        (void)state;
        start(&a, LONG);
        change_aside(ETCD_TXN, etcd_put_body(KEY, "{\"host\":\"../hostb\"}"));
        reply = claim(&a, USER);
        assert_int_equal(reply.type, HOSTS_REFUSED);
        assert_int_equal(reply.reason, HOSTS_NOT_READY);
        assert_string_equal(
                reply.text, "the store's claim of seat 12310 is not one that this version writes");
        assert_false(has_file(&a));
}

/* Without its file the seat could not start. */
static void test_a_claim_that_cannot_be_noted(void **state) {
        struct hosts_reply reply;

        (void)state;
        start(&a, LONG);
        assert_int_equal(rmdir("/run/hosta/claims"), 0);
        reply = claim(&a, USER);
        assert_int_equal(reply.type, HOSTS_REFUSED);
        assert_int_equal(reply.reason, HOSTS_NOT_READY);
        assert_string_equal(reply.text, "the claim of seat 12310 cannot be noted: No such file or directory");
        /* Others can have it. */
        until(!key_exists(KEY));
        assert_int_equal(run_state_make("/run/hosta"), 0);
        assert_claimed(&a);
        assert_true(has_file(&a));
}

/* The store has ended the lease, and the claim is the first to find out. */
static void test_a_claim_under_a_lease_that_is_over(void **state) {
        uint64_t lease;

        (void)state;
        start(&a, LONG);
        lease = a.session.lease;
        change_aside(ETCD_REVOKE, etcd_lease_body(lease));
        assert_claimed(&a);
        assert_int_equal(a.n_over, 1);
        assert_int_equal(a.n_begun, 2);
        assert_int_not_equal(a.session.lease, lease);
        assert_int_equal(lease_of(KEY), a.session.lease);
}

/* With the lease each claim ends; the one that a cable needs is made again. */
static void test_claims_end_with_their_lease(void **state) {
        (void)state;
        start(&a, SHORT);
        assert_claimed(&a);
        set_cable(&a, true);
        change_aside(ETCD_REVOKE, etcd_lease_body(a.session.lease));
        until(a.n_over == 1);
        assert_false(has_file(&a));
        until(has_file(&a));
        assert_int_equal(lease_of(KEY), a.session.lease);
        assert_string_equal(a.taken_by, "");
}

static void test_the_next_program_has_the_claim(void **state) {
        int64_t revision;
        struct asked asked;

        (void)state;
        start(&a, LONG);
        assert_claimed(&a);
        set_cable(&a, true);
        revision = revision_of(KEY);
        stop(&a);
        start(&a, LONG);
        assert_int_equal(a.n_resumed, 1);
        assert_true(has_file(&a));
        want(&a, &asked, SEAT, USER);
        assert_true(asked.answered);
        assert_int_equal(asked.reply.type, HOSTS_DONE);
        assert_int_equal(revision_of(KEY), revision);
}

/* What it noted, and the store does not have, it does not have either. */
static void test_the_next_program_does_not_believe_its_files(void **state) {
        (void)state;
        start(&a, LONG);
        assert_claimed(&a);
        stop(&a);
        change_aside(ETCD_TXN, etcd_delete_body(KEY));
        change_aside(ETCD_TXN, etcd_put_body(KEY, "{\"host\":\"hostb\",\"user\":\"" USER "\",\"since\":1}"));
        start(&a, LONG);
        assert_false(has_file(&a));
        assert_elsewhere(&a, "hostb");
}

/* --- the store -------------------------------------------------------------------------------- */

static void test_the_store_is_killed_and_starts_again(void **state) {
        struct asked waiting;
        int64_t revision;

        (void)state;
        start(&a, LONG);
        assert_claimed(&a);
        set_cable(&a, true);
        revision = revision_of(KEY);
        etcd_kill();
        want(&a, &waiting, "12311", "cs123-b");
        until(store_error(a.store)[0]);
        assert_false(waiting.answered);
        etcd_start();
        until(waiting.answered);
        assert_int_equal(waiting.reply.type, HOSTS_DONE);
        assert_int_equal(lease_of(STORE_CLAIMS "12311"), a.session.lease);
        assert_int_equal(revision_of(KEY), revision);
        assert_true(has_file(&a));
        assert_int_equal(a.n_over, 0);
        /* The stream of changes has begun again. */
        until(a.mirror.stream);
        change_aside(ETCD_TXN, etcd_delete_body(KEY));
        until(revision_of(KEY) > revision);
}

static void test_without_the_store_nothing_is_claimed(void **state) {
        struct asked waiting, late;

        (void)state;
        start(&a, SHORT);
        etcd_kill();
        want(&a, &waiting, SEAT, USER);
        until(!session_is_good(&a.session) && store_error(a.store)[0]);
        claim_keeper_cut_off(&a.keeper);
        assert_true(waiting.answered);
        assert_int_equal(waiting.reply.type, HOSTS_REFUSED);
        assert_int_equal(waiting.reply.reason, HOSTS_NO_STORE);
        want(&a, &late, SEAT, USER);
        assert_true(late.answered);
        assert_int_equal(late.reply.reason, HOSTS_NO_STORE);
        assert_non_null(strstr(
                late.reply.text, "hosta does not reach the majority of the store's servers (" ETCD_URL ": "));
        assert_false(has_file(&a));
        etcd_start();
        until(is_ready(&a));
        assert_claimed(&a);
}

/* "/coursenet/1/claims/1" */
#define KEY_ON_THE_WIRE "L2NvdXJzZW5ldC8xL2NsYWltcy8x"

static void lose_first_claim(int fd, const char *request) {
        bool claims = string_starts_with(request, "POST " ETCD_TXN " ") && strstr(request, KEY_ON_THE_WIRE);

        if (claims && stand_in_lost() == 0)
                lose(fd, request);
        else
                relay(fd, request);
}

static void start_at_stand_in(void) {
        stand_in_start(lose_first_claim);
        start_at(&a, LONG, STAND_IN_URL);
        until(is_ready(&a));
}

/* The transaction is repeated, and finds the key that the first one has set. */
static void test_the_answer_to_a_claim_is_lost(void **state) {
        (void)state;
        start_at_stand_in();
        assert_claimed(&a);
        assert_int_equal(stand_in_lost(), 1);
        assert_true(has_file(&a));
        /* Its change is the one that the deletion names. */
        claim_keeper_release(&a.keeper, SEAT);
        until(!key_exists(KEY));
        assert_false(has_file(&a));
}

/* Who asked has been refused by then. Nobody needs the seat here, so others shall be able to have it. */
static void test_a_claim_that_was_given_up_does_not_stay(void **state) {
        struct asked asked;

        (void)state;
        start_at_stand_in();
        want(&a, &asked, SEAT, USER);
        until(stand_in_lost() == 1);
        etcd_kill();
        until(asked.answered);
        assert_int_equal(asked.reply.type, HOSTS_REFUSED);
        etcd_start();
        assert_true(key_exists(KEY));
        until(!key_exists(KEY));
        assert_false(has_file(&a));
        assert_int_equal(a.n_over, 0);
}

/* --- two members ----------------------------------------------------------------------------- */

static void test_another_member_has_the_seat(void **state) {
        struct hosts_reply reply;

        (void)state;
        start(&a, LONG);
        start(&b, LONG);
        assert_claimed(&a);
        assert_elsewhere(&b, "hosta");
        reply = claim(&b, "cs123-b");
        assert_int_equal(reply.type, HOSTS_REFUSED);
        assert_int_equal(reply.reason, HOSTS_OTHER_USER);
        assert_string_equal(reply.member, "hosta");
        assert_string_equal(reply.text,
                "seat 12310 is live on hosta for another user: the rosters of the members differ");
        assert_false(has_file(&b));
        assert_string_equal(b.taken_by, "");
        claim_keeper_release(&a.keeper, SEAT);
        until(!key_exists(KEY));
        assert_claimed(&b);
        assert_false(has_file(&a));
        assert_true(has_file(&b));
}

static void test_one_of_two_gets_the_seat(void **state) {
        struct asked at_a, at_b;

        (void)state;
        start(&a, LONG);
        start(&b, LONG);
        for (unsigned i = 0; i < 20; i++) {
                want(&a, &at_a, SEAT, USER);
                want(&b, &at_b, SEAT, USER);
                until(at_a.answered && at_b.answered);
                assert_int_equal((at_a.reply.type == HOSTS_DONE) + (at_b.reply.type == HOSTS_DONE), 1);
                assert_int_equal(
                        (at_a.reply.type == HOSTS_ELSEWHERE) + (at_b.reply.type == HOSTS_ELSEWHERE), 1);
                assert_int_equal(has_file(&a) + has_file(&b), 1);
                claim_keeper_release(&a.keeper, SEAT);
                claim_keeper_release(&b.keeper, SEAT);
                until(!key_exists(KEY));
        }
}

/* It is fenced by the time of its lease: the other one gets the seat after the deadline that it knows. */
static void test_a_member_that_was_paused_too_long(void **state) {
        (void)state;
        start(&b, LONG);
        start(&a, SHORT);
        assert_claimed(&a);
        set_cable(&a, true);
        a.paused = true;
        assert_elsewhere(&b, "hosta");
        until(!key_exists(KEY));
        assert_claimed(&b);
        assert_false(session_is_good(&a.session));
        a.paused = false;
        until(a.taken_by[0]);
        assert_string_equal(a.taken_by, "hostb");
        assert_false(has_file(&a));
        until(a.n_over == 1 && is_ready(&a));
        /* With its cable it does not ask for the seat by itself. */
        settle(&a);
        assert_int_equal(lease_of(KEY), b.session.lease);
        set_cable(&a, false);
        assert_elsewhere(&a, "hostb");
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(test_a_claim_lasts_as_long_as_it_is_needed, begin, end),
                cmocka_unit_test_setup_teardown(test_a_claim_that_is_there_is_answered_at_once, begin, end),
                cmocka_unit_test_setup_teardown(test_another_user_is_written, begin, end),
                cmocka_unit_test_setup_teardown(test_a_key_that_was_removed_is_claimed_again, begin, end),
                cmocka_unit_test_setup_teardown(test_a_claim_that_no_version_writes, begin, end),
                cmocka_unit_test_setup_teardown(test_a_claim_that_cannot_be_noted, begin, end),
                cmocka_unit_test_setup_teardown(test_a_claim_under_a_lease_that_is_over, begin, end),
                cmocka_unit_test_setup_teardown(test_claims_end_with_their_lease, begin, end),
                cmocka_unit_test_setup_teardown(test_the_next_program_has_the_claim, begin, end),
                cmocka_unit_test_setup_teardown(test_the_next_program_does_not_believe_its_files, begin, end),
                cmocka_unit_test_setup_teardown(test_the_store_is_killed_and_starts_again, begin, end),
                cmocka_unit_test_setup_teardown(test_without_the_store_nothing_is_claimed, begin, end),
                cmocka_unit_test_setup_teardown(test_the_answer_to_a_claim_is_lost, begin, end),
                cmocka_unit_test_setup_teardown(test_a_claim_that_was_given_up_does_not_stay, begin, end),
                cmocka_unit_test_setup_teardown(test_another_member_has_the_seat, begin, end),
                cmocka_unit_test_setup_teardown(test_one_of_two_gets_the_seat, begin, end),
                cmocka_unit_test_setup_teardown(test_a_member_that_was_paused_too_long, begin, end),
        };

        return cmocka_run_group_tests(tests, begin_servers, end_servers);
}
