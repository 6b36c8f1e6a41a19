//! The collecting side against a simulated fleet in which things go wrong: every fault by its own name, nobody else
//! held up, nothing unknown shown as a figure, and everything back by itself that may come back by itself.

mod backups;
mod databases;
mod not_permitted;
mod outside;
mod salt;
mod second_jump;
mod services;
mod storage;
mod upkeep;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use jumpdeck::collect::Collector;
use jumpdeck::collect::clock::Clock;
use jumpdeck::transport::ask::RefuseAll;
use jumpdeck::transport::ssh::SshConnector;
use jumpdeck_fleet::event::FleetEvent;
use jumpdeck_fleet::fact::Gap;
use jumpdeck_fleet::fleet::{Cadence, Environment, Jump};
use jumpdeck_fleet::hop::Hop;
use jumpdeck_fleet::judge::{Situation, judge};
use jumpdeck_fleet::names::{HostId, HostName};
use jumpdeck_fleet::outside::OutsideSnapshot;
use jumpdeck_fleet::problem::{Problem, ProblemKind, Severity};
use jumpdeck_fleet::snapshot::{HostSnapshot, JumpSnapshot, LinkState};
use jumpdeck_sim::sshd::SimFleet;
use jumpdeck_sim::sshd::fault::Fault;
use jumpdeck_sim::world::World;
use jumpdeck_sim::world::universe::Universe;
use tokio::sync::{MutexGuard, mpsc};

/// Ages are measured: one fleet at a time.
static ALONE: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());

const POLL: Duration = Duration::from_secs(1);
const DEADLINE: Duration = Duration::from_secs(2);
/// For what must happen at all; how soon is printed, since this machine may do other things, too.
const LONG: Duration = Duration::from_secs(60);

fn cadence(poll: Duration, deadline: Duration) -> Cadence {
    Cadence { poll, deadline, connect: Duration::from_secs(10) }
}

/// A simulated fleet, the collecting side on it, and the newest it told.
struct Bench {
    servers: SimFleet,
    world: Arc<Mutex<World>>,
    env: Arc<Environment>,
    collector: Collector,
    clock: Clock,
    events: mpsc::Receiver<FleetEvent>,
    jump: Option<Arc<JumpSnapshot>>,
    hosts: BTreeMap<String, Arc<HostSnapshot>>,
    outside: OutsideSnapshot,
    _alone: MutexGuard<'static, ()>,
}

impl Bench {
    /// Starts the first environment of a world; `prepare` may change it first.
    async fn start(world: &str, cadence: Cadence, prepare: impl FnOnce(&mut World)) -> Self {
        Self::start_as(world, cadence, None, prepare).await
    }

    /// The same with another account than root.
    async fn start_as(
        world: &str,
        cadence: Cadence,
        user: Option<&str>,
        prepare: impl FnOnce(&mut World),
    ) -> Self {
        // Faults of the jump box are looked at alone.
        Self::start_changed(world, cadence, user, prepare, |env| env.second_jump = None).await
    }

    async fn start_changed(
        world: &str,
        cadence: Cadence,
        user: Option<&str>,
        prepare: impl FnOnce(&mut World),
        change: impl Fn(&mut Environment),
    ) -> Self {
        let alone = ALONE.lock().await;
        let universe = Universe::load(world, 7).unwrap();
        prepare(&mut universe.environments[0].1.lock().unwrap());
        let servers = SimFleet::start(&universe);
        let mut fleet = universe.fleet(|env| servers.access(env));
        for env in &mut fleet.environments {
            let env = Arc::make_mut(env);
            env.cadence = cadence;
            change(env);
            if let (Jump::Remote(jump), Some(user)) = (&mut env.jump, user) {
                Arc::make_mut(&mut jump.access).user = user.to_owned();
            }
            for (host, user) in env.hosts.iter_mut().filter_map(|host| Some((host, user?))) {
                let host = Arc::make_mut(host);
                Arc::make_mut(&mut host.access).user = user.to_owned();
                // Checks are as quick as the rest.
                host.checks.iter_mut().for_each(|check| Arc::make_mut(check).every = cadence.poll);
            }
        }
        let env = fleet.environments[0].clone();
        let (sender, events) = mpsc::channel(1024);
        let reach = Arc::new(SshConnector::new(Arc::new(servers.clone()), Arc::new(RefuseAll)));
        let clock = Clock::start();
        let collector = Collector::new(Arc::new(fleet), reach, clock, sender);
        collector.activate(&env.name);
        let outside = OutsideSnapshot::pending(&env.name, &env.outside);
        Self {
            servers,
            world: universe.environments[0].1.clone(),
            env,
            collector,
            clock,
            events,
            jump: None,
            hosts: BTreeMap::new(),
            outside,
            _alone: alone,
        }
    }

