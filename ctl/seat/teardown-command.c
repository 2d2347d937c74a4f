/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * `coursenetctl teardown`: stops and removes everything of coursenet. It must work when other parts fail, so
 * it talks to systemd by systemctl and not over D-Bus, and finds out who has a seat from units and records,
 * not from the activator.
 *
 * It stops the sockets and the activator first, so that new logins, and those under way, are refused. Then it
 * stops the other units in one transaction, removes the links, namespaces and rules in the kernel, and at
 * last the files below /run.
 */

#include <dirent.h>
#include <fcntl.h>
#include <fts.h>
#include <glob.h>
#include <limits.h>
#include <stdint.h>
#include <time.h>

#include "activator-client.h"
#include "base/admin-log.h"
#include "base/arguments.h"
#include "base/complain.h"
#include "base/json.h"
#include "base/lease-record.h"
#include "base/pam-config.h"
#include "base/systemctl.h"
#include "child.h"
#include "exam.h"
#include "seat-command.h"

#define UNIT_DIRECTORY "/run/systemd/system"
#define STOP_TIMEOUT_MS 30000U

/* Drop-ins, named as in activator/seat/wiring-plan.h. Unfinished ones are left when the activator is killed
 * while it writes.
 */
#define WIRING_FILE "50-coursenet.conf"
#define WIRING_KEEP_FILE "50-coursenet-keep.conf"
#define WIRING_LIMITS_FILE "40-coursenet.conf"
#define UNFINISHED_HEAD ".coursenet-new-"

const struct syntax teardown_syntax = {
        .usage =
                "Usage: coursenetctl teardown [--force] [--json]\n"
                "\n"
                "Stops and removes everything of coursenet that is up: seats, bridges, services, the\n"
                "nftables tables, the routing rules of the fence, and the files below /run. It is refused\n"
                "while somebody is logged in, holds a seat, or has left something running in it (leftover =\n"
                "keep); --force ends their leases. Enabled units, the lines in /etc/pam.d, and\n"
                "/etc/coursenet stay; it prints how to remove the first two.\n",
        .options = TAKES_FORCE | TAKES_JSON,
        .words_max = 0,
};

/* All units of coursenet. Any of these that is up belongs to it. */
#define DOORS "coursenet-activator.socket", "coursenet-query.socket"
#define SERVICES                                                                                             \
        "coursenet-schedule.service", "coursenet-class@*.timer", "coursenet-class@*.service",                \
                "coursenet-metrics.timer", "coursenet-roster.timer", "coursenet-roster.service",             \
                "coursenet-activator.service", "coursenet-worker.socket", "coursenet-worker.service",        \
                "coursenet-network.service", "coursenet-dns.service", "coursenet-wiring.service",            \
                "coursenet-capture.socket", "coursenet-capture@*.service", "coursenet-hosts.service",        \
                "coursenet-frr.path", "coursenet-frr.service"
#define SEATS                                                                                                \
        "coursenet-*.slice", "cont@*.service", "testnetns@*.service", "nsbr@*.service", "netns@*.service",   \
                "netbr@*.service"

#define LIST "systemctl", "list-units", "--plain", "--no-legend", "--full"
#define UP "--state=active,activating,deactivating,reloading"

/* What is done, and what is found on the way. */
struct teardown {
        const struct paths *paths;
        bool force, json;             /* the options; json: the text for people is not printed */
        struct lease_records holders; /* who had a seat, or who was the reason to refuse */
        size_t n_ended;               /* leases */
        struct unit_names before;     /* what was up */
        struct unit_names after;      /* what is up still */
        bool stopped;                 /* whether after is known */
};

static void teardown_done(struct teardown *teardown) {
        lease_records_done(&teardown->holders);
        unit_names_done(&teardown->before);
        unit_names_done(&teardown->after);
}

/* --- who has a seat ---------------------------------------------------------------------------- */

static bool has_unit(const struct unit_names *units, const struct lease_record *record) {
        char name[sizeof("coursenet-.slice") + LEASE_ID_SIZE];

        (void)snprintf(name, sizeof(name), "coursenet-%s.slice", record->id);
        for (size_t i = 0; i < units->n_names; i++)
                if (string_equal(units->names[i], name))
                        return true;
        return false;
}

/* If systemctl fails, nothing is known about what is up. */
static int list_units(const char *const *arguments, struct unit_names *ret) {
        int r = systemctl_list(arguments, ret);

        return r > 0 ? -EIO : r;
}

