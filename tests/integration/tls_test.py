"""TLS, with certificates that `chappe cert` has made, and the clients that people have."""

import os
import signal
import socket
import ssl
import unittest

from support import limits, packets, ports
from support.case import BrokerCase
from support.mosquitto_tools import Subscriber, publish, run
from support.process import Process
from support.server import chappe_command, unlike_mosquitto


def make_certificates(folder, *options, expect=0):
    """`chappe cert`; returns the process that has ended."""
    process = Process([chappe_command(), "cert", "--dir", folder, *options])
    code = process.finish()
    if code != expect:
        raise AssertionError(f"chappe cert ended with {code}, not {expect}\n{process.report()}")
    return process


class TlsCase(BrokerCase):
    def setUp(self):
        self.folder = self.scratch_folder()
        make_certificates(self.folder, "--name", "localhost", "--name", "127.0.0.1")

    def file(self, name):
        return os.path.join(self.folder, name)

    def serve(self, *flags, certificate="server"):
        self.port = ports.free_port("127.0.0.1")
        own = ["--tls-certificate", self.file(certificate + ".pem"), "--tls-key", self.file(certificate + ".key")]
        self.server = self.start_server(listen=[f"mqtts://127.0.0.1:{self.port}"], flags=[*own, *flags])
        return self.server

    @property
    def where(self):
        return ["-h", "localhost", "-p", str(self.port), "--cafile", self.file("ca.pem")]

    def context(self, client=None):
        context = ssl.create_default_context(cafile=self.file("ca.pem"))
        if client is not None:
            context.load_cert_chain(self.file(client + ".pem"), self.file(client + ".key"))
        return context

    def connect(self, context, name="localhost"):
        raw = socket.create_connection(("127.0.0.1", self.port), limits.EVENT_SECONDS)
        self.addCleanup(raw.close)
        return context.wrap_socket(raw, server_hostname=name)

    def greeted(self, stream):
        """Whether a CONNECT over this stream is answered with success."""
        stream.sendall(packets.connect("probe", version=4))
        return stream.recv(4) == b"\x20\x02\x00\x00"

    def wait_event(self, kind, **fields):
        def found():
            return next((event for event in self.server.broker.events()
                         if event.get("event") == kind and fields.items() <= event.items()), None)

        return self.server.process.wait_for(found, what=kind)


@unlike_mosquitto("is not set up with certificates here")
class RoadTest(TlsCase):
    def test_mosquitto_and_chappe_clients(self):
        self.serve()
        for self.tools in ("mosquitto", "chappe"):
            with self.subTest(tools=self.tools):
                subscriber = Subscriber(self, "-q", "1", "-C", "1", topics=["t"], where=self.where)
                publish(self, "-q", "1", "-t", "t", "-m", "x" * 100_000, where=self.where)
                (message,) = subscriber.messages(1)
                self.assertEqual(message.payload, b"x" * 100_000)

    def test_a_client_that_does_not_know_the_ca_does_not_trust_the_broker(self):
        self.serve()
        other = self.scratch_folder()
        make_certificates(other, "--name", "localhost")
        where = ["-h", "localhost", "-p", str(self.port), "--cafile", os.path.join(other, "ca.pem")]
        self.tools = "chappe"
        refused = run(self, "pub", "-t", "t", "-m", "x", where=where, expect=3)
        self.assertIn(b"the peer's certificate is refused", b"\n".join(refused.stderr))
        publish(self, "-t", "t", "-m", "x", where=self.where)

    def test_a_name_that_the_certificate_does_not_have(self):
        self.serve()
        self.tools = "chappe"
        where = ["-h", "127.0.0.2", "-p", str(self.port), "--cafile", self.file("ca.pem")]
        self.server_two = self.start_server(
            listen=[f"mqtts://127.0.0.2:{self.port}"],
            flags=["--tls-certificate", self.file("server.pem"), "--tls-key", self.file("server.key")])
        refused = run(self, "pub", "-t", "t", "-m", "x", where=where, expect=3)
        self.assertIn(b"IP address mismatch", b"\n".join(refused.stderr))
        publish(self, "-t", "t", "-m", "x", "--insecure", where=where)

    def test_only_modern_tls(self):
        self.serve("--set", "tls.version_least=1.3")
        context = self.context()
        context.maximum_version = ssl.TLSVersion.TLSv1_2
        with self.assertRaises(ssl.SSLError):
            self.connect(context)
        self.assertTrue(self.greeted(self.connect(self.context())))

    def test_application_protocol(self):
        self.serve()
        context = self.context()
        context.set_alpn_protocols(["mqtt"])
        stream = self.connect(context)
        self.assertEqual(stream.selected_alpn_protocol(), "mqtt")
        self.assertTrue(self.greeted(stream))

    def test_a_session_is_resumed(self):
        self.serve()
        context = self.context()
        context.maximum_version = ssl.TLSVersion.TLSv1_2  # Whose ticket comes with the handshake.
        first = self.connect(context)
        raw = socket.create_connection(("127.0.0.1", self.port), limits.EVENT_SECONDS)
        self.addCleanup(raw.close)
        second = context.wrap_socket(raw, server_hostname="localhost", session=first.session)
        self.assertTrue(second.session_reused)
        self.assertTrue(self.greeted(second))

    def test_whoever_does_not_speak_tls_is_told_in_the_log(self):
        self.serve()
        raw = socket.create_connection(("127.0.0.1", self.port), limits.EVENT_SECONDS)
        self.addCleanup(raw.close)
        raw.sendall(packets.connect("plain", version=4))
        self.wait_event("connect_refused", address="%s:%d" % raw.getsockname())
        (reason,) = {event["reason"] for event in self.server.broker.events() if event["event"] == "connect_refused"}
        self.assertIn("the peer does not speak TLS", reason)


