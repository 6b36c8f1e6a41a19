//! How busy Apache, nginx and php-fpm are: by their own status pages on the host's own address, where they have one.
//!
//! A page is something that the administrator turns on (Apache's package does it): where there is none, there are no figures and
//! nothing is wrong. Whether the service runs is the probe units' to say; this one adds figures to a service that runs. What answers
//! at a usual path is taken for the page only where it has the page's words: a site may answer every path. The path that had it is
//! remembered; where none has, they are tried again after ten minutes, as each look is a line in the server's log.
//!
//! Apache's page has a place for each worker that there can ever be; how many there may be is in its configuration.

use crate::collect::probe::{Probe, ProbeCadence, Raw, unreadable};
use jumpdeck_fleet::fact::Gap;
use jumpdeck_fleet::fleet::Host;
use jumpdeck_fleet::service::web::{ACTIVE, IDLE, QUEUE, WORKERS};
use jumpdeck_fleet::service::{Figure, Service, ServiceReading, Unit};
use jumpdeck_fleet::snapshot::HostFacts;
use jumpdeck_fleet::time::Moment;

use std::sync::Arc;

pub(super) struct WebStatus;

/// The services that have such a page, by their names in the inventory.
const SERVICES: &[&str] = &["apache", "nginx", "php-fpm"];

