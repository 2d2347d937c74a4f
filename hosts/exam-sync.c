/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Files and keys are compared as a whole at each look, so it does not matter which change caused it, nor
 * whether an earlier one was missed. Looks are at each renewal of the session, too.
 */

#include <signal.h>
#include <sys/epoll.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <utlist.h>

#include "child.h"
#include "claim-value.h"
#include "clock.h"
#include "exam-file.h"
#include "exam-sync.h"
#include "exam-value.h"
#include "hosts.h"
#include "log.h"
#include "refusal.h"

#define PUT_USEC (3 * USEC_PER_SEC)
#define WITHIN_USEC (HOSTS_ANSWER_SECONDS * USEC_PER_SEC - 500 * USEC_PER_MSEC)
#define LOCKED_USEC (50 * USEC_PER_MSEC)
#define APPLY_USEC (30 * USEC_PER_SEC)

struct exam_waiter {
        struct exam_sync *sync;
        char course[COURSE_SIZE];
        uint64_t changed_usec;
        uint32_t id;
        exam_answer_t answer;
        void *userdata;
        struct exam_waiter **place;
        sd_event_source *timer;
        struct exam_waiter *prev, *next;
};

static void look_soon(const struct exam_sync *sync) {
        (void)sd_event_source_set_enabled(sync->look_source, SD_EVENT_ONESHOT);
}

static void settle_soon(const struct exam_sync *sync) {
        (void)sd_event_source_set_enabled(sync->settle_source, SD_EVENT_ONESHOT);
}

static int handle_lock_time(sd_event_source *source, uint64_t usec, void *userdata) {
        struct exam_sync *sync = userdata;

        (void)source;
        (void)usec;
        sync->lock_timer = sd_event_source_disable_unref(sync->lock_timer);
        look_soon(sync);
        return 0;
}

/* A command writes the files at the moment. */
static void look_later(struct exam_sync *sync) {
        if (!sync->lock_timer)
                (void)sd_event_add_time_relative(sync->event, &sync->lock_timer, CLOCK_BOOTTIME, LOCKED_USEC,
                        1, handle_lock_time, sync);
}

static struct exam_course *find(const struct exam_sync *sync, const char *course) {
        struct exam_course *found;

        HASH_FIND_STR(sync->courses, course, found);
        return found;
}

static int add(void *userdata, const char *course) {
        struct exam_sync *sync = userdata;
        struct exam_course *added = find(sync, course) ? NULL : calloc(1, sizeof(*added));

        if (!added)
                return find(sync, course) ? 0 : -ENOMEM;
        added->sync = sync;
        (void)string_copy(added->course, sizeof(added->course), course);
        HASH_ADD_STR(sync->courses, course, added);
        return 0;
}

/* --- answers --------------------------------------------------------------------------------- */

void exam_waiter_drop(struct exam_waiter **place) {
        struct exam_waiter *waiter = *place;

        if (!waiter)
                return;
        *place = NULL;
        DL_DELETE(waiter->sync->waiters, waiter);
        (void)sd_event_source_disable_unref(waiter->timer);
        free(waiter);
}

static void answer(struct exam_waiter *waiter, struct hosts_reply *reply) {
        exam_answer_t callback = waiter->answer;
        void *userdata = waiter->userdata;

        reply->id = waiter->id;
        exam_waiter_drop(waiter->place);
        callback(userdata, reply);
}

static void refuse(struct exam_waiter *waiter) {
        struct hosts_reply reply;

        refusal_of_session(waiter->sync->session, &reply);
        answer(waiter, &reply);
}

static uint64_t published(const char *value, const char *course) {
        json_object *object = json_tokener_parse(value), *courses = NULL, *entry = NULL;
        int64_t usec = 0;

        if (json_object_is_type(object, json_type_object) &&
                json_object_object_get_ex(object, "courses", &courses) &&
                json_object_is_type(courses, json_type_object) &&
                json_object_object_get_ex(courses, course, &entry))
                usec = json_number(entry, "exam");
        json_object_put(object);
        return usec > 0 ? (uint64_t)usec : 0;
}

