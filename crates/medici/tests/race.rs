//! Many at once for the last credits: exactly as many succeed as there are credits.

#![allow(clippy::unwrap_used, clippy::disallowed_methods, reason = "a test of a real process in real time")]

mod support;

use std::sync::Barrier;

use support::Home;

const CLIENTS: usize = 64;
const CREDITS: usize = 15;

#[test]
fn sixty_four_clients_spend_fifteen_credits_fifteen_times() {
    let home = Home::new();
    let account = home.account("race", &CREDITS.to_string());
    let key = home.key(&["--service"]);
    let mut server = home.serve(&["--engine", "test-pattern"]);
    let start = Barrier::new(CLIENTS);
    let statuses: Vec<u16> = std::thread::scope(|scope| {
        let clients: Vec<_> = (0..CLIENTS)
            .map(|number| {
                let (server, account, key, start) = (&server, &account, &key, &start);
                scope.spawn(move || {
                    let mut client = server.client();
                    start.wait();
                    client.charge(account, key, &format!("race-{number}")).unwrap().0
                })
            })
            .collect();
        clients.into_iter().map(|client| client.join().unwrap()).collect()
    });
    let charged = statuses.iter().filter(|status| matches!(status, 200 | 201)).count();
    let refused = statuses.iter().filter(|status| **status == 402).count();
    assert_eq!((charged, refused), (CREDITS, CLIENTS - CREDITS), "{statuses:?}");
    assert_eq!(home.json(&["account", "show", "race"])["available"], "0");
    home.verify();
    assert!(server.stop().success());
    home.verify();
}
