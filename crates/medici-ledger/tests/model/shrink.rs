//! Cuts a history down to the fewest steps that still show a disagreement, and writes it out.

use std::fmt::Write;

use medici_testkit::naive::Flaw;

use crate::history::Step;
use crate::world::World;
use crate::{Disagreement, replay};

/// Returns the smallest history found by leaving out steps, and what it shows.
pub(crate) fn smallest(world: &World, steps: Vec<Step>, flaw: Flaw) -> (Vec<Step>, String) {
    let Some((length, mut about)) = replay(world, &steps, flaw) else {
        return (steps, "the disagreement does not show again: something is not deterministic".into());
    };
    let mut steps = steps[..length].to_vec();
    let mut chunk = steps.len();
    while chunk >= 1 {
        let mut smaller = false;
        let mut start = 0;
        while start < steps.len() {
            let mut fewer = steps.clone();
            fewer.drain(start..(start + chunk).min(fewer.len()));
            match replay(world, &fewer, flaw) {
                Some((length, found)) => {
                    fewer.truncate(length);
                    (steps, about, smaller) = (fewer, found, true);
                }
                None => start += chunk,
            }
        }
        // Leaving out one step may let another go, so single steps are tried until none goes.
        if chunk > 1 {
            chunk /= 2;
        } else if !smaller {
            break;
        }
    }
    (steps, about)
}

/// Writes a disagreement for a person: the seed, the smallest history, what it shows.
pub(crate) fn report(world: &World, found: Disagreement, flaw: Flaw) -> String {
    let (seed, length, first) = (found.seed, found.steps.len(), found.about);
    let (steps, about) = smallest(world, found.steps, flaw);
    let mut text = format!("seed {seed}, step {length}: {first}\n\ncut down to {} steps:\n", steps.len());
    for step in &steps {
        writeln!(text, "  {step}").expect("writing to a string cannot fail");
    }
    text + &about
}
