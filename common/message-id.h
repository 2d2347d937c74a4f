/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The ids of messages that an administrator may want explained: the field MESSAGE_ID of a journal entry. Each
 * has an entry in conf/coursenet.catalog, which `journalctl -x` shows, and in coursenet-activator(8).
 */

/* coursenetctl changed something for an administrator. */
#define MESSAGE_ADMINISTRATOR "50bbfa322fd34d98b9ee7cd0503d1541"
/* A file of the configuration has a mistake. */
#define MESSAGE_CONFIGURATION "1150243daa364ecb9e29e65afeb8044f"
/* coursenet-worker cannot be asked. */
#define MESSAGE_NO_WORKER "0ef7cae769f6400cb89d575a740a681a"
/* A login is refused because there are too many. */
#define MESSAGE_TOO_MANY_LOGINS "c968bee17602413bb11c98746cbe9d12"
/* A seat stays up although nobody uses it. */
#define MESSAGE_SEAT_NEEDED "997088a2733c477c961784ad3cec47c3"
/* The units of a seat do not stop. */
#define MESSAGE_SEAT_STAYS "5c0bc50c0d054c7c9626550488b69df1"
/* A user got a seat, or gave it back: the fields of the entry say which. */
#define MESSAGE_LEASE "4fdbb21c6e9548b789264bb9b90e6312"
/* A login, or coursenet-enter, is refused; the message has the reason. */
#define MESSAGE_REFUSED "ebaf3ceabd7345c98a02e776e4761f46"
/* The units of a seat failed when the login had begun. */
#define MESSAGE_SEAT_FAILED "29ac711322a9410bb7ac8496ad0252d6"
/* Somebody captures the packets of a seat. */
#define MESSAGE_CAPTURE "fb7bedaa9a954196b025c22336adcefa"
/* Somebody of the staff enters the network of a seat. */
#define MESSAGE_VISIT "5d9743ac6d3641be9441059ee1ac21fb"
/* An exam that the settings name has begun, or is over. */
#define MESSAGE_EXAM_SCHEDULED "c14968b17ee04e1ba11500e95f960663"
/* An exam has ended by itself. */
#define MESSAGE_EXAM_END "ce3e1cbe88b346d6ae50bd7cb45d43c3"
/* Seats of spread courses are off the network, or back, see netsetup/claims/claims.h. */
#define MESSAGE_FENCED_OFF "3b5d6993843e42e18b94629851545437"
