//! What is agreed with an account: its plan, cohorts, terms of its own, a sandbox's clock.

use axum::{Json, extract::State, http::StatusCode, response::Response};
use medici_ledger::{
    CohortName, Command, Credits, Money, Overrides, PlanLimits, PlanName, PlanTerms, Timestamp, Wallet,
};
use medici_studio::{ClockMove, Done, Span};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{
    accounts::{found, parse},
    change::{Change, answer},
    credits::{Whose, account_of},
};
use crate::{
    auth::{AdminCaller, Caller},
    error::Fault,
    query::{PathText, QueryOf},
    state::AppState,
    wire::Text,
};

pub(super) const PLAN: &str = "/api/accounts/{id}/plan";
pub(super) const COHORTS: &str = "/api/accounts/{id}/cohorts";
pub(super) const OVERRIDES: &str = "/api/accounts/{id}/overrides";
pub(super) const CLOCK: &str = "/api/accounts/{id}/clock";

/// The most models that one account's own terms name, and the longest name of one.
const MODELS_MAX: usize = 100;
const MODEL_CHARS_MAX: usize = 100;

#[derive(Serialize)]
pub(super) struct LimitsBody {
    images_max: Option<u32>,
    jobs_open_max: Option<u32>,
    /// Null for all models.
    models: Option<Vec<String>>,
}

impl LimitsBody {
    fn of(limits: &PlanLimits) -> Self {
        let models = limits.models.as_ref().map(|models| models.iter().map(ToString::to_string).collect());
        Self { images_max: limits.images_max, jobs_open_max: limits.jobs_open_max, models }
    }
}

#[derive(Serialize)]
pub(super) struct OverridesOut {
    monthly: Option<Text<Credits>>,
    #[serde(flatten)]
    limits: LimitsBody,
}

impl OverridesOut {
    pub(super) fn of(wallet: &Wallet) -> Option<Self> {
        let overrides = wallet.overrides()?;
        Some(Self { monthly: overrides.monthly.map(Text), limits: LimitsBody::of(&overrides.limits) })
    }
}

#[derive(Serialize)]
struct PlanBody {
    plan: Option<String>,
    since: Text<Timestamp>,
    monthly: Option<Text<Credits>>,
    /// What a month costs, without tax; null for a plan that costs nothing.
    price: Option<Text<Money>>,
    rollover: Option<RolloverBody>,
    limits: Option<LimitsBody>,
    cohorts: Vec<String>,
    /// Credits that are owed, because their payment was taken back.
    owed: Text<Credits>,
}

#[derive(Serialize)]
struct RolloverBody {
    max: Text<Credits>,
    months: u16,
}

impl PlanBody {
    fn of(state: &AppState, wallet: &Wallet) -> Self {
        let now = wallet.own_time(state.studio.clock.now());
        let terms: Option<PlanTerms> = wallet.terms(&state.studio.prices(), now);
        let terms = terms.as_ref();
        let rollover = terms.and_then(|terms| terms.rollover);
        Self {
            plan: wallet.plan().map(|plan| plan.to_string()),
            since: Text(wallet.plan_since()),
            monthly: terms.map(|terms| Text(terms.monthly)),
            price: terms.filter(|terms| terms.is_paid()).and_then(|terms| terms.price).map(Text),
            rollover: rollover.map(|roll| RolloverBody { max: Text(roll.max), months: roll.months.get() }),
            limits: terms.map(|terms| LimitsBody::of(&terms.limits)),
            cohorts: wallet.cohorts().iter().map(ToString::to_string).collect(),
            owed: Text(wallet.debt()),
        }
    }
}

/// `GET /api/plan`: what an account is entitled to, its own terms in place of its plan's.
pub(super) async fn own_plan(
    State(state): State<AppState>,
    caller: Caller,
    QueryOf(whose): QueryOf<Whose>,
) -> Result<Json<Value>, Fault> {
    let account = account_of(&state, caller, whose.account.as_deref()).await?;
    let wallet = state.studio.wallet(account).ok_or(Fault::NotFound { what: "account" })?;
    let mut body = serde_json::to_value(PlanBody::of(&state, &wallet)).expect("texts and numbers make JSON");
    body["account"] = json!(Text(account));
    Ok(Json(body))
}

/// A plan to move to.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ChangePlanBody {
    plan: String,
}

