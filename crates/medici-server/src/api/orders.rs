//! Orders: placed, paid, put on an invoice, given up, refunded, disputed.

use axum::{Json, extract::State, http::StatusCode, response::Response};
use medici_ledger::{
    AccountId, Command, ExternalId, Fact, Money, OrderId, PlanChangeMode, Reversal, ReversalState, TaxRate,
};
use medici_studio::{Done, PlaceOrder, Tax, Wanted};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{
    accounts::{found, parse},
    change::{Change, answer},
    credits::{Whose, account_of},
    order_body::OrderBody,
};
use crate::{
    auth::{AdminCaller, Caller},
    error::Fault,
    query::{PathText, PathTexts, QueryOf},
    state::AppState,
    wire::Text,
};

pub(super) const ORDERS: &str = "/api/accounts/{id}/orders";
pub(super) const ORDER: &str = "/api/accounts/{id}/orders/{order}";
pub(super) const PAY: &str = "/api/accounts/{id}/orders/{order}/pay";
pub(super) const INVOICE: &str = "/api/accounts/{id}/orders/{order}/invoice";
pub(super) const CANCEL: &str = "/api/accounts/{id}/orders/{order}/cancel";
pub(super) const REFUND: &str = "/api/accounts/{id}/orders/{order}/refund";
pub(super) const REVERSAL: &str = "/api/accounts/{id}/orders/{order}/reversals/{reversal}";

/// What is ordered: packs, the plan's next period, or another plan.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct PlaceBody {
    pack: Option<String>,
    packs: Option<u32>,
    period: Option<bool>,
    plan: Option<String>,
    mode: Option<ModeBody>,
    /// An amount of money.
    tax: Option<String>,
    /// A percentage.
    tax_rate: Option<String>,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
enum ModeBody {
    Prorated,
    FullPrice,
}

impl PlaceBody {
    fn wanted(&self) -> Result<Wanted, Fault> {
        match (&self.pack, self.packs, self.period, &self.plan, self.mode) {
            (Some(pack), packs, None, None, None) => {
                Ok(Wanted::Packs { pack: parse("pack", pack)?, packs: packs.unwrap_or(1) })
            }
            (None, None, Some(true), None, None) => Ok(Wanted::Period),
            (None, None, None, Some(plan), mode) => {
                let mode = match mode {
                    Some(ModeBody::Prorated) => PlanChangeMode::Prorated,
                    Some(ModeBody::FullPrice) | None => PlanChangeMode::FullPrice,
                };
                Ok(Wanted::PlanChange { plan: parse("plan", plan)?, mode })
            }
            _ => {
                let message =
                    "Say one thing to order: a pack and how many packs, \"period\": true, or a plan and a mode.";
                Err(Fault::request("invalid_value", message))
            }
        }
    }

    fn tax(&self) -> Result<Tax, Fault> {
        match (&self.tax, &self.tax_rate) {
            (None, Some(rate)) => Ok(Tax::Rate(parse::<TaxRate>("tax_rate", rate)?)),
            (tax, None) => Ok(Tax::Amount(tax.as_deref().map(|tax| parse("tax", tax)).transpose()?)),
            (Some(_), Some(_)) => Err(Fault::param("invalid_value", "tax", "Tax is an amount or a rate, not both.")),
        }
    }
}

/// `POST /api/accounts/{id}/orders`: orders at the prices of this instant. Grants nothing yet.
pub(super) async fn place(
    State(state): State<AppState>,
    _: AdminCaller,
    PathText(account): PathText,
    change: Change<PlaceBody>,
) -> Result<Response, Fault> {
    let (wanted, tax) = (change.body.wanted()?, change.body.tax()?);
    let account = found(&state, &account).await?.id;
    let key = change.required_key(account, ORDERS, &[])?;
    let done = state.studio.place_order(PlaceOrder { account, wanted, tax, key }).await?;
    let order = done.entry.as_ref().and_then(|entry| entry.fact.order()).expect("an order that is new is booked");
    Ok(answer(StatusCode::CREATED, &done, json!({ "order": body(&state, &done, order) })))
}

