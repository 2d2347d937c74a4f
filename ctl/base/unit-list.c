/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Calls ListUnitsByPatterns of systemd's manager. */

#include "unit-list.h"
#include "unit-property.h"

static const char *const heads[_UNIT_KIND_MAX] = {
        [UNIT_BRIDGE] = "netbr@",
        [UNIT_NAMESPACE] = "netns@",
        [UNIT_SEAT] = "nsbr@",
        [UNIT_CONTAINER] = "cont@",
};

#define TAIL ".service"

void unit_list_done(struct unit_list *list) {
        free(list->units);
        *list = (struct unit_list){0};
}

static enum unit_state parse_state(const char *active_state) {
        static const struct {
                const char *name;
                enum unit_state state;
        } states[] = {
                {"active", UNIT_UP},
                {"reloading", UNIT_UP},
                {"refreshing", UNIT_UP},
                {"activating", UNIT_STARTING},
                {"deactivating", UNIT_STOPPING},
                {"failed", UNIT_FAILED},
        };

        for (size_t i = 0; i < ELEMENTSOF(states); i++)
                if (string_equal(active_state, states[i].name))
                        return states[i].state;
        return UNIT_DOWN;
}

static bool parse_name(const char *name, struct unit *ret) {
        for (unsigned i = 0; i < _UNIT_KIND_MAX; i++) {
                size_t length = strlen(name), head = strlen(heads[i]), tail = strlen(TAIL);

                if (!string_starts_with(name, heads[i]) || length <= head + tail ||
                        length - head - tail >= sizeof(ret->instance) ||
                        !string_equal(name + length - tail, TAIL))
                        continue;
                *ret = (struct unit){.kind = (enum unit_kind)i};
                memcpy(ret->instance, name + head, length - head - tail);
                return true;
        }
        return false;
}

int unit_list_add(struct unit_list *list, const char *name, const char *active_state) {
        struct unit *units, unit;

        if (!parse_name(name, &unit))
                return 0;
        unit.state = parse_state(active_state);

        units = reallocarray(list->units, list->n_units + 1, sizeof(*units));
        if (!units)
                return -ENOMEM;
        list->units = units;
        units[list->n_units++] = unit;
        return 0;
}

static void message_done(sd_bus_message **message) {
        (void)sd_bus_message_unref(*message);
}

static int call_manager(sd_bus *bus, sd_bus_message **ret) {
        _cleanup_(message_done) sd_bus_message *call = NULL;
        char patterns[_UNIT_KIND_MAX][32];
        char *list[_UNIT_KIND_MAX + 1] = {0};
        int r;

        for (unsigned i = 0; i < _UNIT_KIND_MAX; i++) {
                (void)snprintf(patterns[i], sizeof(patterns[i]), "%s*" TAIL, heads[i]);
                list[i] = patterns[i];
        }

        r = sd_bus_message_new_method_call(bus, &call, "org.freedesktop.systemd1",
                "/org/freedesktop/systemd1", "org.freedesktop.systemd1.Manager", "ListUnitsByPatterns");
        if (r < 0)
                return r;
        /* The first list is for states; an empty one means all. */
        r = sd_bus_message_append(call, "as", 0);
        if (r < 0)
                return r;
        r = sd_bus_message_append_strv(call, list);
        if (r < 0)
                return r;
        return sd_bus_call(bus, call, 0, NULL, ret);
}

static int read_units(sd_bus_message *reply, struct unit_list *list) {
        const char *name, *active_state;
        int r;

        r = sd_bus_message_enter_container(reply, 'a', "(ssssssouso)");
        if (r < 0)
                return r;
        while ((r = sd_bus_message_read(reply, "(ssssssouso)", &name, NULL, NULL, &active_state, NULL, NULL,
                        NULL, NULL, NULL, NULL)) > 0) {
                r = unit_list_add(list, name, active_state);
                if (r < 0)
                        return r;
        }
        return r;
}

int unit_list_load(struct unit_list *ret) {
        _cleanup_(message_done) sd_bus_message *reply = NULL;
        _cleanup_unit_list_ struct unit_list list = {0};
        _cleanup_unit_bus_ sd_bus *bus = NULL;
        int r;

        r = sd_bus_open_system(&bus);
        if (r < 0)
                return r;
        r = call_manager(bus, &reply);
        if (r < 0)
                return r;
        r = read_units(reply, &list);
        if (r < 0)
                return r;

        *ret = list;
        list = (struct unit_list){0};
        return 0;
}
