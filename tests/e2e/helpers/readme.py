"""Reads commands and sections of README.md."""

import os
import re

from harness.case import expect


def readme():
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "..", "README.md")
    with open(path, encoding="utf-8") as file:
        return file.read()


def section(title):
    return re.search(rf"^## {title}\n(.*?)(?=^## |\Z)", readme(), re.MULTILINE | re.DOTALL)[1]


def command_lines(title):
    """The lines of the section's block of commands, those with a backslash joined."""
    lines = re.findall(r"^    (.+)\n", section(title).replace("\\\n", ""), re.MULTILINE)
    expect(lines, f"no command in the section '{title}' of README.md")
    return lines
