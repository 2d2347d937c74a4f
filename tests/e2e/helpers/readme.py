"""Reads commands and sections of README.md, and of docs/."""

import os
import re

from harness.case import expect


def read(name):
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "..", name)
    with open(path, encoding="utf-8") as file:
        return file.read()


def section(title, name="README.md"):
    return re.search(rf"^## {title}\n(.*?)(?=^## |\Z)", read(name), re.MULTILINE | re.DOTALL)[1]


def command_lines(title):
    """The lines of the section's block of commands, those with a backslash joined."""
    lines = re.findall(r"^    (.+)\n", section(title).replace("\\\n", ""), re.MULTILINE)
    expect(lines, f"no command in the section '{title}' of README.md")
    return lines


def without_comment(line):
    return line.split("  #")[0].rstrip()


def transcript(title, name):
    """Pairs of a command and the lines that it prints, from a block in which each command has "# " before it."""
    found = []
    for line in re.findall(r"^    (.+)\n", section(title, name), re.MULTILINE):
        if line.startswith("# "):
            found.append((line[2:], []))
        else:
            found[-1][1].append(line)
    expect(found, f"no command in the section '{title}' of {name}")
    return found
