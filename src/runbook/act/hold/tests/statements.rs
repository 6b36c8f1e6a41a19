//! Statements in a session that stays.

use super::*;

/// What is asked of both: answers of every kind, and errors.
const ASKED: [&str; 22] = [
    "SELECT 1 AS one",
    "SELECT NULL AS nothing, '' AS empty, 'NULL' AS text",
    "SELECT 1.50 AS d, 1e10 AS f, x'00ff41' AS b, DATE '2026-11-28' AS day, TRUE AS t",
    "SELECT 'a\\tb\\nc\\\\d' AS escaped, '東 ソ表 😀' AS wide",
    "SELECT 1 AS a UNION ALL SELECT 2 UNION ALL SELECT 3",
    "SELECT 1 AS none FROM dual WHERE 1 = 0",
    "SELECT 'jumpdeck', 'as\\tbatch' AS jumpdeck",
    "SELECT 1 AS a; SELECT 2 AS b, 3 AS c;",
    "DO 1",
    "SHOW MASTER STATUS",
    "SHOW ALL SLAVES STATUS",
    "SELECT @@sql_mode AS mode, @@character_set_client AS charset, @@character_set_results AS results",
    "SELECT REPEAT('x', 300000) AS long_one",
    "SET STATEMENT max_statement_time = 5 FOR SELECT 5 AS five",
    "SELECT @@nothing_of_that_name",
    "SELEC 1",
    "SELECT 1 AS a; SELECT * FROM no.such; SELECT 2 AS b",
    "SELECT\n  1,\n  nothing\nFROM dual",
    "SELECT (SELECT 1 UNION SELECT 2)",
    "SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'ERROR 1064 (42000) at line 9: not this one'",
    "SET STATEMENT max_statement_time = 0.2 FOR SELECT SLEEP(20) + (SELECT COUNT(*) FROM information_schema.columns)",
    "SET GLOBAL read_only = IF(IS_USED_LOCK('nobody') = CONNECTION_ID(), 0, @@global.read_only)",
];

#[tokio::test]
async fn a_statement_is_answered_in_a_session_as_by_a_client_started_for_it() {
    let Some(server) = Server::start(&[]) else { return };
    let (site, host) = site(&server, "");
    for asked in ASKED {
        let (_holding, _) = open(&site, &host, "SELECT 1".to_owned()).await.unwrap();
        let in_session = match send(&site, &host, asked, MINUTE).await {
            SessionSent::Answered(said) => Ok(HostAnswer::of_sql(&said)),
            SessionSent::Ended(trouble) => Err(trouble),
            SessionSent::Not(why) => panic!("{asked}: {why}"),
        };
        let by_a_client = client::once(&site, &host, asked, MINUTE).await;
        assert_eq!(in_session, by_a_client, "{asked}");
    }
}

#[tokio::test]
async fn rows_that_look_like_the_end_of_an_answer_do_not_end_a_statement() {
    let Some(server) = Server::start(&["--general-log", "--log-output=TABLE"]) else { return };
    let (site, host) = site(&server, "");
    let (_holding, _) = open(&site, &host, "SELECT 1".to_owned()).await.unwrap();
    // Every end that the session had so far stands in the server's log.
    let ends = "SELECT SUBSTRING_INDEX(argument, ' AS ', -1) AS x FROM mysql.general_log WHERE argument LIKE 'SELECT ''jumpdeck\\_end%' \
        AND argument NOT LIKE '%general_log%'";
    let twice = format!("{ends} UNION ALL {ends}; SELECT SLEEP(0.3) AS later");
    for _ in 0..3 {
        let SessionSent::Answered(said) = send(&site, &host, &twice, MINUTE).await else {
            panic!("it ended")
        };
        assert!(said.matches("jumpdeck_end_").count() >= 4 && said.ends_with("later\n0\n"), "{said}");
    }
}

#[tokio::test]
async fn heartbeats_and_statements_get_their_own_answers() {
    let Some(server) = Server::start(&["--general-log", "--log-output=TABLE"]) else { return };
    let (site, host) = site(&server, "");
    let beat = "SELECT IS_USED_LOCK('x') = CONNECTION_ID()";
    let (holding, answer) =
        open_as(&site, &host, "lock", "SELECT GET_LOCK('x', 0) AS held", beat).await.unwrap();
    assert_eq!(answer.text, "held\n1\n");
    let beats = "SELECT COUNT(*) FROM mysql.general_log WHERE argument = 'SELECT IS_USED_LOCK(''x'') = CONNECTION_ID()'";
    let mut number = 0;
    let until = Instant::now() + MINUTE;
    while is_one(
        &client::once(&site, &host, &format!("{beats} HAVING COUNT(*) < 2"), MINUTE).await.unwrap().text,
    ) || number < 200
    {
        assert!(Instant::now() < until, "no heartbeat came");
        let asked = |n: usize| {
            let site = &site;
            let host = &host;
            async move {
                let text = format!("SELECT {n} AS n");
                let SessionSent::Answered(said) = send(site, host, &text, MINUTE).await else {
                    panic!("{n}: it ended")
                };
                assert_eq!(said, format!("n\n{n}\n"));
            }
        };
        // Several at once, as the checks of a step are.
        tokio::join!(asked(number), asked(number + 1), asked(number + 2), asked(number + 3));
        number += 4;
    }
    assert_eq!(holding.lost(), None);
}

