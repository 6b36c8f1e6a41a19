"""The commands of nova, neutron and openstack, with their words and tables, over `cloud`."""

import json
from dataclasses import dataclass

from . import cloud as clouds
from .cloud import FLAVORS, IMAGES, CloudError, identifier, stamp
from .cloud_forms import Options, Usage, listing, single, table

@dataclass
class Answer:
    """What a command says; `built` is a server that is to be built, `wait` whether to wait for it."""

    out: str = ""
    err: str = ""
    status: int = 0
    built: str = ""
    wait: bool = False


def run(cloud, program, args):
    """Runs one command line."""
    names = {"nova": NOVA, "neutron": NEUTRON, "openstack": OPENSTACK}[program]
    found = next((name for name in names if args[: len(name.split())] == name.split()), None)
    if found is None:
        return Answer(err=f"{program}: '{' '.join(args)}' is not a command of this stand-in\n", status=2)
    try:
        done = names[found](cloud, Options(args[len(found.split()) :]))
        return done if isinstance(done, Answer) else Answer(out=done)
    except Usage as error:
        return Answer(err=f"usage: {program} {found}\nerror: {error}\n", status=2)
    except CloudError as error:
        return Answer(err=WORDS[program](error) + "\n", status=1)


# ---- what is refused ----------------------------------------------------------------------------------------------------


def nova_words(error, inner=False):
    """As nova says it."""
    said = {
        "missing": f"No {error.what} with a name or ID of '{error.name}' exists.",
        "ambiguous": f"Multiple {error.what} matches found for '{error.name}', use an ID to be more specific.",
        "conflict": f"Instance {error.name} is locked (HTTP 409)",
        "bad": f"Invalid {error.what} '{error.name}' (HTTP 400)",
    }[error.kind]
    return said if inner else f"ERROR (CommandError): {said}"


def neutron_words(error):
    """As neutron says it."""
    return f"Unable to find {error.what} with name or id '{error.name}'" if error.what != "floatingip" else \
        f"Floating IP {error.name} could not be found."  # fmt: skip


def openstack_words(error):
    """As openstack says it."""
    return {
        "missing": f"No {error.what} with a name or ID of '{error.name}' exists.",
        "ambiguous": f"More than one {error.what} exists with the name '{error.name}'.",
    }.get(error.kind) or nova_words(error, inner=True)


WORDS = {"nova": nova_words, "neutron": neutron_words, "openstack": openstack_words}

# ---- servers ------------------------------------------------------------------------------------------------------------


def flavor(wanted):
    """A flavor by id or name."""
    return next((f for f in FLAVORS if wanted in f[:2]), None)


def task(server):
    return "spawning" if server["status"] == "BUILD" else None


def power(server):
    return {"BUILD": ("NOSTATE", 0), "SHUTOFF": ("Shutdown", 4)}.get(server["status"], ("Running", 1))


def chosen(cloud, options):
    """The servers that a listing is about, by name."""
    name, status = options.value("--name"), options.value("--status")
    rows = [s for s in cloud.servers if (not name or name.strip("^$") in s["name"])
            and (not status or s["status"] == status)]  # fmt: skip
    return sorted(rows, key=lambda s: (s["name"], s["created"]))


def nova_list(cloud, options):
    rows = []
    for server in chosen(cloud, options):
        addresses = cloud.addresses(server)
        networks = "private-network=" + ", ".join(addresses) if addresses else ""
        rows.append([server["id"], server["name"], server["status"], task(server) or "-", power(server)[0], networks])
    return table(["ID", "Name", "Status", "Task State", "Power State", "Networks"], rows)


def facts(server):
    """What nova and openstack show of a server under the same names."""
    kind = flavor(server["flavor"])
    image = next(name for known, name in IMAGES if known == server["image"])
    return {
        "OS-DCF:diskConfig": "MANUAL",
        "OS-EXT-AZ:availability_zone": "iad-1",
        "OS-EXT-STS:task_state": task(server),
        "OS-EXT-STS:vm_state": {"BUILD": "building", "SHUTOFF": "stopped"}.get(server["status"], "active"),
        "created": stamp(server["created"]),
        "flavor": f"{kind[1]} ({kind[0]})",
        "hostId": identifier(server["id"] + "/hypervisor"),
        "id": server["id"],
        "image": f"{image} ({server['image']})",
        "key_name": server["key_name"],
        "name": server["name"],
        "status": server["status"],
        "updated": stamp(server["created"]),
        "user_id": identifier("user"),
    }


