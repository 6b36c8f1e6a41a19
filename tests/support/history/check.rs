//! The checker: each rule for itself. What nobody answered may have happened or not; nothing else is given away.

use std::collections::{BTreeMap, BTreeSet};

use super::{Act, End, Finding, Op, Outcome, Verdict, Wrong, holders, set};

/// The value that every set and register has before the first operation.
pub(crate) const FIRST: u64 = 0;

/// Judges a history.
pub(crate) fn check(ops: &[Op], end: &End) -> Verdict {
    let mut all = Check::new(ops, end);
    all.count();
    all.sets();
    all.servers();
    all.registers();
    all.reads();
    all.masters();
    all.verdict
}

struct Check<'a> {
    ops: &'a [Op],
    end: &'a End,
    /// Who wrote a value.
    writers: BTreeMap<u64, &'a Op>,
    /// Values of sets that a client had an answer for: acknowledged, or read.
    promised: BTreeMap<u64, &'a Op>,
    /// Of them, those that went with the dead master.
    gone: BTreeSet<u64>,
    verdict: Verdict,
}

fn acknowledged(op: &Op) -> bool {
    op.outcome == Outcome::Acknowledged
}

fn value(op: &Op) -> Option<u64> {
    match op.act {
        Act::Append(value) | Act::Write(value) => Some(value),
        Act::ReadSet | Act::ReadRegister => None,
    }
}

impl<'a> Check<'a> {
    fn new(ops: &'a [Op], end: &'a End) -> Self {
        let writers: BTreeMap<u64, &Op> = ops.iter().filter_map(|op| Some((value(op)?, op))).collect();
        let mut promised: BTreeMap<u64, &Op> = BTreeMap::new();
        for op in ops {
            match (&op.act, &op.outcome) {
                (Act::Append(value), Outcome::Acknowledged) => {
                    promised.insert(*value, op);
                }
                // What one client was shown by a master another may have acted on.
                (Act::ReadSet, Outcome::Saw(values, true)) => {
                    for value in values.iter().filter(|value| writers.contains_key(value)) {
                        promised.entry(*value).or_insert(op);
                    }
                }
                _ => {}
            }
        }
        let mut check =
            Self { ops, end, writers, promised, gone: BTreeSet::new(), verdict: Verdict::default() };
        check.gone = check.gone();
        check
    }

    fn wrong(&mut self, wrong: Wrong, key: &str, value: Option<u64>, says: String) {
        self.verdict.findings.push(Finding { wrong, key: key.to_owned(), value, says });
    }

    /// What the dead master alone had: promised by it, held by no other server, and behind everything of it that survived. What is
    /// missing in the middle is no such loss: replication is in order.
    fn gone(&self) -> BTreeSet<u64> {
        let Some(dead) = &self.end.dead else { return BTreeSet::new() };
        let by_dead = |op: &Op| op.server.as_ref() == Some(dead);
        let survives = |value: u64, key: &str| set(self.end, &self.end.master, key).contains(&value);
        let survivors = self.ops.iter().filter(|op| by_dead(op) && acknowledged(op));
        let last = survivors
            .filter(|op| matches!(op.act, Act::Append(value) if survives(value, &op.key)))
            .map(|op| op.begun)
            .max()
            .unwrap_or(0);
        let only_there = |value: u64, key: &str| {
            holders(self.end, key, value).iter().all(|server| *server == dead.as_str())
        };
        let gone = self
            .promised
            .iter()
            .filter(|(value, op)| by_dead(op) && only_there(**value, &op.key) && op.ended > last);
        gone.map(|(value, _)| *value).collect()
    }

    fn count(&mut self) {
        let counts = &mut self.verdict.counts;
        for op in self.ops {
            counts.operations += 1;
            match (&op.outcome, op.act) {
                (Outcome::Acknowledged, _) => counts.acknowledged += 1,
                (Outcome::Refused(_), _) => counts.refused += 1,
                (Outcome::Saw(..), _) => counts.reads += 1,
                (Outcome::Unknown(_), Act::Append(value)) => {
                    counts.unknown += 1;
                    let there = set(self.end, &self.end.master, &op.key).contains(&value);
                    counts.unknown_there += u64::from(there);
                }
                (Outcome::Unknown(_), _) => counts.unknown += 1,
            }
        }
    }

