//! A theme: a few colours by meaning, read from TOML and validated. The style tree is made of it in `view`.

use std::fmt;
use std::str::FromStr;

use super::diagnostic::{Diagnostic, nearest};
use super::reader::{Reader, Table};

/// A colour as a theme writes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Color {
    /// The terminal's own foreground or background: `"default"`.
    Default,
    /// One of the terminal's 256 colours, of which the first 16 have names: `"red"`, `"bright-blue"`, `208`.
    Indexed(u8),
    /// Red, green, blue: `"#1e2430"`.
    Rgb(u8, u8, u8),
}

/// The names of the terminal's first 16 colours, by index (ECMA-48 and the usual bright ones).
const ANSI: [&str; 16] = [
    "black",
    "red",
    "green",
    "yellow",
    "blue",
    "magenta",
    "cyan",
    "white",
    "bright-black",
    "bright-red",
    "bright-green",
    "bright-yellow",
    "bright-blue",
    "bright-magenta",
    "bright-cyan",
    "bright-white",
];

impl FromStr for Color {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        if let Some(hex) = text.strip_prefix('#') {
            if hex.len() != 6 || !hex.bytes().all(|b| b.is_ascii_hexdigit()) {
                return Err(());
            }
            let [_, r, g, b] = u32::from_str_radix(hex, 16).map_err(|_| ())?.to_be_bytes();
            return Ok(Self::Rgb(r, g, b));
        }
        if text == "default" {
            return Ok(Self::Default);
        }
        let index = ANSI.iter().position(|name| *name == text).ok_or(())?;
        u8::try_from(index).map(Self::Indexed).map_err(|_| ())
    }
}

impl fmt::Display for Color {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::Indexed(i) => match ANSI.get(usize::from(*i)) {
                Some(name) => f.write_str(name),
                None => write!(f, "{i}"),
            },
            Self::Rgb(r, g, b) => write!(f, "#{r:02x}{g:02x}{b:02x}"),
        }
    }
}

macro_rules! colors {
    ($($field:ident, $doc:literal;)*) => {
        /// The colours of a theme, by what they mean.
        #[derive(Debug, Clone, PartialEq, Eq)]
        pub struct Colors {
            $(#[doc = $doc] pub $field: Color,)*
        }

        impl Colors {
            /// The keys of `[colors]`, all required.
            pub const NAMES: &'static [&'static str] = &[$(stringify!($field),)*];

            fn read(reader: &mut Reader, table: &Table<'_>) -> Option<Self> {
                reader.only(table, Self::NAMES);
                $(let $field = color(reader, table, stringify!($field), $doc);)*
                Some(Self { $($field: $field?,)* })
            }
        }
    };
}

colors! {
    background, "behind everything";
    surface, "behind header, footer and dialogs";
    text, "normal text";
    muted, "labels and hints";
    accent, "keys, the active tab, titles";
    border, "lines and empty parts of bars";
    selection, "behind the selected row";
    selection_text, "text of the selected row";
    ok, "a good state";
    warning, "a warning";
    critical, "a critical problem";
    unknown, "an unknown value";
    stale, "old values";
    production, "the band of a guarded environment";
    staging, "the band of every other environment";
    simulated, "the band of a simulated fleet";
    band_text, "text on the three bands";
}

/// A theme. Built once, validated, never changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Theme {
    /// Its name, as settings and the console use it.
    pub name: String,
    /// Whether it is made for a dark background.
    pub dark: bool,
    /// Its colours.
    pub colors: Colors,
}

/// The themes that come with the program, as file name and text; the first is the default.
pub(crate) const BUILTIN: [(&str, &str); 3] = [
    ("themes/dark.toml", include_str!("../../themes/dark.toml")),
    ("themes/light.toml", include_str!("../../themes/light.toml")),
    ("themes/high-contrast.toml", include_str!("../../themes/high-contrast.toml")),
];

/// The themes that come with the program; the first is the default.
#[must_use]
pub fn builtin() -> Vec<Theme> {
    // A test reads each of them: none is left out here.
    BUILTIN.iter().filter_map(|(file, text)| parse_theme(file, text).ok()).collect()
}

/// Reads a theme.
///
/// # Errors
/// Every mistake of the file: syntax, unknown or missing keys, values that are no colours.
pub fn parse_theme(file: &str, text: &str) -> Result<Theme, Vec<Diagnostic>> {
    let mut reader = Reader::new(file, text);
    let root = reader.parse(text);
    let theme = root.as_ref().and_then(|root| {
        let root = reader.root(root);
        read(&mut reader, &root)
    });
    reader.finish(theme)
}

fn read(reader: &mut Reader, root: &Table<'_>) -> Option<Theme> {
    reader.only(root, &["name", "dark", "colors"]);
    let name = reader.string(root, "name", "write name = \"my-theme\"");
    let dark = reader.boolean(root, "dark");
    for (key, example) in [("name", "name = \"my-theme\""), ("dark", "dark = true"), ("colors", "[colors]")] {
        if root.get(key).is_none() {
            reader.error(0..0, format!("{key:?} is missing"), format!("add {example}"));
        }
    }
    if let Some(name) = &name
        && (name.value.is_empty()
            || !name.value.chars().all(|c| c.is_ascii_alphanumeric() || "-_".contains(c)))
    {
        let message = format!("{:?} cannot be the name of a theme", name.value);
        reader.error(name.span.clone(), message, "use letters, digits, - and _");
    }
    let table = reader.subtable(root, "colors", "write [colors] and one colour a line below it");
    let colors = table.and_then(|table| Colors::read(reader, &table));
    Some(Theme { name: name?.value.to_owned(), dark: dark?, colors: colors? })
}

