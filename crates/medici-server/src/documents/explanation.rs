//! An explanation as JSON.

use medici_ledger::{ChargeMode, Explanation, Fact, LotChange, OrderRecord, Quote, Slice, Unit};
use serde_json::{Value, json};

use super::money;

/// Returns an explanation as JSON: the price and its rule, the slices, each lot with its shares before and after, the
/// postings, and all of it in words.
#[must_use]
pub fn explanation_json(explanation: &Explanation<'_>) -> Value {
    let entry = explanation.entry;
    let postings = entry.postings.iter().map(|posting| {
        json!({
            "account": posting.account.to_string(),
            "lot": posting.lot.get(),
            "unit": posting.unit.to_string(),
            "amount": posting.unit.decimal(posting.amount).to_string(),
        })
    });
    let slices: serde_json::Map<String, Value> =
        explanation.slices().into_iter().map(|(name, slices)| (name.to_owned(), slices_json(slices))).collect();
    let event = match &entry.fact {
        Fact::Charged { event: Some(event), .. } => Some(json!({
            "id": event.id.as_str(),
            "quantities": event.quantities.iter().map(|(meter, quantity)| (meter.to_string(), (*quantity).into()))
                .collect::<serde_json::Map<String, Value>>(),
        })),
        _ => None,
    };
    json!({
        "account": entry.account.to_string(),
        "seq": entry.seq,
        "fact": entry.fact.name(),
        "hold": entry.fact.hold().map(|hold| hold.to_string()),
        "effective_at": entry.effective_at.to_string(),
        "recorded_at": entry.recorded_at.to_string(),
        "hash": entry.hash.to_string(),
        "words": medici_ledger::summary(&entry.fact),
        "text": explanation.to_string(),
        "price": explanation.quote.as_ref().map(|quote| quote_json(quote, explanation)),
        "spender": {
            "member": explanation.spender.member.map(|member| member.to_string()),
            "key": explanation.spender.key.map(|key| key.to_string()),
        },
        "event": event,
        "slices": slices,
        "lots": explanation.lots.iter().map(lot_json).collect::<Vec<_>>(),
        "order": explanation.order.as_ref().map(order_json),
        "postings": postings.collect::<Vec<_>>(),
    })
}

fn slices_json(slices: &[Slice]) -> Value {
    slices.iter().map(|slice| json!({ "lot": slice.lot.get(), "amount": slice.amount.to_string() })).collect()
}

fn quote_json(quote: &Quote, explanation: &Explanation<'_>) -> Value {
    let charge = match quote.charge {
        ChargeMode::PerOperation => "per_operation",
        ChargeMode::PerImage => "per_image",
    };
    json!({
        "version": quote.version.to_string(),
        "rule": quote.rule,
        "operation": quote.operation.as_str(),
        "count": quote.count,
        "base": quote.base.to_string(),
        "unit": quote.unit.to_string(),
        "included": quote.included,
        "charge": charge,
        "amount": quote.amount.to_string(),
        "words": explanation.price(),
    })
}

fn lot_json(change: &LotChange) -> Value {
    let lot = &change.after;
    let mut value = json!({
        "lot": lot.number.get(),
        "class": lot.class.as_str(),
        "source": lot.source.as_str(),
        "granted": lot.granted.to_string(),
        "cost": lot.cost.map(|cost| cost.to_string()),
        "effective_at": lot.effective_at.to_string(),
        "expires_at": lot.expires_at.map(|at| at.to_string()),
        "new": change.before.is_none(),
        "words": change.to_string(),
    });
    let parts = change.parts().into_iter().map(|(name, before, after)| {
        (name.to_owned(), json!({ "before": before.to_string(), "after": after.to_string() }))
    });
    value["parts"] = parts.collect::<serde_json::Map<String, Value>>().into();
    value["shares"] = match lot.cost {
        None => Value::Null,
        Some(cost) => {
            let both = |(before, after): (i64, i64)| {
                json!({
                    "before": money(before, cost.currency),
                    "after": money(after, cost.currency),
                    "change": money(after - before, cost.currency),
                })
            };
            let (kept_before, kept) = change.kept();
            let captured = change.before.map_or(medici_ledger::Credits::ZERO, |before| before.captured);
            json!({
                "captured": { "before": captured.to_string(), "after": lot.captured.to_string() },
                "kept": { "before": kept_before.to_string(), "after": kept.to_string() },
                "recognised": both(change.recognised()),
                "deferred": both(change.deferred()),
                "rule": "recognised = floor(cost x captured / granted); \
                         deferred = floor(cost x kept / granted) - recognised; kept = captured + available + held",
            })
        }
    };
    value
}

fn order_json(record: &OrderRecord) -> Value {
    let order = &record.order;
    let amount = |amount: medici_ledger::Cents| Unit::Money(order.cost.currency).decimal(amount.minor()).to_string();
    json!({
        "id": order.id.to_string(),
        "status": record.status().as_str(),
        "currency": order.cost.currency.as_str(),
        "price": amount(order.cost.amount),
        "tax": amount(order.tax),
        "total": amount(order.total().amount),
        "reversed": amount(record.reversed),
        "reversed_without_tax": amount(order.net_of(record.reversed)),
        "returned": amount(record.returned),
        "withdrawn": record.withdrawn.to_string(),
        "owed": record.owed.to_string(),
        "repaid": record.repaid().to_string(),
        "debt": amount(record.debt()),
        "lot": record.lot.map(|lot| lot.get()),
        "bonus_lot": record.bonus_lot.map(|lot| lot.get()),
    })
}
