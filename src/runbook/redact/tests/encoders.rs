//! Each encoder of the table, by what programs really write.

use super::super::forms::ENCODERS;
use super::*;

/// Encoder, secret, and what is written of it.
const WRITTEN: &[(&str, &str, &[&str])] = &[
    ("as it is", "hunter22", &["hunter22"]),
    ("a line of it", "first line\nsecond line", &["+second line"]),
    ("a shell's single quotes", "pa'ss wd", &[r"'pa'\''ss wd'", r#"'pa'"'"'ss wd'"#]),
    ("a shell's double quotes", "pa\"$s`s\\!", &[r#""pa\"\$s\`s\\!""#, r#""pa\"\$s\`s\\\!""#]),
    ("a shell's backslashes", "#+,>.|!~x", &[r"pw=#+\,\>.\|\!~x", r"\#+\,\>.\|\!~x", r"\#+,\>.\|\!\~x"]),
    (
        "a shell's $'…' (bash set, export -p, ${x@Q}, printf %q)",
        "tä\tb'c\\",
        &[r"$'tä\tb\'c\\'", r"$'t\303\244\tb\'c\\'"],
    ),
    ("C, git, ls, journald", "ä\"b\\\tc", &[r#""ä\"b\\\tc""#, r#""\303\244\"b\\\tc""#, r#"ä"b\\\tc"#]),
    ("Python's repr and ascii", "ä€'b\"\tc", &[r#"'ä€\'b"\tc'"#, r#"'\xe4\u20ac\'b"\tc'"#, r#"'ä€'b\"\tc'"#]),
    ("Rust's and Go's debug texts", "a\"b\\c\td", &[r#""a\"b\\c\td""#]),
    ("SQL's doubled quotes", "a'b\\\"c", &[r#"'a''b\"c'"#, r#"'a''b\\"c'"#, r#""a'b\""c""#, r#""a'b\\""c""#]),
    (
        "SQL's backslashes (PHP addslashes, var_export)",
        "a'b\\\"c\n",
        &[r#"a\'b\\\"c\n"#, r#"a\'b\\"c\n"#, "a\\'b\\\\\\\"c\n"],
    ),
    ("mariadb --batch", "a\tb\\c\nd'\"", &[r#"a\tb\\c\nd'""#]),
    (
        "JSON",
        "ä/<&>'\"\\",
        &[
            r#""ä/<&>'\"\\""#,
            r#""ä\/<&>'\"\\""#,
            r#""\u00e4/<&>'\"\\""#,
            r#""\u00e4\/<&>'\"\\""#,
            r#""\u00E4/<&>'\"\\""#,
            r#""ä/\u003c\u0026\u003e'\"\\""#,
            r#""ä\/\u003C\u0026\u003E\u0027\"\\""#,
        ],
    ),
    (
        "HTML and XML",
        "\\\"<;>&']",
        &[
            "\\&quot;&lt;;&gt;&amp;']",
            "\\&quot;&lt;;&gt;&amp;&#x27;]",
            "\\&#34;&lt;;&gt;&amp;&#39;]",
            "\\\"&lt;;&gt;&amp;']",
            "\\\"&lt;;>&amp;']",
            "\\&quot;&lt;;&gt;&amp;&#039;]",
        ],
    ),
    (
        "URLs and forms",
        "ä /~*'%@",
        &[
            "%C3%A4%20%2F~%2A%27%25%40",
            "%C3%A4%20/~%2A%27%25%40",
            "%C3%A4+%2F%7E%2A%27%25%40",
            "%C3%A4+%2F%7E*%27%25%40",
            "%c3%a4+%2f~%2a%27%25%40",
            "%C3%A4%20%2F~*'%25%40",
            "%C3%A4%20/~*'%25@",
        ],
    ),
    (
        "regular expressions",
        "[_=X$#-/ a",
        &[r"\[_\=X\$\#\-\/\ a", r"\[_=X\$\#\-/\ a", r"\[_\=X\$\#\-\/ a", r"\[_=X\$\#\-/ a", r"\[_=X\$#-\/ a"],
    ),
    ("base64", "hunter22", &["aHVudGVyMjI=", "d2lraTpodW50ZXIyMgo=", "YTpodW50ZXIyMg"]),
    ("hexadecimal", "hunter22", &["68756e7465723232", "0x68756E7465723232"]),
];

#[test]
fn what_each_encoder_is_like_is_found() {
    for (name, _) in ENCODERS {
        let (_, secret, written) =
            WRITTEN.iter().find(|(n, ..)| n == name).unwrap_or_else(|| panic!("no sample of {name}"));
        let redactor = knowing(&[secret]);
        for text in *written {
            let shown = redactor.text(text);
            assert!(shown.contains(MARK), "{name}: {text} is shown as {shown}");
            let left: usize = shown.split(MARK).map(|part| part.chars().count()).sum();
            assert!(left <= 10, "{name}: of {text} is left: {shown}");
        }
    }
}
