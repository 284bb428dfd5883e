//! The files that pages load, embedded in the binary and named by their content.
//!
//! A page links `style.0f3a….css`; that name never means other bytes, so browsers keep it for a year.

use std::{fmt::Write, sync::LazyLock};

use axum::{
    extract::Path,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use sha2::{Digest, Sha256};

struct Asset {
    /// Its name with the hash of its content in it.
    name: String,
    media_type: &'static str,
    bytes: &'static [u8],
}

impl Asset {
    fn new(stem: &str, extension: &str, media_type: &'static str, bytes: &'static [u8]) -> Self {
        let mut name = format!("{stem}.");
        for byte in &Sha256::digest(bytes)[..8] {
            write!(name, "{byte:02x}").expect("a string takes what is written");
        }
        write!(name, ".{extension}").expect("a string takes what is written");
        Self { name, media_type, bytes }
    }

    fn url(&self) -> String {
        format!("/assets/{}", self.name)
    }
}

const STYLE: usize = 0;
const SCRIPT: usize = 1;
const ICON: usize = 2;

static ASSETS: LazyLock<[Asset; 3]> = LazyLock::new(|| {
    [
        Asset::new("style", "css", "text/css; charset=utf-8", include_bytes!("../../assets/style.css")),
        Asset::new("app", "js", "text/javascript; charset=utf-8", include_bytes!("../../assets/app.js")),
        Asset::new("icon", "svg", "image/svg+xml", include_bytes!("../../assets/icon.svg")),
    ]
});

/// Returns where the style sheet is.
pub(super) fn style_url() -> String {
    ASSETS[STYLE].url()
}

/// Returns where the script is.
pub(super) fn script_url() -> String {
    ASSETS[SCRIPT].url()
}

/// Returns where the icon is.
pub(super) fn icon_url() -> String {
    ASSETS[ICON].url()
}

/// `GET /assets/{file}`
pub(super) async fn serve(Path(file): Path<String>) -> Response {
    let Some(asset) = ASSETS.iter().find(|asset| asset.name == file) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let headers =
        [(header::CONTENT_TYPE, asset.media_type), (header::CACHE_CONTROL, "public, max-age=31536000, immutable")];
    (headers, asset.bytes).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_script_stays_small() {
        let bytes = ASSETS[SCRIPT].bytes.len();
        assert!(bytes < 15_000, "the script has {bytes} bytes, 15000 may be used");
    }

    #[tokio::test]
    async fn an_asset_is_served_under_its_hash_only() {
        let name = ASSETS[STYLE].name.clone();
        let found = serve(Path(name)).await;
        assert_eq!(found.status(), StatusCode::OK);
        assert_eq!(found.headers()[header::CONTENT_TYPE], "text/css; charset=utf-8");
        assert!(found.headers()[header::CACHE_CONTROL].to_str().unwrap().contains("immutable"));
        assert_eq!(serve(Path("style.css".into())).await.status(), StatusCode::NOT_FOUND);
    }
}
