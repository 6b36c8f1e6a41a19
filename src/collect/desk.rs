//! Where logins ask a person: a question goes out as plain data with an id, the answer comes back by that id.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::{mpsc, oneshot};

use crate::transport::BoxFuture;
use crate::transport::ask::AskPerson;
use jumpdeck_fleet::event::{Answer, FleetEvent, Question, QuestionId, QuestionKind};
use jumpdeck_fleet::hop::Hop;
use jumpdeck_fleet::names::EnvName;

/// Holds the open questions.
#[derive(Clone)]
pub struct Desk {
    open: Arc<Mutex<OpenQuestion>>,
    events: mpsc::Sender<FleetEvent>,
}

#[derive(Default)]
struct OpenQuestion {
    next: u64,
    waiting: HashMap<QuestionId, oneshot::Sender<Answer>>,
}

impl Desk {
    /// A desk whose questions go to `events`.
    #[must_use]
    pub fn new(events: mpsc::Sender<FleetEvent>) -> Self {
        Self { open: Arc::default(), events }
    }

    /// Hands in an answer. One that comes too late is dropped: its connection has ended.
    pub fn answer(&self, id: QuestionId, answer: Answer) {
        let waiting = self.lock().waiting.remove(&id);
        if let Some(waiting) = waiting {
            let _ = waiting.send(answer);
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, OpenQuestion> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Takes a question down when its connection ends before the answer.
struct Pending {
    desk: Desk,
    id: QuestionId,
}

impl Drop for Pending {
    fn drop(&mut self) {
        if self.desk.lock().waiting.remove(&self.id).is_some() {
            let events = self.desk.events.clone();
            let gone = FleetEvent::QuestionGone(self.id);
            // A full queue must not lose it: a dialog nobody waits for would stay on screen.
            if let Err(mpsc::error::TrySendError::Full(gone)) = events.try_send(gone)
                && let Ok(runtime) = tokio::runtime::Handle::try_current()
            {
                runtime.spawn(async move { events.send(gone).await });
            }
        }
    }
}

impl AskPerson for Desk {
    fn ask<'a>(&'a self, env: &'a EnvName, hop: &'a Hop, kind: QuestionKind) -> BoxFuture<'a, Answer> {
        Box::pin(async move {
            let (sender, receiver) = oneshot::channel();
            let id = {
                let mut open = self.lock();
                open.next += 1;
                let id = QuestionId(open.next);
                open.waiting.insert(id, sender);
                id
            };
            let _pending = Pending { desk: self.clone(), id };
            let question = Question { id, env: env.clone(), hop: hop.clone(), kind };
            if self.events.send(FleetEvent::Question(question)).await.is_err() {
                return Answer::Refuse;
            }
            receiver.await.unwrap_or(Answer::Refuse)
        })
    }
}
