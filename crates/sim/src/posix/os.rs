//! Operating systems that simulated machines run, with the files that tell of them.

/// An operating system release.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Os {
    /// The name in world files: `ubuntu 12.04.2`.
    pub id: &'static str,
    /// `uname -r`.
    pub kernel: &'static str,
    /// `uname -v`.
    pub build: &'static str,
    /// `/etc/issue`'s first words and `DISTRIB_DESCRIPTION`.
    pub description: &'static str,
    release: &'static str,
    codename: &'static str,
    debian: bool,
    /// Whether `/etc/os-release` exists (from 12.04 on).
    has_os_release: bool,
}

const LUCID: Os = Os {
    id: "ubuntu 10.04",
    kernel: "2.6.32-24-server",
    build: "#39-Ubuntu SMP Wed Jul 28 06:21:40 UTC 2010",
    description: "Ubuntu 10.04 LTS",
    release: "10.04",
    codename: "lucid",
    debian: false,
    has_os_release: false,
};

const PRECISE: Os = Os {
    id: "ubuntu 12.04",
    kernel: "3.2.0-23-virtual",
    build: "#36-Ubuntu SMP Tue Apr 10 22:29:03 UTC 2012",
    description: "Ubuntu 12.04 LTS",
    release: "12.04",
    codename: "precise",
    debian: false,
    has_os_release: true,
};

/// Every operating system there is. Kernels and descriptions as those releases came with them.
static RELEASES: [Os; 7] = [
    LUCID,
    Os {
        id: "ubuntu 10.04.3",
        kernel: "2.6.32-33-server",
        build: "#70-Ubuntu SMP Thu Jul 7 22:28:30 UTC 2011",
        description: "Ubuntu 10.04.3 LTS",
        ..LUCID
    },
    PRECISE,
    Os {
        id: "ubuntu 12.04.1",
        kernel: "3.2.0-29-virtual",
        build: "#46-Ubuntu SMP Fri Jul 27 17:23:50 UTC 2012",
        description: "Ubuntu 12.04.1 LTS",
        ..PRECISE
    },
    Os {
        id: "ubuntu 12.04.2",
        kernel: "3.2.0-37-virtual",
        build: "#58-Ubuntu SMP Thu Jan 24 15:48:03 UTC 2013",
        description: "Ubuntu 12.04.2 LTS",
        ..PRECISE
    },
    Os {
        id: "ubuntu 14.04",
        kernel: "3.13.0-46-generic",
        build: "#77-Ubuntu SMP Mon Mar 2 18:23:39 UTC 2015",
        description: "Ubuntu 14.04.2 LTS",
        release: "14.04",
        codename: "trusty",
        debian: false,
        has_os_release: true,
    },
    Os {
        id: "debian 12",
        kernel: "6.1.0-28-amd64",
        build: "#1 SMP PREEMPT_DYNAMIC Debian 6.1.119-1 (2024-11-22)",
        description: "Debian GNU/Linux 12 (bookworm)",
        release: "12",
        codename: "bookworm",
        debian: true,
        has_os_release: true,
    },
];

impl Os {
    /// The release of that name.
    #[must_use]
    pub fn find(id: &str) -> Option<&'static Os> {
        RELEASES.iter().find(|os| os.id == id)
    }

    /// Whether systemd runs it; Upstart does before Debian 8 and Ubuntu 15.04.
    #[must_use]
    pub fn has_systemd(&self) -> bool {
        self.debian
    }

    /// Whether `/proc/meminfo` has `MemAvailable` (Linux 3.14), and `free` its newer form with it.
    #[must_use]
    pub fn tells_available_memory(&self) -> bool {
        self.debian
    }

    /// Whether `/proc/vmstat` counts processes ended for lack of memory (Linux 4.13).
    #[must_use]
    pub fn counts_oom_kills(&self) -> bool {
        self.debian
    }

    /// `/etc/os-release`, if there is one.
    #[must_use]
    pub fn os_release(&self) -> Option<String> {
        if !self.has_os_release {
            return None;
        }
        let Os { release, description, codename, .. } = self;
        if self.debian {
            return Some(format!(
                "PRETTY_NAME=\"{description}\"\nNAME=\"Debian GNU/Linux\"\nVERSION_ID=\"{release}\"\n\
                 VERSION=\"{release} ({codename})\"\nVERSION_CODENAME={codename}\nID=debian\n\
                 HOME_URL=\"https://www.debian.org/\"\nSUPPORT_URL=\"https://www.debian.org/support\"\n\
                 BUG_REPORT_URL=\"https://bugs.debian.org/\"\n"
            ));
        }
        let words = description.trim_start_matches("Ubuntu ");
        if *release == "12.04" {
            return Some(format!(
                "NAME=\"Ubuntu\"\nVERSION=\"{words}, Precise Pangolin\"\nID=ubuntu\nID_LIKE=debian\n\
                 PRETTY_NAME=\"Ubuntu precise ({words})\"\nVERSION_ID=\"12.04\"\n"
            ));
        }
        Some(format!(
            "NAME=\"Ubuntu\"\nVERSION=\"{words}, Trusty Tahr\"\nID=ubuntu\nID_LIKE=debian\n\
             PRETTY_NAME=\"{description}\"\nVERSION_ID=\"{release}\"\nHOME_URL=\"http://www.ubuntu.com/\"\n\
             SUPPORT_URL=\"http://help.ubuntu.com/\"\nBUG_REPORT_URL=\"http://bugs.launchpad.net/ubuntu/\"\n"
        ))
    }

    /// `/etc/lsb-release`, if there is one (Ubuntu).
    #[must_use]
    pub fn lsb_release(&self) -> Option<String> {
        let Os { release, description, codename, .. } = self;
        (!self.debian).then(|| {
            format!(
                "DISTRIB_ID=Ubuntu\nDISTRIB_RELEASE={release}\nDISTRIB_CODENAME={codename}\n\
                 DISTRIB_DESCRIPTION=\"{description}\"\n"
            )
        })
    }

    /// `/etc/debian_version`.
    #[must_use]
    pub fn debian_version(&self) -> &'static str {
        match self.codename {
            "lucid" => "squeeze/sid\n",
            "precise" => "wheezy/sid\n",
            "trusty" => "jessie/sid\n",
            _ => "12.8\n",
        }
    }
}