    /// Every value that was promised is on the master, once; what was refused is nowhere.
    fn sets(&mut self) {
        let end = self.end;
        for (value, op) in self.promised.clone() {
            if set(end, &end.master, &op.key).contains(&value) {
                continue;
            }
            let at = holders(end, &op.key, value);
            let says = format!(
                "{value} was promised by {} to {} and is not on {}; it is on {}",
                op.server.as_deref().unwrap_or("-"),
                op.client,
                end.master,
                if at.is_empty() { "no server".to_owned() } else { Vec::from_iter(at).join(", ") },
            );
            if self.gone.contains(&value) {
                let finding = Finding { wrong: Wrong::Lost, key: op.key.clone(), value: Some(value), says };
                self.verdict.lost_with_the_dead.push(finding);
            } else {
                self.wrong(Wrong::Lost, &op.key, Some(value), says);
            }
        }
        for op in self.ops {
            let (Outcome::Refused(why), Act::Append(value)) = (&op.outcome, op.act) else { continue };
            let at = holders(end, &op.key, value);
            if !at.is_empty() {
                let says = format!("{value} was refused ({why}) and is on {}", Vec::from_iter(at).join(", "));
                self.wrong(Wrong::Phantom, &op.key, Some(value), says);
            }
        }
    }

    /// Each server has each value once; none but the dead one has what the master has not; who is level has all of it.
    fn servers(&mut self) {
        let end = self.end;
        for (name, held) in &end.servers {
            for (key, values) in &held.sets {
                let master: BTreeSet<u64> = set(end, &end.master, key).iter().copied().collect();
                let mut seen = BTreeSet::new();
                for value in values {
                    if !seen.insert(*value) {
                        self.wrong(
                            Wrong::Duplicated,
                            key,
                            Some(*value),
                            format!("{value} is twice on {name}"),
                        );
                    }
                    if *value != FIRST && !self.writers.contains_key(value) {
                        let says = format!("{value} is on {name}, and no client wrote it");
                        self.wrong(Wrong::Phantom, key, Some(*value), says);
                    }
                }
                if end.dead.as_ref() == Some(name) {
                    continue;
                }
                for value in seen.difference(&master) {
                    let says = format!("{value} is on {name} and not on the master {}", end.master);
                    self.wrong(Wrong::TwoMasters, key, Some(*value), says);
                }
                for value in master.difference(&seen).filter(|_| held.level) {
                    let says =
                        format!("{value} is on the master {} and not on {name}, which is level", end.master);
                    self.wrong(Wrong::Lost, key, Some(*value), says);
                }
            }
            let registers = end.servers.get(&end.master).map(|master| &master.registers);
            for (key, values) in &held.registers {
                if values.len() != 1 {
                    let says = format!("{name} has {values:?} in place of one value");
                    self.wrong(Wrong::Duplicated, key, None, says);
                }
                let master = registers.and_then(|all| all.get(key));
                if held.level && master != Some(values) {
                    let says =
                        format!("{name} is level and has {values:?}, the master {} {master:?}", end.master);
                    self.wrong(Wrong::Lost, key, values.first().copied(), says);
                }
            }
        }
    }

