//! What an account has, and how it came to that.

use axum::{Json, extract::State};
use medici_ledger::{
    AccountId, Balances, Credits, Entry, Timestamp,
    history::{AsOf, balances_as_of},
    summary,
};
use medici_studio::KeyOwner;
use serde::{Deserialize, Serialize};

use super::{explain, statement::instant};
use crate::{
    auth::Caller,
    error::Fault,
    query::{QueryOf, page_limit},
    state::AppState,
    wire::{EntryBody, Text},
};

/// The longest page of entries.
const ENTRIES_MAX: usize = 200;
const ENTRIES_DEFAULT: usize = 50;

/// Whose credits are asked for. An account's own key need not say; a service's key must.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Whose {
    pub(super) account: Option<String>,
}

/// The most entries of one account that are read for one answer; the command line reads on.
const ENTRIES_READ_MAX: usize = 200_000;

/// Whose credits are asked for, and of when. An account's own key need not say whose; a service's key must.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct BalanceQuery {
    account: Option<String>,
    at: Option<String>,
    as_of: Option<AsOfText>,
}

/// By which of an entry's two instants the past is told.
#[derive(Clone, Copy, Default, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
enum AsOfText {
    #[default]
    Effective,
    Recorded,
}

/// A page of entries.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct EntriesQuery {
    account: Option<String>,
    cursor: Option<u64>,
    limit: Option<usize>,
    hold: Option<String>,
}

/// Returns all entries of an account, oldest first.
pub(super) async fn entries_of(state: &AppState, account: AccountId) -> Result<Vec<Entry>, Fault> {
    let entries = state.studio.all_entries(account, ENTRIES_READ_MAX).await?;
    let message = "The account has too many entries for one answer; `medici ledger` reads them on the server.";
    entries.ok_or_else(|| Fault::Conflict { code: "too_many_entries", message: message.into() })
}

/// Returns whose credits are asked for, if the caller may see them.
pub(super) async fn account_of(state: &AppState, caller: Caller, asked: Option<&str>) -> Result<AccountId, Fault> {
    let missing = || Fault::NotFound { what: "account" };
    match (caller.owner, asked) {
        (KeyOwner::Account(own), None) => Ok(own),
        (KeyOwner::Service | KeyOwner::Admin, None) => {
            let message = "Say whose credits: this key is not an account's.";
            Err(Fault::param("missing_required_parameter", "account", message))
        }
        (owner, Some(text)) => {
            let found = state.studio.find_account(text).await?.ok_or_else(missing)?;
            match owner {
                // Another's account is as good as none.
                KeyOwner::Account(own) if own != found.id => Err(missing()),
                KeyOwner::Account(_) | KeyOwner::Service | KeyOwner::Admin => Ok(found.id),
            }
        }
    }
}

#[derive(Serialize)]
pub(crate) struct BalanceBody {
    account: Text<AccountId>,
    /// The instant that was asked for, and by which of their instants entries count.
    #[serde(flatten)]
    past: Option<PastBody>,
    available: Text<Credits>,
    held: Text<Credits>,
    /// In the order they are spent.
    lots: Vec<LotBody>,
    next_refill: Option<AtBody>,
    first_expiring: Option<AtBody>,
}

#[derive(Serialize)]
struct PastBody {
    at: Text<Timestamp>,
    as_of: AsOfText,
}

#[derive(Serialize)]
struct LotBody {
    lot: u32,
    class: &'static str,
    source: &'static str,
    granted: Text<Credits>,
    available: Text<Credits>,
    held: Text<Credits>,
    expires_at: Option<Text<Timestamp>>,
    cost: Option<Text<medici_ledger::Money>>,
}

#[derive(Serialize)]
struct AtBody {
    at: Text<Timestamp>,
    credits: Text<Credits>,
}

/// `GET /api/credits`: the balance by lot, what comes next and what ends first; now or at an instant.
pub(crate) async fn balance(
    State(state): State<AppState>,
    caller: Caller,
    QueryOf(query): QueryOf<BalanceQuery>,
) -> Result<Json<BalanceBody>, Fault> {
    let account = account_of(&state, caller, query.account.as_deref()).await?;
    let Some(at) = query.at else {
        if query.as_of.is_some() {
            return Err(Fault::param("missing_required_parameter", "at", "Say of which instant."));
        }
        let balances = state.studio.balances(account).ok_or(Fault::NotFound { what: "account" })?;
        return Ok(Json(balance_body(account, None, balances)));
    };
    let at = instant("at", &at)?;
    let as_of = query.as_of.unwrap_or_default();
    let counted = match as_of {
        AsOfText::Effective => AsOf::Effective(at),
        AsOfText::Recorded => AsOf::Recorded(at),
    };
    let entries = entries_of(&state, account).await?;
    let balances = balances_as_of(account, &entries, counted, &state.studio.prices());
    let balances = balances.map_err(|broken| Fault::internal(&broken))?;
    Ok(Json(balance_body(account, Some(PastBody { at: Text(at), as_of }), balances)))
}

fn balance_body(account: AccountId, past: Option<PastBody>, balances: Balances) -> BalanceBody {
    let lots = balances.lots.iter().map(|lot| LotBody {
        lot: lot.number.get(),
        class: lot.class.as_str(),
        source: lot.source.as_str(),
        granted: Text(lot.granted),
        available: Text(lot.available),
        held: Text(lot.held),
        expires_at: lot.expires_at.map(Text),
        cost: lot.cost.map(Text),
    });
    BalanceBody {
        account: Text(account),
        past,
        available: Text(balances.available),
        held: Text(balances.held),
        lots: lots.collect(),
        next_refill: balances.next_refill.map(|next| AtBody { at: Text(next.at), credits: Text(next.credits) }),
        first_expiring: balances.first_expiring.map(|end| AtBody { at: Text(end.at), credits: Text(end.credits) }),
    }
}

#[derive(Serialize)]
struct EntryInWords<'a> {
    #[serde(flatten)]
    entry: EntryBody<'a>,
    /// What happened, in one line.
    words: String,
}

/// `GET /api/credits/entries`: what happened, newest first.
pub(crate) async fn entries(
    State(state): State<AppState>,
    caller: Caller,
    QueryOf(query): QueryOf<EntriesQuery>,
) -> Result<Json<serde_json::Value>, Fault> {
    let limit = page_limit(query.limit, ENTRIES_DEFAULT, ENTRIES_MAX)?;
    let account = account_of(&state, caller, query.account.as_deref()).await?;
    if let Some(hold) = query.hold {
        if query.cursor.is_some() || query.limit.is_some() {
            return Err(Fault::param("invalid_value", "hold", "All entries of a hold come in one answer."));
        }
        return explain::of_hold(&state, account, &hold).await;
    }
    let page = state.studio.entries(account, query.cursor, limit).await?;
    let entries: Vec<EntryInWords<'_>> = page
        .entries
        .iter()
        .map(|entry| EntryInWords { entry: EntryBody::of(entry), words: summary(&entry.fact) })
        .collect();
    Ok(Json(serde_json::json!({ "account": Text(account), "entries": entries, "next_cursor": page.next })))
}
