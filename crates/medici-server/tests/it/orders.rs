//! Orders: from a price to money, and back.

use axum::http::Method;
use serde_json::{Value, json};

use crate::house::{Answer, GENERATIONS, House};

async fn place(house: &House, key: &str, body: Value) -> Answer {
    house.change(Method::POST, "orders", key, body).await
}

/// Places an order, and returns its id.
async fn placed(house: &House, key: &str, body: Value) -> String {
    place(house, key, body).await.is(201).json()["order"]["id"].as_str().unwrap().to_owned()
}

async fn act(house: &House, order: &str, what: &str, key: &str, body: Value) -> Answer {
    house.change(Method::POST, &format!("orders/{order}/{what}"), key, body).await
}

/// Buys a pack of 115 credits for 15.00 USD, and returns the order's id.
async fn bought(house: &House, key: &str) -> String {
    let order = placed(house, &format!("place-{key}"), json!({"pack": "pack-115"})).await;
    act(house, &order, "pay", &format!("pay-{key}"), json!({})).await.is(200);
    order
}

async fn report(house: &House, order: &str, reversal: &str, state: &str, amount: &str) -> Answer {
    let path = format!("orders/{order}/reversals/{reversal}");
    house.change(Method::PUT, &path, &format!("{reversal}-{state}"), json!({"state": state, "amount": amount})).await
}

#[tokio::test]
async fn an_order_grants_when_it_is_paid_and_says_how_it_stands() {
    let house = House::idle().await;
    let answer = place(&house, "o-1", json!({"pack": "pack-115", "tax_rate": "20"})).await.is(201);
    let order = &answer.json()["order"];
    assert_eq!(order["status"], "placed");
    assert_eq!(order["item"], json!({"kind": "packs", "packs": 1, "expires_months": 12}));
    assert_eq!(
        (&order["cost"], &order["tax"], &order["total"]),
        (&"15.00 USD".into(), &"3.00 USD".into(), &"18.00 USD".into())
    );
    assert_eq!(
        (&order["due"], &order["refundable"], &order["lot"]),
        (&"18.00 USD".into(), &"0.00 USD".into(), &Value::Null)
    );
    let line = json!({"what": "pack-115, 115 credits", "quantity": 1, "price": "15.00 USD", "amount": "15.00 USD", "tax": "3.00 USD"});
    assert_eq!(order["lines"], json!([line]));
    assert_eq!(answer.json()["entry"]["order"], order["id"]);
    assert_eq!(house.available(), "15");

    let id = order["id"].as_str().unwrap();
    act(&house, id, "pay", "p-0", json!({"amount": "15.00 USD"})).await.problem(409, "amount_differs");
    let paid = act(&house, id, "pay", "p-1", json!({"amount": "18.00 USD"})).await.is(200);
    assert_eq!(paid.head("medici-credits-balance"), "130");
    assert_eq!(paid.json()["order"]["status"], "paid");
    assert_eq!(
        (&paid.json()["order"]["due"], &paid.json()["order"]["refundable"]),
        (&"0.00 USD".into(), &"18.00 USD".into())
    );
    let again = act(&house, id, "pay", "p-1", json!({"amount": "18.00 USD"})).await.is(200);
    assert_eq!(again.head("idempotent-replayed"), "true");
    assert_eq!(again.body, paid.body);
    // Whoever reports the payment once more under another key changes nothing.
    let other = act(&house, id, "pay", "p-2", json!({})).await.is(200);
    assert_eq!((&other.json()["entry"], &other.json()["available"]), (&Value::Null, &"130".into()));
    act(&house, id, "pay", "p-1", json!({})).await.problem(422, "idempotency_key_reused");
    act(&house, id, "cancel", "c-1", json!({})).await.problem(409, "order_granted");
    let bought = "order_paid: issuance:paid 2 -115, lot 2 +115, cash 2 +18.00 USD, tax_payable 2 -3.00 USD, deferred 2 -15.00 USD";
    assert_eq!(house.story().await, ["order_placed: ", bought]);
}

