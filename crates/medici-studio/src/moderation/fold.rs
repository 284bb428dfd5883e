//! Words made comparable: what reads the same becomes the same.
//!
//! Two forms are made of every text, and of the words of rules in the same way. The *plain* one undoes what computers
//! add: compatibility forms such as 𝓯𝓾𝓵𝓵 or ｗｉｄｅ, capitals, letters without a width, strokes through letters. The
//! *disguised* one also undoes what people do by hand: digits and signs for letters, Cyrillic and Greek letters among
//! Latin ones, accents, and letters apart. It takes some different words for the same (`1`, `l` and `i` are one
//! letter), which is why only whole words are compared in it, and patterns see the plain form alone.

use unicode_normalization::UnicodeNormalization;

/// The most single letters in a row that are also read as one word.
const SPELT_LETTERS_MAX: usize = 64;
/// The fewest.
const SPELT_LETTERS_MIN: usize = 3;

/// A text in both forms.
pub(super) struct Folded {
    /// The plain form, with one space wherever there was space.
    pub(super) plain: String,
    /// The words of the plain form.
    pub(super) words: Vec<String>,
    /// The words of the disguised form.
    pub(super) disguised: Vec<String>,
}

impl Folded {
    pub(super) fn of(text: &str) -> Self {
        let plain = plain(text);
        let (words, disguised) = (words(&plain), disguised(&plain));
        Self { plain, words, disguised }
    }
}

/// Returns the words that a row of single letters may spell: `n a m e` is `name`.
pub(super) fn spelt(words: &[String]) -> Vec<String> {
    let single = |word: &String| {
        let mut letters = word.chars();
        letters.next().is_some_and(|letter| letter.is_alphabetic() && !stands_alone(letter)) && letters.next().is_none()
    };
    let rows = words.chunk_by(|one, next| single(one) && single(next));
    // The first letter may be an article: of `a n a m e`, both readings count.
    let rows = rows.flat_map(|row| [Some(row), row.split_first().filter(|(one, _)| *one == "a").map(|(_, rest)| rest)]);
    let spelling = rows.flatten().filter(|row| (SPELT_LETTERS_MIN..=SPELT_LETTERS_MAX).contains(&row.len()));
    spelling.map(<[String]>::concat).collect()
}

fn plain(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    for letter in text.nfkc().flat_map(char::to_lowercase).filter(|letter| !unseen(*letter)) {
        match letter {
            space if space.is_whitespace() || space.is_control() => {
                if !plain.ends_with(' ') {
                    plain.push(' ');
                }
            }
            'ς' => plain.push('σ'),
            letter => plain.push(letter),
        }
    }
    plain
}

/// Returns whether a letter has no width, or is only a stroke or a dot on the one before it.
///
/// Marks that are letters of their script (Arabic, Indic, Thai) are none of these.
fn unseen(letter: char) -> bool {
    matches!(letter,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}'..='\u{1160}' | '\u{17b4}'..='\u{17b5}' | '\u{180b}'..='\u{180f}'
        | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{feff}'
        | '\u{fe00}'..='\u{fe0f}' | '\u{ffa0}' | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}'
        | '\u{300}'..='\u{36f}' | '\u{1ab0}'..='\u{1aff}' | '\u{1dc0}'..='\u{1dff}' | '\u{20d0}'..='\u{20ff}'
        | '\u{fe20}'..='\u{fe2f}')
}

/// Returns whether a letter belongs to a script that is written without spaces, or with endings on the word: there a
/// word is looked for anywhere, by taking every letter for a word.
fn stands_alone(letter: char) -> bool {
    matches!(letter,
        '\u{e00}'..='\u{eff}' | '\u{1000}'..='\u{109f}' | '\u{1780}'..='\u{17ff}' | '\u{3040}'..='\u{30ff}'
        | '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}' | '\u{ac00}'..='\u{d7a3}' | '\u{f900}'..='\u{faff}'
        | '\u{20000}'..='\u{3ffff}')
}

/// Puts words together from letters, `None` between two of them.
#[derive(Default)]
struct Words {
    whole: Vec<String>,
    begun: String,
}

impl Words {
    fn push(&mut self, letter: Option<char>) {
        match letter {
            Some(letter) if !stands_alone(letter) => self.begun.push(letter),
            end => {
                if !self.begun.is_empty() {
                    self.whole.push(std::mem::take(&mut self.begun));
                }
                self.whole.extend(end.map(String::from));
            }
        }
    }

    fn end(mut self) -> Vec<String> {
        self.push(None);
        self.whole
    }
}

fn words(plain: &str) -> Vec<String> {
    let mut words = Words::default();
    for letter in plain.chars() {
        words.push(Some(letter).filter(|letter| letter.is_alphanumeric()));
    }
    words.end()
}

