//! `medici plan` and `medici cohort`: what an account is entitled to.

use anyhow::Result;
use clap::Subcommand;
use medici_ledger::{CohortName, PlanName};
use serde_json::json;

use crate::{
    Verdict,
    admin::{Admin, Ask, OfAccount, as_before, ask_of_account, block_on, text},
    books,
    config::Config,
    render,
};

/// What to do with an account's plan.
#[derive(Subcommand)]
pub(crate) enum PlanCommand {
    /// Show the plan with its limits, and terms of the account's own in their place
    Show {
        /// Name or id
        account: String,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Move to a plan that costs nothing; others are ordered
    Change {
        /// Name or id
        account: String,
        /// A plan of the price book
        plan: PlanName,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
}

/// What to do with cohorts.
#[derive(Subcommand)]
pub(crate) enum CohortCommand {
    /// Add an account to a cohort, which gives its bonus once
    Add {
        /// Name or id
        account: String,
        /// A cohort of the price book
        cohort: CohortName,
        /// Its code, where the customer gave one; an operator needs none
        #[arg(long)]
        code: Option<String>,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
}

/// Runs `medici plan`.
pub(crate) fn run(config: &Config, command: PlanCommand) -> Result<Verdict> {
    match command {
        PlanCommand::Show { account, json } => show(config, &account, json)?,
        PlanCommand::Change { account, plan, json } => {
            let ask = Ask::put("/plan", json!({ "plan": plan.to_string() }));
            let answer = ask_of_account(config, OfAccount { account: &account, ask })?;
            if json {
                render::json(&answer)?;
            } else {
                let available = text(&answer, "available")?;
                println!("{account} is on plan {plan}, {available} credits available{}", as_before(&answer));
            }
        }
    }
    Ok(Verdict::Good)
}

/// Runs `medici cohort`.
pub(crate) fn run_cohort(config: &Config, command: CohortCommand) -> Result<Verdict> {
    let CohortCommand::Add { account, cohort, code, json } = command;
    let ask = Ask::post("/cohorts", json!({ "cohort": cohort.to_string(), "code": code }));
    let answer = ask_of_account(config, OfAccount { account: &account, ask })?;
    if json {
        render::json(&answer)?;
    } else {
        println!("{account} is in cohort {cohort}, {} credits available", text(&answer, "available")?);
    }
    Ok(Verdict::Good)
}

fn show(config: &Config, account: &str, as_json: bool) -> Result<()> {
    config.data.must_exist()?;
    let plan = block_on(async {
        let admin = Admin::open(config).await?;
        let account = books::account(&books::open(config)?, account)?;
        admin.ask(Ask::get(&format!("/api/plan?account={}", account.id))).await
    })?;
    if as_json {
        return render::json(&plan);
    }
    let word = |value: &serde_json::Value, absent: &str| value.as_str().unwrap_or(absent).to_owned();
    println!("plan {} since {}", word(&plan["plan"], "none"), text(&plan, "since")?);
    println!("{} credits a month for {}", word(&plan["monthly"], "0"), word(&plan["price"], "nothing"));
    if let Some(max) = plan["rollover"]["max"].as_str() {
        println!("up to {max} unspent ones live on for {} months", plan["rollover"]["months"]);
    }
    for (limit, what) in [("images_max", "pictures a request"), ("jobs_open_max", "jobs at once")] {
        if let Some(max) = plan["limits"][limit].as_u64() {
            println!("up to {max} {what}");
        }
    }
    if let Some(models) = plan["limits"]["models"].as_array() {
        let models: Vec<&str> = models.iter().filter_map(|model| model.as_str()).collect();
        println!("models {}", models.join(", "));
    }
    Ok(())
}
