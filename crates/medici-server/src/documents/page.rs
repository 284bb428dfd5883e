//! A statement as a page of its own: no script, no file beside it, good on paper, in the dark and on a phone.

use askama::Template;
use medici_ledger::{
    Currency, Timestamp, Unit,
    calendar::{Months, month_of, months_after},
    statement::{ClassLine, Line, MoneyLine, OrderLine, Period},
};

use super::{credits, statement::StatementOf};

#[derive(Template)]
#[template(path = "statement.html")]
struct Page<'a> {
    name: &'a str,
    id: String,
    period: String,
    made_at: String,
    sandbox: bool,
    opening: String,
    closing: String,
    classes: Vec<ClassRow>,
    money: Vec<MoneyBlock>,
    orders: Vec<OrderRow>,
    lines: Vec<LineRow>,
}

struct ClassRow {
    name: &'static str,
    opening: String,
    granted: String,
    captured: String,
    expired: String,
    withdrawn: String,
    closing: String,
    held: Option<String>,
}

struct MoneyBlock {
    currency: String,
    opening: String,
    /// What was added and taken away: what is nothing is left out.
    parts: Vec<(&'static str, String)>,
    closing: String,
}

struct OrderRow {
    id: String,
    text: String,
    placed_at: String,
    status: String,
    price: String,
    tax: String,
    total: String,
    back: Option<String>,
    currency: String,
}

struct LineRow {
    seq: u64,
    at: String,
    /// When it was learnt, where that is another minute.
    learnt: Option<String>,
    text: String,
    change: String,
    balance: String,
}

pub(super) fn html(of: &StatementOf<'_>) -> String {
    let statement = of.statement;
    let page = Page {
        name: &of.account.name,
        id: of.account.id.to_string(),
        period: period(statement.period),
        made_at: minute(of.made_at),
        sandbox: statement.sandbox,
        opening: plain(&credits(statement.opening())),
        closing: plain(&credits(statement.closing())),
        classes: statement.classes.iter().map(class).collect(),
        money: statement.money.iter().map(money).collect(),
        orders: statement.orders.iter().map(order).collect(),
        lines: statement.lines.iter().map(line).collect(),
    };
    page.render().expect("a page of text is written to memory")
}

/// Says `November 2026`, or from when until when.
fn period(period: Period) -> String {
    const NAMES: [&str; 12] = [
        "January",
        "February",
        "March",
        "April",
        "May",
        "June",
        "July",
        "August",
        "September",
        "October",
        "November",
        "December",
    ];
    let day = |at: Timestamp| at.to_string().trim_end_matches("T00:00:00Z").replace('T', " ").replace('Z', " UTC");
    match (period.start(), period.end()) {
        (None, None) => "From the beginning until now".to_owned(),
        (Some(from), None) => format!("From {} on", day(from)),
        (None, Some(until)) => format!("Until before {}", day(until)),
        (Some(from), Some(until)) if month_of(from) == from && months_after(from, Months::ONE) == until => {
            let text = from.to_string();
            let month: usize = text.get(5..7).and_then(|month| month.parse().ok()).unwrap_or(1);
            format!("{} {}", NAMES[month - 1], &text[..4])
        }
        (Some(from), Some(until)) => format!("From {} until before {}", day(from), day(until)),
    }
}

/// An instant to the minute: `2026-11-30 23:59`.
fn minute(at: Timestamp) -> String {
    let text = at.to_string();
    text.get(..16).map_or_else(|| text.clone(), |minute| minute.replace('T', " "))
}

/// A number with a real minus.
fn plain(number: &str) -> String {
    number.replace('-', "\u{2212}")
}

/// A number with its sign; a dash for nothing.
fn signed(number: &str) -> String {
    match number {
        _ if number.bytes().all(|byte| matches!(byte, b'0' | b'.' | b'-')) => "\u{2013}".to_owned(),
        _ if number.starts_with('-') => plain(number),
        _ => format!("+{number}"),
    }
}

fn class(line: &ClassLine) -> ClassRow {
    let change = |micro| signed(&credits(micro));
    ClassRow {
        name: line.class.as_str(),
        opening: plain(&credits(line.opening)),
        granted: change(line.granted),
        captured: change(-line.captured),
        expired: change(-line.expired),
        withdrawn: change(-line.withdrawn),
        closing: plain(&credits(line.closing)),
        held: Some(line.closing_held).filter(|held| *held != 0).map(credits),
    }
}

fn money(line: &MoneyLine) -> MoneyBlock {
    let unit = Unit::Money(line.currency);
    let written = |minor: i64| unit.decimal(minor).to_string();
    let parts = [
        ("Paid or invoiced, with tax, less what went back", line.received),
        ("Tax", -line.tax),
        ("Used", -line.recognised),
        ("Expired unused", -line.breakage),
        ("Owed for used credits whose payment went back", line.owed),
        ("Differences of refunds", line.lost),
    ];
    let parts = parts.into_iter().filter(|(_, amount)| *amount != 0);
    MoneyBlock {
        currency: line.currency.to_string(),
        opening: plain(&written(line.opening_deferred)),
        parts: parts.map(|(name, amount)| (name, signed(&written(amount)))).collect(),
        closing: plain(&written(line.closing_deferred)),
    }
}

fn order(line: &OrderLine) -> OrderRow {
    let OrderLine { order, text, placed_at, status, reversed } = line;
    let currency: Currency = order.cost.currency;
    let amount = |minor: i64| Unit::Money(currency).decimal(minor).to_string();
    OrderRow {
        id: order.id.to_string(),
        text: text.clone(),
        placed_at: minute(*placed_at),
        status: status.as_str().replace('_', " "),
        price: amount(order.cost.amount.minor()),
        tax: amount(order.tax.minor()),
        total: amount(order.total().amount.minor()),
        back: Some(reversed.minor()).filter(|back| *back != 0).map(|back| signed(&amount(-back))),
        currency: currency.to_string(),
    }
}

fn line(line: &Line) -> LineRow {
    let (at, learnt) = (minute(line.effective_at), minute(line.recorded_at));
    LineRow {
        seq: line.seq,
        learnt: Some(learnt).filter(|learnt| *learnt != at),
        at,
        text: line.text.clone(),
        change: signed(&credits(line.change())),
        balance: plain(&credits(line.balance)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_period_is_called_by_its_month_or_by_its_bounds() {
        let told = |from: &str, until: &str| {
            let at = |text: &str, other| if text.is_empty() { other } else { text.parse().unwrap() };
            period(Period { from: at(from, Period::ALWAYS.from), until: at(until, Period::ALWAYS.until) })
        };
        assert_eq!(told("2026-11-01", "2026-12-01"), "November 2026");
        assert_eq!(told("2026-11-01", "2027-01-01"), "From 2026-11-01 until before 2027-01-01");
        assert_eq!(told("2026-11-01T12:30", ""), "From 2026-11-01 12:30:00 UTC on");
        assert_eq!(told("", "2026-11-01"), "Until before 2026-11-01");
        assert_eq!(told("", ""), "From the beginning until now");
    }

    #[test]
    fn amounts_show_their_sign_and_nothing_is_a_dash() {
        assert_eq!(signed("14.25"), "+14.25");
        assert_eq!(signed("-1"), "\u{2212}1");
        assert_eq!(signed("0.00"), "\u{2013}");
        assert_eq!(plain("-3"), "\u{2212}3");
    }
}
