"""Debian's nginx and haproxy in front of the broker, set up as docs/proxies.md says."""

import os
import re
import socket

from . import limits
from .polling import ask_until
from .process import Process
from .server import PEERS, ROOT

NGINX = os.path.join(PEERS, "nginx", "usr", "sbin", "nginx")
NGINX_STREAM = os.path.join(PEERS, "nginx", "usr", "lib", "nginx", "modules", "ngx_stream_module.so")
HAPROXY = os.path.join(PEERS, "haproxy", "usr", "sbin", "haproxy")


def recipe(heading, language, changes):
    """The example in this language below a heading of docs/proxies.md; in it texts are changed, each of which must be there."""
    with open(os.path.join(ROOT, "docs", "proxies.md"), encoding="utf-8") as file:
        section = file.read().split(f"\n## {heading}\n", 1)[1].split("\n## ", 1)[0]
    text = re.search(rf"```{language}\n(.*?)```", section, re.DOTALL)[1]
    for old, new in changes.items():
        if old not in text:
            raise AssertionError(f"{old} is not in the recipe:\n{text}")
        text = text.replace(old, new)
    return text


class ReverseProxy:
    """Runs in the foreground until it is stopped, listening at `port` of 127.0.0.1."""

    def __init__(self, case, folder, port, config):
        self._folder, self.host, self.port = folder, "127.0.0.1", port
        self._path = os.path.join(folder, "proxy.conf")
        with open(self._path, "w", encoding="utf-8") as file:
            file.write(config)
        self.process = None
        case.addCleanup(self.stop)
        self.start()

    def start(self):
        self.process = Process(self.command(self._path))
        ask_until(bool, self._accepts, f"connection to {self.process.name}", limits.START_SECONDS)

    def stop(self):
        """At once, with all its connections."""
        self.process.kill()

    def restart(self):
        self.stop()
        self.start()

    def _accepts(self):
        if not self.process.running():
            raise AssertionError(f"it has ended\n{self.process.report()}")
        try:
            socket.create_connection((self.host, self.port), limits.EVENT_SECONDS).close()
        except ConnectionRefusedError:
            return False
        return True


class Nginx(ReverseProxy):
    def __init__(self, case, folder, port, config):
        # One process, so that to end it is to end it all. Requests are not kept in files here, but it wants folders for them.
        head = f"load_module {NGINX_STREAM};\ndaemon off;\nmaster_process off;\npid {folder}/nginx.pid;\n"
        head += "error_log stderr notice;\nevents {}\n"
        if not config.startswith("stream {"):
            kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
            folders = "".join(f"{kind}_temp_path {folder}/{kind};\n" for kind in kinds)
            config = f"http {{\naccess_log off;\n{folders}{config}}}\n"
        super().__init__(case, folder, port, head + config)

    def command(self, path):
        return [NGINX, "-p", self._folder, "-e", "stderr", "-c", path]


class Haproxy(ReverseProxy):
    def command(self, path):
        return [HAPROXY, "-db", "-f", path]
