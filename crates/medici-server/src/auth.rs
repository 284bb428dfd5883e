//! Who sends a request: API keys, and what each kind of key may do.
//!
//! A key comes in `Authorization: Bearer sk-m-…` and nowhere else: never in a cookie, never in an address.

use std::{
    collections::HashMap,
    sync::{PoisonError, RwLock},
    time::Duration,
};

use axum::{
    extract::FromRequestParts,
    http::{HeaderMap, header, request::Parts},
};
use medici_ledger::{AccountId, Timestamp};
use medici_studio::{ApiKeyId, KeyOwner, Secret};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use crate::{edge::Organization, error::Fault, state::AppState};

/// The most keys that are known by heart. At the bound all are forgotten, and read again as they are used.
const KNOWN_MAX: usize = 10_000;
/// How long a key is known by heart. Within this process a revocation is seen at once, see [`KeyCache`].
const KNOWN_FOR: Duration = Duration::from_secs(2);

/// Whoever sent a request, by its API key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Caller {
    /// The key.
    pub(crate) key: ApiKeyId,
    /// Whose it is, and so what it may do.
    pub(crate) owner: KeyOwner,
}

/// A caller with an account's own key.
#[derive(Clone, Copy, Debug)]
pub(crate) struct AccountCaller {
    /// The key.
    pub(crate) key: ApiKeyId,
    /// The account.
    pub(crate) account: AccountId,
}

/// A caller with a service's key, or the operator's.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ServiceCaller {
    /// The key.
    pub(crate) key: ApiKeyId,
}

/// A caller with the operator's key.
#[derive(Clone, Copy, Debug)]
pub(crate) struct AdminCaller;

impl FromRequestParts<AppState> for Caller {
    type Rejection = Fault;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, Fault> {
        let caller = identify(state, &parts.headers).await?;
        if let (KeyOwner::Account(account), Some(noted)) = (caller.owner, parts.extensions.get::<Organization>()) {
            let _ = noted.0.set(account);
        }
        Ok(caller)
    }
}

impl FromRequestParts<AppState> for AccountCaller {
    type Rejection = Fault;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, Fault> {
        let caller = Caller::from_request_parts(parts, state).await?;
        match caller.owner {
            KeyOwner::Account(account) => Ok(Self { key: caller.key, account }),
            KeyOwner::Service | KeyOwner::Admin => Err(Fault::MissingScope { needed: "the API key of an account" }),
        }
    }
}

impl FromRequestParts<AppState> for ServiceCaller {
    type Rejection = Fault;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, Fault> {
        let caller = Caller::from_request_parts(parts, state).await?;
        match caller.owner {
            KeyOwner::Service | KeyOwner::Admin => Ok(Self { key: caller.key }),
            KeyOwner::Account(_) => Err(Fault::MissingScope { needed: "the API key of a service" }),
        }
    }
}

impl FromRequestParts<AppState> for AdminCaller {
    type Rejection = Fault;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, Fault> {
        match Caller::from_request_parts(parts, state).await?.owner {
            KeyOwner::Admin => Ok(Self),
            KeyOwner::Service | KeyOwner::Account(_) => Err(Fault::MissingScope { needed: "the operator's API key" }),
        }
    }
}

/// Finds the key of a request and proves it.
async fn identify(state: &AppState, headers: &HeaderMap) -> Result<Caller, Fault> {
    let text = bearer(headers)?;
    let bad = || Fault::BadKey { shown: masked(text) };
    let hash: [u8; 32] = Sha256::digest(text.as_bytes()).into();
    let now = state.studio.clock.now();
    if let Some(caller) = state.shared.keys.find(&hash, now) {
        return Ok(caller);
    }
    // A typing error is told from a wrong key by the key's own checksum, without a look into the store.
    let secret = Secret::parse(text).ok_or_else(bad)?;
    let generation = state.shared.keys.generation();
    let key = state.studio.store.api_key(secret.lookup()).await?.ok_or_else(bad)?;
    let proved: bool = key.secret_hash.ct_eq(&hash).into();
    if !proved || key.revoked_at.is_some() {
        return Err(bad());
    }
    let caller = Caller { key: key.id, owner: key.owner };
    state.shared.keys.remember(generation, hash, caller, now);
    Ok(caller)
}

