//! Histories that are right, and one that is wrong in each way: a checker that cannot fail proves nothing.

use super::*;

fn op(client: &str, key: &str, act: Act, (begun, ended): (u64, u64), server: &str, outcome: Outcome) -> Op {
    let server = Some(server.to_owned()).filter(|server| !server.is_empty());
    Op { client: client.to_owned(), key: key.to_owned(), act, begun, ended, server, outcome }
}

fn put(value: u64, at: (u64, u64), server: &str) -> Op {
    op("a", "s", Act::Append(value), at, server, Outcome::Acknowledged)
}

fn wrote(value: u64, at: (u64, u64), server: &str) -> Op {
    op("a", "r", Act::Write(value), at, server, Outcome::Acknowledged)
}

fn saw(values: &[u64], at: (u64, u64), server: &str, writable: bool) -> Op {
    op("b", "s", Act::ReadSet, at, server, Outcome::Saw(values.to_vec(), writable))
}

fn read(value: u64, at: (u64, u64), server: &str, writable: bool) -> Op {
    op("b", "r", Act::ReadRegister, at, server, Outcome::Saw(vec![value], writable))
}

fn held(set: &[u64], register: u64, writable: bool, level: bool) -> Held {
    Held {
        sets: BTreeMap::from([("s".to_owned(), set.to_vec())]),
        registers: BTreeMap::from([("r".to_owned(), vec![register])]),
        writable,
        level,
    }
}

/// `old` follows `new`, which is the master.
fn switched(new: &[u64], old: &[u64], register: u64) -> End {
    let servers = [("new", held(new, register, true, false)), ("old", held(old, register, false, true))];
    End {
        servers: servers.map(|(name, held)| (name.to_owned(), held)).into(),
        master: "new".to_owned(),
        dead: None,
    }
}

/// `old` died with these values, `new` took its place.
fn failed_over(new: &[u64], old: &[u64], register: u64) -> End {
    let mut end = switched(new, old, register);
    end.servers.get_mut("old").expect("it is there").level = false;
    End { dead: Some("old".to_owned()), ..end }
}

fn wrongs(ops: &[Op], end: &End) -> Vec<Wrong> {
    let mut found: Vec<Wrong> = check(ops, end).findings.iter().map(|finding| finding.wrong).collect();
    found.dedup();
    found
}

#[test]
fn a_switchover_that_loses_nothing_is_right() {
    let ops = [
        put(1, (1, 2), "old"),
        wrote(10, (3, 4), "old"),
        saw(&[0, 1], (5, 6), "old", true),
        op("a", "s", Act::Append(2), (7, 8), "old", Outcome::Refused("1290".to_owned())),
        put(3, (9, 12), "new"),
        wrote(11, (10, 11), "new"),
        saw(&[0, 1, 3], (13, 14), "new", true),
        read(11, (15, 16), "new", true),
    ];
    let verdict = check(&ops, &switched(&[0, 1, 3], &[0, 1, 3], 11));
    assert_eq!(verdict.findings, []);
    let counts = verdict.counts;
    assert_eq!((counts.acknowledged, counts.refused, counts.reads, counts.unknown), (4, 1, 3, 0));
}

#[test]
fn what_nobody_answered_may_be_there_or_not() {
    let unknown =
        |value, at| op("a", "s", Act::Append(value), at, "old", Outcome::Unknown("2013".to_owned()));
    let ops = [unknown(1, (1, 2)), unknown(2, (3, 4)), put(3, (5, 6), "new")];
    assert_eq!(wrongs(&ops, &switched(&[0, 2, 3], &[0, 2, 3], 0)), []);
    let counts = check(&ops, &switched(&[0, 2, 3], &[0, 2, 3], 0)).counts;
    assert_eq!((counts.unknown, counts.unknown_there), (2, 1));
    // But not twice.
    assert_eq!(wrongs(&ops, &switched(&[0, 2, 2, 3], &[0, 2, 3], 0)), [Wrong::Duplicated]);
    // Nor there for one client, and gone for all.
    let seen = [unknown(1, (1, 2)), saw(&[0, 1], (3, 4), "old", true)];
    assert_eq!(wrongs(&seen, &switched(&[0], &[0], 0)), [Wrong::Lost]);
}

