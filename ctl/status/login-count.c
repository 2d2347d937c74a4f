/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The file is a JSON document. It is replaced in one step, under a lock, because the timer and a person may
 * run this at once.
 */

#include <fcntl.h>
#include <inttypes.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "base/journal-entry.h"
#include "base/json.h"
#include "login-count.h"
#include "protocol.h"

#define FILE_NAME "logins.json"
#define CURSOR_SIZE 512U
#define OTHER_REFUSALS "other"

/* A seat that is up takes milliseconds, and a login's time limit is 20 seconds. */
const double login_count_bounds[LOGIN_BUCKETS] = {0.01, 0.05, 0.1, 0.25, 0.5, 1, 5, 20};

void login_count_done(struct login_count *count) {
        free(count->courses);
        *count = (struct login_count){0};
}

static struct course_count *find_course(struct login_count *count, const char *course) {
        struct course_count *courses;

        for (size_t i = 0; i < count->n_courses; i++)
                if (string_equal(count->courses[i].course, course))
                        return &count->courses[i];
        courses = reallocarray(count->courses, count->n_courses + 1, sizeof(*courses));
        if (!courses)
                return NULL;
        count->courses = courses;
        courses[count->n_courses] = (struct course_count){0};
        (void)string_copy(courses[count->n_courses].course, COURSE_SIZE, course);
        return &courses[count->n_courses++];
}

int login_count_add(struct login_count *count, const char *course) {
        struct course_count *found = find_course(count, course);

        if (!found)
                return -ENOMEM;
        found->n_logins++;
        return 0;
}

void login_count_add_start(struct login_count *count, uint64_t usec) {
        double seconds = (double)usec / 1e6;

        count->seconds += seconds;
        for (size_t i = 0; i < LOGIN_BUCKETS; i++)
                if (seconds <= login_count_bounds[i]) {
                        count->buckets[i]++;
                        return;
                }
        count->n_slower++;
}

void login_count_add_refusal(struct login_count *count, const char *reason) {
        for (unsigned i = 0; i < _REFUSAL_MAX; i++)
                if (string_equal(reason, refusal_text((enum refusal)i))) {
                        count->refusals[i]++;
                        return;
                }
        count->n_other_refusals++;
}

/* --- the file -------------------------------------------------------------------------------- */

static uint64_t get_number(const json_object *object, const char *key) {
        json_object *value = json_object_object_get(object, key);

        return json_object_get_uint64(value);
}

static void read_starts(const json_object *document, const json_object *buckets, struct login_count *count) {
        for (size_t i = 0; i < LOGIN_BUCKETS; i++)
                count->buckets[i] = json_object_get_uint64(json_object_array_get_idx(buckets, i));
        count->n_slower = get_number(document, "slower");
        count->seconds = json_object_get_double(json_object_object_get(document, "seconds"));
}

static void read_refusals(const json_object *refusals, struct login_count *count) {
        for (unsigned i = 0; i < _REFUSAL_MAX; i++)
                count->refusals[i] = get_number(refusals, refusal_text((enum refusal)i));
        count->n_other_refusals = get_number(refusals, OTHER_REFUSALS);
}

/* The file may be of another version, or broken: what is not as expected is zero. */
static int read_document(const json_object *document, struct login_count *count, char *cursor) {
        json_object *courses = json_object_object_get(document, "courses"),
                    *buckets = json_object_object_get(document, "buckets"),
                    *refusals = json_object_object_get(document, "refusals");
        const char *text = json_object_get_string(json_object_object_get(document, "cursor"));

        if (!text || string_copy(cursor, CURSOR_SIZE, text) < 0 ||
                !json_object_is_type(courses, json_type_object) ||
                !json_object_is_type(buckets, json_type_array) ||
                json_object_array_length(buckets) != LOGIN_BUCKETS) {
                cursor[0] = '\0';
                return 0;
        }
        json_object_object_foreach(courses, name, number) {
                struct course_count *course = find_course(count, name);

                if (!course)
                        return -ENOMEM;
                course->n_logins = json_object_get_uint64(number);
        }
        /* Version 0.1 counted logins to seats that were up as starts, and no refusals. */
        if (refusals) {
                read_starts(document, buckets, count);
                read_refusals(refusals, count);
        }
        return 0;
}

static int fill_refusals(json_object *refusals, const struct login_count *count) {
        for (unsigned i = 0; i < _REFUSAL_MAX; i++)
                if (json_put(refusals, refusal_text((enum refusal)i),
                            json_object_new_uint64(count->refusals[i])) < 0)
                        return -ENOMEM;
        return json_put(refusals, OTHER_REFUSALS, json_object_new_uint64(count->n_other_refusals));
}

static int fill_document(json_object *document, const struct login_count *count, const char *cursor) {
        json_object *courses = json_object_new_object(), *refusals, *buckets;

        if (json_put(document, "courses", courses) < 0)
                return -ENOMEM;
        refusals = json_object_new_object();
        if (json_put(document, "refusals", refusals) < 0 || fill_refusals(refusals, count) < 0)
                return -ENOMEM;
        for (size_t i = 0; i < count->n_courses; i++)
                if (json_put(courses, count->courses[i].course,
                            json_object_new_uint64(count->courses[i].n_logins)) < 0)
                        return -ENOMEM;
        buckets = json_put_array(document, "buckets");
        for (size_t i = 0; i < LOGIN_BUCKETS; i++) {
                json_object *number = json_object_new_uint64(count->buckets[i]);

                if (!buckets || !number || json_object_array_add(buckets, number) < 0) {
                        json_done(&number);
                        return -ENOMEM;
                }
        }
        if (json_put(document, "slower", json_object_new_uint64(count->n_slower)) < 0 ||
                json_put(document, "seconds", json_object_new_double(count->seconds)) < 0 ||
                json_put_text(document, "cursor", cursor) < 0)
                return -ENOMEM;
        return 0;
}

