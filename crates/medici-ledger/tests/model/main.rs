//! The ledger against the naive model: random histories, everything compared after every step.
//!
//! `MEDICI_MODEL_STEPS` sets how many steps are taken (200,000 unless told), `MEDICI_MODEL_SEED` where the
//! histories start (0). A disagreement is cut down to the fewest steps that still show it and printed.

#![expect(clippy::unwrap_used, reason = "all of this is a test; the lint only knows functions marked as one")]

mod compare;
mod generate;
mod history;
mod shrink;

use std::env;

use medici_testkit::naive::Flaw;

use compare::Pair;
use generate::Generator;
use history::{Step, World};

/// A history on which ledger and model disagree at its last step, and on what.
struct Disagreement {
    seed: u64,
    steps: Vec<Step>,
    about: String,
}

/// Plays one random history and returns how many steps it had.
fn play(world: &World, seed: u64, flaw: Flaw) -> Result<usize, Disagreement> {
    let mut generator = Generator::new(seed);
    let mut pair = Pair::new(world, flaw);
    let mut steps = Vec::new();
    for _ in 0..generator.length() {
        steps.push(generator.step(&pair.model));
        let outcome = pair.step(steps.last().expect("a step was just added"));
        if let Err(about) = outcome {
            return Err(Disagreement { seed, steps, about });
        }
    }
    match pair.replay_from_nothing() {
        Ok(()) => Ok(steps.len()),
        Err(about) => Err(Disagreement { seed, steps, about }),
    }
}

/// Plays until `count` steps were taken; returns how many, or the first disagreement.
fn search(count: usize, first_seed: u64, flaw: Flaw) -> Result<usize, Disagreement> {
    let world = World::new();
    let mut taken = 0;
    for seed in first_seed.. {
        if taken >= count {
            break;
        }
        taken += play(&world, seed, flaw)?;
    }
    Ok(taken)
}

/// Takes the steps again from nothing; returns the first disagreement and after how many steps it shows.
fn replay(world: &World, steps: &[Step], flaw: Flaw) -> Option<(usize, String)> {
    let mut pair = Pair::new(world, flaw);
    for (index, step) in steps.iter().enumerate() {
        if let Err(about) = pair.step(step) {
            return Some((index + 1, about));
        }
    }
    pair.replay_from_nothing().err().map(|about| (steps.len(), about))
}

fn number(name: &str, otherwise: u64) -> u64 {
    match env::var(name) {
        Ok(text) => {
            text.replace('_', "").parse().unwrap_or_else(|_| panic!("{name} is a whole number, found {text:?}"))
        }
        Err(_) => otherwise,
    }
}

#[test]
fn the_ledger_agrees_with_the_naive_model_after_every_step() {
    let count = usize::try_from(number("MEDICI_MODEL_STEPS", 200_000)).unwrap();
    match search(count, number("MEDICI_MODEL_SEED", 0), Flaw::None) {
        Ok(taken) => assert!(taken >= count),
        Err(found) => panic!("{}", shrink::report(&World::new(), found, Flaw::None)),
    }
}

#[test]
fn every_planted_mistake_is_found_and_cut_down() {
    let flaws = [
        Flaw::FreeAfterPaid,
        Flaw::ExpiryOneMicrosecondLate,
        Flaw::TimeoutOneMicrosecondLate,
        Flaw::CaptureFromTheEnd,
        Flaw::ExpiredLotRevives,
        Flaw::NoReplacement,
        Flaw::MonthsDrift,
        Flaw::RevenueRoundsUp,
        Flaw::EndlessExtension,
        Flaw::CaptureForgetsItsAmount,
    ];
    let world = World::new();
    for flaw in flaws {
        let found = search(20_000, 0, flaw).err().unwrap_or_else(|| panic!("{flaw:?} is not found in 20,000 steps"));
        let (steps, about) = shrink::smallest(&world, found.steps, flaw);
        assert!(steps.len() <= 8, "{flaw:?} needs {} steps: {about}", steps.len());
    }
}
