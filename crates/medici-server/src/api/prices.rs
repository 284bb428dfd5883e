//! The price book: what is in force, what comes, what was; and publishing.

use axum::{
    Json,
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use medici_ledger::{Timestamp, Warning};
use medici_studio::{PublishError, PublishedVersion};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::{
    auth::AdminCaller,
    body::JsonBody,
    error::{Fault, sentence},
    price_version,
    state::AppState,
    wire::Text,
};

/// A version with when and why it was published.
#[derive(Serialize)]
struct VersionBody {
    /// `past`, `in_force` or `upcoming`.
    state: &'static str,
    /// The first instant at which another takes its place; null for the last.
    until: Option<Text<Timestamp>>,
    published_at: Option<Text<Timestamp>>,
    reason: Option<String>,
    #[serde(flatten)]
    version: Value,
}

/// `GET /api/prices`: every version in the order they take effect, without the codes of cohorts.
pub(crate) async fn history(State(state): State<AppState>) -> Result<Json<Value>, Fault> {
    let (book, now) = (state.studio.prices(), state.studio.clock.now());
    let published = state.studio.store.price_versions().await?;
    let row = |at: Timestamp| published.iter().find(|row: &&PublishedVersion| row.effective_at == at);
    let ends = book.versions().iter().skip(1).map(|version| Some(version.effective_at)).chain([None]);
    let versions: Vec<VersionBody> = book
        .versions()
        .iter()
        .zip(ends)
        .map(|(version, until)| VersionBody {
            state: match until {
                _ if version.effective_at > now => "upcoming",
                Some(until) if until <= now => "past",
                _ => "in_force",
            },
            until: until.map(Text),
            published_at: row(version.effective_at).map(|row| Text(row.published_at)),
            reason: row(version.effective_at).map(|row| row.reason.clone()),
            version: price_version(version, false),
        })
        .collect();
    Ok(Json(json!({ "versions": versions })))
}

/// A price book file to publish.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct PublishBody {
    /// The file's text, in TOML.
    book: String,
    /// Why, for whoever reads the history.
    #[serde(default)]
    reason: String,
    /// Whether only to say what would come of it.
    #[serde(default)]
    dry_run: bool,
}

/// `POST /api/prices`: publishes a file's versions that are new. A repeat changes nothing.
pub(crate) async fn publish(
    State(state): State<AppState>,
    _: AdminCaller,
    JsonBody(body): JsonBody<PublishBody>,
) -> Result<Response, Fault> {
    let published = if body.dry_run {
        state.studio.preview_prices(&body.book)?
    } else {
        state.studio.publish_prices(&body.book, &body.reason).await?
    };
    let warning = |warning: &Warning| json!({ "version": warning.version().to_string(), "kind": warning.kind(), "text": warning.to_string() });
    let reply = json!({
        "dry_run": body.dry_run,
        "versions": published.versions.iter().map(|version| price_version(version, true)).collect::<Vec<_>>(),
        "warnings": published.warnings.iter().map(warning).collect::<Vec<_>>(),
    });
    let is_new = !body.dry_run && !published.versions.is_empty();
    let status = if is_new { StatusCode::CREATED } else { StatusCode::OK };
    Ok((status, Json(reply)).into_response())
}

impl From<PublishError> for Fault {
    fn from(failure: PublishError) -> Self {
        match failure {
            PublishError::File(_) => Self::param("invalid_price_book", "book", sentence(&failure)),
            PublishError::Edited { .. } => Self::Conflict { code: "price_version_edited", message: sentence(&failure) },
            PublishError::LongReason => Self::param("string_above_max_length", "reason", sentence(&failure)),
            PublishError::Store(failure) => failure.into(),
        }
    }
}
