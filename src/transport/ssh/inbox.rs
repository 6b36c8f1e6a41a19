//! Bytes that have arrived and wait to be read: bounded, so that whoever brings them never waits.

use std::future::poll_fn;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};

use bytes::{Buf, Bytes, BytesMut};
use futures::task::AtomicWaker;
use tokio::sync::Notify;

/// At most this many bytes wait to be read.
pub(super) const INBOX_LIMIT: usize = 1024 * 1024;

/// One writer, one reader.
#[derive(Default)]
pub(super) struct Inbox {
    state: Mutex<InboxState>,
    reader: AtomicWaker,
    /// Something was taken.
    taken: Notify,
}

#[derive(Default)]
struct InboxState {
    bytes: BytesMut,
    ended: bool,
}

impl Inbox {
    /// Adds bytes. `false`, and nothing added, when they would be more than the limit.
    pub(super) fn push(&self, bytes: &[u8]) -> bool {
        let mut state = self.state();
        if state.bytes.len() + bytes.len() > INBOX_LIMIT {
            return false;
        }
        state.bytes.extend_from_slice(bytes);
        drop(state);
        self.reader.wake();
        true
    }

    /// Adds bytes when there is room for them: the reader may be slow. Cancel-safe: all of them, or none.
    pub(super) async fn push_patiently(&self, bytes: &[u8]) {
        loop {
            let taken = self.taken.notified();
            if self.push(bytes) {
                return;
            }
            taken.await;
        }
    }

    /// There will be no more.
    pub(super) fn end(&self) {
        self.state().ended = true;
        self.reader.wake();
    }

    /// The next bytes, at most `max`; `None` at the end.
    pub(super) fn poll_take(&self, cx: &mut Context<'_>, max: usize) -> Poll<Option<Bytes>> {
        self.reader.register(cx.waker());
        let mut state = self.state();
        if state.bytes.has_remaining() {
            let at = max.min(state.bytes.len());
            let taken = state.bytes.split_to(at).freeze();
            self.taken.notify_one();
            if state.bytes.is_empty() {
                // Gives the memory of a burst back.
                state.bytes = BytesMut::new();
            }
            return Poll::Ready(Some(taken));
        }
        if state.ended { Poll::Ready(None) } else { Poll::Pending }
    }

    /// The next bytes; `None` at the end. Cancel-safe.
    pub(super) async fn take(&self) -> Option<Bytes> {
        poll_fn(|cx| self.poll_take(cx, INBOX_LIMIT)).await
    }

    fn state(&self) -> MutexGuard<'_, InboxState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn it_is_bounded_and_ends_after_its_last_byte() {
        let inbox = Inbox::default();
        assert!(inbox.push(&vec![1; INBOX_LIMIT]));
        assert!(!inbox.push(&[2]));
        inbox.end();
        assert_eq!(inbox.take().await.map(|b| b.len()), Some(INBOX_LIMIT));
        assert_eq!(inbox.take().await, None);
    }

    #[tokio::test]
    async fn who_is_patient_waits_for_room_and_loses_nothing() {
        let inbox = Inbox::default();
        inbox.push_patiently(&vec![1; INBOX_LIMIT]).await;
        let read = async {
            let first = inbox.take().await.map(|b| b.len());
            (first, inbox.take().await.map(|b| b.to_vec()))
        };
        let ((), read) = tokio::join!(inbox.push_patiently(&[2, 3]), read);
        assert_eq!(read, (Some(INBOX_LIMIT), Some(vec![2, 3])));
    }
}
