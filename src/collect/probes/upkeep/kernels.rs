//! Which of the installed kernels is newer than the one that runs. A kernel of another flavour (`cloud`, `rt`, a rescue image) is
//! none to compare with.

/// The newest of the installed ones that are of the flavour of the one that runs. Without a number in its name (Alpine's
/// `vmlinuz-lts`) nobody can tell which it is.
pub(super) fn newest<'a>(running: &str, installed: &[&'a str]) -> Option<&'a str> {
    let flavour = KernelName::read(running).flavour;
    let named = installed.iter().map(|kernel| (KernelName::read(kernel), *kernel));
    let alike = named.filter(|(name, _)| name.flavour == flavour && !name.numbers.is_empty());
    alike.max_by(|(one, _), (other, _)| one.numbers.cmp(&other.numbers)).map(|(_, kernel)| kernel)
}

/// Whether its numbers are higher than those of the one that runs.
pub(super) fn is_newer(kernel: &str, running: &str) -> bool {
    KernelName::read(kernel).numbers > KernelName::read(running).numbers
}

/// `6.1.0-28-cloud-amd64`: its numbers, and the words that name its flavour.
struct KernelName {
    numbers: Vec<u64>,
    flavour: Vec<String>,
}

impl KernelName {
    fn read(name: &str) -> Self {
        let (mut numbers, mut flavour) = (Vec::new(), Vec::new());
        for word in name.split(['-', '.', '+', '~']).filter(|word| !word.is_empty()) {
            if word.starts_with(|c: char| c.is_ascii_digit()) {
                let digits: String = word.chars().take_while(char::is_ascii_digit).collect();
                numbers.push(digits.parse().unwrap_or(u64::MAX));
            } else if !is_release_of_system(word) {
                flavour.push(word.to_owned());
            }
        }
        Self { numbers, flavour }
    }
}

/// `el9`, `fc40`, `deb11`, `amzn2023`: the system's release, which a newer kernel of the same flavour may have another of.
fn is_release_of_system(word: &str) -> bool {
    ["el", "fc", "deb", "bpo", "amzn"].iter().any(|start| {
        word.strip_prefix(start).is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()))
    })
}

#[cfg(test)]
mod tests {
    use super::{is_newer, newest};

    #[test]
    fn only_a_newer_kernel_of_the_same_flavour_counts() {
        let cases: &[(&str, &[&str], Option<&str>)] = &[
            ("6.1.0-28-amd64", &["6.1.0-28-amd64"], None),
            ("6.1.0-28-amd64", &["6.1.0-9-amd64", "6.1.0-28-amd64"], None),
            ("6.1.0-9-amd64", &["6.1.0-28-amd64", "6.1.0-10-amd64"], Some("6.1.0-28-amd64")),
            ("6.1.0-28-cloud-amd64", &["6.1.0-29-amd64", "6.1.0-28-cloud-amd64"], None),
            ("6.1.0-28-amd64", &["6.1.0-29-rt-amd64"], None),
            ("3.13.0-46-generic", &["3.13.0-170-generic", "3.13.0-46-generic"], Some("3.13.0-170-generic")),
            (
                "5.14.0-362.8.1.el9_3.x86_64",
                &["0-rescue-5b9ac1b7fd544f5e8b6d0f8c3e2b7f10", "5.14.0-427.13.1.el9_4.x86_64"],
                Some("5.14.0-427.13.1.el9_4.x86_64"),
            ),
            ("2.6.32-754.el6.x86_64", &["2.6.32-754.35.1.el6.x86_64"], Some("2.6.32-754.35.1.el6.x86_64")),
            ("5.15.0-custom", &[], None),
            ("", &["", "x"], None),
        ];
        for (running, installed, expected) in cases {
            let newer = newest(running, installed).filter(|kernel| is_newer(kernel, running));
            assert_eq!(newer, *expected, "{running}");
        }
    }

    #[test]
    fn without_a_kernel_of_that_flavour_and_a_number_nobody_can_tell() {
        assert_eq!(newest("6.1.0-28-amd64", &["6.1.0-28-amd64", "6.1.0-9-amd64"]), Some("6.1.0-28-amd64"));
        let cases: &[(&str, &[&str])] = &[
            ("6.6.58-0-lts", &["lts"]),
            ("6.1.0-28-cloud-amd64", &["6.1.0-29-amd64"]),
            ("5.10.0-microvm", &[]),
        ];
        for (running, installed) in cases {
            assert_eq!(newest(running, installed), None, "{running}");
        }
    }
}
