#!/usr/bin/env python3
"""The snippet runner finds what it is there to find: each test is a small document that is wrong in one way."""

import pathlib
import tempfile
import unittest

import run_snippets
from run_snippets import Failure, Folder


def document(*lines):
    return "\n".join(lines) + "\n"


class Documents(unittest.TestCase):
    def setUp(self):
        temporary = tempfile.TemporaryDirectory()
        self.addCleanup(temporary.cleanup)
        self.root = pathlib.Path(temporary.name).resolve()
        self.folder = Folder(self.root, self.root / "bin", self.root / "prefix")

    def run_lines(self, *lines):
        return run_snippets.run_document(document(*lines), self.folder)

    def failure_of(self, *lines):
        with self.assertRaises(Failure) as caught:
            self.run_lines(*lines)
        return caught.exception

    def test_what_a_command_exports_is_there_for_the_next(self):
        self.run_lines("```console", "$ export COLOUR='dark red'", "$ echo $COLOUR", "dark red", "```")

    def test_commands_share_a_folder_and_remember_where_they_went(self):
        self.assertEqual(self.run_lines(
            "```console", "$ mkdir inner && cd inner", "$ basename $PWD", "inner", "```",
            "```console", "$ echo here > file", "$ cat ../inner/file", "here", "```"), 4)

    def test_other_output_fails_at_the_line_of_its_command(self):
        failure = self.failure_of("Title", "", "```console", "$ echo one", "one", "$ echo two", "three", "```")
        self.assertEqual(failure.line, 6)
        self.assertIn("expected:\n  | three\nfound:\n  | two", str(failure))

    def test_missing_and_additional_output_fail(self):
        self.failure_of("```console", "$ echo one", "```")
        self.failure_of("```console", "$ true", "one", "```")

    def test_what_goes_to_stderr_is_compared_too(self):
        self.run_lines("```console", "$ echo one >&2", "one", "```")

    def test_an_exit_status_other_than_the_stated_one_fails(self):
        self.run_lines("```console", "$ (exit 3)  # exit 3", "$ (exit 4)", "[exit 4]", "```")
        self.failure_of("```console", "$ (exit 3)", "```")
        self.failure_of("```console", "$ true  # exit 3", "```")

    def test_dots_stand_for_any_lines_and_any_for_any_text(self):
        self.run_lines("```console", "$ seq 9", "1", "...", "8", "9", "$ echo id 4711 given", "id <any> given", "```")
        self.failure_of("```console", "$ seq 9", "...", "8", "```")
        self.failure_of("```console", "$ echo id 4711 taken", "id <any> given", "```")

    def test_a_command_may_go_on_over_several_lines(self):
        self.run_lines("```console", "$ echo one \\", "    two", "one two",
                       "$ cat <<END", "> three", "> END", "three", "```")

    def test_a_file_is_written_where_its_first_line_says(self):
        self.run_lines("```sql", "-- file: a/b.sql", "SELECT 1;", "```",
                       "```json", "// file: c.json", "{}", "```",
                       "```console", "$ tail -n 1 a/b.sql", "SELECT 1;", "$ cat c.json", "{}", "```")

    def test_a_block_that_would_go_untested_is_an_error(self):
        self.assertEqual(self.failure_of("```sql", "SELECT 1;", "```").line, 1)
        self.assertEqual(self.failure_of("", "```", "text", "```").line, 2)
        self.assertEqual(self.failure_of("```bash", "true", "```").line, 1)
        self.assertEqual(self.failure_of("", "", "```text", "never closed").line, 3)
        self.assertEqual(self.run_lines("```text", "$ false", "```"), 0)

    def test_a_file_stays_within_the_folder(self):
        self.failure_of("```sql", "-- file: ../a.sql", "```")
        self.failure_of("```sql", "-- file: /tmp/a.sql", "```")

    def test_a_link_that_leads_nowhere_is_an_error(self):
        (self.root / "there.md").touch()
        run_snippets.check_links("[there](there.md#part) [far](https://example.org/x)", self.root)
        with self.assertRaises(Failure) as caught:
            run_snippets.check_links("line\nsee [gone](gone.md)", self.root)
        self.assertEqual(caught.exception.line, 2)

    def test_a_compiler_error_is_reported_at_the_line_of_the_document(self):
        failure = run_snippets.compile_failure(
            "/tmp/folder/audit.cpp:3:5: error: expected ';'", {"audit.cpp": run_snippets.Block(40, "cpp", [])})
        self.assertEqual(failure.line, 43)

    def test_a_program_that_the_documents_own_build_leaves_out_is_an_error(self):
        failure = self.failure_of("```cmake", "# file: CMakeLists.txt", "```", "```cpp", "// file: main.cpp", "```")
        self.assertEqual(failure.line, 4)


if __name__ == "__main__":
    unittest.main()
