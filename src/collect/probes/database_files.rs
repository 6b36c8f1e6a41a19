//! Which database server a host's applications use: the address in the files that the inventory names (`database_files`).
//!
//! Such a file may hold a password, on the same line even. Its text stays on the host, in a shell of its own that ends with the
//! question: only what stands in the place of the address is printed, and only if it looks like one.

use std::fmt::Write as _;
use std::net::IpAddr;

use crate::collect::probe::{Probe, ProbeCadence, Raw, unreadable};
use jumpdeck_fleet::database_address::{NamedServer, NamingFile};
use jumpdeck_fleet::fact::Gap;
use jumpdeck_fleet::fleet::{ADDRESS, DatabaseFile, Host};
use jumpdeck_fleet::snapshot::HostFacts;
use jumpdeck_fleet::text::Clean;
use jumpdeck_fleet::time::Moment;

pub(super) struct DatabaseFiles;

/// The most files of a host, and the most servers that are read of one: the probe prints no more of these.
const FILES: usize = 20;
const SERVERS: usize = 8;

impl Probe for DatabaseFiles {
    fn name(&self) -> &'static str {
        "database_files"
    }

    /// How a file is read, and a call for each: path, what is before the address, what is behind it, and whether a name may stand there.
    /// Hosts without such files are not sent how.
    fn settings(&self, host: &Host) -> Option<String> {
        let all = host.own_database_files().count();
        let files: Vec<&DatabaseFile> = host.own_database_files().take(FILES).collect();
        let mut out = format!("database_files_count={}\n", files.len());
        if files.is_empty() {
            return Some(out);
        }
        out.push_str(READING);
        out.push_str("database_files_all() {\ndatabase_files_words=\n");
        for file in files {
            let (before, after) = file.line.split_once(ADDRESS)?;
            let quoted = |text| shlex::try_quote(text).ok();
            let (path, before, after) = (quoted(&file.file)?, quoted(before)?, quoted(after)?);
            // Without a word beside it, what stands in its place may be anything, a password too.
            let beside = file.line.replace(ADDRESS, "");
            let is_plain = beside.chars().filter(char::is_ascii_alphanumeric).count() < 2;
            let may = if is_plain { "addresses" } else { "names" };
            let kind = if file.built_in { "built-in" } else { "named" };
            let _ = writeln!(out, "database_files_one {path} {before} {after} {may} {kind}");
        }
        if all > FILES {
            out.push_str("echo '@more files'\n");
        }
        out.push_str("database_files_hosts\n}\n");
        Some(out)
    }

    fn script(&self) -> &'static str {
        r#"
        database_files_quietly() { database_files_all 2> /dev/null; }
        probe_database_files() {
            [ "$database_files_count" -gt 0 ] || return 0
            apart database_files 3 database_files_quietly
        }
        "#
    }

    fn cadence(&self) -> ProbeCadence {
        ProbeCadence::Slow
    }

    fn longest(&self) -> usize {
        64 * 1024
    }

    fn ingest(&self, raw: Result<&Raw, Gap>, at: Moment, facts: &mut HostFacts) {
        facts.database_files.take(raw.and_then(|raw| read(raw.ok()?)), at);
    }
}