@unlike_mosquitto("is not set up with certificates here")
class ClientCertificateTest(TlsCase):
    def setUp(self):
        super().setUp()
        make_certificates(self.folder, "--client", "pump-7", "--client", "stolen")

    def mutual(self, *flags):
        self.serve("--tls-ca", self.file("ca.pem"), "--set", "tls.client_certificates=required", *flags)

    def test_is_shown_by_mosquitto_and_chappe_clients(self):
        self.mutual()
        own = ["--cert", self.file("pump-7.pem"), "--key", self.file("pump-7.key")]
        for self.tools in ("mosquitto", "chappe"):
            publish(self, "-q", "1", "-t", "t", "-m", "x", *own, where=self.where)
            run(self, "pub", "-t", "t", "-m", "x", where=self.where, expect=None)
        self.wait_event("connect_refused")

    def assert_refused(self, context):
        with self.assertRaises((ssl.SSLError, ConnectionError)):
            stream = self.connect(context)  # With TLS 1.3 it is told after its own part of the handshake.
            stream.sendall(packets.connect("probe", version=4))
            if not stream.recv(4):
                raise ConnectionError

    def test_a_session_is_not_resumed(self):  # Its certificate may have expired since.
        self.mutual()
        context = self.context("pump-7")
        context.maximum_version = ssl.TLSVersion.TLSv1_2
        first = self.connect(context)
        raw = socket.create_connection(("127.0.0.1", self.port), limits.EVENT_SECONDS)
        self.addCleanup(raw.close)
        self.assertFalse(context.wrap_socket(raw, server_hostname="localhost", session=first.session).session_reused)

    def test_what_was_replaced_is_revoked_too(self):
        stolen = self.context("stolen")
        make_certificates(self.folder, "--client", "stolen", "--renew", "--revoke", "stolen")
        self.mutual("--set", "tls.client_crl=" + self.file("clients.crl"))
        self.assert_refused(stolen)
        self.assertTrue(self.greeted(self.connect(self.context("stolen"))))  # It is the new one.
        make_certificates(self.folder, "--client", "stolen", "--renew")
        make_certificates(self.folder, "--revoke", "stolen")
        self.wait_event("tls_reloaded")
        self.assert_refused(self.context("stolen"))
        self.assert_refused(stolen)

    def test_revoked(self):
        make_certificates(self.folder, "--revoke", "stolen")
        self.mutual("--set", "tls.client_crl=" + self.file("clients.crl"))
        self.assertTrue(self.greeted(self.connect(self.context("pump-7"))))
        self.assert_refused(self.context("stolen"))
        reason = self.wait_event("connect_refused")["reason"]
        self.assertIn("certificate revoked", reason)

    def test_revoked_while_the_broker_runs(self):
        make_certificates(self.folder, "--revoke", "stolen")
        self.mutual("--set", "tls.client_crl=" + self.file("clients.crl"))
        staying = self.connect(self.context("pump-7"))
        self.assertTrue(self.greeted(staying))
        make_certificates(self.folder, "--revoke", "pump-7")
        self.wait_event("tls_reloaded")
        self.assert_refused(self.context("pump-7"))
        staying.sendall(b"\xc0\x00")  # PINGREQ: what is open stays.
        self.assertEqual(staying.recv(2), b"\xd0\x00")


