//! How busy a server is: its connections, its counters, and the transaction that is open longest.

use std::time::Duration;

use crate::time::Moment;

/// For so long after the last refused connection a server counts as one that refuses some.
const LATELY: Duration = Duration::from_secs(600);

/// What a server does now, and its counters since it started. `None`: it has no such figure, or see the server's gaps.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ServerActivity {
    /// `Threads_connected`.
    pub connections: Option<u64>,
    /// `@@max_connections`.
    pub max_connections: Option<u64>,
    /// `Connection_errors_max_connections`: refused, as all were in use. A server does not count those that it refused while the
    /// one that it keeps for SUPER was free. Servers before MariaDB 10.0 and MySQL 5.6 do not count them.
    pub refused: Option<u64>,
    /// Those of them that two reports show.
    pub refused_lately: Option<RefusedLately>,
    /// `Aborted_connects`: logins that failed.
    pub aborted: Option<u64>,
    /// `Slow_queries`.
    pub slow_queries: Option<u64>,
    /// Transactions committed: to the binary log (MariaDB), else COMMIT statements.
    pub commits: Option<u64>,
    /// How many a second, from two reports.
    pub commits_per_s: Option<f64>,
    /// `Uptime`, seconds.
    pub uptime_s: Option<u64>,
    /// The transaction that is open longest; `None` where none is open.
    pub longest: Option<OpenTransaction>,
}

/// Connections that were refused while somebody looked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RefusedLately {
    /// How many.
    pub count: u64,
    /// The report that showed the last of them.
    pub last: Moment,
}

/// A transaction that is open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OpenTransaction {
    /// The connection that holds it; 0 for a prepared one that no connection holds.
    pub connection: u64,
    /// How long it is open, seconds.
    pub age_s: u64,
}

impl ServerActivity {
    /// Adds what two reports show: `before` is the one of the moment `then`. Nothing where the server started in between, or where
    /// nobody looked for so long that it would not be lately.
    pub fn compare(&mut self, before: &Self, then: Moment, now: Moment) {
        let (Some(up), Some(up_before)) = (self.uptime_s, before.uptime_s) else { return };
        let passed = now.since(then);
        // The server counts whole seconds, and a report may come late.
        let started = up.saturating_add(5) < up_before.saturating_add(passed.as_secs());
        if passed.is_zero() || passed >= LATELY || started {
            return;
        }
        let seconds = passed.as_secs_f64();
        #[allow(clippy::cast_precision_loss)]
        let rate = |count: u64| count as f64 / seconds;
        self.commits_per_s = more(before.commits, self.commits).map(rate);
        let earlier = before.refused_lately.filter(|refused| now.since(refused.last) < LATELY);
        self.refused_lately = match more(before.refused, self.refused) {
            Some(count) if count > 0 => {
                Some(RefusedLately { count: count + earlier.map_or(0, |refused| refused.count), last: now })
            }
            Some(_) | None => earlier,
        };
    }
}

/// How much a counter rose; `None` where it fell (FLUSH STATUS) or is not known.
fn more(before: Option<u64>, now: Option<u64>) -> Option<u64> {
    now?.checked_sub(before?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(commits: u64, refused: u64, uptime_s: u64) -> ServerActivity {
        ServerActivity {
            commits: Some(commits),
            refused: Some(refused),
            uptime_s: Some(uptime_s),
            ..ServerActivity::default()
        }
    }

    fn seconds(seconds: u64) -> Moment {
        Moment(seconds * 1000)
    }

    #[test]
    fn rates_are_of_two_reports_of_one_start() {
        let first = at(100, 3, 1000);
        let mut second = at(150, 3, 1005);
        second.compare(&first, seconds(10), seconds(15));
        assert_eq!((second.commits_per_s, second.refused_lately), (Some(10.0), None));
        // Started anew, FLUSH STATUS, and a report at the same moment.
        let others = [(at(150, 9, 3), 20), (at(40, 1, 1010), 20), (at(160, 3, 1010), 10)];
        // Started anew while nobody looked, and nobody looked for long.
        let unseen = [(at(150, 9, 1200), 410), (at(150, 9, 1600), 610)];
        for (now, moment) in others.into_iter().chain(unseen) {
            let mut now = now;
            now.compare(&first, seconds(10), seconds(moment));
            assert_eq!((now.commits_per_s, now.refused_lately), (None, None), "{now:?}");
        }
    }

    #[test]
    fn refused_connections_are_said_for_ten_minutes() {
        let mut second = at(0, 5, 1005);
        second.compare(&at(0, 3, 1000), seconds(0), seconds(5));
        assert_eq!(second.refused_lately, Some(RefusedLately { count: 2, last: seconds(5) }));
        let mut third = at(0, 6, 1010);
        third.compare(&second, seconds(5), seconds(10));
        assert_eq!(third.refused_lately, Some(RefusedLately { count: 3, last: seconds(10) }));
        let later = |moment: u64| {
            let mut later = at(0, 6, 1010 + moment);
            later.compare(&third, seconds(10), seconds(moment));
            later.refused_lately
        };
        assert_eq!(later(609).map(|refused| refused.count), Some(3));
        assert_eq!(later(610), None);
    }
}
