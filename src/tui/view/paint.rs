//! What screens are made of: lines, panels, rows of cells, bars.

use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, BorderType, Clear, Widget};

use super::{Canvas, spans};
use crate::tui::text;

/// Where a cell's text stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Side {
    Left,
    Right,
}

/// A column of a list: its title, width, and side.
pub(super) struct Column {
    pub title: &'static str,
    pub width: usize,
    pub side: Side,
}

pub(super) fn left(title: &'static str, width: usize) -> Column {
    Column { title, width, side: Side::Left }
}

pub(super) fn right(title: &'static str, width: usize) -> Column {
    Column { title, width, side: Side::Right }
}

/// Gives the column at `at` what the others leave of `width`, but `min` at least.
pub(super) fn stretch(columns: &mut [Column], at: usize, width: u16, min: usize) {
    let others: usize =
        columns.iter().enumerate().filter(|(place, column)| *place != at && column.width > 0).map(|(_, column)| column.width + 1).sum();
    if let Some(column) = columns.get_mut(at) {
        column.width = usize::from(width).saturating_sub(others).max(min);
    }
}

impl Canvas<'_> {
    /// Writes words into a row of an area; answers the column after them.
    pub(super) fn put(&mut self, area: Rect, row: u16, words: &[(&str, Style)]) -> u16 {
        self.put_at(area, area.x, row, words)
    }

    pub(super) fn put_at(&mut self, area: Rect, x: u16, row: u16, words: &[(&str, Style)]) -> u16 {
        self.line_at(area, x, row, &spans(words))
    }

    pub(super) fn line_at(&mut self, area: Rect, x: u16, row: u16, line: &Line<'_>) -> u16 {
        let area = area.intersection(self.buffer.area);
        if row >= area.height || x >= area.right() {
            return x;
        }
        self.buffer.set_line(x, area.y + row, line, area.right() - x).0
    }

    pub(super) fn put_right(&mut self, area: Rect, row: u16, word: &str, style: Style) {
        let wide = (text::width(word) as u16).min(area.width);
        self.put_at(area, area.right() - wide, row, &[(word, style)]);
    }

    /// A frame with a title and a word at its right; answers what is inside.
    pub(super) fn panel(&mut self, area: Rect, title: &str, aside: &str) -> Rect {
        if area.width < 4 || area.height < 2 {
            return Rect { width: 0, height: 0, ..area };
        }
        let theme = self.theme;
        let mut block = Block::bordered()
            .border_type(BorderType::Rounded)
            .border_style(theme.dim())
            .title(Line::from(Span::styled(format!(" {} ", text::line(title)), theme.title())));
        let room = usize::from(area.width).saturating_sub(text::width(title) + 7);
        if !aside.is_empty() && room > 3 {
            let aside = text::fit(aside, room.min(text::width(aside)));
            block = block.title(Line::from(Span::styled(format!(" {aside} "), theme.dim())).right_aligned());
        }
        let inner = block.inner(area);
        block.render(area, self.buffer);
        inner
    }

    /// An emptied frame in the middle, over what was drawn.
    pub(super) fn window(&mut self, area: Rect, wide: u16, high: u16, title: &str) -> Rect {
        let (wide, high) = (wide.min(area.width), high.min(area.height));
        let window = Rect { x: area.x + (area.width - wide) / 2, y: area.y + (area.height - high) / 2, width: wide, height: high };
        Clear.render(window, self.buffer);
        self.panel(window, title, "")
    }

    /// The titles of a list.
    pub(super) fn heads(&mut self, area: Rect, columns: &[Column]) {
        let style = self.theme.dim();
        let cells: Vec<(String, Style)> = columns.iter().map(|column| (column.title.to_owned(), style)).collect();
        self.cells(area, 0, columns, &cells, false);
    }

    /// A row of a list.
    pub(super) fn cells(&mut self, area: Rect, row: u16, columns: &[Column], cells: &[(String, Style)], selected: bool) {
        let mut x = area.x;
        for (column, (cell, style)) in columns.iter().zip(cells).filter(|(column, _)| column.width > 0) {
            let fitted = if column.side == Side::Left { text::fit(cell, column.width) } else { text::fit_right(cell, column.width) };
            x = self.put_at(area, x, row, &[(&fitted, *style), (" ", Style::new())]);
        }
        if selected {
            self.mark(area, row);
        }
    }

    /// Marks a row as selected.
    pub(super) fn mark(&mut self, area: Rect, row: u16) {
        if row < area.height {
            self.buffer.set_style(Rect { y: area.y + row, height: 1, ..area }, self.theme.selected());
        }
    }

    /// Lines of text from `scroll` on, cut where the area ends. Answers how many lines there are.
    pub(super) fn text(&mut self, area: Rect, text: &str, scroll: usize, style: Style) -> usize {
        const LINES_MAX: usize = 20_000;
        let lines = text::wrap(text, usize::from(area.width), LINES_MAX);
        let height = usize::from(area.height);
        let scroll = scroll.min(lines.len().saturating_sub(height.max(1)));
        for (row, line) in lines.iter().skip(scroll).take(height).enumerate() {
            self.json_line(area, row as u16, line, style);
        }
        if lines.len() > height && area.width > 20 {
            let last = (scroll + height).min(lines.len());
            self.put_right(area, area.height.saturating_sub(1), &format!(" {}–{last} of {} ", scroll + 1, lines.len()), self.theme.dim());
        }
        lines.len()
    }

    /// A line; where it begins like a member of a JSON object, the name stands out.
    fn json_line(&mut self, area: Rect, row: u16, line: &str, style: Style) {
        let start = line.len() - line.trim_start().len();
        let name_end = line[start..].strip_prefix('"').and_then(|rest| rest.find("\": ")).map(|at| start + at + 2);
        match name_end {
            Some(end) => self.put(area, row, &[(&line[..end], self.theme.accent()), (&line[end..], style)]),
            None => self.put(area, row, &[(line, style)]),
        };
    }

    /// Values over time, the newest at the right, as high as the area; answers the greatest.
    pub(super) fn spark(&mut self, area: Rect, values: &[u64], style: Style) -> u64 {
        const EIGHTHS: [&str; 9] = [" ", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"];
        let shown = &values[values.len().saturating_sub(usize::from(area.width))..];
        let greatest = shown.iter().copied().max().unwrap_or(0);
        let from = area.right() - shown.len() as u16;
        for (at, value) in shown.iter().enumerate() {
            let full = u64::from(area.height) * 8;
            // Something is never nothing.
            let eighths = if *value == 0 { 0 } else { (value.saturating_mul(full) / greatest.max(1)).max(1) };
            for row in 0..area.height {
                let below = u64::from(area.height - 1 - row) * 8;
                let part = eighths.saturating_sub(below).min(8) as usize;
                if part > 0 {
                    self.put_at(area, from + at as u16, row, &[(EIGHTHS[part], style)]);
                }
            }
        }
        greatest
    }

    /// A bar of `share` of the width, to an eighth of a column.
    pub(super) fn bar(&mut self, area: Rect, row: u16, value: u64, of: u64, style: Style) {
        const EIGHTHS: [&str; 8] = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];
        let full = u64::from(area.width) * 8;
        let eighths = if value == 0 { 0 } else { (value.saturating_mul(full) / of.max(1)).clamp(1, full.max(1)) };
        let bar = format!("{}{}", "█".repeat((eighths / 8) as usize), EIGHTHS[(eighths % 8) as usize]);
        self.put(area, row, &[(&bar, style)]);
    }

    /// What to do where there is nothing to see, in the middle.
    pub(super) fn empty(&mut self, area: Rect, lines: &[&str]) {
        let top = area.height.saturating_sub(lines.len() as u16) / 2;
        for (at, line) in lines.iter().enumerate() {
            let style = if at == 0 { self.theme.plain() } else { self.theme.dim() };
            let wide = text::width(line).min(usize::from(area.width)) as u16;
            self.put_at(area, area.x + (area.width - wide) / 2, top + at as u16, &[(line, style)]);
        }
    }
}
