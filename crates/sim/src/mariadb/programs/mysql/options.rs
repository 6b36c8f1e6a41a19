//! The client's options.

use crate::mariadb::Version;
use crate::mariadb::options::option_group;

use super::format::Style;

/// What the client was told.
#[derive(Debug, Clone)]
pub(super) struct Options {
    pub(super) execute: Option<String>,
    pub(super) style: Style,
    pub(super) names: bool,
    pub(super) raw: bool,
    pub(super) silent: bool,
    pub(super) force: bool,
    pub(super) host: Option<String>,
    pub(super) user: Option<String>,
    pub(super) socket: Option<String>,
    pub(super) password: Option<String>,
    pub(super) tls: bool,
    pub(super) defaults: Vec<String>,
    pub(super) database: Option<String>,
}

/// An end before anything was asked.
#[derive(Debug, Default)]
pub(super) struct End {
    pub(super) stdout: String,
    pub(super) stderr: String,
    pub(super) status: u8,
}

/// Long options that take a value, and what they mean here.
static VALUED: &[(&str, char)] = &[
    ("execute", 'e'),
    ("host", 'h'),
    ("user", 'u'),
    ("socket", 'S'),
    ("port", 'P'),
    ("database", 'D'),
    ("connect-timeout", '-'),
    ("defaults-file", 'd'),
    ("defaults-extra-file", 'd'),
    ("defaults-group-suffix", '-'),
    ("protocol", '-'),
    ("ssl-ca", 'l'),
    ("ssl-cert", 'l'),
    ("ssl-key", 'l'),
    ("ssl-capath", 'l'),
    ("default-character-set", '-'),
    ("max-allowed-packet", '-'),
    ("init-command", '-'),
    ("delimiter", '-'),
];

/// Long options without one.
static PLAIN: &[(&str, char)] = &[
    ("batch", 'B'),
    ("skip-column-names", 'N'),
    ("vertical", 'E'),
    ("force", 'f'),
    ("raw", 'r'),
    ("silent", 's'),
    ("table", 't'),
    ("version", 'V'),
    ("no-defaults", '-'),
    ("column-names", '-'),
    ("no-auto-rehash", '-'),
    ("skip-auto-rehash", '-'),
    ("unbuffered", '-'),
    ("quick", '-'),
    ("ssl", 'L'),
    ("ssl-verify-server-cert", 'L'),
    ("skip-ssl", '-'),
    ("compress", '-'),
    ("password", 'p'),
    ("skip-reconnect", '-'),
    ("skip-pager", '-'),
    ("no-beep", '-'),
    ("binary-mode", '-'),
    ("skip-auto-vertical-output", '-'),
    ("skip-binary-mode", '-'),
    ("skip-force", '-'),
    ("skip-html", '-'),
    ("skip-named-commands", '-'),
    ("skip-raw", '-'),
    ("skip-safe-updates", '-'),
    ("skip-show-warnings", '-'),
    ("skip-table", '-'),
    ("skip-vertical", '-'),
    ("skip-xml", '-'),
    ("skip-quick", '-'),
    ("line-numbers", '-'),
];

impl Options {
    pub(super) fn parse(name: &str, args: &[String], version: Option<&Version>) -> Result<Self, End> {
        let mut options = Self {
            execute: None,
            style: Style::Batch,
            names: true,
            raw: false,
            silent: false,
            force: false,
            host: None,
            user: None,
            socket: None,
            password: None,
            tls: false,
            defaults: Vec::new(),
            database: None,
        };
        let mut args = args.iter();
        while let Some(arg) = args.next() {
            if let Some(long) = arg.strip_prefix("--").filter(|l| !l.is_empty()) {
                let (word, value) = match long.split_once('=') {
                    Some((word, value)) => (word, Some(value.to_owned())),
                    None => (long, None),
                };
                let word = word.replace('_', "-");
                // A client that does not know a loose option goes on without it.
                let (word, loose) = match word.strip_prefix("loose-") {
                    Some(word) => (word.to_owned(), true),
                    None => (word, false),
                };
                if let Some((_, letter)) = VALUED.iter().find(|(known, _)| *known == word) {
                    let value = value.or_else(|| args.next().cloned());
                    let value = value.ok_or_else(|| needs_value(name, &format!("--{word}")))?;
                    options.valued(*letter, value);
                } else if let Some((_, letter)) = PLAIN.iter().find(|(known, _)| *known == word) {
                    options.plain(name, *letter, version)?;
                    if *letter == 'p' {
                        options.password = Some(value.unwrap_or_default());
                    }
                } else if !loose {
                    return Err(unknown(name, arg));
                }
            } else if let Some(letters) = arg.strip_prefix('-').filter(|l| !l.is_empty()) {
                options.short(name, letters, &mut args, version)?;
            } else {
                options.database = Some(arg.clone());
            }
        }
        Ok(options)
    }

