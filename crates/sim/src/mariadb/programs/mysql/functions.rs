//! The server's functions: time, locks, waiting for replication, counting over rows.

use jiff::Span;
use jiff::civil::DateTime;

use crate::mariadb::Place;
use crate::mariadb::gtid::{Position, PositionError};

use super::SqlError;
use super::eval::Env;
use super::expr::Expr;
use super::value::Value;

pub(super) fn is_aggregate(name: &str) -> bool {
    matches!(name, "count" | "max" | "min" | "sum" | "avg" | "group_concat")
}

/// Functions that do something or wait: worked out once in a statement, however often it is looked at.
fn is_lasting(name: &str) -> bool {
    matches!(
        name,
        "sleep" | "get_lock" | "release_lock" | "master_gtid_wait" | "master_pos_wait" | "rand" | "uuid"
    )
}

/// A moment as the server writes it.
pub(super) fn date_time(epoch: f64, digits: usize) -> String {
    #[allow(clippy::cast_possible_truncation)] // microseconds since 1970
    let micros = (epoch * 1e6) as i64;
    let Ok(time) = jiff::Timestamp::from_microsecond(micros) else { return String::new() };
    let text = time.strftime("%Y-%m-%d %H:%M:%S.%6f").to_string();
    let keep = if digits == 0 { 19 } else { 20 + digits.min(6) };
    text.get(..keep).unwrap_or(&text).to_owned()
}

fn read_time(value: &Value) -> Option<DateTime> {
    let text = value.cell()?;
    let text = text.trim().replace(' ', "T");
    let text = if text.contains('T') { text } else { format!("{text}T00:00:00") };
    text.parse().ok()
}

/// A moment moved by so many units.
pub(super) fn moved(value: &Value, much: f64, unit: &str) -> Value {
    let Some(time) = read_time(value) else { return Value::Null };
    #[allow(clippy::cast_possible_truncation)] // some seconds or days
    let whole = much as i64;
    let none = Span::new();
    let span = match unit.trim_end_matches('s') {
        "microsecond" => none.try_microseconds(whole),
        "minute" => none.try_minutes(whole),
        "hour" => none.try_hours(whole),
        "day" => none.try_days(whole),
        "week" => none.try_weeks(whole),
        "month" => none.try_months(whole),
        "year" => none.try_years(whole),
        _ => none.try_seconds(whole),
    };
    // More than there is time is NULL, as on a real server.
    match span.and_then(|span| time.checked_add(span)) {
        Ok(time) => Value::text(time.strftime("%Y-%m-%d %H:%M:%S").to_string()),
        Err(_) => Value::Null,
    }
}

fn difference(unit: &Expr, from: &Value, to: &Value) -> Value {
    let Expr::Column(unit) = unit else { return Value::Null };
    let (Some(from), Some(to)) = (read_time(from), read_time(to)) else { return Value::Null };
    let micros = i64::try_from(to.duration_since(from).as_micros()).unwrap_or(0);
    let divisor = match unit.to_ascii_lowercase().as_str() {
        "microsecond" => 1,
        "minute" => 60_000_000,
        "hour" => 3_600_000_000,
        "day" => 86_400_000_000,
        _ => 1_000_000,
    };
    Value::Int(micros / divisor)
}

