//! Snapshots: a wallet as bytes, so that recovery need not replay a life.

use std::sync::Arc;

use crate::agreed::{Agreed, Alert};
use crate::budget::{Budget, Budgets, Spender};
use crate::codec::{CodecError, Reader, Writer};
use crate::entry::Grant;
use crate::hold::{Hold, Slice};
use crate::ids::LotNumber;
use crate::lot::LotRecord;
use crate::memory::{End, Ended, Memory, Slices};
use crate::order::{OrderRecord, PaymentState};
use crate::wallet::{Busy, Wallet};

/// The format that is written.
const FORMAT: u8 = 2;
/// The format before orders, budgets and what else was agreed; still read.
const FORMAT_FIRST: u8 = 1;

impl Wallet {
    /// Returns the wallet as bytes, in a versioned format.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut writer = Writer::with_capacity(256);
        writer.byte(FORMAT);
        writer.raw(&self.account.as_u128().to_be_bytes());
        writer.raw(self.head.as_bytes());
        writer.number(self.seq);
        writer.time(self.recorded_at);
        writer.time(self.anchor);
        writer.byte(u8::from(self.plan.is_some()));
        if let Some(plan) = self.plan {
            writer.plan(plan);
        }
        writer.number(u64::from(self.next_occurrence));
        write_lots(&mut writer, &self.open_lots);
        writer.byte(u8::from(self.busy.is_some()));
        if let Some(busy) = &self.busy {
            write_busy(&mut writer, busy, self.closed_lots());
        }
        writer.into_bytes()
    }

    /// Reads what [`Wallet::encode`] wrote, and checks it.
    ///
    /// # Errors
    /// [`CodecError`] where the bytes are not a wallet, or one whose invariants do not hold.
    pub fn decode(bytes: &[u8]) -> Result<Self, CodecError> {
        let mut reader = Reader::new(bytes);
        let found = reader.byte()?;
        if !matches!(found, FORMAT | FORMAT_FIRST) {
            return Err(CodecError::Format { found });
        }
        let is_first = found == FORMAT_FIRST;
        let wallet = Self {
            account: reader.account_id()?,
            head: reader.hash()?,
            seq: reader.number()?,
            recorded_at: reader.time()?,
            anchor: reader.time()?,
            plan: if reader.flag()? { Some(reader.plan()?) } else { None },
            next_occurrence: reader.small()?,
            open_lots: reader.list(|reader| read_lot(reader, is_first))?.into(),
            busy: if reader.flag()? { Some(Box::new(read_busy(&mut reader, is_first)?)) } else { None },
        };
        reader.end()?;
        match wallet.check() {
            Ok(()) => Ok(wallet),
            Err(_) => Err(CodecError::Value { what: "wallet" }),
        }
    }
}

fn write_lots(writer: &mut Writer, lots: &[LotRecord]) {
    writer.count(lots.len());
    for lot in lots {
        let view = lot.view(0);
        writer.grant(&Grant {
            lot: lot.number,
            class: lot.class,
            credits: view.granted,
            cost: view.cost,
            tax: crate::Cents::ZERO,
            effective_at: view.effective_at,
            expires_at: view.expires_at,
            priority: lot.priority,
            source: view.source,
        });
        writer.credits(view.captured);
        writer.credits(view.withdrawn);
        writer.byte(u8::from(lot.expired));
    }
}

fn read_lot(reader: &mut Reader<'_>, is_first: bool) -> Result<LotRecord, CodecError> {
    let grant = reader.grant()?;
    let mut lot = LotRecord::new(&grant);
    lot.captured = reader.credits()?.micro();
    if !is_first {
        lot.withdrawn = reader.credits()?.micro();
    }
    lot.expired = reader.flag()?;
    // A wallet does not keep the tax: were a number accepted here, a changed snapshot could pass for the same.
    let over = lot.captured.checked_add(lot.withdrawn).is_none_or(|gone| gone > lot.granted);
    if over || lot.granted == 0 || !grant.tax.is_zero() {
        return Err(CodecError::Value { what: "lot" });
    }
    Ok(lot)
}

