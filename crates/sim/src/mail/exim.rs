//! Exim's queue: what waits in it at the start, what comes in while the mail host takes nothing, and when it goes.

use crate::world::World;
use crate::world::noise::{draw, unit};
use jumpdeck_fleet::names::HostName;

use super::{EXIM_CONFIG, MailQueue, MailServer, Message, Queue};

/// Seconds between two messages that cron sends.
const EVERY: f64 = 600.0;
/// Seconds between two runs of the queue (`-q30m`).
const QUEUE_RUN: f64 = 1800.0;

/// Whether the mail host takes what is handed to it now, or why not.
pub(super) type Relay = Result<(), String>;

impl MailQueue {
    /// The queue of a machine of that full name; `zero` is what its clock shows at the world's start.
    fn of_exim(key: u64, full: &str, zero: f64, runaway: u64, bounces: u64) -> Self {
        let mut queue = Self::empty(MailServer::Exim, key);
        let sender = format!("www-data@{full}");
        for _ in 0..runaway {
            let reason = "SMTP error from remote mail server after RCPT TO:<bugs@lists.example.org>: 450 4.7.1 \
                          <bugs@lists.example.org>: Recipient address rejected: rate limited";
            let subject = "[Bug Genie] issue updated";
            queue.waits(&sender, "bugs@lists.example.org", subject, reason, Queue::Deferred, zero);
        }
        for _ in 0..bounces {
            let reason = "SMTP error from remote mail server after RCPT TO:<noreply@spam.example.com>: 450 4.1.2 \
                          <noreply@spam.example.com>: Recipient address rejected: Domain not found";
            let subject = "Mail delivery failed: returning message to sender";
            queue.waits("MAILER-DAEMON", "noreply@spam.example.com", subject, reason, Queue::Hold, zero);
        }
        queue.messages.sort_by(|a, b| a.arrived.total_cmp(&b.arrived));
        queue
    }

    fn waits(&mut self, sender: &str, recipient: &str, subject: &str, reason: &str, queue: Queue, zero: f64) {
        let age = 900.0 + 70_000.0 * unit(self.key, self.next + 500);
        let message = self.message_of(sender, recipient, subject, -age, zero);
        self.messages.push(Message { queue, reason: Some(reason.to_owned()), ..message });
    }

    fn message_of(&mut self, sender: &str, recipient: &str, subject: &str, at: f64, zero: f64) -> Message {
        let id = self.exim_id(zero + at);
        Message {
            id,
            queue: Queue::Deferred,
            arrived: at,
            size: 700 + draw(self.key, self.next) % 4000,
            sender: sender.to_owned(),
            recipient: recipient.to_owned(),
            reason: None,
            subject: subject.to_owned(),
            tried: Some(zero + at + 1.0),
            delivered_at: None,
            locked: false,
            for_relay: false,
        }
    }

    /// A message's id: the second, the process, and a part of the second, in base 62.
    fn exim_id(&mut self, second: f64) -> String {
        self.next += 1;
        let process = 1000 + draw(self.key, self.next) % 31_000;
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // seconds since 1970
        let second = second.max(0.0) as u64;
        format!("{}-{}-{}", base62(second, 6), base62(process, 6), base62(self.next, 2))
    }

    /// Brings it up to now. `sends` is the machine's full name, while it lives; `zero` is what its clock showed at the world's start.
    pub(super) fn settle_exim(
        &mut self,
        now: f64,
        runs: bool,
        relay: &Relay,
        sends: Option<&str>,
        zero: f64,
    ) {
        let next = |from: f64, every: f64| (from / every).floor() * every + every;
        let mut at = next(self.settled, EVERY);
        while at <= now {
            if let Some(full) = sends {
                match relay {
                    Ok(()) => self.delivered += 1,
                    Err(why) => {
                        let subject = format!("Cron <root@{full}> run-parts");
                        let message = self.message_of(
                            &format!("root@{full}"),
                            "root@webplatform.org",
                            &subject,
                            at,
                            zero,
                        );
                        self.messages.push(Message { reason: Some(why.clone()), for_relay: true, ..message });
                    }
                }
            }
            at += EVERY;
        }
        let mut at = next(self.settled, QUEUE_RUN);
        while at <= now {
            if runs {
                self.deliver(None, false, zero + at, relay);
            }
            at += QUEUE_RUN;
        }
        self.settled = now;
    }

