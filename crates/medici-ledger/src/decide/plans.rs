//! Deciding changes of plan, and what they cost.

use crate::amount::{Cents, Credits, Money};
use crate::calendar::AnchorPolicy;
use crate::command::Reply;
use crate::decide::Draft;
use crate::entry::{Fact, Grant};
use crate::hold::Slice;
use crate::ids::OrderId;
use crate::lot::{Class, LotRecord, Source};
use crate::order::{Item, Order, PlanChangeMode};
use crate::pack::Pack;
use crate::plan::{PlanName, PlanTerms};
use crate::price_book::PriceBook;
use crate::refusal::{OrderError, Refusal};
use crate::time::Timestamp;
use crate::wallet::Wallet;

/// What somebody wants to buy; see [`Wallet::order_of`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wish<'a> {
    /// Packs, at their price for that many.
    Packs {
        /// The pack.
        pack: &'a Pack,
        /// How many.
        packs: u32,
    },
    /// The next period of the account's plan that is not paid for.
    Period,
    /// Another plan.
    PlanChange {
        /// Which.
        plan: PlanName,
        /// At which price.
        mode: PlanChangeMode,
    },
}

impl Wallet {
    /// Returns the order for a wish at the prices of an instant, without tax.
    ///
    /// # Errors
    /// [`Refusal`] where it is not sold, or not to this account.
    pub fn order_of(&self, id: OrderId, wish: &Wish<'_>, book: &PriceBook, now: Timestamp) -> Result<Order, Refusal> {
        let draft = Draft::new(self, book, now);
        let (wallet, now) = (&draft.wallet, draft.now);
        let order = |item, credits, bonus, cost| Order { id, item, credits, bonus, cost, tax: Cents::ZERO };
        match *wish {
            Wish::Packs { pack, packs } => {
                let too_large = Refusal::BadOrder(OrderError::TooLarge);
                let (credits, bonus) = (pack.credits.checked_mul(packs), pack.bonus.checked_mul(packs));
                let (Some(credits), Some(bonus), Some(cost)) = (credits, bonus, pack.price_of(packs)) else {
                    return Err(too_large);
                };
                Ok(order(Item::Packs { packs, expires: pack.expires }, credits, bonus, cost))
            }
            Wish::Period => {
                let plan = wallet.plan.ok_or(Refusal::NotOpen)?;
                let terms = wallet.plan_terms(book, now).ok_or(Refusal::UnknownPlan { plan })?;
                let price = terms.price.filter(|_| terms.is_paid()).ok_or(Refusal::BadOrder(OrderError::NoPrice))?;
                Ok(order(Item::Period, wallet.monthly(terms), Credits::ZERO, price))
            }
            Wish::PlanChange { plan, mode } => {
                let terms = book.plan_at(&plan, now).ok_or(Refusal::UnknownPlan { plan })?;
                let price = terms.price.filter(|_| terms.is_paid()).ok_or(Refusal::BadOrder(OrderError::NoPrice))?;
                let (credits, cost) = match mode {
                    PlanChangeMode::FullPrice => (wallet.monthly(terms), price),
                    PlanChangeMode::Prorated => wallet.prorated(book, terms, price, now)?,
                };
                Ok(order(Item::PlanChange { plan, mode }, credits, Credits::ZERO, cost))
            }
        }
    }

