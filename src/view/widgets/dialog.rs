//! A box over the screen.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::Line;
use ratatui::widgets::{Block, Clear, Padding, Widget};

/// Draws an empty box of that size in the middle, as far as it fits, and returns the area inside it.
pub(crate) fn open(
    buf: &mut Buffer,
    area: Rect,
    (width, height): (u16, u16),
    title: Line<'_>,
    (ground, border): (Style, Style),
) -> Rect {
    let (width, height) = (width.min(area.width), height.min(area.height));
    let outer =
        Rect { x: area.x + (area.width - width) / 2, y: area.y + (area.height - height) / 2, width, height };
    clear_around(buf, outer);
    Clear.render(outer, buf);
    let block =
        Block::bordered().style(ground).border_style(border).title(title).padding(Padding::horizontal(1));
    let inner = block.inner(outer);
    block.render(outer, buf);
    inner
}

/// A wide character that the box cuts in half must not spill into it.
fn clear_around(buf: &mut Buffer, outer: Rect) {
    let Some(x) = outer.x.checked_sub(1) else { return };
    for y in outer.top()..outer.bottom() {
        if let Some(cell) = buf.cell_mut((x, y))
            && unicode_width::UnicodeWidthStr::width(cell.symbol()) > 1
        {
            cell.set_symbol(" ");
        }
    }
}
