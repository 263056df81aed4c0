"""Reads each odbc.ini of the JSON list on stdin with the library of this machine. For each, prints its sections, and for each section
the names and values that the library returns."""

import ctypes
import json
import os
import sys
import tempfile

LARGEST = 65_536
odbcinst = ctypes.CDLL("libodbcinst.so.2")


def profile(file, section, entry):
    answer = ctypes.create_string_buffer(LARGEST)
    odbcinst.SQLGetPrivateProfileString(section, entry, b"", answer, LARGEST, os.fsencode(file))
    return answer.raw


def listed(raw):
    """Texts that each end with NUL; an empty one ends the list."""
    return raw.split(b"\0\0", 1)[0].split(b"\0") if raw[0] else []


def read(file):
    names = lambda section: listed(profile(file, section, None))
    value = lambda section, name: profile(file, section, name).split(b"\0", 1)[0].decode()
    return [
        [section.decode(), [[name.decode(), value(section, name)] for name in names(section)]]
        for section in listed(profile(file, None, None))
    ]


answers = []
with tempfile.TemporaryDirectory() as folder:
    for index, text in enumerate(json.load(sys.stdin)):
        # The library remembers what it has read from a file.
        file = os.path.join(folder, f"{index}.ini")
        with open(file, "w", newline="", encoding="utf-8") as written:
            written.write(text)
        answers.append(read(file))
print(json.dumps(answers))
