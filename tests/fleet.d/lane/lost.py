"""A jump box that is lost with everything on it, and the bare machine that somebody builds in its place: same name, same
address outside, another one inside."""

import shutil

from . import access, agent, cloud, machine as machines, names, processes, salt, wires
from .layout import JUMP, FleetError, Machine
from .machine import write
from .processes import run, wait_for
from .salt_files import DAEMON

# The new box's number on the inner network.
NUMBER = 2


def lose_jump(fleet):
    """Ends the jump box for good, and builds a bare one. The hosts go on; their cables are new, as those hung in the lost box."""
    old = fleet.jump
    agent.stop(fleet)
    namespaces = {processes.namespace(old.pid)} - {None}
    processes.end(old.pid, old.started)
    if not wait_for(lambda: not processes.inhabitants(namespaces) and not wires.link_exists(fleet), 10):
        raise FleetError("the jump box does not end")
    home = fleet.home(old)
    # Its mounts go with its last process, and so later than that.
    wait_for(lambda: not home.exists() or not shutil.rmtree(home, ignore_errors=True) and not home.exists(), 10, step=0.1)
    new = Machine(JUMP, NUMBER)
    fleet.machines[fleet.machines.index(old)] = new
    machines.prepare(fleet, new)
    (home / "srv").mkdir()
    if salt.is_installed():
        salt.prepare_host(fleet, new, salt.ON_JUMP)
        write(home / "etc" / "jumpdeck" / "salt-master", DAEMON.format(venv=salt.INSIDE, program="salt-master"), 0o755)
        salt.prepare_minion(fleet, new)
        names.prepare_program(fleet)
    cloud.prepare(fleet)
    machines.start(fleet, new)
    machines.record(fleet, new)
    fleet.save()
    run("ip", "link", "add", fleet.link, "type", "veth", "peer", "name", f"{fleet.link}x")
    wires.plug_in(fleet)
    machines.wait_ready(new)
    access.write_all(fleet)
