//! What the tests of runs share: scripted hosts, a journal in memory, runbooks, and somebody who answers.

use super::*;
use crate::runbook::watched::Watch;

pub(super) type LoginHook = Box<dyn FnMut(&HostName) + Send>;

/// Hosts that know six words: `set NAME`, `unset NAME`, `get NAME`, `say TEXT`, `fail TEXT` (to standard error), `refuse TEXT`
/// (fails, with the text on standard output). What is set is counted.
#[derive(Default)]
pub(super) struct World {
    pub(super) set: Mutex<BTreeMap<(String, String), u32>>,
    pub(super) done: Mutex<Vec<String>>,
    /// Words that report success and do nothing.
    pub(super) idle: Mutex<Vec<String>>,
    /// Words after which the link is lost: they are done, and nobody hears of it.
    pub(super) cut: Mutex<Vec<String>>,
    /// Every script that came.
    pub(super) scripts: Mutex<Vec<String>>,
    /// Changes that came while the environment was read-only.
    pub(super) unarmed: Mutex<Vec<String>>,
    pub(super) read_only: AtomicBool,
    /// It becomes read-only with this word.
    pub(super) ends_arming: Mutex<Option<String>>,
    /// Called with a host that is logged in to.
    pub(super) on_login: Mutex<Option<LoginHook>>,
    /// What is found of a script that an earlier process left running: its exit status and its output.
    pub(super) detached: Mutex<Option<String>>,
}

pub(super) struct Hosts(pub(super) Arc<World>, pub(super) HostName);

impl HostSessions for Hosts {
    fn host<'a>(&'a self, host: &'a HostName) -> BoxFuture<'a, Result<Arc<dyn Session>, TransportError>> {
        if let Some(hook) = self.0.on_login.lock().unwrap().as_mut() {
            hook(host);
        }
        let session = OnHost(self.0.clone(), host.to_string());
        Box::pin(async move { Ok(Arc::new(session) as Arc<dyn Session>) })
    }

    fn jump(&self) -> &HostName {
        &self.1
    }
}

pub(super) struct OnHost(Arc<World>, String);

impl Session for OnHost {
    fn exec<'a>(
        &'a self,
        _command: &'a str,
        stdin: &'a [u8],
        _limits: Limits,
        out: &'a mut (dyn FnMut(&[u8]) + Send),
    ) -> BoxFuture<'a, Result<Ran, TransportError>> {
        Box::pin(async move {
            let text = String::from_utf8(stdin.to_vec()).unwrap();
            self.0.scripts.lock().unwrap().push(text.clone());
            let found = self.0.detached.lock().unwrap().clone();
            if let Some(found) = found.filter(|_| text.contains("echo running")) {
                return Ok(Ran { status: Some(0), stdout: found.into_bytes(), ..Ran::default() });
            }
            let word = |l: &&str| {
                ["set ", "unset ", "get ", "say ", "fail ", "refuse "].iter().any(|word| l.starts_with(word))
            };
            let line = text.lines().find(word).unwrap_or_default().trim().to_owned();
            if line.is_empty() && text.contains("mkdir ") {
                // Whether something is under way: here nothing outlives its link.
                let stdout = b"over\n".to_vec();
                return Ok(Ran { status: Some(0), stdout, ..Ran::default() });
            }
            let (word, name) = line.split_once(' ').unwrap();
            let key = (self.1.clone(), name.to_owned());
            let mut set = self.0.set.lock().unwrap();
            let idle = self.0.idle.lock().unwrap().contains(&line);
            let mut said = String::new();
            match word {
                "get" => said = u32::from(set.contains_key(&key)).to_string(),
                "say" => said = name.to_owned(),
                "fail" => {
                    let stderr = name.as_bytes().to_vec();
                    return Ok(Ran { status: Some(1), stderr, ..Ran::default() });
                }
                "refuse" => {
                    let stdout = name.as_bytes().to_vec();
                    return Ok(Ran { status: Some(1), stdout, ..Ran::default() });
                }
                _ => {
                    if self.0.read_only.load(Ordering::SeqCst) {
                        self.0.unarmed.lock().unwrap().push(line.clone());
                    }
                    if self.0.ends_arming.lock().unwrap().as_ref() == Some(&line) {
                        self.0.read_only.store(true, Ordering::SeqCst);
                    }
                    self.0.done.lock().unwrap().push(format!("{} {line}", self.1));
                }
            }
            if word == "set" && !idle {
                *set.entry(key.clone()).or_default() += 1;
            }
            if word == "unset" && !idle {
                set.remove(&key);
            }
            let mut cut = self.0.cut.lock().unwrap();
            if let Some(at) = cut.iter().position(|c| *c == line) {
                cut.remove(at);
                let hop = jumpdeck_fleet::hop::Hop::Host(HostName::new(&self.1).unwrap());
                return Err(TransportError::new(&hop, ErrorKind::Dropped, "the link is cut"));
            }
            out(said.as_bytes());
            Ok(Ran { status: Some(0), stdout: said.into_bytes(), ..Ran::default() })
        })
    }

    fn start<'a>(&'a self, _command: &'a str) -> BoxFuture<'a, Result<Box<dyn Held>, TransportError>> {
        Box::pin(async { panic!("nothing is held here") })
    }
}

