//! What is stored: shelves at the left, what the selected one holds at the right, one thing over both.

use ratatui::layout::Rect;

use super::paint::{Column, Side};
use super::{Canvas, split_left, split_top};
use crate::tui::command::{Document, Rows, ShelfId};
use crate::tui::state::{Focus, Hit, top};
use crate::tui::text;

impl Canvas<'_> {
    pub(super) fn data(&mut self, area: Rect) {
        let data = &self.state.data;
        if let Some(document) = &data.document {
            self.document(area, document, data.scroll);
            return;
        }
        let (shelves, rows) = split_left(area, (area.width / 3).clamp(20, 44));
        self.shelves(shelves);
        self.rows(rows);
    }

    fn shelves(&mut self, area: Rect) {
        let (data, theme) = (&self.state.data, self.theme);
        let inner = self.panel(area, "Data", "");
        if data.shelves.is_empty() {
            let words = if data.known { "Nothing is stored" } else { "Looking …" };
            self.empty(inner, &[words]);
            return;
        }
        // A line for each kind, above its shelves.
        let mut lines = Vec::new();
        for (at, shelf) in data.shelves.iter().enumerate() {
            let first = at == 0 || data.shelves[at - 1].id.kind != shelf.id.kind;
            if first && !shelf.id.name.is_empty() {
                lines.push(None);
            }
            lines.push(Some(at));
        }
        let place = lines.iter().position(|line| *line == Some(data.shelf)).unwrap_or(0);
        let from = top(place, lines.len(), usize::from(inner.height));
        if data.focus == Focus::Shelves {
            self.drawn.page = usize::from(inner.height);
        }
        for (row, at) in (from..lines.len()).take(usize::from(inner.height)).enumerate() {
            let row = row as u16;
            let Some(shelf) = lines[at] else {
                let kind = lines[at..].iter().flatten().next().map(|shelf| &*data.shelves[*shelf].id.kind).unwrap_or_default();
                self.put(inner, row, &[(&plural(kind), theme.dim())]);
                continue;
            };
            let known = &data.shelves[shelf];
            let name = if known.id.name.is_empty() { &known.id.kind } else { &known.id.name };
            let holds = text::width(&known.holds);
            // The first column is the mark's.
            let room = usize::from(inner.width).saturating_sub(holds + 2);
            self.put(inner, row, &[(" ", theme.plain()), (&text::fit(name, room), theme.plain())]);
            self.put_right(inner, row, &known.holds, theme.dim());
            if shelf == data.shelf {
                if data.focus == Focus::Shelves {
                    self.mark(inner, row)
                } else {
                    self.put(inner, row, &[("›", theme.title())]);
                }
            }
            self.drawn.hits.push((Rect { y: inner.y + row, height: 1, ..inner }, Hit::Shelf(shelf)));
        }
    }

    fn rows(&mut self, area: Rect) {
        let (data, theme) = (&self.state.data, self.theme);
        let Some(shelf) = data.selected_shelf() else {
            self.panel(area, "", "");
            return;
        };
        let title = called(&shelf.id);
        let search = if data.search.is_empty() { String::new() } else { format!("“{}”", data.search) };
        let inner = self.panel(area, &title, &search);
        let Some(rows) = &data.rows else {
            self.empty(inner, &["Looking …"]);
            return;
        };
        if rows.rows.is_empty() {
            let words = if data.search.is_empty() { "Nothing here" } else { "Nothing here holds what you search for" };
            self.empty(inner, &[words, rows.note.as_deref().unwrap_or_default()]);
            return;
        }
        let columns = widths(rows, usize::from(inner.width));
        let (head, mut body) = split_top(inner, 1);
        let heads: Vec<_> = rows.columns.iter().map(|title| (title.clone(), theme.dim())).collect();
        self.cells(head, 0, &columns, &heads, false);
        if let Some(note) = &rows.note {
            body.height = body.height.saturating_sub(1);
            self.put(Rect { y: body.bottom(), height: 1, ..body }, 0, &[(note, theme.dim())]);
        }
        if data.focus == Focus::Rows {
            self.drawn.page = usize::from(body.height);
        }
        let from = top(data.row, rows.rows.len(), usize::from(body.height));
        for (row, place) in (from..rows.rows.len()).take(usize::from(body.height)).enumerate() {
            let cells: Vec<_> = rows.rows[place].cells.iter().map(|cell| (cell.clone(), theme.plain())).collect();
            self.cells(body, row as u16, &columns, &cells, data.focus == Focus::Rows && place == data.row);
            self.drawn.hits.push((Rect { y: body.y + row as u16, height: 1, ..body }, Hit::Row(place)));
        }
    }

    fn document(&mut self, area: Rect, document: &Document, scroll: usize) {
        let title = format!("{} › {}", called(&document.shelf), document.title);
        let aside = format!("read {}", text::clock(document.at));
        let inner = self.panel(area, &title, &aside);
        self.drawn.page = usize::from(inner.height);
        self.text(inner, &document.text, scroll, self.theme.plain());
    }
}

fn called(shelf: &ShelfId) -> String {
    if shelf.name.is_empty() { shelf.kind.to_string() } else { format!("{} {}", shelf.kind, shelf.name) }
}

fn plural(kind: &str) -> String {
    format!("{kind}s")
}

/// Each column as wide as its widest cell, where there is room; else the last ones get what is left, the widest give first.
fn widths(rows: &Rows, width: usize) -> Vec<Column> {
    const CELL_MIN: usize = 6;
    let mut wanted: Vec<usize> = rows.columns.iter().map(|title| text::width(title)).collect();
    for row in &rows.rows {
        for (wanted, cell) in wanted.iter_mut().zip(&row.cells) {
            *wanted = (*wanted).max(text::width(&text::line(cell)));
        }
    }
    let room = width.saturating_sub(wanted.len());
    while wanted.iter().sum::<usize>() > room {
        let Some(widest) = wanted.iter_mut().max_by_key(|wide| **wide).filter(|wide| **wide > CELL_MIN) else { break };
        *widest -= 1;
    }
    wanted.into_iter().map(|width| Column { title: "", width, side: Side::Left }).collect()
}
