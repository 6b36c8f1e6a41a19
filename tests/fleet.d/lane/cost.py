"""`tests/fleet cost`: what a report costs each host of the fleet that is up: CPU time of the resident probe's shell and of all that it
started, by the kernel's own account, divided by the reports. A program that runs beside the shell becomes a child of the host's first
process when its parent ends, so what that process reaps meanwhile is counted as well."""

import subprocess
import time
from pathlib import Path

from . import bench, daemons, state
from .layout import ENVIRONMENT, FleetError
from .processes import namespace, of_program, start_time

TICK_MS = 10.0


def arguments(parser):
    """The options of `cost`."""
    parser.add_argument("--rounds", type=int, default=120, help="reports of each host (default 120)")
    parser.add_argument("--poll-bench", type=Path, help="jumpdeck's side (default: built from examples/, release)")


def run_all(options, directory):
    """Asks every host that often, and prints a row for each."""
    fleet = state.require(directory)
    program = options.poll_bench or bench.build_poll_bench()
    spaces = {namespace(machine.pid): machine for machine in fleet.machines}
    argv = [str(program), str(fleet.path("inventory.toml")), ENVIRONMENT, str(options.rounds)]
    reaped = {space: _reaped(machine.pid) for space, machine in spaces.items()}
    asking = subprocess.Popen(argv, stdout=subprocess.DEVNULL)
    spent = {}
    while asking.poll() is None:
        for pid, space in _shells(spaces):
            ticks = _ticks(pid)
            if ticks is not None:
                spent[(space, pid, start_time(pid))] = ticks
        time.sleep(0.1)
    if asking.returncode != 0:
        raise FleetError(f"poll_bench ended with {asking.returncode}")
    # The first report of a connection comes on top: it finds its tools.
    reports = options.rounds + 1
    print("| host | services | CPU of one report, ms |\n|---|---|---|")
    for space, machine in spaces.items():
        ticks = sum(most for (where, _, _), most in spent.items() if where == space)
        if ticks:
            ticks += _reaped(machine.pid) - reaped[space]
            what = f"MariaDB, server {machine.server_id}" if machine.server_id else ", ".join(daemons.services(fleet, machine))
            print(f"| {machine.name} | {what or '-'} | {ticks * TICK_MS / reports:.1f} |")
    return 0


def _shells(spaces):
    """Every process that an SSH session runs, with its namespace."""
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and (space := namespace(entry.name)) in spaces:
            parent = _stat(entry.name)
            if parent and of_program([int(parent[1])], "sshd") and not of_program([int(entry.name)], "sshd"):
                yield int(entry.name), space


def _stat(pid):
    """The fields of a process from its state on, or None where it is gone."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(") ", 1)[1].split()
    except (OSError, IndexError):
        return None


def _ticks(pid):
    """Its CPU time and that of its ended children, in ticks of the kernel's clock."""
    fields = _stat(pid)
    return sum(int(field) for field in fields[11:15]) if fields else None


def _reaped(pid):
    """The CPU time of a process's ended children alone."""
    fields = _stat(pid)
    if fields is None:
        raise FleetError(f"process {pid} of the fleet is gone")
    return sum(int(field) for field in fields[13:15])
