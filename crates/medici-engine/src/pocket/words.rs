//! Words as people write them, made comparable.

/// Returns a text in lower case, without accents and punctuation, words apart by one space.
///
/// Commas stay as words of their own, since they separate subjects.
pub(super) fn normal(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for letter in text.chars().flat_map(char::to_lowercase) {
        match letter {
            '’' | '\'' => out.push('\''),
            ',' | ';' => out.push_str(" , "),
            '&' | '+' => out.push_str(" and "),
            'à' | 'á' | 'â' | 'ä' | 'ã' => out.push('a'),
            'è' | 'é' | 'ê' | 'ë' => out.push('e'),
            'ì' | 'í' | 'î' | 'ï' => out.push('i'),
            'ò' | 'ó' | 'ô' | 'ö' => out.push('o'),
            'ù' | 'ú' | 'û' | 'ü' => out.push('u'),
            'ñ' => out.push('n'),
            'ç' => out.push('c'),
            letter if letter.is_alphanumeric() => out.push(letter),
            _ => out.push(' '),
        }
    }
    out.split_whitespace().collect::<Vec<_>>().join(" ")
}

const IRREGULAR: [(&str, &str); 16] = [
    ("mice", "mouse"),
    ("geese", "goose"),
    ("oxen", "ox"),
    ("children", "child"),
    ("men", "man"),
    ("women", "woman"),
    ("people", "person"),
    ("feet", "foot"),
    ("teeth", "tooth"),
    ("leaves", "leaf"),
    ("knives", "knife"),
    ("wolves", "wolf"),
    ("loaves", "loaf"),
    ("calves", "calf"),
    ("scarves", "scarf"),
    ("shelves", "shelf"),
];

/// Returns what a phrase may be the plural of, likeliest first; nothing where it looks like no plural.
pub(super) fn singulars(phrase: &str) -> Vec<String> {
    let (before, last) = phrase.rsplit_once(' ').map_or(("", phrase), |(before, last)| (before, last));
    let mut forms = Vec::new();
    if let Some((_, one)) = IRREGULAR.iter().find(|(many, _)| *many == last) {
        forms.push((*one).to_owned());
    } else if let Some(stem) = last.strip_suffix('s').filter(|stem| stem.len() > 2 && !stem.ends_with(['s', 'u', '\'']))
    {
        if let Some(stem) = stem.strip_suffix("ie") {
            forms.push(format!("{stem}y"));
        }
        forms.push(stem.to_owned());
        if let Some(stem) = stem.strip_suffix('e').filter(|stem| stem.ends_with(['s', 'x', 'z', 'h', 'o'])) {
            forms.push(stem.to_owned());
        }
    }
    forms.into_iter().map(|form| if before.is_empty() { form } else { format!("{before} {form}") }).collect()
}

/// Returns whether one word is a slip of the other: a letter left out, doubled, wrong or swapped with its
/// neighbour; two slips in a word of seven letters or more.
pub(super) fn misspelt(word: &str, meant: &str) -> bool {
    let (a, b): (Vec<char>, Vec<char>) = (word.chars().collect(), meant.chars().collect());
    let allowed = match a.len().min(b.len()) {
        0..4 => return false,
        4..7 => 1,
        _ => 2,
    };
    if a.len().abs_diff(b.len()) > allowed {
        return false;
    }
    // Optimal string alignment: the distance of every beginning of one word from every beginning of the other.
    let mut rows = vec![(0..=b.len()).collect::<Vec<usize>>()];
    for i in 1..=a.len() {
        let mut row = vec![i];
        for j in 1..=b.len() {
            let changed = rows[i - 1][j - 1] + usize::from(a[i - 1] != b[j - 1]);
            let mut least = changed.min(rows[i - 1][j] + 1).min(row[j - 1] + 1);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                least = least.min(rows[i - 2][j - 2] + 1);
            }
            row.push(least);
        }
        rows.push(row);
    }
    rows[a.len()][b.len()] <= allowed
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slips_are_seen_and_other_words_are_not() {
        assert!(misspelt("umbrela", "umbrella") && misspelt("kittne", "kitten") && misspelt("giraff", "giraffe"));
        assert!(!misspelt("cat", "car") && !misspelt("house", "mouth") && !misspelt("umbrella", "brella"));
    }

    #[test]
    fn words_are_made_comparable() {
        assert_eq!(normal("  A T-Shirt & a Piñata, please! "), "a t shirt and a pinata , please");
    }

    #[test]
    fn plurals_lead_to_their_singular() {
        assert_eq!(singulars("cherries")[0], "cherry");
        assert!(singulars("foxes").contains(&"fox".to_owned()));
        assert!(singulars("tomatoes").contains(&"tomato".to_owned()));
        assert_eq!(singulars("palm trees"), ["palm tree"]);
        assert_eq!(singulars("mice"), ["mouse"]);
        assert!(singulars("glass").is_empty() && singulars("bus").is_empty());
    }
}
