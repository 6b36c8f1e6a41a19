//! The last two rows: what the selected row has to say (or a notice, or the filter being typed), and the keys.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use unicode_width::UnicodeWidthStr;

use crate::app::model::Screen;
use crate::app::rows::wrong;
use crate::config::action::{Action, Need};
use crate::config::keymap::KeySequence;
use crate::view::scene::Scene;
use crate::view::text::{left, right, row, span};
use crate::view::widgets::{field, pending};

/// Its rows.
pub(crate) const HEIGHT: u16 = 2;

/// Columns below which screens have short names, so that the keys one needs have room.
const LONG_NAMES: u16 = 110;
/// Columns from which there is room for more screens than the main ones.
const MORE_SCREENS: u16 = 140;
/// Columns below which only the screen shown has a name.
const NAMES: u16 = 78;

/// What a screen has to say of what is selected, and where in its list that is.
#[derive(Default)]
pub(crate) struct FooterStatus<'a> {
    /// What there is to say.
    pub(crate) says: Line<'a>,
    /// The place of the selected row, from 1, how many rows there are, and how many there are without the filter.
    pub(crate) place: Option<(usize, usize, usize)>,
}

/// Draws the footer.
pub(crate) fn draw(buf: &mut Buffer, area: Rect, scene: &Scene<'_>, status: FooterStatus<'_>) {
    let foot = Rect { y: area.bottom().saturating_sub(HEIGHT), height: HEIGHT, ..area };
    let says = row(foot, 0);
    let editing = scene.model.filter().editing;
    let notice = scene.model.notice.as_ref().filter(|(_, until)| !editing && *until > scene.model.now);
    let mut place = place(scene, status.place, area.width);
    if notice.is_some_and(|(text, _)| text.width() + place.width() + 3 > usize::from(says.width)) {
        // A notice ends with what to do next, or with a path.
        place = Line::default();
    }
    let room = right(buf, Rect { width: says.width.saturating_sub(1), ..says }, &place);
    let inner = Rect { x: says.x + 1, width: room.saturating_sub(1), ..says };
    if editing {
        type_in(buf, inner, scene);
    } else if let Some((notice, _)) = notice {
        left(buf, inner, &span(notice.as_str(), scene.styles.accent).into());
    } else {
        let mut spans = filter(scene, status.place);
        spans.extend(status.says.spans);
        left(buf, inner, &Line::from(spans));
    }

    if let Some(typed) = &scene.model.pending {
        pending::draw(buf, area, scene, typed);
    }
    let keys = row(foot, 1);
    buf.set_style(keys, scene.styles.surface);
    let room = right(buf, Rect { width: keys.width.saturating_sub(1), ..keys }, &hints(scene, keys.width));
    left(buf, Rect { width: room, ..keys }, &screens(scene, keys.width));
}

/// The filter being typed: what does not fit scrolls, so that the cursor is always seen. What cannot be read of it is
/// said beside it.
fn type_in(buf: &mut Buffer, area: Rect, scene: &Scene<'_>) {
    left(buf, area, &span("/", scene.styles.accent).into());
    let mut area = Rect { x: area.x + 1, width: area.width.saturating_sub(1), ..area };
    let text = &scene.model.filter().text;
    if let Some(why) = wrong(scene.model) {
        let typed = u16::try_from(text.as_str().width() + 2).unwrap_or(u16::MAX).min(area.width / 2);
        let said = Rect { x: area.x + typed, width: area.width - typed, ..area };
        left(buf, said, &span(format!("▲ {why}"), scene.styles.warning).into());
        area.width = typed;
    }
    let styles = (scene.styles.base, scene.styles.paused);
    let field = field::around((text.before(), text.after()), true, usize::from(area.width), styles);
    left(buf, area, &Line::from(field));
}

