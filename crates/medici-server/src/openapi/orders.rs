//! Orders: placed, paid, put on an invoice, given up, refunded, disputed.

use serde_json::json;

use super::{
    accounts::{CHANGED, change, done},
    operation::{Operation, Tag, whose},
    schema::{Schema, count, flag, list, named, object, one_of, pattern, text, whole, words},
    shapes::{account_id, credits, external_id, instant, money, money_sent, order_id, short_name},
};

pub(super) fn operations() -> Vec<Operation> {
    vec![own(), place(), orders(), one(), pay(), invoice(), cancel(), refund(), reverse()]
}

pub(super) fn schemas() -> Vec<(&'static str, Schema)> {
    vec![
        ("OrderRequest", order_request()),
        ("Order", order()),
        ("OrderItem", order_item()),
        ("Orders", orders_shape()),
        ("OrderChanged", order_changed()),
        ("Reversal", reversal()),
    ]
}

/// Where an order stands.
pub(super) fn status() -> Schema {
    words(&["paid", "placed", "cancelled", "invoiced", "partly_refunded", "refunded", "disputed", "won", "lost"])
        .about("Where it stands.")
}

fn reversal_state() -> Schema {
    words(&["refunded", "refund_failed", "disputed", "lost", "won"])
}

fn own() -> Operation {
    let whose =
        whose().about("Whose: an id or a name. A key that is no account's must say; an account's own need not.");
    Operation::get("/api/orders", Tag::Orders, "listOwnOrders", "The account's orders, newest first")
        .query("account", whose)
        .replies(200, "The orders.", named("Orders"))
        .refuses(400, &["missing_required_parameter"])
        .refuses(404, &["not_found"])
}

fn place() -> Operation {
    change(Operation::post("/api/accounts/{id}/orders", Tag::Orders, "placeOrder", "Order packs, a period or a plan"))
        .about("At the prices of this instant, which are pinned. Grants nothing yet.")
        .key_needed()
        .takes(named("OrderRequest"), json!({"pack": "pack-115", "packs": 1, "tax": "3.00 USD"}))
        .replies(201, "The order.", named("OrderChanged"))
        .with_headers(&CHANGED)
        .refuses(400, &["unknown_pack", "unknown_plan"])
        .refuses(
            409,
            &[
                "order_of_nothing",
                "order_without_price",
                "no_upgrade",
                "other_currency",
                "order_too_large",
                "too_many_open",
                "overflow",
            ],
        )
}

fn orders() -> Operation {
    change(Operation::get("/api/accounts/{id}/orders", Tag::Orders, "listOrders", "An account's orders, newest first"))
        .replies(200, "The orders.", named("Orders"))
}

/// An operation on one order.
fn of_order(operation: Operation) -> Operation {
    change(operation).segment("order", order_id())
}

fn one() -> Operation {
    of_order(Operation::get("/api/accounts/{id}/orders/{order}", Tag::Orders, "getOrder", "One of them")).replies(
        200,
        "The order.",
        named("Order"),
    )
}

fn pay() -> Operation {
    let path = "/api/accounts/{id}/orders/{order}/pay";
    let body =
        object().may("amount", money_sent("What was received, with tax; what is due if not said.").or_null()).closed();
    of_order(Operation::post(path, Tag::Orders, "payOrder", "Take note of a payment"))
        .about("Grants the order, unless an invoice has.")
        .key_needed()
        .takes(body, json!({"amount": "18.00 USD"}))
        .replies(200, "The order.", named("OrderChanged"))
        .with_headers(&CHANGED)
        .refuses(409, &["amount_differs", "order_cancelled", "order_paid", "too_many_open", "overflow"])
}

fn invoice() -> Operation {
    let path = "/api/accounts/{id}/orders/{order}/invoice";
    of_order(Operation::post(path, Tag::Orders, "invoiceOrder", "Grant now, paid later"))
        .key_needed()
        .takes(object().closed(), json!({}))
        .replies(200, "The order.", named("OrderChanged"))
        .with_headers(&CHANGED)
        .refuses(409, &["no_invoice", "order_cancelled", "order_paid", "too_many_open", "overflow"])
}

fn cancel() -> Operation {
    let path = "/api/accounts/{id}/orders/{order}/cancel";
    of_order(Operation::post(path, Tag::Orders, "cancelOrder", "Give up what is neither paid nor invoiced"))
        .about("A repeat changes nothing.")
        .keyed()
        .takes(object().closed(), json!({}))
        .replies(200, "The order.", named("OrderChanged"))
        .with_headers(&CHANGED)
        .refuses(409, &["order_granted"])
}