pub(super) fn call(
    env: &mut Env<'_>,
    name: &str,
    written: &str,
    arguments: &[Expr],
    distinct: bool,
) -> Result<Value, SqlError> {
    if is_aggregate(name) {
        return aggregate(env, name, arguments, distinct);
    }
    if name == "timestampdiff" {
        let [unit, from, to] = arguments else { return Err(wrong_count(written)) };
        let (from, to) = (env.value(from)?, env.value(to)?);
        return Ok(difference(unit, &from, &to));
    }
    if name == "if" {
        let [test, yes, no] = arguments else { return Err(wrong_count(written)) };
        let chosen = if env.value(test)?.is_true() == Some(true) { yes } else { no };
        return env.value(chosen);
    }
    if matches!(name, "date_sub" | "date_add" | "subdate" | "adddate") {
        let [time, Expr::Interval(much, unit)] = arguments else { return Err(wrong_count(written)) };
        let (time, much) = (env.value(time)?, env.value(much)?.number().unwrap_or(0.0));
        return Ok(moved(&time, if name.ends_with("sub") || name == "subdate" { -much } else { much }, unit));
    }
    if is_lasting(name)
        && let Some(known) = env.session.remembered()
    {
        return Ok(known);
    }
    let mut values = Vec::with_capacity(arguments.len());
    for argument in arguments {
        values.push(env.value(argument)?);
    }
    let value = plain(env, name, &values)?;
    let value = match value {
        Some(value) => value,
        None => lasting(env, name, written, &values)?,
    };
    if is_lasting(name) {
        env.session.remember(value.clone());
    }
    Ok(value)
}

fn wrong_count(name: &str) -> SqlError {
    let message = format!("Incorrect parameter count in the call to native function '{name}'");
    SqlError::new(1582, "42000", message)
}

fn plain(env: &mut Env<'_>, name: &str, values: &[Value]) -> Result<Option<Value>, SqlError> {
    let epoch = env.world.epoch(&env.session.host);
    let first = values.first().cloned().unwrap_or(Value::Null);
    let cell = |place: usize| values.get(place).and_then(Value::cell);
    let digits = first.number().map_or(0, digits);
    Ok(Some(match name {
        "version" => Value::text(env.session.version.text.clone()),
        "current_user" => Value::text(format!("{}@{}", env.session.account.user, env.session.account.host)),
        "user" | "session_user" | "system_user" => Value::text(env.session.login.clone()),
        "now" | "current_timestamp" | "sysdate" | "localtime" => Value::text(date_time(epoch, digits)),
        "utc_timestamp" => Value::text(date_time(epoch, 0)),
        "unix_timestamp" if values.is_empty() => Value::text(format!("{:.0}", epoch.floor())),
        "unix_timestamp" => read_time(&first)
            .and_then(|t| t.to_zoned(jiff::tz::TimeZone::UTC).ok())
            .map_or(Value::Null, |t| Value::Int(t.timestamp().as_second())),
        "connection_id" => Value::count(env.session.id),
        "database" | "schema" => Value::from_cell(env.session.database.as_deref()),
        "row_count" => Value::Int(env.session.row_count),
        "last_insert_id" => Value::count(env.session.last_insert_id),
        "concat" => packet(
            values.iter().map(Value::cell).collect::<Option<Vec<String>>>().map(|p| (p, String::new())),
        ),
        "concat_ws" => {
            let parts: Vec<String> = values.iter().skip(1).filter_map(Value::cell).collect();
            packet(cell(0).map(|between| (parts, between)))
        }
        "ifnull" | "coalesce" => values.iter().find(|v| **v != Value::Null).cloned().unwrap_or(Value::Null),
        "nullif" => {
            let equal = values.get(1).and_then(|b| first.compare(b)) == Some(std::cmp::Ordering::Equal);
            if equal { Value::Null } else { first }
        }
        "quote" => cell(0).map_or(Value::text("NULL"), |t| {
            Value::text(format!("'{}'", t.replace('\\', "\\\\").replace('\'', "\\'")))
        }),
        "lower" | "lcase" => cell(0).map_or(Value::Null, |t| Value::text(t.to_lowercase())),
        "upper" | "ucase" => cell(0).map_or(Value::Null, |t| Value::text(t.to_uppercase())),
        "length" | "char_length" => cell(0).map_or(Value::Null, |t| Value::count(t.len() as u64)),
        "substring_index" => substring_index(values),
        "replace" => match (cell(0), cell(1), cell(2)) {
            (Some(text), Some(from), Some(_)) if from.is_empty() => Value::text(text),
            (Some(text), Some(from), Some(to)) => {
                packet(Some((text.split(&from).map(str::to_owned).collect(), to)))
            }
            _ => Value::Null,
        },
        "cast" => first,
        "greatest" => values.iter().cloned().reduce(larger).unwrap_or(Value::Null),
        "abs" => first.number().map_or(Value::Null, |n| Value::from_number(n.abs())),
        "floor" => first.number().map_or(Value::Null, |n| Value::from_number(n.floor())),
        "round" => first.number().map_or(Value::Null, |n| Value::from_number(n.round())),
        "is_used_lock" => {
            let name = cell(0).unwrap_or_default();
            env.session.server(env.world)?.sessions.lock_owner(&name).map_or(Value::Null, Value::count)
        }
        "is_free_lock" => {
            let name = cell(0).unwrap_or_default();
            Value::truth(env.session.server(env.world)?.sessions.lock_owner(&name).is_none())
        }
        "rand" => Value::text("0.5271935493862"),
        _ => return Ok(None),
    }))
}

