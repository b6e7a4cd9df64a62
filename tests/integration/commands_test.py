"""The program as a person or a script meets it: `chappe check` and `chappe config`, exit codes, and options of the client commands that
mosquitto's do not have."""

import json
import os
import unittest

from support import packets
from support.case import BrokerCase
from support.mosquitto_tools import Message, Subscriber, publish, run
from support.paho_client import PahoClient
from support.ports import free_port
from support.process import Process
from support.proxy import UP
from support.server import chappe_command, unlike_mosquitto

ADDRESS = "mqtt://127.0.0.1:0"


def text(lines):
    return b"\n".join(lines).decode()


@unlike_mosquitto("has a program of its own")
class ConfigurationTest(unittest.TestCase):
    def setUp(self):
        self.folder = BrokerCase.scratch_folder(self)

    def chappe(self, *words, expect=0):
        process = Process([chappe_command(), *words])
        self.addCleanup(process.kill)
        self.assertEqual(process.finish(), expect, process.report())
        return process

    def write(self, content):
        path = os.path.join(self.folder, "chappe.toml")
        with open(path, "w", encoding="utf-8") as file:
            file.write(content)
        return path

    def test_check_of_a_good_file(self):
        path = self.write(f'[server]\ndata_directory = "{self.folder}"\n[limits]\ninflight_max = 20\nreceive_maximum = 10\n')
        self.assertEqual(text(self.chappe("check", path).stdout), f"{path}: ok, 3 settings")

    def test_check_of_a_bad_file_names_line_and_what_would_be_right(self):
        path = self.write("[limits]\ninflight_max = 20\ninflight_min = 20\n")
        said = text(self.chappe("check", path, expect=1).stdout)
        self.assertIn(f"{path}:3:1: error: unknown setting limits.inflight_min; did you mean inflight_max?", said)
        report = json.loads(text(self.chappe("check", "--json", path, expect=1).stdout))
        self.assertEqual((report["ok"], report["findings"][0]["line"]), (False, 3))

    def test_check_of_a_file_that_is_not_there(self):
        self.assertIn("No such file", text(self.chappe("check", self.folder + "/none.toml", expect=2).stderr))

    def test_config_says_what_holds_and_where_it_comes_from(self):
        path = self.write("[limits]\ninflight_max = 20\n")
        words = ("--config", path, "--data", self.folder, "--set", "server.drops_kept=7")
        lines = [" ".join(line.decode().split()) for line in self.chappe("config", *words).stdout]
        self.assertIn(f"inflight_max = 20 # {path}:2", lines)
        self.assertIn("drops_kept = 7 # --set", lines)
        # What is left to the broker is shown as it would use it.
        self.assertIn(f'control_socket = "{self.folder}/control.sock" # default', lines)
        (shards,) = (line for line in lines if line.startswith("shards = "))
        self.assertGreaterEqual(int(shards.split()[2]), 1)
        changed = [" ".join(line.decode().split()) for line in self.chappe("config", "--changed", *words).stdout]
        self.assertIn("drops_kept = 7 # --set", changed)
        self.assertFalse([line for line in changed if line.endswith("# default")])

    def test_config_gives_a_configuration_with_the_same_settings(self):
        first = text(self.chappe("config", "--set", "limits.inflight_max=20", "--json").stdout)
        path = self.write(text(self.chappe("config", "--set", "limits.inflight_max=20").stdout))
        second = text(self.chappe("config", "--config", path, "--json").stdout)

        def values(printed):
            sections = json.loads(printed)
            return {(section, name): setting["value"] for section, settings in sections.items() if section != "listener"
                    for name, setting in settings.items()}

        self.assertEqual(values(second), values(first))

    def test_arrays_on_the_command_line(self):
        for written, printed in (("[]", "[]"), ("a,b", '["a", "b"]'), ('["a", "b"]', '["a", "b"]')):
            lines = text(self.chappe("config", "--set", f"access.certificate_roles={written}").stdout)
            self.assertIn(f"certificate_roles = {printed}", " ".join(lines.split()))

    def test_config_with_errors(self):
        self.assertIn("inflight_max", text(self.chappe("config", "--set", "limits.inflight_max=x", expect=1).stderr))

    def test_serve_does_not_start_with_a_bad_file(self):
        path = self.write("[limits]\ninflight_min = 20\n")
        said = text(self.chappe("serve", "--config", path, "--data", self.folder, expect=2).stderr)
        self.assertIn(f"{path}:2:1: error:", said)

    def test_serve_does_not_start_without_its_log(self):
        log = os.path.join(self.folder, "logs", "chappe.log")
        words = ("--listen", ADDRESS, "--data", self.folder, "--set", f"log.file={log}")
        self.assertIn(f"{log}: No such file", text(self.chappe("serve", *words, expect=1).stderr))
        self.assertFalse(os.path.exists(os.path.dirname(log)))

    def test_misspelt_words(self):
        self.assertIn('did you mean serve?', text(self.chappe("sevre", expect=2).stderr))
        self.assertIn('chappe serve: there is no option "--lissten"; did you mean --listen?',
                      text(self.chappe("serve", "--lissten", ADDRESS, expect=2).stderr))


