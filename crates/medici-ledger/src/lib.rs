//! The credit ledger of Medici: what an account has, what it may spend, and the proof of both.
//!
//! **Owns** amounts, price books and quotes, lots, the wallet, holds and captures, double-entry postings with
//! their money side, the monthly calendar, the hash chain, statements, verification, and the scenario language.
//!
//! **Never** does I/O, reads a clock, draws a random number, logs, or knows of a database, a wire format or a
//! picture. Time, ids and prices come in as arguments, so a year of accounts plays in milliseconds.
//!
//! [`Wallet::decide`] turns a [`Command`] into [`Entry`]s or a [`Refusal`]; [`Wallet::apply`] is the only way a
//! wallet changes, and replaying its entries gives the same wallet.
//!
//! **Invariants**, asserted by [`Wallet::check`] and proved from entries alone by [`verify::Replay`]:
//! - `granted = available + held + captured + expired` for every lot, each at least zero.
//! - Open holds sum to what is held; a hold's slices sum to its amount and are frozen when it is placed.
//! - A hold ends once: captured, voided or expired; and at the latest 24 hours after it was placed.
//! - Every entry sums to zero in credits and in each currency; the trial balance is zero.
//! - Recognised money is `floor(cost × captured ÷ granted)`; recognised, deferred and expired money sum to the
//!   cost of the lot.
//! - A monthly occurrence is granted at most once, whatever the clock does.
//! - Entries are numbered densely, chained by hash, and never recorded before the one before.
#![deny(clippy::float_arithmetic)]

mod amount;
pub mod calendar;
mod ids;
mod name;
mod time;

mod cohort;
mod operation;
mod pack;
mod plan;
mod policy;
mod price_book;
mod price_check;
mod price_rule;
mod price_warning;
mod quote;
mod tax;

mod estimate;

mod agreed;
mod apply;
mod balances;
mod broken;
mod budget;
mod check;
mod command;
mod decide;
mod external_id;
mod give_back;
mod hold;
mod legs;
mod lot;
mod memory;
mod order;
mod refusal;
mod wallet;

mod codec;
mod entry;
mod hash;
mod posting;
mod snapshot;

mod explain;
mod explanation;
pub mod history;
pub mod idempotency;
pub mod report;
pub mod scenario;
pub mod simulate;
pub mod statement;
pub mod verify;

pub use agreed::{Alert, Overrides};
pub use amount::{AMOUNT_MAX, AmountError, Cents, Credits, Currency, MICRO_PER_CREDIT, Money};
pub use balances::{Balances, Expiring, LotBalance, Refill};
pub use broken::{Broken, Fault};
pub use budget::{BUDGETS_MAX, Budget, BudgetPeriod, Spender, Subject};
pub use calendar::{AnchorPolicy, Months};
pub use codec::CodecError;
pub use cohort::{CohortName, CohortTerms};
pub use command::{Command, Decision, Reply};
pub use decide::{Booked, Charge, REFUND_GRACE, Session, Wish};
pub use entry::{Bodies, Entry, Fact, Grant, MeterEvent, Replacement};
pub use estimate::{BREAK_EVEN_PROMPTS_MAX, BreakEven, Estimate, EstimateError, Month, Packs, Way};
pub use explain::summary;
pub use explanation::{Explanation, LotChange, explanations};
pub use external_id::{EXTERNAL_ID_MAX, ExternalId, ExternalIdError};
pub use give_back::{Capture, GiveBackReason};
pub use hash::Hash;
pub use hold::{
    HOLD_MEMORY, HOLD_MEMORY_COUNT_MAX, HOLD_SECONDS_MAX, Hold, HoldState, OPEN_HOLDS_MAX, Slice, VoidReason,
};
pub use ids::{AccountId, HoldId, IdError, KeyId, LotNumber, MemberId, OrderId};
pub use lot::{Class, Lot, Source};
pub use name::{NAME_MAX, NameError, NameKind, OfCohort, OfMeter, OfPack, OfPlan, ShortName};
pub use operation::{OPERATION_NAME_MAX, Operation, OperationError, OperationName};
pub use order::{
    Item, Order, OrderRecord, OrderStatus, PLACED_ORDERS_MAX, PaymentState, PlanChangeMode, REVERSALS_MAX, Reversal,
    ReversalState,
};
pub use pack::{Cliff, Pack, PackLine, PackName, Tier, TierMode};
pub use plan::{PlanLimits, PlanName, PlanTerms, Rollover};
pub use policy::Policy;
pub use posting::{LedgerAccount, Posting, Signed, Unit};
pub use price_book::{PriceBook, PriceVersion};
pub use price_check::{CODE_CHARS_MAX, LATE_GRACE_MAX, OFFERS_MAX, PriceBookError};
pub use price_rule::{Conditions, MeterName, OperationPrice, PriceRule, RULES_MAX, Rate};
pub use price_warning::Warning;
pub use quote::{ChargeMode, Meters, Quote, QuoteError, Usage};
pub use refusal::{GrantError, OrderError, Refusal};
pub use tax::{TaxRate, TaxRateError, allocate};
pub use time::{Timestamp, TimestampError};
pub use wallet::{OPEN_LOTS_MAX, Wallet};
