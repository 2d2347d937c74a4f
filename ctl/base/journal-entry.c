/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <stdio.h>
#include <string.h>

#include "journal-entry.h"
#include "message-id.h"

int journal_match_activator(sd_journal *journal) {
        int r = sd_journal_add_match(journal, "_UID=0", 0);

        return r < 0 ? r : sd_journal_add_match(journal, "_SYSTEMD_UNIT=coursenet-activator.service", 0);
}

int journal_match_refusals(sd_journal *journal) {
        int r = sd_journal_add_match(journal, "_UID=0", 0);

        if (r >= 0)
                r = sd_journal_add_match(journal, "_TRANSPORT=journal", 0);
        return r < 0 ? r : sd_journal_add_match(journal, "MESSAGE_ID=" MESSAGE_REFUSED, 0);
}

void journal_read_field(sd_journal *journal, const char *field, char *ret_text, size_t size) {
        size_t length, head = strlen(field) + 1;
        const void *data;

        ret_text[0] = '\0';
        if (sd_journal_get_data(journal, field, &data, &length) >= 0 && length >= head)
                (void)snprintf(ret_text, size, "%.*s", (int)(length - head), (const char *)data + head);
}
