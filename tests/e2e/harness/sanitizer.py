"""The product built with sanitizers: how it is built in a guest, and where its reports are.

Each program writes its reports into one folder of the guest, because its output may be a pipe that nobody reads. The
options are compiled in: systemd, sshd and sudo do not pass an environment on, and a program with a capability has
none that it trusts.

The module is loaded by programs of Debian's, which were not built for AddressSanitizer. So it has only the checks whose
runtime library can be loaded late.
"""

import os

from harness import instrumented

FOLDER = "/var/log/sanitizer"
NEEDS_FIRST_PLACE = {"address", "leak", "thread", "memory"}
SOURCE = "/usr/src/coursenet"
OPTIONS_OBJECT = "build/sanitizer-options.o"

OPTIONS_SOURCE = f"""\
#define VISIBLE __attribute__((visibility("default"), used))
#define COMMON "log_path={FOLDER}/report:print_stacktrace=1:"
VISIBLE const char *__asan_default_options(void);
VISIBLE const char *__ubsan_default_options(void);
const char *__asan_default_options(void) {{
        /* Leaks are found by the tests without a guest: to look for them, a program has to trace itself. */
        return COMMON "detect_leaks=0:quarantine_size_mb=16:strict_string_checks=1:detect_stack_use_after_return=1";
}}
const char *__ubsan_default_options(void) {{
        return COMMON;
}}

/* Beside AddressSanitizer, GCC's runtime for undefined behaviour ignores log_path and writes to standard error. It calls this
 * before, and these functions are then AddressSanitizer's. Without it the report is in the file already. */
#include <stdio.h>
VISIBLE void __ubsan_on_report(void);
void __ubsan_get_current_report_data(const char **kind, const char **message, const char **file, unsigned *line, unsigned *column,
                                     char **address);
void __sanitizer_report_error_summary(const char *text) __attribute__((weak));
void __sanitizer_print_stack_trace(void) __attribute__((weak));
void __ubsan_on_report(void) {{
        const char *kind, *message, *file;
        char text[512], *address;
        unsigned line, column;

        if (!__sanitizer_print_stack_trace || !__sanitizer_report_error_summary)
                return;
        __ubsan_get_current_report_data(&kind, &message, &file, &line, &column, &address);
        (void)snprintf(text, sizeof(text), "runtime error: %s:%u: %s", file, line, message);
        __sanitizer_report_error_summary(text);
        __sanitizer_print_stack_trace();
}}
"""


class Sanitizer(instrumented.Product):
    """names: the compiler's sanitizers, as in "address,undefined"."""

    finds_errors = True

    def __init__(self, names):
        self._names = names

    def build(self, root, source, make, run):
        instrumented.write(f"{root}{source}/build/sanitizer-options.c", OPTIONS_SOURCE)
        run(["gcc", "-c", "-fPIC", "-o", OPTIONS_OBJECT, "build/sanitizer-options.c"])
        options = f"LDFLAGS={source}/{OPTIONS_OBJECT}"
        run([*make, f"SANITIZE={self._names}", options])
        late = ",".join(name for name in self._names.split(",") if name not in NEEDS_FIRST_PLACE)
        run([*make, "BUILD=build/module", f"SANITIZE={late}", options, "build/module/pam_coursenet.so"])
        run(["cp", "build/module/pam_coursenet.so", "build/pam_coursenet.so"])

    def compile(self, guest, source, program):
        """A program of a case's own, built in a guest as the product's are."""
        guest.run(["gcc", f"-fsanitize={self._names}", "-fno-sanitize-recover=all", source, f"{SOURCE}/{OPTIONS_OBJECT}", "-o", program])

    def prepare(self, root, source):
        os.makedirs(f"{root}{FOLDER}")
        # Programs of users write to it, too.
        os.chmod(f"{root}{FOLDER}", 0o1777)
        instrumented.allow_writing(root, source, FOLDER)

    def take_reports(self, root):
        text = ""
        for name in sorted(os.listdir(f"{root}{FOLDER}")) if os.path.isdir(f"{root}{FOLDER}") else ():
            path = f"{root}{FOLDER}/{name}"
            with open(path, encoding="utf-8", errors="replace") as file:
                text += f"{name}:\n{file.read()}\n"
            os.unlink(path)
        return text
