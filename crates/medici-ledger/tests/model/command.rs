//! Steps as commands: what a step asks of the wallet as it stands.

use std::time::Duration;

use medici_ledger::{
    Command, HoldId, KeyId, MemberId, Money, Operation, Order, OrderId, Overrides, PlanChangeMode, PlanLimits, Quote,
    Refusal, Reversal, Spender, Subject, Timestamp, Usage, Wallet, Wish,
};

use crate::compare::Pair;
use crate::history::{Action, GrantStep, Step, Twist, WishStep};
use crate::world::{PACKS, cents, credits, money};

/// What a step comes to.
pub(crate) enum Asked {
    /// Nothing that can be asked as things are.
    Nothing,
    /// A command.
    Command(Command),
    /// An order that is not to be had.
    NotSold(Refusal),
}

fn hold(id: u32) -> HoldId {
    HoldId::from_u128(u128::from(id))
}

fn order_id(order: u32) -> OrderId {
    OrderId::from_u128(u128::from(order))
}

/// Nobody, the first or the second member, by no key or the first.
fn spender(number: u8) -> Spender {
    let member = Some(number % 3).filter(|member| *member > 0).map(|member| MemberId::from_u128(u128::from(member)));
    Spender { member, key: (number / 3 > 0).then(|| KeyId::from_u128(1)) }
}

fn subject(number: u8) -> Subject {
    match number {
        0 => Subject::Account,
        1 | 2 => Subject::Member(MemberId::from_u128(u128::from(number))),
        _ => Subject::Key(KeyId::from_u128(1)),
    }
}

fn grant(grant: &GrantStep) -> Command {
    Command::Grant {
        class: grant.class,
        credits: credits(grant.amount),
        cost: grant.cost.map(money),
        effective_at: Timestamp::from_micros(grant.from),
        expires_at: grant.until.map(Timestamp::from_micros),
        priority: grant.priority,
        source: grant.source,
        tax: cents(grant.tax),
    }
}

