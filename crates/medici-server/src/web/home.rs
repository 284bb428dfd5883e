//! The first page: Create above, history below.

use askama::Template;
use axum::{
    extract::{Query, State, rejection::QueryRejection},
    http::{HeaderMap, StatusCode},
    response::Response,
};
use medici_studio::{Finished, JobId};
use serde::Deserialize;

use super::{
    card::{Card, Look, Standing},
    create::{Composer, Draft, surprise_prompt},
    page::{self, Frame},
    strings,
    visitor::Visitor,
};
use crate::AppState;

/// Jobs on one page of the history.
const JOBS_MAX: usize = 20;

/// What the address may ask for.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Wish {
    /// Shows the history from before this job.
    before: Option<String>,
    /// Puts this job's request into the form.
    again: Option<String>,
    /// Puts these words into the form.
    prompt: Option<String>,
    /// Puts this seed into the form.
    seed: Option<u64>,
    /// Puts a prompt of our choice into the form.
    surprise: Option<String>,
}

/// What a rendering of the page shows.
pub(super) struct Shown<'a> {
    pub(super) draft: &'a Draft,
    /// What was wrong with what was sent.
    pub(super) problem: Option<String>,
    /// The job before which the history begins.
    pub(super) before: Option<JobId>,
    pub(super) status: StatusCode,
}

#[derive(Template)]
#[template(path = "home.html")]
struct Home {
    frame: Frame,
    composer: Composer,
    days: Vec<Day>,
    /// Whether this page of the history is not the newest.
    later: bool,
    /// The job before which the next page begins.
    older: Option<String>,
}

/// The jobs of one of the reader's days.
struct Day {
    heading: String,
    machine: String,
    cards: Vec<Card>,
}

/// `GET /`
pub(super) async fn home(
    State(state): State<AppState>,
    visitor: Visitor,
    headers: HeaderMap,
    wish: Result<Query<Wish>, QueryRejection>,
) -> Response {
    // Nobody types these parameters; a link that was mangled on its way shows the page without them.
    let wish = wish.map(|Query(wish)| wish).unwrap_or_default();
    let studio = &state.studio;
    let mut draft = Draft::blank(studio);
    if let Some(again) = wish.again.as_deref().and_then(|text| text.parse::<JobId>().ok()) {
        match studio.job(visitor.account, again).await {
            Ok(Some(job)) => draft = Draft::again(&job, studio),
            Ok(None) => {}
            Err(error) => return page::broken(&headers, &error),
        }
    }
    if let Some(prompt) = wish.prompt {
        draft.prompt = prompt;
    }
    if wish.surprise.is_some() {
        draft.prompt = surprise_prompt(studio).into();
    }
    draft.seed = wish.seed;
    let before = wish.before.and_then(|text| text.parse().ok());
    render(&state, &visitor, &headers, Shown { draft: &draft, problem: None, before, status: StatusCode::OK }).await
}

/// Answers with the page.
pub(super) async fn render(state: &AppState, visitor: &Visitor, headers: &HeaderMap, shown: Shown<'_>) -> Response {
    let studio = &state.studio;
    let history = match studio.history(visitor.account, shown.before, JOBS_MAX + 1).await {
        Ok(history) => history,
        Err(error) => return page::broken(headers, &error),
    };
    let older = (history.len() > JOBS_MAX).then(|| history[JOBS_MAX - 1].job.id.to_string());
    let balances = visitor.balances(state);
    let mut composer = Composer::new(studio, visitor, balances.as_ref(), shown.draft, shown.problem);
    if !history.is_empty() {
        composer.examples.clear();
    }
    let home = Home {
        frame: visitor.frame(strings::CREATE_TITLE, balances.as_ref()),
        composer,
        days: days(state, visitor, history.iter().take(JOBS_MAX)),
        later: shown.before.is_some(),
        older,
    };
    page::html(shown.status, &home)
}

/// Groups jobs, newest first, by the reader's days.
fn days<'a>(state: &AppState, visitor: &Visitor, history: impl Iterator<Item = &'a Finished>) -> Vec<Day> {
    let mut days: Vec<Day> = Vec::new();
    for finished in history {
        let date = visitor.zone.date(finished.job.created_at);
        let machine = date.to_string();
        let card = Card::new(&state.studio, finished, &visitor.zone);
        match days.last_mut().filter(|day| day.machine == machine) {
            Some(day) => day.cards.push(card),
            None => days.push(Day { heading: visitor.zone.heading(date), machine, cards: vec![card] }),
        }
    }
    days
}
