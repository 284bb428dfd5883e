//! Facts, postings and entries as bytes. The first ten facts keep the form that they had before the others came.

use super::{CodecError, Read, Reader, Writer, bad};
use crate::budget::Spender;
use crate::entry::{Entry, Fact};
use crate::posting::{LedgerAccount, Posting, Unit};

const ENTRY_FORMAT: u8 = 1;

impl Writer {
    fn fact(&mut self, fact: &Fact) {
        match fact {
            Fact::Opened { plan, sandbox } => {
                self.byte(if *sandbox { 11 } else { 1 });
                self.plan(*plan);
            }
            Fact::Granted(grant) => {
                self.byte(2);
                self.grant(grant);
            }
            Fact::Held { hold, quote, slices, expires_at, spender } => {
                let nobody = *spender == Spender::NOBODY;
                self.byte(if nobody { 3 } else { 12 });
                self.hold_id(*hold);
                self.quote(quote);
                self.slices(slices);
                self.time(*expires_at);
                if !nobody {
                    self.spender(spender);
                }
            }
            Fact::Extended { hold, expires_at } => {
                self.byte(4);
                self.hold_id(*hold);
                self.time(*expires_at);
            }
            Fact::Captured { hold, amount, captured, released } => {
                self.byte(5);
                self.hold_id(*hold);
                self.credits(*amount);
                self.slices(captured);
                self.slices(released);
            }
            Fact::Voided { hold, reason, released, replacements } => {
                self.byte(6);
                self.hold_id(*hold);
                self.byte(*reason as u8);
                self.slices(released);
                self.count(replacements.len());
                replacements.iter().for_each(|replacement| self.replacement(replacement));
            }
            Fact::HoldExpired { hold, released } => {
                self.byte(7);
                self.hold_id(*hold);
                self.slices(released);
            }
            Fact::Charged { charge, quote, slices, spender, event } => {
                let plain = *spender == Spender::NOBODY && event.is_none();
                self.byte(if plain { 8 } else { 13 });
                self.hold_id(*charge);
                self.quote(quote);
                self.slices(slices);
                if !plain {
                    self.spender(spender);
                    self.maybe(event.as_ref(), Self::event);
                }
            }
            Fact::LotExpired { lot, amount, rollover } => {
                self.byte(if rollover.is_some() { 14 } else { 9 });
                self.lot(*lot);
                self.credits(*amount);
                rollover.iter().for_each(|rollover| self.replacement(rollover));
            }
            Fact::Uncollected { hold, amount } => {
                self.byte(10);
                self.hold_id(*hold);
                self.credits(*amount);
            }
            _ => self.later_fact(fact),
        }
    }

    /// The facts that came after the first ten.
    fn later_fact(&mut self, fact: &Fact) {
        match fact {
            Fact::Opened { .. }
            | Fact::Granted(_)
            | Fact::Held { .. }
            | Fact::Extended { .. }
            | Fact::Captured { .. }
            | Fact::Voided { .. }
            | Fact::HoldExpired { .. }
            | Fact::Charged { .. }
            | Fact::LotExpired { .. }
            | Fact::Uncollected { .. } => unreachable!("written by `fact`"),
            Fact::OrderPlaced(order) => {
                self.byte(15);
                self.order(order);
            }
            Fact::OrderCancelled { order } => {
                self.byte(16);
                self.order_id(*order);
            }
            Fact::OrderInvoiced { order, lots } => {
                self.byte(17);
                self.order_id(*order);
                self.count(lots.len());
                lots.iter().for_each(|lot| self.grant(lot));
            }
            Fact::OrderPaid { order, lots } => {
                self.byte(18);
                self.order_id(*order);
                self.count(lots.len());
                lots.iter().for_each(|lot| self.grant(lot));
            }
            Fact::OrderReversed { order, reversal } => {
                self.byte(19);
                self.order_id(*order);
                self.reversal(reversal);
            }
            Fact::GivenBack { capture, returned, reason, replacements } => {
                self.byte(20);
                self.capture(capture);
                self.slices(returned);
                self.byte(*reason as u8);
                self.count(replacements.len());
                replacements.iter().for_each(|replacement| self.replacement(replacement));
            }
            Fact::Withdrawn { lot, amount } => {
                self.byte(21);
                self.lot(*lot);
                self.credits(*amount);
            }
            Fact::PlanChanged { plan, new_anchor, anchor_policy, cut } => {
                self.byte(22);
                self.plan(*plan);
                self.byte(u8::from(*new_anchor));
                self.byte(*anchor_policy as u8);
                self.slices(cut);
            }
            Fact::CohortJoined { cohort, bonus } => {
                self.byte(23);
                self.name(cohort);
                self.maybe(bonus.as_ref(), Self::grant);
            }
            Fact::BudgetSet { subject, period, limit } => {
                self.byte(24);
                self.subject(subject);
                self.byte(*period as u8);
                self.maybe(limit.as_ref(), |writer, limit| writer.credits(*limit));
            }
            Fact::OverridesSet { overrides } => {
                self.byte(25);
                self.maybe(overrides.as_ref(), Self::overrides);
            }
            Fact::AlertSet { below } => {
                self.byte(26);
                self.maybe(below.as_ref(), |writer, below| writer.credits(*below));
            }
            Fact::LowBalance { below, available } => {
                self.byte(27);
                self.credits(*below);
                self.credits(*available);
            }
            Fact::Reopened { lot, amount } => {
                self.byte(28);
                self.lot(*lot);
                self.credits(*amount);
            }
            Fact::ClockSet => self.byte(29),
        }
    }

