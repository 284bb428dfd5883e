//! Accounts, their keys, credits and terms: for the operator.

use serde_json::json;

use super::{
    operation::{Operation, Tag, page_length, whose},
    schema::{Schema, count, flag, list, named, object, pattern, text, whole, words},
    shapes::{account_id, credits, credits_sent, hold_id, instant, instant_sent, key_id, money_sent, short_name},
};

pub(super) fn operations() -> Vec<Operation> {
    vec![
        open(),
        accounts(),
        account(),
        grant(),
        give_back(),
        withdraw(),
        account_key(),
        key(),
        revoke(),
        change_plan(),
        join(),
        overrides(),
        clock(),
        budgets(),
        set_budget(),
        remove_budget(),
    ]
}

pub(super) fn schemas() -> Vec<(&'static str, Schema)> {
    vec![
        ("AccountToOpen", account_to_open()),
        ("Account", account_shape()),
        ("AccountDetails", account_details()),
        ("GrantRequest", grant_request()),
        ("Granted", granted()),
        ("AccountKey", new_key(object().has("account", account_id()))),
        ("OwnKey", new_key(object().has("owner", words(&["service", "admin"])))),
        ("Revoked", revoked()),
        ("Overrides", overrides_shape()),
        ("OverridesRequest", overrides_request()),
        ("ClockMove", clock_move()),
    ]
}

/// What every change of an account answers with.
pub(super) fn done() -> Schema {
    object()
        .has("account", account_id())
        .has("available", credits("What can be spent right after it."))
        .has("entry", named("Entry").or_null().about("What was booked; null where everything was as asked already."))
}

/// A change of an account.
pub(super) fn change(operation: Operation) -> Operation {
    operation.segment("id", whose()).refuses(404, &["not_found"])
}

/// What the answer of every change has.
pub(super) const CHANGED: [&str; 2] = ["medici-credits-balance", "idempotent-replayed"];

fn open() -> Operation {
    Operation::post("/api/accounts", Tag::Accounts, "openAccount", "Open an account")
        .about("Its name is taken once, so a repeat is refused.")
        .takes(named("AccountToOpen"), json!({"name": "grace", "plan": "free"}))
        .replies(201, "The account.", named("Account"))
        .refuses(400, &["unknown_plan", "wrong_code"])
        .refuses(409, &["name_taken"])
}

fn accounts() -> Operation {
    let page = object()
        .has("accounts", list(named("Account")))
        .has("next_cursor", text("grace").or_null().about("Where the next page begins; null on the last."));
    Operation::get("/api/accounts", Tag::Accounts, "listAccounts", "All accounts by name")
        .query("cursor", text("grace").about("`next_cursor` of the page before."))
        .query("limit", page_length(100, 1_000))
        .replies(200, "A page of accounts.", page)
}

fn account() -> Operation {
    change(Operation::get("/api/accounts/{id}", Tag::Accounts, "getAccount", "What is agreed with one"))
        .about("What it has is told by `GET /api/credits?account=`.")
        .replies(200, "The account.", named("AccountDetails"))
}

fn grant() -> Operation {
    let body = json!({"credits": "115", "class": "paid", "cost": "15.00 USD", "expires_at": "2027-11-26T18:00:00Z"});
    change(Operation::post("/api/accounts/{id}/grants", Tag::Accounts, "grantCredits", "Give credits"))
        .key_needed()
        .takes(named("GrantRequest"), body)
        .replies(201, "What was given.", named("Granted"))
        .with_headers(&CHANGED)
        .refuses(400, &["bad_grant"])
        .refuses(409, &["too_many_open", "overflow"])
}

fn give_back() -> Operation {
    let body = object()
        .has(
            "capture",
            pattern("^(hold|job)_[0-9a-f]{32}$", "hold_01943f7a90117c3d8a5b2e6f4c9d0b17")
                .about("A hold, a charge or a job."),
        )
        .may("credits", credits_sent("How many; all that is captured and not given back if not said.").or_null())
        .has("reason", words(&["service_fault", "goodwill"]))
        .closed();
    let told = done()
        .has("hold", hold_id())
        .has("credits", credits("What was given back now."))
        .has("given_back", credits("What was given back of this capture in all."));
    let example = json!({"capture": "hold_01943f7a90117c3d8a5b2e6f4c9d0b17", "reason": "goodwill"});
    change(Operation::post("/api/accounts/{id}/give-backs", Tag::Accounts, "giveBack", "Give captured credits back"))
        .about("To the lots they came from.")
        .key_needed()
        .takes(body, example)
        .replies(201, "What was given back.", told)
        .with_headers(&CHANGED)
        .refuses(409, &["more_than_captured", "too_many_open", "overflow"])
}

