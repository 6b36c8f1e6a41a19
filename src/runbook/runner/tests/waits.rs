//! Waits in sessions that end: no other answer can come, so the wait ends too. And guards: whoever is asked, watches or reads
//! the report of a run that stands with writes refused is told what a guard will do, and until when.

use std::time::Instant;

use super::*;
use jumpdeck_fleet::hop::Hop;

/// Hosts whose sessions answer as a client does. One of them ends, with what it says then.
#[derive(Clone)]
struct Sessions {
    world: Arc<World>,
    /// The host whose session ends, and when.
    ends: (&'static str, Ends),
    /// What was asked in sessions, without what opens and keeps them.
    asked: Arc<Mutex<Vec<String>>>,
    spent: Arc<AtomicBool>,
    /// The hosts whose sessions the run has closed.
    closed: Arc<Mutex<Vec<String>>>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Ends {
    /// With the first `SELECT level` that it is sent.
    Asked,
    /// While nothing is asked of it, after the first `SELECT level` that anybody was sent.
    Idle,
    Never,
}

const GONE: &str = "ERROR 2013 (HY000) at line 4: Lost connection to server during query\n";

impl Sessions {
    fn new(host: &'static str, ends: Ends) -> Self {
        Self {
            world: Arc::default(),
            ends: (host, ends),
            asked: Arc::default(),
            spent: Arc::default(),
            closed: Arc::default(),
        }
    }

    fn levels(&self) -> usize {
        self.asked.lock().unwrap().iter().filter(|text| text.contains("SELECT level")).count()
    }
}

impl HostSessions for Sessions {
    fn host<'a>(&'a self, host: &'a HostName) -> BoxFuture<'a, Result<Arc<dyn Session>, TransportError>> {
        Box::pin(async move {
            let hosts = Hosts(self.world.clone(), HostName::new("jump").unwrap());
            let inner = hosts.host(host).await?;
            Ok(Arc::new(On { inner, host: host.to_string(), fleet: self.clone() }) as Arc<dyn Session>)
        })
    }

    fn jump(&self) -> &HostName {
        static JUMP: std::sync::LazyLock<HostName> =
            std::sync::LazyLock::new(|| HostName::new("jump").unwrap());
        &JUMP
    }
}

struct On {
    inner: Arc<dyn Session>,
    host: String,
    fleet: Sessions,
}

impl Session for On {
    fn exec<'a>(
        &'a self,
        command: &'a str,
        stdin: &'a [u8],
        limits: Limits,
        out: &'a mut (dyn FnMut(&[u8]) + Send),
    ) -> BoxFuture<'a, Result<Ran, TransportError>> {
        if !command.contains("mariadb") {
            return self.inner.exec(command, stdin, limits, out);
        }
        let text = String::from_utf8_lossy(stdin).into_owned();
        let asks = text.contains("SELECT level");
        if asks {
            self.fleet.asked.lock().unwrap().push(text);
        }
        let (status, stdout, stderr) = match asks {
            // The server is not there.
            true => (1, Vec::new(), b"ERROR 2002 (HY000): Can't connect to local server\n".to_vec()),
            false => (0, b"jumpdeck\nas\\tbatch\nwhose\n0\n".to_vec(), Vec::new()),
        };
        Box::pin(async move { Ok(Ran { status: Some(status), stdout, stderr, ..Ran::default() }) })
    }

    fn start<'a>(&'a self, command: &'a str) -> BoxFuture<'a, Result<Box<dyn Held>, TransportError>> {
        if !command.contains("mariadb") {
            let guard = GuardThere { fleet: self.fleet.clone(), says: None };
            return Box::pin(async { Ok(Box::new(guard) as Box<dyn Held>) });
        }
        let ends = if self.fleet.ends.0 == self.host { self.fleet.ends.1 } else { Ends::Never };
        let host = self.host.clone();
        let client = Client { host, fleet: self.fleet.clone(), ends, said: Vec::new(), gone: false };
        Box::pin(async move { Ok(Box::new(client) as Box<dyn Held>) })
    }
}

