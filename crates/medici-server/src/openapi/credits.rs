//! What an account has, how it came to that, and what it is told of.

use serde_json::json;

use super::{
    operation::{Operation, Tag, page_length, whose},
    schema::{Schema, count, list, map, named, object, one_of, pattern, text, whole, words},
    shapes::{
        account_id, class, credits, credits_sent, external_id, fact, hash, hold_id, instant, instant_sent, key_id,
        member_id, money, operation_name, order_id, source,
    },
};

pub(super) fn operations() -> Vec<Operation> {
    vec![balance(), entries(), entry(), statement(), alerts(), set_own_alert(), set_alert(), budgets(), plan()]
}

pub(super) fn schemas() -> Vec<(&'static str, Schema)> {
    vec![
        ("Balance", balance_shape()),
        ("Lot", lot()),
        ("CreditsAt", credits_at()),
        ("EntryInWords", entry_in_words()),
        ("EntriesPage", entries_page()),
        ("HoldStory", hold_story()),
        ("Explanation", explanation()),
        ("ExplainedPrice", explained_price()),
        ("ExplainedLot", explained_lot()),
        ("ExplainedOrder", explained_order()),
        ("Slice", slice()),
        ("Alerts", alerts_shape()),
        ("Alert", alert()),
        ("AlertBound", alert_bound()),
        ("AlertSet", alert_set()),
        ("Budget", budget()),
        ("Budgets", budgets_shape()),
        ("Plan", plan_shape()),
        ("Limits", limits()),
    ]
}

/// Lets a service or the operator say whose things are asked for.
fn of_account(operation: Operation) -> Operation {
    let whose =
        whose().about("Whose: an id or a name. A key that is no account's must say; an account's own need not.");
    operation.query("account", whose).refuses(400, &["missing_required_parameter"]).refuses(404, &["not_found"])
}

fn balance() -> Operation {
    let as_of = words(&["effective", "recorded"]).default("effective").about(
        "`effective`: what is true of that instant as is known now. `recorded`: what had been booked by then. With `at` \
         only.",
    );
    of_account(Operation::get("/api/credits", Tag::Credits, "getCredits", "The balance by lot"))
        .query("at", instant_sent("Tells it of this instant; now if not said."))
        .query("as_of", as_of)
        .replies(200, "The balance.", named("Balance"))
        .refuses(409, &["too_many_entries"])
}

fn entries() -> Operation {
    of_account(Operation::get("/api/credits/entries", Tag::Credits, "listEntries", "What happened, newest first"))
        .query("limit", page_length(50, 200))
        .query("cursor", whole(0, u64::MAX, 118).about("`next_cursor` of the page before."))
        .query("hold", hold_id().about("Everything about this hold instead, oldest first, explained."))
        .replies(
            200,
            "A page of entries; or with `hold` its story.",
            one_of([named("EntriesPage"), named("HoldStory")]),
        )
        .refuses(409, &["too_many_entries"])
}

fn entry() -> Operation {
    of_account(Operation::get("/api/credits/entries/{seq}", Tag::Credits, "explainEntry", "One entry, explained"))
        .about("Follows it to the cent: each lot before and after, and the shares its money was rounded by.")
        .segment("seq", count(3).about("The entry's number within the account."))
        .replies(200, "The entry.", named("Explanation"))
        .refuses(409, &["too_many_entries"])
}

fn statement() -> Operation {
    let month = pattern("^[0-9]{4}-(0[1-9]|1[0-2])$", "2026-11").about("A month in UTC, instead of `from` and `to`.");
    of_account(Operation::get(
        "/api/credits/statement",
        Tag::Credits,
        "getStatement",
        "A period: opening + entries = closing",
    ))
    .query("from", instant_sent("When it begins; with the account if not said."))
    .query("to", instant_sent("When it ends, itself outside; never if not said."))
    .query("month", month)
    .query("format", words(&["json", "csv", "html"]).default("json").about("How it is written."))
    .replies(200, "The statement.", named("Statement"))
    .replies_as(200, "", "text/csv", text("").about("One record a sum, entry and order, told apart by `kind`."))
    .replies_as(200, "", "text/html", text("").about("One page that loads and runs nothing."))
    .with_headers(&["content-disposition"])
    .refuses(409, &["too_many_entries"])
}

fn alerts() -> Operation {
    Operation::get("/api/alerts", Tag::Credits, "listAlerts", "Low balances, newest first")
        .query("account", whose().about("Whose; of all accounts for a service or the operator who name none."))
        .query("cursor", whole(0, u64::MAX, 17).about("`next_cursor` of the page before."))
        .query("limit", page_length(50, 200))
        .replies(200, "A page of alerts.", named("Alerts"))
        .refuses(404, &["not_found"])
}

fn alert_change(operation: Operation) -> Operation {
    operation
        .about("Told once when what is available falls below it, and again only after it has been at or above it.")
        .takes(named("AlertBound"), json!({"below": "5"}))
        .replies(200, "The bound.", named("AlertSet"))
        .refuses(400, &["invalid_type"])
        .refuses(404, &["not_found"])
}

