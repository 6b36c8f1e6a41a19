//! A link to the jump box that carries so many bytes a second each way, and can stall. What does not fit waits, as it does in the
//! buffers of sockets and routers.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use jumpdeck::transport::BoxFuture;
use jumpdeck::transport::ssh::dial::{BoxStream, Dial};
use jumpdeck_sim::sshd::SimFleet;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};

/// Bytes that wait each way. More than any test sends.
const BUFFERED: usize = 16 << 20;
/// Bytes that travel together.
const PACKET: usize = 1000;

#[derive(Clone)]
pub(crate) struct SlowLink {
    fleet: SimFleet,
    rate: Arc<AtomicU32>,
    stalled: Arc<watch::Sender<bool>>,
    packets: Arc<AtomicU32>,
}

impl SlowLink {
    /// Carries `rate` bytes a second each way.
    pub(crate) fn new(fleet: SimFleet, rate: u32) -> Self {
        let stalled = Arc::new(watch::channel(false).0);
        Self { fleet, rate: Arc::new(AtomicU32::new(rate)), stalled, packets: Arc::default() }
    }

    /// Carries so many from now on.
    pub(crate) fn set_rate(&self, rate: u32) {
        self.rate.store(rate, Ordering::SeqCst);
    }

    /// Nothing arrives from now on, or it goes on where it stopped.
    pub(crate) fn stall(&self, stalled: bool) {
        self.stalled.send_replace(stalled);
    }

    /// Waits until nothing waits on it any more: nothing arrived for a second.
    pub(crate) async fn has_carried_all(&self) {
        loop {
            let before = self.packets.load(Ordering::SeqCst);
            tokio::time::sleep(Duration::from_secs(1)).await;
            if self.packets.load(Ordering::SeqCst) == before {
                return;
            }
        }
    }

    async fn carry(self, mut from: impl AsyncRead + Unpin, mut to: impl AsyncWrite + Unpin) {
        let mut packet = vec![0; PACKET];
        let mut stalled = self.stalled.subscribe();
        let mut free = Instant::now();
        while let Ok(count @ 1..) = from.read(&mut packet).await {
            let takes =
                f64::from(u32::try_from(count).unwrap()) / f64::from(self.rate.load(Ordering::SeqCst));
            free = free.max(Instant::now()) + Duration::from_secs_f64(takes);
            sleep_until(free).await;
            let goes_on = stalled.wait_for(|stalled| !stalled).await.is_ok();
            if !goes_on || to.write_all(&packet[..count]).await.is_err() || to.flush().await.is_err() {
                break;
            }
            self.packets.fetch_add(1, Ordering::SeqCst);
        }
        // The other side may be gone already.
        let _ = to.shutdown().await;
    }
}

impl Dial for SlowLink {
    fn dial<'a>(&'a self, address: &'a str, port: u16) -> BoxFuture<'a, io::Result<BoxStream>> {
        Box::pin(async move {
            let (from_jump, to_jump) = tokio::io::split(self.fleet.dial(address, port).await?);
            let (near, middle) = tokio::io::duplex(BUFFERED);
            let (from_console, to_console) = tokio::io::split(middle);
            tokio::spawn(self.clone().carry(from_console, to_jump));
            tokio::spawn(self.clone().carry(from_jump, to_console));
            Ok(Box::new(near) as BoxStream)
        })
    }
}