    fn posting(&mut self, posting: &Posting) {
        match &posting.account {
            LedgerAccount::Issuance(class) => {
                self.byte(0);
                self.byte(*class as u8);
            }
            LedgerAccount::Lot => self.byte(1),
            LedgerAccount::Held => self.byte(2),
            LedgerAccount::Used(operation) => {
                self.byte(3);
                self.operation(operation);
            }
            LedgerAccount::Expired => self.byte(4),
            LedgerAccount::Cash => self.byte(5),
            LedgerAccount::TaxPayable => self.byte(6),
            LedgerAccount::Deferred => self.byte(7),
            LedgerAccount::Revenue(operation) => {
                self.byte(8);
                self.operation(operation);
            }
            LedgerAccount::BreakageRevenue => self.byte(9),
            LedgerAccount::Withdrawn => self.byte(10),
            LedgerAccount::Debt => self.byte(11),
            LedgerAccount::Clawed => self.byte(12),
            LedgerAccount::Receivable => self.byte(13),
            LedgerAccount::Refunds => self.byte(14),
            LedgerAccount::CustomerDebt => self.byte(15),
        }
        match posting.unit {
            Unit::Credits => self.byte(0),
            Unit::Money(currency) => {
                self.byte(1);
                self.raw(&currency.to_bytes());
            }
        }
        self.lot(posting.lot);
        self.signed(posting.amount);
    }

    /// Everything of an entry but its hash.
    pub(crate) fn entry(&mut self, entry: &Entry) {
        self.byte(ENTRY_FORMAT);
        self.raw(&entry.account.as_u128().to_be_bytes());
        self.number(entry.seq);
        self.time(entry.effective_at);
        self.time(entry.recorded_at);
        self.fact(&entry.fact);
        self.count(entry.postings.len());
        entry.postings.iter().for_each(|posting| self.posting(posting));
    }
}

