//! Reads a keymap file over another keymap. What two bindings of the file would do to each other is an error with both
//! places; against the keymap below it, the file is right.

use std::collections::{BTreeMap, HashMap};
use std::ops::Range;

use toml::de::DeValue;

use super::key::{KeyError, KeyPress};
use super::layer::Layer;
use super::sequence::{KeySequence, shown};
use super::{ALWAYS_QUITS, Bindings, Keymap, LayerKeys};
use crate::config::action::Action;
use crate::config::diagnostic::nearest;
use crate::config::reader::{At, Reader, Table, TomlValue};

/// A binding of the file, with its place.
#[derive(Debug, Clone)]
struct WrittenKeys {
    sequence: KeySequence,
    action: Action,
    span: Range<usize>,
}

/// The bindings of one table, found by their keys in one step: a file may have a hundred thousand.
#[derive(Debug, Default)]
struct TakenKeys {
    whole: HashMap<Vec<KeyPress>, WrittenKeys>,
    /// What a sequence begins with, and the first sequence that does.
    beginnings: HashMap<Vec<KeyPress>, Vec<KeyPress>>,
}

impl TakenKeys {
    /// A binding that cannot be told apart from these keys: the same, their beginning, or one that begins with them.
    fn related(&self, keys: &[KeyPress]) -> Option<&WrittenKeys> {
        let beginnings = (1..=keys.len()).filter_map(|length| keys.get(..length));
        let shorter = beginnings.filter_map(|part| self.whole.get(part)).next();
        shorter.or_else(|| self.whole.get(self.beginnings.get(keys)?))
    }

    fn add(&mut self, written: WrittenKeys) {
        let keys = written.sequence.keys().to_vec();
        for part in (1..keys.len()).filter_map(|length| keys.get(..length)) {
            self.beginnings.entry(part.to_vec()).or_insert_with(|| keys.clone());
        }
        self.whole.insert(keys, written);
    }
}

/// What a table of the file says.
#[derive(Debug, Default)]
struct OwnTable {
    named: LayerKeys,
    taken: TakenKeys,
}

/// Reads `[keys]` and its layers over `base`.
pub(super) fn merge(reader: &mut Reader, base: &Keymap, table: &Table<'_>) -> Keymap {
    let mut own_layers: BTreeMap<Layer, OwnTable> = BTreeMap::new();
    let mut actions = Vec::new();
    for (name, value) in table.entries() {
        let is_table = matches!(value.get_ref(), DeValue::Table(_));
        match name.value.parse::<Layer>() {
            // The screens `runbooks` and `past_runs` share their word with what an action was once called.
            Ok(layer) if is_table || name.value.parse::<Action>().is_err() => {
                if let Some(table) = layer_table(reader, table, layer, value) {
                    let own = own_table(reader, &table, table.entries());
                    own_layers.insert(layer, own);
                }
            }
            Err(()) if is_table && name.value.parse::<Action>().is_err() => unknown_layer(reader, &name),
            Ok(_) | Err(()) => actions.push((name, value)),
        }
    }
    let own = own_table(reader, table, actions);
    for (layer, table) in &own_layers {
        report_hidden(reader, *layer, table, &own);
    }
    let everywhere = everywhere(reader, base, &own);
    let mut layers = BTreeMap::new();
    for layer in Layer::ALL {
        let below = base.layers.get(layer);
        let named = layered(below, own_layers.get(layer), &own);
        if !named.is_empty() {
            layers.insert(*layer, named);
        }
    }
    Keymap::new(everywhere, layers)
}

fn layer_table<'t>(
    reader: &mut Reader,
    table: &Table<'t>,
    layer: Layer,
    value: &'t TomlValue<'t>,
) -> Option<Table<'t>> {
    let name = layer.name();
    let hint = format!(
        "write [keys.{name}] for keys of this screen, or screen_{name} = [\"…\"] for keys that lead to it"
    );
    reader.table(table.name_of(name), value, &hint)
}