/// `GET /api/accounts/{id}/orders`: all of an account's orders, the newest first.
pub(super) async fn list(
    State(state): State<AppState>,
    _: AdminCaller,
    PathText(account): PathText,
) -> Result<Json<Value>, Fault> {
    let account = found(&state, &account).await?.id;
    Ok(Json(all(&state, account)?))
}

/// `GET /api/orders`: as above, for an account's own key.
pub(super) async fn own(
    State(state): State<AppState>,
    caller: Caller,
    QueryOf(whose): QueryOf<Whose>,
) -> Result<Json<Value>, Fault> {
    let account = account_of(&state, caller, whose.account.as_deref()).await?;
    Ok(Json(all(&state, account)?))
}

fn all(state: &AppState, account: AccountId) -> Result<Value, Fault> {
    let wallet = state.studio.wallet(account).ok_or(Fault::NotFound { what: "account" })?;
    let orders = wallet.orders().iter().rev().map(|record| OrderBody::of(&wallet, record, &state.studio.prices()));
    Ok(json!({ "account": Text(account), "orders": orders.collect::<Vec<_>>() }))
}

/// `GET /api/accounts/{id}/orders/{order}`.
pub(super) async fn one(
    State(state): State<AppState>,
    _: AdminCaller,
    PathTexts(path): PathTexts<(String, String)>,
) -> Result<Json<OrderBody>, Fault> {
    let (account, order) = named(&state, &path).await?;
    let wallet = state.studio.wallet(account).ok_or(Fault::NotFound { what: "account" })?;
    let record = wallet.order(order).ok_or(Fault::NotFound { what: "order" })?;
    Ok(Json(OrderBody::of(&wallet, record, &state.studio.prices())))
}

/// A payment.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct PayBody {
    amount: Option<String>,
}

/// `POST /api/accounts/{id}/orders/{order}/pay`: takes note of a payment, of what is due if nothing is said.
pub(super) async fn pay(
    State(state): State<AppState>,
    _: AdminCaller,
    PathTexts(path): PathTexts<(String, String)>,
    change: Change<PayBody>,
) -> Result<Response, Fault> {
    let amount: Option<Money> = change.body.amount.as_deref().map(|text| parse("amount", text)).transpose()?;
    let (account, order) = named(&state, &path).await?;
    let key = change.required_key(account, PAY, &[&path.1])?;
    let done = state.studio.pay_order(account, order, amount, key).await?;
    Ok(answer(StatusCode::OK, &done, json!({ "order": body(&state, &done, order) })))
}

/// A change that needs no words.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct NothingBody {}

/// `POST /api/accounts/{id}/orders/{order}/invoice`: grants an order that is paid later.
pub(super) async fn invoice(
    State(state): State<AppState>,
    _: AdminCaller,
    PathTexts(path): PathTexts<(String, String)>,
    change: Change<NothingBody>,
) -> Result<Response, Fault> {
    let (account, order) = named(&state, &path).await?;
    let key = change.required_key(account, INVOICE, &[&path.1])?;
    let done = state.studio.run_command(account, Command::InvoiceOrder { order }, Some(key)).await?;
    Ok(answer(StatusCode::OK, &done, json!({ "order": body(&state, &done, order) })))
}

/// `POST /api/accounts/{id}/orders/{order}/cancel`: gives an order up. A repeat changes nothing, with or without a key.
pub(super) async fn cancel(
    State(state): State<AppState>,
    _: AdminCaller,
    PathTexts(path): PathTexts<(String, String)>,
    change: Change<NothingBody>,
) -> Result<Response, Fault> {
    let (account, order) = named(&state, &path).await?;
    let key = change.key(account, CANCEL, &[&path.1]);
    let done = state.studio.run_command(account, Command::CancelOrder { order }, key).await?;
    Ok(answer(StatusCode::OK, &done, json!({ "order": body(&state, &done, order) })))
}

/// A refund on the customer's wish.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RefundBody {
    /// Its name, where the provider of the payment gave one.
    id: Option<String>,
    /// With tax; as much as can be if not said.
    amount: Option<String>,
}