#[tokio::test]
async fn a_repeated_order_is_one_order() {
    let house = House::idle().await;
    let body = json!({"pack": "pack-115"});
    let first = place(&house, "o-1", body.clone()).await.is(201);
    let again = place(&house, "o-1", body.clone()).await.is(201);
    assert_eq!(again.head("idempotent-replayed"), "true");
    assert_eq!(first.body, again.body);
    place(&house, "o-1", json!({"pack": "pack-115", "packs": 2})).await.problem(422, "idempotency_key_reused");
    let id = first.json()["order"]["id"].as_str().unwrap().to_owned();
    act(&house, &id, "pay", "p-1", json!({})).await.is(200);
    // A key of money is kept for ever, and its order is told as it stands by then.
    house.clock.advance(std::time::Duration::from_secs(300 * 24 * 3600));
    let late = place(&house, "o-1", body).await.is(201);
    assert_eq!((&late.json()["order"]["id"], &late.json()["order"]["status"]), (&id.into(), &"paid".into()));
    let path = format!("/api/accounts/{}/orders", house.account);
    house
        .post(&path, json!({"pack": "pack-115"}))
        .key(&house.admin)
        .send()
        .await
        .problem(400, "idempotency_key_required");
    assert_eq!(house.story().await.iter().filter(|line| line.starts_with("order_placed")).count(), 1);
}

#[tokio::test]
async fn each_tier_is_a_line_and_the_lines_share_the_tax() {
    let house = House::idle().await;
    let body = json!({"pack": "pack-many", "packs": 12, "tax_rate": "8.875"});
    let order = place(&house, "o-1", body).await.is(201).json()["order"].take();
    assert_eq!((&order["cost"], &order["tax"]), (&"167.50 USD".into(), &"14.87 USD".into()));
    let line = |quantity: u32, price: &str, amount: &str, tax: &str| json!({"what": "pack-many, 100 credits", "quantity": quantity, "price": price, "amount": amount, "tax": tax});
    assert_eq!(
        order["lines"],
        json!([
            line(4, "15.00 USD", "60.00 USD", "5.33 USD"),
            line(5, "14.00 USD", "70.00 USD", "6.21 USD"),
            line(3, "12.50 USD", "37.50 USD", "3.33 USD"),
        ])
    );
}

#[tokio::test]
async fn an_invoice_grants_now_and_is_paid_later() {
    let house = House::idle().await;
    let order = placed(&house, "o-1", json!({"pack": "pack-115", "tax": "3.00 USD"})).await;
    let invoiced = act(&house, &order, "invoice", "i-1", json!({})).await.is(200).json();
    assert_eq!((&invoiced["order"]["status"], &invoiced["order"]["due"]), (&"invoiced".into(), &"18.00 USD".into()));
    assert_eq!(house.available(), "130");
    assert_eq!(act(&house, &order, "pay", "p-1", json!({})).await.is(200).json()["order"]["status"], "paid");
    assert_eq!(
        house.story().await,
        [
            "order_placed: ",
            "order_invoiced: issuance:paid 2 -115, lot 2 +115, receivable 2 +18.00 USD, tax_payable 2 -3.00 USD, deferred 2 -15.00 USD",
            "order_paid: cash 2 +18.00 USD, receivable 2 -18.00 USD",
        ]
    );
}

#[tokio::test]
async fn an_order_that_was_given_up_is_granted_all_the_same_if_its_money_comes() {
    let house = House::idle().await;
    let order = placed(&house, "o-1", json!({"pack": "pack-115"})).await;
    assert_eq!(act(&house, &order, "cancel", "c-1", json!({})).await.is(200).json()["order"]["status"], "cancelled");
    assert_eq!(act(&house, &order, "cancel", "c-2", json!({})).await.is(200).json()["entry"], Value::Null);
    act(&house, &order, "invoice", "i-1", json!({})).await.problem(409, "order_cancelled");
    assert_eq!(act(&house, &order, "pay", "p-1", json!({})).await.is(200).json()["order"]["status"], "paid");
    assert_eq!(house.available(), "130");
}

