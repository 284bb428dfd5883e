//! Looking for jobs: by the words of their prompts, by their state, by when they were asked.
//!
//! There is no index of words. A look goes through an account's own jobs, newest first, and stops at a bound; whoever
//! wants to know about older ones goes on from there.

use medici_ledger::{AccountId, Timestamp};

use crate::{
    ids::JobId,
    job::Job,
    store::StoreError,
    studio::{Finished, Studio},
};

/// The most jobs that one look goes through, whether or not they are let through.
pub const JOBS_LOOKED_AT_MAX: usize = 1_000;
/// The most words that may be looked for at a time.
pub const WORDS_MAX: usize = 10;
/// The most characters they may have together.
pub const WORDS_CHARS_MAX: usize = 200;

/// Which jobs are looked for. The default lets all through.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct JobFilter {
    /// What their prompts contain.
    pub words: Words,
    /// What state they are in, by its [name](crate::JobState::name).
    pub state: Option<&'static str>,
    /// They were asked before this instant.
    pub asked_before: Option<Timestamp>,
}

/// Words to look for, in lower case. The default has none, and is found in everything.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Words(Vec<String>);

/// Why a text cannot be looked for.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WordsError {
    /// It has no word.
    #[error("at least one word needed")]
    Blank,
    /// It is too long.
    #[error("{found} characters to look for found, up to {WORDS_CHARS_MAX} can be")]
    TooLong {
        /// The characters.
        found: usize,
    },
    /// It has too many words.
    #[error("{found} words to look for found, up to {WORDS_MAX} can be")]
    TooMany {
        /// The words.
        found: usize,
    },
}

impl std::str::FromStr for Words {
    type Err = WordsError;

    /// Reads words with spaces between them.
    fn from_str(text: &str) -> Result<Self, WordsError> {
        let found = text.chars().count();
        if found > WORDS_CHARS_MAX {
            return Err(WordsError::TooLong { found });
        }
        let words: Vec<String> = text.split_whitespace().map(str::to_lowercase).collect();
        match words.len() {
            0 => Err(WordsError::Blank),
            1..=WORDS_MAX => Ok(Self(words)),
            found => Err(WordsError::TooMany { found }),
        }
    }
}

impl Words {
    /// Returns whether a text contains all of them, upper or lower case, also within longer words.
    pub fn are_in(&self, text: &str) -> bool {
        if self.0.is_empty() {
            return true;
        }
        let text = text.to_lowercase();
        self.0.iter().all(|word| text.contains(word))
    }
}

/// A page of jobs that were looked for, newest first.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct JobPage {
    /// Those that were let through.
    pub jobs: Vec<Job>,
    /// The last one that was looked at, if there may be more behind it.
    pub next: Option<JobId>,
}

impl JobFilter {
    /// Returns whether the job is let through.
    pub fn lets_through(&self, job: &Job) -> bool {
        self.state.is_none_or(|state| job.state.name() == state)
            && self.asked_before.is_none_or(|instant| job.created_at < instant)
            && self.words.are_in(&job.spec.prompt)
    }

    /// Gathers a page of at most `limit` jobs out of these, and takes no more of them than [`JOBS_LOOKED_AT_MAX`].
    pub fn page<E>(&self, newest_first: impl IntoIterator<Item = Result<Job, E>>, limit: usize) -> Result<JobPage, E> {
        let mut page = JobPage::default();
        for (looked_at, job) in (1..).zip(newest_first) {
            let job = job?;
            let id = job.id;
            if self.lets_through(&job) {
                page.jobs.push(job);
            }
            if page.jobs.len() >= limit || looked_at >= JOBS_LOOKED_AT_MAX {
                page.next = Some(id);
                break;
            }
        }
        Ok(page)
    }
}

impl Studio {
    /// Looks for an account's jobs, older than the one given, newest first. Returns them with their images, and where to
    /// go on: a page may be short, or empty, and have another behind it.
    pub async fn find_jobs(
        &self,
        account: AccountId,
        filter: &JobFilter,
        before: Option<JobId>,
        limit: usize,
    ) -> Result<(Vec<Finished>, Option<JobId>), StoreError> {
        let JobPage { jobs, next } = self.store.find_jobs(account, filter, before, limit).await?;
        Ok((self.with_images(jobs).await?, next))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_words_must_be_there_in_any_case_and_order() {
        let words: Words = "  FOX ré ".parse().unwrap();
        for text in ["a red RÉD fox", "Foxes of Rémy"] {
            assert!(words.are_in(text), "{text}");
        }
        for text in ["", "a fox", "ré"] {
            assert!(!words.are_in(text), "{text}");
        }
        assert!(Words::default().are_in(""));
    }

    #[test]
    fn no_words_too_many_and_too_long_ones_are_refused() {
        let read = |text: &str| text.parse::<Words>();
        assert_eq!(read(" \t"), Err(WordsError::Blank));
        assert_eq!(read(&"a ".repeat(10)).map(|words| words.0.len()), Ok(10));
        assert_eq!(read(&"a ".repeat(11)), Err(WordsError::TooMany { found: 11 }));
        assert!(read(&"é".repeat(200)).is_ok());
        assert_eq!(read(&"é".repeat(201)), Err(WordsError::TooLong { found: 201 }));
    }
}