    /// A write of a register that was acknowledged before `at`, and that the value seen there is older than.
    fn overwritten(&self, key: &str, seen: u64, at: u64, by: Option<&str>) -> Option<&'a Op> {
        // Nobody knows when a write without an answer happened: it may have been last.
        let until = match self.writers.get(&seen) {
            None => 0,
            Some(op) if acknowledged(op) => op.ended,
            Some(_) => return None,
        };
        let dead = self.end.dead.as_deref();
        self.ops.iter().find(|op| {
            let newer = op.key == key && matches!(op.act, Act::Write(_)) && acknowledged(op);
            // What went with the dead master another does not show.
            let went = dead.is_some() && op.server.as_deref() == dead && by != dead && self.is_behind_all(op);
            newer && op.begun > until && op.ended < at && !went
        })
    }

    /// Whether nothing that the dead master promised after this write survived.
    fn is_behind_all(&self, write: &Op) -> bool {
        let later = self
            .ops
            .iter()
            .filter(|op| op.server == write.server && acknowledged(op) && op.begun > write.ended);
        let survived = later.filter(|op| match op.act {
            Act::Append(value) => set(self.end, &self.end.master, &op.key).contains(&value),
            Act::Write(_) | Act::ReadSet | Act::ReadRegister => false,
        });
        survived.count() == 0
    }

    /// The registers of the master at the end: as if somebody read them then.
    fn registers(&mut self) {
        let end = self.end;
        let Some(master) = end.servers.get(&end.master) else { return };
        for (key, values) in &master.registers {
            let Some(seen) = values.first() else { continue };
            if let Some(newer) = self.overwritten(key, *seen, u64::MAX, Some(&end.master)) {
                let says = format!(
                    "{} has {seen}, older than {:?}, acknowledged by {}",
                    end.master,
                    newer.act,
                    newer.server.as_deref().unwrap_or("-")
                );
                self.wrong(Wrong::Lost, key, value(newer), says);
            }
            match self.writers.get(seen) {
                Some(op) if matches!(op.outcome, Outcome::Refused(_)) => {
                    let says = format!("{} has {seen}, which was refused", end.master);
                    self.wrong(Wrong::Phantom, key, Some(*seen), says);
                }
                None if *seen != FIRST => {
                    let says = format!("{} has {seen}, which nobody wrote", end.master);
                    self.wrong(Wrong::Phantom, key, Some(*seen), says);
                }
                Some(_) | None => {}
            }
        }
    }

    /// A read shows what was acknowledged before it began. On a server that takes no writes that is only counted.
    fn reads(&mut self) {
        for op in self.ops {
            let Outcome::Saw(values, writable) = &op.outcome else { continue };
            let server = op.server.as_deref();
            let missing = match op.act {
                Act::ReadSet => self.missing(op, values, server),
                Act::ReadRegister => {
                    let seen = values.first().copied().unwrap_or(FIRST);
                    self.overwritten(&op.key, seen, op.begun, server).and_then(value)
                }
                Act::Append(_) | Act::Write(_) => None,
            };
            let Some(missing) = missing else { continue };
            if !writable {
                self.verdict.counts.behind += 1;
                continue;
            }
            let says = format!(
                "{} read {} at {} without {missing}, acknowledged before",
                op.client,
                op.key,
                server.unwrap_or("-")
            );
            self.wrong(Wrong::Stale, &op.key, Some(missing), says);
        }
    }

    fn missing(&self, read: &Op, values: &[u64], server: Option<&str>) -> Option<u64> {
        let seen: BTreeSet<u64> = values.iter().copied().collect();
        let dead = self.end.dead.as_deref();
        let due =
            self.ops.iter().filter(|op| op.key == read.key && acknowledged(op) && op.ended < read.begun);
        due.filter_map(|op| match op.act {
            Act::Append(value) => Some(value),
            Act::Write(_) | Act::ReadSet | Act::ReadRegister => None,
        })
        .find(|value| !seen.contains(value) && (server == dead || !self.gone.contains(value)))
    }

    /// Servers take over from each other once: what the first acknowledges after the second has acknowledged something is a
    /// second master. And at the end at most one takes writes.
    fn masters(&mut self) {
        let mut by: BTreeMap<&str, Vec<&Op>> = BTreeMap::new();
        for op in self.ops.iter().filter(|op| acknowledged(op)) {
            by.entry(op.server.as_deref().unwrap_or("-")).or_default().push(op);
        }
        let mut order: Vec<(u64, &str)> =
            by.iter().map(|(name, ops)| (ops.iter().map(|op| op.ended).min().unwrap_or(0), *name)).collect();
        order.sort_unstable();
        for (place, (taken, second)) in order.iter().enumerate() {
            for (_, first) in order.iter().take(place) {
                let late: Vec<&&Op> =
                    by.get(first).into_iter().flatten().filter(|op| op.begun > *taken).collect();
                let Some(example) = late.first() else { continue };
                let (key, what) = (example.key.clone(), value(example));
                let says = format!(
                    "{first} acknowledged {} writes after {second} had acknowledged one, the first {:?}",
                    late.len(),
                    example.act
                );
                self.wrong(Wrong::TwoMasters, &key, what, says);
            }
        }
        let end = self.end;
        let alive = end.servers.iter().filter(|(name, _)| end.dead.as_ref() != Some(name));
        let writable: Vec<&str> =
            alive.filter(|(_, held)| held.writable).map(|(name, _)| name.as_str()).collect();
        if writable.len() > 1 {
            let says = format!("at the end {} take writes", writable.join(" and "));
            self.wrong(Wrong::TwoMasters, "-", None, says);
        }
    }
}
