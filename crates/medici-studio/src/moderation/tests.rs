use std::sync::{
    Mutex,
    atomic::{AtomicUsize, Ordering},
};

use super::*;

fn blocked(categories: &[&str]) -> Verdict {
    Verdict::Blocked { categories: categories.iter().map(ToString::to_string).collect() }
}

fn rules(text: &str) -> RuleList {
    RuleList::parse(&format!("built_in = false\n{text}")).unwrap()
}

const GUNS: &str = r#"
[[rule]]
category = "weapons"
words = ["gun", "machine gun", "銃"]

[[rule]]
category = "drugs"
words = ["simple"]
zeal = "auto"

[[rule]]
category = "brand"
patterns = ['\bbrand ?[0-9]+\b']

[[rule]]
category = "fight"
words = ["dog", "cock"]
with = ["fight", "ring of blood"]
"#;

#[test]
fn whole_words_and_phrases_are_found_whatever_their_case() {
    let rules = rules(GUNS);
    for words in ["a gun", "GUN!", "(gun)", "a machine gun", "gun", "a water-gun"] {
        assert_eq!(rules.judge(words, Zeal::Auto), blocked(&["weapons"]), "{words}");
    }
    for words in ["a begun day", "gunther", "machine", ""] {
        assert_eq!(rules.judge(words, Zeal::Auto), Verdict::Clear, "{words}");
    }
}

#[test]
fn words_of_scripts_without_spaces_are_found_inside() {
    assert_eq!(rules(GUNS).judge("赤い銃と花", Zeal::Auto), blocked(&["weapons"]));
}

#[test]
fn disguised_words_are_found() {
    let rules = rules(GUNS);
    for words in ["g\u{200b}un", "ｇｕｎ", "gún", "g u n", "gцn", "a g.u.n"] {
        assert_eq!(rules.judge(words, Zeal::Auto), blocked(&["weapons"]), "{words:?}");
    }
    for words in ["$1mp1e", "s!mp|e", "SIMPLE", "5imp1e", "𝕤𝕚𝕞𝕡𝕝𝕖"] {
        assert_eq!(rules.judge(words, Zeal::Auto), blocked(&["drugs"]), "{words:?}");
    }
}

#[test]
fn rules_for_the_eager_are_skipped_where_little_zeal_is_asked_for() {
    let rules = rules(GUNS);
    assert_eq!(rules.judge("a simple gun", Zeal::Auto), blocked(&["drugs", "weapons"]));
    assert_eq!(rules.judge("a simple gun", Zeal::Low), blocked(&["weapons"]));
}

#[test]
fn patterns_are_found_in_the_plain_form() {
    let rules = rules(GUNS);
    assert_eq!(rules.judge("BRAND\n\n12", Zeal::Auto), blocked(&["brand"]));
    assert_eq!(rules.judge("br\u{ad}and 9", Zeal::Auto), blocked(&["brand"]));
    assert_eq!(rules.judge("brand new", Zeal::Auto), Verdict::Clear);
}

#[test]
fn a_rule_with_company_needs_both() {
    let rules = rules(GUNS);
    assert_eq!(rules.judge("a dog", Zeal::Auto), Verdict::Clear);
    assert_eq!(rules.judge("a fight", Zeal::Auto), Verdict::Clear);
    assert_eq!(rules.judge("they fight, dog and man", Zeal::Auto), blocked(&["fight"]));
    assert_eq!(rules.judge("d0g in a ring of blood", Zeal::Auto), blocked(&["fight"]));
}

#[test]
fn what_may_not_be_drawn_anywhere_is_refused_without_any_rules_of_ones_own() {
    let rules = RuleList::built_in();
    let minors = blocked(&["sexual/minors"]);
    for words in [
        "a nude child",
        "naked 12 year old",
        "n@k3d t33n",
        "nackte Mädchen",
        "enfant nue",
        "niñas desnudas",
        "menina nua",
        "bambina nuda",
        "a nine-year-old girl, erotic",
        "ch1ld p0rn",
    ] {
        assert_eq!(rules.judge(words, Zeal::Low), minors, "{words}");
    }
    for words in [
        "a child with a kite",
        "a nude in charcoal",
        "a 17th century nude",
        "a kind nude model",
        "a naked mole-rat",
        "a glass of 12 year old whisky",
        "un niño de 5 años",
        "eine nackte Statue",
        "a fox in a forest, Sussex",
        "Essex county fair",
        "a young woman on a beach",
    ] {
        assert_eq!(rules.judge(words, Zeal::Auto), Verdict::Clear, "{words}");
    }
}

#[test]
fn the_built_in_rules_stay_unless_a_file_says_otherwise() {
    let rule = "[[rule]]\ncategory = \"weapons\"\nwords = [\"gun\"]\nlocale = \"en-GB\"\n";
    let kept = RuleList::parse(rule).unwrap();
    assert_eq!(kept.judge("a nude child", Zeal::Auto), blocked(&["sexual/minors"]));
    let own = kept.rules().last().unwrap();
    assert_eq!((own.built_in, own.locale.as_deref(), own.words), (false, Some("en-GB"), 1));
    assert!(kept.rules()[0].built_in);
    assert_eq!(rules(rule).judge("a nude child", Zeal::Auto), Verdict::Clear);
}