/* Whether the member has that state, or a later one. */
static bool member_has(const struct exam_waiter *waiter, const char *member, bool *ret_up) {
        const struct exam_sync *sync = waiter->sync;
        const struct mirror_key *found;
        char key[STORE_KEY_SIZE];

        *ret_up = true;
        if (string_equal(member, sync->session->own.name))
                return exam_sync_applied(sync, waiter->course) >= waiter->changed_usec;
        (void)snprintf(key, sizeof(key), STORE_MEMBERS "%s", member);
        found = mirror_find(sync->mirror, key);
        *ret_up = found;
        return found && published(found->value, waiter->course) >= waiter->changed_usec;
}

/* Those of members = that do not have it. Returns how many of them are up. */
static unsigned list_missing(const struct exam_waiter *waiter, char *ret_names, size_t size) {
        const struct settings *settings = waiter->sync->settings;
        unsigned n_up = 0;
        size_t length = 0;

        ret_names[0] = '\0';
        for (size_t i = 0; i < settings->hosts.n_members; i++) {
                const struct host_member member = hosts_member(settings, i);
                bool up;

                if (member_has(waiter, member.name, &up))
                        continue;
                n_up += up;
                if (length + strlen(member.name) + 1 < size)
                        length += (size_t)snprintf(ret_names + length, size - length, "%s%s",
                                length > 0 ? " " : "", member.name);
        }
        return n_up;
}

static bool store_has(const struct exam_waiter *waiter) {
        struct exam_state found;
        const struct mirror_key *key;
        char name[STORE_KEY_SIZE], host[HOST_MEMBER_NAME_SIZE];

        (void)snprintf(name, sizeof(name), STORE_EXAMS "%s", waiter->course);
        key = mirror_find(waiter->sync->mirror, name);
        return key && exam_value_parse(key->value, waiter->course, (uint64_t)time(NULL), &found, host) >= 0 &&
               found.changed_usec >= waiter->changed_usec;
}

/* late: with what is known by now. */
static void settle(struct exam_waiter *waiter, bool late) {
        struct hosts_reply reply;
        unsigned n_up;

        if (!store_has(waiter)) {
                if (late)
                        refuse(waiter);
                return;
        }
        hosts_reply_init(&reply, HOSTS_DONE, 1);
        n_up = list_missing(waiter, reply.text, sizeof(reply.text));
        reply.number = n_up;
        if (n_up == 0 || late)
                answer(waiter, &reply);
}

static int handle_settle(sd_event_source *source, void *userdata) {
        struct exam_sync *sync = userdata;
        struct exam_waiter *waiter, *next;

        (void)source;
        DL_FOREACH_SAFE(sync->waiters, waiter, next)
        settle(waiter, false);
        return 0;
}

static int handle_late(sd_event_source *source, uint64_t usec, void *userdata) {
        (void)source;
        (void)usec;
        settle(userdata, true);
        return 0;
}

static void refuse_course(struct exam_sync *sync, const char *course) {
        struct exam_waiter *waiter, *next;

        DL_FOREACH_SAFE(sync->waiters, waiter, next)
        if (string_equal(waiter->course, course))
                refuse(waiter);
}

/* --- the rules ------------------------------------------------------------------------------- */

static void apply_rules(struct exam_sync *sync);

static void end_child(struct exam_sync *sync) {
        sync->child = 0;
        sync->child_source = sd_event_source_disable_unref(sync->child_source);
        sync->child_timer = sd_event_source_disable_unref(sync->child_timer);
}

static void note_applied(struct exam_sync *sync) {
        struct exam_course *course, *next;

        HASH_ITER (hh, sync->courses, course, next)
                course->applied_usec = course->applying_usec;
        sync->applied(sync->userdata);
        settle_soon(sync);
}

