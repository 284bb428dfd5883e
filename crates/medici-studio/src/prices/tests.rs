use std::{fs, path::Path, time::Duration};

use medici_ledger::{Class, Credits, PlanName, Timestamp, Usage};

use super::*;

const HEAD: &str = "[[version]]\neffective = 2026-12-01T00:00:00Z\n";

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn plan(name: &str) -> PlanName {
    name.parse().unwrap()
}

/// Reads a book of one version.
fn version(rest: &str) -> PriceVersion {
    parse(&format!("{HEAD}{rest}")).unwrap().versions()[0].clone()
}

/// Returns why a book of one version is refused.
fn says(rest: &str) -> String {
    parse(&format!("{HEAD}{rest}")).unwrap_err().to_string()
}

#[test]
fn the_default_book_sells_an_operation_for_a_credit() {
    let book = parse(DEFAULT).unwrap();
    assert!(book.warnings().is_empty(), "{:?}", book.warnings());
    let price = |operation, count| {
        let usage = Usage::of(operation, count);
        book.quote(&usage, at("2026-11-22")).unwrap().amount.to_string()
    };
    assert_eq!(price(Operation::Generate, 4), "1");
    assert_eq!(price(Operation::Generate, 10), "3");
    assert_eq!(price(Operation::Vary, 3), "1");
}

#[test]
fn the_default_book_has_a_paid_plan_a_named_pack_and_a_cohort() {
    let book = parse(DEFAULT).unwrap();
    let now = at("2026-11-22");
    let studio = book.plan_at(&plan("studio"), now).unwrap();
    assert_eq!((studio.class(), studio.monthly), (Class::Paid, Credits::whole(150)));
    assert_eq!(studio.rollover.unwrap().max, Credits::whole(50));
    assert_eq!(book.plan_at(&plan("free"), now).unwrap().class(), Class::Free);
    assert_eq!(book.pack_named(now, &"pack-115".parse().unwrap()).unwrap().credits, Credits::whole(115));
    let beta = book.cohort_at(&"beta".parse().unwrap(), now).unwrap();
    assert_eq!((beta.bonus, beta.code.as_deref()), (Credits::whole(50), None));
    assert!(!beta.admits_date(now));
}

#[test]
fn the_example_of_the_reference_is_a_book_without_warnings() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/reference/price-book.md");
    let text = fs::read_to_string(file).unwrap();
    let example = text.split("```toml\n").nth(1).and_then(|rest| rest.split("```").next()).unwrap();
    let book = parse(example).unwrap();
    assert!(book.warnings().is_empty(), "{:?}", book.warnings());
    // Every key that the format has is explained.
    for source in [include_str!("offer.rs"), include_str!("operation.rs"), include_str!("../prices.rs")] {
        let fields = source.split("struct ").skip(1).filter_map(|part| part.split_once("File {"));
        for line in fields.flat_map(|(_, body)| body.split('}').next().unwrap_or_default().lines()) {
            let Some((key, _)) = line.trim().trim_start_matches("pub(super) ").split_once(": ") else { continue };
            assert!(text.contains(&format!("`{key}`")) || text.contains(&format!("[[{key}]]")), "{key}");
        }
    }
}

