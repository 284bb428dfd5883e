//! `medici moderation`: what the rules of what may be drawn are, and what they say to some words.

use anyhow::{Context, Result};
use clap::{Args, Subcommand, ValueEnum};
use medici_studio::moderation::{self, Rule};
use serde::Serialize;

use crate::{Verdict, config::Config, render, wiring};

/// `medici moderation …`
#[derive(Subcommand)]
pub(crate) enum ModerationCommand {
    /// List the rules in force
    List {
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Judge words as a request's are; exits with 1 if they are blocked
    Check(CheckArgs),
}

/// Arguments of `moderation check`.
#[derive(Args)]
pub(crate) struct CheckArgs {
    /// The words
    words: String,
    /// How strict to be
    #[arg(long, default_value = "auto")]
    zeal: Zeal,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// How strict to be, as OpenAI's clients say it.
#[derive(Clone, Copy, ValueEnum)]
enum Zeal {
    /// As strict as the operator wants it
    Auto,
    /// Only what must never be drawn
    Low,
}

/// Runs a command about the rules.
pub(crate) fn run(config: &Config, command: &ModerationCommand) -> Result<Verdict> {
    match command {
        ModerationCommand::List { json } => list(config, *json),
        ModerationCommand::Check(args) => check(config, args),
    }
}

/// A rule as `--json` prints it.
#[derive(Serialize)]
struct Listed<'a> {
    category: &'a str,
    locale: Option<&'a str>,
    zeal: &'static str,
    words: usize,
    patterns: usize,
    with: usize,
    built_in: bool,
}

impl<'a> Listed<'a> {
    fn of(rule: &'a Rule) -> Self {
        Self {
            category: &rule.category,
            locale: rule.locale.as_deref(),
            zeal: match rule.zeal {
                moderation::Zeal::Auto => "auto",
                moderation::Zeal::Low => "low",
            },
            words: rule.words,
            patterns: rule.patterns,
            with: rule.with,
            built_in: rule.built_in,
        }
    }

    fn row(&self) -> Vec<String> {
        let from = if self.built_in { "built in" } else { "own file" };
        let counts = [self.words, self.patterns, self.with].map(|count| count.to_string());
        let texts = [self.category, self.locale.unwrap_or("any"), self.zeal].map(str::to_owned);
        texts.into_iter().chain(counts).chain([from.to_owned()]).collect()
    }
}

fn list(config: &Config, json: bool) -> Result<Verdict> {
    let rules = wiring::rules(config)?;
    let mut listed: Vec<Listed<'_>> = rules.rules().iter().map(Listed::of).collect();
    listed.sort_by_key(|rule| (rule.category, rule.locale));
    if json {
        render::json(&listed)?;
    } else {
        let rows: Vec<Vec<String>> = listed.iter().map(Listed::row).collect();
        render::table(&["category", "locale", "zeal", "words", "patterns", "with", "from"], &rows);
    }
    Ok(Verdict::Good)
}

/// What came of judging, as `--json` prints it.
#[derive(Serialize)]
struct Judged {
    blocked: bool,
    categories: Vec<String>,
}

fn check(config: &Config, args: &CheckArgs) -> Result<Verdict> {
    let zeal = match args.zeal {
        Zeal::Auto => moderation::Zeal::Auto,
        Zeal::Low => moderation::Zeal::Low,
    };
    let moderator = wiring::moderator(config)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let verdict = runtime.block_on(moderator.words(&args.words, zeal)).context("nothing is known about these words")?;
    let judged = match verdict {
        moderation::Verdict::Clear => Judged { blocked: false, categories: Vec::new() },
        moderation::Verdict::Blocked { categories } => Judged { blocked: true, categories },
    };
    if args.json {
        render::json(&judged)?;
    } else if judged.blocked {
        println!("blocked: {}", judged.categories.join(", "));
    } else {
        println!("clear");
    }
    Ok(if judged.blocked { Verdict::Broken } else { Verdict::Good })
}
