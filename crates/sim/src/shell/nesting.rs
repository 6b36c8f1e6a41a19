//! How deep a script nests, told from its tokens before the grammar recurses on them: brush-parser has no limit of its
//! own, and for open parentheses and cases each level doubles its work.

use brush_parser::{Token, TokenizerOptions, uncached_tokenize_str};

/// How deep commands may nest.
const DEEPEST: usize = 50;
/// How deep parentheses and cases may nest.
const DEEPEST_DOUBLING: usize = 12;
/// Here-documents of a script: each is looked for from the first one on.
const DOCUMENTS: usize = 256;

/// What is open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Open {
    Parenthesis,
    Case,
    If,
    Loop,
    Brace,
    Test,
}

/// Whether a text nests deeper than is read. One that has no tokens is left to the parser, which then says why.
pub(super) fn is_too_deep(source: &str, options: &TokenizerOptions) -> bool {
    if source.matches("<<").count() > DOCUMENTS {
        return true;
    }
    let Ok(tokens) = uncached_tokenize_str(source, options) else { return false };
    let mut open: Vec<Open> = Vec::new();
    let mut doubling = 0_usize;
    let mut nots = 0_usize;
    let mut start = true;
    let mut named = 0_usize;
    for (at, token) in tokens.iter().enumerate() {
        // brush-parser takes for granted that it is a number of 31 bits.
        if is_large_descriptor(token, tokens.get(at + 1)) {
            return true;
        }
        let (opened, closed) = meaning(token, start || named > 0, open.last());
        if closed {
            let last = open.pop();
            doubling -= usize::from(last.is_some_and(doubles));
        }
        if let Some(opened) = opened {
            open.push(opened);
            doubling += usize::from(doubles(opened));
        }
        nots = if token.to_str() == "!" { nots + 1 } else { 0 };
        if open.len() > DEEPEST || doubling > DEEPEST_DOUBLING || nots > DEEPEST {
            return true;
        }
        // `function name {` and `coproc name {`: a command begins after the name.
        named = if matches!(token.to_str(), "function" | "coproc") { 2 } else { named.saturating_sub(1) };
        start = begins_command(token);
    }
    false
}

/// `99999999999>x`
fn is_large_descriptor(token: &Token, next: Option<&Token>) -> bool {
    let (Token::Word(word, place), Some(Token::Operator(sign, after))) = (token, next) else { return false };
    word.len() > 9
        && word.bytes().all(|b| b.is_ascii_digit())
        && sign.starts_with(['<', '>'])
        && place.end.index == after.start.index
}

fn doubles(open: Open) -> bool {
    matches!(open, Open::Parenthesis | Open::Case)
}

/// What a token opens, and whether it closes what was opened last. A closing word counts only where the grammar may take
/// it for one: `if echo fi` is still open.
fn meaning(token: &Token, start: bool, last: Option<&Open>) -> (Option<Open>, bool) {
    let closes = |open: Open| (None, start && last == Some(&open));
    match token {
        Token::Operator(sign, _) => match sign.as_str() {
            "(" => (Some(Open::Parenthesis), false),
            ")" => (None, last == Some(&Open::Parenthesis)),
            _ => (None, false),
        },
        Token::Word(word, _) => match word.as_str() {
            "]]" => (None, last == Some(&Open::Test)),
            "fi" => closes(Open::If),
            "done" => closes(Open::Loop),
            "esac" => closes(Open::Case),
            "}" => closes(Open::Brace),
            _ if !start => (None, false),
            "if" => (Some(Open::If), false),
            "while" | "until" | "for" | "select" => (Some(Open::Loop), false),
            "case" => (Some(Open::Case), false),
            "{" => (Some(Open::Brace), false),
            "[[" => (Some(Open::Test), false),
            _ => (None, false),
        },
    }
}

/// Whether a command may begin after a token.
fn begins_command(token: &Token) -> bool {
    match token {
        Token::Operator(sign, _) => !sign.contains(['<', '>']),
        Token::Word(word, _) => matches!(
            word.as_str(),
            "if" | "then"
                | "elif"
                | "else"
                | "fi"
                | "while"
                | "until"
                | "do"
                | "done"
                | "in"
                | "esac"
                | "{"
                | "}"
                | "]]"
                | "!"
                | "time"
                | "-p"
        ),
    }
}
