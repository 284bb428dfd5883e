//! Statements: opening + entries = closing, per class of credits and per currency.

use std::collections::{BTreeMap, HashMap};
use std::fmt;

use crate::amount::{Currency, SignedCredits, SignedMoney};
use crate::entry::Entry;
use crate::explain::summary;
use crate::ids::LotNumber;
use crate::lot::Class;
use crate::posting::{LedgerAccount, Posting, Unit};
use crate::time::Timestamp;

/// From an instant until before another, by when entries count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Period {
    /// The first instant of the period.
    pub from: Timestamp,
    /// The first instant after it.
    pub until: Timestamp,
}

impl Period {
    /// All of time.
    pub const ALWAYS: Self = Self { from: Timestamp::MIN, until: Timestamp::MAX };
}

/// What happened to one account in a period.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Statement {
    /// The period.
    pub period: Period,
    /// The entries that count in it, in order.
    pub lines: Vec<Line>,
    /// Per class, in burn order; classes the account never had are left out.
    pub classes: Vec<ClassLine>,
    /// Per currency; empty for an account that never paid.
    pub money: Vec<MoneyLine>,
}

/// One entry of a statement. Amounts are signed micro-credits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// The entry's number.
    pub seq: u64,
    /// When it counts.
    pub effective_at: Timestamp,
    /// What kind of fact it is; see [`crate::Fact::name`].
    pub fact: &'static str,
    /// What it says.
    pub text: String,
    /// What it adds to available.
    pub available: i64,
    /// What it adds to held.
    pub held: i64,
}

/// Credits of one class: `opening + granted − captured − expired − withdrawn = closing`. Micro-credits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClassLine {
    /// The class.
    pub class: Class,
    /// Available and held before the period.
    pub opening: i64,
    /// Granted in it.
    pub granted: i64,
    /// Spent in it, less what was given back; on operations or to repay a debt.
    pub captured: i64,
    /// Expired in it.
    pub expired: i64,
    /// Taken back in it: with their money, or by an operator.
    pub withdrawn: i64,
    /// Available and held after it.
    pub closing: i64,
    /// Of which held.
    pub closing_held: i64,
}

/// Money of one currency, in minor units:
/// `opening deferred + received − tax − recognised − breakage + owed + lost = closing deferred`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MoneyLine {
    /// The currency.
    pub currency: Currency,
    /// Received and not earned before the period.
    pub opening_deferred: i64,
    /// Received or invoiced in it with tax, less what went back.
    pub received: i64,
    /// Of which tax.
    pub tax: i64,
    /// Earned by captures in it, less what was given back.
    pub recognised: i64,
    /// Earned by expiry in it.
    pub breakage: i64,
    /// What customers came to owe for spent credits whose money went back, less what they repaid.
    pub owed: i64,
    /// What reversals cost in the end; below zero for a gain.
    pub lost: i64,
    /// Received and not earned after it.
    pub closing_deferred: i64,
}

impl Statement {
    /// Returns the statement of a period from all entries of one account, from the first on.
    #[must_use]
    pub fn of(entries: &[Entry], period: Period) -> Self {
        let lots = lot_classes(entries);
        let mut classes: BTreeMap<Class, ClassLine> = BTreeMap::new();
        let mut money: BTreeMap<Currency, MoneyLine> = BTreeMap::new();
        let mut lines = Vec::new();
        for entry in entries.iter().filter(|entry| entry.effective_at < period.until) {
            let inside = entry.effective_at >= period.from;
            if inside {
                lines.push(Line::of(entry));
            }
            for posting in &entry.postings {
                match posting.unit {
                    Unit::Credits => {
                        let class = *lots.get(&posting.lot).expect("a posting names a lot that was granted before");
                        classes.entry(class).or_insert(ClassLine::new(class)).add(posting, inside);
                    }
                    Unit::Money(currency) => {
                        money.entry(currency).or_insert(MoneyLine::new(currency)).add(posting, inside);
                    }
                }
            }
        }
        Self { period, lines, classes: classes.into_values().collect(), money: money.into_values().collect() }
    }
}