    async fn up(world: &str, cadence: Cadence) -> Self {
        let mut bench = Self::start(world, cadence, |_| ()).await;
        bench.until("every host is up", Duration::from_secs(60), Bench::all_up).await;
        bench
    }

    async fn up_with_second(world: &str, cadence: Cadence) -> Self {
        let mut bench = Self::start_changed(world, cadence, None, |_| (), |_| ()).await;
        bench.until("every host is up", Duration::from_secs(60), Bench::all_up).await;
        bench
    }

    fn id(&self, host: &str) -> HostId {
        HostId { env: self.env.name.clone(), host: HostName::new(host).unwrap() }
    }

    fn fault(&self, host: &str, fault: Option<Fault>) {
        assert!(self.servers.set_fault(&self.id(host), fault), "no {host}");
    }

    /// Takes the next news; false when there was none until then.
    async fn next(&mut self, until: Instant) -> bool {
        match tokio::time::timeout_at(until.into(), self.events.recv()).await {
            Ok(Some(FleetEvent::Host(host))) => {
                self.hosts.insert(host.id.host.to_string(), host);
            }
            Ok(Some(FleetEvent::Jump(jump))) => self.jump = Some(jump),
            Ok(Some(FleetEvent::Outside(outside))) => self.outside = outside.as_ref().clone(),
            Ok(Some(_)) => {}
            Ok(None) | Err(_) => return false,
        }
        true
    }

    async fn until(&mut self, what: &str, limit: Duration, done: impl Fn(&Self) -> bool) {
        let until = Instant::now() + limit;
        while !done(self) {
            assert!(self.next(until).await, "not within {limit:?}: {what}\n{}", self.tell());
        }
    }

    /// Looks for so long, at all that arrives and ten times a second.
    async fn during(&mut self, time: Duration, mut look: impl FnMut(&Self)) {
        let until = Instant::now() + time;
        while Instant::now() < until {
            let soon = Instant::now() + Duration::from_millis(100);
            self.next(soon.min(until)).await;
            look(self);
        }
    }

    fn all_up(&self) -> bool {
        self.jump.as_ref().is_some_and(|j| j.link.is_up())
            && self.env.hosts.iter().all(|h| self.state(h.id.host.as_str()) == Some(LinkState::Up))
    }

    fn state(&self, host: &str) -> Option<LinkState> {
        self.hosts.get(host).map(|h| h.link.state)
    }

    fn age(&self, host: &str) -> Duration {
        self.hosts[host].age(self.clock.now()).unwrap()
    }

    /// The oldest figures of all hosts but these.
    fn oldest(&self, but: &BTreeSet<&str>) -> Duration {
        let others = self.hosts.keys().filter(|h| !but.contains(h.as_str()));
        others.map(|h| self.age(h)).max().unwrap()
    }

    /// How old figures may be when one host troubles the others: twice the poll; on a busy machine three times what they are, at
    /// the oldest, while all is well.
    async fn oldest_allowed(&mut self, poll: Duration) -> Duration {
        let mut oldest = Duration::ZERO;
        self.during(poll * 2, |b| oldest = oldest.max(b.oldest(&BTreeSet::new()))).await;
        println!("while all is well the oldest figures are {oldest:?} old");
        (poll * 2).max(oldest * 3)
    }

