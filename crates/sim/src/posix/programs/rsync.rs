//! `rsync`, as far as hosts copy code from the Salt master's daemon with it: `rsync [OPTION]… USER@HOST::code/PATH/ FOLDER/`.
//! With `-n` it only tells what it would do. Its words are those of rsync 3.1.

use std::sync::PoisonError;

use crate::program::quick::{failure, output, write};
use crate::program::{BoxFuture, Call, Program, Reply};
use crate::shell::path::absolute;
use crate::world::World;

/// The program.
pub(crate) struct Rsync;

impl Program for Rsync {
    fn name(&self) -> &'static str {
        "rsync"
    }

    fn run(&self, call: Call) -> BoxFuture<'static, u8> {
        Box::pin(async move {
            let reply = {
                let mut world = call.world.lock().unwrap_or_else(PoisonError::into_inner);
                answer(&mut world, &call)
            };
            write(reply, call.stdout, call.stderr).await
        })
    }
}

/// What it was asked.
#[derive(Default)]
struct Wanted {
    excluded: Vec<String>,
    operands: Vec<String>,
    dry: bool,
    tells: bool,
    deletes: bool,
}

fn read(args: &[String]) -> Result<Wanted, Reply> {
    let mut wanted = Wanted::default();
    let mut rest = args.iter();
    while let Some(argument) = rest.next() {
        let (name, glued) = match argument.split_once('=').filter(|_| argument.starts_with("--")) {
            Some((name, value)) => (name, Some(value.to_owned())),
            None => (argument.as_str(), None),
        };
        match name {
            "--exclude" => wanted.excluded.extend(glued.or_else(|| rest.next().cloned())),
            "--password-file" | "--timeout" | "--contimeout" => {
                if glued.is_none() {
                    rest.next();
                }
            }
            "--dry-run" => wanted.dry = true,
            "--itemize-changes" => wanted.tells = true,
            "--delete" => wanted.deletes = true,
            "--archive" | "--checksum" | "--no-perms" | "--recursive" => {}
            letters if letters.starts_with('-') && !letters.starts_with("--") => {
                for letter in letters.chars().skip(1) {
                    match letter {
                        'n' => wanted.dry = true,
                        'i' => wanted.tells = true,
                        'a' | 'c' | 'r' | 'v' | 'z' => {}
                        other => return Err(syntax(&format!("-{other}: unknown option"))),
                    }
                }
            }
            option if option.starts_with("--") => return Err(syntax(&format!("{option}: unknown option"))),
            operand => wanted.operands.push(operand.to_owned()),
        }
    }
    Ok(wanted)
}

fn syntax(what: &str) -> Reply {
    let end = "rsync error: syntax or usage error (code 1) at main.c(1596) [client=3.1.0]";
    failure(1, &format!("rsync: {what}\n{end}"))
}

fn answer(world: &mut World, call: &Call) -> Reply {
    let wanted = match read(call.args.get(1..).unwrap_or_default()) {
        Ok(wanted) => wanted,
        Err(reply) => return reply,
    };
    let [from, to] = wanted.operands.as_slice() else {
        return syntax("the simulated fleet copies one folder from a daemon to a local folder");
    };
    let Some((daemon, path)) = from.split_once("::") else {
        return syntax("the simulated fleet copies from a daemon (HOST::code/PATH) only");
    };
    let name = daemon.rsplit('@').next().unwrap_or(daemon);
    let jump = world.jump().cloned();
    let serves = jump.filter(|jump| {
        world.resolve(name).as_ref() == Some(jump) && world.is_up(jump) && world.service_runs(jump, "xinetd")
    });
    let Some(jump) = serves else {
        let end = "rsync error: error in socket IO (code 10) at clientserver.c(128) [Receiver=3.1.0]";
        return failure(10, &format!("rsync: failed to connect to {name}: Connection refused (111)\n{end}"));
    };
    let folder = path.strip_prefix("code/").map(|below| format!("/srv/code/{}", below.trim_end_matches('/')));
    let Some(folder) = folder.filter(|folder| world.list_dir(&jump, folder).is_some()) else {
        let end = "rsync error: some files/attrs were not transferred (see previous errors) (code 23)";
        return failure(
            23,
            &format!("rsync: change_dir \"{path}\" failed: No such file or directory (2)\n{end}"),
        );
    };
    let to = absolute(&call.cwd, to);
    let to = to.trim_end_matches('/');
    let (copied, deleted) = world.code_differs(&call.host, &folder, to, &wanted.excluded);
    let deleted = if wanted.deletes { deleted } else { Vec::new() };
    let mut text = String::new();
    if wanted.tells {
        deleted.iter().for_each(|path| text.push_str(&format!("*deleting   {path}\n")));
        for path in &copied {
            let there = world.read_file(&call.host, &format!("{to}/{path}")).is_some();
            text.push_str(&format!("{} {path}\n", if there { ">fcst......" } else { ">f+++++++++" }));
        }
    }
    if !wanted.dry {
        world.copy_code(&call.host, &folder, to, &copied);
        for path in &deleted {
            world.remove_file(&call.host, &format!("{to}/{path}"));
        }
    }
    output(text)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

    use crate::programs::tests::{host, shell, world};

    #[test]
    fn it_tells_what_differs_and_copies_it() {
        let world = world("wpd-2015", 0);
        let dry = "rsync -n -c -i -a --exclude '.git' --delete codesync@salt::code/blog/repo/ /srv/webplatform/blog/";
        assert_eq!(shell(&world, "blog", dry), (String::new(), String::new(), 0));
        shell(
            &world,
            "blog",
            "echo x >> /srv/webplatform/blog/README.md; echo y > /srv/webplatform/blog/local.php",
        );
        let (told, _, _) = shell(&world, "blog", dry);
        assert_eq!(told, "*deleting   local.php\n>fcst...... README.md\n");
        assert_eq!(shell(&world, "blog", dry).0, told, "a dry run changes nothing");
        assert_eq!(shell(&world, "blog", &dry.replace("-n -c -i ", "")).2, 0);
        assert_eq!(shell(&world, "blog", dry).0, "");
        assert!(world.lock().unwrap().set_service(&host("salt"), "xinetd", false));
        let (_, said, status) = shell(&world, "blog", dry);
        assert!(status == 10 && said.contains("Connection refused"), "{status} {said}");
    }
}
