/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Reads the counters below /sys/class/net. */

#include <inttypes.h>

#include "traffic.h"

static int read_counter(const char *net, const char *link, const char *name, uint64_t *ret) {
        _cleanup_fclose_ FILE *file = NULL;
        char path[256];

        (void)snprintf(path, sizeof(path), "%s/%s/statistics/%s", net, link, name);
        file = fopen(path, "re");
        if (!file)
                return -errno;
        return fscanf(file, "%" SCNu64, ret) == 1 ? 0 : -EIO;
}

int traffic_read(const char *net, const char *link, struct traffic *ret) {
        struct traffic traffic;
        const struct {
                const char *name;
                uint64_t *value;
        } counters[] = {
                {"tx_bytes", &traffic.receive_bytes},
                {"tx_packets", &traffic.receive_packets},
                {"rx_bytes", &traffic.transmit_bytes},
                {"rx_packets", &traffic.transmit_packets},
        };

        for (size_t i = 0; i < ELEMENTSOF(counters); i++) {
                int r = read_counter(net, link, counters[i].name, counters[i].value);

                if (r < 0)
                        return r;
        }
        *ret = traffic;
        return 0;
}
