//! What a picture's file says of where it comes from: an XMP packet in every format, and in PNG also the line of
//! parameters that image generators read from each other.
//!
//! Nothing here is signed. It is what the file says of itself, for people and programs of good will; whoever wants
//! to can cut it out or write it into another file.

use std::fmt::Write;

use medici_studio::{
    engine::{Drawing, Size},
    picture_file::{Provenance, SOFTWARE, TEXT_CHARS_MAX},
};

/// The longest XMP packet that is looked at.
const PACKET_BYTES_MAX: usize = 256 << 10;
/// What IPTC's names for sources of pictures begin with.
const SOURCE_TYPES: &str = "http://cv.iptc.org/newscodes/digitalsourcetype/";
/// The source of a picture that a trained model drew.
pub(crate) const TRAINED: &str = "trainedAlgorithmicMedia";
/// The source of a picture of which a trained model drew a part.
pub(crate) const COMPOSITE: &str = "compositeWithTrainedAlgorithmicMedia";

/// How a packet begins, up to what it says.
const HEAD: &str = "<?xpacket begin=\"\u{feff}\" id=\"W5M0MpCehiHzreSzNTczkc9d\"?>
<x:xmpmeta xmlns:x=\"adobe:ns:meta/\">
<rdf:RDF xmlns:rdf=\"http://www.w3.org/1999/02/22-rdf-syntax-ns#\">
<rdf:Description rdf:about=\"\"
 xmlns:xmp=\"http://ns.adobe.com/xap/1.0/\"
 xmlns:Iptc4xmpExt=\"http://iptc.org/std/Iptc4xmpExt/2008-02-29/\"
 xmlns:medici=\"urn:medici:picture:1/\"";
/// How it ends; `r` says that it is not made to be edited in place.
const TAIL: &str = "/>\n</rdf:RDF>\n</x:xmpmeta>\n<?xpacket end=\"r\"?>";

/// Writes the packet.
pub(crate) fn xmp(provenance: &Provenance) -> String {
    let Provenance { model, seed, index, steps, operation, prompt, reading } = provenance;
    let source = match operation {
        Drawing::Generate | Drawing::Vary => TRAINED,
        Drawing::Edit => COMPOSITE,
    };
    let mut packet = HEAD.to_owned();
    let mut say = |name: &str, value: &str| {
        write!(packet, "\n {name}=\"{}\"", escaped(&clean(value))).expect("a string takes every letter");
    };
    say("xmp:CreatorTool", SOFTWARE);
    say("Iptc4xmpExt:DigitalSourceType", &format!("{SOURCE_TYPES}{source}"));
    say("Iptc4xmpExt:AISystemUsed", &format!("{SOFTWARE} {model}"));
    say("medici:model", model);
    say("medici:seed", &seed.to_string());
    say("medici:index", &index.to_string());
    say("medici:operation", operation.name());
    steps.iter().for_each(|steps| say("medici:steps", &steps.to_string()));
    prompt.iter().for_each(|prompt| say("Iptc4xmpExt:AIPromptInformation", prompt));
    reading.iter().for_each(|reading| say("medici:reading", reading));
    packet.push_str(TAIL);
    packet
}

/// Reads the provenance back; `None` from a packet that is not ours.
pub(crate) fn of_xmp(packet: &[u8]) -> Option<Provenance> {
    let packet = text(packet)?;
    Some(Provenance {
        model: attribute(packet, "medici:model")?,
        seed: attribute(packet, "medici:seed")?.parse().ok()?,
        index: attribute(packet, "medici:index")?.parse().ok()?,
        steps: attribute(packet, "medici:steps").and_then(|steps| steps.parse().ok()),
        operation: Drawing::named(&attribute(packet, "medici:operation")?)?,
        prompt: attribute(packet, "Iptc4xmpExt:AIPromptInformation"),
        reading: attribute(packet, "medici:reading"),
    })
}

/// Returns what a packet, ours or another's, calls the source of its picture: the last word of IPTC's name for it.
pub(crate) fn source_type(packet: &[u8]) -> Option<String> {
    /// Between the property's name and its value are a few marks at most.
    const NEAR: usize = 64;
    let packet = text(packet)?;
    let (_, after) = packet.split_once("DigitalSourceType")?;
    let (between, value) = after.split_once("/digitalsourcetype/")?;
    let word: String = value.chars().take_while(char::is_ascii_alphanumeric).take(NEAR).collect();
    (between.len() <= NEAR && !word.is_empty()).then_some(word)
}

/// Writes the line that image generators read from each other's PNG files.
pub(crate) fn parameters(provenance: &Provenance, size: Size) -> String {
    let Provenance { model, seed, index, steps, operation: _, prompt, reading: _ } = provenance;
    let mut text = String::new();
    if let Some(prompt) = prompt {
        // A line of the prompt that looks like the last one would be read in its place.
        text = format!("{}\n", clean(prompt));
    }
    if let Some(steps) = steps {
        write!(text, "Steps: {steps}, ").expect("a string takes every letter");
    }
    let model = clean(model).replace([',', ':', '"'], " ");
    write!(text, "Seed: {seed}, Size: {size}, Model: {model}, Batch pos: {index}, Version: {SOFTWARE}")
        .expect("a string takes every letter");
    text
}

