//! `curl`, against the web servers and the Elasticsearch nodes of the world, and the CDN in front of it. Its words are those of curl 7.35.

mod fastly;
mod options;
#[cfg(test)]
mod tests;
mod trust;

use std::sync::PoisonError;

use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::elastic::api;
use crate::program::wait;
use crate::program::{BoxFuture, Call, Program, SharedWorld};
use crate::shell::path::absolute;
use crate::web::cdn;
use crate::web::exchange::{Request, Response, Served};
use crate::world::World;
use jumpdeck_fleet::names::HostName;

use options::{Options, Url};

/// `curl`.
pub(crate) struct Curl;

/// Seconds until the network says that nobody is at an address.
const NO_ROUTE: u64 = 3;
/// The port of Elasticsearch.
const ELASTIC: u16 = 9200;
/// Bytes of a body from standard input.
const LARGEST: u64 = 4 * 1024 * 1024;

/// What the CDN adds to a response that it passed on.
const PASSED_ON: &str = "Via: 1.1 varnish\r\nX-Served-By: cache-sim1-SIM\r\nX-Cache: MISS\r\n";

/// A failure: the exit status and the words.
type Failed = (u8, String);

impl Program for Curl {
    fn name(&self) -> &'static str {
        "curl"
    }

    fn run(&self, mut call: Call) -> BoxFuture<'static, u8> {
        Box::pin(async move {
            let options = match options(&mut call).await {
                Ok(options) => options,
                Err(what) => {
                    let text = format!(
                        "curl: {what}\ncurl: try 'curl --help' or 'curl --manual' for more information\n"
                    );
                    let _nobody_reads = call.stderr.write_all(text.as_bytes()).await;
                    return 2;
                }
            };
            let body = match body(&mut call, &options).await {
                Ok(body) => body,
                Err(failed) => return complain(&mut call, &options, failed).await,
            };
            let (shared, from) = (call.world.clone(), call.host.clone());
            let mut status = 0;
            for url in &options.urls {
                let done = match Url::parse(url) {
                    Some(url) => fetch(&shared, &from, &options, &url, &body).await.map(|got| (url, got)),
                    None => Err((3, "<url> malformed".to_owned())),
                };
                status = match done {
                    Ok((url, got)) => give(&mut call, &options, &url, &got).await,
                    Err(failed) => {
                        let status = complain(&mut call, &options, failed).await;
                        // What is to be written after the transfer is written after a failed one, too.
                        if let Some(format) = &options.write_out {
                            let text = options::write_out(format, None, url);
                            let _nobody_reads = call.stdout.write_all(text.as_bytes()).await;
                        }
                        status
                    }
                };
            }
            status
        })
    }
}

/// What it is asked: by its arguments, and by the files that `--config` names.
async fn options(call: &mut Call) -> Result<Options, String> {
    let mut options = Options::parse(call.args.get(1..).unwrap_or_default())?;
    for file in std::mem::take(&mut options.configs) {
        let bytes = match file.as_str() {
            "-" => input(call).await,
            file => {
                let world = call.world.lock().unwrap_or_else(PoisonError::into_inner);
                let read = world.read_file(&call.host, &absolute(&call.cwd, file));
                read.ok_or_else(|| format!("cannot read config from '{file}'"))?
            }
        };
        options.configure(&String::from_utf8_lossy(&bytes))?;
    }
    if options.urls.is_empty() { Err("no URL specified!".to_owned()) } else { Ok(options) }
}

async fn input(call: &mut Call) -> Vec<u8> {
    let mut bytes = Vec::new();
    let _failed = (&mut call.stdin).take(LARGEST).read_to_end(&mut bytes).await;
    bytes
}

async fn complain(call: &mut Call, options: &Options, (status, what): Failed) -> u8 {
    if !options.silent || options.show_error {
        let _nobody_reads = call.stderr.write_all(format!("curl: ({status}) {what}\n").as_bytes()).await;
    }
    status
}

/// The body that `-d` tells: text, `@file`, or `@-` for standard input; several are joined with `&`.
async fn body(call: &mut Call, options: &Options) -> Result<String, Failed> {
    let mut parts = Vec::new();
    for data in &options.data {
        let bytes = match data.strip_prefix('@') {
            Some("-") => input(call).await,
            Some(file) => {
                let world = call.world.lock().unwrap_or_else(PoisonError::into_inner);
                let read = world.read_file(&call.host, &absolute(&call.cwd, file));
                read.ok_or_else(|| (26, format!("Failed to open {file}")))?
            }
            None => data.clone().into_bytes(),
        };
        parts.push(String::from_utf8_lossy(&bytes).into_owned());
    }
    Ok(parts.join("&"))
}

/// Where a connection goes.
enum Reached {
    Machine(HostName),
    /// The CDN's API.
    Api,
    /// The CDN, for one of the public names that it serves.
    Edge,
    /// Nobody answers at the address.
    Nobody,
}

fn reach(world: &World, from: &HostName, options: &Options, url: &Url) -> Result<Reached, Failed> {
    let to = options.resolved(&url.host, url.port).unwrap_or(&url.host);
    if matches!(to, "localhost" | "127.0.0.1" | "::1") {
        return Ok(Reached::Machine(from.clone()));
    }
    if to == cdn::API && url.secure {
        return Ok(Reached::Api);
    }
    if world.is_behind_cdn(to) && matches!(url.port, 80 | 443) {
        return Ok(Reached::Edge);
    }
    let machine = match world.resolve(to) {
        Some(machine) => Some(machine),
        None if to.parse::<std::net::IpAddr>().is_err() => {
            return Err((6, format!("Could not resolve host: {to}")));
        }
        // From outside only web ports are let in.
        None => world.cloud().behind(to).filter(|_| matches!(url.port, 80 | 443)).cloned(),
    };
    Ok(machine.filter(|machine| world.is_up(machine)).map_or(Reached::Nobody, Reached::Machine))
}

