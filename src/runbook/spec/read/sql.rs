//! Whether SQL changes something, as far as its words tell. Imports nothing.

/// Words that a statement begins with when it changes something.
const CHANGES: [&str; 26] = [
    "INSERT",
    "UPDATE",
    "DELETE",
    "REPLACE",
    "DROP",
    "ALTER",
    "CREATE",
    "TRUNCATE",
    "GRANT",
    "REVOKE",
    "RENAME",
    "RESET",
    "PURGE",
    "FLUSH",
    "KILL",
    "STOP",
    "START",
    "CHANGE",
    "LOAD",
    "CALL",
    "INSTALL",
    "UNINSTALL",
    "LOCK",
    "OPTIMIZE",
    "REPAIR",
    "SHUTDOWN",
];

/// The first words that change something, as they are written.
pub(super) fn first_change(text: &str) -> Option<String> {
    statements(text).into_iter().find_map(|statement| {
        let mut words = statement.split_whitespace();
        let first = words.next()?;
        let upper = first.to_ascii_uppercase();
        if CHANGES.contains(&upper.as_str()) {
            return Some(first.to_owned());
        }
        if upper != "SET" {
            return None;
        }
        let second = words.next()?.to_ascii_uppercase();
        match second.as_str() {
            // SET STATEMENT … FOR SELECT …
            "STATEMENT" => {
                let rest = statement.to_ascii_uppercase();
                let after = rest.find(" FOR ").and_then(|at| statement.get(at + 5..))?;
                first_change(after)
            }
            "GLOBAL" | "PASSWORD" | "DEFAULT" => Some(first.to_owned()),
            word if word.starts_with("@@GLOBAL.") => Some(first.to_owned()),
            _ => None,
        }
    })
}

/// Statements, without comments; quoted semicolons part nothing.
fn statements(text: &str) -> Vec<String> {
    let mut all = vec![String::new()];
    let mut quote: Option<char> = None;
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match (quote, c) {
            (Some(_), '\\') => drop(chars.next()),
            (Some(q), c) if c == q => quote = None,
            (Some(_), _) => {}
            (None, '\'' | '"' | '`') => {
                quote = Some(c);
                push(&mut all, '\'');
            }
            (None, '-') if chars.peek() == Some(&'-') => while chars.next_if(|c| *c != '\n').is_some() {},
            (None, '#') => while chars.next_if(|c| *c != '\n').is_some() {},
            (None, ';') => all.push(String::new()),
            (None, c) => push(&mut all, c),
        }
    }
    all
}

fn push(all: &mut [String], c: char) {
    if let Some(last) = all.last_mut() {
        last.push(c);
    }
}

#[cfg(test)]
mod tests {
    use super::first_change;

    #[test]
    fn changes_are_told_from_reads() {
        for reads in [
            "SELECT @@read_only",
            "SHOW ALL SLAVES STATUS",
            "SELECT 'a; DROP TABLE b'",
            "-- DROP\nSELECT 1; # DROP\nSHOW STATUS",
            "SET STATEMENT max_statement_time=10 FOR SELECT MASTER_GTID_WAIT({g}, 30)",
            "DO SLEEP(0.5); SHOW MASTER STATUS",
            "SET SESSION a = 1; SELECT 1",
        ] {
            assert_eq!(first_change(reads), None, "{reads}");
        }
        for (changes, word) in [
            ("SET GLOBAL read_only = 1", "SET"),
            ("set @@global.read_only = 1", "set"),
            ("SELECT 1; stop slave", "stop"),
            ("SET STATEMENT max_statement_time=10 FOR SET GLOBAL read_only=1", "SET"),
            ("SELECT 'it''s'; RESET MASTER", "RESET"),
        ] {
            assert_eq!(first_change(changes).as_deref(), Some(word), "{changes}");
        }
    }
}
