//! A client of the database servers that runs inside an application, not as a program of its host. It finds its server as
//! its host resolves the name, and what it sends goes through the same rights, `read_only`, locks and binary log as the
//! statements of the command-line client.

use std::sync::PoisonError;

use crate::apps::Login;
use crate::mariadb::data::{Cell, ServerError};
use crate::program::SharedWorld;
use jumpdeck_fleet::names::HostName;

use super::execute::{Outcome, Session};
use super::format::Style;
use super::options::Options;
use super::{LOOK, Open, SqlError, login};

/// Lost before the statement was sent: it was not done.
pub const GONE_BEFORE: u32 = 2006;
/// Lost while the statement ran: nobody knows whether it was done.
pub const LOST_DURING: u32 = 2013;

/// A connection to a database server. It ends when this is dropped.
pub struct Client {
    open: Open,
}

impl From<SqlError> for ServerError {
    fn from(error: SqlError) -> Self {
        Self::new(error.code, error.state, error.message)
    }
}

impl Client {
    /// Connects from a host.
    ///
    /// # Errors
    /// As an application gets them: 1045 (denied), 2003 (nothing listens there), 2005 (no such name).
    pub fn connect(world: &SharedWorld, from: &HostName, with: &Login) -> Result<Self, ServerError> {
        let options = Options {
            execute: None,
            style: Style::Batch,
            names: false,
            raw: true,
            silent: true,
            force: false,
            host: Some(with.server.clone()),
            user: Some(with.user.clone()),
            socket: None,
            password: Some(with.password.clone()),
            tls: true,
            defaults: Vec::new(),
            database: Some(with.database.clone()),
        };
        let session = login::connect(world, from, &with.user, &options)?;
        Ok(Self { open: Open { world: world.clone(), session } })
    }

    /// The host whose server it is connected to.
    #[must_use]
    pub fn server(&self) -> &HostName {
        &self.open.session.host
    }

    /// Runs one statement to its end; gives its rows.
    ///
    /// # Errors
    /// The server's own. After [`LOST_DURING`] nobody knows whether the statement was done.
    pub async fn execute(&mut self, sql: &str) -> Result<Vec<Vec<Cell>>, ServerError> {
        loop {
            let outcome = {
                let mut world = self.open.world.lock().unwrap_or_else(PoisonError::into_inner);
                self.open.session.execute(&mut world, sql)
            };
            match outcome {
                Err(error) if error.is_wait() => tokio::time::sleep(LOOK).await,
                Err(error) => return Err(error.into()),
                Ok(Outcome::Done) => return Ok(Vec::new()),
                Ok(Outcome::Rows(rows)) => return Ok(rows.rows),
            }
        }
    }