fn refund() -> Operation {
    let path = "/api/accounts/{id}/orders/{order}/refund";
    let body = object()
        .may("id", external_id("re_1").or_null().about("Its name, where the provider of the payment gave one."))
        .may("amount", money_sent("How much, with tax; as much as can be if not said.").or_null())
        .closed();
    let told = done().has("refund", named("Reversal").or_null()).has("order", named("Order").or_null());
    of_order(Operation::post(path, Tag::Orders, "refundOrder", "Give money back on the customer's wish"))
        .about("At most what unspent credits of the order stand for, which are withdrawn.")
        .key_needed()
        .takes(body, json!({"amount": "5.00 USD"}))
        .replies(201, "The refund, and the order.", told)
        .with_headers(&CHANGED)
        .refuses(
            409,
            &["order_not_granted", "order_disputed", "refund_too_much", "reversal_exists", "too_many_reversals"],
        )
}

fn reverse() -> Operation {
    let path = "/api/accounts/{id}/orders/{order}/reversals/{reversal}";
    let body = object().has("state", reversal_state()).has("amount", money_sent("How much, with tax.")).closed();
    of_order(Operation::put(path, Tag::Orders, "reportReversal", "A refund or dispute as its provider reports it"))
        .about("Reports may come in any order and any number of times.")
        .segment("reversal", external_id("dp_1").about("The provider's name for it."))
        .keyed()
        .takes(body, json!({"state": "disputed", "amount": "18.00 USD"}))
        .replies(200, "The order.", named("OrderChanged"))
        .with_headers(&CHANGED)
        .refuses(409, &["reversal_exists", "too_many_reversals", "order_too_large", "too_many_open", "overflow"])
}

fn order_request() -> Schema {
    let tax = |of: Schema| {
        of.may("tax", money_sent("An amount of tax on top.").or_null()).may(
            "tax_rate",
            pattern(r"^([0-9]{1,2}(\.[0-9]{1,4})?|100)$", "8.875")
                .or_null()
                .about("Percent of the total, instead of `tax`; rounded half up."),
        )
    };
    let packs = object()
        .has("pack", short_name("pack-115"))
        .may("packs", whole(0, u64::from(u32::MAX), 1).or_null().default(1).about("How many."));
    let period = object().has("period", flag(true).about("True: the plan's next period."));
    let plan = object()
        .has("plan", short_name("studio").about("Another plan."))
        .may("mode", words(&["full_price", "prorated"]).or_null().default("full_price"));
    one_of([tax(packs).closed(), tax(period).closed(), tax(plan).closed()])
        .about("What is ordered: one of three things.")
}

fn order() -> Schema {
    let line = object()
        .has("what", text("pack-115"))
        .has("quantity", count(1))
        .has("price", money("Of one."))
        .has("amount", money("Of all."))
        .has("tax", money("Its share of the tax."));
    object()
        .has("id", order_id())
        .has("status", status())
        .has("item", named("OrderItem"))
        .has("credits", credits("What it grants."))
        .has("bonus", credits("Promotional credits that come along."))
        .has("cost", money("What it costs, without tax."))
        .has("tax", money("The tax on top."))
        .has("total", money("Both together."))
        .has("due", money("What is to be paid."))
        .has("refundable", money("The most that can be refunded on the customer's wish, with tax."))
        .has("placed_at", instant("When it was ordered."))
        .has("lines", list(line).about("Its document: the lines add up to `cost` and `tax`."))
        .has("lot", count(2).or_null().about("The lot it granted."))
        .has("bonus_lot", count(3).mostly_null().about("The lot of its bonus."))
        .has("reversals", list(named("Reversal")))
        .has("reversed", money("What is reversed on the books, with tax."))
        .has("withdrawn", credits("Credits that were withdrawn with their money."))
        .has("owed", credits("Credits that were spent though their money went back, and are not repaid."))
        .about("An order, its document, and what became of it.")
}

fn order_item() -> Schema {
    let packs = object().has("kind", words(&["packs"])).has("packs", count(1)).has("expires_months", count(12));
    let period = object().has("kind", words(&["period"]));
    let plan = object()
        .has("kind", words(&["plan_change"]))
        .has("plan", text("studio"))
        .has("mode", words(&["full_price", "prorated"]));
    one_of([packs, period, plan]).about("What was ordered.")
}

fn orders_shape() -> Schema {
    object().has("account", account_id()).has("orders", list(named("Order"))).about("Orders, newest first.")
}

fn order_changed() -> Schema {
    done().has("order", named("Order").or_null()).about("An order as it stands after a change.")
}

fn reversal() -> Schema {
    object()
        .has("id", external_id("re_1"))
        .has("state", reversal_state())
        .has("amount", money("How much, with tax."))
        .about("A refund or a dispute.")
}
