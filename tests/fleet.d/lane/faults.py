"""What tests do to a fleet: SQL, a frozen host, a cut cable, a new host key, a jump box that goes away."""

import signal
import subprocess

from . import access, machine as machines, processes
from .database import kill, launch, wait_answering
from .layout import FleetError
from .machine import RAISED_LIMITS
from .processes import inside, run, wait_for


def freeze(machine):
    """Stops the host's sshd and its sessions: the host accepts (the kernel does) and stays silent."""
    pids = machines.daemons(machine, "sshd")
    processes.send(pids, signal.SIGSTOP)
    return len(pids)


def thaw(machine):
    """Lets a frozen host go on."""
    pids = machines.daemons(machine, "sshd")
    processes.send(pids, signal.SIGCONT)
    return len(pids)


def stop_sshd(machine):
    """Ends the host's sshd and every session of it."""

    def gone():
        # A session that was being born when its parent was ended still holds the port.
        daemons = machines.daemons(machine, "sshd")
        processes.send(daemons, signal.SIGKILL)
        return not daemons and not processes.is_listening(machine, 22)

    if not wait_for(gone, 5):
        raise FleetError(f"{machine.name}: sshd does not end")


def start_sshd(machine):
    """Starts the host's sshd when it does not listen."""
    if not processes.is_listening(machine, 22):
        subprocess.run(inside(machine, "/etc/jumpdeck/start-sshd"), stdin=subprocess.DEVNULL, check=True)
    machines.wait_ready(machine)


def restart_sshd(machine):
    """A restart that drops every session."""
    stop_sshd(machine)
    start_sshd(machine)


def rekey(fleet, machine):
    """Gives the host a new key, as a replaced machine has one. known_hosts keeps the old one until `trust`."""
    source = fleet.home(machine) / "etc" / "ssh"
    machines.make_host_key(source)
    for name, mode in (("ssh_host_ed25519_key", 0o600), ("ssh_host_ed25519_key.pub", 0o644)):
        machines.put(machine, f"/etc/ssh/{name}", (source / name).read_text(), mode)
    restart_sshd(machine)
    return run("ssh-keygen", "-l", "-f", str(source / "ssh_host_ed25519_key.pub")).split()[1]


def trust(fleet):
    """Writes known_hosts, ssh_config and inventory.toml anew from the keys and addresses the hosts have now."""
    access.write_all(fleet)


def cut(fleet, machine, others=()):
    """Takes the host's cable down: packets vanish. With `others`, only what it sends to those does: they do not hear it."""
    if not others:
        _cable(fleet, machine, "down")
        return None
    orders = "\n".join(f"route replace blackhole {fleet.address(other)}/32" for other in others)
    run(*inside(machine, "ip", "-batch", "-", net_only=True), text=orders)
    return "unheard by " + ", ".join(other.name for other in others)


def mend(fleet, machine):
    """Takes the host's cable up again; everybody hears it."""
    run(*inside(machine, "ip", "route", "flush", "type", "blackhole", net_only=True))
    _cable(fleet, machine, "up")


def _cable(fleet, machine, state):
    if machine.is_jump:
        run("ip", "link", "set", fleet.link, state)
    else:
        run(*inside(fleet.jump, "ip", "link", "set", machine.veth, state, net_only=True))


def limits(fleet, raised):
    """The jump box's sshd with its default limits, or with none to speak of; restarts it."""
    text = machines.sshd_config(fleet.jump, raised)
    run(*inside(fleet.jump, "sh", "-c", "cat >/etc/ssh/sshd_config"), text=text)
    restart_sshd(fleet.jump)
    return RAISED_LIMITS.split("\n")[0] if raised else "MaxStartups 10:30:100 (default)"


def stop_database(machine):
    """Ends a host's MariaDB as its own shutdown does."""
    require_database(machine)
    run(*inside(machine, "mariadb-admin", "--defaults-file=/etc/mysql/my.cnf", "shutdown"))
    if not wait_for(lambda: not machines.daemons(machine, "mariadbd"), 20):
        raise FleetError(f"{machine.name}: MariaDB does not end")


def start_database(machine):
    """Starts a host's MariaDB and waits until it answers. It comes back read-only."""
    require_database(machine)
    launch(machine)
    wait_answering(machine)


def kill_database(machine):
    """Ends a host's MariaDB with SIGKILL."""
    require_database(machine)
    kill(machine)


def require_database(machine):
    """An error unless the host is a database."""
    if not machine.server_id:
        raise FleetError(f"{machine.name} is no database")
