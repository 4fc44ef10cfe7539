//! Patterns of paths: globs as Hosting documents them, with `:name` for what is captured, or regular expressions (RE2).

use regex::Regex;

use crate::base::re2;
use crate::project::firebase::{PATTERN_BYTES_MAX, Pattern as Written};

/// A pattern that is ready to be compared.
pub struct Pattern {
    regex: Regex,
    /// Groups that must not be one of these: `!(a|b)`.
    not: Vec<(String, Regex)>,
    /// `!pattern`: everything else.
    negated: bool,
}

/// What a path has in the place of names, in order.
pub type Captures = Vec<(String, String)>;

impl Pattern {
    /// `None` where it is no pattern, or a huge one.
    pub fn of(written: &Written) -> Option<Pattern> {
        match written {
            Written::Regex(text) => Some(Pattern { regex: re2::compile(text, PATTERN_BYTES_MAX).ok()?, not: Vec::new(), negated: false }),
            Written::Glob(glob) => {
                let (negated, glob) = match glob.strip_prefix('!') {
                    // `!(a|b)` at the beginning is a group.
                    Some(rest) if !rest.starts_with('(') => (true, rest),
                    _ => (false, glob.as_str()),
                };
                let mut making = Making::default();
                making.glob(glob.trim_start_matches('/'))?;
                let not = making.not.iter().map(|(name, text)| Some((name.clone(), compile(&format!("^(?:{text})$"))?)));
                Some(Pattern { regex: compile(&format!("^/?{}$", making.text))?, not: not.collect::<Option<_>>()?, negated })
            }
        }
    }

    /// What is captured, where a path matches.
    pub fn captures(&self, path: &str) -> Option<Captures> {
        let found = self.regex.captures(path).filter(|found| {
            let allowed = |(name, not): &(String, Regex)| found.name(name).is_none_or(|part| !not.is_match(part.as_str()));
            self.not.iter().all(allowed)
        });
        if self.negated {
            return found.is_none().then(Vec::new);
        }
        let found = found?;
        let numbered = (1..found.len()).filter_map(|at| Some((at.to_string(), found.get(at)?.as_str().to_owned())));
        let named = self.regex.capture_names().flatten().filter_map(|name| Some((name.to_owned(), found.name(name)?.as_str().to_owned())));
        Some(named.chain(numbered).collect())
    }

    pub fn matches(&self, path: &str) -> bool {
        self.captures(path).is_some()
    }
}

fn compile(text: &str) -> Option<Regex> {
    regex::RegexBuilder::new(text).size_limit(PATTERN_BYTES_MAX).build().ok()
}

/// A regular expression that is made of a glob.
#[derive(Default)]
struct Making {
    text: String,
    not: Vec<(String, String)>,
}

/// Groups within groups at most.
const DEPTH_MAX: usize = 8;

impl Making {
    fn glob(&mut self, glob: &str) -> Option<()> {
        let chars: Vec<char> = glob.chars().collect();
        let mut at = 0;
        self.part(&chars, &mut at, 0, &[])?;
        (at == chars.len()).then_some(())
    }

    /// Up to one of `ends`, which stays.
    fn part(&mut self, chars: &[char], at: &mut usize, depth: usize, ends: &[char]) -> Option<()> {
        if depth > DEPTH_MAX {
            return None;
        }
        while let Some(c) = chars.get(*at).copied().filter(|c| !ends.contains(c)) {
            let next = chars.get(*at + 1).copied();
            *at += 1;
            match (c, next) {
                ('@' | '+' | '*' | '?' | '!', Some('(')) => {
                    *at += 1;
                    let inner = self.group(chars, at, depth, ')', '|')?;
                    match c {
                        '!' => {
                            let name = format!("not{}", self.not.len());
                            self.text.push_str(&format!("(?P<{name}>[^/]*)"));
                            self.not.push((name, inner));
                        }
                        '@' => self.text.push_str(&format!("(?:{inner})")),
                        c => self.text.push_str(&format!("(?:{inner}){c}")),
                    }
                }
                ('{', _) => {
                    let inner = self.group(chars, at, depth, '}', ',')?;
                    self.text.push_str(&format!("(?:{inner})"));
                }
                ('*', Some('*')) => {
                    *at += 1;
                    if chars.get(*at) == Some(&'/') {
                        *at += 1;
                        self.text.push_str("(?:.*/)?");
                    } else {
                        self.text.push_str(".*");
                    }
                }
                ('*', _) => self.text.push_str("[^/]*"),
                ('?', _) => self.text.push_str("[^/]"),
                ('[', _) => {
                    let end = *at + chars.get(*at..)?.iter().position(|c| *c == ']')?;
                    let class: String = chars.get(*at..end)?.iter().collect();
                    let (not, class) = class.strip_prefix('!').map_or(("", class.as_str()), |class| ("^", class));
                    self.text.push_str(&format!("[{not}{}]", class.replace('\\', "\\\\").replace('[', "\\[")));
                    *at = end + 1;
                }
                (':', Some(first)) if first.is_ascii_alphabetic() || first == '_' => {
                    let length = chars.get(*at..)?.iter().take_while(|c| c.is_ascii_alphanumeric() || **c == '_').count();
                    let name: String = chars.get(*at..*at + length)?.iter().collect();
                    *at += length;
                    // `:name*` takes slashes too.
                    let many = chars.get(*at) == Some(&'*');
                    *at += usize::from(many);
                    self.text.push_str(&format!("(?P<{name}>{})", if many { ".*" } else { "[^/]+" }));
                }
                (c, _) => self.text.push_str(&regex::escape(c.encode_utf8(&mut [0; 4]))),
            }
        }
        Some(())
    }

