//! A TCP proxy that adds a round trip: `delay LISTEN TARGET RTT_MS`. Prints the port it listens on, then serves.
//!
//! What arrives is stamped, queued, and written when it is half a round trip old, in each direction by itself, so
//! bandwidth is not limited. The far end is dialled one and a half round trips after the near one was accepted: that is
//! when a real connection's third handshake packet gets there, as the client's own connect costs it nothing here.
//! Not shown: TCP's window and acknowledgements see the short local links, not the long one.

use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

fn main() -> io::Result<()> {
    let arguments: Vec<String> = std::env::args().collect();
    let [_, listen, target, rtt] = arguments.as_slice() else {
        return Err(io::Error::other("usage: delay LISTEN TARGET RTT_MS"));
    };
    let rtt: f64 = rtt.parse().map_err(io::Error::other)?;
    let one_way = Duration::from_secs_f64(rtt / 2000.0);
    let listener = TcpListener::bind(listen)?;
    println!("{}", listener.local_addr()?.port());
    for near in listener.incoming() {
        let near = near?;
        let target = target.clone();
        thread::spawn(move || {
            thread::sleep(one_way * 3);
            // A target that refuses closes the near end, as a reset would.
            if let Ok(far) = TcpStream::connect(&target) {
                let _ = serve(near, far, one_way);
            }
        });
    }
    Ok(())
}

/// Both directions of one connection, until both have ended.
fn serve(near: TcpStream, far: TcpStream, one_way: Duration) -> io::Result<()> {
    near.set_nodelay(true)?;
    far.set_nodelay(true)?;
    let back = {
        let (far, near) = (far.try_clone()?, near.try_clone()?);
        thread::spawn(move || carry(far, near, one_way))
    };
    carry(near, far, one_way);
    let _ = back.join();
    Ok(())
}

/// One direction: a reader that stamps, and a writer that waits until each piece is due.
fn carry(mut from: TcpStream, mut to: TcpStream, one_way: Duration) {
    let (sender, receiver) = mpsc::channel::<(Instant, Vec<u8>)>();
    let writer = thread::spawn(move || {
        for (due, piece) in receiver {
            thread::sleep(due.saturating_duration_since(Instant::now()));
            if to.write_all(&piece).is_err() {
                let _ = to.shutdown(Shutdown::Both);
                return;
            }
        }
        let _ = to.shutdown(Shutdown::Write);
    });
    let mut buffer = vec![0; 64 * 1024];
    while let Ok(count) = from.read(&mut buffer) {
        if count == 0 || sender.send((Instant::now() + one_way, buffer[..count].to_vec())).is_err() {
            break;
        }
    }
    drop(sender);
    let _ = writer.join();
}