def nova_show(cloud, options):
    return shown_by_nova(cloud, cloud.find(options.word(0)))


def shown_by_nova(cloud, server, **more):
    fields = {
        **facts(server),
        "OS-EXT-STS:power_state": power(server)[1],
        "metadata": "{}",
        "security_groups": ", ".join(sorted(server["groups"])),
        "tenant_id": identifier("project"),
        **more,
    }
    addresses = cloud.addresses(server)
    if addresses:
        fields["private-network network"] = ", ".join(addresses)
    rows = [[name, "-" if value is None else value] for name, value in sorted(fields.items())]
    return table(["Property", "Value"], rows)


def ordered(cloud, options, need):
    """A server as a boot command orders it."""
    kind = flavor(need("--flavor"))
    if kind is None:
        raise CloudError("missing", "flavor", options.value("--flavor"))
    image = next((known for known, name in IMAGES if need("--image") in (known, name)), None)
    if image is None:
        raise CloudError("missing", "image", options.value("--image"))
    groups = [group for list_ in options.values("--security-groups", "--security-group") for group in list_.split(",")]
    return clouds.boot(cloud, options.word(0), flavor=kind[0], image=image, key_name=options.value("--key-name"),
                       groups=groups or ["default"])  # fmt: skip


def needed(options):
    """Asks for an option's value, which must be there."""

    def need(name):
        value = options.value(name)
        if value is None:
            raise Usage(f"the following arguments are required: {name}")
        return value

    return need


def nova_boot(cloud, options):
    server = ordered(cloud, options, needed(options))
    return Answer(out=shown_by_nova(cloud, server, adminPass=identifier(server["id"] + "/password")[:12]),
                  built=server["id"], wait=options.value("--poll") is not None)  # fmt: skip


def nova_delete(cloud, options):
    options.word(0)
    answer = Answer()
    for wanted in options.words:
        try:
            clouds.delete(cloud, cloud.find(wanted))
            answer.out += f"Request to delete server {wanted} has been accepted.\n"
        except CloudError as error:
            answer.out += nova_words(error, inner=True) + "\n"
            answer.err = "ERROR (CommandError): Unable to delete the specified server(s).\n"
            answer.status = 1
    return answer


def nova_stop(cloud, options):
    clouds.stop(cloud, cloud.find(options.word(0)))
    return f"Request to stop server {options.word(0)} has been accepted.\n"


def server_stop(cloud, options):
    clouds.stop(cloud, cloud.find(options.word(0)))
    return ""


def console(cloud, options):
    lines = clouds.console(cloud, cloud.find(options.word(0))).splitlines(keepends=True)
    length = options.value("--length", "--lines")
    return "".join(lines[-int(length) :] if length else lines) + "\n"


def nova_flavors(cloud, options):
    heads = ["ID", "Name", "Memory_MB", "Disk", "Ephemeral", "Swap", "VCPUs", "RXTX_Factor", "Is_Public"]
    return table(heads, [[f[0], f[1], f[2], f[3], 0, "", f[4], "1.0", True] for f in FLAVORS])


def nova_images(cloud, options):
    return table(["ID", "Name", "Status", "Server"], [[known, name, "ACTIVE", ""] for known, name in IMAGES])


def networks(cloud, server):
    addresses = cloud.addresses(server)
    return {"private-network": addresses} if addresses else {}


def server_list(cloud, options):
    rows = [[s["id"], s["name"], s["status"], networks(cloud, s), facts(s)["image"].rsplit(" (", 1)[0],
             flavor(s["flavor"])[1]] for s in chosen(cloud, options)]  # fmt: skip
    return listing(["ID", "Name", "Status", "Networks", "Image", "Flavor"], rows, options)


def server_show(cloud, options):
    return shown_by_openstack(cloud, cloud.find(options.word(0)), options)


def shown_by_openstack(cloud, server, options, **more):
    fields = {
        **facts(server),
        "OS-EXT-STS:power_state": power(server)[0],
        "addresses": networks(cloud, server),
        "project_id": identifier("project"),
        "properties": {},
        "security_groups": [{"name": group} for group in server["groups"]],
        **more,
    }
    return single(dict(sorted(fields.items())), options)


def server_create(cloud, options):
    server = ordered(cloud, options, needed(options))
    shown = shown_by_openstack(cloud, server, options, adminPass=identifier(server["id"] + "/password")[:12])
    return Answer(out=shown, built=server["id"], wait=options.value("--wait") is not None)


