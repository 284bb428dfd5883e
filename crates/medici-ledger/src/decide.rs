//! Deciding: turns a command into entries, or refuses it.
//!
//! First everything that time has made true is booked, in the order of its instants; then the command is
//! decided on what is left. A refusal returns nothing at all.

mod agreed;
mod due;
mod late;
mod orders;
mod plans;
mod session;

pub use plans::Wish;
pub use session::{Booked, Session};

use std::time::Duration;

use crate::amount::{AMOUNT_MAX, Cents, Credits};
use crate::apply::split;
use crate::budget::Spender;
use crate::command::{Command, Decision, Reply};
use crate::entry::{Bodies, Entry, Fact, Grant, MeterEvent};
use crate::hold::{HOLD_SECONDS_MAX, Hold, OPEN_HOLDS_MAX, Slice, VoidReason};
use crate::ids::HoldId;
use crate::lot::{Class, Source};
use crate::memory::End;
use crate::plan::PlanName;
use crate::price_book::PriceBook;
use crate::quote::Quote;
use crate::refusal::{GrantError, Refusal};
use crate::time::Timestamp;
use crate::wallet::{OPEN_LOTS_MAX, Wallet};

/// How long a replacement lot lives: 7 days.
pub const REFUND_GRACE: Duration = Duration::from_secs(7 * 24 * 60 * 60);

impl Wallet {
    /// Decides a command at an instant. The wallet itself is untouched: the decision carries the new one.
    ///
    /// An instant before the last entry is taken as that entry's: a clock that goes back delays nothing and
    /// revives nothing. Repeating a command that names a hold gives the stored answer and no entries of its own.
    ///
    /// # Errors
    /// [`Refusal`], with which nothing is to be written, not even what was due.
    pub fn decide(&self, command: &Command, book: &PriceBook, now: Timestamp) -> Result<Decision, Refusal> {
        let mut draft = Draft::new(self, book, now);
        let reply = draft.run(command)?;
        draft.tell_low_balance();
        Ok(Decision { wallet: draft.wallet, entries: draft.entries, reply })
    }
}

/// A wallet on its way to the next one.
#[derive(Debug)]
pub(crate) struct Draft<'a> {
    pub(crate) wallet: Wallet,
    pub(crate) entries: Vec<Entry>,
    /// The entries' bytes, which were hashed: whoever keeps them need not encode again.
    bodies: Bodies,
    book: &'a PriceBook,
    now: Timestamp,
}

/// What a charge is asked for: the parts of [`Command::Charge`].
#[derive(Clone, Debug)]
pub struct Charge {
    /// The charge's name.
    pub charge: HoldId,
    /// The price.
    pub quote: Quote,
    /// Who spends.
    pub spender: Spender,
    /// When the usage happened, for a report of it that may be late.
    pub happened_at: Option<Timestamp>,
    /// The meter event it is for.
    pub event: Option<MeterEvent>,
}

/// Where a draft was before a command that may be refused half-way.
struct Mark {
    wallet: Wallet,
    entries: usize,
    now: Timestamp,
}

impl<'a> Draft<'a> {
    /// Copies the wallet and books nothing yet.
    fn of(wallet: &Wallet, book: &'a PriceBook, now: Timestamp) -> Self {
        Self { wallet: wallet.clone(), entries: Vec::new(), bodies: Bodies::default(), book, now }
    }

    fn make_room(&mut self, entries: usize) {
        self.entries.reserve_exact(entries);
        self.bodies.make_room(entries);
    }

    fn mark(&self) -> Mark {
        Mark { wallet: self.wallet.clone(), entries: self.entries.len(), now: self.now }
    }

    fn go_back(&mut self, mark: Mark) {
        self.wallet = mark.wallet;
        self.entries.truncate(mark.entries);
        self.bodies.truncate(mark.entries);
        self.now = mark.now;
    }

    /// Copies the wallet and books what is due.
    pub(crate) fn new(wallet: &Wallet, book: &'a PriceBook, now: Timestamp) -> Self {
        Self::settled_at(wallet, book, wallet.own_time(now))
    }

    /// Copies the wallet and books what is due at an instant that may be before its last entry was recorded:
    /// only reads of the past may do that.
    pub(crate) fn settled_at(wallet: &Wallet, book: &'a PriceBook, now: Timestamp) -> Self {
        let mut draft = Self::of(wallet, book, now);
        draft.settle();
        draft
    }

    /// Books what is due, the earliest first.
    fn settle(&mut self) {
        while let Some((at, fact)) = self.wallet.due(self.book, self.now) {
            self.write(fact, at);
        }
    }

