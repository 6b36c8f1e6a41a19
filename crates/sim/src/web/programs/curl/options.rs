//! What `curl` is asked: options, URLs, and what `-w` writes.

use crate::web::exchange::Response;

/// The options.
#[derive(Debug, Default)]
pub(super) struct Options {
    pub(super) urls: Vec<String>,
    pub(super) data: Vec<String>,
    /// Files that say more options; `-` is standard input.
    pub(super) configs: Vec<String>,
    pub(super) output: Option<String>,
    pub(super) write_out: Option<String>,
    pub(super) silent: bool,
    pub(super) show_error: bool,
    pub(super) fail: bool,
    pub(super) include: bool,
    pub(super) head: bool,
    pub(super) insecure: bool,
    /// Seconds.
    pub(super) connect_timeout: Option<u64>,
    /// Seconds.
    pub(super) max_time: Option<u64>,
    /// The file of the authorities that are trusted.
    pub(super) authorities: Option<String>,
    method: Option<String>,
    get: bool,
    headers: Vec<(String, String)>,
    resolve: Vec<(String, u16, String)>,
}

/// Letters, and the long names that mean the same.
static LONG: &[(&str, char)] = &[
    ("silent", 's'),
    ("show-error", 'S'),
    ("fail", 'f'),
    ("include", 'i'),
    ("head", 'I'),
    ("insecure", 'k'),
    ("location", 'L'),
    ("get", 'G'),
    ("request", 'X'),
    ("data", 'd'),
    ("data-binary", 'd'),
    ("data-raw", 'd'),
    ("data-ascii", 'd'),
    ("header", 'H'),
    ("output", 'o'),
    ("write-out", 'w'),
    ("max-time", 'm'),
    ("connect-timeout", 'C'),
    ("resolve", 'R'),
    ("cacert", 'Y'),
    ("url", 'U'),
    ("user-agent", 'A'),
    ("config", 'K'),
    ("data-urlencode", 'E'),
];

/// Letters that stand alone. `-C`, `-E`, `-R` and `-Y` are other options in curl itself, so only their long names mean those here.
const ALONE: &str = "sSfiIkLG";
const VALUED: &str = "XdHowmAK";

impl Options {
    pub(super) fn parse(args: &[String]) -> Result<Self, String> {
        let mut options = Self::default();
        let mut args = args.iter();
        while let Some(arg) = args.next() {
            if let Some(name) = arg.strip_prefix("--") {
                let found = LONG.iter().find(|(long, _)| *long == name);
                let (_, letter) = found.ok_or_else(|| format!("option {arg}: is unknown"))?;
                let value = match ALONE.contains(*letter) {
                    true => String::new(),
                    false => {
                        args.next().cloned().ok_or_else(|| format!("option {arg}: requires parameter"))?
                    }
                };
                options.take(*letter, value)?;
            } else if arg.len() > 1 && arg.starts_with('-') {
                let mut letters = arg.chars().skip(1);
                while let Some(letter) = letters.next() {
                    if ALONE.contains(letter) {
                        options.take(letter, String::new())?;
                    } else if VALUED.contains(letter) {
                        let glued: String = letters.by_ref().collect();
                        let value = if glued.is_empty() { args.next().cloned() } else { Some(glued) };
                        options.take(
                            letter,
                            value.ok_or_else(|| format!("option -{letter}: requires parameter"))?,
                        )?;
                    } else {
                        return Err(format!("option -{letter}: is unknown"));
                    }
                }
            } else {
                options.urls.push(arg.clone());
            }
        }
        Ok(options)
    }

