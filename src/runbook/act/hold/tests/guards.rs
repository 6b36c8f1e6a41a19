//! A guard: what becomes of it, however it is left.

use super::*;
use crate::runbook::act::guard;

/// A guard that writes what it did to a file.
fn guard_script(file: &std::path::Path) -> String {
    format!(
        "echo preparing\necho ready\nwhile read -r line; do if [ \"$line\" = 'stand down' ]; then echo down >{0}; exit 0; fi; done\n\
         echo acted >{0}",
        file.display()
    )
}

fn here(home: &std::path::Path) -> (Site, HostName, Arc<Mutex<Option<u32>>>) {
    site_at(home)
}

async fn said(file: &std::path::Path) -> String {
    let waited = timeout(MINUTE, async {
        loop {
            match tokio::fs::read_to_string(file).await {
                Ok(text) if text.ends_with('\n') => return text.trim().to_owned(),
                Ok(_) | Err(_) => tokio::task::yield_now().await,
            }
        }
    });
    waited.await.unwrap()
}

#[tokio::test]
async fn a_guard_that_is_let_go_stands_down_and_one_that_is_dropped_acts() {
    for stands_down in [true, false] {
        let dir = tempfile::tempdir().unwrap();
        let (site, host, _) = here(dir.path());
        let file = dir.path().join("said");
        let guard = guard::start(&site, &host, &guard_script(&file), false, MINUTE).await;
        let guard = guard.unwrap_or_else(|e| panic!("{}", e.words()));
        assert_eq!(guard.lost(), None);
        match stands_down {
            true => guard.let_go(),
            false => drop(guard),
        }
        assert_eq!(said(&file).await, if stands_down { "down" } else { "acted" });
    }
}

#[tokio::test]
async fn a_guard_that_is_not_ready_is_none() {
    let dir = tempfile::tempdir().unwrap();
    let (site, host, _) = here(dir.path());
    for (script, wanted) in [
        ("echo no such server >&2; exit 3", "no such server"),
        ("echo ready or not", "ended before it was ready"),
        ("sleep 60", "not ready in time"),
        ("yes", "printed too much"),
    ] {
        let started = guard::start(&site, &host, script, false, Duration::from_secs(2)).await;
        let Err(Trouble::Failed(why)) = started else { panic!("{script}: it keeps guard") };
        assert!(why.contains(wanted), "{script}: {why}");
    }
}

#[tokio::test]
async fn a_guard_that_ends_or_says_something_is_lost() {
    let dir = tempfile::tempdir().unwrap();
    let (site, host, client) = here(dir.path());
    let told = dir.path().join("go");
    let says = format!(
        "echo ready; while [ ! -e {} ]; do :; done; echo its session has ended; read -r x",
        told.display()
    );
    for kills in [false, true] {
        let guard = guard::start(&site, &host, &says, false, MINUTE).await;
        let guard = guard.unwrap_or_else(|e| panic!("{}", e.words()));
        match kills {
            true => {
                let process = client.lock().unwrap().unwrap();
                let pid = rustix::process::Pid::from_raw(i32::try_from(process).unwrap()).unwrap();
                rustix::process::kill_process(pid, rustix::process::Signal::KILL).unwrap();
            }
            false => std::fs::write(&told, "").unwrap(),
        }
        let why = timeout(MINUTE, async {
            loop {
                match guard.lost() {
                    Some(why) => return why,
                    None => tokio::task::yield_now().await,
                }
            }
        });
        let why = why.await.unwrap();
        assert!(why.contains("the guard is lost"), "{why}");
        assert_eq!(why.contains("its session has ended"), !kills, "{why}");
        let _ = std::fs::remove_file(&told);
    }
}
