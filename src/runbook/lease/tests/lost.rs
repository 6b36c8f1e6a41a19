//! A lease that ends at the very moment somebody asks for something of it.

use tokio::sync::Notify;

use super::*;
use crate::transport::BoxFuture;
use crate::transport::error::{ErrorKind, TransportError};
use crate::transport::{Held, Limits, Ran, Session};
use jumpdeck_fleet::hop::Hop;

/// A jump box that gives the lease, and is gone when it is told.
#[derive(Clone, Default)]
struct Brief(Arc<Notify>);

struct Open {
    said: Option<&'static [u8]>,
    end: Arc<Notify>,
}

impl Session for Brief {
    fn exec<'a>(
        &'a self,
        _: &'a str,
        _: &'a [u8],
        _: Limits,
        _: &'a mut (dyn FnMut(&[u8]) + Send),
    ) -> BoxFuture<'a, Result<Ran, TransportError>> {
        panic!("a lease is held, not asked")
    }

    fn start<'a>(&'a self, _: &'a str) -> BoxFuture<'a, Result<Box<dyn Held>, TransportError>> {
        let open = Open { said: Some(b"taken group\t0\troot\n"), end: self.0.clone() };
        Box::pin(async move { Ok(Box::new(open) as Box<dyn Held>) })
    }
}

impl Held for Open {
    fn write<'a>(&'a mut self, _: &'a [u8]) -> BoxFuture<'a, Result<(), TransportError>> {
        Box::pin(async { Ok(()) })
    }

    fn read(&mut self) -> BoxFuture<'_, Result<Vec<u8>, TransportError>> {
        Box::pin(async {
            if let Some(said) = self.said.take() {
                return Ok(said.to_vec());
            }
            self.end.notified().await;
            Err(TransportError::new(&Hop::Here, ErrorKind::Dropped, "the session has ended"))
        })
    }

    fn ended(&mut self) -> BoxFuture<'_, Result<Ran, TransportError>> {
        panic!("nobody asks how a lease's session ended")
    }
}

/// What was sent between the keeper's last look and its end was never answered: who asked waited for ever.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn whoever_asks_at_the_moment_of_its_end_is_told() {
    let place = Place::new();
    let holder = Holder::new("first@desk", "first", "promote-masterdb");
    for round in 0..3_000 {
        let session = Brief::default();
        let taken = Lease::take_in(&place.places(), &session, &keys(&["production.x"]), &holder).await;
        let lease = taken.unwrap();
        let asking: Vec<_> = (0..4)
            .map(|number| {
                let lease = lease.clone();
                tokio::spawn(async move {
                    // Nothing answers a beat here: the end is all that comes.
                    if number % 2 == 0 { lease.prove().await } else { lease.store().await }
                })
            })
            .collect();
        session.0.notify_one();
        for asked in asking {
            let told = timeout(Duration::from_secs(10), asked).await;
            assert!(told.unwrap_or_else(|_| panic!("round {round}: nobody answers")).unwrap().is_err());
        }
    }
}
