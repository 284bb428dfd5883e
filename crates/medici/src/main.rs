//! The one binary: the command line, the wiring of the adapters, the benches.
//!
//! Owns: arguments, configuration, the data directory, the process (signals, exit codes, logs), and the
//! choice of every adapter. It is the one crate that names a concrete store, engine or server.
//! Never does: decide about credits, jobs or pictures; it calls the studio's use cases.
//!
//! Invariants:
//! - Nothing is created outside the data directory, except pictures where they were asked for.
//! - The system clock and the machine's randomness enter in one file, `machine.rs`.
//! - Exit codes: 0 done, 1 failed or a proof did not hold, 2 wrong usage, 70 the disk failed under `serve`.

#![expect(clippy::print_stdout, reason = "a command line speaks on stdout")]

mod cli;

mod config;
mod data_dir;
mod machine;
mod wiring;

mod admin;
mod books;
mod draw;
mod http;
mod ledger;
mod prompt_file;
mod render;
mod serve;

mod account;
mod grant;
mod key;

mod bench;

use std::process::ExitCode;

use clap::Parser;

/// What a command that did its work says about the result: `Broken` is an answer, not an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// All is well.
    Good,
    /// A proof, an expectation or a bar did not hold; what it was is printed already.
    Broken,
    /// The disk failed under a running server: only a restart, which recovers, goes on.
    DiskFailed,
}

fn main() -> ExitCode {
    let arguments = cli::Cli::parse();
    match cli::run(arguments) {
        Ok(Verdict::Good) => ExitCode::SUCCESS,
        Ok(Verdict::Broken) => ExitCode::FAILURE,
        Ok(Verdict::DiskFailed) => ExitCode::from(70),
        Err(error) => {
            // One line, cause after cause, so that a log or a terminal shows all of it.
            eprintln!("medici: {error:#}");
            ExitCode::FAILURE
        }
    }
}
