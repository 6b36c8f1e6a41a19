//! Answers of the client, whole, broken and in other formats.
#![allow(clippy::unwrap_used, clippy::panic)]

use super::*;

fn part(header: &str, rows: &str) -> ClientAnswer {
    let body = format!("{PROOF}{MARKER}\nvariables\t4\n{header}\n{rows}{MARKER}\nend\t0\n{STDERR}");
    ClientAnswer::read(0, &body)
}

fn said(gap: Result<&[ResultRow], Gap>) -> String {
    gap.map_or_else(|gap| gap.describe(), |rows| format!("{} rows", rows.len()))
}

#[test]
fn rows_share_the_names_of_their_columns() {
    let answer = part(&"A".repeat(100_000), &"x\n".repeat(900));
    let rows = answer.part("variables", &[]).unwrap_or_else(|gap| panic!("{}", gap.describe()));
    assert_eq!(rows.len(), 900);
    let first = rows.first().unwrap();
    assert!(rows.iter().all(|row| Rc::ptr_eq(&row.columns, &first.columns)));
    assert_eq!(first.get(&"a".repeat(100_000)), Some("x"));
}

#[test]
fn more_rows_than_are_read_are_told_as_our_own_limit() {
    assert_eq!(
        part("a", &"x\n".repeat(MAX_ROWS)).part("variables", &[]).map(<[ResultRow]>::len),
        Ok(MAX_ROWS)
    );
    let too_many = part("a", &"x\n".repeat(MAX_ROWS + 1));
    let said = said(too_many.part("variables", &[]));
    assert!(said.contains("1000 rows") && said.contains("jumpdeck"), "{said}");
}

/// Case 22: a value that is too long is named as cut by us, and the rest of its row stays.
#[test]
fn a_value_that_the_host_cut_is_cut_by_us_and_its_row_stays() {
    let answer = part("io\tgtid", "Yes\t\\jd-cut 70000\n");
    let rows = answer.part("variables", &["io", "gtid"]).unwrap();
    let row = rows.first().unwrap();
    assert_eq!((row.get("io"), row.get("gtid")), (Some("Yes"), None));
    assert!(matches!(row.cut("gtid"), Some(Gap::Cut(said)) if said.as_str().contains("70000")));
    // What a server holds cannot look like it: the client doubles its backslash.
    let answer = part("a", "\\\\jd-cut 70000\n");
    let rows = answer.part("variables", &["a"]).unwrap();
    assert_eq!(rows.first().unwrap().get("a"), Some("\\jd-cut 70000"));
}

#[test]
fn an_answer_that_the_host_cut_is_cut_by_us() {
    let body = format!("{PROOF}{MARKER}\nvariables\t4\na\tb\n1\t2\n{CUT}\n{STDERR}");
    let said = said(ClientAnswer::read(141, &body).part("variables", &["a"]));
    assert!(said.starts_with("cut by jumpdeck"), "{said}");
}

/// Case 05: rows are believed only below the columns that were asked for.
#[test]
fn another_format_makes_up_no_row() {
    for text in [
        "*** 1. row ***\njumpdeck: as\tbatch\n",
        "<TABLE BORDER=1><TR><TH>jumpdeck</TH></TR></TABLE>\n",
        "as\\tbatch\nvariables\t4\nversion\t10\n",
        "+----------+\n| jumpdeck |\n",
        "--------------\nSELECT 'as\tbatch' AS jumpdeck\n--------------\n\njumpdeck\nas\\tbatch\n",
        "jumpdeck\nas\tbatch\n",
    ] {
        let said = said(ClientAnswer::read(0, &format!("{text}{STDERR}")).part("variables", &[]));
        assert!(said.starts_with("unreadable") && said.contains("option files"), "{text}: {said}");
    }
    let headless = part("version\t10", "").part("variables", &["variable_name"]).map(<[ResultRow]>::len);
    assert!(headless.is_err());
    let other = part("a\tb", "1\t2\n").part("variables", &["variable_name"]).map(<[ResultRow]>::len);
    assert!(other.is_err());
}

