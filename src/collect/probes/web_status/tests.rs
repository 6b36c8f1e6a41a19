#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]
use super::*;

/// `server-status?auto` of Apache 2.4.62, `stub_status` of nginx and the status page of php-fpm 8.2, as their documentation has them.
const APACHE: &str = "127.0.0.1\nServerVersion: Apache/2.4.62 (Debian)\nServerMPM: prefork\nTotal Accesses: 12\nTotal kBytes: 9\n\
    Uptime: 87\nBusyWorkers: 3\nIdleWorkers: 5\nScoreboard: W_W_W___..........\n";
const NGINX: &str = "Active connections: 291 \nserver accepts handled requests\n 16630948 16630948 31070465 \nReading: 6 Writing: 179 \
    Waiting: 106 \n";
const PHP: &str = "pool:                 www\nprocess manager:      dynamic\naccepted conn:        12\nlisten queue:         1\n\
    max listen queue:     2\nlisten queue len:     511\nidle processes:       0\nactive processes:     5\ntotal processes:      5\n\
    max active processes: 5\nmax children reached: 4\nslow requests:        0\n";

fn shown(text: &str, name: &str) -> String {
    match figures(text, name) {
        Ok(readings) => {
            readings.iter().map(|r| format!("{} {}", r.name, r.figure)).collect::<Vec<_>>().join(", ")
        }
        Err(gap) => gap.describe(),
    }
}

#[test]
fn every_page_is_read_as_its_own() {
    let all = format!("@page apache\n{APACHE}@most 150\n@page nginx\n{NGINX}\n@page php-fpm\n{PHP}");
    assert_eq!(shown(&all, "apache"), "workers 3 of 150, idle 5");
    assert_eq!(shown(&all, "nginx"), "connections 291, waiting 106");
    assert_eq!(shown(&all, "php-fpm"), "active 5, idle 0, queue 1, limit_reached 4");
    assert_eq!(shown(&format!("@page apache\n{APACHE}"), "apache"), "workers 3, idle 5");
    // There are more than the file allows: it does not hold.
    assert_eq!(shown(&format!("@page apache\n{APACHE}@most 7\n"), "apache"), "workers 3, idle 5");
    // No page: no figures, and nothing is wrong.
    assert_eq!((shown("", "apache"), shown(&all, "hhvm")), (String::new(), String::new()));
}

#[test]
fn a_page_that_is_late_cut_or_odd_is_unknown_and_makes_up_nothing() {
    assert_eq!(shown("@late apache\n", "apache"), "timed out");
    assert_eq!(shown("@page apache\nBusyWorkers: 3\n", "apache"), "unreadable: no IdleWorkers");
    assert_eq!(
        shown("@page apache\nBusyWorkers: -1\nIdleWorkers: 2\n", "apache"),
        "unreadable: BusyWorkers: -1"
    );
    assert_eq!(
        shown("@page nginx\nActive connections: \x1b[2J\n", "nginx"),
        "unreadable: Active connections: ^[[2J"
    );
    assert_eq!(
        shown("@page apache\nBusyWorkers: 1\nIdleWorkers: 0\n@most all\n", "apache"),
        "workers 1, idle 0"
    );
}

proptest::proptest! {
    #[test]
    fn nothing_panics(text in "(@page apache\n|@late nginx\n|@most |BusyWorkers:|IdleWorkers: 1\n|Waiting:|[0-9]{1,30}|\\PC|\n)*") {
        for name in SERVICES {
            let _ = figures(&text, name);
        }
    }
}