/* It is tried again at the next look. */
static void complain(struct exam_sync *sync) {
        if (!sync->failing)
                log_error("The rules of exams cannot be applied, and are not in force here: systemctl status "
                          "coursenet-network.service");
        sync->failing = true;
}

static int handle_child(sd_event_source *source, int fd, uint32_t events, void *userdata) {
        struct exam_sync *sync = userdata;
        siginfo_t info = {0};

        (void)source;
        (void)fd;
        (void)events;
        (void)waitid(P_PID, (id_t)sync->child, &info, WEXITED | WNOHANG);
        end_child(sync);
        if (info.si_code == CLD_EXITED && info.si_status == 0) {
                sync->failing = false;
                note_applied(sync);
        } else
                complain(sync);
        if (sync->again)
                apply_rules(sync);
        return 0;
}

static int handle_child_time(sd_event_source *source, uint64_t usec, void *userdata) {
        const struct exam_sync *sync = userdata;

        (void)source;
        (void)usec;
        (void)kill(sync->child, SIGKILL);
        return 0;
}

static int watch_child(struct exam_sync *sync) {
        int fd = (int)syscall(SYS_pidfd_open, sync->child, 0), r;

        if (fd < 0)
                return -errno;
        r = sd_event_add_io(sync->event, &sync->child_source, fd, EPOLLIN, handle_child, sync);
        if (r < 0) {
                (void)close(fd);
                return r;
        }
        (void)sd_event_source_set_io_fd_own(sync->child_source, true);
        return sd_event_add_time_relative(
                sync->event, &sync->child_timer, CLOCK_MONOTONIC, APPLY_USEC, 0, handle_child_time, sync);
}

/* A run that is under way may have read the former files. */
static void apply_rules(struct exam_sync *sync) {
        const struct child_streams streams = {CHILD_NULL, CHILD_NULL, CHILD_NULL};
        struct exam_course *course, *next;

        sync->again = sync->child > 0;
        if (sync->again)
                return;
        if (child_spawn(sync->apply, &streams, NULL, &sync->child) < 0) {
                sync->child = 0;
                complain(sync);
                return;
        }
        HASH_ITER (hh, sync->courses, course, next)
                course->applying_usec = course->found_usec;
        if (watch_child(sync) < 0) {
                (void)kill(sync->child, SIGKILL);
                (void)waitpid(sync->child, NULL, 0);
                end_child(sync);
                complain(sync);
        }
}

/* --- both sides ------------------------------------------------------------------------------ */

/* The store's; *ret_revision: of its key, 0: there is none. A value with a mistake says nothing. */
static void load_shared(struct exam_course *course, struct exam_state *ret,
        char ret_host[static HOST_MEMBER_NAME_SIZE], int64_t *ret_revision) {
        const struct mirror_key *key;
        char name[STORE_KEY_SIZE];

        *ret = (struct exam_state){0};
        (void)snprintf(name, sizeof(name), STORE_EXAMS "%s", course->course);
        key = mirror_find(course->sync->mirror, name);
        *ret_revision = key ? key->revision : 0;
        if (!key || exam_value_parse(key->value, course->course, (uint64_t)time(NULL), ret, ret_host) >= 0)
                return;
        if (course->bad_revision != key->revision)
                log_error("The store's exam of course %s is not one that this version writes, and is not "
                          "applied",
                        course->course);
        course->bad_revision = key->revision;
}

static void handle_put(void *userdata, int error, json_object *answer_object, uint64_t sent_usec) {
        struct exam_course *course = userdata;
        struct exam_sync *sync = course->sync;
        struct etcd_header header;

        (void)sent_usec;
        if (error >= 0 && etcd_read_header(answer_object, &header) && etcd_succeeded(answer_object)) {
                course->put_revision = header.revision;
                log_notice("The other servers are told what holds for the exam of course %s", course->course);
                settle_soon(sync);
        } else if (error < 0)
                refuse_course(sync, course->course);
        /* Otherwise another member has changed it: the mirror hears of that. */
}

