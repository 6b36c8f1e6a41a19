//! Commands on hosts, for the console: what is to be said before, then the answers as hosts give them.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, oneshot};

use super::Inner;
use crate::operator::fleet_command::{
    AnswerBoard, CommandAnswer, CommandEnd, FleetCommands, FleetLimits, ShellLine, notes,
};
use jumpdeck_fleet::command::{CommandOrder, CommandState, CommandView};
use jumpdeck_fleet::fleet::{Environment, Host, Signatures};
use jumpdeck_fleet::names::{EnvName, HostName};
use jumpdeck_fleet::run::RunEvent;
use jumpdeck_fleet::text::Clean;

/// How long the command may take on each host, without the login; as `jumpdeck exec` has it.
const TIME: Duration = Duration::from_secs(30);
/// How many hosts are asked at once; as `jumpdeck exec` has it.
const AT_ONCE: usize = 16;
/// Bytes of all streams together that are kept for the screen.
const ALL_KEPT: usize = 8 << 20;
/// Bytes of one stream that are kept for the screen at least and at most.
const KEPT: (usize, usize) = (4 << 10, 64 << 10);
/// Pictures of a command are at least so far apart.
const PACE: Duration = Duration::from_millis(200);

/// How far an order is.
pub(super) enum OrderStage {
    /// What is to be said before is being asked. It ends when this is dropped.
    Looking { _until_dropped: oneshot::Sender<()> },
    /// It may be run.
    Ready(FleetCommands),
    /// It runs, and is stopped when this is dropped.
    Running { _until_dropped: oneshot::Sender<()> },
}

/// Takes an order down at once; its work is [`look`].
pub(super) fn begin(inner: &Inner, id: u64) -> oneshot::Receiver<()> {
    let (held, dropped) = oneshot::channel();
    inner.lock().orders.insert(id, OrderStage::Looking { _until_dropped: held });
    dropped
}

/// Logs in to the jump box and tells what runs are under way, unless the order is dropped meanwhile.
pub(super) async fn look(inner: &Inner, id: u64, env: EnvName, dropped: oneshot::Receiver<()>) {
    let (commands, said) = tokio::select! {
        found = prepare(inner, &env) => match found {
            Ok((commands, said)) => (Some(commands), Ok(said)),
            Err(why) => (None, Err(why)),
        },
        _ = dropped => return,
    };
    {
        let mut state = inner.lock();
        match (state.orders.get_mut(&id), commands) {
            (Some(stage), Some(commands)) => *stage = OrderStage::Ready(commands),
            (Some(_), None) => drop(state.orders.remove(&id)),
            (None, _) => return,
        }
    }
    inner.tell(RunEvent::CommandReady { id, said }).await;
}

async fn prepare(inner: &Inner, env: &EnvName) -> Result<(FleetCommands, Vec<Clean>), Clean> {
    let env = inner.environment(env).map_err(|why| Clean::new(&why))?;
    if env.signatures == Signatures::Required {
        return Err(Clean::new(&format!(
            "{} has signatures = \"required\", and a command leaves nothing signed: use a runbook",
            env.name
        )));
    }
    let commands = FleetCommands::connect(&inner.access, env).await;
    let commands = commands.map_err(|error| Clean::new(&format!("{}: {}", error.hop, error.describe())))?;
    let said = notes(&commands.runs().await).iter().map(|note| Clean::new(note)).collect();
    Ok((commands, said))
}

/// Runs what was ordered, and tells its answers as they come, and when it is over.
pub(super) async fn run(inner: &Inner, order: Arc<CommandOrder>) {
    let (held, dropped) = oneshot::channel();
    let ready = {
        let mut state = inner.lock();
        match state.orders.remove(&order.id) {
            Some(OrderStage::Ready(commands)) => {
                state.orders.insert(order.id, OrderStage::Running { _until_dropped: held });
                Some(commands)
            }
            Some(OrderStage::Looking { .. } | OrderStage::Running { .. }) | None => None,
        }
    };
    let began = inner.access.clock.now();
    let ready =
        ready.ok_or_else(|| "the connection to the jump box is closed; give the command again".to_owned());
    let begun = ready.and_then(|commands| {
        let (hosts, line) = hosts_and_line(inner, commands.env(), &order)?;
        Ok((commands, hosts, line))
    });
    let view = match begun {
        Ok((commands, hosts, line)) => {
            let mut board = AnswerBoard::new(order.clone(), began);
            ask(inner, &commands, (&hosts, &line), dropped, &mut board).await;
            board.view(Some(inner.access.clock.now()))
        }
        Err(why) => {
            let state = CommandState::NotBegun(Clean::new(&why));
            CommandView { state, ..CommandView::new(order.clone(), began) }
        }
    };
    inner.lock().orders.remove(&order.id);
    inner.tell(RunEvent::Command(Arc::new(view))).await;
}

/// What is run is what was agreed to: the same inventory, each of its hosts.
fn hosts_and_line(
    inner: &Inner,
    env: &Arc<Environment>,
    order: &CommandOrder,
) -> Result<(Vec<Arc<Host>>, ShellLine), String> {
    if inner.environment(&order.env)? != *env {
        return Err("the inventory has changed since hosts were chosen; give the command again".to_owned());
    }
    let line = ShellLine::of(&[order.text.as_str().to_owned()]).map_err(str::to_owned)?;
    let host = |name| env.host(name).cloned().ok_or_else(|| format!("{name} is not in the inventory"));
    Ok((order.hosts.iter().map(host).collect::<Result<_, _>>()?, line))
}

async fn ask(
    inner: &Inner,
    commands: &FleetCommands,
    (hosts, line): (&[Arc<Host>], &ShellLine),
    dropped: oneshot::Receiver<()>,
    board: &mut AnswerBoard,
) {
    let kept = (ALL_KEPT / 2 / hosts.len().max(1)).clamp(KEPT.0, KEPT.1);
    let limits = FleetLimits { at_once: AT_ONCE, time: TIME, kept };
    let (answers, mut news) = mpsc::unbounded_channel();
    let running = async move {
        let stop = async {
            let _ = dropped.await;
        };
        let told = |host: &HostName, end: &CommandEnd| {
            // Whoever tells the console reads until this ends.
            let _ = answers.send(CommandAnswer { host: host.clone(), end: end.clone() });
        };
        tracing::info!(hosts = hosts.len(), "a command on hosts");
        commands.run(hosts, line, limits, stop, told).await
    };
    let telling = async {
        inner.tell(RunEvent::Command(Arc::new(board.view(None)))).await;
        while let Some(answer) = news.recv().await {
            board.take(answer);
            while let Ok(answer) = news.try_recv() {
                board.take(answer);
            }
            inner.tell(RunEvent::Command(Arc::new(board.view(None)))).await;
            tokio::time::sleep(PACE).await;
        }
    };
    let (all, ()) = tokio::join!(running, telling);
    // Those that were not asked, or not to their end.
    all.into_iter().for_each(|answer| board.take(answer));
}
