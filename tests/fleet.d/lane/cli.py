"""The commands of `tests/fleet`."""

import argparse
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

from . import access, bench, cost, daemons, database, faults, fleet as life, lost, machine as machines, processes, salt, services, state, wires
from .layout import LAYOUTS, FleetError, default_directory

EPILOG = """\
Fleets live in ${XDG_RUNTIME_DIR:-/tmp}/jumpdeck-fleet-UID (a second one: --name other), with inventory.toml,
known_hosts, ssh_config and the hosts' logs. Exit: 0 done, 1 something is wrong, 2 bad arguments, 3 cannot run here.
Point the console at it:  jumpdeck --inventory "$(tests/fleet inventory --path)"
"""


def parser():
    """The command line."""
    top = argparse.ArgumentParser(prog="tests/fleet", description=__import__("lane").__doc__.splitlines()[0],
                                  epilog=EPILOG, formatter_class=argparse.RawDescriptionHelpFormatter)  # fmt: skip
    top.add_argument("--name", default="fleet", help="a second fleet beside the first")
    top.add_argument("--dir", type=Path, help="its directory (must not exist yet, or be a fleet's)")
    sub = top.add_subparsers(dest="command", required=True, metavar="COMMAND")

    def command(name, text, *arguments):
        added = sub.add_parser(name, help=text, description=text)
        for argument in arguments:
            added.add_argument(argument)
        return added

    up = command("up", "bring the fleet up (again is no error)")
    up.add_argument("--hosts", type=int, default=0, metavar="N", help="N further hosts with sshd only (plain01...)")
    up.add_argument("--only-plain", action="store_true", help="the jump box and the N plain hosts, nothing else")
    up.add_argument("--layout", choices=LAYOUTS, default=LAYOUTS[0], help="plain: a fleet without Salt; proxy: and with a HAProxy on each app host (default salt)")
    up.add_argument("--rtt", type=float, default=0.0, metavar="MS", help="round trip to the jump box, in milliseconds")
    up.add_argument("--replication", choices=list(database.MODES), help="how the replicas follow (default gtid)")
    command("down", "end everything, remove everything, say what is left over")
    command("status", "what is up").add_argument("--json", action="store_true")
    command("prove", "show that hosts are reached through the jump box only, and that replication is encrypted")
    command("inventory", "print inventory.toml").add_argument("--path", action="store_true", help="print its path")
    run = command("exec", "run a command inside a host", "host")
    run.add_argument("argv", nargs=argparse.REMAINDER)
    ssh = command("ssh", "OpenSSH's own client, through the jump box", "host")
    ssh.add_argument("argv", nargs=argparse.REMAINDER)
    command("sql", "SQL on a host's database, as its root", "host", "statements").add_argument(
        "--vertical", action="store_true")
    for name, text in (("freeze", "stop a host's sshd with SIGSTOP, sessions too"), ("thaw", "let it go on"),
                       ("rekey", "a new host key; known_hosts keeps the old one"), ("mend", "take a cable up")):  # fmt: skip
        command(name, text, "host")
    cut = command("cut", "take a host's cable down", "host")
    cut.add_argument("--from", dest="others", metavar="HOST,...", help="only these do not hear it any more")
    command("trust", "write known_hosts, ssh_config and inventory.toml anew from the hosts' present keys and addresses")
    jump = command("jump", "the jump box's sshd")
    jump.add_argument("action", choices=["stop", "start", "restart-sshd", "raise-limits", "default-limits", "lose"],
                      help="lose: it is gone for good, and a bare one is in its place, with another address inside")  # fmt: skip
    services.arguments(command)
    bench.arguments(command("bench", "the same poll by jumpdeck and by what people use today, side by side"))
    cost.arguments(command("cost", "what a report of jumpdeck costs each host of the fleet that is up"))
    return top


def main(argv):
    """Runs one command; returns the exit code."""
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    options = parser().parse_args(argv)
    directory = Path(os.path.abspath(options.dir or default_directory(options.name)))
    try:
        if options.command == "bench":
            return bench.run_all(options, directory)
        if options.command == "cost":
            return cost.run_all(options, directory)
        if options.command == "up":
            lacking = life.missing_for(options.only_plain, options.layout)
            if lacking:
                print("cannot run the real fleet; missing: " + ", ".join(lacking), file=sys.stderr)
                return 3
        if options.command in ("up", "down"):
            with state.held(directory):
                return COMMANDS[options.command](options, directory)
        return COMMANDS[options.command](options, directory)
    except FleetError as error:
        print(f"tests/fleet: {error}", file=sys.stderr)
        return 1


def _up(options, directory):
    if not 0 <= options.hosts <= 150 or not 0 <= options.rtt <= 2000:
        raise FleetError("--hosts takes 0 to 150, --rtt 0 to 2000")
    fleet, there = life.up(options.name, directory, options.hosts, options.only_plain, options.rtt,
                          options.replication, options.layout)  # fmt: skip
    how = "already up" if there else f"up in {fleet.up_seconds} s"
    address, port = fleet.jump_endpoint()
    print(f"{len(fleet.machines)} hosts {how}: jump box {address} port {port}, {fleet.path('inventory.toml')}")
    return 0


