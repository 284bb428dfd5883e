//! Simulation: what another price book would have made of an account's past, without writing anything.
//!
//! The account is taken as it was when the period began, and lives through the same period again: the same charges,
//! captures, purchases and gifts at the same instants, at the other prices. What each picture's model, size and quality
//! was, the entries do not say: whoever knows what was asked for under a hold tells it, and any other charge is priced
//! as its operation, count and meters are.

use std::collections::{BTreeMap, HashMap};

use crate::amount::Currency;
use crate::command::Command;
use crate::entry::{Entry, Fact, Grant};
use crate::ids::{AccountId, HoldId};
use crate::operation::Operation;
use crate::posting::{LedgerAccount, Unit};
use crate::price_book::PriceBook;
use crate::quote::{Meters, Quote, Usage};
use crate::refusal::Refusal;
use crate::statement::Period;
use crate::time::Timestamp;
use crate::wallet::Wallet;

/// What happened, or would have happened, to one account or to many.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    /// Micro-credits spent, by operation.
    pub spent: BTreeMap<Operation, i128>,
    /// How many charges and captures there were, by operation.
    pub count: BTreeMap<Operation, u64>,
    /// Minor units earned by them, by currency.
    pub recognised: BTreeMap<Currency, i128>,
    /// Micro-credits that plans gave.
    pub given: i128,
}

/// An account's period, as it was and as it would have been.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Simulation {
    /// As it was.
    pub before: Outcome,
    /// As it would have been.
    pub after: Outcome,
    /// The first charge that would have been refused for want of credits.
    pub dry_at: Option<Timestamp>,
    /// How many would have been refused.
    pub refused: u64,
    /// How many could not be priced at all: the other book has no price for their operation.
    pub unpriced: u64,
}

impl Outcome {
    /// Adds another account's.
    pub fn add(&mut self, other: &Self) {
        for (operation, spent) in &other.spent {
            *self.spent.entry(operation.clone()).or_default() += spent;
        }
        for (operation, count) in &other.count {
            *self.count.entry(operation.clone()).or_default() += count;
        }
        for (currency, amount) in &other.recognised {
            *self.recognised.entry(*currency).or_default() += amount;
        }
        self.given += other.given;
    }

    fn see(&mut self, entry: &Entry) {
        for posting in &entry.postings {
            let amount = i128::from(posting.amount);
            match (&posting.account, posting.unit) {
                (LedgerAccount::Used(operation), _) => {
                    *self.spent.entry(operation.clone()).or_default() += amount;
                }
                (LedgerAccount::Revenue(_), Unit::Money(currency)) => {
                    *self.recognised.entry(currency).or_default() -= amount;
                }
                _ => {}
            }
        }
        match &entry.fact {
            Fact::Charged { quote, .. } => *self.count.entry(quote.operation.clone()).or_default() += 1,
            Fact::Granted(grant) if grant.source.occurrence().is_some() => {
                self.given += i128::from(grant.credits.micro());
            }
            _ => {}
        }
    }
}

/// What was asked for under holds, as far as it is known.
pub type Asked = HashMap<HoldId, Usage>;

/// Lives through a period of one account again, at the prices of another book, whose versions should count from the
/// beginning of the period on: see [`as_from`].
#[must_use]
pub fn simulate(account: AccountId, entries: &[Entry], asked: &Asked, other: &PriceBook, period: Period) -> Simulation {
    let prices = Prices { asked, other };
    let mut simulation = Simulation::default();
    let mut wallet = Wallet::new(account);
    let mut quotes: BTreeMap<HoldId, Quote> = BTreeMap::new();
    for entry in entries.iter().take_while(|entry| entry.recorded_at < period.until) {
        if let Fact::Held { hold, quote, .. } = &entry.fact {
            quotes.insert(*hold, quote.clone());
        }
        if entry.recorded_at < period.from {
            wallet.apply(entry).expect("entries of one account apply in order");
            continue;
        }
        simulation.before.see(entry);
        if let Fact::Captured { hold, amount, .. } = &entry.fact
            && !amount.is_zero()
            && let Some(quote) = quotes.get(hold)
        {
            *simulation.before.count.entry(quote.operation.clone()).or_default() += 1;
        }
        simulation.live(&mut wallet, entry, &quotes, &prices);
    }
    simulation
}

