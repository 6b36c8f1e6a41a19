//! Upkeep of a host: updates and a reboot that wait, units that failed, processes that the kernel ended, filesystems that it made
//! read-only, who is logged in, and what sets its clock.
//!
//! The mount table is read with every sixth report, without a process. What takes one, or reads for long, is asked more rarely, and
//! its answer kept: systemd, `who`, a reboot that waits, the kernel's counters and when Salt and anacron did something about every two
//! minutes, updates about once an hour. A package manager takes a second of a CPU, so it is not asked with the first report of a
//! connection, nor again while what its answer rests on has not changed, and never refreshes its lists.

use crate::collect::probe::{Probe, ProbeCadence, Raw};
use jumpdeck_fleet::fact::Gap;
use jumpdeck_fleet::snapshot::HostFacts;
use jumpdeck_fleet::time::Moment;

mod kernels;
mod read;
mod waiting;

pub(super) struct UpkeepProbe;

impl Probe for UpkeepProbe {
    fn name(&self) -> &'static str {
        "upkeep"
    }

    fn script(&self) -> &'static str {
        SCRIPT
    }

    fn cadence(&self) -> ProbeCadence {
        ProbeCadence::Slow
    }

    fn ingest(&self, raw: Result<&Raw, Gap>, at: Moment, facts: &mut HostFacts) {
        facts.upkeep.take(raw.and_then(|raw| read::read(raw.ok()?)), at);
    }
}

