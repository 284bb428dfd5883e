//! What every reply carries: a refusal in its dialect, and the credits of a request.

use axum::{
    body::Body,
    http::{HeaderName, HeaderValue, StatusCode, header},
    response::{IntoResponseParts, Response, ResponseParts},
};
use medici_ledger::Credits;

/// What the request used, in every reply that tells of credits.
pub(crate) const CREDITS_CHARGED: HeaderName = HeaderName::from_static("medici-credits-charged");
/// What is available now.
pub(crate) const CREDITS_BALANCE: HeaderName = HeaderName::from_static("medici-credits-balance");
/// Says that a reply is that of an earlier request with the same key.
pub(crate) const REPLAYED: HeaderName = HeaderName::from_static("idempotent-replayed");
/// Tells OpenAI's clients whether another try may help, whatever the status says.
const SHOULD_RETRY: HeaderName = HeaderName::from_static("x-should-retry");

/// A failure as it goes over the wire.
pub(crate) struct Refused {
    pub(crate) status: StatusCode,
    pub(crate) media_type: &'static str,
    pub(crate) body: Vec<u8>,
    /// Seconds after which another try is worth it.
    pub(crate) retry_after: Option<u32>,
    /// Whether OpenAI's clients should try again, where the status alone would mislead them.
    pub(crate) should_retry: Option<bool>,
}

impl Refused {
    /// Writes the failure over a response, whose other headers stay.
    pub(crate) fn write_over(self, response: &mut Response) {
        *response.status_mut() = self.status;
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(self.media_type));
        headers.insert(header::CONTENT_LENGTH, HeaderValue::from(self.body.len()));
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if self.status == StatusCode::UNAUTHORIZED {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        if let Some(seconds) = self.retry_after {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        if let Some(should) = self.should_retry {
            headers.insert(SHOULD_RETRY, HeaderValue::from_static(if should { "true" } else { "false" }));
        }
        *response.body_mut() = Body::from(self.body);
    }
}

/// The credits of a request, as headers.
#[derive(Clone, Copy, Debug)]
pub(crate) struct CreditHeaders {
    /// What the request used.
    pub(crate) charged: Credits,
    /// What is available after it.
    pub(crate) balance: Credits,
}

impl IntoResponseParts for CreditHeaders {
    type Error = std::convert::Infallible;

    fn into_response_parts(self, mut parts: ResponseParts) -> Result<ResponseParts, Self::Error> {
        let value = |credits: Credits| HeaderValue::from_str(&credits.to_string()).expect("a decimal makes a header");
        parts.headers_mut().insert(CREDITS_CHARGED, value(self.charged));
        parts.headers_mut().insert(CREDITS_BALANCE, value(self.balance));
        Ok(parts)
    }
}

/// Whether a reply is that of an earlier request with the same key, as a header.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Replayed(pub(crate) bool);

impl IntoResponseParts for Replayed {
    type Error = std::convert::Infallible;

    fn into_response_parts(self, mut parts: ResponseParts) -> Result<ResponseParts, Self::Error> {
        if self.0 {
            parts.headers_mut().insert(REPLAYED, HeaderValue::from_static("true"));
        }
        Ok(parts)
    }
}