#[tokio::test]
async fn an_error_ends_the_session_and_what_it_held_is_free() {
    let Some(server) = Server::start(&[]) else { return };
    let (site, host) = site(&server, "");
    let (holding, _) = open(&site, &host, "SELECT GET_LOCK('x', 0)".to_owned()).await.unwrap();
    let line = site.sessions.find(&StepId::new("lock").unwrap(), &host).unwrap();
    let SessionSent::Ended(Trouble::Failed(why)) = line.send("SELECT nothing", MINUTE, false).await else {
        panic!("it did not fail")
    };
    assert!(why.starts_with("ERROR 1054 (42S22) at line 1: Unknown column 'nothing'"), "{why}");
    assert!(holding.lost().unwrap().contains("ERROR 1054"), "{:?}", holding.lost());
    let SessionSent::Not(why) = line.send("SET GLOBAL read_only = 1", MINUTE, false).await else {
        panic!("it was sent")
    };
    assert!(why.contains("ERROR 1054"), "{why}");
    assert!(site.sessions.find(&StepId::new("lock").unwrap(), &host).is_none());
    session::end(&site, &host, &mark(), MINUTE).await.unwrap();
    let free =
        client::once(&site, &host, "SELECT IS_FREE_LOCK('x'), @@global.read_only", MINUTE).await.unwrap();
    assert!(free.text.ends_with("\n1\t0\n"), "{}", free.text);
}

fn mark() -> String {
    session::mark(&RunId::new("run").unwrap(), &StepId::new("lock").unwrap())
}

/// What is connected, the one who asks aside.
fn connected(server: &Server) -> String {
    let said = server.plain(
        &["--skip-column-names"],
        "SELECT COUNT(*) FROM information_schema.processlist WHERE USER = 'root' AND ID <> CONNECTION_ID()",
    );
    String::from_utf8_lossy(&said.stdout).trim().to_owned()
}

/// The statement waits for a lock that another session has, as a freeze does that waits for a long transaction.
#[tokio::test]
async fn a_statement_over_its_limit_closes_the_session_and_never_comes_later() {
    let Some(server) = Server::start(&[]) else { return };
    let (site, host) = site(&server, "");
    server.plain(&[], "CREATE DATABASE d; CREATE TABLE d.t (a INT) ENGINE=InnoDB;");
    let (holding, _) = open(&site, &host, "SELECT 1".to_owned()).await.unwrap();
    let (blocker, _) = open_as(&site, &host, "blocker", "LOCK TABLES d.t WRITE", "SELECT 1").await.unwrap();
    let line = site.sessions.find(&StepId::new("lock").unwrap(), &host).unwrap();
    let sent = line.send("INSERT INTO d.t VALUES (1)", Duration::from_secs(1), false).await;
    let SessionSent::Ended(Trouble::Unknown(why)) = sent else { panic!("it is known what came of it") };
    assert!(why.contains("did not finish in time"), "{why}");
    assert!(holding.lost().is_some());
    // It waits on the server still, and is ended there before anybody asks whether it was done.
    session::end(&site, &host, &mark(), MINUTE).await.unwrap();
    assert_eq!(connected(&server), "1", "the session of the blocker");
    drop(blocker);
    let rows = client::once(&site, &host, "SELECT COUNT(*) AS n FROM d.t", MINUTE).await.unwrap();
    assert_eq!(rows.text, "n\n0\n");
}

/// Its client is stopped with a statement in its input, and wakes up when everybody else has gone on.
#[tokio::test]
async fn a_statement_of_a_client_that_was_stopped_never_comes_later() {
    let Some(server) = Server::start(&[]) else { return };
    let (site, host, client) = site_and_client(&server, "");
    let (holding, _) = open(&site, &host, "SELECT 1".to_owned()).await.unwrap();
    let process = client.lock().unwrap().unwrap();
    let pid = rustix::process::Pid::from_raw(i32::try_from(process).unwrap()).unwrap();
    rustix::process::kill_process(pid, rustix::process::Signal::STOP).unwrap();
    let line = site.sessions.find(&StepId::new("lock").unwrap(), &host).unwrap();
    let sent = line.send("SET GLOBAL read_only = 1", Duration::from_secs(1), false).await;
    assert!(matches!(sent, SessionSent::Ended(Trouble::Unknown(_))));
    session::end(&site, &host, &mark(), MINUTE).await.unwrap();
    let _ = rustix::process::kill_process(pid, rustix::process::Signal::CONT);
    drop(holding);
    let until = Instant::now() + MINUTE;
    while connected(&server) != "0" {
        assert!(Instant::now() < until, "the client is still connected");
    }
    let said = client::once(&site, &host, "SELECT @@global.read_only AS r", MINUTE).await.unwrap();
    assert_eq!(said.text, "r\n0\n");
}

