//! `.env` files: `NAME=value`, with quotes, `export`, comments, values over several lines, and `$NAME` expansion.

use std::collections::BTreeMap;
use std::path::Path;

use super::model::{Position, Problem};

/// Most variables in one file, and the longest value after expansion, in bytes.
const VARIABLES_MAX: usize = 10_000;
const VALUE_BYTES_MAX: usize = 64 << 10;

/// Reads one file's text. `$NAME` and `${NAME}` look first in `outer`, then in what stands above in the file and in `inherited`.
pub fn parse(file: &Path, text: &str, outer: &BTreeMap<String, String>, inherited: &BTreeMap<String, String>) -> Parsed {
    let mut parsed = Parsed::default();
    let text = text.strip_prefix('\u{feff}').unwrap_or(text).replace("\r\n", "\n");
    let mut lines = text.split('\n').enumerate();
    while let Some((index, line)) = lines.next() {
        let trimmed = line.trim_start();
        if trimmed.trim_end().is_empty() || trimmed.starts_with('#') {
            continue;
        }
        let at = Position { file: file.to_path_buf(), line: index as u32 + 1, column: (line.len() - trimmed.len()) as u32 + 1 };
        let assignment = trimmed.strip_prefix("export ").map_or(trimmed, str::trim_start);
        let Some((name, value)) = assignment.split_once('=') else {
            parsed.problems.push(Problem::error(&at, "this line is not `NAME=value`").with_help("put `#` before a comment"));
            continue;
        };
        let name = name.trim();
        if name.is_empty()
            || !name
                .bytes()
                .enumerate()
                .all(|(i, b)| b == b'_' || b == b'.' || b == b'-' || b.is_ascii_alphabetic() || (i > 0 && b.is_ascii_digit()))
        {
            let help = "letters, digits and `_`, not beginning with a digit";
            parsed.problems.push(Problem::error(&at, format!("`{name}` is not a name of a variable")).with_help(help));
            continue;
        }
        let value = value.trim_start();
        let value = match value.chars().next() {
            Some(quote @ ('"' | '\'' | '`')) => {
                let mut body = value[1..].to_string();
                while closing(&body, quote).is_none() {
                    match lines.next() {
                        Some((_, more)) if body.len() < VALUE_BYTES_MAX => {
                            body.push('\n');
                            body.push_str(more);
                        }
                        _ => break,
                    }
                }
                let Some(end) = closing(&body, quote) else {
                    parsed.problems.push(Problem::error(&at, format!("the quote {quote} of `{name}` is never closed")));
                    break;
                };
                if quote == '"' {
                    expand(&unescape(&body[..end]), &|n| lookup(n, outer, &parsed.variables, inherited))
                } else {
                    body[..end].to_string()
                }
            }
            _ => {
                let end = value
                    .char_indices()
                    .find(|(i, c)| *c == '#' && (*i == 0 || value[..*i].ends_with([' ', '\t'])))
                    .map_or(value.len(), |(i, _)| i);
                expand(value[..end].trim_end(), &|n| lookup(n, outer, &parsed.variables, inherited))
            }
        };
        if value.len() > VALUE_BYTES_MAX || parsed.variables.len() >= VARIABLES_MAX {
            parsed.problems.push(Problem::error(&at, format!("`{name}` is too much: {VARIABLES_MAX} variables of 64 KiB are allowed")));
            break;
        }
        parsed.variables.insert(name.to_string(), value);
    }
    parsed
}

/// What a file says, and what is wrong with it.
#[derive(Debug, Default, PartialEq)]
pub struct Parsed {
    pub variables: BTreeMap<String, String>,
    pub problems: Vec<Problem>,
}

fn lookup<'a>(
    name: &str,
    outer: &'a BTreeMap<String, String>,
    own: &'a BTreeMap<String, String>,
    inherited: &'a BTreeMap<String, String>,
) -> Option<&'a str> {
    outer.get(name).or_else(|| own.get(name)).or_else(|| inherited.get(name)).map(String::as_str)
}