    fn short<'a>(
        &mut self,
        name: &str,
        letters: &str,
        args: &mut impl Iterator<Item = &'a String>,
        version: Option<&Version>,
    ) -> Result<(), End> {
        let mut rest = letters.chars();
        while let Some(letter) = rest.next() {
            match letter {
                'e' | 'h' | 'u' | 'S' | 'P' | 'D' => {
                    let glued: String = rest.by_ref().collect();
                    let value = if glued.is_empty() { args.next().cloned() } else { Some(glued) };
                    let value = value.ok_or_else(|| needs_value(name, &format!("-{letter}")))?;
                    self.valued(letter, value);
                }
                // The password is glued to it, if it is there at all.
                'p' => {
                    self.password = Some(rest.collect());
                    return Ok(());
                }
                'B' | 'N' | 'E' | 'f' | 'r' | 's' | 't' | 'V' => self.plain(name, letter, version)?,
                'A' | 'q' | 'n' | 'C' | 'w' | 'b' | 'c' => {}
                other => return Err(unknown(name, &format!("-{other}"))),
            }
        }
        Ok(())
    }

    fn valued(&mut self, letter: char, value: String) {
        match letter {
            'e' => self.execute = Some(value),
            'h' => self.host = Some(value),
            'u' => self.user = Some(value),
            'S' => self.socket = Some(value),
            'D' => self.database = Some(value).filter(|name| !name.is_empty()),
            'd' => self.defaults.push(value),
            'l' => self.tls = true,
            _ => {}
        }
    }

    /// Takes what an option file says for the client, where the command line said nothing.
    pub(super) fn read_defaults(&mut self, text: &str) {
        for (name, value) in
            option_group(text, &["client", "mysql", "mariadb", "mariadb-client", "client-server"])
        {
            let value = value.unwrap_or_default();
            match name.as_str() {
                "user" => self.user = self.user.take().or(Some(value)),
                "password" => self.password = self.password.take().or(Some(value)),
                "host" => self.host = self.host.take().or(Some(value)),
                "socket" => self.socket = self.socket.take().or(Some(value)),
                "ssl" | "ssl_ca" | "ssl_cert" | "ssl_key" | "ssl_verify_server_cert" => self.tls = true,
                _ => {}
            }
        }
    }

    fn plain(&mut self, name: &str, letter: char, version: Option<&Version>) -> Result<(), End> {
        match letter {
            'N' => self.names = false,
            'E' => self.style = Style::Vertical,
            't' => self.style = Style::Table,
            'f' => self.force = true,
            'r' => self.raw = true,
            's' => self.silent = true,
            'p' => self.password = self.password.take().or(Some(String::new())),
            'L' => self.tls = true,
            'V' => {
                let distribution = version.map_or("", |v| v.text.trim_end_matches("-log"));
                let stdout =
                    format!("{name}  Ver 15.1 Distrib {distribution}, for debian-linux-gnu (x86_64)\n");
                return Err(End { stdout, ..End::default() });
            }
            _ => {}
        }
        Ok(())
    }
}

fn unknown(name: &str, option: &str) -> End {
    End { stderr: format!("{name}: unknown option '{option}'\n"), status: 2, ..End::default() }
}

fn needs_value(name: &str, option: &str) -> End {
    End { stderr: format!("{name}: option '{option}' requires an argument\n"), status: 2, ..End::default() }
}
