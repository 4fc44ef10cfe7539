//! Names of projects: what Serverless, npm, CloudFormation and the names of buckets all allow.

/// Longest name, in characters: a bucket has 63 for it, the stage and a name of its own.
const CHARS_MAX: usize = 40;
/// What YAML would not read as text.
const WORDS: &[&str] = &["true", "false", "null", "yes", "no", "on", "off"];

/// Why a name cannot be a project's, if it cannot.
pub fn problem(name: &str) -> Option<String> {
    let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    let valid = (2..=CHARS_MAX).contains(&name.len())
        && name.starts_with(|c: char| c.is_ascii_lowercase())
        && name.chars().all(allowed)
        && !name.ends_with('-')
        && !WORDS.contains(&name);
    (!valid).then(|| format!("a name has 2 to {CHARS_MAX} lower-case letters, digits and `-`, and begins with a letter"))
}

/// A project's name from that of its folder; `usual` where that has nothing to offer.
pub fn from_folder(folder: &str, usual: &str) -> String {
    let mut name = String::new();
    for c in folder.chars() {
        match c {
            c if c.is_ascii_alphanumeric() => name.push(c.to_ascii_lowercase()),
            _ if !name.is_empty() && !name.ends_with('-') => name.push('-'),
            _ => {}
        }
    }
    if name.starts_with(|c: char| c.is_ascii_digit()) {
        name.insert_str(0, "app-");
    }
    name.truncate(CHARS_MAX);
    let name = name.trim_end_matches('-');
    match name {
        "" => usual.to_owned(),
        _ if problem(name).is_some() => format!("{name}-app"),
        _ => name.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_project_is_called_like_its_folder() {
        for (folder, name) in [
            ("shop", "shop"),
            ("My Shop (2)", "my-shop-2"),
            ("2048", "app-2048"),
            ("__web_", "web"),
            ("Müller", "m-ller"),
            ("日本", "usual"),
            ("", "usual"),
            ("x", "x-app"),
            ("Null", "null-app"),
            ("a-very-long-name-of-a-folder-that-nobody-would-want", "a-very-long-name-of-a-folder-that-nobody"),
        ] {
            assert_eq!(from_folder(folder, "usual"), name, "{folder}");
        }
    }

    #[test]
    fn names_that_something_would_refuse_are_refused() {
        for name in ["", "a", "Shop", "1st", "a_b", "a.b", "shop-", "-shop", "null", &"a".repeat(41)] {
            assert!(problem(name).is_some(), "{name}");
        }
        assert_eq!(problem("api2-test"), None);
    }

    proptest! {
        #[test]
        fn every_folder_gives_a_valid_name(folder in "\\PC{0,60}") {
            let name = from_folder(&folder, "usual");
            prop_assert_eq!(problem(&name), None, "{}", name);
        }
    }
}