/// Where the quote ends that was opened before `body`.
fn closing(body: &str, quote: char) -> Option<usize> {
    let mut escaped = false;
    for (index, c) in body.char_indices() {
        if escaped {
            escaped = false;
        } else if c == '\\' && quote == '"' {
            escaped = true;
        } else if c == quote {
            return Some(index);
        }
    }
    None
}

/// Only line ends, tabs, quotes and backslashes; `\$` stays for `expand`.
fn unescape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        if c != '\\' {
            out.push(c);
            continue;
        }
        match chars.next() {
            Some('n') => out.push('\n'),
            Some('r') => out.push('\r'),
            Some('t') => out.push('\t'),
            Some(quoted @ ('"' | '\\')) => out.push(quoted),
            Some(other) => out.extend(['\\', other]),
            None => out.push('\\'),
        }
    }
    out
}

/// Replaces `$NAME`, `${NAME}` and `${NAME:-default}`; `\$` is a dollar. Unknown names become nothing.
fn expand<'a>(text: &str, get: &dyn Fn(&str) -> Option<&'a str>) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(dollar) = rest.find('$') {
        if rest[..dollar].ends_with('\\') {
            out.push_str(&rest[..dollar - 1]);
            out.push('$');
            rest = &rest[dollar + 1..];
            continue;
        }
        out.push_str(&rest[..dollar]);
        let after = &rest[dollar + 1..];
        if let Some(inner) = after.strip_prefix('{')
            && let Some(end) = inner.find('}')
        {
            let (name, default) = inner[..end].split_once(":-").map_or((&inner[..end], None), |(n, d)| (n, Some(d)));
            out.push_str(get(name).filter(|v| !v.is_empty()).or(default).unwrap_or_default());
            rest = &inner[end + 1..];
            continue;
        }
        let length = after.find(|c: char| !(c == '_' || c.is_ascii_alphanumeric())).unwrap_or(after.len());
        if length == 0 || after.starts_with(|c: char| c.is_ascii_digit()) {
            out.push('$');
            rest = after;
        } else {
            out.push_str(get(&after[..length]).unwrap_or_default());
            rest = &after[length..];
        }
        if out.len() > VALUE_BYTES_MAX {
            break;
        }
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: &str) {
        let outer = BTreeMap::from([("HOST".to_string(), "host".to_string())]);
        let parsed = parse(Path::new(".env"), text, &outer, &BTreeMap::new());
        let mut shown: Vec<String> = parsed.variables.iter().map(|(k, v)| format!("{k}={v:?}")).collect();
        shown.extend(parsed.problems.iter().map(|p| format!("!{}: {}", p.at.as_ref().map_or(0, |a| a.line), p.message)));
        assert_eq!(shown.join(" "), expected, "{text}");
    }

    #[test]
    fn lines_are_read_as_dotenv_reads_them() {
        check("A=1\n\n# c\n  export B = two words  # comment", "A=\"1\" B=\"two words\"");
        check("A=a#b\nB=#c\nC=", "A=\"a#b\" B=\"\" C=\"\"");
        check("A='x # $HOST\\n'", "A=\"x # $HOST\\\\n\"");
        check("A=\"x\\ty \\\"q\\\"\" # c", "A=\"x\\ty \\\"q\\\"\"");
        check("A=\"one\ntwo\"\r\nB=3", "A=\"one\\ntwo\" B=\"3\"");
        check("A=$HOST/${HOST}/${NO:-d}/$NO/\\$A/$5\nB=$A", "A=\"host/host/d//$A/$5\" B=\"host/host/d//$A/$5\"");
        check("A=\"open\nB=1", "!1: the quote \" of `A` is never closed");
        check("nonsense\n1A=2\nB=1", "B=\"1\" !1: this line is not `NAME=value` !2: `1A` is not a name of a variable");
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in "(?s)[A-C='\"`$\\\\{}#\n :-]{0,60}") {
            let _ = parse(Path::new(".env"), &text, &BTreeMap::new(), &BTreeMap::new());
        }
    }
}
