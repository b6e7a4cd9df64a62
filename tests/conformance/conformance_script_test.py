#!/usr/bin/python3
"""Tests of scripts/conformance: which test a tag belongs to, and what is reported."""

import contextlib
import importlib.machinery
import importlib.util
import io
import pathlib
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]

sys.dont_write_bytecode = True
loader = importlib.machinery.SourceFileLoader("conformance", str(ROOT / "scripts/conformance"))
conformance = importlib.util.module_from_spec(importlib.util.spec_from_loader("conformance", loader))
sys.modules["conformance"] = conformance
loader.exec_module(conformance)

STATEMENTS = ("# a comment\n"
              "5.0\t3.1.2-22\tserver\tSilence ends the connection.\n"
              "5.0\t3.1.2-20\tclient\tA client sends PINGREQ.\n"
              "5.0\t6.0.0-1\tboth\tBinary frames only.\tdoes not apply: no WebSocket.\n"
              "3.1.1\t3.1.2-24\tserver\tSilence ends the connection.\n")


def claims(path, text):
    """(id, test) of every tag in the text of a file."""
    return [(tag.id, tag.test) for tag in conformance.read_tags(path, text)]


class CppTags(unittest.TestCase):
    def test_on_the_line_of_a_test(self):
        self.assertEqual(claims("src/a_test.cpp", "TEST(KeepAlive, Closes) {  // [MQTT-3.1.2-22]\n}\n"),
                         [("3.1.2-22", "KeepAlive.Closes")])

    def test_in_the_comment_above_a_test(self):
        text = "// [MQTT-1.1.1-1] says so,\n// and [MQTT-1.1.1-2] too.\nTEST_P(Suite, Name) {\n}\n"
        self.assertEqual(claims("src/a_test.cpp", text), [("1.1.1-1", "Suite.Name"), ("1.1.1-2", "Suite.Name")])

    def test_inside_a_test_beside_the_assertion(self):
        text = "TEST_F(A, B) {\n    f();  // [MQTT-1.1.1-1]\n    // [MQTT-1.1.1-2]\n    g();\n}\n"
        self.assertEqual(claims("sim/a_test.cpp", text), [("1.1.1-1", "A.B"), ("1.1.1-2", "A.B")])

    def test_on_a_test_whose_name_stands_on_the_next_line(self):
        text = "TEST_F(Suite,\n       Name) {  // [MQTT-1.1.1-1]\n    f();  // [MQTT-1.1.1-2]\n}\n"
        self.assertEqual(claims("src/a_test.cpp", text), [("1.1.1-1", "Suite.Name"), ("1.1.1-2", "Suite.Name")])

    def test_outside_of_tests_it_is_a_remark(self):
        text = "TEST(A, B) {\n}\n\n// As [MQTT-1.1.1-1] asks.\nvoid f() {\n}\n"
        self.assertEqual(claims("src/a_test.cpp", text), [("1.1.1-1", "")])

    def test_in_the_code_that_is_tested_it_is_a_remark(self):
        self.assertEqual(claims("src/a.cpp", "TEST(A, B) {  // [MQTT-1.1.1-1]\n"), [("1.1.1-1", "")])

    def test_on_a_row_of_a_table(self):
        text = ('const Case cases[] = {\n    {"first case", x},  // [MQTT-1.1.1-1]\n'
                '    // [MQTT-1.1.1-2]\n    {.name = "second case",\n     .bytes = y},  // [MQTT-1.1.1-3]\n};\n')
        self.assertEqual(claims("tests/packet_cases.h", text),
                         [("1.1.1-1", "first case"), ("1.1.1-2", "second case"), ("1.1.1-3", "second case")])

    def test_a_row_inside_a_test_belongs_to_the_test(self):
        text = 'TEST(A, B) {\n    Case cases[] = {\n        {"row", 1},  // [MQTT-1.1.1-1]\n    };\n}\n'
        self.assertEqual(claims("src/a_test.cpp", text), [("1.1.1-1", "A.B")])


class PythonTags(unittest.TestCase):
    def test_above_and_inside(self):
        text = ("class Restart(unittest.TestCase):\n    # [MQTT-1.1.1-1]\n    def test_one(self):\n        pass  # [MQTT-1.1.1-2]\n"
                "\n    def helper(self):\n        pass  # [MQTT-1.1.1-3]\n")
        self.assertEqual(claims("tests/clients/restart.py", text),
                         [("1.1.1-1", "Restart.test_one"), ("1.1.1-2", "Restart.test_one"), ("1.1.1-3", "")])


class ScriptTags(unittest.TestCase):
    def test_above_and_inside(self):
        text = "// [MQTT-1.1.1-1]\ntest('keeps order', async () => {\n  x(); // [MQTT-1.1.1-2]\n});\n// [MQTT-1.1.1-3]\nf();\n"
        self.assertEqual(claims("tests/clients/a.mjs", text),
                         [("1.1.1-1", "keeps order"), ("1.1.1-2", "keeps order"), ("1.1.1-3", "")])


