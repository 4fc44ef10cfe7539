//! Names: of databases, documents, collections and fields.

use std::fmt;
use std::sync::Arc;

use super::Error;

/// Bytes of an identifier and of a field's name at most. Source: "Quotas and limits".
pub const ID_BYTES_MAX: usize = 1_500;
/// Collections within each other at most. Source: "Quotas and limits", maximum depth of subcollections.
const COLLECTIONS_MAX: usize = 100;

/// A database: `projects/{project}/databases/{database}`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Database(Arc<str>);

impl Database {
    /// Reads `projects/{project}/databases/{database}`. Fails with [`Error::Invalid`].
    pub fn parse(text: &str) -> Result<Database, Error> {
        let mut segments = text.split('/');
        let parts = [(); 5].map(|()| segments.next());
        match parts {
            [Some("projects"), Some(project), Some("databases"), Some(name), None] => {
                check_id(project)?;
                check_id(name)?;
                Ok(Database(text.into()))
            }
            _ => Err(Error::Invalid(format!("Database name \"{text}\" is not of the form projects/{{project}}/databases/{{database}}."))),
        }
    }

    /// Its full name.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// `project/{project}`, as the console names it.
    pub(super) fn project(&self) -> String {
        format!("project/{}", self.0.split('/').nth(1).unwrap_or_default())
    }

    /// The full name of what is at a path in it: of the root where that is empty.
    pub fn full(&self, path: &str) -> String {
        let slash = if path.is_empty() { "" } else { "/" };
        format!("{}/documents{slash}{path}", self.0)
    }
}

impl fmt::Display for Database {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A document: its database, and its path in it, as `users/alice`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Name {
    pub database: Database,
    path: Arc<str>,
}

impl Name {
    /// Reads `projects/{project}/databases/{database}/documents/{path}`. Fails with [`Error::Invalid`].
    pub fn parse(text: &str) -> Result<Name, Error> {
        let (database, path) = split(text)?;
        Name::new(database, path)
    }

    /// The document at a path. Fails with [`Error::Invalid`] where the path is none of a document.
    pub fn new(database: Database, path: &str) -> Result<Name, Error> {
        let segments = check_path(path)?;
        if segments == 0 || !segments.is_multiple_of(2) {
            return Err(Error::Invalid(format!(
                "Document name \"{}\" has invalid trailing segments: a document's path has an even number of segments.",
                database.full(path)
            )));
        }
        Ok(Name { database, path: path.into() })
    }

    /// Its path, as `users/alice`.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The path of its collection, as `users`.
    pub fn collection(&self) -> &str {
        self.path.rsplit_once('/').map_or("", |(collection, _)| collection)
    }

    /// Its identifier, as `alice`.
    pub fn id(&self) -> &str {
        self.path.rsplit_once('/').map_or(&self.path, |(_, id)| id)
    }

    /// Its full name.
    pub fn full(&self) -> String {
        self.database.full(&self.path)
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/documents/{}", self.database, self.path)
    }
}

/// The parent of collections: a document's path, or the root of a database, whose path is empty.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Parent {
    pub database: Database,
    pub path: Arc<str>,
}

impl Parent {
    /// Reads `projects/{project}/databases/{database}/documents`, with the path of a document or without. Fails with [`Error::Invalid`].
    pub fn parse(text: &str) -> Result<Parent, Error> {
        let (database, path) = split(text)?;
        if check_path(path)?.is_multiple_of(2) {
            Ok(Parent { database, path: path.into() })
        } else {
            Err(Error::Invalid(format!("Parent \"{text}\" is neither a document nor the root of a database.")))
        }
    }

    /// The path of a collection in it. Fails with [`Error::Invalid`].
    pub fn collection(&self, id: &str) -> Result<String, Error> {
        check_id(id)?;
        Ok(if self.path.is_empty() { id.to_owned() } else { format!("{}/{id}", self.path) })
    }
}

/// The database of a full name, and the path in it, empty for the root.
fn split(text: &str) -> Result<(Database, &str), Error> {
    let wrong = |what: &str, at: usize| Error::Invalid(format!("Document name \"{text}\" lacks \"{what}\" at index {at}."));
    let mut rest = text;
    let mut end = 0;
    for (at, wanted) in [(0, Some("projects")), (1, None), (2, Some("databases")), (3, None), (4, Some("documents"))] {
        let segment = rest.split('/').next().unwrap_or_default();
        if wanted.is_some_and(|wanted| wanted != segment) {
            return Err(wrong(wanted.unwrap_or_default(), at));
        }
        rest = rest[segment.len()..].strip_prefix('/').unwrap_or_default();
        if at == 3 {
            end = text.len() - rest.len();
        }
    }
    Ok((Database::parse(text[..end].trim_end_matches('/'))?, rest))
}

