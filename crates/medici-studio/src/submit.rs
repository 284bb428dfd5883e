//! From a request to a queued job: price, hold and queue are one unit of work.

use medici_ledger::{AccountId, Command, HoldId, Operation, PlanLimits, PlanName, Quote, QuoteError, Refusal, Usage};

use crate::{
    engine::{Background, Size, Spec},
    ids::{ApiKeyId, JobId},
    job::{Job, JobState, drawing, spender},
    moderation::Zeal,
    picture_file::Output,
    source::{EditError, Source},
    store::StoreError,
    studio::{Limits, Studio},
    unit::{Decide, Kept, KeyReused, KeyUse, Touches, UnitOfWork, decide},
};

/// A request to draw.
#[derive(Clone, Debug, PartialEq)]
pub struct Submit {
    /// Who asks and pays.
    pub account: AccountId,
    /// The key it is asked with; `None` from the web app.
    pub api_key: Option<ApiKeyId>,
    /// What the price book calls it.
    pub operation: Operation,
    /// The model's name as the caller used it.
    pub model: String,
    /// What to draw. Previews cost time: whoever nobody watches asks for none.
    pub spec: Spec,
    /// As which files the images are kept.
    pub output: Output,
    /// Whether the files say the words they were drawn from.
    pub keep_prompt: bool,
    /// The pictures that it starts from, kept before: see [`Studio::keep`].
    pub source: Source,
    /// The quality that was asked for, by which there may be a price.
    pub quality: Option<String>,
    /// How strictly words and pictures are judged.
    pub zeal: Zeal,
    /// Whether a short prompt is read differently for each picture, where the spec has no readings of its own.
    pub readings: bool,
    /// The idempotency key, if the caller gave one.
    pub key: Option<KeyUse>,
    /// Whether the caller waits on the connection and has no key to come back with. Such a job does not outlive the
    /// process: see [`Studio::end_attended`].
    pub attended: bool,
}

/// A job that was accepted.
#[derive(Clone, Debug, PartialEq)]
pub struct Ticket {
    /// The job.
    pub job: JobId,
    /// Whether this request is a repeat of an earlier one, whose job this is.
    pub replayed: bool,
}

/// Why a request to draw was refused. Nothing was held and nothing was queued.
#[derive(Debug, thiserror::Error)]
pub enum SubmitError {
    /// The engine cannot draw this; says what is wrong with the spec.
    #[error("{0}")]
    BadSpec(String),
    /// The words are not allowed here.
    #[error("the words are not allowed here: {}", .categories.join(", "))]
    Blocked {
        /// What they were taken for.
        categories: Vec<String>,
    },
    /// Whether the words are allowed could not be found out; the log says why.
    #[error("the words could not be checked")]
    NotJudged,
    /// The price book has no price for this operation.
    #[error(transparent)]
    NoPrice(QuoteError),
    /// Too few credits.
    #[error(transparent)]
    Refused(Refusal),
    /// The idempotency key belongs to another request.
    #[error(transparent)]
    KeyReused(#[from] KeyReused),
    /// There is no such account.
    #[error("there is no such account")]
    NoAccount,
    /// The account's plan, or its own terms, do not allow it.
    #[error("{limit} on the plan {plan}")]
    PlanLimit {
        /// The plan.
        plan: PlanName,
        /// What it allows, and what was asked for.
        limit: PlanLimit,
    },
    /// Too many jobs wait already.
    #[error("{queued} jobs are waiting, {queued_max} may")]
    QueueFull {
        /// Jobs waiting.
        queued: usize,
        /// The bound.
        queued_max: usize,
    },
    /// The queue would outlast the hold.
    #[error("the queue is about {wait_seconds} s long, longer than a hold lives")]
    QueueTooLong {
        /// The estimated wait.
        wait_seconds: u64,
    },
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// A limit of a plan that a request does not keep to.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PlanLimit {
    /// More pictures than one request may ask for.
    #[error("{asked} pictures asked for, up to {max} can be")]
    Images {
        /// The pictures asked for.
        asked: u32,
        /// The limit.
        max: u32,
    },
    /// As many jobs as may wait or run at once do.
    #[error("{open} jobs wait or run, up to {max} may")]
    JobsOpen {
        /// The account's jobs.
        open: usize,
        /// The limit.
        max: u32,
    },
    /// A model that may not be used.
    #[error("one of the models {} needed", .allowed.join(", "))]
    Model {
        /// Those that may.
        allowed: Vec<String>,
    },
}

impl Studio {
    /// Judges, prices, holds and queues one request to draw. A repeat with the same key returns the first ticket.
    pub async fn submit(&self, request: Submit) -> Result<Ticket, SubmitError> {
        let mut request = request;
        if let Some(ticket) = self.earlier_ticket(request.key.as_ref()).await? {
            return Ok(ticket);
        }
        request.spec.previews = self.previews(request.spec.previews);
        self.check_spec(&request)?;
        self.judge_words(&request).await?;
        self.plan_readings(&mut request).await;
        let queued = self.store.queued();
        let each_ms = self.engine.estimate(&request.spec).render_ms;
        let wait_seconds = each_ms.saturating_mul(queued as u64) / 1000;
        let understanding = self.engine.understanding(&request.spec.prompt);
        let ticket = decide(
            &*self.store,
            PlaceHold {
                job: JobId::from_u128(self.ids.next()),
                hold: HoldId::from_u128(self.ids.next()),
                notice: understanding.notice,
                queued,
                wait_seconds,
                limits: self.limits.clone(),
                request,
            },
        )
        .await??;
        if !ticket.replayed {
            self.progress.queue_changed();
        }
        Ok(ticket)
    }