struct Client {
    host: String,
    fleet: Sessions,
    ends: Ends,
    said: Vec<u8>,
    gone: bool,
}

impl Drop for Client {
    fn drop(&mut self) {
        self.fleet.closed.lock().unwrap().push(self.host.clone());
    }
}

impl Held for Client {
    fn write<'a>(&'a mut self, bytes: &'a [u8]) -> BoxFuture<'a, Result<(), TransportError>> {
        let text = String::from_utf8_lossy(bytes).into_owned();
        let end = text.rsplit(" AS ").next().unwrap().trim_end_matches(";\n").to_owned();
        let begins = if text.contains("sql_mode") { "jumpdeck\nas\\tbatch\n" } else { "" };
        let level = text.contains("SELECT level");
        let value = if level { "0" } else { "1" };
        self.said.extend(format!("{begins}v\n{value}\n{end}\n{end}\n").bytes());
        if level {
            self.fleet.asked.lock().unwrap().push(text);
            let now = self.ends == Ends::Asked;
            self.gone = now && !self.fleet.spent.swap(true, Ordering::SeqCst);
        }
        Box::pin(async { Ok(()) })
    }

    fn read(&mut self) -> BoxFuture<'_, Result<Vec<u8>, TransportError>> {
        Box::pin(async move {
            let dropped = || Err(TransportError::new(&Hop::Here, ErrorKind::Dropped, "the client has ended"));
            if self.gone {
                return dropped();
            }
            if !self.said.is_empty() {
                return Ok(std::mem::take(&mut self.said));
            }
            while self.ends != Ends::Idle
                || self.fleet.levels() == 0
                || self.fleet.spent.swap(true, Ordering::SeqCst)
            {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
            dropped()
        })
    }

    fn ended(&mut self) -> BoxFuture<'_, Result<Ran, TransportError>> {
        Box::pin(async { Ok(Ran { status: Some(1), stderr: GONE.as_bytes().to_vec(), ..Ran::default() }) })
    }
}

/// A guard that is ready, and ends when it is told to stand down. That of a host `guard` is lost once the wait has begun.
struct GuardThere {
    fleet: Sessions,
    says: Option<&'static str>,
}

impl Held for GuardThere {
    fn write<'a>(&'a mut self, bytes: &'a [u8]) -> BoxFuture<'a, Result<(), TransportError>> {
        match bytes {
            b"here\n" => {}
            b"stand down\n" => self.says = Some(""),
            _ => self.says = Some("ready\n"),
        }
        Box::pin(async { Ok(()) })
    }

    fn read(&mut self) -> BoxFuture<'_, Result<Vec<u8>, TransportError>> {
        Box::pin(async move {
            let dropped = || Err(TransportError::new(&Hop::Here, ErrorKind::Dropped, "the link is cut"));
            match self.says.take() {
                Some("") => return dropped(),
                Some(said) => return Ok(said.as_bytes().to_vec()),
                None => {}
            }
            while self.fleet.ends.0 != "guard" || self.fleet.levels() == 0 {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
            dropped()
        })
    }

    fn ended(&mut self) -> BoxFuture<'_, Result<Ran, TransportError>> {
        Box::pin(async { Ok(Ran { status: Some(0), ..Ran::default() }) })
    }
}