/// How many segments a path has, all of which can be.
fn check_path(path: &str) -> Result<usize, Error> {
    if path.is_empty() {
        return Ok(0);
    }
    let mut segments = 0;
    for segment in path.split('/') {
        check_id(segment)?;
        segments += 1;
    }
    if segments > 2 * COLLECTIONS_MAX {
        return Err(Error::Invalid(format!("The path \"{path}\" is deeper than {COLLECTIONS_MAX} collections.")));
    }
    Ok(segments)
}

/// Fails with [`Error::Invalid`] where this cannot be an identifier.
pub(super) fn check_id(id: &str) -> Result<(), Error> {
    let why = if id.is_empty() {
        "it is empty"
    } else if id.len() > ID_BYTES_MAX {
        return Err(Error::Invalid(format!(
            "Resource id of {} bytes is invalid because it is longer than {ID_BYTES_MAX} bytes.",
            id.len()
        )));
    } else if id == "." || id == ".." {
        "it stands for another"
    } else if id.contains('/') {
        "it contains a slash"
    } else if id.len() >= 4 && id.starts_with("__") && id.ends_with("__") && super::key::number_of_id(id).is_none() {
        "it is reserved"
    } else {
        return Ok(());
    };
    Err(Error::Invalid(format!("Resource id \"{id}\" is invalid because {why}.")))
}

/// The field that stands for a document's own name.
pub const NAME_FIELD: &str = "__name__";

/// A field, within maps where it has more than one name.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct FieldPath(Vec<String>);

impl FieldPath {
    /// Names within each other at most, and what is left of the 1,500 bytes of a path is not checked further.
    const NAMES_MAX: usize = 101;

    /// The document's own name.
    pub fn name() -> FieldPath {
        FieldPath(vec![NAME_FIELD.to_owned()])
    }

    /// Of these names, outermost first; at least one.
    pub fn of(names: Vec<String>) -> Option<FieldPath> {
        (!names.is_empty()).then_some(FieldPath(names))
    }

    /// Reads `a.b` or `` a.`any name` ``, where a backslash stands before backticks and backslashes. Fails with [`Error::Invalid`].
    pub fn parse(text: &str) -> Result<FieldPath, Error> {
        let wrong = || Error::Invalid(format!("Invalid property path \"{}\".", text.chars().take(200).collect::<String>()));
        if text.len() > 4 * ID_BYTES_MAX {
            return Err(wrong());
        }
        let mut names = Vec::new();
        let mut rest = text.chars().peekable();
        loop {
            let mut name = String::new();
            if rest.next_if_eq(&'`').is_some() {
                loop {
                    match rest.next().ok_or_else(wrong)? {
                        '`' => break,
                        '\\' => name.push(rest.next().ok_or_else(wrong)?),
                        other => name.push(other),
                    }
                }
            } else {
                while let Some(next) = rest.next_if(|c| *c != '.' && *c != '`') {
                    name.push(next);
                }
            }
            if name.is_empty() || name.len() > ID_BYTES_MAX {
                return Err(wrong());
            }
            names.push(name);
            match rest.next() {
                None => break,
                Some('.') if names.len() < FieldPath::NAMES_MAX => {}
                Some(_) => return Err(wrong()),
            }
        }
        Ok(FieldPath(names))
    }

    /// The names, outermost first.
    pub fn names(&self) -> &[String] {
        &self.0
    }

    /// Whether it is the document's own name.
    pub fn is_name(&self) -> bool {
        self.0.len() == 1 && self.0[0] == NAME_FIELD
    }
}

impl fmt::Display for FieldPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, name) in self.0.iter().enumerate() {
            if at > 0 {
                f.write_str(".")?;
            }
            let simple = name.chars().enumerate().all(|(at, c)| c == '_' || c.is_ascii_alphabetic() || (at > 0 && c.is_ascii_digit()));
            if simple {
                f.write_str(name)?;
            } else {
                write!(f, "`{}`", name.replace('\\', "\\\\").replace('`', "\\`"))?;
            }
        }
        Ok(())
    }
}
