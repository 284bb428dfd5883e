//! Reports: what all live accounts together received, earned and still owe, per currency and period; and the trial
//! balance.
//!
//! Entries are fed one by one and not kept: memory grows with accounts that are sandboxes and with lots that were
//! paid for, never with entries. Sandboxes are left out, because nothing in them was bought or sold.

use std::collections::{BTreeMap, HashMap, HashSet};

use crate::amount::{Currency, Money};
use crate::calendar::{MONTHS_MAX, Months, month_of, months_after};
use crate::entry::{Entry, Fact};
use crate::ids::{AccountId, LotNumber};
use crate::operation::Operation;
use crate::posting::{LedgerAccount, Posting, Unit};
use crate::statement::Period;
use crate::time::Timestamp;
use crate::verify::TrialLine;

/// By which of an entry's two instants it belongs to a period.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Basis {
    /// By when it counts, as statements do. Usage that comes late, and an expiry that is booked late, still change
    /// a period that is over.
    #[default]
    Effective,
    /// By when it was decided: a period that is over never changes.
    Recorded,
}

/// How a report's period is divided.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Grouping {
    /// Not at all.
    #[default]
    Whole,
    /// By calendar month, in UTC. The first and the last may be cut short.
    Month,
}

/// More months than a report has lines for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooManyMonths;

/// The sums of ledger accounts, each in its units.
pub type Sums = BTreeMap<(LedgerAccount, Unit), i128>;

/// A report that is being fed.
#[derive(Clone, Debug)]
pub struct Reporting {
    basis: Basis,
    period: Period,
    grouping: Grouping,
    sandboxes: HashSet<AccountId>,
    /// What was posted in each part of the period, by its first instant; `None` is all before the period.
    parts: BTreeMap<Option<Timestamp>, Part>,
    lots: HashMap<(AccountId, LotNumber), PaidLot>,
    entries: u64,
    sandbox_entries: u64,
}

#[derive(Clone, Debug, Default)]
struct Part {
    sums: Sums,
    /// Money that went back, which is in the sums with what came.
    returned: BTreeMap<Currency, i128>,
}

/// A lot with a cost: what its deferred money is to be, told from its credits alone.
#[derive(Clone, Debug)]
struct PaidLot {
    cost: Money,
    granted: i64,
    /// What a part of the period adds to captured, and to captured, available and held together.
    changes: Vec<(Option<Timestamp>, i64, i64)>,
}

/// What all live accounts together received, earned and still owe.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// By which instant entries belong to a period.
    pub basis: Basis,
    /// The parts of the period in order; at least one unless it was divided and nothing ever happened.
    pub periods: Vec<PeriodReport>,
    /// How many entries were counted, those before the period included.
    pub entries: u64,
    /// How many entries were left out, because they are of sandboxes.
    pub sandbox_entries: u64,
}

/// One part of a report's period.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PeriodReport {
    /// Which.
    pub period: Period,
    /// The ledger accounts before it.
    pub opening: Sums,
    /// The ledger accounts after it.
    pub closing: Sums,
    returned: BTreeMap<Currency, i128>,
    lots: BTreeMap<Currency, i128>,
}

/// The money of one currency in one period, in minor units:
/// `deferred_opening + received − returned + receivable − tax − recognised − breakage + customer_debt + refunds =
/// deferred_closing`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MoneyReport {
    /// The currency.
    pub currency: Currency,
    /// Received and not earned before the period.
    pub deferred_opening: i128,
    /// Money that came, with tax.
    pub received: i128,
    /// Money that went back, with tax: refunds and disputes.
    pub returned: i128,
    /// What invoices add to what is owed to us, less what was paid of them.
    pub receivable: i128,
    /// Tax on what was sold, less the tax on what went back.
    pub tax: i128,
    /// Earned by captures, by operation.
    pub recognised: BTreeMap<Operation, i128>,
    /// Earned by expiry.
    pub breakage: i128,
    /// What customers came to owe for spent credits whose money went back, less what they repaid.
    pub customer_debt: i128,
    /// What reversals cost in the end: the ledger account `refunds`; below zero for a gain.
    pub refunds: i128,
    /// Received and not earned after the period.
    pub deferred_closing: i128,
    /// The same, told by the rule from the credits of every lot; see [`MoneyReport::difference`].
    pub deferred_of_lots: i128,
    /// What invoices are unpaid after the period.
    pub receivable_closing: i128,
    /// What customers owe after the period.
    pub customer_debt_closing: i128,
}

impl Basis {
    /// Returns the instant by which an entry belongs to a period.
    #[must_use]
    pub const fn of(self, entry: &Entry) -> Timestamp {
        match self {
            Self::Effective => entry.effective_at,
            Self::Recorded => entry.recorded_at,
        }
    }

    /// Returns the name: `effective`, `recorded`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Effective => "effective",
            Self::Recorded => "recorded",
        }
    }
}

