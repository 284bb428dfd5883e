//! The pocket model.
mod basis;
mod matmul;
mod prior;
mod upscale;
mod weights;
/// Numbers of a latent: 768 principal components, then a background colour.
const LATENT: usize = 771;
/// Where in a latent its background colour begins.
const BACKGROUND: usize = 768;
#[cfg(test)]
mod vectors_tests;
static MODEL: &[u8] = include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/../../models/pocket/pocket.safetensors"));
static TOKENIZER: &[u8] = include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/../../models/pocket/tokenizer.json"));
