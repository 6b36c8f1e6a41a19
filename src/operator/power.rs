//! What the cloud says of a host that may not answer: asked by the cloud's client, from the machines that may have it.
//!
//! The client runs on the jump box in use, else on a host of role `salt` or `deployment`, with whatever credentials the session of the
//! account has there: nobody reads those, and none is sent. It is only asked; nothing is changed.

use std::sync::Arc;
use std::time::Duration;

use super::access::FleetAccess;
use crate::transport::error::TransportError;
use crate::transport::{JumpConnection, Lane, Limits, NoWayIn, Recorded, WayIn, description, way_in};
use jumpdeck_fleet::fleet::{Environment, Host};
use jumpdeck_fleet::names::HostName;
use jumpdeck_fleet::power::{
    CloudClient, CloudReply, ConsoleTail, MissReason, PowerMiss, PowerReport, ServerReply,
};
use jumpdeck_fleet::text::Clean;

mod table;

/// How long a client may take for one answer, without the login. One that is started anew for each takes some seconds.
const TIME: Duration = Duration::from_secs(40);
/// Bytes of a table that are read.
const TABLE: usize = 64 << 10;
/// Bytes of a console log that are read: a thousand long lines.
const LOG: usize = 1 << 20;
/// Machines that are asked beside the jump box.
const MORE: usize = 3;
/// Roles of hosts that may have the client.
const ROLES: [&str; 2] = ["salt", "deployment"];

/// Which client is there; its name is the first line.
const CLIENT: &str = "\
if command -v nova >/dev/null 2>&1; then client=nova
elif command -v openstack >/dev/null 2>&1; then client=openstack
else client=none; fi
";
const SHOW: &str = "\
echo \"client $client\"
case $client in
  nova) nova show \"$name\" </dev/null ;;
  openstack) openstack server show \"$name\" </dev/null ;;
esac
";
const LIST: &str = "\
case $client in
  nova) nova list --name \"^$name\\$\" </dev/null ;;
  openstack) openstack server list --name \"^$name\\$\" </dev/null ;;
esac
";
const CONSOLE: &str = "\
case $client in
  nova) nova console-log --length \"$lines\" \"$name\" </dev/null ;;
  openstack) openstack console log show --lines \"$lines\" \"$name\" </dev/null ;;
esac
";

/// Asks about a host, machine after machine, until one answers; `lines` of its console log, or none of it.
pub async fn ask(access: &FleetAccess, env: &Arc<Environment>, host: &Host, lines: u16) -> PowerReport {
    let mut report = PowerReport::default();
    let connector = access.connectors.open(access.ask.clone());
    let WayIn { jump, first } =
        match way_in(&*connector, env, Lane::Person).await.map_err(NoWayIn::into_error) {
            Ok(way) => way,
            Err(error) => {
                report.without.push(miss(env.jump.name(), no_login(&error)));
                return report;
            }
        };
    if let Some(error) = &first {
        report.without.push(miss(env.jump.name(), no_login(error)));
    }
    for machine in machines(env, host, first.is_some()) {
        let name = machine.id.host.clone();
        match ask_at(&*jump, &machine, host, lines).await {
            Ok((client, says)) => {
                report.answer = Some(CloudReply { by: name, client, says });
                break;
            }
            Err(why) => report.without.push(PowerMiss { at: name, why }),
        }
    }
    report
}

fn miss(at: &HostName, why: MissReason) -> PowerMiss {
    PowerMiss { at: at.clone(), why }
}

fn no_login(error: &TransportError) -> MissReason {
    MissReason::NoLogin(Clean::new(&error.to_string()))
}

