//! The largest section that each probe accepts, in shapes that once took gigabytes or seconds: reading and judging it stays
//! within 20 MB.

use std::collections::BTreeMap;
use std::fs;
use std::sync::Arc;
use std::time::{Duration, Instant};

use jumpdeck::collect::probe::{Probe, Raw};
use jumpdeck::collect::probes::PROBES;
use jumpdeck_fleet::judge::{Situation, judge};
use jumpdeck_fleet::outside::OutsideSnapshot;
use jumpdeck_fleet::snapshot::{HostFacts, HostSnapshot, JumpSnapshot, Link};
use jumpdeck_fleet::time::Moment;
use jumpdeck_sim::sshd::SimFleet;
use jumpdeck_sim::world::universe::Universe;

use crate::support::alone::alone;

const NOW: Moment = Moment(100_000);
/// Beside the section itself, in kB.
const MOST_KB: u64 = 20_000;

/// How a section begins, so that a probe's reader takes the rest for an answer.
fn beginnings(probe: &str) -> &'static [&'static str] {
    match probe {
        "grains" => &["", "@file\n", "@conf main /etc/salt/minion\n", "@call\n"],
        "filesystems" | "network_filesystems" => {
            &["", "/dev/vda / ext4\n@both\n", "/dev/vda / ext4\n@space\n", "a:/b /mnt nfs\n@both\n"]
        }
        "mariadb" => &[
            "",
            "@server mariadbd mariadb\n",
            "@server mariadbd mariadb\njumpdeck\nas\\tbatch\njd_part\tjd_line\nvariables\t4\nVariable_name\tValue\n",
            "@server mariadbd mariadb\njumpdeck\nas\\tbatch\njd_part\tjd_line\nconnections\t6\n",
        ],
        "redis" => {
            &["", "redis_version:1\n", "redis_version:", "@refused ", "@refused x\n@process id ", "ERR "]
        }
        "elasticsearch" => {
            &["", "@refused ", "@at 1:9200\n", "@at 1:9200\n{\"status\":\"red\",\"number_of_nodes\":["]
        }
        "postfix" => &[
            "",
            "@process id 7\n@status 0\n@now 1795996470 2026-11-29 23:54:30\n",
            "@process id 7\n@status 0\n{\"queue_name\":\"x\",\"recipients\":[",
            "@process\n@status 69\npostqueue: ",
            "@process id 7\n@status 0\n3E2FB277 260 Sun Nov 29 23:53:30 a@b\n(",
        ],
        "exim" => &[
            "",
            "@process id 7\n@status 0 yes\n@count 9\n",
            "@process id 7\n@status 0 \n@count 1\n 2h   317 1xXrac-00004p-1V <",
            "@process id 7\n@status 0 \n@count 1\n@why\nx defer (111): ",
        ],
        "memcached" => &[
            "",
            "@process id 7\n@status 0 127.0.0.1\n@open\n@holds\nSTAT version 1\nSTAT ",
            "@process id 7\n@status 1 127.0.0.1\n@open 10.0.0.5 ",
        ],
        "salt_minions" => &[
            "",
            "@absent\n",
            "@peers a=own\n@connections 0 no\n@list minions 1\n@list minions_pre 9\n",
            "@peers a=own\n@connections 0 no\n   1: 0100000A:1199 0200000A:1 01 ",
        ],
        "cloud_servers" => &[
            "",
            "@status 0 no\n@peers a=10.0.0.1\n",
            "@status 0 no\n@peers a=10.0.0.1\n| ID | Name | Networks |\n| 1 | a | n=1 |\n| ",
        ],
        "code_trees" => &[
            "",
            "@all\n",
            "@all\n@tree 0 1 no /srv/a\n## master...origin/master [ahead 1]\n",
            "@some\n@tree 1 1 no ",
        ],
        "units" => &["", "missing apache\n@systemd 0\n", "runs "],
        _ => &[""],
    }
}

/// What is repeated to the limit.
const REPEATED: [&str; 14] = [
    "x\n",
    "\n",
    " ",
    "A",
    "\t",
    "[",
    "roles: [a",
    ", r",
    "d /0 x\n",
    "/dev/vda 1 1 1 1% 1 1% /\n",
    "a:/b /mnt nfs4\n",
    "a\tb\tc\td\te\tf\tg\th\n",
    "- &a [*a, *a]\n",
    "jd_part\tjd_line\nvariables\t4\nname\tvalue\n",
];

