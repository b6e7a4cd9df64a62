"""Debian's slapd: a directory server with a few people and groups."""

import glob
import os
import socket

from . import limits, ports
from .polling import ask_until
from .process import Process
from .server import PEERS

ROOT = os.path.join(PEERS, "slapd")
SLAPD = os.path.join(ROOT, "usr", "sbin", "slapd")

CONFIG = """
include {root}/etc/ldap/schema/core.schema
include {root}/etc/ldap/schema/cosine.schema
include {root}/etc/ldap/schema/inetorgperson.schema
modulepath {root}/usr/lib/ldap
moduleload back_mdb
pidfile {folder}/slapd.pid
# What many servers do: a bind with a name and no password succeeds, as nobody.
allow bind_anon_cred
{tls}
database mdb
suffix dc=example,dc=org
directory {folder}/db
access to attrs=userPassword by anonymous auth by * none
access to dn.subtree=ou=groups,dc=example,dc=org by users read by * none
access to * by {readers} read by self read by * {strangers}
"""

TLS = "TLSCertificateFile {0}.pem\nTLSCertificateKeyFile {0}.key\n"

PEOPLE = """
dn: dc=example,dc=org
objectClass: domain
dc: example

dn: ou=people,dc=example,dc=org
objectClass: organizationalUnit
ou: people

dn: ou=groups,dc=example,dc=org
objectClass: organizationalUnit
ou: groups

dn: cn=chappe,dc=example,dc=org
objectClass: organizationalRole
objectClass: simpleSecurityObject
cn: chappe
userPassword: looks for others

dn: uid=alice,ou=people,dc=example,dc=org
objectClass: inetOrgPerson
uid: alice
cn: Alice
sn: A
mail: alice@example.org
mail: shared@example.org
userPassword: secret of alice

dn: uid=bob,ou=people,dc=example,dc=org
objectClass: inetOrgPerson
uid: bob
cn: Bob (the *)
sn: B
mail: shared@example.org
userPassword: secret of bob

dn: cn=operators,ou=groups,dc=example,dc=org
objectClass: groupOfNames
cn: operators
member: uid=alice,ou=people,dc=example,dc=org

dn: cn=staff,ou=groups,dc=example,dc=org
objectClass: groupOfNames
cn: staff
member: uid=alice,ou=people,dc=example,dc=org
member: uid=bob,ou=people,dc=example,dc=org
"""


class Slapd:
    """Listens at `port` of 127.0.0.1 until it is stopped; with the path of a certificate, without its ending, by TLS."""

    def __init__(self, case, certificate=None, start_tls=False, strangers_may_read=False):
        folder = case.scratch_folder()
        os.mkdir(os.path.join(folder, "db"))
        self._config = os.path.join(folder, "slapd.conf")
        self.port = ports.free_port()
        self.scheme = "ldaps" if certificate and not start_tls else "ldap"
        with open(self._config, "w", encoding="utf-8") as file:
            file.write(CONFIG.format(root=ROOT, folder=folder, tls=TLS.format(certificate) if certificate else "",
                                     readers='dn.exact="cn=chappe,dc=example,dc=org"',
                                     strangers="read" if strangers_may_read else "auth"))
        people = os.path.join(folder, "people.ldif")
        with open(people, "w", encoding="utf-8") as file:
            file.write(PEOPLE.lstrip())
        libraries = ":".join(glob.glob(os.path.join(ROOT, "usr", "lib", "*-linux-gnu")))
        self._environment = {**os.environ, "LD_LIBRARY_PATH": libraries}
        adding = Process([SLAPD, "-T", "add", "-f", self._config, "-l", people], env=self._environment)
        case.addCleanup(adding.kill)
        case.assertEqual(adding.finish(), 0, adding.report())
        self.process = None
        case.addCleanup(self.stop)
        self.start()

    @property
    def url(self):
        return f"{self.scheme}://127.0.0.1:{self.port}"

    def start(self):
        self.process = Process([SLAPD, "-f", self._config, "-h", f"{self.scheme}://127.0.0.1:{self.port}/", "-d", "0"],
                               env=self._environment)
        ask_until(bool, self._accepts, "connection to slapd", limits.START_SECONDS)

    def stop(self):
        """At once, with all its connections."""
        self.process.kill()

    def _accepts(self):
        if not self.process.running():
            raise AssertionError(f"slapd has ended\n{self.process.report()}")
        try:
            socket.create_connection(("127.0.0.1", self.port), limits.EVENT_SECONDS).close()
        except ConnectionRefusedError:
            return False
        return True
