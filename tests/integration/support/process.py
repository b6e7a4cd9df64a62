"""A child process whose lines are waited for, not polled."""

import atexit
import contextlib
import os
import signal
import subprocess
import threading
import time
import weakref

from . import limits
from .polling import ask_until

_started = weakref.WeakSet()


@atexit.register
def _leave_nothing_behind():
    """A test run that is interrupted takes its servers and clients with it."""
    for process in list(_started):
        if process.running():
            process.kill()


def kill_all_and_exit():
    """For a test run that is given up from a signal handler or another thread, whatever the tests are doing."""
    for process in list(_started):
        process.signal(signal.SIGKILL)
    os._exit(1)


class Process:
    """Runs a command; threads gather its stdout and stderr line by line, and `wait_line` waits for one of them.

    Lines are bytes without their newline: payloads need not be text.
    """

    def __init__(self, command, stdin=False, env=None, name=None, on_line=None, stderr=None):
        self.name = name or os.path.basename(command[0])
        self.command = command
        self.stdout = []
        self.stderr = []
        self._on_line = on_line  # Called for each line of stdout, in the thread that reads it.
        self._changed = threading.Condition()
        self._popen = subprocess.Popen(
            command,
            stdin=subprocess.PIPE if stdin else subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=stderr or subprocess.PIPE,  # A file of the caller's is left to the caller.
            env=env,
        )
        _started.add(self)
        streams = [(self._popen.stdout, self.stdout), (self._popen.stderr, self.stderr)]
        self._readers = [
            threading.Thread(target=self._read, args=(stream, lines), daemon=True)
            for stream, lines in streams if stream is not None
        ]
        self._open_streams = len(self._readers)
        for reader in self._readers:
            reader.start()

    def _read(self, stream, lines):
        for line in stream:
            with self._changed:
                lines.append(line.rstrip(b"\n"))
                if self._on_line is not None and lines is self.stdout:
                    self._on_line(lines[-1])
                self._changed.notify_all()
        with self._changed:
            self._open_streams -= 1
            self._changed.notify_all()

    @property
    def pid(self):
        return self._popen.pid

    def write(self, data):
        self._popen.stdin.write(data)
        self._popen.stdin.flush()

    def close_stdin(self):
        self._popen.stdin.close()

    def feed(self, data):
        """All of its standard input. A program may end before it has read that."""
        with contextlib.suppress(BrokenPipeError):
            self.write(data)
        with contextlib.suppress(BrokenPipeError):
            self.close_stdin()

    def wait_line(self, matches, lines=None, start=0, seconds=limits.EVENT_SECONDS, what="a line"):
        """The first line at or after index `start` of `lines` (stdout unless told) for which matches(line) is true."""
        lines = self.stdout if lines is None else lines
        return self.wait_for(lambda: self._find(matches, lines, start), seconds, what)

    @staticmethod
    def _find(matches, lines, start):
        for line in lines[start:]:
            if matches(line):
                return line
        return None

    def wait_for(self, condition, seconds=limits.EVENT_SECONDS, what="output"):
        """Waits until condition() of the lines so far is not None, and returns it."""
        deadline = time.monotonic() + seconds
        with self._changed:
            while (value := condition()) is None:
                left = deadline - time.monotonic()
                if left <= 0:
                    raise AssertionError(f"{self.name}: no {what} within {seconds} s\n{self.report()}")
                if self._open_streams == 0:
                    raise AssertionError(f"{self.name}: ended before {what}\n{self.report()}")
                self._changed.wait(left)
        return value

    def finish(self, seconds=limits.EVENT_SECONDS):
        """Waits for the process to end by itself and returns its exit code."""
        try:
            code = self._popen.wait(seconds)
        except subprocess.TimeoutExpired:
            report = self.report()
            self.kill()
            raise AssertionError(f"{self.name}: still running after {seconds} s\n{report}") from None
        self._join_readers()
        return code

    def terminate(self, seconds=limits.STOP_SECONDS):
        """SIGTERM, then a bounded wait. Returns the exit code."""
        if self._popen.poll() is None:
            self._popen.send_signal(signal.SIGTERM)
        return self.finish(seconds)

    def signal(self, number):
        self._popen.send_signal(number)

    def kill(self):
        if self._popen.poll() is None:
            self._popen.kill()
        self._popen.wait()
        self._join_readers()

    def running(self):
        return self._popen.poll() is None

    def wait_idle(self):
        """Until its first thread waits for something, or has ended."""
        ask_until(lambda state: state in "SZ", self._state, f"pause of {self.name}")

    def _state(self):
        """One letter, as ps shows it; Z also where it has been waited for."""
        try:
            with open(f"/proc/{self.pid}/stat", encoding="utf-8") as file:
                return file.read().rpartition(")")[2].split()[0]
        except (FileNotFoundError, ProcessLookupError):
            return "Z"

    def _join_readers(self):
        for reader in self._readers:
            reader.join(limits.STOP_SECONDS)
        for stream in (self._popen.stdin, self._popen.stdout, self._popen.stderr):
            if stream is not None:
                try:
                    stream.close()
                except BrokenPipeError:
                    pass

    def report(self):
        """The end of what it said, for a failure message."""
        tail = lambda lines: b"\n".join(line[:400] for line in lines[-40:]).decode(errors="replace")
        return (
            f"  command: {' '.join(self.command)}\n  exit code: {self._popen.poll()}\n"
            f"  stdout ({len(self.stdout)} lines):\n{tail(self.stdout)}\n  stderr:\n{tail(self.stderr)}"
        )
