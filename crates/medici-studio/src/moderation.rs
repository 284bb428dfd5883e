//! The port of whoever judges words and pictures, and the ways to put several of them together.
//!
//! Words and pictures that are sent are judged before anything is held, and finished pictures before they are stored. Whatever judges
//! may say no; where it cannot be asked, nothing is drawn, unless the operator chose otherwise ([`FailOpen`]).

mod fold;
mod matching;
mod rules;

use std::sync::Arc;

use tracing::warn;

pub use rules::{Rule, RuleList, RulesError};

/// Judges words and pictures.
#[async_trait::async_trait]
pub trait Moderator: Send + Sync {
    /// Judges words before anything is priced or held.
    async fn words(&self, words: &str, zeal: Zeal) -> Result<Verdict, NotJudged>;

    /// Judges a picture's file before it is stored: one that was sent, before anything is held for it, or a finished
    /// one.
    async fn picture(&self, file: &[u8], media_type: &str, zeal: Zeal) -> Result<Verdict, NotJudged>;

    /// Returns whether pictures are looked at. Where they are, no previews are shown: a picture that is blocked in
    /// the end would have been seen by then.
    fn judges_pictures(&self) -> bool;
}

/// How strict to be: what OpenAI's clients call `moderation`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Zeal {
    /// As strict as the operator wants it.
    #[default]
    Auto,
    /// Only what must never be drawn.
    Low,
}

/// What came of judging.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Nothing was found.
    Clear,
    /// It must not be drawn or shown.
    Blocked {
        /// What it was taken for, such as `violence`; at least one, each once, in order of the alphabet.
        categories: Vec<String>,
    },
}

/// Something could not be judged, and so is not known to be allowed. The causes are for the log; none of them repeats
/// what was to be judged.
#[derive(Debug, thiserror::Error)]
#[error("it could not be judged")]
pub struct NotJudged(#[source] pub Box<dyn std::error::Error + Send + Sync>);

/// Moderators that are asked one after the other. The first that blocks is right.
pub struct InTurn(pub Vec<Arc<dyn Moderator>>);

#[async_trait::async_trait]
impl Moderator for InTurn {
    async fn words(&self, words: &str, zeal: Zeal) -> Result<Verdict, NotJudged> {
        for moderator in &self.0 {
            match moderator.words(words, zeal).await? {
                Verdict::Clear => {}
                blocked @ Verdict::Blocked { .. } => return Ok(blocked),
            }
        }
        Ok(Verdict::Clear)
    }

    async fn picture(&self, file: &[u8], media_type: &str, zeal: Zeal) -> Result<Verdict, NotJudged> {
        for moderator in &self.0 {
            match moderator.picture(file, media_type, zeal).await? {
                Verdict::Clear => {}
                blocked @ Verdict::Blocked { .. } => return Ok(blocked),
            }
        }
        Ok(Verdict::Clear)
    }

    fn judges_pictures(&self) -> bool {
        self.0.iter().any(|moderator| moderator.judges_pictures())
    }
}

/// A moderator whose silence is consent: the operator's choice for one that may be away.
pub struct FailOpen(pub Arc<dyn Moderator>);

impl FailOpen {
    fn or_clear(judged: Result<Verdict, NotJudged>) -> Verdict {
        judged.unwrap_or_else(|failure| {
            warn!("Let something pass that could not be judged: {}", causes(&failure));
            Verdict::Clear
        })
    }
}

#[async_trait::async_trait]
impl Moderator for FailOpen {
    async fn words(&self, words: &str, zeal: Zeal) -> Result<Verdict, NotJudged> {
        Ok(Self::or_clear(self.0.words(words, zeal).await))
    }

    async fn picture(&self, file: &[u8], media_type: &str, zeal: Zeal) -> Result<Verdict, NotJudged> {
        Ok(Self::or_clear(self.0.picture(file, media_type, zeal).await))
    }

    fn judges_pictures(&self) -> bool {
        self.0.judges_pictures()
    }
}

/// Returns the causes of a failure on one line, for the log.
pub(crate) fn causes(failure: &NotJudged) -> String {
    let mut texts = Vec::new();
    let mut cause = std::error::Error::source(failure);
    while let Some(failure) = cause {
        texts.push(failure.to_string());
        cause = failure.source();
    }
    texts.join(": ")
}

#[cfg(test)]
mod tests;
