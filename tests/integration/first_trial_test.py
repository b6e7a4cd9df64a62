"""The README's way to devices in one's network, word by word: the broker in one network namespace, the devices in another."""

import os
import re
import shlex
import shutil
import subprocess
import unittest

from support import limits
from support.case import BrokerCase
from support.process import Process
from support.server import ROOT, chappe_command, unlike_mosquitto

HOST, DEVICE = "198.51.100.1", "198.51.100.2"  # Addresses for examples, RFC 5737.
NUMBER = f"chappe-{os.getpid()}"  # So that several test runs can share a machine.
BROKER_SPACE, DEVICE_SPACE = NUMBER + "-b", NUMBER + "-d"


def network(*words):
    return subprocess.run(["ip", *words], capture_output=True, text=True, check=False)


def why_not():
    if os.geteuid() != 0:
        return "only root can make network namespaces"
    if not shutil.which("ip"):
        return "there is no ip (Debian: iproute2)"
    probe = NUMBER + "-p"
    made = network("netns", "add", probe)
    network("netns", "del", probe)
    return f"network namespaces cannot be made here: {made.stderr.strip()}" if made.returncode != 0 else None


def commands(heading):
    """The lines of the shell blocks from this text of README.md to the next heading, without their comments."""
    with open(os.path.join(ROOT, "README.md"), encoding="utf-8") as file:
        section = file.read().split(f"\n{heading}", 1)[1].split("\n## ", 1)[0]
    blocks = re.findall(r"```sh\n(.*?)```", section, re.DOTALL)
    return [re.sub(r"\s+#.*", "", line) for block in blocks for line in block.splitlines() if line]


@unlike_mosquitto("has another README")
class FirstTrialTest(BrokerCase):
    def setUp(self):
        if reason := why_not():
            self.skipTest(reason)
        self.make_network()
        self.home = self.scratch_folder()  # The clone of the repository, after ./run --build.
        self.device = self.scratch_folder()
        self.data = self.scratch_folder()
        os.makedirs(self.home + "/build/release")
        os.symlink(chappe_command(), self.home + "/build/release/chappe")
        with open(self.home + "/run", "w", encoding="utf-8") as file:
            file.write('#!/bin/sh\nexec build/release/chappe serve "$@"\n')
        os.chmod(self.home + "/run", 0o755)
        self.make, self.add, self.start, self.publish = commands("For devices in your network")

    def make_network(self):
        for space in (BROKER_SPACE, DEVICE_SPACE):
            self.network("netns", "add", space)
            self.addCleanup(network, "netns", "del", space)
        self.network("link", "add", "wire", "netns", BROKER_SPACE, "type", "veth", "peer", "name", "wire", "netns", DEVICE_SPACE)
        for space, address in ((BROKER_SPACE, HOST), (DEVICE_SPACE, DEVICE)):
            self.network("-n", space, "address", "add", address + "/24", "dev", "wire")
            self.network("-n", space, "link", "set", "wire", "up")
            self.network("-n", space, "link", "set", "lo", "up")

    def network(self, *words):
        done = network(*words)
        self.assertEqual(done.returncode, 0, f"ip {' '.join(words)}: {done.stderr}")

    def in_space(self, space, folder, line):
        """Runs a line of a shell. /var/lib is another for it, since root's data directory is there: `ip` has made it a mount
        namespace of its own."""
        script = f"mount --bind {shlex.quote(self.data)} /var/lib && cd {shlex.quote(folder)} && {line}"
        process = Process(["ip", "netns", "exec", space, "sh", "-c", script], name=line)
        self.addCleanup(process.kill)
        return process

    def on_the_machine(self, line):
        return self.in_space(BROKER_SPACE, self.home, line)

    def on_a_device(self, line, expect=0):
        process = self.in_space(DEVICE_SPACE, self.device, line)
        code = process.finish()
        if expect is None:
            self.assertNotEqual(code, 0, process.report())
        else:
            self.assertEqual(code, expect, process.report())
        return process

    def done(self, line):
        process = self.on_the_machine(line)
        self.assertEqual(process.finish(), 0, process.report())
        return b"\n".join(process.stdout).decode()

    def serve(self):
        """All that the README has done on the machine. Returns the running broker and the command for the device."""
        self.done(self.make)
        password = re.search(r"^password, shown only now: (\S+)$", self.done(self.add), re.MULTILINE)[1]
        broker = self.on_the_machine("exec " + self.start)
        broker.wait_line(lambda line: b"mqtts://0.0.0.0:8883" in line, seconds=limits.START_SECONDS)
        shutil.copy(self.home + "/certificates/ca.pem", self.device)
        return broker, self.publish.replace("HOST", HOST).replace("PASSWORD", shlex.quote(password))

    def test_a_device_publishes(self):
        broker, publish = self.serve()
        subscribe = re.sub(r" -m \S+", " -d", publish).replace("mosquitto_pub", "exec stdbuf -oL mosquitto_sub")
        subscriber = self.in_space(DEVICE_SPACE, self.device, subscribe)
        subscriber.wait_line(lambda line: line.startswith(b"Subscribed"))
        self.on_a_device(publish)
        subscriber.wait_line(lambda line: line == b"21.5")
        self.on_a_device(publish + " --tls-version tlsv1.2 -V 311 -q 1")  # As the libraries for an ESP32 do.
        subscriber.terminate()
        self.assertEqual(broker.terminate(), 0, broker.report())

    def test_who_is_not_known_stays_outside(self):
        broker, publish = self.serve()
        for changed, reason in ((publish.replace("-u pump-7", "-u pump-8"), b"there is no such user"),
                                (re.sub(r"-P \S+", "-P guessed", publish), b"the password is wrong"),
                                (re.sub(r"-u \S+ -P \S+", "", publish), b"address=" + DEVICE.encode())):
            self.assertNotEqual(changed, publish)
            before = len(broker.stderr)
            self.on_a_device(changed, expect=None)
            refused = broker.wait_line(lambda line: b"connect refused" in line, broker.stderr, before)
            self.assertIn(reason, refused)
        self.on_a_device(publish)
        self.assertEqual(broker.terminate(), 0, broker.report())

    def test_who_does_not_trust_the_broker_says_nothing_to_it(self):
        broker, publish = self.serve()
        self.on_a_device(f"{self.home}/build/release/chappe cert --dir other --name {HOST}")
        for changed in (publish.replace("ca.pem", "other/ca.pem"), publish.replace("--cafile ca.pem", "--capath other"),
                        publish.replace("--cafile ca.pem", "")):
            self.assertNotEqual(changed, publish)
            self.on_a_device(changed, expect=None)
        self.assertFalse([line for line in broker.stderr if b"client connected" in line])
        self.on_a_device(publish)
        self.assertEqual(broker.terminate(), 0, broker.report())


if __name__ == "__main__":
    unittest.main()
