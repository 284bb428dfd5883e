//! Selling on the command line: the commands of docs/guide/selling.md, as somebody would type them.

#![allow(clippy::unwrap_used, clippy::disallowed_methods, reason = "a test of a real process in real time")]

mod support;

use std::{fs, path::PathBuf};

use medici_ledger::Credits;
use serde_json::{Value, json};
use support::Home;

/// A price book that sells on invoice and by tiers.
const PRICES: &str = r#"
[[version]]
effective = 2022-07-20T00:00:00Z

[version.operations]
generate = { credits = "1", included = 4 }

[version.plans.free]
monthly = "15"

[version.plans.none]
monthly = "0"

[version.plans.studio]
monthly = "150"
price = "12.00 USD"

[[version.packs]]
name = "pack-115"
credits = "115"
price = "15.00 USD"
expires_months = 12
tiers = [{ from = 5, price = "14.00 USD" }]
tier_mode = "graduated"

[version.cohorts.beta]
bonus = "50"

[version.cohorts.spring]
bonus = "20"
code = "SPRING-27"

[version.policy]
invoice = true
"#;

/// Returns a data directory whose price book is the one above, and the file it is in.
fn shop() -> (Home, PathBuf) {
    let home = Home::new();
    fs::create_dir_all(home.path()).unwrap();
    let prices = home.path().join("prices.toml");
    fs::write(&prices, PRICES).unwrap();
    fs::write(home.path().join("medici.toml"), format!("prices = {:?}\n", prices.to_str().unwrap())).unwrap();
    (home, prices)
}

fn text<'a>(value: &'a Value, path: &[&str]) -> &'a str {
    let found = path.iter().fold(value, |value, name| &value[*name]);
    found.as_str().unwrap_or_else(|| panic!("no text at {path:?}: {value}"))
}

#[test]
fn a_pack_is_ordered_paid_used_refunded_and_disputed() {
    let (home, _) = shop();
    home.account("ann", "0");
    let placed = home.json(&["order", "create", "ann", "--pack", "pack-115", "--tax-rate", "20", "--key", "cart-1"]);
    let order = text(&placed, &["order", "id"]).to_owned();
    let placed_again =
        home.json(&["order", "create", "ann", "--pack", "pack-115", "--tax-rate", "20", "--key", "cart-1"]);
    assert_eq!((&placed_again["replayed"], &placed_again["order"]["id"]), (&true.into(), &order.clone().into()));
    assert_eq!(text(&placed, &["order", "total"]), "18.00 USD");
    let order = order.as_str();
    assert!(home.fails(1, &["order", "pay", "ann", order, "--amount", "1.00 USD"]).contains("18.00 USD is due"));
    let paid = home.json(&["order", "pay", "ann", order, "--amount", "18.00 USD", "--key", "pi_1"]);
    assert_eq!((text(&paid, &["order", "status"]), text(&paid, &["available"])), ("paid", "115"));
    assert!(home.ok(&["order", "pay", "ann", order]).contains("as it was"));
    assert!(home.ok(&["order", "show", "ann", order]).contains("pack-115, 115 credits"));

    let key = home.key(&["--service"]);
    let mut server = home.serve(&["--engine", "test-pattern"]);
    let id = home.json(&["account", "show", "ann"])["id"].as_str().unwrap().to_owned();
    for number in 0..40 {
        assert_eq!(server.client().charge(&id, &key, &format!("c-{number}")).unwrap().0, 201);
    }
    assert!(server.stop().success());

    assert!(home.fails(1, &["refund", "ann", order, "--amount", "15.00 USD"]).contains("can be refunded"));
    let refund = home.json(&["refund", "ann", order, "--amount", "2.40 USD", "--id", "re_1"]);
    assert_eq!((text(&refund, &["refund", "id"]), text(&refund, &["refund", "amount"])), ("re_1", "2.40 USD"));
    let rest = home.ok(&["order", "refund", "ann", order]);
    assert!(rest.contains("go back as refund_"), "{rest}");
    assert_eq!(home.json(&["account", "show", "ann"])["available"], "0");

    let second = home.json(&["order", "create", "ann", "--pack", "pack-115", "--count", "6", "--tax", "3.00 USD"]);
    assert_eq!(second["order"]["lines"].as_array().unwrap().len(), 2, "a line of each tier");
    let second = text(&second, &["order", "id"]);
    assert_eq!(text(&home.json(&["order", "invoice", "ann", second]), &["order", "status"]), "invoiced");
    let report = |reversal: &str, state: &str, amount: &str| {
        home.json(&["order", "reverse", "ann", second, reversal, "--state", state, "--amount", amount])
    };
    home.ok(&["order", "pay", "ann", second]);
    let disputed = report("dp/1", "disputed", "91.00 USD");
    assert_eq!((text(&disputed, &["order", "status"]), text(&disputed, &["available"])), ("disputed", "0"));
    let won = report("dp/1", "won", "91.00 USD");
    assert_eq!((text(&won, &["order", "status"]), text(&won, &["available"])), ("won", "690"));
    assert_eq!(won["order"]["reversals"][0]["id"], "dp/1");

    let third = home.json(&["order", "create", "ann", "--pack", "pack-115"]);
    let third = text(&third, &["order", "id"]);
    assert!(home.ok(&["order", "cancel", "ann", third]).contains("cancelled"));
    let listed = home.json(&["order", "list", "ann"]);
    let states: Vec<&str> = listed.as_array().unwrap().iter().map(|order| text(order, &["status"])).collect();
    assert_eq!(states, ["cancelled", "won", "partly_refunded"]);
    assert!(home.ok(&["order", "list", "ann"]).contains(third));
    home.verify();
}

