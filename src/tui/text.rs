//! Text for a terminal: made harmless, measured, cut and worded. What functions and senders write may hold anything.

use std::borrow::Cow;

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use crate::base::Time;
use crate::base::number::grouped;

/// Columns of a tab stop.
const TAB: usize = 4;

/// Whether a character would do something to a terminal other than show itself: controls of both kinds, and marks that turn the
/// direction of what is around them.
pub fn is_harmful(c: char) -> bool {
    c.is_control() || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

/// One line: harmful characters are shown as `·`, line feeds as `⏎`, tabs as a blank.
pub fn line(text: &str) -> Cow<'_, str> {
    if !text.chars().any(is_harmful) {
        return Cow::Borrowed(text);
    }
    Cow::Owned(
        text.chars()
            .map(|c| match c {
                '\n' => '⏎',
                '\t' => ' ',
                c if is_harmful(c) => '·',
                c => c,
            })
            .collect(),
    )
}

/// Lines of `width` columns at most: long ones go on in the next, tabs are blanks up to the next stop, harmful characters are `·`.
/// At most `lines_max`.
pub fn wrap(text: &str, width: usize, lines_max: usize) -> Vec<String> {
    let width = width.max(2);
    let mut lines = Vec::new();
    for row in text.lines() {
        let (mut line, mut used) = (String::new(), 0);
        for c in row.chars() {
            let shown = if c == '\t' {
                ' '
            } else if is_harmful(c) {
                '·'
            } else {
                c
            };
            let columns = if c == '\t' { TAB - used % TAB } else { shown.width().unwrap_or(1) };
            if used + columns > width {
                lines.push(std::mem::take(&mut line));
                used = 0;
                if lines.len() >= lines_max {
                    return lines;
                }
            }
            if c == '\t' {
                line.extend(std::iter::repeat_n(' ', columns))
            } else {
                line.push(shown)
            }
            used += columns;
        }
        lines.push(line);
        if lines.len() >= lines_max {
            return lines;
        }
    }
    lines
}

/// How many columns a harmless text takes.
pub fn width(text: &str) -> usize {
    text.width()
}

/// The text in exactly `width` columns: cut with `…` or filled up with blanks.
pub fn fit(text: &str, width: usize) -> String {
    let text = line(text);
    let have = text.width();
    if have <= width {
        return format!("{text}{}", " ".repeat(width - have));
    }
    let mut cut = head(&text, width.saturating_sub(1));
    if width > 0 {
        cut.push('…');
    }
    let have = cut.width();
    cut.extend(std::iter::repeat_n(' ', width.saturating_sub(have)));
    cut
}

/// The same at the right edge.
pub fn fit_right(text: &str, width: usize) -> String {
    let have = line(text).width();
    if have >= width { fit(text, width) } else { format!("{}{}", " ".repeat(width - have), line(text)) }
}

fn head(text: &str, width: usize) -> String {
    let mut used = 0;
    text.chars()
        .take_while(|c| {
            used += c.width().unwrap_or(0);
            used <= width
        })
        .collect()
}

/// JSON laid out over lines; what is not JSON as it is.
pub fn pretty(data: &[u8]) -> String {
    serde_json::from_slice::<serde_json::Value>(data)
        .and_then(|value| serde_json::to_string_pretty(&value))
        .unwrap_or_else(|_| String::from_utf8_lossy(data).into_owned())
}

/// Microseconds as a person reads them, in 8 columns at most.
pub fn duration(micros: u64) -> String {
    match micros {
        0..1_000 => format!("{micros} µs"),
        1_000..100_000 => format!("{:.1} ms", micros as f64 / 1e3),
        100_000..1_000_000 => format!("{} ms", micros / 1_000),
        1_000_000..100_000_000 => format!("{:.2} s", micros as f64 / 1e6),
        100_000_000..7_200_000_000 => format!("{} min", micros / 60_000_000),
        _ => format!("{} h", micros / 3_600_000_000),
    }
}