/// `POST /api/accounts/{id}/orders/{order}/refund`: gives money back for credits that are not spent.
pub(super) async fn refund(
    State(state): State<AppState>,
    _: AdminCaller,
    PathTexts(path): PathTexts<(String, String)>,
    change: Change<RefundBody>,
) -> Result<Response, Fault> {
    let fresh = || format!("refund_{:032x}", state.studio.ids.next());
    let id: ExternalId = parse("id", &change.body.id.clone().unwrap_or_else(fresh))?;
    let amount: Option<Money> = change.body.amount.as_deref().map(|text| parse("amount", text)).transpose()?;
    let (account, order) = named(&state, &path).await?;
    let key = change.required_key(account, REFUND, &[&path.1])?;
    let command = Command::Refund { order, refund: id.clone(), amount };
    let done = state.studio.run_command(account, command, Some(key)).await?;
    // A repeat is told the name that the first was given.
    let id = match done.entry.as_ref().map(|entry| &entry.fact) {
        Some(Fact::OrderReversed { reversal, .. }) => reversal.id.clone(),
        _ => id,
    };
    let thing = json!({ "refund": refund_body(&done, order, &id), "order": body(&state, &done, order) });
    Ok(answer(StatusCode::CREATED, &done, thing))
}

fn refund_body(done: &Done, order: OrderId, id: &ExternalId) -> Option<Value> {
    let record = done.wallet.order(order)?;
    let refund = record.reversals.iter().find(|reversal| reversal.id == *id)?;
    let amount = Money::new(refund.amount, record.order.cost.currency);
    Some(json!({ "id": Text(id), "state": refund.state.as_str(), "amount": Text(amount) }))
}

/// A refund or a dispute as its provider reports it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ReversalBody {
    state: StateBody,
    amount: String,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
enum StateBody {
    Refunded,
    RefundFailed,
    Disputed,
    Lost,
    Won,
}

impl StateBody {
    fn state(self) -> ReversalState {
        match self {
            Self::Refunded => ReversalState::Refunded,
            Self::RefundFailed => ReversalState::RefundFailed,
            Self::Disputed => ReversalState::Disputed,
            Self::Lost => ReversalState::Lost,
            Self::Won => ReversalState::Won,
        }
    }
}

/// `PUT /api/accounts/{id}/orders/{order}/reversals/{reversal}`: takes note of a report, in any order and number.
pub(super) async fn reverse(
    State(state): State<AppState>,
    _: AdminCaller,
    PathTexts((account, order, reversal)): PathTexts<(String, String, String)>,
    change: Change<ReversalBody>,
) -> Result<Response, Fault> {
    let id: ExternalId = parse("reversal", &reversal)?;
    let amount: Money = parse("amount", &change.body.amount)?;
    let (account, order) = named(&state, &(account, order)).await?;
    let wallet = state.studio.wallet(account).ok_or(Fault::NotFound { what: "account" })?;
    // The currency of an order never changes, so it may be looked at before the decision.
    let currency = wallet.order(order).ok_or(Fault::NotFound { what: "order" })?.order.cost.currency;
    if amount.currency != currency {
        let message = format!("An amount in {currency} needed, {amount} found.");
        return Err(Fault::param("invalid_value", "amount", message));
    }
    let key = change.key(account, REVERSAL, &[&order.to_string(), &reversal]);
    let reversal = Reversal { id, state: change.body.state.state(), amount: amount.amount };
    let done = state.studio.run_command(account, Command::Reverse { order, reversal }, key).await?;
    Ok(answer(StatusCode::OK, &done, json!({ "order": body(&state, &done, order) })))
}

async fn named(state: &AppState, (account, order): &(String, String)) -> Result<(AccountId, OrderId), Fault> {
    let account = found(state, account).await?.id;
    Ok((account, order.parse().map_err(|_| Fault::NotFound { what: "order" })?))
}

/// Returns the order as it stands after a change.
fn body(state: &AppState, done: &Done, order: OrderId) -> Option<impl Serialize + use<>> {
    let (wallet, book) = (&done.wallet, &state.studio.prices());
    wallet.order(order).map(|record| OrderBody::of(wallet, record, book))
}