/// A journal in memory that dies at an entry: before it is written, or right after.
#[derive(Clone, Default)]
pub(super) struct Paper {
    pub(super) entries: Arc<Mutex<Vec<Entry>>>,
    pub(super) dies_at: Option<(usize, bool)>,
}

impl Record for Paper {
    fn append(&mut self, event: &Event) -> Result<Entry, String> {
        let mut entries = self.entries.lock().unwrap();
        let seq = entries.len() + 1;
        let entry = Entry {
            seq: seq as u64,
            at: Timestamp::UNIX_EPOCH,
            prev: String::new(),
            event: event.clone(),
            seal: Default::default(),
            hash: String::new(),
            line: String::new(),
        };
        match self.dies_at {
            Some((at, false)) if at == seq => return Err("killed before".to_owned()),
            Some((at, true)) if at == seq => {
                entries.push(entry);
                return Err("killed after".to_owned());
            }
            _ => entries.push(entry.clone()),
        }
        Ok(entry)
    }
}

/// The beginning of a runbook.
pub(super) const HEAD: &str = r#"
name = "book"
title = "A book"
summary = "For tests."
danger = "changes"

[[target]]
name = "apps"
role = "app"

[[target]]
name = "one"
host = "app1"
"#;

const STEPS: &str = r#"
[[step]]
id = "look"
kind = "check"
title = "Look"
on = "apps"
run = "get nothing"
expect = [{ is = "0" }]

[[step]]
id = "first"
kind = "run"
title = "First"
on = "one"
run = "set first"
effect = "mutate"
read_back = [{ says = "it is set", run = "get first", expect = [{ is = "1" }] }]
undo = { run = "unset first", read_back = [{ says = "it is gone", run = "get first", expect = [{ is = "0" }] }] }

[[step]]
id = "each"
kind = "for_each"
title = "Each"
over = "apps"
item = "app"
batch = 1
max_failures = 0

  [[step.step]]
  id = "second"
  kind = "run"
  title = "Second on {app}"
  on = "app"
  run = "set second"
  effect = "mutate"
  read_back = [{ says = "it is set", run = "get second", expect = [{ is = "1" }] }]
  undo = { run = "unset second", read_back = [{ says = "it is gone", run = "get second", expect = [{ is = "0" }] }] }

[[step]]
id = "last"
kind = "run"
title = "Last"
on = "one"
run = "set last"
effect = "destructive"
point_of_no_return = true
read_back = [{ says = "it is set", run = "get last", expect = [{ is = "1" }] }]
"#;

/// Looks, changes one host, then both one after the other, and makes a change for good.
pub(super) fn whole_book() -> String {
    book(STEPS)
}

/// A runbook of these steps.
pub(super) fn book(steps: &str) -> String {
    format!("{HEAD}{steps}")
}

/// A step that fails.
pub(super) const FAILS: &str = r#"
[[step]]
id = "fails"
kind = "check"
title = "Fails"
on = "one"
run = "get nothing"
expect = [{ is = "1" }]
"#;

/// A step that sets its id on app1; its undo unsets it.
pub(super) fn sets(id: &str) -> String {
    let undo = format!(
        "{{ run = \"unset {id}\", read_back = [{{ says = \"it is gone\", run = \"get {id}\", expect = [{{ is = \"0\" }}] }}] }}"
    );
    sets_for_good(id).replace("{ not_needed = \"a test\" }", &undo)
}