/* The records of leases that are in use and whose unit is up. */
static int load_holders(struct lease_records *ret) {
        static const char *const list[] = {LIST, UP, "coursenet-*.slice", NULL};
        _cleanup_unit_names_ struct unit_names units = {0};
        uint64_t now_usec = (uint64_t)time(NULL) * 1000000U;
        size_t n = 0;
        int r;

        r = list_units(list, &units);
        if (r >= 0)
                r = lease_records_load(LEASE_RECORD_DIRECTORY, ret);
        if (r < 0)
                return r;
        for (size_t i = 0; i < ret->n_items; i++)
                if (lease_record_is_used(&ret->items[i], now_usec) && has_unit(&units, &ret->items[i]))
                        ret->items[n++] = ret->items[i];
        ret->n_items = n;
        return 0;
}

static void print_holders(const struct lease_records *holders) {
        for (size_t i = 0; i < holders->n_items; i++) {
                const struct lease_record *record = &holders->items[i];

                if (record->lingering)
                        complain("Seat %s: %s may have left something running in it (leftover = keep).",
                                record->seat, record->user);
                else if (record->opener > 0)
                        complain("Seat %s: %s is logged in (%s, process %ld).", record->seat, record->user,
                                record->service, record->opener);
                else
                        complain("Seat %s: an administrator holds it (coursenetctl start).", record->seat);
        }
}

static int refuse(const struct lease_records *holders) {
        print_holders(holders);
        complain("Nothing was stopped. To end these leases: coursenetctl teardown --force");
        return EXIT_NO;
}

/* Before the activator stops, because it writes to the students' terminals. */
static void end_leases(struct teardown *teardown) {
        const struct lease_records *holders = &teardown->holders;
        uint64_t deadline = deadline_after_ms(STOP_TIMEOUT_MS);
        struct request request;
        struct reply reply;

        for (size_t i = 0; i < holders->n_items; i++) {
                request_init(&request, REQUEST_STOP);
                (void)string_copy(request.user, sizeof(request.user), holders->items[i].seat);
                if (activator_call(teardown->paths->activator_socket, &request, -1, deadline, &reply) < 0)
                        break;
        }
        teardown->n_ended = holders->n_items;
        if (holders->n_items > 0 && !teardown->json)
                (void)printf("Ended %zu %s.\n", holders->n_items, holders->n_items == 1 ? "lease" : "leases");
}

/* --- units ------------------------------------------------------------------------------------- */

static bool is_up_still(const struct teardown *teardown, const char *unit) {
        for (size_t i = 0; i < teardown->after.n_names; i++)
                if (string_equal(teardown->after.names[i], unit))
                        return true;
        return !teardown->stopped;
}

/* Instances such as netns@12310.service are counted, other units are named. */
static void print_stopped(const struct teardown *teardown) {
        static const struct {
                const char *head, *what;
        } kinds[] = {{"nsbr@", "seats"}, {"netbr@", "bridges"}, {"cont@", "containers"}};
        const struct unit_names *before = &teardown->before;

        for (size_t i = 0; i < before->n_names; i++)
                /* The name of a lease's slice has a '_'. */
                if (!strpbrk(before->names[i], "@_") && !is_up_still(teardown, before->names[i]))
                        (void)printf("Stopped %s.\n", before->names[i]);
        for (size_t i = 0; i < ELEMENTSOF(kinds); i++) {
                size_t n = 0;

                for (size_t j = 0; j < before->n_names; j++)
                        n += string_starts_with(before->names[j], kinds[i].head) &&
                             !is_up_still(teardown, before->names[j]);
                if (n > 0)
                        (void)printf("Stopped %s: %zu (%s).\n", kinds[i].what, n, kinds[i].head);
        }
}