// Everything runs in a shell of its own: a file may be on a server that is gone, and its text is nobody's business.
const READING: &str = r#"
    # PATH: puts the file's text into database_files_text; else its status says why not.
    database_files_read() {
        if [ -f "$1" ] && [ -r "$1" ]; then
            database_files_text=$(jd_head 262144 < "$1")
            [ "${#database_files_text}" -lt 262000 ] || return 5
            return 0
        fi
        database_files_closed=
        [ ! -f "$1" ] || database_files_closed=yes
        database_files_up=${1%/*}
        while [ -n "$database_files_up" ]; do
            if [ -d "$database_files_up" ] && [ ! -x "$database_files_up" ]; then database_files_closed=yes; fi
            database_files_up=${database_files_up%/*}
        done
        if [ -z "$database_files_closed" ]; then
            if [ -e "$1" ]; then return 4; else return 3; fi
        fi
        [ -n "$SUDO" ] && [ "$LIMIT" != jd_bounded ] || return 126
        database_files_text=$($SUDO $LIMIT 2 sh -c '[ -f "$1" ] || { echo "@none"; exit; }; cat -- "$1"; echo "@end"' sh "$1" 2> /dev/null \
            | jd_head 262144)
        case $database_files_text in
            '') return 126 ;;
            @none) return 3 ;;
        esac
        [ "${#database_files_text}" -lt 262000 ] || return 5
        # Without its end the limit cut it.
        case $database_files_text in *@end) database_files_text=${database_files_text%@end} ;; *) return 124 ;; esac
    }
    # PATH BEFORE AFTER names|addresses KIND: what stands between BEFORE and AFTER, of each line that is no comment.
    database_files_one() {
        database_files_text=
        database_files_read "$1"
        echo "@file $? $5 $1"
        database_files_before=$2 database_files_after=$3 database_files_may=$4 database_files_n=0
        IFS=$NL
        set -- $database_files_text
        IFS=$jd_ifs
        database_files_text=
        for database_files_row in "$@"; do
            case $database_files_row in *"$database_files_before"*) ;; *) continue ;; esac
            database_files_indent=${database_files_row%%[! 	]*}
            case ${database_files_row#"$database_files_indent"} in '#'*|';'*|//*) continue ;; esac
            database_files_head=${database_files_row%%"$database_files_before"*}
            database_files_word=${database_files_row#*"$database_files_before"}
            if [ -n "$database_files_after" ]; then
                case $database_files_word in *"$database_files_after"*) ;; *) continue ;; esac
                database_files_word=${database_files_word%%"$database_files_after"*}
            else
                case $database_files_word in '"'*|"'"*) database_files_word=${database_files_word#?} ;; esac
                # What stands before an @ is an account and its password.
                database_files_tail=${database_files_word#"${database_files_word%%[!][0-9A-Za-z.:_-]*}"}
                case ${database_files_tail%%[ 	]*} in *@*) continue ;; esac
                case $database_files_word in
                    '['*) ;;
                    *) database_files_word=${database_files_word%%[!0-9A-Za-z.:_-]*} ;;
                esac
            fi
            # IPv6 is in brackets where a port may follow.
            case $database_files_word in
                '['*']'*) database_files_word=${database_files_word#'['}; database_files_word=${database_files_word%%']'*} ;;
            esac
            if [ -z "$database_files_before" ]; then database_files_word=${database_files_word##*[!0-9A-Za-z.:_-]}; fi
            # HOST:PORT; an address of IPv6 has more of them, and nothing else has.
            case $database_files_word in
                *:*:*) case $database_files_word in *[!0-9A-Fa-f:.]*) continue ;; esac ;;
                *:*) database_files_word=${database_files_word%:*} ;;
            esac
            case $database_files_word in ''|*[!0-9A-Za-z.:_-]*) continue ;; esac
            if [ "$database_files_may" = addresses ]; then
                case $database_files_word in *[!0-9.]*) continue ;; *.*.*.*) ;; *) continue ;; esac
            fi
            # ghost is not host: such a line counts only where there is no other.
            database_files_is=@server
            case $database_files_head$database_files_before in
                "$database_files_before") ;;
                *) case $database_files_before in [0-9A-Za-z_]*)
                    case $database_files_head in *[0-9A-Za-z_]) database_files_is=@like ;; esac ;; esac ;;
            esac
            echo "$database_files_is $database_files_word"
            database_files_words="$database_files_words $database_files_word "
            database_files_n=$((database_files_n + 1))
            [ "$database_files_n" -lt 40 ] || break
        done
    }
    # The addresses that /etc/hosts has for the names.
    database_files_hosts() {
        case $database_files_words in *[!0-9.\ ]*) ;; *) return 0 ;; esac
        [ -r /etc/hosts ] || return 0
        database_files_n=0
        while read -r database_files_ip database_files_names && [ "$database_files_n" -lt 3000 ]; do
            database_files_n=$((database_files_n + 1))
            case $database_files_ip in *[!0-9A-Fa-f:.]*|'') continue ;; esac
            for database_files_name in ${database_files_names%%'#'*}; do
                case $database_files_name in *[!0-9A-Za-z._-]*) continue ;; esac
                case $database_files_words in *" $database_files_name "*) echo "@hosts $database_files_ip $database_files_name" ;; esac
            done
        done < /etc/hosts
        return 0
    }
"#;

/// What the section printed: `@file STATUS KIND PATH`, below it `@server` and `@like` with a word each, then `@hosts ADDRESS NAME`.
fn read(text: &str) -> Result<Vec<NamingFile>, Gap> {
    let resolve = |word: &str| {
        let rows = text.lines().filter_map(|line| line.strip_prefix("@hosts ")?.split_once(' '));
        let mut found = rows.filter(|(_, name)| *name == word);
        found.next().and_then(|(address, _)| address.parse::<IpAddr>().ok())
    };
    let mut files: Vec<FoundFile<'_>> = Vec::new();
    let more = text.lines().any(|line| line == "@more files");
    for line in text.lines().filter(|line| !line.is_empty()) {
        let (what, rest) = line.split_once(' ').ok_or_else(|| unreadable(line))?;
        match (what, files.last_mut()) {
            ("@file", _) => files.push(FoundFile::head(rest).ok_or_else(|| unreadable(line))?),
            ("@server", Some(file)) => file.servers.push(rest),
            ("@like", Some(file)) => file.likes.push(rest),
            ("@hosts" | "@more", _) => {}
            (_, _) => return Err(unreadable(line)),
        }
    }
    if files.len() > FILES {
        return Err(unreadable("more files than were asked for"));
    }
    let missing = |file: &FoundFile<'_>| file.status == "3" && file.is_built_in;
    let one = |file: FoundFile<'_>| NamingFile {
        file: Clean::first_line(file.path, 200),
        servers: file.servers(resolve),
    };
    let rest = NamingFile {
        file: "the other files".into(),
        servers: Err(Gap::Cut(format!("{FILES} files of a host").as_str().into())),
    };
    Ok(files.into_iter().filter(|file| !missing(file)).map(one).chain(more.then_some(rest)).collect())
}

/// What was found in a file.
struct FoundFile<'a> {
    status: &'a str,
    is_built_in: bool,
    path: &'a str,
    servers: Vec<&'a str>,
    /// Those of lines that have the text in the middle of a word.
    likes: Vec<&'a str>,
}

impl<'a> FoundFile<'a> {
    fn head(rest: &'a str) -> Option<Self> {
        let (status, rest) = rest.split_once(' ')?;
        let (kind, path) = rest.split_once(' ')?;
        let is_built_in = kind == "built-in";
        Some(Self { status, is_built_in, path, servers: Vec::new(), likes: Vec::new() })
    }

    fn servers(&self, resolve: impl Fn(&str) -> Option<IpAddr>) -> Result<Vec<NamedServer>, Gap> {
        match self.status {
            "0" => {}
            "3" => return Err(failed("the file is missing")),
            "5" => return Err(Gap::Cut("256 KiB of the file".into())),
            "4" => return Err(failed("it is not a file")),
            "124" => return Err(Gap::TimedOut),
            "126" => {
                let why = "the account may not read it. Set sudo = true in the inventory for an account that may use sudo";
                return Err(Gap::NotPermitted(why.into()));
            }
            status => return Err(unreadable(status)),
        }
        let words = if self.servers.is_empty() { &self.likes } else { &self.servers };
        let mut named: Vec<NamedServer> = Vec::new();
        for word in words {
            let word = Clean::first_line(word, 80);
            if named.iter().any(|known| known.word == word) {
                continue;
            }
            if named.len() == SERVERS {
                return Err(Gap::Cut(format!("{SERVERS} servers of the file").as_str().into()));
            }
            named.push(NamedServer { resolved: resolve(word.as_str()), word });
        }
        if named.is_empty() {
            return Err(failed(
                "no line has the text of database_files with a name or an address in the place of {address}",
            ));
        }
        Ok(named)
    }
}

fn failed(why: &str) -> Gap {
    Gap::Failed(why.into())
}

#[cfg(test)]
mod tests;