#[tokio::test]
async fn a_refund_is_at_most_what_unspent_credits_stand_for() {
    let house = House::idle().await;
    house.spend_all().await;
    let order = bought(&house, "1").await;
    house.charge("c-1", 40).await.is(201);
    let too_much = act(&house, &order, "refund", "r-0", json!({"amount": "9.80 USD"})).await;
    assert_eq!(too_much.problem(409, "refund_too_much"), "At most 9.79 USD can be refunded, 9.80 USD asked for.");
    let first = act(&house, &order, "refund", "r-1", json!({"id": "re_1", "amount": "2.00 USD"})).await.is(201).json();
    assert_eq!(first["refund"], json!({"id": "re_1", "state": "refunded", "amount": "2.00 USD"}));
    assert_eq!(first["order"]["status"], "partly_refunded");
    let rest = act(&house, &order, "refund", "r-2", json!({})).await.is(201);
    assert_eq!(rest.json()["refund"]["amount"], "7.79 USD");
    assert_eq!(rest.json()["available"], "0");
    let again = act(&house, &order, "refund", "r-2", json!({})).await.is(201);
    assert_eq!(again.body, rest.body, "the name that was made for it is told again");
    act(&house, &order, "refund", "r-3", json!({})).await.problem(409, "refund_too_much");
    act(&house, &order, "refund", "r-3", json!({"id": "re 1"})).await.problem(400, "invalid_value");
    act(&house, &order, "refund", "r-3", json!({"id": "re_1", "amount": "1.00 USD"}))
        .await
        .problem(409, "reversal_exists");
    let unpaid = placed(&house, "o-2", json!({"pack": "pack-115"})).await;
    act(&house, &unpaid, "refund", "r-4", json!({})).await.problem(409, "order_not_granted");
}

#[tokio::test]
async fn a_dispute_leaves_a_debt_that_stops_spending_until_the_next_pack_repays_it() {
    let house = House::open().await;
    house.spend_all().await;
    let order = bought(&house, "1").await;
    house.charge("c-1", 40).await.is(201);
    let disputed = report(&house, &order, "dp_1", "disputed", "15.00 USD").await.is(200).json();
    assert_eq!((&disputed["order"]["status"], &disputed["order"]["owed"]), (&"disputed".into(), &"40".into()));
    assert_eq!(disputed["available"], "0");
    act(&house, &order, "refund", "r-1", json!({})).await.problem(409, "order_disputed");
    // The same report again, and one that comes too late to matter.
    assert_eq!(
        report(&house, &order, "dp_1", "disputed", "15.00 USD").await.is(200).head("idempotent-replayed"),
        "true"
    );
    let debt = house.get(&format!("/api/accounts/{}", house.account)).key(&house.admin).send().await.is(200).json();
    assert_eq!(debt["owed"], "40");

    let body = json!({"credits": "5", "class": "promo"});
    house.change(Method::POST, "grants", "g-1", body).await.is(201);
    let words = house.charge("c-2", 1).await.problem(402, "in_debt");
    assert_eq!(words, "40 credits are owed, because their payment was taken back.");
    let told = house.generate(json!({"prompt": "a fox", "size": "256x256"})).await;
    assert!(!told.headers.contains_key("retry-after"));
    let told = told.openai_error(400, "invalid_request_error", Some("billing_hard_limit_reached"), None);
    assert!(told.starts_with("Billing hard limit has been reached."), "{told}");

    bought(&house, "2").await;
    assert_eq!(house.available(), "80", "5 given, and 75 of 115 after 40 were repaid");
    house.generate(json!({"prompt": "a fox", "size": "256x256"})).await.is(200);
    let won = report(&house, &order, "dp_1", "won", "15.00 USD").await.is(200).json();
    assert_eq!((&won["order"]["status"], &won["order"]["owed"]), (&"won".into(), &"0".into()));
    assert_eq!(won["available"], "194", "79 left, and 115 are back");
    let late = report(&house, &order, "dp_1", "lost", "15.00 USD").await.is(200).json();
    assert_eq!(late["entry"], Value::Null, "a dispute that was won is not lost by a late report");
}

#[tokio::test]
async fn a_report_is_about_this_orders_currency_and_one_kind_of_thing() {
    let house = House::idle().await;
    let order = bought(&house, "1").await;
    report(&house, &order, "dp_1", "disputed", "15.00 EUR").await.problem(400, "invalid_value");
    report(&house, &order, "dp_1", "disputed", "15").await.problem(400, "invalid_value");
    report(&house, &order, "dp_1", "stolen", "15.00 USD").await.problem(400, "invalid_value");
    report(&house, &order, "dp_1", "disputed", "15.00 USD").await.is(200);
    report(&house, &order, "dp_1", "refunded", "15.00 USD").await.problem(409, "reversal_exists");
    let nowhere = format!("order_{:032x}", 99);
    report(&house, &nowhere, "dp_1", "disputed", "15.00 USD").await.problem(404, "not_found");
}

