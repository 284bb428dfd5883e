//! Create: the form, its price, and what happens when it is sent.

use std::ops::RangeInclusive;

use axum::{
    Form,
    extract::{State, rejection::FormRejection},
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Redirect, Response},
};
use medici_ledger::{AccountId, Balances, Credits, Operation, Refusal, Usage};
use medici_studio::{
    Finished, Job, KeyUse, Output, Source, Studio, Submit, SubmitError,
    engine::{Background, Drawing, Size, Spec},
    moderation::Zeal,
};
use serde::Deserialize;

use super::{card::Card, credits_chip, home, jobs, page, strings, visitor::Visitor};
use crate::AppState;

/// How many pictures the form offers. The API takes more.
pub(super) const COUNTS: RangeInclusive<u32> = 1..=4;
/// How many pictures are asked for unless the person says otherwise.
const COUNT_DEFAULT: u32 = 4;
/// How many examples an empty history shows.
const EXAMPLES: usize = 4;
/// What the idempotency keys of the form are for.
const ENDPOINT: &str = "web:create";
/// The longest idempotency key that the form may carry; ours have 32 characters.
const KEY_CHARS_MAX: usize = 64;

/// The form as a browser sends it: everything is text, and everything may be missing.
#[derive(Clone, Debug, Default, Deserialize)]
pub(super) struct CreateForm {
    #[serde(default)]
    prompt: String,
    #[serde(default)]
    size: String,
    #[serde(default)]
    count: String,
    #[serde(default)]
    background: String,
    #[serde(default)]
    readings: String,
    #[serde(default)]
    seed: String,
    #[serde(default)]
    key: String,
}

/// What the form holds: what is sent with it, and what a page shows in it.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Draft {
    pub(super) prompt: String,
    pub(super) size: Size,
    pub(super) count: u32,
    pub(super) transparent: bool,
    /// Whether each picture has a reading of its own.
    pub(super) readings: bool,
    /// `None` for a random one.
    pub(super) seed: Option<u64>,
}

impl Draft {
    /// Returns the form as it is before anybody has written in it.
    pub(super) fn blank(studio: &Studio) -> Self {
        let size = *studio.engine.capabilities().sizes.first().expect("an engine draws at least one size");
        Self { prompt: String::new(), size, count: COUNT_DEFAULT, transparent: false, readings: false, seed: None }
    }

    /// Returns the form with an earlier request in it. Its seed is left out: the same seed would draw the same.
    pub(super) fn again(job: &Job, studio: &Studio) -> Self {
        let spec = &job.spec;
        let blank = Self::blank(studio);
        // An edit is as large as its picture.
        let drawn = studio.engine.capabilities().sizes.contains(&spec.size);
        let size = if drawn { spec.size } else { blank.size };
        let count = spec.count.clamp(*COUNTS.start(), *COUNTS.end());
        let transparent = spec.background == Background::Transparent;
        let readings = !spec.readings.is_empty();
        Self { prompt: spec.prompt.clone(), size, count, transparent, readings, seed: None }
    }

