//! Links to images: signed, so that they need no key, and expiring, so that they do not leak for ever.

use axum::{
    extract::{RawQuery, State},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use medici_ledger::Timestamp;
use medici_studio::{FileFormat, Image, ImageId};

use crate::{
    error::Fault,
    query::PathText,
    sign::{Purpose, sign, verify},
    state::{AppState, ServerConfig},
};

/// The path of the handler.
pub(crate) const PATH: &str = "/images/{file}";

/// Returns an absolute link that works for the configured lifetime, 60 minutes by default.
pub(crate) fn absolute(config: &ServerConfig, image: &Image, now: Timestamp) -> String {
    let lifetime = i64::try_from(config.link_lifetime.as_secs()).expect("a link's lifetime is a matter of hours");
    format!("{}{}", config.base_url, signed(config, image.id, image.format, seconds(now) + lifetime))
}

fn signed(config: &ServerConfig, image: ImageId, format: FileFormat, expires: i64) -> String {
    let signature = sign(&config.signing_secret, Purpose::Image, &message(image, expires));
    // Programs that save what a link leads to name the file after it.
    let extension = format.extension();
    format!("/images/{image}.{extension}?expires={expires}&signature={signature}")
}

fn message(image: ImageId, expires: i64) -> String {
    format!("{image}:{expires}")
}

fn seconds(at: Timestamp) -> i64 {
    at.micros().div_euclid(1_000_000)
}

/// Serves an image to whoever has a link that is signed and has not expired.
pub(crate) async fn show(
    State(state): State<AppState>,
    PathText(file): PathText,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response, Fault> {
    let query = query.unwrap_or_default();
    let (id, format, expires) = checked(&state.config, &file, &query).ok_or(Fault::BadLink)?;
    let left = expires - seconds(state.studio.clock.now());
    if left <= 0 {
        return Err(Fault::ExpiredLink);
    }
    let missing = || Fault::NotFound { what: "image" };
    let image = state.studio.store.image(id).await?.ok_or_else(missing)?;
    if image.format != format {
        return Err(Fault::BadLink);
    }
    let tag = format!("\"{}\"", image.blob);
    let cache = format!("private, max-age={left}, immutable");
    if headers.get(header::IF_NONE_MATCH).is_some_and(|known| known.as_bytes() == tag.as_bytes()) {
        return Ok((StatusCode::NOT_MODIFIED, [(header::ETAG, tag), (header::CACHE_CONTROL, cache)]).into_response());
    }
    let bytes = state.studio.image_file(&image).await?.ok_or_else(missing)?;
    let (tail, extension) = (image.job.as_u128() as u32, format.extension());
    let name = format!("inline; filename=\"medici-{tail:08x}-{}.{extension}\"", image.index + 1);
    let mut response = bytes.into_response();
    let headers = response.headers_mut();
    let text = |text: String| HeaderValue::from_str(&text).expect("digits, letters and quotes make a header");
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(format.media_type()));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static("sandbox; default-src 'none'"));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    headers.insert(header::CONTENT_DISPOSITION, text(name));
    headers.insert(header::CACHE_CONTROL, text(cache));
    headers.insert(header::ETAG, text(tag));
    Ok(response)
}

/// Returns what a link names, as which file, and when it ends, if its signature is ours.
fn checked(config: &ServerConfig, file: &str, query: &str) -> Option<(ImageId, FileFormat, i64)> {
    let (id, extension) = file.split_once('.')?;
    let id: ImageId = id.parse().ok()?;
    let format = FileFormat::of_extension(extension)?;
    let value = |name: &str| {
        let mut values = query.split('&').filter_map(|pair| pair.split_once('=')).filter(|(key, _)| *key == name);
        // A parameter that stands there twice could be read in two ways.
        values.next().map(|(_, value)| value).filter(|_| values.next().is_none())
    };
    let expires: i64 = value("expires")?.parse().ok()?;
    let signed = verify(&config.signing_secret, Purpose::Image, &message(id, expires), value("signature")?);
    signed.then_some((id, format, expires))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn link(at: i64) -> (ServerConfig, String) {
        let config = ServerConfig::for_tests();
        let expires = at + i64::try_from(config.link_lifetime.as_secs()).unwrap();
        let link = signed(&config, ImageId::from_u128(7), FileFormat::Png, expires);
        (config, link)
    }

    fn check(config: &ServerConfig, link: &str) -> Option<i64> {
        let (file, query) = link.rsplit_once('/')?.1.split_once('?')?;
        checked(config, file, query).map(|(_, _, expires)| expires)
    }

    #[test]
    fn a_link_lives_sixty_minutes_and_every_part_of_it_is_signed() {
        let (config, link) = link(1_000);
        assert_eq!(check(&config, &link), Some(4_600));
        assert_eq!(check(&config, &link.replace("expires=4600", "expires=4601")), None);
        assert_eq!(check(&config, &link.replace("0007.png", "0008.png")), None);
        assert_eq!(check(&config, &format!("{link}&expires=9999")), None);
        assert_eq!(check(&config, &link.replace(".png", ".svg")), None);
        let other = ServerConfig { signing_secret: [9; 32], ..config };
        assert_eq!(check(&other, &link), None);
    }
}
