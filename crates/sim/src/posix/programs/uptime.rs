//! `uptime`.

use crate::options::Options;
use crate::program::Reply;
use crate::program::quick::{Ask, Quick, bad_option, failure, output};
use crate::world::World;

pub(crate) static UPTIME: Quick = Quick { name: "uptime", options: Some(&OPTIONS), answer };

static OPTIONS: Options = Options::new("", &[]);

fn answer(ask: &Ask<'_>) -> Reply {
    if let Some(other) = ask.given.operands.first() {
        return bad_option("uptime", other);
    }
    let Some((up, [one, five, fifteen])) = ask.world.uptime(ask.host).zip(ask.world.load(ask.host)) else {
        return failure(1, "uptime: cannot open /proc/uptime");
    };
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // an uptime is no negative number
    let minutes = up as u64 / 60;
    let (days, hours, rest) = (minutes / 1440, minutes / 60 % 24, minutes % 60);
    let mut since = match days {
        0 => String::new(),
        1 => "1 day, ".to_owned(),
        n => format!("{n} days, "),
    };
    since.push_str(&if hours > 0 { format!("{hours:>2}:{rest:02}") } else { format!("{rest} min") });
    let now = time_of_day(ask.world, ask);
    output(format!(" {now} up {since},  1 user,  load average: {one:.2}, {five:.2}, {fifteen:.2}\n"))
}

fn time_of_day(world: &World, ask: &Ask<'_>) -> String {
    #[allow(clippy::cast_possible_truncation)] // seconds since 1970
    let second = (world.epoch(ask.host) as i64).rem_euclid(86_400);
    format!("{:02}:{:02}:{:02}", second / 3600, second / 60 % 60, second % 60)
}
