//! A deadline that does not run while a person is being asked, nor while this program cannot listen.

use std::future::Future;
use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, watch};

use crate::listening::Listening;

/// The deadline of one login.
pub(super) struct Patience {
    limit: Duration,
    /// How many questions are open.
    asking: watch::Sender<usize>,
    /// The login's place among those under way; given up when a person is asked, so that nobody else waits for them.
    place: Mutex<Option<OwnedSemaphorePermit>>,
    stage: Mutex<&'static str>,
    /// A password or keyboard-interactive login was begun.
    interactive: AtomicBool,
}

impl Patience {
    pub(super) fn new(limit: Duration, place: Option<OwnedSemaphorePermit>) -> Self {
        Self {
            limit,
            asking: watch::Sender::new(0),
            place: Mutex::new(place),
            stage: Mutex::new("while connecting"),
            interactive: AtomicBool::new(false),
        }
    }

    /// Runs `work`; `None` when it takes longer than the limit, the time of questions not counted. Then the place is
    /// free again: the connection keeps this alive for as long as it lives.
    pub(super) async fn run<T>(&self, work: impl Future<Output = T>) -> Option<T> {
        let done = self.within(work).await;
        self.give_up_place();
        done
    }

    fn give_up_place(&self) {
        drop(self.place.lock().unwrap_or_else(PoisonError::into_inner).take());
    }

    async fn within<T>(&self, work: impl Future<Output = T>) -> Option<T> {
        let mut work = pin!(work);
        let mut listening = Listening::default();
        let mut asking = self.asking.subscribe();
        while listening.counted() < self.limit {
            let paused = *asking.borrow_and_update() > 0;
            tokio::select! {
                biased;
                done = &mut work => return Some(done),
                _ = asking.changed() => {}
                () = listening.goes_on(), if !paused => {}
            }
        }
        None
    }

    /// Notes how far the login is, for the message when it is too slow.
    pub(super) fn stage(&self, stage: &'static str) {
        *self.stage.lock().unwrap_or_else(PoisonError::into_inner) = stage;
    }

    /// Notes that the server is now asked for a password or keyboard-interactive login: it may send a push or count an attempt.
    pub(super) fn begin_interactive(&self) {
        self.interactive.store(true, Ordering::Relaxed);
    }

    /// Whether such a login was begun.
    pub(super) fn is_interactive(&self) -> bool {
        self.interactive.load(Ordering::Relaxed)
    }

    /// What to say when it was too slow.
    pub(super) fn too_slow(&self) -> String {
        let stage = *self.stage.lock().unwrap_or_else(PoisonError::into_inner);
        format!("no answer within {} s {stage}", self.limit.as_secs())
    }

    /// Runs `question` with the clock stopped.
    pub(super) async fn pause<T>(&self, question: impl Future<Output = T>) -> T {
        self.give_up_place();
        self.asking.send_modify(|n| *n += 1);
        let _open = Open(self);
        question.await
    }
}

/// An open question; also counted down when its future is dropped.
struct Open<'a>(&'a Patience);

impl Drop for Open<'_> {
    fn drop(&mut self) {
        self.0.asking.send_modify(|n| *n = n.saturating_sub(1));
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn the_time_of_a_question_does_not_count() {
        let patience = Patience::new(Duration::from_secs(10), None);
        let sleep = |s| tokio::time::sleep(Duration::from_secs(s));
        let in_time = patience.run(async {
            sleep(6).await;
            patience.pause(sleep(600)).await;
            sleep(3).await;
        });
        assert_eq!(in_time.await, Some(()));
        let late = patience.run(async {
            sleep(6).await;
            patience.pause(sleep(600)).await;
            sleep(5).await;
        });
        assert_eq!(late.await, None);
    }

    #[tokio::test]
    async fn time_in_which_this_program_was_stopped_does_not_count() {
        let limit = Duration::from_millis(500);
        let answered = crate::listening::answered_into_a_stall(limit);
        assert_eq!(Patience::new(limit, None).run(answered).await, Some(()));
    }

    #[tokio::test(start_paused = true)]
    async fn a_login_that_asks_gives_up_its_place() {
        let places = std::sync::Arc::new(tokio::sync::Semaphore::new(1));
        let patience =
            Patience::new(Duration::from_secs(1), Some(places.clone().try_acquire_owned().unwrap()));
        patience.pause(async { assert_eq!(places.available_permits(), 1) }).await;
    }

    #[tokio::test(start_paused = true)]
    async fn a_login_that_is_over_gives_up_its_place() {
        let places = std::sync::Arc::new(tokio::sync::Semaphore::new(1));
        let patience =
            Patience::new(Duration::from_secs(1), Some(places.clone().try_acquire_owned().unwrap()));
        assert_eq!(patience.run(std::future::ready(7)).await, Some(7));
        assert_eq!(places.available_permits(), 1, "though the connection still holds it");
        drop(patience);
    }
}
