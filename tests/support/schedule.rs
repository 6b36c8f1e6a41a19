//! Schedules: what goes wrong in a run, and when, from one seed. The same seed gives the same schedule on every machine.

use std::fmt;

use crate::support::seed::Seed;

/// Who goes on when a console was killed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Next {
    /// Its own operator, from the journal on their machine.
    Resume,
    /// A colleague, from the jump box: that machine is gone.
    TakeOver,
    /// Both at once.
    Both,
}

/// What goes wrong. Times are milliseconds of this machine; the fleet's own time runs about twenty times faster.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Fault {
    /// kill -9 of the console; somebody goes on after so long.
    Console(Next, u64),
    /// The way to the jump box is gone for so long: every connection ends.
    JumpDown(u64),
    /// The jump box is rebooted.
    JumpReboot,
    /// kill -9 of a database server, which is back after so long.
    Crash(&'static str, u64),
    /// A host loses power, and boots.
    Reboot(&'static str),
    /// A host says nothing more to consoles for so long, and hangs up on nobody.
    Silent(&'static str, u64),
    /// A host's SSH connections end, and it takes none for so long.
    Refuses(&'static str, u64),
    /// Nothing of the databases passes between two hosts for so long.
    Cut(&'static str, &'static str, u64),
    /// A replica applies next to nothing for so long.
    Lag(&'static str, u64),
    /// A host's clock jumps by so many seconds.
    Clock(&'static str, i64),
    /// A database's disk is full for so long.
    DiskFull(&'static str, u64),
    /// A replica lags, and says that it has applied what somebody waits for.
    WaitsLie(&'static str, u64),
    /// A server says that it did statements that begin so, and does nothing, for so long.
    Ignores(&'static str, &'static str, u64),
    /// A replica moves its position on and loses the rows of so many transactions.
    LosesRows(&'static str, u64),
    /// Somebody runs a highstate on a host.
    Highstate(&'static str),
    /// Somebody with all rights writes a row on a server, whatever it is.
    ByHand(&'static str),
}

/// When: so many messages to hosts after the journal's first entry about a step.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Planned {
    pub(crate) step: &'static str,
    pub(crate) sends: u64,
    pub(crate) fault: Fault,
}

/// A run and what goes wrong in it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Schedule {
    pub(crate) seed: u64,
    pub(crate) runbook: &'static str,
    /// Whether replicas follow by GTID; else by file and position.
    pub(crate) gtid: bool,
    pub(crate) faults: Vec<Planned>,
}

/// Steps of a switchover, those where everything hangs more often.
const PROMOTE: [&str; 24] = [
    "lock-candidate",
    "hold-highstate",
    "pillar-edit",
    "pillar-sent",
    "flip-ready",
    "guard",
    "freeze",
    "freeze",
    "freeze",
    "end-of-old-log",
    "end-of-old-log",
    "stop-candidate",
    "stop-candidate",
    "begin-of-new",
    "promote",
    "promote",
    "promote",
    "flip",
    "flip",
    "writes-arrive",
    "apps-rendered",
    "release-candidate",
    "start-others",
    "hosts-files",
];

/// Steps of a failover.
const FAILOVER: [&str; 12] = [
    "stop-receiving",
    "elect",
    "release",
    "release",
    "promote",
    "promote",
    "pillar-edit",
    "repoint-apps",
    "repoint-apps",
    "siblings-follow",
    "siblings-follow",
    "hosts-files",
];

const IGNORED: [&str; 4] =
    ["set global read_only = 1", "stop all slaves", "set global read_only = if", "start slave"];

impl Schedule {
    /// The schedule of a seed.
    pub(crate) fn of(seed: u64) -> Self {
        let mut dice = Seed::new(seed);
        let failover = dice.below(4) == 0;
        let gtid = failover || dice.below(4) != 0;
        let many = 1 + dice.below(3);
        let faults = (0..many).map(|_| {
            let steps: &[&'static str] = if failover { &FAILOVER } else { &PROMOTE };
            let (step, sends) = (dice.pick(steps), dice.below(6));
            Planned { step, sends, fault: Self::fault(&mut dice, failover) }
        });
        Self {
            seed,
            runbook: if failover { "failover-masterdb" } else { "promote-masterdb" },
            gtid,
            faults: faults.collect(),
        }
    }

    /// A schedule in which nothing goes wrong.
    pub(crate) fn calm(seed: u64, runbook: &'static str, gtid: bool) -> Self {
        Self { seed, runbook, gtid, faults: Vec::new() }
    }

    /// The same with one thing more that goes wrong.
    pub(crate) fn with(mut self, step: &'static str, sends: u64, fault: Fault) -> Self {
        self.faults.push(Planned { step, sends, fault });
        self
    }

    fn fault(dice: &mut Seed, failover: bool) -> Fault {
        // A dead master stays dead; its replicas are two.
        let databases: &[&'static str] =
            if failover { &["db2", "db3"] } else { &["db1-masterdb", "db2", "db3"] };
        let replicas: &[&'static str] = &["db2", "db3"];
        let others: &[&'static str] = &["app1", "app2", "blog", "notes"];
        let long = 100 + dice.below(20) * 100;
        match dice.below(16) {
            0 | 1 => Fault::Console(Next::Resume, long),
            2 => Fault::Console(Next::TakeOver, long),
            3 => Fault::Console(Next::Both, long),
            4 => Fault::JumpDown(long),
            5 => Fault::JumpReboot,
            6 => Fault::Crash(dice.pick(databases), long),
            7 => match dice.below(2) {
                0 => Fault::Reboot(dice.pick(databases)),
                _ => Fault::Reboot(dice.pick(others)),
            },
            8 => match dice.below(3) {
                0 => Fault::Silent(dice.pick(databases), long),
                1 => Fault::Refuses(dice.pick(databases), long),
                _ => Fault::Refuses(dice.pick(others), long),
            },
            9 if failover => Fault::Cut("db2", "db3", long),
            9 => match dice.below(3) {
                0 => Fault::Cut("db1-masterdb", dice.pick(replicas), long),
                1 => Fault::Cut("db1-masterdb", dice.pick(others), long),
                _ => Fault::Cut(dice.pick(others), "db2", long),
            },
            10 => Fault::Lag(dice.pick(replicas), long),
            11 => {
                let seconds = i64::try_from(dice.below(7200)).unwrap_or(0) - 3600;
                match dice.below(2) {
                    0 => Fault::Clock("salt", seconds),
                    _ => Fault::Clock(dice.pick(databases), seconds),
                }
            }
            12 => Fault::DiskFull(dice.pick(databases), long),
            13 => Fault::WaitsLie(dice.pick(replicas), long),
            14 => Fault::Ignores(dice.pick(databases), dice.pick(&IGNORED), long),
            _ => Fault::Highstate(dice.pick(others)),
        }
    }
}

impl fmt::Display for Schedule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mode = if self.gtid { "by GTID" } else { "by file and position" };
        write!(f, "seed {}: {} {mode}", self.seed, self.runbook)?;
        for Planned { step, sends, fault } in &self.faults {
            write!(f, "; {step}+{sends}: {fault:?}")?;
        }
        Ok(())
    }
}
