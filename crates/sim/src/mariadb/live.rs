//! How the databases of a world live on: those without a connection write, replicas receive and apply.

use crate::apps::kinds::WIKI;
use crate::posix::machine::count;
use crate::world::noise::unit;

use super::data::{Effect, ServerError};
use super::log::Run;
use super::replica::{Refused, ThreadError};
use super::{Databases, Server, TICKS};

impl Databases {
    /// Begins the next tick: those who write without a connection do, each second.
    pub(crate) fn begin_tick(&mut self) {
        self.tick += 1;
        if !self.alive || !self.tick.is_multiple_of(TICKS) {
            return;
        }
        let second = self.tick / TICKS;
        for index in 0..self.servers.len() {
            let Some(server) = self.servers.get(index) else { continue };
            let waits = server.sessions.writes_locked(0) || server.faults.disk_full;
            if server.running && !server.read_only && !waits {
                let due = server.due(second);
                self.write(index, due, false, None);
            }
        }
    }

    /// Ends the tick: replicas connect, receive and apply.
    pub(crate) fn end_tick(&mut self) {
        // What each log held before: a chain of replicas takes a tick a link.
        let ends: Vec<u64> = self.servers.iter().map(|s| s.log.end()).collect();
        self.attach_all();
        for index in 0..self.servers.len() {
            if self.servers.get(index).is_some_and(|s| s.running && !s.connections.is_empty()) {
                self.receive(index, &ends);
                self.apply(index);
            }
        }
    }

    /// Lets every IO thread that can reach its master have it, and notices masters that are gone.
    pub(crate) fn attach_all(&mut self) {
        for index in 0..self.servers.len() {
            let connections = self.servers.get(index).map_or(0, |s| s.connections.len());
            for place in 0..connections {
                self.attach_one(index, place);
            }
        }
    }

    fn attach_one(&mut self, index: usize, place: usize) {
        let Some(server) = self.servers.get(index) else { return };
        let Some(c) = server.connections.get(place) else { return };
        let lost = |d: &super::replica::Dump| {
            !server.running || self.servers.get(d.master).is_none_or(|m| !m.running || m.address != c.host)
        };
        let gone = c.dump.as_ref().is_some_and(lost);
        if !gone && (c.dump.is_some() || !c.io_started || !server.running) {
            return;
        }
        let outcome = if c.io_started && server.running { Some(self.attach(server, c)) } else { None };
        let ids = match &outcome {
            Some(Ok(dump)) => self.servers.get(dump.master).map(|m| (m.server_id, m.log.place(dump.next))),
            _ => None,
        };
        let received = if c.using == super::replica::Using::CurrentPos && c.relay.is_empty() {
            server.current_pos()
        } else {
            server.slave_pos.clone()
        };
        let Some(c) = self.servers.get_mut(index).and_then(|s| s.connections.get_mut(place)) else { return };
        c.dump = None;
        match outcome {
            Some(Ok(mut dump)) => {
                // What is in the relay log need not be sent again.
                if let Some((number, run)) = c.relay.back() {
                    dump.next = number + run.count;
                } else if let Some((id, at)) = ids {
                    c.master_id = id;
                    (c.read, c.executed) = (at, at);
                    c.received_gtid = received;
                }
                c.source = Some(dump.master);
                c.dump = Some(dump);
                c.was_connected = true;
                c.io_error = ThreadError::default();
            }
            Some(Err(Refused::Later(error))) => c.io_error = error,
            Some(Err(Refused::Stop(error))) => {
                c.io_error = error;
                c.io_started = false;
            }
            None => {}
        }
    }

    fn receive(&mut self, index: usize, ends: &[u64]) {
        let places = self.servers.get(index).map_or(0, |s| s.connections.len());
        for place in 0..places {
            let Some(server) = self.servers.get(index) else { continue };
            let Some(dump) = server.connections.get(place).and_then(|c| c.dump.clone()) else { continue };
            let (Some(master), Some(end)) = (self.servers.get(dump.master), ends.get(dump.master)) else {
                continue;
            };
            // A cut is noticed by nobody until a timeout; a relay log needs room.
            let stands = self.is_cut(&server.address, &master.address) || server.faults.disk_full;
            if dump.next >= *end || stands {
                continue;
            }
            let own = server.server_id;
            let mut fresh: Vec<(u64, Run)> = Vec::new();
            for (number, run) in master.log.from(dump.next) {
                let Some(left) = end.checked_sub(number).filter(|left| *left > 0) else { break };
                let mut run = run.head(left);
                let mut number = number;
                if let Some((_, from)) = dump.from.iter().find(|(domain, _)| *domain == run.first.domain) {
                    let skip = from.saturating_sub(number).min(run.count);
                    run = run.tail(skip);
                    number += skip;
                }
                // A server never applies what it wrote itself.
                if run.count > 0 && run.first.server != own {
                    fresh.push((number, run));
                }
            }
            let read = master.log.place(*end);
            let at_end = fresh.is_empty();
            let Some(c) = self.servers.get_mut(index).and_then(|s| s.connections.get_mut(place)) else {
                continue;
            };
            for (_, run) in &fresh {
                c.received_gtid.set(run.last());
            }
            c.relay.extend(fresh);
            c.read = read;
            if at_end && c.relay.is_empty() {
                c.executed = read;
            }
            if let Some(dump) = &mut c.dump {
                dump.next = *end;
            }
        }
    }

