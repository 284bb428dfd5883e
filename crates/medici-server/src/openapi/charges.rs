//! Charges and meter events: usage of other services of the operator.

use serde_json::json;

use super::{
    headers::CREDITS,
    operation::{Operation, Tag, whose},
    schema::{Schema, count, date_time, list, map, named, object, text, whole, words},
    shapes::{account_id, credits, external_id, hold_id, key_id, member_id, operation_name},
};

pub(super) fn operations() -> Vec<Operation> {
    vec![charge(), events(), hello()]
}

pub(super) fn schemas() -> Vec<(&'static str, Schema)> {
    vec![
        ("ChargeRequest", charge_request()),
        ("Receipt", receipt()),
        ("MeterEvent", meter_event()),
        ("EventResults", event_results()),
        ("EventResult", event_result()),
    ]
}

fn charge() -> Operation {
    Operation::post("/api/charges", Tag::Charges, "createCharge", "One durable charge")
        .about(
            "Holds and captures in one step, at the price in force. The answer is sent when the charge is on the disk. A \
             repeat with the same key is answered as the first was, for 24 hours.",
        )
        .key_needed()
        .takes(named("ChargeRequest"), json!({"account": "ada", "operation": "generate", "count": 4}))
        .replies(201, "What was charged.", named("Receipt"))
        .with_headers(&CREDITS)
        .with_headers(&["idempotent-replayed"])
        .refuses(400, &["no_price", "integer_below_min_value", "integer_above_max_value"])
        .refuses(402, &["insufficient_credits", "budget_exceeded", "in_debt"])
        .refuses(404, &["not_found"])
        .refuses(409, &["overflow"])
}

fn events() -> Operation {
    let event = json!({"id": "call-8812", "account": "ada", "operation": "generate", "count": 4});
    Operation::post("/api/events", Tag::Charges, "recordEvents", "Meter events, each charged once")
        .about(
            "An event is judged by itself: what is wrong with it, or with its account, stops no other. All that is charged \
             is one commit. The ids are the keys: an event that was charged is known for a week, and a repeat of it is a \
             `duplicate`. At most 10,000 events and 8 MiB. Without an answer, or after a 503, some events may be charged: \
             the same request again tells which, and charges the rest.",
        )
        .takes(list(named("MeterEvent")).sized(0, 10_000), json!([event]))
        .takes_lines(
            named("MeterEvent"),
            "One event a line; empty lines are skipped.",
            "{\"id\": \"call-8812\", \"account\": \"ada\", \"operation\": \"generate\", \"count\": 4}\n",
        )
        .replies(200, "What became of each, in their order.", named("EventResults"))
        .refuses(413, &["too_many_events"])
}

fn hello() -> Operation {
    let said = object()
        .has("account", text("ada"))
        .has("operation", text("generate"))
        .has("count", count(4))
        .has("words", text("This answer does nothing."));
    Operation::post("/api/hello", Tag::Charges, "hello", "The yardstick of the benchmark")
        .about("Parses what a charge parses, answers at its length, and does nothing: `medici bench http` measures it.")
        .takes(
            object()
                .has("account", text("ada"))
                .has("operation", text("generate"))
                .may("count", whole(0, u64::from(u32::MAX), 4).default(1))
                .may("member", text("member_1").or_null())
                .closed(),
            json!({"account": "ada", "operation": "generate", "count": 4}),
        )
        .replies(201, "The same, with words.", said)
        .without_store()
}

fn charge_request() -> Schema {
    object()
        .has("account", whose())
        .has("operation", operation_name())
        .may("count", whole(1, u64::from(u32::MAX), 4).default(1).about("How many of it."))
        .may("member", member_id().or_null().about("Who spends: a budget of theirs bounds it as well."))
        .closed()
        .about("What is charged.")
}

fn receipt() -> Schema {
    object()
        .has("id", hold_id().or_null())
        .has("account", account_id())
        .has("operation", operation_name())
        .has("count", count(4).about("How many of it."))
        .has("credits", credits("What was charged."))
        .has("available", credits("What was available right after it."))
        .has("entry", named("Entry"))
        .about("A charge that was made.")
}

fn meter_event() -> Schema {
    object()
        .has(
            "id",
            external_id("call-8812").about("Names the event within its account: 1 to 100 visible ASCII characters."),
        )
        .has("account", whose())
        .has("operation", operation_name())
        .may("count", whole(1, u64::from(u32::MAX), 4).or_null().default(1).about("How many."))
        .may(
            "meters",
            map("input", whole(0, u64::MAX, 812)).or_null().about("Up to 16 whole numbers by the names of meters."),
        )
        .may(
            "happened_at",
            date_time("2026-11-26T18:00:00Z")
                .or_null()
                .about("When. Later than the grace of the price book, or ahead, it counts as of its arrival."),
        )
        .may("member", member_id().or_null())
        .may("key", key_id().or_null())
        .closed()
        .about("One report of use. What is no such object is an outcome of that event alone.")
}

fn event_results() -> Schema {
    object()
        .has("charged", count(1).about("How many were charged now."))
        .has("duplicate", count(0).about("How many had been charged before."))
        .has("refused", count(0).about("How many their account refused."))
        .has("invalid", count(0).about("How many are no events."))
        .has("results", list(named("EventResult")))
        .about("What became of events.")
}

fn event_result() -> Schema {
    object()
        .has("id", text("call-8812").or_null().about("The event's id, where it has a readable one."))
        .has("outcome", words(&["charged", "duplicate", "refused", "invalid"]))
        .may("credits", credits("What it was charged, now or before."))
        .may("code", text("no_price").about("Why it was refused, or what is wrong with it."))
        .may("detail", text("No price.").about("The same for a person."))
        .may("available", credits("What there is, where credits are short."))
        .about("What became of one event.")
}
