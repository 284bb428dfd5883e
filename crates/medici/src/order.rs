//! `medici order`: from a price to money, and back.

use anyhow::Result;
use clap::{Args, Subcommand, ValueEnum};
use medici_ledger::{ExternalId, Money, OrderId, PackName, PlanName, TaxRate};
use serde_json::{Value, json};

use crate::{
    Verdict,
    admin::{Ask, OfAccount, as_before, ask_of_account, text},
    config::Config,
    render,
};

/// What to do with orders.
#[derive(Subcommand)]
pub(crate) enum OrderCommand {
    /// Order at the prices of this instant; nothing is granted yet
    Create(CreateArgs),
    /// List an account's orders, newest first
    List {
        /// Name or id
        account: String,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Show an order: its document, and what became of it
    Show(Which),
    /// Take note of a payment, which grants the order
    Pay {
        #[command(flatten)]
        which: Which,
        /// What was received, with tax [default: what is due]
        #[arg(long, value_name = "MONEY")]
        amount: Option<Money>,
        #[command(flatten)]
        key: Key,
    },
    /// Grant an order now, to be paid later; only where the price book's policy allows it
    Invoice {
        #[command(flatten)]
        which: Which,
        #[command(flatten)]
        key: Key,
    },
    /// Give an order up that is neither paid nor invoiced
    Cancel(Which),
    /// Give money back for credits that are not spent
    Refund(RefundArgs),
    /// Take note of a refund or a dispute as the payment's provider reports it, in any order and number
    Reverse {
        #[command(flatten)]
        which: Which,
        /// The provider's name for the refund or dispute
        reversal: ExternalId,
        /// How it stands
        #[arg(long, value_enum)]
        state: State,
        /// How much, with tax
        #[arg(long, value_name = "MONEY")]
        amount: Money,
    },
}

/// One order.
#[derive(Args)]
pub(crate) struct Which {
    /// Name or id
    account: String,
    /// order_ and 32 digits
    order: OrderId,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// An idempotency key.
#[derive(Args)]
pub(crate) struct Key {
    /// An idempotency key of your own: the same request with the same key is carried out once, for ever
    #[arg(long, value_name = "KEY")]
    key: Option<String>,
}

/// Arguments of `order create`.
#[derive(Args)]
pub(crate) struct CreateArgs {
    /// Name or id
    account: String,
    #[command(flatten)]
    item: Item,
    /// How many packs
    #[arg(long, default_value_t = 1, conflicts_with_all = ["period", "plan"])]
    count: u32,
    /// How a plan is charged
    #[arg(long, value_enum, default_value = "full-price", conflicts_with_all = ["pack", "period"])]
    mode: Mode,
    /// The tax on top, for example "3.00 USD"
    #[arg(long, value_name = "MONEY", conflicts_with = "tax_rate")]
    tax: Option<Money>,
    /// The tax in percent of the total, rounded half up, for example 8.875
    #[arg(long, value_name = "PERCENT")]
    tax_rate: Option<TaxRate>,
    #[command(flatten)]
    key: Key,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// What is ordered.
#[derive(Args)]
#[group(required = true, multiple = false)]
pub(crate) struct Item {
    /// A pack of the price book
    #[arg(long, value_name = "NAME")]
    pack: Option<PackName>,
    /// The first period of the account's plan that is not paid for
    #[arg(long)]
    period: bool,
    /// Another plan, from the payment on
    #[arg(long, value_name = "NAME")]
    plan: Option<PlanName>,
}

#[derive(Clone, Copy, ValueEnum)]
pub(crate) enum Mode {
    /// A whole period, which begins with the payment
    FullPrice,
    /// The rest of the period that runs: the difference of credits and price
    Prorated,
}

#[derive(Clone, Copy, ValueEnum)]
#[value(rename_all = "snake_case")]
pub(crate) enum State {
    Refunded,
    RefundFailed,
    Disputed,
    Lost,
    Won,
}

/// Arguments of `order refund`.
#[derive(Args)]
pub(crate) struct RefundArgs {
    #[command(flatten)]
    which: Which,
    /// How much, with tax [default: as much as can be]
    #[arg(long, value_name = "MONEY")]
    amount: Option<Money>,
    /// The provider's name for the refund [default: a fresh one]
    #[arg(long, value_name = "NAME")]
    id: Option<ExternalId>,
    #[command(flatten)]
    key: Key,
}

/// Runs `medici order`.
pub(crate) fn run(config: &Config, command: OrderCommand) -> Result<Verdict> {
    match command {
        OrderCommand::Create(args) => create(config, &args)?,
        OrderCommand::List { account, json } => list(config, &account, json)?,
        OrderCommand::Show(which) => {
            let order = ask_of_account(config, of_order(&which, Ask::get(&path(&which, ""))))?;
            if which.json { render::json(&order)? } else { show(&order)? }
        }
        OrderCommand::Pay { which, amount, key } => {
            let body = json!({ "amount": amount.map(|amount| amount.to_string()) });
            act(config, &which, Ask { key: key.key.as_deref(), ..Ask::post(&path(&which, "/pay"), body) })?;
        }
        OrderCommand::Invoice { which, key } => {
            act(config, &which, Ask { key: key.key.as_deref(), ..Ask::post(&path(&which, "/invoice"), json!({})) })?;
        }
        OrderCommand::Cancel(which) => act(config, &which, Ask::post(&path(&which, "/cancel"), json!({})))?,
        OrderCommand::Refund(args) => return refund(config, &args),
        OrderCommand::Reverse { which, reversal, state, amount } => {
            let state = state.to_possible_value().expect("no value is hidden");
            let body = json!({ "state": state.get_name(), "amount": amount.to_string() });
            act(config, &which, Ask::put(&path(&which, &format!("/reversals/{}", in_path(&reversal))), body))?;
        }
    }
    Ok(Verdict::Good)
}

/// Runs `medici refund`, which is `medici order refund`.
pub(crate) fn refund(config: &Config, args: &RefundArgs) -> Result<Verdict> {
    let RefundArgs { which, amount, id, key } = args;
    let body = json!({
        "amount": amount.map(|amount| amount.to_string()),
        "id": id.as_ref().map(ToString::to_string),
    });
    let path = path(which, "/refund");
    let ask = Ask { key: key.key.as_deref(), ..Ask::post(&path, body) };
    let answer = ask_of_account(config, of_order(which, ask))?;
    if which.json {
        render::json(&answer)?;
    } else {
        let refund = &answer["refund"];
        println!("{} go back as {}{}", text(refund, "amount")?, text(refund, "id")?, as_before(&answer));
    }
    Ok(Verdict::Good)
}

fn create(config: &Config, args: &CreateArgs) -> Result<()> {
    let Item { pack, period, plan } = &args.item;
    let mode = match args.mode {
        Mode::FullPrice => "full_price",
        Mode::Prorated => "prorated",
    };
    let body = json!({
        "pack": pack.map(|pack| pack.to_string()),
        "packs": pack.map(|_| args.count),
        "period": period.then_some(true),
        "plan": plan.map(|plan| plan.to_string()),
        "mode": plan.map(|_| mode),
        "tax": args.tax.map(|tax| tax.to_string()),
        "tax_rate": args.tax_rate.map(|rate| rate.to_string()),
    });
    let ask = Ask { key: args.key.key.as_deref(), ..Ask::post("/orders", body) };
    let answer = ask_of_account(config, OfAccount { account: &args.account, ask })?;
    if args.json {
        return render::json(&answer);
    }
    show(&answer["order"])
}

fn list(config: &Config, account: &str, as_json: bool) -> Result<()> {
    let answer = ask_of_account(config, OfAccount { account, ask: Ask::get("/orders") })?;
    if as_json {
        return render::json(&answer["orders"]);
    }
    let orders = answer["orders"].as_array().map_or(&[][..], Vec::as_slice);
    let rows: Result<Vec<Vec<String>>> = orders
        .iter()
        .map(|order| {
            let columns = ["id", "status", "credits", "total", "due", "placed_at"];
            columns.into_iter().map(|column| Ok(text(order, column)?.to_owned())).collect()
        })
        .collect();
    render::table(&["id", "status", "credits", "total", "due", "placed"], &rows?);
    Ok(())
}

fn act(config: &Config, which: &Which, ask: Ask<'_>) -> Result<()> {
    let answer = ask_of_account(config, of_order(which, ask))?;
    if which.json {
        return render::json(&answer);
    }
    let status = text(&answer["order"], "status")?;
    println!("{} is {status}, {} credits available{}", which.order, text(&answer, "available")?, as_before(&answer));
    Ok(())
}

fn show(order: &Value) -> Result<()> {
    println!("{}  {}", text(order, "id")?, text(order, "status")?);
    let lines = order["lines"].as_array().map_or(&[][..], Vec::as_slice);
    let row = |line: &Value| -> Result<Vec<String>> {
        let quantity = line["quantity"].to_string();
        let [what, price, amount, tax] = ["what", "price", "amount", "tax"].map(|name| text(line, name));
        Ok(vec![what?.to_owned(), quantity, price?.to_owned(), amount?.to_owned(), tax?.to_owned()])
    };
    render::table(&["what", "quantity", "price", "amount", "tax"], &lines.iter().map(row).collect::<Result<Vec<_>>>()?);
    println!("total {}, due {}", text(order, "total")?, text(order, "due")?);
    for reversal in order["reversals"].as_array().map_or(&[][..], Vec::as_slice) {
        println!("{}: {} {}", text(reversal, "id")?, text(reversal, "amount")?, text(reversal, "state")?);
    }
    Ok(())
}

fn of_order<'a>(which: &'a Which, ask: Ask<'a>) -> OfAccount<'a> {
    OfAccount { account: &which.account, ask }
}

fn path(which: &Which, rest: &str) -> String {
    format!("/orders/{}{rest}", which.order)
}

/// Writes a name that may have any visible character so that it is one segment of a path.
fn in_path(name: &ExternalId) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~');
    let letter = |byte: u8| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") };
    name.as_str().bytes().map(letter).collect()
}