    /// Tries these messages, or all; frozen ones where that is asked for. `clock` is what the machine's shows.
    fn deliver(&mut self, ids: Option<&[String]>, frozen: bool, clock: f64, relay: &Relay) {
        let wanted = |m: &Message| {
            ids.is_none_or(|ids| ids.contains(&m.id)) && !m.locked && (frozen || m.queue != Queue::Hold)
        };
        for message in self.messages.iter_mut().filter(|m| wanted(m)) {
            message.tried = Some(clock);
            // A bounce that cannot be delivered is frozen.
            let bounces = message.sender == "MAILER-DAEMON";
            match relay {
                Ok(()) if message.for_relay || message.reason.is_none() => message.delivered_at = Some(clock),
                Ok(()) if bounces => message.queue = Queue::Hold,
                Err(why) if message.for_relay => {
                    (message.queue, message.reason) = (Queue::Deferred, Some(why.clone()));
                }
                Ok(()) | Err(_) => message.queue = Queue::Deferred,
            }
        }
        self.gone(|m| m.delivered_at.is_none());
    }
}

/// A number in base 62, as long as that.
fn base62(mut number: u64, digits: usize) -> String {
    const DIGITS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    let mut text = Vec::with_capacity(digits);
    for _ in 0..digits {
        let place = usize::try_from(number % 62).unwrap_or(0);
        text.extend(DIGITS.get(place).map(|digit| char::from(*digit)));
        number /= 62;
    }
    text.iter().rev().collect()
}

impl World {
    /// Lets Exim try these messages now (`-M`), or all in its queue; frozen ones where that is asked for.
    pub(crate) fn exim_delivers(&mut self, host: &HostName, ids: Option<&[String]>, frozen: bool) {
        let (clock, relay) = (self.epoch(host), self.relay(host));
        if let Some(queue) = self.mail(host) {
            queue.deliver(ids, frozen, clock, &relay);
        }
    }

    /// A setting of `update-exim4.conf.conf`; empty where there is none.
    #[must_use]
    pub(crate) fn exim_setting(&self, host: &HostName, name: &str) -> String {
        let config = self.read_file(host, EXIM_CONFIG).unwrap_or_default();
        let text = String::from_utf8_lossy(&config).into_owned();
        let found = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix('='));
        found.unwrap_or_default().trim_matches('\'').to_owned()
    }

    /// Whether the mail host takes what a machine's Exim hands to it; without one, everybody does.
    pub(super) fn relay(&self, host: &HostName) -> Relay {
        let name = self.exim_setting(host, "dc_smarthost");
        if name.is_empty() {
            return Ok(());
        }
        let Some(address) = self.address_of(host, &name) else {
            return Err(format!("host lookup for {name} did not complete (DNS timeout?)"));
        };
        let there = self.machines().find(|m| m.address == address).map(|m| m.name.clone());
        match there {
            Some(there) if self.is_up(&there) => {
                if !self.service_runs(&there, "postfix") {
                    return Err(format!("{name} [{address}] Connection refused"));
                }
                if self.refuses_mail(&there) {
                    return Err(format!(
                        "SMTP error from remote mail server after RCPT TO: {name} [{address}]: 450 4.7.1 Client host rejected: \
                         try again later"
                    ));
                }
                Ok(())
            }
            Some(_) | None => Err(format!("{name} [{address}] Connection timed out")),
        }
    }

    /// The configuration of a machine's Exim, and its queue.
    pub(super) fn start_exim(&mut self, host: &HostName) -> Option<MailQueue> {
        let has = |role: &str, m: &super::Machine| m.roles().iter().any(|own| own.as_str() == role);
        let smarthost = self.machines().find(|m| has("mail", m)).map(|m| self.fqdn(&m.name));
        let kind = if smarthost.is_some() { "satellite" } else { "internet" };
        let full = self.fqdn(host);
        let text = format!(
            "dc_eximconfig_configtype='{kind}'\ndc_other_hostnames='{full}'\ndc_local_interfaces='127.0.0.1 ; ::1'\n\
             dc_readhost='webplatform.org'\ndc_relay_domains=''\ndc_minimaldns='false'\ndc_relay_nets=''\n\
             dc_smarthost='{}'\nCFILEMODE='644'\ndc_use_split_config='false'\ndc_hide_mailname='true'\n\
             dc_mailname_in_oh='true'\ndc_localdelivery='mail_spool'\n",
            smarthost.unwrap_or_default()
        );
        self.write_file(host, EXIM_CONFIG, text.into_bytes());
        let zero = self.clock_at(host, 0.0);
        let machine = self.machine(host)?;
        let (runaway, bounces) = match (has("project", machine), has("app", machine)) {
            (true, _) => (9, 2),
            (false, true) => (0, 1),
            (false, false) => (0, 0),
        };
        Some(MailQueue::of_exim(machine.number(0x3a11), &full, zero, runaway, bounces))
    }
}
