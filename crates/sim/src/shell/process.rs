//! A simulated machine and its background processes.

use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::task::{Context, Waker};

use futures::future::maybe_done;
use tokio::sync::{oneshot, watch};
use tokio::task::AbortHandle;

use super::lock::Locks;
use crate::program::SharedWorld;
use crate::world::World;
use jumpdeck_fleet::names::HostName;

/// A host as its shells see it: its name, its world, its processes.
#[derive(Debug)]
pub struct Machine {
    /// The host.
    pub host: HostName,
    /// The world it stands in.
    pub world: SharedWorld,
    next_pid: AtomicU32,
    processes: Mutex<BTreeMap<u32, Process>>,
    /// What `flock` holds.
    pub(crate) locks: Locks,
    /// Processes that belong to no session any more: `setsid`, `nohup`, `systemd-run`.
    detached: Group,
}

#[derive(Debug, Clone)]
struct Process {
    abort: AbortHandle,
    /// `None` while it runs.
    status: watch::Receiver<Option<u8>>,
}

/// The exit status of what was ended by a signal (POSIX: 128 and its number).
pub(crate) const fn signalled(signal: u8) -> u8 {
    128 + signal
}

impl Machine {
    /// A machine with nothing running.
    #[must_use]
    pub fn new(host: HostName, world: SharedWorld) -> Arc<Self> {
        let processes = Mutex::new(BTreeMap::new());
        Arc::new(Self {
            host,
            world,
            next_pid: AtomicU32::new(1000),
            processes,
            locks: Locks::default(),
            detached: Group::default(),
        })
    }

    /// The world, for a moment.
    pub(crate) fn world(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A process id that was never used here.
    pub(crate) fn new_pid(&self) -> u32 {
        self.next_pid.fetch_add(1, Ordering::Relaxed)
    }

    fn processes(&self) -> MutexGuard<'_, BTreeMap<u32, Process>> {
        self.processes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Runs something in the background under a process id. It ends with the group at the latest.
    ///
    /// It begins here and now, up to where it waits first: `nohup` has left the group before a session can end that
    /// started it, as on a real host, where a session without a terminal sends no signal when it ends. So the caller must
    /// not hold the world.
    pub(crate) fn spawn(
        self: &Arc<Self>,
        group: &Group,
        pid: u32,
        run: impl Future<Output = u8> + Send + 'static,
    ) {
        let (done, status) = watch::channel(None);
        let power_cut = self.power_cut();
        let (begin, begun) = oneshot::channel();
        let task = tokio::spawn(async move {
            let Ok(run) = begun.await else { return };
            let status = tokio::select! {
                status = run => status,
                () = power_cut => signalled(9),
            };
            done.send_replace(Some(status));
        });
        let abort = task.abort_handle();
        group.add(self, pid, abort.clone());
        self.processes().insert(pid, Process { abort, status });
        let mut run = maybe_done(Box::pin(run));
        // The task asks again as soon as it has it, so that nobody has to be woken for this first time.
        let _ = Pin::new(&mut run).poll(&mut Context::from_waker(Waker::noop()));
        let _ = begin.send(async move {
            (&mut run).await;
            Pin::new(&mut run).take_output().unwrap_or(signalled(9))
        });
    }

    /// Ends when the machine loses power.
    pub(crate) fn power_cut(&self) -> impl Future<Output = ()> + Send + 'static {
        let told = self.world().power_cut(&self.host).map(|told| told.notified_owned());
        async move {
            match told {
                Some(told) => told.await,
                None => std::future::pending().await,
            }
        }
    }

    /// What ends a process.
    pub(crate) fn abort_handle(&self, pid: u32) -> Option<AbortHandle> {
        self.processes().get(&pid).map(|process| process.abort.clone())
    }

    /// The group of what outlives its session.
    pub(crate) fn detached(&self) -> Group {
        self.detached.clone()
    }

    /// Whether that process runs.
    pub(crate) fn is_running(&self, pid: u32) -> bool {
        self.processes().get(&pid).is_some_and(|process| !process.abort.is_finished())
    }

    /// Ends a process; false when there is none.
    pub(crate) fn kill(&self, pid: u32) -> bool {
        let running = self.is_running(pid);
        if let Some(process) = self.processes().get(&pid) {
            process.abort.abort();
        }
        running
    }

    /// Waits for a process to end and forgets it; `None` when there is none.
    pub(crate) async fn wait(&self, pid: u32) -> Option<u8> {
        let mut process = self.processes().get(&pid).cloned()?;
        let status = match process.status.wait_for(Option::is_some).await {
            Ok(status) => *status,
            // The sender went without a word: it was killed.
            Err(_) => Some(signalled(15)),
        };
        self.processes().remove(&pid);
        status
    }
}

/// The processes that end together: those of one session, or of one `timeout`.
#[derive(Debug, Default, Clone)]
pub(crate) struct Group(Arc<Members>);

#[derive(Debug, Default)]
struct Members(Mutex<Vec<Member>>);

#[derive(Debug)]
struct Member {
    machine: Weak<Machine>,
    pid: u32,
    abort: AbortHandle,
}

impl Drop for Member {
    fn drop(&mut self) {
        self.abort.abort();
        if let Some(machine) = self.machine.upgrade() {
            machine.processes().remove(&self.pid);
        }
    }
}

impl Group {
    fn members(&self) -> MutexGuard<'_, Vec<Member>> {
        self.0.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn add(&self, machine: &Arc<Machine>, pid: u32, abort: AbortHandle) {
        let mut members = self.members();
        // Waited-for and finished processes are forgotten, so that a loop of background jobs stays small.
        members.retain(|member| !member.abort.is_finished() || members_status_wanted(member));
        members.push(Member { machine: Arc::downgrade(machine), pid, abort });
    }

    /// How many of its processes have not ended.
    pub(crate) fn running(&self) -> usize {
        self.members().iter().filter(|member| !member.abort.is_finished()).count()
    }

    /// Hands everything over to another group, as orphans are.
    pub(crate) fn merge_into(&self, other: &Self) {
        let moved = std::mem::take(&mut *self.members());
        other.members().extend(moved);
    }

    /// Hands one process over to another group.
    pub(crate) fn hand_over(&self, pid: u32, other: &Self) {
        let member = {
            let mut members = self.members();
            members.iter().position(|member| member.pid == pid).map(|at| members.swap_remove(at))
        };
        other.members().extend(member);
    }

    /// Ends everything in it.
    pub(crate) fn kill(&self) {
        let _ended = std::mem::take(&mut *self.members());
    }
}

/// A finished process stays known until somebody has waited for it.
fn members_status_wanted(member: &Member) -> bool {
    member.machine.upgrade().is_some_and(|machine| machine.processes().contains_key(&member.pid))
}
