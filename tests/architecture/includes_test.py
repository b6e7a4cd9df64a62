#!/usr/bin/python3
"""The code follows the table of folders in ARCHITECTURE.md, and code that does not is found."""

import pathlib
import tempfile
import unittest

import includes

ROOT = pathlib.Path(__file__).resolve().parents[2]

TABLE = """
<!-- folders -->
| folder | what | may include | libraries |
| --- | --- | --- | --- |
| src/base | words | | |
| src/mqtt | packets | base | |
| src/server | wiring | mqtt base | system fmt |
| apps/chappe | main | server mqtt base | CLI11 |
| tests | tests | everything | |
<!-- /folders -->
"""


class ThisRepository(unittest.TestCase):
    maxDiff = None

    @classmethod
    def setUpClass(cls):
        cls.table = includes.read_table((ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8"))
        cls.tree = includes.Tree(ROOT)

    def test_is_read(self):
        self.assertIn("src/base/bytes.cpp", self.tree.files)
        self.assertIn("src/base/bytes.h", self.tree.own["src/base/bytes.cpp"])
        self.assertIn("algorithm", self.tree.foreign["src/base/bytes.cpp"])

    def test_includes_only_what_the_table_allows(self):
        self.assertEqual("\n".join(includes.forbidden(self.tree, self.table)), "")

    def test_has_no_cycle_of_files(self):
        self.assertEqual(includes.cycles(self.tree.own), [])

    def test_has_no_cycle_of_folders(self):
        edges = {folder: row.may_include for folder, row in self.table.items() if not row.everything}
        self.assertEqual(includes.cycles(edges), [])


class MadeUpTree(unittest.TestCase):
    """What the checks above must find, in trees that are made for it."""

    def findings(self, files):
        with tempfile.TemporaryDirectory() as folder:
            root = pathlib.Path(folder)
            for name, text in files.items():
                (root / name).parent.mkdir(parents=True, exist_ok=True)
                (root / name).write_text(text, encoding="utf-8")
            tree = includes.Tree(root)
            return list(includes.forbidden(tree, includes.read_table(TABLE))), includes.cycles(tree.own)

    def assert_finding(self, files, *words):
        (finding,), _ = self.findings(files)
        for word in words:
            self.assertIn(word, finding)

    def test_good_code_passes(self):
        self.assertEqual(self.findings({
            "src/base/bytes.h": "#include <span>\n#include <cstdint>\n",
            "src/mqtt/packet.h": '#include "base/bytes.h"\n',
            "src/mqtt/packet_test.cpp": '#include "mqtt/packet.h"\n#include <gtest/gtest.h>\n#include <thread>\n',
            "src/mqtt/frames.h": '#include <gmock/gmock.h>\n#include "tests/cases.h"\n',
            "tests/cases.h": "",
            "src/mqtt/print_main.cpp": "#include <random>\n",
            "src/mqtt/frames_test.cpp": '#include "frames.h"\n',
            "src/server/settings/load.cpp": '#include <sys/epoll.h>\n#include <fmt/format.h>\n#include "mqtt/packet.h"\n',
            "apps/chappe/main.cpp": '#include <CLI/CLI.hpp>\n#include "server/settings/load.cpp"\n',
            "tests/behaviour/helper.h": "#include <anything/at_all.h>\n",
            "tests/behaviour/a_test.cpp": '#include "helper.h"\n#include "mqtt/packet.h"\n',
        }), ([], []))

    def test_finds_an_upward_edge(self):
        self.assert_finding({"src/base/bytes.h": '#include "mqtt/packet.h"\n', "src/mqtt/packet.h": ""},
                            "src/base/bytes.h", "src/base may not include src/mqtt")

    def test_finds_an_upward_edge_in_a_unit_test(self):
        self.assert_finding({"src/base/bytes_test.cpp": '  #  include "mqtt/packet.h"\n', "src/mqtt/packet.h": ""},
                            "src/base may not include src/mqtt")

    def test_finds_a_relative_path_around_the_table(self):
        self.assert_finding({"src/base/bytes.h": '#include "../mqtt/packet.h"\n', "src/mqtt/packet.h": ""},
                            "src/base may not include src/mqtt")

    def test_finds_a_folder_that_is_not_in_the_table(self):
        self.assert_finding({"src/rules/rule.h": ""}, "src/rules/rule.h", "does not name")

    def test_finds_a_library_that_is_not_allowed(self):
        self.assert_finding({"src/mqtt/packet.h": "#include <fmt/format.h>\n"}, "src/mqtt may not use fmt")

    def test_finds_a_library_that_nobody_has_heard_of(self):
        self.assert_finding({"src/server/a.h": "#include <boost/asio.hpp>\n"}, "may not use boost")

    def test_finds_a_library_without_a_folder(self):
        self.assert_finding({"src/server/a.h": "#include <argon2.h>\n"}, "may not use argon2")

    def test_finds_the_operating_system_in_the_core(self):
        for header in ("sys/socket.h", "unistd.h", "thread", "fstream", "random"):
            with self.subTest(header):
                self.assert_finding({"src/mqtt/packet.h": f"#include <{header}>\n"}, "may not use system")

    def test_finds_googletest_outside_of_tests(self):
        self.assert_finding({"src/server/a.cpp": '#include "server/a.h"\n', "src/server/a.h": "#include <gtest/gtest.h>\n",
                             "src/server/a_test.cpp": '#include "server/a.h"\n'}, "src/server may not use gtest")

    def test_finds_code_that_leans_on_tests(self):
        self.assert_finding({"src/server/a.cpp": '#include "tests/cases.h"\n', "tests/cases.h": ""},
                            "src/server may not include tests")

    def test_finds_an_include_of_nothing(self):
        self.assert_finding({"src/server/a.cpp": '#include "server/gone.h"\n'}, "server/gone.h", "nowhere")

    def test_finds_a_cycle_of_files(self):
        _, cycles = self.findings({"src/base/a.h": '#include "base/b.h"\n', "src/base/b.h": '#include "base/c.h"\n',
                                   "src/base/c.h": '#include "base/a.h"\n'})
        self.assertEqual(cycles, [["src/base/a.h", "src/base/b.h", "src/base/c.h", "src/base/a.h"]])

    def test_needs_the_table(self):
        with self.assertRaises(ValueError):
            includes.read_table("# Architecture\n")


if __name__ == "__main__":
    unittest.main()
