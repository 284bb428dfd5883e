//! Balances: what a wallet has at an instant, without writing anything.

use crate::amount::{Credits, Money};
use crate::decide::Draft;
use crate::entry::Entry;
use crate::ids::LotNumber;
use crate::lot::{Class, Lot, Source};
use crate::posting::LedgerAccount;
use crate::price_book::PriceBook;
use crate::time::Timestamp;
use crate::wallet::Wallet;

/// What a wallet has at an instant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Balances {
    /// What can be held now.
    pub available: Credits,
    /// What open holds have set aside.
    pub held: Credits,
    /// The live lots, and those that are over but still held, in burn order.
    pub lots: Vec<LotBalance>,
    /// When the plan next gives credits by itself: not where they are paid for.
    pub next_refill: Option<Refill>,
    /// What expires first of what is available.
    pub first_expiring: Option<Expiring>,
}

/// One lot of a balance.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LotBalance {
    /// Its number.
    pub number: LotNumber,
    /// Its class.
    pub class: Class,
    /// Where it comes from.
    pub source: Source,
    /// What was granted.
    pub granted: Credits,
    /// What can be held.
    pub available: Credits,
    /// What open holds have set aside.
    pub held: Credits,
    /// When it ends; `None` for never.
    pub expires_at: Option<Timestamp>,
    /// What was paid for it.
    pub cost: Option<Money>,
}

/// A plan's next credits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refill {
    /// When.
    pub at: Timestamp,
    /// How many.
    pub credits: Credits,
}

/// Credits that are about to expire.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Expiring {
    /// When.
    pub at: Timestamp,
    /// How many, of all lots that end then.
    pub credits: Credits,
}

impl Wallet {
    /// Returns what the wallet has at an instant: as if everything due by then were booked.
    ///
    /// An instant before the last entry is taken as that entry's; [`crate::history`] knows the past.
    #[must_use]
    pub fn balances(&self, book: &PriceBook, at: Timestamp) -> Balances {
        self.balances_at_exactly(book, self.own_time(at))
    }

    /// Returns the wallet with everything due at an instant booked, without writing anything anywhere.
    #[must_use]
    pub fn settled(&self, book: &PriceBook, at: Timestamp) -> Self {
        Draft::new(self, book, at).wallet
    }

    /// As [`Self::balances`], for an instant that may lie before the wallet's last entry was recorded: what was
    /// booked late is true of the instant it counts from.
    pub(crate) fn balances_at_exactly(&self, book: &PriceBook, at: Timestamp) -> Balances {
        let settled = Draft::settled_at(self, book, at).wallet;
        Balances::of(settled.open_lots(), settled.next_refill(book, at), at)
    }

    /// As [`Self::balances_at_exactly`], with the postings of entries that follow this wallet's and count before `at`;
    /// `now` is the wallet after all entries, which knows the lots that they name.
    pub(crate) fn balances_with(&self, book: &PriceBook, at: Timestamp, late: &[&Entry], now: &Self) -> Balances {
        let settled = Draft::settled_at(self, book, at).wallet;
        let sum = |account: &LedgerAccount, lot: LotNumber| -> i64 {
            let postings = late.iter().flat_map(|entry| &entry.postings);
            let meant = postings.filter(|posting| posting.lot == lot && posting.account == *account);
            meant.map(|posting| posting.amount).sum()
        };
        // What was given back later may have been used for what happened earlier: never below zero.
        let part = |micro: i64| Credits::from_micro(micro.max(0)).expect("it is at least zero");
        let told = |lot: Lot, (available, held): (Credits, Credits)| Lot {
            available: part(available.micro() + sum(&LedgerAccount::Lot, lot.number)),
            held: part(held.micro() + sum(&LedgerAccount::Held, lot.number)),
            ..lot
        };
        let known = settled.lots().map(|lot| told(lot, (lot.available, lot.held)));
        let names_new = |lot: &Lot| {
            let postings = late.iter().flat_map(|entry| &entry.postings);
            settled.record(lot.number).is_none() && postings.into_iter().any(|posting| posting.lot == lot.number)
        };
        let new = now.lots().filter(names_new).map(|lot| told(lot, (Credits::ZERO, Credits::ZERO)));
        let mut lots: Vec<Lot> = known.chain(new).collect();
        lots.retain(|lot| !lot.available.is_zero() || !lot.held.is_zero());
        lots.sort_unstable_by_key(|lot| {
            let end = lot.expires_at.unwrap_or(Timestamp::MAX);
            (lot.priority, end, lot.class, lot.effective_at, lot.number)
        });
        Balances::of(lots.into_iter(), settled.next_refill(book, at), at)
    }

    /// Returns when something is next due that [`crate::Command::Settle`] would book: a hold's end, a lot's, or
    /// a month's credits; an instant that has passed is overdue. For a sweeper's queue, which asks again when a
    /// version of the prices comes into force: what a later one brings is not foreseen beyond the next month.
    #[must_use]
    pub fn next_due(&self, book: &PriceBook, now: Timestamp) -> Option<Timestamp> {
        let holds = self.open_holds().map(|hold| hold.expires_at);
        let ends = self.open_lots.iter().filter(|lot| !lot.expired && lot.expires_at != i64::MAX);
        let ends = ends.map(|lot| Timestamp::from_micros(lot.expires_at));
        let grant = self.due_grant(book, now).map(|grant| grant.effective_at);
        let refill = self.next_refill(book, now).map(|refill| refill.at);
        holds.chain(ends).chain(grant).chain(refill).min()
    }

    /// Returns the next occurrence of the plan after `at`, as the prices published so far have it.
    fn next_refill(&self, book: &PriceBook, at: Timestamp) -> Option<Refill> {
        let policy = self.anchor_policy(book, at)?;
        let index = self.occurrence_at(at, policy)?.checked_add(1)?.max(self.next_occurrence);
        let at = self.occurrence_start(index, policy);
        let credits = self.monthly(self.plan_terms(book, at).filter(|terms| !terms.is_paid())?);
        (!credits.is_zero()).then_some(Refill { at, credits })
    }
}

impl Balances {
    /// Returns what lots that stand in burn order come to.
    fn of(lots: impl Iterator<Item = Lot>, next_refill: Option<Refill>, at: Timestamp) -> Self {
        let live = |lot: &Lot| lot.is_live(at) || !lot.held.is_zero();
        let lots: Vec<LotBalance> = lots.filter(live).map(|lot| LotBalance::of(&lot)).collect();
        let sum = |amount: fn(&LotBalance) -> Credits| {
            let micro = lots.iter().map(|lot| amount(lot).micro()).sum();
            Credits::from_micro(micro).expect("no part of a lot is negative")
        };
        Self {
            available: sum(|lot| lot.available),
            held: sum(|lot| lot.held),
            next_refill,
            first_expiring: first_expiring(&lots),
            lots,
        }
    }
}

impl LotBalance {
    fn of(lot: &Lot) -> Self {
        let &Lot { number, class, source, granted, available, held, expires_at, cost, .. } = lot;
        Self { number, class, source, granted, available, held, expires_at, cost }
    }
}

fn first_expiring(lots: &[LotBalance]) -> Option<Expiring> {
    let ends = lots.iter().filter(|lot| !lot.available.is_zero()).filter_map(|lot| lot.expires_at);
    let at = ends.min()?;
    let ending = lots.iter().filter(|lot| lot.expires_at == Some(at));
    let micro = ending.map(|lot| lot.available.micro()).sum();
    Some(Expiring { at, credits: Credits::from_micro(micro).expect("what is available is not negative") })
}
