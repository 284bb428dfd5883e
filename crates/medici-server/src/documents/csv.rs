//! Comma-separated values as RFC 4180 has them, which a spreadsheet takes for text and never for formulas.

/// Appends a record of fields to a document.
pub fn record<'a>(document: &mut String, fields: impl IntoIterator<Item = &'a str>) {
    for (place, field) in fields.into_iter().enumerate() {
        if place > 0 {
            document.push(',');
        }
        push(document, field);
    }
    document.push_str("\r\n");
}

/// What a spreadsheet begins a formula with, or skips before one.
const BEGIN_FORMULAS: [char; 6] = ['=', '+', '-', '@', '\t', '\r'];

fn push(document: &mut String, field: &str) {
    // A negative number begins as a formula does, and is none.
    let formula = field.starts_with(BEGIN_FORMULAS) && !is_decimal(field);
    let quoted = field.contains(['"', ',', '\r', '\n']);
    if quoted {
        document.push('"');
    }
    if formula {
        document.push('\'');
    }
    match quoted {
        true => document.push_str(&field.replace('"', "\"\"")),
        false => document.push_str(field),
    }
    if quoted {
        document.push('"');
    }
}

fn is_decimal(field: &str) -> bool {
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    let number = field.strip_prefix('-').unwrap_or(field);
    number.split_once('.').map_or_else(|| digits(number), |(whole, fraction)| digits(whole) && digits(fraction))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(fields: &[&str]) -> String {
        let mut document = String::new();
        record(&mut document, fields.iter().copied());
        document
    }

    #[test]
    fn fields_are_quoted_where_they_must_be() {
        assert_eq!(written(&["a", "b c", ""]), "a,b c,\r\n");
        assert_eq!(written(&["a,b", "say \"hi\"", "two\nlines"]), "\"a,b\",\"say \"\"hi\"\"\",\"two\nlines\"\r\n");
    }

    #[test]
    fn a_field_is_never_a_formula() {
        for field in ["=1+1", "+1", "-1+1", "-", "@SUM(A1)", "\tx", "--1", "-1.", "-.5"] {
            assert_eq!(written(&[field]), format!("'{field}\r\n"));
        }
        assert_eq!(written(&["\r=1"]), "\"'\r=1\"\r\n");
        for number in ["-1", "-14.25", "0", "15.00"] {
            assert_eq!(written(&[number]), format!("{number}\r\n"));
        }
    }
}
