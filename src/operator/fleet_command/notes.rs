//! What is said before a command is run: runs that are not over.

use super::RunsThere;
use jumpdeck_fleet::left::LeftRun;
use jumpdeck_fleet::text::Clean;

/// What is said of runs that are not over, before anything is run.
#[must_use]
pub fn notes(runs: &Result<RunsThere, Clean>) -> Vec<String> {
    let RunsThere { held, left } = match runs {
        Ok(runs) => runs,
        Err(why) => return vec![format!("whether a run is under way is unknown: {why}")],
    };
    let mut notes: Vec<String> = held.iter().map(|run| format!("a run is under way: {run}")).collect();
    for LeftRun { run, in_effect, .. } in left {
        match in_effect {
            Ok(effects) => {
                notes.extend(effects.iter().map(|effect| format!("in effect: {} ({run})", effect.says)));
            }
            Err(why) => notes.push(format!("what {run} left in effect is unknown: {why}")),
        }
    }
    notes
}

#[cfg(test)]
mod tests {
    use super::*;
    use jumpdeck_fleet::left::LeftEffect;

    #[test]
    fn a_run_of_somebody_is_said_before() {
        let left = |in_effect| LeftRun {
            run: "r1".into(),
            runbook: "promote-masterdb".into(),
            who: "anna@desk".into(),
            held: true,
            in_effect,
        };
        let effect = LeftEffect { says: "writes are refused on db1".into(), stops_writes: true };
        let left = vec![left(Ok(vec![effect])), left(Err("no answer".into()))];
        let said = notes(&Ok(RunsThere { held: vec!["anna@desk runs promote-masterdb (r1)".into()], left }));
        assert_eq!(
            said,
            [
                "a run is under way: anna@desk runs promote-masterdb (r1)",
                "in effect: writes are refused on db1 (r1)",
                "what r1 left in effect is unknown: no answer"
            ]
        );
        assert_eq!(notes(&Ok(RunsThere::default())), Vec::<String>::new());
        assert_eq!(notes(&Err("late".into())), ["whether a run is under way is unknown: late"]);
    }
}
