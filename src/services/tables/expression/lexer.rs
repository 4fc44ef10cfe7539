//! The words of an expression.

/// A word and where it stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Token<'a> {
    pub kind: Kind,
    pub text: &'a str,
    /// Bytes from the start of the expression.
    pub at: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A letter or underscore, then letters, digits and underscores.
    Word,
    /// `#name`.
    Name,
    /// `:name`.
    Value,
    /// Digits.
    Index,
    /// Punctuation and operators.
    Mark,
    /// Anything else.
    Unknown,
    End,
}

/// Splits a text into words; the last is [`Kind::End`].
pub fn split(text: &str) -> Vec<Token<'_>> {
    let bytes = text.as_bytes();
    let mut tokens = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        let run = |from: usize| bytes[from..].iter().take_while(|b| b.is_ascii_alphanumeric() || **b == b'_').count();
        let (kind, length) = match bytes[at] {
            b' ' | b'\t' | b'\n' | b'\r' => {
                at += 1;
                continue;
            }
            b'A'..=b'Z' | b'a'..=b'z' | b'_' => (Kind::Word, run(at)),
            b'#' if run(at + 1) > 0 => (Kind::Name, 1 + run(at + 1)),
            b':' if run(at + 1) > 0 => (Kind::Value, 1 + run(at + 1)),
            b'0'..=b'9' => (Kind::Index, run(at)),
            b'<' if matches!(bytes.get(at + 1), Some(b'=' | b'>')) => (Kind::Mark, 2),
            b'>' if bytes.get(at + 1) == Some(&b'=') => (Kind::Mark, 2),
            b'<' | b'>' | b'=' | b'(' | b')' | b'[' | b']' | b',' | b'.' | b'+' | b'-' => (Kind::Mark, 1),
            _ => (Kind::Unknown, text[at..].chars().next().map_or(1, char::len_utf8)),
        };
        tokens.push(Token { kind, text: &text[at..at + length], at });
        at += length;
    }
    tokens.push(Token { kind: Kind::End, text: "<EOF>", at });
    tokens
}
