//! `uname`.

use crate::program::Reply;
use crate::program::quick::{Ask, Quick, bad_option, failure, output};

pub(crate) static UNAME: Quick = Quick { name: "uname", answer };

/// The letters in the order in which what they stand for is printed.
const ORDER: &str = "snrvmo";

fn answer(ask: &Ask<'_>) -> Reply {
    let mut wanted = String::new();
    for arg in ask.args {
        let letters = match arg.as_str() {
            "-a" | "--all" => ORDER,
            "--kernel-name" => "s",
            "--nodename" => "n",
            "--kernel-release" => "r",
            "--kernel-version" => "v",
            "--machine" => "m",
            "--operating-system" => "o",
            short => match short.strip_prefix('-') {
                Some(letters) if !letters.is_empty() && letters.chars().all(|l| ORDER.contains(l)) => letters,
                Some(_) => return bad_option("uname", short),
                None => return failure(1, &format!("uname: extra operand '{short}'")),
            },
        };
        wanted.push_str(letters);
    }
    if wanted.is_empty() {
        wanted.push('s');
    }
    let Some(machine) = ask.world.machine(ask.host) else {
        return failure(1, "uname: cannot get system name");
    };
    let words: Vec<&str> = ORDER
        .chars()
        .filter(|letter| wanted.contains(*letter))
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