    /// Returns a fresh idempotency key for one rendering of the form.
    pub(super) fn fresh_key(studio: &Studio) -> String {
        studio.ids.secret()[..16].iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// Reads what was sent. The draft is as good as can be in either case, so that nothing is lost.
    fn read(form: &CreateForm, studio: &Studio) -> (Self, Result<(), String>) {
        let mut draft = Self::blank(studio);
        let can = studio.engine.capabilities();
        let mut problem = Ok(());
        // Browsers send two characters for a line break that counts as one while it is typed.
        draft.prompt = form.prompt.replace("\r\n", "\n").trim_end().to_owned();
        match form.seed.trim() {
            "" => {}
            text => match text.parse() {
                Ok(seed) => draft.seed = Some(seed),
                Err(_) => problem = Err(strings::bad_seed()),
            },
        }
        match can.sizes.iter().find(|size| size.to_string() == form.size) {
            Some(size) => draft.size = *size,
            None => problem = Err(strings::bad_size(&form.size)),
        }
        match form.count.parse() {
            Ok(count) if COUNTS.contains(&count) => draft.count = count,
            _ => problem = Err(strings::bad_count(*COUNTS.end())),
        }
        draft.transparent = form.background == "transparent";
        draft.readings = !form.readings.is_empty();
        let chars = draft.prompt.chars().count();
        if draft.prompt.trim().is_empty() {
            problem = Err(strings::PROMPT_MISSING.into());
        } else if chars > can.prompt_chars_max {
            problem = Err(strings::prompt_too_long(chars, can.prompt_chars_max));
        }
        (draft, problem)
    }

    fn background(&self) -> Background {
        if self.transparent { Background::Transparent } else { Background::Auto }
    }

    fn submit(&self, studio: &Studio, account: AccountId, key: Option<KeyUse>) -> Submit {
        let seed = self.seed.unwrap_or_else(|| {
            // Ten digits are enough to be different and few enough to be written down.
            let secret = studio.ids.secret();
            u64::from(u32::from_le_bytes([secret[0], secret[1], secret[2], secret[3]]))
        });
        Submit {
            account,
            api_key: None,
            operation: Operation::Generate,
            model: studio.engine.model().to_owned(),
            spec: Spec {
                prompt: self.prompt.clone(),
                count: self.count,
                size: self.size,
                seed,
                background: self.background(),
                steps: None,
                previews: studio.limits.previews,
                readings: Vec::new(),
            },
            output: Output::default(),
            keep_prompt: false,
            source: Source::Words,
            quality: None,
            zeal: Zeal::Auto,
            attended: false,
            readings: self.readings,
            key,
        }
    }
}

impl CreateForm {
    /// Returns the idempotency key of this form with these words in it.
    ///
    /// A second click or a resent page is the same request and costs once. Somebody who goes back and changes
    /// the words has another one, although the browser may keep the form and its key.
    fn key_use(&self, account: AccountId) -> Option<KeyUse> {
        use medici_ledger::idempotency::{Endpoint, Fingerprint, Keep, KeyScope};
        if self.key.is_empty() || self.key.chars().count() > KEY_CHARS_MAX {
            return None;
        }
        let fields = [&self.prompt, &self.size, &self.count, &self.background, &self.readings, &self.seed];
        let fingerprint = Fingerprint::of(fields.map(String::as_bytes));
        let words: String = fingerprint.0.iter().map(|byte| format!("{byte:02x}")).collect();
        let key = format!("{}:{words}", self.key).into();
        let scope = KeyScope { account, endpoint: Endpoint(ENDPOINT.into()), key };
        Some(KeyUse { scope, fingerprint, keep: Keep::Day })
    }
}

/// The form in the words of the page.
pub(super) struct Composer {
    pub(super) key: String,
    pub(super) prompt: String,
    pub(super) chars_max: usize,
    pub(super) sizes: Vec<SizeChoice>,
    pub(super) counts: Vec<CountChoice>,
    /// Whether it is chosen; `None` where the engine has no transparent background.
    pub(super) transparent: Option<bool>,
    pub(super) readings: bool,
    pub(super) seed: String,
    /// `Generate · 1 credit`.
    pub(super) button: String,
    /// Why the button is of no use, if it is not.
    pub(super) blocked: Option<String>,
    /// What was wrong with what was sent.
    pub(super) problem: Option<String>,
    /// What to begin with, while there is no history.
    pub(super) examples: Vec<&'static str>,
}

pub(super) struct SizeChoice {
    pub(super) value: String,
    pub(super) label: String,
    pub(super) chosen: bool,
}

pub(super) struct CountChoice {
    pub(super) count: u32,
    /// `Generate · 1 credit`, for a script.
    pub(super) button: String,
    /// The price in micro-credits, for a script.
    pub(super) micro: i64,
    /// Why this many cannot be paid, if they cannot.
    pub(super) blocked: Option<String>,
    pub(super) chosen: bool,
}

impl Composer {
    pub(super) fn new(
        studio: &Studio,
        visitor: &Visitor,
        balances: Option<&Balances>,
        draft: &Draft,
        problem: Option<String>,
    ) -> Self {
        let can = studio.engine.capabilities();
        let size = |size: &Size| SizeChoice {
            value: size.to_string(),
            label: strings::size_choice(*size),
            chosen: *size == draft.size,
        };
        let available = balances.map_or(Credits::ZERO, |balances| balances.available);
        let refill = balances.and_then(|balances| credits_chip::refill(balances, &visitor.zone));
        let count = |count: u32| {
            let Size { width, height } = draft.size;
            let model = Some(studio.engine.model().into());
            let usage = Usage { model, width, height, ..Usage::of(Operation::Generate, count) };
            let price = studio.prices().quote(&usage, studio.clock.now()).ok()?.amount;
            let blocked = (available < price).then(|| strings::too_few(available, refill.as_deref()));
            let (button, micro, chosen) = (strings::generate(price), price.micro(), count == draft.count);
            Some(CountChoice { count, button, micro, blocked, chosen })
        };
        let counts: Vec<CountChoice> = COUNTS.filter_map(count).collect();
        let chosen = counts.iter().find(|choice| choice.chosen);
        let drawable = can.operations.contains(&Drawing::Generate);
        let unpriced = || Some(strings::UNPRICED.to_owned());
        Self {
            key: Draft::fresh_key(studio),
            prompt: draft.prompt.clone(),
            chars_max: can.prompt_chars_max,
            sizes: can.sizes.iter().map(size).collect(),
            transparent: can.transparent.then_some(draft.transparent),
            readings: draft.readings,
            seed: draft.seed.map_or_else(String::new, |seed| seed.to_string()),
            button: chosen.map_or_else(|| strings::GENERATE.into(), |choice| choice.button.clone()),
            blocked: chosen.filter(|_| drawable).map_or_else(unpriced, |choice| choice.blocked.clone()),
            problem,
            examples: strings::SURPRISES.iter().take(EXAMPLES).copied().collect(),
            counts,
        }
    }
}

/// `POST /create`: asks for pictures. Answers with the job's card to a script and leads to the job's page else.
pub(super) async fn create(
    State(state): State<AppState>,
    visitor: Visitor,
    headers: HeaderMap,
    form: Result<Form<CreateForm>, FormRejection>,
) -> Response {
    let Ok(Form(form)) = form else { return page::unreadable(&headers) };
    let studio = &state.studio;
    let (draft, readable) = Draft::read(&form, studio);
    if let Err(problem) = readable {
        return refused(&state, &visitor, &headers, &draft, StatusCode::UNPROCESSABLE_ENTITY, problem).await;
    }
    let request = draft.submit(studio, visitor.account, form.key_use(visitor.account));
    let ticket = match studio.submit(request).await {
        Ok(ticket) => ticket,
        Err(error) => {
            let balances = visitor.balances(&state);
            let refill = balances.as_ref().and_then(|balances| credits_chip::refill(balances, &visitor.zone));
            let problem = strings::why_refused(&error, refill.as_deref());
            return refused(&state, &visitor, &headers, &draft, status(&error), problem).await;
        }
    };
    if !visitor.wants_part {
        return Redirect::to(&format!("/jobs/{}", ticket.job)).into_response();
    }
    match jobs::finished(&state, &visitor, ticket.job).await {
        Ok(Some(Finished { job, images })) => {
            let card = Card::new(studio, &Finished { job, images }, &visitor.zone);
            jobs::part(&state, &visitor, StatusCode::OK, Some(card), None)
        }
        Ok(None) => page::not_found(&headers),
        Err(error) => page::broken(&headers, &error),
    }
}

/// Answers a request that was not taken: with what was wrong to a script, else with the form as it was sent.
async fn refused(
    state: &AppState,
    visitor: &Visitor,
    headers: &HeaderMap,
    draft: &Draft,
    status: StatusCode,
    problem: String,
) -> Response {
    if visitor.wants_part {
        return jobs::part(state, visitor, status, None, Some(problem));
    }
    home::render(state, visitor, headers, home::Shown { draft, problem: Some(problem), before: None, status }).await
}

/// Returns the status of a refusal. What it says to a person is in the strings.
fn status(error: &SubmitError) -> StatusCode {
    match error {
        SubmitError::BadSpec(_) | SubmitError::Blocked { .. } | SubmitError::NoPrice(_) => {
            StatusCode::UNPROCESSABLE_ENTITY
        }
        SubmitError::PlanLimit { .. } => StatusCode::FORBIDDEN,
        SubmitError::Refused(Refusal::InsufficientCredits { .. }) => StatusCode::PAYMENT_REQUIRED,
        SubmitError::Refused(_) | SubmitError::KeyReused(_) => StatusCode::CONFLICT,
        SubmitError::NoAccount => StatusCode::NOT_FOUND,
        SubmitError::NotJudged
        | SubmitError::QueueFull { .. }
        | SubmitError::QueueTooLong { .. }
        | SubmitError::Store(_) => StatusCode::SERVICE_UNAVAILABLE,
    }
}

/// `GET /surprise`: one of the prompts that are known to turn out well, as plain text.
pub(super) async fn surprise(State(state): State<AppState>, _visitor: Visitor) -> impl IntoResponse {
    ([(axum::http::header::CACHE_CONTROL, "no-store")], surprise_prompt(&state.studio))
}

/// Returns a prompt that is known to turn out well.
pub(super) fn surprise_prompt(studio: &Studio) -> &'static str {
    let chance = usize::from(studio.ids.secret()[0]);
    strings::SURPRISES[chance % strings::SURPRISES.len()]
}
