//! The one table every screen uses: columns that fit themselves to the width, rows that draw only what is seen.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::Line;

use crate::view::state::{TableRecord, ViewState};
use crate::view::styles::Styles;
use crate::view::text::{Align, put, row, span};

/// A column as a screen asks for it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Column<C> {
    /// Which column.
    pub(crate) id: C,
    /// Its title.
    pub(crate) title: &'static str,
    /// To which side titles and cells lean.
    pub(crate) align: Align,
    /// Narrower than this it is left out.
    pub(crate) least: u16,
    /// Wider than this it need not be.
    pub(crate) most: u16,
    /// 0 stays longest. From [`EXTRA`] on a column has only what is left when all before it have all they need.
    pub(crate) rank: u8,
}

impl<C> Column<C> {
    /// A column of one width.
    pub(crate) const fn fixed(id: C, title: &'static str, align: Align, width: u16, rank: u8) -> Self {
        Self { id, title, align, least: width, most: width, rank }
    }
}

/// A column in its place.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Placed<C> {
    pub(crate) column: Column<C>,
    pub(crate) x: u16,
    pub(crate) width: u16,
}

/// One text in the place of several cells.
pub(crate) struct Instead<'a, C> {
    /// Which columns.
    pub(crate) covers: fn(C) -> bool,
    /// The text.
    pub(crate) says: Line<'a>,
}

/// Columns in their places, in an area whose first row is the titles'.
pub(crate) struct ColumnTable<C> {
    area: Rect,
    pub(crate) columns: Vec<Placed<C>>,
    record: Option<TableRecord>,
}

/// Columns that a cell has while it is recorded: texts are not cut.
const UNCUT: u16 = 400;
/// Titles of a row's sign, and of what stands in the place of its figures.
const STATE: &str = "STATE";
const NOTE: &str = "NOTE";
/// What a cell holds that is covered by a note.
const COVERED: &str = "?";

/// Columns left of the first cell: the mark of the selected row, the sign, and a space after each.
const LEAD: u16 = 4;

/// The first rank of columns that are an extra.
pub(crate) const EXTRA: u8 = 10;

/// Columns between two cells.
const GAP: u16 = 1;

impl<C: Copy + PartialEq> ColumnTable<C> {
    /// Places the columns that fit, by rank; what is left over widens them, by rank too.
    pub(crate) fn new(area: Rect, columns: &[Column<C>]) -> Self {
        let room = area.width.saturating_sub(LEAD + 1);
        let mut by_rank: Vec<usize> = (0..columns.len()).collect();
        by_rank.sort_by_key(|i| columns.get(*i).map_or(u8::MAX, |c| c.rank));
        let mut widths: Vec<Option<u16>> = vec![None; columns.len()];
        let mut used = 0;
        // What the columns placed so far would take at their widest.
        let mut widest: u16 = 0;
        for i in &by_rank {
            let (Some(column), Some(width)) = (columns.get(*i), widths.get_mut(*i)) else { continue };
            let gap = if used > 0 { GAP } else { 0 };
            let needed = column.least + gap;
            let taken = if column.rank >= EXTRA { widest } else { used };
            if taken.saturating_add(needed) > room {
                continue;
            }
            *width = Some(column.least);
            used += needed;
            widest = widest.saturating_add(column.most.max(column.least)).saturating_add(gap);
        }
        for i in by_rank {
            let (Some(column), Some(Some(width))) = (columns.get(i), widths.get_mut(i)) else { continue };
            let more = column.most.saturating_sub(*width).min(room - used);
            *width += more;
            used += more;
        }
        let mut x = area.x + LEAD;
        let mut placed = Vec::with_capacity(columns.len());
        for (column, width) in columns.iter().zip(widths) {
            if let Some(width) = width {
                placed.push(Placed { column: *column, x, width });
                x += width + GAP;
            }
        }
        Self { area, columns: placed, record: None }
    }

    /// The same, to be recorded where that is wanted.
    pub(crate) fn recorded(mut self, state: &ViewState) -> Self {
        self.record = state.record();
        if let Some(mut record) = self.record.as_ref().and_then(|record| record.lock().ok()) {
            let mut titles = vec![STATE.to_owned()];
            let mut named = "";
            for placed in &self.columns {
                // A column without a title says how what is left of it is.
                titles.push(match placed.column.title {
                    "" => format!("{named} {STATE}"),
                    title => {
                        named = title;
                        title.to_owned()
                    }
                });
            }
            titles.push(NOTE.to_owned());
            record.titles = titles;
        }
        self
    }

    /// How many rows there is room for.
    pub(crate) fn height(&self) -> u16 {
        self.area.height.saturating_sub(1)
    }

    /// Draws the titles; `sorted` is the column (`None`: the signs') the rows are sorted by and whether downward.
    pub(crate) fn titles(&self, buf: &mut Buffer, styles: &Styles, sorted: Option<(Option<C>, bool)>) {
        let arrow = |down| if down { "↓" } else { "↑" };
        for placed in &self.columns {
            let mut line = Line::from(span(placed.column.title, styles.title));
            if let Some((Some(by), down)) = sorted
                && by == placed.column.id
            {
                line = Line::from(vec![
                    span(placed.column.title, styles.accent),
                    span(arrow(down), styles.accent),
                ]);
            }
            put(buf, placed.x, self.area.y, placed.width, &line, placed.column.align);
        }
        if let Some((None, down)) = sorted {
            put(buf, self.area.x + 2, self.area.y, 1, &span(arrow(down), styles.accent).into(), Align::Left);
        }
    }

