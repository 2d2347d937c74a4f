/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Computes the network of a host from its machine id. */

#include <sha2.h>

#include "machine-prefix.h"

#define MACHINE_ID_LENGTH 32U

/* A text of our own, so that other programs' hashes of the machine id differ. */
#define SALT "coursenet network6\n"

/* Copies the id in lower case, as machine-id(5) writes it. */
static int parse_machine_id(const char *text, char ret_id[static MACHINE_ID_LENGTH + 1]) {
        static const char hex[] = "0123456789abcdefABCDEF";
        size_t length = strspn(text, hex);

        if (length != MACHINE_ID_LENGTH || (text[length] != '\0' && text[length] != '\n') ||
                strspn(text, "0") == length)
                return -EINVAL;

        for (size_t i = 0; i < length; i++)
                ret_id[i] = text[i] >= 'A' && text[i] <= 'F' ? (char)(text[i] - 'A' + 'a') : text[i];
        ret_id[length] = '\0';
        return 0;
}

int machine_prefix(const char *text, struct address6 *ret) {
        uint8_t digest[SHA256_DIGEST_LENGTH];
        char id[MACHINE_ID_LENGTH + 1];
        struct address6 network = {.bytes = {0xfd}, .prefix = 48};
        SHA2_CTX context;

        if (parse_machine_id(text, id) < 0)
                return -EINVAL;

        SHA256Init(&context);
        SHA256Update(&context, (const uint8_t *)SALT, strlen(SALT));
        SHA256Update(&context, (const uint8_t *)id, MACHINE_ID_LENGTH);
        SHA256Final(digest, &context);

        memcpy(network.bytes + 1, digest, 5);
        *ret = network;
        return 0;
}

int machine_prefix_read(const char *path, struct address6 *ret, struct file_identity *ret_file) {
        _cleanup_fclose_ FILE *file = fopen(path, "re");
        char text[MACHINE_ID_LENGTH + 2];
        struct file_identity identity;
        int r;

        if (!file)
                return -errno;
        r = file_identity_take(fileno(file), &identity);
        if (r < 0)
                return r;
        if (!fgets(text, sizeof(text), file))
                return ferror(file) ? -errno : -ENODATA;
        r = machine_prefix(text, ret);
        if (r >= 0)
                *ret_file = identity;
        return r;
}
