//! What the terminal can show, told from the process environment: colours, signs, and whether its ground is light.

use crate::view::ColorSupport;

/// What the terminal can show.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Capabilities {
    /// The colours it can show.
    pub possible: ColorSupport,
    /// The colours that are wanted: none when `NO_COLOR` is set (no-color.org).
    pub wanted: ColorSupport,
    /// Whether only ASCII can be relied on: the Linux console, or a locale that is not UTF-8.
    pub ascii: bool,
    /// Whether the background is light (`COLORFGBG`); unset says nothing, and dark is taken.
    pub light: bool,
}

impl Capabilities {
    /// Reads the process environment.
    #[must_use]
    pub fn from_environment() -> Self {
        Self::of(|name| std::env::var(name).ok().filter(|value| !value.is_empty()))
    }

    /// The same from given variables.
    fn of(variable: impl Fn(&str) -> Option<String>) -> Self {
        let term = variable("TERM").unwrap_or_default();
        let true_color = variable("COLORTERM").is_some_and(|c| c == "truecolor" || c == "24bit")
            || term.ends_with("-direct");
        let possible = if true_color {
            ColorSupport::TrueColor
        } else if term.contains("256") {
            ColorSupport::Ansi256
        } else if term == "dumb" || term.starts_with("vt") {
            ColorSupport::None
        } else if term == "linux" || variable("COLORFGBG").is_some() {
            ColorSupport::Ansi16
        } else {
            // The terminal is not asked (OSC 11): over a slow link its answer would come among the keys.
            ColorSupport::Ansi16OnAnyGround
        };
        let wanted = if variable("NO_COLOR").is_some() { ColorSupport::None } else { possible };
        let locale = ["LC_ALL", "LC_CTYPE", "LANG"].into_iter().find_map(&variable);
        let utf8 = locale.is_none_or(|l| {
            let l = l.to_ascii_lowercase();
            l.contains("utf-8") || l.contains("utf8")
        });
        let light = variable("COLORFGBG")
            .and_then(|c| c.rsplit(';').next().and_then(|bg| bg.parse::<u8>().ok()))
            .is_some_and(|background| background == 7 || background == 15);
        Self { possible, wanted, ascii: !utf8 || term == "linux" || term.starts_with("vt"), light }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(variables: &[(&str, &str)]) -> Capabilities {
        Capabilities::of(|name| variables.iter().find(|(n, _)| *n == name).map(|(_, v)| (*v).to_owned()))
    }

    #[test]
    fn colours_are_those_the_terminal_has_unless_none_are_wanted() {
        let colours = |v: &[(&str, &str)]| of(v).wanted;
        assert_eq!(colours(&[("TERM", "xterm-256color")]), ColorSupport::Ansi256);
        assert_eq!(
            colours(&[("TERM", "xterm-256color"), ("COLORTERM", "truecolor")]),
            ColorSupport::TrueColor
        );
        assert_eq!(colours(&[("TERM", "linux")]), ColorSupport::Ansi16);
        assert_eq!(colours(&[("TERM", "screen")]), ColorSupport::Ansi16OnAnyGround);
        assert_eq!(colours(&[("TERM", "xterm"), ("COLORFGBG", "0;15")]), ColorSupport::Ansi16);
        assert_eq!(colours(&[("TERM", "vt100")]), ColorSupport::None);
        assert_eq!(colours(&[("TERM", "xterm-256color"), ("NO_COLOR", "1")]), ColorSupport::None);
    }

    #[test]
    fn ascii_where_signs_would_be_boxes() {
        assert!(of(&[("TERM", "linux"), ("LANG", "C.UTF-8")]).ascii);
        assert!(of(&[("TERM", "xterm"), ("LANG", "C")]).ascii);
        assert!(of(&[("TERM", "xterm"), ("LC_ALL", "POSIX"), ("LANG", "C.UTF-8")]).ascii);
        assert!(!of(&[("TERM", "xterm"), ("LANG", "en_US.utf8")]).ascii);
        assert!(!of(&[("TERM", "xterm")]).ascii);
    }

    #[test]
    fn a_light_ground_is_told_by_colorfgbg() {
        assert!(of(&[("COLORFGBG", "0;15")]).light);
        assert!(!of(&[("COLORFGBG", "15;0")]).light);
        assert!(!of(&[]).light);
    }
}