/// `PUT /api/accounts/{id}/plan`: moves an account to a plan that costs nothing. A repeat changes nothing.
pub(super) async fn change_plan(
    State(state): State<AppState>,
    _: AdminCaller,
    PathText(account): PathText,
    change: Change<ChangePlanBody>,
) -> Result<Response, Fault> {
    let plan: PlanName = parse("plan", &change.body.plan)?;
    let account = found(&state, &account).await?.id;
    let key = change.key(account, PLAN, &[]);
    let done = state.studio.run_command(account, Command::ChangePlan { plan }, key).await?;
    Ok(answer(StatusCode::OK, &done, PlanBody::of(&state, &done.wallet)))
}

/// A cohort to join.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct CohortBody {
    cohort: String,
    code: Option<String>,
}

/// `POST /api/accounts/{id}/cohorts`: adds an account to a cohort, by an operator's hand or by its code.
pub(super) async fn join_cohort(
    State(state): State<AppState>,
    _: AdminCaller,
    PathText(account): PathText,
    change: Change<CohortBody>,
) -> Result<Response, Fault> {
    let cohort: CohortName = parse("cohort", &change.body.cohort)?;
    let code = change.body.code.as_deref().map(Into::into);
    let account = found(&state, &account).await?.id;
    let key = change.required_key(account, COHORTS, &[])?;
    let done = state.studio.run_command(account, Command::JoinCohort { cohort, code }, Some(key)).await?;
    Ok(answer(StatusCode::CREATED, &done, json!({ "cohort": Text(cohort) })))
}

/// Terms of its own; what is not said is as the plan has it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct OverridesBody {
    monthly: Option<String>,
    images_max: Option<u32>,
    jobs_open_max: Option<u32>,
    models: Option<Vec<String>>,
}

/// `PUT /api/accounts/{id}/overrides`: gives an account terms of its own; `{}` takes them away.
pub(super) async fn set_overrides(
    State(state): State<AppState>,
    _: AdminCaller,
    PathText(account): PathText,
    change: Change<OverridesBody>,
) -> Result<Response, Fault> {
    let OverridesBody { monthly, images_max, jobs_open_max, models } = &change.body;
    let monthly: Option<Credits> = monthly.as_deref().map(|text| parse("monthly", text)).transpose()?;
    let models = models.as_deref().map(checked_models).transpose()?;
    let limits = PlanLimits { images_max: *images_max, jobs_open_max: *jobs_open_max, models };
    let account = found(&state, &account).await?.id;
    let key = change.key(account, OVERRIDES, &[]);
    let command = Command::SetOverrides { overrides: Some(Overrides { monthly, limits }) };
    let done = state.studio.run_command(account, command, key).await?;
    Ok(answer(StatusCode::OK, &done, json!({ "overrides": OverridesOut::of(&done.wallet) })))
}

fn checked_models(models: &[String]) -> Result<std::sync::Arc<[Box<str>]>, Fault> {
    let good = |model: &String| (1..=MODEL_CHARS_MAX).contains(&model.chars().count());
    if models.is_empty() || models.len() > MODELS_MAX || !models.iter().all(good) {
        let message = format!("Name 1 to {MODELS_MAX} models of 1 to {MODEL_CHARS_MAX} characters each.");
        return Err(Fault::param("invalid_value", "models", message));
    }
    Ok(models.iter().map(|model| model.as_str().into()).collect())
}

/// Where a sandbox's clock is to go: to an instant, or by a span.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ClockBody {
    to: Option<String>,
    advance: Option<String>,
}

/// `PUT /api/accounts/{id}/clock`: moves a sandbox's clock. By a span it needs a key, or a repeat would move it twice.
pub(super) async fn set_clock(
    State(state): State<AppState>,
    _: AdminCaller,
    PathText(account): PathText,
    change: Change<ClockBody>,
) -> Result<Response, Fault> {
    let how = match (&change.body.to, &change.body.advance) {
        (Some(to), None) => ClockMove::To(parse::<Timestamp>("to", to)?),
        (None, Some(span)) => ClockMove::By(parse::<Span>("advance", span)?),
        _ => {
            return Err(Fault::request(
                "invalid_value",
                "Say where the clock goes: \"to\" an instant, or \"advance\".",
            ));
        }
    };
    let account = found(&state, &account).await?.id;
    let key = match how {
        ClockMove::To(_) => change.key(account, CLOCK, &[]),
        ClockMove::By(_) => Some(change.required_key(account, CLOCK, &[])?),
    };
    let done: Done = state.studio.set_clock(account, how, key).await?;
    Ok(answer(StatusCode::OK, &done, json!({ "sandbox_clock": done.wallet.sandbox_clock().map(Text) })))
}