    /// Alternatives, after the bracket that opens them.
    fn group(&mut self, chars: &[char], at: &mut usize, depth: usize, close: char, between: char) -> Option<String> {
        let mut inner = Making::default();
        loop {
            inner.part(chars, at, depth + 1, &[close, between])?;
            let end = *chars.get(*at)?;
            *at += 1;
            if end == close {
                return Some(inner.text);
            }
            inner.text.push('|');
        }
    }
}

/// A destination with what was captured in the place of `:name`.
pub fn fill(destination: &str, captures: &Captures) -> String {
    let mut out = String::with_capacity(destination.len());
    let mut rest = destination;
    while let Some(at) = rest.find(':') {
        out.push_str(&rest[..at]);
        let after = &rest[at + 1..];
        let length = after.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).unwrap_or(after.len());
        match captures.iter().find(|(name, _)| length > 0 && *name == after[..length]) {
            Some((_, value)) => {
                out.push_str(value);
                rest = after[length..].strip_prefix('*').unwrap_or(&after[length..]);
            }
            None => {
                out.push(':');
                rest = after;
            }
        }
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn globs_mean_what_hosting_documents() {
        let check = |glob: &str, path: &str| Pattern::of(&Written::Glob(glob.into())).expect(glob).matches(path);
        for (glob, path, wanted) in [
            ("**", "/a/b.html", true),
            ("/foo", "/foo", true),
            ("/foo", "/foo/bar", false),
            ("/foo/**", "/foo/bar/x", true),
            ("/foo/**", "/foo", false),
            ("/foo{,/**}", "/foo", true),
            ("/foo{,/**}", "/foo/x", true),
            ("**/*.js", "/a/b/c.js", true),
            ("**/*.js", "/c.js", true),
            ("*.js", "/a/c.js", false),
            ("**/*.@(jpg|png)", "/a/x.png", true),
            ("**/*.@(jpg|png)", "/a/x.gif", false),
            ("**/*.!(js|css)", "/a/x.html", true),
            ("**/*.!(js|css)", "/a/x.js", false),
            ("!/@(css|img)/**", "/js/x", true),
            ("!/@(css|img)/**", "/css/x", false),
            ("/page?", "/page1", true),
            ("/[a-c]x", "/bx", true),
            ("/[!a-c]x", "/bx", false),
            ("/a.b", "/aXb", false),
        ] {
            assert_eq!(check(glob, path), wanted, "{glob} {path}");
        }
        assert!(Pattern::of(&Written::Glob("/{a".into())).is_none());
    }

    #[test]
    fn what_is_captured_goes_into_destinations() {
        let check = |written: Written, path: &str, destination: &str| {
            Pattern::of(&written).and_then(|pattern| pattern.captures(path)).map(|captures| fill(destination, &captures))
        };
        let glob = |text: &str| Written::Glob(text.into());
        assert_eq!(check(glob("/blog/:year/:post"), "/blog/2026/x", "/p/:post?y=:year").as_deref(), Some("/p/x?y=2026"));
        assert_eq!(check(glob("/old/:rest*"), "/old/a/b", "https://new.example/:rest").as_deref(), Some("https://new.example/a/b"));
        assert_eq!(check(Written::Regex("^/a/(?P<x>.+)/(\\d+)$".into()), "/a/b/7", "/:x/:2").as_deref(), Some("/b/7"));
    }

    proptest::proptest! {
        #[test]
        fn any_pattern_is_compiled_or_refused(glob in r"[a-c/*?!@+(){}\[\],|:.\\-]{0,30}", path in "[a-c/.]{0,20}") {
            let _ = Pattern::of(&Written::Glob(glob)).map(|pattern| pattern.matches(&path));
        }
    }
}
