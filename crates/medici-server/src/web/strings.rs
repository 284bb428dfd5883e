//! Every word that a page shows, in one place, so that another language is another file like this one.
//!
//! Plain texts are constants; texts with numbers in them are functions, because languages put numbers in
//! different places and have different plurals.

use medici_ledger::{Class, Credits, Money, QuoteError, Refusal};
use medici_studio::{FailReason, SubmitError, engine::Size};

pub(super) const LANGUAGE: &str = "en";
pub(super) const PRODUCT: &str = "Medici";

// Around every page.
pub(super) const SKIP: &str = "Skip to the content";
pub(super) const HOME: &str = "Medici: create and history";
pub(super) const THEME: &str = "Switch between light and dark";
pub(super) const FOOTER: &str = "Every picture is made by a model. Its price is held while it is drawn, and charged only once \
                                 the pictures are yours.";

// Create.
pub(super) const CREATE_TITLE: &str = "Create";
pub(super) const CREATE_HEADING: &str = "What shall we paint?";
pub(super) const PROMPT: &str = "Describe the picture";
pub(super) const PROMPT_MISSING: &str = "Write what you would like to see.";
pub(super) const PROMPT_HINT: &str = "A lion wearing sunglasses";
pub(super) const SIZE: &str = "Size";
pub(super) const COUNT: &str = "Pictures";
pub(super) const TRANSPARENT: &str = "Transparent background";
pub(super) const READINGS: &str = "A reading each";
pub(super) const READINGS_HINT: &str = "Words of several meanings are drawn in several: bat, mouse, crane";
pub(super) const SEED: &str = "Seed";
pub(super) const SEED_HINT: &str = "random";
pub(super) const GENERATE: &str = "Generate";
pub(super) const UNPRICED: &str = "Pictures have no price at present, so none can be drawn.";
pub(super) const SURPRISE: &str = "Surprise me";
pub(super) const SHORTCUT: &str = "Ctrl + Enter";
pub(super) const OFFLINE: &str =
    "The server did not answer. Nothing was lost: press the button again and it costs once at most.";

// Credits.
pub(super) const CREDITS: &str = "Credits";
pub(super) const CREDITS_NEXT_SPENT: &str = "Spent from the top: what expires first.";
pub(super) const NO_LOTS: &str = "There are no credits in this account.";

// Prices.
pub(super) const PRICES_LINK: &str = "Prices and their history";
pub(super) const PRICES_TITLE: &str = "Prices";
pub(super) const PRICES_HEADING: &str = "What it costs";
pub(super) const PRICES_HINT: &str = "Prices are never edited: each change is a version with the day it takes effect. \
                                      What you asked for keeps the price of the moment you asked.";
pub(super) const PRICES_IN_FORCE: &str = "In force";
pub(super) const PRICES_UPCOMING: &str = "Announced";
pub(super) const PRICES_OPERATIONS: &str = "Operations";
pub(super) const PRICES_PLANS: &str = "Plans";
pub(super) const PRICES_PACKS: &str = "Packs";
pub(super) const PRICES_GIFTS: &str = "Gifts";
pub(super) const PRICES_NEW: &str = "new";
pub(super) const PRICES_GONE: &str = "no longer sold";
pub(super) const PRICE_FREE: &str = "free";
pub(super) const PLAN_GRANDFATHER: &str = "whoever was on it before keeps the terms of before";

// The page of the APIs. What it says of each operation stands with the operations, in `openapi/`.
pub(super) const API_LINK: &str = "API";
pub(super) const API_TITLE: &str = "API";
pub(super) const API_HEADING: &str = "The API";
pub(super) const API_HINT: &str = "OpenAI's Images API under /v1, for its own unmodified clients, and an API of our own under \
                                   /api. Amounts are decimals as text, exact; instants are RFC 3339 in UTC. A key comes in \
                                   the Authorization header and nowhere else.";