    /// Takes the options of a configuration file: a long name on each line, and its value behind `=`, quoted or not.
    pub(super) fn configure(&mut self, text: &str) -> Result<(), String> {
        for line in text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#')) {
            let (name, value) = line.split_once(['=', ' ', ':']).unwrap_or((line, ""));
            let (name, value) = (name.trim(), value.trim_start_matches([' ', '=']));
            let value = value.strip_prefix('"').and_then(|v| v.strip_suffix('"')).unwrap_or(value);
            let found = LONG.iter().find(|(long, _)| *long == name.trim_start_matches('-'));
            let (_, letter) = found.ok_or_else(|| format!("option {name}: is unknown"))?;
            self.take(*letter, value.to_owned())?;
        }
        Ok(())
    }

    fn take(&mut self, letter: char, value: String) -> Result<(), String> {
        let seconds = |value: &str| {
            let number: f64 =
                value.parse().map_err(|_| "expected a proper numerical parameter".to_owned())?;
            #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // seconds
            Ok::<_, String>(number.max(0.0).ceil() as u64)
        };
        match letter {
            's' => self.silent = true,
            'S' => self.show_error = true,
            'f' => self.fail = true,
            'i' => self.include = true,
            'I' => self.head = true,
            'k' => self.insecure = true,
            'G' => self.get = true,
            'X' => self.method = Some(value),
            'd' => self.data.push(value),
            'E' => match value.split_once('=') {
                Some((name, content)) => self.data.push(format!("{name}={}", encoded(content))),
                None => self.data.push(encoded(&value)),
            },
            'K' => self.configs.push(value),
            'o' => self.output = Some(value),
            'w' => self.write_out = Some(value),
            'm' => self.max_time = Some(seconds(&value)?),
            'C' => self.connect_timeout = Some(seconds(&value)?),
            'U' => self.urls.push(value),
            'Y' => self.authorities = Some(value),
            'H' => {
                if let Some((name, value)) = value.split_once(':') {
                    self.headers.push((name.trim().to_ascii_lowercase(), value.trim().to_owned()));
                }
            }
            'R' => {
                let mut parts = value.splitn(3, ':');
                let (Some(host), Some(port), Some(address)) = (parts.next(), parts.next(), parts.next())
                else {
                    return Err("--resolve: expected HOST:PORT:ADDRESS".to_owned());
                };
                self.resolve.push((host.to_owned(), port.parse().unwrap_or(0), address.to_owned()));
            }
            // `-L` and `-A` change nothing here: nothing redirects, and nobody looks at the name.
            _ => {}
        }
        Ok(())
    }

    pub(super) fn method(&self) -> String {
        match &self.method {
            Some(method) => method.clone(),
            None if self.head => "HEAD".to_owned(),
            None if self.data.is_empty() || self.get => "GET".to_owned(),
            None => "POST".to_owned(),
        }
    }

    /// Whether the data goes behind the URL.
    pub(super) fn sends_as_query(&self) -> bool {
        self.get
    }

    /// A header by its name in lower case.
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().rev().find(|(header, _)| header == name).map(|(_, value)| value.as_str())
    }

    /// What `--resolve` says of a host and port.
    pub(super) fn resolved(&self, host: &str, port: u16) -> Option<&str> {
        let found = self.resolve.iter().find(|(name, at, _)| name == host && *at == port);
        found.map(|(_, _, address)| address.as_str())
    }
}

/// A URL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Url {
    pub(super) text: String,
    pub(super) secure: bool,
    pub(super) host: String,
    pub(super) port: u16,
    pub(super) path: String,
    pub(super) query: Vec<(String, String)>,
}

impl Url {
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (secure, rest) = match text.split_once("://") {
            Some(("http", rest)) => (false, rest),
            Some(("https", rest)) => (true, rest),
            Some(_) => return None,
            None => (false, text),
        };
        let at = rest.find(['/', '?']).unwrap_or(rest.len());
        let (authority, rest) = rest.split_at_checked(at)?;
        let (host, port) = match authority.rsplit_once(':') {
            Some((host, port)) => (host, port.parse().ok()?),
            None => (authority, if secure { 443 } else { 80 }),
        };
        let rest = rest.split('#').next().unwrap_or_default();
        let (path, query) = rest.split_once('?').unwrap_or((rest, ""));
        (!host.is_empty()).then(|| Self {
            text: text.to_owned(),
            secure,
            host: host.to_owned(),
            port,
            path: if path.is_empty() { "/".to_owned() } else { decoded(path) },
            query: pairs(query),
        })
    }
}

/// `a=b&c=d`, as a query or a form has it.
pub(super) fn pairs(text: &str) -> Vec<(String, String)> {
    let pairs = text.split('&').filter(|pair| !pair.is_empty());
    let pair = |pair: &str| {
        let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
        (decoded(key), decoded(value))
    };
    pairs.map(pair).collect()
}

/// What may stand in a form as it is, and the rest as `%2F` (RFC 3986, 2.3).
fn encoded(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    text.bytes().map(|b| if plain(b) { char::from(b).to_string() } else { format!("%{b:02X}") }).collect()
}

/// `%2F` and its like (RFC 3986, 2.1).
fn decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&byte, after)) = rest.split_first() {
        let hex = after.get(..2).and_then(|hex| std::str::from_utf8(hex).ok());
        match hex.filter(|_| byte == b'%').and_then(|hex| u8::from_str_radix(hex, 16).ok()) {
            Some(value) => {
                bytes.push(value);
                rest = after.get(2..).unwrap_or_default();
            }
            None => {
                bytes.push(byte);
                rest = after;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// What `-w` writes of a transfer, or of one that failed.
pub(super) fn write_out(format: &str, got: Option<(&Response, &Url)>, url: &str) -> String {
    let code = got.map_or("000".to_owned(), |(response, _)| format!("{:03}", response.status));
    let size = got.map_or(0, |(response, _)| response.body.len());
    let content_type = got.map_or("", |(response, _)| response.content_type);
    let seconds = if got.is_some() { "0.004" } else { "0.000" };
    let mut text = format.replace("\\n", "\n").replace("\\t", "\t").replace("\\r", "\r");
    for (name, value) in [
        ("http_code", code.as_str()),
        ("response_code", code.as_str()),
        ("size_download", &size.to_string()),
        ("content_type", content_type),
        ("url_effective", url),
        ("time_total", seconds),
        ("time_connect", seconds),
    ] {
        text = text.replace(&format!("%{{{name}}}"), value);
    }
    text
}
