//! The thin binary: arguments → run → exit code.

use std::process::ExitCode;

fn main() -> ExitCode {
    jumpdeck::cli::run(std::env::args_os())
}
