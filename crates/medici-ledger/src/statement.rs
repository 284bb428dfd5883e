//! Statements: opening + entries = closing, per class of credits and per currency.
//!
//! One model for every way of showing it: as text here, as JSON, CSV and HTML where formats are decided.

use std::collections::{BTreeMap, HashMap};
use std::fmt;

use crate::amount::{Cents, Currency, SignedCredits, SignedMoney};
use crate::entry::{Entry, Fact};
use crate::explain::{item, summary_with};
use crate::ids::{HoldId, LotNumber, OrderId};
use crate::lot::Class;
use crate::order::{Order, OrderRecord, OrderStatus, PaymentState};
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

    /// Returns whether an instant is in it.
    #[must_use]
    pub fn contains(&self, at: Timestamp) -> bool {
        self.from <= at && at < self.until
    }

    /// Returns its first instant; `None` where it has always begun.
    #[must_use]
    pub fn start(&self) -> Option<Timestamp> {
        Some(self.from).filter(|from| *from > Timestamp::MIN)
    }

    /// Returns the first instant after it; `None` where it never ends.
    #[must_use]
    pub fn end(&self) -> Option<Timestamp> {
        Some(self.until).filter(|until| *until < Timestamp::MAX)
    }
}

/// What happened to one account in a period.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Statement {
    /// The period.
    pub period: Period,
    /// Whether the account is a sandbox: its credits are play money, and its clock is set by hand.
    pub sandbox: bool,
    /// The entries that count in it, in order.
    pub lines: Vec<Line>,
    /// The orders of which something counts in it, as they stood at its end.
    pub orders: Vec<OrderLine>,
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
    /// When it was decided.
    pub recorded_at: Timestamp,
    /// What kind of fact it is; see [`crate::Fact::name`].
    pub fact: &'static str,
    /// What it says.
    pub text: String,
    /// The hold or charge it speaks of.
    pub hold: Option<HoldId>,
    /// The order it speaks of.
    pub order: Option<OrderId>,
    /// What it adds to available.
    pub available: i64,
    /// What it adds to held.
    pub held: i64,
    /// Available and held after it: the opening and every change up to here.
    pub balance: i64,
    /// What it adds to deferred, in minor units, by currency; nothing for an entry without money.
    pub deferred: Vec<(Currency, i64)>,
}

/// An order as it stood at the end of the period.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OrderLine {
    /// What was ordered.
    pub order: Order,
    /// The same in words.
    pub text: String,
    /// When it was placed.
    pub placed_at: Timestamp,
    /// What had become of it.
    pub status: OrderStatus,
    /// How much of its total had gone back, or was claimed back, with tax.
    pub reversed: Cents,
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
        let currencies = order_currencies(entries);
        let mut classes: BTreeMap<Class, ClassLine> = BTreeMap::new();
        let mut money: BTreeMap<Currency, MoneyLine> = BTreeMap::new();
        let mut lines = Vec::new();
        for entry in entries.iter().filter(|entry| entry.effective_at < period.until) {
            let inside = entry.effective_at >= period.from;
            if inside {
                lines.push(Line::of(entry, entry.fact.order().and_then(|order| currencies.get(&order).copied())));
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
        let classes: Vec<ClassLine> = classes.into_values().collect();
        let mut balance = classes.iter().map(|class| class.opening).sum();
        for line in &mut lines {
            balance += line.change();
            line.balance = balance;
        }
        Self {
            period,
            sandbox: entries.iter().any(|entry| matches!(entry.fact, Fact::Opened { sandbox: true, .. })),
            lines,
            orders: orders(entries, period),
            classes,
            money: money.into_values().collect(),
        }
    }

    /// Returns what was available and held before the period, in micro-credits.
    #[must_use]
    pub fn opening(&self) -> i64 {
        self.classes.iter().map(|class| class.opening).sum()
    }

    /// Returns what was available and held after it: the opening and the changes of all lines.
    #[must_use]
    pub fn closing(&self) -> i64 {
        self.classes.iter().map(|class| class.closing).sum()
    }
}

