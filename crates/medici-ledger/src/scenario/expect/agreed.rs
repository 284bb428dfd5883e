//! What is expected of what is agreed with an account.

use super::{Met, same};
use crate::agreed::Alert;
use crate::command::Command;
use crate::ids::AccountId;
use crate::scenario::run::Runner;
use crate::scenario::words::Words;

impl Runner<'_> {
    /// Reads `SUBJECT PERIOD none`, or `… used X of Y`.
    pub(super) fn budget(&mut self, account: AccountId, words: &mut Words<'_>) -> Met {
        let (subject, period) = self.desk(account).budget_name(words)?;
        let wallet = self.settled(account);
        let now = wallet.own_time(self.now);
        let budget = wallet.budgets().iter().find(|budget| (budget.subject, budget.period) == (subject, period));
        let found = budget.map_or("none".to_owned(), |budget| format!("{} of {}", budget.used_at(now), budget.limit));
        if words.take("none") {
            return same("budget", "none", found);
        }
        words.expect_word("used")?;
        let used = words.credits()?;
        words.expect_word("of")?;
        same("used", format!("{used} of {}", words.credits()?), found)
    }

    /// Reads `PLAN [TERM X …]`, the terms being those that hold for this account.
    pub(super) fn plan(&mut self, account: AccountId, words: &mut Words<'_>) -> Met {
        let wallet = self.settled(account);
        let found = wallet.plan().map_or("none".to_owned(), |plan| plan.to_string());
        same("plan", words.next("plan")?, found)?;
        let now = wallet.own_time(self.now);
        let terms = wallet.terms(&self.book, now);
        while !words.is_empty() {
            let term = words.next("term")?;
            if term == "since" {
                same(term, words.instant()?, wallet.plan_since())?;
                continue;
            }
            let terms = terms.as_ref().ok_or("the plan is not in the price book")?;
            let number = |number: Option<u32>| number.map_or("none".to_owned(), |number| number.to_string());
            match term {
                "monthly" => same(term, words.credits()?, terms.monthly)?,
                "price" => {
                    let expected = words.unless_none(Words::money)?.map_or("none".to_owned(), |it| it.to_string());
                    same(term, expected, terms.price.map_or("none".to_owned(), |price| price.to_string()))?;
                }
                "images-max" => same(term, words.next("number or none")?, number(terms.limits.images_max))?,
                "jobs-max" => same(term, words.next("number or none")?, number(terms.limits.jobs_open_max))?,
                "models" => {
                    let models = terms.limits.models.as_ref().map_or("all".to_owned(), |models| models.join(","));
                    same(term, words.next("models or all")?, models)?;
                }
                other => return Err(format!("no term of a plan is called {other:?}")),
            }
        }
        Ok(())
    }

    /// Reads `NAME`, or `none`.
    pub(super) fn cohort(&mut self, account: AccountId, words: &mut Words<'_>) -> Met {
        let wallet = self.settled(account);
        let name = words.next("cohort or none")?;
        let cohorts: Vec<String> = wallet.cohorts().iter().map(|cohort| cohort.as_text()).collect();
        let found = if cohorts.is_empty() { "none".to_owned() } else { cohorts.join(" ") };
        if cohorts.iter().any(|cohort| cohort == name) { Ok(()) } else { same("cohort", name, found) }
    }

    /// Reads `told`, `ready` or `none`: as if somebody had just looked at the account.
    pub(super) fn alert(&mut self, account: AccountId, words: &mut Words<'_>) -> Met {
        let wallet = self.subject.wallet(account);
        let looked_at = wallet.decide(&Command::Settle, &self.book, self.now);
        let alert = looked_at.map_or_else(|_| wallet.alert(), |decision| decision.wallet.alert());
        let found = match alert {
            None => "none",
            Some(Alert { told: true, .. }) => "told",
            Some(Alert { told: false, .. }) => "ready",
        };
        same("alert", words.next("told, ready or none")?, found)
    }

    /// Reads `INSTANT`, or `none`.
    pub(super) fn clock(&mut self, account: AccountId, words: &mut Words<'_>) -> Met {
        let found = self.settled(account).sandbox_clock();
        let expected = words.unless_none(Words::instant)?;
        let written = |clock: Option<crate::Timestamp>| clock.map_or("none".to_owned(), |clock| clock.to_string());
        same("clock", written(expected), written(found))
    }
}
