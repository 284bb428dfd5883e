//! Rate limits: how many requests, pictures and credits an account may ask for in a minute.
//!
//! Each is a bucket that refills evenly and holds a minute's worth (GCRA, the generic cell rate algorithm), so what
//! is kept of an account is one instant for each limit. Counted in this process alone: a limit keeps the machine
//! usable, and no promise of the ledger stands on it.

use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, Mutex, OnceLock, PoisonError},
};

use axum::http::{HeaderMap, HeaderName, HeaderValue};
use medici_ledger::{AccountId, Credits, MICRO_PER_CREDIT, Timestamp};

use crate::error::Fault;

const MINUTE_MICROS: i128 = 60_000_000;
const HOUR_MICROS: i128 = 60 * MINUTE_MICROS;
/// The accounts whose buckets are kept; above it those that have refilled are forgotten.
const ACCOUNTS_MAX: usize = 100_000;

/// What an account may ask for in a minute; 0 is no limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rates {
    /// Requests that draw.
    pub requests_per_minute: u32,
    /// Pictures.
    pub images_per_minute: u32,
    /// Whole credits.
    pub credits_per_minute: u32,
    /// Jobs that are cancelled while they are drawn, in an hour: what was drawn of them is lost and paid by nobody.
    pub cancels_per_hour: u32,
}

impl Default for Rates {
    fn default() -> Self {
        Self { requests_per_minute: 600, images_per_minute: 600, credits_per_minute: 600, cancels_per_hour: 60 }
    }
}

/// What is limited.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Requests,
    Images,
    Credits,
    Cancels,
}

const KINDS: [Kind; 3] = [Kind::Requests, Kind::Images, Kind::Credits];

impl Kind {
    /// Returns its word in headers and messages.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Requests => "requests",
            Self::Images => "images",
            Self::Credits => "credits",
            Self::Cancels => "cancellations",
        }
    }
}

/// What one request asks for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Asks {
    pub(crate) images: u32,
    pub(crate) credits: Credits,
}

/// The limits of all accounts.
#[derive(Default)]
pub(crate) struct RateLimits {
    asks: Mutex<HashMap<AccountId, Buckets>>,
    /// When the bucket of each account's cancellations is full again.
    cancels: Mutex<HashMap<AccountId, i128>>,
}

/// When each bucket of an account is full again: at or before now, it is.
#[derive(Clone, Copy, Debug, Default)]
struct Buckets([i128; 3]);

/// One limit as an answer tells of it.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Level {
    limit: i128,
    remaining: i128,
    /// Microseconds until the bucket is full.
    reset: i128,
}

/// The levels of an account's limits, for the headers of an answer.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Levels([Option<Level>; 3]);

/// Where the levels of a request's account are noted, for the headers of whatever it is answered.
#[derive(Clone, Default)]
pub(crate) struct RateNote(pub(crate) Arc<OnceLock<Levels>>);

/// A request beyond a limit.
#[derive(Clone, Debug)]
pub(crate) struct Limited {
    pub(crate) kind: Kind,
    pub(crate) account: AccountId,
    limit: String,
    /// What would have been used of the minute with this request.
    current: String,
    /// Seconds until it would pass.
    pub(crate) wait_seconds: u32,
}

impl fmt::Display for Limited {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (kind, Self { account, limit, current, .. }) = (self.kind.name(), self);
        let (per, unit) = if self.kind == Kind::Cancels { ("hour", "h") } else { ("minute", "min") };
        write!(
            f,
            "Rate limit exceeded for {kind} per {per} in organization {account}. Limit: {limit}/1{unit}. Current: \
             {current}/1{unit}."
        )
    }
}

/// The rates in the unit of their buckets: credits are counted in micro-credits.
fn limits(rates: Rates) -> [i128; 3] {
    let credits = i128::from(rates.credits_per_minute) * i128::from(MICRO_PER_CREDIT);
    [i128::from(rates.requests_per_minute), i128::from(rates.images_per_minute), credits]
}

