/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The section [hosts] of coursenet.conf: the servers, called members, that share the courses with spread =
 * yes. The values are texts in struct hosts_settings; these functions read them. Addresses are those of the
 * underlay, the network between the members, and are IPv4.
 */

#include "settings.h"

/* "NAME=ADDRESS" of members =, taken apart. */
struct host_member {
        char name[HOST_MEMBER_NAME_SIZE];
        uint32_t address; /* host byte order */
};

/* -EINVAL if the text is no "NAME=ADDRESS". */
int host_member_parse(const char *text, struct host_member *ret);

/* Whether this server shares courses with others at all. */
bool hosts_configured(const struct settings *settings);

/* The i-th member. i: below settings->hosts.n_members. */
struct host_member hosts_member(const struct settings *settings, size_t i);

/* -ENOENT if there is no member of that name. */
int hosts_find(const struct settings *settings, const char *name, struct host_member *ret);

/*
 * The member that this server is: host-name, else the machine's name up to its first dot. -ENOENT, and a
 * sentence in reason that says what to do, if it is no member.
 */
int hosts_own(const struct settings *settings, struct host_member *ret, char *reason, size_t size);

/*
 * The VXLAN network identifier of a course, RFC 7348: its own vni, else vni-base plus its number. 0: the
 * course is not spread. The sum is in range: settings_check() ensures that.
 */
uint32_t settings_course_vni(const struct settings *settings, const char *course);

/*
 * The hint of handover for a user who is live on another member: %u is the user, %h the member, %% a percent
 * sign. Empty if there is none, or if it does not fit.
 */
void hosts_handover(
        const struct settings *settings, const char *user, const char *member, char *ret, size_t size);
