//! `ledger verify`: the proof, from the entries alone, beside whoever has the store open.

use std::path::PathBuf;

use anyhow::{Context, Result};
use clap::Args;
use medici_ledger::{Unit, verify::TrialLine};
use medici_store::{Finding, JournalHead, KeptElsewhere, PublicKey, Report};
use serde_json::{Value, json};

use crate::{Verdict, config::Config, render};

/// Arguments of `ledger verify`.
#[derive(Args)]
pub(crate) struct VerifyArgs {
    /// Prove this file, which `ledger proof` has written, and no data directory
    #[arg(long, value_name = "FILE")]
    pub(super) proof: Option<PathBuf>,
    /// The public key as it was kept elsewhere: heads must be signed with it [default: the directory's own]
    #[arg(long, value_name = "HEX")]
    pub(super) public_key: Option<PublicKey>,
    /// A head as it was kept elsewhere, for example by the log: the file of heads must have it
    #[arg(long, value_name = "ROW:DIGEST", conflicts_with = "proof")]
    head: Option<JournalHead>,
    /// Print JSON
    #[arg(long)]
    pub(super) json: bool,
}

/// Runs `ledger verify` on the data directory. Every finding is named; one is enough for exit code 1.
pub(crate) fn run(config: &Config, args: &VerifyArgs) -> Result<Verdict> {
    config.data.must_exist()?;
    let kept = KeptElsewhere { public_key: args.public_key, head: args.head };
    let report = medici_store::verify(config.data.path(), &kept).context("cannot verify")?;
    if args.json {
        render::json(&json!({
            "clean": report.is_clean(),
            "findings": report.findings.iter().map(of_finding).collect::<Vec<_>>(),
            "findings_left_out": report.findings_left_out,
            "entries": report.entries,
            "accounts": report.accounts,
            "lots": report.lots,
            "jobs": report.jobs,
            "images": report.images,
            "heads": report.heads,
            "heads_signed": report.heads_signed,
            "head": report.head.map(|head| head.to_string()),
            "public_key": report.public_key.map(|key| key.to_string()),
            "trial_balance": report.trial_balance.iter().map(of_trial).collect::<Vec<_>>(),
        }))?;
    } else {
        for finding in &report.findings {
            println!("{finding}");
        }
        if report.findings_left_out > 0 {
            println!("and {} more", report.findings_left_out);
        }
        print_heads(&report, args);
        let proved = if report.is_clean() { "proved" } else { "BROKEN" };
        let (entries, accounts, lots) = (report.entries, report.accounts, report.lots);
        let (jobs, images) = (report.jobs, report.images);
        println!("{proved}: {entries} entries, {accounts} accounts, {lots} lots, {jobs} jobs, {images} images");
    }
    Ok(if report.is_clean() { Verdict::Good } else { Verdict::Broken })
}

fn print_heads(report: &Report, args: &VerifyArgs) {
    if let Some(head) = report.head {
        println!("heads: {} lines, {} of them signed, the newest {head}", report.heads, report.heads_signed);
    }
    match report.public_key {
        Some(key) if args.public_key.is_some() => println!("public key: {key}, as it was kept elsewhere"),
        Some(key) => println!("public key: {key}; keep it elsewhere, and compare it with --public-key"),
        None => {}
    }
}

/// Returns a finding as JSON.
pub(super) fn of_finding(finding: &Finding) -> Value {
    json!({
        "account": finding.account.map(|account| account.to_string()),
        "seq": finding.seq,
        "row": finding.row,
        "what": finding.what,
    })
}

/// Returns a line of the trial balance as JSON.
pub(super) fn of_trial(line: &TrialLine) -> Value {
    // Wider than JSON's numbers: as text, in micro-credits or minor units.
    json!({ "account": line.account.to_string(), "unit": unit(line), "amount": line.amount.to_string() })
}

/// Returns what a line of the trial balance counts.
pub(super) fn unit(line: &TrialLine) -> String {
    match line.unit {
        Unit::Credits => "micro-credits".to_owned(),
        Unit::Money(currency) => format!("minor units of {}", currency.as_str()),
    }
}
