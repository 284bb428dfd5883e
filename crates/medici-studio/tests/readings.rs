//! The built-in readings beside the model they are written for.

use std::{collections::HashSet, path::Path};

use medici_engine::Pocket;
use medici_studio::{engine::Engine, readings::Senses};
use serde_json::Value;

#[test]
fn every_sense_is_a_name_that_the_pocket_model_learnt() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../models/pocket/names.json");
    let names: Value = serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap();
    let concepts = names["concepts"].as_array().unwrap();
    let learnt = concepts.iter().filter(|concept| concept["trained"] == true);
    let labels: HashSet<&str> = learnt.map(|concept| concept["label"].as_str().unwrap()).collect();
    let senses = Senses::built_in();
    assert!(senses.words().count() >= 100);
    for (word, senses) in senses.words() {
        let different: HashSet<&String> = senses.iter().collect();
        assert!(different.len() >= 2 && different.len() == senses.len(), "{word}");
        for sense in senses {
            assert!(labels.contains(sense.as_str()), "{word}: the model knows no {sense:?}");
        }
    }
}

#[test]
fn the_pocket_model_understands_every_reading_to_the_last_word() {
    let (pocket, senses) = (Pocket::load().unwrap(), Senses::built_in());
    let prompts = senses.words().map(|(word, _)| word.to_owned()).chain(["a red fox".into(), "two cats".into()]);
    for prompt in prompts {
        for reading in senses.find(&prompt, 10, 1) {
            let understanding = pocket.understanding(&reading);
            assert!(understanding.unknown.is_empty(), "{reading}: {:?}", understanding.unknown);
        }
    }
}