impl Reporting {
    /// Begins a report of a period.
    ///
    /// # Errors
    /// [`TooManyMonths`] for a period of more than [`MONTHS_MAX`] months that is divided by them.
    pub fn new(period: Period, grouping: Grouping, basis: Basis) -> Result<Self, TooManyMonths> {
        let months_max = Months::new(MONTHS_MAX).expect("the most months are months");
        let bounded = period.start().zip(period.end());
        let too_long = bounded.is_some_and(|(from, until)| months_after(month_of(from), months_max) < until);
        if grouping == Grouping::Month && too_long {
            return Err(TooManyMonths);
        }
        Ok(Self {
            basis,
            period,
            grouping,
            sandboxes: HashSet::new(),
            parts: BTreeMap::new(),
            lots: HashMap::new(),
            entries: 0,
            sandbox_entries: 0,
        })
    }

    /// Begins a trial balance: every entry up to and including an instant, in one part.
    #[must_use]
    pub fn until(at: Timestamp, basis: Basis) -> Self {
        let until = at.plus(std::time::Duration::from_micros(1)).unwrap_or(Timestamp::MAX);
        let period = Period { until, ..Period::ALWAYS };
        Self::new(period, Grouping::Whole, basis).expect("a period that is not divided has no months")
    }

    /// Takes one more entry. Those of one account come in order; accounts may alternate.
    pub fn feed(&mut self, entry: &Entry) {
        if matches!(entry.fact, Fact::Opened { sandbox: true, .. }) {
            self.sandboxes.insert(entry.account);
        }
        if self.sandboxes.contains(&entry.account) {
            self.sandbox_entries += 1;
            return;
        }
        let at = self.basis.of(entry);
        self.note_lots(entry);
        if at >= self.period.until {
            return;
        }
        self.entries += 1;
        let part = self.part_of(at);
        let sums = self.parts.entry(part).or_default();
        for posting in &entry.postings {
            let amount = i128::from(posting.amount);
            *sums.sums.entry((posting.account.clone(), posting.unit)).or_default() += amount;
            match posting.unit {
                Unit::Money(currency) if posting.account == LedgerAccount::Cash && amount < 0 => {
                    *sums.returned.entry(currency).or_default() -= amount;
                }
                Unit::Money(_) => {}
                Unit::Credits => {
                    if let Some(lot) = self.lots.get_mut(&(entry.account, posting.lot)) {
                        lot.add(part, posting);
                    }
                }
            }
        }
    }

    /// Takes note of the lots that an entry issues for money.
    fn note_lots(&mut self, entry: &Entry) {
        let granted = entry.fact.grants().iter().map(|grant| (grant.lot, grant.cost, grant.credits));
        let moved = entry.fact.replacements().iter().map(|moved| (moved.lot, moved.cost, moved.credits));
        for (lot, cost, credits) in granted.chain(moved) {
            if let Some(cost) = cost.filter(|cost| !cost.amount.is_zero()) {
                let lot_of = PaidLot { cost, granted: credits.micro(), changes: Vec::new() };
                self.lots.insert((entry.account, lot), lot_of);
            }
        }
    }

    /// The part of the period that an instant is in, by its first instant.
    fn part_of(&self, at: Timestamp) -> Option<Timestamp> {
        if at < self.period.from {
            return None;
        }
        Some(match self.grouping {
            Grouping::Whole => self.period.from,
            Grouping::Month => month_of(at).max(self.period.from),
        })
    }

    /// Ends the report.
    #[must_use]
    pub fn finish(self) -> Report {
        let periods = self.periods();
        let Self { basis, mut parts, lots, entries, sandbox_entries, .. } = self;
        let before = parts.remove(&None).unwrap_or_default();
        let mut sums = before.sums;
        let mut reports = Vec::with_capacity(periods.len());
        for period in periods {
            let opening = sums.clone();
            let part = parts.remove(&Some(period.from)).unwrap_or_default();
            for (key, amount) in part.sums {
                *sums.entry(key).or_default() += amount;
            }
            let closing = sums.clone();
            reports.push(PeriodReport { period, opening, closing, returned: part.returned, lots: BTreeMap::new() });
        }
        for lot in lots.values() {
            lot.add_deferred(&mut reports);
        }
        Report { basis, periods: reports, entries, sandbox_entries }
    }

    /// The parts of the period, also those in which nothing happened.
    fn periods(&self) -> Vec<Period> {
        let Period { from, until } = self.period;
        if self.grouping == Grouping::Whole {
            return vec![self.period];
        }
        let happened: Vec<Timestamp> = self.parts.keys().filter_map(|part| *part).collect();
        // Where the period has no bounds, what happened has.
        let first = self.period.start().or_else(|| happened.first().copied());
        let last = self.period.end().or_else(|| happened.last().map(|last| months_after(month_of(*last), Months::ONE)));
        let (Some(first), Some(last)) = (first, last) else { return Vec::new() };
        let mut periods = Vec::new();
        let mut start = first.max(from);
        while start < last.min(until) {
            let end = months_after(month_of(start), Months::ONE).min(last);
            periods.push(Period { from: start, until: end });
            start = end;
        }
        periods
    }
}

