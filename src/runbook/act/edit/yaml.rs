//! The value of a key in block YAML, told by its path, changed in its own line; everything else stays as it is, byte by
//! byte. Pillar files hold Jinja, which no reader of YAML takes; so lines and their indentation are all that is read.
//! Imports nothing.

/// Changes the scalar under a path of keys parted by colons. A comment behind it and its quotes stay.
pub(super) fn set(
    text: &str,
    path: &str,
    new: impl FnOnce(&str) -> Result<String, String>,
) -> Result<String, String> {
    let keys: Vec<&str> = path.split(':').collect();
    let mut above: Vec<(usize, &str)> = Vec::new();
    let mut found = Vec::new();
    for (number, line) in text.lines().enumerate() {
        let Some((indent, key, value)) = entry(line) else { continue };
        above.retain(|(depth, _)| *depth < indent);
        above.push((indent, key));
        if above.len() == keys.len() && above.iter().map(|(_, k)| k).eq(keys.iter()) {
            found.push((number, value));
        }
    }
    let [(number, value)] = found.as_slice() else {
        return Err(match found.len() {
            0 => format!("there is no key {path}"),
            several => format!("the key {path} is there {several} times"),
        });
    };
    if value.is_empty() || value.starts_with(['|', '>', '{', '[', '&', '*']) {
        return Err(format!("{path} is not a plain value: {value:?}"));
    }
    let (bare, behind) = scalar(value);
    let quote = bare.chars().next().filter(|c| matches!(c, '\'' | '"') && bare.len() > 1);
    let old = quote.map_or(bare, |q| bare.trim_matches(q));
    let new = new(old)?;
    if new.contains(['\n', '\r', '\'', '"', '#']) {
        return Err(format!("{new:?} cannot stand in a line of YAML as it is"));
    }
    let new = quote.map_or(new.clone(), |q| format!("{q}{new}{q}"));
    let lines: Vec<String> = text
        .split_inclusive('\n')
        .enumerate()
        .map(|(i, line)| {
            if i != *number {
                return line.to_owned();
            }
            let start = line.len() - line.trim_end_matches('\n').len();
            let head = line.trim_end_matches('\n').strip_suffix(value).unwrap_or_default();
            format!("{head}{new}{behind}{}", if start > 0 { "\n" } else { "" })
        })
        .collect();
    Ok(lines.concat())
}

/// A line's indentation, key and value; none for comments, lists, Jinja and what else is no `key: value`.
fn entry(line: &str) -> Option<(usize, &str, &str)> {
    let body = line.trim_start();
    if body.is_empty() || body.starts_with(['#', '-', '{', '%']) {
        return None;
    }
    let (key, value) = match body.split_once(": ") {
        Some((key, value)) => (key, value.trim_start()),
        None => (body.trim_end().strip_suffix(':')?, ""),
    };
    let value = if value.starts_with('#') { "" } else { value };
    Some((line.len() - body.len(), key.trim().trim_matches(['\'', '"']), value))
}

/// A value, and the white space and comment behind it.
fn scalar(value: &str) -> (&str, &str) {
    let end = match value.find(" #") {
        Some(at) => value.get(..at).unwrap_or(value).trim_end().len(),
        None => value.trim_end().len(),
    };
    value.split_at(end)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    const PILLAR: &str = "\
{% set tld = 'wpdn' %}
infra:
  current:
    tld: {{ tld }}
  hosts_entries:
    masterdb: 10.10.10.11  # db1
    mail: '10.10.10.3'
  db_servers:
    mysql:
      # who takes writes
      writes: 10.10.10.11
      masterdb: 10.10.10.11
  gdnsd_timestamp: 2015031001
";

    #[test]
    fn only_the_line_meant_changes() {
        let to = |path: &str, value: &str| set(PILLAR, path, |_| Ok(value.to_owned()));
        let changed = to("infra:hosts_entries:masterdb", "10.10.10.12").unwrap();
        assert_eq!(changed, PILLAR.replace("masterdb: 10.10.10.11  # db1", "masterdb: 10.10.10.12  # db1"));
        let changed = to("infra:db_servers:mysql:masterdb", "10.10.10.12").unwrap();
        assert_eq!(changed, PILLAR.replace("      masterdb: 10.10.10.11\n", "      masterdb: 10.10.10.12\n"));
        let changed = to("infra:hosts_entries:mail", "10.0.0.9").unwrap();
        assert!(changed.contains("mail: '10.0.0.9'\n"));
        let bumped =
            set(PILLAR, "infra:gdnsd_timestamp", |old| Ok((old.parse::<u64>().unwrap() + 1).to_string()));
        assert!(bumped.unwrap().ends_with("gdnsd_timestamp: 2015031002\n"));
    }

    #[test]
    fn what_is_not_one_plain_value_is_refused() {
        for (path, why) in [
            ("infra:nothing", "no key"),
            ("masterdb", "no key"),
            ("infra:db_servers:mysql", "not a plain value"),
            ("infra:current:tld", "not a plain value"),
        ] {
            let error = set(PILLAR, path, |_| Ok("x".to_owned())).unwrap_err();
            assert!(error.contains(why), "{path}: {error}");
        }
        assert!(set(PILLAR, "infra:gdnsd_timestamp", |_| Ok("a\nb".to_owned())).is_err());
    }
}
