//! Names of topics and subscriptions. Source: "Resource names" of Pub/Sub.

use super::Error;

macro_rules! names {
    ($(#[$doc:meta])* $name:ident, $collection:literal) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(String);

        impl $name {
            /// Reads a full name. Fails with `Invalid`.
            pub fn parse(text: &str) -> Result<$name, Error> {
                check(text, $collection)?;
                Ok($name(text.to_owned()))
            }

            /// The full name.
            pub fn as_str(&self) -> &str {
                &self.0
            }

            /// The project.
            pub fn project(&self) -> &str {
                self.0.split('/').nth(1).unwrap_or_default()
            }

            /// The name within the project.
            pub fn id(&self) -> &str {
                self.0.rsplit('/').next().unwrap_or_default()
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

names!(
    /// `projects/P/topics/T`.
    TopicName,
    "topics"
);
names!(
    /// `projects/P/subscriptions/S`.
    SubscriptionName,
    "subscriptions"
);

fn check(text: &str, collection: &str) -> Result<(), Error> {
    let parts: Vec<&str> = text.split('/').collect();
    let good =
        matches!(parts[..], ["projects", project, of, id] if of == collection && !project.is_empty() && project.len() <= 100 && is_id(id));
    if good {
        return Ok(());
    }
    let shown: String = text.chars().take(300).collect();
    Err(Error::invalid(format!(
        "Invalid resource name given (name={shown}): it must be projects/PROJECT/{collection}/ID, where ID has 3 to 255 letters, digits and \
         characters of -_.~+%, begins with a letter, and not with `goog`."
    )))
}

fn is_id(id: &str) -> bool {
    (3..=255).contains(&id.len())
        && id.starts_with(|c: char| c.is_ascii_alphabetic())
        && !id.starts_with("goog")
        && id.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.~+%".contains(&b))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_have_a_project_and_an_id() {
        for (text, good) in [
            ("projects/p/topics/abc", true),
            ("projects/p/topics/a-_.~+%Z9", true),
            ("projects/p/topics/ab", false),
            ("projects/p/topics/1abc", false),
            ("projects/p/topics/google", false),
            ("projects/p/topics/a b c", false),
            ("projects/p/subscriptions/abc", false),
            ("projects//topics/abc", false),
            ("projects/p/topics/abc/d", false),
            ("abc", false),
            ("", false),
        ] {
            assert_eq!(TopicName::parse(text).is_ok(), good, "{text}");
        }
        let name = SubscriptionName::parse("projects/p/subscriptions/abc").expect("a name");
        assert_eq!((name.project(), name.id()), ("p", "abc"));
    }
}
