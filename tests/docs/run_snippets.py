#!/usr/bin/env python3
"""Runs the snippets of a Markdown document, so that what it shows is what happens.

All snippets of a document share one empty folder and run from top to bottom. In it stands a copy of the
repository's examples/. The fenced blocks, by language:

  console   Lines `$ command` are run by bash; the lines behind one are what it prints (stdout and stderr).
            A line `...` stands for any lines, `<any>` within a line for any text. A command goes on over lines that
            end in a backslash, and over lines `> …` directly behind it. `# exit 3` at the end of a command, or a
            line `[exit 3]` at the end of its output, states its exit status; otherwise it is 0.
  sql toml json jsonl cmake
            The first line names a file, as a comment: `-- file: PATH`, `# file: PATH` or `// file: PATH`. The block
            is written there. (JSON has no comments: there the line itself is left out.)
  cpp       The first line is `// file: NAME.cpp`. It is compiled against the installed library into ./NAME, and run
            where it stands unless a command of the document names it. In a document that writes its own
            CMakeLists.txt, that builds it instead.
  text      Is not looked at. Every other language, and none at all, is an error: nothing goes untested by accident.

Links to files must lead somewhere.
"""

import argparse
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field

FILE_LANGUAGES = {"sql": "--", "toml": "#", "cmake": "#", "cpp": "//", "json": None, "jsonl": None}
FILE_MARK = re.compile(r"^(--|#|//) file: (\S+)$")
FENCE = re.compile(r"^(\s*)```\s*(\S*)\s*$")
EXIT_COMMENT = re.compile(r"\s+# exit (\d+)$")
EXIT_LINE = re.compile(r"^\[exit (\d+)\]$")
LINK = re.compile(r"\]\((?!https?:)([^)#]+)")
COMMAND_SECONDS = 300


class Failure(Exception):
    """What is wrong, at a line of the document."""

    def __init__(self, line, message):
        super().__init__(message)
        self.line = line


class CompileError(Exception):
    """What the compiler said."""


@dataclass
class Block:
    line: int  # of the opening fence
    language: str
    lines: list


@dataclass
class Command:
    line: int
    text: str
    status: int = 0
    expected: list = field(default_factory=list)


def blocks_of(text):
    """The fenced blocks of a document, in order."""
    blocks, current, indent = [], None, 0
    for number, line in enumerate(text.splitlines(), start=1):
        fence = FENCE.match(line)
        if current is None and fence:
            current, indent = Block(number, fence[2], []), len(fence[1])
        elif current is None and line.lstrip().startswith("```"):
            raise Failure(number, "a fence with more than the name of a language behind it")
        elif current is not None and line.strip() == "```":
            blocks.append(current)
            current = None
        elif current is not None:
            current.lines.append(line[indent:] if line[:indent].isspace() else line)
    if current is not None:
        raise Failure(current.line, "the fence that opens here is never closed")
    return blocks


def commands_of(block):
    """The commands of a console block, each with what it should print and its exit status."""
    commands, unfinished, take_more = [], False, False
    for number, line in enumerate(block.lines, start=block.line + 1):
        if unfinished:
            commands[-1].text += "\n" + line
        elif line.startswith("$ "):
            commands.append(Command(number, line[2:]))
            take_more = True
        elif take_more and line.startswith("> "):
            commands[-1].text += "\n" + line[2:]
        elif not commands:
            raise Failure(number, f"expected a line `$ command`, found: {line}")
        else:
            commands[-1].expected.append(line.rstrip())
            take_more = False
        unfinished = take_more and line.endswith("\\")
    for command in commands:
        stated = EXIT_COMMENT.search(command.text)
        if stated:
            command.status = int(stated[1])
            command.text = command.text[: stated.start()]
        last = EXIT_LINE.match(command.expected[-1]) if command.expected else None
        if last:
            command.status = int(last[1])
            command.expected.pop()
        while command.expected and not command.expected[-1]:
            command.expected.pop()
    return commands


