//! Writing what is agreed with an account: plan, cohorts, budgets, own terms, a sandbox's clock.

use super::{Asked, Desk};
use crate::agreed::Overrides;
use crate::budget::{BudgetPeriod, Subject};
use crate::command::Command;
use crate::plan::PlanName;
use crate::scenario::words::Words;

impl Desk<'_> {
    /// Reads `PLAN [as LOT]`.
    pub(super) fn plan(&self, words: &mut Words<'_>) -> Result<Asked, String> {
        let plan: PlanName = words.parse("plan")?;
        let lot = if words.take("as") { words.next("name")?.to_owned() } else { plan.to_string() };
        Ok(Asked::Granting(Command::ChangePlan { plan }, lot))
    }

    /// Reads `COHORT [code CODE] [as LOT]`.
    pub(super) fn join(&self, words: &mut Words<'_>) -> Result<Asked, String> {
        let name = words.next("cohort")?;
        let cohort = name.parse().map_err(|error| format!("cohort: {error}"))?;
        let code = if words.take("code") { Some(words.next("code")?.into()) } else { None };
        let lot = if words.take("as") { words.next("name")? } else { name };
        Ok(Asked::Granting(Command::JoinCohort { cohort, code }, lot.to_owned()))
    }

    /// Reads `SUBJECT PERIOD CREDITS|none`.
    pub(super) fn budget(&mut self, words: &mut Words<'_>) -> Result<Command, String> {
        let (subject, period) = self.budget_name(words)?;
        Ok(Command::SetBudget { subject, period, limit: words.unless_none(Words::credits)? })
    }

    /// Reads `account|member NAME|api-key NAME day|month|always`.
    pub(in crate::scenario) fn budget_name(
        &mut self,
        words: &mut Words<'_>,
    ) -> Result<(Subject, BudgetPeriod), String> {
        let subject = match words.next("account, member or api-key")? {
            "account" => Subject::Account,
            "member" => Subject::Member(self.names.member(self.account, words.next("member")?)),
            "api-key" => Subject::Key(self.names.api_key(self.account, words.next("API key")?)),
            other => return Err(format!("account, member or api-key needed, {other:?} found")),
        };
        Ok((subject, words.one_of(&BudgetPeriod::ALL, BudgetPeriod::as_str)?))
    }

    /// Reads `INSTANT`, or `+DURATION` after what the clock says.
    pub(super) fn clock(&mut self, words: &mut Words<'_>) -> Result<Command, String> {
        let to = match words.peek().and_then(|word| word.strip_prefix('+')) {
            None => words.instant()?,
            Some(_) => {
                let by = words.later()?;
                let clock = self.wallet().own_time(self.at);
                clock.plus(by).ok_or("the end of time")?
            }
        };
        Ok(Command::SetClock { to })
    }
}

/// Reads `none`, or terms: `[monthly CREDITS] [images-max N] [jobs-max N] [models M,M]`.
pub(super) fn override_terms(words: &mut Words<'_>) -> Result<Command, String> {
    if words.take("none") {
        return Ok(Command::SetOverrides { overrides: None });
    }
    let mut overrides = Overrides::default();
    while let Some(word) = words.peek() {
        words.next("term")?;
        match word {
            "monthly" => overrides.monthly = Some(words.credits()?),
            "images-max" => overrides.limits.images_max = Some(words.parse("number of pictures")?),
            "jobs-max" => overrides.limits.jobs_open_max = Some(words.parse("number of jobs")?),
            "models" => overrides.limits.models = Some(words.next("models")?.split(',').map(Into::into).collect()),
            other => return Err(format!("monthly, images-max, jobs-max, models or none needed, {other:?} found")),
        }
    }
    Ok(Command::SetOverrides { overrides: Some(overrides) })
}