@unlike_mosquitto("is not what these are about")
class ClientCommandsTest(BrokerCase):
    tools = "chappe"

    def test_exit_code_3_without_a_broker(self):
        nobody = ["-h", "127.0.0.1", "-p", str(free_port())]
        for tool, words in (("pub", ("-t", "t", "-m", "x")), ("sub", ("-t", "t")), ("rr", ("-t", "t", "-m", "x"))):
            self.assertIn("refused", text(run(self, tool, *words, where=nobody, expect=3).stderr))

    def test_exit_code_3_when_the_broker_refuses_the_login(self):
        self.server = self.start_server(limits_={"connections_max": 1})
        PahoClient(self, "first").connect()
        self.assertIn("0x89", text(publish(self, "-t", "t", "-m", "x", expect=3).stderr))

    def test_exit_code_4_when_the_connection_is_lost_for_good(self):
        subscriber = Subscriber(self, "--no-reconnect", topics=["t"])
        self.server.kill()
        self.assertEqual(subscriber.finish(), 4)

    def test_exit_code_4_when_another_takes_the_session(self):
        subscriber = Subscriber(self, "-i", "one", topics=["t"])
        PahoClient(self, "one").connect()
        self.assertEqual(subscriber.finish(), 4)
        self.assertIn("0x8E", text(subscriber.process.stderr))

    def test_exit_code_5_when_the_broker_refuses(self):
        self.assertIn("0x87", text(publish(self, "-q", "1", "-t", "$SYS/mine", "-m", "x", expect=5).stderr))
        self.assertIn("0x87", text(run(self, "sub", "-t", "$CONTROL/#", expect=5).stderr))

    def test_password_file(self):
        path = os.path.join(self.scratch_folder(), "password")
        with open(path, "w", encoding="utf-8") as file:
            file.write("s e c r e t\nof which this is no part\n")
        proxy = self.start_proxy()
        where = ["-h", proxy.host, "-p", str(proxy.port)]
        publish(self, "-u", "me", "--password-file", path, "-t", "t", "-m", "x", where=where, expect=3)
        (connect,) = proxy.packets(UP, packets.CONNECT)
        self.assertTrue(connect.body.endswith(packets.text("me") + packets.text("s e c r e t")))
        publish(self, "-u", "me", "--password-file", path + "2", "-t", "t", "-m", "x", expect=2)

    def test_repeat(self):
        subscriber = Subscriber(self, "-q", "1", "-C", "4", topics=["t"])
        publish(self, "-q", "1", "-t", "t", "-m", "x", "--repeat", "3", "--repeat-delay", "0.01")
        publish(self, "-q", "1", "-t", "t", "-m", "end")
        self.assertEqual(subscriber.finish(), 0)
        self.assertEqual([message.payload for message in subscriber.received()], [b"x", b"x", b"x", b"end"])

    def test_unix_socket(self):
        path = os.path.join(self.scratch_folder(), "chappe.sock")
        self.start_server(listen=(f"unix:{path}",))
        for where in (["--unix", path], ["-L", f"unix:{path}"]):
            subscriber = Subscriber(self, "-q", "1", "-C", "1", topics=["t"], where=where)
            publish(self, "-q", "1", "-t", "t", "-m", "x", where=where)
            self.assertEqual(subscriber.finish(), 0)
            self.assertEqual(subscriber.received(), [Message("t", 1, False, b"x")])


if __name__ == "__main__":
    unittest.main()