/* Returns an exit code. */
static int stop_units(struct teardown *teardown) {
        static const char *const watch[] = {"systemctl", "stop", "coursenet-network.service", NULL};
        static const char *const stop[] = {"systemctl", "stop", "--job-mode=replace", SERVICES, SEATS, NULL};
        static const char *const slice[] = {"systemctl", "stop", "coursenet.slice", NULL};
        static const char *const list[] = {LIST, UP, DOORS, SERVICES, SEATS, "coursenet.slice", NULL};
        static const char *const reset[] = {"systemctl", "reset-failed", DOORS, SERVICES, SEATS, NULL};
        const struct unit_names *after = &teardown->after;
        int r;

        /* The watch could start coursenet-schedule.service again. */
        (void)systemctl_run(watch);
        (void)systemctl_run(stop);
        (void)systemctl_run(slice);
        (void)systemctl_run(reset);
        r = list_units(list, &teardown->after);
        if (r < 0) {
                complain("systemctl cannot list what is still up: %s", strerror(-r));
                return EXIT_NO;
        }
        teardown->stopped = true;
        for (size_t i = 0; i < after->n_names; i++)
                complain("%s does not stop. See: systemctl status %s", after->names[i], after->names[i]);
        if (!teardown->json)
                print_stopped(teardown);
        return after->n_names > 0 ? EXIT_NO : EXIT_DONE;
}

/* --- what the kernel has ----------------------------------------------------------------------- */

static int clear_kernel(const struct teardown *teardown) {
        const char *const arguments[] = {teardown->paths->host, "teardown", NULL};
        const struct child_streams streams = {
                CHILD_INHERIT, teardown->json ? CHILD_NULL : CHILD_INHERIT, CHILD_INHERIT};
        int r, status;
        pid_t pid;

        (void)fflush(stdout);
        r = child_spawn(arguments, &streams, NULL, &pid);
        if (r >= 0)
                r = child_wait(pid, &status);
        if (r < 0)
                complain("%s cannot be run: %s", arguments[0], strerror(-r));
        return r >= 0 && WIFEXITED(status) && WEXITSTATUS(status) == 0 ? EXIT_DONE : EXIT_NO;
}

/* --- files below /run -------------------------------------------------------------------------- */

static bool is_drop_in_folder(const char *name) {
        size_t length = strlen(name);

        return length > 2 && string_equal(name + length - 2, ".d");
}

/* Takes fd. */
static size_t remove_drop_ins(int fd) {
        DIR *folder = fdopendir(fd);
        size_t n = 0;

        if (!folder) {
                (void)close(fd);
                return 0;
        }
        for (struct dirent *entry; (entry = readdir(folder));)
                if (string_equal(entry->d_name, WIRING_FILE) ||
                        string_equal(entry->d_name, WIRING_KEEP_FILE) ||
                        string_equal(entry->d_name, WIRING_LIMITS_FILE) ||
                        string_starts_with(entry->d_name, UNFINISHED_HEAD))
                        n += unlinkat(dirfd(folder), entry->d_name, 0) >= 0;
        (void)closedir(folder);
        return n;
}