/// The bindings of one table; what is wrong within it is noted.
fn own_table(reader: &mut Reader, table: &Table<'_>, entries: Vec<(At<&str>, &TomlValue<'_>)>) -> OwnTable {
    let mut own = OwnTable::default();
    let mut places: HashMap<Action, Range<usize>> = HashMap::new();
    for (name, _) in entries {
        let Ok(action) = name.value.parse::<Action>() else {
            unknown_action(reader, &name);
            continue;
        };
        if let Some(first) = places.insert(action, name.span.clone()) {
            let message =
                format!("{:?} is an older name of {:?}, which is here as well", name.value, action.name());
            let help = format!("write one line with {:?}", action.name());
            reader.conflict(name.span.clone(), message, (first, "first here"), help);
            continue;
        }
        let hint = format!("write {} = [\"x\", \"ctrl-x\", \"g g\"], or [] for no key", name.value);
        let written = reader.strings(table, name.value, &hint).unwrap_or_default();
        let keys = own.named.entry(action).or_default();
        for at in written {
            if let Some(sequence) = read_keys(reader, action, &at, &own.taken) {
                keys.push(sequence.clone());
                own.taken.add(WrittenKeys { sequence, action, span: at.span });
            }
        }
    }
    own
}

/// Keys of the file that a layer of it would hide although they are not the same: `g` in a layer makes `g g` unreachable.
fn report_hidden(reader: &mut Reader, layer: Layer, table: &OwnTable, everywhere: &OwnTable) {
    let mut own: Vec<&WrittenKeys> = table.taken.whole.values().collect();
    own.sort_by_key(|written| written.span.start);
    for written in own {
        let Some(other) = everywhere.taken.related(written.sequence.keys()) else { continue };
        let same = other.sequence == written.sequence;
        if !same && !table.named.contains_key(&other.action) {
            report_beginning(reader, written, other, &format!(" on the screen {}", layer.name()));
        }
    }
}

/// Two bindings of which one begins with the other.
fn report_beginning(reader: &mut Reader, written: &WrittenKeys, other: &WrittenKeys, place: &str) {
    let (short, long) = if written.sequence.keys().len() < other.sequence.keys().len() {
        (written, other)
    } else {
        (other, written)
    };
    let message = format!(
        "\"{}\" ({}) is the beginning of \"{}\" ({}){place}",
        short.sequence,
        short.action.name(),
        long.sequence,
        long.action.name()
    );
    let label = if std::ptr::eq(short, other) {
        "the beginning is bound here"
    } else {
        "the longer one is bound here"
    };
    reader.conflict(
        written.span.clone(),
        message,
        (other.span.clone(), label),
        "the longer one could never be pressed to its end: change one of the two",
    );
}

/// `[keys]` over that of the base: an action that is not named keeps the keys that the file does not use.
fn everywhere(reader: &mut Reader, base: &Keymap, own: &OwnTable) -> Bindings {
    let mut bindings = Vec::new();
    for action in Action::ALL.iter().copied() {
        let keys = match own.named.get(&action) {
            Some(keys) => keys.clone(),
            None => {
                let had: Vec<KeySequence> = base.keys(None, action).cloned().collect();
                let is_left = |keys: &&KeySequence| own.taken.related(keys.keys()).is_none();
                let left: Vec<KeySequence> = had.iter().filter(is_left).cloned().collect();
                if left.is_empty()
                    && let Some((keys, by)) =
                        had.first().and_then(|k| Some((k, own.taken.related(k.keys())?)))
                {
                    report_last_key(reader, action, keys, by);
                }
                left
            }
        };
        bindings.extend(keys.into_iter().map(|keys| (keys, action)));
    }
    if !bindings.iter().any(|(keys, _)| keys.single() == Some(ALWAYS_QUITS)) {
        bindings.push((ALWAYS_QUITS.into(), Action::Quit));
    }
    bindings
}

fn report_last_key(reader: &mut Reader, action: Action, keys: &KeySequence, by: &WrittenKeys) {
    let name = action.name();
    let message = if *keys == by.sequence {
        format!("{keys} was the only key of {name:?}")
    } else {
        format!("{keys} was the only key of {name:?}, and cannot be told apart from {}", by.sequence)
    };
    let help = format!(
        "give {name} another key: {name} = [\"…\"]; or write {name} = [], if only {} shall have this key",
        by.action.name()
    );
    reader.error(by.span.clone(), message, help);
}