pub(super) const API_DOCUMENT: &str = "For programs, the same as an OpenAPI 3.1 document:";
pub(super) const API_CONTENTS: &str = "Contents";
pub(super) const API_SHAPES: &str = "Shapes";
pub(super) const API_CODES: &str = "Codes of failures";
pub(super) const API_REQUEST: &str = "Request";
pub(super) const API_ANSWER: &str = "Answer";
pub(super) const API_PARAMETERS: &str = "Parameters";
pub(super) const API_BODY: &str = "Body";
pub(super) const API_HEADERS: &str = "Headers:";
pub(super) const API_REFUSALS: &str = "What it refuses";
pub(super) const API_REQUIRED: &str = "required";
pub(super) const API_IN_PATH: &str = "in the path";
pub(super) const API_IN_QUERY: &str = "in the query";
pub(super) const API_IN_HEADER: &str = "a header";
pub(super) const API_EVENT: &str = "an event";
pub(super) const API_LINE: &str = "each line";
pub(super) const API_ANY: &str = "any JSON";
pub(super) const API_TEXT: &str = "text";
pub(super) const API_INSTANT: &str = "instant";
pub(super) const API_DAY: &str = "day";
pub(super) const API_FILE: &str = "file";
pub(super) const API_FLAG: &str = "<code>true</code>, <code>false</code>";
pub(super) const API_OBJECT: &str = "object";
pub(super) const API_OR_NULL: &str = ", or <code>null</code>";

// Jobs.
pub(super) const EDIT: &str = "Edit";
pub(super) const VARIATIONS: &str = "Variations";
pub(super) const WITHOUT_WORDS: &str = "A picture without words";
pub(super) const JOB_TITLE: &str = "Pictures";
pub(super) const STARTING: &str = "Getting ready";
pub(super) const FINISHING: &str = "Finishing touches";
pub(super) const CANCEL: &str = "Cancel (credit returned)";
pub(super) const CANCELLED: &str = "Cancelled";
pub(super) const FAILED: &str = "Failed";
pub(super) const NOT_CHARGED: &str = "No credit was used";
pub(super) const RETURNED: &str = "Credit returned";
pub(super) const NEVER_COLLECTED: &str = "Free: it took longer than we promised";
pub(super) const SHORTFALL: &str = "Fewer than asked for, so no credit was used";
pub(super) const AGAIN: &str = "Use again";
pub(super) const USE_SEED: &str = "Use this request with this seed: the same pictures again";
pub(super) const USE_READING: &str = "Put this reading of the words into the prompt";
pub(super) const DOWNLOAD: &str = "Download PNG";
pub(super) const PROGRESS: &str = "Progress";
pub(super) const OPEN_JOB: &str = "Link to these pictures";
pub(super) const CONNECTION_LOST: &str = "The connection was lost. Trying again…";
pub(super) const BACK: &str = "Back to Create";
pub(super) const WATCH: &str = "Watch how it goes";
pub(super) const REFRESHES: &str = "This page looks again every second.";

// History.
pub(super) const HISTORY: &str = "History";
pub(super) const EMPTY: &str = "Your pictures will hang here.";
pub(super) const EMPTY_HINT: &str = "Nothing in mind? Begin with one of these.";
pub(super) const TODAY: &str = "Today";
pub(super) const YESTERDAY: &str = "Yesterday";
pub(super) const OLDER: &str = "Older";
pub(super) const NEWEST: &str = "Back to the newest";

// Viewer.
pub(super) const VIEWER: &str = "Picture";
pub(super) const CLOSE: &str = "Close";
pub(super) const PREVIOUS: &str = "Previous picture";
pub(super) const NEXT: &str = "Next picture";

// Pages without content.
pub(super) const NOT_FOUND: &str = "There is nothing here";
pub(super) const NOT_FOUND_HINT: &str = "The address is wrong, or what was here belongs to somebody else.";
pub(super) const SIGNED_OUT: &str = "This studio belongs to somebody";
pub(super) const SIGNED_OUT_HINT: &str = "If it is yours: open the URL that the server printed when it started. It signs this \
                                          browser in, once; from then on this address is enough.";
pub(super) const ELSEWHERE: &str = "That form came from another site";
pub(super) const ELSEWHERE_HINT: &str = "Nothing was done. Go back to Create and try again from there.";
pub(super) const UNREADABLE: &str = "That form could not be read";
pub(super) const UNREADABLE_HINT: &str = "Nothing was done and nothing was charged. Go back to Create and try again.";
pub(super) const BROKEN: &str = "That did not work";
pub(super) const BROKEN_HINT: &str =
    "The server could not answer just now. Your credits and pictures are safe; try again in a moment.";

const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];
const WEEKDAYS: [&str; 7] = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];

/// Prompts for "Surprise me". Every one of them has been drawn well by the pocket model.
pub(super) const SURPRISES: [&str; 24] = [
    "a red fox",
    "a penguin wearing a top hat",
    "a castle, flat illustration",
    "three apples",
    "a blue butterfly",
    "a robot and a sunflower",
    "a koala",
    "a rocket on a yellow background",
    "a cat on a pumpkin",
    "a bowl of ramen, 3d render",
    "a lion wearing sunglasses",
    "two parrots",
    "a purple octopus",
    "a cactus, flat illustration",
    "a unicorn",
    "a slice of pizza",
    "a balloon on a blue background",
    "a panda and a bicycle",
    "a snow-capped mountain",
    "a golden trophy",
    "a turtle",
    "a birthday cake, glossy 3d",
    "a guitar on a pink background",
    "a mushroom",
];

