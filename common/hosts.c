/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <unistd.h>

#include "hosts.h"
#include "number.h"

int host_member_parse(const char *text, struct host_member *ret) {
        const char *equals = strchr(text, '=');
        struct host_member member = {0};
        struct address address;

        if (!equals || (size_t)(equals - text) >= sizeof(member.name))
                return -EINVAL;
        memcpy(member.name, text, (size_t)(equals - text));
        if (!host_member_name_valid(member.name) || strchr(equals, '/') ||
                address_parse(equals + 1, 32, &address) < 0)
                return -EINVAL;
        member.address = address.ip;
        *ret = member;
        return 0;
}

bool hosts_configured(const struct settings *settings) {
        return settings->hosts.n_members > 0;
}

struct host_member hosts_member(const struct settings *settings, size_t i) {
        struct host_member member = {0};

        /* It was parsed when the setting was read. */
        (void)host_member_parse(settings->hosts.members[i], &member);
        return member;
}

int hosts_find(const struct settings *settings, const char *name, struct host_member *ret) {
        for (size_t i = 0; i < settings->hosts.n_members; i++) {
                struct host_member member = hosts_member(settings, i);

                if (string_equal(member.name, name)) {
                        *ret = member;
                        return 0;
                }
        }
        return -ENOENT;
}

int hosts_own(const struct settings *settings, struct host_member *ret, char *reason, size_t size) {
        char name[HOST_NAME_SIZE] = "";

        if (settings->hosts.host_name[0])
                (void)string_copy(name, sizeof(name), settings->hosts.host_name);
        else if (gethostname(name, sizeof(name) - 1) >= 0)
                name[strcspn(name, ".")] = '\0';

        if (hosts_find(settings, name, ret) >= 0)
                return 0;
        (void)snprintf(reason, size,
                "this server, %s, is not among the members of [hosts]: add %s=ADDRESS to members, or set "
                "host-name to the name that it has there",
                name, name);
        return -ENOENT;
}

uint32_t settings_course_vni(const struct settings *settings, const char *course) {
        const struct course_settings *own = settings_find_course(settings, course);

        if (!settings_for_course(settings, course)->spread)
                return 0;
        if (own && own->vni > 0)
                return own->vni;
        return settings->hosts.vni_base + (uint32_t)strtoul(course, NULL, 10);
}

void hosts_handover(
        const struct settings *settings, const char *user, const char *member, char *ret, size_t size) {
        size_t n = 0;

        for (const char *next = settings->hosts.handover; *next; next++) {
                char single[] = {*next, '\0'};
                const char *text = single;

                if (*next == '%') {
                        next++;
                        text = *next == 'u' ? user : *next == 'h' ? member : "%";
                }
                if (strlen(text) >= size - n) {
                        n = 0;
                        break;
                }
                n += (size_t)snprintf(ret + n, size - n, "%s", text);
        }
        ret[n] = '\0';
}
