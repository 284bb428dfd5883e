//! Publishing prices: versions are added, dated in the future, and never edited.

use std::sync::Arc;

use medici_ledger::{PriceBook, PriceVersion, Timestamp, Warning};

use crate::{
    prices::{self, PricesError},
    store::StoreError,
    studio::Studio,
    unit::{Decide, Touches, UnitOfWork, decide},
};

/// A version as it was published: by the file that it came in, so that what was read can be read again.
#[derive(Clone, Debug, PartialEq)]
pub struct PublishedVersion {
    /// The instant that names it.
    pub effective_at: Timestamp,
    /// When it was published.
    pub published_at: Timestamp,
    /// Why, in the operator's words; may be empty.
    pub reason: String,
    /// The whole file. It may have other versions too.
    pub book: Arc<str>,
}

/// New versions, and the book with them.
#[derive(Clone, Debug, PartialEq)]
pub struct NewPrices {
    /// The rows to insert.
    pub versions: Vec<PublishedVersion>,
    /// What is in force once they are durable.
    pub book: Arc<PriceBook>,
}

/// What came of publishing.
#[derive(Clone, Debug, PartialEq)]
pub struct Published {
    /// The versions that are new; none where all of the file's were published before.
    pub versions: Vec<PriceVersion>,
    /// What an operator should look at in them.
    pub warnings: Vec<Warning>,
}

/// Why nothing was published.
#[derive(Debug, thiserror::Error)]
pub enum PublishError {
    /// The file is refused.
    #[error(transparent)]
    File(#[from] PricesError),
    /// A version was published with other contents.
    #[error("version {effective_at} was published before with other contents: a version is never edited")]
    Edited {
        /// The version.
        effective_at: Timestamp,
    },
    /// A reason longer than anybody reads.
    #[error("a reason has up to {REASON_CHARS_MAX} characters")]
    LongReason,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The most characters of a reason.
pub const REASON_CHARS_MAX: usize = 500;

impl Studio {
    /// Publishes a file's versions: those that are new, of which each takes effect in the future. What was published
    /// before and is the same is left alone, so a repeat changes nothing.
    ///
    /// They are in force, each from its instant on, for every unit of work after this one.
    pub async fn publish_prices(&self, file: &str, reason: &str) -> Result<Published, PublishError> {
        if reason.chars().count() > REASON_CHARS_MAX {
            return Err(PublishError::LongReason);
        }
        let book = prices::parse(file)?;
        let first = false;
        decide(&*self.store, Publish { book, file: file.into(), reason: reason.to_owned(), first }).await?
    }

    /// Returns what [`Self::publish_prices`] would publish now, and publishes nothing.
    pub fn preview_prices(&self, file: &str) -> Result<Published, PublishError> {
        let book = prices::parse(file)?;
        Ok(additions(&self.prices(), &book, self.clock.now(), false)?.0)
    }

    /// Puts the prices of the store in force, and publishes those of the operator's file that are new.
    ///
    /// The first start of a store takes all versions of the file, whatever their instants. Later ones take what is
    /// new and lies ahead, and refuse a version that was published otherwise. Without a file of the operator's own,
    /// the built-in one counts at the first start only.
    pub async fn adopt_prices(&self, file: &str, own: bool) -> Result<Published, PublishError> {
        let published = self.store.price_versions().await?;
        if !published.is_empty() {
            self.store.set_prices(Arc::new(prices::published(&published)?));
            if !own {
                return Ok(Published { versions: Vec::new(), warnings: Vec::new() });
            }
        }
        let book = prices::parse(file)?;
        let (first, reason) = (published.is_empty(), "read at the start".to_owned());
        decide(&*self.store, Publish { book, file: file.into(), reason, first }).await?
    }
}

struct Publish {
    book: PriceBook,
    file: Arc<str>,
    reason: String,
    /// Whether the store has no prices yet: its first book may begin in the past.
    first: bool,
}

impl Decide for Publish {
    type Reply = Published;
    type Refusal = PublishError;

    fn touches(&self) -> Touches {
        Touches::default()
    }

    fn decide(&self, work: &mut UnitOfWork<'_>) -> Result<Published, PublishError> {
        let now = work.now();
        // The first book takes the place of whatever the store was opened with.
        let nothing = PriceBook::default();
        let before = if self.first { &nothing } else { work.prices() };
        let (published, book) = additions(before, &self.book, now, self.first)?;
        if !published.versions.is_empty() {
            let row = |version: &PriceVersion| PublishedVersion {
                effective_at: version.effective_at,
                published_at: now,
                reason: self.reason.clone(),
                book: self.file.clone(),
            };
            let versions = published.versions.iter().map(row).collect();
            work.put_prices(NewPrices { versions, book: Arc::new(book) });
        }
        Ok(published)
    }
}

/// Returns what a file adds to a book at an instant, and the book with it. The first book may begin in the past.
fn additions(
    before: &PriceBook,
    file: &PriceBook,
    now: Timestamp,
    first: bool,
) -> Result<(Published, PriceBook), PublishError> {
    let mut book = before.clone();
    let mut versions: Vec<PriceVersion> = Vec::new();
    for version in file.versions() {
        let effective_at = version.effective_at;
        match book.versions().iter().find(|known| known.effective_at == effective_at) {
            Some(known) if known == version => continue,
            Some(_) => return Err(PublishError::Edited { effective_at }),
            None => {}
        }
        let from = if first { effective_at.min(now) } else { now };
        book = book.publish(version.clone(), from).map_err(PricesError::Book)?;
        versions.push(version.clone());
    }
    let new = |warning: &Warning| versions.iter().any(|version| version.effective_at == warning.version());
    let warnings = book.warnings().into_iter().filter(new).collect();
    Ok((Published { versions, warnings }, book))
}
