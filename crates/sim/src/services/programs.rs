//! Programs that look after services: `systemctl` where systemd runs, `service` everywhere, `monit`.

pub(crate) mod monit;
pub(crate) mod service;
pub(crate) mod systemctl;

#[cfg(test)]
mod tests;