/// A step that sets its id on app1, and is not undone.
pub(super) fn sets_for_good(id: &str) -> String {
    let title = id[..1].to_uppercase() + &id[1..];
    format!(
        "\n[[step]]\nid = \"{id}\"\nkind = \"run\"\ntitle = \"{title}\"\non = \"one\"\nrun = \"set {id}\"\neffect = \"mutate\"\n\
         read_back = [{{ says = \"it is set\", run = \"get {id}\", expect = [{{ is = \"1\" }}] }}]\n\
         undo = {{ not_needed = \"a test\" }}\n"
    )
}

pub(super) fn environment() -> Arc<Environment> {
    let access = Arc::new(Access {
        user: "root".to_owned(),
        keys: Vec::new(),
        agent: None,
        password: false,
        known_hosts: KnownHosts::own(Vec::new()),
    });
    let env = EnvName::new("test").unwrap();
    let host = |name: &str| {
        Arc::new(Host {
            id: HostId { env: env.clone(), host: HostName::new(name).unwrap() },
            peers: [].into(),
            database_files: [].into(),
            address: format!("10.0.0.{}", name.len()),
            port: 22,
            access: access.clone(),
            roles: vec![RoleName::new("app").unwrap()],
            roles_declared: true,
            hostname: None,
            sudo: false,
            services: Vec::new(),
            backups: Vec::new(),
            checks: Vec::new(),
            unwatched: Vec::new(),
            logs: Vec::new(),
        })
    };
    Arc::new(Environment {
        outside: Default::default(),
        name: env.clone(),
        level: "test".to_owned(),
        guard: Guard::Confirm,
        signatures: Default::default(),
        journals: None,
        lease: Default::default(),
        management: Default::default(),
        contacts: Default::default(),
        domain: None,
        second_jump: None,
        jump: Jump::Local { name: HostName::new("jump").unwrap() },
        transport: Transport::Ssh,
        thresholds: Thresholds::default(),
        requirements: Vec::new(),
        cadence: Cadence::default(),
        hosts: vec![host("app1"), host("app2")],
    })
}

pub(super) fn machine() -> Machine {
    machine_of(&whole_book(), false)
}

pub(super) fn machine_of(book: &str, dry_run: bool) -> Machine {
    let runbook = Runbook::read("book.toml", book, &|_| None)
        .unwrap_or_else(|errors| panic!("{}", errors.iter().map(|e| e.render(false)).collect::<String>()));
    let host = |name: &str| FrozenHost {
        name: name.to_owned(),
        address: "10.0.0.1".to_owned(),
        roles: vec!["app".to_owned()],
        port: 22,
        database_files: String::new(),
        machine_id: None,
    };
    let frozen = Frozen {
        runbook: "book".to_owned(),
        sources: runbook.sources.clone(),
        hash: runbook.hash.clone(),
        environment: "test".to_owned(),
        level: "test".to_owned(),
        domain: String::new(),
        jump: "jump".to_owned(),
        managed_by: Default::default(),
        inputs: BTreeMap::new(),
        targets: [
            ("apps", vec![host("app1"), host("app2")]),
            ("one", vec![host("app1")]),
            ("two", vec![host("app2")]),
        ]
        .map(|(k, v)| (k.to_owned(), v))
        .into(),
    };
    let plan = Plan::new(Arc::new(runbook), frozen, BTreeMap::new()).unwrap();
    Machine::new(Arc::new(plan), &RunId::new("run").unwrap(), "me@here", "because", "20261121", dry_run)
}

pub(super) fn needs(world: &Arc<World>, paper: &Paper) -> Needs {
    Needs {
        env: environment(),
        simulated: true,
        reach: Arc::new(Hosts(world.clone(), HostName::new("jump").unwrap())),
        inventory: None,
        record: Recorder::new(paper.clone()),
        lease: None,
        who: "me@here".to_owned(),
        clock: Arc::new(|| Moment(0)),
        armed: {
            let world = world.clone();
            Arc::new(move || !world.read_only.load(Ordering::SeqCst))
        },
        redactor: Redactor::new(),
        signing: crate::runbook::evidence::Signing::none("a test"),
        entries: Vec::new(),
        follow: None,
    }
}

