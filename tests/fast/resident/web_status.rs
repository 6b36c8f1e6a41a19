//! The probe of status pages under every shell, with a client and a process table of the test's own.

use jumpdeck_fleet::declared::default_services;
use jumpdeck_fleet::fact::Gap;
use jumpdeck_fleet::fleet::Host;

use super::bench::ServiceBench;
use crate::support::shell::{host, script, shells_here};

/// Answers as the file of the path says; what has none is a page of the site, as where it answers every path.
const CLIENT: &str = r#"for url; do :; done
path=${url#http://127.0.0.1/}
path=${path%%\?*}
echo "$path" >> "${0%/*}/asked"
if [ -e "${0%/*}/status-$path" ]; then exec cat "${0%/*}/status-$path"; fi
[ ! -e "${0%/*}/refuses" ] || exit 7
[ ! -e "${0%/*}/late" ] || exit 28
echo '<html>BusyWorker</html>'"#;

const APACHE: &str =
    "Total Accesses: 12\nUptime: 87\nBusyWorkers: 3\nIdleWorkers: 5\nScoreboard: W_W_W___....\n";
const PHP: &str =
    "pool:                 www\nlisten queue:         0\nidle processes:       1\nactive processes:     4\n";

const BOTH: &[&str] = &["units", "web_status"];

/// A host with Apache, or with nginx and PHP, that run.
fn start(shell: &[&str], names: &[&str]) -> ServiceBench {
    let services = default_services().into_iter().filter(|s| names.contains(&s.name.as_str()));
    let host = Host { services: services.map(Into::into).collect(), ..host("h1") };
    let prepare = |dir: &std::path::Path| script(dir, "curl", CLIENT);
    let bench = ServiceBench::start(shell, (&host, "web_status"), prepare, |program, here| {
        program.replace("/etc/apache2", &format!("{here}/apache2"))
    });
    for (id, comm) in [("71", "apache2"), ("72", "nginx"), ("73", "php5-fpm")] {
        bench.runs(id, comm, "");
    }
    std::fs::remove_file(bench.path().join("asked")).unwrap();
    bench
}

fn again(bench: &mut ServiceBench) {
    // The first report of a connection found no page: another is looked for later.
    for _ in 0..20 {
        bench.it.poll(BOTH);
    }
}

#[test]
fn every_shell_finds_a_status_page_and_keeps_its_figures_in_between() {
    for shell in shells_here() {
        let mut bench = start(shell, &["apache"]);
        bench.says("status-server-status", APACHE);
        bench.says(
            "apache2/mods-enabled/mpm_prefork.conf",
            "<IfModule x>\n\tMaxRequestWorkers\t 150\n</IfModule>\n",
        );
        bench.it.poll(BOTH);
        let service = bench.known("apache").unwrap();
        assert!(
            service.running && service.readings.is_empty() && bench.asked().is_empty(),
            "{shell:?}: {service:?}"
        );
        again(&mut bench);
        let shown =
            |bench: &ServiceBench| bench.known("apache").unwrap().reading("workers").map(ToString::to_string);
        assert_eq!(shown(&bench).as_deref(), Some("3 of 150"), "{shell:?}");
        bench.it.poll(&["units"]);
        assert_eq!(shown(&bench).as_deref(), Some("3 of 150"), "{shell:?}: of the last look");
        assert_eq!(bench.asked(), ["server-status"], "{shell:?}");

        // Another file says it, too: nobody knows which holds.
        bench.says("apache2/conf-enabled/tuning.conf", "MaxRequestWorkers 400\n");
        bench.it.poll(BOTH);
        assert_eq!(shown(&bench).as_deref(), Some("3"), "{shell:?}");
        bench.forget("apache2/conf-enabled/tuning.conf");

        // It takes the connection and does not answer: all its workers may be busy.
        bench.forget("status-server-status");
        bench.says("late", "");
        bench.it.poll(BOTH);
        let late = bench.known("apache").unwrap();
        assert_eq!(
            (late.running, late.gaps.as_ref()),
            (true, [("status page", Gap::TimedOut)].as_slice()),
            "{shell:?}"
        );
        assert!(late.readings.is_empty(), "{shell:?}");
        bench.forget("late");
        bench.says("status-server-status", APACHE);
        bench.it.poll(BOTH);
        assert_eq!(shown(&bench).as_deref(), Some("3 of 150"), "{shell:?}: well again");

        // What speaks for another service is no status page.
        bench.says("status-server-status", &format!("{APACHE}@page nginx\nActive connections: 9\n"));
        bench.it.poll(BOTH);
        assert!(bench.known("apache").unwrap().readings.is_empty(), "{shell:?}");

        // The page is switched off: nothing is wrong, and nothing is known.
        bench.forget("status-server-status");
        bench.it.poll(BOTH);
        let off = bench.known("apache").unwrap();
        assert!(off.running && off.readings.is_empty() && off.gaps.is_empty(), "{shell:?}: {off:?}");
        bench.ends(&["71"]);
        bench.it.poll(BOTH);
        assert!(bench.known("apache").is_err(), "{shell:?}: no process, no unit");
        assert!(bench.it.finish().success(), "{shell:?}");
    }
}

#[test]
fn where_no_path_has_a_page_each_is_asked_once_in_ten_minutes() {
    for shell in shells_here() {
        let mut bench = start(shell, &["nginx", "php-fpm"]);
        again(&mut bench);
        assert!(bench.asked().is_empty(), "{shell:?}: asked already");
        bench.says("status-status", PHP);
        bench.it.poll(BOTH);
        let all = ["nginx_status", "stub_status", "basic_status", "fpm-status", "php-fpm-status", "status"];
        assert_eq!(bench.asked(), all, "{shell:?}");
        bench.it.poll(BOTH);
        assert_eq!(bench.asked()[all.len()..], ["status"], "{shell:?}: the path that had it, and no other");
        let php = bench.known("php-fpm").unwrap();
        assert_eq!((php.amount("active"), php.amount("queue")), (Some(4), Some(0)), "{shell:?}");
        let nginx = bench.known("nginx").unwrap();
        assert!(nginx.running && nginx.readings.is_empty() && nginx.gaps.is_empty(), "{shell:?}: {nginx:?}");
        assert!(bench.it.finish().success(), "{shell:?}");
    }
}