static void put(struct exam_course *course, const struct exam_state *found, int64_t revision) {
        struct exam_sync *sync = course->sync;
        _cleanup_free_ char *value = NULL;
        char key[STORE_KEY_SIZE];

        /* The mirror must have what was written before, or it would be written twice. */
        if (course->call || !mirror_is_loaded(sync->mirror) || sync->mirror->revision < course->put_revision)
                return;
        value = exam_value_format(found, sync->session->own.name);
        (void)snprintf(key, sizeof(key), STORE_EXAMS "%s", course->course);
        if (store_call(sync->store, ETCD_TXN, value ? etcd_put_if_body(key, revision, value, 0) : NULL,
                    PUT_USEC, handle_put, course, &course->call) < 0)
                refuse_course(sync, course->course);
}

static void log_written(const struct exam_state *shared, const char *host, const struct exam_state *former) {
        if (shared->on)
                log_notice("Course %s is in an exam%s%s, begun by %s on %s", shared->course,
                        former->on ? " other than before" : "",
                        shared->exam.until > 0 ? ", until its time" : "",
                        shared->exam.by[0] ? shared->exam.by : "somebody", host);
        else
                log_notice("The exam of course %s was ended on %s", shared->course, host);
}

/* The files may have been changed since they were read, so they are read again with the lock. */
static int write_shared(const struct exam_sync *sync, const struct exam_state *shared, const char *host) {
        _cleanup_close_ int lock = -1;
        struct exam_state former;
        int r = exam_file_lock(sync->state, false, &lock);

        if (r >= 0)
                r = exam_state_load(sync->state, shared->course, (uint64_t)time(NULL), &former);
        if (r < 0 || former.changed_usec > shared->changed_usec)
                return r;
        r = exam_state_write(sync->state, shared);
        if (r >= 0)
                log_written(shared, host, &former);
        return r;
}

/* Whether the store's state takes the place of the one here. */
static bool is_newer(const struct exam_state *shared, const struct exam_state *found) {
        bool same = true;

        if (shared->changed_usec == 0 || shared->changed_usec != found->changed_usec)
                return shared->changed_usec > found->changed_usec;
        return exam_state_compare(shared, found, &same) >= 0 && !same;
}

static int look_at(struct exam_course *course) {
        struct exam_sync *sync = course->sync;
        struct exam_state found, shared;
        char host[HOST_MEMBER_NAME_SIZE];
        int64_t revision;
        int r;

        r = exam_state_load(sync->state, course->course, (uint64_t)time(NULL), &found);
        if (r < 0)
                return r;
        load_shared(course, &shared, host, &revision);
        if (is_newer(&shared, &found)) {
                r = write_shared(sync, &shared, host);
                if (r >= 0)
                        r = exam_state_load(sync->state, course->course, (uint64_t)time(NULL), &found);
                if (r < 0)
                        return r;
        }
        course->found_usec = found.changed_usec;
        if (found.changed_usec > shared.changed_usec && !found.broken)
                put(course, &found, revision);
        return 0;
}

/* --- looks ----------------------------------------------------------------------------------- */

static void add_key(void *userdata, const struct etcd_pair *pair) {
        const char *course = exam_key_course(pair->key);

        if (course)
                (void)add(userdata, course);
}

static void add_all(struct exam_sync *sync) {
        (void)exam_file_each(sync->state, "", add, sync);
        (void)exam_file_each(sync->state, EXAM_CHANGED, add, sync);
        mirror_each(sync->mirror, STORE_EXAMS, add_key, sync);
}

