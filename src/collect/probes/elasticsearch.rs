//! Elasticsearch: whether the host's node answers, and what it says of its cluster: status, nodes, shards, waiting tasks.
//!
//! The node is asked `_cluster/health` over HTTP, or HTTPS as Elasticsearch 8 wants it, without a password: that one is wanted
//! is an answer. Where 127.0.0.1 refuses,
//! the kernel's list of open ports says where 9200 is open, and the node is asked there. Only where no process is found is it
//! stopped. Every node answers for the whole cluster, so each of its hosts shows the cluster's problem.

mod answer;
mod rule;

use crate::collect::probe::{ProbeCadence, ServiceProbe};
use jumpdeck_fleet::problem::Severity;
use jumpdeck_fleet::service::{HostsOf, ServiceKind};

pub(super) static PROBE: ServiceProbe = ServiceProbe {
    kind: &ServiceKind {
        name: "elasticsearch",
        hosts: HostsOf::Roles(&["elastic"]),
        stopped: Severity::Critical,
        when_stopped: "Look at its log below /var/log/elasticsearch, then start it: service elasticsearch start.",
        rule: rule::rule,
        short: |service| service.text("status"),
    },
    script: SCRIPT,
    settings: |_| None,
    cadence: ProbeCadence::Every,
    read: answer::read,
};

// A cluster without a master answers late: it is given a second to say so. No proxy is asked for an address of the host itself. -k: its
// certificate is its own, and nothing secret is sent.
const SCRIPT: &str = r#"
    jd_wanted="${jd_wanted}java "
    elasticsearch_run() {
        elasticsearch_url="$elasticsearch_scheme://$elasticsearch_at/_cluster/health?master_timeout=1s"
        if [ "$elasticsearch_client" = curl ]; then
            http_proxy= https_proxy= HTTPS_PROXY= all_proxy= ALL_PROXY= \
                curl -sSk --max-time 2 -w '\n@http %{http_code}\n' "$elasticsearch_url" 2>&1
        else
            http_proxy= wget -q -T 2 -O - "$elasticsearch_url" 2>&1
        fi
    }
    elasticsearch_ask() {
        jd_got= elasticsearch_refused=
        jd_ask 3 16384 elasticsearch_run
        elasticsearch_status=$?
        # GNU wget says nothing with -q: its status 4 is that no connection came about.
        case $elasticsearch_client$elasticsearch_status$jd_got in
            # The client went while this shell remembers it.
            curl127?*|wget127?*) say "$elasticsearch_client"; return ;;
            curl7*|wget4*|wget1*'Connection refused'*) elasticsearch_refused=yes; return ;;
            curl28*) elasticsearch_status=124 elasticsearch_scheme=http; return ;;
            wget0*) jd_got="$jd_got$NL@http 200" ;;
            wget6*|wget1*'HTTP/1.'?' 401'*) elasticsearch_status=0 jd_got="$jd_got$NL@http 401" ;;
            wget1*'HTTP/1.'?' 403'*) elasticsearch_status=0 jd_got="$jd_got$NL@http 403" ;;
            wget8*) say 'wget: the server answers with an error; curl would show it' ;;
        esac
        case $elasticsearch_client$elasticsearch_scheme$elasticsearch_status in
            # A port that wants HTTPS closes a connection without it: curl's 52 and 56.
            curlhttp52|curlhttp56) elasticsearch_scheme=https; elasticsearch_ask; return ;;
            *https0) say "@at https://$elasticsearch_at" ;;
            *0) say "@at $elasticsearch_at" ;;
            *) elasticsearch_scheme=http ;;
        esac
        say "$jd_got"
    }
    # The address other than 127.0.0.1 where port 9200 (23F0) is open. Fails when it was asked there already.
    elasticsearch_move() {
        jd_listens 23F0
        for elasticsearch_to in $jd_open; do
            case $elasticsearch_to in '*'|127.0.0.1) continue ;; esac
            [ "$elasticsearch_to:9200" != "$elasticsearch_at" ] || return 1
            elasticsearch_at=$elasticsearch_to:9200
            return 0
        done
        return 1
    }
    elasticsearch_is() {
        case $jd_line in *org.elasticsearch.bootstrap.*|*-Des.path.home=*) ;; *) return 1 ;; esac
    }
    probe_elasticsearch() {
        elasticsearch_client=curl
        command -v curl > /dev/null || elasticsearch_client=wget
        command -v "$elasticsearch_client" > /dev/null || { say 'curl or wget'; return 127; }
        [ -n "$elasticsearch_at" ] || elasticsearch_at=127.0.0.1:9200 elasticsearch_scheme=http
        elasticsearch_ask
        [ -n "$elasticsearch_refused" ] || return "$elasticsearch_status"
        if elasticsearch_move; then
            elasticsearch_ask
            [ -n "$elasticsearch_refused" ] || return "$elasticsearch_status"
        fi
        jd_seek elasticsearch_is java
        say "@refused $elasticsearch_at"
        say "@process $jd_process"
        elasticsearch_at=
    }
"#;

#[cfg(test)]
mod tests;
