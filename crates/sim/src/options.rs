//! The one reader of options. A program declares what it knows in a table; the reader refuses everything else by name, and
//! the contract of the simulated fleet is held against the same table.

use super::program::Reply;

/// What options a program knows.
#[derive(Debug)]
pub struct Options {
    /// Letters as getopt(3) writes them: `a` alone, `b:` with a value, `c::` with one that is in the same word, or none.
    short: &'static str,
    /// Long names and the letters that they mean. With a `=` at its end a name takes a value, whatever its letter does;
    /// a letter that is not in `short` is known by its long name only.
    long: &'static [(&'static str, char)],
    /// The letter that a number alone means: `-5` is `-n 5`.
    number: Option<char>,
}

/// Options and operands.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Arguments {
    /// Letters in order; those that take a value with it.
    pub(crate) options: Vec<(char, String)>,
    /// The rest.
    pub(crate) operands: Vec<String>,
}

impl Arguments {
    pub(crate) fn has(&self, letter: char) -> bool {
        self.options.iter().any(|(option, _)| *option == letter)
    }

    pub(crate) fn value(&self, letter: char) -> Option<&str> {
        self.options.iter().rev().find(|(option, _)| *option == letter).map(|(_, value)| value.as_str())
    }

    pub(crate) fn values(&self, letter: char) -> impl Iterator<Item = &str> {
        self.options.iter().filter(move |(option, _)| *option == letter).map(|(_, value)| value.as_str())
    }

    pub(crate) fn number(&self, letter: char) -> Option<usize> {
        self.value(letter)?.parse().ok()
    }
}

/// Why words are not read.
enum Refused {
    /// The option is not known.
    Unknown(String),
    /// It has no value.
    NoValue(String),
}

#[derive(Clone, Copy, PartialEq)]
enum Takes {
    Nothing,
    Value,
    Attached,
}

