#!/usr/bin/python3
"""./test counts honestly: what fails, says nothing, or cannot be run for want of a build never passes, and nothing hangs."""

import contextlib
import importlib.machinery
import importlib.util
import io
import pathlib
import sys
import tempfile
import unittest

SCRIPTS = pathlib.Path(__file__).resolve().parents[2] / "scripts"

sys.dont_write_bytecode = True
sys.path.insert(0, str(SCRIPTS))
loader = importlib.machinery.SourceFileLoader("all_tests", str(SCRIPTS / "all_tests"))
all_tests = importlib.util.module_from_spec(importlib.util.spec_from_loader("all_tests", loader))
sys.modules["all_tests"] = all_tests
loader.exec_module(all_tests)

from tally import CORES, Counts, read_counts, run  # noqa: E402


def stage(name, script, **options):
    return all_tests.Stage(name, "level", ["sh", "-c", script], **options)


class Running(unittest.TestCase):
    def counts_of(self, *todo):
        said = io.StringIO()
        with tempfile.TemporaryDirectory() as folder, contextlib.redirect_stdout(said):
            all_tests.LOGS = pathlib.Path(folder)
            counts = all_tests.Runner(todo).run()
        return counts, said.getvalue()

    def test_adds_up(self):
        counts, _ = self.counts_of(stage("build", "true", cores=CORES, build=True),
                                   stage("a", "echo 3 passed, 0 failed", after=("build",)),
                                   stage("b", "echo 1 passed, 0 failed, 2 skipped"))
        self.assertEqual(counts, Counts(5, 0, 2))

    def test_does_not_run_what_a_failed_build_was_for(self):
        counts, said = self.counts_of(stage("broken", "echo why; false", build=True),
                                      stage("dependent", "echo 1 passed, 0 failed", after=("broken",)))
        self.assertEqual(counts, Counts(0, 1))
        self.assertIn("why", said)
        self.assertIn("NOT RUN  dependent", said)

    def test_a_bad_end_is_a_failure(self):
        counts, _ = self.counts_of(stage("a", "echo 2 passed, 0 failed; exit 3"))
        self.assertEqual(counts, Counts(2, 1))

    def test_to_say_nothing_is_a_failure(self):
        counts, _ = self.counts_of(stage("a", "true"))
        self.assertEqual(counts, Counts(0, 1))


class Reading(unittest.TestCase):
    def test_takes_the_last_line_that_counts(self):
        self.assertEqual(read_counts("1 passed, 0 failed\nmore\n7 passed, 2 failed\n", 1), Counts(7, 2))

    def test_ends_what_takes_too_long(self):
        finished = run(["sh", "-c", "echo begun; sleep 60 & wait"], seconds=5)
        self.assertNotEqual(finished.returncode, 0)
        self.assertIn("begun", finished.output)
        self.assertLess(finished.seconds, 30)


if __name__ == "__main__":
    unittest.main()
