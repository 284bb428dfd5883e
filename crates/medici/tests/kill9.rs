//! `kill -9` at random moments under load: nothing acknowledged is lost, nothing is done twice, no hold stays.
//!
//! This proves atomicity. The page cache survives a killed process, so durability is proved by `power_cut.rs`.

#![allow(clippy::unwrap_used, clippy::disallowed_methods, reason = "a test of a real process in real time")]

#[path = "support/load.rs"]
mod load;
mod support;

use std::time::Duration;

use load::{Cast, Kind, Ledger, ask_until_gone};
use rand_chacha::{
    ChaCha8Rng,
    rand_core::{RngCore, SeedableRng},
};
use support::{Home, rounds};

/// Clients that charge, and clients that want pictures.
const CLIENTS: [Kind; 5] = [Kind::Charge, Kind::Charge, Kind::Charge, Kind::Picture, Kind::Picture];

#[test]
fn killed_at_any_moment_nothing_acknowledged_is_lost_and_nothing_is_done_twice() {
    let seed = rounds("MEDICI_SEED", 20_261_122);
    let mut moments = ChaCha8Rng::seed_from_u64(seed);
    let home = Home::new();
    let cast = Cast::new(&home);
    let mut ledger = Ledger::default();
    for round in 0..rounds("MEDICI_KILL_ROUNDS", 20) {
        let mut server = home.serve(&["--engine", "test-pattern", "--log", "json"]);
        let moment = Duration::from_micros(50_000 + u64::from(moments.next_u32()) % 450_000);
        let address = server.address;
        let noted = std::thread::scope(|scope| {
            let clients: Vec<_> = CLIENTS
                .iter()
                .enumerate()
                .map(|(client, kind)| {
                    let cast = &cast;
                    scope.spawn(move || ask_until_gone(address, cast, *kind, &format!("r{round}-c{client}")))
                })
                .collect();
            std::thread::sleep(moment);
            server.kill();
            clients.into_iter().flat_map(|client| client.join().unwrap()).collect::<Vec<_>>()
        });
        home.verify();
        let mut server = home.serve(&["--engine", "test-pattern", "--log", "json"]);
        ledger.resolve(&server, &cast, noted);
        ledger.compare(&home);
        assert!(server.stop().success());
        home.verify();
        eprintln!("round {round} (seed {seed}, killed after {moment:?}): {}", ledger.counts());
    }
    // A test that killed an idle server would have proved nothing.
    assert!(ledger.charges() > 20 && ledger.pictures() > 5, "too little load: {}", ledger.counts());
}
