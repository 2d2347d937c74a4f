/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * SetUnitProperties() makes systemd write drop-ins of its own into /run/systemd/system.control, which would
 * outlast ours. They are removed when systemd has answered; it keeps what it was told in memory, and ours
 * says the same at the next daemon-reload. What an administrator has set there for one user (`systemctl
 * set-property user-1001.slice`) stays as it is: such a property is not touched.
 */

#include <dirent.h>
#include <limits.h>
#include <utlist.h>

#include "base/log.h"
#include "systemd/units.h"
#include "user-limits.h"
#include "wiring.h"

/* systemd appends ".control" to the directories of units: systemd.unit(5). */
#define PERSISTENT_CONTROL "/etc/systemd/system.control"

#define SLICE_SIZE sizeof("user-4294967295.slice")
#define PROPERTIES_MAX 5U

typedef char control_path_t[PATH_MAX];

struct user_limits {
        struct seats *seats;
        uid_t uid;
        char slice[SLICE_SIZE];
        struct unit_number numbers[PROPERTIES_MAX];
        size_t n_numbers;
        struct bus_call *call;
        struct user_limits *prev, *next;
};

static void forget(struct user_limits *pending) {
        DL_DELETE(pending->seats->user_limits, pending);
        bus_call_drop(&pending->call);
        free(pending);
}

void user_limits_forget(struct seats *seats) {
        struct user_limits *pending, *next;

        DL_FOREACH_SAFE(seats->user_limits, pending, next) {
                forget(pending);
        }
}

static struct user_limits *add(struct seats *seats, uid_t uid) {
        struct user_limits *pending = calloc(1, sizeof(*pending));

        if (!pending)
                return NULL;
        pending->seats = seats;
        pending->uid = uid;
        (void)snprintf(pending->slice, sizeof(pending->slice), "user-%u.slice", (unsigned)uid);
        DL_APPEND(seats->user_limits, pending);
        return pending;
}

static void warn(uid_t uid, const char *reason) {
        log_warning("The limits of uid %u cannot be set on user-%u.slice: %s", (unsigned)uid, (unsigned)uid,
                reason);
}

/* --- what systemd is told --------------------------------------------------------------------------------
 */

#define USEC_PER_PERCENT UINT64_C(10000)

static struct unit_number bytes_or_tasks(
        const struct resource_limit *limit, const char *name, const char *scale) {
        uint64_t part = (uint64_t)UINT32_MAX * limit->number / 100U;

        if (!limit->is_percent)
                return (struct unit_number){.property = name, .number = limit->number};
        /* systemd takes the whole for a mistake. */
        return (struct unit_number){
                .property = scale, .number = part < UINT32_MAX ? part : UINT32_MAX - 1, .is_scale = true};
}

static size_t to_numbers(const struct limit_settings *limits, struct unit_number ret[static PROPERTIES_MAX]) {
        struct resource_limit limit;
        size_t n = 0;

        if (memory_max_parse(limits->memory_max, &limit) >= 0)
                ret[n++] = bytes_or_tasks(&limit, "MemoryMax", "MemoryMaxScale");
        if (tasks_max_parse(limits->tasks_max, &limit) >= 0)
                ret[n++] = bytes_or_tasks(&limit, "TasksMax", "TasksMaxScale");
        if (cpu_quota_parse(limits->cpu_quota, &limit) >= 0)
                ret[n++] = (struct unit_number){.property = "CPUQuotaPerSecUSec",
                        .number = limit.is_percent ? limit.number * USEC_PER_PERCENT : limit.number};
        if (weight_parse(limits->cpu_weight, &limit) >= 0)
                ret[n++] = (struct unit_number){.property = "CPUWeight", .number = limit.number};
        if (weight_parse(limits->io_weight, &limit) >= 0)
                ret[n++] = (struct unit_number){.property = "IOWeight", .number = limit.number};
        return n;
}

/* As systemd names its drop-in for the property; the name of CPUQuotaPerSecUSec is that of its setting. */
static bool format_control(
        control_path_t path, const char *control, const char *slice, const struct unit_number *number) {
        const char *name =
                string_equal(number->property, "CPUQuotaPerSecUSec") ? "CPUQuota" : number->property;

        return (size_t)snprintf(path, PATH_MAX, "%s/%s.d/50-%s.conf", control, slice, name) < PATH_MAX;
}

static void runtime_control(const struct seats *seats, control_path_t path) {
        (void)snprintf(path, PATH_MAX, "%s.control", seats->unit_directory);
}

/* An administrator has set the property for this user, as a number or as a percentage. */
static bool is_set_by_hand(const char *control, const char *slice, const struct unit_number *number) {
        static const char *const pairs[][2] = {
                {"MemoryMax", "MemoryMaxScale"}, {"TasksMax", "TasksMaxScale"}};
        control_path_t path;

        if (format_control(path, control, slice, number) && access(path, F_OK) == 0)
                return true;
        for (size_t i = 0; i < ELEMENTSOF(pairs); i++)
                for (size_t j = 0; j < 2; j++)
                        if (string_equal(number->property, pairs[i][j]) &&
                                format_control(path, control, slice,
                                        &(struct unit_number){.property = pairs[i][!j]}) &&
                                access(path, F_OK) == 0)
                                return true;
        return false;
}

