//! The files that Salt reads grains from, merged as Salt merges them.

use serde::Deserialize;
use serde_json::{Map, Value};

use super::WantedGrains;
use crate::collect::probe::unreadable;
use jumpdeck_fleet::fact::Gap;
use jumpdeck_fleet::text::Clean;

/// Nodes that aliases of a file may add: `*a` repeats all that `&a` marks, and aliases of aliases multiply.
const MAX_REPLAYED: usize = 4_096;

/// What we want of a file of the minion's configuration.
#[derive(Deserialize, Default)]
struct Conf {
    #[serde(default)]
    grains: Option<Map<String, Value>>,
    #[serde(default)]
    include: Value,
}

/// Grains by where they stand: Salt takes `grains:` of the last of these that has any (and each wins over
/// `/etc/salt/grains`).
#[derive(Default)]
struct GrainPlaces {
    /// `/etc/salt/grains`.
    file: Option<WantedGrains>,
    /// `/etc/salt/minion`.
    main: Option<Map<String, Value>>,
    /// `default_include`: `minion.d/*.conf`, in the order of their names, later ones over earlier ones.
    default: Option<Map<String, Value>>,
    /// `include`.
    include: Option<Map<String, Value>>,
}

/// Reads `@conf PLACE PATH` and what stands in the file, and again; `@denied PATH` and `@cut PATH` for files that were not
/// read: they may hold anything.
pub(super) fn files(text: &str) -> Result<WantedGrains, Gap> {
    let mut places = GrainPlaces::default();
    let mut rest = text;
    while !rest.is_empty() {
        let (line, after) = rest.split_once('\n').unwrap_or((rest, ""));
        let (body, next) = match after.find("\n@").map(|at| after.split_at(at + 1)) {
            Some((body, next)) if !after.starts_with('@') => (body, next),
            Some(_) | None if after.starts_with('@') => ("", after),
            Some(_) | None => (after, ""),
        };
        rest = next;
        let mut words = line.splitn(3, ' ');
        match (words.next(), words.next(), words.next()) {
            (Some("@conf"), Some(place), Some(path)) => places.read(place, path, body)?,
            (Some("@denied"), Some(path), why) => {
                let why = format!("{path}: {}", why.unwrap_or("permission denied"));
                return Err(Gap::NotPermitted(Clean::first_line(&why, 200)));
            }
            (Some("@cut"), Some(path), _) => {
                return Err(Gap::Cut(Clean::first_line(&format!("{path} is longer than 128 KiB"), 200)));
            }
            _ => return Err(unreadable(line)),
        }
    }
    Ok(places.merged())
}

impl GrainPlaces {
    fn read(&mut self, place: &str, path: &str, text: &str) -> Result<(), Gap> {
        // As Salt's own reader does: of a key that stands twice, the last one counts.
        let options = serde_saphyr::options! {
            duplicate_keys: serde_saphyr::options::DuplicateKeyPolicy::LastWins,
            alias_limits: serde_saphyr::alias_limits! { max_total_replayed_events: MAX_REPLAYED },
        };
        let odd = |e: serde_saphyr::Error| unreadable(&format!("{path}: {e}"));
        if place == "grains" {
            let wanted: Option<WantedGrains> =
                serde_saphyr::from_str_with_options(text, options).map_err(odd)?;
            self.file = Some(wanted.unwrap_or_default());
            return Ok(());
        }
        let conf: Option<Conf> = serde_saphyr::from_str_with_options(text, options).map_err(odd)?;
        let conf = conf.unwrap_or_default();
        let found = match place {
            "main" => &mut self.main,
            "default" => &mut self.default,
            "included" => &mut self.include,
            _ => return Err(unreadable(place)),
        };
        if place != "main" && !conf.include.is_null() {
            return Err(unreadable(&format!(
                "{path} includes other files; jumpdeck follows includes only in the file \"minion\""
            )));
        }
        if let Some(grains) = conf.grains {
            found.get_or_insert_default().extend(grains);
        }
        Ok(())
    }

    fn merged(self) -> WantedGrains {
        let mut wanted = self.file.unwrap_or_default();
        let mut configured = self.include.or(self.default).or(self.main).unwrap_or_default();
        if let Some(level) = configured.remove("level") {
            wanted.level = level;
        }
        if let Some(roles) = configured.remove("roles") {
            wanted.roles = roles;
        }
        wanted
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn merged(text: &str) -> (Value, Value) {
        let wanted = files(text).unwrap();
        (wanted.level, wanted.roles)
    }

    /// Case 07: what Salt merges, in the order in which Salt does.
    #[test]
    fn the_configuration_wins_over_the_file() {
        let file = "@conf grains /etc/salt/grains\nlevel: production\nroles: [app]\n";
        let main = "@conf main /etc/salt/minion\nmaster: salt\ngrains:\n  level: temporary\n  roles: [db]\n";
        let default = "@conf default /etc/salt/minion.d/a.conf\ngrains:\n  level: first\n";
        let later = "@conf default /etc/salt/minion.d/b.conf\ngrains:\n  level: staging\n";
        let include = "@conf included /etc/salt/x.conf\ngrains: {roles: [mail]}\n";
        let (production, app) = (Value::from("production"), serde_json::json!(["app"]));
        assert_eq!(merged(file), (production, app.clone()));
        assert_eq!(merged(&format!("{main}{file}")), ("temporary".into(), serde_json::json!(["db"])));
        // Of two files of minion.d the later one wins; all of the main file's grains give way to theirs.
        assert_eq!(merged(&format!("{main}{default}{later}{file}")), ("staging".into(), app));
        let all = format!("{main}{default}{later}{include}{file}");
        assert_eq!(merged(&all), ("production".into(), serde_json::json!(["mail"])));
        assert_eq!(merged("@conf main /etc/salt/minion\n#grains:\n"), (Value::Null, Value::Null));
    }

    #[test]
    fn a_file_that_was_not_read_may_hold_anything() {
        let file = "@conf grains /etc/salt/grains\nlevel: production\n";
        let denied = format!("@denied /etc/salt/minion.d/x.conf sudo: a password is required\n{file}");
        assert!(matches!(files(&denied), Err(Gap::NotPermitted(_))));
        assert!(matches!(files(&format!("@cut /etc/salt/minion\n{file}")), Err(Gap::Cut(_))));
        let nested = format!("@conf default /etc/salt/minion.d/x.conf\ninclude: more/*.conf\n{file}");
        assert!(matches!(files(&nested), Err(Gap::Unreadable(_))));
        assert!(matches!(
            files(&format!("@conf main /etc/salt/minion\ngrains: [\n{file}")),
            Err(Gap::Unreadable(_))
        ));
    }
}
