//! Deadlines that measure the other side. A machine that sleeps, a stopped program and a busy one cannot hear an answer;
//! that time must not count against whoever was to answer. So time is counted in ticks: a tick is a short sleep and then
//! the ways an answer takes through this program, several times. On an idle machine it is as long as its sleep; after a
//! sleep of hours it is one tick; where tasks wait for their turn it takes longer, as an answer does.

use std::pin::Pin;
use std::time::Duration;

use tokio::task::yield_now;
use tokio::time::sleep;

/// What a tick counts for.
const TICK: Duration = Duration::from_millis(250);
/// How often an answer waits for its turn here, at least: the socket, the ciphers, the channel, who reads it; for the
/// jump box and for the host behind it.
const TURNS: usize = 8;

async fn tick(length: Duration) {
    sleep(length).await;
    for _ in 0..TURNS {
        yield_now().await;
    }
}

/// Counts time in which this program was able to listen.
pub struct Listening {
    counted: Duration,
    next: Pin<Box<dyn Future<Output = ()> + Send>>,
}

impl Default for Listening {
    fn default() -> Self {
        Self { counted: Duration::ZERO, next: Box::pin(tick(TICK)) }
    }
}

impl std::fmt::Debug for Listening {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Listening").field("counted", &self.counted).finish_non_exhaustive()
    }
}

impl Listening {
    /// Waits until the count goes on. Cancel-safe.
    pub async fn goes_on(&mut self) {
        self.next.as_mut().await;
        self.counted += TICK;
        self.next = Box::pin(tick(TICK));
    }

    /// Counted so far.
    #[must_use]
    pub fn counted(&self) -> Duration {
        self.counted
    }
}

/// Waits until so much time has passed in which we were able to listen.
pub async fn passes(time: Duration) {
    let mut left = time;
    loop {
        let length = left.min(TICK);
        tick(length).await;
        left = left.saturating_sub(length);
        if left.is_zero() {
            return;
        }
    }
}

/// Runs `work`; `None` when it is not done within so much time in which we were able to listen.
pub async fn within<T>(limit: Duration, work: impl Future<Output = T>) -> Option<T> {
    tokio::select! {
        biased;
        done = work => Some(done),
        () = passes(limit) => None,
    }
}

/// An answer that comes long before `deadline`, and finds this program stopped until long after it: it still has to take
/// its way through the program then.
#[cfg(test)]
pub(crate) async fn answered_into_a_stall(deadline: Duration) {
    let (tell, told) = tokio::sync::oneshot::channel();
    std::thread::spawn(move || {
        std::thread::sleep(deadline / 4);
        tell.send(())
    });
    tokio::spawn(async move { std::thread::sleep(deadline * 3) });
    assert!(told.await.is_ok());
    for _ in 0..TURNS / 2 {
        yield_now().await;
    }
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn on_an_idle_machine_it_is_a_plain_deadline() {
        let from = tokio::time::Instant::now();
        assert_eq!(within(Duration::from_secs(3), std::future::pending::<()>()).await, None);
        assert_eq!(from.elapsed(), Duration::from_secs(3));
        let soon = sleep(Duration::from_millis(2900));
        assert_eq!(within(Duration::from_secs(3), soon).await, Some(()));
    }

    #[tokio::test]
    async fn time_in_which_nothing_here_runs_counts_as_one_tick() {
        // The only worker is held up, as by a machine that sleeps: the answer is there all the time, unheard.
        let limit = Duration::from_millis(500);
        assert_eq!(within(limit, answered_into_a_stall(limit)).await, Some(()));
    }

    #[tokio::test]
    async fn a_busy_program_counts_less_than_the_clock() {
        let mut listening = Listening::default();
        for _ in 0..20 {
            tokio::spawn(async {
                loop {
                    std::thread::sleep(Duration::from_millis(10));
                    yield_now().await;
                }
            });
        }
        let from = Instant::now();
        listening.goes_on().await;
        assert!(from.elapsed() > listening.counted() * 3, "{:?}", from.elapsed());
    }
}
