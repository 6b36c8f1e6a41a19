"""The links. One cable from this machine to the jump box; a bridge inside the jump box's own network namespace with a
cable to each host. Nothing here routes: what is not logged in to the jump box cannot reach a host."""

import socket
import subprocess

from .layout import FleetError
from .processes import inside, run

SLOTS = 200


def take_slot(fleet):
    """Makes the cable to the jump box, both ends still here. The kernel gives each name once, so the first name that
    can be had is this fleet's slot, and with it its addresses."""
    for slot in range(1, SLOTS):
        made = subprocess.run(
            ["ip", "link", "add", f"jdfleet{slot}", "type", "veth", "peer", "name", f"jdfleet{slot}x"],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        if made.returncode == 0:
            fleet.slot = slot
            return
        if "exists" not in made.stderr:
            raise FleetError(f"no network cable can be made: {made.stderr.strip()}")
    raise FleetError(f"{SLOTS} fleets are up already")


def plug_in(fleet):
    """Connects this machine, the jump box and every host."""
    jump = fleet.jump
    run("ip", "-batch", "-", text="\n".join([
        f"link set {fleet.link}x netns {jump.pid} name outside",
        f"addr add {fleet.our_address}/30 dev {fleet.link}",
        f"link set {fleet.link} up",
    ]))  # fmt: skip
    orders = [
        f"addr add {fleet.jump_address}/30 dev outside",
        "link set outside up",
        "link add inside type bridge",
        f"addr add {fleet.address(jump)}/24 dev inside",
        "link set inside up",
    ]
    run(*inside(jump, "ip", "-batch", "-", net_only=True), text="\n".join(orders))
    for host in fleet.machines:
        if not host.is_jump:
            plug_host(fleet, host)


def plug_host(fleet, host):
    """Connects one host to the bridge."""
    orders = f"link add {host.veth} type veth peer name eth0 netns {host.pid}\nlink set {host.veth} master inside up"
    run(*inside(fleet.jump, "ip", "-batch", "-", net_only=True), text=orders)
    orders = f"addr add {fleet.address(host)}/24 dev eth0\nlink set eth0 up"
    run(*inside(host, "ip", "-batch", "-", net_only=True), text=orders)


def is_cut(fleet, host):
    """Whether a host's cable is down: nobody reaches it, whatever it does by itself."""
    shown = run(*inside(fleet.jump, "ip", "-brief", "link", "show", "dev", host.veth, net_only=True), check=False)
    return "LOWER_UP" not in shown


def unplug(fleet):
    """Removes the cable if the jump box's end did not take it along."""
    if fleet.slot >= 0 and link_exists(fleet):
        subprocess.run(["ip", "link", "del", fleet.link], capture_output=True, check=False)


def link_exists(fleet):
    """Whether our end of the cable is there."""
    shown = subprocess.run(["ip", "link", "show", fleet.link], capture_output=True, check=False)
    return shown.returncode == 0


def answers(address, port, seconds=2.0):
    """Whether a TCP connection from this machine is accepted; otherwise why not."""
    try:
        with socket.create_connection((address, port), timeout=seconds):
            return True, ""
    except OSError as error:
        return False, str(error)


def prove_isolation(fleet, host):
    """Tries to reach a host from here, past the jump box: with a route to it through the jump box's own address, the
    best an outsider could have. Returns a list of what is wrong; empty is proof."""
    wrong = []
    target = fleet.address(host)
    ok, why = answers(fleet.jump_address, 22)
    if not ok:
        wrong.append(f"the jump box itself does not answer: {why}")
    run("ip", "route", "add", f"{target}/32", "via", fleet.jump_address, "dev", fleet.link)
    try:
        ok, _ = answers(target, 22)
        if ok:
            wrong.append(f"{host.name} ({target}) can be reached from here without the jump box")
    finally:
        run("ip", "route", "del", f"{target}/32")
    # The same port from the jump box: without this the attempt above would prove nothing.
    seen = subprocess.run(
        inside(fleet.jump, "timeout", "2", "bash", "-c", f"exec 3<>/dev/tcp/{target}/22", net_only=True),
        capture_output=True, check=False,
    )  # fmt: skip
    if seen.returncode != 0:
        wrong.append(f"{host.name} ({target}) cannot be reached from the jump box either")
    return wrong