    fn apply(&mut self, index: usize) {
        let (tick, second) = (self.tick, self.tick / TICKS);
        let rate: f64 = self.servers.iter().map(Server::rate).sum();
        let Some(server) = self.servers.get(index) else { return };
        let connections = server.connections.len();
        // Now and then a replica is busy for a second or two.
        let busy = [second, second.saturating_sub(1)].iter().any(|s| unit(server.key ^ 0x1a9, *s) < 0.008);
        if busy || server.sessions.writes_locked(0) || server.faults.disk_full {
            return;
        }
        let pace = server.faults.apply_rate.unwrap_or(400 + count(rate * 15.0));
        let mut left = quarter(pace, tick);
        for place in 0..connections {
            self.stop_where_told(index, place);
            while left > 0 {
                match self.apply_next(index, place, left) {
                    Some(done) => left -= done,
                    None => break,
                }
            }
            self.stop_where_told(index, place);
        }
    }

    /// `START SLAVE UNTIL`: both threads stop where they were told to.
    fn stop_where_told(&mut self, index: usize, place: usize) {
        let Some(server) = self.servers.get_mut(index) else { return };
        let reached = |c: &super::replica::Connection| {
            c.sql_started && c.until.as_ref().is_some_and(|until| server.slave_pos.reaches(until))
        };
        if server.connections.get(place).is_some_and(reached)
            && let Some(c) = server.connections.get_mut(place)
        {
            c.switch(true, true, false);
        }
    }

    /// Applies the next run of a connection's relay log, as much of it as may be now; `None` when there is nothing to do.
    fn apply_next(&mut self, index: usize, place: usize, most: u64) -> Option<u64> {
        let tick = self.tick;
        let server = self.servers.get_mut(index)?;
        let c = server.connections.get(place).filter(|c| c.sql_started)?;
        let (number, run) = c.relay.front().cloned()?;
        if run.at + c.delay * TICKS > tick {
            return None;
        }
        let until = c.until.as_ref().and_then(|until| until.get(run.first.domain));
        let most = until.map_or(most, |until| most.min((until.seq + 1).saturating_sub(run.first.seq)));
        if most == 0 {
            return None;
        }
        let part = run.head(most);
        let outcome = server.apply_run(&part);
        let source = c_source(server, place);
        let after = number + part.count;
        let executed = source.and_then(|s| self.servers.get(s)).map(|m| m.log.place(after));
        let c = self.servers.get_mut(index)?.connections.get_mut(place)?;
        if let Err(error) = outcome {
            c.sql_error = ThreadError { code: error.code, message: sql_message(&error, &part) };
            c.sql_started = false;
            return None;
        }
        c.count += part.count;
        c.relay.pop_front();
        let rest = run.tail(part.count);
        if rest.count > 0 {
            c.relay.push_front((after, rest));
        }
        c.executed = if c.relay.is_empty() { c.read } else { executed.unwrap_or(c.read) };
        Some(part.count)
    }
}

fn c_source(server: &Server, place: usize) -> Option<usize> {
    server.connections.get(place).and_then(|c| c.source)
}

/// A tick's part of what is done in a second.
pub(crate) fn quarter(whole: u64, tick: u64) -> u64 {
    let part = tick % TICKS;
    whole * (part + 1) / TICKS - whole * part / TICKS
}

/// What the SQL thread says of an error: the server's own words, and the statement.
fn sql_message(error: &ServerError, run: &Run) -> String {
    if error.code == 1950 {
        return error.message.clone();
    }
    let (sql, database) = match &run.change {
        Some(change) => (change.sql.as_str(), change.database.as_str()),
        None => ("INSERT INTO journal (app, seq, at) VALUES (?, ?, NOW(3))", WIKI.database),
    };
    format!("Error '{}' on query. Default database: '{database}'. Query: '{sql}'", error.message)
}

impl Server {
    /// Applies transactions of another server, as the SQL thread does.
    fn apply_run(&mut self, run: &Run) -> Result<(), ServerError> {
        if self.holds(run.writer, run.first, run.count) > 0
            || run.journal.is_some_and(|first| first < self.journal_next)
        {
            let id = run.journal.unwrap_or(run.first.seq);
            let message = format!("Duplicate entry '{id}' for key 'PRIMARY'");
            return Err(ServerError::new(1062, "23000", message));
        }
        let last = self.log.state().last(run.first.domain);
        if let Some(last) = last.filter(|last| self.settings.log_slave_updates && last.seq >= run.first.seq)
            && self.settings.strict
        {
            let message = format!(
                "An attempt was made to binlog GTID {} which would create an out-of-order sequence number with existing \
                 GTID {last}, and gtid strict mode is enabled",
                run.first
            );
            return Err(ServerError::new(1950, "HY000", message));
        }
        match &run.change {
            // Rows that only come: one that is changed later would be missed by the replica itself.
            Some(change)
                if self.faults.loses_rows > 0
                    && matches!(&change.effect, Effect::Rows { gone, .. } if gone.is_empty()) =>
            {
                self.faults.loses_rows -= 1;
            }
            Some(change) => self.apply_effect(&change.effect)?,
            None => {}
        }
        self.take(run);
        Ok(())
    }
}
