//! Rows of a table as lines of a file, and back.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use rusqlite::types::{Value as Sql, ValueRef};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};

use super::{Error, Line, Reader, Writer};
use crate::store::Tx;

/// What a column holds.
#[derive(Clone, Copy)]
pub enum Kind {
    Int,
    /// From 0 to this.
    Count(i64),
    Text,
    /// Text of which the function says what is wrong with some.
    Word(fn(&str) -> Result<(), String>),
    /// Written as text where it is, else as `{"base64": …}`.
    Bytes,
    /// Text that is JSON; the function says what is wrong with some.
    Json(fn(&str) -> Result<(), String>),
}

/// A column, under the name that it has in the file.
#[derive(Clone, Copy)]
pub struct Column {
    pub name: &'static str,
    pub kind: Kind,
    /// Whether it may be missing.
    pub optional: bool,
    /// What is selected, where that is not the column of this name.
    pub read: Option<&'static str>,
    /// The column that is written, and what of: `?` stands for the value. `None` where that is the column of this name.
    pub write: Option<(&'static str, &'static str)>,
}

impl Column {
    const fn new(name: &'static str, kind: Kind) -> Column {
        Column { name, kind, optional: false, read: None, write: None }
    }

    pub const fn int(name: &'static str) -> Column {
        Column::new(name, Kind::Int)
    }

    pub const fn count(name: &'static str, max: i64) -> Column {
        Column::new(name, Kind::Count(max))
    }

    pub const fn word(name: &'static str, check: fn(&str) -> Result<(), String>) -> Column {
        Column::new(name, Kind::Word(check))
    }

    pub const fn text(name: &'static str) -> Column {
        Column::new(name, Kind::Text)
    }

    pub const fn bytes(name: &'static str) -> Column {
        Column::new(name, Kind::Bytes)
    }

    pub const fn json(name: &'static str, check: fn(&str) -> Result<(), String>) -> Column {
        Column::new(name, Kind::Json(check))
    }

    pub const fn or_null(self) -> Column {
        Column { optional: true, ..self }
    }

    /// Selects this instead of the column.
    pub const fn read(self, sql: &'static str) -> Column {
        Column { read: Some(sql), ..self }
    }

    /// Writes `sql`, in which `?` is the value, into `column`.
    pub const fn write(self, column: &'static str, sql: &'static str) -> Column {
        Column { write: Some((column, sql)), ..self }
    }
}

/// Rows that are written to one file.
pub struct Collection {
    /// The file's path in an export.
    pub file: &'static str,
    pub table: &'static str,
    /// What the rows are ordered by: no two may be equal in it.
    pub order: &'static str,
    /// The fields that say which line it is, for those who compare two states; none: the line itself.
    pub key: &'static [&'static str],
    pub columns: &'static [Column],
}

/// A check for [`Kind::Json`]: whether it is a `T`.
pub fn json_of<T: DeserializeOwned>(text: &str) -> Result<(), String> {
    serde_json::from_str::<T>(text).map(|_| ()).map_err(|error| error.to_string())
}

