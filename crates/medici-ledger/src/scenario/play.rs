//! Playing: a scenario in, what the accounts are left with out.

use std::fmt::Write;

use super::{Options, Played, PureSubject, Subject, run};
use crate::lot::Lot;
use crate::time::Timestamp;

/// Plays a scenario on the pure ledger and returns what the accounts are left with, as text; or the first line
/// that failed and why.
#[must_use]
pub fn play(text: &str) -> String {
    let mut subject = PureSubject::new();
    match run(text, &mut subject, Options::default()) {
        Ok(played) => render(&played, &mut subject),
        Err(error) => error.to_string(),
    }
}

/// Returns what the accounts of a played scenario are left with, as text: live lots in burn order, and sums.
#[must_use]
pub fn render(played: &Played, subject: &mut dyn Subject) -> String {
    let mut text = String::new();
    for (name, account) in &played.accounts {
        let wallet = subject.wallet(*account).settled(&played.book, played.now);
        let balances = wallet.balances(&played.book, played.now);
        let at = played.now.max(wallet.recorded_at());
        let lots: Vec<Lot> = wallet.open_lots().filter(|lot| lot.is_live(at) || !lot.held.is_zero()).collect();
        let rows: Vec<[String; 3]> = lots
            .iter()
            .map(|lot| {
                let lot_name = played.names.lot_name(*account, lot.number).unwrap_or(lot.source.as_str());
                [lot_name.to_owned(), lot.available.to_string(), lot.granted.to_string()]
            })
            .collect();
        let width = |column: usize| rows.iter().map(|row| row[column].len()).max().unwrap_or(0);
        let widths = [width(0), width(1), width(2)];
        if played.accounts.len() > 1 {
            writeln!(text, "{name}:").expect("writing to a string cannot fail");
        }
        for (lot, [lot_name, available, granted]) in lots.iter().zip(&rows) {
            let [first, second, third] = widths;
            let end = lot.expires_at.map_or("for ever".to_owned(), |end| format!("until {}", short(end)));
            writeln!(text, "{lot_name:<first$}  {available:>second$} of {granted:<third$}  {end}")
                .expect("writing to a string cannot fail");
        }
        writeln!(text, "available {}, held {}", balances.available, balances.held)
            .expect("writing to a string cannot fail");
    }
    text
}

/// A date where the instant is a midnight.
fn short(instant: Timestamp) -> String {
    let text = instant.to_string();
    text.strip_suffix("T00:00:00Z").map_or(text.clone(), str::to_owned)
}
