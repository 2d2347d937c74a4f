/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A container instance: the command line that starts it (pure), and what a killed one leaves behind. */

#include "diagnostics.h"
#include "settings.h"

#define INSTANCE_NAME_SIZE 64U

struct instance {
        char name[INSTANCE_NAME_SIZE]; /* inst-12310 */
        struct service_settings services;
};

/*
 * Plans the instance for a unit instance id ("12310", or the name of an administrator's own instance): the
 * settings of its course, and image, which overrides theirs unless it is NULL. -EINVAL with an error in
 * diagnostics if there is no image.
 */
int instance_plan(const char *etc, const char *id, const char *image, struct instance *ret,
        struct diagnostics *diagnostics);

/*
 * The runtime's arguments, NULL at the end; all borrow from instance, pid_file and storage. At most
 * INSTANCE_ARGUMENTS_MAX.
 */
#define INSTANCE_ARGUMENTS_MAX 256U
struct instance_storage {
        char binds[CONTAINER_TEXT_SIZE], environment[CONTAINER_TEXT_SIZE];
};
void instance_arguments(const struct instance *instance, const char *runtime, const char *pid_file,
        struct instance_storage *storage, const char *ret[static INSTANCE_ARGUMENTS_MAX]);

/*
 * Removes what an instance of that name left in the user's home directory when it was killed: otherwise the
 * next start fails with "instance already exists" (singularity#4332). Called as the user whose home it is.
 */
void instance_forget(const char *home, const char *user, const char *name);