    /// Returns what a request would cost now, or why it would be refused whatever the account has. Changes nothing:
    /// the price is fixed when it is submitted.
    pub fn quote(&self, request: &Submit) -> Result<Quote, SubmitError> {
        self.check_spec(request)?;
        let wallet = self.store.wallet(request.account).ok_or(SubmitError::NoAccount)?;
        let at = wallet.own_time(self.clock.now());
        self.prices().quote(&request.usage(), at).map_err(SubmitError::NoPrice)
    }

    fn check_spec(&self, request: &Submit) -> Result<(), SubmitError> {
        let bad = |message: String| Err(SubmitError::BadSpec(message));
        let can = self.engine.capabilities();
        let spec = &request.spec;
        if !can.operations.contains(&drawing(&request.operation)) {
            return bad(format!("the model {} cannot {}", self.engine.model(), request.operation.as_str()));
        }
        // Of a picture that was handed in no words are known.
        if spec.prompt.trim().is_empty() && request.operation != Operation::Vary {
            return bad("the prompt is blank".into());
        }
        let chars = spec.prompt.chars().count();
        if chars > can.prompt_chars_max {
            return bad(format!("the prompt has {chars} characters, {} may be used", can.prompt_chars_max));
        }
        if spec.count < 1 || spec.count > self.limits.count_max {
            return bad(format!("{} pictures asked for, 1 to {} can be", spec.count, self.limits.count_max));
        }
        if let Some(problem) = self.readings_problem(&spec.readings, spec.count) {
            return bad(problem);
        }
        if request.operation == Operation::Edit {
            if !can.edits.contain(spec.size) {
                return bad(EditError::Size { found: spec.size, sizes: can.edits }.to_string());
            }
        } else if !can.sizes.contains(&spec.size) {
            let sizes: Vec<String> = can.sizes.iter().map(ToString::to_string).collect();
            return bad(format!("the size {} is not one of {}", spec.size, sizes.join(", ")));
        }
        if let Some(steps) = spec.steps.filter(|steps| !can.steps.contains(steps)) {
            return bad(format!("{steps} steps asked for, {} to {} can be", can.steps.start(), can.steps.end()));
        }
        if spec.background == Background::Transparent && !can.transparent {
            return bad(format!("the model {} has no transparent background", self.engine.model()));
        }
        if spec.background == Background::Transparent && !request.output.format.has_alpha() {
            return bad(format!("a transparent background needs png or webp, {} asked for", request.output.format));
        }
        Ok(())
    }
}

impl Submit {
    /// Returns what it asks to be priced.
    fn usage(&self) -> Usage {
        let quality = self.quality.as_deref().map(Into::into);
        Usage { quality, ..self.spec.usage(self.operation.clone(), &self.model) }
    }
}

impl Spec {
    /// Returns what a request to draw this asks to be priced: what was asked for, and nothing that the engine adds.
    pub fn usage(&self, operation: Operation, model: &str) -> Usage {
        let Size { width, height } = self.size;
        Usage { model: Some(model.into()), width, height, steps: self.steps, ..Usage::of(operation, self.count) }
    }
}

/// The decision: same key, same ticket; else quote, hold, job and key record together.
struct PlaceHold {
    job: JobId,
    hold: HoldId,
    notice: Option<String>,
    queued: usize,
    wait_seconds: u64,
    limits: Limits,
    request: Submit,
}

impl Decide for PlaceHold {
    type Reply = Ticket;
    type Refusal = SubmitError;