/* Removes our drop-ins, and their folders if they are empty then. Returns how many drop-ins. */
static size_t remove_wiring(void) {
        DIR *directory = opendir(UNIT_DIRECTORY);
        size_t n = 0;

        for (struct dirent *entry; directory && (entry = readdir(directory));) {
                size_t n_here;
                int fd;

                if (!is_drop_in_folder(entry->d_name))
                        continue;
                fd = openat(dirfd(directory), entry->d_name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
                n_here = fd < 0 ? 0 : remove_drop_ins(fd);
                /* Those of managers and slices are made before there is anything in them:
                 * activator/seat/user-folder.h.
                 */
                if (n_here > 0 || string_starts_with(entry->d_name, "user@") ||
                        string_starts_with(entry->d_name, "user-"))
                        (void)unlinkat(dirfd(directory), entry->d_name, AT_REMOVEDIR);
                n += n_here;
        }
        if (directory)
                (void)closedir(directory);
        return n;
}

/* Returns an exit code. */
static int remove_tree(const char *path) {
        char *const paths[] = {(char *)(uintptr_t)path, NULL};
        FTS *tree = fts_open(paths, FTS_PHYSICAL | FTS_XDEV | FTS_NOCHDIR, NULL);
        int result = EXIT_DONE;

        for (FTSENT *entry; tree && (entry = fts_read(tree));) {
                if (entry->fts_info == FTS_D || (entry->fts_level == 0 && entry->fts_info == FTS_NS))
                        continue;
                if (remove(entry->fts_accpath) < 0 && errno != ENOENT) {
                        complain("%s cannot be removed: %m", entry->fts_path);
                        result = EXIT_NO;
                }
        }
        if (tree)
                (void)fts_close(tree);
        return result;
}

/* there: whether the folder existed before. The locks of netsetup/ create it again. */
static int remove_files(const struct teardown *teardown, bool there) {
        static const char *const reload[] = {"systemctl", "daemon-reload", NULL};
        size_t n = remove_wiring();
        int result = remove_tree(RUN_DIRECTORY);

        if (n > 0)
                (void)systemctl_run(reload);
        if (n > 0 && !teardown->json)
                (void)printf("Removed the wiring of seats: %zu files below " UNIT_DIRECTORY ".\n", n);
        if (there && result == EXIT_DONE && !teardown->json)
                (void)puts("Removed " RUN_DIRECTORY ".");
        return result;
}

/* Otherwise the exam would go on when the course is up again. */
static int remove_exams(const struct teardown *teardown) {
        char folder[PATH_MAX];

        (void)snprintf(folder, sizeof(folder), "%s/" EXAM_DIRECTORY, teardown->paths->state);
        /* A folder with files in it. */
        if (rmdir(folder) < 0 && errno == ENOTEMPTY && !teardown->json)
                (void)puts("Ended the exams of all courses.");
        return remove_tree(folder);
}

/* --- what is left for the administrator ---------------------------------------------------------------- */

static bool module_is_called(const struct paths *paths) {
        _cleanup_diagnostics_ struct diagnostics ignored = {0};
        DIR *directory = opendir(paths->pam);
        bool called = false;

        for (struct dirent *entry; directory && !called && (entry = readdir(directory));) {
                _cleanup_free_ char *text = NULL;
                char path[PATH_MAX];
                size_t size = 0;
                FILE *file;

                (void)snprintf(path, sizeof(path), "%s/%s", paths->pam, entry->d_name);
                file = entry->d_name[0] == '.' ? NULL : fopen(path, "re");
                if (!file)
                        continue;
                if (getdelim(&text, &size, '\0', file) >= 0)
                        called = pam_config_check_text(text, path, NULL, &ignored) > 0;
                (void)fclose(file);
        }
        if (directory)
                (void)closedir(directory);
        return called;
}

/* An enabled instance is a link and not a unit file, so systemctl does not list it. */
#define ENABLED_BRIDGES "/etc/systemd/system/*.wants/netbr@*.service"

static void each_enabled(void (*callback)(void *userdata, const char *unit), void *userdata) {
        static const char *const list[] = {
                "systemctl", "list-unit-files", "--no-legend", "--state=enabled", DOORS, SERVICES, NULL};
        _cleanup_unit_names_ struct unit_names enabled = {0};
        glob_t bridges = {0};

        (void)systemctl_list(list, &enabled);
        (void)glob(ENABLED_BRIDGES, 0, NULL, &bridges);
        for (size_t i = 0; i < enabled.n_names; i++)
                callback(userdata, enabled.names[i]);
        for (size_t i = 0; i < bridges.gl_pathc; i++)
                callback(userdata, strrchr(bridges.gl_pathv[i], '/') + 1);
        globfree(&bridges);
}

static void print_unit(void *userdata, const char *unit) {
        size_t *n = userdata;

        if ((*n)++ == 0)
                (void)printf("These units are enabled and start again at the next boot. To disable them:\n"
                             "    systemctl disable");
        (void)printf(" %s", unit);
}

static void print_enabled(void) {
        size_t n = 0;

        each_enabled(print_unit, &n);
        if (n > 0)
                (void)puts("");
}

static void print_left(const struct paths *paths) {
        print_enabled();
        if (module_is_called(paths))
                (void)printf("%s still calls pam_coursenet.so, which refuses course users now. To remove the "
                             "lines:\n"
                             "    pam-auth-update --disable coursenet\n"
                             "and edit the files that still have one: grep -r pam_coursenet %s\n",
                        paths->pam, paths->pam);
        (void)printf("%s was not changed.\n", paths->etc);
}

/* --- the command ------------------------------------------------------------------------------- */

static int shut_doors(void) {
        static const char *const stop[] = {"systemctl", "stop", DOORS, "coursenet-activator.service", NULL};

        return systemctl_run(stop);
}

/* Somebody logged in between the check and the stop. */
static int open_doors_again(const struct lease_records *holders, const struct unit_names *before) {
        static const char *const start[] = {"systemctl", "start", DOORS, NULL};

        for (size_t i = 0; i < before->n_names; i++)
                if (string_equal(before->names[i], "coursenet-activator.socket")) {
                        (void)systemctl_run(start);
                        break;
                }
        return refuse(holders);
}

static void swap_records(struct lease_records *a, struct lease_records *b) {
        struct lease_records former = *a;

        *a = *b;
        *b = former;
}

static int take_down(struct teardown *teardown) {
        static const char *const list[] = {LIST, UP, DOORS, SERVICES, SEATS, NULL};
        _cleanup_lease_records_ struct lease_records late = {0};
        bool there = access(RUN_DIRECTORY, F_OK) >= 0;
        int r, result;

        r = load_holders(&teardown->holders);
        if (r >= 0)
                r = list_units(list, &teardown->before);
        if (r < 0) {
                complain("Cannot find out who has a seat: systemctl list-units failed, "
                         "or " LEASE_RECORD_DIRECTORY " cannot be read: %s",
                        strerror(-r));
                return EXIT_NO;
        }
        if (teardown->holders.n_items > 0 && !teardown->force)
                return refuse(&teardown->holders);
        end_leases(teardown);
        (void)shut_doors();
        if (!teardown->force && load_holders(&late) >= 0 && late.n_items > 0) {
                swap_records(&teardown->holders, &late);
                return open_doors_again(&teardown->holders, &teardown->before);
        }

        result = stop_units(teardown);
        if (clear_kernel(teardown) != EXIT_DONE)
                result = EXIT_NO;
        /* The wiring of a unit that is up must stay: without it, systemd's next reload would stop units of
         * other seats. */
        if (result == EXIT_DONE)
                result = remove_files(teardown, there);
        if (result == EXIT_DONE)
                result = remove_exams(teardown);
        return result;
}

/* --- as JSON ----------------------------------------------------------------------------------- */

static int put_holder(json_object *holders, const struct lease_record *record) {
        json_object *object = json_append_object(holders);
        int r;

        if (!object || json_put_text(object, "seat", record->seat) < 0 ||
                json_put_text(object, "user", record->user) < 0 ||
                json_put_text(object, "service", record->service) < 0)
                return -ENOMEM;
        r = record->opener > 0 && !record->lingering
                    ? json_put(object, "pid", json_object_new_int64(record->opener))
                    : json_put_text(object, "pid", NULL);
        return r < 0 ? r : json_put(object, "lingering", json_object_new_boolean(record->lingering));
}

static void put_unit(void *units, const char *unit) {
        (void)json_append_text(units, unit);
}

/* result: the exit code of all that was done. */
static int print_json(const struct teardown *teardown, int result) {
        _cleanup_json_ json_object *document = json_new_document();
        json_object *holders, *stopped, *enabled;

        if (!document || json_put(document, "down", json_object_new_boolean(result == EXIT_DONE)) < 0 ||
                !(holders = json_put_array(document, "holders")) ||
                json_put(document, "n_ended", json_object_new_int64((int64_t)teardown->n_ended)) < 0 ||
                !(stopped = json_put_array(document, "stopped")) ||
                !(enabled = json_put_array(document, "enabled")) ||
                json_put(document, "module_called",
                        json_object_new_boolean(module_is_called(teardown->paths))) < 0)
                return -ENOMEM;
        for (size_t i = 0; i < teardown->holders.n_items; i++)
                if (put_holder(holders, &teardown->holders.items[i]) < 0)
                        return -ENOMEM;
        for (size_t i = 0; i < teardown->before.n_names; i++)
                if (!is_up_still(teardown, teardown->before.names[i]))
                        put_unit(stopped, teardown->before.names[i]);
        each_enabled(put_unit, enabled);
        return json_print(document);
}

/* --- the entry point --------------------------------------------------------------------------- */

int teardown_command(const struct paths *paths, int argc, char **argv) {
        _cleanup_(teardown_done) struct teardown teardown = {.paths = paths};
        struct arguments arguments;
        int r;

        r = arguments_parse(argc, argv, &teardown_syntax, &arguments);
        if (r != 0)
                return r > 0 ? EXIT_DONE : EXIT_USAGE;
        if (geteuid() != 0) {
                complain("Only root can run teardown.");
                return EXIT_NO;
        }
        teardown.force = arguments.force;
        teardown.json = arguments.json;
        r = take_down(&teardown);
        admin_log(paths, "teardown", arguments.force ? "--force" : "", "%s",
                r == EXIT_DONE ? "nothing of coursenet is up"
                               : "refused, or not everything could be removed");
        if (arguments.json && print_json(&teardown, r) < 0) {
                complain("%s", strerror(ENOMEM));
                return EXIT_NO;
        }
        if (r == EXIT_DONE && !arguments.json) {
                (void)puts("Nothing of coursenet is up.");
                print_left(paths);
        }
        return r;
}
