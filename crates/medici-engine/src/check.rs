//! What an engine refuses before it takes a step, by what it says it can do.

use medici_studio::engine::{Capabilities, EngineError, Given, Pixels, Size, Spec};

/// Refuses what cannot be drawn, and says what can.
pub(crate) fn check(spec: &Spec, given: &Given, can: &Capabilities) -> Result<(), EngineError> {
    check_words(spec, given, can)?;
    if spec.count == 0 || spec.count > can.batch_max {
        return bad(format!("{} pictures asked for, expected 1 to {}", spec.count, can.batch_max));
    }
    if let Some(steps) = spec.steps.filter(|steps| !can.steps.contains(steps)) {
        return bad(format!("{steps} steps asked for, expected {} to {}", can.steps.start(), can.steps.end()));
    }
    match given {
        Given::Words => check_size(spec.size, can),
        Given::Vary { source, .. } => {
            check_source(source)?;
            check_size(spec.size, can)
        }
        Given::Edit { source, mask } => {
            check_edit_size(spec.size, can)?;
            check_source(source)?;
            if source.size != spec.size {
                return bad(format!("the source is {}, expected the size asked for, {}", source.size, spec.size));
            }
            if mask.size != spec.size || mask.bytes.len() != area(mask.size) {
                return bad(format!("the mask is {}, expected the source's size, {}", mask.size, spec.size));
            }
            if mask.bytes.iter().all(|byte| *byte == 0) {
                return bad("the mask is empty, expected at least one pixel to change".to_owned());
            }
            Ok(())
        }
    }
}

fn check_words(spec: &Spec, given: &Given, can: &Capabilities) -> Result<(), EngineError> {
    let most = can.prompt_chars_max;
    if spec.prompt.trim().is_empty() && !matches!(given, Given::Vary { .. }) {
        return bad("the prompt is empty, expected at least one word".to_owned());
    }
    let chars = spec.prompt.chars().count();
    if chars > most {
        return bad(format!("the prompt has {chars} characters, expected at most {most}"));
    }
    let readings = spec.readings.len();
    if readings != 0 && u32::try_from(readings) != Ok(spec.count) {
        return bad(format!("{readings} readings given, expected none or one for each of {} pictures", spec.count));
    }
    for (number, reading) in (1..).zip(&spec.readings) {
        let chars = reading.chars().count();
        if reading.trim().is_empty() {
            return bad(format!("reading {number} is empty, expected at least one word"));
        }
        if chars > most {
            return bad(format!("reading {number} has {chars} characters, expected at most {most}"));
        }
    }
    Ok(())
}

fn check_size(size: Size, can: &Capabilities) -> Result<(), EngineError> {
    if can.sizes.contains(&size) {
        return Ok(());
    }
    let sizes: Vec<String> = can.sizes.iter().map(ToString::to_string).collect();
    let (last, others) = sizes.split_last().expect("an engine draws at least one size");
    bad(format!("the size is {size}, expected {} or {last}", others.join(", ")))
}

fn check_edit_size(size: Size, can: &Capabilities) -> Result<(), EngineError> {
    let edits = &can.edits;
    if edits.contain(size) {
        return Ok(());
    }
    let (from, to) = (edits.sides.start(), edits.sides.end());
    bad(format!(
        "the size is {size}, expected sides of {from} to {to} pixels, the longer at most {} times the shorter",
        edits.aspect_max
    ))
}

fn check_source(source: &Pixels) -> Result<(), EngineError> {
    let bytes = area(source.size).saturating_mul(if source.alpha { 4 } else { 3 });
    if bytes == 0 {
        return bad(format!("the source is {}, expected at least one pixel", source.size));
    }
    if source.bytes.len() != bytes {
        return bad(format!("the source has {} bytes, expected {bytes} for {}", source.bytes.len(), source.size));
    }
    Ok(())
}

fn area(size: Size) -> usize {
    usize::try_from(u64::from(size.width) * u64::from(size.height)).unwrap_or(usize::MAX)
}

fn bad(message: String) -> Result<(), EngineError> {
    Err(EngineError::BadSpec(message))
}

#[cfg(test)]
mod tests {
    use medici_studio::engine::{Background, Engine, Mask};

    use super::*;
    use crate::TestPattern;

    fn spec(size: Size) -> Spec {
        Spec {
            prompt: "a cat".to_owned(),
            count: 2,
            size,
            seed: 1,
            background: Background::Auto,
            steps: None,
            previews: 0,
            readings: Vec::new(),
        }
    }

    fn pixels(size: Size) -> Pixels {
        Pixels { size, alpha: false, bytes: vec![7; area(size) * 3] }
    }

    fn edit(size: Size, mask: Size, byte: u8) -> Given {
        Given::Edit { source: pixels(size), mask: Mask { size: mask, bytes: vec![byte; area(mask)] } }
    }

    #[track_caller]
    fn refused(spec: &Spec, given: &Given) -> String {
        match check(spec, given, &TestPattern::default().capabilities()) {
            Err(EngineError::BadSpec(message)) => message,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn edits_are_refused_by_size_and_mask() {
        let size = Size { width: 50, height: 40 };
        assert!(check(&spec(size), &edit(size, size, 1), &TestPattern::default().capabilities()).is_ok());
        assert_eq!(
            refused(&spec(size), &edit(size, size, 0)),
            "the mask is empty, expected at least one pixel to change"
        );
        assert_eq!(
            refused(&spec(size), &edit(size, Size::square(50), 255)),
            "the mask is 50x50, expected the source's size, 50x40"
        );
        assert_eq!(
            refused(&spec(Size::square(50)), &edit(size, size, 255)),
            "the source is 50x40, expected the size asked for, 50x50"
        );
        let long = Size { width: 100, height: 24 };
        assert_eq!(
            refused(&spec(long), &edit(long, long, 255)),
            "the size is 100x24, expected sides of 16 to 4096 pixels, the longer at most 4 times the shorter"
        );
        let cut = Given::Edit {
            source: Pixels { bytes: vec![0; 11], ..pixels(size) },
            mask: Mask { size, bytes: vec![255; area(size)] },
        };
        assert_eq!(refused(&spec(size), &cut), "the source has 11 bytes, expected 6000 for 50x40");
    }

    #[test]
    fn readings_are_none_or_one_for_each_picture() {
        let wanted = |readings: &[&str]| Spec {
            readings: readings.iter().map(|words| (*words).to_owned()).collect(),
            ..spec(Size::square(64))
        };
        assert_eq!(
            refused(&wanted(&["one"]), &Given::Words),
            "1 readings given, expected none or one for each of 2 pictures"
        );
        assert_eq!(refused(&wanted(&["one", " "]), &Given::Words), "reading 2 is empty, expected at least one word");
        assert!(check(&wanted(&["one", "two"]), &Given::Words, &TestPattern::default().capabilities()).is_ok());
    }

    #[test]
    fn only_a_variation_may_have_no_words() {
        let silent = Spec { prompt: String::new(), ..spec(Size::square(64)) };
        let like = Given::Vary { source: pixels(Size { width: 3, height: 900 }), latent: None };
        assert!(check(&silent, &like, &TestPattern::default().capabilities()).is_ok());
        assert_eq!(refused(&silent, &Given::Words), "the prompt is empty, expected at least one word");
        let nothing = Given::Vary { source: pixels(Size { width: 0, height: 5 }), latent: None };
        assert_eq!(refused(&silent, &nothing), "the source is 0x5, expected at least one pixel");
    }
}
