//! A change whose entry cannot be kept on the jump box is not begun: nobody could take the run over from there.

use super::window::WINDOW;
use super::*;

fn full(at: usize) -> (Arc<World>, Arc<Lent>) {
    let world = Arc::new(World::default());
    let lent = Lent { full_at: at.into(), world: world.clone(), ..Lent::default() };
    (world, Arc::new(lent))
}

/// Runs it; `choice` is taken where something failed. How it ended, what was done, what was asked.
async fn run(book: &str, at: usize, choice: char) -> (RunState, Vec<String>, Vec<String>, Arc<Lent>) {
    let (world, lent) = full(at);
    let paper = Paper::default();
    let handle = begin(machine_of(book, false), Needs { lease: lent.lease(), ..needs(&world, &paper) });
    let (state, asked) = drive(handle, |prompt| match &prompt.kind {
        PromptKind::Choose(_) => Reply::Chosen(choice, None),
        _ => yes(prompt),
    })
    .await;
    let done = world.done.lock().unwrap().clone();
    let told =
        paper.entries.lock().unwrap().iter().any(|entry| format!("{entry:?}").contains("cannot be stored"));
    assert_eq!(told, at > 0 && lent.stores.load(Ordering::SeqCst) >= at, "{at}");
    (state, done, asked, lent)
}

#[tokio::test]
async fn a_change_waits_until_its_entry_is_on_the_jump_box() {
    let book = whole_book();
    let (state, whole, _, lent) = run(&book, 0, 'r').await;
    assert_eq!(state, RunState::Finished);
    let stores = lent.stores.load(Ordering::SeqCst);
    assert!(stores >= whole.len() && whole.len() >= 4, "{stores} waits, {whole:?}");
    // Each entry was handed on before the wait for it.
    assert!(!lent.said.lock().unwrap().is_empty());
    for at in 1..=stores {
        let (state, done, asked, _) = run(&book, at, 'r').await;
        assert_eq!(state, RunState::Finished, "{at}");
        assert!(asked.iter().any(|title| title.contains("failed")), "{at}: {asked:?}");
        // Done once: not before its entry could be kept.
        assert_eq!(done, whole, "{at}");
    }
}

#[tokio::test]
async fn inside_a_window_it_fails_and_what_was_begun_is_undone_without_waiting() {
    let frozen = ["app1 set frozen", "app2 set stopped"];
    let undone = [frozen[0], frozen[1], "app1 unset frozen", "app2 unset stopped"];
    // A window undoes the step that failed as well: its undo is right whether the change was begun or not.
    let wanted: [&[&str]; 4] = [
        &["app1 unset frozen"],
        &[frozen[0], "app1 unset frozen", "app2 unset stopped"],
        &undone,
        &[frozen[0], frozen[1], "app2 set writable"],
    ];
    for (at, wanted) in wanted.into_iter().enumerate() {
        let (state, done, asked, lent) = run(&book(WINDOW), at + 1, 's').await;
        assert!(matches!(state, RunState::Stopped(_)), "{at}: {state:?}");
        assert_eq!(done, wanted, "{at}");
        assert_eq!(asked.len(), 2, "{at}: {asked:?}");
        assert_eq!(lent.stores.load(Ordering::SeqCst), at + 2, "{at}: an undo waited for the jump box");
    }
}
