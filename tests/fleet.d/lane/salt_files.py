"""What Salt reads on the hosts of the fleet: configurations, states, pillar. Texts only."""

MASTER = """\
interface: {address}
user: root
# Everybody is in one machine: a few workers do, and the keys need not outlive the afternoon.
worker_threads: 3
keysize: 2048
cachedir: /run/salt/cache/master
file_roots: {{base: [/srv/salt]}}
pillar_roots: {{base: [/srv/pillar, /srv/private/pillar]}}
fileserver_backend: [roots]
fileserver_update_interval: 3600
hash_type: sha256
timeout: 15
gather_job_timeout: 5
show_timeout: true
log_level: error
log_level_logfile: warning
enable_ssh_minions: false
# The zone is rendered with the addresses that minions say.
peer: {{salt: [network.ip_addrs]}}
"""

MINION = """\
master: salt
id: {name}
cachedir: /run/salt/cache/minion
keysize: 2048
hash_type: sha256
# Threads start at once; a process would import Salt again for every job.
multiprocessing: false
acceptance_wait_time: 2
random_reauth_delay: 2
recon_default: 200
recon_max: 2000
# A cable that was cut is noticed within seconds, not minutes.
tcp_keepalive_idle: 5
tcp_keepalive_intvl: 2
tcp_keepalive_cnt: 3
mine_enabled: false
enable_fqdns_grains: false
enable_gpu_grains: false
enable_lspci: false
# With systemd_service Salt takes a machine that has systemctl and no systemd for a chroot: it starts no service, and says that all is well.
disable_modules: [boto3_sns, boto_sns, systemd_service]
grains_dirs: [/etc/jumpdeck/grains]
log_level: error
log_level_logfile: warning
"""

# What the host name tells, where /etc/salt/grains does not say otherwise.
ROLES = '''\
"""Roles from the minion's id: digits dropped, split on dashes. A list in /etc/salt/grains wins."""

import pathlib
import re


def roles():
    try:
        if re.search(r"^roles:", pathlib.Path("/etc/salt/grains").read_text(), re.M):
            return {}
    except OSError:
        pass
    name = re.sub(r"[0-9]", "", __opts__["id"])
    return {"roles": [part for part in name.split("-") if part]}
'''

WRAPPER = """\
#!/bin/sh
exec {venv}/bin/python {venv}/bin/{program} "$@"
"""

DAEMON = """\
#!/bin/sh
exec </dev/null >>/var/log/{program}.out 2>&1
mkdir -p /run/salt/cache /var/log/salt
setsid {venv}/bin/python {venv}/bin/{program} &
"""

INFRA = """\
# Addresses of this level. On a change raise gdnsd_timestamp.
infra:
  current:
    tld: {domain}
  gdnsd_timestamp: {serial}
  hosts_entries:
    salt: {salt}
    mail: {mail}
    backup: {backup}
    masterdb: {masterdb}
  db_servers:
    mysql:
      writes: {masterdb}
      masterdb: {masterdb}
  elasticsearch:
    private: {elastic}
    port: 9200
    nodes:
      - {elastic}
  sessions_redis:
    - {sessions1}:6379
  sessions_memcache:
    - {memcache1}:11211
  alpha_redis:
    - {sessions1}:6379
  alpha_memcache:
    - {memcache1}:11211
    - {memcache2}:11211
"""

ACCOUNTS = """\
accounts:
  mysql:
    wiki: {wiki}
    repl: {repl}
"""

PILLAR_TOP = """\
base:
  '*':
    - infra.{level}
  'P@roles:(app|db)':
    - match: compound
    - accounts.{level}
"""

SALT_TOP = """\
base:
  '*':
    - hosts
  'roles:app':
    - match: grain
    - code
"""

# On a fleet with a name server.
SALT_TOP_NAMES = """\
  salt:
    - gdnsd
"""

HOSTS_STATE = """\
/etc/hosts:
  file.managed:
    - mode: '0644'
    - contents: |
        127.0.0.1 localhost
        {{%- for name, address in pillar['infra']['hosts_entries'].items() if name not in {known} %}}
        {{{{ address }}}} {{{{ name }}}}.{{{{ pillar['infra']['current']['tld'] }}}} {{{{ name }}}}
        {{%- endfor %}}
{lines}
"""

CODE_STATE = """\
/etc/webplatform/db.ini:
  file.managed:
    - mode: '0644'
    - makedirs: true
    - contents: |
        ; written by Salt from pillar infra:db_servers:mysql
        [database]
        host = {{ pillar['infra']['db_servers']['mysql']['writes'] }}
        port = 3306
        user = wiki
        password_file = /etc/webplatform/db.password

/etc/webplatform/db.password:
  file.managed:
    - mode: '0600'
    - makedirs: true
    - show_changes: false
    - contents_pillar: accounts:mysql:wiki

/etc/webplatform/ca.pem:
  file.managed:
    - mode: '0644'
    - makedirs: true
    - contents: |
CA_LINES
"""

USERDATA = """\
#cloud-config
hostname: {name}
packages: [salt-minion]
"""