#[test]
fn rules_take_what_they_do_not_say_from_the_operation() {
    let version = version(
        r#"
        [version.operations.generate]
        base = "0.5"
        credits = "1"
        included = 4
        [[version.operations.generate.rules]]
        quality = "hd"
        size = "512x512"
        credits = "2"
        [[version.operations.generate.rules]]
        model = "pocket"
        pixels_max = 65536
        steps_max = 10
        count_max = 2
        base = "0"
        credits = "1/4"
        charge = "per_image"
        [version.operations.text]
        credits_per_1k_tokens = { input = "0.002", output = "0.006" }
        [version.operations.upscale]
        per_megapixel = "0.1"
        "#,
    );
    let amount = |usage: &Usage| version.quote(usage).unwrap().amount.to_string();
    let hd = Usage { quality: Some("hd".into()), width: 512, height: 512, ..Usage::of(Operation::Generate, 8) };
    assert_eq!(amount(&hd), "4.5");
    let model = Some("pocket".into());
    let small = Usage { model, width: 256, height: 256, steps: Some(10), ..Usage::of(Operation::Generate, 2) };
    assert_eq!(amount(&small), "0.5");
    assert_eq!(amount(&Usage { count: 3, ..small }), "1.5");
    let meters = [("input".parse().unwrap(), 1_500), ("output".parse().unwrap(), 100)].into();
    assert_eq!(amount(&Usage { meters, ..Usage::of("text".parse().unwrap(), 1) }), "0.0036");
    assert_eq!(amount(&Usage { width: 1_000, height: 1_000, ..Usage::of("upscale".parse().unwrap(), 1) }), "0.1");
}

#[test]
fn plans_packs_cohorts_and_policy_are_read_whole() {
    let version = version(
        r#"
        [version.operations]
        [version.plans.studio]
        monthly = "150"
        price = "12.00 USD"
        rollover = { max = "500", months = 2 }
        limits = { images_max = 2, jobs_open_max = 3, models = ["pocket", "dall-e-2"] }
        grandfather = true
        [[version.packs]]
        name = "small"
        credits = "115"
        bonus = "5.5"
        price = "15.00 USD"
        expires_months = 12
        [version.cohorts.spring]
        bonus = "50"
        expires_months = 2
        priority = -1
        code = "SPRING"
        from = 2026-03-01
        until = 2026-06-01T00:00:00Z
        [version.policy]
        late_grace_hours = 48
        debt = "allow"
        invoice = true
        "#,
    );
    let studio = &version.plans[&plan("studio")];
    assert!(studio.is_paid() && studio.grandfather);
    assert_eq!(studio.rollover.map(|rollover| (rollover.max, rollover.months.get())), Some((Credits::whole(500), 2)));
    assert_eq!((studio.limits.images_max, studio.limits.jobs_open_max), (Some(2), Some(3)));
    assert_eq!(studio.limits.models.as_ref().unwrap().join(","), "pocket,dall-e-2");
    let pack = &version.packs[0];
    assert_eq!((pack.name.unwrap().to_string(), pack.bonus.to_string()), ("small".to_owned(), "5.5".to_owned()));
    let spring = &version.cohorts[&"spring".parse().unwrap()];
    assert_eq!((spring.priority, spring.expires.get()), (-1, 2));
    assert!(
        spring.admits_code("SPRING") && spring.admits_date(at("2026-03-01")) && !spring.admits_date(at("2026-06-01"))
    );
    assert_eq!(version.policy.late_grace, Duration::from_secs(48 * 60 * 60));
    assert!(!version.policy.debt_refuses && version.policy.invoice);
}

#[test]
fn a_plan_whose_price_is_zero_is_free() {
    let free = version("[version.operations]\n[version.plans.free]\nmonthly = \"15\"\nprice = \"0.00 USD\"\n");
    assert_eq!(free.plans[&plan("free")].class(), Class::Free);
}

#[test]
fn what_is_wrong_with_a_file_is_said_with_its_place() {
    let third = says("[version.operations]\ngenerate = { credits = \"1/3\", included = 4 }\n");
    assert!(third.contains("operation generate, credits"), "{third}");
    let unknown = says("[version.operations]\ngenerate = { credits = \"1\", inclouded = 4 }\n");
    assert!(unknown.contains("inclouded"), "{unknown}");
    let plan = says("[version.operations]\n[version.plans.free]\nmonthly = \"fifteen\"\n");
    assert!(plan.contains("plan free, monthly"), "{plan}");
    let twice = parse(&format!("{HEAD}[version.operations]\n{HEAD}[version.operations]\n")).unwrap_err();
    assert!(twice.to_string().contains("two price versions"), "{twice}");
}

