//! What the program's exit codes mean, for the manual page and the docs.

/// Each code and what it means.
pub(super) const EXIT_CODES: &[(&str, &str)] = &[
    ("0", "Done. status: everything asked is known and ok."),
    (
        "1",
        "Refused, or blocked: a plan with blockers, a dry run that would stop. status: warning. exec: a command ended with another status than 0. power: the cloud has no such server, or several.",
    ),
    ("2", "Arguments or configuration are wrong; nothing was started. status: critical."),
    (
        "3",
        "A run stopped; it can be resumed or rolled back. status: unknown. verify: changed or forged. exec: a host could not be asked, or its outcome is unknown. power: the power state is unknown.",
    ),
    ("4", "A run was rolled back."),
    ("5", "A run was left while the outcome of a step is unknown."),
    ("6", "A run was aborted."),
    ("7", "There is no terminal to type answers at."),
    ("70", "The program failed."),
    (
        "255",
        "ssh: the connection failed, or a signal ended the shell. Else its exit status is the one of the shell.",
    ),
];
