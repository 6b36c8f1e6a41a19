//! Facts of two that stand side by side, as lines.

use ratatui::style::Style;
use ratatui::text::{Line, Span};
use unicode_width::UnicodeWidthStr;

use crate::app::rows::beside::{ComparedFact, ComparedValue, FactVerdict};
use crate::view::scene::Scene;
use crate::view::text::{cut, span, wrap};

/// Columns left of a fact's name: the sign.
pub(in crate::view) const LEAD: usize = 3;

/// A fact of both: texts that do not fit go on in the next line, as they may differ at their ends.
pub(in crate::view) fn fact_lines(
    scene: &Scene<'_>,
    fact: &ComparedFact,
    named: usize,
    width: usize,
) -> Vec<Line<'static>> {
    let styles = scene.styles;
    let verdict = fact.verdict();
    let style = match verdict {
        FactVerdict::Differ => styles.warning,
        FactVerdict::Unknown => styles.unknown,
        FactVerdict::Moves | FactVerdict::Alike => styles.muted,
    };
    let texts = fact.values.each_ref().map(|value| {
        let (text, style): (&str, Style) = match value {
            ComparedValue::Known(text) => (text, styles.base),
            ComparedValue::Unknown(why) => (why, styles.unknown),
            ComparedValue::Nothing => ("–", styles.muted),
        };
        (wrap(text, width), style)
    });
    let height = texts.iter().map(|(lines, _)| lines.len()).max().unwrap_or(0);
    let label = cut(&fact.name, named - 1);
    (0..height)
        .map(|at| {
            let (sign, label) = if at == 0 { (verdict.sign(), label.as_str()) } else { (" ", "") };
            let mut spans = vec![
                span(format!(" {sign} "), style),
                span(format!("{label}{}", " ".repeat(named.saturating_sub(label.width()))), styles.muted),
            ];
            for (lines, style) in &texts {
                let text = lines.get(at).map_or("", String::as_str);
                spans.push(span(text.to_owned(), *style));
                spans.push(Span::raw(" ".repeat((width + 1).saturating_sub(text.width()))));
            }
            Line::from(spans)
        })
        .collect()
}
