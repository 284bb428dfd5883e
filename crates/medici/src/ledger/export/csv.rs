//! The journal as CSV: one record a posting.

use std::io::{self, Write};

use medici_ledger::Entry;
use medici_server::documents::csv::record;

/// Writes the names of the columns.
pub(super) fn begin(out: &mut impl Write) -> io::Result<()> {
    let mut document = String::new();
    record(
        &mut document,
        [
            "account",
            "name",
            "seq",
            "effective_at",
            "recorded_at",
            "fact",
            "ledger_account",
            "lot",
            "unit",
            "amount",
            "hold",
            "order",
            "hash",
        ],
    );
    out.write_all(document.as_bytes())
}

/// Writes the postings of an entry.
pub(super) fn entry(out: &mut impl Write, entry: &Entry, name: &str) -> io::Result<()> {
    let text = |id: Option<String>| id.unwrap_or_default();
    let (account, seq, hash) = (entry.account.to_string(), entry.seq.to_string(), entry.hash.to_string());
    let (effective_at, recorded_at) = (entry.effective_at.to_string(), entry.recorded_at.to_string());
    let hold = text(entry.fact.hold().map(|hold| hold.to_string()));
    let order = text(entry.fact.order().map(|order| order.to_string()));
    let mut document = String::new();
    for posting in &entry.postings {
        let (ledger_account, lot) = (posting.account.to_string(), posting.lot.to_string());
        let (unit, amount) = (posting.unit.to_string(), posting.unit.decimal(posting.amount).to_string());
        let fields = [
            &account,
            name,
            &seq,
            &effective_at,
            &recorded_at,
            entry.fact.name(),
            &ledger_account,
            &lot,
            &unit,
            &amount,
            &hold,
            &order,
            &hash,
        ];
        record(&mut document, fields);
    }
    out.write_all(document.as_bytes())
}
