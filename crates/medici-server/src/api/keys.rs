//! Administration: the keys of services and of the operator.

use axum::{
    Json,
    extract::State,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use medici_ledger::Timestamp;
use medici_studio::{ApiKeyId, KeyOwner};
use serde::{Deserialize, Serialize};

use super::accounts::check_label;
use crate::{auth::AdminCaller, body::JsonBody, error::Fault, state::AppState, wire::Text};

/// A key to make that is no account's.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct KeyBody {
    owner: OwnerBody,
    #[serde(default)]
    label: String,
}

/// Whose requests it signs.
#[derive(Clone, Copy, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
enum OwnerBody {
    Service,
    Admin,
}

#[derive(Serialize)]
struct NewKeyBody {
    id: Text<ApiKeyId>,
    owner: OwnerBody,
    label: String,
    /// Shown now and never again.
    secret: String,
    created_at: Text<Timestamp>,
}

/// `POST /api/keys`: makes the API key of a service, or of the operator.
pub(crate) async fn create(
    State(state): State<AppState>,
    _: AdminCaller,
    JsonBody(body): JsonBody<KeyBody>,
) -> Result<Response, Fault> {
    check_label(&body.label)?;
    let owner = match body.owner {
        OwnerBody::Service => KeyOwner::Service,
        OwnerBody::Admin => KeyOwner::Admin,
    };
    let (key, secret) = state.studio.create_api_key(owner, &body.label).await?;
    let reply = NewKeyBody {
        id: Text(key.id),
        owner: body.owner,
        label: key.label,
        secret: secret.expose().to_owned(),
        created_at: Text(key.created_at),
    };
    Ok((StatusCode::CREATED, [(header::CACHE_CONTROL, "no-store")], Json(reply)).into_response())
}
