//! Clients that write down what they ask before they ask it, and what they were told after.

#![allow(dead_code, unreachable_pub, reason = "a module of several test binaries, each of which uses a part of it")]

use std::{
    collections::{BTreeMap, BTreeSet},
    net::SocketAddr,
    time::Instant,
};

use serde_json::Value;

use crate::support::{Client, Home, Server};

/// The accounts and keys of a crash test.
pub struct Cast {
    pub account: String,
    pub service_key: String,
    pub account_key: String,
}

impl Cast {
    /// Opens an account with enough credits for any number of rounds.
    pub fn new(home: &Home) -> Self {
        Self {
            account: home.account("load", "1000000"),
            service_key: home.key(&["--service"]),
            account_key: home.key(&["--account", "load"]),
        }
    }
}

/// What kind of request a key was used for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Charge,
    Picture,
}

/// One request as its client remembers it.
#[derive(Clone, Debug)]
pub struct Noted {
    pub key: String,
    pub kind: Kind,
    /// When the answer was there, and what it said; `None` where it never came.
    pub acknowledged: Option<(Instant, u16, Value)>,
}

/// Asks for one thing after the other until the server is gone; returns what was asked and what was answered.
pub fn ask_until_gone(address: SocketAddr, cast: &Cast, kind: Kind, prefix: &str) -> Vec<Noted> {
    let mut client = Client::new(address);
    let mut noted = Vec::new();
    for number in 0.. {
        let key = format!("{prefix}-{number}");
        // The intent is on record before the request is on its way.
        noted.push(Noted { key: key.clone(), kind, acknowledged: None });
        match ask(&mut client, cast, kind, &key) {
            Ok((status, body)) => {
                noted.last_mut().unwrap().acknowledged = Some((Instant::now(), status, body));
            }
            Err(_) => break,
        }
    }
    noted
}

fn ask(client: &mut Client, cast: &Cast, kind: Kind, key: &str) -> std::io::Result<(u16, Value)> {
    match kind {
        Kind::Charge => client.charge(&cast.account, &cast.service_key, key),
        Kind::Picture => client.picture(&cast.account_key, key),
    }
}

/// Everything that clients know of all rounds.
#[derive(Default)]
pub struct Ledger {
    /// The charge that each key made.
    charges: BTreeMap<String, String>,
    /// The keys whose pictures were delivered.
    pictures: BTreeSet<String>,
    /// The keys whose pictures failed: nothing may be captured for them.
    failed: BTreeSet<String>,
}

impl Ledger {
    /// Resolves every request of a round on the restarted server: what was acknowledged must be answered the
    /// same again, what was not must now be answered once.
    pub fn resolve(&mut self, server: &Server, cast: &Cast, noted: Vec<Noted>) {
        let mut client = server.client();
        for request in noted {
            let (status, body) = ask(&mut client, cast, request.kind, &request.key).unwrap();
            match request.kind {
                Kind::Charge => {
                    assert!(matches!(status, 200 | 201), "{}: {status} {body}", request.key);
                    let charge = charge_of(&body);
                    if let Some((_, first_status, first)) = &request.acknowledged {
                        assert!(matches!(*first_status, 200 | 201), "{}: {first_status} {first}", request.key);
                        assert_eq!(charge_of(first), charge, "{} was acknowledged with another charge", request.key);
                    }
                    self.charges.insert(request.key, charge);
                }
                Kind::Picture => {
                    let delivered = status == 200;
                    let failed = status == 500 && body["error"]["code"] == "generation_failed";
                    assert!(delivered || failed, "{}: {status} {body}", request.key);
                    if let Some((_, 200, first)) = &request.acknowledged {
                        assert!(delivered, "{} was delivered before: {first} and now {body}", request.key);
                    }
                    let keys = if delivered { &mut self.pictures } else { &mut self.failed };
                    keys.insert(request.key);
                }
            }
        }
    }

    /// Compares all that was ever answered with the account's entries.
    pub fn compare(&self, home: &Home) {
        let statement = home.json(&["ledger", "statement", "load"]);
        let entries = statement["entries"].as_array().unwrap();
        let of = |fact: &str| entries.iter().filter(|entry| entry["fact"] == fact).collect::<Vec<_>>();
        let booked: Vec<String> =
            of("charged").iter().map(|entry| entry["hold"].as_str().unwrap().to_owned()).collect();
        let distinct: BTreeSet<&String> = booked.iter().collect();
        assert_eq!(distinct.len(), booked.len(), "a charge is on the books twice");
        let known: BTreeSet<&String> = self.charges.values().collect();
        assert_eq!(known.len(), self.charges.len(), "two keys were answered with one charge");
        let lost: Vec<_> = known.difference(&distinct).collect();
        assert!(lost.is_empty(), "acknowledged charges that are lost: {lost:?}");
        let extra: Vec<_> = distinct.difference(&known).collect();
        assert!(extra.is_empty(), "charges that no key knows, so some key charged twice: {extra:?}");
        assert_eq!(of("captured").len(), self.pictures.len(), "captures and delivered requests differ in number");
        let held = home.json(&["account", "show", "load"])["held"].clone();
        assert_eq!(held, "0", "a hold is open although every request has ended");
    }

    pub fn counts(&self) -> String {
        format!("{} charges, {} pictures, {} failed", self.charges.len(), self.pictures.len(), self.failed.len())
    }

    pub fn charges(&self) -> usize {
        self.charges.len()
    }

    pub fn pictures(&self) -> usize {
        self.pictures.len()
    }
}

fn charge_of(body: &Value) -> String {
    body["id"].as_str().unwrap_or_else(|| panic!("an answer without a charge: {body}")).to_owned()
}
