//! `CHECKSUM TABLE a, b`: NULL for a table that is not there.

use crate::world::World;

use super::SqlError;
use super::execute::Session;
use super::format::Rows;
use super::lexer::Cursor;
use super::select::table_name;
use super::sources;
use super::value::Value;

pub(super) fn run(session: &mut Session, world: &mut World, c: &mut Cursor<'_>) -> Result<Rows, SqlError> {
    if !c.take_any(&["table", "tables"]) {
        return Err(c.syntax());
    }
    let mut rows = Rows::new(&["Table", "Checksum"]);
    loop {
        let (database, name) = table_name(c)?;
        let shown = database.clone().or_else(|| session.database.clone()).unwrap_or_default();
        let sum = match sources::rows(session, world, database.as_deref(), &name) {
            Ok((heads, found)) => Some(of(&heads, &found).to_string()),
            Err(error) => {
                session.notes.push(("Error", error.code, error.message));
                None
            }
        };
        rows.rows.push(vec![Some(format!("{shown}.{name}")), sum]);
        if !c.symbol(',') {
            break;
        }
    }
    c.take_any(&["quick", "extended"]);
    c.end()?;
    Ok(rows)
}

/// The rows' order does not matter. Numbers and times of a journal's rows are the world's own way to count them: who wrote which row
/// is what its data are.
fn of(heads: &[String], rows: &[Vec<Value>]) -> u32 {
    let journal = heads.iter().map(String::as_str).eq(["id", "app", "seq", "at"]);
    let hash = |row: &Vec<Value>| {
        let cells = row.iter().enumerate().filter(|(place, _)| !journal || matches!(place, 1 | 2));
        let text: Vec<String> = cells.map(|(_, value)| format!("{:?}", value.cell())).collect();
        text.join(",")
            .bytes()
            .fold(0x811c_9dc5_u32, |sum, byte| (sum ^ u32::from(byte)).wrapping_mul(0x0100_0193))
    };
    rows.iter().map(hash).fold(0, u32::wrapping_add)
}
