//! `medici budget`: bounds on what an account, a member or an API key may spend.

use anyhow::{Result, bail};
use clap::{Args, Subcommand, ValueEnum};
use medici_ledger::Credits;
use serde_json::{Value, json};

use crate::{
    Verdict,
    admin::{Ask, OfAccount, as_before, ask_of_account, text},
    config::Config,
    render,
};

/// What to do with budgets.
#[derive(Subcommand)]
pub(crate) enum BudgetCommand {
    /// Set or change a budget
    Set {
        #[command(flatten)]
        which: Which,
        /// The most credits that may be spent in the period
        limit: Credits,
    },
    /// List an account's budgets, and how much of them is used
    List {
        /// Name or id
        account: String,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Remove a budget
    Remove {
        #[command(flatten)]
        which: Which,
    },
}

/// One budget.
#[derive(Args)]
pub(crate) struct Which {
    /// Name or id
    account: String,
    /// Whose spending: account, member_… or key_…
    subject: String,
    /// In how long
    #[arg(value_enum)]
    period: Period,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(Clone, Copy, ValueEnum)]
enum Period {
    /// A day, in UTC
    Day,
    /// A calendar month, in UTC
    Month,
    /// From now on
    Always,
}

/// Runs `medici budget`.
pub(crate) fn run(config: &Config, command: BudgetCommand) -> Result<Verdict> {
    match command {
        BudgetCommand::Set { which, limit } => {
            change(config, &which, Ask::put(&path(&which)?, json!({ "limit": limit.to_string() })))?;
        }
        BudgetCommand::List { account, json } => {
            let answer = ask_of_account(config, OfAccount { account: &account, ask: Ask::get("/budgets") })?;
            if json { render::json(&answer["budgets"])? } else { print(&answer["budgets"])? }
        }
        BudgetCommand::Remove { which } => change(config, &which, Ask::delete(&path(&which)?))?,
    }
    Ok(Verdict::Good)
}

fn path(which: &Which) -> Result<String> {
    let Which { subject, period, .. } = which;
    // The server knows subjects; here it must only be one segment of a path.
    if !subject.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_') {
        bail!("a subject is account, member_… or key_…, found {subject:?}");
    }
    let period = period.to_possible_value().expect("no value is hidden");
    Ok(format!("/budgets/{subject}/{}", period.get_name()))
}

fn change(config: &Config, which: &Which, ask: Ask<'_>) -> Result<()> {
    let answer = ask_of_account(config, OfAccount { account: &which.account, ask })?;
    if which.json {
        return render::json(&answer);
    }
    print(&answer["budgets"])?;
    if answer["entry"].is_null() {
        println!("nothing changed{}", as_before(&answer));
    }
    Ok(())
}

fn print(budgets: &Value) -> Result<()> {
    let budgets = budgets.as_array().map_or(&[][..], Vec::as_slice);
    let row = |budget: &Value| -> Result<Vec<String>> {
        let columns = ["subject", "period", "limit", "used", "since"];
        columns.into_iter().map(|column| Ok(text(budget, column)?.to_owned())).collect()
    };
    let rows: Vec<Vec<String>> = budgets.iter().map(row).collect::<Result<_>>()?;
    render::table(&["subject", "period", "limit", "used", "since"], &rows);
    Ok(())
}
