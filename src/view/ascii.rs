//! For terminals without the signs (`TERM=linux`, `dumb`): every cell as ASCII. One pass over the finished frame, so
//! that no screen needs to know.

use ratatui::buffer::Buffer;

/// Replaces what is not ASCII: our own signs by one that reads alike, the rest by `?`.
pub(super) fn simplify(buf: &mut Buffer) {
    for cell in &mut buf.content {
        if !cell.symbol().is_ascii() {
            let plain = plain(cell.symbol());
            cell.set_symbol(plain);
        }
    }
}

fn plain(symbol: &str) -> &'static str {
    match symbol {
        "●" => "*",
        "○" => "o",
        "◌" => "~",
        "▲" => "!",
        "≤" => "<",
        "✖" => "X",
        "▸" | "►" => ">",
        "◆" => "%",
        "✓" => "+",
        "⋮" => ":",
        "■" => "=",
        "━" | "╸" => "=",
        "─" => "-",
        "│" | "├" | "▌" => "|",
        "┌" | "┐" | "┘" => "+",
        "└" => "`",
        "▁" => "_",
        "▂" => ".",
        "▃" => "-",
        "▄" => "=",
        "▅" => "+",
        "▆" => "*",
        "▇" => "#",
        "█" => "@",
        "·" | "–" => "-",
        "×" => "x",
        "…" => "~",
        "•" => "*",
        "→" => ">",
        "←" => "<",
        "↑" => "^",
        "↓" => "v",
        "≥" => ">",
        "≠" => "#",
        "±" => "~",
        _ => "?",
    }
}