/// The orders of which something counts in a period, as the facts before its end leave them.
fn orders(entries: &[Entry], period: Period) -> Vec<OrderLine> {
    let mut records: Vec<(OrderRecord, bool)> = Vec::new();
    for entry in entries.iter().filter(|entry| entry.effective_at < period.until) {
        if let Fact::OrderPlaced(order) = &entry.fact {
            records.push((OrderRecord::new(order.clone(), entry.effective_at), false));
        }
        let Some(id) = entry.fact.order() else { continue };
        let found = records.iter_mut().find(|(record, _)| record.order.id == id);
        let (record, told) = found.expect("an order is placed before anything else happens to it");
        match &entry.fact {
            Fact::OrderCancelled { .. } => record.payment = PaymentState::Cancelled,
            Fact::OrderInvoiced { .. } => record.payment = PaymentState::Invoiced,
            Fact::OrderPaid { .. } => record.payment = PaymentState::Paid,
            Fact::OrderReversed { reversal, .. } => {
                record.merge(reversal);
            }
            _ => {}
        }
        *told |= entry.effective_at >= period.from;
    }
    let told = records.into_iter().filter(|(_, told)| *told);
    told.map(|(record, _)| OrderLine {
        text: item(&record.order),
        placed_at: record.placed_at,
        status: record.status(),
        reversed: record.target(),
        order: record.order,
    })
    .collect()
}

/// The currency of every order.
fn order_currencies(entries: &[Entry]) -> HashMap<OrderId, Currency> {
    let orders = entries.iter().filter_map(|entry| match &entry.fact {
        Fact::OrderPlaced(order) => Some((order.id, order.cost.currency)),
        _ => None,
    });
    orders.collect()
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
    fn of(entry: &Entry, currency: Option<Currency>) -> Self {
        let sum = |account: LedgerAccount| {
            entry.postings.iter().filter(|posting| posting.account == account).map(|posting| posting.amount).sum()
        };
        let mut deferred: Vec<(Currency, i64)> = Vec::new();
        for posting in entry.postings.iter().filter(|posting| posting.account == LedgerAccount::Deferred) {
            let Unit::Money(currency) = posting.unit else { continue };
            match deferred.iter_mut().find(|(known, _)| *known == currency) {
                Some((_, amount)) => *amount -= posting.amount,
                None => deferred.push((currency, -posting.amount)),
            }
        }
        deferred.retain(|(_, amount)| *amount != 0);
        Self {
            seq: entry.seq,
            effective_at: entry.effective_at,
            recorded_at: entry.recorded_at,
            fact: entry.fact.name(),
            text: summary_with(&entry.fact, currency),
            hold: entry.fact.hold(),
            order: entry.fact.order(),
            available: sum(LedgerAccount::Lot),
            held: sum(LedgerAccount::Held),
            balance: 0,
            deferred,
        }
    }

    /// Returns what it adds to available and held together, in micro-credits.
    #[must_use]
    pub const fn change(&self) -> i64 {
        self.available + self.held
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
        if self.sandbox {
            writeln!(f, "a sandbox: nothing here was bought or sold")?;
        }
        writeln!(f, "opening  {}", SignedCredits(self.opening()))?;
        for line in &self.lines {
            let plus = if line.change() > 0 { "+" } else { "" };
            let change = format!("{plus}{}", SignedCredits(line.change()));
            let balance = SignedCredits(line.balance).to_string();
            writeln!(f, "{:>5}  {}  {change:>8}  {balance:>8}  {}", line.seq, line.effective_at, line.text)?;
        }
        writeln!(f, "closing  {}", SignedCredits(self.closing()))?;
        for OrderLine { order, text, status, reversed, .. } in &self.orders {
            let (currency, status) = (order.cost.currency, status.as_str());
            let [tax, back] = [order.tax, *reversed].map(|amount| SignedMoney(amount.minor(), currency));
            writeln!(f, "{}  {text} {} + tax {tax} = {}, {status}, back {back}", order.id, order.cost, order.total())?;
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
