//! Profiles: what a model's name promises, whatever engine draws.
//!
//! OpenAI's names all mean the engine of this server. The name decides the limits and defaults that a client
//! was written against; what the engine can do limits them further.

use medici_studio::engine::{Capabilities, Size};

use super::looks::Call;

/// A family of model names with the same limits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Family {
    /// `dall-e-2`.
    DallE2,
    /// `dall-e-3`.
    DallE3,
    /// The `gpt-image` models.
    Gpt,
    /// The engine under its own name.
    Own,
}

/// What a model's name promises.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Profile {
    /// Its family.
    pub(crate) family: Family,
    /// Whether a parameter that the model never had is refused. Only where the caller named the model.
    pub(crate) strict: bool,
}

/// The names of OpenAI's that are listed. Dated and later ones of the 2.5 family are understood too.
const NAMES: [(&str, Family); 8] = [
    ("dall-e-2", Family::DallE2),
    ("dall-e-3", Family::DallE3),
    ("gpt-image-1", Family::Gpt),
    ("gpt-image-1-mini", Family::Gpt),
    ("gpt-image-1.5", Family::Gpt),
    ("gpt-image-2", Family::Gpt),
    ("gpt-image-2.5", Family::Gpt),
    ("chatgpt-image-latest", Family::Gpt),
];
const PREFIX: &str = "gpt-image-2.5-";
/// The longest name that is compared, and repeated in a message.
const NAME_BYTES_MAX: usize = 64;

/// The model that is meant when none is named, unless a parameter only newer ones have is there.
pub(crate) const DEFAULT: &str = "dall-e-2";
/// The model that is meant then.
pub(crate) const DEFAULT_GPT: &str = "gpt-image-1.5";

/// Returns the names that are listed: the engine's own first.
pub(crate) fn names(engine: &str) -> impl Iterator<Item = &str> {
    std::iter::once(engine).chain(NAMES.iter().map(|(name, _)| *name))
}

/// Returns the profile of a name; `None` if there is no such model.
pub(crate) fn named(name: &str, engine: &str) -> Option<Profile> {
    let family = if name == engine { Some(Family::Own) } else { None };
    let family = family.or_else(|| NAMES.iter().find(|(known, _)| *known == name).map(|(_, family)| *family));
    let later = || (name.starts_with(PREFIX) && is_plain(name)).then_some(Family::Gpt);
    let family = family.or_else(later)?;
    Some(Profile { family, strict: matches!(family, Family::DallE2 | Family::DallE3) })
}

/// Returns whether a name may be repeated in a message.
pub(crate) fn is_plain(name: &str) -> bool {
    let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_' | b':' | b'/');
    !name.is_empty() && name.len() <= NAME_BYTES_MAX && name.bytes().all(plain)
}

impl Profile {
    /// Returns the longest prompt, in characters.
    pub(crate) fn prompt_chars_max(self, can: &Capabilities) -> usize {
        let family = match self.family {
            Family::DallE2 => 1_000,
            Family::DallE3 => 4_000,
            Family::Gpt => 32_000,
            Family::Own => can.prompt_chars_max,
        };
        family.min(can.prompt_chars_max)
    }

    /// Returns the most pictures of one request.
    pub(crate) fn count_max(self) -> u32 {
        match self.family {
            Family::DallE3 => 1,
            Family::DallE2 | Family::Gpt | Family::Own => 10,
        }
    }

    /// Returns the sizes that may be asked for: the profile's as far as the engine has them.
    pub(crate) fn sizes(self, can: &Capabilities) -> Vec<Size> {
        let squares: &[u32] = match self.family {
            Family::DallE2 => &[256, 512, 1024],
            Family::DallE3 => &[1024],
            // Lenient: whatever the engine draws.
            Family::Gpt | Family::Own => return can.sizes.clone(),
        };
        let wide = [Size { width: 1792, height: 1024 }, Size { width: 1024, height: 1792 }];
        let mut sizes: Vec<Size> = squares.iter().map(|side| Size::square(*side)).collect();
        if self.family == Family::DallE3 {
            sizes.extend(wide);
        }
        sizes.retain(|size| can.sizes.contains(size));
        sizes
    }

    /// Returns the size of a request that names none.
    pub(crate) fn size_default(self, can: &Capabilities) -> Option<Size> {
        match self.family {
            Family::DallE2 | Family::DallE3 if can.sizes.contains(&Size::square(1024)) => Some(Size::square(1024)),
            Family::DallE2 | Family::DallE3 | Family::Gpt | Family::Own => size_auto(can),
        }
    }

    /// Returns whether a parameter belongs to the model's call, or to every request.
    pub(crate) fn knows(self, call: Call, parameter: &str) -> bool {
        match parameter {
            "model" | "n" | "size" | "response_format" | "user" | "safety_identifier" | "stream" | "seed" => true,
            "prompt" | "readings" => call != Call::Vary,
            "quality" => call == Call::Generate,
            "images" | "mask" => call == Call::Edit,
            "style" => call == Call::Generate && self.family != Family::DallE2,
            _ => !matches!(self.family, Family::DallE2 | Family::DallE3),
        }
    }
}

/// Returns the size that `auto` means: the smallest that OpenAI's models ever had, where the engine draws it.
pub(crate) fn size_auto(can: &Capabilities) -> Option<Size> {
    let usual = Size::square(256);
    if can.sizes.contains(&usual) { Some(usual) } else { can.sizes.first().copied() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_listed_name_has_a_profile_and_others_have_none() {
        for name in names("pocket-1") {
            assert!(named(name, "pocket-1").is_some(), "{name}");
        }
        assert!(named("gpt-image-2.5-2026-10-01", "pocket-1").is_some());
        for name in ["", "dall-e-4", "gpt-4o", "gpt-image-2.5-<b>", "DALL-E-2"] {
            assert_eq!(named(name, "pocket-1"), None, "{name}");
        }
    }

    #[test]
    fn only_the_old_models_are_strict() {
        let strict = |name| named(name, "pocket-1").unwrap().strict;
        assert!(strict("dall-e-2") && strict("dall-e-3"));
        assert!(!strict("gpt-image-1") && !strict("pocket-1"));
    }
}
