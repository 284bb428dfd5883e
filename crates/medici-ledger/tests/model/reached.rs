//! What histories get to: a comparison that never gets somewhere proves nothing about it.

use std::collections::BTreeSet;

use medici_ledger::{Entry, Fact, OrderRecord, PaymentState, Source, Wallet};

/// Notes the situations that a decision led to: its facts, what orders are now, and where several rules meet.
pub(crate) fn situations(before: &Wallet, after: &Wallet, entries: &[Entry], reached: &mut BTreeSet<&'static str>) {
    let count = usize::try_from(after.seq() - before.seq()).unwrap();
    for entry in &entries[entries.len() - count..] {
        reached.extend(of_entry(before, after, entry));
    }
    for record in after.orders() {
        reached.insert(record.status().as_str());
        if let Some(earlier) = before.order(record.order.id) {
            reached.extend(of_order(after, earlier, record));
        }
    }
    if before.opened_at().is_some_and(|anchor| after.opened_at() != Some(anchor)) {
        reached.insert("anchor moved");
    }
}

fn of_entry(before: &Wallet, after: &Wallet, entry: &Entry) -> Vec<&'static str> {
    let rolled = |of| after.lots().any(|lot| lot.source == Source::Rollover { of });
    match &entry.fact {
        Fact::Reopened { lot, .. } if rolled(*lot) => vec!["fact:reopened", "reopened after rolling over"],
        Fact::Reopened { .. } => vec!["fact:reopened"],
        Fact::LowBalance { .. } => vec!["fact:low_balance"],
        Fact::HoldExpired { .. } => vec!["fact:hold_expired"],
        Fact::LotExpired { rollover: Some(rollover), .. }
            if rollover.cost.is_some_and(|cost| !cost.amount.is_zero()) =>
        {
            vec!["rolled over", "money rolled over"]
        }
        Fact::LotExpired { rollover: Some(_), .. } => vec!["rolled over"],
        Fact::GivenBack { replacements, .. } if !replacements.is_empty() => vec!["replaced after giving back"],
        Fact::GivenBack { returned, .. }
            if returned.iter().any(|slice| {
                after.lot(slice.lot).is_some_and(|lot| lot.expires_at.is_some_and(|end| end <= entry.recorded_at))
            }) =>
        {
            vec!["given back to a lot that is over"]
        }
        Fact::OrderPaid { order, lots } => {
            let mut found = Vec::new();
            let earlier = before.order(*order);
            if earlier.is_some_and(|record| record.payment == PaymentState::Cancelled) {
                found.push("cancelled and paid");
            }
            if lots.iter().any(|lot| lot.effective_at > entry.recorded_at) {
                found.push("period paid ahead");
            }
            if earlier.is_some_and(|record| record.lot.is_none() && !record.target().is_zero()) {
                found.push("reversed before it was paid");
            }
            found
        }
        _ => Vec::new(),
    }
}

fn of_order(after: &Wallet, earlier: &OrderRecord, record: &OrderRecord) -> Vec<&'static str> {
    let mut found = Vec::new();
    if record.owed > earlier.owed {
        found.push("owed");
    }
    if record.repaid() > earlier.repaid() {
        found.push("repaid");
        let currency = |lot| after.lot(lot).and_then(|lot| lot.cost).map(|cost| cost.currency);
        if record.repayments.iter().any(|(lot, _)| currency(*lot) != Some(record.order.cost.currency)) {
            found.push("repaid in another currency");
        }
    }
    if record.repaid() < earlier.repaid() {
        found.push("repayment undone");
    }
    if record.withdrawn < earlier.withdrawn {
        found.push("withdrawn credits came back");
        let end = record.lot.and_then(|lot| after.lot(lot)).and_then(|lot| lot.expires_at);
        if end.is_some_and(|end| end <= after.recorded_at()) {
            found.push("came back to a lot that is over");
        }
    }
    let bonus = |wallet: &Wallet| record.bonus_lot.and_then(|lot| wallet.lot(lot));
    if bonus(after).is_some_and(|lot| !lot.withdrawn.is_zero()) {
        found.push("bonus taken back");
    }
    found
}
