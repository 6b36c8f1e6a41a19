"""Names, addresses, files and the recorded state of one fleet. No side effects but the state file."""

import json
import os
import shutil
import stat
from dataclasses import asdict, dataclass, field
from pathlib import Path

ENVIRONMENT = "production"
DOMAIN = "production.wpdn"
JUMP = "salt"
MARKER = ".jumpdeck-fleet"

# 198.18.0.0/15 is set aside for tests of network devices (RFC 2544): no machine's real network is in it.
OUTSIDE = "198.18"
INSIDE = "198.19"


# salt: as a fleet that Salt manages. plain: no Salt anywhere, and the inventory says which files name the database.
# proxy: as plain, and the applications connect to a HAProxy of their own host, whose configuration is what names the database.
LAYOUTS = ("salt", "plain", "proxy")


class FleetError(Exception):
    """Something a person must read: said in one line, without a traceback."""


@dataclass
class Machine:
    """One host: what it is, and once it runs, its processes."""

    name: str
    number: int
    user: str = "root"
    shell: str = "bash"
    sudo: bool = False
    server_id: int = 0
    grain_roles: bool = False
    plain: bool = False
    # Marks a host that was booted in the cloud: another one may bear its name.
    twin: str = ""
    # What the inventory says it is, where that is not what its name tells.
    role: str = ""
    pid: int = 0
    started: int = 0

    @property
    def is_jump(self):
        return self.name == JUMP

    @property
    def label(self):
        """Its name, or name~twin: unlike the name it is one host's alone."""
        return f"{self.name}~{self.twin}" if self.twin else self.name

    @property
    def veth(self):
        """The jump box's end of its cable; interface names have at most 15 characters."""
        return f"v{self.number}-{self.name}"[:15]

    @property
    def fqdn(self):
        return f"{self.name}.{DOMAIN}"

    def roles(self):
        """Its role, or those its name tells: digits dropped, split on dashes."""
        if self.role:
            return [self.role]
        return [part for part in "".join(c for c in self.name if not c.isdigit()).split("-") if part]


def standard_machines():
    """The hosts that the role requirements ask for. Login shells differ on purpose: a probe must not care.

    db1-masterdb is asked as root over the socket, db2 with the option file of a monitoring account,
    db3 as an ordinary user with sudo.
    """
    rows = [
        Machine(JUMP, 1),
        Machine("db1-masterdb", 11, server_id=1, grain_roles=True),
        Machine("db2", 12, server_id=2, grain_roles=True),
        Machine("db3", 13, server_id=3, user="ops", sudo=True),
        Machine("app1", 21),
        Machine("app2", 22, user="ops", sudo=True),
        # It serves pages and has no database: no runbook for applications reaches it.
        Machine("app3", 23, role="web"),
        Machine("memcache1", 31, shell="tcsh"),
        Machine("memcache2", 32, shell="zsh"),
        Machine("backup", 41, shell="dash"),
        Machine("mail", 42, shell="fish"),
        Machine("source", 43),
        Machine("sessions1", 44),
        Machine("accounts", 45),
        Machine("elastic", 46),
    ]
    return rows


def plain_machines(count):
    """`count` further hosts without a role to play: sshd only."""
    return [Machine(f"plain{n:02}", 99 + n, plain=True) for n in range(1, count + 1)]


@dataclass
class Fleet:
    """One fleet, as `state.json` in its directory records it."""

    name: str
    directory: Path
    hosts: int = 0
    only_plain: bool = False
    # One of LAYOUTS.
    layout: str = "salt"
    rtt_ms: float = 0.0
    replication: str = "gtid"
    slot: int = -1
    up_seconds: float = 0.0
    proxy: dict = field(default_factory=dict)
    agent: dict = field(default_factory=dict)
    machines: list = field(default_factory=list)

    # Addresses.
    @property
    def link(self):
        """This machine's end of the one cable to the jump box."""
        return f"jdfleet{self.slot}"

    @property
    def our_address(self):
        return f"{OUTSIDE}.{self.slot}.1"

    @property
    def jump_address(self):
        return f"{OUTSIDE}.{self.slot}.2"

    @property
    def inside_net(self):
        return f"{INSIDE}.{self.slot}.0/24"

    def address(self, machine):
        """A host's address on the inner network."""
        return f"{INSIDE}.{self.slot}.{machine.number}"

    def jump_endpoint(self):
        """Where a client finds the jump box: itself, or the proxy that adds the round trip."""
        if self.proxy:
            return "127.0.0.1", self.proxy["port"]
        return self.jump_address, 22

    # Machines.
    @property
    def jump(self):
        return self.machine(JUMP)

    def machine(self, name):
        """The host of that label or name; of two with one name the older."""
        for machine in self.machines:
            if name in (machine.label, machine.name):
                return machine
        raise FleetError(f"no host {name!r}; there are: {' '.join(m.name for m in self.machines)}")

    @property
    def has_salt(self):
        return self.layout == "salt"

    @property
    def has_names(self):
        """Whether the jump box is the name server."""
        return self.has_salt and not self.only_plain and all(map(shutil.which, ("gdnsd", "gdnsdctl")))

    @property
    def has_proxies(self):
        return self.layout == "proxy"

    def databases(self):
        return [m for m in self.machines if m.server_id]

    def apps(self):
        return [m for m in self.present() if "app" in m.roles() and not m.plain]

    def present(self):
        """One host of every name: what the inventory lists."""
        return [m for m in self.machines if self.machine(m.name) is m]

    # Files.
    def path(self, *parts):
        return self.directory.joinpath(*parts)

    def home(self, machine):
        """A host's own directory."""
        return self.path("hosts", machine.label)

    @property
    def key(self):
        """The one key of the operator."""
        return self.path("id_ed25519")

    # State.
    def save(self):
        """Writes state.json whole or not at all."""
        data = asdict(self)
        data["directory"] = str(self.directory)
        part = self.path("state.json.part")
        part.write_text(json.dumps(data, indent=1) + "\n")
        os.replace(part, self.path("state.json"))

    @classmethod
    def load(cls, directory):
        """The recorded fleet, or None when there is none."""
        if not directory.joinpath(MARKER).exists():
            return None
        # What root reads here tells it which processes to end: nobody else may have written it.
        if directory.lstat().st_uid != os.getuid() or stat.S_IMODE(directory.lstat().st_mode) & 0o022:
            raise FleetError(f"{directory} can be written by others: not touching it")
        try:
            data = json.loads(directory.joinpath("state.json").read_text())
        except FileNotFoundError:
            return cls(directory.name, directory)
        data["directory"] = directory
        data["machines"] = [Machine(**row) for row in data["machines"]]
        return cls(**data)


def default_directory(name):
    """`${XDG_RUNTIME_DIR:-/tmp}/jumpdeck-fleet-UID`, with the name of a second fleet behind it."""
    base = os.environ.get("XDG_RUNTIME_DIR") or "/tmp"
    suffix = "" if name == "fleet" else f"-{name}"
    return Path(base, f"jumpdeck-fleet-{os.getuid()}{suffix}")