/// Two sessions, and a wait on app2 of up to a minute.
fn book_of(wait: &str, in_window: bool) -> String {
    let hold = |id: &str, on: &str| {
        format!(
            "\n[[step]]\nid = \"{id}\"\nkind = \"hold\"\ntitle = \"Lock {id}\"\non = \"{on}\"\nsql = \"SELECT GET_LOCK('x', 0) AS v\"\n\
             heartbeat = \"SELECT 1 AS v\"\n"
        )
    };
    let window = "\n[[step]]\nid = \"switch\"\nkind = \"window\"\ntitle = \"Writes move\"\nlimit = \"60s\"\n";
    let freeze = r#"
  [[step.step]]
  id = "freeze"
  kind = "run"
  title = "Freeze"
  on = "one"
  run = "set frozen"
  effect = "mutate"
  writes = "stop"
  read_back = [{ says = "it is frozen", run = "get frozen", expect = [{ is = "1" }] }]
  undo = { run = "unset frozen", read_back = [{ says = "it takes writes", run = "get frozen", expect = [{ is = "0" }] }] }
"#;
    let (around, step) = match in_window {
        true => (format!("{window}{freeze}"), "[[step.step]]"),
        false => (String::new(), "[[step]]"),
    };
    let covered = if in_window { ", \"freeze\"" } else { "" };
    book(&format!(
        "\n[[target]]\nname = \"two\"\nhost = \"app2\"\n\n[[step]]\nid = \"go\"\nkind = \"confirm\"\ntitle = \"Go\"\n\
         covers = [\"lock-old\", \"lock-new\"{covered}]\n{}{}{around}\n{step}\nid = \"level\"\ntitle = \"It is level\"\non = \"two\"\n\
         sql = \"SELECT level AS v\"\nexpect = [{{ is = \"1\" }}]\n{wait}\n",
        hold("lock-old", "one"),
        hold("lock-new", "two"),
    ))
}

const WAIT: &str = "kind = \"wait_until\"\ntimeout = \"60s\"\nin = \"lock-new\"\nevery = \"100ms\"";

/// Runs it; stops at the decision. What was said there, and how long all of it took.
async fn run(book: &str, sessions: &Sessions) -> (String, Duration) {
    let (paper, mut said) = (Paper::default(), String::new());
    let needs = Needs { reach: Arc::new(sessions.clone()), ..needs(&sessions.world, &paper) };
    let began = Instant::now();
    let (state, _) = drive(begin(machine_of(book, false), needs), |prompt| match &prompt.kind {
        PromptKind::Choose(_) => {
            said.extend(prompt.text.iter().map(|line| format!("{line}\n")));
            Reply::Chosen('s', Some("because".to_owned()))
        }
        _ => yes(prompt),
    })
    .await;
    assert!(matches!(state, RunState::Stopped(_)), "{state:?} {said}");
    (said, began.elapsed())
}

/// What a minute's wait must not take, on the slowest machine.
const AT_ONCE: Duration = Duration::from_secs(15);

#[tokio::test]
async fn a_wait_in_a_window_ends_with_the_session_it_asks_in_and_writes_resume() {
    for ends in [Ends::Asked, Ends::Idle] {
        let sessions = Sessions::new("app2", ends);
        let (said, took) = run(&book_of(WAIT, true), &sessions).await;
        assert!(took < AT_ONCE, "{took:?} {said}");
        assert_eq!(*sessions.world.done.lock().unwrap(), ["app1 set frozen", "app1 unset frozen"]);
        assert!(said.contains("ended"), "{said}");
        if ends == Ends::Asked {
            assert_eq!(sessions.levels(), 1);
            assert!(said.contains("ERROR 2013"), "{said}");
        }
    }
}

/// The wait asks the other server, which answers all the time.
#[tokio::test]
async fn a_wait_in_a_window_ends_with_any_session_that_the_run_holds() {
    let sessions = Sessions::new("app1", Ends::Idle);
    let (said, took) = run(&book_of(WAIT, true), &sessions).await;
    assert!(took < AT_ONCE, "{took:?} {said}");
    assert_eq!(*sessions.world.done.lock().unwrap(), ["app1 set frozen", "app1 unset frozen"]);
    assert!(said.contains("app1: the session has ended"), "{said}");
}

/// It has no session, and a client of its own finds no server.
#[tokio::test]
async fn a_wait_in_a_window_ends_when_the_server_cannot_be_asked() {
    let sessions = Sessions::new("app2", Ends::Never);
    let wait = WAIT.replace("in = \"lock-new\"\n", "");
    let (said, took) = run(&book_of(&wait, true), &sessions).await;
    assert!(took < AT_ONCE, "{took:?} {said}");
    assert_eq!(sessions.levels(), 1);
    assert!(said.contains("ERROR 2002"), "{said}");
    assert_eq!(*sessions.world.done.lock().unwrap(), ["app1 set frozen", "app1 unset frozen"]);
}