pub(super) fn credits(amount: Credits) -> String {
    if amount == Credits::whole(1) { "1 credit".into() } else { format!("{amount} credits") }
}

pub(super) fn api_keys(keys: &[&str]) -> String {
    match keys {
        [] => "Needs no key.".into(),
        ["account"] => "Needs the key of an account.".into(),
        ["operator"] => "Needs the operator's key.".into(),
        ["service", "operator"] => "Needs the key of a service, or the operator's.".into(),
        _ => "Needs any key.".into(),
    }
}

pub(super) fn api_text_up_to(characters: usize) -> String {
    format!("text of up to {characters} characters")
}

pub(super) fn api_whole(min: Option<i64>, max: Option<u64>) -> String {
    match (min, max) {
        (Some(min), Some(max)) => format!("whole number, {min} to {max}"),
        (Some(min), None) => format!("whole number, from {min}"),
        (None, Some(max)) => format!("whole number, up to {max}"),
        (None, None) => "whole number".into(),
    }
}

pub(super) fn api_list_of(kind: &str) -> String {
    format!("list of: {kind}")
}

pub(super) fn api_map_of(kind: &str) -> String {
    format!("object of names, each: {kind}")
}

pub(super) fn api_one_of(kinds: &[String]) -> String {
    kinds.join(", or ")
}

/// Which of several ways to say something a member belongs to.
pub(super) fn api_way(number: usize) -> String {
    format!("way {number}")
}

pub(super) fn api_default(value: &str) -> String {
    format!("; <code>{value}</code> if not said")
}

pub(super) fn prices_since(day: &str) -> String {
    format!("Since {day}")
}

pub(super) fn prices_from(day: &str) -> String {
    format!("From {day}")
}

pub(super) fn prices_between(from: &str, until: &str) -> String {
    format!("{from} until {until}")
}

pub(super) fn prices_published(day: &str, reason: &str) -> String {
    if reason.is_empty() { format!("Published {day}.") } else { format!("Published {day}: {reason}") }
}

pub(super) fn prices_before(terms: &str) -> String {
    format!("before: {terms}")
}

pub(super) fn price_under(operation: &str, conditions: &str) -> String {
    format!("{operation}, {conditions}")
}

pub(super) fn price_otherwise(operation: &str) -> String {
    format!("{operation}, otherwise")
}

pub(super) fn price_base(price: Credits) -> String {
    format!("{} a request", credits(price))
}

/// `1 credit for up to 4 pictures`
pub(super) fn price_covers(price: Credits, pictures: u32) -> String {
    match pictures {
        1 => format!("{} each", credits(price)),
        _ => format!("{} for up to {pictures} pictures", credits(price)),
    }
}

pub(super) fn price_each(price: Credits) -> String {
    format!("{} a picture", credits(price))
}

pub(super) fn price_megapixel(price: Credits) -> String {
    format!("{} a megapixel", credits(price))
}

pub(super) fn price_metered(price: Credits, meter: &str) -> String {
    format!("{} for 1,000 {meter}", credits(price))
}

fn months(count: u16) -> String {
    if count == 1 { "1 month".into() } else { format!("{count} months") }
}

pub(super) fn plan_month(monthly: Credits, price: Option<Money>, expires: u16) -> String {
    let price = price.map_or_else(|| "free".to_owned(), |price| format!("{price} a month"));
    format!("{price}, {} each month, which last {}", credits(monthly), months(expires))
}

pub(super) fn plan_rollover(max: Credits, count: u16) -> String {
    format!("up to {max} of a month's credits live on for {}", months(count))
}

pub(super) fn plan_images(max: u32) -> String {
    format!("at most {max} pictures a request")
}

pub(super) fn plan_jobs(max: u32) -> String {
    format!("at most {max} requests at a time")
}

pub(super) fn plan_models(models: &str) -> String {
    format!("models: {models}")
}

pub(super) fn pack(amount: Credits, bonus: Credits, price: Money, expires: u16) -> String {
    let bonus = if bonus.is_zero() { String::new() } else { format!(" and {bonus} as a gift") };
    format!("{price} for {}{bonus}, which last {}", credits(amount), months(expires))
}