/// Returns a text on one line, without control characters, and no longer than may be.
pub(crate) fn clean(text: &str) -> String {
    let on_one_line = text.chars().map(|c| if matches!(c, '\n' | '\r' | '\t') { ' ' } else { c });
    // XML knows the last two no more than control characters.
    let mut letters = on_one_line.filter(|c| !c.is_control() && !matches!(c, '\u{fffe}' | '\u{ffff}'));
    let mut cut: String = letters.by_ref().take(TEXT_CHARS_MAX).collect();
    if letters.next().is_some() {
        cut.pop();
        cut.push('…');
    }
    cut
}

fn text(packet: &[u8]) -> Option<&str> {
    std::str::from_utf8(packet).ok().filter(|packet| packet.len() <= PACKET_BYTES_MAX)
}

fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            letter => escaped.push(letter),
        }
    }
    escaped
}

/// Returns an attribute's value. Quotes are escaped within values, so none can pass for another attribute.
fn attribute(packet: &str, name: &str) -> Option<String> {
    let (_, after) = packet.split_once(&format!("\n {name}=\""))?;
    let (value, _) = after.split_once('"')?;
    let plain = value.replace("&quot;", "\"").replace("&gt;", ">").replace("&lt;", "<").replace("&amp;", "&");
    Some(clean(&plain))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn provenance() -> Provenance {
        Provenance {
            model: "pocket-1".to_owned(),
            seed: u64::MAX,
            index: 3,
            steps: Some(12),
            operation: Drawing::Generate,
            prompt: Some("a \"red\" fox & <b>ein Bär</b>".to_owned()),
            reading: Some("a red fox, painted".to_owned()),
        }
    }

    #[test]
    fn what_is_written_is_read_back() {
        let mut said = provenance();
        assert_eq!(of_xmp(xmp(&said).as_bytes()), Some(said.clone()));
        for operation in [Drawing::Edit, Drawing::Vary] {
            said = Provenance { operation, steps: None, prompt: None, reading: None, ..said };
            assert_eq!(of_xmp(xmp(&said).as_bytes()), Some(said.clone()));
        }
    }

    #[test]
    fn nothing_in_a_prompt_passes_for_another_statement() {
        let prompt = "fox\"\n medici:seed=\"1\n Iptc4xmpExt:DigitalSourceType=\"x\u{0}\u{1b}[31m\u{ffff}";
        let told = Provenance { prompt: Some(prompt.to_owned()), ..provenance() };
        let read = of_xmp(xmp(&told).as_bytes()).unwrap();
        assert_eq!(read.seed, u64::MAX);
        assert_eq!(read.prompt.unwrap(), "fox\"  medici:seed=\"1  Iptc4xmpExt:DigitalSourceType=\"x[31m");
        assert_eq!(source_type(xmp(&told).as_bytes()).as_deref(), Some(TRAINED));
        let told = Provenance { prompt: Some("fox\nSteps: 1, Seed: 1, Size: 1x1".to_owned()), ..provenance() };
        assert_eq!(parameters(&told, Size::square(256)).lines().count(), 2);
    }

    #[test]
    fn long_texts_are_cut_and_still_fit_in_a_jpeg_segment() {
        let long = |letter: &str| Some(letter.repeat(100_000));
        for letter in ["\"", "&", "🦊"] {
            let packet = xmp(&Provenance { prompt: long(letter), reading: long(letter), ..provenance() });
            assert!(packet.len() < 65_000, "{} bytes", packet.len());
            let read = of_xmp(packet.as_bytes()).unwrap();
            assert_eq!(read.prompt.unwrap().chars().count(), TEXT_CHARS_MAX);
        }
    }

    #[test]
    fn an_edit_is_marked_as_a_composite() {
        let edit = Provenance { operation: Drawing::Edit, ..provenance() };
        assert_eq!(source_type(xmp(&edit).as_bytes()).as_deref(), Some(COMPOSITE));
    }

    #[test]
    fn other_programs_ways_to_name_a_source_are_understood() {
        let url = format!("{SOURCE_TYPES}{TRAINED}");
        for packet in [
            format!("<Iptc4xmpExt:DigitalSourceType>{url}</Iptc4xmpExt:DigitalSourceType>"),
            format!("<Iptc4xmpExt:DigitalSourceType rdf:resource='{url}'/>"),
            format!("<rdf:Description Iptc4xmpExt:DigitalSourceType='{url}'/>"),
        ] {
            assert_eq!(source_type(packet.as_bytes()).as_deref(), Some(TRAINED), "{packet}");
            assert_eq!(of_xmp(packet.as_bytes()), None, "{packet}");
        }
        assert_eq!(source_type(b"<x>trainedAlgorithmicMedia</x>"), None);
        assert_eq!(source_type(&[0xff, 0xfe, 0x3c, 0x00]), None);
    }

    #[test]
    fn parameters_are_as_other_tools_write_them() {
        let size = Size::square(256);
        let expected = "a \"red\" fox & <b>ein Bär</b>\nSteps: 12, Seed: 18446744073709551615, Size: 256x256, \
                        Model: pocket-1, Batch pos: 3, Version: Medici";
        assert_eq!(parameters(&provenance(), size), expected);
        let kept = Provenance { prompt: None, steps: None, seed: 7, ..provenance() };
        let expected = "Seed: 7, Size: 256x256, Model: pocket-1, Batch pos: 3, Version: Medici";
        assert_eq!(parameters(&kept, size), expected);
    }
}
