//! The shapes that many operations share: amounts, instants, names, ids, entries.

use super::schema::{Schema, any_of, count, date, date_time, list, named, object, pattern, text, words};

/// The shapes that have names in the document.
pub(super) fn schemas() -> Vec<(&'static str, Schema)> {
    vec![
        ("Credits", credits_shape()),
        ("SignedCredits", signed_credits_shape()),
        ("Money", money_shape()),
        ("SignedMoney", signed_money_shape()),
        ("SignedDecimal", signed_decimal_shape()),
        ("Instant", instant_shape()),
        ("InstantSent", instant_sent_shape()),
        ("Size", size_shape()),
        ("Posting", posting()),
        ("Entry", entry()),
    ]
}

fn credits_shape() -> Schema {
    pattern(r"^[0-9]+(\.[0-9]{1,6})?$", "14.25")
        .about("Credits, never negative: a decimal as text, exact, with up to six decimals and no zeros behind them.")
}

fn signed_credits_shape() -> Schema {
    pattern(r"^-?[0-9]+(\.[0-9]{1,6})?$", "-1").about("Credits with a sign: a decimal as text, exact.")
}

fn money_shape() -> Schema {
    pattern(r"^[0-9]+(\.[0-9]{2,3})? [A-Z]{3}$", "15.00 USD").about(
        "Money, never negative: a decimal with all the decimals of its currency, a space, and the currency's ISO 4217 \
         code.",
    )
}

fn signed_money_shape() -> Schema {
    pattern(r"^-?[0-9]+(\.[0-9]{2,3})? [A-Z]{3}$", "-15.00 USD").about("Money with a sign.")
}

fn signed_decimal_shape() -> Schema {
    pattern(r"^-?[0-9]+(\.[0-9]{1,6})?$", "-0.13")
        .about("An amount of the unit that stands beside it: a decimal as text, exact.")
}

fn instant_shape() -> Schema {
    date_time("2026-11-26T18:00:00Z").about("An instant in UTC as RFC 3339 writes it, exact to a microsecond.")
}

fn instant_sent_shape() -> Schema {
    any_of([date_time("2026-11-26T18:00:00Z"), date("2026-11-26")])
        .about("An instant as RFC 3339 writes it, or a day, which is its first instant in UTC.")
}

fn size_shape() -> Schema {
    pattern("^[0-9]+x[0-9]+$", "256x256").about("Width and height in pixels.")
}

fn posting() -> Schema {
    object()
        .has("account", text("lot").about("The ledger account, such as `lot`, `held`, `used:generate` or `deferred`."))
        .has("lot", count(1).about("The lot it is about; 0 for none."))
        .has("unit", pattern("^(credits|[A-Z]{3})$", "credits").about("`credits`, or a currency."))
        .has("amount", named("SignedDecimal"))
        .about("One signed amount on one ledger account. The postings of an entry add up to zero in each unit.")
}

/// What happened, as entries say it.
pub(super) fn fact() -> Schema {
    text("charged").about("What happened, in one word of the ledger, such as `granted`, `held`, `captured`, `charged`.")
}

fn entry() -> Schema {
    entry_members().about("An entry of the ledger: immutable, chained to the one before by its hash.")
}

/// The members of an entry.
pub(super) fn entry_members() -> Schema {
    object()
        .has("account", account_id())
        .has("seq", count(3).about("Its number within the account, from 1."))
        .has("fact", fact())
        .may("hold", hold_id())
        .may("order", order_id())
        .has("effective_at", instant("When it counts."))
        .has("recorded_at", instant("When it was booked."))
        .has("postings", list(named("Posting")))
        .has("hash", hash())
}

/// A hash of the chain.
pub(super) fn hash() -> Schema {
    pattern("^[0-9a-f]{64}$", "5f1c4a9be0d37c21aa4e90b3ce8813d64c0cf7a6f1b8b2f0d9e1c7a35b2604e8")
        .about("SHA-256 over the entry and the hash before it, in hex.")
}

/// An amount of credits in an answer.
pub(super) fn credits(about: &'static str) -> Schema {
    named("Credits").about(about)
}

/// An amount of money in an answer.
pub(super) fn money(about: &'static str) -> Schema {
    named("Money").about(about)
}

/// An instant in an answer.
pub(super) fn instant(about: &'static str) -> Schema {
    named("Instant").about(about)
}

/// An amount of credits that is sent: within what any ledger account can state.
pub(super) fn credits_sent(about: &'static str) -> Schema {
    pattern(r"^[0-9]{1,9}(\.[0-9]{1,6})?$", "5").about(about)
}

/// An amount of money that is sent.
pub(super) fn money_sent(about: &'static str) -> Schema {
    pattern(r"^[0-9]{1,9}(\.[0-9]{1,3})? [A-Z]{3}$", "15.00 USD").about(about)
}

/// An instant that is sent.
pub(super) fn instant_sent(about: &'static str) -> Schema {
    named("InstantSent").about(about)
}

/// The name of a plan, pack, cohort or meter.
pub(super) fn short_name(example: &'static str) -> Schema {
    pattern("^[a-z0-9_-]{1,16}$", example)
}

/// The name of an operation in the price book.
pub(super) fn operation_name() -> Schema {
    pattern("^[a-z0-9_.-]{1,64}$", "generate")
        .about("What the price book calls it: `generate`, `edit`, `vary`, or the operator's own.")
}

/// A name that another system gave.
pub(super) fn external_id(example: &'static str) -> Schema {
    pattern("^[!-~]{1,100}$", example)
}

pub(super) fn account_id() -> Schema {
    pattern("^acct_[0-9a-f]{32}$", "acct_01943f7a8c5e7b6f9d2e4a6c8b0d1f35").about("The account's id.")
}

pub(super) fn hold_id() -> Schema {
    pattern("^hold_[0-9a-f]{32}$", "hold_01943f7a90117c3d8a5b2e6f4c9d0b17").about("The hold, or the charge.")
}

pub(super) fn order_id() -> Schema {
    pattern("^order_[0-9a-f]{32}$", "order_01943f7a97e87a4fb1c3d5e7f9a0b2c4").about("The order's id.")
}

pub(super) fn job_id() -> Schema {
    pattern("^job_[0-9a-f]{32}$", "job_01943f7a9b4d7e2c8f6a5d3b1c0e9f78").about("The job's id.")
}

pub(super) fn image_id() -> Schema {
    pattern("^img_[0-9a-f]{32}$", "img_01943f7aa2317b5e9c8d7f6e5a4b3c21").about("The image's id.")
}

pub(super) fn key_id() -> Schema {
    pattern("^key_[0-9a-f]{32}$", "key_01943f7aa5d97c6fa0b1c2d3e4f50617").about("The id of an API key, not its secret.")
}

pub(super) fn member_id() -> Schema {
    pattern("^member_[0-9a-f]{32}$", "member_01943f7aa8807d1eb2c3d4e5f6a70819")
        .about("One of the account's people, by a name that the calling service chose.")
}

/// The class of a lot.
pub(super) fn class() -> Schema {
    words(&["free", "promo", "paid"]).about("What kind of credits.")
}

/// Where a lot comes from.
pub(super) fn source() -> Schema {
    words(&["monthly", "purchase", "bonus", "goodwill", "replacement", "rollover", "plan_change"])
        .about("Where the credits come from.")
}
