//! Patterns of document paths: `users/{id}`, `{all=**}`, `logs/*`. Source: "Path patterns" (Eventarc), and the wildcards of the first
//! generation, which stand for one segment each.

/// A pattern, segment by segment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pattern(Vec<Segment>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Segment {
    Literal(String),
    One,
    /// Any number of segments, none too.
    Any,
}

impl Pattern {
    pub fn new(text: &str) -> Pattern {
        let segment = |part: &str| match part.strip_prefix('{').and_then(|part| part.strip_suffix('}')) {
            Some(inner) if inner.split_once('=').is_some_and(|(_, pattern)| pattern.contains("**")) => Segment::Any,
            Some(_) => Segment::One,
            None if part == "**" => Segment::Any,
            None if part == "*" => Segment::One,
            None => Segment::Literal(part.to_owned()),
        };
        Pattern(text.trim_matches('/').split('/').filter(|part| !part.is_empty()).map(segment).collect())
    }

    /// Whether a path fits. One row a segment, as for the edit distance: no pattern is slow.
    pub fn fits(&self, path: &str) -> bool {
        let parts: Vec<&str> = path.split('/').collect();
        let mut row = vec![false; parts.len() + 1];
        row[0] = true;
        for segment in &self.0 {
            let mut next = vec![false; parts.len() + 1];
            for end in 0..=parts.len() {
                next[end] = match segment {
                    Segment::Any => row[end] || (end > 0 && next[end - 1]),
                    Segment::One => end > 0 && row[end - 1],
                    Segment::Literal(text) => end > 0 && row[end - 1] && text == parts[end - 1],
                };
            }
            row = next;
        }
        row[parts.len()]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_fits_its_pattern() {
        for (pattern, path, wanted) in [
            ("users/{id}", "users/ada", true),
            ("/users/{id}/", "users/ada", true),
            ("users/{id}", "users/ada/posts/1", false),
            ("users/{id}", "people/ada", false),
            ("users/ada", "users/ada", true),
            ("users/ada", "users/bob", false),
            ("users/{id}/posts/{post}", "users/ada/posts/1", true),
            ("{all=**}", "users/ada/posts/1", true),
            ("users/{rest=**}", "users/ada/posts/1", true),
            ("users/{rest=**}/likes/{like}", "users/ada/posts/1/likes/2", true),
            ("users/{rest=**}/likes/{like}", "users/ada/posts/1", false),
            ("users/*", "users/ada", true),
            ("{collection=*}/{id}", "users/ada", true),
        ] {
            assert_eq!(Pattern::new(pattern).fits(path), wanted, "{pattern} {path}");
        }
    }
}
