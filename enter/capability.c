/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Uses capget(2) and capset(2) directly, because two calls need no library. */

#include <linux/capability.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/xattr.h>

#include "capability.h"

#define SELF "/proc/self/exe"

/* The three sets; CAP_SYS_ADMIN is in the first word of each. */
struct sets {
        struct __user_cap_data_struct words[_LINUX_CAPABILITY_U32S_3];
};

static const struct sets empty;

static int sets_get(struct sets *ret) {
        struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};

        return syscall(SYS_capget, &header, ret->words) < 0 ? -errno : 0;
}

static int sets_set(const struct sets *sets) {
        struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};

        return syscall(SYS_capset, &header, sets->words) < 0 ? -errno : 0;
}

int capability_raise(void) {
        struct sets sets;
        int r;

        r = sets_get(&sets);
        if (r < 0)
                return r;
        for (size_t i = 0; i < ELEMENTSOF(sets.words); i++)
                sets.words[i].effective = 0;
        sets.words[0].effective = CAP_TO_MASK(CAP_SYS_ADMIN);
        return sets_set(&sets);
}

static bool ambient_is_empty(void) {
        for (unsigned long capability = 0; capability <= CAP_LAST_CAP; capability++)
                if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_IS_SET, capability, 0, 0) > 0)
                        return false;
        return true;
}

int capability_drop_all(void) {
        struct sets sets;
        int r;

        if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) < 0)
                return -errno;
        r = sets_set(&empty);
        if (r >= 0)
                r = sets_get(&sets);
        if (r < 0)
                return r;
        return memcmp(&sets, &empty, sizeof(sets)) == 0 && ambient_is_empty() ? 0 : -EPERM;
}

/* --- why it is missing ----------------------------------------------------------------------- */

/* The number in a line of /proc/self/status; 0 if it cannot be read. */
static long read_status(const char *name) {
        _cleanup_fclose_ FILE *file = fopen("/proc/self/status", "re");
        char line[256];

        while (file && fgets(line, sizeof(line), file))
                if (string_starts_with(line, name))
                        return strtol(line + strlen(name), NULL, 10);
        return 0;
}

/* The host's user namespace maps every uid to itself; a new one maps none. */
bool capability_in_user_namespace(void) {
        _cleanup_fclose_ FILE *file = fopen("/proc/self/uid_map", "re");
        unsigned long inside, outside, count;

        return file && (fscanf(file, "%lu %lu %lu", &inside, &outside, &count) != 3 || inside != 0 ||
                               outside != 0 || count < UINT32_MAX);
}

void capability_look(struct capability_facts *ret) {
        struct statvfs file_system;

        *ret = (struct capability_facts){
                .no_new_privileges = prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1,
                .bounded = prctl(PR_CAPBSET_READ, CAP_SYS_ADMIN, 0, 0, 0) == 0,
                .traced = read_status("TracerPid:") != 0,
                .user_namespace = capability_in_user_namespace(),
                .nosuid = statvfs(SELF, &file_system) == 0 && (file_system.f_flag & ST_NOSUID),
                .file_has_none = getxattr(SELF, "security.capability", NULL, 0) < 0,
        };
}

const char *capability_explain(const struct capability_facts *facts) {
        if (facts->no_new_privileges)
                return "the program that started this process has forbidden it to gain privileges "
                       "(NoNewPrivileges=yes in a unit, a sandbox, a container)";
        if (facts->user_namespace)
                return "this process is in a user namespace, such as a container's";
        if (facts->bounded)
                return "the capability bounding set of this process lacks CAP_SYS_ADMIN "
                       "(CapabilityBoundingSet= in a unit, a sandbox, a container)";
        if (facts->traced)
                return "a program that is traced gains no privileges";
        if (facts->file_has_none)
                return "coursenet-enter was installed without its capability; root sets it by: setcap "
                       "cap_sys_admin=p \"$(command -v coursenet-enter)\"";
        if (facts->nosuid)
                return "the file system that coursenet-enter is on is mounted nosuid";
        return "the kernel did not give coursenet-enter the capability CAP_SYS_ADMIN";
}