    fn touches(&self) -> Touches {
        Touches::wallet(self.request.account).key(self.request.key.as_ref().map(|key| &key.scope))
    }

    fn decide(&self, work: &mut UnitOfWork<'_>) -> Result<Ticket, SubmitError> {
        let request = &self.request;
        if let Some(Kept::Job(job)) = work.earlier(request.key.as_ref())? {
            return Ok(Ticket { job: *job, replayed: true });
        }
        self.check_plan(work)?;
        // A repeat is answered even while the queue is full; a new request is not.
        if self.queued >= self.limits.queued_max {
            return Err(SubmitError::QueueFull { queued: self.queued, queued_max: self.limits.queued_max });
        }
        if self.wait_seconds >= self.limits.hold_timeout.as_secs() {
            return Err(SubmitError::QueueTooLong { wait_seconds: self.wait_seconds });
        }
        let quote = self.quote(work)?;
        let place = Command::Hold {
            hold: self.hold,
            quote: quote.clone(),
            timeout: self.limits.hold_timeout,
            spender: spender(request.api_key),
        };
        work.ledger(request.account, &place).map_err(SubmitError::Refused)?;
        work.put_job(Job {
            id: self.job,
            account: request.account,
            api_key: request.api_key,
            operation: request.operation.clone(),
            model: request.model.clone(),
            spec: request.spec.clone(),
            source: request.source.clone(),
            output: request.output,
            keep_prompt: request.keep_prompt,
            zeal: request.zeal,
            quality: request.quality.clone(),
            quote,
            hold: self.hold,
            notice: self.notice.clone(),
            attended: request.attended,
            state: JobState::Queued,
            attempts: 0,
            created_at: work.now(),
            deleted_at: None,
        });
        work.remember(request.key.as_ref(), Kept::Job(self.job));
        Ok(Ticket { job: self.job, replayed: false })
    }
}

impl PlaceHold {
    fn quote(&self, work: &UnitOfWork<'_>) -> Result<Quote, SubmitError> {
        let at = work.time_of(self.request.account);
        work.prices().quote(&self.request.usage(), at).map_err(SubmitError::NoPrice)
    }

    /// Refuses what the account's plan, or its own terms in place of the plan's, does not allow.
    fn check_plan(&self, work: &UnitOfWork<'_>) -> Result<(), SubmitError> {
        let request = &self.request;
        let wallet = work.wallet(request.account).ok_or(SubmitError::NoAccount)?;
        let now = work.time_of(request.account);
        // Of an account that is not open the ledger refuses everything itself; a plan that has left the book has
        // no limits any more.
        let (Some(plan), Some(terms)) = (wallet.plan(), wallet.terms(work.prices(), now)) else { return Ok(()) };
        let PlanLimits { images_max, jobs_open_max, models } = terms.limits;
        let asked = request.spec.count;
        let refused = |limit| Err(SubmitError::PlanLimit { plan, limit });
        if let Some(max) = images_max.filter(|max| asked > *max) {
            return refused(PlanLimit::Images { asked, max });
        }
        if let Some(allowed) = models.filter(|models| !models.iter().any(|model| **model == *request.model)) {
            return refused(PlanLimit::Model { allowed: allowed.iter().map(ToString::to_string).collect() });
        }
        // Only jobs place holds, and each open job has one; one whose time is over will not be drawn.
        let open = wallet.open_holds().filter(|hold| now < hold.expires_at).count();
        match jobs_open_max {
            Some(max) if open >= max as usize => refused(PlanLimit::JobsOpen { open, max }),
            _ => Ok(()),
        }
    }
}
