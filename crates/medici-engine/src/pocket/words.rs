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

#[cfg(test)]
mod tests {
    use super::*;

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
