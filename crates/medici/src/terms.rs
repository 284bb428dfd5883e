//! `medici account clock` and `medici account override`: a sandbox's time, and terms of one account's own.

use anyhow::Result;
use clap::Args;
use medici_ledger::{Credits, Timestamp};
use medici_studio::Span;
use serde_json::json;

use crate::{
    admin::{Ask, OfAccount, as_before, ask_of_account, text},
    config::Config,
    render,
};

/// Arguments of `account clock`.
#[derive(Args)]
pub(crate) struct ClockArgs {
    /// Name or id of a sandbox
    account: String,
    #[command(flatten)]
    how: Move,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Where the clock goes.
#[derive(Args)]
#[group(required = true, multiple = false)]
pub(crate) struct Move {
    /// To an instant, for example 2027-01-01
    #[arg(long, value_name = "INSTANT")]
    to: Option<Timestamp>,
    /// By a span, for example P1M, P10D or P1Y2M3DT4H
    #[arg(long, value_name = "SPAN", value_parser = a_span)]
    advance: Option<String>,
}

/// Arguments of `account override`.
#[derive(Args)]
pub(crate) struct OverrideArgs {
    /// Name or id
    account: String,
    #[command(flatten)]
    terms: Terms,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Terms in place of the plan's; what is not given is as the plan says.
#[derive(Args)]
#[group(required = true, multiple = true)]
pub(crate) struct Terms {
    /// Credits a month
    #[arg(long, value_name = "CREDITS")]
    monthly: Option<Credits>,
    /// The most pictures of one request
    #[arg(long, value_name = "N")]
    images_max: Option<u32>,
    /// The most jobs that wait or run at once
    #[arg(long, value_name = "N")]
    jobs_open_max: Option<u32>,
    /// The models that may be asked for, with commas between them
    #[arg(long, value_delimiter = ',', value_name = "MODELS")]
    models: Option<Vec<String>>,
    /// Take the account's own terms away
    #[arg(long, conflicts_with_all = ["monthly", "images_max", "jobs_open_max", "models"])]
    none: bool,
}

/// Runs `medici account clock`.
pub(crate) fn clock(config: &Config, args: &ClockArgs) -> Result<()> {
    let body = json!({ "to": args.how.to.map(|to| to.to_string()), "advance": args.how.advance });
    let answer = ask_of_account(config, OfAccount { account: &args.account, ask: Ask::put("/clock", body) })?;
    if args.json {
        return render::json(&answer);
    }
    let (clock, available) = (text(&answer, "sandbox_clock")?, text(&answer, "available")?);
    println!("the clock of {} says {clock}, {available} credits available{}", args.account, as_before(&answer));
    Ok(())
}

/// Runs `medici account override`.
pub(crate) fn set_overrides(config: &Config, args: &OverrideArgs) -> Result<()> {
    let Terms { monthly, images_max, jobs_open_max, models, none: _ } = &args.terms;
    let body = json!({
        "monthly": monthly.map(|monthly| monthly.to_string()),
        "images_max": images_max,
        "jobs_open_max": jobs_open_max,
        "models": models,
    });
    let answer = ask_of_account(config, OfAccount { account: &args.account, ask: Ask::put("/overrides", body) })?;
    if args.json {
        return render::json(&answer);
    }
    let terms = if answer["overrides"].is_null() { "the terms of its plan" } else { "terms of its own" };
    println!("{} has {terms}{}", args.account, as_before(&answer));
    Ok(())
}

/// Checks a span where it is typed; the server reads it.
fn a_span(text: &str) -> Result<String, medici_studio::SpanError> {
    text.parse::<Span>().map(|_| text.to_owned())
}