#[tokio::test]
async fn a_plan_that_costs_is_ordered_and_each_period_is_paid() {
    let house = House::idle().await;
    house.change(Method::PUT, "plan", "c-1", json!({"plan": "studio"})).await.problem(409, "plan_costs");
    let order = placed(&house, "o-1", json!({"plan": "studio"})).await;
    let paid = act(&house, &order, "pay", "p-1", json!({})).await.is(200).json();
    assert_eq!(paid["order"]["item"], json!({"kind": "plan_change", "plan": "studio", "mode": "full_price"}));
    assert_eq!(paid["available"], "150", "the new period takes the place of the free credits");
    let plan = house.get("/api/plan").key(&house.key).send().await.is(200).json();
    assert_eq!(
        (&plan["plan"], &plan["price"], &plan["monthly"]),
        (&"studio".into(), &"12.00 USD".into(), &"150".into())
    );
    assert_eq!(plan["rollover"], json!({"max": "50", "months": 1}));
    let period = placed(&house, "o-2", json!({"period": true})).await;
    act(&house, &period, "pay", "p-2", json!({})).await.is(200);
    house.clock.advance(std::time::Duration::from_secs(30 * 24 * 3600));
    assert_eq!(house.available(), "200", "150 of the second period, and 50 of the first live on");
}

#[tokio::test]
async fn what_cannot_be_ordered_is_named() {
    let house = House::idle().await;
    for (body, status, code) in [
        (json!({}), 400, "invalid_value"),
        (json!({"pack": "pack-115", "plan": "studio"}), 400, "invalid_value"),
        (json!({"pack": "pack-115", "period": true}), 400, "invalid_value"),
        (json!({"packs": 2}), 400, "invalid_value"),
        (json!({"period": false}), 400, "invalid_value"),
        (json!({"pack": "pack-9"}), 400, "unknown_pack"),
        (json!({"pack": "No Pack"}), 400, "invalid_value"),
        (json!({"pack": "pack-115", "packs": 0}), 409, "order_of_nothing"),
        (json!({"pack": "pack-115", "packs": 4_294_967_295u32}), 409, "order_too_large"),
        (json!({"pack": "pack-115", "tax": "3.00 EUR"}), 400, "invalid_value"),
        (json!({"pack": "pack-115", "tax": "3.00 USD", "tax_rate": "20"}), 400, "invalid_value"),
        (json!({"pack": "pack-115", "tax_rate": "-1"}), 400, "invalid_value"),
        (json!({"pack": "pack-115", "price": "1.00 USD"}), 400, "invalid_value"),
        (json!({"plan": "gold"}), 400, "unknown_plan"),
        (json!({"plan": "large"}), 409, "order_without_price"),
        (json!({"plan": "studio", "mode": "cheap"}), 400, "invalid_value"),
        (json!({"period": true}), 409, "order_without_price"),
    ] {
        place(&house, "o-1", body.clone()).await.problem(status, code);
    }
    for order in ["x", &format!("order_{:032x}", 99)] {
        act(&house, order, "pay", "p-1", json!({})).await.problem(404, "not_found");
        act(&house, order, "cancel", "p-1", json!({})).await.problem(404, "not_found");
    }
    assert!(house.story().await.is_empty());
}

#[tokio::test]
async fn an_account_sees_its_own_orders_and_nobody_elses() {
    let house = House::idle().await;
    let (_, neighbour) = house.neighbour().await;
    let first = bought(&house, "1").await;
    let second = placed(&house, "o-2", json!({"pack": "pack-many"})).await;
    let orders = house.get("/api/orders").key(&house.key).send().await.is(200).json();
    let seen: Vec<&str> =
        orders["orders"].as_array().unwrap().iter().map(|order| order["id"].as_str().unwrap()).collect();
    assert_eq!(seen, [&second, &first]);
    let path = format!("/api/accounts/{}/orders", house.account);
    assert_eq!(house.get(&path).key(&house.admin).send().await.is(200).json(), orders);
    let one = house.get(&format!("{path}/{first}")).key(&house.admin).send().await.is(200).json();
    assert_eq!(one, orders["orders"][1]);
    house.get(&format!("{path}/order_1")).key(&house.admin).send().await.problem(404, "not_found");
    let theirs = house.get("/api/orders").key(&neighbour).send().await.is(200).json();
    assert_eq!(theirs["orders"], json!([]));
    house.get("/api/orders?account=ada").key(&neighbour).send().await.problem(404, "not_found");
    assert_eq!(house.get("/api/orders?account=ada").key(&house.service).send().await.is(200).json(), orders);
    // An order is found with its own account only.
    let elsewhere = format!("/api/accounts/bob/orders/{first}");
    house.get(&elsewhere).key(&house.admin).send().await.problem(404, "not_found");
    house.post(GENERATIONS, json!({})).key(&neighbour).send().await.is(400);
}
