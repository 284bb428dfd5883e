//! Administration: accounts, what is known of them, their keys, and credits given by the operator.

use axum::{
    Json,
    extract::State,
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use medici_ledger::{
    AccountId, Class, Credits, Money, PlanName, Source, Timestamp,
    idempotency::{Fingerprint, Keep},
};
use medici_studio::{Account, ApiKeyId, Grant, KeyOwner, NewAccount};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{budgets::BudgetBody, terms::OverridesOut};

use crate::{
    auth::AdminCaller,
    body::JsonBody,
    error::{Fault, sentence},
    idempotency::{key_use, required_key},
    query::{PathText, QueryOf, page_limit},
    reply::{CREDITS_BALANCE, Replayed},
    state::AppState,
    wire::{EntryBody, Text},
};

pub(crate) const GRANTS: &str = "/api/accounts/{id}/grants";
/// The plan of an account that is opened without one.
const PLAN_DEFAULT: &str = "free";
/// The longest page of accounts.
const ACCOUNTS_MAX: usize = 1_000;
const ACCOUNTS_DEFAULT: usize = 100;
/// The longest label of a key, in characters.
const LABEL_CHARS_MAX: usize = 100;

/// An account to open.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct OpenBody {
    name: String,
    plan: Option<String>,
    /// Whether its time is its own, to try things out.
    #[serde(default)]
    sandbox: bool,
    /// What a sandbox's clock says at first; now if not said.
    clock_at: Option<String>,
    /// The code of a cohort.
    code: Option<String>,
}

#[derive(Serialize)]
pub(crate) struct AccountBody {
    id: Text<AccountId>,
    name: String,
    created_at: Text<Timestamp>,
}

/// `POST /api/accounts`: opens an account. Its name is taken once, so a repeat is refused, not carried out.
pub(crate) async fn open(
    State(state): State<AppState>,
    _: AdminCaller,
    JsonBody(body): JsonBody<OpenBody>,
) -> Result<(StatusCode, Json<AccountBody>), Fault> {
    let plan: PlanName = parse("plan", body.plan.as_deref().unwrap_or(PLAN_DEFAULT))?;
    let clock_at: Option<Timestamp> = body.clock_at.as_deref().map(|text| parse("clock_at", text)).transpose()?;
    if clock_at.is_some() && !body.sandbox {
        let message = "Only a sandbox has a clock of its own: send \"sandbox\": true.";
        return Err(Fault::param("invalid_value", "clock_at", message));
    }
    let sandbox = body.sandbox.then(|| clock_at.unwrap_or_else(|| state.studio.clock.now()));
    let new = NewAccount { name: body.name, plan, sandbox, code: body.code };
    let account = state.studio.open_new(new).await?;
    Ok((StatusCode::CREATED, Json(AccountBody::of(account))))
}

impl AccountBody {
    fn of(account: Account) -> Self {
        let Account { id, name, created_at } = account;
        Self { id: Text(id), name, created_at: Text(created_at) }
    }
}

/// A page of accounts.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct AccountsQuery {
    cursor: Option<String>,
    limit: Option<usize>,
}

/// `GET /api/accounts`: by name.
pub(crate) async fn list(
    State(state): State<AppState>,
    _: AdminCaller,
    QueryOf(query): QueryOf<AccountsQuery>,
) -> Result<Json<Value>, Fault> {
    let limit = page_limit(query.limit, ACCOUNTS_DEFAULT, ACCOUNTS_MAX)?;
    let accounts = state.studio.store.accounts(query.cursor.as_deref(), limit).await?;
    // A full page may have another behind it; an empty one then says that it had not.
    let next = accounts.last().filter(|_| accounts.len() == limit).map(|last| last.name.clone());
    let accounts: Vec<AccountBody> = accounts.into_iter().map(AccountBody::of).collect();
    Ok(Json(json!({ "accounts": accounts, "next_cursor": next })))
}

#[derive(Serialize)]
pub(crate) struct AccountDetails {
    #[serde(flatten)]
    account: AccountBody,
    /// The anchor of its months.
    opened_at: Option<Text<Timestamp>>,
    plan: Option<Text<PlanName>>,
    plan_since: Text<Timestamp>,
    cohorts: Vec<String>,
    /// Terms of its own in place of its plan's.
    overrides: Option<OverridesOut>,
    budgets: Vec<BudgetBody>,
    /// Credits that are owed, because their payment was taken back.
    owed: Text<Credits>,
    alert: Option<AlertBody>,
    /// Null for a live account.
    sandbox_clock: Option<Text<Timestamp>>,
}

#[derive(Serialize)]
struct AlertBody {
    below: Text<Credits>,
    told: bool,
}

/// `GET /api/accounts/{id}`: what is agreed with one account; what it has is told by `GET /api/credits`.
pub(crate) async fn one(
    State(state): State<AppState>,
    _: AdminCaller,
    PathText(account): PathText,
) -> Result<Json<AccountDetails>, Fault> {
    let account = found(&state, &account).await?;
    let wallet = state.studio.wallet(account.id).ok_or(Fault::NotFound { what: "account" })?;
    Ok(Json(AccountDetails {
        account: AccountBody::of(account),
        opened_at: wallet.opened_at().map(Text),
        plan: wallet.plan().map(Text),
        plan_since: Text(wallet.plan_since()),
        cohorts: wallet.cohorts().iter().map(ToString::to_string).collect(),
        overrides: OverridesOut::of(&wallet),
        budgets: BudgetBody::all(&wallet, state.studio.clock.now()),
        owed: Text(wallet.debt()),
        alert: wallet.alert().map(|alert| AlertBody { below: Text(alert.below), told: alert.told }),
        sandbox_clock: wallet.sandbox_clock().map(Text),
    }))
}

