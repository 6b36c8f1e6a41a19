#!/bin/sh
# The first process of one host of the real fleet, run in new network, mount, UTS and pid namespaces.
#   host-init.sh DIRECTORY NAME
# DIRECTORY holds etc/ (laid over the machine's own /etc), log/, for a database mysql/, bin/ (laid over
# /usr/local/bin), where there is Salt venv (where its environment is), and on the jump box srv/ and cloud/.
# When this process ends, the kernel ends everything in the host with it.
set -eu
dir=$1 name=$2

# /proc is still the outer one here: this is the pid by which the outside knows us.
read -r outer rest </proc/self/stat
mount -t proc proc /proc
hostname "$name"
# The jump box forwards nothing by itself: who is not logged in there reaches no host.
echo 0 >/proc/sys/net/ipv4/ip_forward
if [ -e /proc/sys/net/ipv6/conf/all/disable_ipv6 ]; then echo 1 >/proc/sys/net/ipv6/conf/all/disable_ipv6; fi
ip link set lo up

# lay_over PLACE NAME: the host's own NAME/ over the machine's PLACE. The upper layer is a tmpfs of this host, so nothing
# outlives it; where the kernel has no overlay filesystem the whole of PLACE is copied.
lay_over() {
    mkdir -p "$dir/layer"
    mount -t tmpfs -o mode=755,size=64m tmpfs "$dir/layer"
    mkdir "$dir/layer/upper" "$dir/layer/work"
    cp -a "$dir/$2/." "$dir/layer/upper/"
    if mount -t overlay -o "lowerdir=$1,upperdir=$dir/layer/upper,workdir=$dir/layer/work" overlay "$1" 2>/dev/null; then
        umount -l "$dir/layer"
    else
        mkdir "$dir/layer/whole"
        cp -a "$1/." "$dir/layer/whole/"
        cp -a --remove-destination "$dir/$2/." "$dir/layer/whole/"
        mount --bind "$dir/layer/whole" "$1"
        umount -l "$dir/layer"
    fi
}
# What Debian's packages have there, for this host alone: its services are not installed on the machine.
if [ -f "$dir/usr" ]; then mount -t overlay -o "ro,lowerdir=$(cat "$dir/usr"):/usr" overlay /usr; fi
lay_over /etc etc
for place in spool lib mail; do
    if [ -d "$dir/var/$place" ]; then lay_over "/var/$place" "var/$place"; fi
done

mount --bind "$dir/log" /var/log
if [ -d "$dir/mysql" ]; then
    mkdir -p /var/lib/mysql
    mount --bind "$dir/mysql" /var/lib/mysql
fi
# What jumpdeck keeps for after a restart of this host.
mkdir -p -m 700 "$dir/lasting" /var/lib/jumpdeck
mount --bind "$dir/lasting" /var/lib/jumpdeck
mount -t tmpfs -o mode=755,size=64m tmpfs /run
# Before /root and /home go: the environment may well be below one of them.
if [ -f "$dir/venv" ]; then
    mkdir -p /run/fleet-rig/venv
    mount --bind "$(cat "$dir/venv")" /run/fleet-rig/venv
fi
if [ -d "$dir/cloud" ]; then
    mkdir -p /run/fleet-rig/cloud
    mount --bind "$dir/cloud" /run/fleet-rig/cloud
fi
if [ -d "$dir/bin" ]; then
    lay_over /usr/local/bin bin
fi
if [ -d "$dir/srv" ]; then
    mount --bind "$dir/srv" /srv
fi
for place in /root /home; do
    mount -t tmpfs -o mode=755,size=64m tmpfs "$place"
done
mkdir -p /run/sshd /run/mysqld /home/ops
mkdir -m 1777 /run/lock
if [ "$name" = salt ]; then
    # As root makes it on a jump box (docs/security.md): without it one run at a time makes changes.
    install -d -o root -g jumpdeck -m 2770 /run/lock/jumpdeck
fi
chmod 700 /root /home/ops
chown 1900:1900 /home/ops
if [ -f "$dir/my.cnf" ]; then
    cp "$dir/my.cnf" /root/.my.cnf
    chmod 600 /root/.my.cnf
fi
if [ -d "$dir/mysql" ]; then
    chown mysql /run/mysqld
fi
printf '%s\n' "$outer" >"$dir/pid.part"
mv "$dir/pid.part" "$dir/pid"
# Last, because the fleet's own directory may well be below it: a host sees neither the others' files nor the keys.
mount -t tmpfs -o mode=1777,size=64m tmpfs /tmp
cd /
unset dir

for start in /etc/jumpdeck/start-*; do "$start"; done

# Waiting for any child reaps the orphans too.
while :; do
    sleep 86400 &
    wait $!
done
