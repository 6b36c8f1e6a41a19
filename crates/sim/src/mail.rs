//! The mail queues: what waits in Postfix on the machines with role `mail` and in Exim on the others, why,
//! and what becomes of it in time.

mod exim;
mod postfix;
pub(crate) mod programs;

use std::collections::BTreeMap;

use crate::posix::machine::Machine;
use crate::world::World;
use jumpdeck_fleet::names::HostName;

/// Which mail server a machine has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MailServer {
    /// On machines with role `mail`: delivers to everybody.
    Postfix,
    /// On every other one, and hands everything to the mail host.
    Exim,
}

/// Where a message waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Queue {
    /// Being delivered.
    Active,
    /// Waiting for another attempt.
    Deferred,
    /// Kept until released: on hold, or frozen.
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
    /// Envelope sender; `MAILER-DAEMON` of a bounce.
    pub sender: String,
    /// Envelope recipient.
    pub recipient: String,
    /// Why it could not be delivered yet.
    pub reason: Option<String>,
    /// Its subject.
    pub subject: String,
    /// When Exim tried it last, seconds since 1970 by its machine's clock.
    pub tried: Option<f64>,
    /// When it will have been delivered; `None` when nobody takes it.
    delivered_at: Option<f64>,
    /// A process works on it, and nobody else may.
    locked: bool,
    /// It waits for the mail host alone.
    for_relay: bool,
}

/// The queue of one machine.
#[derive(Debug, Clone)]
pub struct MailQueue {
    server: MailServer,
    messages: Vec<Message>,
    /// Messages that came in since the world's start have numbers from here on.
    next: u64,
    settled: f64,
    key: u64,
    delivered: u64,
}

/// The queues by machine.
pub(crate) type Queues = BTreeMap<HostName, MailQueue>;

/// Where Debian keeps what Exim does with mail.
pub(crate) const EXIM_CONFIG: &str = "/etc/exim4/update-exim4.conf.conf";

impl MailQueue {
    /// One in which nothing waits.
    fn empty(server: MailServer, key: u64) -> Self {
        Self { server, messages: Vec::new(), next: 0, settled: 0.0, key, delivered: 0 }
    }

    /// Which server's it is.
    #[must_use]
    pub fn server(&self) -> MailServer {
        self.server
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

    /// Lets a process hold on to a message, or let go of it: until then nobody else can change it. False when there is none.
    pub fn lock(&mut self, id: &str, locked: bool) -> bool {
        self.messages.iter_mut().find(|m| m.id == id).map(|m| m.locked = locked).is_some()
    }

    /// Lets a recipient's server take mail from now on: what waits for it goes with the next attempt.
    pub fn recipient_accepts(&mut self, recipient: &str) {
        for message in self.messages.iter_mut().filter(|message| message.recipient == recipient) {
            message.reason = None;
        }
    }

    /// What was delivered is gone.
    fn gone(&mut self, keep: impl Fn(&Message) -> bool) {
        let before = self.messages.len();
        self.messages.retain(keep);
        self.delivered += u64::try_from(before - self.messages.len()).unwrap_or(0);
    }
}

impl Message {
    /// Whether a process works on it.
    #[must_use]
    pub fn locked(&self) -> bool {
        self.locked
    }
}

impl World {
    /// The mail queue of a machine, brought up to now; `None` when it has none.
    pub fn mail(&mut self, host: &HostName) -> Option<&mut MailQueue> {
        let now = self.seconds();
        let server = self.mail_server(host)?;
        let lives = self.is_up(host) && self.is_alive();
        match server {
            MailServer::Postfix => {
                let runs = self.is_up(host) && self.service_runs(host, "postfix");
                let takes = runs && lives && !self.refuses_mail(host);
                let queue = self.queue_of(host, server)?;
                queue.settle(now, runs, takes);
                Some(queue)
            }
            MailServer::Exim => {
                let runs = self.is_up(host) && self.service_runs(host, "exim4");
                let relay = self.relay(host);
                let (sends, zero) = (lives.then(|| self.fqdn(host)), self.clock_at(host, 0.0));
                let queue = self.queue_of(host, server)?;
                queue.settle_exim(now, runs, &relay, sends.as_deref(), zero);
                Some(queue)
            }
        }
    }

    /// The queue of a machine; one that was made since the world's start begins empty.
    fn queue_of(&mut self, host: &HostName, server: MailServer) -> Option<&mut MailQueue> {
        let (now, key) = (self.seconds(), self.machine(host)?.number(0x3a11));
        let fresh = || MailQueue { settled: now, ..MailQueue::empty(server, key) };
        Some(self.mail.entry(host.clone()).or_insert_with(fresh))
    }

    /// Which mail server a machine has; `None` when it has none.
    #[must_use]
    pub fn mail_server(&self, host: &HostName) -> Option<MailServer> {
        let services = self.services(host);
        if services.contains(&"postfix") {
            return Some(MailServer::Postfix);
        }
        services.contains(&"exim4").then_some(MailServer::Exim)
    }

    /// The moment that a host's clock shows at some second of the world: seconds since 1970.
    #[must_use]
    pub(crate) fn clock_at(&self, host: &HostName, seconds: f64) -> f64 {
        self.epoch(host) - self.seconds() + seconds
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

    /// Makes a queue for every machine with a mail server, and its configuration.
    pub(crate) fn start_mail(&mut self) {
        let made: Vec<(HostName, MailServer)> =
            self.machines().filter_map(|m| Some((m.name.clone(), self.mail_server(&m.name)?))).collect();
        for (host, server) in made {
            let queue = match server {
                MailServer::Postfix => self.start_postfix(&host),
                MailServer::Exim => self.start_exim(&host),
            };
            self.mail.extend(queue.map(|queue| (host, queue)));
        }
    }

    fn start_postfix(&mut self, host: &HostName) -> Option<MailQueue> {
        let text = format!(
            "myhostname = {}\nmydestination = localhost\ninet_interfaces = all\nmynetworks = 127.0.0.0/8 10.0.0.0/8\n\
             smtpd_tls_security_level = may\nmilter_default_action = accept\n\
             smtpd_milters = inet:127.0.0.1:8891\n",
            self.fqdn(host)
        );
        self.write_file(host, "/etc/postfix/main.cf", text.into_bytes());
        self.machine(host).map(MailQueue::of_postfix)
    }
}
