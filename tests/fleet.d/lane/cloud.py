"""The cloud that is none: servers, ports and floating addresses over hosts of namespaces. `cloud_words` gives it the
commands of nova, neutron and openstack; `agent` serves them to the jump box.

State is DIR/cloud.json, changed under the fleet's lock only."""

import hashlib
import json
import os
import shutil
import subprocess
import time
import uuid
from pathlib import Path

from . import access, apps, machine as machines, processes, salt, state, wires
from .layout import FleetError, Machine
from .machine import write
from .processes import inside, run

# Numbers of hosts on the inner network: the booted ones, and the floating addresses.
BOOTED = range(51, 70)
FLOATING = range(71, 90)
# Id, name, MB, GB, CPUs.
FLAVORS = [("50", "subsonic", 1024, 80, 1), ("100", "supersonic", 2048, 80, 1), ("200", "lightspeed", 4096, 80, 2),
           ("300", "warpspeed", 8192, 80, 4), ("400", "hyperspeed", 16384, 160, 4)]  # fmt: skip
IMAGES = [("6f1b9a52-3c0e-4d53-9a3f-0c1b5d2f7e11", "Ubuntu 14.04.2 LTS")]
FAULTS = {
    "foreign-console": "the next server's console shows fingerprints of other keys",
    "stuck-build": "the next server never becomes ACTIVE",
    "idle-delete": "the next deletion is accepted and does nothing",
}


class CloudError(Exception):
    """What the cloud refuses: a kind ("missing", "ambiguous", "conflict", "bad"), the thing's kind, its name."""

    def __init__(self, kind, what, name):
        super().__init__(f"{kind} {what} {name}")
        self.kind, self.what, self.name = kind, what, name


def identifier(text):
    """A number in hex that belongs to a name for ever."""
    return hashlib.md5(text.encode()).hexdigest()


def stamp(seconds):
    """A time as the cloud writes it."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))


class Cloud:
    """The recorded state. Whoever changes it holds the fleet's lock and saves."""

    def __init__(self, fleet):
        self.fleet = fleet
        self.file = fleet.path("cloud.json")
        data = json.loads(self.file.read_text())
        self.servers, self.floating, self.faults = data["servers"], data["floating"], data["faults"]

    def save(self):
        """Writes it whole or not at all."""
        part = Path(f"{self.file}.part")
        part.write_text(json.dumps({"servers": self.servers, "floating": self.floating, "faults": self.faults}, indent=1))
        os.replace(part, self.file)

    def find(self, wanted):
        """The one server of that id or name."""
        found = [s for s in self.servers if s["id"] == wanted] or [s for s in self.servers if s["name"] == wanted]
        if len(found) != 1:
            raise CloudError("ambiguous" if found else "missing", "server", wanted)
        return found[0]

    def machine(self, server):
        """The host that is this server; None while it is built."""
        return next((m for m in self.fleet.machines if m.label == server["machine"]), None)

    def address(self, server):
        return f"{self.fleet.inside_net.rsplit('.', 1)[0]}.{server['number']}"

    def addresses(self, server):
        """Private, then public."""
        if server["status"] == "BUILD":
            return []
        return [self.address(server)] + [f["address"] for f in self.floating if f["port"] == server["port"]]

    def take_fault(self, name):
        """Whether this fault is due; it happens once."""
        due = name in self.faults
        if due:
            self.faults.remove(name)
        return due


def mac(server):
    """A network card's address."""
    return "fa:16:3e:" + ":".join(identifier(server["id"])[at : at + 2] for at in (0, 2, 4))


def port_id(server_id):
    return str(uuid.uuid5(uuid.UUID(server_id), "port"))


def new_server(name, number, label, **fields):
    """A server as recorded."""
    server_id = str(uuid.uuid4())
    server = {"id": server_id, "name": name, "number": number, "machine": label, "port": port_id(server_id),
              "flavor": "300", "image": IMAGES[0][0], "key_name": "operator", "groups": ["default"],
              "status": "ACTIVE", "created": time.time(), "foreign": False}  # fmt: skip
    return {**server, **fields}


