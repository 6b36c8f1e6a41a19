//! Who may sign: OpenSSH's allowed_signers file (ssh-keygen(1), ALLOWED SIGNERS). Keys of certificate authorities are
//! passed over: nothing is signed with a certificate here.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use russh::keys::PublicKey;
use russh::keys::ssh_key::public::KeyData;

use super::TextSignature;

/// What an allowed_signers file says of a signature and a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Standing {
    /// The key is one of that name's.
    Known,
    /// The key is one of that name's, but not for this namespace, or not at that time.
    NotNow,
    /// The key belongs to others: these.
    OfOthers(Vec<String>),
    /// The file has keys of that name; this is none of them.
    NotTheirs,
    /// The file knows neither the key nor the name.
    Unknown,
}

/// The lines of an allowed_signers file.
#[derive(Debug, Clone, Default)]
pub struct AllowedSigners {
    lines: Vec<Allowed>,
    flaws: Vec<(usize, &'static str)>,
}

#[derive(Debug, Clone)]
struct Allowed {
    principals: String,
    namespaces: Option<String>,
    after: Option<Timestamp>,
    before: Option<Timestamp>,
    key: KeyData,
}

impl AllowedSigners {
    /// Reads a file. A line that cannot be read counts for nothing, as to ssh-keygen.
    #[must_use]
    pub fn read(text: &str) -> Self {
        let mut read = Self::default();
        for (index, line) in text.lines().enumerate() {
            let line = line.trim_matches([' ', '\t', '\r']);
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            match allowed(line) {
                Ok(Some(line)) => read.lines.push(line),
                Ok(None) => {}
                Err(what) => read.flaws.push((index + 1, what)),
            }
        }
        read
    }

    /// Lines that count for nothing: their number, and why.
    #[must_use]
    pub fn flaws(&self) -> &[(usize, &'static str)] {
        &self.flaws
    }

    /// Whether it names nobody.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }

    /// Whether `who` may have made a signature for `namespace` at a time.
    #[must_use]
    pub fn standing(&self, signature: &TextSignature, who: &str, namespace: &str, at: Timestamp) -> Standing {
        let key = signature.0.public_key();
        let theirs = |line: &&Allowed| matches_list(&line.principals, who);
        let of_key: Vec<&Allowed> = self.lines.iter().filter(|line| &line.key == key).collect();
        if of_key.iter().filter(|line| theirs(line)).any(|line| line.holds(namespace, at)) {
            return Standing::Known;
        }
        if of_key.iter().any(theirs) {
            return Standing::NotNow;
        }
        if !of_key.is_empty() {
            return Standing::OfOthers(of_key.iter().map(|line| line.principals.clone()).collect());
        }
        match self.lines.iter().any(|line| theirs(&line)) {
            true => Standing::NotTheirs,
            false => Standing::Unknown,
        }
    }
}

impl Allowed {
    fn holds(&self, namespace: &str, at: Timestamp) -> bool {
        self.namespaces.as_deref().is_none_or(|list| matches_list(list, namespace))
            && self.after.is_none_or(|after| at >= after)
            && self.before.is_none_or(|before| at <= before)
    }
}

/// Reads a line: `principals [options] key`. `None` for an authority's.
fn allowed(line: &str) -> Result<Option<Allowed>, &'static str> {
    let (principals, rest) = word(line)?;
    if principals.is_empty() {
        return Err("it has no name of a signer");
    }
    let (found, key) = match PublicKey::from_openssh(rest) {
        Ok(key) => (Options::new(), key),
        Err(_) => {
            let (found, rest) = options(rest)?;
            (found, PublicKey::from_openssh(rest).map_err(|_| "its key cannot be read")?)
        }
    };
    let key = key.key_data().clone();
    let mut line = Allowed { principals, namespaces: None, after: None, before: None, key };
    let mut authority = false;
    for (name, value) in found {
        match (name.as_str(), value) {
            ("cert-authority", None) => authority = true,
            ("namespaces", Some(list)) => line.namespaces = Some(list),
            ("valid-after", Some(time)) => line.after = Some(moment(&time)?),
            ("valid-before", Some(time)) => line.before = Some(moment(&time)?),
            _ => return Err("it has an unknown option"),
        }
    }
    Ok((!authority).then_some(line))
}

/// The first word, which may be quoted, and what follows it.
fn word(text: &str) -> Result<(String, &str), &'static str> {
    let blank = [' ', '\t'];
    let (word, rest) = match text.strip_prefix('"') {
        Some(quoted) => quoted.split_once('"').ok_or("a quote is not closed")?,
        None => text.split_once(blank).ok_or("there is no key after the name")?,
    };
    Ok((word.to_owned(), rest.trim_start_matches(blank)))
}