static void drop_those_set_by_hand(struct user_limits *pending) {
        control_path_t control;
        size_t n = 0;

        runtime_control(pending->seats, control);
        for (size_t i = 0; i < pending->n_numbers; i++)
                if (!is_set_by_hand(control, pending->slice, &pending->numbers[i]) &&
                        !is_set_by_hand(PERSISTENT_CONTROL, pending->slice, &pending->numbers[i]))
                        pending->numbers[n++] = pending->numbers[i];
        pending->n_numbers = n;
}

static void remove_controls(const struct user_limits *pending) {
        control_path_t control, path;

        runtime_control(pending->seats, control);
        for (size_t i = 0; i < pending->n_numbers; i++)
                if (format_control(path, control, pending->slice, &pending->numbers[i]))
                        (void)unlink(path);
        if ((size_t)snprintf(path, sizeof(path), "%s/%s.d", control, pending->slice) < sizeof(path))
                (void)rmdir(path);
}

static void handle_set(void *userdata, int error) {
        struct user_limits *pending = userdata;

        if (error >= 0)
                remove_controls(pending);
        else if (error != -ENOENT)
                warn(pending->uid, strerror(-error));
        forget(pending);
}

/* The slice is loaded, unless there is an error: then systemd will read the drop-in. */
static void handle_loaded(void *userdata, int error, const char *object, const char *text) {
        struct user_limits *pending = userdata;
        int r = 0;

        (void)object;
        (void)text;
        drop_those_set_by_hand(pending);
        if (error >= 0 && pending->n_numbers > 0)
                r = unit_set_numbers(pending->seats->bus, pending->slice, pending->numbers,
                        pending->n_numbers, handle_set, pending, &pending->call);
        else
                forget(pending);
        if (r < 0)
                handle_set(pending, r);
}

/* --- the drop-in -----------------------------------------------------------------------------------------
 */

void user_limits_apply(struct seats *seats, uid_t uid, const struct limit_settings *limits) {
        struct user_limits *pending;
        struct wiring wiring;
        int r;

        /* Without limits: what is loaded keeps its limits until the slice ends. */
        if (!wiring_plan_limits(uid, limits, &wiring)) {
                (void)wiring_remove(seats->unit_directory, &wiring);
                return;
        }
        if (!wiring_differs(seats->unit_directory, &wiring))
                return;
        r = wiring_write(seats->unit_directory, &wiring);
        if (r < 0) {
                warn(uid, strerror(-r));
                return;
        }
        pending = add(seats, uid);
        if (!pending)
                return;
        pending->n_numbers = to_numbers(limits, pending->numbers);
        r = unit_find(seats->bus, pending->slice, handle_loaded, pending, &pending->call);
        if (r < 0)
                handle_set(pending, r);
}

/* --- its end ---------------------------------------------------------------------------------------------
 */

/* A login that has come since has found the drop-in as it should be, and counts on it. */
static void handle_gone(void *userdata, int error, const char *object, const char *text) {
        struct user_limits *pending = userdata;
        struct wiring wiring;

        (void)object;
        (void)text;
        if (error == -ENOENT && !pending->seats->user_has_lease(pending->seats->userdata, pending->uid)) {
                (void)wiring_plan_limits(pending->uid, &(struct limit_settings){0}, &wiring);
                (void)wiring_remove(pending->seats->unit_directory, &wiring);
        }
        forget(pending);
}

void user_limits_release(struct seats *seats, uid_t uid) {
        struct user_limits *pending;
        char slice[SLICE_SIZE];

        (void)snprintf(slice, sizeof(slice), "user-%u.slice", (unsigned)uid);
        if (uid == (uid_t)-1 || seats->user_has_lease(seats->userdata, uid) ||
                !wiring_limits(seats->unit_directory, slice))
                return;
        pending = add(seats, uid);
        if (pending && unit_find(seats->bus, pending->slice, handle_gone, pending, &pending->call) < 0)
                forget(pending);
}

static bool parse_slice(const char *unit, uid_t *ret_uid) {
        unsigned uid;
        int end = 0;

        if (sscanf(unit, "user-%10u.slice%n", &uid, &end) != 1 || end == 0 || unit[end] != '\0')
                return false;
        *ret_uid = uid;
        return true;
}

void user_limits_unit_removed(void *userdata, const char *unit) {
        uid_t uid;

        if (parse_slice(unit, &uid))
                user_limits_release(userdata, uid);
}

void user_limits_release_all(struct seats *seats) {
        DIR *directory = opendir(seats->unit_directory);
        char slice[SLICE_SIZE];
        uid_t uid;

        for (struct dirent *entry; directory && (entry = readdir(directory));) {
                size_t length = strlen(entry->d_name);

                if (length <= 2 || length - 2 >= sizeof(slice) ||
                        !string_equal(entry->d_name + length - 2, ".d"))
                        continue;
                (void)snprintf(slice, sizeof(slice), "%.*s", (int)(length - 2), entry->d_name);
                if (parse_slice(slice, &uid))
                        user_limits_release(seats, uid);
        }
        if (directory)
                (void)closedir(directory);
}
