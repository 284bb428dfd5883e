//! What the model did not understand of a prompt, said to a person.

use medici_studio::engine::{Understanding, UnknownWord};

use super::prompt::Wish;

/// Says how much of a prompt was understood.
///
/// The score is the share of words with a meaning that are known. There is a notice as soon as one is not:
/// it will be missing from the picture, or something else stands for it.
pub(super) fn of(wish: &Wish) -> Understanding {
    let all = wish.known + wish.unknown.len();
    #[expect(clippy::cast_precision_loss, reason = "a prompt has few words")]
    let score = if all == 0 { 0.0 } else { wish.known as f32 / all as f32 };
    let mut unknown: Vec<UnknownWord> = Vec::new();
    for (word, nearest) in &wish.unknown {
        if !unknown.iter().any(|before| before.word == *word) {
            unknown.push(UnknownWord { word: word.clone(), nearest: nearest.clone() });
        }
    }
    let notice = notice(&unknown);
    Understanding { score, unknown, notice }
}

fn notice(unknown: &[UnknownWord]) -> Option<String> {
    match unknown {
        [] => None,
        [UnknownWord { word, nearest: Some(near) }] => {
            Some(format!("the pocket model does not know \"{word}\"; nearest: \"{near}\""))
        }
        several => {
            let words: Vec<String> = several
                .iter()
                .map(|unknown| match &unknown.nearest {
                    Some(near) => format!("\"{}\" (nearest: \"{near}\")", unknown.word),
                    None => format!("\"{}\"", unknown.word),
                })
                .collect();
            Some(format!("the pocket model does not know {}", words.join(", ")))
        }
    }
}
