//! Who listens: a thread for the hang-up of the terminal, a task a signal. The thread for keys is in `keyboard`.

use std::io;
use std::thread;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, poll};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::mpsc;

use super::input::Urgent;
use super::terminal::end_within;

/// After a hang-up or a signal the loop has this long to end by itself.
const GRACE: Duration = Duration::from_millis(700);
const HUP: i32 = 1;

/// Tells of signals. Must be called within the tokio runtime.
pub(super) fn signals(urgent: &mpsc::UnboundedSender<Urgent>) -> io::Result<()> {
    let ends = [SignalKind::interrupt(), SignalKind::terminate(), SignalKind::hangup(), SignalKind::quit()];
    for kind in ends {
        let number = kind.as_raw_value();
        listen(signal(kind)?, urgent.clone(), move || {
            end_within(GRACE, 128 + number);
            Urgent::Signal(number)
        });
    }
    let kind = |signal: rustix::process::Signal| SignalKind::from_raw(signal.as_raw());
    listen(signal(kind(rustix::process::Signal::TSTP))?, urgent.clone(), || Urgent::Stop);
    listen(signal(kind(rustix::process::Signal::CONT))?, urgent.clone(), || Urgent::Continued);
    Ok(())
}

fn listen(
    mut signal: Signal,
    urgent: mpsc::UnboundedSender<Urgent>,
    news: impl Fn() -> Urgent + Send + 'static,
) {
    tokio::spawn(async move {
        while signal.recv().await.is_some() {
            if urgent.send(news()).is_err() {
                break;
            }
        }
    });
}

/// Waits, without using the processor, until the terminal is gone; then the process ends within [`GRACE`]. A hang-up
/// comes as a signal too, but not to a process that is not of the terminal's session.
pub(super) fn hang_up(urgent: mpsc::UnboundedSender<Urgent>) {
    thread::spawn(move || {
        let stdin = io::stdin();
        loop {
            // No event is asked for: hang-up and error are always told.
            let mut fds = [PollFd::new(&stdin, PollFlags::empty())];
            match poll(&mut fds, None) {
                Err(rustix::io::Errno::INTR) => {}
                Ok(_) | Err(_) => break,
            }
        }
        end_within(GRACE, 128 + HUP);
        let _ = urgent.send(Urgent::HungUp);
    });
}
