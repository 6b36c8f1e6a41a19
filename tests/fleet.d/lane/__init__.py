"""The real fleet of the tests.

layout     names, addresses, files and the state of one fleet
machine    one host: its files, its namespaces, its processes
wires      the links between this machine, the jump box and the hosts
state      who may touch a fleet
database   MariaDB with replication over TLS
injuries   what is wrong with databases on demand
proxy      HAProxy on the app hosts
apps       db.ini, the writers and their score
salt       a real Salt; salt_files has its texts
names      the name server on the jump box
cloud      servers and floating addresses that are namespaces; agent serves it, cloud_words and cloud_forms have its words
access     keys, known_hosts, ssh_config and inventory.toml
delay      the round trip between here and the jump box
fleet      up, down, status, proof that the hosts are reachable from the jump box only
faults     what tests do to it: freeze, cut, rekey, stop the jump box
bench      the same poll by jumpdeck and by what people use today
cli        the commands; services those for databases, writers, Salt and the cloud
"""