def matches(expected, found):
    """Whether the lines found are the lines expected, `...` and `<any>` being wildcards."""
    pattern = ""
    for line in expected:
        if line == "...":
            pattern += r"(?:.*\n)*?"
        else:
            pattern += ".*".join(re.escape(part) for part in line.split("<any>")) + r"\n"
    return re.fullmatch(pattern, "".join(line + "\n" for line in found)) is not None


def file_of(block):
    """The path that a block is to be written to, and its text."""
    mark = FILE_MARK.match(block.lines[0]) if block.lines else None
    if not mark:
        raise Failure(block.line, f"a {block.language} block whose first line does not say `file: PATH`; "
                                  "for one that is not to be run, say ```text")
    comment = FILE_LANGUAGES[block.language]
    if comment and mark[1] != comment:
        raise Failure(block.line + 1, f"expected `{comment} file: …`, found: {block.lines[0]}")
    path = pathlib.PurePosixPath(mark[2])
    if path.is_absolute() or ".." in path.parts:
        raise Failure(block.line + 1, f"expected a path within the folder, found: {path}")
    lines = block.lines if comment else block.lines[1:]
    return path, "".join(line + "\n" for line in lines)


def check_links(text, folder):
    """Every relative link leads to something that is there; code may hold what only looks like one."""
    in_code = False
    for number, line in enumerate(text.splitlines(), start=1):
        if line.lstrip().startswith("```"):
            in_code = not in_code
        for target in LINK.findall(line):
            if not in_code and not (folder / target).exists():
                raise Failure(number, f"a link to {target}, which is not there")


