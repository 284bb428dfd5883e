//! Meter events of other services: priced, counted once, and charged, many in one go.

use medici_ledger::{
    AccountId, Charge, Credits, ExternalId, HoldId, MeterEvent, QuoteError, Refusal, Spender, Timestamp, Usage,
};

use crate::{
    meter::{EventFingerprint, EventKey},
    store::StoreError,
    studio::Studio,
    unit::{Decide, EventReused, Touches, UnitOfWork, decide_all},
};

/// The meter events of one account, in the order in which they were reported.
#[derive(Clone, Debug, PartialEq)]
pub struct Usages {
    account: AccountId,
    keys: Vec<EventKey>,
    reports: Vec<Report>,
}

#[derive(Clone, Debug, PartialEq)]
struct Report {
    id: ExternalId,
    fingerprint: EventFingerprint,
    usage: Usage,
    spender: Spender,
    happened_at: Option<Timestamp>,
}

/// What became of an event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EventOutcome {
    /// It was charged.
    Charged(Credits),
    /// It had been charged before, as much as this.
    Duplicate(Credits),
    /// It was not charged. It may be sent again.
    Refused(EventRefused),
}

/// Why an event was not charged.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EventRefused {
    /// Its id belongs to another event.
    #[error(transparent)]
    Reused(#[from] EventReused),
    /// The price book has no price for it.
    #[error(transparent)]
    NoPrice(QuoteError),
    /// The wallet refused it.
    #[error(transparent)]
    Ledger(Refusal),
    /// There is no such account.
    #[error("there is no such account")]
    NoAccount,
}

impl Usages {
    /// Begins the list of an account's events.
    #[must_use]
    pub fn of(account: AccountId) -> Self {
        Self { account, keys: Vec::new(), reports: Vec::new() }
    }

    /// Adds an event: its id, what was used, by whom and when, and what it was said in.
    pub fn push(
        &mut self,
        id: ExternalId,
        usage: Usage,
        spender: Spender,
        happened_at: Option<Timestamp>,
        fingerprint: EventFingerprint,
    ) {
        self.keys.push(EventKey::of(self.account, &id));
        self.reports.push(Report { id, fingerprint, usage, spender, happened_at });
    }
}

impl Studio {
    /// Charges meter events: each once, at the price of when it happened. Returns what became of each, in order.
    ///
    /// One commit carries all of them. Repeating it charges nothing again. After an error some may be charged, and
    /// repeating it tells which.
    ///
    /// # Errors
    /// [`StoreError`] where the store could not keep the events of some account.
    pub async fn record_usage(&self, usages: Vec<Usages>) -> Result<Vec<Vec<EventOutcome>>, StoreError> {
        // Names of charges need to differ within their account only: they count on from a fresh one.
        let decisions = usages.into_iter().map(|usages| RecordUsage { first: self.ids.next(), usages }).collect();
        let answers = decide_all(&*self.store, decisions).await;
        answers.into_iter().map(|answer| answer.map(|Ok(outcomes)| outcomes)).collect()
    }
}

struct RecordUsage {
    first: u128,
    usages: Usages,
}

/// Events are refused one by one, never all of an account's.
type Never = std::convert::Infallible;

impl Decide for RecordUsage {
    type Reply = Vec<EventOutcome>;
    type Refusal = Never;

    fn touches(&self) -> Touches {
        Touches { wallets: vec![self.usages.account], events: self.usages.keys.clone(), ..Touches::default() }
    }

    fn decide(&self, work: &mut UnitOfWork<'_>) -> Result<Vec<EventOutcome>, Never> {
        let Usages { account, keys, reports } = &self.usages;
        let numbered = (0..).zip(keys.iter().zip(reports));
        Ok(numbered
            .map(|(number, (key, report))| {
                let charge = HoldId::from_u128(self.first.wrapping_add(number));
                record(work, *account, *key, report, charge).unwrap_or_else(EventOutcome::Refused)
            })
            .collect())
    }
}

/// Decides on one event, after those before it.
fn record(
    work: &mut UnitOfWork<'_>,
    account: AccountId,
    key: EventKey,
    report: &Report,
    charge: HoldId,
) -> Result<EventOutcome, EventRefused> {
    if let Some(credits) = work.earlier_event(key, report.fingerprint)? {
        return Ok(EventOutcome::Duplicate(credits));
    }
    let (prices, now) = (work.prices(), work.now());
    let wallet = work.wallet(account).ok_or(EventRefused::NoAccount)?;
    let at = wallet.usage_instant(prices, report.happened_at, now);
    let quote = prices.quote(&report.usage, at).map_err(EventRefused::NoPrice)?;
    let credits = quote.amount;
    let event = MeterEvent { id: report.id.clone(), quantities: report.usage.meters.clone() };
    let Report { spender, happened_at, .. } = *report;
    work.charge(account, Charge { charge, quote, spender, happened_at, event: Some(event) })
        .map_err(EventRefused::Ledger)?;
    work.remember_event(key, report.fingerprint, credits);
    Ok(EventOutcome::Charged(credits))
}
