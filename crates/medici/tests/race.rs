//! Many at once for the last credits: exactly as many succeed as there are credits, round after round.
//!
//! A thousand rounds; `MEDICI_RACE_ROUNDS` says otherwise.

#![allow(clippy::unwrap_used, clippy::disallowed_methods, reason = "a test of a real process in real time")]

mod support;

use std::sync::{
    Barrier, Mutex,
    atomic::{AtomicU64, Ordering},
};

use serde_json::json;
use support::{Ask, Home, rounds};

const CLIENTS: usize = 64;
/// What plan `free` gives an account that is opened now.
const CREDITS: u64 = 15;

#[test]
fn sixty_four_clients_spend_fifteen_credits_fifteen_times() {
    let home = Home::new();
    let (service, admin) = (home.key(&["--service"]), home.key(&["--admin"]));
    let mut server = home.serve(&["--engine", "test-pattern", "--worker", "off"]);
    let rounds = rounds("MEDICI_RACE_ROUNDS", 1_000);
    let mut operator = server.client();
    let accounts: Vec<String> = (0..rounds)
        .map(|round| {
            let body = json!({ "name": format!("race-{round}"), "plan": "free" });
            let ask = Ask { method: "POST", path: "/api/accounts", key: &admin, idempotency: None, body: Some(&body) };
            let (status, account) = operator.ask(ask).unwrap();
            assert_eq!(status, 201, "{account}");
            account["id"].as_str().unwrap().to_owned()
        })
        .collect();
    let (charged, refused) = (AtomicU64::new(0), AtomicU64::new(0));
    let (begin, end) = (Barrier::new(CLIENTS), Barrier::new(CLIENTS));
    let wrong = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for number in 0..CLIENTS {
            let (server, accounts, service) = (&server, &accounts, &service);
            let (charged, refused, begin, end, wrong) = (&charged, &refused, &begin, &end, &wrong);
            scope.spawn(move || {
                let mut client = server.client();
                for (round, account) in accounts.iter().enumerate() {
                    begin.wait();
                    match client.charge(account, service, &format!("client-{number}")).unwrap().0 {
                        200 | 201 => charged.fetch_add(1, Ordering::Relaxed),
                        402 => refused.fetch_add(1, Ordering::Relaxed),
                        status => panic!("round {round}: client {number} got status {status}"),
                    };
                    if end.wait().is_leader() {
                        let counts = (charged.swap(0, Ordering::Relaxed), refused.swap(0, Ordering::Relaxed));
                        if counts != (CREDITS, CLIENTS as u64 - CREDITS) {
                            wrong.lock().unwrap().push((round, counts));
                        }
                    }
                }
            });
        }
    });
    assert_eq!(*wrong.lock().unwrap(), []);
    let last = format!("race-{}", rounds - 1);
    assert_eq!(home.json(&["account", "show", &last])["available"], "0");
    assert!(server.stop().success());
    // Opened, granted and the captures, of each account; and not one entry more.
    assert_eq!(home.verify()["entries"].as_u64().unwrap(), rounds * (2 + CREDITS) + 2);
}