fn set_own_alert() -> Operation {
    alert_change(Operation::put("/api/alerts", Tag::Credits, "setOwnAlert", "Below what to be told"))
}

fn set_alert() -> Operation {
    let operation =
        Operation::put("/api/accounts/{id}/alert", Tag::Accounts, "setAlert", "Below what an account is told");
    alert_change(operation).segment("id", whose())
}

fn budgets() -> Operation {
    of_account(Operation::get("/api/budgets", Tag::Credits, "listBudgets", "Budgets and what is used of them")).replies(
        200,
        "The budgets.",
        named("Budgets"),
    )
}

fn plan() -> Operation {
    of_account(Operation::get("/api/plan", Tag::Credits, "getPlan", "What the account is entitled to"))
        .about("The terms of its plan, with its own in their place.")
        .replies(200, "The plan.", named("Plan").about("The plan."))
}

fn balance_shape() -> Schema {
    object()
        .has("account", account_id())
        .may("at", instant("The instant that was asked for."))
        .may("as_of", words(&["effective", "recorded"]))
        .has("available", credits("What can be spent."))
        .has("held", credits("What is set aside for jobs."))
        .has("lots", list(named("Lot")).about("In the order they are spent."))
        .has("next_refill", named("CreditsAt").or_null().about("What the plan grants next."))
        .has("first_expiring", named("CreditsAt").or_null().about("What ends first."))
        .about("What an account has.")
}

fn lot() -> Schema {
    object()
        .has("lot", count(1).about("Its number within the account."))
        .has("class", class())
        .has("source", source())
        .has("granted", credits("What it had at first."))
        .has("available", credits("What can be spent of it."))
        .has("held", credits("What is set aside of it."))
        .has("expires_at", instant("When it ends; null for never.").or_null())
        .has("cost", money("What was paid for it, without tax.").mostly_null())
        .about("What one grant leaves.")
}

fn credits_at() -> Schema {
    object().has("at", instant("When.")).has("credits", credits("How many.")).about("Credits that come or end.")
}

fn entry_in_words() -> Schema {
    super::shapes::entry_members()
        .has("words", text("charged 1 credit for generate x4").about("What happened, in one line."))
        .about("An entry, with words.")
}

fn entries_page() -> Schema {
    object()
        .has("account", account_id())
        .has("entries", list(named("EntryInWords")))
        .has("next_cursor", count(118).or_null().about("Where the next page begins; null on the last."))
        .about("A page of entries, newest first.")
}

fn hold_story() -> Schema {
    object()
        .has("account", account_id())
        .has("hold", hold_id())
        .has("entries", list(named("Explanation")))
        .about("Everything that happened to one hold, oldest first.")
}

fn explanation() -> Schema {
    let spender = object().has("member", member_id().mostly_null()).has("key", key_id().or_null());
    let event = object()
        .has("id", external_id("call-8812"))
        .has("quantities", map("input", count(812)).about("How many of each meter."))
        .mostly_null()
        .about("The meter event it charges.");
    object()
        .has("account", account_id())
        .has("seq", count(3).about("Its number within the account, from 1."))
        .has("fact", fact())
        .has("hold", hold_id().or_null())
        .has("effective_at", instant("When it counts."))
        .has("recorded_at", instant("When it was booked."))
        .has("hash", hash())
        .has("words", text("charged 1 credit for generate x4").about("What happened, in one line."))
        .has("text", text("entry 3 of acct_…").about("All of it, in words."))
        .has("price", named("ExplainedPrice").or_null())
        .has("spender", spender)
        .has("event", event)
        .has(
            "slices",
            map("captured", list(named("Slice")))
                .about("Of which lots: `held`, `captured`, `released`, `returned`, `withdrawn`."),
        )
        .has("lots", list(named("ExplainedLot")).about("Every lot it touched."))
        .has("order", named("ExplainedOrder").mostly_null())
        .has("postings", list(named("Posting")))
        .about("An entry, followed to the cent.")
}

fn explained_price() -> Schema {
    object()
        .has("version", instant("The price version, named by its first instant."))
        .has("rule", count(0).about("The rule of it; 0 for the operation's own price."))
        .has("operation", operation_name())
        .has("count", count(4))
        .has("base", credits("What a request costs besides its pictures."))
        .has("unit", credits("What one operation, or one picture, costs."))
        .has("included", count(4).about("How many pictures a unit covers."))
        .has("charge", words(&["per_operation", "per_image"]))
        .has("amount", credits("All of it."))
        .has("words", text("1 credit for 4 of generate").or_null())
        .about("The price that was pinned, and how it comes to its amount.")
}

