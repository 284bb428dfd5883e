//! Lots: where credits are, and the money that stands for them.

use medici_ledger::{Class, Currency, Money, Operation};

use super::accounts::Account;
use super::flaw::Flaw;
use super::model::{DAYS_7, Naive, Slices};

/// Where a lot comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the ledger's words, which say it there")]
pub enum NaiveSource {
    Monthly(usize),
    Purchase,
    Bonus,
    Goodwill,
    Replacement(u32),
    Rollover(u32),
    PlanChange(usize),
}

/// One lot.
#[derive(Clone, Copy, Debug)]
pub struct NaiveLot {
    /// Its number, from 1.
    pub number: u32,
    /// `free`, `promo` or `paid`.
    pub class: &'static str,
    /// Where it comes from.
    pub source: NaiveSource,
    /// What was granted. The sum of the next five, always.
    pub granted: i64,
    /// Can be held.
    pub available: i64,
    /// Set aside.
    pub held: i64,
    /// Spent, on operations or to repay a debt.
    pub captured: i64,
    /// Expired.
    pub expired: i64,
    /// Taken back, or living on as rollover.
    pub withdrawn: i64,
    /// Of what is spent, what repays a debt.
    pub repays: i64,
    /// Minor units and currency.
    pub cost: Option<(i64, Currency)>,
    /// Earned by captures, less what was given back.
    pub revenue: i64,
    /// Earned by expiry.
    pub breakage: i64,
    /// Live from.
    pub effective_at: i64,
    /// Live until.
    pub expires_at: Option<i64>,
    /// Burns in this order.
    pub priority: i64,
    /// Whether its end is booked.
    pub ended: bool,
}

impl NaiveLot {
    /// A lot as it is granted, with all of it available; [`Naive::add`] numbers it.
    pub(super) fn new(class: &'static str, source: NaiveSource, granted: i64, effective_at: i64) -> Self {
        Self {
            number: 0,
            class,
            source,
            granted,
            available: granted,
            held: 0,
            captured: 0,
            expired: 0,
            withdrawn: 0,
            repays: 0,
            cost: None,
            revenue: 0,
            breakage: 0,
            effective_at,
            expires_at: None,
            priority: 0,
            ended: false,
        }
    }

    /// What `credits` of this lot stand for: its cost times their share, rounded down.
    #[must_use]
    pub fn share(&self, credits: i64) -> i64 {
        let cost = self.cost.map_or(0, |(cost, _)| cost);
        let share = i128::from(cost) * i128::from(credits) / i128::from(self.granted);
        i64::try_from(share).expect("a share is at most the cost")
    }

    /// Credits that are spent or can still be.
    #[must_use]
    pub fn kept(&self) -> i64 {
        self.captured + self.held + self.available
    }

    /// Money of what is spent.
    #[must_use]
    pub fn recognised(&self) -> i64 {
        self.share(self.captured)
    }

    /// Money of what can still be spent.
    #[must_use]
    pub fn deferred(&self) -> i64 {
        self.share(self.kept()) - self.share(self.captured)
    }

    /// Lets available credits expire; their money is breakage.
    pub(super) fn expire_available(&mut self) {
        let lost = self.share(self.kept()) - self.share(self.kept() - self.available);
        self.expired += self.available;
        self.available = 0;
        self.breakage += lost;
    }

    /// Puts credits back that were taken out of `kept`: available, or expired at once where the lot is over.
    pub(super) fn back(&mut self, amount: i64) {
        if self.ended {
            self.expired += amount;
        } else {
            self.available += amount;
        }
    }
}

/// The ledger's word for a class.
pub(super) fn class_word(class: Class) -> &'static str {
    match class {
        Class::Free => "free",
        Class::Promo => "promo",
        Class::Paid => "paid",
    }
}

pub(super) fn minor(money: &Money) -> (i64, Currency) {
    (money.amount.minor(), money.currency)
}