impl Reader<'_> {
    fn fact(&mut self) -> Read<Fact> {
        Ok(match self.byte()? {
            1 => Fact::Opened { plan: self.plan()?, sandbox: false },
            2 => Fact::Granted(self.grant()?),
            3 => Fact::Held {
                hold: self.hold_id()?,
                quote: self.quote()?,
                slices: self.slices()?,
                expires_at: self.time()?,
                spender: Spender::NOBODY,
            },
            4 => Fact::Extended { hold: self.hold_id()?, expires_at: self.time()? },
            5 => Fact::Captured {
                hold: self.hold_id()?,
                amount: self.credits()?,
                captured: self.slices()?,
                released: self.slices()?,
            },
            6 => Fact::Voided {
                hold: self.hold_id()?,
                reason: self.reason()?,
                released: self.slices()?,
                replacements: self.list(Self::replacement)?,
            },
            7 => Fact::HoldExpired { hold: self.hold_id()?, released: self.slices()? },
            8 => Fact::Charged {
                charge: self.hold_id()?,
                quote: self.quote()?,
                slices: self.slices()?,
                spender: Spender::NOBODY,
                event: None,
            },
            9 => Fact::LotExpired { lot: self.lot()?, amount: self.credits()?, rollover: None },
            10 => Fact::Uncollected { hold: self.hold_id()?, amount: self.credits()? },
            11 => Fact::Opened { plan: self.plan()?, sandbox: true },
            12 => Fact::Held {
                hold: self.hold_id()?,
                quote: self.quote()?,
                slices: self.slices()?,
                expires_at: self.time()?,
                spender: Some(self.spender()?).filter(|spender| *spender != Spender::NOBODY).ok_or(bad("spender"))?,
            },
            13 => {
                let (charge, quote, slices) = (self.hold_id()?, self.quote()?, self.slices()?);
                let (spender, event) = (self.spender()?, self.maybe(Self::event)?);
                if spender == Spender::NOBODY && event.is_none() {
                    return Err(bad("spender"));
                }
                Fact::Charged { charge, quote, slices, spender, event }
            }
            14 => Fact::LotExpired { lot: self.lot()?, amount: self.credits()?, rollover: Some(self.replacement()?) },
            code => self.later_fact(code)?,
        })
    }

    /// The facts that came after the first ten.
    fn later_fact(&mut self, code: u8) -> Read<Fact> {
        Ok(match code {
            15 => Fact::OrderPlaced(self.order()?),
            16 => Fact::OrderCancelled { order: self.order_id()? },
            17 => Fact::OrderInvoiced { order: self.order_id()?, lots: self.list(Self::grant)? },
            18 => Fact::OrderPaid { order: self.order_id()?, lots: self.list(Self::grant)? },
            19 => Fact::OrderReversed { order: self.order_id()?, reversal: self.reversal()? },
            20 => Fact::GivenBack {
                capture: self.capture()?,
                returned: self.slices()?,
                reason: self.give_back_reason()?,
                replacements: self.list(Self::replacement)?,
            },
            21 => Fact::Withdrawn { lot: self.lot()?, amount: self.credits()? },
            22 => Fact::PlanChanged {
                plan: self.plan()?,
                new_anchor: self.flag()?,
                anchor_policy: self.anchor_policy()?,
                cut: self.slices()?,
            },
            23 => Fact::CohortJoined { cohort: self.name()?, bonus: self.maybe(Self::grant)? },
            24 => Fact::BudgetSet {
                subject: self.subject()?,
                period: self.budget_period()?,
                limit: self.maybe(Self::credits)?,
            },
            25 => Fact::OverridesSet { overrides: self.maybe(Self::overrides)? },
            26 => Fact::AlertSet { below: self.maybe(Self::credits)? },
            27 => Fact::LowBalance { below: self.credits()?, available: self.credits()? },
            28 => Fact::Reopened { lot: self.lot()?, amount: self.credits()? },
            29 => Fact::ClockSet,
            _ => return Err(bad("fact")),
        })
    }

    fn posting(&mut self) -> Read<Posting> {
        let account = match self.byte()? {
            0 => LedgerAccount::Issuance(self.class()?),
            1 => LedgerAccount::Lot,
            2 => LedgerAccount::Held,
            3 => LedgerAccount::Used(self.operation()?),
            4 => LedgerAccount::Expired,
            5 => LedgerAccount::Cash,
            6 => LedgerAccount::TaxPayable,
            7 => LedgerAccount::Deferred,
            8 => LedgerAccount::Revenue(self.operation()?),
            9 => LedgerAccount::BreakageRevenue,
            10 => LedgerAccount::Withdrawn,
            11 => LedgerAccount::Debt,
            12 => LedgerAccount::Clawed,
            13 => LedgerAccount::Receivable,
            14 => LedgerAccount::Refunds,
            15 => LedgerAccount::CustomerDebt,
            _ => return Err(bad("ledger account")),
        };
        let unit = if self.flag()? { Unit::Money(self.currency()?) } else { Unit::Credits };
        Ok(Posting { account, unit, lot: self.lot()?, amount: self.signed()? })
    }

    pub(crate) fn entry(&mut self) -> Read<Entry> {
        let found = self.byte()?;
        if found != ENTRY_FORMAT {
            return Err(CodecError::Format { found });
        }
        Ok(Entry {
            account: self.account_id()?,
            seq: self.number()?,
            effective_at: self.time()?,
            recorded_at: self.time()?,
            fact: self.fact()?,
            postings: self.list(Self::posting)?,
            hash: self.hash()?,
        })
    }
}
