//! `test`, `[` and `[[`.

use crate::program::BoxFuture;
use crate::shell::expand::Expanded;
use crate::shell::pattern;
use crate::shell::simple::Found;
use crate::shell::state::Shell;
use crate::shell::syntax::Test;

impl Shell {
    pub(crate) async fn test(&mut self, name: &str, arguments: &[String]) -> u8 {
        let arguments = match (name, arguments) {
            ("[", [inner @ .., last]) if last == "]" => inner,
            ("[", _) => {
                self.complain("[: missing ]").await;
                return 2;
            }
            _ => arguments,
        };
        let mut parser = Parser { shell: self, rest: arguments };
        match parser.whole() {
            Ok(holds) => u8::from(!holds),
            Err(message) => {
                self.complain(&format!("{name}: {message}")).await;
                2
            }
        }
    }

    /// `[[ … ]]`
    pub(crate) fn extended_test<'a>(&'a mut self, test: &'a Test) -> BoxFuture<'a, Expanded<bool>> {
        Box::pin(async move {
            Ok(match test {
                Test::And(left, right) => {
                    self.extended_test(left).await? && self.extended_test(right).await?
                }
                Test::Or(left, right) => self.extended_test(left).await? || self.extended_test(right).await?,
                Test::Not(inner) => !self.extended_test(inner).await?,
                Test::Unary(sign, operand) => {
                    let operand = self.text(operand).await?;
                    unary(self, sign, &operand).unwrap_or(false)
                }
                Test::Matches(left, right) => {
                    let left = self.text(left).await?;
                    pattern::matches(&self.pattern(right).await?, &left)
                }
                Test::Binary(sign, left, right) => {
                    let (left, right) = (self.text(left).await?, self.text(right).await?);
                    binary(self, &left, sign, &right).and_then(Result::ok).unwrap_or(false)
                }
            })
        })
    }
}

struct Parser<'a> {
    shell: &'a Shell,
    rest: &'a [String],
}

impl Parser<'_> {
    /// POSIX decides by the number of arguments first.
    fn whole(&mut self) -> Result<bool, String> {
        match self.rest {
            [] => return Ok(false),
            [one] => return Ok(!one.is_empty()),
            [not, one] if not == "!" => return Ok(one.is_empty()),
            [left, sign, right] => {
                if let Some(result) = binary(self.shell, left, sign, right) {
                    return result;
                }
            }
            _ => {}
        }
        let result = self.or()?;
        match self.rest.first() {
            None => Ok(result),
            Some(extra) => Err(format!("{extra}: unexpected operator")),
        }
    }

    fn take(&mut self, word: &str) -> bool {
        match self.rest {
            [first, rest @ ..] if first == word => {
                self.rest = rest;
                true
            }
            _ => false,
        }
    }

    fn or(&mut self) -> Result<bool, String> {
        let mut value = self.and()?;
        while self.take("-o") {
            value |= self.and()?;
        }
        Ok(value)
    }

    fn and(&mut self) -> Result<bool, String> {
        let mut value = self.not()?;
        while self.take("-a") {
            value &= self.not()?;
        }
        Ok(value)
    }

    fn not(&mut self) -> Result<bool, String> {
        let mut negated = false;
        while self.rest.len() > 1 && self.take("!") {
            negated = !negated;
        }
        Ok(self.primary()? != negated)
    }

    fn primary(&mut self) -> Result<bool, String> {
        if let [left, sign, right, rest @ ..] = self.rest
            && let Some(result) = binary(self.shell, left, sign, right)
        {
            self.rest = rest;
            return result;
        }
        if self.rest.len() > 1 && self.take("(") {
            let value = self.or()?;
            return if self.take(")") { Ok(value) } else { Err("closing paren expected".to_owned()) };
        }
        if let [sign, operand, rest @ ..] = self.rest
            && let Some(value) = unary(self.shell, sign, operand)
        {
            self.rest = rest;
            return Ok(value);
        }
        match self.rest {
            [one, rest @ ..] => {
                self.rest = rest;
                Ok(!one.is_empty())
            }
            [] => Err("argument expected".to_owned()),
        }
    }
}

fn unary(shell: &Shell, sign: &str, operand: &str) -> Option<bool> {
    let file = || {
        let path = shell.absolute(operand);
        let found = shell.machine.world().metadata(&shell.machine.host, &path);
        let size = found.filter(|found| !found.directory).map(|found| found.size);
        size.or_else(|| matches!(path.as_str(), "/dev/null" | "/dev/tty").then_some(0))
    };
    let found = || if operand.contains('/') { shell.find(operand) } else { Found::Nothing };
    let program = || matches!(found(), Found::Program(_) | Found::Runner | Found::Closed);
    let runs = || matches!(found(), Found::Program(_) | Found::Runner);
    let directory = || !operand.is_empty() && shell.is_directory(&shell.absolute(operand));
    let is_of_file = matches!(sign, "-e" | "-f" | "-d" | "-s" | "-r" | "-w" | "-x");
    let (is_closed, is_out_of_reach) = if is_of_file && shell.user != "root" {
        let (world, path) = (shell.machine.world(), shell.absolute(operand));
        let host = &shell.machine.host;
        (world.is_closed(host, &path, &shell.user), world.is_out_of_reach(host, &path, &shell.user))
    } else {
        (false, false)
    };
    Some(match sign {
        "-n" => !operand.is_empty(),
        "-z" => operand.is_empty(),
        "-e" | "-f" | "-d" | "-s" if is_out_of_reach => false,
        "-r" | "-w" | "-x" if is_closed => false,
        "-e" | "-r" | "-w" => !operand.is_empty() && (file().is_some() || directory() || program()),
        "-f" => file().is_some() || program(),
        "-d" => directory(),
        "-s" => file().is_some_and(|size| size > 0) || directory(),
        "-x" => runs() || directory(),
        "-b" | "-c" | "-g" | "-k" | "-p" | "-u" | "-h" | "-L" | "-S" | "-O" | "-G" | "-N" => false,
        "-t" => false,
        "-v" => shell.get(operand).is_some(),
        _ => return None,
    })
}

/// A comparison; `None` when the sign is none.
fn binary(shell: &Shell, left: &str, sign: &str, right: &str) -> Option<Result<bool, String>> {
    let modified = |name: &str| {
        let found = shell.machine.world().metadata(&shell.machine.host, &shell.absolute(name));
        found.map(|found| found.attributes.modified)
    };
    let numbers = |compare: fn(&i64, &i64) -> bool| {
        let number = |text: &str| text.trim().parse::<i64>().map_err(|_| format!("Illegal number: {text}"));
        number(left).and_then(|left| number(right).map(|right| compare(&left, &right)))
    };
    Some(match sign {
        "=" | "==" => Ok(left == right),
        "!=" => Ok(left != right),
        "<" => Ok(left < right),
        ">" => Ok(left > right),
        "=~" => regex_matches(right, left),
        "-eq" => numbers(i64::eq),
        "-ne" => numbers(i64::ne),
        "-lt" => numbers(i64::lt),
        "-le" => numbers(i64::le),
        "-gt" => numbers(i64::gt),
        "-ge" => numbers(i64::ge),
        "-nt" => Ok(modified(left) > modified(right)),
        "-ot" => Ok(modified(left) < modified(right)),
        "-ef" => Ok(shell.absolute(left) == shell.absolute(right) && modified(left).is_some()),
        _ => return None,
    })
}

fn regex_matches(pattern: &str, text: &str) -> Result<bool, String> {
    regex::Regex::new(pattern).map(|regex| regex.is_match(text)).map_err(|_| "bad expression".to_owned())
}
