//! The canonical encoding: what the chain hashes and what stores keep.
//!
//! Every field has exactly one form. Numbers are minimal base-128 varints or fixed eight bytes, texts and lists
//! carry their length first, so no two entries share their bytes and any change of a byte is seen.

mod entry;
mod parts;

use std::fmt;

use crate::amount::{Cents, Credits, Currency, Money};
use crate::entry::{Grant, Replacement};
use crate::hash::Hash;
use crate::hold::{Slice, VoidReason};
use crate::ids::{AccountId, HoldId, LotNumber};
use crate::lot::{Class, Source};
use crate::operation::Operation;
use crate::plan::PlanName;
use crate::quote::{ChargeMode, Quote};
use crate::time::Timestamp;

const ENTRY_FORMAT: u8 = 1;

/// What is added to the charge mode's byte where a rule's number and a base follow.
const RULED: u8 = 2;

/// Why bytes are not what they should be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CodecError {
    /// They end too early.
    Short,
    /// There are more than there should be.
    Long,
    /// Another version of the format.
    Format {
        /// The version found.
        found: u8,
    },
    /// A value that cannot be, or is not written in its one form.
    Value {
        /// What kind of value.
        what: &'static str,
    },
}

impl fmt::Display for CodecError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Short => f.write_str("the bytes end too early"),
            Self::Long => f.write_str("bytes are left over"),
            Self::Format { found } => write!(f, "format {ENTRY_FORMAT} needed, {found} found"),
            Self::Value { what } => write!(f, "a {what} that cannot be"),
        }
    }
}

impl std::error::Error for CodecError {}

pub(crate) struct Writer {
    bytes: Vec<u8>,
}

impl Writer {
    pub(crate) fn with_capacity(capacity: usize) -> Self {
        Self { bytes: Vec::with_capacity(capacity) }
    }

    /// Goes on after bytes that are there.
    pub(crate) fn after(bytes: Vec<u8>) -> Self {
        Self { bytes }
    }

    pub(crate) fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }

    pub(crate) fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    pub(crate) fn raw(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    pub(crate) fn byte(&mut self, byte: u8) {
        self.bytes.push(byte);
    }

    pub(crate) fn number(&mut self, mut number: u64) {
        while number >= 0x80 {
            self.bytes.push(number as u8 | 0x80);
            number >>= 7;
        }
        self.bytes.push(number as u8);
    }

    pub(crate) fn count(&mut self, count: usize) {
        self.number(u64::try_from(count).expect("a length fits 64 bits"));
    }

    pub(crate) fn signed(&mut self, number: i64) {
        self.number(((number << 1) ^ (number >> 63)).cast_unsigned());
    }

    pub(crate) fn text(&mut self, text: &str) {
        self.count(text.len());
        self.raw(text.as_bytes());
    }

    pub(crate) fn time(&mut self, instant: Timestamp) {
        self.raw(&instant.micros().to_be_bytes());
    }

    pub(crate) fn maybe_time(&mut self, instant: Option<Timestamp>) {
        self.byte(u8::from(instant.is_some()));
        if let Some(instant) = instant {
            self.time(instant);
        }
    }

    pub(crate) fn credits(&mut self, amount: Credits) {
        self.number(amount.micro().unsigned_abs());
    }

    pub(crate) fn money(&mut self, money: Option<Money>) {
        self.byte(u8::from(money.is_some()));
        if let Some(money) = money {
            self.raw(&money.currency.to_bytes());
            self.number(money.amount.minor().unsigned_abs());
        }
    }

    pub(crate) fn hold_id(&mut self, id: HoldId) {
        self.raw(&id.as_u128().to_be_bytes());
    }

    pub(crate) fn lot(&mut self, lot: LotNumber) {
        self.number(u64::from(lot.get()));
    }

    pub(crate) fn plan(&mut self, plan: PlanName) {
        self.name(&plan);
    }

    fn operation(&mut self, operation: &Operation) {
        match operation {
            Operation::Generate => self.byte(0),
            Operation::Edit => self.byte(1),
            Operation::Vary => self.byte(2),
            Operation::Named(name) => {
                self.byte(3);
                self.text(name.as_str());
            }
        }
    }

    pub(crate) fn source(&mut self, source: Source) {
        match source {
            Source::Monthly { occurrence } => {
                self.byte(0);
                self.number(u64::from(occurrence));
            }
            Source::Purchase => self.byte(1),
            Source::Bonus => self.byte(2),
            Source::Goodwill => self.byte(3),
            Source::Replacement { of } => {
                self.byte(4);
                self.lot(of);
            }
            Source::Rollover { of } => {
                self.byte(5);
                self.lot(of);
            }
            Source::PlanChange { occurrence } => {
                self.byte(6);
                self.number(u64::from(occurrence));
            }
        }
    }

    pub(crate) fn quote(&mut self, quote: &Quote) {
        self.time(quote.version);
        self.operation(&quote.operation);
        self.number(u64::from(quote.count));
        self.credits(quote.unit);
        self.number(u64::from(quote.included));
        // Quotes were written before prices had rules and a base: those without either keep their one byte.
        let plain = quote.rule == 0 && quote.base.is_zero();
        self.byte(quote.charge as u8 + if plain { 0 } else { RULED });
        if !plain {
            self.number(u64::from(quote.rule));
            self.credits(quote.base);
        }
        self.credits(quote.amount);
    }

    pub(crate) fn slices(&mut self, slices: &[Slice]) {
        self.count(slices.len());
        for slice in slices {
            self.lot(slice.lot);
            self.credits(slice.amount);
        }
    }

    pub(crate) fn grant(&mut self, grant: &Grant) {
        self.lot(grant.lot);
        self.byte(grant.class as u8);
        self.credits(grant.credits);
        self.money(grant.cost);
        self.number(grant.tax.minor().unsigned_abs());
        self.time(grant.effective_at);
        self.maybe_time(grant.expires_at);
        self.signed(i64::from(grant.priority));
        self.source(grant.source);
    }

    fn replacement(&mut self, replacement: &Replacement) {
        self.lot(replacement.lot);
        self.lot(replacement.of);
        self.credits(replacement.credits);
        self.money(replacement.cost);
        self.time(replacement.expires_at);
    }
}

