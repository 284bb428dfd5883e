//! `medici estimate`: what a month of requests would cost.

use anyhow::{Context, Result};
use clap::Args;
use medici_ledger::{Month, Operation, PlanName, Timestamp, Usage};
use medici_server::EstimateBody;
use medici_studio::{Clock, engine::Size};

use crate::{Verdict, config::Config, machine::SystemClock, render, wiring};

/// Arguments of `estimate`.
#[derive(Args)]
pub(crate) struct EstimateArgs {
    /// Requests a month for pictures from a prompt
    #[arg(long, value_name = "COUNT", default_value_t = 0)]
    prompts: u32,
    /// Requests a month that edit a picture
    #[arg(long, value_name = "COUNT", default_value_t = 0)]
    edits: u32,
    /// Requests a month that vary a picture
    #[arg(long, value_name = "COUNT", default_value_t = 0)]
    variations: u32,
    /// The plan that is compared with the others
    #[arg(long, value_name = "NAME", default_value = "free")]
    plan: PlanName,
    /// The size of the pictures, where prices depend on it
    #[arg(long, value_name = "WIDTHxHEIGHT", default_value = "1024x1024")]
    size: Size,
    /// The model, where prices depend on it
    #[arg(long, value_name = "NAME")]
    model: Option<String>,
    /// At the prices of then [default: now]
    #[arg(long, value_name = "INSTANT")]
    at: Option<Timestamp>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Runs `medici estimate`.
pub(crate) fn run(config: &Config, args: &EstimateArgs) -> Result<Verdict> {
    let book = wiring::price_book(config)?;
    let at = args.at.unwrap_or_else(|| SystemClock.now());
    let version = book.version_at(at).with_context(|| format!("no prices are in force at {at}"))?;
    let &EstimateArgs { prompts, edits, variations, plan, size, .. } = args;
    let model = args.model.as_deref().map(Into::into);
    let like = Usage { model, width: size.width, height: size.height, ..Usage::of(Operation::Generate, 1) };
    let estimate = version.estimate(Month { prompts, edits, variations }, plan, &like)?;
    if args.json {
        render::json(&EstimateBody::from(&estimate))?;
        return Ok(Verdict::Good);
    }
    println!("{} credits a month", estimate.needed);
    if estimate.ways.is_empty() {
        println!("nothing that is sold brings enough");
    }
    for way in &estimate.ways {
        println!("{way}");
    }
    for from in &estimate.break_evens {
        println!("{from}");
    }
    Ok(Verdict::Good)
}
