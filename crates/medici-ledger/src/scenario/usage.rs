//! What a request asks to be priced, as a line writes it.

use super::prices::parse_size;
use super::words::Words;
use crate::operation::Operation;
use crate::price_rule::MeterName;
use crate::quote::Usage;

/// Reads what follows an operation: `[xCOUNT] [model M] [quality Q] [size WxH] [steps N] [METER=COUNT …]`.
pub(super) fn parse_usage(operation: Operation, words: &mut Words<'_>) -> Result<Usage, String> {
    let (mut usage, mut meters) = (Usage::of(operation, 1), Vec::new());
    if let Some(number) = words.peek().and_then(|word| word.strip_prefix('x')) {
        usage.count = number.parse().map_err(|_| format!("a count such as x4 needed, x{number} found"))?;
        words.next("count")?;
    }
    while let Some(word) = words.peek() {
        match word {
            "model" => usage.model = Some(words.after("model", |words| words.next("model"))?.into()),
            "quality" => usage.quality = Some(words.after("quality", |words| words.next("quality"))?.into()),
            "steps" => usage.steps = Some(words.after("steps", |words| words.parse("number of steps"))?),
            "size" => (usage.width, usage.height) = words.after("size", parse_size)?,
            _ if word.contains('=') => meters.extend(parse_meters(words)?),
            _ => break,
        }
    }
    usage.meters = meters.into();
    Ok(usage)
}

/// Reads `[METER=COUNT …]`.
pub(super) fn parse_meters(words: &mut Words<'_>) -> Result<Vec<(MeterName, u64)>, String> {
    let mut meters = Vec::new();
    while let Some((meter, count)) = words.peek().and_then(|word| word.split_once('=')) {
        words.next("meter")?;
        let meter: MeterName = meter.parse().map_err(|error| format!("{error}"))?;
        let count = count.parse().map_err(|_| format!("a count such as {meter}=5 needed, {count:?} found"))?;
        meters.push((meter, count));
    }
    Ok(meters)
}
