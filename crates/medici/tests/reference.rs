//! The command line's reference is what the binary says of itself.
//!
//! `MEDICI_WRITE_REFERENCE=1 cargo nextest run -p medici --test reference` writes it anew.

#![allow(clippy::unwrap_used, clippy::disallowed_methods, reason = "a test of a real process in real time")]

mod support;

use std::{fmt::Write, fs, path::Path};

use support::Home;

#[test]
fn the_reference_of_the_command_line_is_what_the_binary_says() {
    let mut reference = "# Command line\n\nWritten from `medici help`; a test compares the two.\n".to_owned();
    describe(&mut reference, &[]);
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/reference/cli.md");
    if std::env::var_os("MEDICI_WRITE_REFERENCE").is_some() {
        fs::write(&file, &reference).unwrap();
    }
    let written = fs::read_to_string(&file).unwrap();
    assert!(written == reference, "docs/reference/cli.md is out of date: write it anew with MEDICI_WRITE_REFERENCE=1");
}

/// Appends a command's help, then that of the commands under it.
fn describe(reference: &mut String, command: &[&str]) {
    let args = [command, &["--help"]].concat();
    let output = Home::new().command(&args[..args.len() - 1]).arg("--help").output().unwrap();
    assert!(output.status.success(), "medici {args:?}");
    let help: Vec<String> = support::text(&output.stdout).lines().map(|line| line.trim_end().to_owned()).collect();
    let name = [&["medici"], command].concat().join(" ");
    write!(reference, "\n## `{name}`\n\n```text\n{}\n```\n", help.join("\n").trim_end()).unwrap();
    let commands = help.iter().skip_while(|line| *line != "Commands:").skip(1).take_while(|line| !line.is_empty());
    // A command is indented by two spaces; a line that goes on is by more.
    let names = commands.filter_map(|line| line.strip_prefix("  ")).filter(|line| !line.starts_with(' '));
    for name in names.filter_map(|line| line.split_whitespace().next()).filter(|name| *name != "help") {
        describe(reference, &[command, &[name]].concat());
    }
}
