//! The ledger's answers and states in the model's words.

use std::fmt::Debug;

use medici_ledger::{
    Decision, GrantError, Hold, HoldState, LedgerAccount, Lot, LotNumber, Money, OrderRecord, Posting, Refusal, Reply,
    Slice, Source, Timestamp, Unit,
};
use medici_testkit::naive::{Account, NaiveLot, NaiveSource};

/// The name of an answer.
pub(crate) fn kind(decision: &Result<Decision, Refusal>) -> &'static str {
    match decision {
        Ok(decision) => match decision.reply {
            Reply::Opened => "opened",
            Reply::Granted(_) => "granted",
            Reply::Held(_) => "held",
            Reply::Extended { .. } => "extended",
            Reply::Captured { .. } => "captured",
            Reply::Voided { .. } => "voided",
            Reply::Charged { .. } => "charged",
            Reply::Uncollected => "uncollected",
            Reply::Settled { .. } => "settled",
            Reply::Order(_) => "order",
            Reply::Refunded { .. } => "refunded",
            Reply::GivenBack { .. } => "given_back",
            Reply::Withdrawn => "withdrawn",
            Reply::PlanChanged => "plan_changed",
            Reply::CohortJoined(_) => "joined",
            Reply::Set => "set",
            Reply::ClockSet { .. } => "clock_set",
        },
        Err(refusal) => refusal.code(),
    }
}

/// A lot, as both sides have it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct LotRow {
    number: u32,
    class: &'static str,
    source: NaiveSource,
    priority: i64,
    live: (i64, Option<i64>),
    granted: i64,
    available: i64,
    held: i64,
    captured: i64,
    expired: i64,
    withdrawn: i64,
    cost: Option<(i64, medici_ledger::Currency)>,
    recognised: i64,
    deferred: i64,
    left: i64,
}

pub(crate) fn lot_of_ledger(lot: &Lot) -> LotRow {
    let index = |occurrence: u32| usize::try_from(occurrence).unwrap();
    LotRow {
        number: lot.number.get(),
        class: lot.class.as_str(),
        source: match lot.source {
            Source::Monthly { occurrence } => NaiveSource::Monthly(index(occurrence)),
            Source::Purchase => NaiveSource::Purchase,
            Source::Bonus => NaiveSource::Bonus,
            Source::Goodwill => NaiveSource::Goodwill,
            Source::Replacement { of } => NaiveSource::Replacement(of.get()),
            Source::Rollover { of } => NaiveSource::Rollover(of.get()),
            Source::PlanChange { occurrence } => NaiveSource::PlanChange(index(occurrence)),
        },
        priority: i64::from(lot.priority),
        live: (lot.effective_at.micros(), lot.expires_at.map(Timestamp::micros)),
        granted: lot.granted.micro(),
        available: lot.available.micro(),
        held: lot.held.micro(),
        captured: lot.captured.micro(),
        expired: lot.expired.micro(),
        withdrawn: lot.withdrawn.micro(),
        cost: lot.cost.map(|cost| (cost.amount.minor(), cost.currency)),
        recognised: lot.recognised().minor(),
        deferred: lot.deferred().minor(),
        left: lot.left_cost().minor(),
    }
}

pub(crate) fn lot_of_model(lot: &NaiveLot) -> LotRow {
    LotRow {
        number: lot.number,
        class: lot.class,
        source: lot.source,
        priority: lot.priority,
        live: (lot.effective_at, lot.expires_at),
        granted: lot.granted,
        available: lot.available,
        held: lot.held,
        captured: lot.captured,
        expired: lot.expired,
        withdrawn: lot.withdrawn,
        cost: lot.cost,
        recognised: lot.recognised(),
        deferred: lot.deferred(),
        left: lot.cost.map_or(0, |(cost, _)| cost) - lot.share(lot.kept()),
    }
}

