//! Regular expressions as Google's services have them: RE2's. They are those of the `regex` crate, but for what is told here.
//! Source: the page "Syntax" of RE2.

use std::fmt::Write;
use std::iter::Peekable;
use std::str::Chars;

use regex::{Regex, RegexBuilder};

/// Compiles an expression, which and whose cache take at most `bytes_max` each. What is searched with it takes time in proportion to the
/// text, whatever the expression.
///
/// # Errors
/// Where it is none, or is too large.
pub fn compile(text: &str, bytes_max: usize) -> Result<Regex, regex::Error> {
    RegexBuilder::new(&translated(text)).size_limit(bytes_max).dfa_size_limit(bytes_max).build()
}

/// The same expression for the `regex` crate.
///
/// In RE2 `\d`, `\s`, `\w` and `\b` know ASCII alone, there are `\Q…\E` and `\123`, a brace that repeats nothing stands for itself, and within
/// brackets there are neither further ones nor `&&`, `--` and `~~`.
fn translated(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 16);
    let mut rest = text.chars().peekable();
    while let Some(c) = rest.next() {
        match c {
            '\\' => escape(&mut rest, &mut out),
            '[' => brackets(&mut rest, &mut out),
            '{' if !repeats(rest.clone()) => out.push_str("\\{"),
            c => out.push(c),
        }
    }
    out
}

/// What stands after a backslash, but not within brackets.
fn escape(rest: &mut Peekable<Chars<'_>>, out: &mut String) {
    match rest.peek() {
        Some('b') => out.push_str("(?-u:\\b)"),
        Some('B') => out.push_str("(?-u:\\B)"),
        Some('Q') => {
            rest.next();
            let mut literal = String::new();
            while let Some(c) = rest.next() {
                if c == '\\' && rest.next_if_eq(&'E').is_some() {
                    break;
                }
                literal.push(c);
            }
            out.push_str(&regex::escape(&literal));
            return;
        }
        _ => return class_or_other(rest, out),
    }
    rest.next();
}

/// What stands after a backslash, within brackets or not.
fn class_or_other(rest: &mut Peekable<Chars<'_>>, out: &mut String) {
    let class = match rest.peek() {
        Some('d') => "[0-9]",
        Some('D') => "[^0-9]",
        Some('s') => "[\\t\\n\\f\\r ]",
        Some('S') => "[^\\t\\n\\f\\r ]",
        Some('w') => "[0-9A-Za-z_]",
        Some('W') => "[^0-9A-Za-z_]",
        Some('0'..='7') => return octal(rest, out),
        other => {
            out.push('\\');
            let has_name = matches!(other, Some('p' | 'P' | 'x'));
            out.extend(other);
            rest.next();
            if has_name {
                out.extend(rest.next_if_eq(&'{'));
            }
            return;
        }
    };
    out.push_str(class);
    rest.next();
}

/// Up to three octal digits. One alone that is not zero would refer to what was found before, which there is not.
fn octal(rest: &mut Peekable<Chars<'_>>, out: &mut String) {
    let digits: String = std::iter::from_fn(|| rest.next_if(|c| ('0'..='7').contains(c))).take(3).collect();
    if digits.len() == 1 && digits != "0" {
        let _ = write!(out, "\\{digits}");
    } else {
        let code = u32::from_str_radix(&digits, 8).expect("octal digits");
        let _ = write!(out, "\\x{{{code:x}}}");
    }
}

/// Whether what follows an opening brace makes it a repetition.
fn repeats(mut rest: Peekable<Chars<'_>>) -> bool {
    let digits = |rest: &mut Peekable<Chars<'_>>| std::iter::from_fn(|| rest.next_if(char::is_ascii_digit)).count();
    if digits(&mut rest) == 0 {
        return false;
    }
    if rest.next_if_eq(&',').is_some() {
        digits(&mut rest);
    }
    rest.next() == Some('}')
}

/// What stands after an opening bracket, up to the closing one.
fn brackets(rest: &mut Peekable<Chars<'_>>, out: &mut String) {
    out.push('[');
    out.extend(rest.next_if_eq(&'^'));
    if rest.next_if_eq(&']').is_some() {
        out.push_str("\\]");
    }
    // Whether a hyphen before makes a range of what comes.
    let mut is_range = false;
    let mut is_first = true;
    while let Some(c) = rest.next() {
        let was_range = std::mem::take(&mut is_range);
        match c {
            ']' => {
                out.push(']');
                return;
            }
            '\\' => class_or_other(rest, out),
            '[' => match posix(rest.clone()) {
                Some(length) => {
                    out.push('[');
                    out.extend(rest.by_ref().take(length));
                }
                None => out.push_str("\\["),
            },
            '-' if is_first || was_range => out.push_str("\\-"),
            '-' => {
                is_range = true;
                out.push('-');
            }
            '&' | '~' => out.extend(['\\', c]),
            c => out.push(c),
        }
        is_first = false;
    }
}