static int write_file(int directory, const struct login_count *count, const char *cursor) {
        _cleanup_json_ json_object *document = json_new_document();
        _cleanup_close_ int fd = -1;

        if (!document || fill_document(document, count, cursor) < 0)
                return -ENOMEM;
        fd = openat(directory, FILE_NAME ".new", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
        if (fd < 0)
                return -errno;
        if (json_object_to_fd(fd, document, JSON_C_TO_STRING_PLAIN) < 0)
                return -EIO;
        return renameat(directory, FILE_NAME ".new", directory, FILE_NAME) < 0 ? -errno : 0;
}

static int read_file(int directory, struct login_count *count, char *cursor) {
        _cleanup_json_ json_object *document = NULL;
        _cleanup_close_ int fd = openat(directory, FILE_NAME, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);

        cursor[0] = '\0';
        if (fd < 0) {
                int r = errno == ENOENT ? 0 : -errno;

                fd = -1;
                return r;
        }
        document = json_object_from_fd(fd);
        return document ? read_document(document, count, cursor) : 0;
}

/* --- the journal ----------------------------------------------------------------------------- */

/* Logins are the activator's. Refusals are also the module's, in sshd and other programs of root. */
static int add_matches(sd_journal *journal) {
        int r = journal_match_activator(journal);

        if (r >= 0)
                r = sd_journal_add_match(journal, "COURSENET_EVENT=" LEASE_GIVEN, 0);
        if (r >= 0)
                r = sd_journal_add_disjunction(journal);
        if (r >= 0)
                r = journal_match_refusals(journal);
        return r;
}

static int count_entry(sd_journal *journal, struct login_count *count) {
        char event[32], course[COURSE_SIZE], service[SERVICE_SIZE], text[32];

        journal_read_field(journal, "COURSENET_REASON", text, sizeof(text));
        if (text[0]) {
                login_count_add_refusal(count, text);
                return 0;
        }
        journal_read_field(journal, "COURSENET_EVENT", event, sizeof(event));
        journal_read_field(journal, "COURSENET_COURSE", course, sizeof(course));
        journal_read_field(journal, "COURSENET_SERVICE", service, sizeof(service));
        if (!string_equal(event, LEASE_GIVEN) || course[0] == '\0' || string_equal(service, HOLD_SERVICE) ||
                string_equal(service, SCHEDULE_SERVICE))
                return 0;
        journal_read_field(journal, "COURSENET_START_USEC", text, sizeof(text));
        if (text[0])
                login_count_add_start(count, strtoull(text, NULL, 10));
        return login_count_add(count, course);
}

/* At the entry of the cursor, or at the next one if the journal has dropped it, or at the beginning. */
static int seek(sd_journal *journal, const char *cursor, struct login_count *count) {
        if (cursor[0] && sd_journal_seek_cursor(journal, cursor) >= 0)
                return 0;
        /* Whatever the numbers are of, it would be counted twice. */
        login_count_done(count);
        return sd_journal_seek_head(journal);
}

static int keep_cursor(sd_journal *journal, char *cursor) {
        _cleanup_free_ char *text = NULL;
        int r = sd_journal_get_cursor(journal, &text);

        return r < 0 ? r : string_copy(cursor, CURSOR_SIZE, text);
}

static int read_journal(struct login_count *count, char *cursor) {
        sd_journal *journal;
        int r = sd_journal_open(&journal, SD_JOURNAL_LOCAL_ONLY | SD_JOURNAL_SYSTEM);

        if (r < 0)
                return r;
        r = add_matches(journal);
        if (r >= 0)
                r = seek(journal, cursor, count);
        while (r >= 0 && (r = sd_journal_next(journal)) > 0) {
                if (cursor[0] && sd_journal_test_cursor(journal, cursor) > 0)
                        continue;
                r = count_entry(journal, count);
                /* A crash may have damaged an entry; the others are still valid. */
                r = r == -EBADMSG ? 0 : r;
                if (r >= 0)
                        r = keep_cursor(journal, cursor);
        }
        sd_journal_close(journal);
        return r;
}

int login_count_update(const char *directory, struct login_count *ret) {
        _cleanup_login_count_ struct login_count count = {0};
        _cleanup_close_ int fd = -1;
        char cursor[CURSOR_SIZE];
        int r;

        if (mkdir(directory, 0755) < 0 && errno != EEXIST)
                return -errno;
        fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        /* The lock is that of the folder, because the file is replaced. */
        if (fd < 0 || flock(fd, LOCK_EX) < 0)
                return -errno;
        r = read_file(fd, &count, cursor);
        if (r >= 0)
                r = read_journal(&count, cursor);
        if (r >= 0)
                r = write_file(fd, &count, cursor);
        if (r < 0)
                return r;
        *ret = count;
        count = (struct login_count){0};
        return 0;
}
