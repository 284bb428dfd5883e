//! Snapshots: a wallet as bytes, so that recovery need not replay a life.

use std::sync::Arc;

use crate::codec::{CodecError, Reader, Writer};
use crate::entry::Grant;
use crate::hold::{Hold, Slice};
use crate::ids::LotNumber;
use crate::lot::LotRecord;
use crate::memory::{End, Ended, Memory, Slices};
use crate::wallet::{Busy, Wallet};

const FORMAT: u8 = 1;

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
        if found != FORMAT {
            return Err(CodecError::Format { found });
        }
        let wallet = Self {
            account: reader.account_id()?,
            head: reader.hash()?,
            seq: reader.number()?,
            recorded_at: reader.time()?,
            anchor: reader.time()?,
            plan: if reader.flag()? { Some(reader.plan()?) } else { None },
            next_occurrence: reader.small()?,
            open_lots: reader.list(read_lot)?.into(),
            busy: if reader.flag()? { Some(Box::new(read_busy(&mut reader)?)) } else { None },
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
        writer.byte(u8::from(lot.expired));
    }
}

fn read_lot(reader: &mut Reader<'_>) -> Result<LotRecord, CodecError> {
    let grant = reader.grant()?;
    let mut lot = LotRecord::new(&grant);
    lot.captured = reader.credits()?.micro();
    lot.expired = reader.flag()?;
    // A wallet does not keep the tax: were a number accepted here, a changed snapshot could pass for the same.
    if lot.captured > lot.granted || lot.granted == 0 || !grant.tax.is_zero() {
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
    }
    let (older, recent) = busy.memory.parts();
    write_ended(writer, older);
    write_ended(writer, recent);
    write_lots(writer, closed);
}

fn read_busy(reader: &mut Reader<'_>) -> Result<Busy, CodecError> {
    let holds: Vec<Arc<Hold>> = reader.list(|reader| {
        let (id, quote, slices) = (reader.hold_id()?, reader.quote()?, reader.slices()?);
        let (placed_at, expires_at) = (reader.time()?, reader.time()?);
        Ok(Arc::new(Hold { id, amount: quote.amount, quote, slices, placed_at, expires_at }))
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
    let closed = reader.list(read_lot)?;
    let closed = (!closed.is_empty()).then(|| Arc::new(closed));
    Ok(Busy { holds, held, memory, closed })
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