#[tokio::test]
async fn a_wait_outside_of_a_window_ends_with_its_session_and_a_person_decides() {
    let sessions = Sessions::new("app2", Ends::Asked);
    let (said, took) = run(&book_of(WAIT, false), &sessions).await;
    assert!(took < AT_ONCE, "{took:?} {said}");
    assert_eq!(sessions.levels(), 1);
    assert!(said.contains("ERROR 2013"), "{said}");
}

#[tokio::test]
async fn a_check_is_not_tried_again_in_a_session_that_has_ended() {
    let sessions = Sessions::new("app2", Ends::Asked);
    let check = "kind = \"check\"\nretries = 20\nin = \"lock-new\"";
    let needs = Needs { reach: Arc::new(sessions.clone()), ..needs(&sessions.world, &Paper::default()) };
    let handle = begin(machine_of(&book_of(check, false), false), needs);
    let view = handle.view.clone();
    let (state, _) = drive(handle, |prompt| match &prompt.kind {
        PromptKind::Choose(_) => Reply::Chosen('s', Some("because".to_owned())),
        _ => yes(prompt),
    })
    .await;
    assert!(matches!(state, RunState::Stopped(_)), "{state:?}");
    let shown = format!("{:?}", view.borrow());
    assert!(shown.contains("ERROR 2013") && !shown.contains("trying again"), "{shown}");
}

/// A guard on app1 that stands down before the promotion, a freeze there, and a check that fails.
fn guarded_book(until: &str) -> String {
    let guard = format!(
        "\n[[step]]\nid = \"guard\"\nkind = \"guard\"\ntitle = \"Make app1 writable again if this run is cut off\"\non = \"one\"\n\
         run = \"echo ready\"\nuntil = \"{until}\"\n"
    );
    let freeze = sets("freeze") + "writes = \"stop\"\n";
    let promote = sets_for_good("promote")
        .replace("undo = { not_needed = \"a test\" }", "point_of_no_return = true\nwrites = \"resume\"");
    book(&[guard, freeze, sets("between"), FAILS.to_owned(), promote].concat())
}

/// Runs it to the question after the check that fails, and stops there: what is asked, what was on screen then, and the entries.
async fn stands_at_the_check(until: &str) -> (String, Arc<jumpdeck_fleet::run::RunView>, Paper) {
    let (sessions, paper) = (Sessions::new("none", Ends::Never), Paper::default());
    let needs = Needs { reach: Arc::new(sessions.clone()), ..needs(&sessions.world, &paper) };
    let machine = machine_of(&guarded_book(until), false);
    paper.clone().append(&started(&machine)).unwrap();
    let handle = begin(machine, needs);
    let (mut views, mut said, mut then) = (handle.view.clone(), String::new(), None);
    drive(handle, |prompt| match &prompt.kind {
        PromptKind::Choose(_) => {
            said.extend(prompt.text.iter().map(|line| format!("{line}\n")));
            then = Some(views.borrow_and_update().clone());
            Reply::Chosen('s', None)
        }
        _ => yes(prompt),
    })
    .await;
    (said, then.expect("it never failed"), paper)
}

const FROZEN: &str = "Writes are refused on app1 since";
const GUARD: &str = "; guard on app1 until step promote: Make app1 writable again if this run is cut off";

#[tokio::test]
async fn a_question_tells_what_a_guard_will_do_and_until_when() {
    let (said, view, _) = stands_at_the_check("promote").await;
    let line = said.lines().find(|line| line.contains(FROZEN)).expect(&said);
    assert!(line.ends_with(GUARD) && !line.contains("unknown"), "{line}");
    // And so does the screen.
    let line = view.in_effect.iter().map(|one| one.line()).find(|line| line.contains(FROZEN)).unwrap();
    assert!(line.ends_with(GUARD), "{line}");
}