def _down(_options, directory):
    left = life.down(directory)
    print("left over: " + ", ".join(left) if left else "down, nothing left over")
    return 1 if left else 0


def _status(options, directory):
    fleet = state.require(directory)
    wrong = life.ailing(fleet)
    if options.json:
        rows = [{"name": m.name, "address": fleet.address(m), "user": m.user, "shell": m.shell, "pid": m.pid,
                 "server_id": m.server_id or None} for m in fleet.machines]  # fmt: skip
        print(json.dumps({"name": fleet.name, "directory": str(directory), "jump": fleet.jump_endpoint(),
                          "rtt_ms": fleet.rtt_ms, "hosts": rows, "wrong": wrong}))  # fmt: skip
        return 1 if wrong else 0
    for m in fleet.machines:
        what = f"MariaDB, server {m.server_id}" if m.server_id else ", ".join(daemons.services(fleet, m))
        sessions = len(machines.daemons(m, "sshd")) - 1
        shell = Path(machines.shell_path(m.shell)).name
        print(f"{m.name:<14} {fleet.address(m):<14} {m.user:<5} {shell:<5} {max(sessions, 0):>3} in  {what}".rstrip())
    print("\n".join(wrong) if wrong else "all up")
    return 1 if wrong else 0


def _prove(_options, directory):
    fleet = state.require(directory)
    others = [m for m in fleet.machines if not m.is_jump]
    wrong = wires.prove_isolation(fleet, others[0])
    masters = database.writable(fleet)
    if fleet.databases() and len(masters) != 1:
        wrong.append(f"writable databases: {', '.join(m.name for m in masters) or 'none'}")
    for replica in (m for m in fleet.databases() if m not in masters):
        if not database.is_following(replica):
            wrong.append(f"{replica.name} does not follow over TLS")
    silent = salt.silent(fleet) if salt.is_up(fleet) else []
    wrong += [f"{name}: its Salt minion does not answer" for name in silent]
    names = {processes.run(*processes.inside(m, "hostname")).strip() for m in fleet.machines}
    if names != {m.name for m in fleet.machines}:
        wrong.append(f"hosts do not have their own names: {sorted(names)}")
    print("\n".join(wrong) if wrong else "proved: hosts answer the jump box and nobody else; each has its own name; "
          f"{max(len(fleet.databases()) - 1, 0)} replicas follow over TLS")  # fmt: skip
    return 1 if wrong else 0


def _inventory(options, directory):
    fleet = state.require(directory)
    print(fleet.path("inventory.toml") if options.path else access.inventory(fleet), end="\n" if options.path else "")
    return 0


def _exec(options, directory):
    machine = state.require(directory).machine(options.host)
    return subprocess.run(processes.inside(machine, *(options.argv or ["bash"])), check=False).returncode


def _ssh(options, directory):
    fleet = state.require(directory)
    os.execvp("ssh", ["ssh", "-F", str(fleet.path("ssh_config")), fleet.machine(options.host).name, *options.argv])


def _sql(options, directory):
    machine = state.require(directory).machine(options.host)
    print(database.sql(machine, options.statements, vertical=options.vertical), end="")
    return 0


def _on_host(act, needs_fleet=False):
    def command(options, directory):
        fleet = state.require(directory)
        machine = fleet.machine(options.host)
        said = act(fleet, machine) if needs_fleet else act(machine)
        print(f"{options.command} {machine.name}" + (f": {said}" if said is not None else ""))
        return 0

    return command


def _cut(options, directory):
    fleet = state.require(directory)
    machine = fleet.machine(options.host)
    said = faults.cut(fleet, machine, [fleet.machine(name) for name in (options.others or "").split(",") if name])
    print(f"cut {machine.name}" + (f": {said}" if said else ""))
    return 0


def _trust(_options, directory):
    faults.trust(state.require(directory))
    return 0


def _jump(options, directory):
    fleet = state.require(directory)
    acts = {
        "stop": lambda: faults.stop_sshd(fleet.jump),
        "start": lambda: faults.start_sshd(fleet.jump),
        "restart-sshd": lambda: faults.restart_sshd(fleet.jump),
        "raise-limits": lambda: faults.limits(fleet, True),
        "default-limits": lambda: faults.limits(fleet, False),
        "lose": lambda: lost.lose_jump(fleet),
    }
    said = acts[options.action]()
    print(f"jump {options.action}" + (f": {said}" if said else ""))
    return 0


COMMANDS = {
    "up": _up,
    "down": _down,
    "status": _status,
    "prove": _prove,
    "inventory": _inventory,
    "exec": _exec,
    "ssh": _ssh,
    "sql": _sql,
    "freeze": _on_host(faults.freeze),
    "thaw": _on_host(faults.thaw),
    "rekey": _on_host(faults.rekey, needs_fleet=True),
    "cut": _cut,
    "mend": _on_host(faults.mend, needs_fleet=True),
    "trust": _trust,
    "jump": _jump,
    **services.COMMANDS,
}
