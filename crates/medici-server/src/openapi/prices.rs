//! The price book, and what a month would cost by it.

use serde_json::json;

use super::{
    operation::{Operation, Tag, dry_run},
    schema::{Schema, count, flag, list, map, named, object, pattern, text, whole, words},
    shapes::{class, credits, instant, money, short_name},
};

pub(super) fn operations() -> Vec<Operation> {
    vec![history(), publish(), estimate()]
}

pub(super) fn schemas() -> Vec<(&'static str, Schema)> {
    vec![
        ("Prices", prices()),
        ("PricesToPublish", prices_to_publish()),
        ("PricesPublished", prices_published()),
        ("PriceVersion", price_version()),
        ("OperationPrice", operation_price()),
        ("PriceRule", price_rule()),
        ("PlanTerms", plan_terms()),
        ("PackTerms", pack_terms()),
        ("CohortTerms", cohort_terms()),
        ("Estimate", estimate_shape()),
    ]
}

fn history() -> Operation {
    Operation::get("/api/prices", Tag::Prices, "listPrices", "Every version of the price book")
        .about("What was, is in force, and comes, in the order they take effect; without the codes of cohorts.")
        .replies(200, "The versions.", named("Prices"))
}

fn publish() -> Operation {
    let book = "[[version]]\neffective = 2027-01-01T00:00:00Z\n\n[version.operations]\ngenerate = { credits = \"1\", included = 4 }\n";
    Operation::post("/api/prices", Tag::Prices, "publishPrices", "Publish new versions")
        .about("Publishes a file's versions that are new. A version is never edited; a repeat changes nothing.")
        .takes(named("PricesToPublish"), json!({"book": book, "reason": "New year", "dry_run": true}))
        .replies(201, "What was published.", named("PricesPublished"))
        .replies(200, "Nothing was new, or it was a dry run.", named("PricesPublished"))
        .refuses(400, &["invalid_price_book", "string_above_max_length"])
        .refuses(409, &["price_version_edited"])
}

fn estimate() -> Operation {
    let requests = || whole(0, 1_000_000, 200).default(0);
    Operation::get("/api/estimate", Tag::Prices, "estimate", "What a month would cost")
        .about(
            "Each request is for as many pictures as its price includes. The cheapest way is first; there are none where \
             nothing that is sold brings enough.",
        )
        .query("prompts", requests().about("Requests to generate in a month."))
        .query("edits", requests().example(20).about("Requests to edit in a month."))
        .query("variations", requests().example(0).about("Requests to vary in a month."))
        .query("plan", short_name("free").default("free").about("The plan of who asks."))
        .query(
            "size",
            pattern("^[1-9][0-9]{0,3}x[1-9][0-9]{0,3}$", "1024x1024").default("1024x1024").about("Matters where prices depend on it."),
        )
        .query("model", text("pocket-1").about("The engine's if not said. Matters where prices depend on it."))
        .replies(200, "The estimate.", named("Estimate"))
        .refuses(400, &["integer_above_max_value", "invalid_size", "no_price"])
        .without_store()
}

fn prices() -> Schema {
    object().has("versions", list(told_version())).about("The price book.")
}

/// A version with when and why it was published.
fn told_version() -> Schema {
    object()
        .has("state", words(&["in_force", "past", "upcoming"]))
        .has("until", instant("When another takes its place; null for the last.").mostly_null())
        .has("published_at", instant("When it was published; null for what the server began with.").or_null())
        .has("reason", text("New year").or_null().about("Why."))
        .and(version_members())
}

fn version_members() -> Schema {
    let policy = object()
        .has(
            "late_grace_hours",
            count(24).about("How late usage may be told of and still count as of when it happened."),
        )
        .has("debt", words(&["refuse", "allow"]).about("What an account that owes credits may do."))
        .has("invoice", flag(false).about("Whether orders may be paid later."));
    object()
        .has("effective", instant("When it takes effect."))
        .has("operations", map("generate", named("OperationPrice")))
        .has("plans", map("free", named("PlanTerms")))
        .has("packs", list(named("PackTerms")))
        .has("cohorts", map("beta", named("CohortTerms")))
        .has("policy", policy)
}

fn price_version() -> Schema {
    version_members().about("A version of the price book; the members are those of the file.")
}

fn rate() -> Schema {
    object()
        .has("base", credits("What a request costs besides its pictures."))
        .has("credits", credits("What one operation, or one picture, costs."))
        .has("included", count(4).about("How many pictures an operation covers."))
        .has("charge", words(&["per_operation", "per_image"]))
        .has("per_megapixel", credits("What a million pixels cost besides."))
        .has("per_1k", map("input", named("Credits")).about("What a thousand of each meter cost."))
}

