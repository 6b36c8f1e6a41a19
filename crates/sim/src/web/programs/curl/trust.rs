//! Whether `curl` trusts what a web server serves.

use crate::web::certificates::{Certificate, meaning};
use crate::web::tls::AUTHORITIES;
use crate::world::World;
use jumpdeck_fleet::names::HostName;

use super::Failed;
use super::options::{Options, Url};

/// Whether what a server serves is trusted, and is for that host.
pub(super) fn held(
    world: &World,
    from: &HostName,
    options: &Options,
    url: &Url,
    served: &[Certificate],
) -> Result<(), Failed> {
    let file = options.authorities.as_deref().unwrap_or(AUTHORITIES);
    let text = world.read_file(from, file).ok_or_else(|| {
        (77, format!("error setting certificate verify locations:\n  CAfile: {file}\n  CApath: none"))
    })?;
    let authorities = Certificate::all(&String::from_utf8_lossy(&text));
    #[allow(clippy::cast_possible_truncation)] // seconds since 1970
    let now = world.epoch(from) as i64;
    let Some((own, others)) = served.split_first() else { return Ok(()) };
    let chain = own.verify(others, &authorities, now);
    chain.map_err(|broken| (60, format!("SSL certificate problem: {}", meaning(broken.code))))?;
    if own.is_for(&url.host) {
        return Ok(());
    }
    let name = &url.host;
    Err((51, format!("SSL: no alternative certificate subject name matches target host name '{name}'")))
}
