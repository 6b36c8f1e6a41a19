//! `free`, in procps' form of before and after `MemAvailable`.

use crate::options::Options;
use crate::program::Reply;
use crate::program::quick::{Ask, Quick, bad_option, failure, output};

pub(crate) static FREE: Quick = Quick { name: "free", options: Some(&OPTIONS), answer };

static OPTIONS: Options = Options::new("kmh", &[("kibi", 'k'), ("mebi", 'm'), ("human", 'h')]);

#[derive(Clone, Copy)]
enum Unit {
    Kb,
    Mb,
    Human,
}

fn answer(ask: &Ask<'_>) -> Reply {
    if let Some(other) = ask.given.operands.first() {
        return bad_option("free", other);
    }
    let unit = match ask.given.options.last() {
        Some(('m', _)) => Unit::Mb,
        Some(('h', _)) => Unit::Human,
        _ => Unit::Kb,
    };
    let Some((memory, machine)) = ask.world.memory(ask.host).zip(ask.world.machine(ask.host)) else {
        return failure(1, "free: cannot open /proc/meminfo");
    };
    let show = |kb: u64| match unit {
        Unit::Kb => kb.to_string(),
        Unit::Mb => (kb / 1024).to_string(),
        Unit::Human => human(kb),
    };
    let row = |name: &str, figures: &[u64], width: usize| {
        let cells: String = figures.iter().map(|kb| format!("{:>width$}", show(*kb))).collect();
        format!("{name}{cells}\n")
    };
    let swap = [memory.swap_total, memory.swap_total - memory.swap_free, memory.swap_free];
    let cache = memory.buffers + memory.cached;
    if machine.os.tells_available_memory() {
        let used = memory.total - memory.free - cache;
        let figures = [memory.total, used, memory.free, 0, cache, memory.available];
        let head = "               total        used        free      shared  buff/cache   available\n";
        return output(format!("{head}{}{}", row("Mem:    ", &figures, 12), row("Swap:   ", &swap, 12)));
    }
    let used = memory.total - memory.free;
    let figures = [memory.total, used, memory.free, 0, memory.buffers, memory.cached];
    let head = "             total       used       free     shared    buffers     cached\n";
    let mut text = head.to_owned();
    text.push_str(&row("Mem:   ", &figures, 11));
    text.push_str(&row("-/+ buffers/cache:", &[used - cache, memory.free + cache], 11));
    text.push_str(&row("Swap:  ", &swap, 11));
    output(text)
}

/// procps' own: one decimal below ten.
fn human(kb: u64) -> String {
    #[allow(clippy::cast_precision_loss)] // memory is far below 2^53 kB
    let mut value = kb as f64;
    let mut unit = 'K';
    for next in ['M', 'G', 'T'] {
        if value < 1024.0 {
            break;
        }
        value /= 1024.0;
        unit = next;
    }
    if value == 0.0 {
        "0B".to_owned()
    } else if value < 10.0 {
        format!("{value:.1}{unit}i")
    } else {
        format!("{value:.0}{unit}i")
    }
}
