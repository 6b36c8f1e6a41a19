"""The services that hosts run as Debian has them: Postfix, Apache, Redis, Memcached, Exim, nginx, PHP-FPM, where `packages` has their
trees. An administrator starts and stops them there with `service NAME start|stop`."""

import os
import re
import shutil
from pathlib import Path

from . import packages, processes
from .layout import DOMAIN, FleetError
from .machine import write

# What a host of a role runs.
OF_ROLE = {
    "mail": ("postfix",),
    "web": ("apache2",),
    "sessions": ("redis-server", "memcached"),
    "memcache": ("memcached",),
    "backup": ("exim4",),
    "accounts": ("nginx", "php-fpm"),
}
# PHP-FPM listens at a socket.
PORTS = {"postfix": 25, "apache2": 80, "redis-server": 6379, "memcached": 11211, "exim4": 25, "nginx": 80}

# The inventory's words for them. No name server, Salt master and minions that an init script starts, DKIM, Elasticsearch and
# accounts service run on a fleet that is as new, and nothing is backed up.
DECLARED = [
    'services = { apache = { roles = ["web"] }, nginx = { roles = ["accounts"] }, php-fpm = { roles = ["accounts"] }, '
    "elasticsearch = false, fxa-auth-server = false, gdnsd = false, opendkim = false, salt-master = false, salt-minion = false }",
    "backups = { databases = false, files = false, salt = false }",
]
NONE_DECLARED = [
    "default_services = false",
    "services = { elasticsearch = false, postfix = false, redis = false }",
]

START = """\
#!/bin/sh
exec </dev/null >>/var/log/services.log 2>&1
for service in {services}; do
    setsid service "$service" start &
done
"""

# Mail for the fleet's hosts goes to the host itself, found in /etc/hosts: nobody there takes it, so it waits.
POSTFIX = """\
compatibility_level = 3.6
myhostname = {fqdn}
mydestination = $myhostname, localhost
mynetworks = 127.0.0.0/8 {net}
inet_protocols = ipv4
alias_maps =
alias_database =
disable_dns_lookups = yes
smtp_host_lookup = native
maillog_file = /var/log/mail.log
"""

# All mail goes to the mail host: what Debian's own question "mail sent by smarthost" writes.
EXIM = """\
dc_eximconfig_configtype='satellite'
dc_other_hostnames=''
dc_local_interfaces='127.0.0.1'
dc_readhost='{fqdn}'
dc_relay_domains=''
dc_minimaldns='false'
dc_relay_nets=''
dc_smarthost='mail.{domain}'
CFILEMODE='644'
dc_use_split_config='false'
dc_hide_mailname='true'
dc_mailname_in_oh='true'
dc_localdelivery='mail_spool'
"""

# What Debian turns on, but with the processes of the role list.
APACHE_MODULES = (
    "access_compat", "alias", "auth_basic", "authn_core", "authn_file", "authz_core", "authz_host", "authz_user", "autoindex",
    "deflate", "dir", "env", "filter", "mime", "mpm_prefork", "negotiation", "reqtimeout", "setenvif", "status",
)  # fmt: skip
APACHE_SITE = """\
ServerName {fqdn}
<VirtualHost *:80>
    DocumentRoot /usr/share/apache2/default-site
    CustomLog ${{APACHE_LOG_DIR}}/access.log combined
</VirtualHost>
"""

# Both status pages are for the host itself. No page is there: what counts is the processes and their figures.
NGINX_SITE = """\
server {{
    listen 80 default_server;
    server_name {fqdn};
    location = /nginx_status {{ stub_status; allow 127.0.0.1; deny all; }}
    location = /fpm-status {{
        allow 127.0.0.1;
        deny all;
        include fastcgi_params;
        fastcgi_param SCRIPT_FILENAME /fpm-status;
        fastcgi_pass unix:{socket};
    }}
}}
"""

# As Debian's, except the addresses that hosts do not have.
MEMCACHED = """\
-d
logfile /var/log/memcached.log
-m 64
-p 11211
-u memcache
-l 127.0.0.1
-P /var/run/memcached/memcached.pid
"""


def _of_roles(machine):
    """What it would run where there are packages."""
    return [service for role in machine.roles() for service in OF_ROLE.get(role, ())]


def services(fleet, machine):
    """What it came up with."""
    return _of_roles(machine) if (fleet.home(machine) / "usr").exists() else []


def are_prepared(fleet):
    """Whether this fleet came up with them."""
    return any(services(fleet, machine) for machine in fleet.machines)


def declared(fleet):
    """What the inventory says of services."""
    return DECLARED if are_prepared(fleet) else NONE_DECLARED


def prepare(fleet):
    """The files of every service on its hosts, and what starts them; nothing where the packages are not there."""
    hosts = [machine for machine in fleet.machines if _of_roles(machine)]
    if not hosts or not packages.are_usable():
        return
    for machine in hosts:
        home = fleet.home(machine)
        its = _of_roles(machine)
        write(home / "usr", ":".join(str(packages.tree(service) / "usr") for service in its))
        for service in its:
            shutil.copytree(packages.tree(service) / "etc", home / "etc", symlinks=True, dirs_exist_ok=True)
        _add_accounts(home / "etc")
        for service in its:
            PREPARE[service](fleet, machine)
        text = START.format(services=" ".join(packages.script(service) for service in its))
        write(home / "etc" / "jumpdeck" / "start-services", text, 0o755)


