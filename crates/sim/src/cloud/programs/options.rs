//! Arguments of the cloud's programs: `--key-name`, `--key_name` and `--key-name=x` are all understood, as by argparse.

/// Options with their values (empty for flags), and what stands alone.
#[derive(Debug, Default)]
pub(super) struct Options {
    given: Vec<(String, String)>,
    /// What stands alone, in order.
    pub(super) words: Vec<String>,
}

impl Options {
    /// Reads arguments. Options in `flags` have no value, those in `valued` have one.
    ///
    /// # Errors
    /// With argparse's words about what is not understood.
    pub(super) fn parse(args: &[String], flags: &[&str], valued: &[&str]) -> Result<Self, String> {
        let mut options = Self::default();
        let mut args = args.iter();
        while let Some(arg) = args.next() {
            if !arg.starts_with('-') || arg.len() < 2 {
                options.words.push(arg.clone());
                continue;
            }
            let (name, glued) = match arg.split_once('=') {
                Some((name, value)) if arg.starts_with("--") => (name, Some(value.to_owned())),
                _ => (arg.as_str(), None),
            };
            let name = if name.starts_with("--") { name.replace('_', "-") } else { name.to_owned() };
            if valued.contains(&name.as_str()) {
                let value = glued.or_else(|| args.next().cloned());
                let value = value.ok_or_else(|| format!("argument {name}: expected one argument"))?;
                options.given.push((name, value));
            } else if flags.contains(&name.as_str()) && glued.is_none() {
                options.given.push((name, String::new()));
            } else {
                return Err(format!("unrecognized arguments: {arg}"));
            }
        }
        Ok(options)
    }

    /// Whether a flag was given.
    pub(super) fn has(&self, name: &str) -> bool {
        self.given.iter().any(|(given, _)| given == name)
    }

    /// The last value of an option.
    pub(super) fn value(&self, name: &str) -> Option<&str> {
        self.given.iter().rev().find(|(given, _)| given == name).map(|(_, value)| value.as_str())
    }

    /// Every value of an option.
    pub(super) fn values(&self, name: &str) -> impl Iterator<Item = &str> {
        self.given.iter().filter(move |(given, _)| given == name).map(|(_, value)| value.as_str())
    }

    /// The word at a place.
    pub(super) fn word(&self, place: usize) -> Option<&str> {
        self.words.get(place).map(String::as_str)
    }
}
