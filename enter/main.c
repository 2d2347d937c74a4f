/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* coursenet-enter: see enter.c. */

#include "enter.h"

int main(int argc, char **argv) {
        return enter(argc, argv);
}