fn write_busy(writer: &mut Writer, busy: &Busy, closed: &[LotRecord]) {
    writer.count(busy.holds.len());
    for hold in &busy.holds {
        writer.hold_id(hold.id);
        writer.quote(&hold.quote);
        writer.slices(&hold.slices);
        writer.time(hold.placed_at);
        writer.time(hold.expires_at);
        writer.spender(&hold.spender);
    }
    let (older, recent) = busy.memory.parts();
    write_ended(writer, older);
    write_ended(writer, recent);
    write_lots(writer, closed);
    writer.count(busy.budgets.as_slice().len());
    busy.budgets.as_slice().iter().for_each(|budget| write_budget(writer, budget));
    writer.maybe(busy.agreed.as_deref(), write_agreed);
    let orders = busy.orders.as_deref().map_or(&[][..], Vec::as_slice);
    writer.count(orders.len());
    orders.iter().for_each(|record| write_order(writer, record));
    let given = busy.given.as_deref().map_or(&[][..], Vec::as_slice);
    writer.count(given.len());
    for (hold, amount) in given {
        writer.hold_id(*hold);
        writer.number(amount.unsigned_abs());
    }
}

fn read_busy(reader: &mut Reader<'_>, is_first: bool) -> Result<Busy, CodecError> {
    let holds: Vec<Arc<Hold>> = reader.list(|reader| {
        let (id, quote, slices) = (reader.hold_id()?, reader.quote()?, reader.slices()?);
        let (placed_at, expires_at) = (reader.time()?, reader.time()?);
        let spender = if is_first { Spender::NOBODY } else { reader.spender()? };
        Ok(Arc::new(Hold { id, amount: quote.amount, quote, slices, placed_at, expires_at, spender }))
    })?;
    let mut held: Vec<(LotNumber, i64)> = Vec::new();
    for slice in holds.iter().flat_map(|hold| &hold.slices) {
        match held.binary_search_by_key(&slice.lot, |(lot, _)| *lot) {
            Ok(index) => {
                let sum = held[index].1.checked_add(slice.amount.micro());
                held[index].1 = sum.ok_or(CodecError::Value { what: "hold" })?;
            }
            Err(place) => held.insert(place, (slice.lot, slice.amount.micro())),
        }
    }
    let memory = Memory::restore(reader.list(read_ended)?, reader.list(read_ended)?);
    let closed = reader.list(|reader| read_lot(reader, is_first))?;
    let closed = (!closed.is_empty()).then(|| Arc::new(closed));
    let mut busy = Busy { holds, held, memory, closed, ..Busy::default() };
    if is_first {
        return Ok(busy);
    }
    let budgets = reader.list(read_budget)?;
    busy.budgets = Budgets::restore(budgets).ok_or(CodecError::Value { what: "order of budgets" })?;
    busy.agreed = reader.maybe(read_agreed)?.map(Arc::new);
    let orders = reader.list(read_order)?;
    busy.orders = (!orders.is_empty()).then(|| Arc::new(orders));
    let given = reader.list(|reader| Ok((reader.hold_id()?, reader.credits()?.micro())))?;
    busy.given = (!given.is_empty()).then(|| Arc::new(given));
    Ok(busy)
}

fn write_budget(writer: &mut Writer, budget: &Budget) {
    writer.subject(&budget.subject);
    writer.byte(budget.period as u8);
    writer.credits(budget.limit);
    writer.time(budget.since);
    writer.time(budget.window);
    writer.credits(budget.used);
}

fn read_budget(reader: &mut Reader<'_>) -> Result<Budget, CodecError> {
    Ok(Budget {
        subject: reader.subject()?,
        period: reader.budget_period()?,
        limit: reader.credits()?,
        since: reader.time()?,
        window: reader.time()?,
        used: reader.credits()?,
    })
}

fn write_agreed(writer: &mut Writer, agreed: &Agreed) {
    writer.maybe_time(agreed.plan_since);
    writer.number(u64::from(agreed.anchor_base));
    writer.maybe(agreed.anchor_policy.as_ref(), |writer, policy| writer.byte(*policy as u8));
    writer.maybe(agreed.overrides.as_ref(), Writer::overrides);
    writer.count(agreed.cohorts.len());
    agreed.cohorts.iter().for_each(|cohort| writer.name(cohort));
    writer.maybe(agreed.alert.as_ref(), |writer, alert| {
        writer.credits(alert.below);
        writer.byte(u8::from(alert.told));
    });
    writer.maybe_time(agreed.clock);
}

