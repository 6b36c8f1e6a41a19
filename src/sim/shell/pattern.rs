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

/// Whether the pattern matches the whole text. Linear in memory, no recursion: the last `*` is retried.
pub(crate) fn matches(pattern: &str, text: &str) -> bool {
    let pattern: Vec<char> = pattern.chars().collect();
    let text: Vec<char> = text.chars().collect();
    let (mut p, mut t) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while t < text.len() || p < pattern.len() {
        if pattern.get(p) == Some(&'*') {
            star = Some((p + 1, t));
            p += 1;
            continue;
        }
        if let Some(&c) = text.get(t)
            && let Some(width) = one(pattern.get(p..).unwrap_or_default(), c)
        {
            p += width;
            t += 1;
            continue;
        }
        match star {
            Some((after, at)) if at < text.len() => {
                star = Some((after, at + 1));
                p = after;
                t = at + 1;
            }
            _ => return false,
        }
    }
    true
}

/// How many pattern characters the one text character matched.
fn one(pattern: &[char], c: char) -> Option<usize> {
    match pattern {
        ['\\', literal, ..] => (*literal == c).then_some(2),
        ['?', ..] => Some(1),
        ['[', rest @ ..] => match class(rest, c) {
            Some((matched, width)) => matched.then_some(width + 1),
            None => (c == '[').then_some(1),
        },
        [literal, ..] => (*literal == c).then_some(1),
        [] => None,
    }
}

/// The inside of `[…]`: whether it holds the character, and its length with the bracket.
fn class(pattern: &[char], c: char) -> Option<(bool, usize)> {
    let negated = matches!(pattern, ['!' | '^', ..]);
    let mut at = usize::from(negated);
    let first = at;
    let mut found = false;
    loop {
        let rest = pattern.get(at..)?;
        match rest {
            [']', ..] if at > first => return Some((found != negated, at + 1)),
            ['[', ':', ..] => {
                let end = rest.windows(2).position(|pair| pair == [':', ']'])?;
                let name: String = rest.get(2..end)?.iter().collect();
                found |= named(&name, c);
                at += end + 2;
            }
            ['\\', low, ..] => {
                found |= *low == c;
                at += 2;
            }
            [low, '-', high, ..] if *high != ']' => {
                found |= (*low..=*high).contains(&c);
                at += 3;
            }
            [literal, ..] => {
                found |= *literal == c;
                at += 1;
            }
            [] => return None,
        }
    }
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
