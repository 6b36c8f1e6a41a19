//! Typed values of variables: what a person typed, what a command printed.

use std::fmt;

use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

/// What a variable may hold. A value that does not fit is refused when it comes in, so that nothing downstream has to
/// guess.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ValueKind {
    /// One line of printable text.
    Text,
    /// A whole number.
    Int,
    /// `true` or `false`; a server's `1`/`ON`/`Yes` and `0`/`OFF`/`No` are read as such.
    Bool,
    /// A host of the environment.
    Host,
    /// An IP address or a host name.
    Address,
    /// A MariaDB GTID position: `0-1-100` or several, one a domain, parted by commas; may be empty.
    Gtid,
    /// A place in a binary log: `mariadb-bin.000012:4711`.
    Position,
    /// Letters, digits and `. _ - : + / = ~`, at most 128: ids, versions, fingerprints, job numbers.
    Word,
    /// Several lines of printable text.
    Lines,
}

/// Why a value was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{value:?} is not {wanted}")]
pub struct ValueError {
    /// What came, made printable and short; `…` when it is a secret.
    pub value: String,
    /// What was wanted, in words.
    pub wanted: &'static str,
}

/// A value that fits its kind. A secret shows itself nowhere: not in `Debug`, not in the journal.
#[derive(Clone, PartialEq, Eq)]
pub struct Value {
    kind: ValueKind,
    text: Zeroizing<String>,
    secret: bool,
    /// How it is shown, when a secret is part of it.
    hiding: Option<String>,
}

impl Value {
    /// Checks and takes a value. NUL is refused for every kind; line ends for every kind but [`ValueKind::Lines`].
    ///
    /// # Errors
    /// When it does not fit its kind.
    pub fn new(kind: ValueKind, text: &str) -> Result<Self, ValueError> {
        let text = text.trim_matches(['\n', '\r', ' ']);
        let normal = check(kind, text)
            .ok_or_else(|| ValueError { value: text.chars().take(60).collect(), wanted: kind.wanted() })?;
        Ok(Self { kind, text: Zeroizing::new(normal), secret: false, hiding: None })
    }

    /// The same for a secret: the error does not show it.
    ///
    /// # Errors
    /// When it does not fit its kind.
    pub fn secret(kind: ValueKind, text: &str) -> Result<Self, ValueError> {
        match Self::new(kind, text) {
            Ok(value) => Ok(Self { secret: true, ..value }),
            Err(error) => Err(ValueError { value: "…".to_owned(), ..error }),
        }
    }

    /// Stands for a secret where it is not known: shown as every secret, and never used, so it fits no kind.
    #[must_use]
    pub fn unknown_secret(kind: ValueKind) -> Self {
        Self { kind, text: Zeroizing::default(), secret: true, hiding: None }
    }

    /// Its kind.
    #[must_use]
    pub fn kind(&self) -> ValueKind {
        self.kind
    }

    /// The text itself, a secret's too: for commands, never for eyes.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Whether it must not be shown or kept.
    #[must_use]
    pub fn is_secret(&self) -> bool {
        self.secret
    }

    /// The same value, of which a secret is a part: used like any other, and shown so.
    #[must_use]
    pub fn hiding(self, shown: &str) -> Self {
        Self { hiding: Some(shown.to_owned()), ..self }
    }

    /// Whether a secret is a part of it: it must not be kept.
    #[must_use]
    pub fn is_hidden(&self) -> bool {
        self.hiding.is_some()
    }

    /// For eyes: the text, or dots for a secret.
    #[must_use]
    pub fn shown(&self) -> &str {
        match &self.hiding {
            _ if self.secret => "••••••",
            Some(shown) => shown,
            None => &self.text,
        }
    }
}

impl fmt::Debug for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}({})", self.kind, self.shown())
    }
}

impl ValueKind {
    /// Every kind with the word a runbook names it by.
    pub const ALL: [(&'static str, ValueKind); 9] = [
        ("text", ValueKind::Text),
        ("int", ValueKind::Int),
        ("bool", ValueKind::Bool),
        ("host", ValueKind::Host),
        ("address", ValueKind::Address),
        ("gtid", ValueKind::Gtid),
        ("position", ValueKind::Position),
        ("word", ValueKind::Word),
        ("lines", ValueKind::Lines),
    ];

    /// What such a value is, in words.
    #[must_use]
    pub fn wanted(self) -> &'static str {
        match self {
            Self::Text => "one line of printable text",
            Self::Int => "a whole number",
            Self::Bool => "true or false",
            Self::Host => "a host name",
            Self::Address => "an IP address or a host name",
            Self::Gtid => "a GTID position (0-1-100)",
            Self::Position => "a place in a binary log (mariadb-bin.000001:330)",
            Self::Word => "a word of letters, digits and . _ - : + / = ~",
            Self::Lines => "printable text",
        }
    }
}