    fn problems(&self) -> Vec<Problem> {
        let hosts: Vec<_> =
            self.env.hosts.iter().filter_map(|h| self.hosts.get(h.id.host.as_str()).cloned()).collect();
        let jump = self.jump.as_ref().unwrap();
        judge(&Situation {
            env: &self.env,
            jump,
            hosts: &hosts,
            outside: &self.outside,
            now: self.clock.now(),
        })
        .problems
    }

    fn tell(&self) -> String {
        let hosts: Vec<String> = self
            .hosts
            .values()
            .filter(|h| !h.link.is_up())
            .map(|h| format!("{} {} {}", h.id.host, h.link.state.word(), h.link.detail))
            .collect();
        format!(
            "{} hosts; jump {:?}\n{}",
            self.hosts.len(),
            self.jump.as_ref().map(|j| &j.link),
            hosts.join("\n")
        )
    }

    /// Whatever happens, what is shown of a machine is what that machine once said.
    fn figures_are_sound(&self) {
        for (name, host) in &self.hosts {
            let facts = &host.facts;
            let Some(identity) = facts.identity.last() else { continue };
            assert_eq!(identity.hostname.as_str(), name);
            let load = facts.load.last().unwrap();
            assert_eq!(load.cpus, Some(4), "{name}");
            assert!((0.0..20.0).contains(&load.one) && load.fifteen > 0.0, "{name}: {load:?}");
            let memory = facts.memory.last().unwrap();
            assert!(memory.total_kb > 7_000_000 && memory.available_kb > 0, "{name}: {memory:?}");
            let disks = facts.filesystems.last().unwrap();
            let root = disks.iter().find(|f| f.mount.as_str() == "/").unwrap().usage.as_ref().unwrap();
            assert!(root.size_kb > 19_000_000 && root.used_kb > 6_000_000, "{name}: {root:?}");
        }
        for (name, host) in &self.hosts {
            let figures = format!("{:?}", host.facts);
            assert!(
                !figures.contains("owned") && !figures.contains("^[["),
                "{name}: garbage is a figure: {figures}"
            );
            // What a host says before it ends is quoted, printable, and short.
            let said = host.link.detail.as_str();
            assert!(said.chars().count() < 1_000 && !said.chars().any(char::is_control), "{name}: {said:?}");
        }
    }
}

/// A host, what goes wrong with it, the states that says so, and whether it comes back by itself.
type Case = (&'static str, Fault, &'static [LinkState], bool);

