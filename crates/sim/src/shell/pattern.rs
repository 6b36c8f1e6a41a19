//! Shell patterns: `*`, `?`, `[…]`, with backslash for what was quoted.

/// Puts a backslash before what a pattern would read as more than itself.
pub(crate) fn escape(text: &str, into: &mut String) {
    for c in text.chars() {
        if matches!(c, '*' | '?' | '[' | ']' | '\\' | '-' | '!' | '^') {
            into.push('\\');
        }
        into.push(c);
    }
}

/// Whether a word holds anything that would be globbed.
pub(crate) fn is_pattern(text: &str) -> bool {
    let mut escaped = false;
    for c in text.chars() {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '*' | '?' | '[' => return true,
            _ => {}
        }
    }
    false
}

/// A pattern with its backslashes taken away.
pub(crate) fn unescape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        out.push(if c == '\\' { chars.next().unwrap_or('\\') } else { c });
    }
    out
}

/// One element of a pattern.
#[derive(Debug)]
enum Element {
    Literal(char),
    Any,
    Star,
    Class { negated: bool, members: Vec<Member> },
}

#[derive(Debug)]
enum Member {
    Range(char, char),
    Named(String),
}

impl Element {
    fn takes(&self, c: char) -> bool {
        match self {
            Self::Literal(literal) => *literal == c,
            Self::Any | Self::Star => true,
            Self::Class { negated, members } => {
                let found = members.iter().any(|member| match member {
                    Member::Range(low, high) => (*low..=*high).contains(&c),
                    Member::Named(name) => named(name, c),
                });
                found != *negated
            }
        }
    }
}

fn compile(pattern: &str) -> Vec<Element> {
    let chars: Vec<char> = pattern.chars().collect();
    let mut out = Vec::new();
    let mut rest = chars.as_slice();
    loop {
        let (element, width) = match rest {
            [] => return out,
            ['\\', literal, ..] => (Element::Literal(*literal), 2),
            ['*', ..] => (Element::Star, 1),
            ['?', ..] => (Element::Any, 1),
            ['[', inner @ ..] => match class(inner) {
                Some((class, width)) => (class, width + 1),
                None => (Element::Literal('['), 1),
            },
            [literal, ..] => (Element::Literal(*literal), 1),
        };
        out.push(element);
        rest = rest.get(width..).unwrap_or_default();
    }
}

/// The inside of `[…]`, and its length with the closing bracket; `None` when it does not close.
fn class(pattern: &[char]) -> Option<(Element, usize)> {
    let negated = matches!(pattern, ['!' | '^', ..]);
    let mut at = usize::from(negated);
    let first = at;
    let mut members = Vec::new();
    loop {
        let (member, width) = match pattern.get(at..)? {
            [']', ..] if at > first => return Some((Element::Class { negated, members }, at + 1)),
            rest @ ['[', ':', ..] => {
                let end = rest.windows(2).position(|pair| pair == [':', ']'])?;
                (Member::Named(rest.get(2..end)?.iter().collect()), end + 2)
            }
            ['\\', literal, ..] => (Member::Range(*literal, *literal), 2),
            [low, '-', high, ..] if *high != ']' => (Member::Range(*low, *high), 3),
            [literal, ..] => (Member::Range(*literal, *literal), 1),
            [] => return None,
        };
        members.push(member);
        at += width;
    }
}

/// Steps that matching takes at most: a pattern of thousands of elements on a text of megabytes matches nothing here.
const MOST_STEPS: usize = 1 << 28;

/// Walks the text once with every state the pattern can be in, and tells `found` at how many characters the pattern
/// matches what went before; stops when `found` says so. Linear in the text, whatever the stars.
fn walk(
    elements: &[&Element],
    text: impl Iterator<Item = char>,
    mut found: impl FnMut(usize) -> std::ops::ControlFlow<()>,
) {
    let close = |states: &mut Vec<bool>| {
        for (at, element) in elements.iter().enumerate() {
            if matches!(element, Element::Star)
                && states.get(at) == Some(&true)
                && let Some(next) = states.get_mut(at + 1)
            {
                *next = true;
            }
        }
    };
    let mut states = vec![false; elements.len() + 1];
    if let Some(first) = states.first_mut() {
        *first = true;
    }
    close(&mut states);
    let mut next = vec![false; states.len()];
    let mut position = 0_usize;
    let mut rest = text;
    loop {
        if states.last() == Some(&true) && found(position).is_break() {
            return;
        }
        let Some(c) = rest.next() else { return };
        position += 1;
        if position.saturating_mul(elements.len()) > MOST_STEPS {
            return;
        }
        next.fill(false);
        let mut alive = false;
        for ((at, element), _) in elements.iter().enumerate().zip(&states).filter(|(_, on)| **on) {
            if element.takes(c) {
                let target = if matches!(element, Element::Star) { at } else { at + 1 };
                if let Some(state) = next.get_mut(target) {
                    *state = true;
                    alive = true;
                }
            }
        }
        if !alive {
            return;
        }
        close(&mut next);
        std::mem::swap(&mut states, &mut next);
    }
}

/// Whether the pattern matches the whole text.
pub(crate) fn matches(pattern: &str, text: &str) -> bool {
    let elements = compile(pattern);
    let elements: Vec<&Element> = elements.iter().collect();
    let total = text.chars().count();
    let mut whole = false;
    walk(&elements, text.chars(), |length| {
        whole = length == total;
        std::ops::ControlFlow::Continue(())
    });
    whole
}

/// How many characters at the start (or the end) of the text the pattern matches: the fewest or the most.
pub(crate) fn matched(pattern: &str, text: &str, at_end: bool, longest: bool) -> Option<usize> {
    let elements = compile(pattern);
    let mut result = None;
    let found = |length| {
        result = Some(length);
        if longest { std::ops::ControlFlow::Continue(()) } else { std::ops::ControlFlow::Break(()) }
    };
    if at_end {
        walk(&elements.iter().rev().collect::<Vec<_>>(), text.chars().rev(), found);
    } else {
        walk(&elements.iter().collect::<Vec<_>>(), text.chars(), found);
    }
    result
}

fn named(name: &str, c: char) -> bool {
    match name {
        "digit" => c.is_ascii_digit(),
        "alpha" => c.is_alphabetic(),
        "alnum" => c.is_alphanumeric(),
        "space" => c.is_whitespace(),
        "blank" => matches!(c, ' ' | '\t'),
        "upper" => c.is_uppercase(),
        "lower" => c.is_lowercase(),
        "punct" => c.is_ascii_punctuation(),
        "xdigit" => c.is_ascii_hexdigit(),
        "cntrl" => c.is_control(),
        "print" => !c.is_control(),
        "graph" => !c.is_control() && !c.is_whitespace(),
        _ => false,
    }
}