    fn write(&mut self, fact: Fact, effective_at: Timestamp) {
        self.entries.push(self.wallet.book(fact, effective_at, self.now, &mut self.bodies));
    }

    fn run(&mut self, command: &Command) -> Result<Reply, Refusal> {
        if let Command::Open { plan, sandbox } = command {
            return self.open(*plan, *sandbox);
        }
        if self.wallet.plan.is_none() {
            return Err(Refusal::NotOpen);
        }
        match command {
            Command::Open { plan, sandbox } => self.open(*plan, *sandbox),
            &Command::Grant { class, credits, cost, effective_at, expires_at, priority, source, tax } => {
                let lot = self.wallet.next_lot();
                self.grant(Grant { lot, class, credits, cost, tax, effective_at, expires_at, priority, source })
            }
            Command::Hold { hold, quote, timeout, spender } => self.hold(*hold, quote, *timeout, spender),
            Command::Extend { hold, timeout } => self.extend(*hold, *timeout),
            Command::Capture { hold, amount } => self.capture(*hold, *amount),
            Command::Void { hold, reason } => self.void(*hold, *reason),
            Command::Charge { charge, quote, spender, happened_at, event } => {
                let (quote, event) = (quote.clone(), event.clone());
                self.charge(Charge { charge: *charge, quote, spender: *spender, happened_at: *happened_at, event })?;
                Ok(self.charged(*charge))
            }
            Command::Uncollected { hold, amount } => self.uncollected(*hold, *amount),
            Command::Settle => Ok(Reply::Settled { entries: self.entries.len() }),
            Command::PlaceOrder(order) => self.place_order(order),
            Command::InvoiceOrder { order } => self.invoice_order(*order),
            Command::PayOrder { order, amount } => self.pay_order(*order, *amount),
            Command::CancelOrder { order } => self.cancel_order(*order),
            Command::Refund { order, refund, amount } => self.refund(*order, refund, *amount),
            Command::Reverse { order, reversal } => self.reverse(*order, reversal),
            Command::GiveBack { capture, amount, reason } => self.give_back(capture, *amount, *reason),
            Command::Withdraw { lot, amount } => self.withdraw(*lot, *amount),
            Command::ChangePlan { plan } => self.change_plan(*plan),
            Command::JoinCohort { cohort, code } => self.join_cohort(*cohort, code.as_deref()),
            Command::SetBudget { subject, period, limit } => self.set_budget(*subject, *period, *limit),
            Command::SetOverrides { overrides } => self.set_overrides(overrides.as_ref()),
            Command::SetAlert { below } => self.set_alert(*below),
            Command::SetClock { to } => self.set_clock(*to),
        }
    }

    fn open(&mut self, plan: PlanName, sandbox: Option<Timestamp>) -> Result<Reply, Refusal> {
        match self.wallet.plan {
            Some(current) if current == plan && self.wallet.sandbox_clock().is_some() == sandbox.is_some() => {
                return Ok(Reply::Opened);
            }
            Some(_) => return Err(Refusal::AlreadyOpen),
            None => {}
        }
        // A sandbox begins wherever its clock is set.
        self.now = sandbox.unwrap_or(self.now);
        let Some(version) = self.book.version_at(self.now).filter(|version| version.plans.contains_key(&plan)) else {
            return Err(Refusal::UnknownPlan { plan });
        };
        self.write(Fact::Opened { plan, sandbox: sandbox.is_some() }, self.now);
        // The first month begins with the account.
        self.settle();
        let here = self.now;
        let joined = version.cohorts.iter().filter(|(_, terms)| terms.admits_date(here));
        for (cohort, terms) in joined {
            self.join(*cohort, terms);
        }
        Ok(Reply::Opened)
    }

    fn grant(&mut self, grant: Grant) -> Result<Reply, Refusal> {
        check_grant(&grant, self.now).map_err(Refusal::BadGrant)?;
        if self.wallet.open_lots.len() >= OPEN_LOTS_MAX {
            return Err(Refusal::TooManyOpen { what: "lots", max: OPEN_LOTS_MAX });
        }
        let unspent: i64 = self.wallet.open_lots.iter().map(|lot| lot.granted - lot.captured).sum();
        if unspent.checked_add(grant.credits.micro()).is_none_or(|total| total > AMOUNT_MAX) {
            return Err(Refusal::Overflow);
        }
        self.write(Fact::Granted(grant), self.now);
        Ok(Reply::Granted(grant.lot))
    }