/// The sums that a posting adds to.
pub(crate) fn accounts_of(posting: &Posting) -> Vec<Account> {
    let lot = posting.lot.get();
    let name = match &posting.account {
        LedgerAccount::Issuance(medici_ledger::Class::Free) => "issuance:free",
        LedgerAccount::Issuance(medici_ledger::Class::Promo) => "issuance:promo",
        LedgerAccount::Issuance(medici_ledger::Class::Paid) => "issuance:paid",
        LedgerAccount::Lot => "lot",
        LedgerAccount::Held => "held",
        LedgerAccount::Used(_) => "used",
        LedgerAccount::Expired => "expired",
        LedgerAccount::Withdrawn => "withdrawn",
        LedgerAccount::Debt => "debt",
        LedgerAccount::Clawed => "clawed",
        LedgerAccount::Cash => "cash",
        LedgerAccount::Receivable => "receivable",
        LedgerAccount::TaxPayable => "tax_payable",
        LedgerAccount::Deferred => "deferred",
        LedgerAccount::Revenue(_) => "revenue",
        LedgerAccount::BreakageRevenue => "breakage_revenue",
        LedgerAccount::Refunds => "refunds",
        LedgerAccount::CustomerDebt => "customer_debt",
    };
    let currency = match posting.unit {
        Unit::Credits => None,
        Unit::Money(currency) => Some(currency.to_bytes()),
    };
    let of_lot = Account { name, lot, operation: None, currency };
    match &posting.account {
        LedgerAccount::Used(operation) | LedgerAccount::Revenue(operation) => {
            let of_operation = Account { lot: 0, operation: Some(operation.clone()), ..of_lot.clone() };
            vec![of_lot, of_operation]
        }
        LedgerAccount::Lot
        | LedgerAccount::Held
        | LedgerAccount::Expired
        | LedgerAccount::Withdrawn
        | LedgerAccount::Deferred
        | LedgerAccount::BreakageRevenue => vec![of_lot],
        _ => vec![Account { lot: 0, ..of_lot }],
    }
}

/// Says what two sides disagree on.
pub(crate) fn same<T: PartialEq + Debug>(what: &str, ledger: T, model: T) -> Result<(), String> {
    if ledger == model {
        return Ok(());
    }
    let (ledger, model) = (format!("{ledger:?}"), format!("{model:?}"));
    let agree = ledger.bytes().zip(model.bytes()).take_while(|(left, right)| left == right).count();
    Err(format!("{what}:\n  ledger {}\n  model  {}", excerpt(&ledger, agree), excerpt(&model, agree)))
}

/// Cuts a long text to what is around its first difference.
fn excerpt(text: &str, difference: usize) -> String {
    if text.len() < 600 {
        return text.to_owned();
    }
    let cut = text.as_bytes().get(difference.saturating_sub(200)..).unwrap_or_default();
    format!("… {} …", String::from_utf8_lossy(&cut[..cut.len().min(500)]))
}

fn listed(slices: &[Slice]) -> String {
    let parts: Vec<String> = slices.iter().map(|slice| format!("{}:{}", slice.lot, slice.amount.micro())).collect();
    format!("[{}]", parts.join(" "))
}

pub(crate) fn hold_state(state: &HoldState) -> String {
    match state {
        HoldState::Open(Hold { amount, slices, expires_at, placed_at, .. }) => {
            let slices: Vec<(u32, i64)> = slices.iter().map(|slice| (slice.lot.get(), slice.amount.micro())).collect();
            format!("open {} {slices:?} until {} placed {}", amount.micro(), expires_at.micros(), placed_at.micros())
        }
        HoldState::Captured { amount } => format!("captured {}", amount.micro()),
        HoldState::Voided { reason } => format!("Voided({reason:?})"),
        HoldState::Expired => "Expired".into(),
        HoldState::Uncollected { amount } => format!("Uncollected({})", amount.micro()),
    }
}

fn money(money: &Money) -> String {
    format!("{} {}", money.amount.minor(), money.currency.as_str())
}

/// Writes an order as it stands.
pub(crate) fn order_of_ledger(record: &OrderRecord) -> String {
    format!(
        "{} {} reversed {} withdrawn {} returned {} owed {} repaid {} debt {} lot {:?} bonus {:?}",
        record.order.id.as_u128(),
        record.status().as_str(),
        record.reversed.minor(),
        record.withdrawn.micro(),
        record.returned.minor(),
        record.owed.micro(),
        record.repaid().micro(),
        record.debt().minor(),
        record.lot.map(LotNumber::get),
        record.bonus_lot.map(LotNumber::get),
    )
}

