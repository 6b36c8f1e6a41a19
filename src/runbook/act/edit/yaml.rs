//! The value of a key in block YAML, named by its path, changed in its own line; everything else stays as it is, byte by
//! byte. The line is found by [`lines`], the new value written by [`scalar`]; [`proof`] reads the document before and
//! after: only that key may differ, and it must read back as the text that is meant.

mod lines;
mod proof;
mod scalar;

/// Changes the scalar under a path of keys (`a:b:c`). The comment after it, its quotes and its line ending stay.
///
/// # Errors
/// The line, why it is not changed, and that it is to be changed by hand.
pub(super) fn set(
    text: &str,
    path: &str,
    new: impl FnOnce(&str) -> Result<String, String>,
) -> Result<String, String> {
    let keys: Vec<&str> = path.split(':').collect();
    let found = lines::find(text, &keys)?;
    let [one] = found.as_slice() else {
        return Err(match found.as_slice() {
            [] => format!("there is no key {path} in block form; edit it by hand"),
            several => {
                let numbers: Vec<String> = several.iter().map(|found| found.line.to_string()).collect();
                format!(
                    "the key {path} appears {} times, on lines {}; edit it by hand",
                    several.len(),
                    numbers.join(", ")
                )
            }
        });
    };
    let refused = |why: String| format!("line {}: {why}; edit it by hand", one.line);
    let value = text.get(one.value.clone()).unwrap_or_default();
    let old = scalar::read(value).map_err(|why| refused(format!("{path} {why}")))?;
    if one.goes_on {
        return Err(refused(format!("the value of {path} continues on the next line")));
    }
    let new = new(&old.text)?;
    let written = scalar::write(&new, &old).map_err(|why| refused(format!("{new:?} {why}")))?;
    let mut changed = text.to_owned();
    changed.replace_range(one.value.start..one.value.start + old.length, &written);
    proof::only_that_changed(text, &changed, &keys, &new).map_err(refused)?;
    Ok(changed)
}

#[cfg(test)]
mod tests;
