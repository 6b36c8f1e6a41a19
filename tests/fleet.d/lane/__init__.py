"""The real fleet of the tests.

layout     names, addresses, files and the state of one fleet
machine    one host: its files, its namespaces, its processes
wires      the links between this machine, the jump box and the hosts
database   MariaDB with replication over TLS
access     keys, known_hosts, ssh_config and inventory.toml
delay      the round trip between here and the jump box
fleet      up, down, status, proof that the hosts are reachable from the jump box only
faults     what tests do to it: freeze, cut, rekey, stop the jump box
bench      the same poll by jumpdeck and by what people use today
cli        the commands
"""
