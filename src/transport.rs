//! How machines are reached. What everything above uses is here; [`ssh`] is one implementation.

use std::pin::Pin;

pub mod advice;
pub mod ask;
pub mod error;
pub mod ssh;

/// A future that may be sent between threads.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;
