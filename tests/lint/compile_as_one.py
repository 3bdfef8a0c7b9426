#!/usr/bin/env python3
"""The files of a library compile as one file, as the release preset has them, some at a time (STELE_UNITY_BUILD). What
compiles all at once compiles in batches of any size.

usage: compile_as_one.py BUILD_FOLDER TARGET [FILE...]   FILE: included behind those of the target
exit status: 0 they do · 1 they do not · 2 command line, or BUILD_FOLDER says nothing of such a target ·
3 the compiler came to no answer: it was killed, had too little memory, or could not be run
"""
import json
import os
import pathlib
import re
import shlex
import subprocess
import sys

# An error in a file. What the compiler says of itself ("fatal error: Killed", "internal compiler error") is none.
IN_A_FILE = re.compile(r"^[^\s:][^:]*:\d+:\d+: (fatal )?error: ", re.MULTILINE)


def commands_of(target, build):
    """How each file of the target is compiled, as compile_commands.json says."""
    mark = f"CMakeFiles/{target}.dir/"
    entries = json.loads((build / "compile_commands.json").read_text())
    return [entry for entry in entries if mark in entry["command"] and entry["file"].endswith(".cpp")]


def without_files(command):
    """The same compiler and options: without what is read and written."""
    words = iter(shlex.split(command))
    kept = []
    for word in words:
        if word in ("-o", "-c", "-MF", "-MT", "-include"):
            next(words)
        elif word != "-MD" and not word.endswith("ccache"):
            kept.append(word)
    return kept


def fail(status, text):
    print(text, file=sys.stderr)
    return status


def main(build, target, more):
    try:
        commands = commands_of(target, pathlib.Path(build))
    except OSError as error:
        return fail(2, f"{error.filename}: {error.strerror}")
    if not commands:
        return fail(2, f"{build}/compile_commands.json: no file of the target {target}")
    files = [entry["file"] for entry in commands] + [str(pathlib.Path(file).resolve()) for file in more]
    together = "".join(f'#include "{file}"\n' for file in files)
    # Warnings are for the build, which compiles the files one by one.
    compiler = without_files(commands[0]["command"]) + ["-w", "-fsyntax-only", "-x", "c++", "-"]
    try:
        done = subprocess.run(compiler, input=together, text=True, stderr=subprocess.PIPE, cwd=commands[0]["directory"],
                              env={**os.environ, "LC_ALL": "C"})
    except OSError as error:
        return fail(3, f"{target}: {compiler[0]}: {error.strerror}")
    sys.stderr.write(done.stderr)
    if done.returncode == 0:
        print(f"{target}: {len(files)} files compile as one")
        return 0
    if not IN_A_FILE.search(done.stderr):
        return fail(3, f"{target}: the compiler came to no answer (exit status {done.returncode}): whether its "
                       f"{len(files)} files compile as one is not known")
    return fail(1, f"{target}: its {len(files)} files do not compile as one, and the release preset compiles several\n"
                   "at a time. Rename one of two names in unnamed namespaces that are alike, or have it once, in a header\n"
                   "of the folder. A name of an enclosing namespace that one of them hides: qualify it.")


if __name__ == "__main__":
    if len(sys.argv) < 3:
        print(__doc__, file=sys.stderr)
        sys.exit(2)
    sys.exit(main(sys.argv[1], sys.argv[2], sys.argv[3:]))
