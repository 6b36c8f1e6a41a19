"""HAProxy on the app hosts, where the layout has it: the applications connect to it, and it connects to the master."""

from pathlib import Path

from . import machine as machines, processes
from .layout import FleetError
from .machine import write
from .processes import inside, run, wait_for

# Where the applications find it.
ADDRESS = "127.0.0.1"
PORT = 3306
CONFIG = "/etc/haproxy/haproxy.cfg"

# hard-stop-after: how long the sessions of before a reload go on. Without it they stay with the old master for as long as an
# application keeps its connection.
# on-marked-down: a master that does not answer any more ends no session; the check does.
TEXT = """\
global
    user haproxy
    group haproxy
    maxconn 200
    hard-stop-after 100ms

defaults
    mode tcp
    timeout connect 1s
    timeout client 1h
    timeout server 1h

listen masterdb
    bind {proxy}:{port}
    option mysql-check user haproxy
    server master {master}:3306 check inter 1s fall 2 rise 1 on-marked-down shutdown-sessions
"""

# As its health check logs in: without a password, and without a right.
ACCOUNT = """\
CREATE USER 'haproxy'@'%';
"""

# As Debian's unit starts it, but for systemd's messages.
START = """\
#!/bin/sh
exec </dev/null >>/var/log/haproxy.log 2>&1
setsid /usr/sbin/haproxy -W -f /etc/haproxy/haproxy.cfg -p /run/haproxy.pid &
"""

# What the inventory says of it.
DATABASE_FILES = [
    '{ role = "app", file = "/etc/haproxy/haproxy.cfg", line = "server master {address}:3306", '
    'reload = "systemctl reload haproxy", check = "systemctl is-active haproxy && haproxy -c -f {file}" }',
]


def config(fleet, master):
    """haproxy.cfg for this master."""
    return TEXT.format(proxy=ADDRESS, port=PORT, master=fleet.address(master))


def prepare(fleet, app, master):
    """The configuration, what starts it with the host, and a `systemctl` that knows it."""
    home = fleet.home(app)
    write(home / CONFIG.lstrip("/"), config(fleet, master))
    write(home / "etc" / "jumpdeck" / "start-haproxy", START, 0o755)
    stand_in = (Path(__file__).parent.parent / "service-stand-in").read_text()
    for program in ("systemctl", "service"):
        write(home / "bin" / program, stand_in, 0o755)


def point_at(fleet, app, master):
    """As a fresh fleet has it: the proxy runs, and knows this master alone. Started anew, whatever a test did to it."""
    machines.put(app, CONFIG, config(fleet, master))
    run(*inside(app, "/usr/local/bin/systemctl", "restart", "haproxy"))
    if not wait_for(lambda: processes.is_listening(app, PORT), 10):
        raise FleetError(f"{app.name}: HAProxy does not listen, see its log/haproxy.log")