fn read_agreed(reader: &mut Reader<'_>) -> Result<Agreed, CodecError> {
    Ok(Agreed {
        plan_since: reader.maybe_time()?,
        anchor_base: reader.small()?,
        anchor_policy: reader.maybe(Reader::anchor_policy)?,
        overrides: reader.maybe(Reader::overrides)?,
        cohorts: reader.list(Reader::name)?,
        alert: reader.maybe(|reader| Ok(Alert { below: reader.credits()?, told: reader.flag()? }))?,
        clock: reader.maybe_time()?,
    })
}

fn write_order(writer: &mut Writer, record: &OrderRecord) {
    writer.order(&record.order);
    writer.time(record.placed_at);
    writer.byte(record.payment as u8);
    writer.maybe(record.lot.as_ref(), |writer, lot| writer.lot(*lot));
    writer.maybe(record.bonus_lot.as_ref(), |writer, lot| writer.lot(*lot));
    writer.count(record.reversals.len());
    record.reversals.iter().for_each(|reversal| writer.reversal(reversal));
    writer.number(record.reversed.minor().unsigned_abs());
    writer.credits(record.withdrawn);
    writer.number(record.returned.minor().unsigned_abs());
    writer.credits(record.owed);
    writer.count(record.repayments.len());
    for (lot, amount) in &record.repayments {
        writer.lot(*lot);
        writer.credits(*amount);
    }
}

fn read_order(reader: &mut Reader<'_>) -> Result<OrderRecord, CodecError> {
    let record = OrderRecord {
        order: reader.order()?,
        placed_at: reader.time()?,
        payment: match reader.byte()? {
            0 => PaymentState::Placed,
            1 => PaymentState::Cancelled,
            2 => PaymentState::Invoiced,
            3 => PaymentState::Paid,
            _ => return Err(CodecError::Value { what: "state of a payment" }),
        },
        lot: reader.maybe(Reader::lot)?,
        bonus_lot: reader.maybe(Reader::lot)?,
        reversals: reader.list(Reader::reversal)?,
        reversed: reader.cents()?,
        withdrawn: reader.credits()?,
        returned: reader.cents()?,
        owed: reader.credits()?,
        repayments: reader.list(|reader| Ok((reader.lot()?, reader.credits()?)))?,
    };
    let repaid = record.repayments.iter().map(|(_, amount)| i128::from(amount.micro())).sum::<i128>();
    if repaid > i128::from(record.owed.micro()) {
        return Err(CodecError::Value { what: "debt" });
    }
    Ok(record)
}

fn write_ended(writer: &mut Writer, ended: &[Ended]) {
    writer.count(ended.len());
    for ended in ended {
        writer.hold_id(ended.hold);
        writer.time(ended.at);
        match &ended.end {
            End::Captured { slices } => {
                writer.byte(0);
                writer.slices(slices.as_slice());
            }
            End::Voided { reason, released } => {
                writer.byte(1);
                writer.byte(*reason as u8);
                writer.credits(*released);
            }
            End::Expired => writer.byte(2),
            End::Uncollected { amount } => {
                writer.byte(3);
                writer.credits(*amount);
            }
        }
    }
}

fn read_ended(reader: &mut Reader<'_>) -> Result<Ended, CodecError> {
    let (hold, at) = (reader.hold_id()?, reader.time()?);
    let end = match reader.byte()? {
        0 => {
            let slices: Vec<Slice> = reader.slices()?;
            End::Captured { slices: Slices::new(&slices) }
        }
        1 => End::Voided { reason: reader.reason()?, released: reader.credits()? },
        2 => End::Expired,
        3 => End::Uncollected { amount: reader.credits()? },
        _ => return Err(CodecError::Value { what: "end of a hold" }),
    };
    Ok(Ended { hold, at, end })
}
