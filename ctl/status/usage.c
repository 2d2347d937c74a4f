/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* org.freedesktop.systemd1.Slice has all of it, in one call. */

#include <inttypes.h>

#include "base/unit-property.h"
#include "usage.h"

/* The keys of the JSON document, and systemd's names. */
static const struct {
        const char *key, *property;
        size_t offset;
} numbers[] = {
        {"memory_bytes", "MemoryCurrent", offsetof(struct usage, memory)},
        {"memory_max_bytes", "MemoryMax", offsetof(struct usage, memory_max)},
        {"tasks", "TasksCurrent", offsetof(struct usage, tasks)},
        {"tasks_max", "TasksMax", offsetof(struct usage, tasks_max)},
        {"cpu_quota_usec", "CPUQuotaPerSecUSec", offsetof(struct usage, cpu_quota_usec)},
        {"cpu_weight", "CPUWeight", offsetof(struct usage, cpu_weight)},
        {"io_weight", "IOWeight", offsetof(struct usage, io_weight)},
};

static uint64_t *find_number(struct usage *usage, const char *property) {
        for (size_t i = 0; i < ELEMENTSOF(numbers); i++)
                if (string_equal(numbers[i].property, property))
                        return (uint64_t *)(void *)((char *)usage + numbers[i].offset);
        return NULL;
}

static uint64_t number_at(const struct usage *usage, size_t i) {
        uint64_t number;

        memcpy(&number, (const char *)usage + numbers[i].offset, sizeof(number));
        return number;
}

static int read_reply(sd_bus_message *reply, struct usage *ret) {
        const char *property;
        int r;

        r = sd_bus_message_enter_container(reply, 'a', "{sv}");
        while (r >= 0 && (r = sd_bus_message_enter_container(reply, 'e', "sv")) > 0) {
                uint64_t *number = NULL;

                r = sd_bus_message_read(reply, "s", &property);
                if (r >= 0)
                        number = find_number(ret, property);
                if (r >= 0)
                        r = number ? sd_bus_message_read(reply, "v", "t", number)
                                   : sd_bus_message_skip(reply, "v");
                if (r >= 0)
                        r = sd_bus_message_exit_container(reply);
        }
        return r < 0 ? r : 0;
}

int usage_read(uid_t uid, struct usage *ret) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        _cleanup_unit_bus_ sd_bus *bus = NULL;
        _cleanup_free_ char *path = NULL;
        char unit[64];
        int r;

        *ret = (struct usage){
                USAGE_NONE, USAGE_NONE, USAGE_NONE, USAGE_NONE, USAGE_NONE, USAGE_NONE, USAGE_NONE};
        (void)snprintf(unit, sizeof(unit), "user-%u.slice", (unsigned)uid);
        r = sd_bus_path_encode("/org/freedesktop/systemd1/unit", unit, &path);
        if (r >= 0)
                r = sd_bus_open_system(&bus);
        if (r >= 0)
                r = sd_bus_call_method(bus, "org.freedesktop.systemd1", path,
                        "org.freedesktop.DBus.Properties", "GetAll", NULL, &reply, "s",
                        "org.freedesktop.systemd1.Slice");
        return r < 0 ? r : read_reply(reply, ret);
}

int usage_put(json_object *seat, const struct usage *usage) {
        json_object *object = usage ? json_object_new_object() : NULL;

        if (!usage)
                return json_put_text(seat, "usage", NULL);
        if (!object || json_put(seat, "usage", object) < 0)
                return -ENOMEM;
        for (size_t i = 0; i < ELEMENTSOF(numbers); i++) {
                uint64_t number = number_at(usage, i);
                int r = number == USAGE_NONE
                                ? json_put_text(object, numbers[i].key, NULL)
                                : json_put(object, numbers[i].key, json_object_new_uint64(number));

                if (r < 0)
                        return -ENOMEM;
        }
        return 0;
}

static void _printf_(2, 3) append(char *text, const char *format, ...) {
        size_t length = strlen(text);
        va_list arguments;

        va_start(arguments, format);
        (void)vsnprintf(text + length, USAGE_TEXT_SIZE - length, format, arguments);
        va_end(arguments);
}

static void append_megabytes(char *text, uint64_t bytes) {
        append(text, "%" PRIu64 "M", (bytes + (UINT64_C(1) << 20) - 1) >> 20);
}

/* "12 of 500 tasks"; nothing if both are not known. */
static void append_pair(char *text, uint64_t current, uint64_t max, const char *what,
        void (*append_number)(char *text, uint64_t number)) {
        if (current == USAGE_NONE && max == USAGE_NONE)
                return;
        append(text, "%s", text[0] ? ", " : "");
        if (current != USAGE_NONE)
                append_number(text, current);
        if (max != USAGE_NONE) {
                append(text, "%s", current != USAGE_NONE ? " of " : "at most ");
                append_number(text, max);
        }
        append(text, " %s", what);
}

static void append_count(char *text, uint64_t number) {
        append(text, "%" PRIu64, number);
}

void usage_format(const struct usage *usage, char ret_text[static USAGE_TEXT_SIZE]) {
        ret_text[0] = '\0';
        append_pair(ret_text, usage->memory, usage->memory_max, "memory", append_megabytes);
        append_pair(ret_text, usage->tasks, usage->tasks_max, "tasks", append_count);
        if (usage->cpu_quota_usec != USAGE_NONE)
                append(ret_text, "%sat most %" PRIu64 "%% of a processor", ret_text[0] ? ", " : "",
                        usage->cpu_quota_usec / 10000U);
}