    /// Returns what a better plan gives and costs for the rest of the period: the difference of the credits, and
    /// the rest's share of the difference of the prices, rounded down.
    fn prorated(
        &self,
        book: &PriceBook,
        terms: &PlanTerms,
        price: Money,
        now: Timestamp,
    ) -> Result<(Credits, Money), Refusal> {
        let (number, policy) = self.period(book, now).ok_or(Refusal::NotOpen)?;
        let granted = self.granted_in(number);
        let credits = Credits::from_micro(self.monthly(terms).micro() - granted).filter(|credits| !credits.is_zero());
        let credits = credits.ok_or(Refusal::BadOrder(OrderError::NoUpgrade))?;
        let paid_before = self.period_lots(number).any(|lot| lot.class == Class::Paid);
        let before = self.plan_terms(book, now).filter(|terms| terms.is_paid() && paid_before);
        let before = before.and_then(|terms| terms.price);
        if before.is_some_and(|before| before.currency != price.currency) {
            return Err(Refusal::BadOrder(OrderError::Currency));
        }
        let difference = price.amount.minor() - before.map_or(0, |before| before.amount.minor());
        let (start, end) = (self.occurrence_start(number, policy), self.occurrence_start(number + 1, policy));
        let rest = i128::from(end.micros() - now.micros());
        let whole = i128::from(end.micros() - start.micros());
        let cost = i128::from(difference.max(0)) * rest / whole;
        let cost = i64::try_from(cost).ok().and_then(Cents::from_minor).expect("a share of a price is one");
        Ok((credits, Money::new(cost, price.currency)))
    }

    /// Returns the period that runs, and which day of the month the anchor stands for.
    pub(super) fn period(&self, book: &PriceBook, now: Timestamp) -> Option<(u32, AnchorPolicy)> {
        // Without a plan in any version nothing is granted; the anchor's own day is as good as another.
        let policy = self.anchor_policy(book, now).unwrap_or_default();
        Some((self.occurrence_at(now, policy)?, policy))
    }

    pub(super) fn period_lots(&self, number: u32) -> impl DoubleEndedIterator<Item = &LotRecord> {
        let lots = self.closed_lots().iter().chain(&self.open_lots);
        lots.filter(move |lot| lot.source().occurrence() == Some(number))
    }

    /// Returns the credits that a period's lots were granted and have kept, spent or not.
    fn granted_in(&self, number: u32) -> i64 {
        self.period_lots(number).map(|lot| lot.granted - lot.withdrawn).sum()
    }

    /// Returns slices of what free credits of a period have available, the last to burn first, up to an amount.
    pub(super) fn free_slices(&self, number: u32, amount: i64) -> Vec<Slice> {
        let mut left = amount;
        let mut slices = Vec::new();
        for lot in self.open_lots.iter().rev() {
            if lot.source().occurrence() != Some(number) || lot.class != Class::Free {
                continue;
            }
            let taken = lot.available(self.held_of(lot.number)).min(left);
            if taken > 0 {
                left -= taken;
                let amount = Credits::from_micro(taken).expect("more than zero is taken");
                slices.push(Slice { lot: lot.number, amount });
            }
        }
        slices
    }
}

impl Draft<'_> {
    pub(super) fn change_plan(&mut self, plan: PlanName) -> Result<Reply, Refusal> {
        if self.wallet.plan == Some(plan) {
            return Ok(Reply::PlanChanged);
        }
        let terms = self.book.plan_at(&plan, self.now).ok_or(Refusal::UnknownPlan { plan })?;
        if terms.is_paid() {
            return Err(Refusal::PlanCosts);
        }
        let (number, anchor_policy) = self.wallet.period(self.book, self.now).ok_or(Refusal::NotOpen)?;
        let surplus = self.wallet.granted_in(number) - self.wallet.monthly(terms).micro();
        let cut = if surplus > 0 { self.wallet.free_slices(number, surplus) } else { Vec::new() };
        self.write(Fact::PlanChanged { plan, new_anchor: false, anchor_policy, cut }, self.now);
        if let Some(credits) = Credits::from_micro(-surplus).filter(|credits| !credits.is_zero()) {
            let end = number + u32::from(terms.expires.get());
            let grant = Grant {
                lot: self.wallet.next_lot(),
                class: Class::Free,
                credits,
                cost: None,
                tax: Cents::ZERO,
                effective_at: self.now,
                expires_at: Some(self.wallet.occurrence_start(end, anchor_policy)),
                priority: terms.priority,
                source: Source::PlanChange { occurrence: number },
            };
            self.write(Fact::Granted(grant), self.now);
        }
        Ok(Reply::PlanChanged)
    }
}