#[test]
fn a_bad_file_is_refused_with_the_line() {
    let head = "built_in = false\n\n[[rule]]\ncategory = \"a\"\n";
    for (text, expected) in [
        ("words = [\"ok\",\n  \"  \"]", "line 6: 1 to 16 words needed, 0 found"),
        ("words = [\"ok\"]\npatterns = ['(']", "line 6: not a pattern: unclosed group"),
        ("patterns = ['ok',\n\n'x*']", "line 7: the pattern finds something in every prompt"),
        ("patterns = ['\\w{900}{900}']", "line 5: the pattern is too large"),
        ("words = [\"ok\"]\nzeal = \"high\"", "line 6: a zeal of \"auto\" or \"low\" needed, \"high\" found"),
        ("words = [\"ok\"]\nlocale = \"deutsch!\"", "line 6: a locale such as"),
        ("", "line 4: a rule needs words or patterns"),
        ("words = [\"ok\"]\n[[rule]]\ncategory = \"Über\"\nwords = [\"b\"]", "line 7: a category of 1 to 64"),
    ] {
        let refused = RuleList::parse(&format!("{head}{text}")).err().expect("it is refused").to_string();
        assert!(refused.starts_with(expected), "{refused}");
    }
    for text in ["[[rule]]\nwords = [1]", "colour = 1", "[[rule]]\nword = []", "[[rule"] {
        let refused = RuleList::parse(text).err().expect("it is refused").to_string();
        assert!(refused.contains("line"), "{refused}");
    }
}

#[test]
fn a_file_has_bounds() {
    let rule = "[[rule]]\ncategory = \"a\"\nwords = [\"b\"]\n";
    assert!(matches!(RuleList::parse(&rule.repeat(1_001)), Err(RulesError::TooMany { what: "rules", .. })));
    let words = format!("# {}\n{rule}", "x".repeat(5 << 20));
    assert!(matches!(RuleList::parse(&words), Err(RulesError::TooMany { what: "bytes", .. })));
    let patterns: Vec<String> = (0..900).map(|n| format!("'{n}[a-z]{{900}}'")).collect();
    let all = format!("[[rule]]\ncategory = \"a\"\npatterns = [{}]\n", patterns.join(","));
    assert!(matches!(RuleList::parse(&all), Err(RulesError::PatternsTooLarge)));
}

/// A moderator that says what it was told to, and counts.
struct Says(Mutex<Option<Result<Verdict, NotJudged>>>, AtomicUsize);

impl Says {
    fn new(answer: Result<Verdict, NotJudged>) -> Arc<Self> {
        Arc::new(Self(Mutex::new(Some(answer)), AtomicUsize::new(0)))
    }
}

#[async_trait::async_trait]
impl Moderator for Says {
    async fn words(&self, _: &str, _: Zeal) -> Result<Verdict, NotJudged> {
        self.1.fetch_add(1, Ordering::SeqCst);
        self.0.lock().unwrap().take().expect("it is asked once")
    }

    async fn picture(&self, _: &[u8], _: &str, _: Zeal) -> Result<Verdict, NotJudged> {
        self.words("", Zeal::Auto).await
    }

    fn judges_pictures(&self) -> bool {
        true
    }
}

fn away() -> Result<Verdict, NotJudged> {
    Err(NotJudged("nobody there".into()))
}

#[tokio::test]
async fn moderators_in_turn_stop_at_the_first_that_blocks() {
    let (first, second, third) = (Says::new(Ok(Verdict::Clear)), Says::new(Ok(blocked(&["a"]))), Says::new(away()));
    let all = InTurn(vec![first.clone(), second.clone(), third.clone()]);
    assert_eq!(all.words("x", Zeal::Auto).await.unwrap(), blocked(&["a"]));
    let asked = [first, second, third].map(|moderator| moderator.1.load(Ordering::SeqCst));
    assert_eq!(asked, [1, 1, 0]);
    assert!(all.judges_pictures() && !InTurn(vec![Arc::new(RuleList::built_in())]).judges_pictures());
    let failing = InTurn(vec![Says::new(away())]);
    assert!(failing.picture(b"x", "image/png", Zeal::Auto).await.is_err());
}

#[tokio::test]
async fn silence_is_consent_only_where_the_operator_says_so() {
    let open = FailOpen(Says::new(away()));
    assert_eq!(open.words("x", Zeal::Auto).await.unwrap(), Verdict::Clear);
    let open = FailOpen(Says::new(Ok(blocked(&["a"]))));
    assert_eq!(open.picture(b"x", "image/png", Zeal::Auto).await.unwrap(), blocked(&["a"]), "a verdict stays one");
}
