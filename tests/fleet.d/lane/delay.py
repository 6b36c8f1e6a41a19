"""The round trip between this machine and the jump box. netem is not in every kernel, so a small TCP proxy (delay.rs,
one file, std only, compiled here with rustc) holds every byte for half a round trip in each direction."""

import shutil
import subprocess
from pathlib import Path

from . import processes
from .layout import FleetError
from .processes import run


def start(fleet):
    """Starts the proxy when the fleet has a round trip to add."""
    if fleet.rtt_ms <= 0:
        return
    program = fleet.path("delay")
    build(program)
    told = open(fleet.path("delay.log"), "w+b")
    proxy = subprocess.Popen(
        [str(program), "127.0.0.1:0", f"{fleet.jump_address}:22", str(fleet.rtt_ms)],
        stdin=subprocess.DEVNULL, stdout=told, stderr=told, start_new_session=True, cwd="/",
    )  # fmt: skip
    fleet.proxy = {"pid": proxy.pid, "started": processes.start_time(proxy.pid), "port": 0}

    def port():
        told.seek(0)
        return told.read().strip()

    if not processes.wait_for(lambda: port().isdigit(), 5):
        raise FleetError(f"the delay proxy did not start: {port().decode(errors='replace')}")
    fleet.proxy["port"] = int(port())
    told.close()


def build(program):
    """Compiles the proxy."""
    rustc = shutil.which("rustc")
    if not rustc:
        raise FleetError("--rtt needs rustc to compile the delay proxy")
    source = Path(__file__).parent.parent / "delay.rs"
    run(rustc, "--edition", "2024", "-O", "-o", str(program), str(source))


def stop(fleet):
    """Ends the proxy."""
    if fleet.proxy:
        processes.end(fleet.proxy["pid"], fleet.proxy["started"])