    /// Whether an answer of the server would arrive now: it runs, has this connection, and nothing is cut.
    #[must_use]
    pub fn is_heard(&self) -> bool {
        let mut world = self.open.world.lock().unwrap_or_else(PoisonError::into_inner);
        let session: &Session = &self.open.session;
        !session.is_cut(&mut world) && session.open(&mut world).is_some_and(|open| open.killed.is_none())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing)]

    use std::sync::{Arc, Mutex};

    use super::*;
    use crate::apps::kinds::WIKI;
    use crate::world::World;
    use crate::world::universe::Universe;

    fn world() -> (Arc<Mutex<World>>, HostName, HostName, HostName) {
        let universe = Universe::load_still("wpd-2015", 7).unwrap();
        let host = |name: &str| HostName::new(name).unwrap();
        (universe.environments.first().unwrap().1.clone(), host("app1"), host("db1-masterdb"), host("db2"))
    }

    fn login(world: &SharedWorld, from: &HostName) -> Login {
        world.lock().unwrap().login_of(from, &WIKI).unwrap()
    }

    #[tokio::test]
    async fn what_a_client_writes_comes_to_the_replica_and_read_only_refuses_it() {
        let (world, app, old, replica) = world();
        let mut client = Client::connect(&world, &app, &login(&world, &app)).unwrap();
        assert_eq!(client.server(), &old);
        client.execute("CREATE TABLE t (k VARCHAR(9) NOT NULL, v BIGINT NOT NULL)").await.unwrap();
        client.execute("INSERT INTO t (k, v) VALUES ('a', 1)").await.unwrap();
        let at_replica = |world: &SharedWorld| {
            let mut world = world.lock().unwrap();
            world.advance(std::time::Duration::from_secs(8));
            world.databases().server(&replica).unwrap().data.table("webplatform", "t").map(|t| t.rows.len())
        };
        assert_eq!(at_replica(&world), Some(1));
        world.lock().unwrap().databases().server_mut(&old).unwrap().read_only = true;
        let refused = client.execute("INSERT INTO t (k, v) VALUES ('a', 2)").await.unwrap_err();
        assert_eq!(refused.code, 1290, "{refused:?}");
        let rows = client.execute("SELECT v, @@global.read_only FROM t WHERE k = 'a'").await.unwrap();
        assert_eq!(rows, [[Some("1".to_owned()), Some("1".to_owned())]]);
        assert_eq!(at_replica(&world), Some(1));
    }

    /// A server that ends takes its answers with it; what it had committed is there when it is back.
    #[tokio::test]
    async fn an_answer_that_does_not_arrive_is_told_apart_from_a_refusal() {
        let (world, app, old, _) = world();
        let mut client = Client::connect(&world, &app, &login(&world, &app)).unwrap();
        client.execute("CREATE TABLE t (v BIGINT NOT NULL)").await.unwrap();
        client.execute("INSERT INTO t (v) VALUES (1)").await.unwrap();
        assert!(client.is_heard());
        assert!(world.lock().unwrap().crash_database(&old));
        assert!(!client.is_heard());
        let error = client.execute("INSERT INTO t (v) VALUES (2)").await.unwrap_err();
        assert!([GONE_BEFORE, LOST_DURING].contains(&error.code), "{error:?}");
        assert!(world.lock().unwrap().start_database(&old));
        let mut again = Client::connect(&world, &app, &login(&world, &app)).unwrap();
        assert_eq!(again.execute("SELECT v FROM t").await.unwrap(), [[Some("1".to_owned())]]);
    }

    #[tokio::test]
    async fn a_cut_between_two_hosts_stops_clients_and_replication_and_nobody_else() {
        let (world, app, old, replica) = world();
        let mut client = Client::connect(&world, &app, &login(&world, &app)).unwrap();
        client.execute("CREATE TABLE t (v BIGINT NOT NULL)").await.unwrap();
        let seconds = |n| world.lock().unwrap().advance(std::time::Duration::from_secs(n));
        seconds(8);
        world.lock().unwrap().cut_databases(&old, &replica, true);
        client.execute("INSERT INTO t (v) VALUES (1)").await.unwrap();
        let rows = |world: &SharedWorld| {
            let mut world = world.lock().unwrap();
            world.databases().server(&replica).unwrap().data.table("webplatform", "t").unwrap().rows.len()
        };
        seconds(8);
        assert_eq!(rows(&world), 0);
        world.lock().unwrap().cut_databases(&old, &replica, false);
        seconds(8);
        assert_eq!(rows(&world), 1);
        world.lock().unwrap().cut_databases(&app, &old, true);
        assert!(!client.is_heard());
        assert_eq!(Client::connect(&world, &app, &login(&world, &app)).err().map(|e| e.code), Some(2003));
        world.lock().unwrap().cut_databases(&app, &old, false);
        assert!(client.is_heard());
        // A statement that was under way when the link went is done when it is back: nobody sent it twice.
        client.execute("INSERT INTO t (v) VALUES (2)").await.unwrap();
    }

    /// A full disk: what writes waits, and `read_only` waits for it, as MariaDB does; replicas apply nothing.
    #[tokio::test]
    async fn on_a_full_disk_writes_wait_and_go_on_when_there_is_room() {
        let (world, app, old, _) = world();
        let mut client = Client::connect(&world, &app, &login(&world, &app)).unwrap();
        client.execute("CREATE TABLE t (v BIGINT NOT NULL)").await.unwrap();
        world.lock().unwrap().databases().fill_disk(&old, true);
        let waits = tokio::time::timeout(
            std::time::Duration::from_millis(200),
            client.execute("INSERT INTO t (v) VALUES (1)"),
        );
        assert!(waits.await.is_err());
        assert!(world.lock().unwrap().databases().server(&old).unwrap().sessions.writing(0));
        world.lock().unwrap().databases().fill_disk(&old, false);
        client.execute("INSERT INTO t (v) VALUES (1)").await.unwrap();
        assert!(!world.lock().unwrap().databases().server(&old).unwrap().sessions.writing(0));
        assert_eq!(client.execute("SELECT v FROM t").await.unwrap().len(), 1);
    }
}
