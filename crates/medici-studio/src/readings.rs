//! The port of whoever finds several readings of a short prompt: another sense of an ambiguous word, another
//! composition or style.

mod senses;

pub use senses::Senses;

/// Finds readings of prompts.
#[async_trait::async_trait]
pub trait Planner: Send + Sync {
    /// Returns up to `count` prompts, one for each picture in order, each a reading of a short prompt; none where the
    /// prompt is long, or plain enough to be drawn as it is.
    ///
    /// Reading `i` depends on the prompt, the seed and `i` alone, so that more pictures begin with those of fewer.
    async fn readings(&self, prompt: &str, count: u32, seed: u64) -> Vec<String>;
}

/// A planner that finds none: every picture is drawn from the prompt itself.
pub struct NoReadings;

#[async_trait::async_trait]
impl Planner for NoReadings {
    async fn readings(&self, _: &str, _: u32, _: u64) -> Vec<String> {
        Vec::new()
    }
}