pub(super) fn pack_volume(from: u32, price: Money) -> String {
    format!("{price} each for {from} or more")
}

pub(super) fn pack_graduated(from: u32, price: Money) -> String {
    format!("{price} each from the {from}th on")
}

pub(super) fn gift(bonus: Credits, expires: u16) -> String {
    format!("{} once, which last {}", credits(bonus), months(expires))
}

pub(super) fn generate(price: Credits) -> String {
    format!("Generate · {}", credits(price))
}

pub(super) fn try_again(price: Credits) -> String {
    format!("Try again · {}", credits(price))
}

pub(super) fn refill(amount: Credits, day: &str) -> String {
    format!("{amount} more on {day}")
}

pub(super) fn held(amount: Credits) -> String {
    format!("{amount} held for what is being drawn")
}

pub(super) fn lot(class: Class, amount: Credits) -> String {
    match class {
        Class::Free => format!("{amount} free"),
        Class::Promo => format!("{amount} as a gift"),
        Class::Paid => format!("{amount} bought"),
    }
}

pub(super) fn until(day: Option<&str>) -> String {
    day.map_or_else(|| "does not expire".into(), |day| format!("until {day}"))
}

/// Why nothing can be asked for with what there is.
pub(super) fn too_few(available: Credits, refill: Option<&str>) -> String {
    let have = if available.is_zero() {
        "You have no credits left.".into()
    } else {
        format!("You have {}, which is too few for this.", credits(available))
    };
    let next = refill.map_or_else(String::new, |refill| format!(" {refill}."));
    format!("{have}{next} Your words are kept.")
}

pub(super) fn charged(amount: Credits) -> String {
    format!("{} charged", credits(amount))
}

pub(super) fn held_for(amount: Credits) -> String {
    format!("{} held", credits(amount))
}

/// `1st in line · about 3 s`. The wait is left out where it is hardly one.
pub(super) fn in_line(position: usize, wait_seconds: u64) -> String {
    let suffix = match (position % 10, position % 100) {
        (1, rest) if rest != 11 => "st",
        (2, rest) if rest != 12 => "nd",
        (3, rest) if rest != 13 => "rd",
        _ => "th",
    };
    let place = if position <= 1 { "Next in line".into() } else { format!("{position}{suffix} in line") };
    match wait_seconds {
        0..2 => place,
        2..120 => format!("{place} · about {wait_seconds} s"),
        _ => format!("{place} · about {} min", wait_seconds.div_ceil(60)),
    }
}

/// `Step 7 of 12`; after the last step the pictures are enlarged and saved.
pub(super) fn step(at: u32, of: u32) -> String {
    if at < of { format!("Step {at} of {of}") } else { FINISHING.into() }
}

pub(super) fn size(size: Size) -> String {
    format!("{} × {}", size.width, size.height)
}

/// A size as a choice: squares are named by their side.
pub(super) fn size_choice(size: Size) -> String {
    if size.width == size.height { size.width.to_string() } else { self::size(size) }
}

pub(super) fn bad_size(text: &str) -> String {
    format!("“{text}” is not a size; choose one of those below.")
}

pub(super) fn bad_count(max: u32) -> String {
    format!("Choose 1 to {max} pictures.")
}

pub(super) fn bad_seed() -> String {
    format!("A seed is a whole number from 0 to {}, or nothing for a random one.", u64::MAX)
}

pub(super) fn prompt_too_long(used: usize, of: usize) -> String {
    format!("The description has {used} characters and {of} may be used. Nothing was cut: shorten it by {}.", used - of)
}

pub(super) fn image_alt(prompt: &str, number: u32, of: u32) -> String {
    format!("{prompt}, image {number} of {of}")
}

/// A prompt with what the engine had added to it for one picture.
pub(super) fn with_reading(prompt: &str, reading: &str) -> String {
    format!("{prompt}, {reading}")
}

pub(super) fn waiting_alt(number: u32, of: u32) -> String {
    format!("Early look at image {number} of {of}")
}

pub(super) fn open_image(number: u32) -> String {
    format!("Open image {number}")
}

pub(super) fn download_image(number: u32) -> String {
    format!("Download image {number} as PNG")
}

pub(super) fn announce_done(count: usize) -> String {
    if count == 1 { "Your picture is ready".into() } else { format!("Your {count} pictures are ready") }
}

pub(super) fn took(millis: i64) -> String {
    match millis {
        ..60_000 => format!("{}.{} s", millis / 1000, millis % 1000 / 100),
        60_000.. => format!("{} min {} s", millis / 60_000, millis % 60_000 / 1000),
    }
}

