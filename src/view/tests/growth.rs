//! How fast a disk fills, on the host's page.

use super::*;
use jumpdeck_fleet::growth::{FilesystemGrowth, Growth};

/// The host's first filesystem is full in this number of days.
#[allow(clippy::cast_sign_loss)]
fn filling(days: i64) -> Model {
    let mut model = healthy();
    edit(&mut model.environments[0], "db2", |h| {
        let first = &h.facts.filesystems.current().unwrap()[0];
        let free = first.usage.as_ref().unwrap().available_kb;
        let growth =
            Growth { kb_per_day: (free / days) as u64, span: std::time::Duration::from_secs(6 * 86_400) };
        h.growth =
            vec![FilesystemGrowth { device: first.device.clone(), mount: first.mount.clone(), growth }];
    });
    on(settled(model), Screen::Host(name("db2")))
}

#[test]
fn a_hosts_page_says_when_a_disk_is_full_and_no_more_than_is_known() {
    for size in [(80, 60), (120, 60)] {
        let screen = text(&filling(9), size);
        assert!(screen.contains("iB/day, full in about 9 days, seen for 6d"), "{screen}");
        assert_eq!(screen.matches("/day").count(), 1, "{screen}");
        assert!(!text(&filling(61), size).contains("/day"), "it is farther off than six days support");
    }
    // What is no longer current says nothing about the future.
    let mut model = filling(9);
    edit(&mut model.environments[0], "db2", |h| h.reported_at = Some(Moment(NOW.0 - 60_000)));
    let screen = text(&settled(model), (120, 60));
    assert!(screen.contains("last known") && !screen.contains("/day"), "{screen}");
}