/// The machines to ask: the jump box in use, then hosts that manage the others. The host itself is not asked, unless it is
/// that jump box, and a jump box that is gone comes last: from inside it may still be reached.
fn machines(env: &Environment, host: &Host, by_second: bool) -> Vec<Arc<Host>> {
    let second = env.second_jump.as_ref().filter(|_| by_second).map(|jump| &jump.name);
    let in_use = second.unwrap_or(env.jump.name());
    let managing = |one: &&Arc<Host>| one.roles.iter().any(|role| ROLES.contains(&role.as_str()));
    let mut hosts: Vec<Arc<Host>> = env.hosts.iter().filter(managing).cloned().collect();
    hosts.sort_by_key(|one| one.id.host == *env.jump.name());
    hosts.truncate(MORE);
    let others = hosts.into_iter().filter(|one| one.id.host != *in_use && one.id != host.id);
    description(env, in_use).into_iter().chain(others).collect()
}

async fn ask_at(
    jump: &dyn JumpConnection,
    machine: &Host,
    host: &Host,
    lines: u16,
) -> Result<(CloudClient, ServerReply), MissReason> {
    let session = jump.host(machine).await.map_err(|error| no_login(&error))?;
    let run = async |variables: String, script: &str, bytes| {
        let text = format!("{variables}{CLIENT}{script}");
        session.record("exec /bin/sh", text.as_bytes(), Limits { time: TIME, bytes }).await
    };
    let name = |name: &str| {
        // Neither a name of the inventory nor a UUID has a NUL.
        format!("name={}\n", shlex::try_quote(name).unwrap_or_default())
    };
    let own = host.id.host.as_str();
    let shown = run(name(own), SHOW, TABLE).await.map_err(|error| no_login(&error))?;
    let (client, printed) = table::shown(&shown)?;
    let says = match printed {
        table::ShowReply::NoServer => ServerReply::NoServer,
        table::ShowReply::Several => {
            let listed = run(name(own), LIST, TABLE).await;
            ServerReply::Several(listed.map(|listed| table::listed(&listed, own)).unwrap_or_default())
        }
        table::ShowReply::Server(text) => {
            let facts = table::facts(&text, &host.address).map_err(MissReason::Unreadable)?;
            let tail = match &facts.id {
                _ if lines == 0 => ConsoleTail::NotAsked,
                None => ConsoleTail::Unknown("the client did not say the server's UUID".into()),
                Some(id) => {
                    let variables = format!("{}lines={lines}\n", name(id.as_str()));
                    match run(variables, CONSOLE, LOG).await {
                        Ok(printed) => table::tail(&printed, lines),
                        Err(error) => ConsoleTail::Unknown(Clean::new(&error.to_string())),
                    }
                }
            };
            ServerReply::Server(Box::new(facts), tail)
        }
    };
    Ok((client, says))
}

/// Why a client has no answer: its end, and what it said.
fn failure(recorded: &Recorded) -> Option<MissReason> {
    let Recorded { status, signal, stdout, stderr, cut } = recorded;
    let said = || {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let both = text(&stdout.kept) + "\n" + &text(&stderr.kept);
        let last = both.lines().rfind(|line| {
            let line = line.trim();
            !line.is_empty() && !line.starts_with(['+', '|']) && !line.starts_with("client ")
        });
        Clean::first_line(last.unwrap_or("it said nothing"), 200)
    };
    match (status, signal, cut) {
        (Some(0), _, _) => None,
        (Some(status), _, _) => {
            let all = String::from_utf8_lossy(&stderr.kept);
            let why = said();
            Some(if table::lacks_credentials(&all) {
                MissReason::NoCredentials(why)
            } else {
                MissReason::Failed(Clean::new(&format!("exit {status}: {why}")))
            })
        }
        (None, Some(signal), _) => {
            Some(MissReason::Failed(Clean::new(&format!("it was ended by signal {signal}: {}", said()))))
        }
        (None, None, Some(cut)) => Some(MissReason::NoAnswer(Clean::new(&cut.to_string()))),
        (None, None, None) => Some(MissReason::NoAnswer("how it ended is not known".into())),
    }
}
