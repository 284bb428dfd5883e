//! A year of many accounts through the pure ledger: months, charges, holds, purchases, refunds. No store, no clock.

use std::time::Duration;

use medici_ledger::{
    AccountId, Cents, Command, Credits, HoldId, Item, Money, Months, Operation, Order, OrderId, PriceBook, Timestamp,
    Usage, Wallet,
};

use super::{
    books::{built_in, later},
    machine::thread_cpu,
    measure::Report,
};

/// How many accounts live through the year.
const ACCOUNTS: u64 = 10_000;
const DAY: u64 = 24 * 60 * 60;
/// Each account comes every so many days, at its own time of the day.
const VISITS_EVERY_DAYS: u64 = 6;

/// Measures the year.
pub(crate) fn run(report: &mut Report) {
    let book = built_in();
    let begun = thread_cpu();
    let mut entries = 0;
    for number in 0..ACCOUNTS {
        entries += live(&book, number);
    }
    let seconds = (thread_cpu() - begun).as_secs_f64();
    report.figure("entries of a year of 10000 accounts", entries as f64, "");
    report.at_most("a year of 10000 accounts through the pure ledger", seconds, 10.0, "s");
}

/// Lets one account live through its year, and returns how many entries that took.
fn live(book: &PriceBook, number: u64) -> u64 {
    let opened = after(later(0), number % (30 * DAY));
    let mut account = Life { book, wallet: Wallet::new(AccountId::from_u128(u128::from(number) + 1)), ids: 0 };
    account.run(opened, &Command::open("free".parse().expect("a plan's name")));
    for visit in 0..365 / VISITS_EVERY_DAYS {
        let now = after(opened, visit * VISITS_EVERY_DAYS * DAY + number % DAY);
        // Two pictures' worth and one that is cancelled: more than the free month gives, for some.
        account.charge(now);
        account.charge(now);
        account.hold(now, visit.is_multiple_of(4));
        if number.is_multiple_of(5) && visit % 20 == 10 {
            account.buy(now, number.is_multiple_of(50));
        }
    }
    account.wallet.check().expect("a year leaves a sound wallet");
    account.wallet.seq()
}

struct Life<'a> {
    book: &'a PriceBook,
    wallet: Wallet,
    ids: u128,
}

impl Life<'_> {
    /// Decides a command; a refusal, for want of credits, leaves everything as it was.
    fn run(&mut self, now: Timestamp, command: &Command) -> bool {
        match self.wallet.decide(command, self.book, now) {
            Ok(decision) => {
                self.wallet = decision.wallet;
                true
            }
            Err(_) => false,
        }
    }

    fn id(&mut self) -> u128 {
        self.ids += 1;
        self.ids
    }

    fn quote(&self, now: Timestamp) -> medici_ledger::Quote {
        self.book.quote(&Usage::of(Operation::Generate, 4), now).expect("the built-in book prices pictures")
    }

    fn charge(&mut self, now: Timestamp) {
        let id = HoldId::from_u128(self.id());
        self.run(now, &Command::charge(id, self.quote(now)));
    }

    fn hold(&mut self, now: Timestamp, cancelled: bool) {
        let hold = HoldId::from_u128(self.id());
        if !self.run(now, &Command::hold(hold, self.quote(now), Duration::from_secs(900))) {
            return;
        }
        let ended = if cancelled {
            Command::Void { hold, reason: medici_ledger::VoidReason::Cancelled }
        } else {
            Command::Capture { hold, amount: Credits::whole(1) }
        };
        self.run(after(now, 20), &ended);
    }

    fn buy(&mut self, now: Timestamp, refunded: bool) {
        let id = OrderId::from_u128(self.id());
        let cost: Money = "15.00 USD".parse().expect("an amount");
        let item = Item::Packs { packs: 1, expires: Months::new(12).expect("a year") };
        let (credits, bonus) = (Credits::whole(115), Credits::ZERO);
        let order = Order { id, item, credits, bonus, cost, tax: Cents::ZERO };
        self.run(now, &Command::PlaceOrder(order));
        self.run(now, &Command::PayOrder { order: id, amount: cost });
        if refunded {
            let refund = "refund".parse().expect("a name");
            self.run(after(now, DAY), &Command::Refund { order: id, refund, amount: None });
        }
    }
}

fn after(at: Timestamp, seconds: u64) -> Timestamp {
    at.plus(Duration::from_secs(seconds)).expect("a year from now is within time")
}
