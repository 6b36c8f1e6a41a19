#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]
use proptest::prelude::*;

use super::*;

fn read(bytes: &[u8]) -> Result<Option<Report>, FrameError> {
    FrameReader::new().push(bytes)
}

const FRAME: &str =
    "%a1 begin\n%a1 section load 0\n0.1 0.2 0.3 1/2 3\n0-1\n%a1 section grains 127\n%a1 end 2\n";

#[test]
fn a_report_after_noise() {
    let noise = "Welcome to app1!\n%a1 not a beginning\nlast line without an end ";
    let report = read(format!("{noise}{FRAME}").as_bytes()).unwrap().unwrap();
    assert_eq!(report.nonce, "a1");
    assert_eq!(report.noise, noise.len());
    assert_eq!(report.section("load").unwrap(), &Raw { status: 0, text: "0.1 0.2 0.3 1/2 3\n0-1\n".into() });
    assert_eq!(report.section("grains").unwrap(), &Raw { status: 127, text: String::new() });
    assert_eq!(report.section("os"), None);
}

#[test]
fn two_reports_in_one_push_and_half_a_third() {
    let mut reader = FrameReader::new();
    let both = format!("{FRAME}noise\n{}%c3 be", FRAME.replace("%a1", "%b2"));
    assert_eq!(reader.push(both.as_bytes()).unwrap().unwrap().nonce, "a1");
    let second = reader.push(b"").unwrap().unwrap();
    assert_eq!((second.nonce.as_str(), second.noise), ("b2", 6));
    assert_eq!(reader.push(b"").unwrap(), None);
    assert_eq!(reader.push(b"gin\n%c3 end 0\n").unwrap().unwrap().nonce, "c3");
}

#[test]
fn content_cannot_forge_a_line() {
    let report =
        read(b"%a1 begin\n%a1 section x 0\n%b2 begin\n%b2 end 0\n%a1x end 1\n %a1 end 1\n%a1 end 1\n")
            .unwrap()
            .unwrap();
    assert_eq!(report.section("x").unwrap().text, "%b2 begin\n%b2 end 0\n%a1x end 1\n %a1 end 1\n");
}

#[test]
fn damage_is_an_error_never_half_a_report() {
    for damaged in [
        "%a1 begin\n%a1 end 1\n",
        "%a1 begin\n%a1 section load 0\n%a1 end 2\n",
        "%a1 begin\nstray\n%a1 end 0\n",
        "%a1 begin\n%a1 section load 256\n%a1 end 1\n",
        "%a1 begin\n%a1 section load\n",
        "%a1 begin\n%a1 section load 0 0\n",
        "%a1 begin\n%a1 \u{fffd}\n",
    ] {
        assert!(matches!(read(damaged.as_bytes()), Err(FrameError::Damaged(_))), "{damaged:?}");
    }
    assert_eq!(read(FRAME.strip_suffix('\n').unwrap().as_bytes()).unwrap(), None);
}

#[test]
fn endless_output_is_stopped() {
    let line = [b'x'; 4096];
    for start in ["", "%a1 begin\n%a1 section x 0\n"] {
        for end in ["", "\n"] {
            let mut reader = FrameReader::new();
            reader.push(start.as_bytes()).unwrap();
            let pushes = (0..1000).take_while(|_| {
                let more = [&line[..], end.as_bytes()].concat();
                reader.push(&more).is_ok()
            });
            assert!((200..=MAX_FRAME / line.len()).contains(&pushes.count()), "{start:?} {end:?}");
        }
    }
}

#[test]
fn bytes_that_are_no_text_stay_in_their_section() {
    let report = read(b"%a1 begin\n%a1 section x 0\n\xff\x00\x1b[2J\r\n%a1 section y 0\nfine\n%a1 end 2\n")
        .unwrap()
        .unwrap();
    assert_eq!(report.section("x").unwrap().text, "\u{fffd}\0\u{1b}[2J\r\n");
    assert_eq!(report.section("y").unwrap().text, "fine\n");
}

proptest! {
    #[test]
    fn any_split_gives_the_same_report(cuts in proptest::collection::vec(0..FRAME.len(), 0..8)) {
        let mut cuts = cuts;
        cuts.extend([0, FRAME.len()]);
        cuts.sort_unstable();
        let mut reader = FrameReader::new();
        let mut found = None;
        for pair in cuts.windows(2) {
            found = found.or(reader.push(&FRAME.as_bytes()[pair[0]..pair[1]]).unwrap());
        }
        prop_assert_eq!(found, read(FRAME.as_bytes()).unwrap());
    }

    #[test]
    fn no_bytes_panic(pieces in proptest::collection::vec(prop_oneof![
        Just(b"%a1 begin\n".to_vec()), Just(b"%a1 section x 0\n".to_vec()), Just(b"%a1 end 1\n".to_vec()),
        proptest::collection::vec(any::<u8>(), 0..40),
    ], 0..20)) {
        let mut reader = FrameReader::new();
        for piece in pieces {
            if reader.push(&piece).is_err() {
                break;
            }
        }
    }
}
