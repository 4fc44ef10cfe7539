//! Places in a project's files, as problems and stacks name them.

use std::path::Path;

/// A place in a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    pub file: String,
    /// From 1.
    pub line: u32,
    pub column: Option<u32>,
}

impl Place {
    /// `src/a.ts:3:14` or `src/a.ts:3`; `None` where no line is named.
    pub fn read(text: &str) -> Option<Place> {
        let (rest, last) = text.rsplit_once(':')?;
        let last: u32 = last.parse().ok().filter(|n| *n > 0)?;
        match rest.rsplit_once(':').and_then(|(file, line)| Some((file, line.parse::<u32>().ok().filter(|n| *n > 0)?))) {
            Some((file, line)) if !file.is_empty() => Some(Place { file: file.to_owned(), line, column: Some(last) }),
            _ if rest.is_empty() => None,
            _ => Some(Place { file: rest.to_owned(), line: last, column: None }),
        }
    }

    /// The first place of a stack that is in the project's own code.
    pub fn in_stack(stack: &[String]) -> Option<Place> {
        let frame = |line: &String| {
            let frame = line.trim().strip_prefix("at ")?;
            let place = frame.rsplit_once('(').map_or(frame, |(_, place)| place.trim_end_matches(')'));
            Place::read(place).filter(|place| !place.file.contains("node_modules/") && !place.file.contains("node:"))
        };
        stack.iter().find_map(frame)
    }

    /// `src/a.ts:3`.
    pub fn short(&self) -> String {
        format!("{}:{}", self.file, self.line)
    }

    /// The file as seen from `from`, where it is below that. A relative name is one from the project's folder `root`, unless it begins
    /// with that.
    pub fn file_from(&self, root: &Path, from: &Path) -> String {
        let file = Path::new(&self.file);
        let whole = if file.starts_with(root) { file.to_owned() } else { root.join(file) };
        let whole = std::path::absolute(&whole).unwrap_or(whole);
        let seen = whole.strip_prefix(from).unwrap_or(&whole);
        seen.components().as_path().display().to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(file: &str, line: u32, column: Option<u32>) -> Option<Place> {
        Some(Place { file: file.into(), line, column })
    }

    #[test]
    fn places_are_read_with_and_without_a_column() {
        for (text, wanted) in [
            ("src/a.ts:3:14", place("src/a.ts", 3, Some(14))),
            ("/p/serverless.yaml:7", place("/p/serverless.yaml", 7, None)),
            ("a:b:3", place("a:b", 3, None)),
            ("src/a.ts", None),
            ("a.ts:0:1", place("a.ts:0", 1, None)),
            (":3", None),
            ("", None),
        ] {
            assert_eq!(Place::read(text), wanted, "{text}");
        }
    }

    #[test]
    fn of_a_stack_the_projects_own_line_counts() {
        let stack = ["TypeError: x", "    at call (node_modules/y/z.js:1:2)", "    at async create (src/tasks.ts:14:7)", "at src/b.ts:1:1"];
        assert_eq!(Place::in_stack(&stack.map(str::to_owned)), place("src/tasks.ts", 14, Some(7)));
        assert_eq!(Place::in_stack(&["at src/b.ts:1:1".to_owned()]), place("src/b.ts", 1, Some(1)));
        assert_eq!(Place::in_stack(&["at native".to_owned()]), None);
    }

    #[test]
    fn files_are_named_as_seen_from_the_repository() {
        let place = |file: &str| Place { file: file.into(), line: 1, column: None };
        for (file, root, wanted) in [
            ("src/a.ts", "/repo/apps/shop", "apps/shop/src/a.ts"),
            ("/repo/serverless.yaml", "/repo", "serverless.yaml"),
            ("/repo/./serverless.yaml", "/repo/.", "serverless.yaml"),
            ("a.ts", "/elsewhere", "/elsewhere/a.ts"),
        ] {
            assert_eq!(place(file).file_from(Path::new(root), Path::new("/repo")), wanted, "{file}");
        }
    }
}
