//! Deciding: turns a command into entries, or refuses it.
//!
//! First everything that time has made true is booked, in the order of its instants; then the command is
//! decided on what is left. A refusal returns nothing at all.

use std::time::Duration;

use crate::amount::{AMOUNT_MAX, Cents, Credits};
use crate::apply::split;
use crate::calendar::{AnchorPolicy, occurrence};
use crate::command::{Command, Decision, GrantError, Refusal, Reply};
use crate::entry::{Entry, Fact, Grant};
use crate::hold::{HOLD_SECONDS_MAX, Hold, OPEN_HOLDS_MAX, Slice, VoidReason};
use crate::ids::HoldId;
use crate::lot::{Class, Source};
use crate::memory::End;
use crate::plan::PlanName;
use crate::price_book::PriceBook;
use crate::quote::Quote;
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
        Ok(Decision { wallet: draft.wallet, entries: draft.entries, reply })
    }
}

/// A wallet on its way to the next one.
pub(crate) struct Draft<'a> {
    pub(crate) wallet: Wallet,
    pub(crate) entries: Vec<Entry>,
    book: &'a PriceBook,
    now: Timestamp,
}

impl<'a> Draft<'a> {
    /// Copies the wallet and books what is due.
    pub(crate) fn new(wallet: &Wallet, book: &'a PriceBook, now: Timestamp) -> Self {
        Self::settled_at(wallet, book, now.max(wallet.recorded_at))
    }

    /// Copies the wallet and books what is due at an instant that may be before its last entry was recorded:
    /// only reads of the past may do that.
    pub(crate) fn settled_at(wallet: &Wallet, book: &'a PriceBook, now: Timestamp) -> Self {
        let mut draft = Self { wallet: wallet.clone(), entries: Vec::new(), book, now };
        while let Some((at, fact)) = draft.wallet.due(book, now) {
            draft.write(fact, at);
        }
        draft
    }

    fn write(&mut self, fact: Fact, effective_at: Timestamp) {
        self.entries.push(self.wallet.book(fact, effective_at, self.now));
    }

    fn run(&mut self, command: &Command) -> Result<Reply, Refusal> {
        if let Command::Open { plan } = command {
            return self.open(*plan);
        }
        if self.wallet.plan.is_none() {
            return Err(Refusal::NotOpen);
        }
        match command {
            Command::Open { plan } => self.open(*plan),
            &Command::Grant { class, credits, cost, effective_at, expires_at, priority, source, tax } => {
                let lot = self.wallet.next_lot();
                self.grant(Grant { lot, class, credits, cost, tax, effective_at, expires_at, priority, source })
            }
            Command::Hold { hold, quote, timeout } => self.hold(*hold, quote, *timeout),
            Command::Extend { hold, timeout } => self.extend(*hold, *timeout),
            Command::Capture { hold, amount } => self.capture(*hold, *amount),
            Command::Void { hold, reason } => self.void(*hold, *reason),
            Command::Charge { charge, quote } => self.charge(*charge, quote),
            Command::Uncollected { hold, amount } => self.uncollected(*hold, *amount),
            Command::Settle => Ok(Reply::Settled { entries: self.entries.len() }),
        }
    }

