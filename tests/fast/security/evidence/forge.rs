//! Changes to a journal, its approvals and its head, as somebody would make them who can write the files; some of them
//! have a key of their own, or are the operator.

use super::*;

/// A line taken apart, so that it can be put together anew with right hashes.
#[derive(Clone, Debug)]
struct Piece {
    at: String,
    event: String,
    approved: Option<Value>,
    signed: Option<(String, String)>,
}

fn pieces(journal: &str) -> Vec<Piece> {
    journal.lines().map(piece).collect()
}

fn piece(line: &str) -> Piece {
    let read: Value = serde_json::from_str(line).unwrap();
    let signed =
        read.get("signed").map(|s| (s["by"].as_str().unwrap().into(), s["sig"].as_str().unwrap().into()));
    Piece {
        at: read["at"].as_str().unwrap().to_owned(),
        event: read["event"].to_string(),
        approved: read.get("approved").cloned(),
        signed,
    }
}

/// Puts lines together: numbers, hashes and chain are right. From `signs_from` on, every signature is made anew by `sign`,
/// where it gives one.
fn joined(pieces: &[Piece], signs_from: usize, sign: &dyn Fn(&str, &str) -> Option<String>) -> Vec<String> {
    let (mut lines, mut prev) = (Vec::new(), "0".repeat(64));
    for (index, piece) in pieces.iter().enumerate() {
        let mut text = format!(
            "{{\"seq\":{},\"at\":\"{}\",\"prev\":\"{prev}\",\"event\":{}",
            index + 1,
            piece.at,
            piece.event
        );
        if let Some(approved) = &piece.approved {
            text.push_str(&format!(",\"approved\":{approved}"));
        }
        if let Some((by, sig)) = &piece.signed {
            let sig = if index >= signs_from { sign(by, &text) } else { None }.unwrap_or_else(|| sig.clone());
            text.push_str(&format!(",\"signed\":{}", json!({"by": by, "sig": sig})));
        }
        let hash: String =
            Sha256::digest(format!("{prev}{text}").as_bytes()).iter().map(|b| format!("{b:02x}")).collect();
        lines.push(format!("{text},\"hash\":\"{hash}\"}}\n"));
        prev = hash;
    }
    lines
}

fn kept(_: &str, _: &str) -> Option<String> {
    None
}

/// The same journal, taken apart and put together.
pub(super) fn put_together_again(journal: &str) -> String {
    joined(&pieces(journal), 0, &kept).concat()
}

/// The same run as if nobody had signed anything.
pub(super) fn unsigned(rig: &Rig, run: &str) -> String {
    let text = if run == RUN { &rig.run.0 } else { &rig.other.0 };
    let mut all = pieces(text);
    all.iter_mut().for_each(|piece| {
        piece.signed = None;
        if let Some(approved) = &mut piece.approved {
            approved.as_object_mut().unwrap().remove("sig");
        }
    });
    joined(&all, 0, &kept).concat()
}

pub(super) const KINDS: usize = 23;

/// The change of that number: 1,000 of them are 1,000 different ones.
pub(super) fn case(rig: &Rig, seed: u64) -> Case {
    let mut random = StdRng::seed_from_u64(seed);
    let mut case = rig.untouched();
    case.what = change(rig, &mut case, usize::try_from(seed).unwrap() % KINDS, &mut random).to_owned();
    let whole = rig.untouched();
    let same = (&case.journal, &case.head, case.run) == (&whole.journal, &whole.head, whole.run);
    assert!(!same || case.copy.is_some(), "{}: nothing was changed", case.what);
    case
}

