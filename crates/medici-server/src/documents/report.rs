//! Reports and trial balances as JSON and CSV.

use medici_ledger::{
    Unit,
    report::{MoneyReport, PeriodReport, Report},
};
use serde_json::{Map, Value, json};

use super::csv;

/// Returns a report as JSON: one line a period and currency.
#[must_use]
pub fn report_json(report: &Report) -> Value {
    let lines = lines(report).map(|(period, money)| {
        let mut value = json!({
            "from": period.period.start().map(|at| at.to_string()),
            "to": period.period.end().map(|at| at.to_string()),
            "currency": money.currency.as_str(),
        });
        let unit = Unit::Money(money.currency);
        for (name, amount) in parts(&money) {
            value[name] = unit.decimal(amount).to_string().into();
        }
        let by_operation = money.recognised.iter();
        let by_operation = by_operation
            .map(|(operation, amount)| (operation.as_str().to_owned(), unit.decimal(*amount).to_string().into()));
        value["recognised_by_operation"] = by_operation.collect::<Map<String, Value>>().into();
        value
    });
    json!({
        "basis": report.basis.as_str(),
        "entries": report.entries,
        "sandbox_entries_left_out": report.sandbox_entries,
        "ties_out": report.ties_out(),
        "periods": lines.collect::<Vec<_>>(),
    })
}

/// Returns a report as CSV: one record a period and currency, then one for each operation of it.
#[must_use]
pub fn report_csv(report: &Report) -> String {
    let mut document = String::new();
    csv::record(&mut document, ["from", "to", "currency", "what", "amount"]);
    for (period, money) in lines(report) {
        let [from, to] =
            [period.period.start(), period.period.end()].map(|at| at.map(|at| at.to_string()).unwrap_or_default());
        let unit = Unit::Money(money.currency);
        let mut record = |what: &str, amount: i128| {
            let amount = unit.decimal(amount).to_string();
            csv::record(&mut document, [&from, &to, money.currency.as_str(), what, &amount]);
        };
        for (name, amount) in parts(&money) {
            record(name, amount);
        }
        for (operation, amount) in &money.recognised {
            record(&format!("recognised:{operation}"), *amount);
        }
    }
    document
}

/// Returns a trial balance as JSON. Every unit sums to zero.
#[must_use]
pub fn trial_balance_json(report: &Report) -> Value {
    let lines = report.trial_balance().into_iter().map(|line| {
        json!({
            "account": line.account.to_string(),
            "unit": line.unit.to_string(),
            "amount": line.unit.decimal(line.amount).to_string(),
        })
    });
    json!({
        "basis": report.basis.as_str(),
        "entries": report.entries,
        "sandbox_entries_left_out": report.sandbox_entries,
        "ties_out": report.ties_out(),
        "lines": lines.collect::<Vec<_>>(),
    })
}

fn lines(report: &Report) -> impl Iterator<Item = (&PeriodReport, MoneyReport)> {
    report.periods.iter().flat_map(|period| period.money().into_iter().map(move |money| (period, money)))
}

/// The parts of `deferred_opening + received − returned + receivable − tax − recognised − breakage + customer_debt +
/// refunds = deferred_closing`, and what is open after it.
fn parts(money: &MoneyReport) -> [(&'static str, i128); 13] {
    [
        ("deferred_opening", money.deferred_opening),
        ("received", money.received),
        ("returned", money.returned),
        ("receivable", money.receivable),
        ("tax", money.tax),
        ("recognised", money.recognised_in_all()),
        ("breakage", money.breakage),
        ("customer_debt", money.customer_debt),
        ("refunds", money.refunds),
        ("deferred_closing", money.deferred_closing),
        ("deferred_of_lots", money.deferred_of_lots),
        ("receivable_closing", money.receivable_closing),
        ("customer_debt_closing", money.customer_debt_closing),
    ]
}