fn explained_lot() -> Schema {
    let change = |before, after| object().has("before", before).has("after", after);
    let credits_change = || change(named("Credits"), named("Credits"));
    let money_change = || change(named("SignedMoney"), named("SignedMoney")).has("change", named("SignedMoney"));
    let shares = object()
        .has("captured", credits_change())
        .has("kept", credits_change())
        .has("recognised", money_change())
        .has("deferred", money_change())
        .has("rule", text("recognised = floor(cost x captured / granted)"))
        .mostly_null()
        .about("What its money was shared by; null for a lot that cost nothing.");
    object()
        .has("lot", count(1))
        .has("class", class())
        .has("source", source())
        .has("granted", named("Credits"))
        .has("cost", named("Money").mostly_null())
        .has("effective_at", instant("When it could be spent first."))
        .has("expires_at", instant("When it ends; null for never.").or_null())
        .has("new", super::schema::flag(false).about("Whether this entry made it."))
        .has("words", text("lot 1: available 15 to 14, captured 0 to 1"))
        .has("parts", map("captured", credits_change()).about("What of it changed."))
        .has("shares", shares)
        .about("A lot before and after an entry.")
}

fn explained_order() -> Schema {
    let amount = || named("SignedDecimal");
    object()
        .has("id", order_id())
        .has("status", super::orders::status())
        .has("currency", pattern("^[A-Z]{3}$", "USD"))
        .has("price", amount())
        .has("tax", amount())
        .has("total", amount())
        .has("reversed", amount())
        .has("reversed_without_tax", amount())
        .has("returned", amount())
        .has("withdrawn", named("Credits"))
        .has("owed", named("Credits"))
        .has("repaid", named("Credits"))
        .has("debt", amount())
        .has("lot", count(2).or_null())
        .has("bonus_lot", count(3).mostly_null())
        .about("The order of an entry, as it stood after it.")
}

fn slice() -> Schema {
    object().has("lot", count(1)).has("amount", named("Credits")).about("So much of a lot.")
}

fn alerts_shape() -> Schema {
    object()
        .has("account", account_id().or_null().about("Whose; null for all accounts."))
        .has("below", credits("The bound that is set now, of one account.").or_null())
        .has("alerts", list(named("Alert")))
        .has("next_cursor", count(17).or_null().about("Where the next page begins; null on the last."))
        .about("A page of alerts, newest first.")
}

fn alert() -> Schema {
    object()
        .has("account", account_id())
        .has("seq", count(12).about("The entry that tells of it."))
        .has("at", instant("When."))
        .has("below", credits("The bound."))
        .has("available", credits("What there was."))
        .about("A balance that fell below its bound.")
}

fn alert_bound() -> Schema {
    let below = pattern(r"^([1-9][0-9]{0,8}(\.[0-9]{1,6})?|0\.[0-9]{0,5}[1-9])$", "5");
    object()
        .has("below", below.or_null().about("Credits, above 0; null to be told no more. Never left out."))
        .closed()
        .about("Below what is told.")
}

fn alert_set() -> Schema {
    object().has("account", account_id()).has("below", credits("The bound.").or_null()).about("The bound that is set.")
}

fn budget() -> Schema {
    object()
        .has(
            "subject",
            pattern("^(account|member_[0-9a-f]{32}|key_[0-9a-f]{32})$", "account")
                .about("`account`, a member or an API key."),
        )
        .has("period", words(&["day", "month", "always"]))
        .has("limit", credits("How much may be spent in it."))
        .has("used", credits("What is used in the period that runs."))
        .has("since", instant("When that began."))
        .about("How much may be spent, and by whom.")
}

fn budgets_shape() -> Schema {
    object().has("account", account_id()).has("budgets", list(named("Budget"))).about("The budgets of an account.")
}

/// The members of a plan's terms.
pub(super) fn plan_members() -> Schema {
    let rollover = object().has("max", credits("How many at most.")).has("months", count(1).about("For how long."));
    object()
        .has("plan", text("free").or_null())
        .has("since", instant("Since when it is on it."))
        .has("monthly", credits("What a month brings.").or_null())
        .has("price", money("What a month costs, without tax; null for a plan that costs nothing.").mostly_null())
        .has("rollover", rollover.mostly_null().about("What of a month goes on to the next."))
        .has("limits", named("Limits").or_null())
        .has("cohorts", list(text("beta")))
        .has("owed", credits("Credits that are owed, because their payment was taken back."))
}

fn plan_shape() -> Schema {
    plan_members().has("account", account_id()).about("What an account is entitled to.")
}

/// The members of limits.
pub(super) fn limit_members() -> Schema {
    object()
        .has(
            "images_max",
            whole(0, u64::from(u32::MAX), 4).mostly_null().about("Pictures of one request; null for no bound."),
        )
        .has(
            "jobs_open_max",
            whole(0, u64::from(u32::MAX), 1).mostly_null().about("Jobs at a time; null for no bound."),
        )
        .has("models", list(text("pocket-1")).mostly_null().about("Models that may be named; null for all."))
}

fn limits() -> Schema {
    limit_members().about("What a plan bounds.")
}

/// A bound of a budget that is sent.
pub(super) fn budget_limit() -> Schema {
    object().has("limit", credits_sent("How many credits.")).closed().about("A bound.")
}