fn costs(asks: Asks) -> [i128; 3] {
    [1, i128::from(asks.images), i128::from(asks.credits.micro())]
}

fn shown(kind: Kind, amount: i128) -> String {
    match kind {
        Kind::Requests | Kind::Images | Kind::Cancels => amount.to_string(),
        Kind::Credits => {
            i64::try_from(amount).ok().and_then(Credits::from_micro).map_or_else(String::new, |c| c.to_string())
        }
    }
}

impl RateLimits {
    /// Takes what a request asks for out of its account's buckets.
    ///
    /// # Errors
    /// A fault where a bucket holds too little, and another one where it never could hold so much. Nothing is taken
    /// then.
    pub(crate) fn take(
        &self,
        rates: Rates,
        account: AccountId,
        asks: Asks,
        now: Timestamp,
        note: &RateNote,
    ) -> Result<Taken<'_>, Fault> {
        let (limits, costs) = (limits(rates), costs(asks));
        let limited = |i: usize| limits[i] > 0;
        let now = i128::from(now.micros());
        if let Some(i) = (0..3).find(|i| limited(*i) && costs[*i] > limits[*i]) {
            return Err(never(KINDS[i], costs[i], limits[i]));
        }
        let mut accounts = self.asks.lock().unwrap_or_else(PoisonError::into_inner);
        if accounts.len() >= ACCOUNTS_MAX && !accounts.contains_key(&account) {
            accounts.retain(|_, buckets| buckets.0.iter().any(|full_at| *full_at > now));
        }
        let buckets = accounts.entry(account).or_default();
        let used = |i: usize| (buckets.0[i] - now).clamp(0, MINUTE_MICROS);
        let mut full_at = buckets.0;
        let mut refused = None;
        for i in (0..3).filter(|i| limited(*i)) {
            let after = used(i) + costs[i] * MINUTE_MICROS / limits[i];
            if after > MINUTE_MICROS {
                let wait = u32::try_from((after - MINUTE_MICROS + 999_999) / 1_000_000).unwrap_or(60).clamp(1, 60);
                refused = refused.or(Some((i, wait)));
            }
            full_at[i] = now + after;
        }
        let was = std::array::from_fn(|i| now + used(i));
        if let Some((i, wait_seconds)) = refused {
            let spent = used(i) * limits[i] / MINUTE_MICROS;
            let _ = note.0.set(Levels::at(now, limits, was));
            return Err(Fault::RateLimited(Box::new(Limited {
                kind: KINDS[i],
                account,
                limit: shown(KINDS[i], limits[i]),
                current: shown(KINDS[i], spent + costs[i]),
                wait_seconds,
            })));
        }
        buckets.0 = full_at;
        let _ = note.0.set(Levels::at(now, limits, full_at));
        Ok(Taken { limits: self, account, spans: std::array::from_fn(|i| full_at[i] - was[i]), kept: false })
    }

    /// Notes how an account's limits stand, and takes nothing.
    pub(crate) fn note(&self, rates: Rates, account: AccountId, now: Timestamp, note: &RateNote) {
        let now = i128::from(now.micros());
        let accounts = self.asks.lock().unwrap_or_else(PoisonError::into_inner);
        let buckets = accounts.get(&account).copied().unwrap_or_default();
        let _ = note.0.set(Levels::at(now, limits(rates), buckets.0));
    }

    /// Takes a cancellation of a job that is being drawn.
    ///
    /// # Errors
    /// A fault where the account has cancelled too many in the last hour.
    pub(crate) fn take_cancel(&self, rates: Rates, account: AccountId, now: Timestamp) -> Result<(), Fault> {
        let (limit, now) = (i128::from(rates.cancels_per_hour), i128::from(now.micros()));
        if limit == 0 {
            return Ok(());
        }
        let mut accounts = self.cancels.lock().unwrap_or_else(PoisonError::into_inner);
        if accounts.len() >= ACCOUNTS_MAX && !accounts.contains_key(&account) {
            accounts.retain(|_, full_at| *full_at > now);
        }
        let full_at = accounts.entry(account).or_insert(now);
        let used = (*full_at - now).clamp(0, HOUR_MICROS);
        let after = used + HOUR_MICROS / limit;
        if after > HOUR_MICROS {
            return Err(Fault::RateLimited(Box::new(Limited {
                kind: Kind::Cancels,
                account,
                limit: limit.to_string(),
                current: (used * limit / HOUR_MICROS + 1).to_string(),
                wait_seconds: u32::try_from((after - HOUR_MICROS + 999_999) / 1_000_000).unwrap_or(60).clamp(1, 60),
            })));
        }
        *full_at = now + after;
        Ok(())
    }

    fn give_back(&self, account: AccountId, spans: [i128; 3]) {
        let mut accounts = self.asks.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(buckets) = accounts.get_mut(&account) {
            buckets.0.iter_mut().zip(spans).for_each(|(full_at, span)| *full_at -= span);
        }
    }
}