/// What is said when nobody is at an address, after the time that takes.
async fn nobody(shared: &SharedWorld, options: &Options, url: &Url) -> Failed {
    let patience = options.connect_timeout.or(options.max_time).unwrap_or(u64::MAX);
    let _nobody: Option<()> = wait::until(shared, patience.min(NO_ROUTE), |_| None).await;
    if patience < NO_ROUTE {
        (28, format!("Connection timed out after {} milliseconds", patience * 1000))
    } else {
        (7, format!("Failed to connect to {} port {}: No route to host", url.host, url.port))
    }
}

async fn fetch(
    shared: &SharedWorld,
    from: &HostName,
    options: &Options,
    url: &Url,
    body: &str,
) -> Result<Response, Failed> {
    let reached = {
        let world = shared.lock().unwrap_or_else(PoisonError::into_inner);
        reach(&world, from, options, url)?
    };
    let mut request = Request {
        method: options.method(),
        path: url.path.clone(),
        query: url.query.clone(),
        body: body.to_owned(),
    };
    if options.sends_as_query() {
        request.query.extend(options::pairs(&std::mem::take(&mut request.body)));
    }
    let machine = match reached {
        Reached::Machine(machine) => machine,
        Reached::Nobody => return Err(nobody(shared, options, url).await),
        Reached::Api => {
            let mut world = shared.lock().unwrap_or_else(PoisonError::into_inner);
            return Ok(fastly::serve(&mut world, options.header("fastly-key"), &request));
        }
        Reached::Edge => {
            let mut world = shared.lock().unwrap_or_else(PoisonError::into_inner);
            return Ok(Response::page(world.cdn_page(&url.host), PASSED_ON));
        }
    };
    let served = {
        let mut world = shared.lock().unwrap_or_else(PoisonError::into_inner);
        serve(&mut world, (from, &machine), options, url, request)?
    };
    match served {
        Served::Now(response) => Ok(response),
        Served::When { seconds, mut holds, mut late } => {
            let patience = options.max_time.unwrap_or(u64::MAX).min(seconds);
            if let Some(response) = wait::until(shared, patience, &mut holds).await {
                return Ok(response);
            }
            if patience < seconds {
                let what = format!(
                    "Operation timed out after {} milliseconds with 0 bytes received",
                    patience * 1000
                );
                return Err((28, what));
            }
            let mut world = shared.lock().unwrap_or_else(PoisonError::into_inner);
            late(&mut world).ok_or_else(|| (52, "Empty reply from server".to_owned()))
        }
    }
}

fn serve(
    world: &mut World,
    (from, machine): (&HostName, &HostName),
    options: &Options,
    url: &Url,
    request: Request,
) -> Result<Served, Failed> {
    let refused = || (7, format!("Failed to connect to {} port {}: Connection refused", url.host, url.port));
    match url.port {
        ELASTIC => {
            world.elastic().member(machine).ok_or_else(refused)?;
            Ok(api::serve(world, machine, request))
        }
        80 | 443 => {
            let asked = options.header("host").unwrap_or(&url.host);
            let own = (from == machine).then(|| world.status_page(machine, &request.path)).flatten();
            let page = own.or_else(|| world.web_page(machine, asked)).ok_or_else(refused)?;
            if url.secure {
                let served = world.served_certificates(machine).ok_or_else(refused)?;
                if !options.insecure {
                    trust::held(world, from, options, url, &served)?;
                }
            }
            Ok(Served::Now(Response::page(page, "")))
        }
        _ => Err(refused()),
    }
}

/// Writes what came to where it is wanted.
async fn give(call: &mut Call, options: &Options, url: &Url, got: &Response) -> u8 {
    if options.fail && got.status >= 400 {
        let what = format!("The requested URL returned error: {} {}", got.status, got.reason());
        let status = complain(call, options, (22, what)).await;
        if let Some(format) = &options.write_out {
            let text = options::write_out(format, Some((got, url)), &url.text);
            let _nobody_reads = call.stdout.write_all(text.as_bytes()).await;
        }
        return status;
    }
    let mut text = String::new();
    if options.include || options.head {
        text = format!(
            "HTTP/1.1 {} {}\r\nContent-Type: {}\r\nContent-Length: {}\r\n{}\r\n",
            got.status,
            got.reason(),
            got.content_type,
            got.body.len(),
            got.headers
        );
    }
    if !options.head {
        text.push_str(&got.body);
    }
    let mut out = text.into_bytes();
    match options.output.as_deref() {
        None | Some("-") => {}
        Some("/dev/null") => out.clear(),
        Some(file) => {
            let path = absolute(&call.cwd, file);
            let bytes = std::mem::take(&mut out);
            let has_room = {
                let mut world = call.world.lock().unwrap_or_else(PoisonError::into_inner);
                let has_room = world.has_room(&call.host, &path, bytes.len());
                if has_room {
                    world.write_file(&call.host, &path, bytes);
                }
                has_room
            };
            if !has_room {
                let what = "Failure writing output to destination".to_owned();
                return complain(call, options, (23, what)).await;
            }
        }
    }
    if let Some(format) = &options.write_out {
        out.extend(options::write_out(format, Some((got, url)), &url.text).into_bytes());
    }
    match call.stdout.write_all(&out).await {
        Ok(()) => 0,
        Err(_) => 23,
    }
}