def found_cloud(fleet):
    """The state of a fleet that was never in a cloud: a server for every host, a floating address for the jump box and
    every app."""
    servers = [new_server(m.name, m.number, m.label) for m in fleet.machines]
    by_name = {s["name"]: s for s in servers}
    net = fleet.inside_net.rsplit(".", 1)[0]
    floating = [{"id": str(uuid.uuid4()), "address": f"{net}.{number}", "port": by_name[m.name]["port"]}
                for number, m in zip(FLOATING, [*fleet.apps(), fleet.jump])]  # fmt: skip
    fleet.path("cloud.json").write_text(json.dumps({"servers": servers, "floating": floating, "faults": []}, indent=1))
    cloud = Cloud(fleet)
    for one in floating:
        _give(cloud, one)
    for app in fleet.apps():
        serve_web(app)


def boot(cloud, name, **fields):
    """Records a server to build; `build` makes it. Two of one name are no error."""
    if not name.replace("-", "").isalnum():
        raise CloudError("bad", "server", name)
    used = {s["number"] for s in cloud.servers}
    free = next((number for number in BOOTED if number not in used), None)
    if free is None:
        raise CloudError("bad", "quota", "instances")
    server = new_server(name, free, None, status="BUILD", **fields)
    server["machine"] = f"{name}~{server['id'][:8]}"
    server["foreign"] = cloud.take_fault("foreign-console")
    server["stuck"] = cloud.take_fault("stuck-build")
    cloud.servers.append(server)
    return server


def build(directory, server_id):
    """Makes the host of a server that was booted, and starts its Salt minion, whose key nobody has accepted yet."""
    with state.held(directory):
        cloud = Cloud(state.require(directory))
        fleet = cloud.fleet
        server = cloud.find(server_id)
        if server.get("stuck"):
            return
        machine = Machine(server["name"], server["number"], twin=server["id"][:8])
        machines.prepare(fleet, machine)
        apps.prepare_program(fleet, machine)
        if salt.is_prepared(fleet):
            salt.prepare_host(fleet, machine, ("salt-call",))
            salt.prepare_minion(fleet, machine)
        machines.start(fleet, machine)
        machines.record(fleet, machine)
        fleet.machines.append(machine)
        fleet.save()
        wires.plug_host(fleet, machine)
        machines.wait_ready(machine)
        serve_web(machine)
        if salt.is_prepared(fleet) and salt.is_up(fleet):
            salt.launch(machine, "salt-minion")
        server["status"] = "ACTIVE"
        cloud.save()


def serve_web(machine):
    """Starts the page that an app shows, where it is not there."""
    if not processes.is_listening(machine, 80):
        text = (Path(__file__).parent.parent / "web.py").read_text()
        machines.put(machine, "/etc/jumpdeck/web.py", text, 0o755)
        script = "setsid /usr/bin/python3 -BI /etc/jumpdeck/web.py </dev/null >>/var/log/web.out 2>&1 &"
        subprocess.run(inside(machine, "sh", "-c", script), check=True)
        if not processes.wait_for(lambda: processes.is_listening(machine, 80), 10):
            raise FleetError(f"{machine.name}: nothing listens on port 80, see its log/web.out")


def delete(cloud, server):
    """Removes the server, its host and everything in it."""
    if server["name"] == cloud.fleet.jump.name:
        raise CloudError("conflict", "server", server["id"])
    if cloud.take_fault("idle-delete"):
        return
    machine = cloud.machine(server)
    for one in cloud.floating:
        if one["port"] == server["port"]:
            one["port"] = None
    cloud.servers.remove(server)
    if machine is not None:
        end(cloud, machine)


def stop(cloud, server):
    """Switches the server off: its host and everything in it ends, and is not started again."""
    machine = cloud.machine(server)
    if server["status"] != "ACTIVE" or machine is None or server["name"] == cloud.fleet.jump.name:
        raise CloudError("conflict", "server", server["id"])
    server["status"] = "SHUTOFF"
    end(cloud, machine)