// Each part begins with a line `@NAME STATUS`. The status `none`: the host cannot have it; `later`: it is not asked yet.
const SCRIPT: &str = r#"
    jd_wanted="${jd_wanted}chronyd ntpd openntpd systemd-timesyn ptp4l "
    upkeep_n=0 upkeep_rarely= upkeep_hourly= upkeep_notified= upkeep_answer= upkeep_grounds=
    # NAME SECONDS BYTES CMD...: a part that a program answers.
    upkeep_ask() {
        upkeep_part=$1 upkeep_out=$jd_out
        shift
        jd_out= jd_got=
        jd_ask "$@"
        jd_out="$upkeep_out@$upkeep_part $?$NL$jd_out$jd_got$NL"
    }
    upkeep_failed() { systemctl --no-pager --no-legend --plain --state=failed list-units 2>&1; }
    upkeep_units() {
        if [ ! -d /run/systemd/system ]; then say '@units none'
        elif ! command -v systemctl > /dev/null; then say "@units 127${NL}systemctl"
        else upkeep_ask units 3 16384 upkeep_failed
        fi
    }
    upkeep_who() {
        if command -v who > /dev/null; then upkeep_ask who 2 8192 who
        else say "@who 127${NL}who"
        fi
    }
    upkeep_any() { :; }
    # When files were written, by the host's clock.
    upkeep_times() { date +%s; stat -c '%Y %n' "$@"; }
    # Salt writes it when it applies or tests states. Without a folder of its own there is no minion.
    upkeep_salt() {
        upkeep_cache=/var/cache/salt
        if [ -e "$upkeep_cache/minion/highstate.cache.p" ]; then upkeep_ask salt 2 512 upkeep_times "$upkeep_cache/minion/highstate.cache.p"
        elif [ -d "$upkeep_cache" ] && [ ! -x "$upkeep_cache" ]; then say "@salt 126$NL$upkeep_cache"
        elif [ ! -d "$upkeep_cache/minion" ]; then say '@salt none'
        elif [ ! -x "$upkeep_cache/minion" ]; then say "@salt 126$NL$upkeep_cache/minion"
        else say '@salt 0'
        fi
    }
    # Without the program nobody writes it any more.
    upkeep_anacron() {
        if [ -e /var/spool/anacron/cron.daily ] && command -v anacron > /dev/null; then
            upkeep_ask anacron 2 512 upkeep_times /var/spool/anacron/cron.daily
        elif [ -d /var/spool/anacron ] && [ ! -x /var/spool/anacron ] && command -v anacron > /dev/null; then
            say "@anacron 126$NL/var/spool/anacron"
        else say '@anacron none'
        fi
    }
    upkeep_keeper() {
        say '@keeper 0'
        jd_seek upkeep_any chronyd ntpd openntpd systemd-timesyn ptp4l
        jd_line=
        case $jd_process in
            hidden) say hidden ;;
            id*) IFS= read -r jd_line < "$jd_at/comm"; say "$jd_line" ;;
        esac
    }
    # A newer kernel is one of the same flavour: which that is, the console says.
    upkeep_kernels() {
        if [ -d /boot ] && { [ ! -r /boot ] || [ ! -x /boot ]; }; then say "@kernel 126$NL/boot"; return; fi
        say '@kernel 0'
        slurp /proc/sys/kernel/osrelease
        set +f
        set -- /boot/vmlinuz-*
        set -f
        upkeep_count=0
        for upkeep_file in "$@"; do
            [ -e "$upkeep_file" ] && [ "$upkeep_count" -lt 200 ] || continue
            upkeep_count=$((upkeep_count + 1))
            say "${upkeep_file#*/vmlinuz-}"
        done
    }
    upkeep_reboot() {
        for upkeep_file in /run/reboot-required /var/run/reboot-required; do
            [ -e "$upkeep_file" ] || continue
            say '@reboot 0'
            slurp "$upkeep_file.pkgs"
            return
        done
        upkeep_kernels
    }
    upkeep_oom() {
        if [ ! -r /proc/vmstat ]; then say "@oom 126${NL}/proc/vmstat"; return; fi
        while IFS= read -r upkeep_line; do
            case $upkeep_line in 'oom_kill '*) say "@oom 0$NL$upkeep_line"; return ;; esac
        done < /proc/vmstat
        say '@oom none'
    }
    # Read-only in the mount table, and not in /etc/fstab: an error made it so, or somebody did by hand.
    upkeep_read_only() {
        upkeep_out=$jd_out
        jd_mounts || { jd_out=$upkeep_out; say "@readonly 1${NL}/proc/mounts cannot be read"; return; }
        jd_out=$upkeep_out
        case $jd_table in *' ro,'*|*' ro '*|*,emergency_ro*) ;; *) say '@readonly 0'; return ;; esac
        upkeep_fstab=
        if [ -r /etc/fstab ]; then
            jd_out=
            slurp /etc/fstab
            upkeep_fstab=$jd_out jd_out=$upkeep_out
        elif [ -e /etc/fstab ]; then say "@readonly 126$NL/etc/fstab"; return
        fi
        say '@readonly 0'
        IFS=$NL
        set -- $jd_table
        IFS=$jd_ifs
        for upkeep_row in "$@"; do
            case $upkeep_row in /dev/*) ;; *) continue ;; esac
            set -- $upkeep_row
            # ext4 of Linux 6.15 and later keeps `rw`, and adds the other.
            case ,$4, in *,ro,*|*,emergency_ro,*) ;; *) continue ;; esac
            case $3 in ext[234]|xfs|btrfs|jfs|reiserfs|f2fs) upkeep_writable "$2" && say "$2" ;; esac
        done
    }
    # Whether /etc/fstab mounts it writable.
    upkeep_writable() {
        upkeep_dir=$1
        IFS=$NL
        set -- $upkeep_fstab
        IFS=$jd_ifs
        for upkeep_entry in "$@"; do
            set -- $upkeep_entry
            case $1 in '#'*) continue ;; esac
            [ "$2" = "$upkeep_dir" ] || continue
            case ,$4, in *,ro,*) return 1 ;; *) return 0 ;; esac
        done
        return 1
    }
    upkeep_date() { date '+%s %Y-%m-%d'; }
    # The newest of these is when the lists were refreshed; the first is written by that alone.
    upkeep_lists() {
        stat -c '%Y %n' /var/lib/apt/periodic/update-success-stamp /var/lib/apt/lists /var/lib/apt/lists/partial
        # Some of them are missing.
        true
    }
    # Without caches of its own: it writes nothing.
    upkeep_simulate() {
        apt-get -q -s -o Debug::NoLocking=true -o Dir::Cache::pkgcache= -o Dir::Cache::srcpkgcache= dist-upgrade 2>&1
    }
    upkeep_apt() {
        upkeep_simulate | {
            upkeep_all=0 upkeep_security=0 upkeep_why=
            while IFS= read -r upkeep_line; do
                case $upkeep_line in
                    Inst*'('*[Ss]ecurity*) upkeep_all=$((upkeep_all + 1)) upkeep_security=$((upkeep_security + 1)) ;;
                    Inst*) upkeep_all=$((upkeep_all + 1)) ;;
                    *' newly installed'*) echo "apt $upkeep_security $upkeep_all" ;;
                    E:*) [ -n "$upkeep_why" ] || upkeep_why=$upkeep_line ;;
                esac
            done
            [ -z "$upkeep_why" ] || { echo "$upkeep_why"; false; }
        }
    }
    # CentOS's repositories do not say which updates are for security: none would be found for ever.
    upkeep_centos() {
        if [ ! -e /etc/os-release ]; then [ -e /etc/centos-release ]; return; fi
        while IFS= read -r upkeep_line || [ -n "$upkeep_line" ]; do
            case $upkeep_line in ID=centos|'ID="centos"') return 0 ;; esac
        done < /etc/os-release
        return 1
    }
    # 100: there are some. yum breaks a long row after the name.
    upkeep_rpm() {
        upkeep_found=$("$1" -q -C check-update --security 2>&1)
        case $? in 0|100) ;; *) echo "$upkeep_found"; return 1 ;; esac
        upkeep_security=0
        echo "$upkeep_found" | {
            while read -r upkeep_name upkeep_version upkeep_repo upkeep_line; do
                case $upkeep_name in Obsoleting) break ;; */*) continue ;; ?*.?*) ;; *) continue ;; esac
                case $upkeep_version in ?*) [ -n "$upkeep_repo" ] && [ -z "$upkeep_line" ] || continue ;; esac
                upkeep_security=$((upkeep_security + 1))
            done
            echo "rpm $upkeep_security"
        }
    }
    # What apt's answer rests on: what is installed and held, the lists, and what chooses among them.
    upkeep_rests() {
        stat -c '%i %y %s %n' /var/lib/dpkg/status /var/lib/apt/lists /var/lib/apt/extended_states /etc/apt /etc/apt/sources.list \
            /etc/apt/sources.list.d /etc/apt/preferences /etc/apt/preferences.d /etc/apt/apt.conf.d
        # Some of them are missing.
        true
    }
    # Whether apt would answer what it answered before. The times of folders say nothing of a file in them that was written in place: so
    # it is asked once a day whatever they say.
    upkeep_same() {
        upkeep_before=$upkeep_grounds
        jd_ask 2 4096 upkeep_rests
        upkeep_grounds=$jd_got
        [ -n "$upkeep_answer" ] && [ -n "$upkeep_grounds" ] && [ "$upkeep_grounds" = "$upkeep_before" ] &&
            [ "$((upkeep_n % 2880))" != 0 ]
    }
    # Its grounds are looked at before it is asked: a change meanwhile is seen with the next look.
    upkeep_debian() {
        if upkeep_same; then jd_out=$jd_out$upkeep_answer; return; fi
        upkeep_ask updates 5 4096 upkeep_apt
        case $jd_out in
            *"@updates 0$NL"*) upkeep_answer="@updates 0$NL${jd_out##*"@updates 0$NL"}" ;;
            *) upkeep_answer= ;;
        esac
    }
    # What the file says is as new as the lists; else a package manager is asked, when the connection has lasted a while.
    upkeep_updates() {
        upkeep_out=$jd_out jd_out=
        slurp /var/lib/update-notifier/updates-available
        upkeep_notified=$jd_out jd_out=$upkeep_out
        case $upkeep_notified in *[0-9]*) say "@updates 0${NL}notifier$NL$upkeep_notified"; return ;; esac
        if [ "$upkeep_n" = 0 ]; then say '@updates later'; return; fi
        if [ -d /var/lib/dpkg ] && command -v apt-get > /dev/null; then upkeep_debian
        elif upkeep_centos; then say '@updates none'
        elif command -v dnf > /dev/null; then upkeep_ask updates 5 4096 upkeep_rpm dnf
        elif command -v yum > /dev/null; then upkeep_ask updates 5 4096 upkeep_rpm yum
        elif barred apt-get dnf yum; then say "@updates 126$NL$jd_barred"
        else say '@updates none'
        fi
    }
    probe_upkeep() {
        upkeep_read_only
        upkeep_report=$jd_out
        # At most one package manager a report: it is asked with the second look, and then every 120th.
        case $((upkeep_n % 4)) in
            0) jd_out=; upkeep_reboot; upkeep_oom; upkeep_units; upkeep_who; upkeep_keeper; upkeep_salt; upkeep_anacron; upkeep_rarely=$jd_out ;;
        esac
        case $((upkeep_n % 120)) in
            0) jd_out=; upkeep_ask date 2 512 upkeep_date; upkeep_ask lists 2 2048 upkeep_lists; upkeep_updates; upkeep_hourly=$jd_out ;;
            1) case $upkeep_hourly in *'@updates later'*)
                jd_out=; upkeep_updates
                [ -n "$jd_refused" ] || upkeep_hourly="${upkeep_hourly%@updates*}$jd_out" ;; esac ;;
        esac
        # What the report had no time for is asked with the next look, not in an hour.
        [ -n "$jd_refused" ] || upkeep_n=$((upkeep_n + 1))
        jd_out="$upkeep_report$upkeep_rarely$upkeep_hourly"
    }
"#;
