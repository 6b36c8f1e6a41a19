//! Whether SQL changes something, as far as its words tell.

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

/// Words that end a session, or would change what later statements of it mean, with what they do.
const NOT_IN_A_SESSION: [(&str, &str); 33] = [
    ("QUIT", ENDS),
    ("EXIT", ENDS),
    ("SHUTDOWN", ENDS),
    ("KILL", ENDS),
    ("CONNECT", ENDS),
    ("BINLOG", CHANGES_IT),
    ("USE", CHANGES_IT),
    ("BEGIN", CHANGES_IT),
    ("COMMIT", CHANGES_IT),
    ("ROLLBACK", CHANGES_IT),
    ("SAVEPOINT", CHANGES_IT),
    ("XA", CHANGES_IT),
    ("PREPARE", CHANGES_IT),
    ("EXECUTE", CHANGES_IT),
    ("CHARSET", CLIENTS),
    ("CLEAR", CLIENTS),
    ("DELIMITER", CLIENTS),
    ("EDIT", CLIENTS),
    ("EGO", CLIENTS),
    ("GO", CLIENTS),
    ("NOPAGER", CLIENTS),
    ("NOTEE", CLIENTS),
    ("NOWARNING", CLIENTS),
    ("PAGER", CLIENTS),
    ("PRINT", CLIENTS),
    ("PROMPT", CLIENTS),
    ("REHASH", CLIENTS),
    ("RESETCONNECTION", CLIENTS),
    ("SOURCE", CLIENTS),
    ("STATUS", CLIENTS),
    ("SYSTEM", CLIENTS),
    ("TEE", CLIENTS),
    ("WARNINGS", CLIENTS),
];
const ENDS: &str = "would end the session that later statements need";
const CHANGES_IT: &str = "would change the session that later statements need";
const CLIENTS: &str = "is a command of the client, not SQL";

/// What must not be said in a session that stays open, as it is written, and why.
pub(super) fn not_in_a_session(text: &str) -> Option<(String, String)> {
    if let Some(found) = unfinished(text) {
        return Some(found);
    }
    statements(text).iter().find_map(|statement| {
        let mut words = statement.split_whitespace();
        let (first, second) = (words.next()?, words.next().unwrap_or_default());
        let (upper, next) = (first.to_ascii_uppercase(), second.to_ascii_uppercase());
        let found = |what: &str| Some((first.to_owned(), format!("{first} {what}")));
        if let Some((_, what)) = NOT_IN_A_SESSION.iter().find(|(word, _)| *word == upper) {
            return found(what);
        }
        let of_the_server =
            ["GLOBAL", "STATEMENT", "PASSWORD"].contains(&next.as_str()) || next.starts_with("@@GLOBAL.");
        let of_the_session = statement.to_ascii_uppercase().contains("SESSION");
        if (upper == "SET" && (of_the_session || !of_the_server))
            || (upper == "START" && next == "TRANSACTION")
        {
            return found(CHANGES_IT);
        }
        let whole = statement.to_ascii_uppercase();
        let released = ["RELEASE_LOCK", "RELEASE_ALL_LOCKS"].into_iter().find_map(|word| {
            let at = whole.find(word)?;
            statement.get(at..at + word.len())
        });
        released.map(|word| (word.to_owned(), format!("{word} would release what the session holds")))
    })
}

/// What would swallow the statement after it, or is for the client itself: a comment, a quote without an end, a backslash
/// outside of quotes.
fn unfinished(text: &str) -> Option<(String, String)> {
    let mut quote: Option<char> = None;
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        let comment = |mark: &str| {
            Some((mark.to_owned(), "a comment is not allowed in the session of a hold".to_owned()))
        };
        match (quote, c, chars.peek()) {
            (Some(q), '\\', _) if q != '`' => drop(chars.next()),
            (Some(q), c, _) if c == q => quote = None,
            (Some(_), _, _) => {}
            (None, '\'' | '"' | '`', _) => quote = Some(c),
            (None, '-', Some('-')) => return comment("--"),
            (None, '#', _) => return comment("#"),
            (None, '/', Some('*')) => return comment("/*"),
            (None, '\\', _) => return Some(("\\".to_owned(), format!("a backslash {CLIENTS}"))),
            (None, _, _) => {}
        }
    }
    quote.map(|q| (q.to_string(), format!("the quote {q} is not closed")))
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
    use super::{first_change, not_in_a_session};

    #[test]
    fn what_would_end_a_session_or_change_it_is_told() {
        for fine in [
            "SELECT @@read_only",
            "SET GLOBAL read_only = IF(IS_USED_LOCK('x') = CONNECTION_ID(), 0, 1)",
            "set @@global.read_only = 1;",
            "SET STATEMENT max_statement_time=2 FOR SET GLOBAL read_only=1",
            "STOP ALL SLAVES; START SLAVE",
            "SELECT 'RELEASE_LOCK(1); QUIT -- # /* \\' x', \"it''s\", `a\\`",
            "FLUSH TABLES WITH READ LOCK",
            "SELECT {a} - -1 / 2",
        ] {
            assert_eq!(not_in_a_session(fine), None, "{fine}");
        }
        for (wrong, words) in [
            ("quit", "quit"),
            ("SELECT 1; Exit", "Exit"),
            ("SELECT 1 -- one", "--"),
            ("SELECT 1 # one", "#"),
            ("SELECT /*! 1 */ 2", "/*"),
            ("SELECT 1\\G", "\\"),
            ("\\q", "\\"),
            ("SELECT 'a\\'", "'"),
            ("KILL CONNECTION_ID()", "KILL"),
            ("DO RELEASE_LOCK('x')", "RELEASE_LOCK"),
            ("SELECT 1 + release_all_locks()", "release_all_locks"),
            ("SET NAMES latin1", "SET"),
            ("SET sql_mode = ''", "SET"),
            ("SET SESSION autocommit = 0", "SET"),
            ("SET @a = 1", "SET"),
            ("SET GLOBAL a = 1, SESSION b = 2", "SET"),
            ("BEGIN", "BEGIN"),
            ("start transaction", "start"),
            ("USE mysql", "USE"),
            ("DELIMITER //", "DELIMITER"),
            ("source /etc/passwd", "source"),
        ] {
            assert_eq!(not_in_a_session(wrong).map(|(words, _)| words).as_deref(), Some(words), "{wrong}");
        }
    }

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