/// What a script writes under the prompt; `{used}` and `{of}` are its to fill in.
pub(super) const COUNTER: &str = "{used} of {of} characters";

pub(super) fn why_failed(reason: FailReason) -> &'static str {
    match reason {
        FailReason::Engine => "The model broke off while it drew this.",
        FailReason::BadSpec => "The model cannot draw this combination of words, size and background.",
        FailReason::WorkerLost => "The machine that drew this went away, twice.",
        FailReason::HoldExpired => "This waited too long for its turn.",
        FailReason::Storage => "The pictures could not be saved: the disk is full or failing.",
        FailReason::Source => "The picture it starts from could not be read back.",
        FailReason::Blocked => "What came out is not allowed here.",
        FailReason::NotJudged => "The pictures could not be checked just now, so they are not shown.",
    }
}

/// Says why a request was not taken, in words for the person who asked.
pub(super) fn why_refused(error: &SubmitError, refill: Option<&str>) -> String {
    match error {
        SubmitError::BadSpec(message) => sentence(message),
        SubmitError::PlanLimit { .. } => sentence(&error.to_string()),
        SubmitError::Blocked { categories } => {
            format!("These words are not allowed here ({}). Nothing was charged.", categories.join(", "))
        }
        SubmitError::NotJudged => {
            "The words cannot be checked just now, so nothing is drawn. Nothing was charged; try again in a minute."
                .into()
        }
        SubmitError::NoPrice(
            QuoteError::NoPrice { .. }
            | QuoteError::NothingAsked
            | QuoteError::TooMany { .. }
            | QuoteError::NoSize { .. }
            | QuoteError::NoMeter { .. },
        ) => "This has no price at present, so it cannot be drawn.".into(),
        SubmitError::Refused(Refusal::InsufficientCredits { available, .. }) => too_few(*available, refill),
        SubmitError::Refused(refusal) => sentence(&refusal.to_string()),
        SubmitError::KeyReused(_) => {
            "This form was sent before with other words. Please press the button again.".into()
        }
        SubmitError::NoAccount => "This account does not exist any more.".into(),
        SubmitError::QueueFull { .. } | SubmitError::QueueTooLong { .. } => {
            "Too much is waiting to be drawn right now. Nothing was charged; try again in a minute.".into()
        }
        SubmitError::Store(_) => BROKEN_HINT.into(),
    }
}

/// Makes a sentence of an error's text, which begins small and has no full stop.
pub(super) fn sentence(message: &str) -> String {
    let mut letters = message.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).chain(['.']).collect())
}

/// `1 Dec`, with the year where it is another one.
pub(super) fn day_short(day: i8, month: i8, year: i16, this_year: i16) -> String {
    let month = &month_name(month)[..3];
    if year == this_year { format!("{day} {month}") } else { format!("{day} {month} {year}") }
}

/// `Sunday 22 November 2026`.
pub(super) fn day_long(weekday: i8, day: i8, month: i8, year: i16) -> String {
    let weekday = WEEKDAYS[usize::try_from(weekday).expect("weekdays count from 0") % 7];
    format!("{weekday} {day} {} {year}", month_name(month))
}

fn month_name(month: i8) -> &'static str {
    MONTHS[usize::try_from(month - 1).expect("months count from 1") % 12]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_as_people_say_them() {
        assert_eq!(credits(Credits::whole(1)), "1 credit");
        assert_eq!(credits(Credits::ZERO), "0 credits");
        assert_eq!(credits("0.5".parse().unwrap()), "0.5 credits");
        assert_eq!(in_line(1, 0), "Next in line");
        assert_eq!(in_line(2, 40), "2nd in line · about 40 s");
        assert_eq!(in_line(11, 130), "11th in line · about 3 min");
        assert_eq!(in_line(23, 2), "23rd in line · about 2 s");
        assert_eq!(took(430), "0.4 s");
        assert_eq!(took(83_000), "1 min 23 s");
        assert_eq!(day_short(1, 12, 2026, 2026), "1 Dec");
        assert_eq!(day_short(1, 1, 2027, 2026), "1 Jan 2027");
        assert_eq!(day_long(6, 22, 11, 2026), "Sunday 22 November 2026");
    }

    #[test]
    fn a_refusal_is_a_sentence() {
        assert_eq!(why_refused(&SubmitError::BadSpec("the prompt is blank".into()), None), "The prompt is blank.");
    }
}