    fn open(&mut self, plan: PlanName) -> Result<Reply, Refusal> {
        match self.wallet.plan {
            Some(current) if current == plan => return Ok(Reply::Opened),
            Some(_) => return Err(Refusal::AlreadyOpen),
            None => {}
        }
        if self.book.plan_at(&plan, self.now).is_none() {
            return Err(Refusal::UnknownPlan { plan });
        }
        self.write(Fact::Opened { plan }, self.now);
        // The first month begins with the account.
        while let Some((at, fact)) = self.wallet.due(self.book, self.now) {
            self.write(fact, at);
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

    fn hold(&mut self, id: HoldId, quote: &Quote, timeout: Duration) -> Result<Reply, Refusal> {
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
        let slices = self.wallet.allocate(quote.amount, self.now)?;
        let expires_at = self.now.plus(timeout).ok_or(Refusal::Overflow)?;
        self.write(Fact::Held { hold: id, quote: quote.clone(), slices, expires_at }, self.now);
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

    fn charge(&mut self, id: HoldId, quote: &Quote) -> Result<Reply, Refusal> {
        if self.wallet.open_hold(id).is_some() {
            return Err(Refusal::HoldExists);
        }
        match self.wallet.ended(id, self.now) {
            Some(End::Captured { slices }) if slices.amount() == quote.amount => {
                let slices = slices.as_slice().to_vec();
                return Ok(Reply::Charged { charge: id, amount: quote.amount, slices });
            }
            Some(end) => return Err(ended(end)),
            None => {}
        }
        let slices = self.wallet.allocate(quote.amount, self.now)?;
        self.write(Fact::Charged { charge: id, quote: quote.clone(), slices: slices.clone() }, self.now);
        Ok(Reply::Charged { charge: id, amount: quote.amount, slices })
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
    } else if matches!(grant.source, Source::Monthly { .. } | Source::Replacement { .. }) {
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

    /// Returns the earliest thing that is due at `now` and not booked; at one instant holds before lots before
    /// grants.
    fn due(&self, book: &PriceBook, now: Timestamp) -> Option<(Timestamp, Fact)> {
        let hold = self.open_holds().filter(|hold| hold.expires_at <= now).min_by_key(|hold| hold.expires_at);
        let lot = self.open_lots.iter().filter(|lot| !lot.expired && lot.expires_at <= now.micros());
        let lot = lot.min_by_key(|lot| (lot.expires_at, lot.number));
        let hold = hold.map(|hold| {
            let (_, released) = split(&hold.slices, 0);
            (hold.expires_at, Fact::HoldExpired { hold: hold.id, released })
        });
        let lot = lot.map(|lot| {
            let amount = lot.available(self.held_of(lot.number));
            let amount = Credits::from_micro(amount).expect("what is available is not negative");
            (Timestamp::from_micros(lot.expires_at), Fact::LotExpired { lot: lot.number, amount })
        });
        let grant = self.due_grant(book, now).map(|grant| (grant.effective_at, Fact::Granted(grant)));
        // Of several that are due at one instant, the first in this order comes first.
        [hold, lot, grant].into_iter().flatten().min_by_key(|(at, _)| *at)
    }

    /// Returns which day of the month the anchor stands for: as the plan had it when the account was opened, for
    /// ever. A version that changes or ends the plan neither moves months nor takes back the one that runs.
    pub(crate) fn anchor_policy(&self, book: &PriceBook, now: Timestamp) -> Option<AnchorPolicy> {
        let plan = self.plan?;
        let terms = book.plan_at(&plan, self.anchor).or_else(|| book.plan_at(&plan, now))?;
        Some(terms.anchor_policy)
    }

    /// Returns the monthly grant that is live at `now` and was not made. Occurrences that passed are gone.
    pub(crate) fn due_grant(&self, book: &PriceBook, now: Timestamp) -> Option<Grant> {
        let plan = self.plan?;
        let policy = self.anchor_policy(book, now)?;
        let index = crate::calendar::occurrence_at(self.anchor, now, policy)?;
        if index < self.next_occurrence {
            return None;
        }
        let at = occurrence(self.anchor, index, policy);
        let terms = book.plan_at(&plan, at).filter(|terms| !terms.monthly.is_zero())?;
        let end = index.checked_add(u32::from(terms.expires.get()))?;
        Some(Grant {
            lot: self.next_lot(),
            class: Class::Free,
            credits: terms.monthly,
            cost: None,
            tax: Cents::ZERO,
            effective_at: at,
            expires_at: Some(occurrence(self.anchor, end, policy)),
            priority: terms.priority,
            source: Source::Monthly { occurrence: index },
        })
    }
}
