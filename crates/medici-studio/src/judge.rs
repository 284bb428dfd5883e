//! What the moderator and the planner are asked on the way from a request to its pictures.

use futures_util::{StreamExt, stream};
use medici_ledger::AccountId;
use tracing::{error, warn};

use crate::{
    engine::Picture,
    job::{FailReason, Job},
    moderation::{NotJudged, Verdict, Zeal, causes},
    picture_file::FileFormat,
    store::StoreError,
    studio::Studio,
    submit::{Submit, SubmitError, Ticket},
    unit::{Decide, Kept, KeyReused, KeyUse, Touches, UnitOfWork, decide},
};

/// Pictures of one job that are judged at a time.
const PICTURES_AT_ONCE: usize = 4;

impl Studio {
    /// Returns how many previews a picture a request gets that asks for so many.
    pub(crate) fn previews(&self, asked: u32) -> u32 {
        // Nobody has judged a preview.
        if self.moderator.judges_pictures() { 0 } else { asked.min(self.limits.previews) }
    }

    /// Returns the ticket that an earlier request with the same key got.
    ///
    /// Asked before anything else is: a repeat is answered as the first was, whatever rules and prices have become
    /// since, and costs no calls. It writes nothing, so it waits for no disk of its own.
    ///
    /// # Errors
    /// [`SubmitError::KeyReused`], or that the store failed.
    pub async fn earlier_ticket(&self, key: Option<&KeyUse>) -> Result<Option<Ticket>, SubmitError> {
        let Some(key) = key else { return Ok(None) };
        let found: Result<_, StoreError> = decide(&*self.store, Earlier { key: key.clone() }).await;
        Ok(found??)
    }

    /// Refuses words that are not allowed: the prompt's, and those of readings that came with it.
    pub(crate) async fn judge_words(&self, request: &Submit) -> Result<(), SubmitError> {
        let spec = &request.spec;
        let words = std::iter::once(&spec.prompt).chain(&spec.readings).map(String::as_str).collect::<Vec<_>>();
        allowed(request.account, "Words", self.verdict(&words, request).await)
    }

    /// Finds a reading for each picture where the request wants them, and leaves the request without any where none
    /// are found, or not exactly one for each picture, or where they are not allowed: the asker did not write them.
    pub(crate) async fn plan_readings(&self, request: &mut Submit) {
        let spec = &request.spec;
        if !request.readings || !spec.readings.is_empty() || spec.prompt.trim().is_empty() {
            return;
        }
        let readings = self.planner.readings(&spec.prompt, spec.count, spec.seed).await;
        if readings.is_empty() || self.readings_problem(&readings, spec.count).is_some() {
            return;
        }
        let words: Vec<&str> = readings.iter().map(String::as_str).collect();
        match self.verdict(&words, request).await {
            Ok(Verdict::Clear) => request.spec.readings = readings,
            Ok(Verdict::Blocked { categories }) => {
                let named = categories.join(", ");
                warn!(categories = %named, "Left out readings that were taken for {named}");
            }
            Err(failure) => warn!("Left out readings that could not be judged: {}", causes(&failure)),
        }
    }

    /// Returns what is wrong with readings for so many pictures, if anything is.
    pub(crate) fn readings_problem(&self, readings: &[String], count: u32) -> Option<String> {
        if readings.is_empty() {
            return None;
        }
        let chars_max = self.engine.capabilities().prompt_chars_max;
        let long = readings.iter().map(|reading| reading.chars().count()).find(|chars| *chars > chars_max);
        if usize::try_from(count) != Ok(readings.len()) {
            Some(format!("{} readings given for {count} pictures", readings.len()))
        } else if readings.iter().any(|reading| reading.trim().is_empty()) {
            Some("a reading is blank".to_owned())
        } else {
            long.map(|chars| format!("a reading has {chars} characters, {chars_max} may be used"))
        }
    }

    /// Judges several texts in one go.
    async fn verdict(&self, words: &[&str], request: &Submit) -> Result<Verdict, NotJudged> {
        let words = words.join("\n");
        if words.trim().is_empty() {
            return Ok(Verdict::Clear);
        }
        self.moderator.words(&words, request.zeal).await
    }

    /// Refuses a picture that was sent and is not allowed, as the file that would be kept of it.
    pub(crate) async fn judge_source(&self, account: AccountId, file: &[u8], zeal: Zeal) -> Result<(), SubmitError> {
        if !self.moderator.judges_pictures() {
            return Ok(());
        }
        allowed(account, "A picture", self.moderator.picture(file, FileFormat::Png.media_type(), zeal).await)
    }

    /// Fails a job of which a picture is not allowed. Nothing of it has been stored yet.
    pub(crate) async fn judge_pictures(
        &self,
        job: &Job,
        pictures: &[(Picture, Vec<u8>)],
        media_type: &str,
    ) -> Result<(), FailReason> {
        if !self.moderator.judges_pictures() {
            return Ok(());
        }
        let judged: Vec<_> =
            pictures.iter().map(|(_, file)| self.moderator.picture(file, media_type, job.zeal)).collect();
        let mut verdicts = stream::iter(judged).buffered(PICTURES_AT_ONCE);
        while let Some(verdict) = verdicts.next().await {
            match verdict {
                Ok(Verdict::Clear) => {}
                Ok(Verdict::Blocked { categories }) => {
                    let named = categories.join(", ");
                    warn!(job.id = %job.id, categories = %named, "Refused a picture of {} as {named}", job.id);
                    return Err(FailReason::Blocked);
                }
                Err(failure) => {
                    error!(job.id = %job.id, "A picture of {} could not be judged: {}", job.id, causes(&failure));
                    return Err(FailReason::NotJudged);
                }
            }
        }
        Ok(())
    }
}

/// Returns whether what an account has sent may be used, and logs it where it may not.
fn allowed(account: AccountId, what: &str, verdict: Result<Verdict, NotJudged>) -> Result<(), SubmitError> {
    match verdict {
        Ok(Verdict::Clear) => Ok(()),
        Ok(Verdict::Blocked { categories }) => {
            let named = categories.join(", ");
            warn!(account.id = %account, categories = %named, "{what} of {account} refused as {named}");
            Err(SubmitError::Blocked { categories })
        }
        Err(failure) => {
            error!(account.id = %account, "{what} of {account} could not be judged: {}", causes(&failure));
            Err(SubmitError::NotJudged)
        }
    }
}

/// Looks an idempotency key up, and changes nothing.
struct Earlier {
    key: KeyUse,
}

impl Decide for Earlier {
    type Reply = Option<Ticket>;
    type Refusal = KeyReused;

    fn touches(&self) -> Touches {
        Touches::default().key(Some(&self.key.scope))
    }

    fn decide(&self, work: &mut UnitOfWork<'_>) -> Result<Option<Ticket>, KeyReused> {
        Ok(match work.earlier(Some(&self.key))? {
            Some(Kept::Job(job)) => Some(Ticket { job: *job, replayed: true }),
            Some(Kept::Entry { .. }) | None => None,
        })
    }
}