fn withdraw() -> Operation {
    let body = object()
        .has("lot", whole(0, u64::from(u32::MAX), 1).about("Its number within the account."))
        .has("credits", credits_sent("How many."))
        .closed();
    let told = done().has("lot", count(1)).has("credits", credits("What was taken back."));
    change(Operation::post("/api/accounts/{id}/withdrawals", Tag::Accounts, "withdraw", "Take unpaid credits back"))
        .key_needed()
        .takes(body, json!({"lot": 1, "credits": "5"}))
        .replies(201, "What was taken back.", told)
        .with_headers(&CHANGED)
        .refuses(409, &["bad_withdrawal"])
}

fn label() -> Schema {
    text("studio laptop").sized(0, 100).default("").about("What the key is called.")
}

fn account_key() -> Operation {
    let body = object().may("label", label()).closed();
    change(Operation::post("/api/accounts/{id}/keys", Tag::Accounts, "createAccountKey", "Make a key of an account"))
        .takes(body, json!({"label": "studio laptop"}))
        .replies(201, "The key. Its secret is shown now and never again.", named("AccountKey"))
        .refuses(400, &["string_above_max_length"])
}

fn key() -> Operation {
    let body = object().has("owner", words(&["service", "admin"])).may("label", label()).closed();
    Operation::post("/api/keys", Tag::Accounts, "createKey", "Make a key of a service, or of the operator")
        .takes(body, json!({"owner": "service", "label": "image proxy"}))
        .replies(201, "The key. Its secret is shown now and never again.", named("OwnKey"))
        .refuses(400, &["string_above_max_length"])
}

fn revoke() -> Operation {
    Operation::delete("/api/keys/{id}", Tag::Accounts, "revokeKey", "Revoke a key, at once")
        .about("A repeat changes nothing.")
        .segment("id", key_id())
        .replies(200, "The key, which works no more.", named("Revoked"))
        .refuses(404, &["not_found"])
}

fn change_plan() -> Operation {
    let body = object().has("plan", short_name("none")).closed();
    change(Operation::put("/api/accounts/{id}/plan", Tag::Accounts, "changePlan", "Move to a plan that costs nothing"))
        .about("A plan that costs something is ordered. A repeat changes nothing.")
        .keyed()
        .takes(body, json!({"plan": "free"}))
        .replies(200, "The plan.", done().and(super::credits::plan_members()))
        .with_headers(&CHANGED)
        .refuses(400, &["unknown_plan"])
        .refuses(409, &["plan_costs", "too_many_open", "overflow"])
}

fn join() -> Operation {
    let body = object()
        .has("cohort", short_name("beta"))
        .may("code", text("SPRING-27").or_null().about("Where the cohort has one."))
        .closed();
    change(Operation::post("/api/accounts/{id}/cohorts", Tag::Accounts, "joinCohort", "Add to a cohort"))
        .about("Gives the cohort's bonus, once.")
        .key_needed()
        .takes(body, json!({"cohort": "beta"}))
        .replies(201, "The cohort.", done().has("cohort", short_name("beta")))
        .with_headers(&CHANGED)
        .refuses(400, &["unknown_cohort", "wrong_code"])
        .refuses(409, &["cohort_joined", "too_many_open", "overflow"])
}

fn overrides() -> Operation {
    let operation = Operation::put(
        "/api/accounts/{id}/overrides",
        Tag::Accounts,
        "setOverrides",
        "Terms of its own in its plan's place",
    );
    change(operation)
        .about("What is not said is as the plan has it: `{}` takes all of its own away.")
        .keyed()
        .takes(named("OverridesRequest"), json!({"monthly": "20", "jobs_open_max": 2}))
        .replies(200, "The terms.", done().has("overrides", named("Overrides").or_null()))
        .with_headers(&CHANGED)
}

fn clock() -> Operation {
    change(Operation::put("/api/accounts/{id}/clock", Tag::Accounts, "moveClock", "Move a sandbox's clock"))
        .about("To an instant, or by a span; a span needs an `Idempotency-Key`, because a repeat would move it twice.")
        .keyed()
        .refuses(400, &["idempotency_key_required", "clock_range"])
        .takes(named("ClockMove"), json!({"advance": "P1M"}))
        .replies(200, "The clock.", done().has("sandbox_clock", instant("What it says.").or_null()))
        .with_headers(&CHANGED)
        .refuses(409, &["not_sandbox", "overflow"])
}

fn budgets() -> Operation {
    change(Operation::get("/api/accounts/{id}/budgets", Tag::Accounts, "listAccountBudgets", "An account's budgets"))
        .replies(200, "The budgets.", named("Budgets"))
}

/// An operation on one budget.
fn budget(operation: Operation) -> Operation {
    let subject = pattern("^(account|member_[0-9a-f]{32}|key_[0-9a-f]{32})$", "account")
        .about("Whose spending: `account`, a member or an API key.");
    change(operation)
        .segment("subject", subject)
        .segment("period", words(&["month", "day", "always"]).about("In how long; months and days are the account's."))
        .replies(200, "All budgets of the account.", done().has("budgets", list(named("Budget"))))
        .with_headers(&CHANGED)
        .refuses(400, &["invalid_value"])
}

