//! `uname`.

use crate::options::Options;
use crate::program::Reply;
use crate::program::quick::{Ask, Quick, failure, output};

pub(crate) static UNAME: Quick = Quick { name: "uname", options: Some(&OPTIONS), answer };

static OPTIONS: Options = Options::new(
    "asnrvmo",
    &[
        ("all", 'a'),
        ("kernel-name", 's'),
        ("nodename", 'n'),
        ("kernel-release", 'r'),
        ("kernel-version", 'v'),
        ("machine", 'm'),
        ("operating-system", 'o'),
    ],
);

/// The letters in the order in which what they stand for is printed.
const ORDER: &str = "snrvmo";

fn answer(ask: &Ask<'_>) -> Reply {
    if let Some(other) = ask.given.operands.first() {
        return failure(1, &format!("uname: extra operand '{other}'"));
    }
    let wanted = |letter: char| {
        let given = ask.given;
        given.has(letter) || given.has('a') || given.options.is_empty() && letter == 's'
    };
    let Some(machine) = ask.world.machine(ask.host) else {
        return failure(1, "uname: cannot get system name");
    };
    let words: Vec<&str> = ORDER
        .chars()
        .filter(|letter| wanted(*letter))
        .map(|letter| match letter {
            's' => "Linux",
            'n' => machine.hostname.as_str(),
            'r' => machine.os.kernel,
            'v' => machine.os.build,
            'm' => "x86_64",
            _ => "GNU/Linux",
        })
        .collect();
    output(format!("{}\n", words.join(" ")))
}
