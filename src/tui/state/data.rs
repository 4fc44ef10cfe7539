//! What the data screen shows: shelves, what is on the selected one, and one thing of it.

use crate::tui::command::{Command, Document, Row, Rows, Shelf, ShelfId};

/// Which pane keys go to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Focus {
    #[default]
    Shelves,
    Rows,
}

#[derive(Default)]
pub struct Data {
    pub shelves: Vec<Shelf>,
    /// Whether shelves were told of at all.
    pub known: bool,
    pub shelf: usize,
    pub focus: Focus,
    /// What is on the selected shelf, once it was told.
    pub rows: Option<Rows>,
    pub row: usize,
    /// In lower case.
    pub search: String,
    pub document: Option<Document>,
    pub scroll: usize,
    /// What was opened and has not come yet.
    opening: Option<(ShelfId, String)>,
}

impl Data {
    pub fn selected_shelf(&self) -> Option<&Shelf> {
        self.shelves.get(self.shelf)
    }

    pub fn selected_row(&self) -> Option<&Row> {
        self.rows.as_ref()?.rows.get(self.row)
    }

    /// What to ask for, to see everything as it is now.
    pub fn wanted(&self) -> Vec<Command> {
        let mut commands = vec![Command::Shelves];
        commands.extend(self.wanted_rows());
        commands.extend(self.document.as_ref().map(|d| Command::View { shelf: d.shelf.clone(), key: d.key.clone() }));
        commands
    }

    pub fn wanted_rows(&self) -> Option<Command> {
        self.selected_shelf().map(|shelf| Command::Rows { shelf: shelf.id.clone(), search: self.search.clone() })
    }

    /// Selects a shelf; answers what to ask for.
    pub fn select_shelf(&mut self, shelf: usize) -> Option<Command> {
        let shelf = shelf.min(self.shelves.len().saturating_sub(1));
        if shelf == self.shelf && self.rows.is_some() {
            return None;
        }
        (self.shelf, self.row, self.rows, self.document) = (shelf, 0, None, None);
        self.search.clear();
        self.wanted_rows()
    }

    /// Opens the selected row.
    pub fn open(&mut self) -> Option<Command> {
        let (shelf, key) = (self.selected_shelf()?.id.clone(), self.selected_row()?.key.clone());
        self.opening = Some((shelf.clone(), key.clone()));
        Some(Command::View { shelf, key })
    }

    pub fn take_shelves(&mut self, shelves: Vec<Shelf>) -> Option<Command> {
        let before = self.selected_shelf().map(|shelf| shelf.id.clone());
        self.known = true;
        self.shelves = shelves;
        let same = self.shelves.iter().position(|shelf| Some(&shelf.id) == before.as_ref());
        match same {
            Some(at) => {
                self.shelf = at;
                None
            }
            None => {
                self.rows = None;
                self.focus = Focus::Shelves;
                self.select_shelf(0)
            }
        }
    }

    /// What is on a shelf; left alone where another has been selected since.
    pub fn take_rows(&mut self, rows: Rows) {
        if self.selected_shelf().is_none_or(|shelf| shelf.id != rows.shelf) || rows.search != self.search {
            return;
        }
        let key = self.selected_row().map(|row| row.key.clone());
        let same = key.and_then(|key| rows.rows.iter().position(|row| row.key == key));
        self.row = same.unwrap_or(self.row).min(rows.rows.len().saturating_sub(1));
        self.rows = Some(rows);
    }

    pub fn take_document(&mut self, document: Document) {
        let names = |(shelf, key): &(ShelfId, String)| *shelf == document.shelf && *key == document.key;
        let again = self.document.as_ref().is_some_and(|open| open.shelf == document.shelf && open.key == document.key);
        if self.opening.take_if(|opening| names(opening)).is_some() {
            (self.document, self.scroll) = (Some(document), 0);
        } else if again {
            self.document = Some(document);
        }
    }

    /// Closes what is open; whether there was something.
    pub fn back(&mut self) -> bool {
        self.opening = None;
        if self.document.take().is_some() {
            return true;
        }
        std::mem::take(&mut self.focus) == Focus::Rows
    }

    /// What keys like `d` and `e` are about: the shelf, and the open document's or the selected row's key.
    pub fn subject(&self) -> Option<(&Shelf, &str)> {
        let key =
            self.document.as_ref().map(|document| document.key.as_str()).or_else(|| self.selected_row().map(|row| row.key.as_str()))?;
        Some((self.selected_shelf()?, key))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tui::command::Uses;

    fn shelf(name: &str) -> Shelf {
        Shelf { id: ShelfId::new("table", name), holds: "1".into(), uses: Uses::default() }
    }

    fn rows(name: &str, keys: &[&str]) -> Rows {
        let rows = keys.iter().map(|key| Row { key: (*key).into(), cells: vec![(*key).into()] }).collect();
        Rows { shelf: ShelfId::new("table", name), search: String::new(), columns: vec!["id".into()], rows, note: None }
    }

    #[test]
    fn a_selection_stays_with_its_thing_when_others_come_and_go() {
        let mut data = Data::default();
        assert_eq!(data.take_shelves(vec![shelf("b")]), Some(Command::Rows { shelf: ShelfId::new("table", "b"), search: String::new() }));
        data.take_rows(rows("b", &["1", "2", "3"]));
        data.row = 1;
        data.take_rows(rows("b", &["0", "1", "2"]));
        assert_eq!(data.selected_row().map(|row| row.key.as_str()), Some("2"));
        assert_eq!(data.take_shelves(vec![shelf("a"), shelf("b")]), None);
        assert_eq!(data.shelf, 1);
        data.take_rows(rows("a", &["x"]));
        assert_eq!(data.rows.as_ref().map(|rows| rows.rows.len()), Some(3), "rows of another shelf are left alone");
        data.take_rows(rows("b", &[]));
        assert_eq!((data.row, data.selected_row()), (0, None));
    }

    #[test]
    fn a_document_that_comes_late_does_not_open_what_was_closed() {
        let mut data = Data::default();
        data.take_shelves(vec![shelf("a")]);
        data.take_rows(rows("a", &["1"]));
        let document = |text: &str| Document {
            shelf: ShelfId::new("table", "a"),
            key: "1".into(),
            title: "1".into(),
            text: text.into(),
            edit: None,
            at: crate::base::Time(0),
        };
        assert!(data.open().is_some());
        data.back();
        data.take_document(document("late"));
        assert_eq!(data.document, None);
        data.open();
        data.take_document(document("in time"));
        data.take_document(document("newer"));
        assert_eq!(data.document.as_ref().map(|document| document.text.as_str()), Some("newer"));
    }
}