/// Case 03: the client's own error, whatever sudo, the loader and the shell say around it.
#[test]
fn a_real_error_is_shown_and_not_the_warnings_around_it() {
    let warnings = "sudo: unable to resolve host db1: Name or service not known\n\
        ERROR: ld.so: object 'libeatmydata.so' from LD_PRELOAD cannot be preloaded: ignored.\n\
        /bin/sh: warning: setlocale: LC_ALL: cannot change locale (de_DE)\n\
        mysql: [Warning] Using a password on the command line interface can be insecure.\n";
    for (status, stderr, want) in [
        (1, "ERROR 1045 (28000): Access denied for user 'x'@'localhost'", "not permitted: ERROR 1045"),
        (1, "ERROR 2002 (HY000): Can't connect", "failed: ERROR 2002"),
        (7, "mariadb: unknown variable 'ssl-mode=DISABLED'", "failed: mariadb: unknown variable 'ssl-mode"),
        (1, "sudo: a password is required", "not permitted: sudo: a password"),
        (127, "", "tool missing"),
        (1, "", "failed: the client ended with status 1"),
        (124, "", "timed out"),
    ] {
        let said =
            said(ClientAnswer::read(status, &format!("{STDERR}{warnings}{stderr}\n")).part("variables", &[]));
        assert!(said.starts_with(want), "{stderr}: {said}");
    }
    assert_eq!(
        said(ClientAnswer::read(127, "timeout or sleep\n").part("variables", &[])),
        "tool missing: timeout or sleep"
    );
    assert_eq!(said(ClientAnswer::read(123, "").part("variables", &[])), Gap::Stuck.describe());
    let fine = format!("{PROOF}{MARKER}\nvariables\t4\na\n1\n{MARKER}\nend\t0\n{STDERR}{warnings}");
    assert_eq!(said(ClientAnswer::read(0, &fine).part("variables", &["a"])), "1 rows");
}

/// Fleet finding 8: a server lost in the middle of its answer is named, and what came before stays.
#[test]
fn a_server_lost_in_the_middle_is_named() {
    let body = format!(
        "{PROOF}{MARKER}\nvariables\t4\na\n1\n{MARKER}\nconnections\t6\n{STDERR}\
         ERROR 2013 (HY000) at line 6: Lost connection to server during query\n"
    );
    let answer = ClientAnswer::read(1, &body);
    assert_eq!(said(answer.part("variables", &["a"])), "1 rows");
    assert!(said(answer.part("connections", &[])).starts_with("failed: ERROR 2013"));
    assert!(said(answer.part("replicas", &[])).starts_with("failed: ERROR 2013"));
}

#[test]
fn a_statement_that_hung_is_a_gap_of_its_own() {
    let body = format!(
        "{PROOF}{MARKER}\nvariables\t4\na\n1\n{MARKER}\nconnections\t6\n{MARKER}\nreplicas\t8\njd_hangs\n1\n\
         {MARKER}\nbinlog\t10\n{MARKER}\nend\t0\n{STDERR}\
         ERROR 1969 (70100) at line 6: Query execution was interrupted (max_statement_time exceeded)\n"
    );
    let answer = ClientAnswer::read(0, &body);
    assert_eq!(said(answer.part("connections", &[])), "timed out");
    assert_eq!(said(answer.part("replicas", &["server_id"])), "timed out");
    assert_eq!(said(answer.part("binlog", &["file"])), "0 rows");
}

/// Nothing printed is nothing found only when the client ended and said no error.
#[test]
fn an_empty_part_without_the_end_of_standard_error_is_unknown() {
    let body = format!("{PROOF}{MARKER}\nconnections\t4\n{MARKER}\nend\t0\n");
    assert!(ClientAnswer::read(124, &body).part("connections", &[]).is_err());
    let refused = format!("{body}{STDERR}ERROR 1227 (42000): Access denied\n");
    assert!(ClientAnswer::read(1, &refused).part("connections", &[]).is_err());
    assert_eq!(said(ClientAnswer::read(0, &format!("{body}{STDERR}")).part("connections", &[])), "0 rows");
}