class Problems(unittest.TestCase):
    def problems(self, text):
        return conformance.problems(conformance.read_statements(STATEMENTS), conformance.read_tags("src/a_test.cpp", text))

    def test_a_statement_without_test(self):
        self.assertEqual(self.problems("TEST(A, B) {  // [MQTT-3.1.2-22]\n}\n"),
                         ["[MQTT3-3.1.2-24] has neither a test nor a reason: Silence ends the connection."])

    def test_none_when_each_has_a_test_or_a_reason_or_binds_clients(self):
        self.assertEqual(self.problems("TEST(A, B) {  // [MQTT-3.1.2-22] [MQTT3-3.1.2-24]\n}\n"), [])

    def test_a_remark_is_no_test(self):
        self.assertEqual(len(self.problems("// [MQTT-3.1.2-22]\nvoid f() {\n}\n")), 2)

    def test_an_unknown_id(self):
        text = "TEST(A, B) {  // [MQTT-3.1.2-22] [MQTT3-3.1.2-24]\n    f();  // [MQTT3-3.1.2-22] [MQTT-3.1.2.22] [MQTT5-3.1.2-22]\n}\n"
        self.assertEqual(self.problems(text), ["src/a_test.cpp:2: [MQTT3-3.1.2-22] names no statement",
                                               "src/a_test.cpp:2: [MQTT-3.1.2.22] names no statement",
                                               "src/a_test.cpp:2: [MQTT5-3.1.2-22] names no statement"])

    def test_a_reason_beside_a_test(self):
        text = "TEST(A, B) {  // [MQTT-3.1.2-22] [MQTT3-3.1.2-24] [MQTT-6.0.0-1]\n}\n"
        self.assertEqual(self.problems(text),
                         ["[MQTT-6.0.0-1] has a test, so the reason in tests/conformance/statements.tsv must go"])


class Statements(unittest.TestCase):
    def test_a_line_that_is_none_is_reported_with_its_number(self):
        with self.assertRaisesRegex(ValueError, r"statements\.tsv:2: "):
            conformance.read_statements("# a\n5.0 3.1.2-22 server text\n")

    def test_the_real_ones_are_well_formed(self):
        statements = conformance.read_statements((ROOT / conformance.STATEMENTS).read_text(encoding="utf-8"))
        for statement in statements:
            self.assertRegex(statement.id, r"^\d+(\.\d+)+-\d+$")
            self.assertLessEqual(len(statement.text), 140, statement.tag())
            self.assertIn(statement.chapter(),
                          conformance.CHAPTERS_311 if statement.version == "3.1.1" else conformance.CHAPTERS)

    # The counts of the standards themselves: a line lost from the list would otherwise never be missed.
    def test_none_is_lost(self):
        statements = conformance.read_statements((ROOT / conformance.STATEMENTS).read_text(encoding="utf-8"))
        self.assertEqual(sum(statement.version == "5.0" for statement in statements), 251)
        self.assertEqual(sum(statement.version == "3.1.1" for statement in statements), 141)


class Page(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = pathlib.Path(folder.name)
        self.write(conformance.STATEMENTS, STATEMENTS)
        self.write("src/a_test.cpp", "TEST(A, B) {  // [MQTT-3.1.2-22] [MQTT3-3.1.2-24]\n}\n")

    def write(self, path, text):
        (self.root / path).parent.mkdir(parents=True, exist_ok=True)
        (self.root / path).write_text(text, encoding="utf-8")

    def run_script(self, *arguments):
        with contextlib.redirect_stderr(io.StringIO()) as said:
            status = conformance.main(arguments, self.root)
        return status, said.getvalue()

    def test_lists_each_statement_with_its_tests(self):
        self.assertEqual(self.run_script(), (0, ""))
        page = (self.root / conformance.PAGE).read_text(encoding="utf-8")
        self.assertIn("| 3.1.2-22 | Silence ends the connection. | [a_test.cpp](../src/a_test.cpp): `A.B` |", page)
        self.assertIn("| 6.0.0-1 | Binary frames only. | *does not apply: no WebSocket.* |", page)
        self.assertIn("| 3.1.2-20 | A client sends PINGREQ. |", page)
        self.assertIn("| 5.0 | 3 | 2 | 1 | 1 | 1 |", page)

    def test_check_passes_on_a_page_just_written_and_writes_nothing(self):
        self.run_script()
        self.assertEqual(self.run_script("--check"), (0, ""))

    def test_check_fails_without_the_page_or_on_an_old_one(self):
        status, said = self.run_script("--check")
        self.assertEqual((status, (self.root / conformance.PAGE).exists()), (1, False))
        self.assertIn("not up to date: run scripts/conformance", said)
        self.run_script()
        self.write("src/b_test.cpp", "TEST(C, D) {  // [MQTT-3.1.2-22]\n}\n")
        self.assertEqual(self.run_script("--check")[0], 1)

    def test_check_fails_on_a_statement_without_test(self):
        self.write("src/a_test.cpp", "TEST(A, B) {  // [MQTT-3.1.2-22]\n}\n")
        self.run_script()
        status, said = self.run_script("--check")
        self.assertEqual(status, 1)
        self.assertIn("[MQTT3-3.1.2-24] has neither a test nor a reason", said)


class TheRealPage(unittest.TestCase):
    def test_every_statement_has_its_tests_and_the_page_says_so(self):
        with contextlib.redirect_stderr(io.StringIO()) as said:
            status = conformance.main(["--check"])
        self.assertEqual(status, 0, said.getvalue())


if __name__ == "__main__":
    unittest.main()
