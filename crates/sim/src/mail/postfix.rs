//! Postfix's queue: what waits in it at the start, what comes in, and when it goes.

use crate::world::noise::{draw, unit};

use super::{Machine, MailQueue, MailServer, Message, Queue};

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
    /// The queue of a mail host.
    pub(super) fn of_postfix(machine: &Machine) -> Self {
        let mut queue = Self::empty(MailServer::Postfix, machine.number(0x3a11));
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
                    tried: None,
                    delivered_at: None,
                    locked: false,
                    for_relay: false,
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

    /// Brings it up to now.
    pub(super) fn settle(&mut self, now: f64, runs: bool, takes: bool) {
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
                    tried: None,
                    delivered_at: Some(delivered),
                    locked: false,
                    for_relay: false,
                };
                self.messages.push(message);
            }
            at += EVERY;
        }
        self.settled = now;
        if runs {
            self.gone(|m| m.queue == Queue::Hold || m.delivered_at.is_none_or(|at| at > now));
        }
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
