//! Programs that look after services: `systemctl` where systemd runs, `service` everywhere, `monit`.

pub(super) mod monit;
pub(super) mod service;
pub(super) mod systemctl;

#[cfg(test)]
mod tests;