impl Naive {
    /// Chooses slices in burn order: of lots that are live now or, for late usage, were live then.
    pub(super) fn pick(&self, needed: i64, then: i64) -> Result<Slices, String> {
        let candidates: Vec<(u32, i64)> =
            self.live(then).iter().map(|lot| (lot.number, self.unspent(lot))).filter(|(_, part)| *part > 0).collect();
        let available: i64 = candidates.iter().map(|(_, part)| part).sum();
        if needed > available {
            return Err(format!("insufficient: {needed} of {available}"));
        }
        let (mut slices, mut missing) = (Vec::new(), needed);
        for (number, whole) in candidates {
            let part = missing.min(whole);
            if part > 0 {
                slices.push((number, part));
                missing -= part;
            }
        }
        Ok(slices)
    }

    /// What of a lot can be spent by usage from when it was live.
    fn unspent(&self, lot: &NaiveLot) -> i64 {
        if !lot.ended {
            return lot.available;
        }
        let replaced = self.lots.iter().any(|other| other.source == NaiveSource::Replacement(lot.number));
        if replaced || self.flaw == Flaw::LateUsageLeavesExpiries { 0 } else { lot.expired }
    }

    pub(super) fn take(&mut self, slices: &[(u32, i64)]) {
        for (number, amount) in slices {
            let lot = self.lot(*number);
            lot.available -= amount;
            lot.held += amount;
        }
    }

    pub(super) fn spend(&mut self, slices: &[(u32, i64)], operation: &Operation) {
        for (number, amount) in slices {
            let rounds_up = self.flaw == Flaw::RevenueRoundsUp;
            let lot = self.lot(*number);
            let before = lot.recognised();
            lot.held -= amount;
            lot.captured += amount;
            let mut earned = lot.recognised() - before;
            if rounds_up && lot.captured < lot.granted && lot.cost.is_some() {
                earned += 1;
            }
            lot.revenue += earned;
            let currency = lot.cost.map(|(_, currency)| currency);
            self.post(operation, *amount, earned, currency);
        }
    }

    /// Counts what was used on an operation, and what it earned.
    pub(super) fn post(&mut self, operation: &Operation, used: i64, earned: i64, currency: Option<Currency>) {
        let mut add = |account: Account, amount: i64| *self.totals.entry(account).or_default() += amount;
        add(Account::used(operation), used);
        if let Some(currency) = currency {
            add(Account::revenue(operation, currency), -earned);
        }
    }

    /// Gives slices of a hold back, the last one first. What belongs to an ended lot expires, or is replaced.
    pub(super) fn release(&mut self, slices: &[(u32, i64)], ours: bool, at: i64) {
        for (number, amount) in slices.iter().rev() {
            let revives = self.flaw == Flaw::ExpiredLotRevives;
            let lot = self.lot(*number);
            if !lot.ended || revives {
                lot.held -= amount;
                lot.available += amount;
                continue;
            }
            let before = lot.share(lot.kept());
            lot.held -= amount;
            lot.expired += amount;
            let lost = before - lot.share(lot.kept());
            if ours {
                self.replace(*number, *amount, lost, at);
            } else {
                self.lot(*number).breakage += lost;
            }
        }
    }

    /// Makes a lot that lives a week for credits that expired by our fault, and gives it their money.
    pub(super) fn replace(&mut self, number: u32, amount: i64, money: i64, at: i64) {
        let old = *self.lot(number);
        let mut new = NaiveLot::new(old.class, NaiveSource::Replacement(number), amount, at);
        new.cost = old.cost.map(|(_, currency)| (money, currency));
        new.expires_at = Some(at + DAYS_7);
        new.priority = old.priority;
        self.add(new);
    }

    /// Appends a lot and returns its number.
    pub(super) fn add(&mut self, mut lot: NaiveLot) -> u32 {
        lot.number = u32::try_from(self.lots.len()).expect("a test has few lots") + 1;
        self.lots.push(lot);
        lot.number
    }

    pub(super) fn lot(&mut self, number: u32) -> &mut NaiveLot {
        &mut self.lots[number as usize - 1]
    }
}
