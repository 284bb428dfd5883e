//! What is handed to people and to other programs: statements, explanations and reports, as JSON, CSV and HTML.
//!
//! The server answers with them and the command line prints them, so both say the same.

pub mod csv;

mod explanation;
mod page;
mod report;
mod statement;

pub use explanation::explanation_json;
pub use report::{report_csv, report_json, trial_balance_json};
pub use statement::{StatementOf, class_json, money_json};

use medici_ledger::{Currency, Unit};

/// Writes signed micro-credits as a decimal: `-14.25`.
pub(crate) fn credits(micro: i64) -> String {
    Unit::Credits.decimal(micro).to_string()
}

/// Writes signed minor units with their currency: `-15.00 USD`.
pub(crate) fn money(minor: i64, currency: Currency) -> String {
    format!("{} {currency}", Unit::Money(currency).decimal(minor))
}