static void look_at_all(struct exam_sync *sync, const struct settings *settings) {
        struct exam_course *course, *next;
        bool wanted = false;

        HASH_ITER (hh, sync->courses, course, next) {
                int r = settings_course_vni(settings, course->course) > 0 ? look_at(course) : 0;

                if (r == -EAGAIN)
                        look_later(sync);
                else if (r < 0)
                        log_error("The exam of course %s cannot be read or written: %s", course->course,
                                strerror(-r));
                wanted |= course->found_usec != course->applied_usec &&
                          (sync->child == 0 || course->found_usec != course->applying_usec);
        }
        if (wanted)
                apply_rules(sync);
}

void exam_sync_look(struct exam_sync *sync) {
        _cleanup_diagnostics_ struct diagnostics ignored = {0};
        _cleanup_settings_ struct settings settings = {0};

        add_all(sync);
        if (!sync->courses)
                return;
        /* With a mistake in the settings, the courses that were spread before are. */
        look_at_all(sync, settings_load(sync->etc, &settings, &ignored) < 0 ? sync->settings : &settings);
}

static int handle_look(sd_event_source *source, void *userdata) {
        (void)source;
        exam_sync_look(userdata);
        return 0;
}

void exam_sync_key_changed(struct exam_sync *sync, const char *key) {
        if (string_starts_with(key, STORE_EXAMS))
                look_soon(sync);
        if (string_starts_with(key, STORE_EXAMS) || string_starts_with(key, STORE_MEMBERS))
                settle_soon(sync);
}

/* The look comes first: nobody who waits yet can be refused by it. */
void exam_sync_tell(struct exam_sync *sync, const char *course, uint32_t id, exam_answer_t callback,
        void *userdata, struct exam_waiter **place) {
        struct exam_waiter *waiter = calloc(1, sizeof(*waiter));

        if (!waiter || add(sync, course) < 0) {
                struct hosts_reply reply;

                free(waiter);
                refusal_fill(&reply, HOSTS_NOT_READY, "out of memory");
                reply.id = id;
                callback(userdata, &reply);
                return;
        }
        exam_sync_look(sync);
        *waiter = (struct exam_waiter){
                .sync = sync, .id = id, .answer = callback, .userdata = userdata, .place = place};
        (void)string_copy(waiter->course, sizeof(waiter->course), course);
        waiter->changed_usec = find(sync, course)->found_usec;
        *place = waiter;
        DL_APPEND(sync->waiters, waiter);
        if (!mirror_is_loaded(sync->mirror) ||
                sd_event_add_time_relative(
                        sync->event, &waiter->timer, CLOCK_BOOTTIME, WITHIN_USEC, 1, handle_late, waiter) < 0)
                refuse(waiter);
        else
                settle_soon(sync);
}

uint64_t exam_sync_applied(const struct exam_sync *sync, const char *course) {
        const struct exam_course *found = find(sync, course);

        return found ? found->applied_usec : 0;
}

/* --- begin and end --------------------------------------------------------------------------- */

int exam_sync_begin(struct exam_sync *sync) {
        int r = sd_event_add_defer(sync->event, &sync->look_source, handle_look, sync);

        if (r >= 0)
                r = sd_event_source_set_enabled(sync->look_source, SD_EVENT_OFF);
        if (r >= 0)
                r = sd_event_add_defer(sync->event, &sync->settle_source, handle_settle, sync);
        return r < 0 ? r : sd_event_source_set_enabled(sync->settle_source, SD_EVENT_OFF);
}

void exam_sync_done(struct exam_sync *sync) {
        struct exam_course *course, *next;

        while (sync->waiters)
                exam_waiter_drop(sync->waiters->place);
        HASH_ITER (hh, sync->courses, course, next) {
                HASH_DEL(sync->courses, course);
                store_call_drop(&course->call);
                free(course);
        }
        end_child(sync);
        sync->look_source = sd_event_source_disable_unref(sync->look_source);
        sync->settle_source = sd_event_source_disable_unref(sync->settle_source);
        sync->lock_timer = sd_event_source_disable_unref(sync->lock_timer);
}