/// How many characters of a class such as `[:alpha:]` follow its opening bracket, where it is one.
fn posix(mut rest: Peekable<Chars<'_>>) -> Option<usize> {
    rest.next_if_eq(&':')?;
    let negated = usize::from(rest.next_if_eq(&'^').is_some());
    let letters = std::iter::from_fn(|| rest.next_if(char::is_ascii_lowercase)).count();
    (rest.next() == Some(':') && rest.next() == Some(']')).then_some(letters + negated + 3)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn expressions_find_what_they_find_in_re2() {
        for (pattern, found, missed) in [
            (r"^\w+$", vec!["aZ_9"], vec!["é", "ſ", "a b"]),
            (r"^\W$", vec!["é", " "], vec!["a"]),
            (r"^\d$", vec!["7"], vec!["٣"]),
            (r"^[\d-]+$", vec!["1-2"], vec!["٣"]),
            (r"^[^\D]$", vec!["1"], vec!["a"]),
            (r"^\s$", vec![" ", "\n"], vec!["\u{b}", "\u{a0}"]),
            (r"\bf", vec!["éf", "f"], vec!["af"]),
            (r"a\Bb", vec!["ab"], vec!["a b"]),
            (r"^.$", vec!["é", "😀"], vec!["\n", "ab"]),
            (r"^\Qa.b[\E+$", vec!["a.b[["], vec!["axb["]),
            (r"^\Qa.b", vec!["a.b"], vec!["axb"]),
            (r"^\101\x42\x{43}\0$", vec!["ABC\0"], vec![]),
            (r"^a{2}$", vec!["aa"], vec!["a"]),
            (r"^a{1,}b{0,1}$", vec!["aab", "a"], vec!["abb"]),
            (r"^a{,2}$", vec!["a{,2}"], vec!["aa"]),
            (r"^{x}$", vec!["{x}"], vec!["x"]),
            (r"^[[a]+$", vec!["[a"], vec!["b"]),
            (r"^[]a]+$", vec!["]a"], vec!["b"]),
            (r"^[^]a]$", vec!["b"], vec!["]", "a"]),
            (r"^[a&&b]+$", vec!["a&b"], vec!["c"]),
            (r"^[a~~b]+$", vec!["a~b"], vec!["c"]),
            (r"^[--/]+$", vec!["-./"], vec!["+"]),
            (r"^[+--]+$", vec!["+,-"], vec!["."]),
            (r"^[a-c-]+$", vec!["abc-"], vec!["d"]),
            (r"^[[:alpha:]_]+$", vec!["a_"], vec!["é", "1"]),
            (r"^[[:^alpha:]]$", vec!["1"], vec!["a"]),
            (r"^[[:x]+$", vec!["[:x"], vec!["y"]),
            (r"^\p{Greek}\pL$", vec!["αé"], vec!["ab"]),
            (r"(?i)^straße$", vec!["STRAßE"], vec!["STRASSE"]),
            (r"(?s)^a.b$", vec!["a\nb"], vec!["ab"]),
            (r"^(?P<a>x)(?:y|z)\.\[$", vec!["xy.["], vec!["x"]),
        ] {
            let compiled = compile(pattern, 1 << 20).unwrap_or_else(|error| panic!("{pattern}: {error}"));
            for text in found {
                assert!(compiled.is_match(text), "{pattern} finds {text:?}");
            }
            for text in missed {
                assert!(!compiled.is_match(text), "{pattern} does not find {text:?}");
            }
        }
        for pattern in [r"(", r"[a", r"a\1", r"\", r"a\", r"[\", r"\8", r"(?=a)", r"(?<!a)", r"*", r"\C", r"[b-a]", r"(a{1000}){1000}"] {
            assert!(compile(pattern, 1 << 20).is_err(), "{pattern}");
        }
    }

    proptest::proptest! {
        /// What has none of the signs that differ is left as it is.
        #[test]
        fn any_text_is_read_to_its_end(text in r"[ab\\\[\]\^\-:&~{}(),QEdwb0-9é]{0,24}") {
            let out = translated(&text);
            if !text.contains(['\\', '[', '{']) {
                proptest::prop_assert_eq!(&out, &text);
            }
            let _ = compile(&text, 1 << 16);
        }
    }
}