impl Probe for WebStatus {
    fn name(&self) -> &'static str {
        "web_status"
    }

    fn settings(&self, host: &Host) -> Option<String> {
        Some(format!("web_status_wanted='{}'\n", wanted(host).join(" ")))
    }

    fn script(&self) -> &'static str {
        r#"
        # No proxy is asked for an address of the host itself.
        web_status_run() {
            if [ "$web_status_client" = curl ]; then
                http_proxy= all_proxy= ALL_PROXY= curl -s --max-time 2 "$1"
            else
                http_proxy= wget -q -T 2 -t 1 -O - "$1"
            fi
        }
        # How many workers Apache may have: by the one file of its package that says so.
        web_status_limit() {
            set +f
            set -- /etc/apache2/mods-enabled/mpm_*.conf
            set -f
            [ "$#" = 1 ] && [ -r "$1" ] || return
            while read -r web_status_word web_status_value web_status_rest; do
                case $web_status_word in MaxRequestWorkers|MaxClients) break ;; esac
                web_status_value=
            done < "$1"
            [ -n "$web_status_value" ] || return
            # Where another file says it too, that one may hold.
            set +f
            set -- /etc/apache2/conf-enabled/*.conf /etc/apache2/sites-enabled/*
            set -f
            jd_ask 2 512 grep -lisE '^[[:space:]]*(MaxRequestWorkers|MaxClients)' /etc/apache2/apache2.conf "$@"
            [ -n "$jd_got" ] || say "@most $web_status_value"
        }
        web_status_look() {
            for web_status_path in $web_status_paths; do
                # A site that is slow to say that it has no such page must not cost the report.
                jd_clock
                if [ "$((jd_up - jd_begun))" -ge 300 ]; then
                    [ -z "$web_status_known" ] || say "@late $web_status_service"
                    web_status_path=$web_status_known
                    return
                fi
                jd_ask 3 8192 web_status_run "http://127.0.0.1/$web_status_path"
                web_status_ended=$?
                # A page cannot speak for another service.
                case "$NL$jd_got" in *"$NL@"*) jd_got= ;; esac
                case $web_status_ended$jd_got in
                    0*BusyWorkers:*|'0Active connections:'*|0pool:*'listen queue:'*)
                        say "@page $web_status_service$NL$jd_got"
                        [ "$web_status_service" != apache ] || web_status_limit
                        return ;;
                esac
                # It takes the connection, and does not answer: no other path is asked.
                case $web_status_client$web_status_ended in
                    *124|curl28)
                        [ -z "$web_status_known" ] || say "@late $web_status_service"
                        web_status_path=$web_status_known
                        return ;;
                    # Nobody listens.
                    curl7|wget4) break ;;
                esac
                web_status_known=
            done
            web_status_path= web_status_waits=20
        }
        probe_web_status() {
            web_status_client=curl
            command -v curl > /dev/null || web_status_client=wget
            command -v "$web_status_client" > /dev/null || { say 'curl or wget'; return 127; }
            web_status_n=0
            for web_status_service in $web_status_wanted; do
                web_status_n=$((web_status_n + 1))
                eval "web_status_known=\${web_status_path_$web_status_n:-} web_status_waits=\${web_status_waits_$web_status_n:-0}"
                if [ "$web_status_waits" -gt 0 ]; then
                    eval "web_status_waits_$web_status_n=$((web_status_waits - 1))"
                    continue
                fi
                case $web_status_service in
                    apache) web_status_paths='server-status?auto' ;;
                    nginx) web_status_paths='nginx_status stub_status basic_status' ;;
                    *) web_status_paths='fpm-status php-fpm-status status' ;;
                esac
                [ -z "$web_status_known" ] || web_status_paths=$web_status_known
                web_status_look
                [ -z "$web_status_known" ] || [ -n "$web_status_path" ] || web_status_waits=0
                eval "web_status_path_$web_status_n=\$web_status_path web_status_waits_$web_status_n=$web_status_waits"
            done
        }
        "#
    }

    fn cadence(&self) -> ProbeCadence {
        ProbeCadence::Slow
    }

    fn applies(&self, host: &Host) -> bool {
        !wanted(host).is_empty()
    }

    fn ingest(&self, raw: Result<&Raw, Gap>, _at: Moment, facts: &mut HostFacts) {
        let text = raw.and_then(Raw::ok);
        for entry in facts.services.iter_mut() {
            let Some(name) =
                SERVICES.iter().find(|name| entry.declared().is_some() && **name == entry.name())
            else {
                continue;
            };
            let Some(known) = entry.fact.known.as_mut().filter(|known| known.value.running) else { continue };
            let found = match &text {
                Ok(text) => figures(text, name),
                // Whether it has a page at all is known from before, and by the gap since.
                Err(gap) if !known.value.readings.is_empty() || !known.value.gaps.is_empty() => {
                    Err(gap.clone())
                }
                Err(_) => Ok(Vec::new()),
            };
            let service: &mut Service = Arc::make_mut(&mut known.value);
            (service.readings, service.gaps) = match found {
                Ok(readings) => (readings.into(), Box::default()),
                Err(gap) => (Box::default(), [("status page", gap)].into()),
            };
        }
    }
}

fn wanted(host: &Host) -> Vec<&'static str> {
    let is_here = |name: &&&str| host.services.iter().any(|service| service.name == **name);
    SERVICES.iter().filter(is_here).copied().collect()
}

/// The figures of one service's page; none where there is no page.
fn figures(text: &str, name: &str) -> Result<Vec<ServiceReading>, Gap> {
    if text.lines().any(|line| line.strip_prefix("@late ") == Some(name)) {
        return Err(Gap::TimedOut);
    }
    let begins = format!("@page {name}\n");
    let Some(page) = text.split_once(&begins).map(|(_, page)| page) else { return Ok(Vec::new()) };
    let page = page.split("\n@page ").next().unwrap_or(page);
    match name {
        "apache" => apache(page),
        "nginx" => nginx(page),
        _ => php(page),
    }
}

/// The number behind a name, wherever its line begins; spaces may be between.
fn number(page: &str, name: &str) -> Result<u64, Gap> {
    let value = page.lines().find_map(|line| line.trim().strip_prefix(name)?.strip_prefix(':'));
    let value = value.ok_or_else(|| unreadable(&format!("no {name}")))?;
    let word = value.split_whitespace().next().unwrap_or_default();
    word.parse().map_err(|_| unreadable(&format!("{name}: {word}")))
}

fn count(name: &'static str, value: u64) -> ServiceReading {
    ServiceReading { name, figure: Figure::count(value) }
}

fn apache(page: &str) -> Result<Vec<ServiceReading>, Gap> {
    let most: Option<u64> = page.lines().find_map(|line| line.strip_prefix("@most ")?.trim().parse().ok());
    let (value, idle) = (number(page, "BusyWorkers")?, number(page, "IdleWorkers")?);
    // More than there may be: what the file says does not hold.
    let of = most.filter(|most| value.saturating_add(idle) <= *most);
    let workers = Figure::Amount { value, of, unit: Unit::Count };
    Ok(vec![ServiceReading { name: WORKERS, figure: workers }, count(IDLE, idle)])
}

fn nginx(page: &str) -> Result<Vec<ServiceReading>, Gap> {
    let connections = number(page, "Active connections")?;
    // `Reading: 0 Writing: 1 Waiting: 2`.
    let waiting =
        page.split_once("Waiting:").and_then(|(_, rest)| rest.split_whitespace().next()?.parse().ok());
    let mut found = vec![count("connections", connections)];
    found.extend(waiting.map(|waiting| count("waiting", waiting)));
    Ok(found)
}

fn php(page: &str) -> Result<Vec<ServiceReading>, Gap> {
    let mut found = vec![
        count(ACTIVE, number(page, "active processes")?),
        count(IDLE, number(page, "idle processes")?),
        count(QUEUE, number(page, "listen queue")?),
    ];
    // Since it started: PHP before 5.3.9 does not count it.
    found.extend(number(page, "max children reached").ok().map(|times| count("limit_reached", times)));
    Ok(found)
}

#[cfg(test)]
mod tests;
