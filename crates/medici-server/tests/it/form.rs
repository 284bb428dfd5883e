//! Forms with files, and small pictures to put into them.

use medici_engine::PictureFiles;
use medici_studio::{
    Encoder,
    engine::{Pixels, Size},
};

use crate::house::{Answer, House};

const BOUNDARY: &str = "----medici-test";

/// A part of a form: its name, its file's name, its bytes.
pub(crate) type Part<'a> = (&'a str, Option<&'a str>, Vec<u8>);

/// A field that is no file.
pub(crate) fn field<'a>(name: &'a str, value: &str) -> Part<'a> {
    (name, None, value.as_bytes().to_vec())
}

/// A file.
pub(crate) fn file<'a>(name: &'a str, bytes: &[u8]) -> Part<'a> {
    (name, Some("blob"), bytes.to_vec())
}

/// Writes a form as clients do.
pub(crate) fn body(parts: &[Part<'_>]) -> Vec<u8> {
    let mut body = Vec::new();
    for (name, filename, bytes) in parts {
        let file = filename.map_or_else(String::new, |filename| {
            format!("; filename=\"{filename}\"\r\nContent-Type: application/octet-stream")
        });
        let head = format!("--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"{name}\"{file}\r\n\r\n");
        body.extend_from_slice(head.as_bytes());
        body.extend_from_slice(bytes);
        body.extend_from_slice(b"\r\n");
    }
    body.extend_from_slice(format!("--{BOUNDARY}--\r\n").as_bytes());
    body
}

pub(crate) fn media_type() -> String {
    format!("multipart/form-data; boundary={BOUNDARY}")
}

impl House {
    /// Sends a form with the account's key.
    pub(crate) async fn send_form(&self, path: &str, parts: &[Part<'_>]) -> Answer {
        let ask = self.ask(axum::http::Method::POST, path).key(&self.key);
        ask.header("content-type", &media_type()).bytes(body(parts)).send().await
    }
}

/// A picture of one colour; with four channels it has transparency.
pub(crate) fn plain(width: u32, height: u32, pixel: &[u8]) -> Pixels {
    Pixels { size: Size { width, height }, alpha: pixel.len() == 4, bytes: pixel.repeat((width * height) as usize) }
}

/// A picture's PNG.
pub(crate) fn png(pixels: &Pixels) -> Vec<u8> {
    PictureFiles.plain(pixels)
}

/// A mask whose left half is transparent, which is what is changed.
pub(crate) fn left_half(width: u32, height: u32) -> Pixels {
    let row: Vec<u8> = (0..width).flat_map(|x| [0, 0, 0, if x < width / 2 { 0 } else { 255 }]).collect();
    Pixels { size: Size { width, height }, alpha: true, bytes: row.repeat(height as usize) }
}
