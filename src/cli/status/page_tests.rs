//! What the console shows of a service that a real probe read in the simulated fleet.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use ratatui::Terminal;
use ratatui::backend::TestBackend;

use super::gather::Picture;
use super::unknown_tests::pictures;
use crate::app::model::{Model, Screen};
use crate::view::fixtures::{name, of, on, styles};
use crate::view::{ViewState, draw};

const SIZE: (u16, u16) = (200, 60);

/// The console with what was gathered.
fn console(picture: &Picture) -> Model {
    let mut model = of(vec![picture.env.clone()]);
    model.now = picture.now;
    let shown = &mut model.environments[0];
    (shown.jump, shown.hosts) = (picture.jump.clone(), picture.hosts.clone());
    model
}

fn rows(model: &Model) -> Vec<String> {
    let mut terminal = Terminal::new(TestBackend::new(SIZE.0, SIZE.1)).unwrap();
    terminal.draw(|frame| draw(frame, model, &styles("dark"), &mut ViewState::default())).unwrap();
    let cells = &terminal.backend().buffer().content;
    cells.chunks(SIZE.0.into()).map(|row| row.iter().map(ratatui::buffer::Cell::symbol).collect()).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn redis_is_on_the_page_of_its_host_and_in_its_row() {
    let picture = pictures("wpd-2015").await.remove(0);
    let page = rows(&on(console(&picture), Screen::Host(name("sessions1"))));
    let at = page.iter().position(|row| row.trim() == "SERVICES").unwrap();
    let services = &page[at + 1..];
    let at = services.iter().position(|row| row.trim().starts_with("● ok        redis ")).unwrap();
    let lines: Vec<String> = services[at..].iter().map(|row| row.trim().to_owned()).collect();
    let starts = [
        "● ok        redis         5.0.14, master",
        "version       5.0.14",
        "role          master",
        "replicas      0",
        "clients       9",
        "memory        ",
        "evicted       0",
        "rdb           ok",
        "aof           off",
        "password      no",
    ];
    for (line, start) in lines.iter().zip(starts) {
        assert!(line.starts_with(start), "{start}: {lines:#?}");
    }
    assert!(lines[5].ends_with(" of 512M"), "{lines:#?}");
    assert!(services[0].trim().starts_with("● ok        exim          nothing waits"), "{services:#?}");
    let fleet = rows(&on(console(&picture), Screen::Fleet));
    let row = fleet.iter().find(|row| row.contains(" sessions1 ")).unwrap();
    assert!(row.contains("redis master"), "{row}");
}