#[test]
fn what_cannot_be_ordered_is_said_in_one_line() {
    let (home, _) = shop();
    home.account("ann", "0");
    home.fails(2, &["order", "create", "ann"]);
    home.fails(2, &["order", "create", "ann", "--pack", "pack-115", "--period"]);
    home.fails(2, &["order", "create", "ann", "--pack", "pack-115", "--tax", "1.00 USD", "--tax-rate", "20"]);
    home.fails(2, &["order", "create", "ann", "--plan", "studio", "--count", "2"]);
    home.fails(2, &["order", "pay", "ann", "order_1"]);
    assert!(home.fails(1, &["order", "create", "ann", "--pack", "gold"]).contains("gold"));
    assert!(home.fails(1, &["order", "create", "nobody", "--pack", "pack-115"]).contains("nobody"));
    let nowhere = format!("order_{:032x}", 9);
    assert!(home.fails(1, &["order", "show", "ann", &nowhere]).contains("no such order"));
    assert_eq!(home.json(&["order", "list", "ann"]), json!([]));
    home.verify();
}

#[test]
fn a_year_of_a_customer_is_tried_out_in_a_sandbox() {
    let (home, _) = shop();
    let create = ["account", "create", "lab", "--sandbox", "--clock", "2027-01-31", "--code", "SPRING-27"];
    home.json(&create);
    home.fails(2, &["account", "create", "other", "--clock", "2027-01-31"]);
    assert!(home.fails(1, &["account", "create", "other", "--code", "WINTER"]).contains("code"));
    assert_eq!(home.json(&["account", "show", "lab"])["available"], "35");
    let moved = home.json(&["account", "clock", "lab", "--advance", "P1M"]);
    assert_eq!((text(&moved, &["sandbox_clock"]), text(&moved, &["available"])), ("2027-02-28T00:00:00Z", "15"));

    assert!(home.fails(1, &["plan", "change", "lab", "studio"]).contains("ordered"));
    let order = home.json(&["order", "create", "lab", "--plan", "studio", "--mode", "prorated"]);
    assert_eq!(text(&order, &["order", "credits"]), "135");
    home.ok(&["order", "pay", "lab", text(&order, &["order", "id"])]);
    assert_eq!(text(&home.json(&["plan", "show", "lab"]), &["plan"]), "studio");
    let period = home.json(&["order", "create", "lab", "--period"]);
    home.ok(&["order", "pay", "lab", text(&period, &["order", "id"])]);
    let moved = home.ok(&["account", "clock", "lab", "--to", "2027-04-01"]);
    assert!(moved.contains("150 credits available"), "{moved}");
    assert!(home.ok(&["account", "show", "lab"]).contains("whose clock says 2027-04-01"));
    assert!(home.ok(&["plan", "show", "lab"]).contains("150 credits a month for 12.00 USD"));
    home.ok(&["plan", "change", "lab", "free"]);

    home.account("ann", "0");
    assert!(home.fails(1, &["account", "clock", "ann", "--to", "2037-01-01"]).contains("sandbox"));
    home.fails(2, &["account", "clock", "lab"]);
    home.fails(2, &["account", "clock", "lab", "--advance", "1 month"]);
    home.verify();
}

