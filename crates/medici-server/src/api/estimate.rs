//! `GET /api/estimate`: what a month of requests would cost. Anybody may ask: prices are no secret.

use axum::{Json, extract::State};
use medici_ledger::{
    BreakEven, Credits, Estimate, EstimateError, Money, Month, Operation, Packs, PlanName, QuoteError, Usage, Way,
};
use medici_studio::engine::Size;
use serde::{Deserialize, Serialize};

use crate::{
    error::{Fault, sentence},
    query::QueryOf,
    state::AppState,
    wire::Text,
};

/// The most requests of one kind that a month may have.
const REQUESTS_MAX: u32 = 1_000_000;

/// The plan that is compared with others if none is named.
const PLAN_DEFAULT: &str = "free";

/// The size of pictures if none is given; it matters only where prices depend on it.
const SIZE_DEFAULT: Size = Size::square(1024);

/// How many requests a month has, the plan of who asks, and what the requests are for.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct EstimateQuery {
    #[serde(default)]
    prompts: u32,
    #[serde(default)]
    edits: u32,
    #[serde(default)]
    variations: u32,
    plan: Option<String>,
    size: Option<String>,
    model: Option<String>,
}

/// An estimate in JSON, as the API and the command line both write it.
#[derive(Serialize)]
pub struct EstimateBody {
    credits: Text<Credits>,
    ways: Vec<WayBody>,
    cheaper_from: Vec<BreakEvenBody>,
}

#[derive(Serialize)]
struct WayBody {
    plan: Text<PlanName>,
    covered: Text<Credits>,
    packs: Option<PacksBody>,
    price: Option<Text<Money>>,
    text: String,
}

#[derive(Serialize)]
struct PacksBody {
    pack: String,
    count: u32,
    months: String,
    expire: bool,
}

#[derive(Serialize)]
struct BreakEvenBody {
    plan: Text<PlanName>,
    prompts: u32,
    text: String,
}

impl From<&Estimate> for EstimateBody {
    fn from(estimate: &Estimate) -> Self {
        Self {
            credits: Text(estimate.needed),
            ways: estimate.ways.iter().map(WayBody::of).collect(),
            cheaper_from: estimate.break_evens.iter().map(BreakEvenBody::of).collect(),
        }
    }
}

impl WayBody {
    fn of(way: &Way) -> Self {
        let Way { plan, covered, packs, price } = way;
        let packs = packs.as_ref().map(PacksBody::of);
        Self { plan: Text(*plan), covered: Text(*covered), packs, price: price.map(Text), text: way.to_string() }
    }
}

impl PacksBody {
    fn of(packs: &Packs) -> Self {
        let months = format!("{}.{}", packs.tenths / 10, packs.tenths % 10);
        Self { pack: packs.label.clone(), count: packs.count, months, expire: packs.expire }
    }
}

impl BreakEvenBody {
    fn of(from: &BreakEven) -> Self {
        Self { plan: Text(from.plan), prompts: from.prompts, text: from.to_string() }
    }
}

/// Estimates at the prices in force.
pub(crate) async fn estimate(
    State(state): State<AppState>,
    QueryOf(query): QueryOf<EstimateQuery>,
) -> Result<Json<EstimateBody>, Fault> {
    let EstimateQuery { prompts, edits, variations, .. } = query;
    for (name, asked) in [("prompts", prompts), ("edits", edits), ("variations", variations)] {
        if asked > REQUESTS_MAX {
            let message = format!("At most {REQUESTS_MAX} {name} a month can be estimated, {asked} found.");
            return Err(Fault::param("integer_above_max_value", name, message));
        }
    }
    let plan: PlanName = query
        .plan
        .as_deref()
        .unwrap_or(PLAN_DEFAULT)
        .parse()
        .map_err(|problem| Fault::param("invalid_value", "plan", sentence(&problem)))?;
    let size = query.size.map_or(Ok(SIZE_DEFAULT), |text| {
        text.parse::<Size>().map_err(|_| Fault::param("invalid_size", "size", "The size is WIDTHxHEIGHT."))
    })?;
    let model = Some(query.model.as_deref().unwrap_or(state.studio.engine.model()).into());
    let like = Usage { model, width: size.width, height: size.height, ..Usage::of(Operation::Generate, 1) };
    let month = Month { prompts, edits, variations };
    let none = || Fault::from(QuoteError::NoPrice { operation: Operation::Generate });
    let prices = state.studio.prices();
    let version = prices.version_at(state.studio.clock.now()).ok_or_else(none)?;
    let estimate = version.estimate(month, plan, &like).map_err(|failure| match failure {
        EstimateError::UnknownPlan { .. } => Fault::param("invalid_value", "plan", sentence(&failure)),
        EstimateError::NoPrice(failure) => failure.into(),
        EstimateError::TooMany => Fault::param("integer_above_max_value", "prompts", sentence(&failure)),
    })?;
    Ok(Json(EstimateBody::from(&estimate)))
}
