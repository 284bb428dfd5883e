//! What stands in the address: path segments and query parameters, refused in the dialect of the path.

use axum::{
    extract::{FromRequestParts, Path, Query},
    http::request::Parts,
};
use serde::de::DeserializeOwned;

use crate::{
    error::{Fault, sentence},
    state::AppState,
};

/// The one variable segment of a path.
pub(crate) struct PathText(pub(crate) String);

impl FromRequestParts<AppState> for PathText {
    type Rejection = Fault;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, Fault> {
        let path = Path::<String>::from_request_parts(parts, state).await;
        let broken = |_| Fault::request("malformed_request", "The address is not UTF-8.");
        path.map(|Path(text)| Self(text)).map_err(broken)
    }
}

/// All variable segments of a path that has several.
pub(crate) struct PathTexts<T>(pub(crate) T);

impl<T: DeserializeOwned + Send> FromRequestParts<AppState> for PathTexts<T> {
    type Rejection = Fault;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, Fault> {
        let path = Path::<T>::from_request_parts(parts, state).await;
        let broken = |_| Fault::request("malformed_request", "The address is not UTF-8.");
        path.map(|Path(texts)| Self(texts)).map_err(broken)
    }
}

/// The query parameters of a request. Unknown ones are refused where the type says so.
pub(crate) struct QueryOf<T>(pub(crate) T);

impl<T: DeserializeOwned> FromRequestParts<AppState> for QueryOf<T> {
    type Rejection = Fault;

    async fn from_request_parts(parts: &mut Parts, _: &AppState) -> Result<Self, Fault> {
        match Query::try_from_uri(&parts.uri) {
            Ok(Query(query)) => Ok(Self(query)),
            Err(problem) => {
                use std::error::Error;
                let text = problem.source().map_or_else(|| problem.to_string(), ToString::to_string);
                Err(Fault::request("invalid_value", sentence(&text)))
            }
        }
    }
}

/// Reads a parameter that may be left out.
pub(crate) fn parsed<T>(param: &'static str, text: Option<&str>) -> Result<Option<T>, Fault>
where
    T: std::str::FromStr<Err: std::fmt::Display>,
{
    let bad = |problem| Fault::param("invalid_value", param, sentence(&problem));
    text.map(|text| text.parse().map_err(bad)).transpose()
}

/// Returns the length of a page within its bounds.
pub(crate) fn page_limit(asked: Option<usize>, default: usize, max: usize) -> Result<usize, Fault> {
    match asked {
        None => Ok(default),
        Some(limit) if (1..=max).contains(&limit) => Ok(limit),
        Some(limit) => {
            let message = format!("The limit is 1 to {max}, {limit} found.");
            Err(Fault::param("invalid_value", "limit", message))
        }
    }
}