fn set_budget() -> Operation {
    let path = "/api/accounts/{id}/budgets/{subject}/{period}";
    budget(Operation::put(path, Tag::Accounts, "setBudget", "Set a budget"))
        .about("A repeat changes nothing.")
        .keyed()
        .takes(super::credits::budget_limit(), json!({"limit": "5"}))
        .refuses(409, &["too_many_open", "overflow"])
}

fn remove_budget() -> Operation {
    let path = "/api/accounts/{id}/budgets/{subject}/{period}";
    budget(Operation::delete(path, Tag::Accounts, "removeBudget", "Remove a budget")).about("A repeat changes nothing.")
}

fn account_to_open() -> Schema {
    object()
        .has("name", pattern("^[a-z0-9][a-z0-9._-]{0,62}$", "grace").about("Its unique handle."))
        .may("plan", short_name("free").or_null().default("free"))
        .may("sandbox", flag(false).default(false).about("Whether its time is its own, to try things out."))
        .may("clock_at", instant_sent("What a sandbox's clock says at first; now if not said.").or_null())
        .may("code", text("SPRING-27").or_null().about("The code of a cohort that it joins."))
        .closed()
        .about("An account to open.")
}

fn account_members() -> Schema {
    object()
        .has("id", account_id())
        .has("name", text("grace").about("Its unique handle."))
        .has("created_at", instant("When it was opened."))
}

fn account_shape() -> Schema {
    account_members().about("An account.")
}

fn account_details() -> Schema {
    let alert = object()
        .has("below", credits("The bound."))
        .has("told", flag(false).about("Whether it was told, and not yet above the bound again."));
    account_members()
        .has("opened_at", instant("The anchor of its months.").or_null())
        .has("plan", short_name("free").or_null())
        .has("plan_since", instant("Since when it is on it."))
        .has("cohorts", list(short_name("beta")))
        .has("overrides", named("Overrides").mostly_null())
        .has("budgets", list(named("Budget")))
        .has("owed", credits("Credits that are owed, because their payment was taken back."))
        .has("alert", alert.or_null().about("Below what it is told."))
        .has("sandbox_clock", instant("What its clock says; null for a live account.").mostly_null())
        .about("What is agreed with an account.")
}

fn grant_request() -> Schema {
    object()
        .has("credits", credits_sent("How many."))
        .has("class", super::shapes::class())
        .may(
            "source",
            words(&["purchase", "bonus", "goodwill"])
                .or_null()
                .about("Why; `goodwill` for free credits, `bonus` for promo, `purchase` for paid if not said."),
        )
        .may("cost", money_sent("What was paid for them, without tax; of bought ones only.").or_null())
        .may("expires_at", instant_sent("When they end; never if not said.").or_null())
        .closed()
        .about("Credits to give.")
}

fn granted() -> Schema {
    object()
        .has("account", account_id())
        .has("credits", credits("What was given."))
        .has("available", credits("What can be spent right after it."))
        .has("entry", named("Entry"))
        .about("Credits that were given.")
}

/// A key that was made, and whose it is.
fn new_key(owner: Schema) -> Schema {
    object()
        .has("id", key_id())
        .and(owner)
        .has("label", text("studio laptop"))
        .has("secret", text("sk-m-…").about("What goes into `Authorization: Bearer`. Shown now and never again."))
        .has("created_at", instant("When it was made."))
        .about("A key that was made.")
}

fn revoked() -> Schema {
    object().has("id", key_id()).has("revoked_at", instant("When.").or_null()).about("A key that works no more.")
}

fn overrides_shape() -> Schema {
    object()
        .has("monthly", credits("What a month brings; null for what the plan brings.").or_null())
        .and(super::credits::limit_members())
        .about("An account's own terms.")
}

fn overrides_request() -> Schema {
    let bound = || whole(0, u64::from(u32::MAX), 2).or_null();
    object()
        .may("monthly", credits_sent("What a month brings.").or_null())
        .may("images_max", bound().about("Pictures of one request."))
        .may("jobs_open_max", bound().about("Jobs at a time."))
        .may("models", list(text("pocket-1").sized(1, 100)).sized(1, 100).or_null().about("Models that may be named."))
        .closed()
        .about("Terms of its own.")
}

fn clock_move() -> Schema {
    let span = pattern("^P([0-9]{1,4}[YMWD])*(T([0-9]{1,6}[HMS])+)?$", "P1M");
    object()
        .may("to", instant_sent("Where it goes.").or_null())
        .may("advance", span.or_null().about("By how much: an ISO 8601 duration of whole numbers."))
        .closed()
        .about("Either of the two.")
}
