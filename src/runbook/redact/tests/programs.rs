//! What real programs make of secrets, where they are installed.

use std::process::{Command, Stdio};

use super::*;

/// Program, its arguments before the secrets, what it needs of its environment.
type Case = (&'static str, &'static str, &'static [&'static str], &'static [(&'static str, &'static str)]);

const UTF8: &[(&str, &str)] = &[("LC_ALL", "C.UTF-8")];
const PLAIN: &[(&str, &str)] = &[("LC_ALL", "C")];

/// Each prints a line `@@@@`, then what it makes of a secret, for each of its arguments.
const CASES: &[Case] = &[
    ("bash", "printf %q", &["-c", "for S in \"$@\"; do printf '@@@@\\n%q\\n' \"$S\"; done", "x"], UTF8),
    ("bash", "printf %q in C", &["-c", "for S in \"$@\"; do printf '@@@@\\n%q\\n' \"$S\"; done", "x"], PLAIN),
    ("bash", "@Q", &["-c", "for S in \"$@\"; do echo @@@@; echo \"${S@Q}\"; done", "x"], UTF8),
    ("bash", "set", &["-c", "for S in \"$@\"; do echo @@@@; set | grep -A1 ^S=; done", "x"], UTF8),
    ("bash", "export -p", &["-c", "for S in \"$@\"; do echo @@@@; export S; export -p; done", "x"], UTF8),
    ("bash", "set -x", &["-c", "for S in \"$@\"; do echo @@@@; (set -x; : \"$S\") 2>&1; done", "x"], UTF8),
    (
        "bash",
        "set -x in C",
        &["-c", "for S in \"$@\"; do echo @@@@; (set -x; : \"$S\") 2>&1; done", "x"],
        PLAIN,
    ),
    ("dash", "set", &["-c", "for S in \"$@\"; do echo @@@@; set | grep -A1 ^S=; done", "x"], UTF8),
    ("dash", "export -p", &["-c", "for S in \"$@\"; do echo @@@@; export S; export -p; done", "x"], UTF8),
    ("dash", "set -x", &["-c", "for S in \"$@\"; do echo @@@@; (set -x; : \"$S\") 2>&1; done", "x"], UTF8),
    (
        "busybox",
        "set -x",
        &["sh", "-c", "for S in \"$@\"; do echo @@@@; (set -x; : \"$S\") 2>&1; done", "x"],
        UTF8,
    ),
    ("perl", "quotemeta", &["-CSA", "-e", "print \"@@@@\\n\", quotemeta($_), \"\\n\" for @ARGV"], UTF8),
    ("perl", "quotemeta of bytes", &["-e", "print '@@@@', \"\\n\", quotemeta($_), \"\\n\" for @ARGV"], UTF8),
    (
        "node",
        "JSON",
        &["-e", "for (const s of process.argv.slice(1)) console.log('@@@@\\n' + JSON.stringify(s))"],
        UTF8,
    ),
    (
        "node",
        "URI",
        &["-e", "for (const s of process.argv.slice(1)) console.log('@@@@\\n' + encodeURIComponent(s))"],
        UTF8,
    ),
    (
        "node",
        "form",
        &[
            "-e",
            "for (const s of process.argv.slice(1)) console.log('@@@@\\n' + new URLSearchParams({p: s}))",
        ],
        UTF8,
    ),
];

/// What Python makes of them, an expression each.
const PYTHON: &[&str] = &[
    "json.dumps(s)",
    "json.dumps(s, ensure_ascii=False)",
    "repr(s)",
    "ascii(s)",
    "shlex.quote(s)",
    "html.escape(s)",
    "html.escape(s, quote=False)",
    "xml.sax.saxutils.escape(s)",
    "re.escape(s)",
    "urllib.parse.quote(s)",
    "urllib.parse.quote(s, safe='')",
    "urllib.parse.quote_plus(s)",
    "urllib.parse.urlencode({'p': s})",
    "base64.b64encode(('wiki:' + s).encode()).decode()",
    "base64.urlsafe_b64encode(s.encode()).decode()",
    "s.encode().hex()",
    "json.dumps(s).replace('/', '\\\\/')",
    "json.dumps(s, ensure_ascii=False).replace('<', '\\\\u003c').replace('>', '\\\\u003e').replace('&', '\\\\u0026')",
];

fn secrets() -> Vec<String> {
    let mut all: Vec<String> = [
        "pa'ss\"w/ö\\rd $1!",
        "hunter22",
        "Tr0ub4dor&3",
        "a~b*c(d)e'f",
        "x y+z=1/2",
        "tab\there",
        "line\nbreak9",
        "gröbe/ß€",
        "a<b>c&d\"e'f",
        "!bang!wow",
        "per%cent%",
        "c:\\dir\\x",
        "#dash=val,",
        "~home=~x:~",
        "ünï/cödé~",
        "emoji🔑key/",
    ]
    .map(str::to_owned)
    .into();
    let alphabet: Vec<char> = "abcXYZ019 '\"\\/$`!#&*()[]{}<>|;:,.?~^%@+=_-\täö€".chars().collect();
    let mut seed: u64 = 11;
    let mut next = |below: usize| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(seed >> 33).unwrap() % below
    };
    for _ in 0..150 {
        let length = 6 + next(10);
        all.push((0..length).map(|_| alphabet[next(alphabet.len())]).collect());
    }
    // What begins or ends with blanks is taken without them.
    all.into_iter().filter(|s| s == s.trim_matches(['\n', '\r', ' '])).collect()
}

/// What a program printed of each secret; none when it is not installed.
fn printed(program: &str, args: &[&str], env: &[(&str, &str)], secrets: &[String]) -> Option<Vec<String>> {
    let path = std::env::var_os("PATH")?;
    let mut command = Command::new(program);
    command.env_clear().env("PATH", path).envs(env.iter().copied()).args(args).args(secrets);
    if let Some(home) = std::env::var_os("HOME") {
        command.env("HOME", home);
    }
    let Ok(output) = command.stdin(Stdio::null()).output() else {
        eprintln!("skipped: {program} is not installed");
        return None;
    };
    assert!(output.status.success(), "{program}: {}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let parts: Vec<String> = text.split("@@@@\n").skip(1).map(str::to_owned).collect();
    assert_eq!(parts.len(), secrets.len(), "{program}");
    Some(parts)
}

fn nothing_is_shown(what: &str, secrets: &[String], parts: &[String]) {
    for (secret, text) in secrets.iter().zip(parts) {
        let shown = knowing(&[secret]).text(text);
        assert!(shown.contains(MARK), "{what}: {secret:?} is shown as {text:?}");
    }
}

#[test]
fn what_real_programs_write_is_found() {
    let secrets = secrets();
    for (program, what, args, env) in CASES {
        if let Some(parts) = printed(program, args, env, &secrets) {
            nothing_is_shown(&format!("{program} {what}"), &secrets, &parts);
        }
    }
    for expression in PYTHON {
        let program = format!(
            "import base64, html, json, re, shlex, sys, urllib.parse, xml.sax.saxutils\n\
             for s in sys.argv[1:]:\n    print('@@@@')\n    print({expression})"
        );
        let env = [("LC_ALL", "C.UTF-8"), ("PYTHONUTF8", "1")];
        if let Some(parts) = printed("python3", &["-c", &program], &env, &secrets) {
            nothing_is_shown(&format!("python3 {expression}"), &secrets, &parts);
        }
    }
}