#[tokio::test]
async fn a_session_that_was_killed_while_idle_sends_nothing_more() {
    let Some(server) = Server::start(&[]) else { return };
    let (site, host, client) = site_and_client(&server, "");
    let (holding, _) = open(&site, &host, "SELECT 1".to_owned()).await.unwrap();
    let line = site.sessions.find(&StepId::new("lock").unwrap(), &host).unwrap();
    let process = client.lock().unwrap().unwrap();
    let pid = rustix::process::Pid::from_raw(i32::try_from(process).unwrap()).unwrap();
    rustix::process::kill_process(pid, rustix::process::Signal::KILL).unwrap();
    // Known at once, not only with the next heartbeat.
    timeout(BEAT_EVERY, async {
        while holding.lost().is_none() {
            tokio::task::yield_now().await;
        }
    })
    .await
    .unwrap();
    assert!(matches!(line.send("SET GLOBAL read_only = 1", MINUTE, false).await, SessionSent::Not(_)));
}

#[tokio::test]
async fn a_server_that_ends_in_the_middle_leaves_the_outcome_unknown() {
    let Some(server) = Server::start(&[]) else { return };
    for how in ["KILL", "KILL QUERY"] {
        let (site, host) = site(&server, "");
        let (_holding, answer) = open(&site, &host, "SELECT CONNECTION_ID() AS id".to_owned()).await.unwrap();
        let connection = answer.pick(&Pick::Column("id".to_owned())).unwrap();
        let asked = send(
            &site,
            &host,
            "SELECT COUNT(*) AS endless FROM information_schema.columns a, information_schema.columns b, information_schema.columns c",
            MINUTE,
        );
        let killed = async {
            let busy = format!(
                "SELECT COUNT(*) AS n FROM information_schema.processlist WHERE ID = {connection} AND INFO LIKE '%endless%'"
            );
            while !client::once(&site, &host, &busy, MINUTE).await.unwrap().text.ends_with("\n1\n") {}
            client::once(&site, &host, &format!("{how} {connection}"), MINUTE).await.unwrap();
        };
        let (sent, ()) = tokio::join!(asked, killed);
        assert!(matches!(sent, SessionSent::Ended(Trouble::Unknown(_))), "{how}");
    }
}

#[tokio::test]
async fn a_session_that_is_opened_again_ends_the_one_before() {
    let Some(server) = Server::start(&[]) else { return };
    let (site, host) = site(&server, "");
    let lock = "SELECT GET_LOCK('x', 0) AS held";
    let beat = "SELECT IS_USED_LOCK('x') = CONNECTION_ID()";
    // Its process was killed, and its server does not know yet.
    let (before, _) = open_as(&site, &host, "lock", lock, beat).await.unwrap();
    let (again, answer) = open_as(&site, &host, "lock", lock, beat).await.unwrap();
    assert_eq!(answer.text, "held\n1\n");
    timeout(MINUTE, async {
        while before.lost().is_none() {
            tokio::task::yield_now().await;
        }
    })
    .await
    .unwrap();
    assert_eq!(again.lost(), None);
    drop(before);
    // Another step's session, and this one's lock, are left alone.
    let (other, answer) = open_as(&site, &host, "other", lock, "SELECT 1").await.unwrap();
    assert_eq!(answer.text, "held\n0\n");
    assert_eq!((again.lost(), other.lost()), (None, None));
    assert!(matches!(send(&site, &host, "SELECT 1", MINUTE).await, SessionSent::Answered(_)));
}

/// Not a test of anything: the figures of docs/performance.md.
#[tokio::test]
#[ignore = "it measures"]
async fn time_of_a_statement() {
    let Some(server) = Server::start(&[]) else { return };
    let (site, host) = site(&server, "");
    let (_holding, _) = open(&site, &host, "SELECT 1".to_owned()).await.unwrap();
    let (mut by_client, mut in_session) = (Vec::new(), Vec::new());
    for _ in 0..200 {
        let began = std::time::Instant::now();
        client::once(&site, &host, "SELECT @@global.read_only", MINUTE).await.unwrap();
        by_client.push(began.elapsed());
        let began = std::time::Instant::now();
        let sent = send(&site, &host, "SELECT @@global.read_only", MINUTE).await;
        in_session.push(began.elapsed());
        assert!(matches!(sent, SessionSent::Answered(_)));
    }
    for (what, mut all) in [("a client started for it", by_client), ("in a held session", in_session)] {
        all.sort_unstable();
        println!("{what}: median {:?}, worst {:?}", all.get(100).unwrap(), all.last().unwrap());
    }
}
