"""What the scripts that run tests have in common: counts, commands run several at a time, and the last line that says
`N passed, N failed`. Every such script can be run by hand; ./test runs them all and adds up those lines."""

import concurrent.futures
import dataclasses
import os
import pathlib
import re
import signal
import subprocess
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
CORES = os.cpu_count() or 1
LAST_LINE = re.compile(r"^(\d+) passed, (\d+) failed(?:, (\d+) skipped)?$", re.MULTILINE)


@dataclasses.dataclass(frozen=True)
class Counts:
    passed: int = 0
    failed: int = 0
    skipped: int = 0

    def __add__(self, other):
        return Counts(self.passed + other.passed, self.failed + other.failed, self.skipped + other.skipped)

    def __str__(self):
        skipped = f", {self.skipped} skipped" if self.skipped else ""
        return f"{self.passed} passed, {self.failed} failed{skipped}"

    @property
    def good(self):
        """Nothing failed, and something was tested."""
        return self.failed == 0 and self.passed > 0


def read_counts(output, returncode):
    """The counts that a command ended with. One that says nothing, or ends badly without naming a failure, has failed."""
    lines = LAST_LINE.findall(output)
    if not lines:
        return Counts(failed=1)
    counts = Counts(*(int(number or 0) for number in lines[-1]))
    return counts + Counts(failed=1) if returncode != 0 and counts.failed == 0 else counts


@dataclasses.dataclass(frozen=True)
class Finished:
    returncode: int
    output: str
    seconds: float


def run(command, seconds, environment=None, started=lambda process: None):
    """Runs a command and returns its output, standard error included. One that takes too long is ended with all the
    processes that it has started, and has failed."""
    start = time.monotonic()
    process = subprocess.Popen([str(word) for word in command], cwd=ROOT, stdin=subprocess.DEVNULL,
                               stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True,
                               env={**os.environ, **(environment or {})})
    started(process)
    try:
        output, _ = process.communicate(timeout=seconds)
        text = output.decode(errors="replace")
    except subprocess.TimeoutExpired:
        end_group(process)
        output, _ = process.communicate()
        text = output.decode(errors="replace") + f"\nended after {seconds} seconds: {' '.join(map(str, command))}\n"
    return Finished(process.returncode, text, time.monotonic() - start)


def end_group(process):
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass


def in_parallel(jobs, function, items):
    """Calls the function for each item, `jobs` at a time, and yields the results as they come."""
    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        for future in concurrent.futures.as_completed([pool.submit(function, item) for item in items]):
            yield future.result()


def close(counts):
    """Prints the last line and returns the exit code. To have tested nothing is a failure too."""
    print(counts, flush=True)
    return 0 if counts.good else 1


def programs(preset, suffix):
    """The programs of a build whose names end so. Ninja knows them; the folder may hold some that are no longer built."""
    folder = ROOT / "build" / preset
    listing = subprocess.run(["ninja", "-C", folder, "-t", "targets", "all"], check=True, capture_output=True, text=True)
    names = re.findall(r"^([^\s:]+): CXX_EXECUTABLE_LINKER__", listing.stdout, re.MULTILINE)
    return sorted(folder / name for name in names if name.endswith(suffix))


def sanitizer_environment():
    """Strict sanitizers with readable reports."""
    symbolizer = "external_symbolizer_path=/usr/bin/llvm-symbolizer-19"
    options = {
        "ASAN_OPTIONS": "detect_stack_use_after_return=1:strict_string_checks=1:check_initialization_order=1",
        "UBSAN_OPTIONS": "print_stacktrace=1",
        "TSAN_OPTIONS": "halt_on_error=1:second_deadlock_stack=1",
    }
    return {name: os.environ.get(name, f"{value}:{symbolizer}") for name, value in options.items()}