fn change(rig: &Rig, case: &mut Case, kind: usize, random: &mut StdRng) -> &'static str {
    let mut lines: Vec<String> = rig.run.0.split_inclusive('\n').map(str::to_owned).collect();
    let count = lines.len();
    let at = random.random_range(0..count);
    let mut all = pieces(&rig.run.0);
    // With the chain put right, by somebody without a key; the head follows when they think of it.
    let set = |case: &mut Case, lines: Vec<String>, random: &mut StdRng| {
        let newest = lines.iter().rev().find(|line| piece(line).signed.is_some()).cloned();
        if random.random_bool(0.5) {
            case.head = newest.map(String::into_bytes);
        }
        case.journal = lines.concat().into_bytes();
    };
    // Where a signature stands.
    let signed: Vec<usize> = (0..count).filter(|i| all[*i].signed.is_some()).collect();
    let one = signed[random.random_range(0..signed.len())];
    let approvals: Vec<usize> = (0..count).filter(|i| all[*i].approved.is_some()).collect();
    let sign = |who: &str, by: &str, text: &str| rig.people.sign(who, &statement(RUN, by, text));
    match kind {
        0 => {
            let byte = random.random_range(0..case.journal.len());
            case.journal[byte] ^= 1 << random.random_range(0..8);
            "a bit is another"
        }
        1 => {
            case.journal.truncate(random.random_range(0..case.journal.len()));
            "cut at a byte"
        }
        2 => {
            case.journal = lines[..at].concat().into_bytes();
            "cut at a line's end"
        }
        3 => {
            lines.remove(at);
            case.journal = lines.concat().into_bytes();
            "an entry is gone"
        }
        4 => {
            let to = random.random_range(0..=count);
            lines.insert(to, lines[at].clone());
            case.journal = lines.concat().into_bytes();
            "an entry appears twice"
        }
        5 => {
            lines.swap(at, (at + 1 + random.random_range(0..count - 1)) % count);
            case.journal = lines.concat().into_bytes();
            "two entries are exchanged"
        }
        6 => {
            let digits: Vec<usize> = all[at]
                .event
                .char_indices()
                .filter(|(_, c)| c.is_ascii_lowercase())
                .map(|(i, _)| i)
                .collect();
            let place = digits[random.random_range(0..digits.len())];
            let new = if &all[at].event[place..=place] == "x" { "y" } else { "x" };
            all[at].event.replace_range(place..=place, new);
            set(case, joined(&all, 0, &kept), random);
            "a letter is another, with right hashes"
        }
        7 => {
            all.remove(at);
            set(case, joined(&all, 0, &kept), random);
            "an entry is gone, with right hashes"
        }
        8 => {
            all.swap(at, (at + 1 + random.random_range(0..count - 1)) % count);
            set(case, joined(&all, 0, &kept), random);
            "two entries are exchanged, with right hashes"
        }
        9 => {
            let note = json!({"event": "note", "who": ANNA, "text": format!("all was well {at}")});
            let piece = Piece { event: note.to_string(), approved: None, signed: None, ..all[at].clone() };
            all.insert(at, piece);
            set(case, joined(&all, 0, &kept), random);
            "an entry is added, with right hashes"
        }
        10 => {
            let (from, to) = if random.random_bool(0.5) { (ANNA, CAROL) } else { (BOB, ANNA) };
            let (from, to) = (json!(from).to_string(), json!(to).to_string());
            let named: Vec<usize> = (0..count).filter(|i| all[*i].event.contains(&from)).collect();
            let at = named[random.random_range(0..named.len())];
            all[at].event = all[at].event.replace(&from, &to);
            set(case, joined(&all, 0, &kept), random);
            "who said it is another, with right hashes"
        }
        11 => {
            let other = signed[(signed.iter().position(|s| *s == one).unwrap() + 1) % signed.len()];
            let (a, b) = (all[one].signed.clone(), all[other].signed.clone());
            (all[one].signed, all[other].signed) = (b, a);
            set(case, joined(&all, 0, &kept), random);
            "two signatures are exchanged"
        }
        12 => {
            let lines = joined(&all, one, &|by, text| Some(sign("mallory@out", by, text)));
            set(case, lines, random);
            "signed by somebody unknown in their names, from an entry on"
        }
        13 => {
            // Anna's signatures by Bob, who is known; his own stay his own.
            let one = *signed
                .iter()
                .filter(|i| all[**i].signed.as_ref().unwrap().0 == ANNA)
                .nth(at % 5 % 4)
                .unwrap();
            let lines = joined(&all, one, &|by, text| Some(sign(BOB, by, text)));
            set(case, lines, random);
            "signed by a known person in another's name, from an entry on"
        }
        14 => {
            match random.random_bool(0.5) {
                true => all.iter_mut().for_each(|piece| piece.signed = None),
                false => all[one].signed = None,
            }
            set(case, joined(&all, 0, &kept), random);
            "signatures are gone, with right hashes"
        }
        15 => {
            // Everybody signs anew what they signed: the operators themselves replay a yes given to another run.
            let (here, there) = (approvals[at % 2], pieces(&rig.other.0));
            all[here].approved = there[here].approved.clone();
            set(case, joined(&all, here, &|by, text| Some(sign(by, by, text))), random);
            "a yes of another run is replayed by the operators"
        }
        16 => {
            let (first, second) = (approvals[0], approvals[1]);
            all[second].approved = all[first].approved.clone();
            if random.random_bool(0.5) {
                all[second].event = all[first].event.clone();
            }
            set(case, joined(&all, second, &|by, text| Some(sign(by, by, text))), random);
            "a yes to another question is replayed by the operators"
        }
        17 => {
            let here = approvals[at % 2];
            match at % 3 {
                0 => all[here].event = all[here].event.replace("carol@hq", "eva@hq"),
                1 => {
                    let text = all[here].approved.as_ref().unwrap()["text"]
                        .as_str()
                        .unwrap()
                        .replace("who: carol", "who: eva");
                    all[here].approved.as_mut().unwrap()["text"] = json!(text);
                    all[here].event = all[here].event.replace("carol@hq", "eva@hq");
                }
                _ => all[here].approved = None,
            }
            set(case, joined(&all, here, &|by, text| Some(sign(by, by, text))), random);
            "the second person's name is another, or their yes is gone"
        }
        18 => {
            let (here, forger) = (approvals[at % 2], if at % 3 == 0 { "mallory@out" } else { ANNA });
            let approved = all[here].approved.as_mut().unwrap();
            let text = approved["text"].as_str().unwrap().replace("commands: c", "commands: d");
            if at % 4 != 0 {
                approved["sig"] = json!(rig.people.sign(forger, &text));
            }
            approved["text"] = json!(text);
            set(case, joined(&all, here, &|by, text| Some(sign(by, by, text))), random);
            "a yes in the second person's name that they did not give"
        }
        19 => {
            let mut head = rig.run.1.clone().into_bytes();
            match at % 5 {
                0 => drop(head.pop()),
                1 => head = lines[signed[at % (signed.len() - 1)]].clone().into_bytes(),
                2 => head = rig.other.1.clone().into_bytes(),
                3 => head.truncate(random.random_range(0..head.len())),
                _ => {
                    let byte = random.random_range(0..head.len());
                    head[byte] ^= 1 << random.random_range(0..8);
                }
            }
            case.head = (at % 7 != 0).then_some(head);
            "another head"
        }
        20 => {
            // An earlier state of the run, with the head of that time: another copy tells.
            let end = signed[at % (signed.len() - 1)];
            case.head = Some(lines[end].clone().into_bytes());
            case.journal = lines[..=end].concat().into_bytes();
            case.copy = Some(
                rig.run.0[..lines[..count - random.random_range(0..count - end - 1)].concat().len()].into(),
            );
            "the run went back to an earlier state of itself"
        }
        21 => {
            match random.random_bool(0.5) {
                true => case.run = OTHER,
                false => {
                    case.journal = rig.other.0.clone().into_bytes();
                    case.head = Some(rig.other.1.clone().into_bytes());
                }
            }
            case.journal.extend(std::iter::repeat_n(b'\n', at % 2));
            "a run's journal under another run's name"
        }
        _ => {
            // Bob takes what Anna had done for his own: her name becomes his wherever it stands, and he signs it all.
            let (anna, bobs) = (json!(ANNA).to_string(), json!(BOB).to_string());
            for piece in &mut all {
                if at % 2 == 0 {
                    piece.event = piece.event.replace(&anna, &bobs);
                }
                if let Some((by, _)) = &mut piece.signed {
                    *by = if at % 4 < 2 { BOB.to_owned() } else { CAROL.to_owned() };
                }
            }
            if at % 2 == 0 && at % 4 < 2 {
                // Then nothing of it is false but what the copy on the jump box says.
                case.copy = Some(rig.run.0.clone().into_bytes());
            }
            let lines = joined(&all, 0, &|by, text| Some(sign(by, by, text)));
            set(case, lines, random);
            "a known person signs what others did"
        }
    }
}