/// The normal form of a text that fits its kind.
fn check(kind: ValueKind, text: &str) -> Option<String> {
    let printable = |c: char| !c.is_control();
    let name = |s: &str| {
        !s.is_empty()
            && s.len() <= 253
            && !s.starts_with(['-', '.'])
            && s.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.'))
    };
    let fits = match kind {
        ValueKind::Text => text.chars().all(printable),
        ValueKind::Lines => text.chars().all(|c| printable(c) || matches!(c, '\n' | '\t')),
        ValueKind::Int => return text.parse::<i64>().ok().map(|n| n.to_string()),
        ValueKind::Bool => {
            return match text.to_ascii_lowercase().as_str() {
                "1" | "on" | "yes" | "true" => Some("true".to_owned()),
                "0" | "off" | "no" | "false" => Some("false".to_owned()),
                _ => None,
            };
        }
        ValueKind::Host => name(text),
        ValueKind::Address => text.parse::<std::net::IpAddr>().is_ok() || name(text),
        ValueKind::Gtid => return crate::runbook::value::gtid::normal(text),
        ValueKind::Position => text
            .rsplit_once(':')
            .is_some_and(|(file, at)| name(file) && !at.is_empty() && at.chars().all(|c| c.is_ascii_digit())),
        ValueKind::Word => {
            !text.is_empty()
                && text.len() <= 128
                && !text.starts_with('-')
                && text.chars().all(|c| c.is_ascii_alphanumeric() || "._-:+/=~".contains(c))
        }
    };
    fits.then(|| text.to_owned())
}

pub mod gtid {
    //! MariaDB GTID positions: one `domain-server-sequence` a domain.

    use std::collections::BTreeMap;

    /// The parts of a position by domain: server id and sequence. `None` when it is none.
    #[must_use]
    pub fn parse(text: &str) -> Option<BTreeMap<u32, (u32, u64)>> {
        let mut parts = BTreeMap::new();
        for part in text.split(',').map(str::trim).filter(|p| !p.is_empty()) {
            let mut numbers = part.split('-');
            let (domain, server, seq) = (numbers.next()?, numbers.next()?, numbers.next()?);
            if numbers.next().is_some() {
                return None;
            }
            let known = parts.insert(domain.parse().ok()?, (server.parse().ok()?, seq.parse().ok()?));
            // A domain that appears twice is a server's state, no position.
            if known.is_some() {
                return None;
            }
        }
        Some(parts)
    }

    /// The same position with its domains in order.
    #[must_use]
    pub fn normal(text: &str) -> Option<String> {
        let parts = parse(text)?;
        let texts: Vec<String> = parts.iter().map(|(d, (s, n))| format!("{d}-{s}-{n}")).collect();
        Some(texts.join(","))
    }

    /// Whether a server at `position` has everything up to `wanted`: in each domain of it, as high a sequence.
    #[must_use]
    pub fn covers(position: &str, wanted: &str) -> Option<bool> {
        let (position, wanted) = (parse(position)?, parse(wanted)?);
        Some(
            wanted.iter().all(|(domain, (_, seq))| position.get(domain).is_some_and(|(_, have)| have >= seq)),
        )
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn values_fit_their_kind_or_are_refused() {
        let ok = |kind, text: &str| Value::new(kind, text).map(|v| v.text().to_owned());
        assert_eq!(ok(ValueKind::Int, " 12\n").unwrap(), "12");
        assert_eq!(ok(ValueKind::Bool, "ON").unwrap(), "true");
        assert_eq!(ok(ValueKind::Gtid, "1-1-5, 0-2-9").unwrap(), "0-2-9,1-1-5");
        assert_eq!(ok(ValueKind::Gtid, "").unwrap(), "");
        assert_eq!(ok(ValueKind::Position, "mariadb-bin.000001:330").unwrap(), "mariadb-bin.000001:330");
        for (kind, bad) in [
            (ValueKind::Text, "a\nb"),
            (ValueKind::Text, "a\0b"),
            (ValueKind::Lines, "a\u{1b}[31m"),
            (ValueKind::Host, "-oProxyCommand=x"),
            (ValueKind::Host, "a;b"),
            (ValueKind::Address, "10.0.0.1 x"),
            (ValueKind::Word, "a b"),
            (ValueKind::Gtid, "0-1"),
            (ValueKind::Gtid, "0-1-5,0-2-9"),
            (ValueKind::Position, "x"),
            (ValueKind::Int, "1e3"),
        ] {
            assert!(Value::new(kind, bad).is_err(), "{kind:?} {bad:?}");
        }
    }

    #[test]
    fn secrets_show_themselves_nowhere() {
        let secret = Value::secret(ValueKind::Text, "hunter2").unwrap();
        assert!(!format!("{secret:?}").contains("hunter2"));
        assert!(!Value::secret(ValueKind::Int, "hunter2").unwrap_err().to_string().contains("hunter2"));
    }

    #[test]
    fn gtid_positions_cover_each_other_by_domain() {
        assert_eq!(gtid::covers("0-1-10", "0-2-9"), Some(true));
        assert_eq!(gtid::covers("0-1-10", "0-1-11"), Some(false));
        assert_eq!(gtid::covers("0-1-10", "0-1-10,1-1-1"), Some(false));
        assert_eq!(gtid::covers("x", "0-1-1"), None);
        assert_eq!(gtid::covers("0-1-5,0-2-9", "0-1-1"), None);
        assert_eq!(gtid::covers("0-1-9", "0-1-5,0-2-9"), None);
    }
}