def end(cloud, machine):
    """Ends a host and everything in it. What its writer recorded is kept."""
    fleet = cloud.fleet
    namespaces = {processes.namespace(machine.pid)} - {None}
    processes.end(machine.pid, machine.started)
    processes.wait_for(lambda: not processes.inhabitants(namespaces), 10)
    record = apps.record(fleet, machine)
    if record.exists():
        fleet.path("records").mkdir(exist_ok=True)
        shutil.copy(record, fleet.path("records", f"{machine.label}.log"))
    processes.wait_for(lambda: state.removed(fleet.home(machine)), 10, step=0.1)
    fleet.machines.remove(machine)
    fleet.save()


def associate(cloud, floating_id, port):
    """Moves a floating address to another port, or with None away from any."""
    one = next((f for f in cloud.floating if floating_id in (f["id"], f["address"])), None)
    if one is None:
        raise CloudError("missing", "floatingip", floating_id)
    if port is not None and not any(s["port"] == port for s in cloud.servers):
        raise CloudError("missing", "port", port)
    for machine in _behind(cloud, one):
        run(*inside(machine, "ip", "addr", "del", f"{one['address']}/32", "dev", _card(machine), net_only=True), check=False)
    one["port"] = port
    _give(cloud, one)


def _card(machine):
    """The interface on the inner network."""
    return "inside" if machine.is_jump else "eth0"


def _behind(cloud, one):
    servers = [s for s in cloud.servers if s["port"] == one["port"]]
    return [m for m in map(cloud.machine, servers) if m]


def _give(cloud, one):
    """Adds the address to the host behind it; everybody forgets where it was."""
    for machine in _behind(cloud, one):
        run(*inside(machine, "ip", "addr", "replace", f"{one['address']}/32", "dev", _card(machine), net_only=True))
    for machine in cloud.fleet.machines:
        if processes.is_alive(machine.pid, machine.started):
            run(*inside(machine, "ip", "neigh", "flush", "to", one["address"], net_only=True), check=False)


def console(cloud, server):
    """What a server wrote on its console: the kernel's first words, and the fingerprints of the keys it made."""
    machine = cloud.machine(server)
    if machine is None or server["status"] == "BUILD":
        return ""
    name, line = server["name"], "#" * 61
    host_key = access.host_key(cloud.fleet, machine)
    host_print = run("ssh-keygen", "-lf", "-", text=host_key + "\n").split()[1]
    salt_prints = salt.fingerprints(cloud.fleet, machine)
    if server["foreign"]:
        host_print, salt_prints = "SHA256:" + identifier(server["id"]), [text[::-1] for text in salt_prints]
    text = (
        f"[    0.000000] Linux version {os.uname().release}\n"
        f"ci-info: | eth0   | True |   {cloud.address(server)}   | 255.255.255.0 | {mac(server)} |\n"
        f"ec2: \nec2: {line}\nec2: -----BEGIN SSH HOST KEY FINGERPRINTS-----\n"
        f"ec2: 256 {host_print}  root@{name} (ED25519)\n"
        f"ec2: -----END SSH HOST KEY FINGERPRINTS-----\nec2: {line}\n"
    )
    if not server["foreign"]:
        text += f"-----BEGIN SSH HOST KEY KEYS-----\n{host_key} root@{name}\n-----END SSH HOST KEY KEYS-----\n"
    if salt_prints:
        text += f"salt-minion key fingerprint:\nlocal:\n    {salt_prints[0]}\n"
        text += f"salt-minion key fingerprint, as salt-key of 3008 shows it:\n    {salt_prints[1]}\n"
    return text + f"\n{name} login: \n"


def prepare(fleet):
    """The commands on the jump box and the place where it finds the agent; the agent runs only after `cloud up`."""
    if fleet.only_plain:
        return
    home = fleet.home(fleet.jump)
    (home / "cloud").mkdir(mode=0o700)
    text = (Path(__file__).parent.parent / "cloud-stand-in").read_text()
    for program in ("nova", "neutron", "openstack"):
        write(home / "bin" / program, text, 0o755)
