//! The bodies of `POST /api/events`: an array or lines of JSON, read without a copy.
//!
//! What is no JSON at all fails the request. What is JSON and no event is an outcome of that event alone, so a value
//! of any type is read wherever one of another type was expected.

use std::{borrow::Cow, fmt};

use medici_ledger::{
    EXTERNAL_ID_MAX, ExternalId, KeyId, MemberId, MeterName, Meters as Quantities, NAME_MAX, OPERATION_NAME_MAX,
    Operation, Spender, Timestamp, Usage,
};
use medici_studio::EventFingerprint;
use serde::{
    Deserialize, Deserializer,
    de::{IgnoredAny, MapAccess, SeqAccess, Visitor},
};

use crate::error::{Fault, sentence};

/// The most events of one request.
pub(super) const EVENTS_MAX: usize = 10_000;
/// The most meters of one event.
const METERS_MAX: usize = 16;
/// A short event.
const EVENT_BYTES_USUAL: usize = 128;

/// One event as it was sent, right or wrong.
#[derive(Default)]
pub(super) struct Sent<'a> {
    pub(super) id: Value<'a>,
    account: Value<'a>,
    operation: Value<'a>,
    count: Value<'a>,
    meters: Meters<'a>,
    happened_at: Value<'a>,
    member: Value<'a>,
    key: Value<'a>,
    /// What no event may have: a member twice or of another name, or no members at all.
    wrong: Option<Box<Wrong>>,
}

/// A value of which text and whole numbers are kept.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) enum Value<'a> {
    /// Not there, or null.
    #[default]
    Absent,
    Text(Cow<'a, str>),
    Whole(u64),
    Other,
}

#[derive(Default)]
enum Meters<'a> {
    #[default]
    Absent,
    Some(Vec<(Cow<'a, str>, Value<'a>)>),
    Other,
}

/// An event that can be priced.
pub(super) struct Event<'a> {
    pub(super) id: ExternalId,
    /// An id or a name.
    pub(super) account: &'a str,
    pub(super) usage: Usage,
    pub(super) spender: Spender,
    pub(super) happened_at: Option<Timestamp>,
    pub(super) fingerprint: EventFingerprint,
}

/// What is wrong with an event.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Wrong {
    pub(super) code: &'static str,
    pub(super) detail: String,
}

fn wrong(code: &'static str, detail: impl Into<String>) -> Wrong {
    Wrong { code, detail: detail.into() }
}

/// Reads a JSON array of events.
pub(super) fn array(text: &str) -> Result<Vec<Sent<'_>>, Fault> {
    let mut json = serde_json::Deserializer::from_str(text);
    let room = (text.len() / EVENT_BYTES_USUAL).min(EVENTS_MAX);
    let read = json.deserialize_seq(OfArray { room }).and_then(|read| json.end().map(|()| read));
    let read = read.map_err(|problem| match problem.classify() {
        serde_json::error::Category::Data => {
            Fault::request("invalid_json", "The request's body must be a JSON array of events.")
        }
        _ => crate::body::malformed(&problem),
    })?;
    within(read.found)?;
    Ok(read.events)
}

/// Reads one event a line. Empty lines are none.
pub(super) fn lines(text: &str) -> Result<Vec<Sent<'_>>, Fault> {
    let numbered = (1_usize..).zip(text.split('\n'));
    let filled = || numbered.clone().filter(|(_, line)| !line.trim_ascii().is_empty());
    within(filled().count())?;
    filled()
        .map(|(number, line)| {
            serde_json::from_str(line).map_err(|problem| {
                // The parser's own place is within the line.
                let place = format!(" at line {} column {}", problem.line(), problem.column());
                let words = problem.to_string().replace(&place, "");
                let column = problem.column();
                Fault::request(
                    "invalid_json",
                    format!("Line {number} of the body is no JSON, at column {column}: {words}."),
                )
            })
        })
        .collect()
}

fn within(found: usize) -> Result<(), Fault> {
    if found > EVENTS_MAX { Err(Fault::TooManyEvents { found, max: EVENTS_MAX }) } else { Ok(()) }
}

struct Array<'a> {
    events: Vec<Sent<'a>>,
    /// All of them, also those beyond the bound, which are not kept.
    found: usize,
}

struct OfArray {
    /// How many events to make room for.
    room: usize,
}

