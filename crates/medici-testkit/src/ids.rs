//! Ids and secrets from a seed: the same in every run, and in the order in which they were asked for.

use std::sync::{Mutex, PoisonError};

use medici_studio::Ids;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{RngCore, SeedableRng};

/// The millisecond in the first id: 2026-01-01T00:00:00Z. Each further id is one millisecond later.
const FIRST_MILLIS: u64 = 1_767_225_600_000;

/// Makes ids of the form of UUID version 7 from a seed. Different seeds give different ids.
#[derive(Debug)]
pub struct SeededIds {
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    chance: ChaCha8Rng,
    millis: u64,
}

impl SeededIds {
    /// Starts the sequence of that seed.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self { state: Mutex::new(State { chance: ChaCha8Rng::seed_from_u64(seed), millis: FIRST_MILLIS }) }
    }

    fn with<T>(&self, draw: impl FnOnce(&mut State) -> T) -> T {
        // Nothing in here can panic half-way, so a poisoned lock still guards a sound state.
        draw(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Ids for SeededIds {
    fn next(&self) -> u128 {
        self.with(|state| {
            let millis = u128::from(state.millis);
            state.millis += 1;
            let high = u128::from(state.chance.next_u64() & 0x0fff);
            let low = u128::from(state.chance.next_u64() & 0x3fff_ffff_ffff_ffff);
            (millis << 80) | (0x7 << 76) | (high << 64) | (0b10 << 62) | low
        })
    }

    fn secret(&self) -> [u8; 32] {
        let mut secret = [0; 32];
        self.with(|state| state.chance.fill_bytes(&mut secret));
        secret
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_rise_and_repeat_with_their_seed_only() {
        let draw = |seed| {
            let ids = SeededIds::new(seed);
            (0..1000).map(|_| ids.next()).collect::<Vec<_>>()
        };
        let first = draw(1);
        assert!(first.is_sorted_by(|earlier, later| earlier < later));
        assert_eq!(first, draw(1));
        assert!(draw(2).iter().all(|id| !first.contains(id)));
        assert!(
            first.iter().all(|id| (id >> 76) & 0xf == 7 && (id >> 62) & 0b11 == 0b10),
            "the form of UUID version 7"
        );
    }

    #[test]
    fn secrets_differ_from_each_other_and_repeat_with_their_seed() {
        let ids = SeededIds::new(1);
        let (first, second) = (ids.secret(), ids.secret());
        assert_ne!(first, second);
        assert_eq!(SeededIds::new(1).secret(), first);
    }
}