#[test]
fn a_write_that_was_acknowledged_and_is_not_there_is_lost() {
    let ops = [put(1, (1, 2), "old"), put(2, (3, 4), "old")];
    let verdict = check(&ops, &switched(&[0, 1], &[0, 1], 0));
    assert_eq!(verdict.findings.len(), 1, "{:?}", verdict.findings);
    assert_eq!(verdict.findings[0].value, Some(2));
    assert!(verdict.findings[0].says.contains("on no server"), "{:?}", verdict.findings);
    assert!(around(&ops, &verdict.findings[0]).contains("Append(2)"));
    // A replica that is level and lacks it, though the master has it.
    assert_eq!(wrongs(&ops, &switched(&[0, 1, 2], &[0, 1], 0)), [Wrong::Lost]);
    // One that does not say that it is level may lack it.
    let mut end = switched(&[0, 1, 2], &[0, 1], 0);
    end.servers.get_mut("old").expect("it is there").level = false;
    assert_eq!(wrongs(&ops, &end), []);
}

#[test]
fn a_register_that_went_back_is_lost() {
    let ops = [wrote(10, (1, 2), "old"), wrote(11, (3, 4), "old")];
    assert_eq!(wrongs(&ops, &switched(&[0], &[0], 10)), [Wrong::Lost]);
    assert_eq!(wrongs(&ops, &switched(&[0], &[0], 0)), [Wrong::Lost]);
    // Of two at the same time either may be last.
    let together = [wrote(10, (1, 4), "old"), wrote(11, (2, 3), "old")];
    assert_eq!(wrongs(&together, &switched(&[0], &[0], 10)), []);
    assert_eq!(wrongs(&together, &switched(&[0], &[0], 11)), []);
}

#[test]
fn a_value_that_is_there_twice_is_duplicated() {
    let ops = [put(1, (1, 2), "old")];
    assert_eq!(wrongs(&ops, &switched(&[0, 1, 1], &[0, 1], 0)), [Wrong::Duplicated]);
    let mut end = switched(&[0, 1], &[0, 1], 0);
    end.servers.get_mut("new").expect("it is there").registers.insert("r".to_owned(), vec![0, 0]);
    assert!(wrongs(&ops, &end).contains(&Wrong::Duplicated));
}

#[test]
fn a_read_that_began_after_an_acknowledgement_and_does_not_show_it_is_stale() {
    let ops = [put(1, (1, 2), "new"), saw(&[0], (3, 4), "old", true)];
    assert_eq!(wrongs(&ops, &switched(&[0, 1], &[0, 1], 0)), [Wrong::Stale]);
    // One that began before may show it or not.
    let before = [put(1, (1, 4), "new"), saw(&[0], (3, 5), "new", true)];
    assert_eq!(wrongs(&before, &switched(&[0, 1], &[0, 1], 0)), []);
    // On a server that takes no writes it is counted, and nothing is promised.
    let replica = [put(1, (1, 2), "new"), saw(&[0], (3, 4), "old", false)];
    let verdict = check(&replica, &switched(&[0, 1], &[0, 1], 0));
    assert_eq!((verdict.findings.len(), verdict.counts.behind), (0, 1));
    let register = [wrote(10, (1, 2), "new"), wrote(11, (3, 4), "new"), read(10, (5, 6), "new", true)];
    assert_eq!(wrongs(&register, &switched(&[0], &[0], 11)), [Wrong::Stale]);
}

#[test]
fn two_servers_that_take_writes_in_turns_are_two_masters() {
    let ops = [put(1, (1, 2), "old"), put(2, (3, 4), "new"), put(3, (5, 6), "old")];
    // Even when all of it is there at the end.
    assert_eq!(wrongs(&ops, &switched(&[0, 1, 2, 3], &[0, 1, 2, 3], 0)), [Wrong::TwoMasters]);
    // At the same time is no proof: the clients' answers may have been on their way.
    let close = [put(1, (1, 2), "old"), put(2, (3, 5), "new"), put(3, (4, 6), "old")];
    assert_eq!(wrongs(&close, &switched(&[0, 1, 2, 3], &[0, 1, 2, 3], 0)), []);
    let mut both = switched(&[0], &[0], 0);
    both.servers.get_mut("old").expect("it is there").writable = true;
    assert_eq!(wrongs(&[], &both), [Wrong::TwoMasters]);
}

