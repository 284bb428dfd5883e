//! `medici give-back` and `medici withdraw`: credits given back, and credits taken back.

use anyhow::Result;
use clap::{Args, ValueEnum};
use medici_ledger::Credits;
use serde_json::json;

use crate::{
    Verdict,
    admin::{Ask, OfAccount, as_before, ask_of_account, text},
    config::Config,
    render,
};

/// Arguments of `give-back`.
#[derive(Args)]
pub(crate) struct GiveBackArgs {
    /// Name or id
    account: String,
    /// What was captured: hold_… of a hold or charge, or job_…
    #[arg(value_name = "HOLD|JOB")]
    capture: String,
    /// How many [default: all that were not given back]
    #[arg(long)]
    credits: Option<Credits>,
    /// Why: a fault of the service replaces what has expired meanwhile, for a week
    #[arg(long, value_enum)]
    reason: Reason,
    /// An idempotency key of your own: the same request with the same key is carried out once, for ever
    #[arg(long, value_name = "KEY")]
    key: Option<String>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(Clone, Copy, ValueEnum)]
#[value(rename_all = "snake_case")]
enum Reason {
    ServiceFault,
    Goodwill,
}

/// Arguments of `withdraw`.
#[derive(Args)]
pub(crate) struct WithdrawArgs {
    /// Name or id
    account: String,
    /// Of which lot, by its number in `medici account show`; never of a paid one
    lot: u32,
    /// How many
    credits: Credits,
    /// An idempotency key of your own: the same request with the same key is carried out once, for ever
    #[arg(long, value_name = "KEY")]
    key: Option<String>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Runs `medici give-back`.
pub(crate) fn run(config: &Config, args: &GiveBackArgs) -> Result<Verdict> {
    let reason = args.reason.to_possible_value().expect("no value is hidden");
    let body = json!({
        "capture": args.capture,
        "credits": args.credits.map(|credits| credits.to_string()),
        "reason": reason.get_name(),
    });
    let ask = Ask { key: args.key.as_deref(), ..Ask::post("/give-backs", body) };
    let answer = ask_of_account(config, OfAccount { account: &args.account, ask })?;
    if args.json {
        render::json(&answer)?;
    } else {
        let credits = text(&answer, "credits")?;
        println!("gave {credits} credits of {} back to {}{}", args.capture, args.account, as_before(&answer));
    }
    Ok(Verdict::Good)
}

/// Runs `medici withdraw`.
pub(crate) fn withdraw(config: &Config, args: &WithdrawArgs) -> Result<Verdict> {
    let body = json!({ "lot": args.lot, "credits": args.credits.to_string() });
    let ask = Ask { key: args.key.as_deref(), ..Ask::post("/withdrawals", body) };
    let answer = ask_of_account(config, OfAccount { account: &args.account, ask })?;
    if args.json {
        render::json(&answer)?;
    } else {
        let available = text(&answer, "available")?;
        println!("took {} credits of lot {}, {available} available{}", args.credits, args.lot, as_before(&answer));
    }
    Ok(Verdict::Good)
}
