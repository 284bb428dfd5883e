//! A statement as JSON, CSV and HTML.

use medici_ledger::{
    Timestamp, Unit,
    statement::{ClassLine, Line, MoneyLine, OrderLine, Statement},
};
use medici_studio::Account;
use serde_json::{Value, json};

use super::{credits, csv, money, page};

/// A statement, and whose it is.
pub struct StatementOf<'a> {
    /// Whose.
    pub account: &'a Account,
    /// What it says.
    pub statement: &'a Statement,
    /// When it was made.
    pub made_at: Timestamp,
}

impl StatementOf<'_> {
    /// Returns it as JSON.
    #[must_use]
    pub fn json(&self) -> Value {
        let Statement { period, sandbox, lines, orders, classes, money } = self.statement;
        json!({
            "account": { "id": self.account.id.to_string(), "name": self.account.name },
            "sandbox": sandbox,
            "from": period.start().map(|at| at.to_string()),
            "to": period.end().map(|at| at.to_string()),
            "made_at": self.made_at.to_string(),
            "opening": credits(self.statement.opening()),
            "entries": lines.iter().map(line_json).collect::<Vec<_>>(),
            "closing": credits(self.statement.closing()),
            "classes": classes.iter().map(class_json).collect::<Vec<_>>(),
            "money": money.iter().map(money_json).collect::<Vec<_>>(),
            "orders": orders.iter().map(order_json).collect::<Vec<_>>(),
        })
    }

    /// Returns it as CSV: one record a line, order, and sum, told apart by their first field.
    #[must_use]
    pub fn csv(&self) -> String {
        let mut document = String::new();
        let head = ["kind", "name", "seq", "effective_at", "recorded_at", "id", "unit", "amount", "balance", "text"];
        csv::record(&mut document, head);
        let mut sum = |name: &str, unit: &str, amount: &str| {
            csv::record(&mut document, ["sum", name, "", "", "", "", unit, amount, "", ""]);
        };
        for line in &self.statement.classes {
            for (name, amount) in class_parts(line) {
                sum(&format!("{}:{name}", line.class), "credits", &credits(amount));
            }
        }
        for line in &self.statement.money {
            for (name, amount) in money_parts(line) {
                sum(name, line.currency.as_str(), &Unit::Money(line.currency).decimal(amount).to_string());
            }
        }
        for line in &self.statement.lines {
            let id = line.hold.map(|hold| hold.to_string()).or_else(|| line.order.map(|order| order.to_string()));
            let [change, balance] = [line.change(), line.balance].map(credits);
            let (seq, from, learnt) =
                (line.seq.to_string(), line.effective_at.to_string(), line.recorded_at.to_string());
            let id = id.unwrap_or_default();
            let fields =
                ["entry", line.fact, &seq, &from, &learnt, &id, "credits", &change, &balance, line.text.as_str()];
            csv::record(&mut document, fields);
        }
        for line in &self.statement.orders {
            let OrderLine { order, text, placed_at, status, reversed } = line;
            let unit = Unit::Money(order.cost.currency);
            let (at, id) = (placed_at.to_string(), order.id.to_string());
            let mut part = |name: &str, amount: medici_ledger::Cents| {
                let amount = unit.decimal(amount.minor()).to_string();
                let name = format!("{}:{name}", status.as_str());
                csv::record(&mut document, ["order", &name, "", &at, &at, &id, &unit.to_string(), &amount, "", text]);
            };
            part("price", order.cost.amount);
            part("tax", order.tax);
            part("total", order.total().amount);
            part("reversed", *reversed);
        }
        document
    }

    /// Returns it as a page of its own, which loads nothing and runs nothing, and prints well.
    #[must_use]
    pub fn html(&self) -> String {
        page::html(self)
    }
}

fn line_json(line: &Line) -> Value {
    json!({
        "seq": line.seq,
        "effective_at": line.effective_at.to_string(),
        "recorded_at": line.recorded_at.to_string(),
        "fact": line.fact,
        "hold": line.hold.map(|hold| hold.to_string()),
        "order": line.order.map(|order| order.to_string()),
        "text": line.text,
        "available": credits(line.available),
        "held": credits(line.held),
        "change": credits(line.change()),
        "balance": credits(line.balance),
        "deferred": line.deferred.iter().map(|(currency, amount)| money(*amount, *currency)).collect::<Vec<_>>(),
    })
}

fn order_json(line: &OrderLine) -> Value {
    let OrderLine { order, text, placed_at, status, reversed } = line;
    json!({
        "id": order.id.to_string(),
        "text": text,
        "placed_at": placed_at.to_string(),
        "status": status.as_str(),
        "credits": order.credits.to_string(),
        "bonus": order.bonus.to_string(),
        "price": order.cost.to_string(),
        "tax": money(order.tax.minor(), order.cost.currency),
        "total": order.total().to_string(),
        "reversed": money(reversed.minor(), order.cost.currency),
    })
}

/// The parts of `opening + granted − captured − expired − withdrawn = closing`.
fn class_parts(line: &ClassLine) -> [(&'static str, i64); 7] {
    [
        ("opening", line.opening),
        ("granted", line.granted),
        ("captured", line.captured),
        ("expired", line.expired),
        ("withdrawn", line.withdrawn),
        ("closing", line.closing),
        ("closing_held", line.closing_held),
    ]
}

/// The parts of `opening_deferred + received − tax − recognised − breakage + owed + lost = closing_deferred`.
fn money_parts(line: &MoneyLine) -> [(&'static str, i64); 8] {
    [
        ("opening_deferred", line.opening_deferred),
        ("received", line.received),
        ("tax", line.tax),
        ("recognised", line.recognised),
        ("breakage", line.breakage),
        ("owed", line.owed),
        ("lost", line.lost),
        ("closing_deferred", line.closing_deferred),
    ]
}

/// Returns the credits of one class as JSON.
#[must_use]
pub fn class_json(line: &ClassLine) -> Value {
    let mut value = json!({ "class": line.class.as_str() });
    for (name, amount) in class_parts(line) {
        value[name] = credits(amount).into();
    }
    value
}

/// Returns the money of one currency as JSON.
#[must_use]
pub fn money_json(line: &MoneyLine) -> Value {
    let mut value = json!({ "currency": line.currency.as_str() });
    for (name, amount) in money_parts(line) {
        value[name] = money(amount, line.currency).into();
    }
    value
}
