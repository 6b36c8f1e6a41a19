//! What `look.sh` prints, in parts: each begins with a line that begins with the mark.

/// One part.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct LookPart<'a> {
    /// Its word.
    pub(super) name: &'a str,
    /// What stands behind the word.
    pub(super) value: &'a str,
    /// The lines below it.
    pub(super) body: &'a str,
}

/// An answer in its parts.
#[derive(Debug)]
pub(super) struct LookParts<'a>(Vec<LookPart<'a>>);

impl<'a> LookParts<'a> {
    /// The parts of an answer; `None` where the script did not run to its end.
    pub(super) fn of(text: &'a str, mark: &str) -> Option<Self> {
        let head = |line: &str| line.strip_prefix(mark).is_some_and(|rest| rest.starts_with(' '));
        let mut parts: Vec<LookPart<'a>> = Vec::new();
        let mut rest = text;
        let mut begun = 0;
        while let Some(line) = rest.split_inclusive('\n').next() {
            let at = text.len() - rest.len();
            rest = rest.get(line.len()..).unwrap_or_default();
            if !head(line) {
                continue;
            }
            if let Some(open) = parts.last_mut() {
                open.body = text.get(begun..at).unwrap_or_default();
            }
            begun = at + line.len();
            let words = line.get(mark.len() + 1..).unwrap_or_default().trim_end();
            let (name, value) = words.split_once(' ').unwrap_or((words, ""));
            parts.push(LookPart { name, value, body: "" });
        }
        let is_whole = parts.last().is_some_and(|part| part.name == "end" || part.name == "lacks");
        is_whole.then_some(Self(parts))
    }

    /// The part of that name.
    pub(super) fn part(&self, name: &str) -> Option<&LookPart<'a>> {
        self.0.iter().find(|part| part.name == name)
    }

    /// All parts of that name.
    pub(super) fn all<'s>(&'s self, name: &'s str) -> impl Iterator<Item = &'s LookPart<'a>> {
        self.0.iter().filter(move |part| part.name == name)
    }

    /// What is missing on the host, where nothing can be said without it.
    pub(super) fn lacks(&self) -> Option<&'a str> {
        self.part("lacks").map(|part| part.value)
    }

    /// Whether root asked.
    pub(super) fn is_root(&self) -> bool {
        self.part("user").is_some_and(|part| part.value == "0")
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn parts_are_between_marks() {
        let text = "noise\nM user 0\nM count 3\nM stat\n1 (a) S\nM\nMM end\n2 (b) S\n\nM end\n";
        let parts = LookParts::of(text, "M").unwrap();
        assert_eq!(parts.part("stat").unwrap().body, "1 (a) S\nM\nMM end\n2 (b) S\n\n");
        assert_eq!(parts.part("count").unwrap().value, "3");
        assert!(parts.is_root() && parts.lacks().is_none());
    }

    #[test]
    fn an_answer_without_its_end_is_none() {
        assert!(LookParts::of("M user 0\nM stat\n1 (a) S", "M").is_none());
        assert!(LookParts::of("", "M").is_none());
        assert_eq!(LookParts::of("M user 5\nM lacks /proc\n", "M").unwrap().lacks(), Some("/proc"));
    }
}