    fn hold(&mut self, id: HoldId, quote: &Quote, timeout: Duration, spender: &Spender) -> Result<Reply, Refusal> {
        if let Some(hold) = self.wallet.open_hold(id) {
            let same = hold.quote == *quote;
            return if same { Ok(Reply::Held(hold.clone())) } else { Err(Refusal::HoldExists) };
        }
        if let Some(end) = self.wallet.ended(id, self.now) {
            return Err(ended(end));
        }
        if timeout.is_zero() || timeout > HOLD_SECONDS_MAX {
            return Err(Refusal::HoldTimeout { asked: timeout, max: HOLD_SECONDS_MAX });
        }
        if self.wallet.busy.as_ref().is_some_and(|busy| busy.holds.len() >= OPEN_HOLDS_MAX) {
            return Err(Refusal::TooManyOpen { what: "holds", max: OPEN_HOLDS_MAX });
        }
        self.admit(quote.amount, spender)?;
        let slices = self.wallet.allocate(quote.amount, self.now)?;
        let expires_at = self.now.plus(timeout).ok_or(Refusal::Overflow)?;
        let spender = *spender;
        self.write(Fact::Held { hold: id, quote: quote.clone(), slices, expires_at, spender }, self.now);
        Ok(Reply::Held(self.wallet.open_hold(id).expect("the hold was placed").clone()))
    }

    fn extend(&mut self, id: HoldId, timeout: Duration) -> Result<Reply, Refusal> {
        if timeout.is_zero() || timeout > HOLD_SECONDS_MAX {
            return Err(Refusal::HoldTimeout { asked: timeout, max: HOLD_SECONDS_MAX });
        }
        let hold = self.open_hold(id)?;
        let latest = hold.placed_at.plus(HOLD_SECONDS_MAX).unwrap_or(Timestamp::MAX);
        let wanted = self.now.plus(timeout).unwrap_or(Timestamp::MAX).min(latest);
        let expires_at = wanted.max(hold.expires_at);
        if expires_at > hold.expires_at {
            self.write(Fact::Extended { hold: id, expires_at }, self.now);
        }
        Ok(Reply::Extended { expires_at })
    }

    fn capture(&mut self, id: HoldId, amount: Credits) -> Result<Reply, Refusal> {
        if let Some(End::Captured { slices }) = self.wallet.ended(id, self.now)
            && self.wallet.open_hold(id).is_none()
        {
            let before = slices.amount();
            if before != amount {
                return Err(Refusal::AlreadyCaptured { amount: before });
            }
            return Ok(Reply::Captured { hold: id, amount, slices: slices.as_slice().to_vec() });
        }
        let hold = self.open_hold(id)?;
        if amount > hold.amount {
            return Err(Refusal::MoreThanHeld { asked: amount, held: hold.amount });
        }
        let (captured, released) = split(&hold.slices, amount.micro());
        let slices = captured.clone();
        self.write(Fact::Captured { hold: id, amount, captured, released }, self.now);
        Ok(Reply::Captured { hold: id, amount, slices })
    }

    fn void(&mut self, id: HoldId, reason: VoidReason) -> Result<Reply, Refusal> {
        if let Some(End::Voided { released, .. }) = self.wallet.ended(id, self.now)
            && self.wallet.open_hold(id).is_none()
        {
            return Ok(Reply::Voided { hold: id, released: *released });
        }
        let hold = self.open_hold(id)?;
        let amount = hold.amount;
        let (_, released) = split(&hold.slices, 0);
        let replacements = self.wallet.replacements(reason, &released, self.now);
        self.write(Fact::Voided { hold: id, reason, released, replacements }, self.now);
        Ok(Reply::Voided { hold: id, released: amount })
    }

    fn charge_open(&mut self, asked: Charge) -> Result<(), Refusal> {
        if self.wallet.plan.is_none() { Err(Refusal::NotOpen) } else { self.charge(asked) }
    }

    /// Books a charge; nothing where it is booked already.
    fn charge(&mut self, asked: Charge) -> Result<(), Refusal> {
        let Charge { charge, quote, spender, happened_at, event } = asked;
        if self.wallet.open_hold(charge).is_some() {
            return Err(Refusal::HoldExists);
        }
        match self.wallet.ended(charge, self.now) {
            Some(End::Captured { slices }) if slices.amount() == quote.amount => return Ok(()),
            Some(end) => return Err(ended(end)),
            None => {}
        }
        self.admit(quote.amount, &spender)?;
        let at = self.wallet.usage_instant(self.book, happened_at, self.now);
        let (slices, reopened) = if at < self.now {
            self.wallet.allocate_late(quote.amount, at)?
        } else {
            (self.wallet.allocate(quote.amount, at)?, Vec::new())
        };
        reopened.iter().for_each(|lot| self.reopen(*lot));
        self.write(Fact::Charged { charge, quote, slices, spender, event }, at);
        reopened.iter().for_each(|lot| self.expire_again(*lot));
        Ok(())
    }

