//! The mail queues: what waits on the machines with role `mail`, why, and what becomes of it in time. May import
//! `domain` names.

use std::collections::BTreeMap;

use crate::domain::names::HostName;

use super::World;
use super::machine::Machine;
use super::noise::{draw, unit};

/// Where a message waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Queue {
    /// Being delivered.
    Active,
    /// Waiting for another attempt.
    Deferred,
    /// Kept until released.
    Hold,
}

/// A message.
#[derive(Debug, Clone, PartialEq)]
pub struct Message {
    /// Queue id.
    pub id: String,
    /// Where it waits.
    pub queue: Queue,
    /// When it came, seconds since the world's start (negative: before it).
    pub arrived: f64,
    /// Bytes.
    pub size: u64,
    /// Envelope sender.
    pub sender: String,
    /// Envelope recipient.
    pub recipient: String,
    /// Why it could not be delivered yet.
    pub reason: Option<String>,
    /// Its subject.
    pub subject: String,
    /// When it will have been delivered; `None` when nobody takes it.
    delivered_at: Option<f64>,
}

/// The queue of one machine.
#[derive(Debug, Clone, Default)]
pub struct MailQueue {
    messages: Vec<Message>,
    /// Messages that came in since the world's start have numbers from here on.
    next: u64,
    settled: f64,
    key: u64,
    delivered: u64,
}

/// The queues by machine.
pub(super) type Queues = BTreeMap<HostName, MailQueue>;

/// Seconds between two messages that come in.
const EVERY: f64 = 40.0;
/// Seconds until such a message is delivered, at most.
const DELIVERY: f64 = 6.0;
/// What a runaway script sends, over and over.
const RUNAWAY: &str = "www-data@project.production.wpdn";

/// Sender, recipient, subject and reason of what waits at the start; how many of each.
static WAITING: &[(&str, &str, &str, &str, u64)] = &[
    (
        RUNAWAY,
        "bugs@lists.example.org",
        "[Bug Genie] issue updated",
        "host mx.lists.example.org[198.51.100.25] said: 450 4.7.1 <bugs@lists.example.org>: Recipient address \
         rejected: rate limited (in reply to RCPT TO command)",
        37,
    ),
    (
        "accounts@webplatform.org",
        "visitor@mail.example.net",
        "Verify your account",
        "connect to mail.example.net[203.0.113.80]:25: Connection timed out",
        3,
    ),
    (
        "MAILER-DAEMON",
        "noreply@spam.example.com",
        "Undelivered Mail Returned to Sender",
        "Host or domain name not found. Name service error for name=spam.example.com type=MX: Host not found, try again",
        2,
    ),
];

impl MailQueue {
    pub(super) fn new(machine: &Machine) -> Self {
        let mut queue = Self { key: machine.number(0x3a11), ..Self::default() };
        for (sender, recipient, subject, reason, count) in WAITING {
            for _ in 0..*count {
                let age = 600.0 + 90_000.0 * unit(queue.key, queue.next + 500);
                let id = queue.id();
                queue.messages.push(Message {
                    id,
                    queue: Queue::Deferred,
                    arrived: -age,
                    size: 1200 + draw(queue.key, queue.next) % 6000,
                    sender: (*sender).to_owned(),
                    recipient: (*recipient).to_owned(),
                    reason: Some((*reason).to_owned()),
                    subject: (*subject).to_owned(),
                    delivered_at: None,
                });
            }
        }
        queue.messages.sort_by(|a, b| a.arrived.total_cmp(&b.arrived));
        queue
    }

    /// A queue id, long form (Postfix 2.9 and later): letters and digits without vowels.
    fn id(&mut self) -> String {
        const LETTERS: &[u8] = b"0123456789BCDFGHJKLMNPQRSTVWXYZbcdfghjklmnpqrstvwxyz";
        self.next += 1;
        let mut rest = draw(self.key, self.next);
        let mut id = "3".to_owned();
        for _ in 0..11 {
            let count = u64::try_from(LETTERS.len()).unwrap_or(1);
            let place = usize::try_from(rest % count).unwrap_or(0);
            id.extend(LETTERS.get(place).map(|byte| char::from(*byte)));
            rest /= count;
        }
        id
    }

    fn settle(&mut self, now: f64, runs: bool, takes: bool) {
        let mut at = (self.settled / EVERY).floor() * EVERY + EVERY;
        while at <= now {
            if takes {
                let number = self.next;
                let delivered = at + DELIVERY * unit(self.key, number + 900);
                let message = Message {
                    id: self.id(),
                    queue: Queue::Active,
                    arrived: at,
                    size: 900 + draw(self.key, number) % 9000,
                    sender: "notes@webplatform.org".to_owned(),
                    recipient: format!("user{}@example.org", number % 97),
                    reason: None,
                    subject: "A reply to your annotation".to_owned(),
                    delivered_at: Some(delivered),
                };
                self.messages.push(message);
            }
            at += EVERY;
        }
        self.settled = now;
        if runs {
            let before = self.messages.len();
            self.messages.retain(|m| m.queue == Queue::Hold || m.delivered_at.is_none_or(|at| at > now));
            self.delivered += u64::try_from(before - self.messages.len()).unwrap_or(0);
        }
    }