/// The fault of a request that no waiting would let through.
fn never(kind: Kind, asked: i128, limit: i128) -> Fault {
    let message = format!(
        "This request asks for {} {}, and {} a minute may be asked for: it can never pass. Ask for fewer.",
        shown(kind, asked),
        kind.name(),
        shown(kind, limit)
    );
    Fault::param("rate_limit_too_small", "n", message)
}

/// What a request took. Given back when it is dropped, unless it was accepted: what is refused uses no limit but
/// that of requests.
pub(crate) struct Taken<'a> {
    limits: &'a RateLimits,
    account: AccountId,
    /// How much longer each bucket takes to refill.
    spans: [i128; 3],
    kept: bool,
}

impl Taken<'_> {
    /// Keeps what was taken: the request was accepted.
    pub(crate) fn keep(mut self) {
        self.kept = true;
    }
}

impl Drop for Taken<'_> {
    fn drop(&mut self) {
        if !self.kept {
            let [_, images, credits] = self.spans;
            self.limits.give_back(self.account, [0, images, credits]);
        }
    }
}

impl Levels {
    /// Returns how buckets stand that are full again at these instants.
    fn at(now: i128, limits: [i128; 3], full_at: [i128; 3]) -> Self {
        Self(std::array::from_fn(|i| {
            let reset = (full_at[i] - now).clamp(0, MINUTE_MICROS);
            let level = |limit| Level { limit, remaining: (MINUTE_MICROS - reset) * limit / MINUTE_MICROS, reset };
            (limits[i] > 0).then(|| level(limits[i]))
        }))
    }

    /// Writes OpenAI's headers of each limit.
    pub(crate) fn write(&self, headers: &mut HeaderMap) {
        const NAMES: [[HeaderName; 3]; 3] = [
            [
                HeaderName::from_static("x-ratelimit-limit-requests"),
                HeaderName::from_static("x-ratelimit-remaining-requests"),
                HeaderName::from_static("x-ratelimit-reset-requests"),
            ],
            [
                HeaderName::from_static("x-ratelimit-limit-images"),
                HeaderName::from_static("x-ratelimit-remaining-images"),
                HeaderName::from_static("x-ratelimit-reset-images"),
            ],
            [
                HeaderName::from_static("x-ratelimit-limit-credits"),
                HeaderName::from_static("x-ratelimit-remaining-credits"),
                HeaderName::from_static("x-ratelimit-reset-credits"),
            ],
        ];
        for ((level, names), kind) in self.0.iter().zip(NAMES).zip(KINDS) {
            let Some(level) = level else { continue };
            let values = [shown(kind, level.limit), shown(kind, level.remaining), duration(level.reset)];
            for (name, value) in names.into_iter().zip(values) {
                headers.insert(name, HeaderValue::from_str(&value).expect("digits and letters make a header"));
            }
        }
    }
}

