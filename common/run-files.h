/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Files and folders below /run/coursenet that one program writes and another one reads. */

#define RUN_DIRECTORY "/run/coursenet"

/*
 * The activator notes each course user who logs in, as a file that has the uid for its name (fence-note.h).
 * The fence reads them.
 */
#define COURSE_LOGIN_DIRECTORY RUN_DIRECTORY "/fence"

/*
 * Subordinate uids of course users that come from a directory, in the format of subuid(5). The fence writes
 * it, see subuid-directory.h; the activator reads it, see subuid-group.h.
 */
#define DIRECTORY_SUBUID_FILE RUN_DIRECTORY "/fence.subuid"

/* The activator's records of leases (record-store.h), which `coursenetctl teardown` reads when it is gone. */
#define LEASE_RECORD_DIRECTORY RUN_DIRECTORY "/state"

/*
 * Receipts of coursenet-worker, 0700: a file for each thing that it has made and that no unit has adopted
 * yet, named after the unit: "netbr@123", "netns@12310", "nsbr@12310". The activator discards those of seats
 * that have no lease.
 */
#define PREPARED_DIRECTORY RUN_DIRECTORY "/prepared"

/*
 * How many containers may be starting at once: a class that logs in together would start dozens, and some of
 * those fail (apptainer#3607). A slot in use is a file in SLOT_DIRECTORY, which belongs to root, named after
 * the instance of cont@ that has it. `coursenet-container queue` makes it, as root. The activator removes it
 * when the unit's job has ended. A slot that is older than SLOT_SECONDS is free, even if the start has not
 * ended: a student can stop their own start (SIGSTOP), and the activator may not be running.
 */
#define SLOT_DIRECTORY RUN_DIRECTORY "/slots"
#define SLOTS 8U

/* Ten times what a start takes where the image is read for the first time. */
#define SLOT_SECONDS 15

/*
 * For each course in an exam, the addresses of the names that the exam allows, as in hosts(5). The exams'
 * name service answers from these files, and the firewall lets the addresses pass.
 */
#define EXAM_HOSTS_DIRECTORY RUN_DIRECTORY "/dns/exam"

/*
 * What coursenet-hosts says to the programs that make and watch seats of spread courses. The folders are
 * root's, 0700.
 *
 * HOSTS_CLAIM_DIRECTORY has a file for each claim of this member, named after the seat; its content is the
 * user. HOSTS_DEADLINE_FILE has a decimal number, CLOCK_BOOTTIME in microseconds: until then the claims are
 * good, and afterwards another member may have them. Both are replaced as a whole. HOSTS_DRAINED_FILE is
 * there if this member gets no new seats; its content is the names of those that do, with blanks between.
 * HOSTS_STORE_LEASE_FILE has etcd's lease, which the next coursenet-hosts goes on with.
 */
#define HOSTS_DIRECTORY RUN_DIRECTORY "/hosts"
#define HOSTS_CLAIM_DIRECTORY HOSTS_DIRECTORY "/claims"
#define HOSTS_DEADLINE_FILE HOSTS_DIRECTORY "/deadline"
#define HOSTS_DRAINED_FILE HOSTS_DIRECTORY "/drained"
#define HOSTS_STORE_LEASE_FILE HOSTS_DIRECTORY "/store-lease"