/// The filter in force, and how much it hides: nobody may take the rest for all there is.
fn filter(scene: &Scene<'_>, place: Option<(usize, usize, usize)>) -> Vec<Span<'static>> {
    let text = scene.model.filter().text.as_str();
    if text.is_empty() {
        return Vec::new();
    }
    if let Some(why) = wrong(scene.model) {
        return vec![
            span(" FILTER ", scene.styles.paused),
            span(format!(" ▲ {why}  "), scene.styles.warning),
        ];
    }
    let hidden = place.map_or(0, |(_, shown, all)| all.saturating_sub(shown));
    let clears = bound(scene, Action::Back).map_or_else(String::new, |key| format!(" {key} clears"));
    vec![span(format!(" FILTER /{text} ({hidden} hidden){clears} "), scene.styles.paused), Span::raw("  ")]
}

fn place(scene: &Scene<'_>, place: Option<(usize, usize, usize)>, width: u16) -> Line<'static> {
    let styles = scene.styles;
    let mut spans = marks(scene, width);
    let is_crowded = !spans.is_empty() && width < LONG_NAMES;
    let Some((at, shown, all)) = place.filter(|_| wrong(scene.model).is_none()) else {
        // What is wrong with the filter needs the room.
        return Line::from(spans);
    };
    spans.push(Span::raw("  "));
    if scene.model.screen().kind().folds() && scene.model.folded {
        spans.push(span("folded  ", styles.accent));
    }
    if scene.model.screen().kind().sorts() && !is_crowded {
        let sort = scene.model.sort;
        let reversed = if sort.reversed { ", reversed" } else { "" };
        spans.push(span(format!("{}{reversed}  ", sort.by.words), styles.muted));
    }
    if shown < all || !scene.model.filter().text.is_empty() {
        spans.push(span(format!("{shown} of {all}"), styles.muted));
    } else if at > 0 {
        spans.push(span(format!("{at}/{shown}"), styles.muted));
    }
    Line::from(spans)
}

/// How many hosts are marked, and how many of them are not among the rows: what acts on marks acts on those, too.
fn marks(scene: &Scene<'_>, width: u16) -> Vec<Span<'static>> {
    let marked = scene.model.marked().len();
    if marked == 0 {
        return Vec::new();
    }
    let this = scene.model.markable().filter(|_| scene.model.screen().kind().is_of_one_host());
    let this = this.is_some_and(|host| scene.model.is_marked(&host));
    let unlisted = match scene.model.unlisted_marks() {
        0 if this => ", this host, too".to_owned(),
        0 => String::new(),
        hidden if scene.model.filter().text.is_empty() => format!(", {hidden} not in this list"),
        hidden if width < LONG_NAMES => format!(", {hidden} hidden"),
        hidden => format!(", {hidden} hidden by the filter"),
    };
    vec![Span::raw("  "), span(format!("{marked} marked{unlisted}"), scene.styles.accent)]
}

/// The screens with their keys; the one shown stands out.
fn screens(scene: &Scene<'_>, width: u16) -> Line<'static> {
    let screen = scene.model.screen();
    let wide = width >= LONG_NAMES;
    let mut spans = vec![Span::raw(" ")];
    let more = width >= MORE_SCREENS;
    let own = screen.kind().door().filter(|_| more && screen.kind().is_in_a_wide_footer());
    let current = own.map_or_else(|| screen.kind().tab(), |door| door.key);
    for (to, short) in Screen::tabs(more) {
        let (action, shown) = (Action::Screen(to), current == to);
        // A prompt that takes letters leaves screens their longer keys.
        let named = width >= NAMES && scene.model.open_prompt().is_none();
        let name = match (wide, shown || named) {
            (true, _) => action.help(),
            (false, true) => short,
            (false, false) => "",
        };
        // Where keys go to a dialog, none of these works.
        let key = bound(scene, action).filter(|_| !keys_go_elsewhere(scene)).unwrap_or_default();
        let text = format!("{key}{}{name}", if key.is_empty() || name.is_empty() { "" } else { " " });
        let text = if wide { format!(" {text} ") } else { text };
        spans.push(span(text, if shown { scene.styles.tab } else { scene.styles.muted }));
        spans.push(Span::raw(if wide { "" } else { " " }));
    }
    spans.pop();
    Line::from(spans)
}

/// Whether something lies over the screen that takes every key.
fn is_covered(scene: &Scene<'_>) -> bool {
    !scene.model.runs.dialogs.is_empty() || !scene.model.questions.is_empty() || scene.model.palette.is_open()
}

/// Whether keys of screens go somewhere else: to what lies over them, or into the filter.
fn keys_go_elsewhere(scene: &Scene<'_>) -> bool {
    is_covered(scene) || scene.model.filter().editing || scene.model.pending.is_some()
}

/// The keys that do something here, as many as fit; those that one needs most come first.
fn hints(scene: &Scene<'_>, width: u16) -> Line<'static> {
    if is_covered(scene) {
        return Line::from(vec![span("^C", scene.styles.strong), span(" quit ", scene.styles.muted)]);
    }
    if scene.model.pending.is_some() {
        return crate::view::widgets::forms::answers(scene, &[("Esc", "cancel"), ("^C", "quit")]);
    }
    if scene.model.filter().editing {
        let example = scene.model.screen().kind().filter().and_then(|words| words.example);
        let example: Vec<(&str, &str)> =
            example.filter(|_| width >= LONG_NAMES).map(|text| (text, "for example")).into_iter().collect();
        let keys = [&example[..], &[("Enter", "keep"), ("Esc", "clear")]].concat();
        return crate::view::widgets::forms::answers(scene, &keys);
    }
    let here: &[(Action, &str)] = if scene.model.help.is_some() {
        &[(Action::Back, "close help"), (Action::Down, "scroll"), (Action::PageDown, "page")]
    } else {
        scene.model.screen().kind().hints(scene.model)
    };
    fitting(scene, here, width)
}

fn fitting(scene: &Scene<'_>, here: &[(Action, &str)], width: u16) -> Line<'static> {
    let gap = if width >= LONG_NAMES { "  " } else { " " };
    let mut room = usize::from(width).saturating_sub(screens(scene, width).width() + 2);
    let mut spans = Vec::new();
    for (action, what) in here {
        let need = action.need();
        let may_be_missing = matches!(
            need,
            Need::Filter | Need::Order | Need::Folds | Need::Host | Need::SavedView | Need::Environments
        );
        let nothing_to_do = may_be_missing && scene.model.obstacle(need).is_some();
        let Some(key) = bound(scene, *action).filter(|_| !nothing_to_do) else { continue };
        let what = scene.model.reverse_of(*action).unwrap_or(what);
        let what = on_marks(scene, *action, what);
        let gap = if spans.is_empty() { "" } else { gap };
        let hint = [span(key, scene.styles.strong), span(format!(" {what}{gap}"), scene.styles.muted)];
        let needed: usize = hint.iter().map(Span::width).sum();
        if needed > room {
            break;
        }
        room -= needed;
        spans.splice(0..0, hint);
    }
    Line::from(spans)
}

/// What acts on marked hosts says on how many: `logs of 3`.
fn on_marks<'a>(scene: &Scene<'_>, action: Action, what: &'a str) -> std::borrow::Cow<'a, str> {
    let marked = scene.model.marked().len();
    let rows = !scene.model.screen().kind().is_of_one_host();
    match action {
        Action::Command if marked > 0 && rows => format!("{what} on {marked}").into(),
        Action::Logs if marked > 0 => format!("{what} of {marked}").into(),
        _ => what.into(),
    }
}

/// The key of an action that works now: not one that the prompt on screen takes for an answer or as text.
fn bound(scene: &Scene<'_>, action: Action) -> Option<String> {
    let is_free = |keys: &&KeySequence| keys.first().is_some_and(|first| !scene.model.prompt_takes(first));
    scene.model.keys_of(action).find(is_free).map(ToString::to_string)
}

/// The key of an action as hints show it; the action's own name where no key is free for it.
pub(crate) fn key(scene: &Scene<'_>, action: Action) -> String {
    bound(scene, action).unwrap_or_else(|| action.name().to_owned())
}