impl<'de> Visitor<'de> for OfArray {
    type Value = Array<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array of events")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Array<'de>, A::Error> {
        let mut events = Vec::with_capacity(self.room);
        while events.len() < EVENTS_MAX {
            match seq.next_element()? {
                Some(event) => events.push(event),
                None => break,
            }
        }
        let mut found = events.len();
        while seq.next_element::<IgnoredAny>()?.is_some() {
            found += 1;
        }
        Ok(Array { events, found })
    }
}

impl<'de> Deserialize<'de> for Sent<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(OfSent)
    }
}

struct OfSent;

impl OfSent {
    fn no_object<'a, E>() -> Result<Sent<'a>, E> {
        let problem = wrong("invalid_type", "An event is a JSON object.");
        Ok(Sent { wrong: Some(problem.into()), ..Sent::default() })
    }
}

impl<'de> Visitor<'de> for OfSent {
    type Value = Sent<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an event")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Sent<'de>, A::Error> {
        let mut sent = Sent::default();
        let mut seen = 0_u8;
        while let Some(Name(name)) = map.next_key()? {
            let (bit, place) = match &*name {
                "id" => (0, &mut sent.id),
                "account" => (1, &mut sent.account),
                "operation" => (2, &mut sent.operation),
                "count" => (3, &mut sent.count),
                "happened_at" => (4, &mut sent.happened_at),
                "member" => (5, &mut sent.member),
                "key" => (6, &mut sent.key),
                "meters" => {
                    sent.meters = map.next_value()?;
                    if seen & 1 << 7 != 0 {
                        sent.wrong = Some(twice("meters").into());
                    }
                    seen |= 1 << 7;
                    continue;
                }
                _ => {
                    map.next_value::<IgnoredAny>()?;
                    let shown: String = name.chars().take(40).collect();
                    let problem = wrong("unknown_parameter", format!("An event has no member {shown:?}."));
                    sent.wrong = Some(problem.into());
                    continue;
                }
            };
            *place = map.next_value()?;
            if seen & 1 << bit != 0 {
                sent.wrong = Some(twice(&name).into());
            }
            seen |= 1 << bit;
        }
        Ok(sent)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Sent<'de>, A::Error> {
        while seq.next_element::<IgnoredAny>()?.is_some() {}
        Self::no_object()
    }

    fn visit_bool<E>(self, _: bool) -> Result<Sent<'de>, E> {
        Self::no_object()
    }

    fn visit_i64<E>(self, _: i64) -> Result<Sent<'de>, E> {
        Self::no_object()
    }

    fn visit_u64<E>(self, _: u64) -> Result<Sent<'de>, E> {
        Self::no_object()
    }

    fn visit_f64<E>(self, _: f64) -> Result<Sent<'de>, E> {
        Self::no_object()
    }

    fn visit_str<E>(self, _: &str) -> Result<Sent<'de>, E> {
        Self::no_object()
    }

    fn visit_unit<E>(self) -> Result<Sent<'de>, E> {
        Self::no_object()
    }
}

fn twice(name: &str) -> Wrong {
    wrong("invalid_value", format!("An event says '{name}' once."))
}

/// The name of a member.
struct Name<'a>(Cow<'a, str>);

impl<'de> Deserialize<'de> for Name<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct OfName;
        impl<'de> Visitor<'de> for OfName {
            type Value = Name<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a member's name")
            }

            fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Name<'de>, E> {
                Ok(Name(Cow::Borrowed(text)))
            }

            fn visit_str<E>(self, text: &str) -> Result<Name<'de>, E> {
                Ok(Name(Cow::Owned(text.to_owned())))
            }
        }
        deserializer.deserialize_str(OfName)
    }
}

struct OfValue;

impl<'de> Visitor<'de> for OfValue {
    type Value = Value<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Value<'de>, E> {
        Ok(Value::Text(Cow::Borrowed(text)))
    }

    fn visit_str<E>(self, text: &str) -> Result<Value<'de>, E> {
        Ok(Value::Text(Cow::Owned(text.to_owned())))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Value<'de>, E> {
        Ok(Value::Whole(number))
    }

    fn visit_i64<E>(self, _: i64) -> Result<Value<'de>, E> {
        Ok(Value::Other)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Value<'de>, E> {
        Ok(Value::Other)
    }

    fn visit_bool<E>(self, _: bool) -> Result<Value<'de>, E> {
        Ok(Value::Other)
    }

    fn visit_unit<E>(self) -> Result<Value<'de>, E> {
        Ok(Value::Absent)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Value<'de>, A::Error> {
        while seq.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Value::Other)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value<'de>, A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Value::Other)
    }
}

