/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What the activator, the fence and coursenetctl have to agree on about the accounts of course users. */

/* System accounts, with a uid below this, are never ours: conf/pam-configs/coursenet passes them by, too. */
#define SYSTEM_UID_END 1000U

/* The activator notes each course user who logs in here, as a file that has the uid for its name; see
 * fence-note.h. */
#define COURSE_LOGIN_DIRECTORY "/run/coursenet/fence"
