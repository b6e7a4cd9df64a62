#!/usr/bin/python3
"""The service of systemd in packaging/: the unit is right and shut tight, and the script installs and removes what it says."""

import os
import pathlib
import shutil
import subprocess
import tempfile
import unittest

PACKAGING = pathlib.Path(__file__).resolve().parents[2] / "packaging"
EXPOSURE_MOST = 16  # Of 100, as `systemd-analyze security` counts it.
FILES = {"usr/local/bin/chappe": 0o755, "usr/local/lib/systemd/system/chappe.service": 0o644,
         "usr/local/lib/sysusers.d/chappe.conf": 0o644, "etc/chappe/chappe.toml": 0o644}

needs_systemd = unittest.skipUnless(shutil.which("systemd-analyze"), "systemd is not installed")


class Packaging(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="chappe-test-")
        self.addCleanup(folder.cleanup)
        self.root = pathlib.Path(folder.name) / "root"
        self.program = pathlib.Path(folder.name) / "program"
        self.program.write_text("#!/bin/sh\n", encoding="utf-8")
        self.program.chmod(0o700)

    def run_script(self, *words, expect=0, **environment):
        ended = subprocess.run([PACKAGING / "install", *words], capture_output=True, text=True, check=False,
                               env={**os.environ, "DESTDIR": str(self.root), **environment})
        self.assertEqual(ended.returncode, expect, ended.stdout + ended.stderr)
        return ended.stdout + ended.stderr

    def install(self, **environment):
        return self.run_script("--binary", str(self.program), **environment)

    def files(self):
        found = (path for path in self.root.rglob("*") if path.is_file())
        return {str(path.relative_to(self.root)): path.stat().st_mode & 0o777 for path in found}

    def unit(self):
        """The unit as it would be on a system where this is installed."""
        text = (self.root / "usr/local/lib/systemd/system/chappe.service").read_text(encoding="utf-8")
        path = self.root.parent / "chappe.service"
        path.write_text(text.replace("/usr/local/bin/", f"{self.root}/usr/local/bin/"), encoding="utf-8")
        return str(path)

    def test_all_that_is_needed_is_installed(self):
        self.install()
        self.assertEqual(self.files(), FILES)

    def test_a_configuration_that_is_there_stays(self):
        self.install()
        path = self.root / "etc/chappe/chappe.toml"
        path.write_text("# mine\n", encoding="utf-8")
        self.assertIn("stays as it is", self.install())
        self.assertEqual(path.read_text(encoding="utf-8"), "# mine\n")

    def test_another_prefix(self):
        self.install(PREFIX="/usr")
        unit = (self.root / "usr/lib/systemd/system/chappe.service").read_text(encoding="utf-8")
        self.assertIn("ExecStart=/usr/bin/chappe serve", unit)
        self.assertNotIn("/usr/local", unit)

    def test_configuration_and_data_stay_when_it_is_removed(self):
        self.install()
        data = self.root / "var/lib/chappe/chappe.db"
        data.parent.mkdir(parents=True)
        data.touch(0o600)
        self.run_script("--uninstall")
        self.assertEqual(set(self.files()), {"etc/chappe/chappe.toml", "var/lib/chappe/chappe.db"})

    def test_without_a_program_nothing_is_installed(self):
        self.program.unlink()
        said = self.run_script("--binary", str(self.program), expect=1)
        self.assertIn("./run --build", said)
        self.assertEqual(self.files(), {})

    def test_a_wrong_option_is_told_the_right_ones(self):
        self.assertIn("--uninstall", self.run_script("--remove", expect=2))

    @needs_systemd
    def test_systemd_takes_the_unit(self):
        self.install()
        checked = subprocess.run(["systemd-analyze", "verify", self.unit()], capture_output=True, text=True, check=False)
        self.assertEqual((checked.returncode, [line for line in checked.stderr.splitlines() if "chappe" in line]), (0, []),
                         checked.stderr)

    @needs_systemd
    def test_the_unit_is_shut_tight(self):
        self.install()
        command = ["systemd-analyze", "security", "--no-pager", "--offline=true", f"--threshold={EXPOSURE_MOST}", self.unit()]
        checked = subprocess.run(command, capture_output=True, text=True, check=False)
        self.assertEqual(checked.returncode, 0, checked.stdout + checked.stderr)


if __name__ == "__main__":
    unittest.main()
