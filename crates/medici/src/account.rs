//! `medici account`: open, list and show accounts, and tell of low balances.

use anyhow::{Context, Result};
use clap::{Args, Subcommand};
use medici_ledger::{
    Balances, Credits, Timestamp,
    history::{AsOf, balances_as_of, wallet_as_of},
};
use medici_studio::{Account, Clock};
use serde_json::{Value, json};

use crate::{
    Verdict,
    admin::{Admin, Ask, block_on, text},
    books,
    config::Config,
    machine::SystemClock,
    render, terms, wiring,
};

/// The most accounts that are read at a time.
const PAGE: usize = 1_000;

/// What to do with accounts.
#[derive(Subcommand)]
pub(crate) enum AccountCommand {
    /// Open an account; its months begin now
    Create {
        /// 1 to 63 of a-z, 0-9, '.', '_' and '-'
        name: String,
        #[command(flatten)]
        new: NewArgs,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// List all accounts by name
    List {
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Show what an account has: by lot, the next refill, what expires first
    Show {
        /// Name or id
        account: String,
        /// What it had then, for example 2026-11-30T23:59:00Z [default: now]
        #[arg(long, value_name = "INSTANT")]
        at: Option<Timestamp>,
        /// What was booked by then, rather than what is known of it now
        #[arg(long, requires = "at")]
        recorded: bool,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Tell of a balance below a bound, once each time; see `ledger alerts`
    Alert {
        /// Name or id
        account: String,
        /// How many credits, or "none"
        #[arg(value_name = "CREDITS|none")]
        below: Below,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Move a sandbox's clock forward
    Clock(terms::ClockArgs),
    /// Give an account terms of its own in place of its plan's, or take them away
    Override(terms::OverrideArgs),
}

/// A bound, or none.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Below(Option<Credits>);

impl std::str::FromStr for Below {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "none" => Ok(Self(None)),
            _ => text.parse().map(|credits| Self(Some(credits))).map_err(|error| format!("{error}, or \"none\"")),
        }
    }
}

/// What a new account is like.
#[derive(Args)]
pub(crate) struct NewArgs {
    /// A plan of the price book
    #[arg(long, default_value = "free")]
    plan: String,
    /// Give it a clock of its own, to try things out
    #[arg(long)]
    sandbox: bool,
    /// What a sandbox's clock says at first [default: now]
    #[arg(long, value_name = "INSTANT", requires = "sandbox")]
    clock: Option<Timestamp>,
    /// The code of a cohort that it joins
    #[arg(long)]
    code: Option<String>,
}

/// Runs `medici account`.
pub(crate) fn run(config: Config, command: AccountCommand) -> Result<Verdict> {
    match command {
        AccountCommand::Create { name, new, json } => create(&config, &name, &new, json)?,
        AccountCommand::List { json } => list(&config, json)?,
        AccountCommand::Show { account, at, recorded, json } => {
            let as_of = at.map(|at| if recorded { AsOf::Recorded(at) } else { AsOf::Effective(at) });
            show(&config, &account, as_of, json)?;
        }
        AccountCommand::Alert { account, below: Below(below), json } => alert(&config, &account, below, json)?,
        AccountCommand::Clock(args) => terms::clock(&config, &args)?,
        AccountCommand::Override(args) => terms::set_overrides(&config, &args)?,
    }
    Ok(Verdict::Good)
}

fn create(config: &Config, name: &str, new: &NewArgs, as_json: bool) -> Result<()> {
    let made = block_on(async {
        let admin = Admin::open(config).await?;
        let body = json!({
            "name": name,
            "plan": new.plan,
            "sandbox": new.sandbox,
            "clock_at": new.clock.map(|at| at.to_string()),
            "code": new.code,
        });
        admin.ask(Ask::post("/api/accounts", body)).await
    })?;
    let id = text(&made, "id")?;
    if as_json {
        return render::json(&made);
    }
    println!("{name}  {id}");
    Ok(())
}

fn list(config: &Config, as_json: bool) -> Result<()> {
    let books = books::open(config)?;
    let mut accounts: Vec<Account> = Vec::new();
    loop {
        let page = books.accounts(accounts.last().map(|account| account.name.as_str()), PAGE)?;
        let full = page.len() == PAGE;
        accounts.extend(page);
        if !full {
            break;
        }
    }
    if as_json {
        return render::json(&accounts.iter().map(of_account).collect::<Vec<_>>());
    }
    let row = |account: &Account| vec![account.name.clone(), account.id.to_string(), account.created_at.to_string()];
    render::table(&["name", "id", "created"], &accounts.iter().map(row).collect::<Vec<_>>());
    Ok(())
}

fn of_account(account: &Account) -> Value {
    json!({ "id": account.id.to_string(), "name": account.name, "created_at": account.created_at.to_string() })
}

fn alert(config: &Config, name_or_id: &str, below: Option<Credits>, as_json: bool) -> Result<()> {
    config.data.must_exist()?;
    let set = block_on(async {
        let admin = Admin::open(config).await?;
        let account = books::account(&books::open(config)?, name_or_id)?;
        let body = json!({ "below": below.map(|below| below.to_string()) });
        admin.ask(Ask::put(&format!("/api/accounts/{}/alert", account.id), body)).await
    })?;
    if as_json {
        return render::json(&set);
    }
    match below {
        Some(below) => println!("{name_or_id} is told of a balance below {below} credits"),
        None => println!("{name_or_id} is told of no balance"),
    }
    Ok(())
}

fn show(config: &Config, name_or_id: &str, as_of: Option<AsOf>, as_json: bool) -> Result<()> {
    let books = books::open(config)?;
    let account = books::account(&books, name_or_id)?;
    let entries = books.entries(account.id)?;
    let broken = || format!("the entries of {} are broken", account.name);
    let book = wiring::price_book(config)?;
    let (wallet, balances) = match as_of {
        None => {
            let everything = AsOf::Recorded(Timestamp::MAX);
            let wallet = wallet_as_of(account.id, &entries, everything).with_context(broken)?;
            let balances = wallet.balances(&book, SystemClock.now());
            (wallet, balances)
        }
        Some(as_of) => (
            wallet_as_of(account.id, &entries, as_of).with_context(broken)?,
            balances_as_of(account.id, &entries, as_of, &book).with_context(broken)?,
        ),
    };
    let plan = wallet.plan().map(|plan| plan.to_string());
    let past = as_of.map(|as_of| match as_of {
        AsOf::Effective(at) => (at.to_string(), "effective"),
        AsOf::Recorded(at) => (at.to_string(), "recorded"),
    });
    if as_json {
        let mut value = of_account(&account);
        value["plan"] = plan.into();
        value["alert_below"] = wallet.alert().map(|alert| alert.below.to_string()).into();
        if let Some((at, as_of)) = past {
            value["at"] = at.into();
            value["as_of"] = as_of.into();
        }
        value["owed"] = wallet.debt().to_string().into();
        value["cohorts"] = wallet.cohorts().iter().map(ToString::to_string).collect::<Vec<_>>().into();
        value["sandbox_clock"] = wallet.sandbox_clock().map(|at| at.to_string()).into();
        add_balances(&mut value, &balances);
        return render::json(&value);
    }
    println!("{} ({}), plan {}", account.name, account.id, plan.as_deref().unwrap_or("none"));
    match past {
        Some((at, "recorded")) => println!("as it was booked by {at}"),
        Some((at, _)) => println!("at {at}, as is known now"),
        None => {}
    }
    if let Some(clock) = wallet.sandbox_clock() {
        println!("a sandbox, whose clock says {clock}");
    }
    println!("available {}, held {}", balances.available, balances.held);
    if !wallet.debt().is_zero() {
        println!("owed {}, because their payment was taken back", wallet.debt());
    }
    if let Some(refill) = balances.next_refill {
        println!("next refill: {} on {}", refill.credits, refill.at);
    }
    if let Some(expiring) = balances.first_expiring {
        println!("expiring first: {} on {}", expiring.credits, expiring.at);
    }
    let never = || "never".to_owned();
    let rows = balances.lots.iter().map(|lot| {
        let ends = lot.expires_at.map_or_else(never, |at| at.to_string());
        let (available, held, granted) = (lot.available.to_string(), lot.held.to_string(), lot.granted.to_string());
        vec![
            lot.number.to_string(),
            lot.class.to_string(),
            lot.source.as_str().to_owned(),
            available,
            held,
            granted,
            ends,
        ]
    });
    render::table(&["lot", "class", "source", "available", "held", "granted", "ends"], &rows.collect::<Vec<_>>());
    Ok(())
}

fn add_balances(value: &mut Value, balances: &Balances) {
    value["available"] = balances.available.to_string().into();
    value["held"] = balances.held.to_string().into();
    value["next_refill"] = json!(
        balances
            .next_refill
            .map(|refill| json!({ "at": refill.at.to_string(), "credits": refill.credits.to_string() }))
    );
    value["first_expiring"] = json!(
        balances
            .first_expiring
            .map(|expiring| json!({ "at": expiring.at.to_string(), "credits": expiring.credits.to_string() }))
    );
    let lots = balances.lots.iter().map(|lot| {
        json!({
            "number": lot.number.get(),
            "class": lot.class.as_str(),
            "source": lot.source.as_str(),
            "granted": lot.granted.to_string(),
            "available": lot.available.to_string(),
            "held": lot.held.to_string(),
            "expires_at": lot.expires_at.map(|at| at.to_string()),
            "cost": lot.cost.map(|cost| cost.to_string()),
        })
    });
    value["lots"] = lots.collect::<Vec<_>>().into();
}
