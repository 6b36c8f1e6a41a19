//! `du`.

use crate::program::{BoxFuture, Call, Program};
use jumpdeck_fleet::storage::human_kb;

use super::{Options, run};

/// The program.
#[derive(Debug)]
pub struct Du;

static OPTIONS: Options = Options::new(
    "shkmbacxSd:",
    &[
        ("summarize", 's'),
        ("human-readable", 'h'),
        ("bytes", 'b'),
        ("max-depth", 'd'),
        ("all", 'a'),
        ("total", 'c'),
    ],
);

impl Program for Du {
    fn name(&self) -> &'static str {
        "du"
    }

    fn options(&self) -> Option<&'static Options> {
        Some(&OPTIONS)
    }

    fn run(&self, call: Call) -> BoxFuture<'static, u8> {
        run(call, &OPTIONS, |work, parsed| {
            let deepest = if parsed.has('s') { Some(0) } else { parsed.number('d') };
            let size = |bytes: u64, blocks: u64| match () {
                () if parsed.has('b') => bytes.to_string(),
                () if parsed.has('h') => human_kb(blocks),
                () if parsed.has('m') => blocks.div_ceil(1024).to_string(),
                () => blocks.to_string(),
            };
            let names =
                if parsed.operands.is_empty() { vec![".".to_owned()] } else { parsed.operands.clone() };
            let mut total = (0, 0);
            for name in names {
                let root = work.path(&name);
                if !work.exists(&root) {
                    work.complain(&format!("cannot access '{name}': No such file or directory"));
                    continue;
                }
                let all: Vec<(String, bool, u64)> = work
                    .below(&root)
                    .into_iter()
                    .filter_map(|path| {
                        let found = work.world.metadata(&work.host, &path)?;
                        Some((path, found.directory, found.size))
                    })
                    .collect();
                // The deepest first, as du walks.
                for (path, directory, _) in all.iter().rev() {
                    let inside = |other: &str| {
                        other == path
                            || other
                                .strip_prefix(path.trim_end_matches('/'))
                                .is_some_and(|r| r.starts_with('/'))
                    };
                    let sums = all
                        .iter()
                        .filter(|(other, ..)| inside(other))
                        .fold((0, 0), |sums, (_, _, size)| (sums.0 + size, sums.1 + size.div_ceil(4096) * 4));
                    let below = path.strip_prefix(root.trim_end_matches('/')).unwrap_or_default();
                    let depth = below.matches('/').count();
                    if path == &root {
                        total = (total.0 + sums.0, total.1 + sums.1);
                    }
                    if (*directory || parsed.has('a') || path == &root)
                        && deepest.is_none_or(|most| depth <= most)
                    {
                        work.say(&format!(
                            "{}\t{}{below}\n",
                            size(sums.0, sums.1),
                            name.trim_end_matches('/')
                        ));
                    }
                }
            }
            if parsed.has('c') {
                work.say(&format!("{}\ttotal\n", size(total.0, total.1)));
            }
        })
    }
}