@unlike_mosquitto("is not set up with certificates here")
class ReloadTest(TlsCase):
    def serial(self):
        return self.connect(self.context()).getpeercert()["serialNumber"]

    def test_a_new_certificate_is_noticed(self):
        self.serve()
        staying = self.connect(self.context())
        self.assertTrue(self.greeted(staying))
        before = self.serial()
        make_certificates(self.folder, "--name", "localhost", "--renew")
        self.wait_event("tls_reloaded")
        self.server.process.wait_for(lambda: self.serial() != before or None, what="the new certificate")
        staying.sendall(b"\xc0\x00")
        self.assertEqual(staying.recv(2), b"\xd0\x00")

    def test_a_listener_that_is_gone_from_the_file_stays_as_it_was(self):
        own = f'certificates = ["{self.file("server.pem")}"]\nkeys = ["{self.file("server.key")}"]\n'
        self.port = ports.free_port("127.0.0.1")
        config = self.file("chappe.toml")
        plain = f'"mqtt://127.0.0.1:{ports.free_port("127.0.0.1")}"'
        with open(config, "w", encoding="utf-8") as file:
            file.write(f'[server]\nlisten = [{plain}, "mqtts://127.0.0.1:{self.port}"]\n[tls]\n{own}')
        self.server = self.start_server(listen=(), flags=["--config", config])
        with open(config, "w", encoding="utf-8") as file:
            file.write(f"[server]\nlisten = [{plain}]\n")
        self.server.process.signal(signal.SIGHUP)
        self.wait_event("reloaded")
        self.assertTrue(self.greeted(self.connect(self.context())))

    def test_a_bad_file_is_reported_and_the_old_one_stays(self):
        self.serve()
        before = self.serial()
        with open(self.file("server.pem"), "w", encoding="utf-8") as file:
            file.write("oops\n")
        reason = self.wait_event("tls_reload_failed")["reason"]
        self.assertIn(self.file("server.pem") + ": has no certificate", reason)
        self.assertEqual(self.serial(), before)
        self.server.process.signal(signal.SIGHUP)
        self.wait_event("reload_failed")
        self.assertEqual(self.serial(), before)

    def test_a_broker_does_not_start_with_a_bad_file(self):
        process = Process([chappe_command(), "serve", "--listen", "mqtts://127.0.0.1:0", "--tls-certificate",
                           self.file("server.pem"), "--tls-key", self.file("ca.key")])
        self.addCleanup(process.kill)
        self.assertEqual(process.finish(), 2)
        self.assertIn("is not the key of the certificate", b"\n".join(process.stderr).decode())


@unlike_mosquitto("is not set up with certificates here")
class ServerNameTest(TlsCase):
    def test_each_name_has_its_certificate(self):
        os.rename(self.file("server.pem"), self.file("first.pem"))
        os.rename(self.file("server.key"), self.file("first.key"))
        make_certificates(self.folder, "--name", "second.example")
        self.serve("--tls-certificate", self.file("server.pem"), "--tls-key", self.file("server.key"), certificate="first")
        names = {name: dict(entry[0] for entry in self.connect(self.context(), name).getpeercert()["subject"])["commonName"]
                 for name in ("localhost", "second.example")}
        self.assertEqual(names, {"localhost": "localhost", "second.example": "second.example"})


@unlike_mosquitto("is not set up with certificates here")
class CertCommandTest(TlsCase):
    def test_keys_are_for_their_owner(self):
        make_certificates(self.folder, "--client", "pump-7")
        for name in ("ca", "server", "pump-7"):
            self.assertEqual(os.stat(self.file(name + ".key")).st_mode & 0o777, 0o600)

    def test_no_client_finds_it_good_for_too_long(self):
        self.serve()
        shown = self.connect(self.context()).getpeercert()
        seconds = ssl.cert_time_to_seconds(shown["notAfter"]) - ssl.cert_time_to_seconds(shown["notBefore"])
        self.assertLessEqual(seconds, 820 * 86_400 + 2)  # The clock may go on while it is made.
        self.assertGreater(seconds, 800 * 86_400)

    def test_nothing_is_replaced_unless_told(self):
        make_certificates(self.folder, "--client", "pump-7")
        for words in ((), ("--client", "pump-7"), ("--name", "localhost")):
            refused = make_certificates(self.folder, *words, expect=1)
            self.assertIn(b"--renew", b"\n".join(refused.stderr))
        make_certificates(self.folder, "--client", "pump-7", "--renew")

    def test_first_steps_name_the_files_and_the_host(self):
        said = b"\n".join(make_certificates(self.folder, "--name", "broker.lan", "--renew").stdout).decode()
        for words in ("--tls-certificate " + self.file("server.pem"), "mosquitto_pub -h broker.lan -p 8883 --cafile ca.pem",
                      "chappe user add NAME", "-u NAME -P PASSWORD", "setCACert", 'mqtt.connect("NAME", "NAME", "PASSWORD")',
                      "client.tls_set", "client.username_pw_set"):
            self.assertIn(words, said)

    def test_a_key_whose_certificate_is_missing_stays(self):
        os.rename(self.file("ca.pem"), self.file("lost.pem"))
        refused = make_certificates(self.folder, "--client", "pump-7", expect=1)
        self.assertIn(b"is not there, but its key is", b"\n".join(refused.stderr))

    def test_names_of_servers(self):
        for name in ("", "a,b", "fe80::1%lo", "a/b", "a:1"):
            make_certificates(self.folder, "--renew", "--name", name, expect=2)
        make_certificates(self.folder, "--renew", "--name", "a" * 60 + ".example", "--name", "*.plant.lan", "--name", "::1")
        self.serve()
        self.assertTrue(self.greeted(self.connect(self.context(), "a" * 60 + ".example")))
        self.assertTrue(self.greeted(self.connect(self.context(), "broker.plant.lan")))

    def test_a_name_must_fit_a_file(self):
        for name in ("../x", "a b", "ca", "server", "", "x.old", "x" * 65):
            make_certificates(self.folder, "--client", name, expect=2)


if __name__ == "__main__":
    unittest.main()
