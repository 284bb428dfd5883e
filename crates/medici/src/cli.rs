//! The commands and their arguments.

use std::{net::SocketAddr, path::PathBuf};

use anyhow::Result;
use clap::{Args, Parser, Subcommand};

use crate::{
    Verdict, account, bench, budget,
    config::{Config, EngineKind, LogFormat, Overrides, Switch},
    draw, estimate, give_back, grant, image, key, ledger, moderate, order, plan, price, serve,
};

/// A self-hosted image studio that sells pictures by the credit.
#[derive(Parser)]
#[command(name = "medici", version, about, max_term_width = 100)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) global: Global,
    #[command(subcommand)]
    command: Command,
}

/// Options of every command.
#[derive(Args, Clone)]
pub(crate) struct Global {
    /// The directory everything is stored in [default: $MEDICI_DATA, else the XDG data directory]
    #[arg(long, global = true, value_name = "DIR")]
    pub(crate) data: Option<PathBuf>,
    /// The configuration file [default: $MEDICI_CONFIG, else medici.toml in the data directory, if there]
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// How log lines are written to stderr
    #[arg(long, global = true, value_name = "FORMAT")]
    pub(crate) log: Option<LogFormat>,
}

#[derive(Subcommand)]
enum Command {
    /// Serve the API and the web app, and draw
    Serve(ServeArgs),
    /// Draw pictures to disk, without a server
    Draw(draw::DrawArgs),
    /// Read what a picture's file says of itself
    #[command(subcommand)]
    Image(image::ImageCommand),
    /// Open, list and show accounts, and tell of low balances
    #[command(subcommand)]
    Account(account::AccountCommand),
    /// Make, list and revoke API keys
    #[command(subcommand)]
    Key(key::KeyCommand),
    /// Give credits to an account
    Grant(grant::GrantArgs),
    /// Check, show, publish and try out price books
    #[command(subcommand)]
    Price(price::PriceCommand),
    /// Say what a month of requests would cost, by which pack or plan
    Estimate(estimate::EstimateArgs),
    /// Sell: place orders, take note of payments, refunds and disputes
    #[command(subcommand)]
    Order(Box<order::OrderCommand>),
    /// Give money back for credits that are not spent; the same as `order refund`
    Refund(order::RefundArgs),
    /// Show and change what an account is entitled to
    #[command(subcommand)]
    Plan(plan::PlanCommand),
    /// Give accounts the bonus of a cohort
    #[command(subcommand)]
    Cohort(plan::CohortCommand),
    /// Bound what an account, a member or an API key may spend
    #[command(subcommand)]
    Budget(budget::BudgetCommand),
    /// Give captured credits back, to the lots they came from
    GiveBack(give_back::GiveBackArgs),
    /// Take back credits that were given for nothing
    Withdraw(give_back::WithdrawArgs),
    /// Show and try out the rules of what may be drawn
    #[command(subcommand)]
    Moderation(moderate::ModerationCommand),
    /// Prove, show, explain, report, export and replay the ledger
    #[command(subcommand)]
    Ledger(ledger::LedgerCommand),
    /// Print the configuration in force, secrets hidden
    Config {
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Measure this build beside the machine's own limits
    #[command(subcommand)]
    Bench(bench::BenchCommand),
}

/// Arguments of `serve`.
#[derive(Args, Clone)]
pub(crate) struct ServeArgs {
    /// Where to listen; only this machine can be served until there is sign-in. Port 0 picks a free one
    #[arg(long, value_name = "ADDRESS:PORT")]
    listen: Option<SocketAddr>,
    /// What draws
    #[arg(long, value_name = "ENGINE")]
    engine: Option<EngineKind>,
    /// Whether this process draws
    #[arg(long, value_name = "on|off")]
    worker: Option<Switch>,
    /// The price book
    #[arg(long, value_name = "FILE")]
    prices: Option<PathBuf>,
    /// Draw four pictures of this prompt into the current directory first, then serve
    #[arg(long, value_name = "PROMPT")]
    pub(crate) draw: Option<String>,
}

/// Runs what was asked.
pub(crate) fn run(arguments: Cli) -> Result<Verdict> {
    let global = arguments.global;
    match arguments.command {
        Command::Serve(args) => {
            let overrides = Overrides {
                listen: args.listen,
                engine: args.engine,
                worker: args.worker,
                prices: args.prices.clone(),
            };
            let config = Config::load(&global, overrides)?;
            serve::run(config, args.draw)
        }
        Command::Draw(args) => draw::run(&args),
        Command::Image(command) => image::run(&command),
        Command::Account(command) => account::run(Config::load(&global, Overrides::default())?, command),
        Command::Key(command) => key::run(Config::load(&global, Overrides::default())?, command),
        Command::Grant(args) => grant::run(Config::load(&global, Overrides::default())?, args),
        Command::Price(command) => price::run(&global, command),
        Command::Estimate(args) => estimate::run(&Config::load(&global, Overrides::default())?, &args),
        Command::Order(command) => order::run(&Config::load(&global, Overrides::default())?, *command),
        Command::Refund(args) => order::refund(&Config::load(&global, Overrides::default())?, &args),
        Command::Plan(command) => plan::run(&Config::load(&global, Overrides::default())?, command),
        Command::Cohort(command) => plan::run_cohort(&Config::load(&global, Overrides::default())?, command),
        Command::Budget(command) => budget::run(&Config::load(&global, Overrides::default())?, command),
        Command::GiveBack(args) => give_back::run(&Config::load(&global, Overrides::default())?, &args),
        Command::Withdraw(args) => give_back::withdraw(&Config::load(&global, Overrides::default())?, &args),
        Command::Moderation(command) => moderate::run(&Config::load(&global, Overrides::default())?, &command),
        Command::Ledger(command) => ledger::run(&global, command),
        Command::Config { json } => {
            Config::load(&global, Overrides::default())?.print(json)?;
            Ok(Verdict::Good)
        }
        Command::Bench(command) => bench::run(Config::load(&global, Overrides::default())?, command),
    }
}
