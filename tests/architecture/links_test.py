#!/usr/bin/python3
"""The relative links in the project's Markdown files lead somewhere: to a file, and to a heading where they name one."""

import pathlib
import re
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
CODE = re.compile(r"^(```|~~~).*?^\1|`[^`\n]*`", re.DOTALL | re.MULTILINE)
LINK = re.compile(r"\[[^\]]*\]\(\s*<?([^)\s>]+)")
HEADING = re.compile(r"^#+\s+(.*)$", re.MULTILINE)


def anchors(text):
    """What GitHub makes of the headings of a file."""
    return {re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-") for heading in HEADING.findall(text)}


def broken_links(name, text, root):
    for target in LINK.findall(CODE.sub("", text)):
        if re.match(r"[a-z][a-z0-9+.-]*:", target):
            continue  # Somewhere else.
        path, _, anchor = target.partition("#")
        file = root / pathlib.PurePosixPath(name).parent / path if path else root / name
        if not file.exists():
            yield f"{name}: {target} is not there"
        elif anchor and anchor not in anchors(file.read_text(encoding="utf-8")):
            yield f"{name}: {target} has no such heading"


def markdown_files(root):
    """Without those of builds and of packages that were unpacked for tests."""
    for path in sorted(root.rglob("*.md")):
        name = path.relative_to(root)
        if name.parts[0] != "build" and not any(part.startswith(".") or part == "node_modules" for part in name.parts):
            yield name.as_posix()


class Links(unittest.TestCase):
    def test_of_this_repository_lead_somewhere(self):
        names = list(markdown_files(ROOT))
        self.assertIn("README.md", names)
        broken = [line for name in names for line in broken_links(name, (ROOT / name).read_text(encoding="utf-8"), ROOT)]
        self.assertEqual("\n".join(broken), "")

    def test_that_are_broken_are_found(self):
        text = "# One Thing\n[a](nowhere.md) [b](#one-thing) [c](#another) [d](https://x.org) `[e](f)` [g](docs)\n"
        with tempfile.TemporaryDirectory() as folder:
            root = pathlib.Path(folder)
            (root / "docs").mkdir()
            (root / "README.md").write_text(text, encoding="utf-8")
            self.assertEqual(list(broken_links("README.md", text, root)),
                             ["README.md: nowhere.md is not there", "README.md: #another has no such heading"])


if __name__ == "__main__":
    unittest.main()