def _add_accounts(etc):
    """The packages' accounts with the numbers that their trees have, whatever this machine's own are."""

    def rewrite(name, names, lines):
        kept = [line for line in (etc / name).read_text().splitlines() if line.split(":")[0] not in names]
        (etc / name).write_text("\n".join(kept + lines) + "\n")

    ids = packages.ACCOUNTS.items()
    rewrite("passwd", packages.ACCOUNTS, [f"{name}:x:{number}:{number}::/nonexistent:/usr/sbin/nologin" for name, number in ids])
    rewrite("shadow", packages.ACCOUNTS, [f"{name}:!:19000::::::" for name in packages.ACCOUNTS])
    rewrite("group", packages.GROUPS, [f"{name}:x:{number}:" for name, number in packages.GROUPS.items()])


def _folder(path, owner=None):
    path.mkdir(parents=True, exist_ok=True)
    if owner:
        os.chown(path, packages.ACCOUNTS[owner], packages.ACCOUNTS[owner])


def _postfix(fleet, machine):
    home = fleet.home(machine)
    share = packages.tree("postfix") / "usr" / "share" / "postfix"
    etc = home / "etc" / "postfix"
    write(etc / "main.cf", POSTFIX.format(fqdn=machine.fqdn, net=fleet.inside_net))
    shutil.copy(share / "master.cf.dist", etc / "master.cf")
    shutil.copy(share / "dynamicmaps.cf", etc / "dynamicmaps.cf")
    # It makes the folders of its queue when it starts.
    _folder(home / "var" / "spool" / "postfix")
    _folder(home / "var" / "lib" / "postfix", "postfix")
    _folder(home / "var" / "mail")


def _apache(fleet, machine):
    home = fleet.home(machine)
    etc = home / "etc" / "apache2"
    for module in APACHE_MODULES:
        for file in sorted((etc / "mods-available").glob(f"{module}.*")):
            (etc / "mods-enabled" / file.name).symlink_to(f"../mods-available/{file.name}")
    write(etc / "sites-enabled" / "000-default.conf", APACHE_SITE.format(fqdn=machine.fqdn))
    _folder(home / "log" / "apache2")


def _redis(fleet, machine):
    home = fleet.home(machine)
    with open(home / "etc" / "redis" / "redis.conf", "a") as config:
        config.write("maxmemory 64mb\n")
    os.chown(home / "etc" / "redis" / "redis.conf", 0, packages.ACCOUNTS["redis"])
    _folder(home / "log" / "redis", "redis")
    _folder(home / "var" / "lib" / "redis", "redis")


def _memcached(fleet, machine):
    write(fleet.home(machine) / "etc" / "memcached.conf", MEMCACHED)


def _exim(fleet, machine):
    home = fleet.home(machine)
    write(home / "etc" / "mailname", machine.fqdn + "\n")
    write(home / "etc" / "exim4" / "update-exim4.conf.conf", EXIM.format(fqdn=machine.fqdn, domain=DOMAIN))
    _folder(home / "log" / "exim4", "Debian-exim")
    _folder(home / "var" / "spool" / "exim4", "Debian-exim")
    _folder(home / "var" / "lib" / "exim4")
    _folder(home / "var" / "mail")


def _pool(home):
    """The file of PHP-FPM's one pool."""
    (found,) = home.glob("etc/php/*/fpm/pool.d/www.conf")
    return found


def _nginx(fleet, machine):
    home = fleet.home(machine)
    socket = re.search(r"^listen = (\S+)$", _pool(home).read_text(), re.MULTILINE)[1]
    site = home / "etc" / "nginx" / "sites-enabled" / "default"
    site.unlink(missing_ok=True)
    write(site, NGINX_SITE.format(fqdn=machine.fqdn, socket=socket))
    _folder(home / "log" / "nginx")
    _folder(home / "var" / "lib" / "nginx")


def _php_fpm(fleet, machine):
    home = fleet.home(machine)
    with open(_pool(home), "a") as config:
        config.write("pm.status_path = /fpm-status\n")
    _folder(home / "var" / "lib" / "php" / "sessions")


PREPARE = {
    "postfix": _postfix,
    "apache2": _apache,
    "redis-server": _redis,
    "memcached": _memcached,
    "exim4": _exim,
    "nginx": _nginx,
    "php-fpm": _php_fpm,
}


def wait_ready(fleet):
    """Waits until every service listens."""
    for machine in fleet.machines:
        for service in services(fleet, machine):
            if not processes.wait_for(lambda m=machine, s=service: _listens(m, s), 20):
                raise FleetError(f"{machine.name}: {service} does not listen, see its log/services.log")


def _listens(machine, service):
    if service == "php-fpm":
        return any(Path(f"/proc/{machine.pid}/root/run/php").glob("*.sock"))
    return processes.is_listening(machine, PORTS[service])