    /// The messages, oldest first.
    #[must_use]
    pub fn messages(&self) -> &[Message] {
        &self.messages
    }

    /// One message.
    #[must_use]
    pub fn message(&self, id: &str) -> Option<&Message> {
        self.messages.iter().find(|message| message.id == id)
    }

    /// How many left the queue for their recipients.
    #[must_use]
    pub fn delivered(&self) -> u64 {
        self.delivered
    }

    /// Deletes a message; false when there is none.
    pub fn delete(&mut self, id: &str) -> bool {
        let before = self.messages.len();
        self.messages.retain(|message| message.id != id);
        self.messages.len() < before
    }

    /// Puts a message on hold or releases it; false when there is none, or it is so already.
    pub fn hold(&mut self, id: &str, hold: bool) -> bool {
        let found = self.messages.iter_mut().find(|m| m.id == id && (m.queue == Queue::Hold) != hold);
        found.map(|m| m.queue = if hold { Queue::Hold } else { Queue::Deferred }).is_some()
    }

    /// Queues a message again, so that it is tried now; false when there is none.
    pub fn requeue(&mut self, id: &str, now: f64) -> bool {
        let key = self.key;
        let Some(message) = self.messages.iter_mut().find(|message| message.id == id) else { return false };
        message.queue = Queue::Active;
        message.try_again(key, now);
        true
    }

    /// Tries everything that is deferred now (`postqueue -f`).
    pub fn flush(&mut self, now: f64) {
        let key = self.key;
        for message in self.messages.iter_mut().filter(|message| message.queue == Queue::Deferred) {
            message.try_again(key, now);
        }
    }

    /// Lets a recipient's server take mail from now on: what waits for it goes with the next attempt.
    pub fn recipient_accepts(&mut self, recipient: &str) {
        for message in self.messages.iter_mut().filter(|message| message.recipient == recipient) {
            message.reason = None;
        }
    }
}

impl Message {
    /// What nobody refuses will be delivered soon; the rest waits on.
    fn try_again(&mut self, key: u64, now: f64) {
        if self.reason.is_none() {
            self.delivered_at = Some(now + DELIVERY * unit(key, draw(key, self.size)));
        } else if self.queue == Queue::Active {
            self.queue = Queue::Deferred;
        }
    }
}

impl World {
    /// The mail queue of a machine, brought up to now; `None` when it has none.
    pub fn mail(&mut self, host: &HostName) -> Option<&mut MailQueue> {
        let now = self.seconds();
        let runs = self.is_up(host) && self.service_runs(host, "postfix");
        let takes = runs && self.is_alive() && !self.refuses_mail(host);
        let queue = self.mail.get_mut(host)?;
        queue.settle(now, runs, takes);
        Some(queue)
    }

    /// Whether `main.cf` keeps mail from coming in: the services are switched off, or every client is put off.
    fn refuses_mail(&self, host: &HostName) -> bool {
        let config = self.read_file(host, "/etc/postfix/main.cf").unwrap_or_default();
        String::from_utf8_lossy(&config).lines().any(|line| {
            let (name, value) = line.split_once('=').unwrap_or_default();
            let mut words = value.split([' ', ',']).filter(|word| !word.is_empty());
            match name.trim() {
                "master_service_disable" => words.any(|word| word == "inet" || word == "smtp/inet"),
                "smtpd_client_restrictions" => {
                    words.next().is_some_and(|word| word == "defer" || word == "reject")
                }
                _ => false,
            }
        })
    }

    /// Makes a queue for every machine with role `mail`, and its `main.cf`.
    pub(super) fn start_mail(&mut self) {
        let of_mail = |m: &&Machine| m.roles().iter().any(|role| role.as_str() == "mail");
        let made: Queues =
            self.machines().filter(of_mail).map(|m| (m.name.clone(), MailQueue::new(m))).collect();
        for host in made.keys() {
            let text = format!(
                "myhostname = {}\nmydestination = localhost\ninet_interfaces = all\nmynetworks = 127.0.0.0/8 10.0.0.0/8\n\
                 smtpd_tls_security_level = may\nmilter_default_action = accept\n\
                 smtpd_milters = inet:127.0.0.1:8891\n",
                self.fqdn(host)
            );
            self.write_file(host, "/etc/postfix/main.cf", text.into_bytes());
        }
        self.mail = made;
    }
}
