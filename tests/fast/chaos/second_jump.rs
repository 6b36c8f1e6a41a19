//! The jump box of the simulated fleet loses its power while somebody looks, and the fleet is seen through the second one.

use super::*;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_jump_box_without_power_is_one_problem_more_and_the_fleet_is_seen() {
    let mut bench = Bench::up_with_second("wpd-2015", cadence(POLL, Duration::from_secs(8))).await;
    let salt = HostName::new("salt").unwrap();
    assert!(bench.world.lock().unwrap().power_off(&salt));
    let others_up = |b: &Bench| {
        let up = |host: &HostSnapshot| {
            host.link.is_up() && host.age(b.clock.now()).unwrap() < Duration::from_secs(5)
        };
        b.jump.as_ref().is_some_and(|jump| jump.link.is_up() && jump.second.is_some())
            && b.hosts.values().all(|host| up(host) || host.id.host == salt)
    };
    bench.until("all others through the second", LONG, others_up).await;
    bench
        .until("salt itself is down", LONG, |b| b.state("salt").is_some_and(|state| state != LinkState::Up))
        .await;
    assert_eq!(bench.jump.as_ref().unwrap().in_use().as_str(), "backup");
    let problems = bench.problems();
    let jump: Vec<_> = problems.iter().filter(|p| p.kind == ProblemKind::SecondJump).collect();
    let [one] = jump.as_slice() else { panic!("{problems:#?}") };
    assert_eq!(one.severity, Severity::Critical);
    for part in ["jump box salt unreachable", "backup is in use, for no runs"] {
        assert!(one.message.contains(part), "{}", one.message);
    }
    // What is seen from salt is neither shown as new, nor a problem of its own.
    assert!(problems.iter().all(|p| p.kind != ProblemKind::Outside), "{problems:#?}");

    assert!(bench.world.lock().unwrap().power_on(&salt, 0.0));
    let answers = |b: &Bench| {
        b.jump
            .as_ref()
            .is_some_and(|j| j.second.as_ref().is_some_and(|second| second.first.answers.is_some()))
    };
    bench.until("salt answers again", LONG, answers).await;
    let back = bench.problems().into_iter().find(|p| p.kind == ProblemKind::SecondJump).unwrap();
    assert_eq!(back.severity, Severity::Warning);
    assert!(back.message.contains("answers again"), "{}", back.message);
    bench.collector.retry(&bench.env.name, None);
    bench.until("through salt", LONG, |b| b.jump.as_ref().unwrap().is_first_up() && b.all_up()).await;
    assert!(bench.problems().iter().all(|p| p.kind != ProblemKind::SecondJump));
}