/// Bytes as a person reads them: `812 B`, `3.1 KB`, `2.0 MB` (of 1,024).
pub fn bytes(n: u64) -> String {
    match n {
        0..1_024 => format!("{n} B"),
        1_024..1_048_576 => format!("{:.1} KB", n as f64 / 1_024.0),
        1_048_576..1_073_741_824 => format!("{:.1} MB", n as f64 / 1_048_576.0),
        _ => format!("{:.1} GB", n as f64 / 1_073_741_824.0),
    }
}

/// A number with its thousands apart; from ten million on shortened.
pub fn count(n: u64) -> String {
    if n >= 10_000_000 {
        return format!("{:.1} M", n as f64 / 1e6);
    }
    grouped(&n.to_string())
}

/// `1 error`, `2 errors`.
pub fn counted(n: u64, one: &str) -> String {
    format!("{} {one}{}", count(n), if n == 1 { "" } else { "s" })
}

/// The time of day, UTC.
pub fn clock(time: Time) -> String {
    time.utc().format("%H:%M:%S").to_string()
}

/// How long from `from` to `to`, roughly: `in 5 min`, `2 h ago`.
pub fn away(from: Time, to: Time) -> String {
    let ms = to.0.saturating_sub(from.0);
    let seconds = ms.unsigned_abs() / 1_000;
    let span = match seconds {
        0..120 => format!("{seconds} s"),
        120..7_200 => format!("{} min", seconds / 60),
        7_200..172_800 => format!("{} h", seconds / 3_600),
        _ => format!("{} days", seconds / 86_400),
    };
    if ms >= 0 { format!("in {span}") } else { format!("{span} ago") }
}

/// Whether `text` holds `wanted`, which is in lower case; ASCII letters of either case are the same.
pub fn holds(text: &[u8], wanted: &str) -> bool {
    let wanted = wanted.as_bytes();
    wanted.is_empty() || text.windows(wanted.len()).any(|part| part.eq_ignore_ascii_case(wanted))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_reaches_the_terminal_but_characters_that_show_themselves() {
        assert_eq!(line("a\x1b[31mb\u{9b}2J\u{202e}c\r\nd\te"), "a·[31mb·2J·c·⏎d e");
        assert_eq!(line("plain ✓ 你好"), "plain ✓ 你好");
        for text in wrap("\x1b]0;x\x07\tab\u{85}", 3, 99) {
            assert!(!text.chars().any(is_harmful), "{text:?}");
        }
    }

    #[test]
    fn lines_are_as_wide_as_they_should_be() {
        for (text, wide, expected) in [("abc", 5, "abc  "), ("abcdef", 4, "abc…"), ("你好吗", 4, "你… "), ("x", 0, "")] {
            assert_eq!(fit(text, wide), expected);
        }
        assert_eq!(fit_right("7", 3), "  7");
        assert_eq!(wrap("abcdef\n\n\tx", 4, 99), ["abcd", "ef", "", "    ", "x"]);
        assert_eq!(wrap("你好吗", 4, 99), ["你好", "吗"]);
        assert_eq!(wrap("a\nb\nc", 4, 2), ["a", "b"]);
    }

    #[test]
    fn amounts_are_worded_for_people() {
        for (micros, text) in [(7, "7 µs"), (1_540, "1.5 ms"), (340_000, "340 ms"), (2_000_000, "2.00 s"), (7_200_000_000, "2 h")] {
            assert_eq!(duration(micros), text);
        }
        assert_eq!((count(1_234_567), count(999), count(12_345_678)), ("1,234,567".into(), "999".into(), "12.3 M".into()));
        assert_eq!((bytes(812), bytes(3_200), bytes(2 << 20)), ("812 B".into(), "3.1 KB".into(), "2.0 MB".into()));
        assert_eq!((away(Time(0), Time(300_000)), away(Time(9_000), Time(0))), ("in 5 min".into(), "9 s ago".into()));
    }

    #[test]
    fn searching_does_not_mind_case() {
        assert!(holds(b"POST /Orders", "post /o") && holds(b"x", "") && !holds(b"ab", "abc"));
    }
}