fn disguised(plain: &str) -> Vec<String> {
    let mut words = Words::default();
    let mut before = None;
    let mut letters = plain.chars().peekable();
    while let Some(letter) = letters.next() {
        let follows = letters.peek().is_some_and(|next| next.is_alphanumeric());
        // A sign stands for a letter inside a word, and two of them at its beginning too: `$ign`, but `that's it!`.
        let sign = match letter {
            '@' => follows.then_some('a'),
            '$' => follows.then_some('s'),
            '€' => follows.then_some('e'),
            '!' | '|' => Some('i').filter(|_| follows && before.is_some_and(char::is_alphanumeric)),
            letter => Some(letter).filter(|letter| letter.is_alphanumeric()),
        };
        words.push(sign);
        before = Some(letter);
    }
    words.end().into_iter().map(|word| undisguised(&word)).collect()
}

/// Returns a word with the letters that were meant.
fn undisguised(word: &str) -> String {
    if word.chars().all(|letter| letter.is_ascii_digit()) {
        return word.to_owned();
    }
    // A word of another script is what it is; among Latin letters, its letters are Latin ones.
    let latin = word.chars().any(|letter| letter.is_ascii_alphabetic());
    let mut meant = String::with_capacity(word.len());
    for letter in word.chars() {
        // ñ is a letter of its own: año is a year and ano is not.
        let bare = if letter == 'ñ' { letter } else { std::iter::once(letter).nfd().next().unwrap_or(letter) };
        meant.push(match bare {
            '0' => 'o',
            '1' | 'l' => 'i',
            '3' => 'e',
            '4' => 'a',
            '5' => 's',
            '7' => 't',
            '8' => 'b',
            other if latin => latin_like(other),
            other => other,
        });
    }
    meant
}

/// Returns the Latin letter that a Cyrillic or Greek one looks like.
fn latin_like(letter: char) -> char {
    match letter {
        'а' | 'α' => 'a',
        'в' => 'b',
        'с' => 'c',
        'ԁ' => 'd',
        'е' | 'ε' => 'e',
        'һ' | 'н' => 'h',
        'і' | 'ι' | 'ӏ' | 'ı' => 'i',
        'ј' => 'j',
        'к' | 'κ' => 'k',
        'м' => 'm',
        'η' | 'п' => 'n',
        'о' | 'ο' => 'o',
        'р' | 'ρ' => 'p',
        'ѕ' => 's',
        'т' | 'τ' => 't',
        'υ' | 'ц' => 'u',
        'ν' => 'v',
        'х' | 'χ' => 'x',
        'у' | 'γ' => 'y',
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_computers_add_is_gone_from_the_plain_form() {
        for text in
            ["Name", "ｎａｍｅ", "𝓷𝓪𝓶𝓮", "n\u{200b}a\u{ad}me", "n\u{336}a\u{336}m\u{336}e\u{336}", "NAME\u{feff}"]
        {
            assert_eq!(Folded::of(text).words, ["name"], "{text:?}");
        }
        assert_eq!(Folded::of(" A\n\tb  c ").plain, " a b c ");
        assert_eq!(Folded::of("año").words, ["año"], "an accent is part of the word");
    }

    #[test]
    fn what_people_do_by_hand_is_gone_from_the_disguised_form() {
        let name = Folded::of("simple taste").disguised;
        for text in ["s1mp1e t4ste", "$imp|e t@st3", "sіmрle tаste", "sïmplé tästè", "5imple 7as7e"] {
            assert_eq!(Folded::of(text).disguised, name, "{text}");
        }
        assert_eq!(Folded::of("10 years, wow!").disguised, ["10", "years", "wow"], "numbers and ends stay");
        assert_eq!(Folded::of("рот").disguised, ["рот"], "a word of another script stays");
        assert_eq!(Folded::of("año").disguised, ["año"]);
    }

    #[test]
    fn a_row_of_single_letters_is_a_word() {
        assert_eq!(spelt(&Folded::of("the n a m e of it").disguised), ["name"]);
        assert_eq!(spelt(&Folded::of("n.a-m_e").disguised), ["name"]);
        assert_eq!(spelt(&Folded::of("a n a m e").disguised), ["aname", "name"]);
        assert!(spelt(&Folded::of("a b").disguised).is_empty());
        assert!(spelt(&Folded::of("名前名前").disguised).is_empty());
    }

    #[test]
    fn scripts_without_spaces_are_read_letter_by_letter() {
        assert_eq!(Folded::of("赤い名前").words, ["赤", "い", "名", "前"]);
        assert_eq!(Folded::of("किताब है").words.len(), 2, "marks that are letters stay");
    }

    #[test]
    fn a_flood_of_letters_is_folded_in_one_pass() {
        let text = "a ".repeat(100_000);
        let folded = Folded::of(&text);
        assert_eq!(folded.words.len(), 100_000);
        assert!(spelt(&folded.disguised).is_empty(), "that many letters are no word");
    }
}
