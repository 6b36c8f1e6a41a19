//! The guard of a switchover in the simulated fleet: a rehearsal in which every connection breaks between the freeze and the
//! promotion shows what a real fleet does then.

use crate::support::rehearsal;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use jumpdeck::transport::BoxFuture;
use jumpdeck::transport::SessionPool;
use jumpdeck::transport::error::{ErrorKind, TransportError};
use jumpdeck::transport::{Held, HostSessions, Limits, Ran, Session};
use jumpdeck_fleet::hop::Hop;
use jumpdeck_fleet::names::HostName;
use jumpdeck_fleet::run::{Prompt, PromptKind, Reply};
use rehearsal::Stage;

/// A way that is cut when this is sent in a held session, before it arrives.
const CUT_AT: &str = "STOP ALL SLAVES";

#[derive(Clone)]
struct Cuttable {
    inner: Arc<SessionPool>,
    cut: Arc<AtomicBool>,
}

impl Cuttable {
    fn fails(&self) -> Result<(), TransportError> {
        match self.cut.load(Ordering::SeqCst) {
            true => Err(TransportError::new(&Hop::Here, ErrorKind::Dropped, "cut by the test")),
            false => Ok(()),
        }
    }
}

impl HostSessions for Cuttable {
    fn host<'a>(&'a self, name: &'a HostName) -> BoxFuture<'a, Result<Arc<dyn Session>, TransportError>> {
        Box::pin(async move {
            self.fails()?;
            let inner = self.inner.host(name).await?;
            Ok(Arc::new(Through { inner, way: self.clone() }) as Arc<dyn Session>)
        })
    }

    fn jump(&self) -> &HostName {
        self.inner.jump()
    }
}

struct Through {
    inner: Arc<dyn Session>,
    way: Cuttable,
}

impl Session for Through {
    fn exec<'a>(
        &'a self,
        command: &'a str,
        stdin: &'a [u8],
        limits: Limits,
        out: &'a mut (dyn FnMut(&[u8]) + Send),
    ) -> BoxFuture<'a, Result<Ran, TransportError>> {
        Box::pin(async move {
            self.way.fails()?;
            self.inner.exec(command, stdin, limits, out).await
        })
    }

    fn start<'a>(&'a self, command: &'a str) -> BoxFuture<'a, Result<Box<dyn Held>, TransportError>> {
        Box::pin(async move {
            self.way.fails()?;
            let held = Some(self.inner.start(command).await?);
            Ok(Box::new(Channel { held, way: self.way.clone() }) as Box<dyn Held>)
        })
    }
}

/// One that is cut is dropped: the host sees its input end.
struct Channel {
    held: Option<Box<dyn Held>>,
    way: Cuttable,
}

impl Channel {
    fn open(&mut self) -> Result<&mut Box<dyn Held>, TransportError> {
        if let Err(cut) = self.way.fails() {
            self.held = None;
            return Err(cut);
        }
        self.held
            .as_mut()
            .ok_or_else(|| TransportError::new(&Hop::Here, ErrorKind::Dropped, "cut by the test"))
    }
}

impl Held for Channel {
    fn write<'a>(&'a mut self, bytes: &'a [u8]) -> BoxFuture<'a, Result<(), TransportError>> {
        if String::from_utf8_lossy(bytes).starts_with(CUT_AT) {
            self.way.cut.store(true, Ordering::SeqCst);
        }
        Box::pin(async move { self.open()?.write(bytes).await })
    }

    fn read(&mut self) -> BoxFuture<'_, Result<Vec<u8>, TransportError>> {
        Box::pin(async move {
            loop {
                let cut = tokio::time::sleep(Duration::from_millis(20));
                tokio::select! {
                    read = self.open()?.read() => return read,
                    () = cut => {}
                }
            }
        })
    }

    fn ended(&mut self) -> BoxFuture<'_, Result<Ran, TransportError>> {
        Box::pin(async move { self.open()?.ended().await })
    }
}

fn agrees(prompt: &Prompt) -> Reply {
    match &prompt.kind {
        PromptKind::Confirm => Reply::Yes,
        PromptKind::Challenge(value) => Reply::Text(value.to_string().into()),
        PromptKind::Input(_) => Reply::Text("seen".to_owned().into()),
        PromptKind::Choose(choices) if choices.iter().any(|choice| choice.key == 'k') => {
            Reply::Chosen('k', Some("a rehearsal".to_owned()))
        }
        PromptKind::Choose(_) => Reply::Chosen('s', None),
        PromptKind::Approve(_) => Reply::No,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_guard_undoes_the_freeze_of_a_rehearsal_whose_connections_broke() {
    let stage = Stage::new("wpd-2015", "production", false);
    let way = Cuttable { inner: Arc::new(stage.way()), cut: Arc::default() };
    let inputs = [("old", "db1-masterdb"), ("candidate", "db2")];
    // The run cannot undo it, and stops where it would ask.
    let told = stage.run_over(Arc::new(way.clone()), "promote-masterdb", &inputs, agrees).await;
    assert!(way.cut.load(Ordering::SeqCst), "it was never cut: {}", told.story());
    let read_only = "mysql --batch --skip-column-names -e 'SELECT @@global.read_only'";
    // The guard still works when the run has stopped.
    let look = "cat /run/jumpdeck/*-guard 2>/dev/null || echo nothing yet";
    let mut mark = String::new();
    for _ in 0..600 {
        mark = stage.shell("db1-masterdb", look).await;
        if mark.contains("this server is writable again") {
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert!(mark.contains("this server is writable again"), "{mark}\n{}", told.story());
    assert_eq!(stage.shell("db1-masterdb", read_only).await, "0", "{}", told.story());
    // After a restart, too.
    assert!(told.was_done("restart-old"), "{}", told.story());
    let options = "ls /etc/mysql/conf.d/zz-jumpdeck.cnf 2>/dev/null || echo none";
    assert_eq!(stage.shell("db1-masterdb", options).await, "none", "{}", told.story());
    assert_eq!(stage.shell("db2", read_only).await, "1", "{}", told.story());
}
