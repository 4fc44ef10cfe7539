//! Annotations: lines by which GitHub shows a problem at its place in the sources. Source: "Workflow commands for GitHub Actions".

use std::path::Path;

use super::place::Place;

/// Annotations of one kind that GitHub shows of one step; further ones are dropped.
const SHOWN_MAX: usize = 10;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Error,
    Warning,
}

/// Something to be shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Annotation {
    pub kind: Kind,
    pub title: String,
    pub text: String,
    pub place: Option<Place>,
}

/// Where files are.
pub struct Folders<'a> {
    /// What relative names are relative to.
    pub root: &'a Path,
    /// The repository: names are shown as seen from there.
    pub repository: &'a Path,
}

/// Whether annotations are wanted: `GITHUB_ACTIONS` decides where it is set, else `CI`.
pub fn is_wanted(variable: impl Fn(&str) -> Option<String>) -> bool {
    let said = |name: &str| variable(name).filter(|value| !value.is_empty());
    said("GITHUB_ACTIONS").or_else(|| said("CI")).is_some_and(|value| value != "false" && value != "0")
}

/// The annotations as lines. Of each kind as many as are shown; where there are more, the last says so.
pub fn lines(annotations: &[Annotation], folders: &Folders<'_>) -> String {
    let mut text = String::new();
    for kind in [Kind::Error, Kind::Warning] {
        let these: Vec<&Annotation> = annotations.iter().filter(|annotation| annotation.kind == kind).collect();
        let most = if these.len() > SHOWN_MAX { SHOWN_MAX - 1 } else { SHOWN_MAX };
        these.iter().take(most).for_each(|annotation| text.push_str(&line(annotation, folders)));
        if these.len() > most {
            let more =
                Annotation { kind, title: "emu exec".into(), text: format!("and {} more; see the log", these.len() - most), place: None };
            text.push_str(&line(&more, folders));
        }
    }
    text
}

fn line(annotation: &Annotation, folders: &Folders<'_>) -> String {
    let command = match annotation.kind {
        Kind::Error => "error",
        Kind::Warning => "warning",
    };
    let mut properties = Vec::new();
    if let Some(place) = &annotation.place {
        properties.push(format!("file={}", property(&place.file_from(folders.root, folders.repository))));
        properties.push(format!("line={}", place.line));
        properties.extend(place.column.map(|column| format!("col={column}")));
    }
    properties.push(format!("title={}", property(&annotation.title)));
    format!("::{command} {}::{}\n", properties.join(","), data(&annotation.text))
}

/// What stands behind the second `::`.
fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// The value of a property.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn annotation(text: &str, place: Option<&str>) -> Annotation {
        Annotation { kind: Kind::Error, title: "a, b: c".into(), text: text.into(), place: place.and_then(Place::read) }
    }

    fn shown(annotations: &[Annotation]) -> String {
        lines(annotations, &Folders { root: Path::new("/repo/api"), repository: Path::new("/repo") })
    }

    #[test]
    fn what_has_a_meaning_in_a_command_is_escaped() {
        assert_eq!(
            shown(&[annotation("50% of: x, y\r\n::error::z", Some("src/a,b.ts:3:14"))]),
            "::error file=api/src/a%2Cb.ts,line=3,col=14,title=a%2C b%3A c::50%25 of: x, y%0D%0A::error::z\n"
        );
        assert_eq!(shown(&[annotation("x", None)]), "::error title=a%2C b%3A c::x\n");
        assert_eq!(shown(&[annotation("x", Some("a.ts:2"))]), "::error file=api/a.ts,line=2,title=a%2C b%3A c::x\n");
    }

    #[test]
    fn no_more_are_written_than_are_shown() {
        let many: Vec<Annotation> = (0..14).map(|n| annotation(&n.to_string(), None)).collect();
        let text = shown(&many);
        assert_eq!(text.lines().count(), SHOWN_MAX);
        assert!(text.ends_with("::and 5 more; see the log\n"), "{text}");
        assert_eq!(shown(&many[..10]).lines().count(), 10);
    }

    #[test]
    fn they_are_written_where_ci_is_and_not_where_github_says_no() {
        for (variables, wanted) in [
            (&[][..], false),
            (&[("CI", "true")], true),
            (&[("CI", "1")], true),
            (&[("CI", "")], false),
            (&[("CI", "false")], false),
            (&[("GITHUB_ACTIONS", "true")], true),
            (&[("CI", "true"), ("GITHUB_ACTIONS", "false")], false),
        ] {
            let look = |name: &str| variables.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned());
            assert_eq!(is_wanted(look), wanted, "{variables:?}");
        }
    }
}
