//! `ledger verify`: the proof, from the entries alone, beside whoever has the store open.

use anyhow::{Context, Result};
use clap::Args;
use medici_ledger::{Unit, verify::TrialLine};
use serde_json::json;

use crate::{Verdict, config::Config, render};

/// Arguments of `ledger verify`.
#[derive(Args)]
pub(crate) struct VerifyArgs {
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Runs `ledger verify`. Every finding is named; one is enough for exit code 1.
pub(crate) fn run(config: &Config, args: &VerifyArgs) -> Result<Verdict> {
    config.data.must_exist()?;
    let report = medici_store::verify(config.data.path()).context("cannot verify")?;
    if args.json {
        let findings = report.findings.iter().map(|finding| {
            json!({
                "account": finding.account.map(|account| account.to_string()),
                "seq": finding.seq,
                "row": finding.row,
                "what": finding.what,
            })
        });
        let trial = report.trial_balance.iter().map(|line| {
            // Wider than JSON's numbers: as text, in micro-credits or minor units.
            json!({ "account": line.account.to_string(), "unit": unit(line), "amount": line.amount.to_string() })
        });
        render::json(&json!({
            "clean": report.is_clean(),
            "findings": findings.collect::<Vec<_>>(),
            "findings_left_out": report.findings_left_out,
            "entries": report.entries,
            "accounts": report.accounts,
            "lots": report.lots,
            "jobs": report.jobs,
            "images": report.images,
            "trial_balance": trial.collect::<Vec<_>>(),
        }))?;
    } else {
        for finding in &report.findings {
            println!("{finding}");
        }
        if report.findings_left_out > 0 {
            println!("and {} more", report.findings_left_out);
        }
        let proved = if report.is_clean() { "proved" } else { "BROKEN" };
        let (entries, accounts, lots) = (report.entries, report.accounts, report.lots);
        let (jobs, images) = (report.jobs, report.images);
        println!("{proved}: {entries} entries, {accounts} accounts, {lots} lots, {jobs} jobs, {images} images");
    }
    Ok(if report.is_clean() { Verdict::Good } else { Verdict::Broken })
}

fn unit(line: &TrialLine) -> String {
    match line.unit {
        Unit::Credits => "micro-credits".to_owned(),
        Unit::Money(currency) => format!("minor units of {}", currency.as_str()),
    }
}