#[test]
fn rows_that_only_another_server_than_the_master_has_are_of_a_second_master() {
    let unknown = op("a", "s", Act::Append(1), (1, 2), "old", Outcome::Unknown("2013".to_owned()));
    let mut end = switched(&[0], &[0, 1], 0);
    end.servers.get_mut("old").expect("it is there").level = false;
    assert_eq!(wrongs(&[unknown], &end), [Wrong::TwoMasters]);
}

#[test]
fn what_was_refused_or_never_written_must_not_be_there() {
    let refused = op("a", "s", Act::Append(1), (1, 2), "old", Outcome::Refused("1290".to_owned()));
    assert_eq!(wrongs(std::slice::from_ref(&refused), &switched(&[0, 1], &[0, 1], 0)), [Wrong::Phantom]);
    assert_eq!(wrongs(&[], &switched(&[0, 7], &[0, 7], 0)), [Wrong::Phantom]);
    let register = op("a", "r", Act::Write(10), (1, 2), "old", Outcome::Refused("1290".to_owned()));
    assert_eq!(wrongs(&[register], &switched(&[0], &[0], 10)), [Wrong::Phantom]);
}

/// A failover loses what the dead master alone had: that is told, and is not what the checker is after.
#[test]
fn what_the_dead_master_alone_had_is_told_apart_from_what_is_lost() {
    let ops = [
        put(1, (1, 2), "old"),
        put(2, (3, 4), "old"),
        put(3, (5, 6), "new"),
        saw(&[0, 1, 3], (7, 8), "new", true),
    ];
    let verdict = check(&ops, &failed_over(&[0, 1, 3], &[0, 1, 2], 0));
    assert_eq!(verdict.findings, []);
    assert_eq!(verdict.lost_with_the_dead.len(), 1);
    assert_eq!(verdict.lost_with_the_dead[0].value, Some(2));
    // Another replica has it: the wrong one was promoted.
    let mut end = failed_over(&[0, 1, 3], &[0, 1, 2], 0);
    end.servers.insert("third".to_owned(), held(&[0, 1, 2], 0, false, false));
    assert_eq!(wrongs(&ops, &end), [Wrong::Lost, Wrong::TwoMasters, Wrong::Stale]);
    // A hole: what the dead master wrote later is there.
    assert_eq!(wrongs(&ops, &failed_over(&[0, 2, 3], &[0, 1, 2], 0)), [Wrong::Lost, Wrong::Stale]);
    // Promised by the new master: no excuse.
    assert_eq!(wrongs(&ops, &failed_over(&[0, 1], &[0, 1, 2], 0)), [Wrong::Lost]);
    // The dead master takes writes after the new one has.
    let back = [put(1, (1, 2), "old"), put(3, (5, 6), "new"), put(4, (7, 8), "old")];
    assert_eq!(wrongs(&back, &failed_over(&[0, 1, 3], &[0, 1, 4], 0)), [Wrong::TwoMasters]);
    // Registers: the last write went with it.
    let register = [wrote(10, (1, 2), "old"), wrote(11, (3, 4), "old"), read(10, (5, 6), "new", true)];
    assert_eq!(wrongs(&register, &failed_over(&[0], &[0], 10)), []);
}

#[test]
fn a_client_whose_every_write_is_refused_is_left_behind() {
    let refused = |at| op("b", "s", Act::Append(9), at, "old", Outcome::Refused("1290".to_owned()));
    let ops = [refused((1, 2)), put(1, (3, 4), "new"), refused((5, 6)), put(2, (7, 8), "new")];
    assert_eq!(refused_since(&ops, 4), ["b"]);
    assert_eq!(refused_since(&ops, 6), Vec::<String>::new());
}