fn bearer(headers: &HeaderMap) -> Result<&str, Fault> {
    let mut values = headers.get_all(header::AUTHORIZATION).iter();
    let value = values.next().ok_or(Fault::NoKey)?;
    if values.next().is_some() {
        return Err(Fault::request("malformed_request", "A request has one Authorization header."));
    }
    let (scheme, token) = value.to_str().ok().and_then(|text| text.split_once(' ')).ok_or(Fault::NoKey)?;
    let token = token.trim();
    if scheme.eq_ignore_ascii_case("bearer") && !token.is_empty() { Ok(token) } else { Err(Fault::NoKey) }
}

/// Returns what may be shown of a key that is not ours: enough to recognise it, too little to use it.
fn masked(text: &str) -> String {
    let end = text.get(text.len().saturating_sub(4)..).filter(|end| end.bytes().all(|b| b.is_ascii_alphanumeric()));
    match end {
        Some(end) if text.len() >= 16 && text.starts_with("sk-") => format!("sk-…{end}"),
        _ => "…".to_owned(),
    }
}

/// API keys that were seen lately, by the hash of the whole key.
///
/// The hash is as secret as the key, so finding it in the map is the proof; a map's timing tells nothing about
/// the 256 random bits behind it. A revocation empties the cache and raises the generation, so that a key that
/// was read before the revocation cannot come back after it.
#[derive(Default)]
pub(crate) struct KeyCache(RwLock<Known>);

#[derive(Default)]
struct Known {
    generation: u64,
    keys: HashMap<[u8; 32], (Caller, Timestamp)>,
}

impl KeyCache {
    fn find(&self, hash: &[u8; 32], now: Timestamp) -> Option<Caller> {
        let known = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let (caller, read_at) = known.keys.get(hash)?;
        (now.since(*read_at) < KNOWN_FOR && now >= *read_at).then_some(*caller)
    }

    fn generation(&self) -> u64 {
        self.0.read().unwrap_or_else(PoisonError::into_inner).generation
    }

    fn remember(&self, generation: u64, hash: [u8; 32], caller: Caller, now: Timestamp) {
        let mut known = self.0.write().unwrap_or_else(PoisonError::into_inner);
        if known.generation != generation {
            return;
        }
        if known.keys.len() >= KNOWN_MAX {
            known.keys.clear();
        }
        known.keys.insert(hash, (caller, now));
    }

    /// Forgets every key, so that the next use of each reads the store.
    pub(crate) fn forget_all(&self) {
        let mut known = self.0.write().unwrap_or_else(PoisonError::into_inner);
        known.generation += 1;
        known.keys.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_shown_only_so_far_that_its_owner_recognises_it() {
        assert_eq!(masked("sk-m-abcdefghijklmnop"), "sk-…mnop");
        assert_eq!(masked("sk-short"), "…");
        assert_eq!(masked("password12345678"), "…");
        assert_eq!(masked("sk-aaaaaaaaaaaaa<b>"), "…");
        assert_eq!(masked("sk-aaaaaaaaaaaaaaé"), "…");
    }

    #[test]
    fn a_key_that_was_read_before_a_revocation_does_not_come_back_after_it() {
        let cache = KeyCache::default();
        let caller = Caller { key: ApiKeyId::from_u128(1), owner: KeyOwner::Service };
        let now = Timestamp::from_micros(0);
        let before = cache.generation();
        cache.forget_all();
        cache.remember(before, [1; 32], caller, now);
        assert_eq!(cache.find(&[1; 32], now), None);
        cache.remember(cache.generation(), [1; 32], caller, now);
        assert_eq!(cache.find(&[1; 32], now), Some(caller));
        assert_eq!(cache.find(&[1; 32], now.plus(KNOWN_FOR).unwrap()), None);
    }
}
