//! Programs that look after services: `systemctl` where systemd runs, `service` everywhere, `monit`.

pub mod monit;
pub mod service;
pub mod systemctl;

#[cfg(test)]
mod tests;