/// A layer over that of the base, of which the file's own words take away: those of this layer, and those of `[keys]`.
fn layered(base: Option<&LayerKeys>, own: Option<&OwnTable>, everywhere: &OwnTable) -> LayerKeys {
    let mut named = own.map(|own| own.named.clone()).unwrap_or_default();
    for (action, keys) in base.into_iter().flatten() {
        if named.contains_key(action) || everywhere.named.contains_key(action) {
            continue;
        }
        let free = |keys: &&KeySequence| {
            let taken = |table: &OwnTable| table.taken.related(keys.keys()).is_some();
            !taken(everywhere) && !own.is_some_and(taken)
        };
        let left: Vec<KeySequence> = keys.iter().filter(free).cloned().collect();
        if !left.is_empty() || keys.is_empty() {
            named.insert(*action, left);
        }
    }
    named
}

/// The keys that work on the screen of a layer: its own, then those of every screen that it neither names nor hides.
pub(super) fn in_force(everywhere: &Bindings, named: &LayerKeys) -> Bindings {
    let mut bindings = Bindings::new();
    let mut taken = TakenKeys::default();
    for (action, keys) in named {
        for sequence in keys {
            bindings.push((sequence.clone(), *action));
            taken.add(WrittenKeys { sequence: sequence.clone(), action: *action, span: 0..0 });
        }
    }
    let below = everywhere.iter().filter(|(keys, action)| {
        keys.single() == Some(ALWAYS_QUITS)
            || (!named.contains_key(action) && taken.related(keys.keys()).is_none())
    });
    bindings.extend(below.cloned());
    bindings
}

fn unknown_layer(reader: &mut Reader, name: &At<&str>) {
    let names = Layer::ALL.iter().map(|layer| layer.name());
    let help = match nearest(name.value, names.clone()) {
        Some(near) => format!("did you mean [keys.{near}]?"),
        None => format!("screens are: {}", names.collect::<Vec<_>>().join(", ")),
    };
    reader.error(name.span.clone(), format!("unknown screen {:?}", name.value), help);
}

fn unknown_action(reader: &mut Reader, name: &At<&str>) {
    let names = Action::ALL.iter().map(|a| a.name());
    let help = match nearest(name.value, names.clone()) {
        Some(near) => format!("did you mean {near:?}?"),
        None => format!("actions are: {}", names.collect::<Vec<_>>().join(", ")),
    };
    reader.error(name.span.clone(), format!("unknown action {:?}", name.value), help);
}

/// The keys of a binding, when no other one of its table is in their way.
fn read_keys(reader: &mut Reader, action: Action, at: &At<&str>, taken: &TakenKeys) -> Option<KeySequence> {
    let sequence: KeySequence = match at.value.parse() {
        Ok(sequence) => sequence,
        Err(KeyError { why, help }) => {
            reader.error(at.span.clone(), format!("{:?} {why}", at.value), help);
            return None;
        }
    };
    if sequence.single() == Some(ALWAYS_QUITS) && action != Action::Quit {
        let message = format!("ctrl-c always quits, it cannot be bound to {:?}", action.name());
        reader.error(at.span.clone(), message, "choose another key");
        return None;
    }
    let Some(other) = taken.related(sequence.keys()) else { return Some(sequence) };
    let written = WrittenKeys { sequence, action, span: at.span.clone() };
    if other.sequence != written.sequence {
        report_beginning(reader, &written, other, "");
        return None;
    }
    let message = if other.action == action {
        format!("{:?} is bound twice to {:?}", at.value, action.name())
    } else {
        format!("{:?} is bound to both {:?} and {:?}", at.value, other.action.name(), action.name())
    };
    let first = (other.span.clone(), "first bound here");
    reader.conflict(at.span.clone(), message, first, "remove one of the two");
    None
}

/// What follows keys that are pressed already, as screens show it.
pub(super) fn rest(sequence: &KeySequence, typed: &[KeyPress]) -> Option<String> {
    let rest = sequence.keys().strip_prefix(typed)?;
    (!rest.is_empty()).then(|| shown(rest))
}