impl PaidLot {
    fn add(&mut self, part: Option<Timestamp>, posting: &Posting) {
        let (captured, kept) = match posting.account {
            LedgerAccount::Lot | LedgerAccount::Held => (0, posting.amount),
            LedgerAccount::Used(_) | LedgerAccount::Debt | LedgerAccount::Clawed => (posting.amount, posting.amount),
            _ => return,
        };
        match self.changes.iter_mut().find(|(known, ..)| *known == part) {
            Some((_, captured_in_all, kept_in_all)) => {
                *captured_in_all += captured;
                *kept_in_all += kept;
            }
            None => self.changes.push((part, captured, kept)),
        }
    }

    /// Adds what of its cost is deferred after each period: `floor(cost × kept ÷ granted) − floor(cost × captured ÷
    /// granted)`.
    fn add_deferred(&self, reports: &mut [PeriodReport]) {
        let share = |credits: i64| {
            (i128::from(self.cost.amount.minor()) * i128::from(credits)).div_euclid(i128::from(self.granted))
        };
        for report in reports {
            let known = |part: &Option<Timestamp>| part.is_none_or(|part| part <= report.period.from);
            let changes = self.changes.iter().filter(|(part, ..)| known(part));
            let (captured, kept) = changes.fold((0, 0), |(c, k), (_, captured, kept)| (c + captured, k + kept));
            *report.lots.entry(self.cost.currency).or_default() += share(kept) - share(captured);
        }
    }
}

impl Report {
    /// Returns the sums of all ledger accounts after the last part of the period: the trial balance.
    #[must_use]
    pub fn trial_balance(&self) -> Vec<TrialLine> {
        let closing = self.periods.last().map(|last| &last.closing).into_iter().flatten();
        let lines = closing.filter(|(_, amount)| **amount != 0);
        lines
            .map(|((account, unit), amount)| TrialLine { account: account.clone(), unit: *unit, amount: *amount })
            .collect()
    }

    /// Returns whether deferred money is what the credits of the lots stand for, after every part of the period, and
    /// the trial balance is zero in every unit.
    ///
    /// By [`Basis::Recorded`] it always is. By [`Basis::Effective`] a cent may be in another period than its credit
    /// where usage came late, because shares are rounded in the order in which credits were spent.
    #[must_use]
    pub fn ties_out(&self) -> bool {
        let sums_to_zero = |sums: &Sums| {
            let mut units: BTreeMap<Unit, i128> = BTreeMap::new();
            sums.iter().for_each(|((_, unit), amount)| *units.entry(*unit).or_default() += amount);
            units.values().all(|sum| *sum == 0)
        };
        let ties = |period: &PeriodReport| period.money().iter().all(|money| money.difference() == 0);
        self.periods.iter().all(|period| ties(period) && sums_to_zero(&period.closing))
    }
}

impl PeriodReport {
    /// Returns the money, by currency; nothing before the first money came.
    #[must_use]
    pub fn money(&self) -> Vec<MoneyReport> {
        let mut currencies: Vec<Currency> = self
            .closing
            .keys()
            .filter_map(|(_, unit)| match unit {
                Unit::Money(currency) => Some(*currency),
                Unit::Credits => None,
            })
            .collect();
        currencies.sort_unstable();
        currencies.dedup();
        currencies.into_iter().map(|currency| self.money_of(currency)).collect()
    }

    fn money_of(&self, currency: Currency) -> MoneyReport {
        let of = |sums: &Sums, account| sums.get(&(account, Unit::Money(currency))).copied().unwrap_or_default();
        let opening = |account| of(&self.opening, account);
        let closing = |account| of(&self.closing, account);
        let change = |account: LedgerAccount| closing(account.clone()) - opening(account);
        let recognised = self.closing.keys().filter_map(|(account, unit)| match account {
            LedgerAccount::Revenue(operation) if *unit == Unit::Money(currency) => {
                Some((operation.clone(), -change(account.clone())))
            }
            _ => None,
        });
        let returned = self.returned.get(&currency).copied().unwrap_or_default();
        MoneyReport {
            currency,
            deferred_opening: -opening(LedgerAccount::Deferred),
            received: change(LedgerAccount::Cash) + returned,
            returned,
            receivable: change(LedgerAccount::Receivable),
            tax: -change(LedgerAccount::TaxPayable),
            recognised: recognised.collect(),
            breakage: -change(LedgerAccount::BreakageRevenue),
            customer_debt: change(LedgerAccount::CustomerDebt),
            refunds: change(LedgerAccount::Refunds),
            deferred_closing: -closing(LedgerAccount::Deferred),
            deferred_of_lots: self.lots.get(&currency).copied().unwrap_or_default(),
            receivable_closing: closing(LedgerAccount::Receivable),
            customer_debt_closing: closing(LedgerAccount::CustomerDebt),
        }
    }
}

impl MoneyReport {
    /// Returns what was earned by captures in all.
    #[must_use]
    pub fn recognised_in_all(&self) -> i128 {
        self.recognised.values().sum()
    }

    /// Returns by how much the deferred money on the books differs from what the credits of the lots stand for.
    #[must_use]
    pub const fn difference(&self) -> i128 {
        self.deferred_closing - self.deferred_of_lots
    }
}
