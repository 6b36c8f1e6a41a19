"""How a client gets in: the operator's key, known_hosts, ssh_config and inventory.toml, all in the fleet's directory."""

from pathlib import Path

from . import apps, daemons, proxy
from .layout import DOMAIN, ENVIRONMENT
from .machine import write
from .processes import run


def make_key(fleet):
    """The operator's one key for this level."""
    run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "operator", "-f", str(fleet.key))


def write_all(fleet):
    """Writes the client's files; called again when an address or a port changed."""
    write_known_hosts(fleet)
    write_ssh_config(fleet)
    write(fleet.path("inventory.toml"), inventory(fleet))


def host_key(fleet, machine):
    """Type and base64 of a host's public key."""
    public = Path(fleet.home(machine) / "etc" / "ssh" / "ssh_host_ed25519_key.pub").read_text().split()
    return f"{public[0]} {public[1]}"


def write_known_hosts(fleet):
    """Every host under the names and addresses a client may use."""
    address, port = fleet.jump_endpoint()
    seen_as = address if port == 22 else f"[{address}]:{port}"
    lines = []
    for machine in fleet.present():
        names = [machine.fqdn, machine.name, fleet.address(machine)]
        if machine.is_jump:
            names += [fleet.jump_address] + ([seen_as] if seen_as != fleet.jump_address else [])
        lines.append(f"{','.join(names)} {host_key(fleet, machine)}")
    write(fleet.path("known_hosts"), "\n".join(lines) + "\n", 0o600)


def write_ssh_config(fleet):
    """For OpenSSH's own client: `ssh -F DIR/ssh_config app1`."""
    address, port = fleet.jump_endpoint()
    lines = [
        "Host *",
        f"  IdentityFile {fleet.key}",
        "  IdentitiesOnly yes",
        f"  UserKnownHostsFile {fleet.path('known_hosts')}",
        "  GlobalKnownHostsFile /dev/null",
        "  StrictHostKeyChecking yes",
        "  ForwardAgent no",
        "  LogLevel ERROR",
    ]
    for machine in fleet.present():
        lines += ["", f"Host {machine.name}", f"  User {machine.user}"]
        if machine.is_jump:
            lines += [f"  HostName {address}", f"  Port {port}"]
        else:
            lines += [f"  HostName {fleet.address(machine)}", f"  ProxyJump {fleet.jump.name}"]
    write(fleet.path("ssh_config"), "\n".join(lines) + "\n", 0o600)


def database_files(fleet):
    """What the inventory says names the database."""
    return proxy.DATABASE_FILES if fleet.has_proxies else apps.DATABASE_FILES


def inventory(fleet):
    """inventory.toml for the console. Thresholds of what all hosts share with this machine (load, memory, disks) are
    out of the way: a busy build machine is not a sick fleet."""
    address, port = fleet.jump_endpoint()
    rows = [
        f"# The real fleet of the tests, made by tests/fleet ({fleet.name}).",
        f'keys = ["{fleet.key}"]',
        f'known_hosts = ["{fleet.path("known_hosts")}"]',
        "agent = false",
        "",
        f"[environments.{ENVIRONMENT}]",
        f'level = "{ENVIRONMENT}"',
        *daemons.declared(fleet),
        f'domain = "{DOMAIN}"',
        f'jump = {{ name = "{fleet.jump.name}", address = "{address}", port = {port}, user = "{fleet.jump.user}" }}',
        'user = "root"',
    ]
    if fleet.only_plain:
        rows.append("default_requirements = false")
    if not fleet.has_salt:
        rows += ["salt = false", "database_files = [", *(f"  {row}," for row in database_files(fleet)), "]"]
    rows += ["", f"[environments.{ENVIRONMENT}.thresholds]"]
    for name in ("load_one_per_cpu", "load_five_per_cpu"):
        rows.append(f"{name} = {{ warning = 500, critical = 1000 }}")
    for name in ("memory", "swap", "disk", "inodes"):
        rows.append(f"{name} = {{ warning = 99, critical = 100 }}")
    rows += ["", f"[environments.{ENVIRONMENT}.hosts]"]
    # In a bench the jump box is only the way: the rivals do not ask it either.
    for machine in (m for m in fleet.present() if not (m.is_jump and fleet.only_plain and fleet.hosts)):
        # The jump box is asked over the jump connection itself: it has no second address.
        fields = [] if machine.is_jump else [f'address = "{fleet.address(machine)}"']
        if machine.role:
            fields.append(f'roles = ["{machine.role}"]')
        if machine.user != "root":
            fields.append(f'user = "{machine.user}"')
        if machine.sudo:
            fields.append("sudo = true")
        rows.append(f"{machine.name} = {{ {', '.join(fields)} }}" if fields else f"{machine.name} = {{}}")
    return "\n".join(rows) + "\n"