fn cases() -> Vec<Case> {
    use LinkState::{AuthFailed, HostKeyChanged, IdentityMismatch, TimedOut, Unreachable, Up};
    vec![
        ("app2", Fault::Silent, &[TimedOut], true),
        ("app3", Fault::DropMidReport, &[Unreachable], true),
        ("app4", Fault::Garbage, &[TimedOut, Unreachable], true),
        ("app5", Fault::Latency(10_000), &[TimedOut], true),
        ("app6", Fault::ChangedKey, &[HostKeyChanged], false),
        ("app7", Fault::AnswersAs(HostName::new("app11").unwrap()), &[IdentityMismatch], false),
        ("app8", Fault::Refuse, &[Unreachable], true),
        ("app9", Fault::AuthFail, &[AuthFailed], false),
        ("memcache1", Fault::Latency(100), &[Up], true),
    ]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_fault_has_its_own_state_holds_nobody_up_and_ends() {
    let poll = Duration::from_secs(3);
    let mut bench = Bench::up("big-14", cadence(poll, DEADLINE)).await;
    let allowed = bench.oldest_allowed(poll).await;
    let cases = cases();
    let faulty: BTreeSet<&str> = cases.iter().map(|(host, ..)| *host).collect();
    let before = bench.hosts.clone();
    for (host, fault, ..) in &cases {
        bench.fault(host, Some(fault.clone()));
    }

    let set = Instant::now();
    let named = |b: &Bench| cases.iter().all(|(h, _, states, _)| states.contains(&b.state(h).unwrap()));
    bench.until("every fault has its state", LONG, named).await;
    println!("every fault had its state after {:?}", set.elapsed());

    let mut oldest = Duration::ZERO;
    bench
        .during(poll * 3, |b| {
            oldest = oldest.max(b.oldest(&faulty));
            assert!(oldest <= allowed, "a host that is well was {oldest:?} old, more than {allowed:?}");
            b.figures_are_sound();
        })
        .await;
    println!("the oldest of the others was {oldest:?} old");
    for (host, _, states, _) in &cases {
        let now = &bench.hosts[*host];
        assert!(states.contains(&now.link.state), "{host}: {:?}", now.link);
        if states == &[LinkState::Up] {
            assert!(now.took.unwrap() >= Duration::from_millis(100), "{host}: {:?}", now.took);
            continue;
        }
        assert_eq!(
            now.link.hop,
            Some(Hop::Host(HostName::new(host).unwrap())),
            "{host}: the hop that failed"
        );
        assert!(!now.link.detail.is_empty(), "{host}");
        assert!(bench.age(host) > POLL * 3, "{host}: its figures age");
        assert_eq!(now.facts.os, before[*host].facts.os, "{host}");
        let problem =
            bench.problems().into_iter().find(|p| p.host.as_ref().is_some_and(|h| h.as_str() == *host));
        let problem = problem.unwrap_or_else(|| panic!("{host}: no problem"));
        assert_ne!(problem.severity, Severity::Warning, "{problem:?}");
    }
    let mismatch = &bench.hosts["app7"].link.detail;
    assert!(mismatch.as_str().contains("answered as app11"), "{mismatch}");

    for (host, ..) in &cases {
        bench.fault(host, None);
    }
    let back = |b: &Bench| cases.iter().all(|(h, .., alone)| !alone || b.state(h) == Some(LinkState::Up));
    bench.until("back by themselves", LONG, back).await;
    let waiting: Vec<&Case> = cases.iter().filter(|(.., alone)| !alone).collect();
    bench
        .during(Duration::from_secs(3), |b| {
            for (host, _, states, _) in &waiting {
                assert!(states.contains(&b.state(host).unwrap()), "{host} came back without a person");
            }
        })
        .await;
    for (host, ..) in &waiting {
        bench.collector.retry(&bench.env.name, Some(&HostName::new(host).unwrap()));
    }
    bench.until("back after a retry", LONG, Bench::all_up).await;
    bench.during(poll * 3, Bench::figures_are_sound).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_jump_box_down_is_one_problem_and_all_returns_by_itself() {
    let mut bench = Bench::up("big-14", cadence(POLL, DEADLINE)).await;
    assert_eq!(bench.problems(), []);
    bench.servers.set_jump_down(&bench.env.name, true);
    let lost =
        |b: &Bench| !b.jump.as_ref().unwrap().link.is_up() && b.hosts.values().all(|h| !h.link.is_up());
    bench.until("all is lost", LONG, lost).await;
    let before: Vec<Duration> = bench.hosts.keys().map(|h| bench.age(h)).collect();
    bench
        .during(Duration::from_secs(5), |b| {
            let problems = b.problems();
            assert_eq!(problems.len(), 1, "{problems:#?}");
            assert_eq!(problems[0].kind, ProblemKind::JumpDown);
            for host in b.hosts.values() {
                let jump = Hop::Jump(b.env.jump.name().clone());
                assert_eq!(host.link.hop.as_ref(), Some(&jump), "{}: the hop that failed", host.id.host);
            }
            b.figures_are_sound();
        })
        .await;
    for (host, before) in bench.hosts.keys().zip(before) {
        let grown = bench.age(host).saturating_sub(before);
        assert!(grown >= Duration::from_secs(4), "{host} aged {grown:?} in five seconds");
    }
    bench.servers.set_jump_down(&bench.env.name, false);
    bench.until("all is back by itself", LONG, Bench::all_up).await;
    bench.until("and well", LONG, |b| b.problems().is_empty()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_silent_jump_box_is_one_problem_and_all_returns_by_itself() {
    let mut bench = Bench::up("big-14", cadence(POLL, DEADLINE)).await;
    bench.fault("salt", Some(Fault::Silent));
    let lost =
        |b: &Bench| !b.jump.as_ref().unwrap().link.is_up() && b.hosts.values().all(|h| !h.link.is_up());
    bench.until("all is lost", LONG, lost).await;
    bench
        .during(Duration::from_secs(3), |b| {
            let problems = b.problems();
            assert_eq!(problems.len(), 1, "{problems:#?}");
            assert_eq!(problems[0].kind, ProblemKind::JumpDown);
        })
        .await;
    bench.fault("salt", None);
    bench.until("all is back by itself", Duration::from_secs(60), Bench::all_up).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hostile_bytes_are_shown_and_never_obeyed() {
    const EVIL: &str = "\x1b[2J\x1b]0;owned\x07\u{202e}\u{9b}31m";
    let mut bench = Bench::start("big-5", cadence(POLL, DEADLINE), |world| {
        let host = |name: &str| HostName::new(name).unwrap();
        world.write_file(&host("app2"), "/proc/sys/kernel/hostname", format!("app2{EVIL}\n").into_bytes());
        let release =
            format!("NAME=\"Debian{EVIL}\"\nPRETTY_NAME=\"Debian{EVIL}\"\nID=debian\nVERSION_ID=\"12\"\n");
        world.write_file(&host("app3"), "/etc/os-release", release.into_bytes());
        world.write_file(
            &host("app3"),
            "/etc/salt/grains",
            format!("level: prod{EVIL}\nroles:\n  - app{EVIL}\n").into_bytes(),
        );
        let mounts = format!("/dev/vda1 / ext4 rw 0 0\nevil{EVIL}:/x /mnt/{EVIL} nfs rw 0 0\n");
        world.write_file(&host("app4"), "/proc/mounts", mounts.into_bytes());
        let server = world.databases().server_mut(&host("db1-masterdb")).unwrap();
        server.outside_replicas.push((666, format!("evil{EVIL}")));
    })
    .await;
    let answered = |b: &Bench| {
        ["app2", "app3", "app4", "db1-masterdb"]
            .iter()
            .all(|h| b.state(h).is_some_and(|s| s != LinkState::Pending))
    };
    bench.until("every host has answered or failed", LONG, answered).await;
    assert_eq!(bench.state("app2"), Some(LinkState::IdentityMismatch));
    let shown = |host: &str| format!("{:?}", bench.hosts[host]);
    for host in ["app2", "app3", "app4", "db1-masterdb"] {
        let text = shown(host);
        assert!(text.contains("^[[2J^[]0;owned^G<U+202E><U+009B>31m"), "{host} does not show it: {text}");
    }
    // Debug writes what is not printable as `\u{…}`, and so shows whatever is not Clean. (A backslash is written twice.)
    let problems = bench.problems();
    let all = format!("{:?}{:?}{problems:?}", bench.hosts, bench.jump).replace("\\\\", "");
    for raw in ["\\u{", "\\n", "\\x", "\u{1b}"] {
        assert!(!all.contains(raw), "{raw} in {all}");
    }
    assert!(problems.iter().all(|p| !p.message.chars().any(char::is_control)), "{problems:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_network_mount_that_hangs_times_out_alone() {
    const DEAD: &str = "/srv/webplatform/wiki/images";
    let poll = Duration::from_secs(5);
    let mut bench = Bench::up("wpd-2013", cadence(poll, Duration::from_secs(8))).await;
    let allowed = bench.oldest_allowed(poll).await;
    let app1 = HostName::new("app1").unwrap();
    assert!(bench.world.lock().unwrap().set_hanging(&app1, DEAD, true));
    let since = bench.clock.now();
    let usage = |b: &Bench, host: &str| {
        let mounts = b.hosts[host].facts.network_filesystems.current().unwrap();
        mounts.iter().find(|f| f.mount.as_str() == DEAD).unwrap().usage.clone()
    };
    bench.until("it times out", LONG, |b| usage(b, "app1") == Err(Gap::TimedOut)).await;
    let (mut reports, mut others) = (BTreeSet::new(), BTreeSet::new());
    bench
        .during(poll * 5, |b| {
            let host = &b.hosts["app1"];
            assert_eq!((host.link.state, usage(b, "app1")), (LinkState::Up, Err(Gap::TimedOut)));
            assert!(host.facts.load.current().is_some() && host.facts.filesystems.current().is_some());
            assert!(usage(b, "app2").is_ok());
            let oldest = b.oldest(&BTreeSet::new());
            assert!(oldest <= allowed, "a host was {oldest:?} old, more than {allowed:?}");
            reports.insert(host.reported_at);
            others.insert(b.hosts["app2"].reported_at);
        })
        .await;
    let (own, theirs) = (reports.len(), others.len());
    assert!(own + 1 >= theirs && own > 1, "it is asked as often as another: {own} reports, {theirs} of app2");
    assert!(bench.hosts["app1"].reported_at > Some(since));
    let mounts: Vec<Problem> =
        bench.problems().into_iter().filter(|p| p.kind == ProblemKind::Mount).collect();
    assert_eq!(mounts.len(), 1, "{mounts:#?}");
    assert_eq!(mounts[0].host, Some(app1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_host_that_floods_drowns_none_of_99_others() {
    let poll = Duration::from_secs(5);
    let mut bench = Bench::up("big-100", cadence(poll, Duration::from_secs(4))).await;
    let name = "app51";
    let flooding = BTreeSet::from([name]);
    assert_eq!(bench.hosts.len(), 100);
    let allowed = bench.oldest_allowed(poll).await;
    bench.fault(name, Some(Fault::Flood));
    let lost = |b: &Bench| !b.hosts[name].link.is_up();
    bench.until("it is given up", LONG, lost).await;
    println!("{name}: {}", bench.hosts[name].link.detail);
    let mut oldest = Duration::ZERO;
    bench
        .during(poll * 3, |b| {
            oldest = oldest.max(b.oldest(&flooding));
            assert!(oldest <= allowed, "a host that is well was {oldest:?} old, more than {allowed:?}");
            let up = b.hosts.values().filter(|h| h.link.is_up()).count();
            assert!(up >= 99, "{}", b.tell());
        })
        .await;
    println!("the oldest of the 99 others was {oldest:?} old; {} kB in memory", resident_kb());
    bench.figures_are_sound();
    bench.fault(name, None);
    bench.until("it is back", LONG, Bench::all_up).await;
}

/// Hosts of the largest fleet. Without optimisation the cryptography of both ends of a thousand connections alone takes
/// two CPUs longer than a poll.
const MANY: usize = if cfg!(debug_assertions) { 200 } else { 1000 };

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_large_fleet_all_answers_again_and_again() {
    let mut bench = Bench::start(&format!("big-{MANY}"), Cadence::default(), |_| ()).await;
    let begun = Instant::now();
    bench.until("every host is up", Duration::from_secs(180), Bench::all_up).await;
    let up = begun.elapsed();
    let first: BTreeMap<String, _> = bench.hosts.iter().map(|(n, h)| (n.clone(), h.reported_at)).collect();
    let again = |b: &Bench| b.hosts.iter().all(|(name, h)| h.link.is_up() && h.reported_at > first[name]);
    let begun = Instant::now();
    bench.until("every host has answered again", Duration::from_secs(120), again).await;
    println!(
        "{MANY} hosts: all up after {up:.1?}, all asked again {:.1?} later, the oldest {:?} old, {} kB in memory with \
         the fleet itself",
        begun.elapsed(),
        bench.oldest(&BTreeSet::new()),
        resident_kb()
    );
    assert_eq!(bench.hosts.len(), MANY);
}

/// What this process holds in memory, the simulated fleet included.
fn resident_kb() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|l| l.strip_prefix("VmRSS:")).unwrap_or_default();
    line.trim().trim_end_matches(" kB").parse().unwrap_or(0)
}