/// Writes a reply in the model's words.
pub(crate) fn reply(reply: &Reply) -> String {
    match reply {
        Reply::Opened => "opened".into(),
        Reply::Granted(lot) => format!("granted {lot}"),
        Reply::Held(hold) => {
            format!("held {} of {} until {}", hold.amount.micro(), listed(&hold.slices), hold.expires_at.micros())
        }
        Reply::Extended { expires_at } => format!("extended until {}", expires_at.micros()),
        Reply::Captured { amount, slices, .. } => format!("captured {} of {}", amount.micro(), listed(slices)),
        Reply::Voided { released, .. } => format!("voided {}", released.micro()),
        Reply::Charged { amount, slices, .. } => format!("charged {} of {}", amount.micro(), listed(slices)),
        Reply::Uncollected => "uncollected".into(),
        Reply::Settled { entries } => format!("settled {entries}"),
        Reply::Order(record) => format!("order {}", order_of_ledger(record)),
        Reply::Refunded { amount, order } => {
            format!("refunded {} {}, order {}", amount.amount.minor(), amount.currency, order_of_ledger(order))
        }
        Reply::GivenBack { amount, total, .. } => format!("given back {} of {}", amount.micro(), total.micro()),
        Reply::Withdrawn => "withdrawn".into(),
        Reply::PlanChanged => "plan changed".into(),
        Reply::CohortJoined(lot) => format!("joined {:?}", lot.map(LotNumber::get)),
        Reply::Set => "set".into(),
        Reply::ClockSet { entries } => format!("clock set {entries}"),
    }
}

/// Writes a refusal in the model's words.
pub(crate) fn refusal(refusal: &Refusal) -> String {
    match refusal {
        Refusal::NotOpen => "not open".into(),
        Refusal::AlreadyOpen => "already open".into(),
        Refusal::UnknownPlan { plan } => format!("unknown plan {}", plan.as_text()),
        Refusal::InsufficientCredits { needed, available } => {
            format!("insufficient: {} of {}", needed.micro(), available.micro())
        }
        Refusal::HoldExists => "hold exists".into(),
        Refusal::UnknownHold => "unknown hold".into(),
        Refusal::HoldExpired => "hold expired".into(),
        Refusal::AlreadyCaptured { amount } => format!("already captured {}", amount.micro()),
        Refusal::AlreadyVoided { reason } => format!("already voided {}", reason.as_str()),
        Refusal::HoldOpen => "hold open".into(),
        Refusal::AlreadyUncollected { amount } => format!("already uncollected {}", amount.micro()),
        Refusal::MoreThanHeld { asked, held } => format!("more than held: {} of {}", asked.micro(), held.micro()),
        Refusal::HoldTimeout { .. } => "hold timeout".into(),
        Refusal::BadGrant(error) => {
            let what = match error {
                GrantError::Nothing => "nothing",
                GrantError::Over => "over",
                GrantError::CostOfUnpaid => "cost of unpaid",
                GrantError::TaxAlone => "tax alone",
                GrantError::TooLarge => "too large",
                GrantError::Source => "source",
            };
            format!("bad grant: {what}")
        }
        Refusal::TooManyOpen { what, max } => format!("too many {what}: {max}"),
        Refusal::Overflow => "overflow".into(),
        Refusal::BudgetExceeded { subject, period, limit, used, needed } => {
            format!("budget {subject} {period}: {} of {} used, {} needed", used.micro(), limit.micro(), needed.micro())
        }
        Refusal::InDebt { owed } => format!("in debt {}", owed.micro()),
        Refusal::UnknownOrder => "unknown order".into(),
        Refusal::BadOrder(error) => error.code().into(),
        Refusal::AmountDiffers { found, due } => format!("amount differs: {} of {}", money(found), money(due)),
        Refusal::RefundTooMuch { asked, refundable } => {
            format!("refund too much: {} of {}", money(asked), money(refundable))
        }
        Refusal::ReversalExists => "reversal exists".into(),
        Refusal::MoreThanCaptured { asked, left } => {
            format!("more than captured: {} of {}", asked.micro(), left.micro())
        }
        Refusal::BadWithdrawal { available } => format!("bad withdrawal: {}", available.micro()),
        Refusal::PlanCosts => "plan costs".into(),
        Refusal::UnknownCohort { cohort } => format!("unknown cohort {}", cohort.as_text()),
        Refusal::WrongCode => "wrong code".into(),
        Refusal::CohortJoined => "cohort joined".into(),
        Refusal::NotSandbox => "not sandbox".into(),
        Refusal::ClockRange { clock, asked } => format!("clock range: {} to {}", clock.micros(), asked.micros()),
    }
}
