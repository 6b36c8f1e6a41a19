//! Screens as text, at three sizes, and the styles that text does not show.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::buffer::Buffer;

use super::fixtures::*;
use super::*;

pub(crate) fn drawn(model: &Model, styles: &Styles, (width, height): (u16, u16)) -> Buffer {
    let mut terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
    let mut state = ViewState::default();
    terminal.draw(|frame| draw(frame, model, styles, &mut state)).unwrap();
    terminal.backend().buffer().clone()
}

#[test]
fn look() {
    use super::styles::ColorSupport;
    let Ok(which) = std::env::var("LOOK") else { return };
    let size: Vec<u16> =
        std::env::var("SIZE").unwrap_or("80x24".into()).split('x').map(|n| n.parse().unwrap()).collect();
    let (world, screen) = which.split_once('/').unwrap();
    let model = match world {
        "healthy" => healthy(),
        "trouble" => trouble(),
        "waiting" => waiting(),
        "jump" => jump_down(8),
        "jumplong" => jump_down(300),
        "aged" => aged(15),
        "expired" => aged(60),
        "odd" => odd(),
        _ => large(1000),
    };
    let host = std::env::var("HOST").unwrap_or("db2".into());
    let mut model = match screen {
        "fleet" | "help" => model,
        "host" => on(model, Screen::Host(name(&host))),
        "repl" => on(model, Screen::Replication),
        "roles" => on(model, Screen::Roles),
        _ => on(model, Screen::Problems),
    };
    if screen == "help" {
        model.help = Some(0);
    }
    let theme = std::env::var("THEME").unwrap_or("dark".into());
    let styles = if theme == "none" {
        Styles::new(&crate::config::theme::builtin()[0], ColorSupport::None)
    } else {
        styles(&theme)
    };
    let styles = styles.in_ascii(std::env::var("ASCII").is_ok());
    let buf = drawn(&model, &styles, (size[0], size[1]));
    let mut out = String::new();
    for y in 0..size[1] {
        for x in 0..size[0] {
            let c = &buf[(x, y)];
            out.push_str(&format!("{}\t{:?}\t{:?}\t{:?}\n", c.symbol(), c.fg, c.bg, c.modifier));
        }
    }
    std::fs::write("/tmp/look.tsv", out).unwrap();
    for y in 0..size[1] {
        let line: String = (0..size[0]).map(|x| buf[(x, y)].symbol().to_owned()).collect();
        println!("{line}");
    }
}
