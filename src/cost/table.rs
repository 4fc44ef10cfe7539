//! Columns of text, and what stands below them.

use std::fmt::Write;

/// Longest line at the foot, in characters.
const WIDTH: usize = 100;

/// Writes the lines at the foot, broken between words.
pub fn finish(out: &mut String, foot: &[String]) {
    if !foot.is_empty() {
        out.push('\n');
    }
    for line in foot {
        wrap(out, line);
    }
}

/// Breaks a line between words; what follows is indented.
fn wrap(out: &mut String, line: &str) {
    let mut length = 0;
    for word in line.split(' ') {
        let chars = word.chars().count();
        if length > 0 && length + 1 + chars > WIDTH {
            out.push_str("\n ");
            length = 1;
        }
        if length > 0 {
            out.push(' ');
            length += 1;
        }
        out.push_str(word);
        length += chars;
    }
    out.push('\n');
}

/// Columns of text: the first to the left, the others to the right unless told.
pub struct Table {
    rows: Vec<Vec<String>>,
    all_left: bool,
}

impl Table {
    /// With these heads.
    pub fn new<'a>(heads: impl IntoIterator<Item = &'a str>) -> Table {
        Table { rows: vec![heads.into_iter().map(str::to_owned).collect()], all_left: false }
    }

    /// With every column to the left.
    pub fn left(mut self) -> Table {
        self.all_left = true;
        self
    }

    /// Adds a row.
    pub fn row(&mut self, cells: Vec<String>) {
        self.rows.push(cells);
    }

    /// The whole table; every line ends.
    pub fn text(&self) -> String {
        let columns = self.rows.iter().map(Vec::len).max().unwrap_or(0);
        let widths: Vec<usize> = (0..columns)
            .map(|at| self.rows.iter().filter_map(|row| row.get(at)).map(|cell| cell.chars().count()).max().unwrap_or(0))
            .collect();
        let mut out = String::new();
        for row in &self.rows {
            let mut line = String::new();
            for (at, (cell, width)) in row.iter().zip(&widths).enumerate() {
                let gap = if at == 0 { "" } else { "  " };
                let pad = " ".repeat(width - cell.chars().count());
                if at == 0 || self.all_left {
                    let _ = write!(line, "{gap}{cell}{pad}");
                } else {
                    let _ = write!(line, "{gap}{pad}{cell}");
                }
            }
            out.push_str(line.trim_end());
            out.push('\n');
        }
        out
    }
}
