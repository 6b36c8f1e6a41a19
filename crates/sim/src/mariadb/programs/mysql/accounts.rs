//! `CREATE|ALTER|DROP USER`, `GRANT`, `REVOKE`, `SHOW GRANTS`.

use std::collections::BTreeSet;

use crate::mariadb::accounts::{Account, Grant, database_privileges, global_privileges};
use crate::mariadb::data::Effect;
use crate::world::World;

use super::SqlError;
use super::execute::{Outcome, Session};
use super::format::Rows;
use super::lexer::{Cursor, Token};
use super::tables::commit;

/// Whether CREATE, DROP or ALTER is about users.
pub(super) fn is_about_accounts(c: &Cursor<'_>) -> bool {
    matches!(c.peek_second(), Some(Token::Word(word)) if word.eq_ignore_ascii_case("user"))
}

/// How a password shows in SHOW GRANTS and `mysql.user`: never as it is. 40 digits, as a real one has.
pub(super) fn hash(password: &str) -> String {
    let mut digits = String::from("*");
    let mut state = 0xcbf2_9ce4_8422_2325_u64;
    for round in 0..3_u8 {
        for byte in password.bytes().chain([round]) {
            state = (state ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
        }
        digits.push_str(&format!("{state:016X}"));
    }
    digits.chars().take(41).collect()
}

pub(super) fn run(session: &mut Session, world: &mut World, c: &mut Cursor<'_>) -> Result<Outcome, SqlError> {
    let sql = masked(c.sql());
    let effects = if c.take("grant") {
        grant(session, world, c, true)?
    } else if c.take("revoke") {
        grant(session, world, c, false)?
    } else {
        let create = c.is("create");
        let alter = c.is("alter");
        c.next();
        c.expect_word("user")?;
        match (create, alter) {
            (true, _) => create_users(session, world, c)?,
            (_, true) => alter_user(session, world, c)?,
            _ => drop_users(session, world, c)?,
        }
    };
    session.need(&["CREATE USER"])?;
    for effect in effects {
        commit(session, world, &sql, effect)?;
    }
    Ok(Outcome::Done)
}

/// The binary log has passwords hashed.
fn masked(sql: &str) -> String {
    match sql.to_ascii_lowercase().find("identified") {
        Some(at) => format!("{} IDENTIFIED BY PASSWORD '*'", sql.get(..at).unwrap_or_default().trim_end()),
        None => sql.to_owned(),
    }
}

/// `user@host`, quoted or not; without a host it is `%`.
fn account_name(c: &mut Cursor<'_>) -> Result<(String, String), SqlError> {
    let user = c.word_or_text()?;
    if !c.symbol('@') {
        return Ok((user, "%".to_owned()));
    }
    let mut host = c.word_or_text()?;
    // A host without quotes may have dots and dashes.
    while let Some(Token::Symbol(sign @ ('.' | '-' | '%'))) = c.peek().cloned() {
        c.next();
        host.push(sign);
        if matches!(c.peek(), Some(Token::Word(_) | Token::Number(_))) {
            host.push_str(&c.word_or_text()?);
        }
    }
    Ok((user, host))
}

/// `IDENTIFIED BY '…'` and `REQUIRE SSL|X509|NONE`; whether the latter was said.
fn authentication(c: &mut Cursor<'_>, account: &mut Account) -> Result<bool, SqlError> {
    let mut said = false;
    loop {
        if c.take("identified") {
            c.expect_word("by")?;
            c.take("password");
            account.password = Some(c.text().ok_or_else(|| c.syntax())?);
        } else if c.take("require") {
            said = true;
            account.tls = !c.take("none");
            if account.tls && !c.take_any(&["ssl", "x509"]) {
                return Err(c.syntax());
            }
        } else {
            return Ok(said);
        }
    }
}

/// `IF EXISTS`, or `IF NOT EXISTS`.
pub(super) fn if_exists(c: &mut Cursor<'_>, not: bool) -> Result<bool, SqlError> {
    if !c.take("if") {
        return Ok(false);
    }
    if not {
        c.expect_word("not")?;
    }
    c.expect_word("exists")?;
    Ok(true)
}

fn create_users(
    session: &mut Session,
    world: &mut World,
    c: &mut Cursor<'_>,
) -> Result<Vec<Effect>, SqlError> {
    let lenient = if_exists(c, true)?;
    let mut effects = Vec::new();
    loop {
        let (user, host) = account_name(c)?;
        let mut account = Account { user, host, ..Account::default() };
        authentication(c, &mut account)?;
        let known = session.server(world)?.data.accounts.get(&account.user, &account.host).is_some();
        if known && lenient {
            let text = format!("Can't create user '{}'@'{}'; it already exists", account.user, account.host);
            session.notes.push(("Note", 1973, text));
        } else {
            effects.push(Effect::CreateUser(account));
        }
        if !c.symbol(',') {
            break;
        }
    }
    c.end()?;
    Ok(effects)
}

fn alter_user(session: &mut Session, world: &mut World, c: &mut Cursor<'_>) -> Result<Vec<Effect>, SqlError> {
    let lenient = if_exists(c, false)?;
    let (user, host) = account_name(c)?;
    let found = session.server(world)?.data.accounts.get(&user, &host).cloned();
    if found.is_none() && lenient {
        return Ok(Vec::new());
    }
    let mut account = found.unwrap_or(Account { user, host, ..Account::default() });
    authentication(c, &mut account)?;
    c.end()?;
    Ok(vec![Effect::AlterUser(account)])
}

fn drop_users(session: &mut Session, world: &mut World, c: &mut Cursor<'_>) -> Result<Vec<Effect>, SqlError> {
    let lenient = if_exists(c, false)?;
    let mut effects = Vec::new();
    loop {
        let (user, host) = account_name(c)?;
        let known = session.server(world)?.data.accounts.get(&user, &host).is_some();
        if !known && lenient {
            let text = format!("Can't drop user '{user}'@'{host}'; it doesn't exist");
            session.notes.push(("Note", 1974, text));
        } else {
            effects.push(Effect::DropUser { user, host });
        }
        if !c.symbol(',') {
            break;
        }
    }
    c.end()?;
    Ok(effects)
}

/// The words of the privileges up to ON; `ALL [PRIVILEGES]` is none listed.
fn privileges(c: &mut Cursor<'_>) -> Result<Option<BTreeSet<String>>, SqlError> {
    let mut list = BTreeSet::new();
    let mut words: Vec<String> = Vec::new();
    loop {
        let on = c.take("on");
        if on || c.symbol(',') {
            list.insert(std::mem::take(&mut words).join(" "));
            if on {
                break;
            }
        } else {
            words.push(c.name()?.to_ascii_uppercase());
        }
    }
    let all = list.iter().any(|p| p == "ALL" || p == "ALL PRIVILEGES");
    Ok((!all).then_some(list))
}

fn grant(
    session: &mut Session,
    world: &mut World,
    c: &mut Cursor<'_>,
    give: bool,
) -> Result<Vec<Effect>, SqlError> {
    let start = c.syntax();
    let listed = privileges(c)?;
    let database = place(c)?;
    c.expect_word(if give { "to" } else { "from" })?;
    let known = global_privileges(&session.version);
    let renamed = |word: String| match word.as_str() {
        "READ ONLY ADMIN" => "READ_ONLY ADMIN".to_owned(),
        "REPLICATION CLIENT" if known.contains(&"BINLOG MONITOR") => "BINLOG MONITOR".to_owned(),
        "REPLICATION REPLICA" => "REPLICATION SLAVE".to_owned(),
        _ => word,
    };
    let privileges: BTreeSet<String> = match (listed, &database) {
        (Some(list), _) => list.into_iter().map(renamed).filter(|p| p != "USAGE").collect(),
        (None, None) => known.iter().map(|p| (*p).to_owned()).collect(),
        (None, Some(_)) => database_privileges().iter().map(|p| (*p).to_owned()).collect(),
    };
    if privileges.iter().any(|p| !known.contains(&p.as_str()) && p != "GRANT OPTION") {
        return Err(start);
    }
    let mut effects = Vec::new();
    loop {
        let (user, host) = account_name(c)?;
        let mut account = Account { user: user.clone(), host: host.clone(), ..Account::default() };
        let said = authentication(c, &mut account)?;
        let option = c.take("with");
        if option {
            c.expect_word("grant")?;
            c.expect_word("option")?;
        }
        let tls = said.then_some(account.tls);
        // With a password, GRANT makes the account, as it did before there was ALTER USER.
        if give && account.password.is_some() {
            let found = session.server(world)?.data.accounts.get(&user, &host).cloned();
            effects.push(match found {
                None => Effect::CreateUser(account),
                Some(old) => Effect::AlterUser(Account { password: account.password, ..old }),
            });
        }
        let grant = Grant { privileges: privileges.clone(), database: database.clone(), option, tls };
        effects.push(if give {
            Effect::Grant { user, host, grant }
        } else {
            Effect::Revoke { user, host, grant }
        });
        if !c.symbol(',') {
            break;
        }
    }
    c.end()?;
    Ok(effects)
}

/// `*.*`, or a database: single tables are not simulated.
fn place(c: &mut Cursor<'_>) -> Result<Option<String>, SqlError> {
    if c.symbol('*') {
        if c.symbol('.') {
            c.expect('*')?;
        }
        return Ok(None);
    }
    let name = c.name()?;
    c.expect('.')?;
    if c.symbol('*') { Ok(Some(name)) } else { Err(SqlError::unsupported(c.sql())) }
}

/// `SHOW GRANTS [FOR account]`.
pub(super) fn show(session: &Session, world: &mut World, c: &mut Cursor<'_>) -> Result<Rows, SqlError> {
    let own = !c.take("for") || c.take("current_user");
    let (user, host) =
        if own { (session.account.user.clone(), session.account.host.clone()) } else { account_name(c)? };
    if c.symbol('(') {
        c.expect(')')?;
    }
    c.end()?;
    let quote = if session.version.mariadb_from(10, 4) { '`' } else { '\'' };
    let name = format!("{quote}{user}{quote}@{quote}{host}{quote}");
    let server = session.server(world)?;
    let Some(account) = server.data.accounts.get(&user, &host) else {
        let message = format!("There is no such grant defined for user '{user}' on host '{host}'");
        return Err(SqlError::new(1141, "42000", message));
    };
    let known = global_privileges(&session.version);
    let held: Vec<&str> = known.iter().copied().filter(|p| account.has(p)).collect();
    let what = match held.len() {
        0 => "USAGE".to_owned(),
        all if all == known.len() => "ALL PRIVILEGES".to_owned(),
        _ => held.join(", "),
    };
    let mut first = format!("GRANT {what} ON *.* TO {name}");
    if let Some(password) = &account.password {
        first.push_str(&format!(" IDENTIFIED BY PASSWORD '{}'", hash(password)));
    }
    if account.tls {
        first.push_str(" REQUIRE SSL");
    }
    if account.option {
        first.push_str(" WITH GRANT OPTION");
    }
    let mut rows = Rows::new(&[&format!("Grants for {user}@{host}")]);
    rows.rows.push(vec![Some(first)]);
    for (database, held) in &account.databases {
        let listed: Vec<&str> = database_privileges().iter().copied().filter(|p| held.contains(*p)).collect();
        let all = listed.len() == database_privileges().len();
        let what = if all { "ALL PRIVILEGES".to_owned() } else { listed.join(", ") };
        rows.rows.push(vec![Some(format!("GRANT {what} ON `{database}`.* TO {name}"))]);
    }
    Ok(rows)
}
