/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * A plugin of libsubid: a directory of subordinate ids for tests. /run/directory is a file in the format of
 * subuid(5); while there is none, the directory is down. A process with SLOW_DIRECTORY in its environment
 * gets its first answer slowly: /run/asked is a FIFO that tells the test of the question, and /run/answer is
 * one that the answer waits for.
 */

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

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

static void wait_for_test(void) {
        if (!getenv("SLOW_DIRECTORY") || unsetenv("SLOW_DIRECTORY") < 0)
                return;
        (void)close(open("/run/asked", O_WRONLY | O_CLOEXEC));
        (void)close(open("/run/answer", O_RDONLY | O_CLOEXEC));
}

enum subid_status shadow_subid_list_owner_ranges(
        const char *owner, enum subid_type type, struct subid_range **ret, int *ret_n) {
        char line[256], *rest, *name, *start, *count;
        FILE *file;

        wait_for_test();
        file = fopen("/run/directory", "re");

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
