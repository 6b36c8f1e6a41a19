"""One host: the files laid over its /etc, its namespaces, its daemons."""

import shutil
import subprocess
import uuid
from pathlib import Path

from . import processes
from .layout import DOMAIN, ENVIRONMENT, FleetError
from .processes import run

# Debian's defaults are sshd's defaults (MaxStartups 10:30:100, MaxSessions 10) but for PAM, which would want services
# that do not run in a host of ours.
SSHD_CONFIG = """\
HostKey /etc/ssh/ssh_host_ed25519_key
AuthorizedKeysFile /etc/ssh/authorized_keys
PermitRootLogin prohibit-password
PasswordAuthentication no
KbdInteractiveAuthentication no
UsePAM no
PrintMotd no
PidFile /run/sshd.pid
LogLevel VERBOSE
"""

BANNER = r"""
   ___ __ _| | |_    level: production
  (_-</ _` | |  _|   the one way in; `ProxyJump salt`
  /__/\__,_|_|\__|   agent forwarding is never used
"""

START_SSHD = """\
#!/bin/sh
exec </dev/null >>/var/log/sshd.log 2>&1
mkdir -p /run/sshd
setsid /usr/sbin/sshd -D -e &
"""

# What the bench's rival needs that logs in to all hosts at once, each through a connection of its own.
RAISED_LIMITS = "MaxStartups 1000\nMaxSessions 1000\n"

OPS_UID = 1900
OPERATORS_GID = 1901


def shell_path(name):
    """The login shell, or bash where it is not installed."""
    return shutil.which(name) or "/bin/bash"


def write(path, text, mode=0o644):
    """One file of a host, with its directories."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(mode)


def grains(machine):
    """The grains file of a host as new."""
    text = f"level: {ENVIRONMENT}\n"
    if machine.grain_roles:
        text += "roles:\n" + "".join(f"  - {role}\n" for role in machine.roles())
    return text


def put(machine, path, text, mode=0o644):
    """Replaces one file inside a running host, whole or not at all. The text goes in on stdin: it may be a secret."""
    run(*processes.inside(machine, "sh", "-c", 'umask 077; mkdir -p -m 755 "${1%/*}"; cat >"$1.new" && chmod "$2" "$1.new" && '
                          'mv "$1.new" "$1"', "put", path, f"{mode:o}"), text=text)  # fmt: skip


def make_host_key(directory):
    """A fresh ed25519 host key in `directory`."""
    directory.mkdir(parents=True, exist_ok=True)
    key = directory / "ssh_host_ed25519_key"
    for old in (key, Path(f"{key}.pub")):
        old.unlink(missing_ok=True)
    run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "", "-f", str(key))


def accounts(machine):
    """passwd, shadow and group: the machine's own, root with the host's login shell, `ops`, and the group of operators."""
    shell = shell_path(machine.shell)
    passwd = [f"root:x:0:0:root:/root:{shell}"]
    passwd += [line for line in Path("/etc/passwd").read_text().splitlines() if not line.startswith(("root:", "ops:"))]
    passwd.append(f"ops:x:{OPS_UID}:{OPS_UID}::/home/ops:{shell}")
    shadow = ["root:*:19000:0:99999:7:::"]
    shadow += [line for line in Path("/etc/shadow").read_text().splitlines() if not line.startswith(("root:", "ops:"))]
    shadow.append("ops:*:19000:0:99999:7:::")
    groups = [line for line in Path("/etc/group").read_text().splitlines() if not line.startswith(("ops:", "jumpdeck:"))]
    groups.append(f"ops:x:{OPS_UID}:")
    groups.append(f"jumpdeck:x:{OPERATORS_GID}:ops")
    return passwd, shadow, groups


def prepare(fleet, machine):
    """Writes everything that makes the host itself. Nothing runs yet."""
    home = fleet.home(machine)
    etc = home / "etc"
    home.mkdir(parents=True)
    (home / "log").mkdir()
    write(etc / "hostname", machine.name + "\n")
    write(etc / "machine-id", uuid.uuid4().hex + "\n", 0o444)
    write(etc / "resolv.conf", resolv_conf(fleet, machine))
    write(etc / "hosts", hosts_file(fleet))
    passwd, shadow, groups = accounts(machine)
    write(etc / "passwd", "\n".join(passwd) + "\n")
    write(etc / "shadow", "\n".join(shadow) + "\n", 0o600)
    write(etc / "group", "\n".join(groups) + "\n")
    if fleet.has_salt:
        write(etc / "salt" / "grains", grains(machine))

    if machine.sudo:
        write(etc / "sudoers.d" / "jumpdeck-ops", "ops ALL=(root) NOPASSWD: ALL\n", 0o440)

    make_host_key(etc / "ssh")
    write(etc / "ssh" / "sshd_config", sshd_config(machine))
    write(etc / "ssh" / "authorized_keys", Path(f"{fleet.key}.pub").read_text())
    if machine.is_jump:
        write(etc / "ssh" / "banner", BANNER)
    write(etc / "jumpdeck" / "start-sshd", START_SSHD, 0o755)


def sshd_config(machine, raised=False):
    """The host's sshd_config; the jump box also shows a banner before the login."""
    text = (RAISED_LIMITS if raised else "") + SSHD_CONFIG
    return text + "Banner /etc/ssh/banner\n" if machine.is_jump else text


def hosts_file(fleet):
    """Every host by its short and its full name, and the alias of the master as a fresh fleet has it: as the state `hosts` writes it."""
    lines = ["127.0.0.1 localhost", f"{fleet.address(fleet.jump)} {fleet.jump.fqdn} {fleet.jump.name}"]
    lines += [f"{fleet.address(m)} masterdb.{DOMAIN} masterdb" for m in fleet.databases()[:1]]
    lines += [f"{fleet.address(m)} {m.fqdn} {m.name}" for m in fleet.present() if not m.is_jump]
    return "\n".join(lines) + "\n"


def resolv_conf(fleet, machine):
    """Whom the host asks for names; the jump box asks itself."""
    if not fleet.has_names:
        return ""
    server = "127.0.0.1" if machine.is_jump else fleet.address(fleet.jump)
    return f"search {DOMAIN}\nnameserver {server}\noptions timeout:1 attempts:2\n"


def start(fleet, machine):
    """Starts the host's first process in new namespaces; `record` learns its pid."""
    home = fleet.home(machine)
    script = Path(__file__).parent.parent / "host-init.sh"
    with open(home / "log" / "init.log", "ab") as log:
        subprocess.Popen(
            ["unshare", "--net", "--mount", "--uts", "--pid", "--fork", "--kill-child", "--",
             "/bin/sh", str(script), str(home), machine.name],
            stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True, cwd="/",
        )  # fmt: skip


def record(fleet, machine):
    """Waits until the host's first process has said its pid, and records it."""
    told = fleet.home(machine) / "pid"
    if not processes.wait_for(told.exists, 20):
        log = (fleet.home(machine) / "log" / "init.log").read_text().strip()
        raise FleetError(f"{machine.name} did not start: {log or 'no word from it'}")
    machine.pid = int(told.read_text())
    machine.started = processes.start_time(machine.pid)


def wait_ready(machine, seconds=20):
    """Waits until the host's sshd listens."""
    if not processes.wait_for(lambda: processes.is_listening(machine, 22), seconds):
        raise FleetError(f"{machine.name}: sshd does not listen, see its log/sshd.log")


def daemons(machine, program):
    """The host's processes that run this program."""
    here = processes.namespace(machine.pid)
    return processes.of_program(processes.inhabitants({here}), program) if here else []