    /// Returns the answer to a charge that is booked.
    fn charged(&self, charge: HoldId) -> Reply {
        let Some(End::Captured { slices }) = self.wallet.ended(charge, self.now) else {
            unreachable!("the last charge of a wallet is remembered");
        };
        Reply::Charged { charge, amount: slices.amount(), slices: slices.as_slice().to_vec() }
    }

    /// Refuses a spend for what the account may not, whatever it has.
    fn admit(&self, amount: Credits, spender: &Spender) -> Result<(), Refusal> {
        let owed = self.wallet.debt();
        if !owed.is_zero() && !amount.is_zero() && self.book.policy_at(self.now).debt_refuses {
            return Err(Refusal::InDebt { owed });
        }
        let budgets = self.wallet.busy.as_ref().map(|busy| &busy.budgets);
        match budgets.and_then(|budgets| budgets.exceeded(spender, amount, self.now)) {
            None => Ok(()),
            Some(budget) => Err(Refusal::BudgetExceeded {
                subject: budget.subject,
                period: budget.period,
                limit: budget.limit,
                used: budget.used_at(self.now),
                needed: amount,
            }),
        }
    }

    fn uncollected(&mut self, id: HoldId, amount: Credits) -> Result<Reply, Refusal> {
        if self.wallet.open_hold(id).is_some() {
            return Err(Refusal::HoldOpen);
        }
        match self.wallet.ended(id, self.now) {
            Some(End::Uncollected { amount: before }) if *before == amount => return Ok(Reply::Uncollected),
            Some(End::Uncollected { amount }) => return Err(Refusal::AlreadyUncollected { amount: *amount }),
            // A hold whose end is forgotten is taken at the worker's word: no credits move.
            Some(End::Expired) | None => {}
            Some(end @ (End::Captured { .. } | End::Voided { .. })) => return Err(ended(end)),
        }
        self.write(Fact::Uncollected { hold: id, amount }, self.now);
        Ok(Reply::Uncollected)
    }

    fn open_hold(&self, id: HoldId) -> Result<&Hold, Refusal> {
        self.wallet.open_hold(id).ok_or_else(|| self.wallet.ended(id, self.now).map_or(Refusal::UnknownHold, ended))
    }
}

/// What a call is told that comes after the end of its hold.
fn ended(end: &End) -> Refusal {
    match end {
        End::Captured { slices } => Refusal::AlreadyCaptured { amount: slices.amount() },
        End::Voided { reason, .. } => Refusal::AlreadyVoided { reason: *reason },
        End::Expired | End::Uncollected { .. } => Refusal::HoldExpired,
    }
}

fn check_grant(grant: &Grant, now: Timestamp) -> Result<(), GrantError> {
    let money = grant.cost.map_or(0, |cost| cost.amount.minor());
    if grant.credits.is_zero() {
        Err(GrantError::Nothing)
    } else if grant.credits.micro() > AMOUNT_MAX || money > AMOUNT_MAX || grant.tax.minor() > AMOUNT_MAX {
        Err(GrantError::TooLarge)
    } else if grant.expires_at.is_some_and(|end| end <= grant.effective_at || end <= now) {
        Err(GrantError::Over)
    } else if grant.cost.is_some() && (grant.class != Class::Paid || grant.source != Source::Purchase) {
        Err(GrantError::CostOfUnpaid)
    } else if grant.cost.is_none() && grant.tax != Cents::ZERO {
        Err(GrantError::TaxAlone)
    } else if !matches!(grant.source, Source::Purchase | Source::Bonus | Source::Goodwill) {
        Err(GrantError::Source)
    } else {
        Ok(())
    }
}

impl Wallet {
    /// Takes an amount from the live lots in burn order.
    fn allocate(&self, amount: Credits, now: Timestamp) -> Result<Vec<Slice>, Refusal> {
        let mut left = amount.micro();
        let mut slices = Vec::new();
        for lot in self.open_lots.iter().filter(|lot| lot.is_live(now.micros())) {
            if left == 0 {
                break;
            }
            let taken = lot.available(self.held_of(lot.number)).min(left);
            if taken > 0 {
                let amount = Credits::from_micro(taken).expect("more than zero is taken");
                slices.push(Slice { lot: lot.number, amount });
                left -= taken;
            }
        }
        if left > 0 {
            let available = Credits::from_micro(amount.micro() - left).expect("what was found is not negative");
            return Err(Refusal::InsufficientCredits { needed: amount, available });
        }
        Ok(slices)
    }
}