impl<'de> Deserialize<'de> for Value<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(OfValue)
    }
}

impl<'de> Deserialize<'de> for Meters<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct OfMeters;
        impl<'de> Visitor<'de> for OfMeters {
            type Value = Meters<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("meters")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Meters<'de>, A::Error> {
                let mut meters = Vec::with_capacity(2);
                while let Some(Name(name)) = map.next_key()? {
                    let value = map.next_value()?;
                    // One more than there may be is enough to see that there are too many.
                    if meters.len() <= METERS_MAX {
                        meters.push((name, value));
                    }
                }
                Ok(Meters::Some(meters))
            }

            fn visit_unit<E>(self) -> Result<Meters<'de>, E> {
                Ok(Meters::Absent)
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Meters<'de>, A::Error> {
                while seq.next_element::<IgnoredAny>()?.is_some() {}
                Ok(Meters::Other)
            }

            fn visit_bool<E>(self, _: bool) -> Result<Meters<'de>, E> {
                Ok(Meters::Other)
            }

            fn visit_i64<E>(self, _: i64) -> Result<Meters<'de>, E> {
                Ok(Meters::Other)
            }

            fn visit_u64<E>(self, _: u64) -> Result<Meters<'de>, E> {
                Ok(Meters::Other)
            }

            fn visit_f64<E>(self, _: f64) -> Result<Meters<'de>, E> {
                Ok(Meters::Other)
            }

            fn visit_str<E>(self, _: &str) -> Result<Meters<'de>, E> {
                Ok(Meters::Other)
            }
        }
        deserializer.deserialize_any(OfMeters)
    }
}

/// Reads events of one request: what they have in common is parsed once.
#[derive(Default)]
pub(super) struct Reader {
    operation: Option<Operation>,
    meters: Vec<(MeterName, u64)>,
    canonical: Vec<u8>,
}

impl Reader {
    /// Returns the event that was sent, or what is wrong with it.
    pub(super) fn event<'a>(&mut self, sent: &'a Sent<'_>) -> Result<Event<'a>, Wrong> {
        if let Some(wrong) = &sent.wrong {
            return Err(Wrong::clone(wrong));
        }
        let id = needed("id", &sent.id)?.parse().map_err(|_| {
            wrong("invalid_value", format!("'id' must be 1 to {EXTERNAL_ID_MAX} visible ASCII characters."))
        })?;
        let account = needed("account", &sent.account)?;
        let operation = self.operation(needed("operation", &sent.operation)?)?;
        let count = count(&sent.count)?;
        let meters = self.meters(&sent.meters)?;
        let happened_at = happened_at(&sent.happened_at)?;
        let member: Option<MemberId> = parsed("member", &sent.member)?;
        let key: Option<KeyId> = parsed("key", &sent.key)?;
        let mut usage = Usage::of(operation, count);
        usage.meters = meters;
        let spender = Spender { member, key };
        let fingerprint = self.fingerprint(&usage, spender, happened_at);
        Ok(Event { id, account, usage, spender, happened_at, fingerprint })
    }

    fn operation(&mut self, text: &str) -> Result<Operation, Wrong> {
        if let Some(operation) = self.operation.as_ref().filter(|operation| operation.as_str() == text) {
            return Ok(operation.clone());
        }
        let allowed = format!("'operation' must be 1 to {OPERATION_NAME_MAX} characters a-z, 0-9, '_', '.', '-'.");
        let operation: Operation = text.parse().map_err(|_| wrong("invalid_value", allowed))?;
        self.operation = Some(operation.clone());
        Ok(operation)
    }

