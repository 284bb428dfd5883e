//! What is offered: the tables of plans, packs and cohorts, and the policy.

use std::time::Duration;

use medici_ledger::{
    AnchorPolicy, CohortTerms, Credits, Money, Months, Pack, PlanLimits, PlanTerms, Policy, Rollover, Tier, TierMode,
};
use serde::Deserialize;
use toml::value::Datetime;

use super::{PricesError, read, wrong};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PlanFile {
    monthly: String,
    #[serde(default = "one_month")]
    expires_months: u16,
    #[serde(default)]
    anchor_policy: AnchorFile,
    #[serde(default)]
    priority: i8,
    price: Option<String>,
    rollover: Option<RolloverFile>,
    #[serde(default)]
    limits: LimitsFile,
    #[serde(default)]
    grandfather: bool,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "snake_case")]
enum AnchorFile {
    #[default]
    Keep,
    Openai28,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RolloverFile {
    max: String,
    #[serde(default = "one_month")]
    months: u16,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct LimitsFile {
    images_max: Option<u32>,
    jobs_open_max: Option<u32>,
    models: Option<Vec<String>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PackFile {
    name: Option<String>,
    credits: String,
    bonus: Option<String>,
    price: String,
    expires_months: u16,
    #[serde(default)]
    tier_mode: TierModeFile,
    #[serde(default)]
    tiers: Vec<TierFile>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "snake_case")]
enum TierModeFile {
    #[default]
    Volume,
    Graduated,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TierFile {
    from: u32,
    price: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct CohortFile {
    bonus: String,
    #[serde(default = "one_month")]
    expires_months: u16,
    #[serde(default)]
    priority: i8,
    code: Option<String>,
    from: Option<Datetime>,
    until: Option<Datetime>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PolicyFile {
    late_grace_hours: Option<u16>,
    debt: Option<DebtFile>,
    invoice: Option<bool>,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
enum DebtFile {
    Refuse,
    Allow,
}

fn one_month() -> u16 {
    1
}

fn months(place: &str, key: &str, count: u16) -> Result<Months, PricesError> {
    Months::new(count).ok_or_else(|| wrong(place, key, &format!("{count} is not a number of months")))
}

impl PlanFile {
    pub(super) fn terms(self, place: &str) -> Result<PlanTerms, PricesError> {
        let models = self.limits.models.map(|models| models.into_iter().map(Into::into).collect());
        Ok(PlanTerms {
            monthly: read(place, "monthly", &self.monthly)?,
            expires: months(place, "expires_months", self.expires_months)?,
            anchor_policy: match self.anchor_policy {
                AnchorFile::Keep => AnchorPolicy::Keep,
                AnchorFile::Openai28 => AnchorPolicy::OpenAi28,
            },
            priority: self.priority,
            price: self.price.map(|price| read(place, "price", &price)).transpose()?,
            rollover: self.rollover.map(|rollover| rollover.terms(place)).transpose()?,
            limits: PlanLimits { images_max: self.limits.images_max, jobs_open_max: self.limits.jobs_open_max, models },
            grandfather: self.grandfather,
        })
    }
}

impl RolloverFile {
    fn terms(self, place: &str) -> Result<Rollover, PricesError> {
        let max = read(place, "rollover.max", &self.max)?;
        Ok(Rollover { max, months: months(place, "rollover.months", self.months)? })
    }
}

impl PackFile {
    pub(super) fn pack(self, place: &str) -> Result<Pack, PricesError> {
        let price: Money = read(place, "price", &self.price)?;
        Ok(Pack {
            credits: read(place, "credits", &self.credits)?,
            price,
            expires: months(place, "expires_months", self.expires_months)?,
            mode: match self.tier_mode {
                TierModeFile::Volume => TierMode::Volume,
                TierModeFile::Graduated => TierMode::Graduated,
            },
            tiers: self.tiers.into_iter().map(|tier| tier.tier(place, price)).collect::<Result<_, _>>()?,
            name: self.name.map(|name| read(place, "name", &name)).transpose()?,
            bonus: self.bonus.map_or(Ok(Credits::ZERO), |bonus| read(place, "bonus", &bonus))?,
        })
    }
}

impl TierFile {
    fn tier(self, place: &str, pack: Money) -> Result<Tier, PricesError> {
        let price: Money = read(place, "tiers.price", &self.price)?;
        if price.currency != pack.currency {
            return Err(wrong(place, "tiers.price", &format!("{price} is in another currency than {pack}")));
        }
        Ok(Tier { from: self.from, price: price.amount })
    }
}

impl CohortFile {
    pub(super) fn terms(self, place: &str) -> Result<CohortTerms, PricesError> {
        let instant = |key: &str, at: Option<Datetime>| at.map(|at| read(place, key, &at.to_string())).transpose();
        Ok(CohortTerms {
            bonus: read(place, "bonus", &self.bonus)?,
            expires: months(place, "expires_months", self.expires_months)?,
            priority: self.priority,
            code: self.code.map(Into::into),
            from: instant("from", self.from)?,
            until: instant("until", self.until)?,
        })
    }
}

impl PolicyFile {
    pub(super) fn policy(self) -> Policy {
        let usual = Policy::default();
        let hours = |hours: u16| Duration::from_secs(u64::from(hours) * 60 * 60);
        Policy {
            late_grace: self.late_grace_hours.map_or(usual.late_grace, hours),
            debt_refuses: self.debt.map_or(usual.debt_refuses, |debt| matches!(debt, DebtFile::Refuse)),
            invoice: self.invoice.unwrap_or(usual.invoice),
        }
    }
}
