//! `sync`: a simulated disk keeps what was written to it.

use crate::program::Reply;
use crate::program::quick::{Ask, Quick, bad_option, failure, output};

pub(crate) static SYNC: Quick = Quick { name: "sync", answer };

fn answer(ask: &Ask<'_>) -> Reply {
    let (options, files): (Vec<&String>, Vec<&String>) =
        ask.args.iter().partition(|arg| arg.starts_with('-'));
    if let Some(other) = options.iter().find(|option| !["-d", "-f"].contains(&option.as_str())) {
        return bad_option("sync", other);
    }
    let missing = |file: &&&String| {
        let path = match file.starts_with('/') {
            true => (**file).clone(),
            false => format!("{}/{file}", ask.cwd),
        };
        ask.world.metadata(ask.host, path.trim_end_matches("/.")).is_none()
    };
    match files.iter().find(missing) {
        Some(file) => failure(1, &format!("sync: error opening '{file}': No such file or directory")),
        None => output(String::new()),
    }
}