/// Writes a duration of at most a minute as Go does, and OpenAI's headers: `12ms`, `6.5s`, `1m0s`.
fn duration(micros: i128) -> String {
    let millis = (micros + 999) / 1_000;
    match millis {
        0 => "0s".to_owned(),
        1..1_000 => format!("{millis}ms"),
        1_000..60_000 if millis % 1_000 == 0 => format!("{}s", millis / 1_000),
        1_000..60_000 => {
            let part = format!("{:03}", millis % 1_000);
            format!("{}.{}s", millis / 1_000, part.trim_end_matches('0'))
        }
        _ => format!("{}m{}s", millis / 60_000, millis % 60_000 / 1_000),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RATES: Rates =
        Rates { requests_per_minute: 60, images_per_minute: 6, credits_per_minute: 0, cancels_per_hour: 2 };

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_micros(seconds * 1_000_000)
    }

    fn take(limits: &RateLimits, images: u32, now: i64) -> Result<Levels, Fault> {
        let (note, account) = (RateNote::default(), AccountId::from_u128(1));
        limits.take(RATES, account, Asks { images, credits: Credits::ZERO }, at(now), &note)?.keep();
        Ok(*note.0.get().unwrap())
    }

    #[test]
    fn a_bucket_is_a_minutes_worth_and_refills_evenly() {
        let limits = RateLimits::default();
        take(&limits, 6, 100).unwrap();
        let Err(Fault::RateLimited(limited)) = take(&limits, 1, 100) else { panic!("the bucket is empty") };
        assert_eq!(limited.wait_seconds, 10);
        let account = AccountId::from_u128(1);
        let said = format!(
            "Rate limit exceeded for images per minute in organization {account}. Limit: 6/1min. Current: 7/1min."
        );
        assert_eq!(limited.to_string(), said);
        assert!(take(&limits, 1, 109).is_err());
        take(&limits, 1, 110).unwrap();
        assert!(take(&limits, 6, 169).is_err());
        take(&limits, 6, 170).unwrap();
    }

    #[test]
    fn what_can_never_pass_is_said_at_once() {
        let Err(Fault::Input(input)) = take(&RateLimits::default(), 7, 0) else { panic!("no wait helps") };
        assert_eq!((input.code, input.param.as_deref()), (Some("rate_limit_too_small"), Some("n")));
    }

    #[test]
    fn a_request_that_was_refused_later_uses_only_its_request() {
        let (limits, note, account) = (RateLimits::default(), RateNote::default(), AccountId::from_u128(1));
        drop(
            limits
                .take(RATES, account, Asks { images: 6, credits: Credits::ZERO }, at(0), &note)
                .unwrap_or_else(|_| panic!()),
        );
        let levels = take(&limits, 6, 0).unwrap();
        assert_eq!(levels.0[0], Some(Level { limit: 60, remaining: 58, reset: 2_000_000 }));
        assert_eq!(levels.0[1], Some(Level { limit: 6, remaining: 0, reset: 60_000_000 }));
        assert_eq!(levels.0[2], None);
    }

    #[test]
    fn a_clock_that_goes_back_does_not_lock_anybody_out() {
        let limits = RateLimits::default();
        take(&limits, 6, 1_000).unwrap();
        let Err(Fault::RateLimited(limited)) = take(&limits, 1, 0) else { panic!("the bucket is empty") };
        assert!(limited.wait_seconds <= 60);
    }

    #[test]
    fn cancellations_have_an_hour() {
        let (limits, account) = (RateLimits::default(), AccountId::from_u128(1));
        let cancel = |now| limits.take_cancel(RATES, account, at(now));
        cancel(0).unwrap();
        cancel(0).unwrap();
        assert!(matches!(cancel(1), Err(Fault::RateLimited(_))));
        cancel(1_800).unwrap();
        assert!(cancel(1_801).is_err());
    }

    #[test]
    fn durations_are_written_as_gos() {
        for (micros, text) in
            [(0, "0s"), (1, "1ms"), (12_000, "12ms"), (6_500_000, "6.5s"), (7_000_000, "7s"), (60_000_000, "1m0s")]
        {
            assert_eq!(duration(micros), text);
        }
    }
}