fn operation_price() -> Schema {
    rate()
        .has("rules", list(named("PriceRule")).about("The first that matches is its price."))
        .about("What an operation costs.")
}

fn price_rule() -> Schema {
    let bound = || count(1).mostly_null();
    rate()
        .has("model", text("gpt-image-1").or_null())
        .has("quality", text("high").or_null())
        .has("size", named("Size").mostly_null())
        .has("pixels_max", bound())
        .has("steps_max", bound())
        .has("count_max", bound())
        .about("A price, and the requests it is for; null matches all.")
}

fn plan_terms() -> Schema {
    let rollover = object().has("max", credits("How many at most.")).has("months", count(1).about("For how long."));
    object()
        .has("monthly", credits("What a month brings."))
        .has("class", class())
        .has("price", money("What a month costs, without tax; null for a plan that costs nothing.").mostly_null())
        .has("expires_months", count(1).about("How long a month's credits live."))
        .has("anchor_policy", words(&["keep", "openai28"]).about("What a month is that has no such day."))
        .has("priority", priority())
        .has("rollover", rollover.mostly_null().about("What of a month goes on to the next."))
        .has("limits", super::credits::limit_members())
        .has("grandfather", flag(false).about("Whether who was on it before keeps the terms of before."))
        .about("A plan.")
}

fn priority() -> Schema {
    whole(-128, 127, 0).about("Where its credits stand in the order of spending: lower first.")
}

fn pack_terms() -> Schema {
    let tier =
        object().has("from", count(5).about("From how many packs on.")).has("price", money("What one costs then."));
    object()
        .has("name", short_name("pack-115").or_null())
        .has("credits", credits("What one brings."))
        .has("bonus", credits("What comes along."))
        .has("price", money("What one costs, without tax."))
        .has("expires_months", count(12).about("How long they live."))
        .has(
            "tier_mode",
            words(&["volume", "graduated"])
                .about("Whether a lower price is for all packs of an order, or for those beyond."),
        )
        .has("tiers", list(tier))
        .about("A pack.")
}

fn cohort_terms() -> Schema {
    object()
        .has("bonus", credits("What who joins is given once."))
        .has("expires_months", count(12).about("How long it lives."))
        .has("priority", priority())
        .has(
            "code",
            text("SPRING-27").mostly_null().about("What must be said to join; never told here but to the operator."),
        )
        .has("from", instant("From when on it can be joined.").or_null())
        .has("until", instant("Until when it can be joined.").or_null())
        .about("A cohort.")
}

fn prices_to_publish() -> Schema {
    object()
        .has("book", text("[[version]]").about("The file's text, in TOML: see docs/reference/price-book.md."))
        .may("reason", text("New year").sized(0, 500).default("").about("Why, for whoever reads the history."))
        .may("dry_run", dry_run())
        .closed()
        .about("A price book to publish.")
}

fn prices_published() -> Schema {
    let warning = object()
        .has("version", instant("Of which version."))
        .has("kind", text("price-changes"))
        .has("text", text("generate costs 2 credits instead of 1"));
    object()
        .has("dry_run", flag(true))
        .has("versions", list(named("PriceVersion")).about("Those that are new."))
        .has("warnings", list(warning).about("What may not be meant."))
        .about("What was published.")
}

fn estimate_shape() -> Schema {
    let packs = object()
        .has("pack", text("pack-115"))
        .has("count", count(1).about("How many are bought at a time."))
        .has("months", pattern(r"^[0-9]+\.[0-9]$", "3.8").about("How long they last."))
        .has("expire", flag(false).about("Whether they expire before they are spent."))
        .or_null();
    let way = object()
        .has("plan", short_name("free"))
        .has("covered", credits("What the plan brings of it."))
        .has("packs", packs)
        .has("price", money("A month, on the average, rounded up, without tax.").or_null())
        .has("text", text("plan free and one pack (pack-115) every 3.8 months: 3.92 USD a month"));
    let cheaper = object()
        .has("plan", short_name("studio"))
        .has("prompts", count(108).about("From how many requests on."))
        .has("text", text("plan studio is cheaper from 108 prompts a month on"));
    object()
        .has("credits", credits("What a month needs."))
        .has("ways", list(way))
        .has("cheaper_from", list(cheaper))
        .about("What a month would cost.")
}
