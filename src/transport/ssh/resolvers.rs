//! The name servers of this machine.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use resolv_conf::Config;

use jumpdeck_fleet::text::Clean;

/// Where the system's library finds them.
pub(super) const FILE: &str = "/etc/resolv.conf";
/// Bytes of it that are read.
const LARGEST: u64 = 64 * 1024;

/// Those that a file of that form names, in its order.
pub(super) fn read(file: &Path) -> Result<Vec<String>, Clean> {
    let mut text = Vec::new();
    let read = File::open(file).and_then(|opened| opened.take(LARGEST).read_to_end(&mut text));
    read.map_err(|error| Clean::new(&format!("{}: {error}; name servers in the inventory", file.display())))?;
    // What else is in it concerns the system's library only.
    let (config, _) = Config::parse_with_errors(&text);
    Ok(config.nameservers.iter().map(ToString::to_string).collect())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::read;

    #[test]
    fn a_file_names_name_servers() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("resolv.conf");
        let text = b"# \xff\nsearch example.org\nnameserver 192.0.2.53 # first\nnameserver not-one\nnameserver fe80::1%eth0\noptions edns0 what\n";
        std::fs::write(&file, text).unwrap();
        assert_eq!(read(&file).unwrap(), ["192.0.2.53", "fe80::1%eth0"]);
        std::fs::write(&file, "").unwrap();
        assert_eq!(read(&file).unwrap(), Vec::<String>::new());
        let missing = read(&folder.path().join("none")).unwrap_err();
        assert!(missing.as_str().contains("No such file"), "{missing}");
    }
}
