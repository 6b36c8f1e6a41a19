//! A bar for a percentage: a heavy line on a light one, to half a column. It reads without colour.

use ratatui::style::Style;
use ratatui::text::Span;

use crate::view::styles::Styles;
use crate::view::text::span;

/// The bar: its filled part in `style`, the rest quiet. Anything above 0 fills something; only 100 fills it all.
pub(crate) fn bar(percent: f64, width: u16, style: Style, styles: &Styles) -> [Span<'static>; 2] {
    let halves = f64::from(width) * 2.0;
    let mut filled = (percent.clamp(0.0, 100.0) / 100.0 * halves).round();
    if percent > 0.0 {
        filled = filled.max(1.0);
    }
    if percent < 100.0 {
        filled = filled.min(halves - 1.0);
    }
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // between 0 and 2 × u16::MAX
    let filled = filled.max(0.0) as usize;
    let mut heavy = "━".repeat(filled / 2);
    if filled % 2 == 1 {
        heavy.push('╸');
    }
    let rest = usize::from(width).saturating_sub(filled.div_ceil(2));
    [span(heavy, style), span("─".repeat(rest), styles.line)]
}

/// A bar, a space, and the percentage in four columns.
pub(crate) fn with_percent(percent: f64, width: u16, style: Style, styles: &Styles) -> Vec<Span<'static>> {
    let figure = format!(" {:>4}", crate::view::text::percent(percent));
    let [heavy, light] = bar(percent, width.saturating_sub(5), style, styles);
    vec![heavy, light, span(figure, style)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_nothing_is_empty_and_only_everything_is_full() {
        let styles = crate::view::fixtures::styles("dark");
        let drawn = |p| bar(p, 4, Style::new(), &styles).map(|s| s.content.into_owned()).concat();
        assert_eq!(
            [0.0, 0.1, 25.0, 38.0, 50.0, 99.9, 100.0, 250.0].map(drawn),
            ["────", "╸───", "━───", "━╸──", "━━──", "━━━╸", "━━━━", "━━━━"]
        );
    }
}