class Folder:
    """The folder that a document's snippets share, and what a shell would remember from command to command."""

    def __init__(self, root, bin_folder, prefix):
        self.root, self.cwd, self.prefix = root, root, prefix
        self.environment = {
            "PATH": os.pathsep.join([str(bin_folder), os.environ.get("PATH", "/usr/bin:/bin")]),
            "HOME": str(root), "TZ": "UTC", "LC_ALL": "C.UTF-8", "NO_COLOR": "1",
            "CMAKE_PREFIX_PATH": str(prefix), "CMAKE_GENERATOR": "Ninja",
        }
        for name in ("CXX", "CMAKE_CXX_COMPILER_LAUNCHER", "CCACHE_DIR"):
            if name in os.environ:
                self.environment[name] = os.environ[name]

    def write(self, path, text):
        target = self.cwd / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")

    def run(self, text):
        """Runs a command; returns its exit status and the lines that it printed. Remembers what a shell would: where it
        went with cd, and what it exported."""
        with tempfile.NamedTemporaryFile() as left:
            script = f'{text}\nstatus=$?\nenv -0 >"{left.name}"\nexit $status\n'
            done = subprocess.run(["bash", "-c", script], cwd=self.cwd, env=self.environment, stdin=subprocess.DEVNULL,
                                  stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=COMMAND_SECONDS)
            variables = left.read().decode().split("\0")[:-1]
            if variables:  # none where the command ended the shell itself
                self.environment = dict(variable.split("=", 1) for variable in variables)
                self.cwd = pathlib.Path(self.environment["PWD"])
        printed = done.stdout.decode("utf-8", errors="replace")
        return done.returncode, [line.rstrip() for line in printed.splitlines()]

    def compile(self, programs):
        """Builds each .cpp file into a program beside it, as a project that has found the installed library."""
        lines = ["cmake_minimum_required(VERSION 3.25)", "project(snippets LANGUAGES CXX)",
                 "find_package(stele REQUIRED)"]
        for path in programs:
            lines += [f"add_executable({path.stem} {self.root / path})",
                      f"target_link_libraries({path.stem} PRIVATE stele::stele)",
                      f"set_target_properties({path.stem} PROPERTIES RUNTIME_OUTPUT_DIRECTORY {self.root})"]
        project = pathlib.Path(tempfile.mkdtemp(prefix="programs-", dir=self.root.parent))
        (project / "CMakeLists.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
        done = subprocess.run(f"cmake -S {project} -B {project}/build && cmake --build {project}/build", shell=True,
                              env=self.environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        if done.returncode != 0:
            raise CompileError(done.stdout)


def compile_failure(output, programs):
    """The compiler's output as a Failure at the document's own line. Line n of a program is n lines below its fence."""
    first = re.search(r"(\w+\.cpp):(\d+):\d+: (?:fatal )?error", output)
    if not first:
        return Failure(min(block.line for block in programs.values()), "the programs do not build\n" + output)
    return Failure(programs[first[1]].line + int(first[2]), f"{first[1]} does not compile\n{output}")


def check_command(folder, command):
    try:
        status, found = folder.run(command.text)
    except subprocess.TimeoutExpired:
        raise Failure(command.line, f"$ {command.text}\nstill running after {COMMAND_SECONDS} s") from None
    if status == command.status and matches(command.expected, found):
        return
    report = [f"$ {command.text}"]
    if status != command.status:
        report.append(f"expected exit status {command.status}, found {status}")
    report += ["expected:"] + ["  | " + line for line in command.expected]
    report += ["found:"] + ["  | " + line for line in found]
    raise Failure(command.line, "\n".join(report))


def run_document(text, folder):
    """Runs every snippet of the document in the folder. Returns how many commands, files and programs there were.
    Throws Failure at the first thing that is not as the document says."""
    blocks = blocks_of(text)
    for block in blocks:
        if block.language not in ("console", "text") and block.language not in FILE_LANGUAGES:
            raise Failure(block.line, f"expected one of console, text, {', '.join(FILE_LANGUAGES)} as the language, "
                                      f"found: {block.language or 'none'}")
    files = {id(block): file_of(block) for block in blocks if block.language in FILE_LANGUAGES}
    commands = {id(block): commands_of(block) for block in blocks if block.language == "console"}
    named_in_commands = "\n".join(command.text for group in commands.values() for command in group)

    programs = [block for block in blocks if block.language == "cpp"]
    own_build = [content for path, content in files.values() if path.name == "CMakeLists.txt"]
    for block in programs:
        path = files[id(block)][0]
        if own_build and not any(path.name in content for content in own_build):
            raise Failure(block.line, f"the document's CMakeLists.txt does not name {path}, so nothing builds it")
        if not own_build and (path.suffix != ".cpp" or len(path.parts) > 1):
            raise Failure(block.line, f"expected a plain file name that ends in .cpp, found: {path}")
    if programs and not own_build:
        for block in programs:
            folder.write(*files[id(block)])
        try:
            folder.compile([files[id(block)][0] for block in programs])
        except CompileError as error:
            raise compile_failure(str(error), {files[id(block)][0].name: block for block in programs}) from None

    count = 0
    for block in blocks:
        if block.language == "console":
            for command in commands[id(block)]:
                check_command(folder, command)
                count += 1
        elif id(block) in files:
            path, content = files[id(block)]
            folder.write(path, content)
            count += 1
            if block.language == "cpp" and not own_build and f"./{path.stem}" not in named_in_commands:
                status, found = folder.run(f"./{path.stem}")
                if status != 0:
                    raise Failure(block.line, f"{path}: exit status {status}\n" + "\n".join(found))
    return count


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("document", type=pathlib.Path)
    parser.add_argument("--bin", required=True, type=pathlib.Path, help="folder of the stele command")
    parser.add_argument("--prefix", required=True, type=pathlib.Path, help="where the library is installed")
    parser.add_argument("--examples", type=pathlib.Path, help="folder that is copied to examples/")
    arguments = parser.parse_args()

    with tempfile.TemporaryDirectory(prefix="stele-docs-") as temporary:
        root = pathlib.Path(temporary).resolve() / "folder"
        root.mkdir()
        if arguments.examples and arguments.examples.is_dir():
            shutil.copytree(arguments.examples, root / "examples", ignore=shutil.ignore_patterns("*.stele"))
        folder = Folder(root, arguments.bin.resolve(), arguments.prefix.resolve())
        try:
            text = arguments.document.read_text(encoding="utf-8")
            check_links(text, arguments.document.parent)
            count = run_document(text, folder)
        except Failure as failure:
            print(f"{arguments.document}:{failure.line}: {failure}", file=sys.stderr)
            return 1
    print(f"{arguments.document}: {count} snippets are as they say")
    return 0


if __name__ == "__main__":
    sys.exit(main())