/// What a past is lived through again with.
struct Prices<'a> {
    asked: &'a Asked,
    other: &'a PriceBook,
}

impl Simulation {
    /// Does at the other prices what an entry says was done.
    fn live(&mut self, wallet: &mut Wallet, entry: &Entry, quotes: &BTreeMap<HoldId, Quote>, prices: &Prices<'_>) {
        let now = entry.recorded_at;
        let command = match &entry.fact {
            Fact::Charged { charge, quote, event, .. } => {
                let meters = event.as_ref().map(|event| event.quantities.clone()).unwrap_or_default();
                self.charge(*charge, quote, meters, prices, now)
            }
            // A hold and its capture are one charge here, at the time of the capture, for what was captured of it.
            Fact::Captured { hold, amount, .. } if !amount.is_zero() => match quotes.get(hold) {
                Some(quote) => self.charge(*hold, quote, Meters::default(), prices, now),
                None => None,
            },
            Fact::Opened { plan, sandbox } => Some(Command::Open { plan: *plan, sandbox: sandbox.then_some(now) }),
            Fact::Granted(grant) if grant.source.occurrence().is_none() => Some(granted(grant)),
            Fact::OrderPlaced(order) => Some(Command::PlaceOrder(order.clone())),
            Fact::OrderInvoiced { order, .. } => Some(Command::InvoiceOrder { order: *order }),
            Fact::OrderPaid { order, .. } => {
                wallet.order(*order).map(|record| Command::PayOrder { order: *order, amount: record.order.total() })
            }
            Fact::PlanChanged { plan, .. } => Some(Command::ChangePlan { plan: *plan }),
            Fact::CohortJoined { bonus: Some(bonus), .. } => Some(granted(bonus)),
            Fact::ClockSet => Some(Command::SetClock { to: entry.effective_at }),
            _ => None,
        };
        let Some(command) = command else { return };
        let spends = matches!(command, Command::Charge { .. });
        match wallet.decide(&command, prices.other, now) {
            Ok(decision) => {
                decision.entries.iter().for_each(|entry| self.after.see(entry));
                *wallet = decision.wallet;
            }
            Err(Refusal::InsufficientCredits { .. }) if spends => {
                self.refused += 1;
                self.dry_at.get_or_insert(now);
            }
            // What the other book does not know is left out: the comparison says so by its sums.
            Err(_) => {}
        }
    }

    fn charge(
        &mut self,
        id: HoldId,
        quote: &Quote,
        meters: Meters,
        prices: &Prices<'_>,
        now: Timestamp,
    ) -> Option<Command> {
        let known = prices.asked.get(&id).cloned();
        let usage = known.unwrap_or_else(|| Usage { meters, ..Usage::of(quote.operation.clone(), quote.count) });
        match prices.other.quote(&usage, now) {
            Ok(quote) => Some(Command::charge(id, quote)),
            Err(_) => {
                self.unpriced += 1;
                None
            }
        }
    }

    /// Adds another account's. The first to run dry stays the first.
    pub fn add(&mut self, other: &Self) {
        self.before.add(&other.before);
        self.after.add(&other.after);
        self.refused += other.refused;
        self.unpriced += other.unpriced;
        self.dry_at = [self.dry_at, other.dry_at].into_iter().flatten().min();
    }
}

fn granted(grant: &Grant) -> Command {
    let &Grant { class, credits, cost, effective_at, expires_at, priority, source, tax, .. } = grant;
    Command::Grant { class, credits, cost, effective_at, expires_at, priority, source, tax }
}

/// Returns a book whose versions count from an instant on: its last one alone, moved there.
#[must_use]
pub fn as_from(book: &PriceBook, from: Timestamp) -> PriceBook {
    let Some(last) = book.versions().last() else { return PriceBook::default() };
    let mut version = last.clone();
    version.effective_at = from;
    PriceBook::new(vec![version]).expect("a version that was sound is so at another instant")
}

#[cfg(test)]
mod tests;