/// Answers every prompt until the run stands.
pub(super) async fn drive(
    mut handle: RunHandle,
    mut answer: impl FnMut(&Prompt) -> Reply,
) -> (RunState, Vec<String>) {
    let mut asked = Vec::new();
    let mut last = 0;
    loop {
        let view = handle.view.borrow_and_update().clone();
        if !matches!(view.state, RunState::Running | RunState::Waiting | RunState::RollingBack) {
            return (view.state.clone(), asked);
        }
        if let Some(prompt) = view.prompt.as_ref().filter(|p| p.number != last) {
            last = prompt.number;
            asked.push(prompt.title.to_string());
            let command = RunCommand::Answer { prompt: prompt.number, reply: answer(prompt) };
            handle.commands.send(command).await.unwrap();
        }
        let changed = tokio::time::timeout(Duration::from_secs(20), handle.view.changed()).await;
        changed.expect("the run hangs").unwrap();
    }
}

pub(super) fn yes(prompt: &Prompt) -> Reply {
    match &prompt.kind {
        PromptKind::Challenge(value) => Reply::Text(value.to_string().into()),
        PromptKind::Choose(choices) => Reply::Chosen(choices[0].key, Some("because".to_owned())),
        _ => Reply::Yes,
    }
}

/// What another process makes of a run's entries before it goes on.
pub(super) fn resumed(mut machine: Machine, paper: &mut Paper) -> Machine {
    let event = Event::Resumed { who: "me@here".to_owned(), taken_over: false, accounts: Default::default() };
    paper.append(&event).unwrap();
    paper.entries.lock().unwrap().iter().for_each(|entry| machine.apply(&entry.event).unwrap());
    machine
}

/// The first entry of a machine's run.
pub(super) fn started(machine: &Machine) -> Event {
    Event::Started {
        schema: crate::runbook::event::SCHEMA,
        run: machine.run.clone(),
        who: machine.who.clone(),
        why: machine.reason.clone(),
        dry_run: machine.dry_run,
        simulated: false,
        plan: Box::new(machine.plan().frozen.clone()),
        accounts: Default::default(),
    }
}

/// Lets a run go whose first entry is known to those who watch. One that goes on without its entries cannot be watched.
pub(super) fn begin(machine: Machine, mut needs: Needs) -> RunHandle {
    let whole = is_fresh(&machine) || !needs.entries.is_empty();
    if needs.entries.is_empty() {
        needs.entries.push(Paper::default().append(&started(&machine)).unwrap());
    }
    needs.follow = whole.then(|| watcher(needs.entries.clone(), needs.redactor.clone()));
    launch_unseen(machine, needs)
}

/// The same of a run that may go on without them.
pub(super) fn launch(machine: Machine, needs: Needs) -> RunHandle {
    if is_fresh(&machine) { begin(machine, needs) } else { launch_unseen(machine, needs) }
}

fn is_fresh(machine: &Machine) -> bool {
    machine.steps().all(|at| at.record().status == crate::runbook::machine::StepStatus::Waiting)
}

/// Sees at every entry that whoever watches has the same before the eyes as the one who runs it; whose screen hides what
/// is known to be secret, words of the runbook and of earlier entries, too.
fn watcher(mut entries: Vec<Entry>, redactor: Redactor) -> Follow {
    let now = || (Moment(0), Timestamp::now());
    let first = entries.remove(0);
    let watch = Watch::begin(first, now()).and_then(|mut watch| {
        entries.into_iter().try_for_each(|entry| watch.take(entry, now()))?;
        Ok(watch)
    });
    let watch = Mutex::new(watch.ok());
    Arc::new(move |entry, written| {
        let mut watch = watch.lock().unwrap();
        // Of a run whose entries do not fit its plan nobody sees anything.
        let seen = watch.as_mut().and_then(|watch| {
            watch.take(entry.clone(), now()).ok()?;
            Some(watch.look(now(), None))
        });
        match seen {
            Some(mut seen) => {
                redacted::hide(&mut seen, &redactor);
                redacted::hide_past(&mut seen.past, &redactor);
                let differences = same_run::differences(&seen, written);
                assert!(differences.is_empty(), "after {:?}:\n{}", entry.event, differences.join("\n"));
            }
            None => *watch = None,
        }
    })
}
