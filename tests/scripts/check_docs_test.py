#!/usr/bin/env python3
"""scripts/check-docs: which outputs match, which links are broken."""

import importlib.machinery
import importlib.util
import pathlib
import tempfile
import unittest

SCRIPT = str(pathlib.Path(__file__).resolve().parents[2] / "scripts" / "check-docs")
loader = importlib.machinery.SourceFileLoader("check_docs", SCRIPT)
check_docs = importlib.util.module_from_spec(importlib.util.spec_from_loader("check_docs", loader))
loader.exec_module(check_docs)


class Examples(unittest.TestCase):
    def test_commands_and_their_output_are_read_in_order(self):
        self.assertEqual(
            check_docs.commands_of("$ echo a\na\n$ run --long \\\n    --more\n"),
            [("echo a", ["a"]), ("run --long --more", [])],
        )

    def test_an_ellipsis_stands_for_lines_or_for_text_in_a_line(self):
        self.assertTrue(check_docs.matches(["a", "…", "z"], "a\nb\nc\nz\n"))
        self.assertTrue(check_docs.matches(["a", "…"], "a\n"))
        self.assertTrue(check_docs.matches(["took … s"], "took 0.3 s\n"))
        self.assertFalse(check_docs.matches(["took … s"], "took 0.3 s\nmore\n"))
        self.assertFalse(check_docs.matches(["a.c"], "abc\n"))
        self.assertTrue(check_docs.matches([], ""))
        self.assertFalse(check_docs.matches([], "unexpected\n"))

    def test_an_example_that_prints_something_else_or_ends_otherwise_fails(self):
        def failures(block):
            return check_docs.run_examples(check_docs.ROOT / "README.md", f"```console\n{block}```\n")

        self.assertEqual(failures("$ echo a\na\n$ false\n[exit 1]\n"), (2, []))
        count, texts = failures("$ echo a\nb\n$ false\n")
        self.assertEqual((count, len(texts)), (2, 2))
        self.assertIn("README.md:1: $ echo a", texts[0])
        self.assertIn("ends with 1, not 0", texts[1])

    def test_the_commands_of_a_file_share_a_scratch_directory(self):
        text = "```console\n$ echo hello >file\n```\nwords\n```console\n$ cat file\nhello\n```\n"
        self.assertEqual(check_docs.run_examples(check_docs.ROOT / "README.md", text), (2, []))


class Links(unittest.TestCase):
    def test_only_links_to_missing_files_are_found_and_code_is_no_link(self):
        with tempfile.TemporaryDirectory() as folder:
            page = pathlib.Path(folder, "page.md")
            pathlib.Path(folder, "there.md").touch()
            text = "[a](there.md#part) [b](https://example.org) [c](#part) `[d](code.md)`\n```\n[e](block.md)\n```\n[f](gone.md)\n"
            found = list(check_docs.broken_links(page, text))
        self.assertEqual(len(found), 1)
        self.assertTrue(found[0].endswith("page.md:5: no such file: gone.md"), found)


if __name__ == "__main__":
    unittest.main()