const HOW: &str =
    "write \"#rrggbb\", \"default\", a number from 0 to 255, or a name such as \"red\" or \"bright-blue\"";

fn color(reader: &mut Reader, table: &Table<'_>, key: &str, meaning: &str) -> Option<Color> {
    let Some(value) = table.get(key) else {
        reader.error(
            table.span.clone(),
            format!("colour {key:?} is missing"),
            format!("add {key} = … ({meaning})"),
        );
        return None;
    };
    if value.get_ref().is_integer() {
        let index = reader.integer(table, key, 0..=255)?;
        return u8::try_from(index).ok().map(Color::Indexed);
    }
    let text = reader.string(table, key, HOW)?;
    let color = text.value.parse().ok();
    if color.is_none() {
        let help = match nearest(text.value, ANSI.into_iter().chain(["default"])) {
            Some(near) if !text.value.starts_with('#') => format!("did you mean {near:?}?"),
            _ => HOW.to_owned(),
        };
        reader.error(text.span, format!("{:?} is not a colour", text.value), help);
    }
    color
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic)]
    use super::*;

    fn luminance(color: Color) -> f64 {
        let Color::Rgb(r, g, b) = color else { panic!("{color} has no luminance of its own") };
        let linear = |c: u8| {
            let c = f64::from(c) / 255.0;
            if c <= 0.04045 { c / 12.92 } else { ((c + 0.055) / 1.055).powf(2.4) }
        };
        0.2126 * linear(r) + 0.7152 * linear(g) + 0.0722 * linear(b)
    }

    /// WCAG 2.1, "contrast ratio".
    fn contrast(a: Color, b: Color) -> f64 {
        let (a, b) = (luminance(a), luminance(b));
        (a.max(b) + 0.05) / (a.min(b) + 0.05)
    }

    /// Degrees between two colours on the wheel.
    fn hue_apart(a: Color, b: Color) -> f64 {
        let hue = |color: Color| {
            let Color::Rgb(r, g, b) = color else { panic!("{color} has no hue of its own") };
            let [r, g, b] = [r, g, b].map(f64::from);
            let (most, least) = (r.max(g).max(b), r.min(g).min(b));
            let range = (most - least).max(f64::MIN_POSITIVE);
            let sixth = if most <= r {
                (g - b) / range
            } else if most <= g {
                2.0 + (b - r) / range
            } else {
                4.0 + (r - g) / range
            };
            (sixth * 60.0).rem_euclid(360.0)
        };
        let apart = (hue(a) - hue(b)).abs();
        apart.min(360.0 - apart)
    }

    #[test]
    fn every_builtin_theme_is_read_and_readable() {
        let themes = builtin();
        assert_eq!(
            themes.iter().map(|t| t.name.as_str()).collect::<Vec<_>>(),
            ["dark", "light", "high-contrast"]
        );
        for theme in themes {
            let wanted = if theme.name == "high-contrast" { 7.0 } else { 4.5 };
            let c = &theme.colors;
            let mut pairs = vec![
                ("selection_text", c.selection_text, c.selection),
                ("production", c.band_text, c.production),
                ("staging", c.band_text, c.staging),
                ("simulated", c.band_text, c.simulated),
            ];
            for (name, color) in [
                ("text", c.text),
                ("muted", c.muted),
                ("accent", c.accent),
                ("ok", c.ok),
                ("warning", c.warning),
                ("critical", c.critical),
                ("unknown", c.unknown),
                ("stale", c.stale),
            ] {
                pairs.extend([(name, color, c.background), (name, color, c.surface)]);
            }
            for (name, fore, back) in pairs {
                let ratio = contrast(fore, back);
                assert!(ratio >= wanted, "{}: {name} {fore} on {back}: {ratio:.2} < {wanted}", theme.name);
            }
            assert!(
                contrast(c.stale, c.background) < contrast(c.text, c.background),
                "{}: stale",
                theme.name
            );
            // A guarded environment is no alarm: its band is of another hue than what is critical.
            assert!(hue_apart(c.production, c.critical) >= 25.0, "{}: production", theme.name);
            assert_ne!(c.simulated, c.warning, "{}: simulated", theme.name);
            assert_eq!(theme.dark, luminance(c.background) < luminance(c.text), "{}: dark", theme.name);
        }
    }

    #[test]
    fn colours_read_as_they_print() {
        for text in ["#1e2430", "default", "red", "bright-white"] {
            assert_eq!(text.parse::<Color>().unwrap().to_string(), text);
        }
        assert_eq!("bright-blue".parse(), Ok(Color::Indexed(12)));
        for bad in ["#fff", "#12345g", "#+12345", "rouge", "", "Red"] {
            assert_eq!(bad.parse::<Color>(), Err(()), "{bad}");
        }
    }
}