pub(crate) struct Reader<'a> {
    bytes: &'a [u8],
}

type Read<T> = Result<T, CodecError>;

const fn bad(what: &'static str) -> CodecError {
    CodecError::Value { what }
}

impl<'a> Reader<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes }
    }

    pub(crate) fn end(&self) -> Read<()> {
        if self.bytes.is_empty() { Ok(()) } else { Err(CodecError::Long) }
    }

    fn raw(&mut self, count: usize) -> Read<&'a [u8]> {
        let (taken, rest) = self.bytes.split_at_checked(count).ok_or(CodecError::Short)?;
        self.bytes = rest;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self) -> Read<[u8; N]> {
        Ok(self.raw(N)?.try_into().expect("raw gives as many bytes as asked"))
    }

    pub(crate) fn byte(&mut self) -> Read<u8> {
        Ok(self.array::<1>()?[0])
    }

    pub(crate) fn number(&mut self) -> Read<u64> {
        let mut number = 0u64;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            let bits = u64::from(byte & 0x7f);
            // A last byte of zero, or bits that fall off the end, would be a second form of the same number.
            if (shift > 0 && byte == 0) || (shift == 63 && bits > 1) {
                return Err(bad("number"));
            }
            number |= bits << shift;
            if byte & 0x80 == 0 {
                return Ok(number);
            }
        }
        Err(bad("number"))
    }

    pub(crate) fn small(&mut self) -> Read<u32> {
        u32::try_from(self.number()?).map_err(|_| bad("number"))
    }

    /// A count of things of which each takes at least one byte: never more than there are bytes.
    pub(crate) fn count(&mut self) -> Read<usize> {
        let count = usize::try_from(self.number()?).map_err(|_| bad("count"))?;
        if count > self.bytes.len() { Err(CodecError::Short) } else { Ok(count) }
    }

    pub(crate) fn list<T>(&mut self, mut item: impl FnMut(&mut Self) -> Read<T>) -> Read<Vec<T>> {
        let count = self.count()?;
        (0..count).map(|_| item(self)).collect()
    }

    pub(crate) fn signed(&mut self) -> Read<i64> {
        let number = self.number()?;
        Ok((number >> 1).cast_signed() ^ -(number & 1).cast_signed())
    }

    fn text(&mut self) -> Read<&'a str> {
        let count = self.count()?;
        std::str::from_utf8(self.raw(count)?).map_err(|_| bad("text"))
    }

    pub(crate) fn flag(&mut self) -> Read<bool> {
        match self.byte()? {
            0 => Ok(false),
            1 => Ok(true),
            _ => Err(bad("flag")),
        }
    }

    pub(crate) fn time(&mut self) -> Read<Timestamp> {
        let micros = i64::from_be_bytes(self.array()?);
        let instant = Timestamp::from_micros(micros);
        if instant.micros() == micros { Ok(instant) } else { Err(bad("instant")) }
    }

    pub(crate) fn maybe_time(&mut self) -> Read<Option<Timestamp>> {
        if self.flag()? { self.time().map(Some) } else { Ok(None) }
    }

    pub(crate) fn credits(&mut self) -> Read<Credits> {
        i64::try_from(self.number()?).ok().and_then(Credits::from_micro).ok_or(bad("number of credits"))
    }

    pub(crate) fn cents(&mut self) -> Read<Cents> {
        i64::try_from(self.number()?).ok().and_then(Cents::from_minor).ok_or(bad("amount of money"))
    }

    fn currency(&mut self) -> Read<Currency> {
        Currency::from_bytes(self.array()?).ok_or(bad("currency"))
    }

    pub(crate) fn money(&mut self) -> Read<Option<Money>> {
        if !self.flag()? {
            return Ok(None);
        }
        let currency = self.currency()?;
        Ok(Some(Money::new(self.cents()?, currency)))
    }

    pub(crate) fn account_id(&mut self) -> Read<AccountId> {
        Ok(AccountId::from_u128(u128::from_be_bytes(self.array()?)))
    }

    pub(crate) fn hold_id(&mut self) -> Read<HoldId> {
        Ok(HoldId::from_u128(u128::from_be_bytes(self.array()?)))
    }

    pub(crate) fn hash(&mut self) -> Read<Hash> {
        self.array().map(Hash::from_bytes)
    }

    pub(crate) fn lot(&mut self) -> Read<LotNumber> {
        self.small().map(LotNumber)
    }

    pub(crate) fn plan(&mut self) -> Read<PlanName> {
        self.text()?.parse().map_err(|_| bad("plan name"))
    }

    pub(crate) fn class(&mut self) -> Read<Class> {
        let index = usize::from(self.byte()?);
        Class::ALL.get(index).copied().ok_or(bad("class"))
    }

    pub(crate) fn reason(&mut self) -> Read<VoidReason> {
        let index = usize::from(self.byte()?);
        VoidReason::ALL.get(index).copied().ok_or(bad("reason"))
    }

    fn operation(&mut self) -> Read<Operation> {
        match self.byte()? {
            0 => Ok(Operation::Generate),
            1 => Ok(Operation::Edit),
            2 => Ok(Operation::Vary),
            3 => match self.text()?.parse() {
                Ok(operation @ Operation::Named(_)) => Ok(operation),
                _ => Err(bad("operation")),
            },
            _ => Err(bad("operation")),
        }
    }

    pub(crate) fn source(&mut self) -> Read<Source> {
        Ok(match self.byte()? {
            0 => Source::Monthly { occurrence: self.small()? },
            1 => Source::Purchase,
            2 => Source::Bonus,
            3 => Source::Goodwill,
            4 => Source::Replacement { of: self.lot()? },
            5 => Source::Rollover { of: self.lot()? },
            6 => Source::PlanChange { occurrence: self.small()? },
            _ => return Err(bad("source")),
        })
    }

    pub(crate) fn quote(&mut self) -> Read<Quote> {
        let version = self.time()?;
        let operation = self.operation()?;
        let count = self.small()?;
        let unit = self.credits()?;
        let included = self.small()?;
        let mode = self.byte()?;
        let charge = match mode % RULED {
            _ if mode >= 2 * RULED => return Err(bad("charge mode")),
            0 => ChargeMode::PerOperation,
            _ => ChargeMode::PerImage,
        };
        let (rule, base) = if mode >= RULED { self.rule()? } else { (0, Credits::ZERO) };
        Ok(Quote { version, operation, count, unit, included, charge, amount: self.credits()?, rule, base })
    }

    fn rule(&mut self) -> Read<(u16, Credits)> {
        let rule = u16::try_from(self.number()?).map_err(|_| bad("rule"))?;
        let base = self.credits()?;
        if rule == 0 && base.is_zero() { Err(bad("rule")) } else { Ok((rule, base)) }
    }

    pub(crate) fn slices(&mut self) -> Read<Vec<Slice>> {
        self.list(|reader| Ok(Slice { lot: reader.lot()?, amount: reader.credits()? }))
    }

    pub(crate) fn priority(&mut self) -> Read<i8> {
        i8::try_from(self.signed()?).map_err(|_| bad("priority"))
    }

    pub(crate) fn grant(&mut self) -> Read<Grant> {
        Ok(Grant {
            lot: self.lot()?,
            class: self.class()?,
            credits: self.credits()?,
            cost: self.money()?,
            tax: self.cents()?,
            effective_at: self.time()?,
            expires_at: self.maybe_time()?,
            priority: self.priority()?,
            source: self.source()?,
        })
    }

    fn replacement(&mut self) -> Read<Replacement> {
        Ok(Replacement {
            lot: self.lot()?,
            of: self.lot()?,
            credits: self.credits()?,
            cost: self.money()?,
            expires_at: self.time()?,
        })
    }
}

#[cfg(test)]
mod tests;
