//! Redirections, and the files of the world behind them.

use std::sync::{Arc, Mutex};

use super::pipe::filled;
use super::simple::always_there;
use super::state::{Fd, FileWriter, Flow, Shell};
use super::syntax::{Redirect, RedirectKind, Word};

/// Why a redirection failed, in dash's words.
type Refused = String;

impl Shell {
    /// Applies redirections in order; false when one failed, with the message written.
    pub(crate) async fn redirect(&mut self, redirects: &[Redirect]) -> Result<bool, Flow> {
        for redirect in redirects {
            if redirect.fd > 255 {
                self.complain(&format!("{}: Bad file descriptor", redirect.fd)).await;
                return Ok(false);
            }
            if let Err(message) = self.redirect_one(redirect).await? {
                self.complain(&message).await;
                return Ok(false);
            }
        }
        Ok(true)
    }

    async fn redirect_one(&mut self, redirect: &Redirect) -> Result<Result<(), Refused>, Flow> {
        let opened = match &redirect.kind {
            RedirectKind::Read(word) => self.text(word).await.map(|name| self.open(&name))?,
            RedirectKind::Write(word) => self.create(word, false).await?,
            RedirectKind::Append(word) => self.create(word, true).await?,
            RedirectKind::Both(word, append) => {
                let opened = self.create(word, *append).await?;
                if let Ok(fd) = &opened {
                    self.set_fd(2, fd.clone());
                }
                opened
            }
            RedirectKind::Duplicate(word) => {
                let target = self.text(word).await?;
                match target.parse::<usize>() {
                    Ok(number) => match self.fd(number) {
                        Fd::Closed => Err(format!("{number}: Bad file descriptor")),
                        fd => Ok(fd.clone()),
                    },
                    Err(_) if target == "-" => Ok(Fd::Closed),
                    Err(_) => Err(format!("Syntax error: Bad fd number: {target}")),
                }
            }
            RedirectKind::Here(word) => Ok(Fd::Read(filled(self.text(word).await?.into_bytes()))),
            RedirectKind::HereString(word) => {
                let text = self.text(word).await?;
                Ok(Fd::Read(filled(format!("{text}\n").into_bytes())))
            }
        };
        Ok(opened.map(|fd| self.set_fd(redirect.fd, fd)))
    }

    fn device(&self, path: &str) -> Option<Fd> {
        match path {
            "/dev/null" => Some(Fd::Null),
            "/dev/stdin" => Some(self.fd(0).clone()),
            "/dev/stdout" => Some(self.fd(1).clone()),
            "/dev/stderr" => Some(self.fd(2).clone()),
            other => Some(self.fd(other.strip_prefix("/dev/fd/")?.parse().ok()?).clone()),
        }
    }

    /// Opens a file of the world for reading.
    fn open(&self, name: &str) -> Result<Fd, Refused> {
        let path = self.absolute(name);
        if let Some(fd) = self.device(&path) {
            return Ok(fd);
        }
        match self.machine.world().read_file(&self.machine.host, &path) {
            Some(bytes) => Ok(Fd::Read(filled(bytes))),
            None => Err(format!("cannot open {name}: No such file")),
        }
    }

    async fn create(&mut self, word: &Word, append: bool) -> Result<Result<Fd, Refused>, Flow> {
        let name = self.text(word).await?;
        let path = self.absolute(&name);
        if let Some(fd) = self.device(&path) {
            return Ok(Ok(fd));
        }
        let mut world = self.machine.world();
        let host = &self.machine.host;
        let (parent, _) = path.rsplit_once('/').unwrap_or_default();
        let refused = if ["/proc", "/sys"].iter().any(|tree| path.starts_with(tree)) {
            Some("Permission denied")
        } else if world.list_dir(host, &path).is_some() {
            Some("Is a directory")
        } else if !(always_there(parent) || world.list_dir(host, parent).is_some()) {
            Some("Directory nonexistent")
        } else {
            None
        };
        if let Some(why) = refused {
            return Ok(Err(format!("cannot create {name}: {why}")));
        }
        let content = if append { world.read_file(host, &path).unwrap_or_default() } else { Vec::new() };
        world.write_file(host, &path, content.clone());
        drop(world);
        Ok(Ok(Fd::File(FileWriter {
            path: Arc::from(path),
            content: Arc::new(Mutex::new(content)),
            machine: Arc::clone(&self.machine),
        })))
    }
}
