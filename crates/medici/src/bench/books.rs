//! Wallets and commands for measuring decisions alone.

use medici_ledger::{
    AccountId, Cents, Class, Command, Credits, Currency, Entry, HoldId, Money, Operation, PriceBook, Source, Timestamp,
    Usage, Wallet,
};

/// The instant at which the measured accounts begin.
pub(crate) fn beginning() -> Timestamp {
    "2026-11-01".parse().expect("a date")
}

/// Returns the instant `count` microseconds after the beginning.
pub(crate) fn later(count: u64) -> Timestamp {
    beginning().plus(std::time::Duration::from_micros(count)).expect("far from the end of time")
}

/// Returns the built-in price book.
pub(crate) fn built_in() -> PriceBook {
    medici_studio::prices::parse(medici_studio::prices::DEFAULT).expect("the built-in price book is valid")
}

/// Returns an open wallet with two lots: fifteen free credits, and bought ones that outlast any bench.
pub(crate) fn two_lots(number: u64, book: &PriceBook) -> Wallet {
    let now = beginning();
    let open = Command::open("free".parse().expect("a plan's name"));
    let wallet = Wallet::new(AccountId::from_u128(u128::from(number) + 1));
    let wallet = wallet.decide(&open, book, now).expect("the built-in book has this plan").wallet;
    wallet.decide(&purchase(1_000_000_000), book, now).expect("a plain purchase").wallet
}

/// Returns a purchase of that many credits at 15 cents each.
pub(crate) fn purchase(credits: u32) -> Command {
    let cents = Cents::from_minor(i64::from(credits) * 15).expect("not negative");
    Command::Grant {
        class: Class::Paid,
        credits: Credits::whole(credits),
        cost: Some(Money::new(cents, Currency::USD)),
        effective_at: beginning(),
        expires_at: Some("2036-11-01".parse().expect("a date")),
        priority: 0,
        source: Source::Purchase,
        tax: Cents::ZERO,
    }
}

/// Prices and charges one operation: everything that the ledger does for it.
pub(crate) fn charge(wallet: &Wallet, book: &PriceBook, id: u64, now: Timestamp) -> (Wallet, Vec<Entry>) {
    let usage = Usage::of(Operation::Generate, 4);
    let quote = book.quote(&usage, now).expect("the built-in book has a price");
    let command = Command::charge(HoldId::from_u128(u128::from(id) + 1), quote);
    let decision = wallet.decide(&command, book, now).expect("the wallet has credits for any bench");
    (decision.wallet, decision.entries)
}
