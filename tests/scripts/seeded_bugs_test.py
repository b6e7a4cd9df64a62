#!/usr/bin/python3
"""scripts/seeded_bugs passes for a bug that was found, and for nothing else."""

import importlib.machinery
import importlib.util
import pathlib
import sys
import tempfile
import unittest

SCRIPTS = pathlib.Path(__file__).resolve().parents[2] / "scripts"

sys.dont_write_bytecode = True
sys.path.insert(0, str(SCRIPTS))
loader = importlib.machinery.SourceFileLoader("seeded_bugs", str(SCRIPTS / "seeded_bugs"))
seeded_bugs = importlib.util.module_from_spec(importlib.util.spec_from_loader("seeded_bugs", loader))
loader.exec_module(seeded_bugs)

PATCH = """What somebody did wrong.

--- a/src/sum.cpp
+++ b/src/sum.cpp
@@ -1 +1 @@
-return a + b;
+return a - b;
"""


class SeededBugs(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        (self.folder / "src").mkdir()
        self.source = self.folder / "src" / "sum.cpp"
        self.source.write_text("return a + b;\n", encoding="utf-8")
        self.patch = self.folder / "wrong.patch"
        self.patch.write_text(PATCH, encoding="utf-8")
        for name, value in {"ROOT": self.folder, "COPIES": self.folder / "copies", "SOURCES": ("src",)}.items():
            before = getattr(seeded_bugs, name)
            setattr(seeded_bugs, name, value)
            self.addCleanup(setattr, seeded_bugs, name, before)
        self.copy = seeded_bugs.Copy(1)
        self.copied = self.copy.folder / "src" / "sum.cpp"

    def program(self, script):
        path = self.folder / "program"
        path.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
        path.chmod(0o755)
        return path

    def test_the_next_bug_finds_the_copy_without_the_last(self):
        self.copy.update()
        self.copy.apply(self.patch)
        (self.copied.parent / "stale.cpp").touch()
        self.assertEqual(self.copied.read_text(encoding="utf-8"), "return a - b;\n")
        self.copy.update()
        self.assertEqual(self.copied.read_text(encoding="utf-8"), "return a + b;\n")
        self.assertEqual([path.name for path in self.copied.parent.iterdir()], ["sum.cpp"])
        self.assertEqual(self.source.read_text(encoding="utf-8"), "return a + b;\n")

    def test_what_has_not_changed_keeps_its_time(self):
        self.copy.update()
        before = self.copied.stat().st_mtime_ns
        self.copy.update()
        self.assertEqual(self.copied.stat().st_mtime_ns, before)

    def test_a_patch_that_does_not_apply_is_a_failure(self):
        self.source.write_text("return std::plus{}(a, b);\n", encoding="utf-8")
        self.copy.update()
        with self.assertRaisesRegex(seeded_bugs.Failure, "wrong.patch does not apply"):
            self.copy.apply(self.patch)

    def test_takes_the_first_seed_that_names_a_fault(self):
        said = "from seed 1\\nseed 7: 3 published, 2 received\\n  fault: one is missing\\n0 passed, 1 failed"
        self.assertEqual(seeded_bugs.explore(self.program(f"printf '{said}\\n'; exit 1"), 9), (7, "one is missing"))

    def test_finds_nothing_where_all_seeds_pass(self):
        self.assertIsNone(seeded_bugs.explore(self.program("echo 9 passed, 0 failed"), 9))

    def test_a_crash_is_no_finding(self):
        with self.assertRaises(seeded_bugs.Failure):
            seeded_bugs.explore(self.program("echo from seed 1; exit 134"), 9)


if __name__ == "__main__":
    unittest.main()
