"""Reads the table of folders in ARCHITECTURE.md and every #include, and finds what the table does not allow.

A row of the table: a folder, what it is, the folders of src/ (or sim) that it may include, and the libraries that it may
include. `everything` allows all folders and all libraries. `system` among the libraries stands for the operating system: its
headers, and those of the standard library that open files, start threads or ask for randomness. A program's own file,
NAME_main.cpp, may include the system everywhere. Tests may too, and GoogleTest, and what the folder tests/ has for them all.
"""

import dataclasses
import os
import pathlib
import re

TABLE = re.compile(r"<!-- folders -->\n(.*?)<!-- /folders -->", re.DOTALL)
INCLUDE = re.compile(r'^\s*#\s*include\s+(?:<([^>]+)>|"([^"]+)")', re.MULTILINE)
CODE_FOLDERS = ("src", "apps", "sim", "fuzz", "tests", "bench")
SUFFIXES = (".h", ".cpp")

# The libraries by what is included or its first word, <fmt/format.h> for example. Another name stands for itself.
LIBRARIES = {"CLI": "CLI11", "sqlite3.h": "sqlite3", "argon2.h": "argon2", "ldap.h": "ldap"}
TEST_LIBRARIES = ("gtest", "gmock")
SYSTEM_FOLDERS = ("arpa", "linux", "net", "netinet", "sys")
SYSTEM_HEADERS = ("filesystem", "fstream", "future", "iostream", "random", "thread")


@dataclasses.dataclass(frozen=True)
class Row:
    folder: str
    may_include: tuple
    libraries: tuple

    @property
    def everything(self):
        return "everything" in self.may_include

    def allows_folder(self, other):
        return self.everything or other in (self.folder, *self.may_include)

    def allows_library(self, library):
        return self.everything or library in self.libraries


def read_table(text):
    """The rows by folder. `base` in the column of includes means src/base, where there is such a row."""
    table = TABLE.search(text)
    if table is None:
        raise ValueError("there is no table between <!-- folders --> and <!-- /folders -->")
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in table[1].strip().splitlines()[2:]]
    folders = [row[0] for row in cells]

    def full(name):
        return f"src/{name}" if f"src/{name}" in folders else name

    return {folder: Row(folder, tuple(map(full, include.split())), tuple(libraries.split()))
            for folder, _, include, libraries in cells}


def folder_of(path, table):
    """The row that a file belongs to: the longest folder that it is in."""
    parents = [str(parent) for parent in pathlib.PurePosixPath(path).parents]
    return next((parent for parent in parents if parent in table), None)


def library_of(header):
    """The library that an <include> belongs to, or None for the C and C++ standard libraries."""
    if header in LIBRARIES:
        return LIBRARIES[header]
    first, slash, _ = header.partition("/")
    if slash:
        return "system" if first in SYSTEM_FOLDERS else LIBRARIES.get(first, first)
    return "system" if header.endswith(".h") or header in SYSTEM_HEADERS else None


class Tree:
    """The code below a folder: what each file includes."""

    def __init__(self, root):
        self.root = root
        self.files = sorted(path.relative_to(root).as_posix() for folder in CODE_FOLDERS
                            for path in (root / folder).rglob("*") if path.suffix in SUFFIXES)
        self.own = {}  # File -> the files of this tree that it includes.
        self.foreign = {}  # File -> headers of others that it includes.
        self.missing = []  # (file, include) that is nowhere.
        for file in self.files:
            self._read(file)

    def _read(self, file):
        found = INCLUDE.findall((self.root / file).read_text(encoding="utf-8"))
        self.foreign[file] = [header for header, _ in found if header]
        self.own[file] = []
        for name in (name for _, name in found if name):
            target = self._resolve(file, name)
            if target is None:
                self.missing.append((file, name))
            else:
                self.own[file].append(target)

    def _resolve(self, file, name):
        places = (os.path.normpath(f"{folder}/{name}") for folder in (os.path.dirname(file), "src", "."))
        return next((place for place in places if (self.root / place).is_file()), None)


def test_files(tree):
    """Tests, and the headers that nothing but tests includes."""
    found = {file for file in tree.files if file.startswith("tests/") or file.endswith("_test.cpp")}
    includers = {}
    for file, targets in tree.own.items():
        for target in targets:
            includers.setdefault(target, set()).add(file)
    more = True
    while more:
        more = {file for file, users in includers.items() if users <= found} - found
        found |= more
    return found


def forbidden(tree, table):
    """Sentences that say what the table does not allow."""
    tests = test_files(tree)
    for file, name in tree.missing:
        yield f'{file} includes "{name}", which is nowhere'
    for file in tree.files:
        folder = folder_of(file, table)
        if folder is None:
            yield f"{file} is in a folder that the table does not name"
            continue
        row = table[folder]
        for target in tree.own[file]:
            other = folder_of(target, table)
            shared_by_tests = other == "tests" and file in tests
            if other is not None and not shared_by_tests and not row.allows_folder(other):
                yield f"{file} includes {target}, but {folder} may not include {other}"
        for header in tree.foreign[file]:
            library = library_of(header)
            if library in TEST_LIBRARIES:
                allowed = file in tests or row.everything
            elif library == "system":
                allowed = file in tests or file.endswith("_main.cpp") or row.allows_library(library)
            else:
                allowed = library is None or row.allows_library(library)
            if not allowed:
                yield f"{file} includes <{header}>, but {folder} may not use {library}"


def cycles(edges):
    """Each cycle of a graph as a list that starts and ends with the same node; a depth-first search finds one for each edge
    that leads back to a node on the way."""
    done, way, found = set(), [], []

    def visit(node):
        if node in way:
            found.append(way[way.index(node):] + [node])
            return
        if node in done:
            return
        way.append(node)
        for target in edges.get(node, ()):
            visit(target)
        way.pop()
        done.add(node)

    for node in sorted(edges):
        visit(node)
    return found
