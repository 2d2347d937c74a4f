"""Programs of this machine that read what `coursenetctl` prints for others: promtool and Graphviz."""

import html
import os
import subprocess

# tests/install-packages puts promtool there; its package would start a server.
CACHE = os.environ.get("COURSENET_CACHE", "/var/cache/coursenet")


def fed(command, text):
    """Standard output of a command that must accept the text."""
    done = subprocess.run(command, input=text, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, check=False,
                          env={**os.environ, "PATH": f"{os.environ['PATH']}:{CACHE}/bin"})
    if done.returncode != 0 or done.stderr:
        raise AssertionError(f"{' '.join(command)} ended with status {done.returncode}: {done.stdout}{done.stderr}\n{text}")
    return done.stdout


def samples(text):
    """The metrics that promtool accepts: {'name{label="value"}': number}."""
    fed(["promtool", "check", "metrics"], text)
    return {line.rsplit(" ", 1)[0]: float(line.rsplit(" ", 1)[1]) for line in text.splitlines() if not line.startswith("#")}


def svg(text):
    """The picture that dot makes; it writes a dash as a character reference."""
    return html.unescape(fed(["dot", "-Tsvg"], text))