impl Options {
    /// A table.
    #[must_use]
    pub const fn new(short: &'static str, long: &'static [(&'static str, char)]) -> Self {
        Self { short, long, number: None }
    }

    /// With a letter that a number alone means.
    #[must_use]
    pub const fn with_number(self, letter: char) -> Self {
        Self { number: Some(letter), ..self }
    }

    fn letter(&self, letter: char) -> Option<Takes> {
        let (_, rest) = self.short.split_once(letter).filter(|_| letter != ':')?;
        Some(match (rest.starts_with("::"), rest.starts_with(':')) {
            (true, _) => Takes::Attached,
            (false, true) => Takes::Value,
            (false, false) => Takes::Nothing,
        })
    }

    fn name(&self, word: &str) -> Option<(char, Takes)> {
        let (name, letter) = self.long.iter().find(|(name, _)| name.trim_end_matches('=') == word)?;
        let takes =
            if name.ends_with('=') { Takes::Value } else { self.letter(*letter).unwrap_or(Takes::Nothing) };
        Some((*letter, takes))
    }

    /// Reads options as getopt does, operands in between allowed. What is not known is refused by name, with status 2.
    pub(crate) fn read(&self, args: &[String]) -> Result<Arguments, Reply> {
        self.words(args.get(1..).unwrap_or_default()).map_err(|refused| {
            let name = args.first().map(String::as_str).unwrap_or_default();
            let text = match refused {
                Refused::Unknown(option) => format!("jumpdeck's simulated {name} has no option {option}\n"),
                Refused::NoValue(option) => format!("{name}: option requires an argument -- '{option}'\n"),
            };
            Reply { stderr: text.into_bytes(), status: 2, ..Reply::default() }
        })
    }

    fn words(&self, words: &[String]) -> Result<Arguments, Refused> {
        let mut out = Arguments::default();
        let mut rest = words.iter();
        while let Some(word) = rest.next() {
            if word == "--" {
                out.operands.extend(rest.cloned());
                break;
            }
            if let Some(long) = word.strip_prefix("--") {
                let (name, value) =
                    long.split_once('=').map_or((long, None), |(name, value)| (name, Some(value)));
                let known = self.name(name).filter(|(_, takes)| *takes != Takes::Nothing || value.is_none());
                let Some((letter, takes)) = known else { return Err(Refused::Unknown(format!("--{name}"))) };
                let value = match value {
                    None if takes == Takes::Value => {
                        Some(rest.next().ok_or_else(|| Refused::NoValue(name.to_owned()))?.as_str())
                    }
                    value => value,
                };
                out.options.push((letter, value.unwrap_or_default().to_owned()));
            } else if let Some(letters) = word.strip_prefix('-').filter(|letters| !letters.is_empty()) {
                self.letters(letters, &mut rest, &mut out)?;
            } else {
                out.operands.push(word.clone());
            }
        }
        Ok(out)
    }

    fn letters(
        &self,
        letters: &str,
        rest: &mut std::slice::Iter<'_, String>,
        out: &mut Arguments,
    ) -> Result<(), Refused> {
        if let Some(letter) = self.number.filter(|_| letters.bytes().all(|byte| byte.is_ascii_digit())) {
            out.options.push((letter, letters.to_owned()));
            return Ok(());
        }
        let mut letters = letters.chars();
        while let Some(letter) = letters.next() {
            let takes = self.letter(letter).ok_or_else(|| Refused::Unknown(format!("-{letter}")))?;
            let value = match takes {
                Takes::Nothing => String::new(),
                Takes::Attached => letters.by_ref().collect(),
                Takes::Value => {
                    let attached: String = letters.by_ref().collect();
                    let value = if attached.is_empty() { rest.next().cloned() } else { Some(attached) };
                    value.ok_or_else(|| Refused::NoValue(letter.to_string()))?
                }
            };
            out.options.push((letter, value));
        }
        Ok(())
    }

    /// The letters of the options in these words, the program's name not among them, by the reader that the program has.
    ///
    /// # Errors
    /// The option that it does not know.
    pub fn letters_in(&self, words: &[String]) -> Result<Vec<char>, String> {
        match self.words(words) {
            Ok(read) => Ok(read.options.into_iter().map(|(letter, _)| letter).collect()),
            Err(Refused::Unknown(option) | Refused::NoValue(option)) => Err(option),
        }
    }

    /// Every option by its letter, and by its long name where it has no letter.
    #[must_use]
    pub fn all(&self) -> Vec<(char, String)> {
        let letters = self.short.chars().filter(|letter| *letter != ':');
        let letters = letters.map(|letter| (letter, format!("-{letter}")));
        let long = self.long.iter().filter(|(_, letter)| self.letter(*letter).is_none());
        letters
            .chain(long.map(|(name, letter)| (*letter, format!("--{}", name.trim_end_matches('=')))))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

    use super::{Arguments, Options};

    static OPTIONS: Options = Options::new(
        "qn:i::",
        &[("quiet", 'q'), ("lines", 'n'), ("in-place", 'i'), ("only", 'O'), ("with=", 'W')],
    )
    .with_number('n');

    fn read(line: &str) -> Result<Arguments, String> {
        let words: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
        OPTIONS.read(&words).map_err(|reply| {
            assert_ne!(reply.status, 0);
            String::from_utf8(reply.stderr).unwrap()
        })
    }

    #[test]
    fn options_are_read_as_getopt_reads_them() {
        let read = read("x -qn5 a -n 6 --lines=7 --lines 8 -i.bak -i b --in-place=.old --only --with 1 --with=2 -9 - -- -z").unwrap();
        let options: Vec<String> =
            read.options.iter().map(|(letter, value)| format!("{letter}{value}")).collect();
        assert_eq!(options.join(" "), "q n5 n6 n7 n8 i.bak i i.old O W1 W2 n9");
        assert_eq!(read.operands, ["a", "b", "-", "-z"]);
        assert_eq!(read.values('W').collect::<Vec<_>>(), ["1", "2"]);
    }

    #[test]
    fn what_is_not_known_is_refused_by_name() {
        for (line, expected) in [
            ("x -z", "jumpdeck's simulated x has no option -z\n"),
            ("x -q:", "jumpdeck's simulated x has no option -:\n"),
            ("x -qO", "jumpdeck's simulated x has no option -O\n"),
            ("x --none=1", "jumpdeck's simulated x has no option --none\n"),
            ("x --quiet=1", "jumpdeck's simulated x has no option --quiet\n"),
            ("x -n", "x: option requires an argument -- 'n'\n"),
            ("x --with", "x: option requires an argument -- 'with'\n"),
        ] {
            assert_eq!(read(line).unwrap_err(), expected);
        }
    }

    #[test]
    fn every_option_is_listed_once() {
        let all: Vec<String> = OPTIONS.all().into_iter().map(|(_, name)| name).collect();
        assert_eq!(all, ["-q", "-n", "-i", "--only", "--with"]);
        assert_eq!(OPTIONS.letters_in(&["-q".to_owned(), "--only".to_owned()]), Ok(vec!['q', 'O']));
        assert_eq!(OPTIONS.letters_in(&["-qz".to_owned()]), Err("-z".to_owned()));
    }
}
