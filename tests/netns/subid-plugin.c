/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * A plugin of libsubid: a directory of subordinate ids for tests. /run/directory is a file in the format of
 * subuid(5); while there is none, the directory is down.
 */

#include <stdlib.h>
#include <string.h>

#include <shadow/subid.h>

#define EXPORT __attribute__((visibility("default")))

EXPORT enum subid_status shadow_subid_has_range(
        const char *owner, unsigned long start, unsigned long count, enum subid_type type, bool *ret);
EXPORT enum subid_status shadow_subid_list_owner_ranges(
        const char *owner, enum subid_type type, struct subid_range **ret, int *ret_n);
EXPORT enum subid_status shadow_subid_find_subid_owners(
        unsigned long id, enum subid_type type, uid_t **ret, int *ret_n);
EXPORT void shadow_subid_free(void *pointer);

enum subid_status shadow_subid_has_range(
        const char *owner, unsigned long start, unsigned long count, enum subid_type type, bool *ret) {
        (void)owner;
        (void)start;
        (void)count;
        (void)type;
        (void)ret;
        return SUBID_STATUS_ERROR;
}

enum subid_status shadow_subid_list_owner_ranges(
        const char *owner, enum subid_type type, struct subid_range **ret, int *ret_n) {
        FILE *file = fopen("/run/directory", "re");
        char line[256], *rest, *name, *start, *count;

        *ret = NULL;
        *ret_n = 0;
        if (!file)
                return SUBID_STATUS_ERROR_CONN;
        while (type == ID_TYPE_UID && fgets(line, sizeof(line), file)) {
                name = strtok_r(line, ":", &rest);
                start = strtok_r(NULL, ":", &rest);
                count = strtok_r(NULL, ":\n", &rest);
                if (!count || strcmp(name, owner) != 0)
                        continue;
                *ret = realloc(*ret, (size_t)(*ret_n + 1) * sizeof(**ret));
                if (!*ret)
                        abort();
                (*ret)[(*ret_n)++] = (struct subid_range){strtoul(start, NULL, 10), strtoul(count, NULL, 10)};
        }
        (void)fclose(file);
        return SUBID_STATUS_SUCCESS;
}

enum subid_status shadow_subid_find_subid_owners(
        unsigned long id, enum subid_type type, uid_t **ret, int *ret_n) {
        (void)id;
        (void)type;
        (void)ret;
        (void)ret_n;
        return SUBID_STATUS_ERROR;
}

void shadow_subid_free(void *pointer) {
        free(pointer);
}