/// The class of every lot, which its grant or its replacement says.
fn lot_classes(entries: &[Entry]) -> HashMap<LotNumber, Class> {
    let mut lots = HashMap::new();
    for fact in entries.iter().map(|entry| &entry.fact) {
        lots.extend(fact.grants().iter().map(|grant| (grant.lot, grant.class)));
        for replacement in fact.replacements() {
            let class = *lots.get(&replacement.of).expect("a lot is granted before it is replaced");
            lots.insert(replacement.lot, class);
        }
    }
    lots
}

impl Line {
    fn of(entry: &Entry) -> Self {
        let sum = |account: LedgerAccount| {
            entry.postings.iter().filter(|posting| posting.account == account).map(|posting| posting.amount).sum()
        };
        Self {
            seq: entry.seq,
            effective_at: entry.effective_at,
            fact: entry.fact.name(),
            text: summary(&entry.fact),
            available: sum(LedgerAccount::Lot),
            held: sum(LedgerAccount::Held),
        }
    }
}

impl ClassLine {
    const fn new(class: Class) -> Self {
        Self { class, opening: 0, granted: 0, captured: 0, expired: 0, withdrawn: 0, closing: 0, closing_held: 0 }
    }

    fn add(&mut self, posting: &Posting, inside: bool) {
        let amount = posting.amount;
        if matches!(posting.account, LedgerAccount::Lot | LedgerAccount::Held) {
            self.closing += amount;
            self.opening += if inside { 0 } else { amount };
        }
        match posting.account {
            LedgerAccount::Held => self.closing_held += amount,
            LedgerAccount::Issuance(_) if inside => self.granted -= amount,
            LedgerAccount::Used(_) | LedgerAccount::Debt | LedgerAccount::Clawed if inside => self.captured += amount,
            LedgerAccount::Expired if inside => self.expired += amount,
            LedgerAccount::Withdrawn if inside => self.withdrawn += amount,
            _ => {}
        }
    }
}

impl MoneyLine {
    const fn new(currency: Currency) -> Self {
        Self {
            currency,
            opening_deferred: 0,
            received: 0,
            tax: 0,
            recognised: 0,
            breakage: 0,
            owed: 0,
            lost: 0,
            closing_deferred: 0,
        }
    }

    fn add(&mut self, posting: &Posting, inside: bool) {
        let amount = posting.amount;
        if posting.account == LedgerAccount::Deferred {
            self.closing_deferred -= amount;
            self.opening_deferred -= if inside { 0 } else { amount };
        }
        match posting.account {
            LedgerAccount::Cash | LedgerAccount::Receivable if inside => self.received += amount,
            LedgerAccount::CustomerDebt if inside => self.owed += amount,
            LedgerAccount::Refunds if inside => self.lost += amount,
            LedgerAccount::TaxPayable if inside => self.tax -= amount,
            LedgerAccount::Revenue(_) if inside => self.recognised -= amount,
            LedgerAccount::BreakageRevenue if inside => self.breakage -= amount,
            _ => {}
        }
    }
}

impl fmt::Display for Statement {
    /// Writes the statement as plain text.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for line in &self.lines {
            writeln!(f, "{:>5}  {}  {}", line.seq, line.effective_at, line.text)?;
        }
        for class in &self.classes {
            let ClassLine { class, opening, granted, captured, expired, withdrawn, closing, closing_held } = *class;
            let [opening, granted, captured, expired, withdrawn, closing, held] =
                [opening, granted, captured, expired, withdrawn, closing, closing_held].map(SignedCredits);
            writeln!(
                f,
                "{class:<5}  opening {opening} + granted {granted} - captured {captured} - expired {expired} \
                 - withdrawn {withdrawn} = closing {closing}, of which held {held}"
            )?;
        }
        for money in &self.money {
            let amount = |minor| SignedMoney(minor, money.currency);
            writeln!(
                f,
                "{}    deferred {} + received {} - tax {} - recognised {} - breakage {} + owed {} + lost {} \
                 = deferred {}",
                money.currency,
                amount(money.opening_deferred),
                amount(money.received),
                amount(money.tax),
                amount(money.recognised),
                amount(money.breakage),
                amount(money.owed),
                amount(money.lost),
                amount(money.closing_deferred),
            )?;
        }
        Ok(())
    }
}
