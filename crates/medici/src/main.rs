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

mod moderation;
mod outside;
mod readings;

mod admin;
mod books;
mod draw;
mod http;
mod image;
mod ledger;
mod prompt_file;
mod render;
mod serve;

mod account;
mod budget;
mod estimate;
mod give_back;
mod grant;
mod key;
mod moderate;
mod order;
mod plan;
mod price;
mod terms;

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
    end_quietly_with_the_reader();
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

/// Ends the process when whoever read its output has gone, as in `medici account list | head`.
fn end_quietly_with_the_reader() {
    let usual = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        let text = panic.payload().downcast_ref::<String>().map_or("", String::as_str);
        if text.starts_with("failed printing to stdout") && text.contains("Broken pipe") {
            // What a shell reports for a program that ended by SIGPIPE.
            std::process::exit(141);
        }
        usual(panic);
    }));
}