#[tokio::test]
async fn whoever_watches_and_the_report_tell_what_a_guard_will_do() {
    let (_, _, paper) = stands_at_the_check("promote").await;
    let entries = paper.entries.lock().unwrap().clone();
    let stopped = entries.iter().position(|e| matches!(e.event, Event::Stopped { .. })).unwrap();
    let now = (Moment(5), Timestamp::UNIX_EPOCH);
    let watched = crate::runbook::watched::view(&entries[..stopped], now).unwrap();
    let line = watched.in_effect.iter().map(|one| one.line()).find(|line| line.contains(FROZEN)).unwrap();
    assert!(line.ends_with(GUARD) && !line.contains("unknown"), "{line}");
    // When the run has stopped the guard acts: whether writes are refused is not known before somebody looks.
    let report = crate::runbook::report::RunReport::of(&entries).unwrap();
    let told = report.to_markdown(&jiff::tz::TimeZone::UTC);
    let line = told.lines().find(|line| line.contains(FROZEN)).expect(&told);
    assert!(line.contains(GUARD) && line.contains("unknown"), "{line}");
    assert_eq!(report.in_effect.last().unwrap().guards.len(), 1);
}

/// It stood down before the step that failed: nothing will undo the freeze.
#[tokio::test]
async fn a_guard_that_stood_down_is_not_told_of() {
    let (said, ..) = stands_at_the_check("between").await;
    assert!(said.contains(FROZEN) && !said.contains("guard"), "{said}");
}

#[tokio::test]
async fn a_dry_run_says_that_it_starts_no_guard() {
    let sessions = Sessions::new("none", Ends::Never);
    let needs = Needs { reach: Arc::new(sessions.clone()), ..needs(&sessions.world, &Paper::default()) };
    let handle = begin(machine_of(&guarded_book("promote"), true), needs);
    let view = handle.view.clone();
    drive(handle, yes).await;
    assert!(format!("{:?}", view.borrow()).contains("does not start the guard"));
}

/// `runbook show` says when a guard acts, and until when.
#[test]
fn a_runbook_that_is_shown_tells_when_its_guard_acts() {
    let machine = machine_of(&guarded_book("promote"), false);
    let guard = machine.steps().find(|at| at.step().word() == "guard").unwrap();
    assert_eq!(
        guard.step().kind.lines()[0],
        "acts if the console is lost during the run; ends before step promote"
    );
}

/// The run waits in a window with a guard and two sessions. The freeze cannot be undone from here before the run has let go of both,
/// as when the host is out of reach and the guard there needs their locks; then it is undone.
async fn lets_go(ends: (&'static str, Ends), wait: &str) {
    let sessions = Sessions::new(ends.0, ends.1);
    sessions.world.idle.lock().unwrap().push("unset frozen".to_owned());
    let (closed, world) = (sessions.closed.clone(), sessions.world.clone());
    let guard = tokio::spawn(async move {
        let both = |all: &[String]| ["app1", "app2"].iter().all(|host| all.iter().any(|one| one == host));
        while !both(&closed.lock().unwrap()) {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        // The guard makes the old server writable.
        world.idle.lock().unwrap().clear();
        world.set.lock().unwrap().remove(&("app1".to_owned(), "frozen".to_owned()));
    });
    let guarded = "\n[[step]]\nid = \"guard\"\nkind = \"guard\"\ntitle = \"Guard\"\non = \"one\"\nrun = \"echo ready\"\n";
    let book = book_of(wait, true)
        .replace("\n[[step]]\nid = \"switch\"", &format!("{guarded}\n[[step]]\nid = \"switch\""))
        .replace("covers = [", "covers = [\"guard\", ");
    let (said, took) = run(&book, &sessions).await;
    guard.await.unwrap();
    assert!(took < AT_ONCE, "{took:?} {said}");
    assert!(said.contains("proved: app1: it takes writes: 0"), "{said}");
    assert!(!sessions.world.set.lock().unwrap().contains_key(&("app1".to_owned(), "frozen".to_owned())));
}

#[tokio::test]
async fn sessions_are_closed_for_a_guard_that_the_run_lost_in_a_window() {
    lets_go(("guard", Ends::Idle), WAIT).await;
}

/// Nobody knows that the guard is out of reach: the first undo that does not hold tells it.
#[tokio::test]
async fn sessions_are_closed_for_the_guard_when_a_freeze_is_not_undone_at_the_first_try() {
    lets_go(("app2", Ends::Asked), WAIT).await;
}
