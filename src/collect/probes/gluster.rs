//! GlusterFS: whether each brick runs, whether the peers are connected, and how much waits to be healed, on hosts of its server.
//!
//! Every host of a pool tells of the whole pool. Only root may ask: as root, or by sudo where the inventory says so. The server logs each
//! question of a client, so it is asked every two minutes, and again with the next look only while it does not answer.

use crate::collect::probe::{ProbeCadence, Raw, ServiceProbe, unreadable};
use jumpdeck_fleet::fact::Gap;
use jumpdeck_fleet::fleet::Thresholds;
use jumpdeck_fleet::problem::Severity;
use jumpdeck_fleet::service::{Figure, Finding, HostsOf, Service, ServiceKind, ServiceReading, Unit};
use jumpdeck_fleet::text::Clean;

mod pool;

use pool::{BrickTrouble, Pool};

pub(super) static PROBE: ServiceProbe = ServiceProbe {
    kind: &ServiceKind {
        name: "gluster",
        hosts: HostsOf::Found { except: &[] },
        // Bricks that run go on without it; on hosts of role storage the service glusterd is critical.
        stopped: Severity::Warning,
        when_stopped: "Nobody sees the state of its bricks, and no client can mount a volume here. Start it: service glusterd start; \
                       on Ubuntu its service is glusterfs-server.",
        rule,
        short: |_| None,
    },
    script: SCRIPT,
    settings: |_| None,
    cadence: ProbeCadence::Slow,
    read,
};