#[test]
fn what_is_wrong_with_a_price_is_said_with_its_rule() {
    let operation = |rest: &str| says(&format!("[version.operations.generate]\n{rest}"));
    let nothing = operation("included = 4\n");
    assert!(nothing.contains("operation generate: one of base, credits"), "{nothing}");
    let rule = |rest: &str| operation(&format!("credits = \"1\"\n[[version.operations.generate.rules]]\n{rest}"));
    for (rest, expected) in [
        ("credits = \"1/3\"", "operation generate, rule 1, credits: \"1/3\" has no exact amount"),
        ("base = \"0.0000001\"", "operation generate, rule 1, base: at most 6 decimals"),
        ("per_megapixel = \"x\"", "operation generate, rule 1, per_megapixel"),
        ("per_1k = { input = \"1/3\" }", "operation generate, rule 1, per_1k.input"),
        ("per_1k = { INPUT = \"1\" }", "a meter name of 1 to 16"),
        ("size = \"512\"\ncredits = \"1\"", "operation generate, rule 1, size: a size such as 512x512"),
        ("size = \"0x512\"\ncredits = \"1\"", "operation generate, rule 1, size: a size such as 512x512"),
        ("quality = \"hd\"", "operation generate, rule 1: one of base, credits"),
        ("included = 0\ncredits = \"1\"", "operation generate, rule 1, included: a price covers at least 1"),
        ("colour = \"red\"", "unknown field `colour`"),
    ] {
        let found = rule(rest);
        assert!(found.contains(expected), "{rest}: {found}");
    }
}

#[test]
fn what_is_wrong_with_an_offer_is_said_with_its_place() {
    let pack = "[[version.packs]]\ncredits = \"1\"\nprice = \"1.00 USD\"\nexpires_months = 1\n";
    for (rest, expected) in [
        (
            format!("{pack}tiers = [{{ from = 2, price = \"1.00 EUR\" }}]"),
            "pack 1, tiers.price: 1.00 EUR is in another",
        ),
        (format!("{pack}name = \"Small\""), "pack 1, name: a pack name of 1 to 16"),
        (format!("{pack}name = \"a\"\n{pack}name = \"a\""), "pack 2: its name is that of pack 1 too"),
        (format!("{pack}bonus = \"-1\""), "pack 1, bonus"),
        ("[version.plans.studio]\nmonthly = \"1\"\nprice = \"12\"".into(), "plan studio, price"),
        ("[version.plans.studio]\nmonthly = \"1\"\nrollover = { max = \"x\" }".into(), "plan studio, rollover.max"),
        (
            "[version.plans.studio]\nmonthly = \"1\"\nrollover = { max = \"1\", months = 0 }".into(),
            "plan studio, rollover.months: 0 is not a number of months",
        ),
        ("[version.plans.studio]\nmonthly = \"1\"\nlimits = { models = [] }".into(), "plan studio, limits.models"),
        ("[version.plans.studio]\nmonthly = \"1\"\nlimits = { images = 1 }".into(), "unknown field `images`"),
        ("[version.cohorts.a]\nbonus = \"0\"".into(), "cohort a, bonus: more than 0 needed"),
        (
            "[version.cohorts.a]\nbonus = \"1\"\nfrom = 2026-02-01\nuntil = 2026-01-01".into(),
            "cohort a, until: after 2026-02-01T00:00:00Z needed",
        ),
        (
            "[version.cohorts.a]\nbonus = \"1\"\ncode = \"X\"\n[version.cohorts.b]\nbonus = \"1\"\ncode = \"X\"".into(),
            "cohort b: its code is that of cohort a too",
        ),
        ("[version.policy]\ndebt = \"forgive\"".into(), "unknown variant `forgive`"),
        ("[version.policy]\nlate_grace_hours = 745".into(), "policy, late_grace: at most 31 days"),
    ] {
        let found = says(&format!("[version.operations]\n{rest}\n"));
        assert!(found.contains(expected), "{rest}: {found}");
    }
}