    /// Draws a row: its sign, then its cells. A cell is asked for with its column and width.
    pub(crate) fn row<'a>(
        &self,
        buf: &mut Buffer,
        at: u16,
        sign: ratatui::text::Span<'a>,
        instead: Option<Instead<'a, C>>,
        mut cell: impl FnMut(C, u16) -> Line<'a>,
    ) {
        let covered = |placed: &Placed<C>| instead.as_ref().is_some_and(|i| (i.covers)(placed.column.id));
        if let Some(record) = &self.record {
            let mut texts = vec![sign.content.trim().to_owned()];
            for placed in &self.columns {
                let text = |line: Line<'_>| without_bars(&line.to_string());
                texts.push(if covered(placed) {
                    COVERED.to_owned()
                } else {
                    text(cell(placed.column.id, UNCUT))
                });
            }
            texts.push(instead.as_ref().map_or_else(String::new, |instead| instead.says.to_string()));
            if let Ok(mut record) = record.lock() {
                record.rows.push(texts);
            }
            return;
        }
        let area = row(self.area, at + 1);
        if area.height == 0 {
            return;
        }
        put(buf, area.x + 2, area.y, 1, &sign.into(), Align::Left);
        for placed in self.columns.iter().filter(|p| !covered(p)) {
            let line = cell(placed.column.id, placed.width);
            put(buf, placed.x, area.y, placed.width, &line, placed.column.align);
        }
        let Some(instead) = &instead else { return };
        // Chosen columns may come in any order: what stands between covered ones is not overwritten.
        let runs = self.columns.split(|placed| !covered(placed));
        let width = |run: &&[Placed<C>]| match run {
            [] => 0,
            [first, ..] => run.last().map_or(0, |last| last.x + last.width - first.x),
        };
        // The first of those that are equally wide.
        let widest = runs.rev().max_by_key(width).filter(|run| !run.is_empty());
        if let Some(run) = widest
            && let Some(first) = run.first()
        {
            put(buf, first.x, area.y, width(&run), &instead.says, Align::Left);
        }
    }

    /// Notes on a row already drawn that its host is marked.
    pub(crate) fn mark(&self, buf: &mut Buffer, at: u16, styles: &Styles) {
        let area = row(self.area, at + 1);
        put(buf, area.x + 1, area.y, 1, &span("+", styles.accent).into(), Align::Left);
    }

    /// Lays the selection over a row already drawn: a mark, and a style, so that it is seen without colour.
    pub(crate) fn select(&self, buf: &mut Buffer, at: u16, styles: &Styles) {
        let area = row(self.area, at + 1);
        put(buf, area.x, area.y, 1, &span("▸", styles.accent).into(), Align::Left);
        styles.select(buf, area);
    }
}

/// A cell without the bar or the trend that is drawn in it.
fn without_bars(text: &str) -> String {
    let is_drawing = |c: char| matches!(c, '\u{2500}'..='\u{259f}');
    text.chars().filter(|c| !is_drawing(*c)).collect::<String>().trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn placed(width: u16) -> Vec<(char, u16, u16)> {
        let columns = [
            Column { id: 'h', title: "HOST", align: Align::Left, least: 6, most: 10, rank: 0 },
            Column::fixed('l', "LOAD", Align::Right, 5, 2),
            Column::fixed('a', "AGE", Align::Right, 4, 1),
        ];
        let table = ColumnTable::new(Rect::new(0, 0, width, 5), &columns);
        table.columns.iter().map(|p| (p.column.id, p.x, p.width)).collect()
    }

    #[test]
    fn what_stands_in_the_place_of_cells_covers_no_other_cell() {
        let columns = [('a', 1), ('h', 0), ('b', 2), ('c', 3)];
        let columns = columns.map(|(id, rank)| Column::fixed(id, "", Align::Left, 4, rank));
        let table = ColumnTable::new(Rect::new(0, 0, 40, 2), &columns);
        let mut buf = Buffer::empty(Rect::new(0, 0, 40, 2));
        let instead = Instead { covers: |id| id != 'h', says: Line::from("unreachable") };
        table.row(&mut buf, 0, span(" ", ratatui::style::Style::default()), Some(instead), |_, _| {
            Line::from("host")
        });
        let row: String = (0..40).map(|x| buf[(x, 1)].symbol()).collect();
        assert_eq!(row.trim_end(), "         host unreacha…");
    }

    #[test]
    fn columns_go_by_rank_and_grow_into_what_is_left() {
        assert_eq!(placed(11), [('h', 4, 6)]);
        assert_eq!(placed(16), [('h', 4, 6), ('a', 11, 4)]);
        assert_eq!(placed(22), [('h', 4, 6), ('l', 11, 5), ('a', 17, 4)]);
        assert_eq!(placed(60), [('h', 4, 10), ('l', 15, 5), ('a', 21, 4)]);
    }
}