/// The longest text a function makes, as `max_allowed_packet` has it: a longer one is NULL.
const PACKET: usize = 16 * 1024 * 1024;

/// Parts with something between them.
fn packet(joined: Option<(Vec<String>, String)>) -> Value {
    let Some((parts, between)) = joined else { return Value::Null };
    let length = parts.iter().map(|part| part.len() + between.len()).fold(0, usize::saturating_add);
    if length > PACKET { Value::Null } else { Value::text(parts.join(&between)) }
}

/// Digits of a second that were asked for: 0 to 6.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // clamped
fn digits(number: f64) -> usize {
    number.clamp(0.0, 6.0) as usize
}

fn larger(a: Value, b: Value) -> Value {
    match a.compare(&b) {
        None => Value::Null,
        Some(std::cmp::Ordering::Less) => b,
        Some(_) => a,
    }
}

fn substring_index(values: &[Value]) -> Value {
    let [text, between, count] = values else { return Value::Null };
    let (Some(text), Some(between), Some(count)) = (text.cell(), between.cell(), count.number()) else {
        return Value::Null;
    };
    let parts: Vec<&str> = text.split(between.as_str()).collect();
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // a small count
    let wanted = (count.abs() as usize).min(parts.len());
    let chosen = if count < 0.0 { parts.get(parts.len() - wanted..) } else { parts.get(..wanted) };
    Value::text(chosen.unwrap_or_default().join(&between))
}

/// Functions that do something, or wait.
fn lasting(env: &mut Env<'_>, name: &str, written: &str, values: &[Value]) -> Result<Value, SqlError> {
    let cell = |place: usize| values.get(place).and_then(Value::cell);
    let number = |place: usize| values.get(place).and_then(Value::number);
    match name {
        "sleep" => {
            let long = number(0).unwrap_or(0.0);
            if env.session.waited(env.world) < long {
                return Err(SqlError::wait("User sleep"));
            }
            Ok(Value::Int(0))
        }
        "get_lock" => {
            let id = env.session.id;
            let lock = cell(0).unwrap_or_default();
            let limit = number(1).unwrap_or(0.0);
            if env.session.server(env.world)?.sessions.take_lock(&lock, id) {
                return Ok(Value::Int(1));
            }
            if limit >= 0.0 && env.session.waited(env.world) >= limit {
                return Ok(Value::Int(0));
            }
            Err(SqlError::wait("User lock"))
        }
        "release_lock" => {
            let id = env.session.id;
            let lock = cell(0).unwrap_or_default();
            let released = env.session.server(env.world)?.sessions.release_lock(&lock, id);
            Ok(released.map_or(Value::Null, Value::truth))
        }
        "master_gtid_wait" if env.session.version.mariadb => gtid_wait(env, values),
        "master_pos_wait" => pos_wait(env, values),
        "binlog_gtid_pos" if env.session.version.mariadb => {
            let place = Place::parse(&cell(0).unwrap_or_default(), whole(number(1)));
            let server = env.session.server(env.world)?;
            let position = place.and_then(|place| server.position_at(place));
            Ok(position.map_or(Value::Null, |position| Value::text(position.to_string())))
        }
        _ => {
            let message = match &env.session.database {
                Some(database) => format!("FUNCTION {database}.{written} does not exist"),
                None => format!("FUNCTION {written} does not exist"),
            };
            Err(SqlError::new(1305, "42000", message))
        }
    }
}