/// Lines that all differ: what is compared with all others becomes quadratic.
fn numbered(line: &str, bytes: usize) -> String {
    let mut text = String::new();
    for n in 0.. {
        let next = line.replace("{n}", &n.to_string());
        if text.len() + next.len() > bytes {
            return text;
        }
        text.push_str(&next);
    }
    text
}

fn sections(probe: &dyn Probe) -> Vec<String> {
    let mut all = Vec::new();
    for beginning in beginnings(probe.name()) {
        let room = probe.longest() - beginning.len();
        for piece in REPEATED {
            all.push(format!("{beginning}{}", piece.repeat(room / piece.len())));
        }
        for line in
            ["/dev/v{n} /mnt/{n} ext4\n", "/dev/v{n} 9 9 9 9% 9 9% /mnt/{n}\n", "r{n}\tv{n}\n", "k{n}: v\n"]
        {
            all.push(format!("{beginning}{}", numbered(line, room)));
        }
        // As wide a header, and as many rows below it, as there is room for.
        let header = numbered("c{n}\t", room / 2);
        all.push(format!("{beginning}{header}\n{}", "x\n".repeat(room / 2 / 2 - 1)));
        all.push(format!("{beginning}roles: [{}]\n", numbered("r{n}, ", room - 16)));
        all.push(format!(
            "{beginning}{}@both\n{}",
            numbered("/d{n} /m{n} ext4\n", room / 2 - 8),
            numbered("/d{n} 9 9 9 9% 9 9% /m{n}\n", room / 2)
        ));
    }
    all
}

/// The peak of resident memory since the last call, and what is resident now; kB. `None` where the kernel does not tell.
fn resident_kb(of: &str) -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with(of))?;
    line.split_whitespace().nth(1)?.parse().ok()
}

fn forget_the_peak() -> Option<()> {
    fs::write("/proc/self/clear_refs", "5").ok()
}

/// An allocator that keeps nothing back: what was freed must not hide what is taken next.
const GIVES_BACK: [(&str, &str); 2] = [("MALLOC_MMAP_THRESHOLD_", "131072"), ("MALLOC_TRIM_THRESHOLD_", "0")];

#[test]
fn the_largest_answer_of_a_host_takes_little_memory() {
    alone(module_path!(), "the_largest_answer_of_a_host_takes_little_memory", &GIVES_BACK, || {
        tokio::runtime::Runtime::new().unwrap().block_on(read_and_judge());
    });
}

async fn read_and_judge() {
    let universe = Universe::load("wpd-2015", 1).unwrap();
    let servers = SimFleet::start(&universe);
    let fleet = universe.fleet(|env| servers.access(env));
    let env = &fleet.environments[0];
    let mut jump = JumpSnapshot::pending(env, NOW);
    jump.link = Link::up(NOW);
    let pending = |name: &jumpdeck_fleet::names::HostId| {
        let mut host = HostSnapshot::pending(name.clone(), String::new(), NOW);
        host.link = Link::up(NOW);
        host.reported_at = Some(NOW);
        host
    };
    let mut slowest: BTreeMap<&str, (Duration, u64)> = BTreeMap::new();
    for probe in PROBES {
        for section in sections(*probe) {
            assert!(section.len() <= probe.longest());
            let beginning: String = section.chars().take(60).collect();
            let raw = Raw { status: 0, text: section };
            let (Some(()), Some(before)) = (forget_the_peak(), resident_kb("VmRSS:")) else {
                println!("skipped: this kernel does not tell a process's peak of memory");
                return;
            };
            let begun = Instant::now();
            let mut facts = HostFacts::default();
            probe.ingest(Ok(&raw), NOW, &mut facts);
            let mut hosts: Vec<Arc<HostSnapshot>> =
                env.hosts.iter().map(|h| Arc::new(pending(&h.id))).collect();
            Arc::make_mut(&mut hosts[1]).facts = facts;
            let problems = judge(&Situation {
                env,
                jump: &jump,
                hosts: &hosts,
                outside: &OutsideSnapshot::pending(&env.name, &env.outside),
                now: NOW,
            })
            .problems;
            let took = begun.elapsed();
            assert!(problems.len() < 10_000, "{}: {} problems", probe.name(), problems.len());
            let grown = resident_kb("VmHWM:").unwrap().saturating_sub(before);
            assert!(
                grown < MOST_KB,
                "{}: {grown} kB for {} bytes that begin {beginning:?}",
                probe.name(),
                raw.text.len()
            );
            let worst = slowest.entry(probe.name()).or_default();
            *worst = (worst.0.max(took), worst.1.max(grown));
        }
    }
    for (probe, (took, grown)) in slowest {
        println!("{probe}: at most {} ms, {grown} kB", took.as_millis());
    }
}