impl Collection {
    /// Writes all rows.
    pub fn export(&self, tx: &Tx<'_>, to: &mut Writer) -> Result<(), Error> {
        let columns: Vec<&str> = self.columns.iter().map(|column| column.read.unwrap_or(column.name)).collect();
        let mut statement = tx.statement(&format!("SELECT {} FROM {} ORDER BY {}", columns.join(", "), self.table, self.order))?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let mut line = Map::new();
            for (index, column) in self.columns.iter().enumerate() {
                if let Some(value) = column.out(row.get_ref(index)?)? {
                    line.insert(column.name.to_owned(), value);
                }
            }
            to.line(self.file, Value::Object(line))?;
        }
        Ok(())
    }

    /// Reads all lines into the table, which must be empty.
    pub fn import(&self, tx: &Tx<'_>, from: &Reader) -> Result<(), Error> {
        let columns: Vec<&str> = self.columns.iter().map(|column| column.write.map_or(column.name, |(name, _)| name)).collect();
        let values: Vec<String> = self
            .columns
            .iter()
            .enumerate()
            .map(|(index, column)| column.write.map_or("?", |(_, sql)| sql).replace('?', &format!("?{}", index + 1)))
            .collect();
        let sql = format!("INSERT INTO {} ({}) VALUES ({})", self.table, columns.join(", "), values.join(", "));
        from.lines(self.file, |line| {
            let values = self.row(&line)?;
            match tx.execute(&sql, rusqlite::params_from_iter(values)) {
                Ok(_) => Ok(()),
                Err(crate::store::Error::Sqlite(error)) if error.sqlite_error_code() == Some(rusqlite::ErrorCode::ConstraintViolation) => {
                    Err(line.wrong(format!("it repeats a line, or names something that is not there ({error})")))
                }
                Err(error) => Err(error.into()),
            }
        })
    }

    fn row(&self, line: &Line) -> Result<Vec<Sql>, Error> {
        let object = line.object()?;
        if let Some(unknown) = object.keys().find(|name| !self.columns.iter().any(|column| column.name == name.as_str())) {
            return Err(line.wrong(format!("there is no field `{unknown}` here")));
        }
        self.columns
            .iter()
            .map(|column| match object.get(column.name) {
                None if column.optional => Ok(Sql::Null),
                None => Err(line.wrong(format!("`{}` is missing", column.name))),
                Some(value) => column.take(value).map_err(|why| line.wrong(format!("`{}`: {why}", column.name))),
            })
            .collect()
    }
}

impl Column {
    fn out(&self, value: ValueRef<'_>) -> Result<Option<Value>, Error> {
        let corrupt = || Error::Store(crate::store::Error::Corrupt("the state"));
        let text = |value: ValueRef<'_>| value.as_str().map(str::to_owned).map_err(|_| corrupt());
        Ok(match (self.kind, value) {
            (_, ValueRef::Null) => None,
            (Kind::Int | Kind::Count(_), value) => Some(json!(value.as_i64().map_err(|_| corrupt())?)),
            (Kind::Text | Kind::Word(_), value) => Some(Value::String(text(value)?)),
            (Kind::Bytes, value) => {
                let bytes = value.as_bytes().map_err(|_| corrupt())?;
                Some(std::str::from_utf8(bytes).map_or_else(|_| json!({ "base64": STANDARD.encode(bytes) }), |text| json!(text)))
            }
            (Kind::Json(_), value) => Some(serde_json::from_str(&text(value)?).map_err(|_| corrupt())?),
        })
    }

    fn take(&self, value: &Value) -> Result<Sql, String> {
        match (self.kind, value) {
            (Kind::Int, value) => value.as_i64().map(Sql::Integer).ok_or_else(|| "it is no whole number".to_owned()),
            (Kind::Count(max), value) => {
                let count = value.as_i64().filter(|count| (0..=max).contains(count));
                count.map(Sql::Integer).ok_or_else(|| format!("it is no whole number from 0 to {max}"))
            }
            (Kind::Word(check), Value::String(text)) => check(text).map(|()| Sql::Text(text.clone())),
            (Kind::Text, Value::String(text)) => Ok(Sql::Text(text.clone())),
            (Kind::Text | Kind::Word(_), _) => Err("it is no text".to_owned()),
            (Kind::Bytes, Value::String(text)) => Ok(Sql::Blob(text.clone().into_bytes())),
            (Kind::Bytes, value) => {
                let text = value.get("base64").and_then(Value::as_str).ok_or("it is neither text nor {\"base64\": …}")?;
                STANDARD.decode(text).map(Sql::Blob).map_err(|error| error.to_string())
            }
            (Kind::Json(check), value) => {
                let text = value.to_string();
                check(&text).map(|()| Sql::Text(text))
            }
        }
    }
}
