//! `medici grant`: credits given by the operator.

use anyhow::Result;
use clap::{Args, ValueEnum};
use medici_ledger::{Credits, Money, Timestamp};
use serde_json::json;

use crate::{
    Verdict,
    admin::{Admin, Ask, block_on},
    books,
    config::Config,
    render,
};

/// Arguments of `grant`.
#[derive(Args)]
pub(crate) struct GrantArgs {
    /// Name or id
    account: String,
    /// How many, at most six decimals
    credits: Credits,
    /// Their class: free and promotional ones burn before paid ones
    #[arg(long, value_enum, default_value = "promo")]
    class: ClassArg,
    /// When they end, for example 2027-01-01 [default: never]
    #[arg(long, value_name = "INSTANT")]
    expires: Option<Timestamp>,
    /// Why they are given [default: purchase for paid ones, else bonus]
    #[arg(long, value_enum)]
    reason: Option<Reason>,
    /// What was paid for them, for example "15.00 USD"; only for paid ones
    #[arg(long, value_name = "MONEY")]
    cost: Option<Money>,
    /// An idempotency key of your own: the same grant with the same key is given once, for ever
    #[arg(long, value_name = "KEY")]
    key: Option<String>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(Clone, Copy, ValueEnum)]
enum ClassArg {
    Free,
    Promo,
    Paid,
}

#[derive(Clone, Copy, ValueEnum)]
enum Reason {
    Bonus,
    Goodwill,
    Purchase,
}

/// Runs `medici grant`.
pub(crate) fn run(config: Config, args: GrantArgs) -> Result<Verdict> {
    config.data.must_exist()?;
    let given = block_on(async {
        let admin = Admin::open(&config).await?;
        let account = books::account(&books::open(&config)?, &args.account)?;
        let reason = args.reason.unwrap_or(match args.class {
            ClassArg::Paid => Reason::Purchase,
            ClassArg::Free | ClassArg::Promo => Reason::Bonus,
        });
        let body = json!({
            "credits": args.credits.to_string(),
            "class": name(args.class),
            "source": name(reason),
            "cost": args.cost.map(|cost| cost.to_string()),
            "expires_at": args.expires.map(|at| at.to_string()),
        });
        let path = format!("/api/accounts/{}/grants", account.id);
        admin.ask(Ask { key: args.key.as_deref(), ..Ask::post(&path, body) }).await
    })?;
    if args.json {
        render::json(&given)?;
    } else {
        let again = if given["replayed"] == true { ", as before: this key was used already" } else { "" };
        println!("gave {} credits to {}{again}", args.credits, args.account);
    }
    Ok(Verdict::Good)
}

fn name(value: impl ValueEnum) -> String {
    value.to_possible_value().expect("no value is hidden").get_name().to_owned()
}
