//! Frames: text after its length, counted as JavaScript counts, in units of UTF-16.

/// A frame of text.
pub fn framed(text: &str) -> String {
    format!("{}\n{text}", text.encode_utf16().count())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Reads frames as the client does: a line of digits, then as many units.
    fn read(stream: &str) -> Option<Vec<String>> {
        let units: Vec<u16> = stream.encode_utf16().collect();
        let (mut at, mut frames) = (0, Vec::new());
        while at < units.len() {
            let line = units[at..].iter().position(|unit| *unit == u16::from(b'\n'))?;
            let length: usize = String::from_utf16(&units[at..at + line]).ok()?.parse().ok()?;
            let begin = at + line + 1;
            frames.push(String::from_utf16(units.get(begin..begin + length)?).ok()?);
            at = begin + length;
        }
        Some(frames)
    }

    #[test]
    fn lengths_are_neither_those_of_bytes_nor_those_of_characters() {
        for (text, wanted) in [("", "0\n"), ("[1]", "3\n[1]"), ("ü", "1\nü"), ("😀", "2\n😀"), ("e\u{301}", "2\ne\u{301}")] {
            assert_eq!(framed(text), wanted);
        }
    }

    proptest! {
        #[test]
        fn whatever_is_sent_is_read_again(texts in proptest::collection::vec(any::<String>(), 0..8)) {
            let sent: String = texts.iter().map(|text| framed(text)).collect();
            prop_assert_eq!(read(&sent), Some(texts));
        }
    }
}