def server_delete(cloud, options):
    options.word(0)
    for server in [cloud.find(wanted) for wanted in options.words]:
        clouds.delete(cloud, server)
    return ""


def flavor_list(cloud, options):
    rows = [[f[0], f[1], f[2], f[3], 0, f[4], True] for f in FLAVORS]
    return listing(["ID", "Name", "RAM", "Disk", "Ephemeral", "VCPUs", "Is Public"], rows, options)


def nova_volumes(cloud, options):
    """There are no volumes here: every host's disk is its own."""
    return table(["ID", "Status", "Display Name", "Size", "Volume Type", "Attached to"], [])


def volume_list(cloud, options):
    return listing(["ID", "Name", "Status", "Size", "Attached to"], [], options)


def volumes_of_server(cloud, options):
    cloud.find(options.word(0))
    return listing(["ID", "Device", "Server ID", "Volume ID"], [], options)


def image_list(cloud, options):
    return listing(["ID", "Name", "Status"], [[known, name, "active"] for known, name in IMAGES], options)


# ---- ports and floating addresses ---------------------------------------------------------------------------------------


def behind(cloud, one):
    """The private address behind a floating one."""
    return next((cloud.address(s) for s in cloud.servers if s["port"] == one["port"]), None)


def neutron_floating(cloud, options):
    rows = [[f["id"], behind(cloud, f), f["address"], f["port"]] for f in cloud.floating]
    return listing(["id", "fixed_ip_address", "floating_ip_address", "port_id"], rows, options)


def neutron_ports(cloud, options):
    device = options.value("--device-id")
    rows = []
    for server in cloud.servers:
        if device in (None, server["id"]):
            fixed = json.dumps({"subnet_id": identifier("subnet"), "ip_address": cloud.address(server)})
            rows.append([server["port"], "", clouds.mac(server), fixed])
    return listing(["id", "name", "mac_address", "fixed_ips"], rows, options)


def neutron_associate(cloud, options):
    clouds.associate(cloud, options.word(0), options.word(1))
    return f"Associated floating IP {options.word(0)}\n"


def neutron_disassociate(cloud, options):
    clouds.associate(cloud, options.word(0), None)
    return f"Disassociated floating IP {options.word(0)}\n"


def floating_list(cloud, options):
    port = options.value("--port")
    rows = [[f["id"], f["address"], behind(cloud, f), f["port"], identifier("external"), identifier("project")]
            for f in cloud.floating if port in (None, f["port"])]  # fmt: skip
    heads = ["ID", "Floating IP Address", "Fixed IP Address", "Port", "Floating Network", "Project"]
    return listing(heads, rows, options)


def port_list(cloud, options):
    wanted, fixed = options.value("--server"), options.value("--fixed-ip")
    of = cloud.find(wanted)["id"] if wanted else None
    rows = []
    for server in cloud.servers:
        address = cloud.address(server)
        if of in (None, server["id"]) and fixed in (None, f"ip-address={address}", address):
            addresses = [{"subnet_id": identifier("subnet"), "ip_address": address}]
            status = "DOWN" if server["status"] == "BUILD" else "ACTIVE"
            rows.append([server["port"], "", clouds.mac(server), addresses, status])
    return listing(["ID", "Name", "MAC Address", "Fixed IP Addresses", "Status"], rows, options)


def floating_set(cloud, options):
    clouds.associate(cloud, options.word(0), needed(options)("--port"))
    return ""


def floating_unset(cloud, options):
    clouds.associate(cloud, options.word(0), None)
    return ""


NOVA = {"list": nova_list, "show": nova_show, "boot": nova_boot, "delete": nova_delete, "stop": nova_stop, "console-log": console,
        "flavor-list": nova_flavors, "image-list": nova_images, "volume-list": nova_volumes}  # fmt: skip
NEUTRON = {"floatingip-list": neutron_floating, "port-list": neutron_ports,
           "floatingip-associate": neutron_associate, "floatingip-disassociate": neutron_disassociate}  # fmt: skip
OPENSTACK = {
    "server list": server_list, "server show": server_show, "server create": server_create,
    "server delete": server_delete, "server stop": server_stop, "flavor list": flavor_list, "image list": image_list, "console log show": console,
    "port list": port_list, "floating ip list": floating_list, "floating ip set": floating_set,
    "floating ip unset": floating_unset, "volume list": volume_list, "server volume list": volumes_of_server,
}  # fmt: skip
