//! Questions: reads only. Asked of several hosts at once.

use std::collections::BTreeMap;
use std::time::Duration;

use futures::future::join_all;

use super::{Answer, For, Machine, Manner, Site, Trouble, salt, script, sql};
use crate::runbook::scope::Scope;
use crate::runbook::spec::Ask;

/// A question, and of whom.
pub(in crate::runbook) struct Asking<'a> {
    pub(in crate::runbook) question: &'a Ask,
    pub(in crate::runbook) hosts: &'a [String],
    pub(in crate::runbook) limit: Duration,
    /// Answers are not shown as they come.
    pub(in crate::runbook) quiet: bool,
}

/// Asks every host at once; on no host, the answer is that of `""`.
pub(in crate::runbook) async fn ask(
    site: &Site,
    machine: &Machine,
    index: usize,
    asking: &Asking<'_>,
) -> BTreeMap<String, Result<Answer, Trouble>> {
    let &Asking { question, hosts, limit, quiet } = asking;
    let manner = Manner { limit, quiet, what: For::Asking };
    match question {
        Ask::Run(text) => {
            let asked = hosts.iter().map(|host| async move {
                (host.clone(), script::run(site, machine, index, text, host, manner).await)
            });
            join_all(asked).await.into_iter().collect()
        }
        Ask::Sql(text) => sql::on(site, machine, index, text, hosts, manner).await,
        Ask::Salt(call) => salt::call(site, machine, index, call, hosts, limit, For::Asking).await,
        Ask::Value(text) => {
            let told = |host: Option<&str>| {
                let filled = machine.at(index, host, |scope| scope.text(text));
                let filled = filled.unwrap_or_else(|| Ok(String::new()));
                filled.map(|t| Answer::of_text(&t)).map_err(|e| Trouble::Failed(e.to_string()))
            };
            match hosts {
                [] => BTreeMap::from([(String::new(), told(None))]),
                hosts => hosts.iter().map(|h| (h.clone(), told(Some(h)))).collect(),
            }
        }
    }
}

/// A question for eyes.
pub(in crate::runbook) fn shown(scope: &Scope<'_>, question: &Ask, hosts: &[String]) -> String {
    match question {
        Ask::Run(script) => scope.script(script, true).unwrap_or_else(|e| e.to_string()),
        Ask::Sql(sql) => scope.sql(&sql.text, true).unwrap_or_else(|e| e.to_string()),
        Ask::Salt(call) => salt::shown(scope, call, hosts),
        Ask::Value(text) => scope.shown(text),
    }
}