type Options = Vec<(String, Option<String>)>;

/// Options `name,name="value"` up to a blank outside of quotes, and what follows them.
fn options(text: &str) -> Result<(Options, &str), &'static str> {
    let (mut found, mut rest) = (Options::new(), text);
    loop {
        let end = rest.find(['=', ',', ' ', '\t']).ok_or("there is no key after the options")?;
        let (name, behind) = rest.split_at(end);
        let (value, behind) = match behind.strip_prefix("=\"") {
            Some(quoted) => {
                let (value, behind) = quoted.split_once('"').ok_or("a quote is not closed")?;
                (Some(value.to_owned()), behind)
            }
            None => (None, behind),
        };
        found.push((name.to_ascii_lowercase(), value));
        match behind.strip_prefix(',') {
            Some(more) => rest = more,
            None if behind.starts_with([' ', '\t']) => {
                return Ok((found, behind.trim_start_matches([' ', '\t'])));
            }
            None => return Err("its options cannot be read"),
        }
    }
}

/// `YYYYMMDD`, `YYYYMMDDHHMM` or `YYYYMMDDHHMMSS`, in local time, or in UTC with a `Z` behind it.
fn moment(text: &str) -> Result<Timestamp, &'static str> {
    let wrong = "its time is not YYYYMMDD, YYYYMMDDHHMM or YYYYMMDDHHMMSS, with or without Z";
    let (digits, zone) = match text.strip_suffix('Z') {
        Some(digits) => (digits, TimeZone::UTC),
        None => (text, TimeZone::system()),
    };
    if !digits.bytes().all(|b| b.is_ascii_digit()) || !matches!(digits.len(), 8 | 12 | 14) {
        return Err(wrong);
    }
    let whole = format!("{digits:0<14}");
    let at = DateTime::strptime("%Y%m%d%H%M%S", whole).map_err(|_| wrong)?;
    at.to_zoned(zone).map(|at| at.timestamp()).map_err(|_| wrong)
}

/// Whether a text fits a list of patterns as ssh reads it: `*` and `?`, separated by commas; one with `!` that fits
/// refuses.
fn matches_list(list: &str, text: &str) -> bool {
    let mut found = false;
    for pattern in list.split(',') {
        match pattern.strip_prefix('!') {
            Some(refused) if fits(refused.as_bytes(), text.as_bytes()) => return false,
            Some(_) => {}
            None => found |= fits(pattern.as_bytes(), text.as_bytes()),
        }
    }
    found
}

fn fits(pattern: &[u8], text: &[u8]) -> bool {
    // Where the last `*` stands, and what of the text it has taken.
    let (mut p, mut t, mut star) = (0, 0, None);
    while t < text.len() {
        match pattern.get(p) {
            Some(b'*') => {
                star = Some((p, t));
                p += 1;
            }
            Some(byte) if *byte == b'?' || Some(byte) == text.get(t) => (p, t) = (p + 1, t + 1),
            _ => match star {
                Some((at, taken)) => {
                    star = Some((at, taken + 1));
                    (p, t) = (at + 1, taken + 1);
                }
                None => return false,
            },
        }
    }
    pattern.get(p..).is_some_and(|rest| rest.iter().all(|b| *b == b'*'))
}
