#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use super::*;

fn with(variables: &[(&str, &str)]) -> Clipboard {
    Clipboard::of(|name| {
        variables.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())
    })
}

/// What GNU screen 4.9.0 hands on: the content of each DCS of at most 767 bytes; whether something was dropped.
fn through_screen(bytes: &[u8]) -> (Vec<u8>, bool) {
    let (mut out, mut rest, mut dropped) = (Vec::new(), bytes, false);
    while !rest.is_empty() {
        let Some(content) = rest.strip_prefix(b"\x1bP") else {
            dropped = true;
            break;
        };
        // ESC within it is content, except before a backslash.
        let end = content.windows(2).position(|two| two == b"\x1b\\").unwrap();
        dropped |= end > 767;
        out.extend_from_slice(&content[..end]);
        rest = &content[end + 2..];
    }
    (out, dropped)
}

/// What tmux 3.3a hands on of wrapped sequences, with `allow-passthrough` on and `set-clipboard` off.
fn through_tmux(bytes: &[u8]) -> Vec<u8> {
    let start = bytes.windows(7).position(|seven| seven == b"\x1bPtmux;").unwrap() + 7;
    let (mut out, mut at) = (Vec::new(), start);
    while bytes[at..at + 2] != *b"\x1b\\" {
        // A doubled ESC is one.
        at += usize::from(bytes[at] == 0x1b && bytes[at + 1] == 0x1b);
        out.push(bytes[at]);
        at += 1;
    }
    assert_eq!(at + 2, bytes.len());
    out
}

fn plain(text: &str) -> Vec<u8> {
    format!("\x1b]52;c;{}\x07", STANDARD.encode(text)).into_bytes()
}

#[test]
fn a_terminal_alone_gets_the_plain_sequence() {
    let sent = with(&[("TERM", "xterm-256color")]).sequence("db1 – ünicode\n").unwrap();
    assert_eq!(sent, "\x1b]52;c;ZGIxIOKAkyDDvG5pY29kZQo=\x07".as_bytes());
}

#[test]
fn tmux_gets_it_plain_and_wrapped() {
    for variables in
        [&[("TERM", "screen-256color"), ("TMUX", "/tmp/x,1,0")][..], &[("TERM", "tmux-256color")]]
    {
        let sent = with(variables).sequence("text").unwrap();
        let copy = plain("text");
        assert!(sent.starts_with(&copy));
        let wrapped = &sent[copy.len()..];
        assert!(wrapped.starts_with(b"\x1bPtmux;\x1b\x1b]52;c;"), "{wrapped:?}");
        assert_eq!(through_tmux(wrapped), copy);
    }
}

#[test]
fn screen_gets_it_in_pieces_that_it_does_not_drop() {
    for variables in [&[("TERM", "screen"), ("STY", "1.pts-0.x")][..], &[("TERM", "screen.xterm-256color")]] {
        for length in [0, 1, 500, 565, 570, 5000] {
            let text = "x".repeat(length);
            let sent = with(variables).sequence(&text).unwrap();
            assert_eq!(through_screen(&sent), (plain(&text), false), "{length}");
        }
        let long = with(variables).sequence(&"x".repeat(5000)).unwrap();
        assert!(long.windows(2).filter(|two| two == b"\x1bP").count() > 5);
    }
}

#[test]
fn one_in_the_other_unwraps_to_the_plain_sequence() {
    let text = "line\n".repeat(400);
    let both = [("TMUX", "/tmp/x,1,0"), ("STY", "1.pts-0.x")];
    let sent = with(&[both[0], both[1], ("TERM", "tmux-256color")]).sequence(&text).unwrap();
    let copy = plain(&text);
    assert!(sent.starts_with(&copy));
    assert_eq!(through_screen(&through_tmux(&sent[copy.len()..])), (copy, false), "tmux in screen");

    let sent = with(&[both[0], both[1], ("TERM", "screen")]).sequence(&text).unwrap();
    let (handed_on, dropped) = through_screen(&sent);
    assert!(!dropped);
    let copy = plain(&text);
    assert!(handed_on.starts_with(&copy));
    assert_eq!(through_tmux(&handed_on[copy.len()..]), copy, "screen in tmux");
}

#[test]
fn the_linux_console_gets_nothing() {
    assert!(with(&[("TERM", "linux")]).sequence("text").unwrap_err().contains("no clipboard"));
}

#[test]
fn the_longest_text_makes_a_sequence_of_100_000_bytes() {
    let sent = with(&[]).sequence(&"x".repeat(MOST)).unwrap();
    assert!((99_990..=100_000).contains(&sent.len()), "{}", sent.len());
}