    /// Returns the quantities by meter name, which is how they are priced, fingerprinted and kept.
    fn meters(&mut self, meters: &Meters<'_>) -> Result<Quantities, Wrong> {
        let sent = match meters {
            Meters::Absent => return Ok(Quantities::default()),
            Meters::Some(sent) => sent,
            Meters::Other => return Err(wrong("invalid_type", "'meters' must be an object of whole numbers.")),
        };
        if sent.len() > METERS_MAX {
            return Err(wrong("invalid_value", format!("'meters' may have {METERS_MAX} members.")));
        }
        let read = &mut self.meters;
        read.clear();
        for (name, value) in sent {
            let allowed = || format!("The name of a meter must be 1 to {NAME_MAX} characters a-z, 0-9, '_', '-'.");
            let meter: MeterName = name.parse().map_err(|_| wrong("invalid_value", allowed()))?;
            let Value::Whole(quantity) = value else {
                return Err(wrong("invalid_type", format!("'meters': '{name}' must be a whole number.")));
            };
            read.push((meter, *quantity));
        }
        read.sort_unstable();
        match read.windows(2).find(|pair| pair[0].0 == pair[1].0) {
            Some(pair) => Err(wrong("invalid_value", format!("'meters' says '{}' once.", pair[0].0))),
            None => Ok(read.as_slice().into()),
        }
    }

    /// The account is part of the event's name, whether it was said by id or by name: it is not in here.
    fn fingerprint(&mut self, usage: &Usage, spender: Spender, happened_at: Option<Timestamp>) -> EventFingerprint {
        let bytes = &mut self.canonical;
        bytes.clear();
        let length = |text: &[u8]| u8::try_from(text.len()).expect("names are short");
        let operation = usage.operation.as_str().as_bytes();
        bytes.push(length(operation));
        bytes.extend_from_slice(operation);
        bytes.extend_from_slice(&usage.count.to_be_bytes());
        bytes.push(u8::try_from(usage.meters.len()).expect("an event has few meters"));
        for (meter, quantity) in &*usage.meters {
            let from = bytes.len();
            bytes.push(0);
            meter.append_to(bytes);
            bytes[from] = length(&bytes[from + 1..]);
            bytes.extend_from_slice(&quantity.to_be_bytes());
        }
        let ids = [spender.member.map(MemberId::as_u128), spender.key.map(KeyId::as_u128)];
        for id in ids {
            bytes.push(u8::from(id.is_some()));
            bytes.extend(id.into_iter().flat_map(u128::to_be_bytes));
        }
        bytes.extend(happened_at.into_iter().flat_map(|at| at.micros().to_be_bytes()));
        EventFingerprint::of(bytes)
    }
}

fn needed<'a>(name: &'static str, value: &'a Value<'_>) -> Result<&'a str, Wrong> {
    text(name, value)?.ok_or_else(|| wrong("missing_required_parameter", format!("An event needs '{name}'.")))
}

fn text<'a>(name: &'static str, value: &'a Value<'_>) -> Result<Option<&'a str>, Wrong> {
    match value {
        Value::Absent => Ok(None),
        Value::Text(text) => Ok(Some(text)),
        Value::Whole(_) | Value::Other => Err(wrong("invalid_type", format!("'{name}' must be a string."))),
    }
}

fn parsed<T: std::str::FromStr<Err: fmt::Display>>(name: &'static str, value: &Value<'_>) -> Result<Option<T>, Wrong> {
    let Some(text) = text(name, value)? else { return Ok(None) };
    text.parse().map(Some).map_err(|problem| wrong("invalid_value", format!("'{name}': {}", sentence(&problem))))
}

fn count(value: &Value<'_>) -> Result<u32, Wrong> {
    match value {
        Value::Absent => Ok(1),
        Value::Whole(0) => Err(wrong("integer_below_min_value", "'count' must be at least 1.")),
        Value::Whole(number) => u32::try_from(*number)
            .map_err(|_| wrong("integer_above_max_value", format!("'count' must be at most {}.", u32::MAX))),
        Value::Text(_) | Value::Other => Err(wrong("invalid_type", "'count' must be a whole number.")),
    }
}

fn happened_at(value: &Value<'_>) -> Result<Option<Timestamp>, Wrong> {
    let Some(text) = text("happened_at", value)? else { return Ok(None) };
    // The ledger reads dates without a time too, for people; a machine says an instant.
    let instant = text.bytes().any(|byte| matches!(byte, b'T' | b't'))
        && (text.ends_with(['Z', 'z']) || text.len() > 6 && matches!(text.as_bytes()[text.len() - 6], b'+' | b'-'));
    text.parse()
        .ok()
        .filter(|_| instant)
        .map(Some)
        .ok_or_else(|| wrong("invalid_value", "'happened_at' must be an instant such as 2026-11-30T23:59:00Z."))
}
