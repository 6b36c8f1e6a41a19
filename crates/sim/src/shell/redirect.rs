//! Redirections, and the files of the world behind them.

use crate::posix::files::{FULL, Wish};

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
            RedirectKind::Write(word) if self.options.noclobber => self.create(word, Opening::New).await?,
            RedirectKind::Write(word) => self.create(word, Opening::Empty).await?,
            RedirectKind::Append(word) => self.create(word, Opening::AtEnd).await?,
            RedirectKind::ReadWrite(word) => self.create(word, Opening::AsItIs).await?,
            RedirectKind::Both(word, append) => {
                let how = if *append { Opening::AtEnd } else { Opening::Empty };
                let opened = self.create(word, how).await?;
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
        let world = self.machine.world();
        if !world.may(&self.machine.host, &path, &self.user, Wish::Read) {
            return Err(format!("cannot open {name}: Permission denied"));
        }
        match world.read_file(&self.machine.host, &path) {
            Some(bytes) => Ok(Fd::Read(filled(bytes))),
            None => Err(format!("cannot open {name}: No such file")),
        }
    }

    async fn create(&mut self, word: &Word, how: Opening) -> Result<Result<Fd, Refused>, Flow> {
        let name = self.text(word).await?;
        let path = self.absolute(&name);
        if let Some(fd) = self.device(&path) {
            return Ok(Ok(fd));
        }
        let opened = self.open_to_write(&path, how);
        Ok(opened.map(Fd::File).map_err(|why| format!("cannot create {name}: {why}")))
    }

    /// Opens a file of the world for writing; makes it when it is not there.
    pub(crate) fn open_to_write(&self, path: &str, how: Opening) -> Result<FileWriter, &'static str> {
        let mut world = self.machine.world();
        let host = &self.machine.host;
        let (parent, _) = path.rsplit_once('/').unwrap_or_default();
        if ["/proc", "/sys"].iter().any(|tree| path.starts_with(tree)) {
            return Err("Permission denied");
        }
        if world.list_dir(host, path).is_some() {
            return Err("Is a directory");
        }
        if !(always_there(parent) || world.list_dir(host, parent).is_some()) {
            return Err("Directory nonexistent");
        }
        if !world.may(host, path, &self.user, Wish::Write) {
            return Err("Permission denied");
        }
        let made = world.metadata(host, path).is_none();
        if !made && how == Opening::New {
            return Err("File exists");
        }
        if made && !world.has_room(host, path, 0) {
            return Err(FULL);
        }
        if made || how == Opening::Empty {
            world.write_file(host, path, Vec::new());
        } else {
            world.keep_file(host, path);
        }
        if made {
            let (mode, user) = (0o666 & !self.umask, self.user.clone());
            let group = world.group_of_new(host, path, &user);
            world.set_attributes(host, path, |attributes| {
                attributes.mode = mode;
                attributes.owner = user;
                attributes.group = group;
            });
        }
        drop(world);
        Ok(FileWriter::new(&self.machine, path, how == Opening::AtEnd))
    }
}

/// How a file is opened for writing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Opening {
    /// `>`
    Empty,
    /// `>` after `set -C`: not over a file that is there.
    New,
    /// `>>`
    AtEnd,
    /// `<>`
    AsItIs,
}