// The log of the client is not written. `status all detail` has each brick in lines of its own, however long its name is.
const SCRIPT: &str = r#"
    jd_wanted="${jd_wanted}glusterd "
    gluster_wait=0 gluster_kept= gluster_asked=0 gluster_before=0 gluster_at=0
    gluster_is() { :; }
    gluster_run() {
        if [ -n "$SUDO" ] && [ "$LIMIT" != jd_bounded ]; then
            $SUDO $LIMIT 4 gluster --mode=script --log-file=/dev/null "$@" 2>&1
        else gluster --mode=script --log-file=/dev/null "$@" 2>&1
        fi
    }
    gluster_all() {
        gluster_run peer status || return
        echo @volumes
        gluster_run volume info || return
        echo @bricks
        gluster_run volume status all detail
        echo "@status $?"
    }
    gluster_heal() {
        gluster_failed=0
        for gluster_volume in $gluster_volumes; do
            echo "@heal $gluster_volume"
            gluster_run volume heal "$gluster_volume" statistics heal-count || gluster_failed=$?
        done
        return "$gluster_failed"
    }
    # The volumes with copies that are started, at most eight: only they have a backlog.
    gluster_choose() {
        gluster_volumes= gluster_volume= gluster_type= gluster_number=0
        IFS=$NL
        set -- $jd_got
        IFS=$jd_ifs
        for gluster_row in "$@"; do
            case $gluster_row in
                '@bricks') return ;;
                'Volume Name: '*) gluster_volume=${gluster_row#*: } ;;
                'Type: '*) gluster_type=$gluster_row ;;
                'Status: Started'*)
                    case $gluster_type in *Replicate*) ;; *) continue ;; esac
                    case $gluster_volume in ''|-*|*[!0-9A-Za-z_-]*) continue ;; esac
                    gluster_number=$((gluster_number + 1))
                    [ "$gluster_number" -le 8 ] || return
                    gluster_volumes="$gluster_volumes$gluster_volume " ;;
            esac
        done
    }
    # How long the number of entries has not gone down. While a brick is away it cannot.
    gluster_idle() {
        gluster_sum=0 gluster_away=
        IFS=$NL
        set -- $jd_got
        IFS=$jd_ifs
        for gluster_row in "$@"; do
            case $gluster_row in
                'Number of entries: '*[0-9])
                    gluster_row=${gluster_row##*: }
                    case $gluster_row in *[!0-9]*|??????????*) ;; *) gluster_sum=$((gluster_sum + gluster_row)) ;; esac ;;
                *'not connected'*|'No gathered'*) gluster_away=yes ;;
            esac
        done
        jd_clock
        if [ "$gluster_sum" = 0 ] || [ -n "$gluster_away" ] || [ "$gluster_sum" -lt "$gluster_before" ] || [ "$gluster_before" = 0 ]; then
            gluster_at=$jd_up
        fi
        gluster_before=$gluster_sum
        say "@idle $(((jd_up - gluster_at) / 100))"
    }
    # What it said last, and how many seconds ago it was asked; nothing where the host's clock cannot be read.
    gluster_say() {
        gluster_age=
        jd_clock
        [ "$jd_up" = 0 ] || gluster_age=$(((jd_up - gluster_asked) / 100))
        jd_out="@asked $gluster_age$NL$gluster_kept"
    }
    probe_gluster() {
        # A closed folder hides whether there is a volume.
        if [ ! -d /var/lib/glusterd/vols ]; then
            [ -d /var/lib/glusterd ] && [ ! -x /var/lib/glusterd ] || return 0
            say /var/lib/glusterd
            return 126
        fi
        if [ -r /var/lib/glusterd/vols ]; then
            set +f
            set -- /var/lib/glusterd/vols/*
            set -f
            [ -e "$1" ] || return 0
        fi
        jd_seek gluster_is glusterd
        if [ -z "$jd_process" ]; then
            say @stopped
            gluster_wait=0
            return 0
        fi
        ! lacks gluster || return 127
        # Only root may read it; 3.3 lets everybody, and says itself whom it does not answer.
        if [ -z "$SUDO" ] && [ ! -r /var/lib/glusterd/glusterd.info ]; then say 'only root may ask gluster'; return 126; fi
        if [ "$gluster_wait" -gt 0 ]; then
            gluster_wait=$((gluster_wait - 1))
            gluster_say
            return 0
        fi
        jd_ask 5 131072 gluster_all
        gluster_status=$?
        gluster_asked=$jd_up
        case $gluster_status in
            0) ;;
            127) say gluster; return 127 ;;
            *) say "$jd_got"; return "$gluster_status" ;;
        esac
        say "@answer ${jd_cut:-no}$NL$jd_got"
        case $jd_got in *'@status 0'*) gluster_wait=3 ;; esac
        gluster_choose
        if [ -n "$gluster_volumes" ]; then
            # Where one volume does not answer, what those before it said is kept.
            jd_parts=yes
            jd_ask 3 16384 gluster_heal
            gluster_heals=$?
            say "@heals $gluster_heals ${jd_cut:-no}$NL$jd_got"
            # A number that is not whole says nothing of whether it goes down.
            [ "$gluster_heals" != 0 ] || [ -n "$jd_cut" ] || gluster_idle
        fi
        gluster_kept=$jd_out
        gluster_say
    }
"#;

/// A heal begins at most ten minutes after a brick is back (`cluster.heal-timeout`). Seconds.
const MOST_IDLE: u64 = 1200;

/// What is wrong with a volume, from worst to least, and the reading that names it.
const TROUBLES: [(BrickTrouble, &str); 4] = [
    (BrickTrouble::Lost, "lost"),
    (BrickTrouble::Last, "last_copy"),
    (BrickTrouble::Fewer, "fewer_copies"),
    (BrickTrouble::Unknown, "unknown_bricks"),
];

fn read(raw: &Raw) -> Result<Service, Gap> {
    let text = match raw.ok() {
        Ok(text) => text,
        Err(gap) => return Ok(not_answered(gap)),
    };
    match text.trim() {
        "" => return Err(Gap::NotInstalled),
        "@stopped" => {
            let detail = "volumes are configured, and no glusterd runs".into();
            return Ok(Service { detail, ..Service::default() });
        }
        _ => {}
    }
    let (asked, rest) = marked(text, "@asked ")?;
    let (cut, rest) = marked(rest, "@answer ")?;
    let found = if cut != "no" {
        not_answered(Gap::Cut("128 KiB of the answer of gluster".into()))
    } else if let Some(pool) = Pool::read(rest) {
        service(&pool)
    } else {
        not_answered(unreadable(rest))
    };
    Ok(with_age(found, asked))
}

/// The rest of the first line, which begins with this mark, and the lines that follow.
fn marked<'a>(text: &'a str, mark: &str) -> Result<(&'a str, &'a str), Gap> {
    text.strip_prefix(mark).and_then(|rest| rest.split_once('\n')).ok_or_else(|| unreadable(text))
}

/// How many seconds ago it was asked: an answer is kept for two minutes.
fn with_age(mut service: Service, asked: &str) -> Service {
    let amount = |value| Figure::Amount { value, of: None, unit: Unit::Seconds };
    let age = asked.parse::<u64>().ok().map(|value| ServiceReading { name: "age", figure: amount(value) });
    let mut readings = std::mem::take(&mut service.readings).into_vec();
    readings.extend(age);
    service.readings = readings.into();
    service
}

/// Its server runs: that nobody knows the state of its bricks is said even where it never was known.
fn not_answered(gap: Gap) -> Service {
    let says = |why: &Clean| {
        ["ermission", "a password is required", "not allowed"].iter().any(|word| why.as_str().contains(word))
    };
    let gap = match gap {
        Gap::Failed(why) if says(&why) => Gap::NotPermitted(why),
        other => other,
    };
    Service {
        running: true,
        detail: "glusterd runs".into(),
        gaps: [("state", gap)].into(),
        ..Service::default()
    }
}

fn service(pool: &Pool<'_>) -> Service {
    let mut readings = Vec::new();
    let mut add = |name, figure| readings.push(ServiceReading { name, figure });
    let number = |n: usize| u64::try_from(n).unwrap_or(u64::MAX);
    let bricks = pool.volumes.iter().map(|volume| volume.bricks.len()).sum::<usize>();
    add("volumes", Figure::count(number(pool.volumes.len())));
    let up = Figure::Amount { value: number(pool.bricks_up()), of: Some(number(bricks)), unit: Unit::Count };
    add("bricks", up);
    add("peers", Figure::count(number(pool.peers.len())));
    let gone: Vec<String> = pool.peers.iter().filter_map(|peer| peer.trouble()).collect();
    if !gone.is_empty() {
        add("peers_gone", Figure::text(&gone.join(", ")));
    }
    // Where the question failed, the gap says it once for all bricks.
    for (trouble, name) in TROUBLES.into_iter().filter(|_| pool.failed.is_none()) {
        let found: Vec<String> = pool.volumes.iter().filter_map(|volume| volume.words_of(trouble)).collect();
        if !found.is_empty() {
            add(name, Figure::text(&found.join("; ")));
        }
    }
    let stopped: Vec<&str> = pool.volumes.iter().filter(|v| !v.started).map(|v| v.name).collect();
    if !stopped.is_empty() {
        add("stopped", Figure::text(&stopped.join(", ")));
    }
    let (backlog, waiting) = (pool.backlog(), pool.backlog_words());
    if let Some(backlog) = backlog {
        add("backlog", Figure::count(backlog));
    }
    if !waiting.is_empty() {
        add("backlog_of", Figure::text(&waiting));
    }
    if let Some(value) = pool.idle.filter(|_| backlog.is_some_and(|entries| entries > 0)) {
        add("not_shrinking", Figure::Amount { value, of: None, unit: Unit::Seconds });
    }
    if let Some(used) = pool.used() {
        add("used", Figure::text(&used));
    }
    let mut gaps = Vec::new();
    if let Some(why) = &pool.failed {
        gaps.push(("bricks", Gap::Failed(Clean::first_line(why, 160))));
    }
    if let Some(gap) = &pool.backlog_gap {
        gaps.push(("backlog", gap.clone()));
    }
    let words: Vec<String> = pool.volumes.iter().map(pool::Volume::words).collect();
    let detail = if words.is_empty() { "no volume".to_owned() } else { words.join(", ") };
    Service {
        running: true,
        detail: Clean::first_line(&detail, 160),
        readings: readings.into(),
        gaps: gaps.into(),
        ..Service::default()
    }
}

// As with other redundant storage: critical as soon as one more failure loses data.
fn rule(service: &Service, _: &Thresholds, found: &mut Vec<Finding>) {
    const NEXT: &str = "First see that the brick's filesystem is mounted on its host, and why the brick ended \
                        (/var/log/glusterfs/bricks): started on an empty mount point it fills the root filesystem. \
                        Then: gluster volume start VOLUME force";
    let mut add = |name, severity, message: &dyn Fn(&str) -> String| {
        if let Some(text) = service.text(name) {
            found.push(Finding::of(name, severity, message(text)));
        }
    };
    add("lost", Severity::Critical, &|bricks| {
        format!("gluster: {bricks}: files on it cannot be read. {NEXT}")
    });
    add("last_copy", Severity::Critical, &|bricks| {
        format!("gluster: {bricks}: one more failure loses files. {NEXT}")
    });
    add("fewer_copies", Severity::Warning, &|bricks| {
        format!("gluster: {bricks}: fewer copies than planned. {NEXT}")
    });
    add("peers_gone", Severity::Warning, &|peers| {
        format!(
            "gluster: {peers}: what its bricks do is unknown here. Look at glusterd and the network there"
        )
    });
    if service.text("peers_gone").is_none()
        && let Some(bricks) = service.text("unknown_bricks")
    {
        let message = format!(
            "gluster: {bricks}: gluster volume status does not list them. See gluster peer status on each host"
        );
        found.push(Finding::of("unknown_bricks", Severity::Unknown, message));
    }
    let bricks_are_up = TROUBLES.iter().all(|(_, name)| service.text(name).is_none());
    if bricks_are_up
        && let (Some(waiting), Some(of), Some(idle)) =
            (service.amount("backlog"), service.text("backlog_of"), service.amount("not_shrinking"))
        && idle >= MOST_IDLE
    {
        let message = format!(
            "gluster: {waiting} entries wait to be healed ({of}), no fewer than {} min ago. See gluster volume heal VOLUME info \
             split-brain, and glustershd.log in /var/log/glusterfs",
            idle / 60
        );
        found.push(Finding::of("backlog", Severity::Warning, message));
    }
}

#[cfg(test)]
mod tests;