fn gtid_wait(env: &mut Env<'_>, values: &[Value]) -> Result<Value, SqlError> {
    let Some(text) = values.first().and_then(Value::cell) else { return Ok(Value::Null) };
    let wanted = Position::parse(&text).map_err(|error| position_error(&error))?;
    let limit = values.get(1).and_then(Value::number);
    let waited = env.session.waited(env.world);
    let server = env.session.server(env.world)?;
    if server.slave_pos().reaches(&wanted) || server.faults.waits_lie {
        return Ok(Value::Int(0));
    }
    match limit {
        Some(limit) if waited >= limit => Ok(Value::Int(-1)),
        _ => Err(SqlError::wait("Waiting in MASTER_GTID_WAIT() (primary waiter)")),
    }
}

/// What the server says of a list that is no position.
pub(super) fn position_error(error: &PositionError) -> SqlError {
    match error {
        PositionError::Unreadable => SqlError::new(1941, "HY000", "Could not parse GTID list"),
        PositionError::Twice(one, other) => SqlError::new(
            1943,
            "HY000",
            format!("GTID {one} and {other} conflict (duplicate domain id {})", one.domain),
        ),
    }
}

#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // positions are small and positive
fn whole(number: Option<f64>) -> u64 {
    number.unwrap_or(0.0) as u64
}

fn pos_wait(env: &mut Env<'_>, values: &[Value]) -> Result<Value, SqlError> {
    let (Some(file), Some(position)) =
        (values.first().and_then(Value::cell), values.get(1).and_then(Value::number))
    else {
        return Ok(Value::Null);
    };
    let wanted = Place::parse(&file, whole(Some(position)));
    let limit = values.get(2).and_then(Value::number).filter(|limit| *limit > 0.0);
    let waited = env.session.waited(env.world);
    let server = env.session.server(env.world)?;
    let connection = server.connections.first().filter(|c| c.sql_started);
    let (Some(wanted), Some(connection)) = (wanted, connection) else { return Ok(Value::Null) };
    if connection.executed_place() >= wanted {
        return Ok(Value::Int(0));
    }
    match limit {
        Some(limit) if waited >= limit => Ok(Value::Int(-1)),
        _ => Err(SqlError::wait("Waiting for the slave SQL thread to advance position")),
    }
}

fn aggregate(env: &mut Env<'_>, name: &str, arguments: &[Expr], distinct: bool) -> Result<Value, SqlError> {
    let Some(group) = env.group else {
        return Err(SqlError::new(1111, "HY000", "Invalid use of group function"));
    };
    let first = arguments.first().cloned().unwrap_or(Expr::Star);
    let mut values = Vec::with_capacity(group.len());
    for row in group {
        let mut inner = Env {
            session: &mut *env.session,
            world: &mut *env.world,
            columns: env.columns,
            row,
            group: None,
        };
        let value = inner.value(&first)?;
        if value != Value::Null && !(distinct && values.contains(&value)) {
            values.push(value);
        }
    }
    let sum = || values.iter().filter_map(Value::number).sum::<f64>();
    let by = |a: &&Value, b: &&Value| a.compare(b).unwrap_or(std::cmp::Ordering::Equal);
    #[allow(clippy::cast_precision_loss)] // a few rows
    Ok(match name {
        "count" => Value::count(values.len() as u64),
        "max" => values.iter().max_by(by).cloned().unwrap_or(Value::Null),
        "min" => values.iter().min_by(by).cloned().unwrap_or(Value::Null),
        _ if values.is_empty() => Value::Null,
        "sum" => Value::from_number(sum()),
        "avg" => Value::text(format!("{:.4}", sum() / values.len() as f64)),
        _ => {
            let between = match arguments.get(1) {
                Some(Expr::Value(between)) => between.cell().unwrap_or_default(),
                _ => ",".to_owned(),
            };
            Value::text(values.iter().filter_map(Value::cell).collect::<Vec<_>>().join(&between))
        }
    })
}