impl Pair<'_> {
    /// Returns what a step asks.
    pub(crate) fn asked(&self, step: &Step) -> Asked {
        match &step.action {
            Action::Place { order, wish, tax, twist } => self.order(step.at, *order, *wish, *tax, *twist),
            _ => self.command(step).map_or(Asked::Nothing, Asked::Command),
        }
    }

    fn quote(&self, operation: &str, count: u32, at: Timestamp) -> Option<Quote> {
        let operation: Operation = operation.parse().unwrap();
        self.world.book.quote(&Usage::of(operation, count), at).ok()
    }

    /// `None` where an operation has no price yet, or a hold was not captured.
    fn command(&self, step: &Step) -> Option<Command> {
        let at = self.wallet.own_time(Timestamp::from_micros(step.at));
        let timeout = |micros: i64| Duration::from_micros(u64::try_from(micros).unwrap());
        let name = |name: &u32| format!("re_{name}").parse().unwrap();
        Some(match &step.action {
            Action::Open { plan, sandbox } => {
                Command::Open { plan: plan.parse().unwrap(), sandbox: sandbox.map(Timestamp::from_micros) }
            }
            Action::Grant(step) => grant(step),
            Action::Hold { id, operation, count, timeout: micros, spender: by } => Command::Hold {
                hold: hold(*id),
                quote: self.quote(operation, *count, at)?,
                timeout: timeout(*micros),
                spender: spender(*by),
            },
            Action::Extend { id, timeout: micros } => Command::Extend { hold: hold(*id), timeout: timeout(*micros) },
            Action::Capture { id, amount } => Command::Capture { hold: hold(*id), amount: credits(*amount) },
            Action::Void { id, reason } => Command::Void { hold: hold(*id), reason: *reason },
            Action::Charge { id, operation, count, spender: by, happened_at } => {
                let happened_at = happened_at.map(Timestamp::from_micros);
                let then = self.wallet.usage_instant(&self.world.book, happened_at, Timestamp::from_micros(step.at));
                let quote = self.quote(operation, *count, then)?;
                Command::Charge { charge: hold(*id), quote, spender: spender(*by), happened_at, event: None }
            }
            Action::Uncollected { id, amount } => Command::Uncollected { hold: hold(*id), amount: credits(*amount) },
            Action::Settle => Command::Settle,
            Action::Place { .. } => unreachable!("orders are asked for elsewhere"),
            Action::Invoice { order } => Command::InvoiceOrder { order: order_id(*order) },
            Action::Pay { order, more } => {
                Command::PayOrder { order: order_id(*order), amount: self.due(*order, *more) }
            }
            Action::Cancel { order } => Command::CancelOrder { order: order_id(*order) },
            Action::Refund { order, name: re, amount } => {
                let currency = self.due(*order, 0).currency;
                let amount = amount.map(|minor| Money::new(cents(minor), currency));
                Command::Refund { order: order_id(*order), refund: name(re), amount }
            }
            Action::Reverse { order, name: re, state, amount } => Command::Reverse {
                order: order_id(*order),
                reversal: Reversal { id: name(re), state: *state, amount: cents(*amount) },
            },
            Action::GiveBack { id, amount, reason } => Command::GiveBack {
                capture: self.captures.get(&hold(*id))?.clone()?,
                amount: credits(*amount),
                reason: *reason,
            },
            Action::Withdraw { lot, amount } => {
                Command::Withdraw { lot: medici_ledger::LotNumber::new(*lot), amount: credits(*amount) }
            }
            Action::ChangePlan { plan } => Command::ChangePlan { plan: plan.parse().unwrap() },
            Action::Join { cohort, code } => {
                Command::JoinCohort { cohort: cohort.parse().unwrap(), code: code.map(Into::into) }
            }
            Action::SetBudget { subject: of, period, limit } => {
                Command::SetBudget { subject: subject(*of), period: *period, limit: limit.map(credits) }
            }
            Action::SetOverrides { monthly } => Command::SetOverrides {
                overrides: monthly.map(|monthly| Overrides {
                    monthly: monthly.map(credits),
                    limits: PlanLimits { images_max: Some(4), ..PlanLimits::default() },
                }),
            },
            Action::SetAlert { below } => Command::SetAlert { below: below.map(credits) },
            Action::SetClock { to } => Command::SetClock { to: Timestamp::from_micros(*to) },
        })
    }

    /// What is due for an order, and so much more.
    fn due(&self, order: u32, more: i64) -> Money {
        match self.wallet.order(order_id(order)) {
            Some(record) => {
                let total = record.order.total();
                let due = total.amount.minor() - record.reversed.minor() + more;
                Money::new(cents(due.max(0)), total.currency)
            }
            None => money((1_500, "USD")),
        }
    }

    fn order(&self, at: i64, order: u32, wish: WishStep, tax: i64, twist: Twist) -> Asked {
        let id = order_id(order);
        if let Some(record) = self.wallet.order(id) {
            let mut order = record.order.clone();
            if twist == Twist::OtherTax {
                order.tax = order.tax.checked_add(cents(1)).unwrap();
            }
            return Asked::Command(Command::PlaceOrder(order));
        }
        // The book's packs are sold at any time: only plans need a version in force.
        match sold(&self.wallet, &self.world.book, id, wish, Timestamp::from_micros(at)) {
            Ok(mut order) => {
                order.tax = cents(tax);
                match twist {
                    Twist::NoCredits => order.credits = credits(0),
                    Twist::Bonus => order.bonus = credits(1),
                    Twist::Right | Twist::OtherTax => {}
                }
                Asked::Command(Command::PlaceOrder(order))
            }
            Err(refusal) => Asked::NotSold(refusal),
        }
    }
}

fn sold(
    wallet: &Wallet,
    book: &medici_ledger::PriceBook,
    id: OrderId,
    wish: WishStep,
    at: Timestamp,
) -> Result<Order, Refusal> {
    // Whoever is not open yet can only be refused.
    let wish = if wallet.plan().is_some() { wish } else { WishStep::Packs { pack: 0, packs: 1 } };
    match wish {
        WishStep::Packs { pack, packs } => {
            wallet.order_of(id, &Wish::Packs { pack: &PACKS[pack].for_ledger(), packs }, book, at)
        }
        WishStep::Period => wallet.order_of(id, &Wish::Period, book, at),
        WishStep::Change { plan, full } => {
            let mode = if full { PlanChangeMode::FullPrice } else { PlanChangeMode::Prorated };
            wallet.order_of(id, &Wish::PlanChange { plan: plan.parse().unwrap(), mode }, book, at)
        }
    }
}