/// Credits to give.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct GrantBody {
    credits: String,
    class: ClassBody,
    source: Option<SourceBody>,
    cost: Option<String>,
    expires_at: Option<String>,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum ClassBody {
    Free,
    Promo,
    Paid,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum SourceBody {
    Purchase,
    Bonus,
    Goodwill,
}

#[derive(Serialize)]
struct GrantedBody<'a> {
    account: Text<AccountId>,
    credits: Text<Credits>,
    available: Text<Credits>,
    entry: EntryBody<'a>,
}

/// `POST /api/accounts/{id}/grants`: gives credits. A repeat with the same key answers as the first time.
pub(crate) async fn grant(
    State(state): State<AppState>,
    _: AdminCaller,
    PathText(account): PathText,
    headers: HeaderMap,
    JsonBody(body): JsonBody<GrantBody>,
) -> Result<Response, Fault> {
    let key = required_key(&headers)?;
    let credits: Credits = parse("credits", &body.credits)?;
    let cost: Option<Money> = body.cost.as_deref().map(|text| parse("cost", text)).transpose()?;
    let expires_at: Option<Timestamp> = body.expires_at.as_deref().map(|text| parse("expires_at", text)).transpose()?;
    let (class, usual) = match body.class {
        ClassBody::Free => (Class::Free, Source::Goodwill),
        ClassBody::Promo => (Class::Promo, Source::Bonus),
        ClassBody::Paid => (Class::Paid, Source::Purchase),
    };
    let source = match body.source {
        None => usual,
        Some(SourceBody::Purchase) => Source::Purchase,
        Some(SourceBody::Bonus) => Source::Bonus,
        Some(SourceBody::Goodwill) => Source::Goodwill,
    };
    let asked = body.source.map_or("", |_| source.as_str());
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    let (paid, ends) = (text(&body.cost), text(&body.expires_at));
    let fields = [account.as_str(), &body.credits, class.as_str(), asked, &paid, &ends];
    let fingerprint = Fingerprint::of(fields.iter().map(|field| field.as_bytes()));
    let account = found(&state, &account).await?.id;
    let key = key_use(account, GRANTS, key, fingerprint, Keep::Forever);
    let receipt = state.studio.grant(Grant { account, credits, class, cost, expires_at, source, key }).await?;
    let reply = GrantedBody {
        account: Text(account),
        credits: Text(credits),
        available: Text(receipt.available),
        entry: EntryBody::of(&receipt.entry),
    };
    let balance = [(CREDITS_BALANCE, receipt.available.to_string())];
    Ok((StatusCode::CREATED, balance, Replayed(receipt.replayed), Json(reply)).into_response())
}

/// A key to make.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct KeyBody {
    label: String,
}

#[derive(Serialize)]
struct NewKeyBody {
    id: Text<ApiKeyId>,
    account: Text<AccountId>,
    label: String,
    /// Shown now and never again.
    secret: String,
    created_at: Text<Timestamp>,
}

/// `POST /api/accounts/{id}/keys`: makes an API key for an account.
pub(crate) async fn create_key(
    State(state): State<AppState>,
    _: AdminCaller,
    PathText(account): PathText,
    JsonBody(body): JsonBody<KeyBody>,
) -> Result<Response, Fault> {
    check_label(&body.label)?;
    let account = found(&state, &account).await?.id;
    let (key, secret) = state.studio.create_api_key(KeyOwner::Account(account), &body.label).await?;
    let reply = NewKeyBody {
        id: Text(key.id),
        account: Text(account),
        label: key.label,
        secret: secret.expose().to_owned(),
        created_at: Text(key.created_at),
    };
    Ok((StatusCode::CREATED, [(header::CACHE_CONTROL, "no-store")], Json(reply)).into_response())
}

/// Refuses a label that is too long to be one.
pub(super) fn check_label(label: &str) -> Result<(), Fault> {
    if label.chars().count() > LABEL_CHARS_MAX {
        let message = format!("A label has up to {LABEL_CHARS_MAX} characters.");
        return Err(Fault::param("string_above_max_length", "label", message));
    }
    Ok(())
}

#[derive(Serialize)]
pub(crate) struct RevokedBody {
    id: Text<ApiKeyId>,
    revoked_at: Option<Text<Timestamp>>,
}

/// `DELETE /api/keys/{id}`: makes a key stop working, at once. A repeat changes nothing.
pub(crate) async fn revoke_key(
    State(state): State<AppState>,
    _: AdminCaller,
    PathText(id): PathText,
) -> Result<Json<RevokedBody>, Fault> {
    let missing = || Fault::NotFound { what: "API key" };
    let id: ApiKeyId = id.parse().map_err(|_| missing())?;
    let key = state.revoke_api_key(id).await?.ok_or_else(missing)?;
    Ok(Json(RevokedBody { id: Text(key.id), revoked_at: key.revoked_at.map(Text) }))
}

/// Returns the account of a name or an id.
pub(super) async fn found(state: &AppState, name_or_id: &str) -> Result<Account, Fault> {
    state.studio.find_account(name_or_id).await?.ok_or(Fault::NotFound { what: "account" })
}

/// Reads a parameter.
pub(super) fn parse<T: std::str::FromStr<Err: std::fmt::Display>>(param: &'static str, text: &str) -> Result<T, Fault> {
    text.parse().map_err(|problem| Fault::param("invalid_value", param, sentence(&problem)))
}
