//! Statements, and reports over all accounts.

use super::{
    operation::{Operation, Tag},
    schema::{Schema, count, flag, list, map, named, object, pattern, text, words},
    shapes::{account_id, class, credits, fact, hold_id, instant, instant_sent, order_id},
};

pub(super) fn operations() -> Vec<Operation> {
    vec![revenue(), trial_balance()]
}

pub(super) fn schemas() -> Vec<(&'static str, Schema)> {
    vec![
        ("Statement", statement()),
        ("StatementLine", statement_line()),
        ("StatementClass", statement_class()),
        ("StatementMoney", statement_money()),
        ("StatementOrder", statement_order()),
        ("RevenueReport", revenue_report()),
        ("RevenuePeriod", revenue_period()),
        ("TrialBalance", trial_balance_shape()),
        ("TrialBalanceLine", trial_balance_line()),
    ]
}

fn basis() -> Schema {
    words(&["effective", "recorded"]).about(
        "`effective`: entries count by when they count, as in statements. `recorded`: by when they were decided, so that \
         a month that is over never changes.",
    )
}

fn revenue() -> Operation {
    Operation::get("/api/reports/revenue", Tag::Reports, "getRevenue", "What all accounts paid, used and have left")
        .about("Sandboxes are left out. Every line adds up: see docs/operate/accounting.md for what each part is.")
        .query("from", instant_sent("When it begins; with the books if not said."))
        .query("to", instant_sent("When it ends, itself outside; never if not said."))
        .query("by", words(&["month"]).about("One line a month; at most 1,200."))
        .query("basis", basis().default("effective"))
        .replies(200, "The report.", named("RevenueReport"))
}

fn trial_balance() -> Operation {
    Operation::get("/api/reports/trial-balance", Tag::Reports, "getTrialBalance", "The sum of every ledger account")
        .about("Zero in each unit. Sandboxes are left out.")
        .query("at", instant_sent("As of this instant; now if not said."))
        .query("basis", basis().default("effective"))
        .replies(200, "The sums.", named("TrialBalance"))
}

fn statement() -> Schema {
    let account = object().has("id", account_id()).has("name", text("ada"));
    object()
        .has("account", account)
        .has("sandbox", flag(false).about("Whether its time is its own."))
        .has("from", instant("When it begins; null for the beginning.").or_null())
        .has("to", instant("When it ends, itself outside; null for never.").or_null())
        .has("made_at", instant("When this was written."))
        .has("opening", named("SignedCredits").about("What there was."))
        .has("entries", list(named("StatementLine")))
        .has("closing", named("SignedCredits").about("What there is: `opening` and the `change` of every entry."))
        .has("classes", list(named("StatementClass")))
        .has("money", list(named("StatementMoney")))
        .has("orders", list(named("StatementOrder")).about("As they stood at the end of the period."))
        .about("What happened to an account in a period.")
}

fn statement_line() -> Schema {
    object()
        .has("seq", count(3).about("The entry's number within the account."))
        .has("effective_at", instant("When it counts."))
        .has("recorded_at", instant("When it was booked."))
        .has("fact", fact())
        .has("hold", hold_id().or_null())
        .has("order", order_id().mostly_null())
        .has("text", text("charged 1 credit for generate x4"))
        .has("available", named("SignedCredits").about("What it changed of what can be spent."))
        .has("held", named("SignedCredits").about("What it changed of what is set aside."))
        .has("change", named("SignedCredits").about("Both together."))
        .has("balance", named("SignedCredits").about("What there is after it."))
        .has("deferred", list(named("SignedMoney")).about("What it changed of the money not earned yet."))
        .about("An entry of a statement.")
}

fn statement_class() -> Schema {
    let amount = || named("SignedCredits");
    object()
        .has("class", class())
        .has("opening", amount())
        .has("granted", amount())
        .has("captured", amount())
        .has("expired", amount())
        .has("withdrawn", amount())
        .has("closing", amount().about("`opening + granted - captured - expired - withdrawn`."))
        .has("closing_held", amount().about("How much of `closing` is set aside."))
        .about("The credits of one class.")
}

fn statement_money() -> Schema {
    let amount = || named("SignedMoney");
    object()
        .has("currency", pattern("^[A-Z]{3}$", "USD"))
        .has("opening_deferred", amount().about("Money for credits that were not used yet."))
        .has("received", amount().about("Paid or invoiced, with tax, less what went back."))
        .has("tax", amount())
        .has("recognised", amount().about("Earned by use."))
        .has("breakage", amount().about("Earned by credits that expired."))
        .has("owed", amount().about("Owed for used credits whose payment went back."))
        .has("lost", amount().about("Differences of refunds."))
        .has(
            "closing_deferred",
            amount().about("`opening_deferred + received - tax - recognised - breakage + owed + lost`."),
        )
        .about("The money of one currency.")
}

fn statement_order() -> Schema {
    object()
        .has("id", order_id())
        .has("text", text("1 x pack-115"))
        .has("placed_at", instant("When it was ordered."))
        .has("status", super::orders::status())
        .has("credits", credits("What it grants."))
        .has("bonus", credits("What comes along."))
        .has("price", named("Money"))
        .has("tax", named("SignedMoney"))
        .has("total", named("Money"))
        .has("reversed", named("SignedMoney"))
        .about("An order as it stood at the end of the period.")
}

/// What both reports say of themselves.
fn report() -> Schema {
    object()
        .has("basis", basis())
        .has("entries", count(1204).about("How many entries were read."))
        .has("sandbox_entries_left_out", count(0))
        .has(
            "ties_out",
            flag(true).about("Whether the money agrees with the credits of every lot, and each unit sums to zero."),
        )
}

fn revenue_report() -> Schema {
    report().has("periods", list(named("RevenuePeriod"))).about("What was received, earned and is still owed.")
}

fn revenue_period() -> Schema {
    let amount = || named("SignedDecimal");
    object()
        .has("from", instant("When it begins; null for the beginning.").or_null())
        .has("to", instant("When it ends, itself outside; null for never.").or_null())
        .has("currency", pattern("^[A-Z]{3}$", "USD"))
        .has("deferred_opening", amount())
        .has("received", amount())
        .has("returned", amount())
        .has("receivable", amount())
        .has("tax", amount())
        .has("recognised", amount())
        .has("breakage", amount())
        .has("customer_debt", amount())
        .has("refunds", amount())
        .has(
            "deferred_closing",
            amount().about(
                "`deferred_opening + received - returned + receivable - tax - recognised - breakage + customer_debt + \
                 refunds`.",
            ),
        )
        .has("deferred_of_lots", amount().about("The same money told from the credits of every lot."))
        .has("receivable_closing", amount())
        .has("customer_debt_closing", amount())
        .has("recognised_by_operation", map("generate", amount()))
        .about("One period and currency.")
}

fn trial_balance_shape() -> Schema {
    report()
        .has("lines", list(named("TrialBalanceLine")))
        .has("at", instant("The instant that was asked for."))
        .about("The sum of every ledger account.")
}

fn trial_balance_line() -> Schema {
    object()
        .has("account", text("deferred").about("The ledger account."))
        .has("unit", pattern("^(credits|[A-Z]{3})$", "USD"))
        .has("amount", named("SignedDecimal"))
        .about("One ledger account in one unit.")
}