#[test]
fn cohorts_budgets_and_own_terms_do_the_same_with_and_without_a_server() {
    let (home, _) = shop();
    agree(&home, "before");
    let mut server = home.serve(&["--engine", "test-pattern"]);
    agree(&home, "beside");
    assert!(server.stop().success());
    home.verify();
}

fn agree(home: &Home, name: &str) {
    home.account(name, "0");
    assert_eq!(text(&home.json(&["cohort", "add", name, "beta"]), &["available"]), "50");
    assert!(home.fails(1, &["cohort", "add", name, "beta"]).contains("before"));
    assert!(home.fails(1, &["cohort", "add", name, "spring", "--code", "WINTER"]).contains("code"));

    let key = home.json(&["key", "create", "--account", name]);
    let subject = text(&key, &["id"]);
    let set = home.json(&["budget", "set", name, subject, "day", "2"]);
    assert_eq!(set["budgets"][0]["limit"], "2");
    assert!(home.ok(&["budget", "set", name, subject, "day", "2"]).contains("nothing changed"));
    home.ok(&["budget", "set", name, "account", "month", "100"]);
    assert!(home.fails(1, &["budget", "set", name, "every/body", "day", "2"]).contains("subject"));
    home.fails(2, &["budget", "set", name, "account", "week", "2"]);
    let listed = home.json(&["budget", "list", name]);
    assert_eq!(listed.as_array().unwrap().len(), 2);
    assert_eq!(home.json(&["budget", "remove", name, "account", "month"])["budgets"].as_array().unwrap().len(), 1);
    assert!(home.ok(&["budget", "list", name]).contains(subject));

    let own = home.json(&["account", "override", name, "--monthly", "30", "--models", "pocket,dall-e-2"]);
    assert_eq!(own["overrides"]["models"], json!(["pocket", "dall-e-2"]));
    assert_eq!(text(&home.json(&["plan", "show", name]), &["monthly"]), "30");
    assert!(home.ok(&["account", "override", name, "--none"]).contains("terms of its plan"));
    home.fails(2, &["account", "override", name]);
    home.fails(2, &["account", "override", name, "--none", "--monthly", "1"]);

    // The month that came with the terms of its own stays until its end.
    let shown = home.json(&["account", "show", name]);
    let lot = shown["lots"].as_array().unwrap().iter().find(|lot| lot["class"] == "promo").unwrap();
    let lot = lot["number"].to_string();
    let before: Credits = text(&shown, &["available"]).parse().unwrap();
    let taken = home.json(&["withdraw", name, &lot, "20", "--key", "w-1"]);
    assert_eq!(home.json(&["withdraw", name, &lot, "20", "--key", "w-1"])["replayed"], true);
    assert_eq!(text(&taken, &["available"]).parse().ok(), before.checked_sub(Credits::whole(20)));
    assert!(home.fails(1, &["withdraw", name, &lot, "31"]).contains("can be withdrawn"));
}

#[test]
fn a_picture_that_was_paid_for_is_given_back() {
    let home = Home::new();
    home.account("ann", "15");
    let key = home.key(&["--account", "ann"]);
    let mut server = home.serve(&["--engine", "test-pattern"]);
    let (status, body) = server.client().picture(&key, "one").unwrap();
    assert_eq!(status, 200, "{body}");
    let job = text(&body, &["id"]);
    let give = ["give-back", "ann", job, "--reason", "service_fault", "--key", "sorry-1"];
    assert_eq!(text(&home.json(&give), &["available"]), "15");
    assert!(server.stop().success());
    assert!(home.ok(&give).contains("as before"));
    assert!(home.fails(1, &["give-back", "ann", job, "--reason", "goodwill"]).contains("At most 0 credits"));
    home.fails(2, &["give-back", "ann", job, "--reason", "luck"]);
    home.verify();
}
